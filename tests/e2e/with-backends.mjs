// Runs test files with hubs that serve as several would: a door and a worker, with a PostgreSQL, a RabbitMQ and a Redis that all of them share.
//
//   node tests/e2e/with-backends.mjs tests/e2e/road.test.mjs tests/e2e/telegram.test.mjs
import {spawn} from 'node:child_process';
import {startPostgres, startRabbit, startRedis} from './servers.mjs';

const files = process.argv.slice(2);
const after = [];
const t = {after: f => after.unshift(f)}; // what servers.mjs wants of a test
let status = 1;
try {
  const [pg, rabbit, redis] = [await startPostgres(t), await startRabbit(t), await startRedis(t)];
  const child = spawn(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=tap', ...files],
    {stdio: 'inherit', env: {...process.env, DRAGOMAN_TEST_STORE: pg.uri, DRAGOMAN_TEST_PSQL: pg.psql, DRAGOMAN_TEST_BROKER: rabbit.uri, DRAGOMAN_TEST_CACHE: redis.uri}});
  for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => child.kill(s));
  status = await new Promise(resolve => child.on('exit', code => resolve(code ?? 1)));
} finally {
  for (const f of after) await f();
}
process.exit(status);
