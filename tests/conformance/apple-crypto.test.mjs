// Apple's side of the cryptography a second time, by node:crypto: the known vectors, and a hub that meets an Apple made of it.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createCipheriv, createDecipheriv, createECDH, createHash, createHmac, randomBytes, randomUUID} from 'node:crypto';
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {createServer as createTlsServer} from 'node:https';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {business, mspId, secret, startRoad} from '../e2e/apple.mjs';
import {until} from '../e2e/harness.mjs';

const key = Buffer.from(secret, 'base64');
const b64 = x => Buffer.from(x).toString('base64url');
const jwt = (head, claims) => { const text = `${b64(head)}.${b64(claims)}`; return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`; };
const ctr = (k, bytes) => { const c = createCipheriv('aes-256-ctr', k, Buffer.alloc(16)); return Buffer.concat([c.update(bytes), c.final()]); };
const hash = bytes => createHash('sha256').update(bytes).digest();
// X9.63 of the shared x, the sender's point being the shared information: 32 bytes of key, 16 of IV.
const derived = (z, point) => { const part = n => hash(Buffer.concat([z, Buffer.from([0, 0, 0, n]), point])); return Buffer.concat([part(1), part(2)]).subarray(0, 48); };
function open(own, sealed) {
  const point = sealed.subarray(0, 97), all = derived(own.computeSecret(point), point);
  const d = createDecipheriv('aes-256-gcm', all.subarray(0, 32), all.subarray(32));
  d.setAuthTag(sealed.subarray(-16));
  return {all, text: Buffer.concat([d.update(sealed.subarray(97, -16)), d.final()]).toString()};
}
function seal(point, text) {
  const own = createECDH('secp384r1'), from = own.generateKeys(), all = derived(own.computeSecret(point), from);
  const c = createCipheriv('aes-256-gcm', all.subarray(0, 32), all.subarray(32));
  return Buffer.concat([from, c.update(text), c.final(), c.getAuthTag()]);
}

test('the known vectors: tokens both ways, an attachment, a sign-in\'s token', () => {
  assert.equal(jwt('{"alg":"HS256","typ":"JWT"}', `{"iss":"${mspId}","iat":1700000000}`), 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiI2NTNhYmNlMy1kZWFkLTRlZWYtOGZlMy0yNDc2MzRhZGNlNTMiLCJpYXQiOjE3MDAwMDAwMDB9._srvtPGMJ-I6HeUlVMiTZhEUi0AmLpaotLh7iqSzlNA');
  assert.equal(jwt('{"alg":"HS256"}', `{"aud":"${mspId}","iat":1700000000}`), 'eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiI2NTNhYmNlMy1kZWFkLTRlZWYtOGZlMy0yNDc2MzRhZGNlNTMiLCJpYXQiOjE3MDAwMDAwMDB9.5yMC67QlcydmqEUrwzOvkoDgRj_jPOm-WmwudcOMeDU');
  const file = ctr(Buffer.from('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', 'hex'), 'Hello, Messages for Business!\n');
  assert.equal(file.toString('hex'), 'ad0d9aedfbe3569b723e3fa12475db74f77a6c7d490f6c72aeb2dfa38f34');
  assert.equal(Buffer.from('8196c8cb0a4838abc9139cc27599b3e689e2c4826f', 'hex').toString('base64'), 'gZbIywpIOKvJE5zCdZmz5onixIJv');
  const own = createECDH('secp384r1');
  own.setPrivateKey(Buffer.from('0'.repeat(32) + '1234567890abcdef'.repeat(4), 'hex'));
  assert.equal(own.getPublicKey('base64'), 'BMeH03wFwsGZoSx+hbqiNUqq2DJgwIoVbc5hGzzfzhcHbyj8ZjyKX3S4LpEFleLWtcjMLNgfcdwTE01V8a4gqNcO5SrdO5qwOH6W77LM+ubaa4ESiZCxoULCv8JhGYAXZg==');
  const {all, text} = open(own, Buffer.from('BMhxV0CLrdD1cA9/cwcZkwsnSPlEsBkVJTZtKbm9NDAjDF6HgocCno5sLzbQcwyQtHmi8Fe+69rt5Uo/mSf2mVYCL2I4QUX71EL5DfwPFqaM/Se2Il9X5B53uQKiSuu8Uw1IIhN0A8Kk3iVbYwGu11ns6i+gb5onTjdDAKEDSL2KPQwpEBYDjdE=', 'base64'));
  assert.deepEqual([all.subarray(0, 32).toString('hex'), all.subarray(32).toString('hex'), text], ['fb205e91329dd9d1508bcd9e21f664f820cbecb0d840f469862d827e0a0f1723', '4eb2e66b34847436a97eac0b39818f83', 'ya29.sample-access-token']);
});

// An Apple of our own: checks every token, keeps what is sent and uploaded, hands out what it is given.
async function startApple(t) {
  const apple = {sent: [], blobs: new Map(), bad: [], asked: []};
  const server = createServer((q, a) => {
    const parts = [];
    q.on('data', d => parts.push(d)).on('end', () => {
      const body = Buffer.concat(parts), say = (json, status = 200) => a.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(json));
      const [, token] = /^Bearer (.*)$/.exec(q.headers.authorization ?? '') ?? [];
      if (q.url.startsWith('/v1/')) {
        const [head, claims, mac] = (token ?? '..').split('.'), said = JSON.parse(Buffer.from(claims || 'e30', 'base64url'));
        if (createHmac('sha256', key).update(`${head}.${claims}`).digest('base64url') !== mac || said.iss !== mspId || Math.abs(said.iat - Date.now() / 1000) > 60 || q.headers['source-id'] !== business) apple.bad.push(q.url);
      }
      const [path] = q.url.split('?');
      if (path === '/v1/message' || path === '/v1/authenticate') { apple.sent.push({path, ...JSON.parse(body)}); a.end(); }
      else if (path === '/v1/preUpload') say({'upload-url': `${apple.url}/up`, 'mmcs-url': `${apple.url}/blob/up`, 'mmcs-owner': 'M1'});
      else if (path === '/up') { apple.blobs.set('up', body); say({singleFile: {fileChecksum: Buffer.concat([Buffer.from([0x81]), createHash('sha1').update(body).digest()]).toString('base64'), size: body.length}}); }
      else if (path === '/v1/preDownload') say({'download-url': q.headers['mmcs-url'].replace('/blob/', '/get/')});
      else if (path.startsWith('/get/')) a.end(apple.blobs.get(path.slice(5)));
      else if (path === '/v1/decodePayload') { apple.asked.push(q.headers.bid); a.writeHead(200, {'content-type': 'application/json'}).end(body.subarray(4)); }
      else if (path === '/me') say({sub: token === 'ya29.of-node' ? 'node-user' : 'nobody'});
      else say({}, 404);
    });
  });
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  apple.url = `http://127.0.0.1:${server.address().port}`;
  return apple;
}
async function webhook(road, message) {
  const body = {v: 1, id: randomUUID(), sourceId: 'urn:mbid:AQAAYnode', destinationId: business, ...message};
  const r = await fetch(road.hub.base + '/amb/message', {method: 'POST', body: gzipSync(JSON.stringify(body)), headers: {'content-encoding': 'gzip', id: body.id, 'source-id': body.sourceId, 'destination-id': business,
    'capability-list': 'LIST,AUTH', authorization: `Bearer ${jwt('{"alg":"HS256"}', JSON.stringify({aud: mspId, iat: Math.floor(Date.now() / 1000)}))}`}});
  assert.equal(r.status, 200);
}
const bid = 'com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:com.apple.icloud.apps.messages.business.extension';
const interactive = data => ({type: 'interactive', interactiveData: {bid, data: {version: '1.0', ...data}}});

