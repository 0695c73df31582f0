// Box: our simulator, which Box's own library (box-node-sdk) drives and reads, and the hub's storage on it.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import {Readable} from 'node:stream';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, ready, startRoad, until} from '../e2e/harness.mjs';
import {need} from '../npm/need.mjs';
import {between, sha256, shelf} from './storage.mjs';

const {BoxClient, BoxCcgAuth, BoxJwtAuth, CcgConfig, JwtConfig} = need('box-node-sdk');
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const sha1 = bytes => createHash('sha1').update(bytes).digest('hex');

async function startBox(t, args = []) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-box-')), port = await freePort();
  const sim = new Program(dir, 'box', ['sim', 'box', '--listen', `127.0.0.1:${port}`, ...args]).start();
  t.after(async () => {
    const how = await sim.stop();
    if (how.code) { console.error(sim.text().slice(-3000)); process.exitCode = 1; }
    rmSync(dir, {recursive: true, force: true});
  });
  const url = `http://127.0.0.1:${port}`;
  await ready(sim, `${url}/sim/counters`);
  const api = new Api(url), file = await api.get('/sim/config');
  const there = auth => new BoxClient({auth}).withCustomBaseUrls({baseUrl: url, uploadUrl: `${url}/api`, oauth2Url: `${url}/api/oauth2`});
  const sdk = there(new BoxJwtAuth({config: JwtConfig.fromConfigJsonString(JSON.stringify(file))}));
  const ccg = there(new BoxCcgAuth({config: new CcgConfig({clientId: 'sim-client', clientSecret: 'sim-secret', enterpriseId: '123456'})}));
  const box = (more = {}) => ({type: 'box', config: JSON.stringify(file), endpoint: url, upload_endpoint: url, ...more});
  const credentials = (more = {}) => ({type: 'box', client_id: 'sim-client', client_secret: 'sim-secret', enterprise_id: '123456', endpoint: url, upload_endpoint: url, ...more});
  return {url, port, api, file, sdk, ccg, box, credentials};
}
const idOf = handle => JSON.parse(handle).file_id;
const bytesOf = async link => Buffer.from(await (await fetch(link)).arrayBuffer());
async function all(stream) { const parts = []; for await (const d of stream) parts.push(d); return Buffer.concat(parts); }
const upload = (client, name, bytes, folder = '0') => client.uploads.uploadFile({attributes: {name, parent: {id: folder}}, file: Readable.from([bytes])});

test('their library stores, reads, shares and deletes on our simulator', async t => {
  const b = await startBox(t), bytes = randomBytes(700000);
  const folder = await b.sdk.folders.createFolder({name: 'Anhänge', parent: {id: '0'}});
  const file = (await upload(b.sdk, 'a b+é~猫😀.png', bytes, folder.id)).entries[0];
  assert.deepEqual([file.sha1, file.size, file.parent.id], [sha1(bytes), bytes.length, folder.id]);
  assert.deepEqual(await all(await b.sdk.downloads.downloadFile(file.id)), bytes);
  await assert.rejects(upload(b.sdk, 'A B+é~猫😀.PNG', Buffer.from('other'), folder.id), e => e.responseInfo.statusCode === 409 && e.responseInfo.body.context_info.conflicts.id === file.id);
  const long = randomBytes(21 << 20);
  const big = await b.sdk.chunkedUploads.uploadBigFile(Readable.from([long]), 'long.bin', long.length, folder.id);
  assert.deepEqual([big.sha1, big.size], [sha1(long), long.length]);
  const shared = await b.sdk.sharedLinksFiles.addShareLinkToFile(file.id, {sharedLink: {access: 'open', permissions: {canDownload: true}}}, {fields: 'shared_link'});
  assert.equal(shared.sharedLink.effectiveAccess, 'open');
  assert.deepEqual(await bytesOf(shared.sharedLink.downloadUrl), bytes);
  assert.match(await (await fetch(shared.sharedLink.url)).text(), /<!doctype html>/);
  await b.sdk.sharedLinksFiles.removeSharedLinkFromFile(file.id, {sharedLink: null}, {fields: 'shared_link'});
  assert.equal((await fetch(shared.sharedLink.downloadUrl)).status, 404);
  assert.deepEqual((await b.sdk.folders.getFolderItems(folder.id)).entries.map(e => e.name).sort(), ['a b+é~猫😀.png', 'long.bin']);
  await b.sdk.files.deleteFileById(file.id);
  assert.equal((await b.api.get('/sim/objects')).objects.find(o => o.id === file.id).item_status, 'trashed');
  await b.sdk.trashedFiles.deleteTrashedFileById(file.id);
  await assert.rejects(b.sdk.files.getFileById(file.id), e => e.responseInfo.statusCode === 404);
  assert.equal((await upload(b.ccg, 'by credentials.txt', Buffer.from('x'))).entries[0].size, 1);
});

