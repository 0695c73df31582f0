// servers.mjs - real servers beside the hub: PostgreSQL and Redis as Debian packages them, temporary data, loopback and unix socket only, stopped by pid.
// Where they are not installed, those are used that tools/setup unpacked (build-test), copied to where "nobody" may read them.
//
//   const pg = await startPostgres(t);        // pg.uri; await pg.restart('SIGKILL'); pg.sql('SELECT …')
//   const pair = await startPostgresPair(t);  // one and its synchronous standby behind one address; await pair.failover()
//   const redis = await startRedis(t);        // redis.uri; await redis.restart('SIGKILL')
//   const some = await startRedisCluster(t);  // some.uri; await some.loseMaster(); await some.restart('SIGKILL')
//   const rabbit = await startRabbit(t);      // rabbit.uri; await rabbit.restart('SIGKILL'); rabbit.ctl('list_queues')
import {execFileSync, spawn} from 'node:child_process';
import {chownSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Gone, freePort, root as tree, until} from './harness.mjs';
import {startProxy} from './proxy.mjs';

const nobody = 65534;
const root = process.getuid() === 0;
const who = root ? {uid: nobody, gid: nobody} : {}; // PostgreSQL refuses to run as root

function folder(t, what) {
  const dir = mkdtempSync(join(tmpdir(), `dragoman-${what}-`));
  if (root) chownSync(dir, nobody, nobody);
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  return dir;
}

// The folder that holds usr/…
function programs(t, what, installed) {
  if (installed) return '/';
  const dir = folder(t, what);
  execFileSync('sh', ['-c', 'cp -r "$1" "$2" && chmod -R a+rX "$2"', 'sh', join(tree, 'build-test', what, 'usr'), dir]);
  return dir;
}

class Server {
  constructor(dir, command, args, answers) { Object.assign(this, {dir, command, args, answers}); }
  spawn() {
    const out = openSync(join(this.dir, 'log'), 'a');
    this.ended = false;
    this.child = spawn(this.command, this.args, {stdio: ['ignore', out, out], cwd: this.dir, ...who});
    this.exit = new Promise(resolve => this.child.on('exit', () => { this.ended = true; resolve(); }));
    closeSync(out);
  }
  async start() { // again, as a service manager does: PostgreSQL waits for nobody, and those that a killed one left behind still hold its memory for a moment
    this.spawn();
    await until(`${this.command} answers`, () => { if (this.ended) this.spawn(); return this.answers(); }, 30000);
  }
  async stop(signal) { this.child.kill(signal); await this.exit; }
  async restart(signal) { await this.stop(signal); await this.start(); }
}

function postgresPrograms(t) {
  const versions = base => { const lib = join(base, 'usr/lib/postgresql'); return existsSync(lib) ? readdirSync(lib).filter(v => existsSync(join(lib, v, 'bin/initdb'))).sort((a, b) => a - b) : []; };
  const base = programs(t, 'postgresql', versions('/').length > 0);
  const bin = join(base, 'usr/lib/postgresql', versions(base).at(-1), 'bin');
  return {bin, psql: [join(bin, 'psql'), '/usr/bin/psql'].find(existsSync)};
}

// Not started yet; from: the server it is a standby of. durable: against the loss of power, too, which is what a bench wants; tests kill no more than processes,
// and shall not depend on how fast a disk is (after a kill, PostgreSQL syncs every file that it has).
function postgresServer(t, {bin, psql}, {from, durable} = {}) {
  const dir = folder(t, 'pg'), data = join(dir, 'data');
  const fill = of => of
    ? execFileSync(join(bin, 'pg_basebackup'), ['-D', data, '-h', of.dir, '-U', 'dragoman', '-R', '-X', 'stream', '-c', 'fast', '-N'], {stdio: 'ignore', cwd: dir, ...who})
    : execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'dragoman', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'], {stdio: 'ignore', cwd: dir, ...who});
  fill(from);
  const uri = `postgresql://dragoman@/postgres?host=${dir}`;
  const sql = text => execFileSync(psql, ['-XAtq', '-c', text, uri], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}).trim();
  const s = new Server(dir, join(bin, 'postgres'), ['-D', data, '-k', dir, '-c', 'listen_addresses=', '-c', 'wal_retrieve_retry_interval=200ms', ...durable ? [] : ['-c', 'fsync=off']],
    async () => sql('SELECT 1') === '1');
  t.after(() => s.stop('SIGQUIT'));
  return Object.assign(s, {uri, sql, psql, refill(of) { rmSync(data, {recursive: true}); fill(of); }, socket: join(dir, '.s.PGSQL.5432')});
}

export async function startPostgres(t, options) {
  const s = postgresServer(t, postgresPrograms(t), options);
  await s.start();
  return s;
}

