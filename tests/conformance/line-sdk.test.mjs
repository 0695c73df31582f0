// LINE's own library (@line/bot-sdk) as the other end: of our simulator, and of the hub.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHmac, randomUUID} from 'node:crypto';
import {createServer} from 'node:http';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, ready, secret, startRoad, until} from '../e2e/harness.mjs';
import {need} from '../npm/need.mjs';
import {bytesOf} from './recorder.mjs';
import {shapes} from './schema.mjs';

const {LINE_SIGNATURE_HTTP_HEADER_NAME: header, HTTPFetchError, channelAccessToken, messagingApi, middleware, validateSignature} = need('@line/bot-sdk');
const destination = 'U0123456789abcdef0123456789abcdef';

// A simulator alone; its webhooks go to a bot made with the library's middleware.
async function startBot(t, args = []) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-sdk-'));
  const hooks = [];
  const check = middleware({channelSecret: secret});
  const bot = createServer(async (rq, rs) => {
    const rawBody = await bytesOf(rq);
    rq.rawBody = rawBody;
    check(rq, rs, error => {
      hooks.push({rawBody, signature: rq.headers[header], error, body: rq.body, type: rq.headers['content-type'], path: rq.url});
      rs.writeHead(error ? 401 : 200).end();
    });
  });
  await new Promise(r => bot.listen(0, '127.0.0.1', r));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const sim = new Program(dir, 'line', ['sim', 'line', '--listen', `127.0.0.1:${port}`, '--hub', `http://127.0.0.1:${bot.address().port}`,
    '--channel-secret', secret, '--bot-id', '@testshop', '--bot-name', 'Test Shop', ...args]).start();
  t.after(async () => {
    const how = await sim.stop();
    if (how.code) console.error(sim.text().slice(-3000));
    bot.closeAllConnections();
    bot.close();
    rmSync(dir, {recursive: true, force: true});
    assert.equal(how.code ?? 0, 0, 'the simulator ends well');
  });
  await ready(sim, base + '/sim/counters');
  const oauth = new channelAccessToken.ChannelAccessTokenClient({baseURL: base});
  const token = (await oauth.issueStatelessChannelToken('client_credentials', undefined, undefined, '1234567890', secret)).access_token;
  return {
    hooks, base, sim: new Api(base), oauth,
    client: new messagingApi.MessagingApiClient({channelAccessToken: token, baseURL: base}),
    blobs: new messagingApi.MessagingApiBlobClient({channelAccessToken: token, baseURL: base}),
    stranger: new messagingApi.MessagingApiClient({channelAccessToken: 'no-such-token', baseURL: base}),
    hooked: async n => await until(`${n} webhooks`, () => hooks.length >= n && hooks),
    guests: async () => (await new Api(base).get('/sim/guests')).guests,
  };
}
const refusedWith = status => e => e instanceof HTTPFetchError && e.status === status && typeof JSON.parse(e.body).message === 'string';

const deeds = [
  {type: 'text', text: 'こんにちは 🙂 "\\'}, {type: 'image'}, {type: 'video', base64: 'AAAA'}, {type: 'audio', base64: 'AAAA', duration: 1500},
  {type: 'file', base64: 'YSxi', fileName: 'a.csv', contentType: 'text/csv'},
  {type: 'sticker', packageId: '446', stickerId: '1988', keywords: ['hello']},
  {type: 'location', title: 'Tower', address: 'Minato', latitude: 35.65, longitude: 139.74},
  {type: 'postback', data: 'a=1&b=2', params: {date: '2026-01-02'}}, {type: 'unfollow'}, {type: 'follow'}, {type: 'unsend'},
  {type: 'beacon'}, {type: 'accountLink'}, {type: 'videoPlayComplete'}, {type: 'membership'},
];

test('the library accepts every kind of webhook that the simulator signs, and refuses the wrong ones', async t => {
  const bot = await startBot(t);
  const webhook = shapes('line-webhook');
  for (const [i, deed] of deeds.entries()) {
    await bot.sim.post('/sim/guests/1/send', deed);
    const h = (await bot.hooked(i + 1))[i];
    assert.equal(h.error, undefined, `${deed.type}: ${h.error?.message}`);
    assert.ok(validateSignature(h.rawBody, secret, h.signature), deed.type);
    assert.ok(!validateSignature(h.rawBody, secret + '0', h.signature), 'another secret');
    assert.match(h.type, /^application\/json/);
    assert.equal(h.body.destination, destination);
    webhook.check('webhook', h.body);
  }
  const kinds = bot.hooks.map(h => h.body.events[0].message?.type ?? h.body.events[0].type);
  assert.deepEqual(kinds, deeds.map(d => d.type));
  assert.equal(bot.hooks[0].body.events[0].message.text, deeds[0].text);
  await bot.sim.post('/sim/guests/1/send', {type: 'text', text: 'x', wrongSignature: true});
  const h = (await bot.hooked(deeds.length + 1)).at(-1);
  assert.equal(h.error?.constructor.name, 'SignatureValidationFailed');
});

