// webchat-road.mjs - the hub with a web chat and a simulated Genesys Cloud organisation, for one test.
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, ready, token, until} from './harness.mjs';
import {adminPassword} from './hub.mjs';
import {ChatPage} from './chat-page.mjs';

export const pageKey = '3f0c2a9e-7d51-4d0a-9a55-0d7a6c1b2e90';
export const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

export async function startChat(t, {webchat = {}, tenants = [], hub = {}, env = {}} = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-webchat-'));
  const [hubPort, deskPort] = [await freePort(), await freePort()];
  const at = p => `http://127.0.0.1:${p}`;
  const config = join(dir, 'hub.yaml');
  const desk = name => ({type: 'genesys-cloud', base_url: at(deskPort), client_id: 'c1', client_secret: 's1', integration: {name, token}, typing: true, end_poll_seconds: 1});
  writeFileSync(config, JSON.stringify({
    listen: `127.0.0.1:${hubPort}`, public_url: at(hubPort), data: join(dir, 'data'), guard: 'off', ...hub,
    tenants: [{name: 'Test Shop', desk: desk('Test Web'), channels: [{type: 'webchat', api_key: pageKey, endpoints: 'support_main, sales', ...webchat}]}, ...tenants],
  }));
  const road = {
    dir, config, hub: new Api(at(hubPort)), desk: new Api(at(deskPort)), url: `${at(hubPort)}/nexus/v3/chat/sessions`, data: join(dir, 'data'), deskSettings: desk,
    programs: {
      desk: new Program(dir, 'desk', ['sim', 'genesys-cloud', '--listen', `127.0.0.1:${deskPort}`, '--client-id', 'c1', '--client-secret', 's1', '--agents', 'Kim Lee,<b>Ken</b>', '--retry-ms', '1000']),
      hub: new Program(dir, 'hub', ['serve', '--config', config], {LOG_LEVEL: 'DEBUG', DRAGOMAN_ADMIN_PASSWORD: adminPassword, ...env}),
    },
    page: (key = pageKey, options) => new ChatPage(road.url, key, options),
    async startHub() { road.programs.hub.start(); await ready(road.programs.hub, at(hubPort) + '/healthz/readiness?worker'); },
  };
  t.after(async () => {
    for (const name of ['hub', 'desk']) {
      const how = await road.programs[name].stop();
      if (how.code) { console.error(`# ${name} ended with ${how.code}\n${road.programs[name].text().slice(-3000)}`); process.exitCode = 1; }
    }
    if (!process.env.KEEP) rmSync(dir, {recursive: true, force: true});
  });
  road.programs.desk.start();
  await ready(road.programs.desk, at(deskPort) + '/sim/counters');
  await road.startHub();
  await until('accounts set up', async () => (await road.hub.get('/healthz/readiness?worker')).accounts.filter(a => a.account?.startsWith('test-shop') ?? a.id.startsWith('test-shop')).every(a => a.set_up));
  return road;
}

export const inbound = async road => (await road.desk.get('/sim/inbound?limit=1000')).messages;
export async function deskHas(road, what, is) {
  return await until(what, async () => {
    for (const c of (await road.desk.get('/sim/conversations')).conversations) {
      const full = await road.desk.get(`/sim/conversations/${c.id}`);
      const m = full.messages.find(x => x.from === 'guest' && is(x));
      if (m) return {c: full, m};
    }
  });
}
export const agent = async (road, c, what) => await road.desk.post(`/sim/conversations/${c.id}/agent`, {agent: 'Kim Lee', ...what});
// What got no answer is repeated, behind what is newer: whoever wants an order says nothing more before.
export const heardOut = (road, c) => until('the hub has all that the desk said', async () =>
  (await road.desk.get(`/sim/conversations/${c.id}`)).messages.every(m => m.from === 'guest' || m.state !== 'queued'), 30000);
