// Google Cloud Storage: our simulator, which Google's own library (@google-cloud/storage) drives and reads, and the hub's storage on it.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createSign, randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, ready, startRoad, until} from '../e2e/harness.mjs';
import {need} from '../npm/need.mjs';
import {between, sha256, shelf} from './storage.mjs';

const {Storage} = need('@google-cloud/storage');
const {OAuth2Client} = need('google-auth-library');
const bucket = 'hub-attachments';

async function startGoogle(t, args = []) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-gcs-')), port = await freePort();
  const sim = new Program(dir, 'gcs', ['sim', 'gcs', '--listen', `127.0.0.1:${port}`, ...args]).start();
  t.after(async () => {
    const how = await sim.stop();
    if (how.code) { console.error(sim.text().slice(-3000)); process.exitCode = 1; }
    rmSync(dir, {recursive: true, force: true});
  });
  const url = `http://127.0.0.1:${port}`;
  await ready(sim, `${url}/sim/counters`);
  const api = new Api(url), file = await api.get('/sim/service-account');
  // The token by hand: their library asks Google itself for it, wherever the storage is.
  const part = o => Buffer.from(JSON.stringify(o)).toString('base64url'), now = Math.floor(Date.now() / 1000);
  const text = `${part({alg: 'RS256', typ: 'JWT', kid: file.private_key_id})}.${part({iss: file.client_email, scope: 'https://www.googleapis.com/auth/devstorage.full_control', aud: file.token_uri, iat: now, exp: now + 3600})}`;
  const assertion = `${text}.${createSign('RSA-SHA256').update(text).sign(file.private_key, 'base64url')}`;
  const token = await (await fetch(file.token_uri, {method: 'POST', body: new URLSearchParams({grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion})})).json();
  const authClient = new OAuth2Client();
  authClient.setCredentials({access_token: token.access_token, expiry_date: Date.now() + 3000000});
  const sdk = new Storage({apiEndpoint: url, projectId: file.project_id, authClient, useAuthWithCustomEndpoint: true, retryOptions: {autoRetry: false}});
  // 7.22.0 forgets useAuthWithCustomEndpoint for resumable uploads: the header by hand.
  sdk.interceptors.push({request: o => ({...o, headers: {...o.headers, Authorization: `Bearer ${token.access_token}`}})});
  const signer = new Storage({apiEndpoint: url, projectId: file.project_id, credentials: file});
  const gcs = (more = {}) => ({type: 'gcs', service_account: JSON.stringify(file), bucket, endpoint: url, ...more});
  return {url, port, api, file, sdk: sdk.bucket(bucket), signer: signer.bucket(bucket), storage: sdk, gcs};
}
const objectOf = handle => JSON.parse(handle).object;

test('their library stores, reads, lists, signs and deletes on our simulator', async t => {
  const g = await startGoogle(t);
  const bytes = randomBytes(700000);
  await g.sdk.file('a b+é~/猫.png').save(bytes, {resumable: false, contentType: 'image/png', validation: 'crc32c'});
  await g.sdk.file('slow.bin').save(bytes, {resumable: true, validation: 'md5'});
  await g.sdk.file('chunks.bin').save(bytes, {resumable: true, chunkSize: 262144});
  for (const name of ['a b+é~/猫.png', 'slow.bin', 'chunks.bin']) assert.deepEqual((await g.sdk.file(name).download())[0], bytes);
  assert.equal((await g.sdk.file('slow.bin').getMetadata())[0].size, String(bytes.length));
  assert.deepEqual((await g.sdk.file('slow.bin').download({start: 10, end: 19, validation: false}))[0], bytes.subarray(10, 20));
  assert.deepEqual((await g.sdk.getFiles({prefix: 'slow'}))[0].map(f => f.name), ['slow.bin']);
  const [link] = await g.signer.file('a b+é~/猫.png').getSignedUrl({version: 'v4', action: 'read', expires: Date.now() + 60000});
  assert.deepEqual(Buffer.from(await (await fetch(link)).arrayBuffer()), bytes);
  assert.equal((await fetch(link.replace(/Expires=\d+/, 'Expires=61'))).status, 403);
  assert.equal((await fetch(link, {method: 'HEAD'})).status, 403, 'the method is signed');
  const plain = `${g.url}/${bucket}/slow.bin`;
  assert.equal((await fetch(plain)).status, 403);
  await g.sdk.file('slow.bin').makePublic();
  assert.equal((await fetch(plain)).status, 200);
  await g.sdk.file('slow.bin').delete();
  await assert.rejects(g.sdk.file('slow.bin').download(), e => e.code === 404);
  await assert.rejects(g.storage.bucket('nowhere').file('x').save('x', {resumable: false}), e => e.code === 404);
});

