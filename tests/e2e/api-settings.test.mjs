// What all tenants share: the proxy and the services operators are told on, changed while the hub runs.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {inStore, until} from './harness.mjs';
import {goodTenant, startHub} from './hub.mjs';

async function listener(t, answer = (rq, rs) => rs.end('ok')) {
  const heard = [];
  const server = createServer(async (rq, rs) => {
    let body = ''; for await (const piece of rq) body += piece;
    heard.push({method: rq.method, url: rq.url, body});
    answer(rq, rs);
  }).listen(0, '127.0.0.1');
  await new Promise(r => server.once('listening', r));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return {heard, base: `http://127.0.0.1:${server.address().port}`};
}

test('notifiers: made, tested, kept with their secrets, told apart from those of the file', async t => {
  const [one, two] = [await listener(t), await listener(t)];
  const hub = await startHub(t, {settings: {notifiers: [{type: 'slack', name: 'of-the-file', url: `${two.base}/services/file-secret`}]}});
  const admin = await hub.login();
  const catalogue = (await admin.call('GET', '/notifiers')).json.items;
  assert.ok(catalogue.find(n => n.name === 'slack').schema.properties.url['x-secret']);
  const empty = (await admin.call('GET', '/settings')).json;
  assert.deepEqual([empty.rev, empty.notifiers, empty.proxy], [0, [], null]);
  assert.deepEqual(empty.standing.map(s => [s.name, s.read_only]), [['of-the-file', true]]);

  const put = (body, headers) => admin.call('PUT', '/settings', body, headers);
  const notifier = {type: 'slack', name: 'ops', topics: ['Subscriptions'], url: `${one.base}/services/store-secret`};
  const made = await put({notifiers: [notifier]}, {'if-match': '"0"'});
  assert.equal(made.status, 200, made.text);
  assert.deepEqual(made.json.notifiers, [{type: 'slack', name: 'ops', topics: ['Subscriptions'], url: {set: true}}]);
  assert.deepEqual(made.json.standing.map(s => s.name), ['of-the-file', 'ops']);
  assert.equal((await put({notifiers: []}, {'if-match': '"0"'})).status, 412);
  const sent = await admin.call('POST', '/settings/notifiers/ops/test');
  assert.equal(sent.status, 200, sent.text);
  assert.deepEqual([sent.json.taken, sent.json.status], [true, 200]);
  assert.equal(one.heard.at(-1).url, '/services/store-secret');
  assert.equal((await admin.call('POST', '/settings/notifiers/none/test')).status, 404);

  // Sent back as it was shown, with another topic: the secret stays.
  const changed = await put({...made.json, notifiers: [{...made.json.notifiers[0], topics: ['Default']}]});
  assert.equal(changed.status, 200, changed.text);
  assert.deepEqual(changed.json.notifiers[0].topics, ['Default']);
  const n = one.heard.length;
  assert.equal((await admin.call('POST', '/settings/notifiers/ops/test')).json.taken, true);
  assert.equal(one.heard.length, n + 1);

  const bad = await put({notifiers: [{type: 'slack', name: 'of-the-file', url: 'x'}]});
  assert.equal(bad.status, 400);
  assert.deepEqual(bad.json.problems.map(p => p.field).sort(), ['notifiers[0].name', 'notifiers[0].url']);
  assert.equal((await put({notifiers: [{type: 'carrier-pigeon'}]})).json.field, 'notifiers[0].type');

  assert.equal((await hub.program.stop()).code, 0);
  await hub.start();
  const kept = (await admin.call('GET', '/settings')).json;
  assert.deepEqual([kept.rev, kept.changed_by, kept.notifiers[0].name], [2, 'admin', 'ops']);
  assert.equal((await admin.call('POST', '/settings/notifiers/ops/test')).json.taken, true);
  for (const secret of ['store-secret', 'file-secret']) assert.equal(JSON.stringify(kept).includes(secret), false);
});

