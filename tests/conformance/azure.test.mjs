// Azure Blob Storage against Azurite, Microsoft's own stand-in, with Microsoft's library as the other reader and writer.
import test, {after, before} from 'node:test';
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {freePort, startRoad, until} from '../e2e/harness.mjs';
import {need} from '../npm/need.mjs';
import {between, sha256, shelf} from './storage.mjs';

const {BlobServiceClient, StorageSharedKeyCredential} = need('@azure/storage-blob');
const account = 'hubaccount', account_key = Buffer.from('hub-test-account-key-32-bytes-long!!0123456789abcdef0123456789ab').toString('base64');
const container = 'attachments';
let port, url, sdk, box, azurite, dir;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dragoman-azurite-'));
  port = await freePort();
  const main = join(dirname(need.resolve('azurite/package.json')), 'dist/src/blob/main.js');
  // Their newest library asks for a version that their stand-in does not know yet.
  azurite = spawn(process.execPath, [main, '--blobPort', String(port), '--inMemoryPersistence', '--skipApiVersionCheck', '--disableTelemetry', '--silent'],
    {env: {...process.env, AZURITE_ACCOUNTS: `${account}:${account_key}`}, cwd: dir, stdio: ['ignore', 'ignore', 'inherit']});
  url = `http://127.0.0.1:${port}/${account}`;
  await until('Azurite', async () => (await fetch(url)).status > 0, 30000);
  box = new BlobServiceClient(url, new StorageSharedKeyCredential(account, account_key));
  sdk = box.getContainerClient(container);
  await sdk.create();
});
after(async () => {
  const gone = new Promise(r => azurite.on('exit', r));
  azurite.kill();
  await gone;
  rmSync(dir, {recursive: true, force: true});
});
const azure = (more = {}) => ({type: 'azure', account, account_key, container, endpoint: url, ...more});
const blobOf = handle => JSON.parse(handle).blob;

test('what we store their library reads, by name and by link; the link serves ranges', async t => {
  const it = shelf(t, azure({prefix: '/dragoman/'}));
  assert.equal((await it.run('check')).out, 'it: works\n');
  const bytes = randomBytes(300000);
  const put = await it.put(it.file('猫 & dog.png', bytes), 'image/png');
  assert.match(blobOf(put.handle), /^dragoman\/trial\/trial\/[0-9a-f]{32}\/[A-Za-z0-9._-]+\.png$/);
  const blob = sdk.getBlobClient(blobOf(put.handle));
  assert.deepEqual(await blob.downloadToBuffer(), bytes);
  const about = await blob.getProperties();
  assert.equal(about.contentType, 'image/png');
  assert.equal(about.cacheControl, 'private, max-age=300');
  assert.match(about.contentDisposition, /^inline; filename=".*\.png"; filename\*=UTF-8''%E7%8C%AB%20&%20dog\.png$/);
  const link = await it.url(put.handle);
  const part = await fetch(link, {headers: {range: 'bytes=1000-1999'}});
  assert.equal(part.status, 206);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(1000, 2000));
  assert.equal((await fetch(link, {method: 'HEAD'})).status, 200);
  assert.ok((await fetch(link.replace(/\?.*/, ''))).status >= 400, 'without the signature it is closed');
  assert.equal((await fetch(link.replace(/se=20\d\d/, 'se=2001'))).status, 403);
  assert.equal((await fetch(link, {method: 'DELETE'})).status, 403, 'the link only reads');
  assert.deepEqual(await it.get(put.handle), bytes);
  assert.equal((await it.run('delete', 'it', put.handle)).out, 'deleted\n');
  assert.equal((await it.run('delete', 'it', put.handle)).out, 'was not there\n');
  assert.equal((await fetch(link)).status, 404);
});

test('what their library stores we read, whatever its name; a long file goes in blocks', async t => {
  const it = shelf(t, azure());
  for (const name of ['plain.txt', 'a b+é~/ü%20&.bin', '日本/猫.png']) {
    const bytes = randomBytes(70000);
    await sdk.getBlockBlobClient(name).uploadData(bytes);
    const handle = JSON.stringify({container, blob: name});
    assert.deepEqual(await it.get(handle), bytes);
    assert.deepEqual(Buffer.from(await (await fetch(await it.url(handle))).arrayBuffer()), bytes);
    assert.equal((await it.run('delete', 'it', handle)).out, 'deleted\n');
    assert.equal(await sdk.getBlobClient(name).exists(), false);
  }
  const bytes = randomBytes(20 << 20);
  const put = await it.put(it.file('long.bin', bytes));
  assert.equal(put.sha256, sha256(bytes));
  const blob = sdk.getBlockBlobClient(blobOf(put.handle));
  assert.deepEqual((await blob.getBlockList('committed')).committedBlocks.map(b => Number(b.size)), [8 << 20, 8 << 20, 4 << 20]);
  assert.equal(sha256(await blob.downloadToBuffer()), sha256(bytes));
  assert.equal((await blob.getProperties()).contentType, 'application/octet-stream');
  assert.equal(sha256(await it.get(put.handle)), sha256(bytes));
});

