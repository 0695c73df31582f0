// harness.mjs - starts the hub and both simulators for one test, in a temporary folder, on free ports, and stops them by pid.
//
//   const road = await startRoad(t);            // hub + LINE + Genesys Cloud; stopped when the test ends
//   await road.line.post(`/sim/guests/${g}/send`, {type: 'text', text: 'hello'});
//   await road.until('the desk has it', async () => (await road.desk.get('/sim/inbound')).…)
import {execFileSync, spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdtempSync, rmSync, writeFileSync, readFileSync, openSync, existsSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {startProxy} from './proxy.mjs';

export const root = new URL('../..', import.meta.url).pathname;
export const bin = process.env.DRAGOMAN_BIN ?? join(root, 'build/dragoman');
export const secret = '8c570fa6dd201bb328f1c1eac23a96d8';
export const token = 'a-long-enough-token-for-tests';

// Below the ports that the system gives to outgoing connections: one of those could take it before the program listens. None is given twice: who has it may not listen yet.
const given = new Set();
export async function freePort() {
  for (;;) {
    const port = 10240 + Math.floor(Math.random() * 22000);
    const free = await new Promise(resolve => {
      const s = createServer().on('error', () => resolve(false)).listen(port, '127.0.0.1', () => s.close(() => resolve(true)));
    });
    if (free && !given.has(port)) { given.add(port); return port; }
  }
}

// Waiting longer is in vain.
export class Gone extends Error {}

// How much longer than usual is waited before something is called missing: a machine may be slow, and a test that passes waits no longer for it.
export const patience = Number(process.env.DRAGOMAN_TEST_PATIENCE ?? 4);

export async function until(what, fn, ms = 15000) {
  const end = Date.now() + ms * patience;
  let last;
  for (;;) {
    try { last = await fn(); if (last) return last; } catch (e) { if (e instanceof Gone) throw e; last = e; }
    if (Date.now() > end) throw new Error(`waited ${ms * patience} ms in vain for: ${what} (last: ${last instanceof Error ? last.message : JSON.stringify(last)})`);
    await new Promise(r => setTimeout(r, 40));
  }
}

export class Api {
  constructor(base) { this.base = base; }
  async call(method, path, body, headers = {}) {
    const r = await fetch(this.base + path, {method, headers: body === undefined ? headers : {'content-type': 'application/json', ...headers},
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)});
    const text = await r.text();
    let json; try { json = JSON.parse(text); } catch { json = undefined; }
    return {status: r.status, text, json, headers: r.headers};
  }
  async get(path) { const r = await this.call('GET', path); if (r.status !== 200) throw new Error(`GET ${path}: ${r.status} ${r.text}`); return r.json; }
  async post(path, body = {}) { const r = await this.call('POST', path, body); if (r.status >= 300) throw new Error(`POST ${path}: ${r.status} ${r.text}`); return r.json; }
}

// Where all hubs of a test file shall keep what they keep: with DRAGOMAN_TEST_STORE (postgres.test.mjs) each has a schema of its own there, the same one after a restart; with
// DRAGOMAN_TEST_BROKER as well (with-backends.mjs) each is a door and a worker, with queues of its own on the servers that all share.
const {DRAGOMAN_TEST_PSQL: psql, DRAGOMAN_TEST_STORE: postgres, DRAGOMAN_TEST_BROKER: broker, DRAGOMAN_TEST_CACHE: cache} = process.env;
const sql = (uri, ...texts) => execFileSync(psql, ['-XAtq', ...texts.flatMap(x => ['-c', x]), uri], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28}).trim();
const hashOf = log => createHash('sha256').update(log).digest('hex');
const nameOf = log => `h${hashOf(log).slice(0, 16)}`;
const databaseOf = log => `${postgres}&options=-csearch_path%3D${nameOf(log)}`;
function backendsOf(args, log) {
  if (!postgres || args[0] !== 'serve') return {};
  sql(postgres, `CREATE SCHEMA IF NOT EXISTS ${nameOf(log)}`);
  const store = {DRAGOMAN_STORE: databaseOf(log)};
  return broker ? {...store, DRAGOMAN_BROKER: broker, DRAGOMAN_BROKER_NAME: nameOf(log), DRAGOMAN_BROKER_CLASSIC: 'true', DRAGOMAN_BROKER_SHARDS: '3', DRAGOMAN_CACHE: cache, DRAGOMAN_CACHE_NAME: nameOf(log), DRAGOMAN_SECRET_KEY: hashOf(log)} : store;
}
// Does each hub of this run stand on a broker: a door and a worker, whose journal is in the database?
export const several = Boolean(broker);
// Changes what a hub that is stopped keeps in its store.
export const inStore = (hub, data, text) => postgres ? sql(databaseOf(hub.log), text)
  : execFileSync('python3', ['-c', 'import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as db: db.execute(sys.argv[2])', join(data, 'store.db'), text]);
