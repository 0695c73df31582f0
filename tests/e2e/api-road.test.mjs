// The API beside a working road: IVRs by the guide's own curl lines, what was said, dead letters, events, the signature doctor.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {createServer} from 'node:http';
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {patience, secret, startRoad, until} from './harness.mjs';
import {adminPassword, login} from './hub.mjs';

const run = promisify(execFile);
const env = {DRAGOMAN_ADMIN_PASSWORD: adminPassword};
const inbound = async road => (await road.desk.get('/sim/inbound?limit=1000')).messages;
const phone = async (road, guest) => (await road.line.get(`/sim/guests/${guest}/messages`)).messages.filter(m => m.from === 'account').map(m => m.message);

// A command as printed in the guide; what is the reader's own is replaced. Answers with status and body.
async function curl(road, printed, replace = {}) {
  let line = printed.replaceAll('https://www.acme.org', road.hub.base);
  for (const [from, to] of Object.entries(replace)) line = line.replaceAll(from, to);
  const {stdout} = await run('bash', ['-c', `${line.trim()} -s -w '\\n%{http_code}'`]);
  const at = stdout.trimEnd().lastIndexOf('\n');
  return {status: Number(stdout.slice(at + 1)), json: JSON.parse(stdout.slice(0, at) || 'null')};
}

const printed = {
  login: `curl https://www.acme.org/api/v1/auth/login \\
-X POST \\
-H "Content-Type: application/json" \\
-d '{"user": "admin", "password": "s3cr3t"}'`,
  storages: `curl https://www.acme.org/api/v1/storages \\
-H "Authorization: bearer 1234567876543wsdfghjgfvcsq1234567ythgv"`,
  byId: `curl https://www.acme.org/api/v1/messages \\
-X POST \\
-u tenant_apiuser:tenant_apipassword \\
-H "Content-Type: application/json" \\
-d \\
'{
  "tenantId": "259bb4e2-f7e5-4b06-9a51-c528f412404b",
  "message": "Hello from the IVR!"
}'`,
  byName: `curl https://www.acme.org/api/v1/messages \\
-X POST \\
-u tenant_apiuser:tenant_apipassword \\
-H "Content-Type: application/json" \\
-d \\
'{
  "tenant": "Tenant with Social Media X and Genesys Cloud CX",
  "userId": "123456789abcd",
  "message": "Hello from the IVR!"
}'`,
  several: `curl https://www.acme.org/api/v1/messages \\
-X POST \\
-u tenant_apiuser:tenant_apipassword \\
-H "Content-Type: application/json" \\
-d \\
'{
  "tenantId": "259bb4e2-f7e5-4b06-9a51-c528f412404b",
  "userId": "123456789abcd",
  "messages": [
    "Hello from the IVR!",
    { "type": "sticker", "stickerId": "123345", "packageId": "456" }
  ]
}'`,
  switch: `curl https://www.acme.org/api/v1/users/+819012345678/switch \\
-X POST \\
-u tenant_apiuser:tenant_apipassword \\
-H "Content-Type: application/json" \\
-d \\
'{
  "tenantId": "259bb4e2-f7e5-4b06-9a51-c528f412404b"
}'`,
};