test('the library\'s client works against the simulator', async t => {
  const bot = await startBot(t);
  const [guest] = await bot.guests();
  assert.equal((await bot.client.getBotInfo()).basicId, '@testshop');
  const profile = await bot.client.getProfile(guest.id);
  assert.equal(profile.displayName, guest.name);
  assert.equal(profile.userId, guest.id);

  await bot.sim.post('/sim/guests/1/send', {type: 'text', text: 'hello'});
  const event = (await bot.hooked(1))[0].body.events[0];
  await bot.client.showLoadingAnimation({chatId: guest.id, loadingSeconds: 5});
  await bot.client.markMessagesAsReadByToken({markAsReadToken: event.message.markAsReadToken});
  const reply = await bot.client.replyMessage({replyToken: event.replyToken, messages: [{type: 'text', text: 'a reply', quoteToken: event.message.quoteToken}]});
  assert.equal(reply.sentMessages.length, 1);
  await assert.rejects(bot.client.replyMessage({replyToken: event.replyToken, messages: [{type: 'text', text: 'again'}]}), refusedWith(400));

  const messages = [
    {type: 'text', text: 'a push', quickReply: {items: [{type: 'action', action: {type: 'message', label: 'Yes', text: 'Yes'}}]}},
    {type: 'sticker', packageId: '446', stickerId: '1988'},
  ];
  const key = randomUUID();
  const pushed = await bot.client.pushMessage({to: guest.id, messages}, key);
  assert.equal(pushed.sentMessages.length, 2);
  await assert.rejects(bot.client.pushMessage({to: guest.id, messages}, key), refusedWith(409), 'the same retry key again');
  await bot.client.validatePush({messages});
  await assert.rejects(bot.client.validatePush({messages: [{type: 'text', text: ''}]}), refusedWith(400));
  await assert.rejects(bot.client.pushMessage({to: guest.id, messages: Array(6).fill({type: 'text', text: 'x'})}), refusedWith(400));
  await assert.rejects(bot.client.getProfile('Uffffffffffffffffffffffffffffffff'), refusedWith(404));
  await assert.rejects(bot.stranger.getBotInfo(), refusedWith(401));

  const phone = (await bot.sim.get('/sim/guests/1/messages')).messages;
  assert.deepEqual(phone.map(m => m.message.text ?? m.message.type), ['hello', 'a reply', 'a push', 'sticker']);
  assert.equal(phone[0].read, true);

  await bot.sim.post('/sim/guests/1/send', {type: 'image', base64: Buffer.from('not really a picture').toString('base64'), contentType: 'image/jpeg'});
  const {message} = (await bot.hooked(2))[1].body.events[0];
  assert.equal((await bytesOf(await bot.blobs.getMessageContent(message.id))).toString(), 'not really a picture');
  const quota = await bot.client.getMessageQuota();
  assert.ok(['none', 'limited'].includes(quota.type));
});

test('the hub accepts what is signed as the library checks it, byte for byte', async t => {
  const road = await startRoad(t);
  const guest = (await road.line.get('/sim/guests')).guests[0].id;
  const event = (text, id) => ({type: 'message', mode: 'active', timestamp: Date.now(), source: {type: 'user', userId: guest},
    webhookEventId: id, deliveryContext: {isRedelivery: false}, replyToken: 'b60d432864f44d079f6d8efe86cf404b',
    message: {id: id.slice(-10), type: 'text', text, quoteToken: 'q1', markAsReadToken: 'r1'}});
  const bodies = [
    ['compact', JSON.stringify({destination, events: [event('compact', '01FZ74A0TDDPYRVKNK77XKC3Z1')]})],
    ['with white space and escapes', JSON.stringify({destination, events: [event('caf\u00e9', '01FZ74A0TDDPYRVKNK77XKC3Z2')]}, null, 3).replace('é', '\\u00e9') + '\r\n'],
    ['another order of members', JSON.stringify({events: [event('日本', '01FZ74A0TDDPYRVKNK77XKC3Z3')], destination})],
    ['no events, as the Verify button sends', JSON.stringify({destination, events: []})],
  ];
  for (const [what, body] of bodies) {
    const signature = createHmac('SHA256', secret).update(body).digest('base64');
    assert.ok(validateSignature(body, secret, signature), `${what}: the library takes it`);
    assert.equal((await road.hub.call('POST', '/line', body, {[header]: signature})).status, 200, `${what}: the hub takes it`);
    assert.ok(!validateSignature(body + ' ', secret, signature));
    assert.equal((await road.hub.call('POST', '/line', body + ' ', {[header]: signature})).status, 403, `${what}: one byte more`);
  }
  const wanted = ['compact', 'café', '日本'];
  await until('all at the desk', async () => {
    const texts = (await road.desk.get('/sim/inbound?limit=100')).messages.map(m => m.text);
    return wanted.every(w => texts.includes(w)) && texts.length === wanted.length;
  });
});