// The first keys of the store of a hub that is stopped: "d:…" of a message's progress, "m:…" of its media.
export const storeKeys = (hub, data) => postgres
  ? sql(databaseOf(hub.log), "SELECT encode(substr(key,1,2),'escape') FROM kv").split('\n')
  : execFileSync('python3', ['-c', 'import sqlite3, sys\nfor k, in sqlite3.connect(sys.argv[1]).execute("select cast(substr(key,1,2) as blob) from kv"): print(k.decode("latin1"))', join(data, 'store.db')], {encoding: 'utf8'}).split('\n');
// Is this text anywhere in what a hub that is stopped keeps, but for its journal?
export function isKept(hub, data, text) {
  if (!postgres) return ['contacts.db', 'store.db'].some(f => readFileSync(join(data, f)).includes(text));
  const tables = sql(databaseOf(hub.log), "SELECT tablename FROM pg_tables WHERE schemaname=current_schema() AND tablename<>'log_part'").split('\n');
  return tables.some(name => sql(databaseOf(hub.log), 'SET bytea_output=escape', `SELECT * FROM ${name}`).includes(text));
}

// One program; its log is kept and shown when it ends unexpectedly.
export class Program {
  constructor(dir, name, args, env = {}) {
    this.name = name; this.args = args; this.env = env; this.log = join(dir, `${name}.log`); this.ended = true;
  }
  start() {
    const out = openSync(this.log, 'a');
    const [command, ...args] = [...(this.wrap ?? []), bin, ...this.args]; // wrap: a command that becomes the program, such as prlimit
    this.child = spawn(command, args, {stdio: ['ignore', out, out], env: {...process.env, ASAN_OPTIONS: 'detect_leaks=1', DRAGOMAN_METRICS_PORT: '0', ...backendsOf(this.args, this.log), ...this.env}});
    this.ended = false;
    this.exit = new Promise(resolve => this.child.on('exit', (code, signal) => { this.ended = true; resolve({code, signal}); }));
    this.child.on('error', e => { this.ended = true; this.failure = e.message; });   // it could not even be started
    return this;
  }
  async stop(signal = 'SIGTERM') {
    if (this.ended) return await this.exit ?? {code: 0}; // by itself, perhaps: how, is for the test to judge
    this.child.kill(signal);
    const late = setTimeout(() => this.child.kill('SIGKILL'), 20000 * patience);
    const how = await this.exit;
    clearTimeout(late);
    return how;
  }
  text() { return existsSync(this.log) ? readFileSync(this.log, 'utf8') : ''; }
}

export async function ready(program, url, ms = 20000) {
  await until(`${program.name} at ${url}`, async () => {
    if (program.ended) throw new Gone(`${program.name} ended: ${program.failure ?? ''}${program.text().slice(-1500)}`);
    return (await fetch(url)).ok;
  }, ms);
}

