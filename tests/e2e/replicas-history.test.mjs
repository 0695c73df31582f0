// What was said, and who the guests are, when the process that works is killed or stopped and another one takes over: nothing missing, nothing twice, and who was stopped writes no more.
import test from 'node:test';
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {randomBytes} from 'node:crypto';
import {patience, startRoad, until} from './harness.mjs';
import {adminPassword, login} from './hub.mjs';
import {startPostgres, startRabbit} from './servers.mjs';

const isThere = pid => { try { return process.kill(pid, 0); } catch { return false; } };
// The worker that a replica's door has started.
const workerOf = replica => Number(readFileSync(`/proc/${replica.program.child.pid}/task/${replica.program.child.pid}/children`, 'utf8').trim().split(' ')[0]);

async function start(t) {
  const [pg, rabbit] = [await startPostgres(t), await startRabbit(t)];
  const road = await startRoad(t, {replicas: 2, env: {DRAGOMAN_ADMIN_PASSWORD: adminPassword}, hub: {store: pg.uri, broker: rabbit.uri, secret_key: randomBytes(32).toString('hex')}});
  const works = (await road.hub.get('/healthz/readiness')).worker;
  const worker = workerOf(road.replicas.find(r => r.api.base === works));
  const turn = () => Number(pg.sql("SELECT turn FROM dragoman_claim WHERE name='history'"));
  let admin;
  const call = async (method, path, body) => { // by whichever login is good now
    admin ??= await login(road.hub.base, 'admin', adminPassword);
    return await admin.call(method, path, body);
  };
  const get = async path => { const r = await call('GET', path).catch(() => ({status: 0})); return r.status === 200 ? r.json : undefined; };
  const of = id => encodeURIComponent(id);
  return {
    road, pg, worker, turn, get, call,
    say: text => road.line.post('/sim/guests/1/send', {type: 'text', text}),
    texts: async id => (await get(`/conversations/${of(id)}/messages?limit=100`))?.items.map(m => m.text).reverse() ?? [],
    contact: id => get(`/contacts/${of(id)}`),
  };
}

// One message, whose guest gets a name by hand.
async function begin({say, get, call, texts, contact}) {
  await say('one');
  const id = await until('the conversation', async () => (await get('/conversations'))?.items[0]?.id);
  await until('its message', async () => (await texts(id)).length === 1);
  const ct = await until('its contact', () => contact(id));
  assert.equal((await call('PUT', `/contacts/${ct.id}`, {name: 'Dr. One'})).status, 200);
  return {id, ct};
}

async function check({pg, texts, contact}, {id, ct}) {
  assert.deepEqual(await until('all that was said', async () => { const all = await texts(id); return all.includes('three') && all; }, 30000), ['one', 'two', 'three'], 'each once, in order');
  const now = await until('the contact', () => contact(id), 30000);
  assert.deepEqual([now.id, now.name], [ct.id, 'Dr. One']);
  assert.equal(pg.sql('SELECT messages FROM history_conversation'), '3');
  assert.equal(pg.sql('SELECT count(*) FROM contact'), '1');
}

test('the process that works is killed', {timeout: 120000 * patience}, async t => {
  const hub = await start(t);
  const first = await begin(hub);
  const turn = hub.turn();
  await hub.say('two');
  process.kill(hub.worker, 'SIGKILL');
  await until('another turn', () => hub.turn() > turn, 60000);
  await hub.say('three');
  await check(hub, first);
});

test('the process that works is stopped, and wakes up when another one has taken over', {timeout: 180000 * patience}, async t => {
  const hub = await start(t);
  const first = await begin(hub);
  const turn = hub.turn();
  await hub.say('two');
  process.kill(hub.worker, 'SIGSTOP');
  t.after(() => { if (isThere(hub.worker)) process.kill(hub.worker, 'SIGKILL'); });
  await until('another turn', () => hub.turn() > turn, 120000);
  process.kill(hub.worker, 'SIGCONT');
  await hub.say('three');
  await check(hub, first);
  await until('the one that was stopped has ended', () => !isThere(hub.worker), 60000);
  await check(hub, first);
});