test('connection strings, public containers, a CDN', async t => {
  const text = shelf(t, {type: 'azure', container, connection_string: `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${account_key};BlobEndpoint=${url}/;`});
  assert.equal((await text.run('check')).out, 'it: works\n');
  const closed = await shelf(t, azure({public: true})).run('check');
  assert.match(closed.err, /a file was stored, but its link answers 40\d: the container does not allow anonymous reads/);
  await box.getContainerClient('open').create({access: 'blob'});
  const open = shelf(t, azure({container: 'open', public: true}));
  assert.equal((await open.run('check')).out, 'it: works\n');
  const put = await open.put(open.file('a.txt', 'for everyone'), 'text/plain');
  assert.equal(await open.url(put.handle), `${url}/open/${blobOf(put.handle)}`);
  const cdn = shelf(t, azure({container: 'open', cdn_url: `${url}/open/`}));
  assert.equal((await cdn.run('check')).out, 'it: works\n');
  assert.equal(await (await fetch(await cdn.url(put.handle))).text(), 'for everyone');
});

const xml = (status, code, headers = '') => `HTTP/1.1 ${status} X\r\nx-ms-error-code: ${code}\r\n${headers}content-length: 0\r\nconnection: close\r\n\r\n`;

test('what is wrong is said so that an operator knows what to do', async t => {
  const wrong = Buffer.alloc(64, 7).toString('base64');
  const rows = [
    [{account_key: wrong}, /403 AuthorizationFailure: the account key is wrong, or was renewed/],
    [{container: 'nowhere'}, /404 ContainerNotFound: there is no such container/],
    [{endpoint: `http://127.0.0.1:1/${account}`}, /Azure Blob Storage does not answer: Couldn't connect to server/],
  ];
  await Promise.all(rows.map(async ([more, want]) => {
    const r = await shelf(t, azure(more)).run('check');
    assert.equal(r.code, 1);
    assert.match(r.err, want);
    assert.ok(!r.err.includes(account_key) && !r.err.includes(wrong));
  }));
  const wire = await between(t, port), it = shelf(t, azure({endpoint: `${wire.url}/${account}`}));
  const says = async (answer, times = 1000) => { wire.answer(answer, times); const r = await it.run('check'); wire.answer('', 0); return r; };
  assert.match((await says(xml(403, 'AuthenticationFailed'))).err, /403 AuthenticationFailed: the account key is wrong, or was renewed/);
  assert.match((await says(xml(403, 'KeyBasedAuthenticationNotPermitted'))).err, /the account does not allow account keys/);
  assert.match((await says(xml(403, 'AccountIsDisabled'))).err, /the storage account is disabled/);
  assert.match((await says(xml(503, 'ServerBusy', 'retry-after: 1\r\n'))).err, /503 ServerBusy: it is asked too much at once/);
  const bad = await shelf(t, azure({account_key: 'not base64!'})).run('check');
  assert.equal(bad.code, 2);
  assert.match(bad.err, /storages\[0\]\.account_key: is no account key/);
});

test('cut in the middle and told that it is busy, a file arrives whole', async t => {
  const wire = await between(t, port), it = shelf(t, azure({endpoint: `${wire.url}/${account}`}));
  const bytes = randomBytes(20 << 20), path = it.file('cut.bin', bytes);
  wire.cutAfter(3 << 20, 2);
  const put = await it.put(path);
  assert.equal(wire.cuts, 2);
  assert.equal(sha256(await sdk.getBlobClient(blobOf(put.handle)).downloadToBuffer()), sha256(bytes));
  wire.answer(xml(503, 'ServerBusy'), 3);
  assert.equal((await it.put(path)).sha256, sha256(bytes));
  assert.equal(wire.answered, 3);
});

test('a hub keeps pictures in it, hands out SAS links, and purges', async t => {
  const road = await startRoad(t, {hub: {storages: [{name: 'blobs', ...azure({prefix: 'road'}), purge_delay_seconds: 1}]}, desk: {storage: 'blobs'}});
  await until('the storage is checked', async () => (await road.hub.get('/healthz/readiness?worker')).storages.every(s => s.works));
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'hello'});
  const c = await until('at the desk', async () => (await road.desk.get('/sim/conversations')).conversations[0]);
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {attachment: {base64: png, name: 'a.png', mime: 'image/png'}});
  const link = await until('the link on the phone', async () =>
    (await road.line.get('/sim/guests/1/messages')).messages.find(m => m.from === 'account' && m.message.type === 'image')?.message.originalContentUrl);
  assert.ok(link.startsWith(`${url}/${container}/road/`), link);
  assert.deepEqual(Buffer.from(await (await fetch(link)).arrayBuffer()), Buffer.from(png, 'base64'));
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await until('gone', async () => (await fetch(link)).status === 404, 20000);
});
