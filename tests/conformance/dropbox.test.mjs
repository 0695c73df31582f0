// Dropbox: our simulator, which Dropbox's own library (dropbox) drives and reads, and the hub's storage on it.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, ready, startRoad, until} from '../e2e/harness.mjs';
import {need} from '../npm/need.mjs';
import {between, sha256, shelf} from './storage.mjs';

const {Dropbox} = need('dropbox');
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

// Dropbox's content_hash, once more.
function contentHash(bytes) {
  const blocks = [];
  for (let at = 0; at < bytes.length; at += 4194304) blocks.push(createHash('sha256').update(bytes.subarray(at, at + 4194304)).digest());
  return createHash('sha256').update(Buffer.concat(blocks)).digest('hex');
}

async function startDropbox(t, args = []) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-dropbox-')), port = await freePort();
  const sim = new Program(dir, 'dropbox', ['sim', 'dropbox', '--listen', `127.0.0.1:${port}`, ...args]).start();
  t.after(async () => {
    const how = await sim.stop();
    if (how.code) { console.error(sim.text().slice(-3000)); process.exitCode = 1; }
    rmSync(dir, {recursive: true, force: true});
  });
  const url = `http://127.0.0.1:${port}`;
  await ready(sim, `${url}/sim/counters`);
  const fetchThere = async (to, init) => {
    const r = await fetch(String(to).replace(/^https:\/\/(api|content)\.dropbox(api)?\.com/, url), init);
    r.buffer = async () => Buffer.from(await r.arrayBuffer()); // their library is written for node-fetch
    return r;
  };
  const sdk = new Dropbox({clientId: 'sim-app-key', clientSecret: 'sim-app-secret', refreshToken: 'sim-refresh-token', fetch: fetchThere});
  const dropbox = (more = {}) => ({type: 'dropbox', app_key: 'sim-app-key', app_secret: 'sim-app-secret', refresh_token: 'sim-refresh-token', endpoint: url, content_endpoint: url, ...more});
  return {url, port, api: new Api(url), sdk, dropbox};
}
const pathOf = handle => JSON.parse(handle).path;
const tag = e => e.error?.error_summary?.replace(/\/?\.*$/, '');
const bytesOf = async link => Buffer.from(await (await fetch(link)).arrayBuffer());

test('their library stores, reads, lists, shares and deletes on our simulator', async t => {
  const d = await startDropbox(t), bytes = randomBytes(700000), path = '/a b+é~/猫😀.png';
  const put = (await d.sdk.filesUpload({path, contents: bytes, mode: {'.tag': 'add'}})).result;
  assert.equal(put.content_hash, contentHash(bytes));
  assert.equal(put.path_display, path);
  assert.deepEqual(Buffer.from((await d.sdk.filesDownload({path})).result.fileBinary), bytes);
  await assert.rejects(d.sdk.filesUpload({path, contents: 'other', mode: {'.tag': 'add'}}), e => e.status === 409 && tag(e) === 'path/conflict/file');
  await assert.rejects(d.sdk.filesUpload({path, contents: 'other', content_hash: contentHash(bytes)}), e => tag(e) === 'content_hash_mismatch');
  const {session_id} = (await d.sdk.filesUploadSessionStart({contents: bytes.subarray(0, 1000)})).result;
  await d.sdk.filesUploadSessionAppendV2({cursor: {session_id, offset: 1000}, contents: bytes.subarray(1000, 5000)});
  await assert.rejects(d.sdk.filesUploadSessionAppendV2({cursor: {session_id, offset: 1000}, contents: 'again'}), e => e.error.error.correct_offset === 5000);
  const long = (await d.sdk.filesUploadSessionFinish({cursor: {session_id, offset: 5000}, commit: {path: '/a b+é~/long.bin'}, contents: bytes.subarray(5000)})).result;
  assert.equal(long.content_hash, contentHash(bytes));
  assert.deepEqual((await d.sdk.filesListFolder({path: '/a b+é~'})).result.entries.map(e => e.name).sort(), ['long.bin', '猫😀.png']);
  const {url} = (await d.sdk.sharingCreateSharedLinkWithSettings({path})).result;
  assert.match(await (await fetch(url)).text(), /<!doctype html>/);
  assert.deepEqual(await bytesOf(url.replace('dl=0', 'raw=1')), bytes);
  assert.equal((await fetch(url.replace(/rlkey=\w{4}/, 'rlkey=ffff').replace('dl=0', 'raw=1'))).status, 404);
  await assert.rejects(d.sdk.sharingCreateSharedLinkWithSettings({path}), e => tag(e) === 'shared_link_already_exists' && e.error.error.shared_link_already_exists.metadata.url === url);
  await d.sdk.sharingRevokeSharedLink({url});
  assert.equal((await fetch(url.replace('dl=0', 'raw=1'))).status, 404);
  await d.sdk.filesDeleteV2({path: '/a b+é~'});
  await assert.rejects(d.sdk.filesDeleteV2({path}), e => tag(e) === 'path_lookup/not_found');
});