test('the curl lines of the guide, as printed', async t => {
  const road = await startRoad(t, {env, lineArgs: ['--switcher-secret', 'switch-secret']});
  const admin = await login(road.hub.base, 'admin', adminPassword);
  const who = await curl(road, printed.login, {s3cr3t: adminPassword});
  assert.equal(who.status, 200);
  assert.equal(who.json.type, 'Bearer');
  const storages = await curl(road, printed.storages, {'1234567876543wsdfghjgfvcsq1234567ythgv': who.json.token});
  assert.equal(storages.status, 200);
  assert.ok(storages.json.items.some(s => s.type === 'local'));

  // The tenant of the guide: with its name, its id, its user and password.
  const desk = {type: 'genesys-cloud', base_url: road.desk.base, client_id: 'c1', client_secret: 's1', integration: {name: 'Guide', token: 'a-long-enough-token-for-it'}, end_poll_seconds: 0};
  const line = {type: 'line', base_url: road.line.base, channel_id: '1234567890', channel_secret: secret, bot_id: '@testshop',
    switcher: {service_code: 'svc', secret: 'switch-secret', destination_id: 'dest-1'}};
  const made = await admin.call('POST', '/tenants', {id: '259bb4e2-f7e5-4b06-9a51-c528f412404b', name: 'Tenant with Social Media X and Genesys Cloud CX', desk, channels: [line],
    api: {auth: 'basic', user: 'tenant_apiuser', password: 'tenant_apipassword'}});
  assert.equal(made.status, 201, made.text);
  await until('set up', async () => (await admin.call('GET', `/channels?tenant=${made.json.id}`)).json.items.every(c => c.set_up));

  const nobody = await curl(road, printed.byId);
  assert.equal(nobody.status, 400, 'printed without a userId');
  assert.equal(nobody.json.field, 'userId');
  const guest = (await road.line.get('/sim/guests')).guests[0];
  const id = guest.userId ?? guest.id;
  const one = await curl(road, printed.byName, {'123456789abcd': id});
  assert.equal(one.status, 202, JSON.stringify(one.json));
  assert.equal(one.json.messages.length, 1);
  const two = await curl(road, printed.several, {'123456789abcd': id});
  assert.equal(two.status, 202, JSON.stringify(two.json));
  const unknown = await until('the made-up sticker is told', async () => (await admin.call('GET', '/journal/dead')).json.items[0]);
  assert.match(unknown.note.text, /sticker is of no package/, 'a package that LINE has not');
  const three = await curl(road, printed.several, {'123456789abcd': id, '"stickerId": "123345", "packageId": "456"': '"stickerId": "1988", "packageId": "446"'});
  assert.equal(three.status, 202);
  const got = await until('on the phone', async () => { const all = await phone(road, id); return all.length >= 4 && all; });
  assert.deepEqual(got.map(m => m.type), ['text', 'text', 'text', 'sticker']);
  assert.equal(got[0].text, 'Hello from the IVR!');
  assert.equal(got[3].packageId, '446');
  assert.equal(got[3].stickerId, '1988');
  const switched = await curl(road, printed.switch);
  assert.equal(switched.status, 202, JSON.stringify(switched.json));
  const really = await curl(road, printed.switch, {'+819012345678': id});
  assert.equal(really.status, 202);
  await until('switched', async () => (await admin.call('GET', `/messages/${really.json.messages[0].id}`)).json.state === 'delivered');
  assert.equal((await inbound(road)).length, 0, 'the desk hears nothing of what it did not write');
  assert.equal((await admin.call('GET', '/journal/dead')).json.items.filter(m => m.to.endsWith('genesys-cloud')).length, 0);
});

