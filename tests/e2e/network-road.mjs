// network-road.mjs - the hub between one simulated network and the simulated Genesys Cloud, for the tests of that network.
//
//   const road = await networkRoad(t, 'telegram', at => ({base_url: at, token: '…'}), {secret: '…'});
//   await road.send({type: 'text', text: 'Hi'});                                // guest 1 does something
//   const {c} = await road.deskHas('the text', m => m.text === 'Hi');          // the desk has it
//   await road.agent(c, {text: 'Hello'});
//   await road.guestHas('the answer', m => m.message.text === 'Hello');        // guest 1 sees it
//
// channel(url): the settings of the channel; undefined: there is none of it. options: secret (is in no log line), from (whom the simulator calls us: 'bot'),
// replicas (how many hubs serve as one: road.replicas, behind one address), args (of the simulator), deskArgs (of the desk's), retry (false: it never sends anything again), hub (more of the configuration), desk (more settings of it), env, between(url) (who stands between the hub and the network), channels (others).
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, ready, token, until} from './harness.mjs';
import {startProxy} from './proxy.mjs';

export async function networkRoad(t, name, channel, options = {}) {
  const dir = mkdtempSync(join(tmpdir(), `dragoman-${name}-`));
  const [hubPort, deskPort, port] = [await freePort(), await freePort(), await freePort()];
  const at = p => `http://127.0.0.1:${p}`;
  const front = options.replicas ? await startProxy(t, () => road.replicas.map(r => ({port: Number(new URL(r.api.base).port)})).sort(() => Math.random() - 0.5)) : undefined; // as a balancer
  const hubUrl = at(front?.port ?? hubPort);
  const config = join(dir, 'hub.yaml');
  const own = channel(await options.between?.(at(port)) ?? at(port));
  writeFileSync(config, JSON.stringify({
    listen: `127.0.0.1:${hubPort}`, public_url: hubUrl, data: join(dir, 'data'), guard: 'off', ...options.hub,
    tenants: [{
      name: 'Test Shop',
      desk: {type: 'genesys-cloud', base_url: at(deskPort), client_id: 'c1', client_secret: 's1', integration: {name: 'Test Desk', token}, end_poll_seconds: 1, typing: true, ...options.desk},
      channels: [...(own ? [{type: name, ...own}] : []), ...(options.channels ?? [])],
    }],
  }, null, 1));
  const network = new Api(at(port)), desk = new Api(at(deskPort));
  const road = {
    dir, config, hub: new Api(hubUrl), desk, network, [name]: network, phone: network,
    programs: {
      desk: new Program(dir, 'desk', ['sim', 'genesys-cloud', '--listen', `127.0.0.1:${deskPort}`, '--client-id', 'c1', '--client-secret', 's1', ...(options.deskArgs ?? [])]),
      [name]: new Program(dir, name, ['sim', name, '--listen', `127.0.0.1:${port}`, '--hub', hubUrl, ...(options.retry === false ? [] : ['--retry-ms', '50']), ...(options.args ?? [])]),
      hub: new Program(dir, 'hub', ['serve', '--config', config], {LOG_LEVEL: 'DEBUG', ...options.env}),
    },
    replicas: [], // {api, program}
    send: (what, guest = 1) => network.post(`/sim/guests/${guest}/send`, what),
    screen: async (guest = 1, where = '') => (await network.get(`/sim/guests/${guest}/messages${where}`)).messages,
    guestHas: (what, is, guest = 1, where = '') => until(what, async () => (await road.screen(guest, where)).filter(m => m.from === (options.from ?? 'bot')).find(is)),
    deskHas: (what, is) => until(what, async () => {
      for (const {id} of (await desk.get('/sim/conversations')).conversations) {
        const c = await desk.get(`/sim/conversations/${id}`);
        const m = c.messages.find(x => x.from === 'guest' && is(x));
        if (m) return {c, m};
      }
    }),
    agent: (c, what) => desk.post(`/sim/conversations/${c.id}/agent`, what),
    counters: () => network.get('/sim/counters'),
    async allowFiles() { // the desk's own profile lets pictures out only
      const {access_token} = await (await fetch(at(deskPort) + '/oauth/token', {method: 'POST', headers: {authorization: 'Basic ' + Buffer.from('c1:s1').toString('base64'),
        'content-type': 'application/x-www-form-urlencoded'}, body: 'grant_type=client_credentials'})).json();
      const headers = {authorization: `Bearer ${access_token}`};
      const every = [{type: '*/*'}];
      const profile = await desk.call('POST', '/api/v2/conversations/messaging/supportedcontent', {name: 'all', mediaTypes: {allow: {inbound: every, outbound: every}}}, headers);
      const {entities} = (await desk.call('GET', '/api/v2/conversations/messaging/integrations/open', undefined, headers)).json;
      const done = await desk.call('PATCH', `/api/v2/conversations/messaging/integrations/open/${entities[0].id}`, {name: entities[0].name, supportedContent: {id: profile.json.id}}, headers);
      assert.equal(done.status, 200, done.text);
    },
  };
  road.replicas.push({api: new Api(at(hubPort)), program: road.programs.hub});
  for (let i = 1; i < (options.replicas ?? 1); i++) {
    const own = await freePort();
    road.replicas.push({api: new Api(at(own)), program: road.programs[`hub${i + 1}`] = new Program(dir, `hub${i + 1}`,
      ['serve', '--config', config, '--listen', `127.0.0.1:${own}`, '--data', join(dir, `data${i + 1}`)], {LOG_LEVEL: 'DEBUG', ...options.env})});
  }
  road.restart = async changed => { // the hub, with another configuration
    await road.programs.hub.stop();
    writeFileSync(config, JSON.stringify(changed));
    road.programs.hub.start();
    await ready(road.programs.hub, at(hubPort) + '/healthz/readiness?worker');
    await until('accounts set up', async () => (await road.hub.get('/healthz/readiness?worker')).accounts.every(a => a.set_up));
  };
  t.after(async () => {
    for (const program of [...Object.keys(road.programs).filter(n => n.startsWith('hub')), name, 'desk']) {
      const how = await road.programs[program].stop();
      if (how.code) { console.error(`# ${program} ended with ${how.code}\n${road.programs[program].text().slice(-3000)}`); process.exitCode = 1; }
    }
    if (options.secret) assert.ok(!road.programs.hub.text().includes(options.secret), 'the secret is in no log line');
    if (!process.env.KEEP) rmSync(dir, {recursive: true, force: true});
  });
  for (const program of ['desk', name]) road.programs[program].start();
  await ready(road.programs.desk, at(deskPort) + '/sim/counters');
  await ready(road.programs[name], at(port) + '/sim/counters');
  for (const r of road.replicas) r.program.start();
  for (const r of road.replicas) await ready(r.program, r.api.base + '/healthz/readiness?worker');
  if (own) await until('accounts set up', async () => (await road.hub.get('/healthz/readiness?worker')).accounts.every(a => a.set_up));
  return road;
}