test('what we store their library reads; the shared link shows it, and goes with it', async t => {
  const d = await startDropbox(t), it = shelf(t, d.dropbox({prefix: 'Anhänge 猫😀'}));
  assert.deepEqual(await it.run('check').then(r => [r.err, r.out]), ['', 'it: works\n']);
  assert.equal((await d.api.get('/sim/counters')).objects, 0);
  const bytes = randomBytes(300000), put = await it.put(it.file('猫 & dog.png', bytes), 'image/png');
  assert.match(pathOf(put.handle), /^\/Anhänge 猫😀\/trial\/trial\/[0-9a-f]{32}\/[A-Za-z0-9._-]+\.png$/);
  const got = (await d.sdk.filesDownload({path: pathOf(put.handle)})).result;
  assert.deepEqual(Buffer.from(got.fileBinary), bytes);
  const [link] = (await d.sdk.sharingListSharedLinks({path: pathOf(put.handle), direct_only: true})).result.links;
  const ours = await it.url(put.handle);
  assert.equal(ours, link.url.replace('dl=0', 'dl=1'));
  assert.deepEqual(await bytesOf(ours), bytes);
  const part = await fetch(ours, {headers: {range: 'bytes=1000-1999'}});
  assert.equal(part.status, 206);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(1000, 2000));
  assert.deepEqual(await it.get(put.handle), bytes);
  assert.equal((await it.run('delete', 'it', put.handle)).out, 'deleted\n');
  assert.equal((await it.run('delete', 'it', put.handle)).out, 'was not there\n');
  assert.equal((await fetch(ours)).status, 404);
});

test('what their library stores we read, link and delete; a long file goes in a session', async t => {
  const d = await startDropbox(t), it = shelf(t, d.dropbox());
  for (const path of ['/plain.txt', '/a b+é~/ü%20&"\\.bin', '/日本/猫😀.png']) {
    const bytes = randomBytes(70000);
    await d.sdk.filesUpload({path, contents: bytes});
    const handle = JSON.stringify({path});
    assert.deepEqual(await it.get(handle), bytes);
    assert.deepEqual(await bytesOf(await it.url(handle)), bytes, 'a temporary link, as it has no other');
    assert.equal((await it.run('delete', 'it', handle)).out, 'deleted\n');
    assert.equal((await it.run('get', 'it', handle)).code, 1);
  }
  for (const n of [8 << 20, (8 << 20) + 1, 20 << 20]) {
    const bytes = randomBytes(n), put = await it.put(it.file('long.bin', bytes));
    assert.equal(put.sha256, sha256(bytes));
    const about = (await d.sdk.filesGetMetadata({path: pathOf(put.handle)})).result;
    assert.deepEqual([about.size, about.content_hash], [n, contentHash(bytes)]);
    assert.equal(sha256((await d.sdk.filesDownload({path: pathOf(put.handle)})).result.fileBinary), sha256(bytes));
  }
  assert.equal((await d.api.get('/sim/counters')).appends, 2 + 3);
});

test('temporary links are made when they are asked for', async t => {
  const d = await startDropbox(t), it = shelf(t, d.dropbox({links: 'temporary'}));
  assert.equal((await it.run('check')).out, 'it: works\n');
  const put = await it.put(it.file('a.txt', 'for four hours'), 'text/plain');
  const link = await it.url(put.handle);
  assert.notEqual(link, await it.url(put.handle));
  assert.equal(await (await fetch(link)).text(), 'for four hours');
  await d.api.post('/sim/state', {late: true});
  assert.equal((await fetch(link)).status, 410);
  assert.equal((await d.api.get('/sim/counters')).links, 0);
});

