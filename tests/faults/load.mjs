// load.mjs - traffic both ways that remembers what was acknowledged, and the conservation check at the end.
//
//   const load = new Load(road, {guests: 40, seed: 1});
//   await load.start();  … the hub is killed, starved, restarted …
//   await load.stop();                 // every guest's last text is acknowledged
//   const found = await load.check();  // {sent, acknowledged, lost, doubled, unordered, repeats, agent: {…}, unknown}
import {createHmac} from 'node:crypto';
import {request, Agent} from 'node:http';
import {secret, until} from '../e2e/harness.mjs';

const destination = 'U0123456789abcdef0123456789abcdef';

export function random(seed) { // mulberry32
  let a = seed >>> 0;
  return () => { a = (a + 0x6d2b79f5) | 0; let t = Math.imul(a ^ (a >>> 15), 1 | a); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 4294967296; };
}
const pause = ms => new Promise(r => setTimeout(r, ms));

export class Load {
  constructor(road, {guests = 40, seed = 1, gapMs = 5, agents = true} = {}) {
    Object.assign(this, {road, seed, gapMs, agents, running: false, acknowledged: 0, sent: 0, refused: 0, tries: 0, agentTexts: []});
    this.wanted = guests;
    this.http = new Agent({keepAlive: true, maxSockets: guests});
  }
  webhook(guest, n, again) {
    const id = `${guest.id.slice(-8)}${String(n).padStart(18, '0')}`.toUpperCase();
    return JSON.stringify({destination, events: [{type: 'message', mode: 'active', timestamp: Date.now(), webhookEventId: id, deliveryContext: {isRedelivery: again},
      source: {type: 'user', userId: guest.id}, ...(guest.token ? {replyToken: `t${id}`} : {}), message: {id: String(parseInt(guest.id.slice(-6), 16) * 1000000 + n), type: 'text', text: `${guest.id.slice(-8)} ${n}`}}]});
  }
  post(body) {
    const {hostname, port} = new URL(this.road.hub.base);
    return new Promise(resolve => {
      const rq = request({hostname, port, path: '/line', method: 'POST', agent: this.http, timeout: 5000,
        headers: {'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'x-line-signature': createHmac('sha256', secret).update(body).digest('base64')}},
        r => { r.resume(); r.on('end', () => resolve(r.statusCode)); r.on('error', () => resolve(0)); });
      rq.on('timeout', () => rq.destroy());
      rq.on('error', () => resolve(0));
      rq.end(body);
    });
  }
  async guest(g) {
    while (this.running) {
      const n = g.next++;
      this.sent++;
      for (let again = false; ; again = true) { // as LINE redelivers: the same event until it is taken
        this.tries++;
        const status = await this.post(this.webhook(g, n, again));
        if (status === 200) break;
        if (status) this.refused++;
        await pause(20);
      }
      this.acknowledged++;
      g.acked.push(n);
      await pause(this.gapMs);
    }
  }
  async agent() { // an agent answers in every conversation there is
    const rnd = random(this.seed + 7);
    for (let n = 0; this.running; n++) {
      try {
        const all = (await this.road.desk.get('/sim/conversations')).conversations;
        if (all.length) {
          const c = all[Math.floor(rnd() * all.length)], text = `agent ${n}`;
          const m = await this.road.desk.post(`/sim/conversations/${c.id}/agent`, {text});
          this.agentTexts.push({text, id: m.id, conversation: c.id, guest: c.guest.id.split('@')[0]});
        }
      } catch { /* the desk itself may be made to fail */ }
      await pause(20);
    }
  }
  async start() {
    const people = (await this.road.line.get('/sim/guests')).guests.filter(g => g.kind === 'user').slice(0, this.wanted);
    this.guests = people.map((p, i) => ({id: p.id, next: 0, acked: [], token: i % 2 === 1})); // every other one can be replied to, which cannot be repeated
    this.running = true;
    this.tasks = this.guests.map(g => this.guest(g));
    if (this.agents) this.tasks.push(this.agent());
  }
  async stop() {
    this.running = false;
    await Promise.all(this.tasks);
  }
  async last() { // one more text of each guest, behind all others on its way, has arrived: so have they
    for (const g of this.guests) {
      const n = g.next++;
      this.sent++;
      for (let again = false; await this.post(this.webhook(g, n, again)) !== 200; again = true) await pause(20);
      this.acknowledged++;
      g.acked.push(n);
    }
    const last = new Set(this.guests.map(g => `${g.id.slice(-8)} ${g.acked.at(-1)}`));
    await until('what was taken has arrived', async () => { for (const m of await this.inbound()) last.delete(m.text); return last.size === 0; }, 90000);
  }
  async messages(state) {
    const text = (await this.road.hub.call('GET', '/metrics')).text;
    return Number(new RegExp(`dragoman_journal_messages\\{state="${state}"\\} (\\d+)`).exec(text)?.[1] ?? NaN);
  }
  async inbound() {
    const all = [];
    for (let after = 0; ;) {
      const page = (await this.road.desk.get(`/sim/inbound?after=${after}&limit=1000`)).messages;
      if (!page.length) return all;
      all.push(...page);
      after = page.at(-1).seq;
    }
  }
  async check({drainMs = 60000} = {}) {
    this.http.destroy();
    await until('everything is delivered', async () => (await this.messages('waiting')) === 0, drainMs);
    const at = new Map(), order = new Map();
    let doubled = 0, unordered = 0, repeats = 0;
    for (const m of await this.inbound()) {
      if (at.has(m.text)) doubled++;
      at.set(m.text, m);
      repeats += m.times - 1;
      const [guest, n] = m.text.split(' ');
      if (Number(n) < (order.get(guest) ?? -1)) unordered++;
      order.set(guest, Number(n));
    }
    let lost = 0;
    for (const g of this.guests) for (const n of g.acked) if (!at.has(`${g.id.slice(-8)} ${n}`)) lost++;
    const unknown = await this.messages('unknown');
    return {sent: this.sent, acknowledged: this.acknowledged, refused: this.refused, lost, doubled, unordered, repeats, unknown, agent: await this.checkAgent()};
  }
  async checkAgent() {
    const found = {taken: 0, lost: 0, doubled: 0};
    const states = new Map();
    for (const c of new Set(this.agentTexts.map(a => a.conversation)))
      for (const m of (await this.road.desk.get(`/sim/conversations/${c}`)).messages) states.set(m.id, m.state);
    for (const guest of new Set(this.agentTexts.map(a => a.guest))) {
      const shown = (await this.road.line.get(`/sim/guests/${guest}/messages`)).messages.filter(m => m.from === 'account').map(m => m.message.text);
      for (const a of this.agentTexts.filter(x => x.guest === guest)) {
        if (!['sent', 'delivered'].includes(states.get(a.id))) continue; // the hub never took it
        found.taken++;
        const n = shown.filter(t => t === a.text).length;
        if (n === 0) found.lost++;
        if (n > 1) found.doubled++;
      }
    }
    return found;
  }
}
