// Several installations on the same servers: what is apart, and what becomes of one that forgets to be.
import test from 'node:test';
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {Api, Program, freePort, startRoad, until} from './harness.mjs';
import {startPostgres, startRabbit, startRedis} from './servers.mjs';

const keyOf = () => randomBytes(32).toString('hex');
const schema = (pg, name) => { pg.sql(`CREATE SCHEMA ${name}`); return `${pg.uri}&options=-csearch_path%3D${name}`; };
const inbound = async road => (await road.desk.get('/sim/inbound')).messages.map(m => m.text);
const guest = async road => (await road.line.get('/sim/guests')).guests.find(g => g.kind === 'user').id;

test('two installations share RabbitMQ, Redis and PostgreSQL, and nothing else', async t => {
  const [pg, rabbit, redis] = await Promise.all([startPostgres(t), startRabbit(t), startRedis(t)]);
  const names = ['north', 'south'], roads = [];
  for (const name of names)
    roads.push(await startRoad(t, {replicas: 2, deskArgs: ['--receipts', 'off'], env: {DRAGOMAN_ADMIN_PASSWORD: 'seven quiet herons'},
      hub: {store: schema(pg, name), broker: rabbit.uri, 'broker.name': name, cache: redis.uri, secret_key: keyOf()}}));
  const [north, south] = roads;
  const login = (road, password) => road.hub.call('POST', '/api/v1/auth/login', {user: 'admin', password});
  for (const [i, road] of roads.entries()) { // the same tenant, the same guest: nothing tells them apart but where they are
    await road.line.post(`/sim/guests/${await guest(road)}/send`, {type: 'text', text: `to the ${names[i]}`});
    await until('at its desk', async () => (await inbound(road)).includes(`to the ${names[i]}`));
  }
  for (const [i, road] of roads.entries()) assert.deepEqual((await inbound(road)).filter(x => x?.startsWith('to the')), [`to the ${names[i]}`]);
  const {token} = (await login(north, 'seven quiet herons')).json;
  const me = road => road.hub.call('GET', '/api/v1/auth/me', undefined, {authorization: `Bearer ${token}`});
  assert.equal((await me(north)).status, 200);
  assert.equal((await me(south)).status, 401, 'a log-in is good at one of them');
  for (let i = 0; i < 20; i++) await login(north, 'wrong');
  assert.equal((await login(north, 'seven quiet herons')).status, 429, 'guessed too often');
  assert.equal((await login(south, 'seven quiet herons')).status, 200);
  const worker = (await south.hub.get('/healthz/readiness')).worker, before = pg.sql('SELECT epoch FROM north.log_shard');
  await south.replicas.find(r => r.api.base === worker).program.stop('SIGKILL');
  await until('another takes over in the south', () => pg.sql('SELECT epoch FROM south.log_shard') > 1);
  assert.equal(pg.sql('SELECT epoch FROM north.log_shard'), before, 'the north does not notice');
  await north.line.post(`/sim/guests/${await guest(north)}/send`, {type: 'text', text: 'still here'});
  await until('at its desk', async () => (await inbound(north)).includes('still here'));
  for (const kind of ['list_queues', 'list_exchanges'])
    assert.deepEqual(rabbit.ctl(kind, 'name', '--no-table-headers').split('\n').filter(n => n && !n.startsWith('amq.') && !names.some(x => n === x || n.startsWith(`${x}.`))), [], kind);
  const keys = redis.say('--scan').split('\n').filter(k => k.includes('session:'));
  assert.equal(new Set(keys.map(k => /^dragoman:([0-9a-f]{16}):/.exec(k)?.[1])).size, 2, 'both forgot cache.name');
  assert.equal(pg.sql("SELECT count(*) FROM pg_tables WHERE schemaname='public'"), '0');
});

test('an installation that forgets to be another one takes nothing of the first, says so, and is let in with the first one\'s key', async t => {
  const [pg, rabbit] = await Promise.all([startPostgres(t), startRabbit(t)]);
  const road = await startRoad(t, {deskArgs: ['--receipts', 'off'], hub: {store: schema(pg, 'north'), broker: rabbit.uri, secret_key: keyOf()}});
  const south = schema(pg, 'south'), file = await readFile(road.config, 'utf8'), port = await freePort(), side = new Api(`http://127.0.0.1:${port}`);
  const start = async (name, change) => {
    const config = join(road.dir, `${name}.yaml`);
    await writeFile(config, change(file));
    const p = new Program(road.dir, name, ['serve', '--config', config, '--listen', `127.0.0.1:${port}`, '--data', join(road.dir, name)]).start();
    t.after(() => p.stop());
    return p;
  };
  const otherKey = x => x.replace(/secret_key: .*/, `secret_key: "${keyOf()}"`), otherStore = x => x.replace(/store: .*/, `store: ${JSON.stringify(south)}`);
  const queue = await start('queue', x => otherKey(otherStore(x))); // its own database, the first one's queues
  const not = await until('it says what is wrong', async () => { const r = await side.call('GET', '/healthz/readiness'); return /another installation/.test(r.text) && r; });
  assert.equal(not.status, 503);
  assert.match(not.json.broker.why, /^dragoman is another installation's there, or this secret_key or broker\.shards is not that of the others: give each installation a broker.name of its own$/);
  await until('in its log, too', () => /The broker takes nothing: dragoman is another installation's/.test(queue.text()));
  const {worker} = await road.hub.get('/healthz/readiness');
  assert.ok(worker);
  await road.line.post(`/sim/guests/${await guest(road)}/send`, {type: 'text', text: 'not for the other'});
  await until('at the desk', async () => (await inbound(road)).includes('not for the other'));
  assert.deepEqual(rabbit.ctl('list_consumers', 'queue_name', '--no-table-headers').split('\n'), ['dragoman.shard.0'], 'nobody else waits for them');
  assert.equal((await queue.stop()).code, 0);
  const database = await start('database', x => `broker.name: south\n${otherKey(x)}`); // its own queues, the first one's database
  assert.equal((await database.exit).code, 1);
  assert.match(database.text(), /cannot start: store: this database \(or schema\) is another installation's: secret_key or broker\.name of its replicas is another one/);
  const names = await start('names', x => `broker.name: south\n${x}`); // even its key: two workers would take the fence from each other for ever
  assert.equal((await names.exit).code, 1);
  assert.match(names.text(), /broker\.name of its replicas is another one/);
  assert.equal(pg.sql('SELECT epoch FROM north.log_shard'), '1', 'nobody took the fence');
  const same = await start('same', x => x);
  await until('one of the same is let in', async () => (await side.call('GET', '/healthz/readiness')).json?.worker === worker);
  assert.equal((await same.stop()).code, 0);
});
