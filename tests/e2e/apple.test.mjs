// An iPhone and a Genesys Cloud agent through the real hub, with both simulators at the ends; what is signed and encrypted is checked a second time with node:crypto.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, randomUUID} from 'node:crypto';
import {createServer} from 'node:http';
import {gzipSync} from 'node:zlib';
import {business, mspId, secret, startRoad} from './apple.mjs';
import {until} from './harness.mjs';

async function hello(road, text = 'Hi', more = {}) {
  await road.send({type: 'text', text, ...more});
  return (await road.deskHas('the text', m => m.text === text)).c;
}

// ---- the second implementation
const b64 = x => Buffer.from(x).toString('base64url');
function jwt(claims, header = {alg: 'HS256'}, key = Buffer.from(secret, 'base64')) {
  const text = `${b64(JSON.stringify(header))}.${b64(JSON.stringify(claims))}`;
  return `Bearer ${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}
const cipher = (key, bytes) => { const c = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)); return Buffer.concat([c.update(bytes), c.final()]); };
const decipher = (key, bytes) => { const c = createDecipheriv('aes-256-ctr', key, Buffer.alloc(16)); return Buffer.concat([c.update(bytes), c.final()]); };
async function webhook(road, message, options = {}) {
  const body = {v: 1, id: randomUUID(), sourceId: 'urn:mbid:AQAAY0001', destinationId: business, ...message};
  const headers = {'content-type': 'application/json', id: body.id, 'source-id': body.sourceId, 'destination-id': body.destinationId,
    authorization: jwt({aud: mspId, iat: Math.floor(Date.now() / 1000)}), ...(options.headers ?? {})};
  for (const name of options.without ?? []) delete headers[name];
  const packed = options.plain ? JSON.stringify(body) : gzipSync(JSON.stringify(body));
  if (!options.plain && !options.silent) headers['content-encoding'] = 'gzip';
  return await fetch(road.hub.base + '/amb/message', {method: 'POST', headers, body: packed});
}

test('text both ways, what the link and the device say, typing', async t => {
  const road = await startRoad(t);
  await road.send({type: 'typing_start'});
  const c = await hello(road, 'Is the room ready?', {locale: 'ja_JP', intent: 'reservation', group: 'front-desk'});
  for (const [name, value] of Object.entries({media: 'Apple Messages for Business', capabilities: 'LIST,TIME,QUICK,FORM,AUTH,AUTH2', locale: 'ja_JP', intent: 'reservation', group: 'front-desk'}))
    assert.equal(c.attributes[name], value, name);
  await road.agent(c, {typing: true});
  await until('typing on the phone', async () => (await road.apple.get('/sim/guests')).guests[0].typing);
  await road.agent(c, {text: 'It is.'});
  const {message} = await road.guestHas('the answer', m => m.message.body === 'It is.');
  assert.equal(message.locale, 'ja_JP');
  assert.match(message.id, /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('a picture both ways: equal bytes at the other end, and ciphertext between', async t => {
  const road = await startRoad(t);
  const photo = Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), randomBytes(300000)]);
  await road.send({type: 'picture', base64: photo.toString('base64'), text: 'Look', contentType: 'image/jpeg', name: 'a.jpg'});
  const {c, m} = await road.deskHas('the picture', x => x.media?.state === 'kept');
  assert.equal(m.media.sha256, createHash('sha256').update(photo).digest('hex'));
  const png = Buffer.concat([Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64'), randomBytes(200000)]);
  await road.agent(c, {text: 'Your receipt', attachment: {base64: png.toString('base64'), name: 'receipt.png', mime: 'image/png'}});
  const got = await road.guestHas('the picture on the phone', x => x.media);
  assert.equal(got.media[0].sha256, createHash('sha256').update(png).digest('hex'));
  assert.match(got.message.body, /\ufffc$/);
  const [a] = got.message.attachments;
  const blob = Buffer.from(await (await fetch(`${road.apple.base}/sim/blobs/${a.url.split('/').at(-1)}`)).arrayBuffer());
  assert.match(a.key, /^00[0-9a-f]{64}$/);
  assert.notDeepEqual(blob, png);
  assert.deepEqual(decipher(Buffer.from(a.key.slice(2), 'hex'), blob), png, 'node:crypto reads what the hub encrypted');
  assert.equal(a['signature-base64'], Buffer.concat([Buffer.from([0x81]), createHash('sha1').update(blob).digest()]).toString('base64'));
});

async function attached(road, plain, {name, mimeType}) {
  const own = {authorization: jwt({iss: mspId, iat: Math.floor(Date.now() / 1000)}), 'source-id': business};
  const key = randomBytes(32), packed = cipher(key, plain);
  const place = await (await fetch(`${road.apple.base}/v1/preUpload`, {headers: {...own, 'MMCS-Size': String(packed.length)}})).json();
  const {singleFile} = await (await fetch(place['upload-url'], {method: 'POST', body: packed})).json();
  const signature = Buffer.from(singleFile.fileChecksum, 'base64').toString('hex');
  const attachment = {name, mimeType, size: String(packed.length), key: '00' + key.toString('hex').toUpperCase(), signature, url: place['mmcs-url'], owner: place['mmcs-owner']};
  assert.equal((await webhook(road, {type: 'text', body: '\ufffc', attachments: [attachment]})).status, 200);
}

test('what node:crypto signs and encrypts is read: a file in one go', async t => {
  const road = await startRoad(t), plain = randomBytes(100001);
  await attached(road, plain, {name: 'plan.bin', mimeType: 'application/octet-stream'});
  const {m} = await road.deskHas('the file', x => x.media?.state === 'kept' || x.media?.sha256 || x.text);
  assert.equal(m.media?.sha256, createHash('sha256').update(plain).digest('hex'));
});

test('a shared place is a place', async t => {
  const road = await startRoad(t);
  await attached(road, Buffer.from('BEGIN:VCARD\r\nFN:Shared Location\r\nitem1.URL;type=pref:https://maps.apple.com/?ll=50.894967\\,4.341626&q=Atomium\r\nEND:VCARD\r\n'), {name: 'CL.loc.vcf', mimeType: 'text/x-vlocation'});
  const {m} = await road.deskHas('the place', x => JSON.stringify(x).includes('50.89'));
  assert.ok(!m.media, JSON.stringify(m));
});

test('quick replies, a list, times: shown, answered; without the capability a numbered text', async t => {
  const road = await startRoad(t);
  const c = await hello(road);
  await road.agent(c, {text: 'Shall we?', quick_replies: [{text: 'Yes', payload: 'yes-1'}, {text: 'No', payload: 'a payload that is longer than an identifier may be'}]});
  await road.guestHas('the quick replies', m => m.message.interactiveData?.data['quick-reply']?.items.length === 2);
  await road.send({type: 'pick', titles: ['Yes']});
  await road.deskHas('the answer', x => x.button?.payload === 'yes-1');
  await road.agent(c, {text: 'Again?', quick_replies: [{text: 'Yes', payload: 'yes-2'}, {text: 'No', payload: 'a payload that is longer than an identifier may be'}]});
  await road.guestHas('the second', m => m.message.interactiveData?.data['quick-reply']?.summaryText === 'Again?');
  await road.send({type: 'pick', titles: ['No']});
  await road.deskHas('the long payload', x => x.button?.payload === 'a payload that is longer than an identifier may be');
  await road.agent(c, {text: 'Which room?', quick_replies: Array.from({length: 7}, (_, i) => ({text: `Room ${i}`, payload: `r${i}`}))});
  const list = await road.guestHas('the list', m => m.message.interactiveData?.data.listPicker);
  assert.equal(list.message.interactiveData.data.listPicker.sections[0].items.length, 7);
  await road.send({type: 'pick', titles: ['Room 3']});
  await road.deskHas('the room', x => x.button?.payload === 'r3');
  await road.send({type: 'text', text: 'from my watch', capabilities: ''});
  await road.deskHas('the text', m => m.text === 'from my watch');
  await road.agent(c, {text: 'And now?', quick_replies: [{text: 'Yes', payload: 'yes-3'}, {text: 'No', payload: 'no-3'}]});
  await road.guestHas('the numbered text', m => m.message.body === 'And now?\n1. Yes\n2. No');
  await road.send({type: 'text', text: '2', capabilities: ''});
  await road.deskHas('the number read back', x => x.button?.payload === 'no-3');
});

test("the guide's kinds of canned responses: pictures put in, a time picked, a rich link, an app", async t => {
  const road = await startRoad(t);
  const png = randomBytes(20000);
  let asked = 0;
  const shop = createServer((rq, rs) => {
    asked++;
    if (rq.url === '/gone.png') { rs.statusCode = 404; rs.end('no'); return; }
    rs.setHeader('content-type', 'image/png');
    rs.end(png);
  });
  await new Promise(done => shop.listen(0, '127.0.0.1', done));
  t.after(() => shop.close());
  const at = `http://127.0.0.1:${shop.address().port}`;
  const c = await hello(road);
  await road.agent(c, {text: JSON.stringify({
    data: {images: [{identifier: '1', url: `${at}/fruit.png`}, {identifier: '2', url: `${at}/gone.png`}],
      listPicker: {multipleSelection: true, sections: [{title: 'Fruit', order: 0, multipleSelection: true, items: [
        {identifier: 'a', title: 'Apple', order: 0, imageIdentifier: '1'}, {identifier: 'o', title: 'Orange', order: 1, imageIdentifier: '2'}]}]}},
    receivedMessage: {title: 'Choose', style: 'icon', imageIdentifier: '2'}})});
  const list = await road.guestHas('the list', m => m.message.interactiveData?.data.listPicker);
  const {data, receivedMessage} = list.message.interactiveData;
  assert.deepEqual(data.images, [{identifier: '1', data: png.toString('base64')}]);
  assert.equal(receivedMessage.imageIdentifier, undefined, 'a name without a picture goes');
  assert.equal(data.listPicker.sections[0].items[1].imageIdentifier, undefined);
  assert.equal(asked, 2);
  const rooms = n => ({data: {images: [{identifier: '1', url: `${at}/room.png`}], listPicker: {sections: [{title: 'Rooms', items: [{identifier: 'r', title: 'Room', imageIdentifier: '1'}]}]}}, receivedMessage: {title: `Rooms ${n}`}});
  const shownRooms = async n => (await road.screen()).filter(m => m.from !== 'guest' && m.message.interactiveData?.receivedMessage?.title === `Rooms ${n}`);
  for (const [n, refs] of [[1, 0], [1, 1], [2, 1]]) { // what Apple has already goes by reference, also to the phone that shows it whole
    const before = (await shownRooms(n)).length;
    await road.agent(c, {text: JSON.stringify(rooms(n))});
    await until('the rooms', async () => (await shownRooms(n)).length > before);
    assert.equal((await road.apple.get('/sim/counters')).refs, refs);
    assert.deepEqual((await shownRooms(n)).at(-1).message.interactiveData.data.images[0].data, png.toString('base64'));
  }
  await road.send({type: 'pick', titles: ['Room']});
  await road.deskHas('the room', m => (m.button?.text ?? m.text) === 'Room');
  await road.agent(c, {text: JSON.stringify({
    data: {listPicker: {multipleSelection: true, sections: [{title: 'Fruit', order: 0, multipleSelection: true, items: [{identifier: 'a', title: 'Apple', order: 0}, {identifier: 'o', title: 'Orange', order: 1}]}]}},
    receivedMessage: {title: 'Again'}})});
  await road.guestHas('the list again', m => m.message.interactiveData?.receivedMessage?.title === 'Again');
  await road.send({type: 'pick', titles: ['Apple', 'Orange']});
  await road.deskHas('both', m => m.text === 'Apple, Orange' || m.button?.text === 'Apple, Orange');
  await road.agent(c, {text: JSON.stringify({data: {event: {identifier: '1', title: 'Visit'}, timezoneOffset: 540,
    timeslots: [{identifier: 's1', startTime: '2030-07-10T08:00+0000', duration: 3600}]}})});
  const time = await road.guestHas('the time picker', m => m.message.interactiveData?.data.event);
  assert.equal(time.message.interactiveData.data.event.timezoneOffset, 540);
  assert.equal(time.message.interactiveData.data.timeslots, undefined);
  await road.send({type: 'pick', titles: ['2030-07-10T08:00+0000']});
  await road.deskHas('the time', m => (m.button?.text ?? m.text) === '2030-07-10T08:00+0000');
  await road.agent(c, {text: JSON.stringify({type: 'richLink', richLinkData: {url: `${at}/a`, title: 'Suite A', assets: {image: {url: `${at}/a.png`}}}})});
  const link = await road.guestHas('the rich link', m => m.message.type === 'richLink');
  assert.equal(link.message.richLinkData.assets.image.mimeType, 'image/png');
  const app = {bid: 'com.apple.messages.MSMessageExtensionBalloonPlugin:ABCDE12345:com.example.seats.ext', appId: '1234567', appName: 'Seats', URL: '?seat=1', receivedMessage: {title: 'Seats'}};
  await road.agent(c, {text: JSON.stringify({...app, data: {}})});
  const shown = await road.guestHas('the app', m => m.message.interactiveData?.appName);
  assert.strictEqual(shown.message.interactiveData.appId, 1234567);
  await road.send({type: 'body', body: {type: 'interactive', interactiveData: {bid: app.bid, URL: '?seat=12', receivedMessage: {title: 'Seat 12'}}}});
  await road.deskHas("the app's answer", m => (m.button?.text ?? m.text) === 'Seat 12');
});

