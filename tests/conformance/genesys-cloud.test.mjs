// The hub's calls to Genesys Cloud have the shapes of the platform's public description, and its webhook is checked as the platform signs it.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {startRoad, until} from '../e2e/harness.mjs';
import {Recorder} from './recorder.mjs';
import {shapes} from './schema.mjs';

const inbound = /^\/api\/v2\/conversations\/messages\/[0-9a-f-]{36}\/inbound\/open\/(event|message|receipt|structured\/response)$/;
const integrations = /^\/api\/v2\/conversations\/messaging\/integrations\/open(\/[0-9a-f-]{36})?$/;

test('every body the hub posts to Genesys Cloud is as the platform describes it', async t => {
  const desk = new Recorder();
  const road = await startRoad(t, {between: {desk: url => desk.start(t, url)}, desk: {supported_content: 'allMedia', custom_data: {shop: 'Ginza'}}});
  const guest = deed => road.line.post('/sim/guests/1/send', deed);
  const arrived = async (what, is) => await until(what, async () => (await road.desk.get('/sim/inbound?limit=100')).messages.find(is));
  await guest({type: 'text', text: 'Hello こんにちは 🙂 \u2028 "quoted"'});
  await arrived('the text', m => m.text?.startsWith('Hello'));
  await guest({type: 'text', text: 'x'.repeat(5000)});
  for (const deed of [{type: 'image'}, {type: 'video', base64: 'AAAAGGZ0eXBtcDQy', duration: 900}, {type: 'audio', base64: 'AAAAGGZ0eXBNNEEg', duration: 900},
    {type: 'file', base64: Buffer.from('a,b\n').toString('base64'), fileName: 'table 表.csv', contentType: 'text/csv'},
    {type: 'sticker', packageId: '446', stickerId: '1988', keywords: ['hello']},
    {type: 'location', title: 'Tower', address: 'Minato', latitude: 35.6586, longitude: 139.7454}, {type: 'postback', data: 'never-offered'}]) await guest(deed);
  const {id} = (await road.desk.get('/sim/conversations')).conversations[0];
  await road.desk.post(`/sim/conversations/${id}/agent`, {text: 'Shall we?', quick_replies: [{text: 'Yes', payload: 'yes-1'}, {text: 'No', payload: 'no-1'}]});
  await until('the quick replies', async () => (await road.line.get('/sim/guests/1/messages')).messages.some(m => m.message.quickReply));
  const responses = () => desk.to(inbound).filter(c => c.path.endsWith('/structured/response')).length;
  await guest({type: 'postback', data: 'yes-1', displayText: 'Yes'});
  await until('the tapped answer', () => responses() >= 1);   // a later offer may take the place of this one
  await road.desk.post(`/sim/conversations/${id}/agent`, {cards: [{title: 'Tea', description: 'Green', actions: [{type: 'Postback', text: 'Buy', payload: 'buy-1'}]}]});
  await until('the card', async () => (await road.line.get('/sim/guests/1/messages')).messages.some(m => m.message.type === 'flex'));
  await road.line.post('/sim/guests/1/tap', {label: 'Buy'});
  await until('the pressed button', () => responses() >= 2);
  await until('receipts', () => desk.to(inbound).filter(c => c.path.endsWith('/receipt')).length >= 2);
  await guest({type: 'text', text: 'the last'});
  await arrived('the last', m => m.text === 'the last');

  const told = shapes('genesys-calls');
  const seen = new Map();
  for (const c of desk.to(inbound)) {
    const kind = inbound.exec(c.path)[1];
    told.check(kind, JSON.parse(c.body));
    assert.ok(c.status >= 200 && c.status < 300, `${kind}: ${c.status} ${c.answer}`);
    assert.match(c.headers['content-type'], /^application\/json/);
    assert.match(c.headers.authorization, /^Bearer \S+$/);
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
  }
  assert.deepEqual([...seen.keys()].sort(), ['message', 'receipt', 'structured/response']);
  const media = desk.to(inbound).flatMap(c => JSON.parse(c.body).content ?? []).map(e => e.attachment?.mediaType);
  for (const kind of ['Image', 'Video', 'Audio', 'File']) assert.ok(media.includes(kind), kind);
  const made = desk.to(integrations).filter(c => c.method !== 'GET');
  assert.ok(made.length >= 1, 'the integration was made');
  for (const c of made) told.check(`${c.method} integration`, JSON.parse(c.body));
  assert.equal(desk.to('/oauth/token').length, 1, 'one token for all of it');
  const login = desk.to('/oauth/token')[0];
  assert.equal(login.headers.authorization, 'Basic ' + Buffer.from('c1:s1').toString('base64'));
  assert.equal(login.body, 'grant_type=client_credentials');
});

