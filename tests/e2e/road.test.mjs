// A LINE guest and a Genesys Cloud agent through the real hub, with both simulators at the ends.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHash, createHmac, randomBytes} from 'node:crypto';
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {connect} from 'node:net';
import {gzipSync} from 'node:zlib';
import {bin, ready, startRoad, until, secret} from './harness.mjs';

const conversations = async road => (await road.desk.get('/sim/conversations')).conversations;
const conversation = async (road, id) => await road.desk.get(`/sim/conversations/${id}`);
const phone = async (road, guest = 1) => (await road.line.get(`/sim/guests/${guest}/messages`)).messages;
const fromAccount = ms => ms.filter(m => m.from === 'account');

// The desk's conversation of the guest, once it has a message that `is` finds.
async function deskHas(road, what, is) {
  return await until(what, async () => {
    for (const c of await conversations(road)) {
      const full = await conversation(road, c.id);
      const m = full.messages.find(x => x.from === 'guest' && is(x));
      if (m) return {c: full, m};
    }
  });
}
const phoneHas = async (road, what, is, guest = 1) => await until(what, async () => fromAccount(await phone(road, guest)).find(is));

// Announces a body and sends none: the first line of the answer.
async function announce(road, length) {
  const {hostname, port} = new URL(road.hub.base);
  return await new Promise((resolve, reject) => {
    const s = connect(port, hostname, () => s.write(`POST /line HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`));
    s.on('data', d => { resolve(d.toString('latin1')); s.destroy(); });
    s.on('error', reject);
    s.on('close', () => reject(new Error('closed without an answer')));
  });
}

test('text, both ways, with the agent\'s name, receipts and the guest\'s profile', async t => {
  const road = await startRoad(t);
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'Where is my parcel?'});
  const {c} = await deskHas(road, 'the text at the desk', m => m.text === 'Where is my parcel?');
  const guests = (await road.line.get('/sim/guests')).guests;
  assert.equal(c.guest.name, guests[0].name, 'the desk sees the name of the LINE profile');
  assert.equal(c.attributes.media, 'LINE');
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'On its way!', agent: 'Ken Ito'});
  const got = await phoneHas(road, 'the answer on the phone', m => m.message.text === 'On its way!');
  assert.equal(got.message.sender?.name, 'Ken Ito');
  await until('the delivered receipt', async () => (await conversation(road, c.id)).messages.find(m => m.from === 'agent')?.state === 'delivered');
  for (let i = 0; i < 10; i++) await road.line.post('/sim/guests/2/send', {type: 'text', text: `line ${i}`});
  const ten = await until('ten texts', async () => {
    const all = (await road.desk.get('/sim/inbound?limit=100')).messages.filter(m => m.text?.startsWith('line '));
    return all.length === 10 && all;
  });
  assert.deepEqual(ten.map(m => m.text), [...Array(10).keys()].map(i => `line ${i}`), 'in order');
});

test('a picture both ways: equal bytes at the other end', async t => {
  const road = await startRoad(t);
  const photo = Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), randomBytes(200000)]);
  await road.line.post('/sim/guests/1/send', {type: 'image', base64: photo.toString('base64'), contentType: 'image/jpeg'});
  const {c, m} = await deskHas(road, 'the picture at the desk', x => x.media?.state === 'kept');
  assert.ok(m.media.sha256_matches !== false, 'the SHA-256 the hub told is the one of the bytes');
  assert.equal(m.media.sha256, createHash('sha256').update(photo).digest('hex'));
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'Your receipt', attachment: {base64: png.toString('base64'), name: 'receipt.png', mime: 'image/png'}});
  const got = await phoneHas(road, 'the picture on the phone', x => x.message.type === 'image');
  const bytes = Buffer.from(await (await fetch(got.message.originalContentUrl)).arrayBuffer());
  assert.deepEqual(bytes, png);
  const part = await fetch(got.message.originalContentUrl, {headers: {range: 'bytes=0-7'}});
  assert.equal(part.status, 206);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), png.subarray(0, 8));
  const bad = got.message.originalContentUrl.replace(/sig=(.)/, (_, x) => `sig=${x === '0' ? '1' : '0'}`);
  assert.equal((await fetch(bad)).status, 403);
});

test('a sticker, a location and a file become what the desk can show', async t => {
  const road = await startRoad(t);
  await road.line.post('/sim/guests/1/send', {type: 'sticker', packageId: '446', stickerId: '1988', keywords: ['hello']});
  await deskHas(road, 'the sticker', m => m.media || /sticker|hello/i.test(m.text ?? ''));
  await road.line.post('/sim/guests/1/send', {type: 'location', title: 'Tower', address: 'Minato', latitude: 35.6586, longitude: 139.7454});
  await deskHas(road, 'the location', m => /Tower/.test(m.text ?? '') && /35\.6586%2C139\.7454/.test(m.text ?? ''));
  await road.line.post('/sim/guests/1/send', {type: 'file', base64: Buffer.from('a,b\n1,2\n').toString('base64'), fileName: 'table.csv', contentType: 'text/csv'});
  await deskHas(road, 'the file', m => m.media?.name === 'table.csv' && m.media.state === 'kept');
});