test('nothing unverified is taken; the same message once', async t => {
  const road = await startRoad(t);
  const body = {type: 'text', body: 'forged'};
  const now = Math.floor(Date.now() / 1000);
  const cases = [
    [401, {without: ['authorization']}],
    [403, {headers: {authorization: 'Basic abc'}}],
    [403, {headers: {authorization: jwt({aud: 'someone else', iat: now})}}],
    [403, {headers: {authorization: jwt({iss: mspId, iat: now})}}],
    [403, {headers: {authorization: jwt({aud: mspId, iat: now}, {alg: 'none'})}}],
    [403, {headers: {authorization: jwt({aud: mspId, iat: now}, {alg: 'HS256'}, secret)}}],
    [403, {headers: {authorization: jwt({aud: mspId, iat: now + 3600})}}],
    [404, {headers: {'destination-id': 'another-business'}}],
    [400, {headers: {id: randomUUID()}}],
    [400, {headers: {'source-id': 'urn:mbid:AQAAY0002'}}],
  ];
  for (const [status, options] of cases) assert.equal((await webhook(road, body, options)).status, status, JSON.stringify(options));
  const id = randomUUID();
  for (const options of [{}, {}, {plain: true}, {silent: true}]) assert.equal((await webhook(road, {type: 'text', body: 'once', id}, options)).status, 200);
  await road.send({type: 'text', text: 'end'});
  const {c} = await road.deskHas('the text behind it', m => m.text === 'end');
  assert.deepEqual(c.messages.filter(m => m.from === 'guest').map(m => m.text), ['once', 'end']);
});