export async function startRoad(t, options = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-e2e-'));
  const [hubPort, deskPort, linePort] = [await freePort(), await freePort(), await freePort()];
  const at = p => `http://127.0.0.1:${p}`;
  const deskUrl = await options.between?.desk?.(at(deskPort)) ?? at(deskPort);   // who stands between the hub and a simulator
  const lineUrl = await options.between?.line?.(at(linePort)) ?? at(linePort);
  const front = options.front ? await startProxy(t, () => road.replicas.map(r => ({port: Number(new URL(r.api.base).port)})).sort(() => Math.random() - 0.5)) : undefined;
  const hubUrl = at(front?.port ?? hubPort);   // front: one address before all replicas, as a balancer has it
  const config = join(dir, 'hub.yaml');
  const extra = (o, pad) => Object.entries(o ?? {}).map(([k, v]) => `${pad}${k}: ${JSON.stringify(v)}\n`).join(''); // JSON is YAML
  writeFileSync(config, `listen: 127.0.0.1:${hubPort}
public_url: ${hubUrl}
data: ${options.data ?? join(dir, 'data')}
guard: off
${extra(options.hub, '')}tenants:
  - name: Test Shop
    desk:
      type: genesys-cloud
      base_url: ${deskUrl}
      client_id: c1
      client_secret: s1
      integration: ${JSON.stringify(options.integration ?? {name: 'Test LINE', token})}
      end_poll_seconds: 1
      typing: true
${extra(options.desk, '      ')}    channels:
      - type: line
        base_url: ${lineUrl}
        channel_id: "1234567890"
        channel_secret: ${secret}
        bot_id: "@testshop"
        prefix_agent_name: true
${extra(typeof options.line === 'function' ? options.line(at(linePort)) : options.line, '        ')}`);
  const road = {
    dir, config, until,
    hub: new Api(hubUrl), desk: new Api(at(deskPort)), line: new Api(at(linePort)),
    programs: {
      desk: new Program(dir, 'desk', ['sim', 'genesys-cloud', '--listen', `127.0.0.1:${deskPort}`, '--client-id', 'c1', '--client-secret', 's1', ...(options.deskArgs ?? [])]),
      line: new Program(dir, 'line', ['sim', 'line', '--listen', `127.0.0.1:${linePort}`, '--hub', hubUrl, '--channel-id', '1234567890',
        '--channel-secret', secret, '--bot-id', '@testshop', ...(options.lineArgs ?? [])]),
      hub: new Program(dir, 'hub', ['serve', '--config', config], {LOG_LEVEL: 'DEBUG', ...(options.env ?? {})}),
    },
    replicas: [], // {api, program}; without a front the first one is road.hub
    async stop() {
      const how = {};
      for (const [i, r] of road.replicas.entries()) if (i) how[r.program.name] = await r.program.stop();
      for (const name of ['hub', 'line', 'desk']) how[name] = await road.programs[name].stop();
      return how;
    },
  };
  road.replicas.push({api: front ? new Api(at(hubPort)) : road.hub, program: road.programs.hub});
  for (let i = 1; i < (options.replicas ?? 1); i++) {
    const port = await freePort();
    road.replicas.push({api: new Api(at(port)), program: new Program(dir, `hub${i + 1}`, ['serve', '--config', config, '--listen', `127.0.0.1:${port}`, '--data', join(dir, `data${i + 1}`)],
      {LOG_LEVEL: 'DEBUG', ...(options.env ?? {})})});
    road.programs[`hub${i + 1}`] = road.replicas[i].program;
  }
  const onFail = async () => {
    const how = await road.stop();
    for (const [name, h] of Object.entries(how))
      if (h.code) { console.error(`# ${name} ended with ${h.code}\n${road.programs[name].text().slice(-3000)}`); process.exitCode = 1; }
    if (!process.env.KEEP) rmSync(dir, {recursive: true, force: true});
  };
  t.after(onFail);
  for (const name of ['desk', 'line']) road.programs[name].start();
  await ready(road.programs.desk, at(deskPort) + '/sim/counters');
  await ready(road.programs.line, at(linePort) + '/sim/counters');
  for (const r of road.replicas) r.program.start();
  for (const r of road.replicas) await ready(r.program, r.api.base + '/healthz/readiness');
  await until('accounts set up', async () => (await road.hub.get('/healthz/readiness?worker')).accounts.every(a => a.set_up), 30000);
  return road;
}