test('stored settings of which a part is not valid any more: that part is left out, the rest is at work', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const slack = name => ({type: 'slack', name, url: 'http://127.0.0.1:9/services/x'});
  const s3 = name => ({type: 's3', name, bucket: 'bucket-1', endpoint: 'http://127.0.0.1:9', access_key_id: 'AKIDEXAMPLE', secret_access_key: 's'});
  for (const name of ['kept', 'taken']) assert.equal((await admin.call('POST', '/storages', s3(name))).status, 201);
  const put = await admin.call('PUT', '/settings', {proxy: 'http://127.0.0.1:9', notifiers: [slack('taken'), slack('ops')], default_storage: 'kept'});
  assert.equal(put.status, 200, put.text);
  assert.equal((await hub.program.stop()).code, 0);
  const file = JSON.parse(readFileSync(hub.config)); // somebody writes the same names there
  writeFileSync(hub.config, JSON.stringify({...file, notifiers: [slack('taken')], storages: [s3('taken')]}));
  await hub.start();
  const now = (await admin.call('GET', '/settings')).json;
  assert.deepEqual([now.proxy, now.default_storage_in_use, now.storages.map(s => s.name), now.notifiers.map(n => n.name)], ['http://127.0.0.1:9', 'kept', ['kept'], ['slack', 'ops']]);
  assert.deepEqual((await admin.call('GET', '/storages')).json.items.map(s => [s.name, s.read_only]), [['local', true], ['taken', true], ['kept', false]]);
  assert.match(hub.program.text(), /notifiers\[0\]\.name another notifier has this name/);
  assert.match(hub.program.text(), /storages\[1\]\.name another storage has this name/);
});

test('the proxy: calls go through it from now on, and not any more', async t => {
  const proxy = await listener(t, (rq, rs) => { rs.writeHead(502); rs.end(); });
  const hub = await startHub(t);
  const admin = await hub.login();
  assert.equal((await admin.call('PUT', '/settings', {proxy: 'ftp://x'})).json.field, 'proxy');
  const set = await admin.call('PUT', '/settings', {proxy: proxy.base});
  assert.equal(set.json.proxy_in_use, proxy.base);
  assert.equal((await admin.call('POST', '/tenants', goodTenant())).status, 201);
  await until('the vendors are asked through it', async () => proxy.heard.some(h => h.url.startsWith('http://127.0.0.1:9/')));
  assert.equal((await admin.call('PUT', '/settings', {proxy: null})).json.proxy_in_use, null);
  const network = async () => (await admin.call('GET', '/channels')).json.items.find(c => c.side === 'network');
  await admin.call('POST', '/channels/acme-and-line%2Fline/setup');
  await until('the last answer that came through it is not the last any more', async () => { const {why} = await network(); return why?.length > 0 && !/502/.test(why); });
  const n = proxy.heard.length;
  await admin.call('POST', '/channels/acme-and-line%2Fline/setup');
  await until('asked, elsewhere', async () => /reach|refused|connect/i.test((await network()).why ?? ''));
  assert.equal(proxy.heard.slice(n).filter(h => h.url.includes('/oauth2')).length, 0);
});