test('IVR: credentials, idempotency, precise refusals', async t => {
  const road = await startRoad(t, {env});
  const admin = await login(road.hub.base, 'admin', adminPassword);
  const id = (await road.line.get('/sim/guests')).guests[0];
  const body = {tenant: 'Test Shop', userId: id.userId ?? id.id, message: 'hi'};
  const send = (b, headers = {}, who = road.hub) => who.call('POST', who === road.hub ? '/api/v1/messages' : '/messages', b, headers);
  assert.equal((await send(body)).status, 401, 'the tenant takes no such calls');
  assert.equal((await send({...body, tenant: 'No Such'})).status, 401, 'and it looks the same for one that is not there');
  const ok = await send(body, {'idempotency-key': 'k1'}, admin);
  assert.equal(ok.status, 202, ok.text);
  const again = await send(body, {'idempotency-key': 'k1'}, admin);
  assert.equal(again.status, 202);
  assert.deepEqual([again.json.messages.length, again.json.repeated], [0, 1]);
  await until('once', async () => (await phone(road, body.userId)).length === 1);
  const rows = [
    [{...body, message: ''}, 422, 'message', /empty/],
    [{...body, message: {type: 'sticker', stickerId: 1}}, 422, 'message.packageId', /missing/],
    [{...body, message: {type: 'file', url: 'https://x.example/a.pdf'}}, 422, 'message', /LINE cannot carry file; it takes: text, image/],
    [{...body, message: {type: 'image'}}, 422, 'message', /originalContentUrl/], [{...body, message: {kind: 'image', media: [{}]}}, 422, 'message.media', /url/],
    [{...body, message: {type: 'flex', altText: 'x', contents: {type: 'bubble', body: {type: 'box', layout: 'diagonal', contents: []}}}}, 422, 'message', /layout/],
    [{...body, message: {type: 'cube'}}, 422, 'message', /no message object of LINE/], [{...body, message: {genesys_quick_replies: []}}, 422, 'message.genesys_quick_replies', /1 to/], [{...body, message: {}}, 422, 'message', /empty/],
    [{...body, message: {type: 'location', latitude: 91, longitude: 0}}, 422, 'message.latitude', /latitude/],
    [{...body, message: 7}, 422, 'message', /text or an object/],
    [{...body, message: undefined}, 422, 'message', /missing/],
    [{...body, messages: Array(21).fill('x'), message: undefined}, 422, 'messages', /at most 20/],
    [{...body, channel: 'telegram'}, 422, 'channel', /no such channel/],
    [{...body, unknown: 1}, 400, 'unknown', /no such member/],
  ];
  for (const [b, status, field, text] of rows) {
    const r = await send(b, {}, admin);
    assert.equal(r.status, status, r.text);
    assert.equal(r.json.field, field);
    assert.match(r.json.detail, text);
  }
  for (let n = (1 << 20) - 320; n < (1 << 20) - 80; n += 60) { // what is said to the guest with it would be more than the journal takes
    const r = await send({...body, message: 'x'.repeat(n)}, {}, admin);
    assert.deepEqual([r.status, r.json.code], [413, 'too_large'], n);
  }
  assert.equal((await admin.call('POST', `/users/${body.userId}/switch`, {tenant: 'Test Shop'})).status, 422, 'no switcher');
  const flex = {type: 'flex', altText: 'a bill', contents: {type: 'bubble', body: {type: 'box', layout: 'vertical', contents: [{type: 'text', text: 'Thank you'}]}}};
  assert.equal((await send({...body, message: flex}, {}, admin)).status, 202);
  await until('as LINE has it', async () => (await phone(road, body.userId)).some(m => m.type === 'flex'));
  const sent = await send({...body, message: undefined, messages: [{genesys_prompt: 'Which?', genesys_quick_replies: [{text: 'Tea', payload: 't'}]}, {type: 'card', title: 'Coffee', actions: [{text: 'Buy', payload: 'b'}]}]}, {}, admin);
  assert.equal(sent.status, 202, sent.text);
  await until('what every network has', async () => /Which\?.*Tea.*Coffee.*Buy/s.test(JSON.stringify(await phone(road, body.userId))));
});

test('what was said, its trace, a search, events', async t => {
  const road = await startRoad(t, {env});
  const admin = await login(road.hub.base, 'admin', adminPassword);
  const heard = [];
  let over = false;
  const stop = new AbortController();
  const stream = await fetch(`${road.hub.base}/api/v1/events`, {headers: {authorization: `Bearer ${admin.token}`}, signal: stop.signal});
  assert.match(stream.headers.get('content-type'), /^text\/event-stream/);
  (async () => { try { for await (const piece of stream.body.pipeThrough(new TextDecoderStream())) heard.push(piece); } catch { /* stopped */ } over = true; })();
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'is the blue one in stock'});
  const c = await until('the desk has it', async () => (await road.desk.get('/sim/conversations')).conversations[0]);
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'yes it is'});
  const conversation = await until('both in the history', async () => {
    const list = (await admin.call('GET', '/conversations?tenant=Test%20Shop&open=true')).json.items;
    return list[0]?.messages >= 2 && list[0];
  });
  assert.deepEqual((await admin.call('GET', '/conversations?tenant=Test%20Shop&open=false')).json.items, [], 'it is open');
  assert.equal(conversation.last_text, 'yes it is');
  assert.equal(conversation.last_way, 'out');
  assert.equal(conversation.tenant, 'Test Shop');
  assert.equal(conversation.network, 'LINE');
  const path = `/conversations/${encodeURIComponent(conversation.id)}`;
  assert.equal((await admin.call('GET', path)).json.id, conversation.id);
  const page = (await admin.call('GET', `${path}/messages?limit=1`)).json;
  assert.equal(page.items[0].text, 'yes it is');
  const older = (await admin.call('GET', `${path}/messages?limit=50&before=${page.next}`)).json;
  assert.ok(older.items.some(m => m.text === 'is the blue one in stock' && m.way === 'in'));
  const m = older.items.find(x => x.text === 'is the blue one in stock');
  const trace = await until('delivered', async () => { const r = (await admin.call('GET', `/messages/${m.id}`)).json; return r.state === 'delivered' && r; });
  assert.equal(trace.note.end, 'delivered');
  assert.match(trace.note.hops.at(-1).call, /^POST /);
  assert.equal(trace.message.text, m.text);
  await until('found by its words', async () => (await admin.call('GET', '/messages?q=blue%20one')).json.items.length === 1);
  assert.equal((await admin.call('GET', '/conversations?tenant=none')).status, 404);
  assert.equal((await admin.call('DELETE', `/conversations/${encodeURIComponent('test-shop/line:nobody')}`)).status, 204);
  await until('events came', async () => heard.join('').includes(`"id":"${conversation.id}"`) && heard.join('').includes('event: health'));
  const health = await until('both are delivered', async () => { const now = (await admin.call('GET', '/health')).json; return now.journal.delivered >= 2 && now; });
  const hook = health.webhooks.find(w => w.connector === 'line');
  assert.equal(hook.deadline_ms, 2000);
  assert.ok(hook.p99_ms > 0 && hook.p99_ms < 2000 * patience);
  await admin.call('POST', '/auth/logout');
  await until('the stream of who logged out ends', () => over);
  stop.abort();
  const later = await login(road.hub.base, 'admin', adminPassword);
  assert.equal((await later.call('DELETE', path)).status, 204);
  assert.equal((await later.call('GET', path)).status, 404);
  assert.deepEqual((await later.call('GET', `${path}/messages`)).json.items, []);
});

