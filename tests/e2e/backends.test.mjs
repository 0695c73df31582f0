// Several hubs on real servers: what they share, and what one of them alone may have.
import test from 'node:test';
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {patience, Program, until} from './harness.mjs';
import {Caller, goodTenant, startHub} from './hub.mjs';
import {startPostgres, startRedis} from './servers.mjs';

test('a hub keeps tenants and log-ins in PostgreSQL and finds them again', {timeout: 60000 * patience}, async t => {
  const pg = await startPostgres(t);
  const hub = await startHub(t, {settings: {store: pg.uri}});
  let admin = await hub.login();
  assert.equal((await admin.call('POST', '/tenants', goodTenant())).status, 201);
  assert.equal((await admin.call('GET', '/health')).json.healthy, true);
  await hub.program.stop('SIGKILL');
  await hub.start();
  assert.equal((await admin.call('GET', '/tenants/acme-and-line')).status, 200, 'the session outlived the kill');
  await pg.restart('SIGKILL');
  await until('the store is written again', async () => (await admin.call('PATCH', '/tenants/acme-and-line', {name: 'ACME again'})).status === 200);
  await hub.program.stop();
  await hub.start();
  admin = await hub.login();
  assert.equal((await admin.call('GET', '/tenants/acme-and-line')).json.name, 'ACME again');
});

test('a second hub on the same store is refused, and one that is too old', {timeout: 60000 * patience}, async t => {
  const pg = await startPostgres(t);
  const hub = await startHub(t, {settings: {store: pg.uri}});
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-second-'));
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  const config = join(dir, 'hub.yaml');
  writeFileSync(config, JSON.stringify({listen: '127.0.0.1:0', data: join(dir, 'data'), store: pg.uri}));
  const second = new Program(dir, 'second', ['serve', '--config', config]);
  assert.equal((await second.start().exit).code, 1);
  assert.match(second.text(), /another hub uses this store/);
  await hub.program.stop();
  pg.sql('UPDATE dragoman_schema SET version=99');
  assert.equal((await second.start().exit).code, 1);
  assert.match(second.text(), /written by a newer version \(99/);
});

test('a log-in of one hub is good at the other, and so is its end', {timeout: 60000 * patience}, async t => {
  const redis = await startRedis(t);
  const [one, two] = [await startHub(t, {settings: {cache: redis.uri}}), await startHub(t, {settings: {cache: redis.uri}})];
  const cache = async hub => (await (await fetch(`${hub.base}/health/detail`)).json()).cache;
  for (const hub of [one, two]) await until('the cache is there', async () => (await cache(hub)).ready);
  const admin = await one.login();
  const elsewhere = new Caller(two.base, admin.token);
  assert.equal((await elsewhere.call('GET', '/auth/me')).json.user, 'admin');
  await redis.stop('SIGKILL');
  await until('the cache is missed', async () => (await cache(two)).ready === false);
  assert.equal((await cache(two)).state, 'RECONNECTING');
  assert.equal((await elsewhere.call('GET', '/auth/me')).status, 200, 'who is known stays so');
  await redis.start();
  for (const hub of [one, two]) await until('the cache is back', async () => (await cache(hub)).ready);
  assert.ok((await admin.call('POST', '/auth/logout')).status < 300);
  await until('the end is heard of', async () => (await elsewhere.call('GET', '/auth/me')).status === 401);
});