test('the shapes refuse what the platform does not take', () => {
  const told = shapes('genesys-calls');
  const channel = {from: {id: 'g', idType: 'Opaque'}, time: '2026-03-04T05:06:07.890Z', messageId: 'm'};
  told.check('message', {channel, text: 'x'});
  const rows = [
    ['message', {text: 'x'}, /required property 'channel'/], ['message', {channel: {...channel, time: 1}}, /must be string/],
    ['message', {channel: {...channel, time: 'yesterday'}}, /format/], ['message', {channel: {...channel, from: {id: 'g', idType: 'Line'}}}, /allowed values/],
    ['message', {channel, content: [{attachment: {mediaType: 'Image', url: 'u'}}]}, /required property 'mime'/], ['message', {channel, metadata: {n: 1}}, /must be string/],
    ['message', {channel, txt: 'x'}, /additional properties/], ['receipt', {channel: {to: {id: 'g'}, time: channel.time}, id: 'm', status: 'Lost'}, /allowed values/],
  ];
  for (const [kind, body, why] of rows) assert.throws(() => told.check(kind, body), why, JSON.stringify(body));
});

// A body of 504 bytes signed with `key` has this MAC: worked out apart from the hub, once in Base64 and once in hexadecimal digits.
const key = 'hub-signature-token-0001';
const vector = '{"id":"0f3c7d2e5b6a49188c1d2e3f4a5b6c7d","channel":{"id":"5c1f0a52-7d1b-4c39-9a0e-0d8f6b7a1c22","platform":"Open","type":"Private",'
  + '"messageId":"0f3c7d2e5b6a49188c1d2e3f4a5b6c7d","to":{"id":"guest-42@line","idType":"Opaque"},"from":{"nickname":"HUB-TEST",'
  + '"id":"5c1f0a52-7d1b-4c39-9a0e-0d8f6b7a1c22","idType":"Opaque"},"time":"2026-03-04T05:06:07.890Z"},"type":"Text","text":"Hello こんにちは",'
  + '"direction":"Outbound","originatingEntity":"Human","conversationId":"b2a7c8d9-1e2f-4a3b-8c4d-5e6f70819203"}';
const mac = 'a9+r0s9uqoiV2onejRUukqb8NvwbXauoWPaFvnngtXY=';

test('the hub takes the signature vector, and nothing beside it', async t => {
  assert.equal(Buffer.byteLength(vector), 504);
  assert.equal(createHmac('sha256', key).update(vector).digest('base64'), mac);
  const named = '5c1f0a52-7d1b-4c39-9a0e-0d8f6b7a1c22';   // the vector is of an integration with this id, so ours is called so
  let ours = named;
  const desk = new Recorder({
    asked: text => text.replaceAll(named, ours),
    answered: text => {
      if (ours === named && text.includes('outboundNotificationWebhookUrl')) ours = /"id":"([0-9a-f-]{36})"/.exec(text)?.[1] ?? ours;
      return text.replaceAll(ours, named);
    },
  });
  const road = await startRoad(t, {between: {desk: url => desk.start(t, url)}, integration: {name: 'HUB-TEST', token: key}});
  const made = JSON.parse(desk.to(integrations).filter(c => c.method === 'POST').at(-1).body);
  assert.equal(made.outboundNotificationWebhookSignatureSecretToken, key, 'what the platform signs with');
  const {pathname} = new URL(made.outboundNotificationWebhookUrl);
  const post = (body, signature) => road.hub.call('POST', pathname, body, signature ? {'x-hub-signature-256': signature} : {});
  const other = vector.replaceAll(named, '6c1f0a52-7d1b-4c39-9a0e-0d8f6b7a1c22');
  const sign = body => 'sha256=' + createHmac('sha256', key).update(body).digest('base64');
  const hex = Buffer.from(mac, 'base64').toString('hex');
  const rows = [
    ['the vector', vector, `sha256=${mac}`, 200], ['in hexadecimal digits, which the platform does not use', vector, `sha256=${hex}`, 403], ['another integration', other, sign(other), 404],
    ['one byte more', vector + '\n', `sha256=${mac}`, 403], ['another body', vector.replace('Hello', 'hello'), `sha256=${mac}`, 403], ['no signature', vector, undefined, 403],
    ['another method', vector, `sha1=${mac}`, 403], ['half a signature', vector, `sha256=${mac.slice(0, 20)}`, 403], ['no body', '', `sha256=${mac}`, 403],
  ];
  const got = [];
  for (const [what, body, signature] of rows) got.push([what, (await post(body, signature)).status]);
  assert.deepEqual(got, rows.map(([what, , , status]) => [what, status]));
});