test('what we store their library reads; the shared link gives it, and goes with it', async t => {
  const b = await startBox(t);
  const folder = await b.sdk.folders.createFolder({name: 'attachments', parent: {id: '0'}});
  for (const settings of [b.box({folder_id: folder.id}), b.credentials({folder_id: folder.id}), b.credentials({enterprise_id: undefined, user_id: '777', folder_id: folder.id})]) {
    const it = shelf(t, settings);
    assert.deepEqual(await it.run('check').then(r => [r.err, r.out]), ['', 'it: works\n']);
    assert.equal((await b.api.get('/sim/counters')).objects, 0, 'not even in the trash');
    const bytes = randomBytes(300000), put = await it.put(it.file('猫 & dog.png', bytes), 'image/png');
    const about = await b.sdk.files.getFileById(idOf(put.handle));
    assert.match(about.name, /^[0-9a-f]{32}-[A-Za-z0-9._-]+\.png$/);
    assert.deepEqual([about.sha1, about.size, about.sharedLink.effectiveAccess], [sha1(bytes), bytes.length, 'open']);
    assert.deepEqual((await b.sdk.folders.getFolderItems(folder.id)).entries.map(e => [e.name, e.id]).filter(e => e[0] === 'trial'), [['trial', about.parent.id]], 'the tenant has one folder');
    assert.deepEqual(await all(await b.sdk.downloads.downloadFile(about.id)), bytes);
    const ours = await it.url(put.handle);
    assert.equal(ours, about.sharedLink.downloadUrl);
    const part = await fetch(ours, {headers: {range: 'bytes=1000-1999'}});
    assert.equal(part.status, 206);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(1000, 2000));
    assert.deepEqual(await it.get(put.handle), bytes);
    assert.equal((await it.run('delete', 'it', put.handle)).out, 'deleted\n');
    assert.equal((await it.run('delete', 'it', put.handle)).out, 'was not there\n');
    assert.equal((await fetch(ours)).status, 404);
    await b.sdk.folders.deleteFolderById(about.parent.id);
  }
});

test('what their library stores we read, link and delete; a long file goes in parts', async t => {
  const b = await startBox(t), it = shelf(t, b.box());
  for (const name of ['plain.txt', 'a b+é~ü%20&".bin', '日本猫😀.png']) {
    const bytes = randomBytes(70000), {id} = (await upload(b.sdk, name, bytes)).entries[0];
    const handle = JSON.stringify({file_id: id});
    assert.deepEqual(await it.get(handle), bytes);
    assert.deepEqual(await bytesOf(await it.url(handle)), bytes, 'a short link, as it has no other');
    assert.equal((await it.run('delete', 'it', handle)).out, 'deleted\n');
    assert.equal((await it.run('get', 'it', handle)).code, 1);
  }
  for (const n of [20 << 20, (20 << 20) + 1, 24 << 20]) {
    const bytes = randomBytes(n), put = await it.put(it.file('long.bin', bytes));
    assert.equal(put.sha256, sha256(bytes));
    const about = await b.sdk.files.getFileById(idOf(put.handle));
    assert.deepEqual([about.size, about.sha1], [n, sha1(bytes)]);
    assert.equal(sha256(await all(await b.sdk.downloads.downloadFile(about.id))), sha256(bytes));
  }
  assert.equal((await b.api.get('/sim/counters')).parts, 3 + 3, 'as long as Box says');
});

test('temporary links are asked for at each click', async t => {
  const b = await startBox(t), it = shelf(t, b.box({links: 'temporary'}));
  assert.equal((await it.run('check')).out, 'it: works\n');
  const put = await it.put(it.file('a.txt', 'for a while'), 'text/plain');
  const link = await it.url(put.handle);
  assert.notEqual(link, await it.url(put.handle));
  assert.equal(await (await fetch(link)).text(), 'for a while');
  assert.equal((await b.api.get('/sim/counters')).links, 0);
});

