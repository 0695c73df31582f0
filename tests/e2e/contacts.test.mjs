// Contacts through the real hub: guests of LINE and of the web chat become contacts, are matched, merged, split, searched, exported and erased.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {createHmac, randomBytes, randomUUID} from 'node:crypto';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {bin, isKept, several, until} from './harness.mjs';
import {startHub} from './hub.mjs';
import {ChatPage} from './chat-page.mjs';
import {startDesk} from './desk-road.mjs';

const run = promisify(execFile);
const pageKey = '3f0c2a9e-7d51-4d0a-9a55-0d7a6c1b2e90';
const lineSecret = 'line-secret-1';
// Its desk and LINE's own side are never reached: what guests say is kept all the same.
const tenant = name => ({
  name,
  desk: {type: 'genesys-cloud', base_url: 'http://127.0.0.1:9', client_id: 'c1', client_secret: 's1', integration: {name, token: 'a-token-that-is-long-enough'}},
  channels: [
    {type: 'line', base_url: 'http://127.0.0.1:9', channel_id: '1234567890', channel_secret: lineSecret, bot_id: '@acme'},
    {type: 'line', name: 'second', base_url: 'http://127.0.0.1:9', channel_id: '1234567891', channel_secret: lineSecret, bot_id: '@acme2'},
    {type: 'webchat', api_key: pageKey, endpoints: 'main'},
  ],
});

async function start(t, options = {}) {
  const hub = await startHub(t, {tenants: [tenant('Shop')], ...options});
  const admin = await hub.login();
  const guests = {};
  return {
    ...hub, admin,
    page: () => new ChatPage(`${hub.base}/nexus/v3/chat/sessions`, pageKey),
    async line(guest, text, channel = 'line') {
      const id = guests[guest] ??= `U${randomBytes(16).toString('hex')}`;
      const body = JSON.stringify({destination: 'U0123456789abcdef0123456789abcdef', events: [{type: 'message', mode: 'active', timestamp: Date.now(), webhookEventId: randomUUID(),
        source: {type: 'user', userId: id}, deliveryContext: {isRedelivery: false}, replyToken: randomBytes(16).toString('hex'),
        message: {type: 'text', id: `${Date.now()}${Math.floor(Math.random() * 1e6)}`, quoteToken: 'q', text}}]});
      const r = await fetch(`${hub.base}/line/shop/${channel}`, {method: 'POST', body, headers: {'content-type': 'application/json', 'x-line-signature': createHmac('sha256', lineSecret).update(body).digest('base64')}});
      assert.equal(r.status, 200, await r.text());
      const conversation = `shop/${channel}:${id}`;
      if (several && options.settings?.history_days !== 0) await until('a worker has taken it', async () => (await admin.call('GET', `/contacts/${encodeURIComponent(conversation)}`)).status === 200);
      return conversation;
    },
    of: async id => await admin.get(`/contacts/${encodeURIComponent(id)}`),
    ask: async (method, path, body, headers) => await admin.call(method, path, body, headers),
    cli: async (...args) => JSON.parse((await run(bin, ['contact', ...args, '--data', join(hub.dir, 'data')])).stdout),
  };
}
const conversations = ct => ct.identities.map(i => i.conversation).sort();

