// S3 against Ceph's gateway (a real one, from Debian), with Amazon's own library as the other reader and writer.
import test, {after, before} from 'node:test';
import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import {randomBytes} from 'node:crypto';
import {startRoad, until} from '../e2e/harness.mjs';
import {need} from '../npm/need.mjs';
import {cephIsHere, startCeph} from './ceph.mjs';
import {between, fileSha256, sha256, shelf} from './storage.mjs';

const {S3Client, CreateBucketCommand, GetObjectCommand, GetObjectAclCommand, HeadObjectCommand, PutObjectCommand, ListObjectsV2Command, PutBucketVersioningCommand,
  ListMultipartUploadsCommand} = need('@aws-sdk/client-s3');
const bucket = 'hub-attachments', accessKeyId = 'AKIAHUBTEST000000001', secretAccessKey = 'hub+Test/Secret0123456789abcdefABCDEFGH12';
const here = {skip: cephIsHere ? false : 'Ceph (radosgw ceph-mon ceph-osd) is not installed'};
const bigMiB = Number(process.env.DRAGOMAN_BIG_MIB ?? 256);
let ceph, sdk;

before(async () => {
  ceph = await startCeph({bytes: Math.max(1 << 30, (bigMiB + 512) * (1 << 20))});
  if (!ceph) return;
  sdk = new S3Client({endpoint: ceph.url, region: 'us-east-1', forcePathStyle: true, credentials: {accessKeyId, secretAccessKey},
    requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED'});
  await sdk.send(new CreateBucketCommand({Bucket: bucket}));
});
after(() => ceph?.stop());
const s3 = (more = {}) => ({type: 's3', access_key_id: accessKeyId, secret_access_key: secretAccessKey, bucket, endpoint: ceph.url, ...more});
const keyOf = handle => JSON.parse(handle).key;
const body = async r => Buffer.from(await r.Body.transformToByteArray());

test('what we store their library reads, by key and by link; the link serves ranges', here, async t => {
  const it = shelf(t, s3({prefix: 'dragoman'}));
  assert.equal((await it.run('check')).out, 'it: works\n');
  const bytes = randomBytes(300000);
  const put = await it.put(it.file('猫 & dog.png', bytes), 'image/png');
  assert.equal(put.sha256, sha256(bytes));
  assert.match(keyOf(put.handle), /^dragoman\/trial\/trial\/[0-9a-f]{32}\/[A-Za-z0-9._-]+\.png$/);
  const got = await sdk.send(new GetObjectCommand({Bucket: bucket, Key: keyOf(put.handle)}));
  assert.deepEqual(await body(got), bytes);
  assert.equal(got.ContentType, 'image/png');
  assert.match(got.ContentDisposition, /^inline; filename=".*\.png"; filename\*=UTF-8''%E7%8C%AB%20&%20dog\.png$/);
  assert.equal(got.CacheControl, 'private, max-age=300');
  const url = await it.url(put.handle);
  const part = await fetch(url, {headers: {range: 'bytes=1000-1999'}});
  assert.equal(part.status, 206);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(1000, 2000));
  assert.equal((await fetch(url.replace(/\?.*/, ''))).status, 403, 'without the signature it is closed');
  assert.equal((await fetch(url.replace(/Expires=\d+/, 'Expires=9'))).status, 403, 'and with another time');
  assert.deepEqual(await it.get(put.handle), bytes);
  assert.equal((await it.run('delete', 'it', put.handle)).out, 'deleted\n');
  assert.equal((await fetch(url)).status, 404);
  assert.equal((await it.run('delete', 'it', put.handle)).code, 0, 'what is gone is gone');
});

test('what their library stores we read, whatever its name', here, async t => {
  const it = shelf(t, s3());
  for (const Key of ['plain.txt', 'a b+é~/ü%20&?#.bin', '日本/猫.png']) {
    const bytes = randomBytes(70000);
    await sdk.send(new PutObjectCommand({Bucket: bucket, Key, Body: bytes}));
    const handle = JSON.stringify({bucket, key: Key});
    assert.deepEqual(await it.get(handle), bytes);
    assert.deepEqual(Buffer.from(await (await fetch(await it.url(handle))).arrayBuffer()), bytes);
    assert.equal((await it.run('delete', 'it', handle)).code, 0);
    await assert.rejects(sdk.send(new HeadObjectCommand({Bucket: bucket, Key})), {name: 'NotFound'});
  }
  const missing = await it.run('get', 'it', JSON.stringify({bucket, key: 'nowhere'}));
  assert.equal(missing.code, 1);
});

test('a long file goes in parts, each with its hash; nothing is left of them', here, async t => {
  const it = shelf(t, s3());
  for (const n of [8 << 20, (8 << 20) + 1, 20 << 20]) {
    const bytes = randomBytes(n);
    const put = await it.put(it.file('long.bin', bytes));
    const head = await sdk.send(new HeadObjectCommand({Bucket: bucket, Key: keyOf(put.handle)}));
    assert.equal(head.ContentLength, n);
    assert.equal(/-(\d+)"$/.exec(head.ETag)?.[1], n > 8 << 20 ? String(Math.ceil(n / (8 << 20))) : undefined);
    assert.equal(head.ContentType, 'application/octet-stream');
    assert.equal(sha256(await it.get(put.handle)), sha256(bytes));
    assert.equal(put.sha256, sha256(bytes));
    await it.run('delete', 'it', put.handle);
  }
  assert.deepEqual((await sdk.send(new ListMultipartUploadsCommand({Bucket: bucket}))).Uploads ?? [], []);
});

test(`a file of ${bigMiB} MiB goes through in constant memory, and comes back (DRAGOMAN_BIG_MIB=2048: 2 GiB)`, {...here, timeout: 600000}, async t => {
  const it = shelf(t, s3());
  const small = await it.put(it.big('small.bin', 1 << 20));
  const path = it.big('big.bin', bigMiB * (1 << 20)), want = await fileSha256(path);
  const put = await it.put(path);
  assert.equal(put.sha256, want);
  const extra = put.peak_memory_bytes - small.peak_memory_bytes, back = await it.sum(put.handle);
  t.diagnostic(`peak memory: ${small.peak_memory_bytes >> 20} MiB for 1 MiB, ${put.peak_memory_bytes >> 20} MiB up, ${back.peak >> 20} MiB down`);
  assert.ok(extra < 48 << 20, `${extra} bytes more than for 1 MiB`);
  assert.equal(back.sha256, want);
  assert.ok(back.peak < small.peak_memory_bytes + (48 << 20));
  assert.equal((await it.run('delete', 'it', put.handle)).out, 'deleted\n');
});

test('a bucket that keeps versions is remarked: a purge only hides there', here, async t => {
  await sdk.send(new CreateBucketCommand({Bucket: 'kept'}));
  await sdk.send(new PutBucketVersioningCommand({Bucket: 'kept', VersioningConfiguration: {Status: 'Enabled'}}));
  const it = shelf(t, s3({bucket: 'kept'}));
  assert.equal((await it.run('check')).out, 'it: works; the bucket keeps versions: deleted files are only hidden, until a lifecycle rule expires noncurrent versions\n');
});

test('public_read, host-style addresses and CloudFront', here, async t => {
  const open = shelf(t, s3({public_read: true}));
  assert.equal((await open.run('check')).out, 'it: works\n');
  const put = await open.put(open.file('a.txt', 'for everyone'), 'text/plain');
  const url = await open.url(put.handle);
  assert.equal(url, `${ceph.url}/${bucket}/${keyOf(put.handle)}`);
  assert.equal(await (await fetch(url)).text(), 'for everyone');
  const acl = await sdk.send(new GetObjectAclCommand({Bucket: bucket, Key: keyOf(put.handle)}));
  assert.ok(acl.Grants.some(g => g.Grantee.URI?.endsWith('AllUsers') && g.Permission === 'READ'));

  const host = shelf(t, s3({endpoint: `http://localhost:${ceph.port}`, addressing: 'host'}));
  assert.equal((await host.run('check')).err, '');
  assert.match(await host.url(put.handle), new RegExp(`^http://${bucket}\\.localhost:${ceph.port}/trial/`));

  let allowed = true;      // plays the distribution: reads the bucket with its own rights
  const front = createServer(async (rq, rs) => {
    if (!allowed) return rs.writeHead(403).end();
    const r = await sdk.send(new GetObjectCommand({Bucket: bucket, Key: decodeURIComponent(rq.url.slice(1))}));
    rs.writeHead(200, {'content-type': r.ContentType}).end(await body(r));
  });
  await new Promise(r => front.listen(0, '127.0.0.1', r));
  t.after(() => front.close());
  const cloudfront_url = `http://127.0.0.1:${front.address().port}`;
  const cdn = shelf(t, s3({cloudfront_url}));
  assert.equal((await cdn.run('check')).out, 'it: works\n');
  const behind = await cdn.put(cdn.file('b.txt', 'through the front'), 'text/plain');
  assert.equal(await cdn.url(behind.handle), `${cloudfront_url}/${keyOf(behind.handle)}`);
  assert.equal(await (await fetch(await cdn.url(behind.handle))).text(), 'through the front');
  assert.equal((await fetch(`${ceph.url}/${bucket}/${keyOf(behind.handle)}`)).status, 403, 'the bucket stays closed');
  allowed = false;
  const closed = await cdn.run('check');
  assert.equal(closed.code, 1);
  assert.match(closed.err, /a file was stored, but its link answers 403: does the distribution of cloudfront_url lead to this bucket, and may it read it\?/);
});

test('what is wrong is said so that an operator knows what to do', here, async t => {
  const rows = [
    [{secret_access_key: 'another-secret'}, /403 SignatureDoesNotMatch: the secret access key is wrong/],
    [{access_key_id: 'AKIANOBODY'}, /403 InvalidAccessKeyId: the access key is not known/],
    [{bucket: 'no-such-bucket'}, /404 NoSuchBucket: there is no such bucket/],
    [{endpoint: 'http://127.0.0.1:1'}, /S3 at 127\.0\.0\.1 does not answer: Couldn't connect to server/],
  ];
  await Promise.all(rows.map(async ([more, want]) => {
    const r = await shelf(t, s3(more)).run('check');
    assert.equal(r.code, 1);
    assert.match(r.err, want);
    assert.ok(!r.err.includes(secretAccessKey) && !r.err.includes('another-secret'), 'no secret is told');
  }));
  ceph.user('other', 'AKIAOTHER', 'other-secret');
  const foreign = await shelf(t, s3({access_key_id: 'AKIAOTHER', secret_access_key: 'other-secret'})).run('check');
  assert.match(foreign.err, /403 AccessDenied: the key needs s3:PutObject/);
});

const slowDown = `HTTP/1.1 503 Slow Down\r\ncontent-type: application/xml\r\ncontent-length: 86\r\nretry-after: 1\r\nconnection: close\r\n\r\n` +
  `<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`;
const xml = (status, code, headers = '') => { const b = `<Error><Code>${code}</Code></Error>`; return `HTTP/1.1 ${status} X\r\n${headers}content-length: ${b.length}\r\nconnection: close\r\n\r\n${b}`; };

test('cut in the middle and asked to slow down, a file arrives whole; a part is sent again without asking its sender', here, async t => {
  const wire = await between(t, ceph.port);
  const it = shelf(t, s3({endpoint: wire.url}));
  const bytes = randomBytes(20 << 20), path = it.file('cut.bin', bytes);
  wire.cutAfter(3 << 20, 2);
  const put = await it.put(path);
  assert.equal(wire.cuts, 2);
  assert.equal(sha256(await it.get(put.handle)), sha256(bytes));
  wire.cutBackAfter(3 << 20, 2);
  assert.equal(sha256(await it.get(put.handle)), sha256(bytes), 'reading goes on where it was cut');
  assert.equal(wire.cuts, 4);
  wire.answer(slowDown, 3);
  assert.equal(JSON.parse((await it.run('put', 'it', path)).out).sha256, sha256(bytes));
  assert.equal(wire.answered, 3);
  wire.answer(slowDown, 1000);
  const slow = await it.run('check');
  assert.match(slow.err, /503 SlowDown: it is asked too much at once/);
});

test('answers of Amazon that Ceph does not give: expired tokens, another region, ACLs off, a clock that is off, an error in a 200', here, async t => {
  const wire = await between(t, ceph.port);
  const it = shelf(t, s3({endpoint: wire.url}));
  const says = async (answer, times = 1000) => { wire.answer(answer, times); const r = await it.run('check'); wire.answer('', 0); return r; };
  assert.match((await says(xml(400, 'ExpiredToken'))).err, /400 ExpiredToken: the session token has expired/);
  assert.match((await says(xml(400, 'AccessControlListNotSupported'))).err, /the bucket has no ACLs/);
  assert.match((await says(xml(301, 'PermanentRedirect'))).err, /301 PermanentRedirect: the bucket is in another region/);
  assert.equal((await says(xml(301, 'PermanentRedirect', 'x-amz-bucket-region: eu-west-3\r\n'), 1)).out, 'it: works\n', 'the region it names is used');
  assert.match((await says(xml(403, 'RequestTimeTooSkewed', `date: ${new Date().toUTCString()}\r\n`))).err, /the clock of this machine is wrong/);
  // An hour off, says a liar; Ceph, which knows better, refuses what is signed so, and its Date brings the clock back.
  assert.equal((await says(xml(403, 'RequestTimeTooSkewed', `date: ${new Date(Date.now() + 3600000).toUTCString()}\r\n`), 1)).out, 'it: works\n');
});

test('a hub keeps what guests and agents send in it, hands out its links, and purges once the conversation closed, also after a restart', here, async t => {
  const road = await startRoad(t, {hub: {storages: [{name: 'aws', ...s3({prefix: 'road'}), purge_delay_seconds: 15}], default_storage: 'aws'}});
  const keys = async () => ((await sdk.send(new ListObjectsV2Command({Bucket: bucket, Prefix: 'road/'}))).Contents ?? []).map(o => o.Key).filter(k => !k.includes('/probe/'));
  await until('the storage is checked', async () => (await road.hub.get('/healthz/readiness?worker')).storages.every(s => s.works));
  await road.line.post('/sim/guests/1/send', {type: 'image'});
  const c = await until('the picture at the desk', async () => {
    for (const x of (await road.desk.get('/sim/conversations')).conversations)
      if ((await road.desk.get(`/sim/conversations/${x.id}`)).messages.some(m => m.media?.state === 'kept')) return x;
  });
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {attachment: {base64: png, name: 'a.png', mime: 'image/png'}});
  const url = await until('the link on the phone', async () =>
    (await road.line.get('/sim/guests/1/messages')).messages.find(m => m.from === 'account' && m.message.type === 'image')?.message.originalContentUrl);
  assert.ok(url.startsWith(ceph.url), url);
  assert.deepEqual(Buffer.from(await (await fetch(url)).arrayBuffer()), Buffer.from(png, 'base64'));
  assert.equal((await keys()).length, 2);
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await until('closed', async () => /open_conversations 0/.test(await (await fetch(`${road.hub.base}/metrics`)).text()));
  await road.programs.hub.stop();
  assert.equal((await keys()).length, 2, 'not before its time');
  road.programs.hub.start();
  await until('purged', async () => (await keys()).length === 0, 30000);
  const metrics = await until('both are counted', async () => { const x = await (await fetch(`${road.hub.base}/metrics`)).text(); return /media_purged_total\{storage="aws",result="deleted"\} 2\n/.test(x) && x; });
  assert.match(metrics, /media_purged_total\{storage="aws",result="deleted"\} 2\n/);
  assert.match(metrics, /storage_up\{storage="aws"\} 1\n/);
  assert.ok(!road.programs.hub.text().includes(secretAccessKey));
  assert.doesNotMatch(road.programs.hub.text(), /X-Amz-Signature|Signature=[0-9a-f]/, 'a signed link is a credential');
});

test('while the storage does not work nothing is lost: the local disk stands in, and the purge is tried again', here, async t => {
  const wire = await between(t, ceph.port);
  const denied = xml(403, 'InvalidAccessKeyId');
  wire.answer(denied, 1e6);
  const road = await startRoad(t, {hub: {storages: [{name: 'aws', ...s3({prefix: 'down', endpoint: wire.url}), purge_delay_seconds: 1}], purge_delay_seconds: 1, default_storage: 'aws'}});
  const readiness = async () => (await road.hub.get('/healthz/readiness?worker')).storages.find(s => s.name === 'aws');
  await until('it is seen', async () => /the access key is not known/.test((await readiness()).why ?? ''));
  await road.line.post('/sim/guests/1/send', {type: 'image'});
  const c = await until('the picture at the desk', async () => {
    for (const x of (await road.desk.get('/sim/conversations')).conversations)
      if ((await road.desk.get(`/sim/conversations/${x.id}`)).messages.some(m => m.media?.state === 'kept')) return x;
  });
  assert.match(await (await fetch(`${road.hub.base}/metrics`)).text(), /storage_puts_total\{storage="local",result="stored"\} 1\n/);
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await until('purged from the disk', async () => /media_purged_total\{storage="local",result="deleted"\} 1\n/.test(await (await fetch(`${road.hub.base}/metrics`)).text()), 20000);
});

test('links that outlive seven days are links of the hub, signed anew for each click', here, async t => {
  const road = await startRoad(t, {hub: {link_hours: 0, storages: [{name: 'aws', ...s3({prefix: 'links'}), purge_delay_seconds: 1}], default_storage: 'aws'}});
  await until('the storage is checked', async () => (await road.hub.get('/healthz/readiness?worker')).storages.every(s => s.works));
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'hello'});
  const c = await until('at the desk', async () => (await road.desk.get('/sim/conversations')).conversations[0]);
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {attachment: {base64: png, name: 'a.png', mime: 'image/png'}});
  const url = await until('the link on the phone', async () =>
    (await road.line.get('/sim/guests/1/messages')).messages.find(m => m.from === 'account' && m.message.type === 'image')?.message.originalContentUrl);
  assert.match(url, new RegExp(`^${road.hub.base}/media/[0-9a-f]{32}/[^/]+\\?exp=0&sig=[0-9a-f]{64}$`));
  const first = await fetch(url, {redirect: 'manual'});
  assert.equal(first.status, 302);
  assert.match(first.headers.get('location'), /X-Amz-Expires=3(600|599)&/);
  assert.equal(first.headers.get('cache-control'), 'no-store');
  const part = await fetch(url, {headers: {range: 'bytes=0-3'}});
  assert.equal(part.status, 206);
  assert.equal(Buffer.from(await part.arrayBuffer()).toString('latin1'), '\x89PNG');
  assert.equal((await fetch(url, {method: 'HEAD'})).status, 200);
  assert.equal((await fetch(url.replace(/sig=./, 'sig=g'))).status, 403);
  assert.equal((await fetch(url.replace('exp=0', 'exp=1'))).status, 403);
  assert.equal((await fetch(`${road.hub.base}/media/x`)).status, 404);
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await until('gone', async () => (await fetch(url)).status === 410, 20000);
});