test('what is wrong is said so that an operator knows what to do, and nothing stays behind', async t => {
  const b = await startBox(t), it = shelf(t, b.box()), other = await startBox(t);
  const says = async (state, storage = it) => {
    await b.api.post('/sim/state', {revoked: false, forbidden: false, no_open: false, full: false, retained: false, ...state});
    const r = await storage.run('check');
    assert.equal(r.code, 1);
    assert.ok(!/sim-secret|sim-passphrase|PRIVATE KEY/.test(r.err), r.err);
    return r.err;
  };
  assert.match(await says({revoked: true}), /400 unauthorized_client: the app is not authorised by the enterprise/);
  assert.match(await says({}, shelf(t, b.credentials({client_secret: 'other'}))), /400 invalid_client: client_id and client_secret do not belong together/);
  assert.match(await says({}, shelf(t, b.credentials({enterprise_id: '1'}))), /400 invalid_grant/);
  assert.match(await says({}, shelf(t, b.box({config: JSON.stringify(other.file)}))), /400 invalid_grant: the app is not authorised by the enterprise, or its key was removed/);
  assert.match(await says({forbidden: true}), /403 access_denied_insufficient_permissions: the app needs the scope/);
  assert.match(await says({}, shelf(t, b.box({folder_id: '42'}))), /404 not_found: there is no such folder, or the account does not see it/);
  assert.match(await says({no_open: true}), /made no link that everyone may download by: .*set links to temporary/);
  assert.match(await says({full: true}), /403 storage_limit_exceeded: the account has no space left/);
  await b.api.post('/sim/faults', {paths: ['/api/2.0/files/content'], status: 429, retry_after_s: 1});
  assert.match(await says({}), /429 rate_limit_exceeded: it is asked too much at once/);
  await b.api.call('DELETE', '/sim/faults');
  assert.equal((await b.api.get('/sim/counters')).objects, 0);
  assert.match(await says({retained: true}), /403 forbidden_by_policy: the enterprise's policy forbids it/);
  const {boxAppSettings: {appAuth, ...app}, ...rest} = b.file;
  for (const [config, want] of [['{', /storages\[0\]\.config: is no settings file/], ['{"boxAppSettings":{"clientID":"x"}}', /clientSecret/],
    [JSON.stringify({boxAppSettings: {...app, appAuth: {...appAuth, passphrase: 'other'}}, ...rest}), /the private key cannot be used: the passphrase does not open/],
    [JSON.stringify({boxAppSettings: {...app, appAuth}}), /enterprise_id.*is missing/]]) {
    const r = await shelf(t, b.box({config})).run('check');
    assert.equal(r.code, 2);
    assert.match(r.err, want);
    assert.ok(!r.err.includes('sim-passphrase') && !r.err.includes(appAuth.privateKey.slice(60, 100)));
  }
});

test('expired tokens, another clock, errors, lost answers and cuts on the way lose nothing', async t => {
  const b = await startBox(t, ['--token-life-s', '2']), it = shelf(t, b.box());
  const bytes = randomBytes(21 << 20), path = it.file('a.bin', bytes), small = it.file('b.bin', bytes.subarray(0, 5 << 20));
  const sessions = '/api/2.0/files/upload_sessions';
  for (const [state, file, ...rules] of [
    [{}, path, {paths: [sessions, `${sessions}/*`], status: 503, times: 2}],
    [{}, path, {paths: [`${sessions}/*`], method: 'PUT', reset_after_share: 1, times: 1}],
    [{}, path, {paths: [`${sessions}/*`], method: 'POST', reset_after_share: 1, times: 1}],
    [{}, path, {paths: [`${sessions}/*`], method: 'PUT', status: 401, times: 1}],
    [{slow: true}, path],
    [{slow: false}, small, {paths: ['/api/2.0/files/content'], reset_after_share: 1, times: 1}],
    [{}, small, {paths: ['/2.0/files/*'], method: 'PUT', reset_after_share: 1, times: 1}],
    [{}, small, {paths: ['/2.0/folders'], reset_after_share: 1, times: 1}],
    [{}, small, {paths: ['/2.0/folders'], status: 409, times: 1}],
    [{}, small, {paths: ['/oauth2/token'], status: 503, times: 1}],
    [{clock_s: 600}, small],
  ]) {
    await b.api.post('/sim/state', state);
    await b.api.post('/sim/faults', {rules});
    const put = await it.put(file), want = file === path ? bytes : bytes.subarray(0, 5 << 20);
    assert.equal(put.sha256, sha256(want), JSON.stringify(rules));
    assert.equal(sha256(await it.get(put.handle)), sha256(want));
    assert.equal((await fetch(await it.url(put.handle), {method: 'HEAD'})).status, 200);
    assert.equal((await it.run('delete', 'it', put.handle)).out, 'deleted\n');
    assert.equal((await b.api.get('/sim/counters')).objects, 0);
  }
  await b.api.call('DELETE', '/sim/faults');
  await b.api.post('/sim/state', {clock_s: 0});
  const wire = await between(t, b.port), cut = shelf(t, b.box({upload_endpoint: wire.url}));
  wire.cutAfter(3 << 20, 1);
  const put = await cut.put(small);
  assert.equal(wire.cuts, 1);
  assert.equal(sha256(await it.get(put.handle)), sha256(bytes.subarray(0, 5 << 20)));
});

test('an image of a LINE guest is stored there, the desk opens its link; a lost folder is made anew; the end of the chat purges', async t => {
  const b = await startBox(t);
  const road = await startRoad(t, {hub: {storages: [{name: 'boxed', ...b.box(), purge_delay_seconds: 1}], default_storage: 'boxed'}});
  await until('the storage is checked', async () => (await road.hub.get('/healthz/readiness?worker')).storages.every(s => s.works));
  await road.line.post('/sim/guests/1/send', {type: 'image', base64: png, contentType: 'image/png'});
  const c = await until('at the desk', async () => (await road.desk.get('/sim/conversations')).conversations[0]);
  const link = await until('the link at the desk', async () => /https?:[^"\\]*shared\/static[^"\\]*/.exec(JSON.stringify(await road.desk.get(`/sim/conversations/${c.id}`)))?.[0]);
  assert.deepEqual(await bytesOf(link), Buffer.from(png, 'base64'));
  const {objects} = await b.api.get('/sim/objects'), file = objects.find(o => o.type === 'file');
  await b.sdk.folders.deleteFolderById(file.parent.id, {queryParams: {recursive: true}});
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {attachment: {base64: png, name: 'a.png', mime: 'image/png'}});
  const back = await until('the link on the phone', async () =>
    (await road.line.get('/sim/guests/1/messages')).messages.find(m => m.from === 'account' && m.message.type === 'image')?.message.originalContentUrl);
  assert.match(back, /\/shared\/static\/[0-9a-f]{32}\.png$/);
  assert.deepEqual(await bytesOf(back), Buffer.from(png, 'base64'));
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await until('purged', async () => (await b.api.get('/sim/counters')).objects === 0, 20000);
  assert.equal((await fetch(back)).status, 404);
});

