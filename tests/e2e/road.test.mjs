// A LINE guest and a Genesys Cloud agent through the real hub, with both simulators at the ends.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHash, createHmac, randomBytes} from 'node:crypto';
import {connect} from 'node:net';
import {startRoad, until, secret} from './harness.mjs';

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