test('guests become contacts: matched by guest, number and address, searched, changed', async t => {
  const hub = await start(t);
  const [line, second] = [await hub.line('ann', 'hello from LINE'), await hub.line('ann', 'and from the other account', 'second')];
  const one = await hub.of(line);
  assert.deepEqual(conversations(one), [line, second].sort());
  assert.deepEqual(one.identities.map(i => i.matched), ['new', 'guest']);
  assert.equal(one.tenant, 'shop');
  assert.match(one.id, /^ct-[0-9a-f]{20}$/);

  const [page, again, stranger] = [hub.page(), hub.page(), hub.page()];
  await page.start({firstName: 'Ann', lastName: 'Lee', nickname: 'Ann Lee', email: 'Ann@Example.net', endpoint: 'main', userData: {phone: '+49 170 / 123-45 67'}});
  await page.say('I ordered the blue lamp');
  await again.start({nickname: 'Annie', email: 'ann@example.net', endpoint: 'main'});
  await again.say('me again');
  await stranger.start({nickname: '<b>Bo</b>', email: 'bo@example.net', endpoint: 'main'});
  await stranger.say('blue, please');
  const web = await hub.of(`shop/webchat:${page.sid}`);
  assert.deepEqual([web.name, web.emails, web.phones], ['Ann Lee', ['ann@example.net'], ['+491701234567']]);
  assert.deepEqual(conversations(web), [`shop/webchat:${page.sid}`, `shop/webchat:${again.sid}`].sort());
  assert.deepEqual(web.names, ['Ann Lee', 'Annie']);

  const find = async q => (await hub.admin.get(`/contacts?q=${encodeURIComponent(q)}`)).items.map(c => c.id);
  assert.deepEqual(await find('annie'), [web.id]);
  assert.deepEqual(await find('0049 170 1234567'), [web.id]);
  assert.deepEqual(await find('<b>'), [(await hub.of(`shop/webchat:${stranger.sid}`)).id]);
  assert.deepEqual(await find('nobody'), []);
  assert.equal((await hub.admin.get('/contacts')).items.length, 3);
  const pages = [];
  for (let after = ''; after !== null;) {
    const p = await hub.admin.get(`/contacts?limit=1${after && `&after=${after}`}`);
    pages.push(...p.items.map(c => c.id));
    after = p.next;
  }
  assert.equal(new Set(pages).size, 3);
  assert.equal((await hub.ask('GET', '/contacts?after=x')).status, 400);
  assert.equal((await hub.ask('GET', '/contacts?tenant=none')).status, 404);
  assert.equal((await hub.admin.get('/contacts?tenant=Shop')).items.length, 3);

  const r = await hub.ask('PUT', `/contacts/${web.id}`, {name: 'Dr. Ann Lee', phones: ['+491701234567', '030 5550100'], attributes: {crm: 'K-4711', 'Größe': '42'}}, {'if-match': `"${web.rev}"`});
  assert.equal(r.status, 200, r.text);
  assert.deepEqual([r.json.name, r.json.phones, r.json.attributes], ['Dr. Ann Lee', ['+491701234567', '0305550100'], {crm: 'K-4711', 'Größe': '42'}]);
  assert.equal((await hub.ask('PUT', `/contacts/${web.id}`, {name: 'x'}, {'if-match': `"${web.rev}"`})).status, 412);
  const bad = await hub.ask('PUT', `/contacts/${web.id}`, {phones: ['+491701234567', 'none']});
  assert.deepEqual([bad.status, bad.json.field], [400, 'phones[1]']);
  assert.equal((await hub.ask('PUT', `/contacts/${web.id}`, {other: 1})).status, 400);
  assert.deepEqual(await find('4711'), [web.id]);
  const made = await hub.ask('POST', '/contacts', {tenant: 'Shop', name: 'Carla', emails: ['carla@example.net']});
  assert.equal(made.status, 201, made.text);
  const carla = hub.page();
  await carla.start({nickname: 'C', email: 'carla@example.net', endpoint: 'main'});
  await carla.say('that was I');
  assert.deepEqual([(await hub.of(`shop/webchat:${carla.sid}`)).id, (await hub.of(made.json.id)).identities[0].matched], [made.json.id, 'email']);

  const said = await hub.admin.get(`/contacts/${web.id}/messages`);
  assert.deepEqual(said.items.map(m => m.text).filter(x => x && !/joined/.test(x)), ['me again', 'I ordered the blue lamp']);
  assert.deepEqual((await hub.admin.get(`/contacts/${web.id}/messages?q=LAMP`)).items.map(m => m.text), ['I ordered the blue lamp']);
  const half = await hub.admin.get(`/contacts/${web.id}/messages?limit=1`);
  assert.ok(half.next && (await hub.admin.get(`/contacts/${web.id}/messages?limit=1&before=${half.next}`)).items.length === 1);
  await until('found by the index', async () => (await hub.admin.get('/messages?q=blue lamp')).items.length === 1, 2000); // at once, also before it is calm
});