test('dead letters: listed with their reason, replayed by query, discarded', async t => {
  const road = await startRoad(t, {env});
  const admin = await login(road.hub.base, 'admin', adminPassword);
  await road.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], status: 400}]});
  for (const text of ['one', 'two', 'three']) await road.line.post('/sim/guests/1/send', {type: 'text', text});
  const dead = await until('three', async () => { const r = (await admin.call('GET', '/journal/dead?account=test-shop/genesys-cloud')).json.items; return r.length === 3 && r; });
  assert.match(dead[0].note.text, /400/);
  assert.ok(dead[0].note.reason);
  assert.equal((await admin.call('GET', `/journal/dead?reason=${dead[0].note.reason}`)).json.items.length, 3);
  assert.equal((await admin.call('GET', '/journal/dead?reason=blocked')).json.items.length, 0);
  assert.equal((await admin.call('GET', '/journal/dead?q=two')).json.items.length, 1);
  assert.equal((await admin.call('GET', '/journal/dead?limit=2')).json.next, String(dead[1].id));
  for (const [query, n] of [['tenant=test-shop', 3], ['channel=test-shop/line', 3], ['channel=test-shop/other', 0], ['state=dead', 3], ['state=unknown', 0]])
    assert.equal((await admin.call('GET', `/journal/dead?${query}`)).json.items.length, n, query);
  assert.equal((await admin.call('GET', '/journal/counts')).json.dead, 3);
  await road.desk.post('/sim/faults', {rules: []});
  assert.deepEqual((await admin.call('POST', '/journal/discard', {ids: [999999]})).json, {asked: 1, done: 0}, 'there is none');
  for (const query of [{state: 'unknown'}, {channel: 'test-shop/other'}]) assert.deepEqual((await admin.call('POST', '/journal/discard', {query})).json, {asked: 0, done: 0}, 'what the list would not show is left alone');
  assert.deepEqual((await admin.call('POST', '/journal/replay', {query: {tenant: 'Test Shop', state: 'dead', account: 'test-shop/genesys-cloud'}})).json, {asked: 3, done: 3});
  await until('at the desk, in order', async () => (await inbound(road)).filter(m => m.text).map(m => m.text).join() === 'one,two,three');
  assert.equal((await admin.call('GET', '/journal/counts')).json.dead, 0);
  assert.ok((await admin.call('GET', '/audit')).json.items.some(r => r.action === 'journal.replay' && r.detail.done === 3));
  await road.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], status: 400}]});
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'given up'});
  const [one] = await until('it is dead', async () => { const r = (await admin.call('GET', '/journal/dead')).json.items; return r.length && r; });
  assert.deepEqual((await admin.call('POST', '/journal/discard', {ids: [one.id]})).json, {asked: 1, done: 1});
  await until('decided: no longer listed', async () => (await admin.call('GET', '/journal/dead')).json.items.length === 0);
  assert.equal((await admin.call('GET', '/journal/counts')).json.dead, 1, 'still counted');
});