test('429, 5xx, a lost answer and webhooks twice: each message once', async t => {
  const road = await startRoad(t);
  const c = await hello(road);
  const paths = ['/v1/message'];
  for (const rule of [{status: 429, times: 1}, {status: 500, times: 2}, {reset_after_share: 1, times: 1}, {timeout_share: 1, timeout_ms: 300, times: 1}]) {
    const text = `after ${Object.entries(rule).join(" ")}`;
    await road.apple.post('/sim/faults', {paths, ...rule});
    await road.agent(c, {text});
    await road.guestHas(`the message after ${text}`, m => m.message.body === text);
    await until('it is delivered', async () => (await road.desk.get(`/sim/conversations/${c.id}`)).messages.find(m => m.from === 'agent' && m.text === text && m.state !== 'sent'));
    await road.apple.call('DELETE', '/sim/faults');
  }
  const bodies = (await road.screen()).filter(m => m.from === 'business').map(m => m.message.body);
  assert.equal(new Set(bodies).size, bodies.length, 'none twice');
  assert.ok((await road.apple.get('/sim/counters')).repeats >= 1, 'a repeat had the same id');
  await road.apple.post('/sim/faults', {duplicate_share: 1});
  await road.send({type: 'text', text: 'twice?'});
  await road.deskHas('the text', m => m.text === 'twice?');
  await road.apple.call('DELETE', '/sim/faults');
  await road.apple.post('/sim/guests/1/again');
  await road.send({type: 'text', text: 'end'});
  const {c: after} = await road.deskHas('the text behind it', m => m.text === 'end');
  assert.equal(after.messages.filter(m => m.text === 'twice?').length, 1);
});

