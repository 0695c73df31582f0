// Runs test files with hubs that serve as several would: each a door and a worker, with a PostgreSQL, a RabbitMQ and a Redis that all of them share. Without names: every file here that
// is about what a hub does, and not about where it keeps things. Options of node --test may stand before.
//
//   node tests/e2e/with-backends.mjs tests/e2e/road.test.mjs tests/e2e/telegram.test.mjs
import {spawn} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {startPostgres, startRabbit, startRedis} from './servers.mjs';

const folder = new URL('.', import.meta.url).pathname;
const elsewhere = ['backends', 'control', 'demo', 'installations', 'move', 'postgres', 'record', 'render', 'replicas', 'replicas-history', 'replicas-pages'].map(n => `${n}.test.mjs`);
const args = process.argv.slice(2), options = args.filter(a => a.startsWith('--')), named = args.filter(a => !a.startsWith('--'));
const files = named.length ? named : readdirSync(folder).filter(f => f.endsWith('.test.mjs') && !elsewhere.includes(f)).map(f => folder + f);
const after = [];
const t = {after: f => after.unshift(f)}; // what servers.mjs wants of a test
let status = 1, child;
for (const s of ['SIGINT', 'SIGTERM']) process.on(s, async () => { if (child) { child.kill(s); return; } for (const f of after) await f(); process.exit(1); }); // servers that start are stopped
try {
  const [pg, rabbit, redis] = await Promise.all([startPostgres(t), startRabbit(t), startRedis(t)]);
  child = spawn(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=tap', ...options, ...files],
    {stdio: 'inherit', env: {...process.env, DRAGOMAN_TEST_STORE: pg.uri, DRAGOMAN_TEST_PSQL: pg.psql, DRAGOMAN_TEST_BROKER: rabbit.uri, DRAGOMAN_TEST_CACHE: redis.uri}});
  status = await new Promise(resolve => child.on('exit', code => resolve(code ?? 1)));
} finally {
  for (const f of after) await f();
}
process.exit(status);
