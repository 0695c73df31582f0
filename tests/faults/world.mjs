// world.mjs - load and book-keeping for the fault scenarios: who was told "200", and what arrived.
//
//   const w = await startWorld(t, {seed: 7, guests: 8});
//   w.write();                       // guests and agents write until w.quiet()
//   … hurt something …
//   await w.quiet();                 // every text that was begun has its 200
//   const told = await w.settle();   // waits until nothing waits, compares; throws when something is lost or doubled
//
// Guests write through a sender of ours, not the LINE simulator's: it signs webhooks itself, sends the next text of a guest only when
// the last one got a 200, and repeats what got none with the same webhookEventId. Agents write through the desk simulator, which
// repeats webhooks by itself; a text counts as acknowledged when its webhook got a 2xx.
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {execFile} from 'node:child_process';
import http from 'node:http';
import {join} from 'node:path';
import {bin, secret, startRoad, until, ready} from '../e2e/harness.mjs';

const destination = 'U0123456789abcdef0123456789abcdef'; // the simulator's standard
export const sleep = ms => new Promise(r => setTimeout(r, ms));

// A small seeded generator (mulberry32): a run is repeated by its seed.
export function dice(seed) {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let x = Math.imul(s ^ (s >>> 15), s | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

export const cli = (road, ...args) => new Promise((resolve, reject) =>
  execFile(bin, [...args, '--config', road.config], {maxBuffer: 1 << 28}, (e, out, err) => e ? reject(new Error(`${args.join(' ')}: ${err || e}`)) : resolve(out)));

export async function startWorld(t, {seed = 1, guests = 8, replyTokens = true, pause = 15, ...options} = {}) {
  const road = await startRoad(t, {...options,
    env: {LOG_LEVEL: 'WARN', ...options.env},
    deskArgs: ['--retry-ms', '400', ...(options.deskArgs ?? [])],
    lineArgs: ['--guests', String(guests), ...(options.lineArgs ?? [])]});
  return new World(road, seed, guests, replyTokens, pause);
}

class World {
  constructor(road, seed, guests, replyTokens, pause) {
    Object.assign(this, {road, seed, replyTokens, pause, random: dice(seed)});
    this.guests = Array.from({length: guests}, (_, i) => ({number: i + 1, told: [], begun: 0, agentBegun: 0}));
    this.agent = new http.Agent({keepAlive: true, maxSockets: guests});
    this.statuses = {};
    this.repeats = 0;
    this.writing = false;
    this.writers = [];
    this.event = 0;
  }

  // ---- the hub's process

  get hub() { return this.road.programs.hub; }
  async restart() {
    this.hub.start();
    await ready(this.hub, this.road.hub.base + '/healthz/liveness');
  }
  async ready() {
    await until('accounts set up', async () => (await this.road.hub.get('/healthz/readiness')).accounts.every(a => a.set_up));
  }

  // ---- guests

  post(body, headers) {
    const url = new URL(this.road.hub.base);
    return new Promise(resolve => {
      const rq = http.request({host: url.hostname, port: url.port, path: '/line', method: 'POST', agent: this.agent, headers: {...headers, 'content-length': Buffer.byteLength(body)}},
        rs => { rs.on('data', () => {}); rs.on('end', () => resolve(rs.statusCode)); rs.on('error', () => resolve(0)); });
      rq.setTimeout(15000, () => rq.destroy());
      rq.on('error', () => resolve(0));
      rq.end(body);
    });
  }
  // One text of a guest, until it got its 200. `tries` bounds it; true: acknowledged. filling: more bytes for the journal.
  async say(g, tries = Infinity, filling = '') {
    const n = ++g.begun, text = `g${g.number} ${n}${filling}`;
    const id = `${this.seed}E${++this.event}`.padStart(26, '0');
    for (let i = 0; i < tries; i++) {
      const body = JSON.stringify({destination, events: [{type: 'message', mode: 'active', timestamp: Date.now(), webhookEventId: id,
        deliveryContext: {isRedelivery: i > 0}, source: {type: 'user', userId: g.id},
        ...(this.replyTokens && g.number % 2 ? {replyToken: `t${id}`} : {}),
        message: {type: 'text', id: String(1e15 + this.event), text, quoteToken: 'q'}}]});
      const status = await this.post(body, {'content-type': 'application/json', 'x-line-signature': createHmac('sha256', secret).update(body).digest('base64')});
      this.statuses[status] = (this.statuses[status] ?? 0) + 1;
      if (status === 200) {
        g.told.push(text);
        return true;
      }
      this.repeats++;
      await sleep(20);
    }
    return false;
  }

  // A large text of a guest, tried once: one nobody was told about may or may not arrive.
  async big(g) { return await this.say(g, 1, ' ' + 'x'.repeat(4500)); }

  // ---- agents

  async reply(g) {
    const text = `a${g.number} ${++g.agentBegun}`;
    await this.road.desk.post(`/sim/conversations/${g.conversation}/agent`, {text, agent: 'Ken Ito'});
  }

  // Every guest says something and is answered to, so that both ways exist.
  async greet() {
    const {guests} = await this.road.line.get('/sim/guests');
    for (const g of this.guests)
      g.id = guests.find(x => x.number === g.number).id;
    for (const g of this.guests)
      await this.say(g);
    await until('conversations of all guests', async () => {
      const {conversations} = await this.road.desk.get('/sim/conversations');
      for (const c of conversations) {
        const g = this.guests.find(x => c.guest.id.includes(x.id));
        if (g) g.conversation = c.id;
      }
      return this.guests.every(g => g.conversation);
    });
  }

  write({agents = true} = {}) {
    this.writing = true;
    for (const g of this.guests) {
      this.writers.push((async () => {
        while (this.writing) {
          await this.say(g);
          await sleep(this.pause * (0.5 + this.random()));
        }
      })());
      if (agents)
        this.writers.push((async () => {
          while (this.writing) {
            await this.reply(g);
            await sleep(8 * this.pause * (0.5 + this.random()));
          }
        })());
    }
  }
  async quiet() {
    this.writing = false;
    await Promise.all(this.writers);
    this.writers = [];
  }

  // ---- the end

  async drained(ms = 120000) {
    await until('nothing waits', async () => {
      const {text} = await this.road.hub.call('GET', '/metrics');
      return /journal_messages\{state="waiting"\} 0\n/.test(text) && /journal_messages\{state="parked"\} 0\n/.test(text);
    }, ms);
  }
  async agentsDone() { // no webhook of the desk is still being repeated
    await until('the desk\'s webhooks ended', async () => {
      for (const g of this.guests) {
        const {messages} = await this.road.desk.get(`/sim/conversations/${g.conversation}`);
        if (messages.some(m => m.from !== 'guest' && m.state === 'queued')) return false;
      }
      return true;
    }, 60000);
  }
  async inbound() {
    const all = [];
    for (let after = 0;;) {
      const {messages} = await this.road.desk.get(`/sim/inbound?limit=1000&after=${after}`);
      if (!messages.length) return all;
      all.push(...messages);
      after = messages.at(-1).seq;
    }
  }

  // Compares; {lost: n} allows n acknowledged texts of guests to be missing (where a scenario destroyed durable bytes).
  async settle({drainMs, lost: lostAllowed = 0} = {}) {
    await this.agentsDone();
    await this.drained(drainMs);
    const told = {acknowledged: 0, lost: 0, doubled: 0, disordered: 0, unknown: 0, wireRepeats: 0, senderRepeats: this.repeats};
    const wrong = [];
    const inbound = await this.inbound();
    for (const m of inbound) told.wireRepeats += m.times - 1;
    for (const g of this.guests) {
      const arrived = inbound.filter(m => m.text?.startsWith(`g${g.number} `)).map(m => m.text);
      const once = new Set(arrived);
      const missing = g.told.filter(x => !once.has(x));
      told.acknowledged += g.told.length;
      told.lost += missing.length;
      told.doubled += arrived.length - once.size;
      if (missing.length) wrong.push(`lost at the desk: ${missing.slice(0, 5)}`);
      if (arrived.length !== once.size) wrong.push(`twice at the desk: ${arrived.filter((x, i) => arrived.indexOf(x) !== i).slice(0, 5)}`);
      const numbers = [...once].map(x => Number(x.split(' ')[1]));
      if (numbers.some((n, i) => i && n < numbers[i - 1])) { told.disordered++; wrong.push(`out of order: ${[...once].slice(0, 50)}`); }
    }
    const unknown = (await cli(this.road, 'journal', 'list', 'unknown')).split('\n').filter(x => /^ *\d+ +unknown /.test(x));
    const dead = (await cli(this.road, 'journal', 'list', 'dead')).trim();
    if (dead) wrong.push(`dead letters: ${dead.slice(0, 800)}`);
    told.unknown = unknown.length;
    told.unknownMissing = 0;
    for (const g of this.guests) {
      const {messages: atDesk} = await this.road.desk.get(`/sim/conversations/${g.conversation}`);
      const {messages: onPhone} = await this.road.line.get(`/sim/guests/${g.number}/messages`);
      const seen = {};
      for (const m of onPhone)
        if (m.from === 'account') seen[m.message.text] = (seen[m.message.text] ?? 0) + 1;
      const acknowledged = atDesk.filter(m => m.from === 'agent' && ['sent', 'delivered', 'failed'].includes(m.state) && !/webhook/.test(m.reason?.message ?? ''));
      const missing = acknowledged.filter(m => !seen[m.text]).map(m => m.text);
      const marked = unknown.filter(x => x.includes(g.id)).length;
      told.acknowledged += acknowledged.length;
      told.unknownMissing += Math.min(missing.length, marked);
      if (missing.length > marked) { told.lost += missing.length - marked; wrong.push(`lost on the phone: ${missing.slice(0, 5)} (${marked} marked unknown)`); }
      const twice = Object.entries(seen).filter(([, n]) => n > 1);
      told.doubled += twice.length;
      if (twice.length) wrong.push(`twice on the phone: ${twice.slice(0, 5)}`);
    }
    told.statuses = this.statuses;
    this.agent.destroy();
    assert.ok(told.lost <= lostAllowed && !told.doubled && !told.disordered && !dead, `seed ${this.seed}: ${JSON.stringify(told)}\n${wrong.join('\n')}\n${this.hub.text().slice(-2000)}`);
    return told;
  }
}