test('quick replies from the desk, and the tapped answer comes back as a button', async t => {
  const road = await startRoad(t);
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'Hi'});
  const {c} = await deskHas(road, 'the text', m => m.text === 'Hi');
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'Shall we?', quick_replies: [{text: 'Yes', payload: 'yes-1'}, {text: 'No', payload: 'no-1'}]});
  await phoneHas(road, 'the quick replies', m => m.message.quickReply?.items?.length === 2);
  await road.line.post('/sim/guests/1/tap', {label: 'Yes'});
  const {m} = await deskHas(road, 'the answer', x => x.button?.payload === 'yes-1');
  assert.equal(m.button.text, 'Yes');
});

test('the end of a conversation, and its reopening', async t => {
  const road = await startRoad(t);
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'one'});
  const {c} = await deskHas(road, 'the first text', m => m.text === 'one');
  await until('open', async () => (await road.hub.call('GET', '/metrics')).text.includes('dragoman_open_conversations 1'));
  await road.desk.post(`/sim/conversations/${c.id}/transfer`, {agent: 'Ken Ito'});
  await new Promise(r => setTimeout(r, 2500));
  assert.match((await road.hub.call('GET', '/metrics')).text, /dragoman_open_conversations 1\n/, 'a transfer is not an end');
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await until('closed', async () => (await road.hub.call('GET', '/metrics')).text.includes('dragoman_open_conversations 0'), 20000);
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'two'});
  const {c: again} = await deskHas(road, 'the second text', m => m.text === 'two');
  assert.equal(again.id, c.id, 'inside the threading window it is the same conversation');
  await until('open again', async () => (await road.hub.call('GET', '/metrics')).text.includes('dragoman_open_conversations 1'));
});

test('what is not for us or not well-formed gets a clear 4xx and is not kept', async t => {
  const road = await startRoad(t);
  const rows = [
    ['wrong signature', {'x-line-signature': 'A'.repeat(43) + '='}, '{"destination":"U0123456789abcdef0123456789abcdef","events":[]}', 403, 'bad_signature'],
    ['no signature', {}, '{"destination":"U0123456789abcdef0123456789abcdef","events":[]}', 403, 'no_signature'],
    ['unknown destination', {'x-line-signature': 'A'.repeat(43) + '='}, '{"destination":"Uffffffffffffffffffffffffffffffff","events":[]}', 404, 'unknown_account'],
  ];
  for (const [what, headers, body, status, code] of rows) {
    const r = await road.hub.call('POST', '/line', body, headers);
    assert.equal(r.status, status, what);
    if (code) assert.equal(r.json.code, code, what);
  }
  assert.equal((await road.hub.call('POST', '/nothing', '{}')).status, 404);
  const deep = '{"destination":"U0123456789abcdef0123456789abcdef","events":' + '['.repeat(5000) + ']'.repeat(5000) + '}';
  const sign = b => createHmac('sha256', secret).update(b).digest('base64');
  assert.equal((await road.hub.call('POST', '/line', deep, {'x-line-signature': sign(deep)})).status, 400, 'too deep');
  const half = '{"destination":"U0123456789abcdef0123456789abcdef","events":[';
  assert.equal((await road.hub.call('POST', '/line', half, {'x-line-signature': sign(half)})).status, 400, 'cut off');
  assert.match(await announce(road, 64 << 20), /^HTTP\/1\.1 413 /, 'too large, told by the length alone');
  const log = road.programs.hub.text();
  assert.match(log, /bad_signature/);
  assert.doesNotMatch(log, /8c570fa6dd201bb328f1c1eac23a96d8/, 'no secret in the log');
});

