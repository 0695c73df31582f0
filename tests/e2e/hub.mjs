// hub.mjs - a hub alone, without simulators, for tests of the API.
//
//   const hub = await startHub(t);                       // stopped when the test ends
//   const admin = await hub.login();                     // the first administrator
//   const r = await admin.call('POST', '/tenants', {…});  // {status, json, text, headers}; paths below /api/v1
import {createHash} from 'node:crypto';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, ready} from './harness.mjs';

export const adminPassword = 'seven quiet herons';

export class Caller extends Api {
  constructor(base, token) { super(`${base}/api/v1`); this.token = token; }
  call(method, path, body, headers = {}) {
    return super.call(method, path, body, {...(this.token ? {authorization: `Bearer ${this.token}`} : {}), ...headers});
  }
}

export async function login(base, user, password) {
  const r = await new Caller(base).call('POST', '/auth/login', {user, password});
  if (r.status !== 200) throw new Error(`login of ${user}: ${r.status} ${r.text}`);
  return new Caller(base, r.json.token);
}

// settings: top-level settings of hub.yaml; tenants: as JSON
export async function startHub(t, {settings = {}, tenants = [], env = {}, dir: given} = {}) {
  const dir = given ?? mkdtempSync(join(tmpdir(), 'dragoman-api-'));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const config = join(dir, 'hub.yaml');
  writeFileSync(config, JSON.stringify({listen: `127.0.0.1:${port}`, public_url: base, data: join(dir, 'data'), guard: 'off', ...settings, tenants}));
  const program = new Program(dir, 'hub', ['serve', '--config', config], {DRAGOMAN_ADMIN_PASSWORD: adminPassword, ...env});
  let served = false; // a hub that cannot even start says so to whoever started it
  t.after(async () => {
    const how = await program.stop();
    if (how.code && served) { console.error(`# the hub ended with ${how.code}\n${program.text().slice(-3000)}`); process.exitCode = 1; }
    if (!process.env.KEEP) rmSync(dir, {recursive: true, force: true});
  });
  const start = async () => { program.start(); await ready(program, `${base}/healthz/readiness?worker`); served = true; };
  await start();
  return {dir, base, config, program, start, anyone: new Caller(base), login: (user = 'admin', password = adminPassword) => login(base, user, password)};
}

// A tenant that is good: its desk and its network are never reached. Another name, another LINE channel and another integration.
const channelId = name => createHash('sha256').update(String(name)).digest().readUIntBE(0, 6).toString();
export const goodTenant = (name = 'ACME and LINE') => ({
  name,
  desk: {type: 'genesys-cloud', base_url: 'http://127.0.0.1:9', client_id: 'c1', client_secret: 'desk-secret-1', integration: {name: `Integration ${channelId(name)}`, token: 'a-token-that-is-long-enough'}},
  channels: [{type: 'line', base_url: 'http://127.0.0.1:9', channel_id: channelId(name), channel_secret: 'line-secret-1', bot_id: '@acme'}],
});