test('a hub and an Apple made of node:crypto understand each other', async t => {
  const apple = await startApple(t);
  const road = await startRoad(t, {between: () => apple.url, apple: () => ({oauth: {client_id: 'hub', token_url: `${apple.url}/token`, userinfo_url: `${apple.url}/me`}})});
  const sent = (what, is) => until(what, () => apple.sent.find(is));
  await webhook(road, {type: 'text', body: 'Hi from node'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi from node');

  await t.test('a file from the hub opens under its key', async () => {
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
    await road.agent(c, {attachment: {base64: png.toString('base64'), name: 'a.png', mime: 'image/png'}});
    const {attachments: [at], body} = await sent('the file', m => m.attachments);
    assert.equal(body, '\ufffc');
    assert.deepEqual(ctr(Buffer.from(at.key.slice(2), 'hex'), apple.blobs.get('up')), png);
    assert.equal(at.size, String(png.length));
  });

  await t.test('a large answer, packed and encrypted here', async () => {
    const answer = interactive({requestIdentifier: 'r', replyMessage: {title: 'The large suite'}, listPicker: {sections: [{items: [{identifier: 's', title: 'Suite'}]}]}});
    const k = randomBytes(32), blob = ctr(k, gzipSync('ENC:' + JSON.stringify({interactiveData: answer.interactiveData})));
    apple.blobs.set('large', blob);
    const signature = Buffer.concat([Buffer.from([0x81]), createHash('sha1').update(blob).digest()]);
    await webhook(road, {type: 'interactive', interactiveDataRef: {bid, title: 'short', url: `${apple.url}/blob/large`, owner: 'M1', key: `00${k.toString('hex')}`, size: String(blob.length), signature: signature.toString('hex')}});
    await road.deskHas('what was in it', m => m.text === 'The large suite');
    assert.deepEqual(apple.asked, [bid]);
  });

  await t.test('a sign-in\'s token, encrypted here to the key of the request', async () => {
    await road.agent(c, {text: JSON.stringify({data: {authenticate: {}}, receivedMessage: {title: 'Sign in'}})});
    const {path, interactiveData: {data}} = await sent('the request', m => m.interactiveData?.data?.authenticate);
    const {oauth2} = data.authenticate;
    assert.equal(path, '/v1/message', 'the older way');
    assert.equal(Buffer.from(oauth2.state, 'base64').length, 24);
    const token = seal(Buffer.from(oauth2.responseEncryptionKey, 'base64'), 'ya29.of-node').toString('base64');
    await webhook(road, interactive({requestIdentifier: data.requestIdentifier, authenticate: {status: 'authenticated', token}}));
    const {c: after} = await road.deskHas('that it is done', m => m.text === 'Signed in');
    assert.equal(after.attributes.signedInId, 'node-user');
  });
  assert.deepEqual(apple.bad, [], 'every call was signed');
});

test('the merchant\'s session is fetched with the merchant\'s certificate', async t => {
  const apple = await startApple(t), seen = [];
  const road = await startRoad(t, {between: () => apple.url, apple: () => ({})});
  const ssl = (...args) => execFileSync('openssl', args, {cwd: road.dir, stdio: 'pipe'});
  for (const [name, subject] of [['server', '/CN=127.0.0.1'], ['merchant', '/CN=merchant.com.example']])
    ssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', subject, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', `${name}.key`, '-out', `${name}.crt`);
  const file = name => readFileSync(join(road.dir, name));
  const gateway = createTlsServer({key: file('server.key'), cert: file('server.crt'), ca: file('merchant.crt'), requestCert: true, rejectUnauthorized: true}, (q, a) => {
    let body = '';
    q.on('data', d => { body += d; }).on('end', () => { seen.push({who: q.socket.getPeerCertificate().subject.CN, ...JSON.parse(body)}); a.end('{"merchantSessionIdentifier":"SSH-node"}'); });
  });
  await new Promise(done => gateway.listen(0, '127.0.0.1', done));
  t.after(() => { gateway.closeAllConnections(); gateway.close(); });
  const config = JSON.parse(readFileSync(road.config));
  Object.assign(config.tenants[0].channels[0], {pay: {merchant_id: 'merchant.com.example', merchant_name: 'Example Hotel', certificate: file('merchant.crt').toString(), private_key: file('merchant.key').toString(),
    session_url: `https://127.0.0.1:${gateway.address().port}/paymentservices/paymentSession`}});
  await road.restart({...config, tls: {ca: join(road.dir, 'server.crt')}});
  await webhook(road, {type: 'text', body: 'I want to pay'});
  const {c} = await road.deskHas('the text', m => m.text === 'I want to pay');
  await road.agent(c, {text: JSON.stringify({data: {payment: {paymentRequest: {countryCode: 'JP', currencyCode: 'JPY', total: {label: 'Hotel', amount: '1', type: 'final'}}}}, receivedMessage: {title: 'Pay'}})});
  const {interactiveData: {data: {payment}}} = await until('the request', () => apple.sent.find(m => m.interactiveData?.data?.payment));
  assert.equal(payment.merchantSession.merchantSessionIdentifier, 'SSH-node');
  assert.deepEqual([seen[0].who, seen[0].initiativeContext], ['merchant.com.example', payment.endpoints.paymentGatewayUrl]);
  assert.ok(!road.programs.hub.text().includes('PRIVATE KEY'), 'no key is logged');
});