test('a closed conversation is written to no more, until the guest writes again', async t => {
  const road = await startRoad(t);
  const c = await hello(road);
  const before = (await road.apple.get('/sim/counters')).taken;
  await road.send({type: 'close'});
  await until('it was taken', async () => (await road.apple.get('/sim/counters')).taken > before);
  const calls = (await road.apple.get('/sim/counters')).calls;
  await road.agent(c, {text: 'Wait'});
  await until('the desk is told', async () => (await road.desk.get(`/sim/conversations/${c.id}`)).messages.find(m => m.from === 'agent' && m.state === 'failed'));
  assert.equal((await road.apple.get('/sim/counters')).calls, calls, 'nothing went out');
  const again = await hello(road, 'Here I am again');
  await road.agent(again, {text: 'Welcome back'});
  await road.guestHas('the answer', m => m.message.body === 'Welcome back');
});

test('a conversation that is closed while a file is on its way is not written to either', async t => {
  const calls = [];
  let asked, goOn;
  const [wanted, free] = [new Promise(r => { asked = r; }), new Promise(r => { goOn = r; })];
  const between = async url => { // hands on what the hub asks of Apple, room for a file only when it may
    const door = createServer(async (q, a) => {
      const body = []; for await (const d of q) body.push(d);
      calls.push(q.url);
      if (q.url.endsWith('/preUpload')) { asked(); await free; }
      const {host, connection, 'content-length': length, ...headers} = q.headers;
      const r = await fetch(url + q.url, {method: q.method, headers, body: q.method === 'POST' ? Buffer.concat(body) : undefined});
      a.writeHead(r.status, {'content-type': 'application/json'}).end(Buffer.from(await r.arrayBuffer()));
    });
    await new Promise(done => door.listen(0, '127.0.0.1', done));
    t.after(() => { goOn(); door.closeAllConnections(); door.close(); });
    return `http://127.0.0.1:${door.address().port}`;
  };
  const road = await startRoad(t, {between});
  const c = await hello(road);
  await road.agent(c, {text: 'Look', attachment: {base64: randomBytes(2000).toString('base64'), name: 'a.png', mime: 'image/png'}});
  await wanted;
  const {taken} = await road.counters();
  await road.send({type: 'close'});
  await until('it was taken', async () => (await road.counters()).taken > taken);
  goOn();
  await until('the desk is told', async () => (await road.desk.get(`/sim/conversations/${c.id}`)).messages.find(m => m.from === 'agent' && m.state === 'failed'));
  assert.deepEqual(calls, ['/v1/preUpload'], 'no message went out');
});