test('contacts are merged and split by hand, over a restart', async t => {
  const hub = await start(t);
  const line = await hub.line('ann', 'on the phone');
  const page = hub.page();
  await page.start({nickname: 'Ann', email: 'ann@example.net', endpoint: 'main'});
  await page.say('on the web');
  const web = `shop/webchat:${page.sid}`;
  const [a, b] = [await hub.of(line), await hub.of(web)];
  assert.notEqual(a.id, b.id);
  const r = await hub.ask('POST', `/contacts/${b.id}/merge`, `{"with":${' '.repeat(5000)}"${a.id}"}`);
  assert.equal(r.status, 200, r.text);
  assert.deepEqual([conversations(r.json), r.json.merged_from], [[line, web].sort(), [a.id]]);
  assert.equal((await hub.of(a.id)).id, b.id, 'it is found by the old id, too');
  assert.deepEqual((await hub.admin.get(`/contacts/${b.id}/messages`)).items.map(m => m.text).filter(x => /^on the/.test(x)), ['on the web', 'on the phone']);
  assert.equal((await hub.ask('POST', `/contacts/${b.id}/merge`, {with: a.id})).status, 400);
  assert.equal((await hub.ask('POST', `/contacts/${b.id}/merge`, {with: 'ct-none'})).status, 404);

  await hub.program.stop('SIGKILL');
  await hub.start();
  const admin = await hub.login();
  const after = await admin.get(`/contacts/${encodeURIComponent(line)}`);
  assert.equal(after.id, b.id, 'what was answered is on disk');
  const bad = await admin.call('POST', `/contacts/${b.id}/split`, {identities: [line, web]});
  assert.deepEqual([bad.status, bad.json.field], [400, 'identities']);
  const apart = await admin.call('POST', `/contacts/${b.id}/split`, {identities: [line]});
  assert.equal(apart.status, 201, apart.text);
  assert.deepEqual([conversations(apart.json), apart.json.emails], [[line], []]);
  assert.deepEqual(conversations(await admin.get(`/contacts/${b.id}`)), [web]);
  const audit = (await admin.get('/audit')).items;
  assert.deepEqual(audit.find(x => x.action === 'contact.merge').detail, {with: a.id}, 'whatever blanks were sent');
  assert.ok(audit.some(x => x.action === 'contact.split'));
});

test('one contact is exported and erased by one call and by one command', async t => {
  const hub = await start(t);
  const line = await hub.line('ann', 'the secret of Ann');
  const page = hub.page();
  await page.start({nickname: 'Ann', email: 'ann@example.net', endpoint: 'main', userData: {plan: 'gold'}});
  await page.say('a whisper');
  const photo = Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), randomBytes(5000)]);
  assert.equal((await page.picture(photo, 'me.jpg', 'image/jpeg')).status, 200);
  const web = `shop/webchat:${page.sid}`;
  const other = await hub.line('bo', 'the words of Bo');
  const ann = await hub.ask('POST', `/contacts/${(await hub.of(web)).id}/merge`, {with: (await hub.of(line)).id});
  const files = () => readdirSync(join(hub.dir, 'data', 'attachments'), {recursive: true, withFileTypes: true}).filter(f => f.isFile()).length;
  assert.ok(files() >= 1);

  const all = await hub.ask('GET', `/contacts/${ann.json.id}/export`);
  assert.equal(all.status, 200);
  assert.match(all.headers.get('content-disposition'), /contact\.json/);
  assert.deepEqual(await hub.cli('export', web).then(x => x.conversations.length), 2);
  assert.equal(all.json.format, 'dragoman-contact/1');
  assert.equal(all.json.contact.id, ann.json.id);
  const told = all.json.conversations.find(c => c.conversation === web);
  assert.equal(told.form.userData.plan, 'gold');
  assert.ok(told.messages.some(m => m.text === 'a whisper'));
  assert.deepEqual(told.attachments.map(x => [x.name, x.type]), [['me.jpg', 'image/jpeg']]);
  assert.deepEqual(Buffer.from(await (await fetch(told.attachments[0].url)).arrayBuffer()), photo, 'the link leads to the file');
  assert.ok(all.json.conversations.find(c => c.conversation === line).messages.some(m => m.text === 'the secret of Ann'));

  const gone = await hub.ask('DELETE', `/contacts/${ann.json.id}`);
  assert.equal(gone.status, 200, gone.text);
  assert.deepEqual(gone.json, {id: ann.json.id, conversations: 2, attachments: 1});
  assert.equal((await hub.ask('GET', `/contacts/${ann.json.id}`)).status, 404);
  for (const id of [line, web]) {
    assert.equal((await hub.ask('GET', `/contacts/${encodeURIComponent(id)}`)).status, 404, id);
    assert.equal((await hub.ask('GET', `/conversations/${encodeURIComponent(id)}`)).status, 404, id);
  }
  assert.deepEqual((await hub.admin.get('/messages?q=whisper')).items, []);
  assert.equal((await page.poll()).status >= 400, true, 'the session of the page is no more');
  await until('the file is deleted', () => files() === 0);
  assert.equal((await hub.of(other)).identities.length, 1, 'others stay');
  assert.ok((await hub.admin.get('/messages?q=words of Bo')).items.length === 1);

  // Nothing of it is in the databases, and nothing comes back with a restart, not even one without warning.
  await hub.program.stop('SIGKILL');
  await hub.start();
  const admin = await hub.login();
  assert.equal((await admin.call('GET', `/conversations/${encodeURIComponent(web)}`)).status, 404);
  assert.equal((await admin.call('GET', `/contacts/${encodeURIComponent(line)}`)).status, 404);
  assert.deepEqual((await admin.get('/contacts')).items.map(c => c.identities[0].conversation), [other]);
  await hub.program.stop();
  assert.equal(isKept(hub.program, join(hub.dir, 'data'), 'ann@example.net'), false, 'no database has the address');
  await hub.start();

  // Who writes again is somebody new. The command erases as well.
  const back = await hub.line('ann', 'hello again');
  const fresh = await (await hub.login()).get(`/contacts/${encodeURIComponent(back)}`);
  assert.notEqual(fresh.id, ann.json.id);
  assert.deepEqual(await hub.cli('erase', back), {id: fresh.id, conversations: 1, attachments: 0});
  await assert.rejects(hub.cli('erase', back), e => e.code === 1 && /no such contact/.test(e.stdout));
  await assert.rejects(run(bin, ['contact', 'forget', back]), e => e.code === 2);
});