// What is committed is on both. After a failover the one that was lost is made anew, as the standby of the other.
export async function startPostgresPair(t) {
  const programs = postgresPrograms(t), first = postgresServer(t, programs);
  await first.start();
  const pair = {now: first, other: postgresServer(t, programs, {from: first})};
  const follow = async () => {
    await pair.other.start();
    await until('the standby follows', async () => pair.now.sql("SELECT count(*) FROM pg_stat_replication WHERE state='streaming'") === '1', 30000);
    pair.now.sql("ALTER SYSTEM SET synchronous_standby_names='*'");
    pair.now.sql('SELECT pg_reload_conf()');
    await until('commits wait for it', async () => pair.now.sql("SELECT sync_state FROM pg_stat_replication") === 'sync', 30000);
  };
  await follow();
  const address = await startProxy(t, () => [{path: pair.now.socket}]);
  return Object.assign(pair, {
    address, uri: `postgresql://dragoman@127.0.0.1:${address.port}/postgres`,
    sql: text => pair.now.sql(text),
    restart: signal => pair.now.restart(signal),
    async failover() {
      const lost = pair.now;
      await lost.stop('SIGKILL');
      pair.other.sql('SELECT pg_promote(true, 30)');
      [pair.now, pair.other] = [pair.other, lost];
      lost.refill(pair.now);
      await follow();
    },
  });
}

const redisPrograms = t => join(programs(t, 'redis', existsSync('/usr/bin/redis-server')), 'usr/bin');

async function redisServer(t, bin, more = []) {
  const dir = folder(t, 'redis'), port = await freePort();
  const say = (...words) => execFileSync(join(bin, 'redis-cli'), ['-p', `${port}`, ...words], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}).trim();
  const s = new Server(dir, join(bin, 'redis-server'), ['--bind', '127.0.0.1', '--port', `${port}`, '--save', '', '--appendonly', 'no', '--dir', dir, ...more],
    async () => say('ping') === 'PONG');
  t.after(() => s.stop('SIGKILL'));
  await s.start();
  return Object.assign(s, {port, uri: `redis://127.0.0.1:${port}`, say});
}

export const startRedis = async t => redisServer(t, redisPrograms(t));

// Three masters, each with a replica that takes its place.
export async function startRedisCluster(t) {
  const bin = redisPrograms(t), nodes = [];
  for (let i = 0; i < 6; i++)
    nodes.push(await redisServer(t, bin, ['--cluster-enabled', 'yes', '--cluster-port', `${await freePort()}`, '--cluster-node-timeout', '1000', '--cluster-require-full-coverage', 'no',
      '--repl-diskless-sync-delay', '0']));
  const names = nodes.map(n => `127.0.0.1:${n.port}`);
  execFileSync(join(bin, 'redis-cli'), ['--cluster', 'create', ...names, '--cluster-replicas', '1', '--cluster-yes'], {stdio: 'ignore'});
  const followed = n => /^role:master|^master_link_status:up/m.test(n.say('info', 'replication')); // who never had its master's data is not made master
  const whole = () => until('the cluster is whole', async () => nodes.filter(n => !n.lost).every(n => /cluster_state:ok/.test(n.say('cluster', 'info')) && followed(n)), 30000);
  const masters = () => nodes.filter(n => !n.lost && /^role:master/m.test(n.say('info', 'replication')));
  await whole();
  return {
    uri: `redis+cluster://${names.join()}`, nodes, whole, masters,
    async loseMaster() { // its replica takes its place; then it comes back as a replica
      const n = masters()[0];
      await n.stop('SIGKILL');
      n.lost = true;
      await until('another is master', async () => masters().length === 3, 30000);
      await n.start();
      n.lost = false;
      await whole();
    },
    async restart(signal) {
      for (const n of nodes) await n.stop(signal);
      await Promise.all(nodes.map(n => n.start()));
      await whole();
    },
  };
}

export async function startRabbit(t) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-rabbit-')), script = join(tree, 'tests/harness/rabbitmq');
  let port;
  do port = await freePort(); while (port > 32000); // it uses the ports behind it as well
  const ctl = (...words) => execFileSync(script, [dir, `${port}`, 'ctl', ...words], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}).trim();
  const listens = () => new Promise(resolve => { const s = connect(port, '127.0.0.1', () => { s.destroy(); resolve(true); }); s.on('error', () => resolve(false)); });
  const rabbit = {
    uri: `amqp://guest:guest@127.0.0.1:${port}/`, port, ctl,
    async start() {
      const out = openSync(join(dir, 'log.txt'), 'a');
      rabbit.child = spawn(script, [dir, `${port}`], {stdio: ['ignore', out, out], detached: true}); // a process group of its own: the broker is several processes
      let ended = false;
      rabbit.exit = new Promise(resolve => rabbit.child.on('exit', () => { ended = true; resolve(); }));
      await until('RabbitMQ listens', () => { if (ended) throw new Gone(`RabbitMQ ended: ${readFileSync(join(dir, 'log.txt'), 'utf8').slice(-1000)}`); return listens(); }, 90000);
    },
    async stop(signal = 'SIGKILL') { try { process.kill(-rabbit.child.pid, signal); } catch { /* it is gone */ } await rabbit.exit; await until('RabbitMQ ends', async () => !await listens()); },
    async restart(signal) { await rabbit.stop(signal); await rabbit.start(); },
  };
  t.after(async () => {
    await rabbit.stop();
    try { execFileSync(script, [dir, `${port}`, 'end'], {stdio: 'ignore'}); } finally { rmSync(dir, {recursive: true, force: true}); }
  });
  await rabbit.start();
  return rabbit;
}