test('a business asks to be registered, once', async t => {
  const road = await startRoad(t);
  const page = async (query, form) => {
    const r = await fetch(`${road.hub.base}/amb/register${query}`, form && {method: 'POST', body: new URLSearchParams(form)});
    return {status: r.status, text: await r.text(), csp: r.headers.get('content-security-policy')};
  };
  assert.equal((await page('?id=..%2F')).status, 400);
  assert.match((await page(`?id=${business}`)).text, /already registered/);
  const first = await page('?id=new-business-1&name=%3Cb%3EInn%3C%2Fb%3E');
  assert.match(first.text, /&lt;b&gt;Inn&lt;\/b&gt;/);
  assert.match(first.csp, /default-src 'none'/);
  assert.equal((await page('', {id: 'new-business-1', name: 'Inn', email: 'nobody'})).status, 422);
  assert.match((await page('', {id: 'new-business-1', name: 'Inn', email: 'a@example.com'})).text, /Thank you/);
  assert.match((await page('', {id: 'new-business-1', name: 'Other', email: 'b@example.com'})).text, /has been sent/);
});

test('a large answer comes by reference: fetched, decrypted, decoded', async t => {
  const road = await startRoad(t);
  const c = await hello(road);
  await road.agent(c, {text: JSON.stringify({data: {listPicker: {multipleSelection: true, sections: [{title: 'Rooms', multipleSelection: true,
    items: [{identifier: 'twin', title: 'Twin'}, {identifier: 'suite', title: 'Suite'}]}]}}})});
  await road.guestHas('the picker', m => m.message.interactiveData);
  await road.send({type: 'pick', titles: ['Twin', 'Suite'], large: true});
  const {m} = await road.deskHas('both rooms', x => x.text === 'Twin, Suite');
  assert.equal(m.button?.payload ?? 'twin,suite', 'twin,suite');
});

// What the business's side of it is: the provider (the simulator plays it), and a payment service.
const oauth = url => ({'oauth.client_id': 'hub', 'oauth.client_secret': 'hush-hush', 'oauth.token_url': `${url}/oauth/token`, 'oauth.userinfo_url': `${url}/oauth/userinfo`});
const nested = flat => Object.entries(flat).reduce((o, [k, v]) => { const [a, b] = k.split('.'); (o[a] ??= {})[b] = v; return o; }, {});