test('storages: made, named by a tenant, changed, and not removed while one names them', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const first = (await admin.call('GET', '/storages')).json;
  assert.deepEqual(first.items.map(s => [s.name, s.default, s.read_only]), [['local', true, true]]);
  assert.ok(first.types.find(s => s.name === 's3').schema.properties);
  const bad = await admin.call('POST', '/storages', {type: 's3', name: 'Bucket!'});
  assert.equal(bad.status, 400);
  assert.ok(bad.json.problems.some(p => p.field === 'name'), bad.text);
  assert.ok(bad.json.problems.every(p => !p.field.startsWith('storages[')), bad.text);
  const s3 = {type: 's3', name: 'bucket', bucket: 'bucket-1', region: 'eu-central-1', endpoint: 'http://127.0.0.1:9', access_key_id: 'AKIDEXAMPLE', secret_access_key: 's3-secret-key-1'};
  const made = await admin.call('POST', '/storages', s3);
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.get('location'), '/api/v1/storages/bucket');
  assert.equal(made.text.includes('s3-secret-key-1'), false);
  assert.deepEqual(made.json.document.secret_access_key, {set: true});
  assert.equal((await admin.call('POST', '/storages', s3)).status, 409);
  const tenant = await admin.call('POST', '/tenants', {...goodTenant(), storage: 'bucket'});
  assert.equal(tenant.status, 201, tenant.text);
  assert.equal((await admin.call('POST', '/tenants', {...goodTenant('Other'), storage: 'none'})).json.field, 'storage');
  const used = await admin.call('DELETE', '/storages/bucket');
  assert.equal(used.status, 409);
  assert.match(used.json.detail, /ACME and LINE keeps its attachments in bucket/);
  const changed = await admin.call('PUT', '/storages/bucket', {...made.json.document, bucket: 'bucket-2', purge_delay_seconds: 60});
  assert.equal(changed.status, 200, changed.text);
  assert.deepEqual([changed.json.document.bucket, changed.json.document.purge_delay_seconds], ['bucket-2', 60]);
  const [was, is] = [made.headers.get('etag'), changed.headers.get('etag')];
  assert.ok(was && is && was !== is);
  assert.equal((await admin.call('GET', '/storages/bucket')).headers.get('etag'), is);
  for (const [method, body] of [['PUT', {...s3, bucket: 'bucket-3'}], ['DELETE', undefined]]) assert.equal((await admin.call(method, '/storages/bucket', body, {'if-match': was})).status, 412, method);
  assert.equal((await admin.call('PUT', '/storages/bucket', changed.json.document, {'if-match': is})).status, 200);
  await until('it is found not to work', async () => { const s = (await admin.call('GET', '/storages/bucket')).json; return s.checked && !s.works && s.why; });
  assert.equal((await admin.call('DELETE', '/storages/local')).status, 409);
  assert.equal((await admin.call('DELETE', '/storages/none')).status, 404);
  assert.equal((await admin.call('POST', '/storages', {...s3, name: 'brief'})).status, 201);
  assert.deepEqual([(await admin.call('DELETE', '/storages/brief')).status, (await admin.call('DELETE', '/storages/brief')).status], [204, 404]);

  assert.equal((await hub.program.stop()).code, 0);
  await hub.start();
  assert.equal((await admin.call('GET', '/tenants/acme-and-line')).json.storage, 'bucket', 'known before the tenants are read');
  assert.equal('problem' in (await admin.call('GET', '/tenants/acme-and-line')).json, false);
  assert.equal((await admin.call('PATCH', '/tenants/acme-and-line', {storage: null})).status, 200);
  assert.equal((await hub.program.stop()).code, 0);
  inStore(hub.program, join(hub.dir, 'data'), `INSERT INTO attachments(id,account,conversation,storage,handle,url,sha256,type,name,size,created_ms,purge_at_ms,attempts,state)
    VALUES('f1','acme-and-line/line','c','bucket','{}','http://x','','image/png','x.png',1,1,0,0,0)`);
  await hub.start();
  const full = await admin.call('DELETE', '/storages/bucket');
  assert.equal(full.status, 409);
  assert.match(full.json.detail, /bucket still has attachments/);
  const settings = (await admin.call('GET', '/settings')).json;
  assert.equal((await admin.call('PUT', '/settings', {...settings, storages: []})).status >= 400, true, 'nor in this way');
  assert.equal((await hub.program.stop()).code, 0);
  inStore(hub.program, join(hub.dir, 'data'), 'DELETE FROM attachments');
  await hub.start();
  assert.equal((await admin.call('DELETE', '/storages/bucket')).status, 204);
  assert.equal((await admin.call('GET', '/storages')).json.items.length, 1);
});

test('the default storage: chosen, kept, not removed while it is that, and as in the file again', async t => {
  const s3 = name => ({type: 's3', name, bucket: 'bucket-1', endpoint: 'http://127.0.0.1:9', access_key_id: 'AKIDEXAMPLE', secret_access_key: 's'});
  const hub = await startHub(t, {settings: {storages: [s3('of-the-file')], default_storage: 'of-the-file'}});
  const admin = await hub.login();
  const standard = async () => (await admin.get('/storages')).items.filter(s => s.default).map(s => s.name).join();
  const put = body => admin.call('PUT', '/settings', body);
  assert.equal(await standard(), 'of-the-file');
  const unknown = await put({default_storage: 'bucket'});
  assert.deepEqual([unknown.status, unknown.json.field], [400, 'default_storage'], unknown.text);
  assert.equal((await admin.call('POST', '/storages', s3('bucket'))).status, 201);
  const set = await put({default_storage: 'bucket'});
  assert.deepEqual([set.status, set.json.default_storage, set.json.default_storage_in_use], [200, 'bucket', 'bucket'], set.text);
  assert.equal(await standard(), 'bucket');
  const used = await admin.call('DELETE', '/storages/bucket');
  assert.deepEqual([used.status, used.json.code, used.json.detail], [409, 'in_use', 'bucket is the default storage']);
  assert.deepEqual((await admin.get('/audit')).items.find(r => r.action === 'settings.change').detail, {members: ['default_storage']}, 'what was changed, not to what');
  assert.equal((await hub.program.stop()).code, 0);
  await hub.start();
  assert.equal(await standard(), 'bucket');
  assert.equal((await put({default_storage: 'local'})).status, 200);
  assert.equal(await standard(), 'local');
  assert.equal((await put({default_storage: null})).json.default_storage_in_use, 'of-the-file');
  assert.equal((await admin.call('DELETE', '/storages/bucket')).status, 204);
});