test('every refusal of a webhook says in the log which part is wrong, and none of them costs memory', async t => {
  const road = await startRoad(t);
  const sign = b => createHmac('sha256', secret).update(b).digest('base64');
  const post = async (body, headers) => (await fetch(`${road.hub.base}/line`, {method: 'POST', body, headers: {'content-type': 'application/json', ...headers}})).status;
  const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${road.programs.hub.child.pid}/status`, 'latin1'))[1]) / 1024;
  const to = (destination, events) => JSON.stringify({destination, events});
  const ours = 'U0123456789abcdef0123456789abcdef';
  const event = {type: 'message', mode: 'active', timestamp: 1, webhookEventId: '01FZ74A0TDDPYRVKNK77XKC3Z9', deliveryContext: {isRedelivery: false}, source: {type: 'user'}, message: {id: '1', type: 'text', text: 'x'}};
  const bomb = gzipSync(Buffer.alloc(512 << 20));
  const many = to(ours, Array(20000).fill(event));
  const unnamed = to(ours, [{...event, webhookEventId: undefined}]);
  const before = peak();
  const rows = [ // what, body, headers, status, code and field in the log
    ['another secret', to(ours, []), {'x-line-signature': 'A'.repeat(43) + '='}, 403, 'bad_signature', 'x-line-signature'],
    ['no signature', to(ours, []), {}, 403, 'no_signature', 'x-line-signature'],
    ['a destination of nobody', to('Uffffffffffffffffffffffffffffffff', []), {'x-line-signature': sign(to('Uffffffffffffffffffffffffffffffff', []))}, 404, 'unknown_account', ''],
    ['no JSON', '{"destination"', {'x-line-signature': sign('{"destination"')}, 400, 'bad_json', ''],
    ['no id', unnamed, {'x-line-signature': sign(unnamed)}, 400, 'missing_field', 'events[0].webhookEventId'],
    ['a bomb', bomb, {'content-encoding': 'gzip'}, 413, 'too_large', 'body'],
    ['no gzip', 'xxxx', {'content-encoding': 'gzip'}, 400, 'bad_request', 'body'],
    ['another coding', 'xxxx', {'content-encoding': 'br'}, 415, 'unsupported', 'content-encoding'],
    ['larger than allowed', 'x'.repeat(3 << 20), {}, 413, 'too_large', 'body'],
    ['larger than allowed, and many', many, {'x-line-signature': sign(many)}, 413, 'too_large', 'body'],
  ];
  const seen = new Set(); // a refusal may take two lines, and the second may come when the next one has begun: told apart by reqid
  const lines = () => road.programs.hub.text().split('\n').slice(0, -1).filter(l => l.startsWith('{')).map(l => JSON.parse(l));
  for (const [what, body, headers, status, code, field] of rows) {
    assert.equal(await post(body, headers), status, what);
    const line = await until(`${what} in the log`, () => lines().find(l => l.code && l.level >= 40 && !seen.has(l.reqid) && (l.scope === '/line' || l.msg === 'Webhook refused')));
    seen.add(line.reqid);
    assert.equal(line.code, code, `${what}: ${JSON.stringify(line)}`);
    assert.equal(line.field ?? '', field, what);
    assert.ok(line.why, what);
  }
  for (let i = 0; i < 20; i++) assert.equal(await post(bomb, {'content-encoding': 'gzip'}), 413);
  const grown = peak() - before; // the sanitizers keep what was freed
  assert.ok(grown < 100, `twenty bodies that unpack to 512 MiB each, and the others, took ${grown} MiB`);
  const log = road.programs.hub.text();
  assert.doesNotMatch(log, new RegExp(secret), 'no secret in the log');
});

for (const [what, rule, unknown] of [
  ['LINE had not taken', {status: 503, slow_ms: 20000}, false],
  ['LINE had taken', {timeout_share: 1, timeout_ms: 20000}, true],
])
  test(`a reply that ${what} when the hub was killed is asked for again with its token`, async t => {
    const road = await startRoad(t, {hub: {limits: {call_ms: 30000}}});
    await road.line.post('/sim/guests/1/send', {type: 'text', text: 'Hi'});
    const {c} = await deskHas(road, 'the text', m => m.text === 'Hi');
    await road.line.post('/sim/faults', {rules: [{paths: ['/v2/bot/message/reply'], times: 1, ...rule}]});
    await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'by token'});
    await until('the reply is under way', async () => Object.values((await road.line.get('/sim/faults')).injected).some(n => n > 0));
    await road.programs.hub.stop('SIGKILL');
    await road.line.call('DELETE', '/sim/faults');
    road.programs.hub.start();
    await ready(road.programs.hub, road.hub.base + '/healthz/readiness?worker');
    await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'behind it'});
    await phoneHas(road, 'what comes behind it', m => m.message.text === 'behind it');
    assert.deepEqual(fromAccount(await phone(road)).map(m => m.message.text), ['by token', 'behind it'], 'once, and in order');
    const list = state => execFileSync(bin, ['journal', 'list', state, '--config', road.config]).toString();
    await until('the outcomes are in the journal', () => !/\S/.test(list('waiting')));
    const listed = list('unknown');
    assert.equal((listed.match(/ unknown /g) ?? []).length, unknown ? 1 : 0, listed);
  });

test('a picture for films that bring none is there for LINE to fetch', async t => {
  const road = await startRoad(t);
  for (const path of ['/line/film', '/line/film/test-shop/line']) {
    const r = await fetch(road.hub.base + path);
    assert.deepEqual([r.status, r.headers.get('content-type')], [200, 'image/png'], path);
    const png = Buffer.from(await r.arrayBuffer());
    assert.deepEqual([png.toString('latin1', 1, 4), png.readUInt32BE(16), png.readUInt32BE(20)], ['PNG', 240, 240]);
  }
  assert.equal((await fetch(road.hub.base + '/line/film/test-shop/other')).status, 404);
});