test('roles: agents and supervisors read contacts, nobody but administrators takes them whole', async t => {
  const hub = await start(t);
  const line = encodeURIComponent(await hub.line('ann', 'hello'));
  await hub.of(decodeURIComponent(line));
  for (const role of ['agent', 'supervisor']) {
    assert.equal((await hub.ask('POST', '/logins', {user: role, role, password: 'nine purple lanterns drift'})).status, 201);
    const who = await hub.login(role, 'nine purple lanterns drift');
    assert.equal((await who.call('GET', '/contacts')).status, 200, role);
    assert.equal((await who.call('GET', `/contacts/${line}/messages`)).status, 200, role);
    for (const [method, path] of [['GET', `/contacts/${line}/export`], ['DELETE', `/contacts/${line}`]])
      assert.equal((await who.call(method, path)).status, 403, `${role} ${method} ${path}`);
  }
  for (const [method, path] of [['GET', '/contacts'], ['GET', `/contacts/${line}`], ['DELETE', `/contacts/${line}`]])
    assert.equal((await hub.anyone.call(method, path)).status, 401);
});

test('without a history contacts are still made by hand', async t => {
  const hub = await start(t, {settings: {history_days: 0}});
  await hub.line('ann', 'hello');
  const made = await hub.ask('POST', '/contacts', {tenant: 'Shop', name: 'Ann'});
  assert.equal(made.status, 201);
  assert.deepEqual((await hub.admin.get('/contacts')).items.map(c => c.name), ['Ann']);
  assert.equal((await hub.ask('GET', `/contacts/${made.json.id}/messages`)).status, 409);
  assert.deepEqual((await hub.ask('GET', `/contacts/${made.json.id}/export`)).json.conversations, []);
  assert.equal((await hub.ask('DELETE', `/contacts/${made.json.id}`)).status, 200);
});

test('what the built-in desk keeps of a guest is told and erased, too', async t => {
  const road = await startDesk(t);
  const kim = await road.agent('kim');
  const page = road.page();
  await page.start({nickname: 'Ana', email: 'ana@example.net'});
  await page.say('Where is my parcel?');
  const it = await kim.accepts();
  const path = `/contacts/${encodeURIComponent(it.conversation)}`;
  await kim.act(it, 'done', {disposition: 'sent', note: 'a nice person'});
  const told = (await road.admin.call('GET', `${path}/export`)).json.conversations[0].desk;
  assert.deepEqual(told.map(x => [x.agent, x.disposition, x.note]), [['kim', 'sent', 'a nice person']]);
  assert.equal((await road.admin.call('DELETE', path)).status, 200);
  assert.equal((await kim.call('GET', `/interactions/${it.id}`)).status, 404);
  await road.crash();
  assert.equal((await kim.call('GET', `/interactions/${it.id}`)).status, 404, 'nor after a restart');
  assert.equal((await road.admin.call('GET', path)).status, 404);
});