test('what we store their library reads, by name and by link; the link serves ranges', async t => {
  const g = await startGoogle(t), it = shelf(t, g.gcs({prefix: 'dragoman'}));
  assert.deepEqual(await it.run('check').then(r => [r.err, r.out]), ['', 'it: works\n']);
  const bytes = randomBytes(300000);
  const put = await it.put(it.file('猫 & dog.png', bytes), 'image/png');
  assert.match(objectOf(put.handle), /^dragoman\/trial\/trial\/[0-9a-f]{32}\/[A-Za-z0-9._-]+\.png$/);
  const file = g.sdk.file(objectOf(put.handle));
  assert.deepEqual((await file.download())[0], bytes);
  const [about] = await file.getMetadata();
  assert.equal(about.contentType, 'image/png');
  assert.equal(about.cacheControl, 'private, max-age=300');
  assert.match(about.contentDisposition, /^inline; filename=".*\.png"; filename\*=UTF-8''%E7%8C%AB%20&%20dog\.png$/);
  const link = await it.url(put.handle);
  const part = await fetch(link, {headers: {range: 'bytes=1000-1999'}});
  assert.equal(part.status, 206);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(1000, 2000));
  assert.equal((await fetch(link.replace(/\?.*/, ''))).status, 403);
  assert.deepEqual(await it.get(put.handle), bytes);
  assert.equal((await it.run('delete', 'it', put.handle)).out, 'deleted\n');
  assert.equal((await it.run('delete', 'it', put.handle)).out, 'was not there\n');
  assert.equal((await fetch(link)).status, 404);
});

test('our link and theirs for the same object at the same moment are the same', async t => {
  const g = await startGoogle(t), it = shelf(t, g.gcs());
  const object = 'a b+é~/ü%20&.bin', handle = JSON.stringify({bucket, object});
  const ours = new URL(await it.url(handle)), q = ours.searchParams;
  const at = q.get('X-Goog-Date').replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z');
  const [theirs] = await g.signer.file(object).getSignedUrl({version: 'v4', action: 'read', accessibleAt: new Date(at), expires: Date.parse(at) + Number(q.get('X-Goog-Expires')) * 1000});
  assert.equal(new URL(theirs).searchParams.get('X-Goog-Signature'), q.get('X-Goog-Signature'));
  assert.equal(new URL(theirs).pathname, ours.pathname);
});

test('what their library stores we read; a long file goes by a resumable upload, also where only a part of a chunk is taken', async t => {
  const g = await startGoogle(t), it = shelf(t, g.gcs());
  for (const name of ['plain.txt', 'a b+é~/ü%20&.bin', '日本/猫.png']) {
    const bytes = randomBytes(70000);
    await g.sdk.file(name).save(bytes, {resumable: false});
    const handle = JSON.stringify({bucket, object: name});
    assert.deepEqual(await it.get(handle), bytes);
    assert.deepEqual(Buffer.from(await (await fetch(await it.url(handle))).arrayBuffer()), bytes);
    assert.equal((await it.run('delete', 'it', handle)).out, 'deleted\n');
  }
  for (const n of [8 << 20, (8 << 20) + 1, 16 << 20, 20 << 20]) {
    const bytes = randomBytes(n);
    const put = await it.put(it.file('long.bin', bytes));
    assert.equal(put.sha256, sha256(bytes));
    assert.equal(sha256((await g.sdk.file(objectOf(put.handle)).download())[0]), sha256(bytes));
  }
  const bytes = randomBytes(20 << 20);
  await g.api.post('/sim/state', {take: 3 * 262144});
  const put = await it.put(it.file('short.bin', bytes));
  assert.equal(sha256((await g.sdk.file(objectOf(put.handle)).download())[0]), sha256(bytes));
  assert.equal((await g.api.get('/sim/counters')).chunks, 1 + 2 + 2 + 3 + 4 - 1, 'one chunk in two pieces; the short file was no upload in chunks');
});

test('fields typed one by one, public buckets, uniform access', async t => {
  const g = await startGoogle(t);
  const {project_id, client_id, client_email, private_key_id, private_key} = g.file;
  const typed = await shelf(t, {type: 'gcs', bucket, endpoint: g.url, token_url: g.file.token_uri, project_id, client_id, client_email, private_key_id, private_key: private_key.replaceAll('\n', '\\n')}).run('check');
  assert.equal(typed.out, 'it: works\n', typed.err);
  const open = shelf(t, g.gcs({public: true}));
  assert.equal((await open.run('check')).out, 'it: works\n');
  const put = await open.put(open.file('a.txt', 'for everyone'), 'text/plain');
  assert.equal(await open.url(put.handle), `${g.url}/${bucket}/${objectOf(put.handle)}`);
  await g.api.post('/sim/state', {uniform: true});
  const uniform = await open.run('check');
  assert.equal(uniform.code, 1);
  assert.match(uniform.err, /a file was stored, but its link answers 403: not everyone may read the bucket/);
  assert.equal((await shelf(t, g.gcs()).run('check')).out, 'it: works\n', 'signed links need no ACL');
});

