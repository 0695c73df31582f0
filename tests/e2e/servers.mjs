// servers.mjs - real servers beside the hub: PostgreSQL and Redis as Debian packages them, temporary data, loopback and unix socket only, stopped by pid.
// Where they are not installed, those are used that tools/setup unpacked (build-test), copied to where "nobody" may read them.
//
//   const pg = await startPostgres(t);        // pg.uri; await pg.restart('SIGKILL'); pg.sql('SELECT …')
//   const redis = await startRedis(t);        // redis.uri; await redis.restart('SIGKILL')
//   const rabbit = await startRabbit(t);      // rabbit.uri; await rabbit.restart('SIGKILL'); rabbit.ctl('list_queues')
import {execFileSync, spawn} from 'node:child_process';
import {chownSync, existsSync, mkdtempSync, openSync, readdirSync, rmSync} from 'node:fs';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {freePort, root as tree, until} from './harness.mjs';

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
  async start() {
    const out = openSync(join(this.dir, 'log'), 'a');
    this.child = spawn(this.command, this.args, {stdio: ['ignore', out, out], cwd: this.dir, ...who});
    this.exit = new Promise(resolve => this.child.on('exit', resolve));
    await until(`${this.command} answers`, this.answers, 30000);
  }
  async stop(signal) { this.child.kill(signal); await this.exit; }
  async restart(signal) { await this.stop(signal); await this.start(); }
}

export async function startPostgres(t) {
  const versions = base => { const lib = join(base, 'usr/lib/postgresql'); return existsSync(lib) ? readdirSync(lib).filter(v => existsSync(join(lib, v, 'bin/initdb'))).sort((a, b) => a - b) : []; };
  const base = programs(t, 'postgresql', versions('/').length > 0);
  const bin = join(base, 'usr/lib/postgresql', versions(base).at(-1), 'bin');
  const psql = [join(bin, 'psql'), '/usr/bin/psql'].find(existsSync);
  const dir = folder(t, 'pg'), data = join(dir, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'dragoman', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'], {stdio: 'ignore', cwd: dir, ...who});
  const uri = `postgresql://dragoman@/postgres?host=${dir}`;
  const sql = text => execFileSync(psql, ['-XAtq', '-c', text, uri], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}).trim();
  const s = new Server(dir, join(bin, 'postgres'), ['-D', data, '-k', dir, '-c', 'listen_addresses='], async () => sql('SELECT 1') === '1');
  t.after(() => s.stop('SIGQUIT'));
  await s.start();
  return Object.assign(s, {uri, sql});
}

export async function startRedis(t) {
  const bin = join(programs(t, 'redis', existsSync('/usr/bin/redis-server')), 'usr/bin');
  const dir = folder(t, 'redis'), port = await freePort();
  const say = (...words) => execFileSync(join(bin, 'redis-cli'), ['-p', `${port}`, ...words], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}).trim();
  const s = new Server(dir, join(bin, 'redis-server'), ['--bind', '127.0.0.1', '--port', `${port}`, '--save', '', '--appendonly', 'no', '--dir', dir], async () => say('ping') === 'PONG');
  t.after(() => s.stop('SIGKILL'));
  await s.start();
  return Object.assign(s, {uri: `redis://127.0.0.1:${port}`, say});
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
      rabbit.exit = new Promise(resolve => rabbit.child.on('exit', resolve));
      await until('RabbitMQ listens', listens, 90000);
    },
    async stop(signal = 'SIGKILL') { try { process.kill(-rabbit.child.pid, signal); } catch { /* it is gone */ } await rabbit.exit; },
    async restart(signal) { await rabbit.stop(signal); await rabbit.start(); },
  };
  t.after(async () => {
    await rabbit.stop();
    try { execFileSync(script, [dir, `${port}`, 'end'], {stdio: 'ignore'}); } finally { rmSync(dir, {recursive: true, force: true}); }
  });
  await rabbit.start();
  return rabbit;
}