for (const [way, capabilities] of [['newer', 'LIST,AUTH,AUTH2'], ['older', 'LIST,AUTH']])
  test(`signing in, the ${way} way: the desk learns who it is, and never the token`, async t => {
    const road = await startRoad(t, {apple: url => nested(oauth(url))});
    const c = await hello(road, 'Hi', {capabilities});
    await road.agent(c, {text: JSON.stringify({data: {authenticate: {}}, receivedMessage: {title: 'Please sign in'}})});
    const {message} = await road.guestHas('the request', m => m.message.interactiveData?.data?.authenticate);
    assert.equal(Boolean(message.interactiveData.data.authenticate.oauth2.responseEncryptionKey), way === 'older');
    await road.send({type: 'sign_in', capabilities});
    const {c: after} = await road.deskHas('that it is done', m => m.text === 'Signed in');
    assert.equal(after.attributes.signedInId, 'user-1');
    assert.equal(after.attributes.signedInEmail, 'guest1@example.com');
    assert.doesNotMatch(JSON.stringify(after), /at-urn|"token"/);
    assert.doesNotMatch(road.programs.hub.text(), /at-urn|hush-hush/);
    if (way === 'older') return;
    await road.send({type: 'sign_in', capabilities, deny: true});
    await road.deskHas('that it failed', m => /^Failed \(sign-in\)/.test(m.text ?? ''));
    assert.equal((await fetch(`${road.hub.base}/amb/oauth/callback?code=x&state=forged.forged`, {redirect: 'manual'})).status, 400);
  });

test('Apple Pay: the session, the request, the gateway of the business, and what the desk hears', async t => {
  const seen = [];
  let status = 'STATUS_SUCCESS';
  const gateway = createServer((q, a) => { let body = ''; q.on('data', d => { body += d; }).on('end', () => { seen.push(JSON.parse(body)); a.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({status})); }); });
  await new Promise(done => gateway.listen(0, '127.0.0.1', done));
  t.after(() => gateway.close());
  const road = await startRoad(t, {apple: url => nested({'pay.merchant_id': 'merchant.com.example', 'pay.merchant_name': 'Example Hotel', 'pay.session_url': `${url}/paymentservices/paymentSession`,
    'pay.gateway_url': `http://127.0.0.1:${gateway.address().port}/charge`, 'pay.domain_association': '7B227073'})});
  const c = await hello(road);
  const request = {data: {payment: {paymentRequest: {countryCode: 'JP', currencyCode: 'JPY', lineItems: [{label: 'Night', amount: '12000', type: 'final'}], total: {label: 'Hotel', amount: '12000', type: 'final'}}}},
    receivedMessage: {title: 'Your stay'}};
  await road.agent(c, {text: JSON.stringify(request)});
  const {message} = await road.guestHas('the request', m => m.message.interactiveData?.data?.payment);
  assert.match(message.interactiveData.data.payment.merchantSession.merchantSessionIdentifier, /^SSH/);
  await road.send({type: 'pay'});
  await road.deskHas('that it is paid', m => m.text === 'Paid');
  assert.equal(seen.length, 1, 'charged once');
  assert.equal(seen[0].payment.paymentToken.paymentMethod.network, 'Visa');
  status = 'declined';
  await road.send({type: 'pay'});
  await road.deskHas('that it is not', m => /^Failed \(payment\)/.test(m.text ?? ''));
  const {endpoints} = message.interactiveData.data.payment;
  assert.equal((await fetch(endpoints.fallbackUrl)).status, 200);
  assert.equal((await fetch(endpoints.paymentGatewayUrl.replace(/pay\/[0-9a-f]+/, `pay/${'0'.repeat(32)}`), {method: 'POST', body: '{}'})).status, 404, 'not without the secret');
  assert.equal((await fetch(endpoints.paymentGatewayUrl, {method: 'POST', body: '[]'})).status, 400);
  assert.equal((await fetch(endpoints.orderTrackingUrl, {method: 'PUT', body: '[]'})).status, 405);
  await until('both are logged', async () => /"http_status":405/.test(road.programs.hub.text()) && /"http_status":400/.test(road.programs.hub.text()));
  assert.equal(road.programs.hub.text().includes(/pay\/([0-9a-f]+)/.exec(endpoints.paymentGatewayUrl)[1]), false, 'the secret in the address is in no log');
  assert.equal(await (await fetch(`${road.hub.base}/.well-known/apple-developer-merchantid-domain-association`)).text(), '7B227073');
});
