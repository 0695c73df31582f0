// desk-road.mjs - the hub with its built-in desk, a web chat and a simulated LINE, for one test; and agents whose pages listen.
//
//   const road = await startDesk(t, {desk: {auto_answer: true}});
//   const kim = await road.agent('kim', {skills: {fr: 5}});          // made, logged in, listening, ready
//   const it = await kim.offered();                                   // the next interaction that is offered to kim
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {randomUUID} from 'node:crypto';
import {movableClock} from './clock.mjs';
import {Api, Program, freePort, ready, secret, until} from './harness.mjs';
import {adminPassword, login} from './hub.mjs';
import {ChatPage} from './chat-page.mjs';
import {pageKey} from './webchat-road.mjs';

export const password = 'nine sleepy badgers hum';

// A page of an agent: what it is told, in order, and the state it keeps by that alone.
export class Agent {
  constructor(road, name, api) { Object.assign(this, {road, name, api, events: [], mine: new Map(), said: new Map(), states: new Map(), typing: [], gone: []}); }
  async call(method, path, body) { return await this.api.call(method, `/desk${path}`, body); }
  async ok(method, path, body, status = 200) {
    const r = await this.call(method, path, body);
    if (r.status !== status) throw new Error(`${this.name}: ${method} ${path}: ${r.status} ${r.text}`);
    return r.json;
  }
  async act(it, what, body) { return await this.ok('POST', `/interactions/${it.id ?? it}/${what}`, body); }
  async say(it, text, more = {}) { return (await this.ok('POST', `/interactions/${it.id ?? it}/messages`, {id: randomUUID(), text, ...more}, 202)).message; }
  async status(state, reason) { return await this.ok('PUT', '/me/status', {media: 'all', state, reason}); }
  async history(it) { return (await this.ok('GET', `/interactions/${it.id ?? it}/messages?limit=200`)).items.toReversed(); }
  async listen() {
    const abort = new AbortController();
    const r = await fetch(`${this.api.base}/desk/events`, {headers: {authorization: `Bearer ${this.api.token}`}, signal: abort.signal});
    if (r.status !== 200) throw new Error(`events: ${r.status}`);
    this.deaf = () => abort.abort();
    this.heard = (async () => {
      let text = '';
      const decoder = new TextDecoder();
      try {
        for await (const piece of r.body) {
          text += decoder.decode(piece, {stream: true});
          for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) this.take(text.slice(0, end));
        }
      } catch { /* the hub, or the test, has ended it */ }
    })();
    await until(`${this.name} hears`, () => this.me);
    return this;
  }
  take(block) {
    const field = name => block.split('\n').filter(l => l.startsWith(`${name}: `) || l.startsWith(`${name}:`)).map(l => l.slice(name.length + 1).trimStart()).join('\n');
    const [name, data] = [field('event'), field('data')];
    if (!data) return;
    const d = JSON.parse(data);
    this.events.push({name, d});
    if (name === 'hello') { this.me = d.me; this.mine = new Map(d.interactions.map(i => [i.id, i])); }
    if (name === 'me') this.me = d;
    if (name === 'interaction') this.mine.set(d.id, d);
    if (name === 'gone') { this.mine.delete(d.id); this.gone.push(d.id); }
    if (name === 'message') this.said.set(d.interaction, [...(this.said.get(d.interaction) ?? []), d.message]);
    if (name === 'typing') this.typing.push(d);
    if (name === 'state') this.states.set(d.id, d);
    if (name === 'queues') this.queues = d;
    if (name === 'agents') this.agents = d;
  }
  async has(what, is, ms) { return await until(`${this.name}: ${what}`, () => [...this.mine.values()].find(is), ms); }
  async offered(is = () => true) { return await this.has('an offer', i => i.state === 'invited' && i.invited === this.name && is(i)); }
  async accepts(is) { return await this.act(await this.offered(is), 'accept'); }
  async hears(it, what, is = m => m.text === what) { return await until(`${this.name} hears ${what}`, () => this.said.get(it.id ?? it)?.find(is)); }
}

// clock: road.later(seconds) moves the hub's wall clock.
export async function startDesk(t, {desk = {}, webchat = {}, hub = {}, channels = [], clock = false} = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-desk-'));
  const moved = clock ? movableClock(dir) : undefined;
  const [hubPort, linePort] = [await freePort(), await freePort()];
  const at = p => `http://127.0.0.1:${p}`;
  const config = join(dir, 'hub.yaml');
  writeFileSync(config, JSON.stringify({
    listen: `127.0.0.1:${hubPort}`, public_url: at(hubPort), data: join(dir, 'data'), guard: 'off', ...hub,
    tenants: [{name: 'Test Shop', desk: {type: 'builtin', ...desk}, channels: [
      {type: 'webchat', api_key: pageKey, nickname_required: false, ...webchat},
      {type: 'line', base_url: at(linePort), channel_id: '1234567890', channel_secret: secret, bot_id: '@testshop'},
      ...channels,
    ]}],
  }));
  const road = {
    dir, config, base: at(hubPort), hub: new Api(at(hubPort)), line: new Api(at(linePort)), agents: [],
    programs: {
      line: new Program(dir, 'line', ['sim', 'line', '--listen', `127.0.0.1:${linePort}`, '--hub', at(hubPort), '--channel-id', '1234567890', '--channel-secret', secret, '--bot-id', '@testshop']),
      hub: new Program(dir, 'hub', ['serve', '--config', config], {LOG_LEVEL: 'DEBUG', DRAGOMAN_ADMIN_PASSWORD: adminPassword, ...moved?.env}),
    },
    later: moved?.later,
    page: () => new ChatPage(`${at(hubPort)}/nexus/v3/chat/sessions`, pageKey),
    async startHub() {
      road.programs.hub.start();
      await ready(road.programs.hub, at(hubPort) + '/healthz/readiness?worker');
      await until('accounts set up', async () => (await road.hub.get('/healthz/readiness?worker')).accounts.every(a => a.set_up));
    },
    // kill -9, and up again; the agents' pages come back
    async crash() {
      await road.programs.hub.stop('SIGKILL');
      await road.startHub();
      for (const a of road.agents) { a.me = undefined; await a.listen(); }
    },
    async user(name, more = {}) {
      const r = await road.admin.call('POST', '/users', {name, role: 'agent', display_name: name[0].toUpperCase() + name.slice(1), password, ...more});
      if (r.status !== 201) throw new Error(`user ${name}: ${r.status} ${r.text}`);
      const a = new Agent(road, name, await login(road.base, name, password));
      road.agents.push(a);
      return await a.listen();
    },
    async agent(name, more) { const a = await road.user(name, more); await a.status('ready'); return a; },
    phone: async (guest = 1) => (await road.line.get(`/sim/guests/${guest}/messages`)).messages.filter(m => m.from === 'account'),
    phoneHas: async (what, is, guest = 1) => await until(what, async () => (await road.phone(guest)).find(is)),
  };
  t.after(async () => {
    for (const a of road.agents) a.deaf?.();
    for (const name of ['hub', 'line']) {
      const how = await road.programs[name].stop();
      if (how.code) { console.error(`# ${name} ended with ${how.code}\n${road.programs[name].text().slice(-3000)}`); process.exitCode = 1; }
    }
    if (!process.env.KEEP) rmSync(dir, {recursive: true, force: true});
  });
  road.programs.line.start();
  await ready(road.programs.line, at(linePort) + '/sim/counters');
  await road.startHub();
  road.admin = await login(road.base, 'admin', adminPassword);
  return road;
}
