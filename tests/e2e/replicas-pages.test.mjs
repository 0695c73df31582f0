// Pages at one replica, guests at another, of one hub: who is ready, what is said and typed, log-ins and what slows guessing are the same at each; also when the one that works dies.
import test from 'node:test';
import assert from 'node:assert/strict';
import {password} from './desk-road.mjs';
import {startTwo} from './desk-two.mjs';
import {until} from './harness.mjs';
import {Caller, adminPassword, goodTenant} from './hub.mjs';
import {children} from '../faults/replicas.mjs';

test('what is said, typed and who is ready is the same on the pages of both', async t => {
  const {road, bases: [a, b], page, listen} = await startTwo(t);
  const kim = await road.agent('kim'); // at the first
  const guest = page(b);               // at the second
  await guest.start({firstName: 'Ana'});
  await guest.say('Where is my parcel?');
  const it = await kim.accepts();
  await kim.say(it, 'On its way!');
  await guest.until('the answer', m => m.text === 'On its way!');
  await guest.types('I also');
  await until('typing at the desk', () => kim.typing.some(x => x.who === 'guest' && x.preview === 'I also'));
  await kim.ok('POST', `/interactions/${it.id}/typing`, {on: true}, 204);
  await until('typing on the page', async () => { await guest.poll(); return guest.typing.length > 0; });

  await road.admin.call('POST', '/users', {name: 'lee', role: 'supervisor', password}); // looks on at the second
  const lee = await listen('lee', b);
  const seen = state => until(`lee sees ${state}`, async () => (await lee.ok('GET', '/agents')).items.find(x => x.user === 'kim')?.media.chat.state === state);
  await seen('ready');
  await kim.status('not-ready', 'lunch'); // said at the first
  await seen('not-ready');
  const also = await listen('kim', b, new Caller(b, kim.api.token)); // one log-in, another replica
  assert.equal(also.me.user, 'kim');
  await also.say(it, 'From another page');
  await kim.hears(it, 'From another page');
  assert.equal((await also.api.call('POST', '/auth/logout')).status, 204);
  assert.equal((await kim.call('GET', '/me')).status, 401, 'logged out here, too');
});

test('guessing at two replicas is slowed as at one', async t => {
  const {road, bases} = await startTwo(t);
  const tries = [];
  for (let i = 0; i < 8 && tries.at(-1) !== 429; i++) tries.push((await new Caller(bases[i % 2]).call('POST', '/auth/login', {user: 'admin', password: `guess ${i}`})).status);
  assert.equal(tries.at(-1), 429, tries.join(' '));
  for (const base of bases) assert.equal((await new Caller(base).call('POST', '/auth/login', {user: 'admin', password: adminPassword})).status, 429, 'also the right one waits, at both');
  await until('the lock opens', async () => (await new Caller(bases[1]).call('POST', '/auth/login', {user: 'admin', password: adminPassword})).status === 200);
  assert.equal((await road.admin.call('GET', '/auth/me')).status, 200, 'who is in stays in');
});

test('the one that works dies: whoever talks goes on at the other, nothing missing, nothing twice', async t => {
  const {road, bases, programs, works, page, listen} = await startTwo(t);
  const first = await works(bases[0]), dies = bases.indexOf(first), stays = bases[1 - dies];
  const kim = await road.agent('kim');
  const guest = page(stays);
  await guest.start({firstName: 'Ana'});
  await guest.say('one');
  const it = await kim.accepts();
  await kim.say(it, 'two');
  await guest.until('the answer', m => m.text === 'two');
  kim.deaf();
  await programs[dies].stop('SIGKILL');
  await until('the other works', async () => await works(stays) === stays && (await fetch(`${stays}/healthz/readiness?worker`)).status === 200, 60000);
  const again = await listen('kim', stays, new Caller(stays, kim.api.token)); // with the same log-in
  assert.deepEqual([again.mine.get(it.id)?.state, again.mine.get(it.id)?.owner], ['open', 'kim']);
  assert.equal(again.me.media.chat.state, 'ready');
  assert.equal((await guest.say('three')).status, 200);
  await again.hears(it, 'three');
  await again.say(it, 'four');
  await guest.until('the answer of the same agent', m => m.text === 'four');
  assert.deepEqual((await again.history(it)).filter(m => m.kind !== 'event').map(m => m.text), ['one', 'two', 'three', 'four']);
  assert.deepEqual(guest.messages.filter(m => m.type === 'Text').map(m => m.text), ['one', 'two', 'three', 'four']);
});

test('what the API has said is done is done, though the one that did it dies at once', async t => {
  const {road, programs, bases} = await startTwo(t);
  const {admin} = road, epoch = () => Number(road.sql('SELECT epoch FROM log_shard'));
  const working = () => until('one works', async () => {
    const at = bases.indexOf(road.sql("SELECT convert_from(holder,'UTF8') FROM log_shard"));
    return at >= 0 && (await fetch(`${bases[at]}/healthz/readiness?worker`)).status === 200 && programs[at];
  }, 60000);
  const kim = await road.agent('kim');
  const wishes = [ // what is asked, how it is seen, and as what
    ['POST', '/tenants', goodTenant('New Shop'), async () => (await admin.get('/tenants/new-shop')).name, 'New Shop'],
    ['PATCH', '/tenants/new-shop', {name: 'Newer Shop'}, async () => (await admin.get('/tenants/new-shop')).name, 'Newer Shop'],
    ['POST', '/responses', {name: 'hello', text: 'Hello!'}, async () => (await admin.get('/responses/hello')).text, 'Hello!'],
    ['POST', '/queues', {name: 'sales'}, async () => (await admin.get('/queues/sales')).name, 'sales'],
    ['POST', '/users', {name: 'lee', role: 'agent', password}, async () => (await admin.get('/users/lee')).role, 'agent'],
    ['PUT', '/settings', {proxy: 'http://127.0.0.1:9'}, async () => (await admin.get('/settings')).proxy, 'http://127.0.0.1:9'],
    ['POST', '/contacts', {name: 'Ana', tenant: 'test-shop'}, async () => (await admin.get('/contacts?q=Ana')).items[0]?.name, 'Ana'],
    ['PUT', '/desk/me/status', {media: 'all', state: 'not-ready', reason: 'lunch'}, async () => (await kim.ok('GET', '/me')).media.chat.reason, 'lunch', kim.api],
    ['DELETE', '/tenants/new-shop', undefined, async () => (await admin.call('GET', '/tenants/new-shop')).status, 404],
  ];
  for (const [method, path, body, see, want, who = admin] of wishes) {
    const at = await working(), [worker] = children(at.child.pid), before = epoch();
    who.base = `${bases[programs.indexOf(at)]}/api/v1`;
    const r = await who.call(method, path, body);
    process.kill(worker, 'SIGKILL');
    assert.ok(r.status >= 200 && r.status < 300, `${method} ${path}: ${r.status} ${r.text}`);
    await until('another takes over', () => epoch() > before, 60000);
    await working();
    await until(`${method} ${path} is there`, async () => (await see()) === want, 20000);
  }
});