test('a dead letter goes to another target', async t => {
  const road = await startRoad(t, {env});
  const admin = await login(road.hub.base, 'admin', adminPassword);
  const guests = (await road.line.get('/sim/guests')).guests.filter(g => g.kind === 'user' || /^U/.test(g.id ?? g.userId)).slice(0, 2).map(g => g.userId ?? g.id);
  await road.line.post(`/sim/guests/${guests[0]}/send`, {type: 'text', text: 'hello'});
  const conversation = await until('at the desk', async () => (await road.desk.get('/sim/conversations')).conversations[0]);
  await road.line.post('/sim/faults', {rules: [{paths: ['/v2/bot/message/*'], status: 400}]});
  await road.desk.post(`/sim/conversations/${conversation.id}/agent`, {text: 'for the other one', attachment: {base64: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', name: 'a.png', mime: 'image/png'}});
  const dead = await until('dead', async () => { const r = (await admin.call('GET', '/journal/dead')).json.items; return r.length && r; });
  await road.line.post('/sim/faults', {rules: []});
  const id = dead.at(-1).id;
  const redirect = (target, of = id) => admin.call('POST', '/journal/redirect', {id: of, target});
  for (const target of ['test-shop/line', 'test-shop/line:', 'other/line:U1', 'test-shop/genesys-cloud', 'test-shop/none:U1']) {
    const r = await redirect(target);
    assert.deepEqual([r.status, r.json.field], [400, 'target'], `${target} ${r.text}`);
  }
  assert.equal((await redirect(`test-shop/line:${guests[1]}`, 999999)).status, 404);
  const both = await Promise.all([redirect(`test-shop/line:${guests[1]}`), redirect(`test-shop/line:${guests[1]}`)]);
  assert.deepEqual(both.map(r => r.status).sort(), [200, 409], 'once, however often one clicks');
  const got = await until('on the other phone', async () => { const m = await phone(road, guests[1]); return m.length && m; });
  assert.match(JSON.stringify(got), /for the other one/);
  assert.equal((await phone(road, guests[0])).some(m => /other one/.test(JSON.stringify(m))), false);
  await until('no longer listed', async () => !(await admin.call('GET', '/journal/dead')).json.items.some(m => m.id === id));
  assert.equal((await redirect(`test-shop/line:${guests[1]}`)).status, 409);
  const now = (await admin.call('GET', `/messages/${both.find(r => r.status === 200).json.id}`)).json;
  assert.equal(now.conversation, `test-shop/line:${guests[1]}`);
  assert.ok((await admin.call('GET', '/audit')).json.items.some(r => r.action === 'journal.redirect'));
});

test('the default storage is changed while the hub runs: the next attachment goes there', async t => {
  const puts = [], kept = new Map();
  const bucket = createServer(async (rq, rs) => { // as much of a bucket as the hub needs
    const pieces = [], path = rq.url.split('?')[0];
    for await (const piece of rq) pieces.push(piece);
    if (rq.method === 'PUT') kept.set(path, Buffer.concat(pieces));
    if (rq.method === 'PUT' && rq.headers['content-type']?.startsWith('image/')) puts.push(path);
    rs.writeHead(rq.method === 'DELETE' ? 204 : kept.has(path) ? 200 : 404, {etag: '"0"'}).end(rq.method === 'GET' ? kept.get(path) : undefined);
  }).listen(0, '127.0.0.1');
  await new Promise(r => bucket.once('listening', r));
  t.after(() => { bucket.closeAllConnections(); bucket.close(); });
  const road = await startRoad(t, {env});
  const admin = await login(road.hub.base, 'admin', adminPassword);
  const picture = async n => {
    await road.line.post('/sim/guests/1/send', {type: 'image'});
    await until(`picture ${n} at the desk`, async () => (await inbound(road)).length >= n);
  };
  await picture(1);
  const made = await admin.call('POST', '/storages', {type: 's3', name: 'bucket', bucket: 'pictures', endpoint: `http://127.0.0.1:${bucket.address().port}`, access_key_id: 'AKIDEXAMPLE', secret_access_key: 's'});
  assert.equal(made.status, 201, made.text);
  await until('it works', async () => { const s = (await admin.get('/storages/bucket')); return s.checked && s.works; });
  await picture(2);
  assert.deepEqual(puts, [], 'nobody named it');
  assert.equal((await admin.call('PUT', '/settings', {default_storage: 'bucket'})).status, 200);
  await picture(3);
  await until('stored there', () => puts.length === 1);
});

test('two secrets are good while one takes the place of the other', async t => {
  const road = await startRoad(t, {env});
  const admin = await login(road.hub.base, 'admin', adminPassword);
  const desk = {type: 'genesys-cloud', base_url: road.desk.base, client_id: 'c1', client_secret: 's1', integration: {name: 'Two', token: 'a-token-that-is-long-enough'}, end_poll_seconds: 0};
  const channel = {type: 'line', base_url: road.line.base, channel_id: '1234567891', channel_secret: 'secret-of-today', bot_id: '@two'};
  const made = await admin.call('POST', '/tenants', {name: 'Two', desk, channels: [channel]});
  assert.equal(made.status, 201, made.text);
  const body = JSON.stringify({destination: (await road.line.get('/sim/guests')).destination ?? 'U0', events: []});
  const hook = key => road.hub.call('POST', '/line/two/line', body, {'x-line-signature': createHmac('sha256', key).update(body).digest('base64')});
  const taken = () => until('the channel is there', async () => { // a new account is set up first
    const seen = [(await hook('secret-of-today')).status, (await hook('secret-of-tomorrow')).status];
    return !seen.includes(404) && seen.join();
  });
  const change = secrets => admin.call('PATCH', `/tenants/${made.json.id}`, {channels: [{...channel, ...secrets}]});
  await until('the channel is at work, and knows one secret', async () => await taken() === '200,403');
  const refused = async () => (await admin.get(`/channels/${encodeURIComponent('two/line')}/refused`)).items[0].now.good;
  assert.equal(await refused(), false);
  const both = await change({channel_secret: 'secret-of-tomorrow', old_channel_secret: 'secret-of-today'});
  assert.deepEqual(both.json.channels[0].old_channel_secret, {set: true}, both.text);
  assert.equal(await taken(), '200,200');
  assert.equal(await refused(), true, 'looked at again: it would be taken now');
  assert.equal((await change({channel_secret: 'secret-of-tomorrow', old_channel_secret: null})).status, 200);
  await until('the old one is good no more', async () => await taken() === '403,200'); // a door of several looks for changes once a second
});

test('signature doctor: says which part differs, and when it would be good', async t => {
  const road = await startRoad(t, {env});
  const admin = await login(road.hub.base, 'admin', adminPassword);
  const destination = (await road.line.get('/sim/guests')).destination ?? 'U0';
  const body = JSON.stringify({destination, events: []});
  const sign = (key, text) => createHmac('sha256', key).update(text).digest('base64');
  const hook = (text, signature, path = '/line/test-shop/line') => road.hub.call('POST', path, text, signature === undefined ? {} : {'x-line-signature': signature});
  const desk = {type: 'genesys-cloud', base_url: road.desk.base, client_id: 'c1', client_secret: 's1', integration: {name: 'Other', token: 'another-long-enough-token'}, end_poll_seconds: 0};
  const other = await admin.call('POST', '/tenants', {name: 'Other', desk, channels: [{type: 'line', base_url: road.line.base, channel_id: '1234567891', channel_secret: 'others-secret', bot_id: '@other'}]});
  assert.equal(other.status, 201, other.text);
  await hook(body);
  await hook(body, sign('nonsense', body));
  await hook(body, sign('others-secret', body));
  await hook(JSON.stringify(JSON.parse(body), null, 2), sign(secret, body));
  await hook(body, 'no signature at all');
  const list = async () => (await admin.call('GET', `/channels/${encodeURIComponent('test-shop/line')}/refused`)).json.items;
  const items = await until('the other account is known', async () => { const all = await list(); return all.at(-3).now.other && all; });
  assert.deepEqual(items.map(i => i.now.part).reverse(), ['header', 'secret', 'secret', 'body', 'header']);
  assert.match(items.at(-1).now.text, /missing/);
  assert.equal(items.at(-3).now.other, 'other/line');
  assert.match(items.at(-4).now.text, /JSON was written anew/);
  assert.ok(items.every(i => !JSON.stringify(i).includes(sign(secret, body))), 'no values of headers');
  // The secret is corrected: the same request would now be taken.
  const mine = (await admin.call('GET', '/channels/' + encodeURIComponent('other/line') + '/refused')).json.items;
  assert.deepEqual(mine, [], 'they were addressed to the other channel');
});