test('what is wrong is said so that an operator knows what to do, and nothing stays behind', async t => {
  const d = await startDropbox(t), it = shelf(t, d.dropbox());
  const says = async (state, storage = it) => {
    await d.api.post('/sim/state', {revoked: false, no_sharing: false, no_public: false, full: false, ...state});
    const r = await storage.run('check');
    assert.equal(r.code, 1);
    assert.equal((await d.api.get('/sim/counters')).objects, 0);
    assert.ok(!/sim-app-secret|sim-refresh-token|sl\./.test(r.err), r.err);
    return r.err;
  };
  assert.match(await says({revoked: true}), /400 invalid_grant: the refresh token is not accepted; it was revoked/);
  assert.match(await says({}, shelf(t, d.dropbox({refresh_token: 'other'}))), /400 invalid_grant/);
  assert.match(await says({}, shelf(t, d.dropbox({app_secret: 'other'}))), /400 invalid_client: app_key and app_secret do not belong together/);
  assert.match(await says({}, shelf(t, d.dropbox({app_key: 'other'}))), /400 invalid_client_id: there is no app/);
  assert.match(await says({no_sharing: true}), /401 missing_scope: the app lacks a permission \(files\.content\.write/);
  assert.match(await says({no_public: true}), /made no link that everyone may open: .*set links to temporary/);
  assert.match(await says({full: true}), /409 path\/insufficient_space: the account has no space left/);
  await d.api.post('/sim/faults', {paths: ['/2/files/upload'], status: 429, retry_after_s: 1});
  assert.match(await says({}), /429 too_many_requests: it is asked too much at once/);
  const none = await shelf(t, {type: 'dropbox', app_key: 'x', app_secret: 'y'}).run('check');
  assert.equal(none.code, 2);
  assert.match(none.err, /refresh_token/);
});

test('a token that expires is asked for anew; errors, lost answers and cuts on the way lose nothing', async t => {
  const d = await startDropbox(t, ['--token-life-s', '2']), it = shelf(t, d.dropbox());
  const bytes = randomBytes(20 << 20), path = it.file('a.bin', bytes);
  const session = '/2/files/upload_session/';
  for (const [state, ...rules] of [
    [{}, {paths: [`${session}*`], status: 503, times: 2}],
    [{}, {paths: [`${session}append_v2`], reset_after_share: 1, times: 1}],
    [{}, {paths: [`${session}finish`], reset_after_share: 1, times: 1}],
    [{bare: true}, {paths: ['/2/sharing/*'], reset_after_share: 1, times: 1}],
    [{bare: false}, {paths: ['/2/sharing/*'], reset_after_share: 1, times: 1}],
    [{}, {paths: [`${session}append_v2`], status: 401, times: 1}],
    [{}, {paths: [`${session}finish`], status: 409, times: 1}],
    [{}, {paths: ['/oauth2/token'], status: 503, times: 1}],
  ]) {
    await d.api.post('/sim/state', state);
    await d.api.post('/sim/faults', {rules});
    const put = await it.put(path);
    assert.equal(put.sha256, sha256(bytes), JSON.stringify(rules));
    assert.equal(sha256(await it.get(put.handle)), sha256(bytes));
    assert.equal((await fetch(await it.url(put.handle), {method: 'HEAD'})).status, 200);
    assert.equal((await it.run('delete', 'it', put.handle)).out, 'deleted\n');
  }
  await d.api.call('DELETE', '/sim/faults');
  const wire = await between(t, d.port), cut = shelf(t, d.dropbox({content_endpoint: wire.url}));
  wire.cutAfter(3 << 20, 1);
  const put = await cut.put(path);
  assert.equal(put.sha256, sha256(bytes));
  wire.cutBackAfter(3 << 20, 1);
  assert.equal(sha256(await cut.get(put.handle)), sha256(bytes), 'goes on where it was cut');
  assert.equal(wire.cuts, 2);
});

test('an image of a LINE guest is stored there, the desk opens its link; the end of the chat purges it', async t => {
  const d = await startDropbox(t);
  const road = await startRoad(t, {hub: {storages: [{name: 'box-of-drops', ...d.dropbox({prefix: 'road'}), purge_delay_seconds: 1}], default_storage: 'box-of-drops'}});
  await until('the storage is checked', async () => (await road.hub.get('/healthz/readiness?worker')).storages.every(s => s.works));
  await road.line.post('/sim/guests/1/send', {type: 'image', base64: png, contentType: 'image/png'});
  const c = await until('at the desk', async () => (await road.desk.get('/sim/conversations')).conversations[0]);
  const link = await until('the link at the desk', async () => /https?:[^"\\]*scl\/fi[^"\\]*/.exec(JSON.stringify(await road.desk.get(`/sim/conversations/${c.id}`)))?.[0]);
  assert.deepEqual(await bytesOf(link), Buffer.from(png, 'base64'));
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {attachment: {base64: png, name: 'a.png', mime: 'image/png'}});
  const back = await until('the link on the phone', async () =>
    (await road.line.get('/sim/guests/1/messages')).messages.find(m => m.from === 'account' && m.message.type === 'image')?.message.originalContentUrl);
  assert.match(back, /\/scl\/fi\/.*raw=1/);
  assert.deepEqual(await bytesOf(back), Buffer.from(png, 'base64'));
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await until('purged', async () => (await d.api.get('/sim/objects')).objects.length === 0, 20000);
  assert.equal((await fetch(back)).status, 404);
});