test('where links are temporary the phone gets one of the hub, which asks at each click', async t => {
  const b = await startBox(t);
  const road = await startRoad(t, {hub: {storages: [{name: 'boxed', ...b.credentials({links: 'temporary'}), purge_delay_seconds: 1}], default_storage: 'boxed'}});
  await until('the storage is checked', async () => (await road.hub.get('/healthz/readiness?worker')).storages.every(s => s.works));
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'hello'});
  const c = await until('at the desk', async () => (await road.desk.get('/sim/conversations')).conversations[0]);
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {attachment: {base64: png, name: 'a.png', mime: 'image/png'}});
  const link = await until('the link on the phone', async () =>
    (await road.line.get('/sim/guests/1/messages')).messages.find(m => m.from === 'account' && m.message.type === 'image')?.message.originalContentUrl);
  assert.ok(link.startsWith(`${road.hub.base}/media/`), link);
  const click = async () => { const r = await fetch(link, {redirect: 'manual'}); assert.equal(r.status, 302); return r.headers.get('location'); };
  assert.notEqual(await click(), await click());
  assert.deepEqual(await bytesOf(link), Buffer.from(png, 'base64'));
  // The app loses its rights and gets them back: what is stored waits for that, and is purged.
  await b.api.post('/sim/state', {revoked: true, expired: true});
  assert.equal((await fetch(link)).status, 503);
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await until('seen', async () => /media_purged_total\{storage="boxed",result="failed"\} 1\n/.test(await (await fetch(`${road.hub.base}/metrics`)).text()), 20000);
  assert.equal((await b.api.get('/sim/counters')).objects, 1);
});