test('what is wrong is said so that an operator knows what to do', async t => {
  const g = await startGoogle(t), it = shelf(t, g.gcs());
  const other = await startGoogle(t);
  const says = async (state, storage = it) => { await g.api.post('/sim/state', state); return (await storage.run('check')).err; };
  assert.match(await says({revoked: true}), /400 invalid_grant: the key of the service account is not accepted; it was deleted or revoked/);
  assert.match(await says({revoked: false, forbidden: true}), /403 forbidden: the service account needs the role Storage Object Admin/);
  assert.match(await says({forbidden: false}, shelf(t, g.gcs({bucket: 'nowhere'}))), /404 notFound: there is no such bucket/);
  const wrong = {...other.file, token_uri: g.file.token_uri};
  assert.match(await says({}, shelf(t, g.gcs({service_account: JSON.stringify(wrong)}))), /400 invalid_grant/);
  await g.api.post('/sim/faults', {paths: ['/upload/*'], status: 429, retry_after_s: 1});
  assert.match(await says({}), /429 rateLimitExceeded: it is asked too much at once/);
  await g.api.call('DELETE', '/sim/faults');
  for (const [service_account, want] of [['{', /storages\[0\]\.service_account: is no key file/], ['{"client_email":"x"}', /private_key: is missing|private_key/],
    [JSON.stringify({...g.file, private_key: 'x'}), /the private key cannot be used/]]) {
    const r = await shelf(t, g.gcs({service_account})).run('check');
    assert.equal(r.code, 2);
    assert.match(r.err, want);
    assert.ok(!r.err.includes(g.file.private_key.slice(40, 100)));
  }
});

test('a token that expires or is refused is asked for anew; errors and lost answers on the way lose nothing', async t => {
  const g = await startGoogle(t, ['--token-life-s', '2']), it = shelf(t, g.gcs());
  const bytes = randomBytes(20 << 20), path = it.file('a.bin', bytes);
  for (const rules of [[{paths: ['/upload/*'], status: 503, times: 2}], [{paths: ['/upload/*'], reset_after_share: 1, times: 1, skip: 1}],
    [{paths: ['/upload/*'], reset_before_share: 1, times: 2, skip: 1}], [{paths: ['/upload/*'], status: 401, times: 1}]]) {
    await g.api.post('/sim/faults', {rules});
    const put = await it.put(path);
    assert.equal(put.sha256, sha256(bytes), JSON.stringify(rules));
    assert.equal(sha256(await it.get(put.handle)), sha256(bytes));
    await it.run('delete', 'it', put.handle);
  }
  await g.api.call('DELETE', '/sim/faults');
  const wire = await between(t, g.port), cut = shelf(t, g.gcs({endpoint: wire.url}));
  wire.cutAfter(3 << 20, 1);
  assert.equal((await cut.put(path)).sha256, sha256(bytes));
});

test('a hub keeps what agents send in it, with links of the hub where they should live for ever, and purges', async t => {
  const g = await startGoogle(t);
  const road = await startRoad(t, {hub: {link_hours: 0, storages: [{name: 'google', ...g.gcs({prefix: 'road'}), purge_delay_seconds: 1}], default_storage: 'google'}});
  await until('the storage is checked', async () => (await road.hub.get('/healthz/readiness?worker')).storages.every(s => s.works));
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'hello'});
  const c = await until('at the desk', async () => (await road.desk.get('/sim/conversations')).conversations[0]);
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {attachment: {base64: png, name: 'a.png', mime: 'image/png'}});
  const link = await until('the link on the phone', async () =>
    (await road.line.get('/sim/guests/1/messages')).messages.find(m => m.from === 'account' && m.message.type === 'image')?.message.originalContentUrl);
  assert.ok(link.startsWith(`${road.hub.base}/media/`), link);
  assert.deepEqual(Buffer.from(await (await fetch(link)).arrayBuffer()), Buffer.from(png, 'base64'));
  assert.equal((await fetch(link, {method: 'HEAD'})).status, 200, 'HEAD has a signature of its own');
  // What cannot be deleted is seen, and stays to be tried again.
  await g.api.post('/sim/state', {forbidden: true});
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await until('seen', async () => /media_purged_total\{storage="google",result="failed"\} 1\n/.test(await (await fetch(`${road.hub.base}/metrics`)).text()), 20000);
  assert.match(road.programs.hub.text(), /An attachment could not be deleted; it will be tried again/);
  assert.equal((await g.api.get('/sim/objects')).objects.length, 1);
});
