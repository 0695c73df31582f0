// The REST API as scripts and the console use it: log-in, roles, tenants with revisions, secrets that never come back, hostile input.
import test from 'node:test';
import assert from 'node:assert/strict';
import {readFileSync, existsSync} from 'node:fs';
import {join} from 'node:path';
import {request} from 'node:http';
import {gzipSync} from 'node:zlib';
import {freePort, until} from './harness.mjs';
import {Caller, adminPassword, goodTenant, startHub} from './hub.mjs';

const supervisor = {user: 'sue', role: 'supervisor', password: 'nine green umbrellas'};
const agent = {user: 'al', role: 'agent', password: 'four old lighthouses'};

test('log-in, who am I, log-out, another password', async t => {
  const hub = await startHub(t);
  const r = await hub.anyone.call('POST', '/auth/login', {user: 'admin', password: adminPassword});
  assert.equal(r.status, 200, r.text);
  assert.equal(r.json.type, 'Bearer');
  assert.equal(r.json.role, 'administrator');
  assert.match(r.json.token, /^[\w-]{43}$/);
  assert.ok(r.json.expires_in > 3600);
  assert.equal(r.headers.get('cache-control'), 'no-store');
  const me = await hub.anyone.call('GET', '/auth/me', undefined, {authorization: `bEaReR ${r.json.token}`});
  assert.equal(me.json.user, 'admin');
  assert.equal((await hub.anyone.call('GET', '/auth/me')).status, 401);
  assert.equal((await hub.anyone.call('GET', '/auth/me', undefined, {authorization: 'Bearer nonsense'})).status, 401);

  const [one, two] = [await hub.login(), await hub.login()];
  const weak = await one.call('POST', '/auth/password', {old: adminPassword, new: 'password1'});
  assert.equal(weak.status, 400);
  assert.equal(weak.json.code, 'weak_password');
  assert.match(weak.json.detail, /zxcvbn score/);
  assert.equal((await one.call('POST', '/auth/password', {old: 'wrong', new: 'twelve amber kettles'})).status, 403);
  assert.equal((await one.call('POST', '/auth/password', {old: adminPassword, new: 'twelve amber kettles'})).status, 204);
  assert.equal((await one.call('GET', '/auth/me')).status, 200, 'who changed it stays logged in');
  assert.equal((await two.call('GET', '/auth/me')).status, 401, 'other sessions end');
  assert.equal((await hub.anyone.call('POST', '/auth/login', {user: 'admin', password: adminPassword})).status, 401);
  const again = await hub.login('admin', 'twelve amber kettles');
  assert.equal((await again.call('POST', '/auth/logout')).status, 204);
  assert.equal((await again.call('GET', '/auth/me')).status, 401);
});

test('sessions outlive a restart, and nothing secret lies in the data folder', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  assert.equal((await admin.call('POST', '/tenants', goodTenant())).status, 201);
  assert.equal((await hub.program.stop()).code, 0);
  await hub.start();
  assert.equal((await admin.call('GET', '/auth/me')).status, 200);
  const store = ['store.db', 'store.db-wal'].map(f => join(hub.dir, 'data', f)).filter(existsSync).map(f => readFileSync(f));
  for (const secret of [admin.token, adminPassword, 'desk-secret-1', 'line-secret-1', 'a-token-that-is-long-enough'])
    for (const bytes of store) assert.equal(bytes.includes(secret), false, secret.slice(0, 4));
  assert.equal((await admin.call('GET', '/tenants')).json.items.length, 1, 'the tenant is there again');
});

test('the first administrator: a weak password is refused, none is made up and written where only we can read it', async t => {
  const {mkdtempSync, rmSync, statSync} = await import('node:fs');
  const {tmpdir} = await import('node:os');
  const {execFile} = await import('node:child_process');
  const {promisify} = await import('node:util');
  const {bin} = await import('./harness.mjs');
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-first-'));
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  const weak = await promisify(execFile)(bin, ['serve', '--listen', `127.0.0.1:${await freePort()}`, '--data', join(dir, 'a'), '--admin-password', 's3cr3t'])
    .then(() => assert.fail('it started'), e => e.stderr);
  assert.match(weak, /cannot start: admin\.password: is too easy to guess/);
  assert.doesNotMatch(weak, /s3cr3t/);
  for (const [i, user] of ['宿'.repeat(30), '..', 'the boss'].entries()) // nobody could log in so
    assert.match(await promisify(execFile)(bin, ['serve', '--listen', `127.0.0.1:${await freePort()}`, '--data', join(dir, `u${i}`), '--admin-user', user, '--admin-password', adminPassword], {timeout: 10000})
      .then(() => assert.fail('it started'), e => e.stderr), /cannot start: admin\.user: must be 1 to 64 bytes/, user);
  const hub = await startHub(t, {env: {DRAGOMAN_ADMIN_PASSWORD: ''}});
  const file = join(hub.dir, 'data/admin.password');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const password = readFileSync(file, 'utf8').trim();
  assert.ok(hub.program.text().includes(password), 'printed once');
  assert.equal((await (await hub.login('admin', password)).call('GET', '/auth/me')).json.role, 'administrator');
});

test('guessing is slowed, for names that exist and for those that do not', async t => {
  const hub = await startHub(t);
  for (const user of ['nobody', 'admin']) { // who is locked out first is let in again after a second
    let slowed;
    for (let i = 0; i < 8 && !slowed; i++) {
      const r = await hub.anyone.call('POST', '/auth/login', {user, password: `guess ${i}`});
      if (r.status === 429) slowed = r; else assert.equal(r.status, 401, r.text);
      if (!slowed) assert.equal(r.json.detail, 'there is no such user with this password');
    }
    assert.ok(slowed, user);
    assert.ok(Number(slowed.headers.get('retry-after')) >= 1);
  }
  const right = await hub.anyone.call('POST', '/auth/login', {user: 'admin', password: adminPassword});
  assert.equal(right.status, 429, 'also the right one waits');
  await until('the lock opens', async () => (await hub.anyone.call('POST', '/auth/login', {user: 'admin', password: adminPassword})).status === 200);
});

// All of them are on their way before the first is known to be wrong.
test('guessing is slowed also where many guesses come at once', async t => {
  const hub = await startHub(t);
  const all = await Promise.all(Array.from({length: 30}, (_, i) => hub.anyone.call('POST', '/auth/login', {user: 'admin', password: i === 29 ? adminPassword : `guess ${i}`})));
  const told = all.filter(r => r.status === 401 || r.status === 200).length;
  assert.ok(all.every(r => [200, 401, 429].includes(r.status)), JSON.stringify(all.map(r => r.status)));
  assert.ok(told >= 5 && told <= 16, `${told} of them were told whether they are right`);
});

test('each role may do what its row says, and nothing else', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  for (const who of [supervisor, agent]) assert.equal((await admin.call('POST', '/logins', who)).status, 201);
  const callers = {none: hub.anyone, administrator: admin, supervisor: await hub.login('sue', supervisor.password), agent: await hub.login('al', agent.password)};
  const doc = (await hub.anyone.call('GET', '/openapi')).json;
  let checked = 0;
  for (const [path, methods] of Object.entries(doc.paths)) for (const [method, op] of Object.entries(methods)) {
    if (!op['x-roles']) continue;
    const url = path.replace(/\{\w+\}/g, 'no-such-thing');
    for (const [role, caller] of Object.entries(callers)) {
      if (['auth_logout', 'auth_password', 'events', 'desk_events', 'conversations_erase'].includes(op.operationId) && role !== 'none' && op['x-roles'].includes(role)) continue; // these would do it
      const r = await caller.call(method.toUpperCase(), url, op.requestBody ? '{"no": "such member"}' : undefined);
      const why = `${role}: ${method} ${path}: ${r.status}`;
      if (role === 'none') assert.equal(r.status, 401, why);
      else if (!op['x-roles'].includes(role)) assert.equal(r.status, 403, why);
      else assert.ok(![401, 403].includes(r.status), why);
      checked++;
    }
  }
  assert.ok(checked > 100, `${checked} checked`);
});

test('logins: the last administrator stays, sessions of a removed login end', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  assert.equal((await admin.call('DELETE', '/logins/admin')).status, 409);
  assert.equal((await admin.call('PATCH', '/logins/admin', {role: 'agent'})).status, 409);
  assert.equal((await admin.call('POST', '/logins', {...supervisor, password: 'sue'})).status, 400);
  assert.equal((await admin.call('POST', '/logins', {...supervisor, user: 'a/b'})).status, 400);
  const made = await admin.call('POST', '/logins', supervisor);
  assert.equal(made.status, 201);
  assert.equal(made.headers.get('location'), '/api/v1/logins/sue');
  assert.equal((await admin.call('POST', '/logins', supervisor)).status, 409);
  const sue = await hub.login('sue', supervisor.password);
  assert.equal((await admin.call('PATCH', '/logins/sue', {role: 'agent'})).json.role, 'agent');
  assert.equal((await sue.call('GET', '/auth/me')).status, 401, 'another role needs a new log-in');
  const again = await hub.login('sue', supervisor.password);
  assert.equal((await admin.call('DELETE', '/logins/sue')).status, 204);
  assert.equal((await again.call('GET', '/auth/me')).status, 401);
  assert.deepEqual((await admin.call('GET', '/logins')).json.items.map(l => l.user), ['admin']);
});

// Hashing takes a while: what is said about the role meanwhile stays.
test('logins: a new password does not take back a role given at the same time', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  assert.equal((await admin.call('POST', '/logins', {...supervisor, role: 'administrator'})).status, 201);
  const [password, role] = await Promise.all([admin.call('PATCH', '/logins/sue', {password: 'another-Long-enough-7-word'}), admin.call('PATCH', '/logins/sue', {role: 'agent'})]);
  assert.deepEqual([password.status, role.status, role.json.role], [200, 200, 'agent'], password.text);
  assert.equal((await admin.call('GET', '/logins')).json.items.find(l => l.user === 'sue').role, 'agent');
  assert.equal((await (await hub.login('sue', 'another-Long-enough-7-word')).call('GET', '/auth/me')).json.role, 'agent');
});

// Whoever has the old password asks for another one in the moment in which an administrator takes the account back.
test('logins: who changes a password while it is being reset has not the last word', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  assert.equal((await admin.call('POST', '/logins', supervisor)).status, 201);
  const stolen = await hub.login('sue', supervisor.password);
  const [own, reset] = await Promise.all([stolen.call('POST', '/auth/password', {old: supervisor.password, new: 'twelve amber kettles'}), admin.call('PATCH', '/logins/sue', {password: 'another-Long-enough-7-word'})]);
  assert.equal(reset.status, 200, reset.text);
  assert.ok([204, 401].includes(own.status), own.text); // 204: it was quicker
  assert.equal((await hub.anyone.call('POST', '/auth/login', {user: 'sue', password: 'twelve amber kettles'})).status, 401);
  assert.equal((await (await hub.login('sue', 'another-Long-enough-7-word')).call('GET', '/auth/me')).json.role, 'supervisor');
});

test('tenants: of changes at once each is there, or refused', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const {json: {id}} = await admin.call('POST', '/tenants', goodTenant());
  for (let round = 0; round < 5; round++) {
    const names = Array.from({length: 8}, (_, i) => `k${round}-${i}`);
    const all = await Promise.all(names.map(n => admin.call('PATCH', `/tenants/${id}`, {custom_data: {[n]: '1'}})));
    const taken = names.filter((n, i) => all[i].status === 200);
    assert.ok(taken.length && all.every(r => r.status === 200 || (r.status === 412 && r.json.code === 'changed')), JSON.stringify(all.map(r => r.status)));
    const there = (await admin.call('GET', `/tenants/${id}`)).json.custom_data;
    assert.deepEqual(Object.keys(there).filter(n => n.startsWith(`k${round}-`)).sort(), taken, 'none is lost without a word');
  }
});

test('the cookie: only with the header, only from our own origin', async t => {
  const hub = await startHub(t);
  const r = await hub.anyone.call('POST', '/auth/login', {user: 'admin', password: adminPassword, cookie: true});
  const set = r.headers.get('set-cookie');
  assert.match(set, /^dragoman=[\w-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/);
  const cookie = set.split(';')[0];
  assert.equal((await hub.anyone.call('GET', '/tenants', undefined, {cookie})).status, 200);
  const forged = await hub.anyone.call('POST', '/tenants', goodTenant(), {cookie});
  assert.equal(forged.status, 403);
  assert.equal(forged.json.code, 'forgery');
  assert.equal((await hub.anyone.call('POST', '/tenants', goodTenant(), {cookie, 'x-dragoman': '1', origin: 'https://evil.example'})).status, 403);
  assert.equal((await hub.anyone.call('POST', '/tenants', goodTenant(), {cookie, 'x-dragoman': '1', origin: hub.base})).status, 201);
  assert.equal((await hub.anyone.call('POST', '/auth/logout', undefined, {cookie, 'x-dragoman': '1'})).status, 204);
  assert.equal((await hub.anyone.call('GET', '/tenants', undefined, {cookie})).status, 401);
});

test('tenants: made, read, changed with revisions, merged, removed', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const made = await admin.call('POST', '/tenants', goodTenant());
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.get('location'), `/api/v1/tenants/${made.json.id}`);
  assert.equal(made.headers.get('etag'), '"1"');
  assert.equal(made.json.slug, 'acme-and-line');
  assert.deepEqual(made.json.desk.client_secret, {set: true});
  const path = `/tenants/${made.json.id}`;
  assert.equal((await admin.call('GET', path, undefined, {'if-none-match': '"1"'})).status, 304);
  assert.equal((await admin.call('GET', '/tenants/acme-and-line')).json.id, made.json.id);
  const changed = await admin.call('PUT', path, {...made.json, subscription: 'S-1'}, {'if-match': '"1"'});
  assert.equal(changed.status, 200, changed.text);
  assert.equal(changed.json.rev, 2);
  assert.equal(changed.json.changed_by, 'admin');
  assert.deepEqual(changed.json.channels[0].channel_secret, {set: true}, 'what was not sent stays');
  assert.equal((await admin.call('PUT', path, made.json, {'if-match': '"1"'})).status, 412);
  const merged = await admin.call('PATCH', path, {custom_data: {shop: '7'}, subscription: null}, {'content-type': 'application/merge-patch+json'});
  assert.equal(merged.status, 200, merged.text);
  assert.deepEqual(merged.json.custom_data, {shop: '7'});
  assert.equal('subscription' in merged.json, false);
  const taken = await admin.call('POST', '/tenants', goodTenant());
  assert.equal(taken.status, 400);
  assert.equal(taken.json.field, 'name');
  const channels = (await admin.call('GET', '/channels')).json.items;
  assert.deepEqual(channels.map(c => c.id).sort(), ['acme-and-line/genesys-cloud', 'acme-and-line/line']);
  assert.equal(channels.find(c => c.side === 'network').webhook, `${hub.base}/line`);
  assert.equal((await admin.call('DELETE', path, undefined, {'if-match': '"9"'})).status, 412);
  assert.equal((await admin.call('DELETE', path)).status, 204);
  assert.equal((await admin.call('GET', path)).status, 404);
  assert.deepEqual((await admin.call('GET', '/channels')).json.items, []);
  const rows = (await admin.call('GET', '/audit')).json.items;
  assert.deepEqual(rows.map(r => r.action), ['tenant.delete', 'tenant.change', 'tenant.change', 'tenant.create']);
  assert.deepEqual(rows[1].detail.members.sort(), ['custom_data', 'subscription']);
  const page = (await admin.call('GET', '/audit?limit=3')).json;
  assert.deepEqual((await admin.call('GET', `/audit?after=${page.next}`)).json.items.map(r => r.action), ['tenant.create']);
});

test('tenants: pages, search, and those of the file are read-only', async t => {
  const hub = await startHub(t, {tenants: [goodTenant('From the file')]});
  const admin = await hub.login();
  for (const n of ['B', 'C', 'D']) {
    const tenant = goodTenant(`Inn ${n}`);
    assert.equal((await admin.call('POST', '/tenants', tenant)).status, 201);
  }
  const first = (await admin.call('GET', '/tenants?limit=2')).json;
  assert.deepEqual(first.items.map(i => i.name), ['From the file', 'Inn B']);
  const second = (await admin.call('GET', `/tenants?limit=2&after=${first.next}`)).json;
  assert.deepEqual(second.items.map(i => i.name), ['Inn C', 'Inn D']);
  assert.equal(second.next, null);
  assert.deepEqual((await admin.call('GET', '/tenants?q=inn%20c')).json.items.map(i => i.name), ['Inn C']);
  assert.equal(first.items[0].read_only, true);
  const r = await admin.call('PATCH', `/tenants/${first.items[0].id}`, {subscription: 'x'});
  assert.equal(r.status, 409);
  assert.equal(r.json.code, 'read_only');
});

test('every list comes in pages; a cursor that is gone is told, and nothing is left out in silence', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  for (const n of [1, 2, 3]) {
    assert.equal((await admin.call('POST', '/tenants', goodTenant(`Inn ${n}`))).status, 201);
    assert.equal((await admin.call('POST', '/users', {name: `u${n}`, role: 'agent', password: agent.password})).status, 201);
    assert.equal((await admin.call('POST', '/queues', {name: `q${n}`})).status, 201);
    assert.equal((await admin.call('POST', '/responses', {name: `r${n}`, text: 'x'})).status, 201);
    assert.equal((await admin.call('POST', '/storages', {type: 's3', name: `s${n}`, bucket: 'bucket-1', endpoint: 'http://127.0.0.1:9', access_key_id: 'A', secret_access_key: 's'})).status, 201);
  }
  const lists = {'/tenants': [x => x.id, 3], '/users': [x => x.name, 4], '/logins': [x => x.user, 4], '/queues': [x => x.name, 3], '/responses': [x => x.name, 3], '/storages': [x => x.name, 4], '/channels': [x => x.id, 6]};
  for (const [path, [key, n]] of Object.entries(lists)) {
    const whole = (await admin.get(path)).items.map(key);
    assert.equal(whole.length, n, path);
    const seen = [];
    for (let after = '', pages = 0; after !== null; pages++) {
      assert.ok(pages < 4, path);
      const page = (await admin.call('GET', `${path}?limit=2${after && `&after=${encodeURIComponent(after)}`}`)).json;
      assert.ok(page.items.length <= 2, path);
      seen.push(...page.items.map(key));
      after = page.next;
    }
    assert.deepEqual(seen, whole, path);
    assert.equal((await admin.get(path)).next, null, path);
    const gone = await admin.call('GET', `${path}?limit=2&after=no-such-thing`);
    assert.deepEqual([gone.status, gone.json.field], [400, 'after'], path);
    for (const limit of ['0', '501', 'x']) assert.equal((await admin.call('GET', `${path}?limit=${limit}`)).json.field, 'limit', path);
  }
  assert.deepEqual((await admin.get('/channels?tenant=inn-2')).items.map(c => c.id).sort(), ['inn-2/genesys-cloud', 'inn-2/line']);
  assert.deepEqual((await admin.get('/channels?tenant=inn-2&limit=1')).next, (await admin.get('/channels?tenant=inn-2')).items[0].id);
  const one = (await admin.get(`/channels/${encodeURIComponent('inn-2/line')}`));
  assert.deepEqual([one.id, one.tenant, one.type, one.webhook], ['inn-2/line', 'Inn 2', 'line', `${hub.base}/line`]);
  assert.equal((await admin.call('GET', '/channels/none')).status, 404);
});

test('what Slack makes an app from: for an account that is still to be made, and for one at work; nothing of the kind elsewhere', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const fresh = JSON.parse((await admin.get('/connectors/slack')).manifest);
  assert.deepEqual(fresh.oauth_config.redirect_urls, [`${hub.base}/slack/oauth/callback`]);
  assert.equal('manifest' in (await admin.get('/connectors/line')), false);
  const tenant = {...goodTenant('Inn'), channels: [{type: 'slack', app_id: 'A0HUB0001', client_id: '1.2', client_secret: 'hush-hush-1', signing_secret: '8f742231b10e8888abcd99yyyzzz85a5', app_name: 'Inn Care'}]};
  const made = await admin.call('POST', '/tenants', tenant);
  assert.equal(made.status, 201, made.text);
  const line = (await admin.get('/channels')).items.find(x => x.type === 'slack');
  assert.equal(JSON.parse(line.manifest).display_information.name, 'Inn Care');
  assert.equal(line.manifest.includes('hush-hush'), false);
});

test('capabilities: what each network and desk carries, and what becomes of the rest', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const {items, rules} = await admin.get('/capabilities');
  assert.deepEqual(items.map(x => [x.name, x.side]), (await admin.get('/connectors')).items.map(x => [x.name, x.side]));
  const line = items.find(x => x.name === 'line').capabilities;
  assert.ok(line.kinds.includes('sticker') && !line.kinds.includes('file'));
  assert.deepEqual([line.text_max, line.text_unit, line.choices_max, line.choice_pictures, line.reply_window_ms], [5000, 'utf16', 13, true, 0]);
  assert.ok(line.media_rules.some(r => /^image/.test(r.type) && r.max_bytes > 0));
  assert.ok(items.some(x => x.capabilities.reply_window_setting), 'some network lets an account say it');
  assert.equal(rules.find(r => r.name === 'split').loses, false);
  assert.ok(rules.length > 10 && rules.some(r => r.loses) && rules.every(r => r.text));
});

test('api_root: the document, its page and changes from that address', async t => {
  const hub = await startHub(t, {settings: {api_root: 'https://hub.example.com'}});
  assert.deepEqual((await hub.anyone.get('/openapi')).servers, [{url: 'https://hub.example.com/api/v1'}]);
  const cookie = (await hub.anyone.call('POST', '/auth/login', {user: 'admin', password: adminPassword, cookie: true})).headers.get('set-cookie');
  assert.match(cookie, /; Secure$/);
  const change = origin => hub.anyone.call('POST', '/tenants/check', goodTenant(), {cookie: cookie.split(';')[0], 'x-dragoman': '1', origin});
  assert.equal((await change('https://hub.example.com')).status, 200);
  assert.equal((await change('https://hub.example.com.evil.example')).status, 403);
});

test('mistakes are told at their field', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const bad = goodTenant('Bad');
  bad.desk.client_id = '';
  bad.channels[0].bot_id = 'acme';
  delete bad.channels[0].channel_secret;
  bad.channels[0].chanel_id = 'x';
  for (const path of ['/tenants', '/tenants/check']) {
    const r = await admin.call('POST', path, bad);
    assert.equal(r.status, path === '/tenants' ? 400 : 200);
    const fields = r.json.problems.map(p => p.field);
    for (const f of ['desk.client_id', 'channels[0].channel_secret', 'channels[0].chanel_id']) assert.ok(fields.includes(f), `${f} in ${fields}`);
  }
  const ok = await admin.call('POST', '/tenants/check', goodTenant());
  assert.equal(ok.json.good, true);
  assert.deepEqual(ok.json.problems, []);
  assert.ok(ok.json.changes.some(c => c.path === 'desk.client_secret' && c.secret && !('to' in c)));
  assert.ok(ok.json.changes.some(c => c.path === 'channels[0].bot_id' && c.to === '@acme'));
  const r = await admin.call('POST', '/tenants', bad);
  assert.equal(r.headers.get('content-type'), 'application/problem+json');
  assert.equal(r.json.status, 400);
  assert.equal(r.json.instance, '/api/v1/tenants');
  // … also where no operation was reached
  const rows = [
    ['POST', '/tenants', 'x'.repeat(2 << 20), {}, 413, 'too_large'],
    ['GET', '/nothing/here', undefined, {}, 404, 'not_found'],
    ['DELETE', '/tenants', undefined, {}, 405, 'method_not_allowed'],
    ['POST', '/tenants', 'x', {'content-encoding': 'br'}, 415, 'unsupported'],
    ['POST', '/tenants', 'no gzip', {'content-encoding': 'gzip'}, 400, 'bad_request'],
    ['GET', '/tenants/%00', undefined, {}, 400, 'bad_request'],
    ['POST', '/tenants', '{', {}, 400, 'bad_json'],
  ];
  for (const [method, path, body, headers, status, code] of rows) {
    const p = await admin.call(method, path, body, headers);
    assert.deepEqual([p.status, p.headers.get('content-type'), p.json?.code, p.json?.status], [status, 'application/problem+json', code, status], `${method} ${path} ${p.text}`);
    assert.ok(p.json.type && p.json.title && p.json.detail && p.json.instance.startsWith('/api/v1/'));
  }
  assert.equal((await fetch(`${hub.base}/nowhere`)).headers.get('content-type'), 'application/json', 'elsewhere the custom of the place');
});

test('conversations: only the open ones, or only the others', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  for (const [open, status] of [['true', 200], ['false', 200], ['maybe', 400]]) assert.equal((await admin.call('GET', `/conversations?open=${open}`)).status, status);
});

test('the API document comes whole: every parameter has its meaning, every shape it names is there', async t => {
  const hub = await startHub(t);
  const got = await hub.anyone.call('GET', '/openapi');
  assert.equal(got.status, 200);
  const operations = Object.values(got.json.paths).flatMap(Object.values);
  const parameters = operations.flatMap(op => (op.parameters ?? []).map(p => [op.operationId, p]));
  assert.ok(operations.length > 100 && parameters.some(([, p]) => p.in === 'query'));
  const header = (id, name) => parameters.some(([of, p]) => of === id && p.in === 'header' && p.name === name);
  for (const id of ['tenants_put', 'tenants_patch', 'tenants_delete', 'storages_put', 'settings_put', 'responses_put', 'users_put', 'queues_put', 'contacts_put']) assert.ok(header(id, 'If-Match'), id);
  assert.ok(header('messages_send', 'Idempotency-Key') && header('tenants_get', 'If-None-Match'));
  assert.equal(got.json.paths['/tenants/{id}/export'].post.requestBody.required, false, 'nothing in it must be said');
  for (const [id, p] of parameters) if (p.in === 'query') assert.ok(p.description && p.schema.type, `${id}: ${p.name}`);
  for (const [, name] of got.text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) assert.ok(got.json.components.schemas[name], name);
});

test('the API document admits what the hub takes, and what it answers', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const {paths, components: {schemas}} = (await hub.anyone.call('GET', '/openapi')).json;
  for (const [path, methods] of Object.entries(paths)) if (methods.get?.parameters?.some(p => p.name === 'If-None-Match')) assert.ok(methods.get.responses['304'], path);
  const {topics} = schemas.NotifierSettings.properties;
  assert.deepEqual([topics.enum, topics.items.enum], [undefined, ['Default', 'Subscriptions']], 'each topic is one of them, not the list');
  assert.equal(schemas.UserDocument.additionalProperties, false, 'a member that the table does not know is refused');
  assert.equal(schemas.User.additionalProperties, undefined, 'an answer may have more one day');
  assert.deepEqual([schemas.UserDocument.properties.display_name.maxLength, schemas.ContactNew.properties.attributes.maxProperties, schemas.TenantMembers.properties.channels.minItems], [200, 100, 1]);
  // a length is that of JSON Schema: characters
  const user = display_name => admin.call('POST', '/users', {name: 'kim', role: 'agent', password: agent.password, display_name});
  const long = await user('語'.repeat(201));
  assert.deepEqual([long.status, long.json.field, long.json.problems[0].message], [400, 'display_name', 'must have 0 to 200 characters']);
  const made = await user('🦉'.repeat(200));
  assert.deepEqual([made.status, made.json.display_name], [201, '🦉'.repeat(200)], made.text);
  assert.equal((await admin.call('POST', '/tenants', goodTenant('Inn'))).status, 201);
  const contact = name => admin.call('POST', '/contacts', {tenant: 'inn', name});
  assert.deepEqual([(await contact('x'.repeat(201))).status, (await contact('宿'.repeat(200))).json.name], [400, '宿'.repeat(200)], 'nothing is cut off without a word');
});

test('what no address could name is not made', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  for (const name of ['.', '..', 'a\u0000b']) {
    const rows = [['/users', {name, role: 'agent', password: agent.password}, 400], ['/logins', {user: name, role: 'agent', password: agent.password}, 400], ['/queues', {name}, 400], ['/responses', {name, text: 'x'}, name.length > 2 ? 400 : 422]];
    for (const [path, body, status] of rows) {
      const r = await admin.call('POST', path, body);
      assert.deepEqual([r.status, r.json.field], [status, path === '/logins' ? 'user' : 'name'], `${path}: ${r.text}`);
    }
  }
  assert.equal((await admin.call('POST', '/users', {name: '...', role: 'agent', password: agent.password})).status, 201);
  assert.equal((await admin.call('GET', '/users/...')).status, 200);
});

test('secrets never come back, whatever is asked', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const secrets = ['desk-secret-1', 'line-secret-1', 'a-token-that-is-long-enough', 'ivr-password-1', adminPassword];
  const tenant = {...goodTenant(), api: {auth: 'basic', user: 'ivr', password: 'ivr-password-1'}};
  const made = await admin.call('POST', '/tenants', tenant);
  assert.equal(made.status, 201, made.text);
  assert.equal((await admin.call('POST', '/logins', supervisor)).status, 201);
  const doc = (await hub.anyone.call('GET', '/openapi')).json;
  const texts = [made.text];
  const values = {'/tenants/{id}': made.json.id, '/logins/{user}': 'sue', '/connectors/{name}': 'line', '/channels/{id}/refused': encodeURIComponent('acme-and-line/line')};
  for (const [path, methods] of Object.entries(doc.paths)) {
    if (!methods.get || methods.get.responses['200']?.content?.['text/event-stream']) continue;
    texts.push((await admin.call('GET', path.replace(/\{\w+\}/, values[path] ?? 'x') + (path === '/messages' ? '?q=hello' : ''))).text);
  }
  texts.push((await admin.call('POST', `/tenants/${made.json.id}/export`, {})).text);
  texts.push((await admin.call('POST', `/tenants/${made.json.id}/export`, {passphrase: 'open sesame please'})).text);
  texts.push(hub.program.text());
  assert.ok(texts.length > 15);
  for (const text of texts) for (const s of [...secrets, admin.token]) assert.equal(text.includes(s), false, `${s.slice(0, 6)}… in ${text.slice(0, 200)}`);
});

test('two channels of one account of a vendor are refused, unless what comes in can be told apart', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const [line] = goodTenant().channels;
  const [org, other] = [1, 2].map(n => `aaaaaaaa-0000-4000-8000-00000000000${n}`);
  const teams = {type: 'teams', bot_id: '11111111-2222-3333-4444-555555555555', bot_secret: 'teams-secret-1', home_tenant: org};
  const to = n => ({switcher: {secret: `destination-${n}`, destination_id: 'd'}});
  const rows = [
    [line, {}, 'channels[1].channel_id'], [line, {channel_secret: 'line-secret-2'}, 'channels[1].channel_id'], [line, {channel_id: '1'}], [{...line, ...to(1)}, to(2)], [{...line, ...to(1)}, {}, 'channels[1].channel_id'],
    [teams, {}, 'channels[1].bot_id'], [teams, {tenants: org}], [{...teams, tenants: org}, {tenants: other}],
  ];
  for (const [one, change, field] of rows) {
    const r = await admin.call('POST', '/tenants/check', {...goodTenant(), channels: [{...one, name: 'one'}, {...one, ...change, name: 'two'}]});
    assert.deepEqual(r.json.problems?.map(p => p.field) ?? [], field ? [field] : [], r.text);
  }
});

test('export and import, with the secrets and without', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const made = await admin.call('POST', '/tenants', goodTenant());
  const plain = (await admin.call('POST', `/tenants/${made.json.id}/export`, {})).json;
  assert.equal('secrets' in plain, false);
  const sealed = (await admin.call('POST', `/tenants/${made.json.id}/export`, {passphrase: 'open sesame please'})).json;
  assert.match(sealed.secrets, /^passphrase:v1:/);
  const without = await admin.call('POST', '/tenants/import', {document: plain, name: 'Copy'});
  assert.equal(without.status, 400, 'required secrets are missing');
  assert.ok(without.json.problems.some(p => p.field === 'channels[0].channel_secret'));
  assert.equal((await admin.call('POST', '/tenants/import', {document: sealed, name: 'Copy', passphrase: 'another passphrase'})).status, 400);
  const beside = await admin.call('POST', '/tenants/import', {document: sealed, name: 'Copy', passphrase: 'open sesame please'});
  assert.deepEqual([beside.status, beside.json.problems?.map(p => p.field)], [400, ['channels[0].channel_id', 'desk.client_id']], 'one LINE channel and one integration have one tenant');
  const other = await admin.call('POST', '/tenants/import', {document: {...plain.tenant, ...goodTenant('Other')}});
  assert.equal(other.status, 201, other.text);
  assert.notEqual(other.json.id, made.json.id);
  assert.equal((await admin.call('DELETE', `/tenants/${made.json.id}`)).status, 204);
  const copy = await admin.call('POST', '/tenants/import', {document: sealed, name: 'Copy', passphrase: 'open sesame please'});
  assert.equal(copy.status, 201, copy.text);
  assert.deepEqual(copy.json.channels[0].channel_secret, {set: true});
});

test('hostile input: 4xx problems, and the hub goes on', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const rows = [
    ['POST', '/auth/login', '{"user":"a","password":"b"', 400],
    ['POST', '/auth/login', '['.repeat(100000), 400],
    ['POST', '/auth/login', '{"user":{},"password":[]}', 400],
    ['POST', '/auth/login', '"x"', 400],
    ['POST', '/auth/login', '', 400],
    ['POST', '/tenants', '{"name":"\\u0000","desk":{}}', 400],
    ['POST', '/tenants', '{"name":1,"name":2}', 400],
    ['POST', '/tenants', '{"desk":"x","channels":{},"custom_data":[]}', 400],
    ['PATCH', '/tenants/none', '{}', 404],
    ['GET', '/tenants/%00', undefined, 400],
    ['GET', '/tenants/%zz', undefined, 400],
    ['GET', '/tenants?limit=100000', undefined, 400],
    ['GET', '/tenants?limit=-1', undefined, 400],
    ['GET', '/messages?q=ab', undefined, 400],
    ['GET', '/messages/9999999999999999999999', undefined, 404],
    ['GET', '/conversations?after=x', undefined, 400],
    ['GET', '/nothing', undefined, 404],
    ['DELETE', '/connectors', undefined, 405],
    ['POST', '/journal/replay', '{}', 400],
    ['POST', '/journal/replay', '{"ids":["x"]}', 400],
    ['POST', '/journal/replay', '{"query":{"state":"delivered"}}', 400],
    ['POST', '/journal/discard', '{"query":{"tenant":"none"}}', 404],
    ['GET', '/journal/dead?state=delivered', undefined, 400],
  ];
  for (const [method, path, body, status] of rows) {
    const r = await admin.call(method, path, body, body === undefined ? {} : {'content-type': 'application/json'}).catch(e => { throw new Error(`${method} ${path} ${String(body).slice(0, 40)}: ${e.cause ?? e}`); });
    assert.equal(r.status, status, `${method} ${path} ${String(body).slice(0, 40)}: ${r.status} ${r.text.slice(0, 200)}`);
    assert.ok(r.json.code, r.text);
  }
  // Small as it comes, too large unpacked: read to its end, so that the answer arrives whatever the timing.
  const large = await fetch(`${admin.base}/tenants`, {method: 'POST', body: gzipSync(JSON.stringify({name: 'x'.repeat(2 << 20)})),
    headers: {'content-type': 'application/json', 'content-encoding': 'gzip', authorization: `Bearer ${admin.token}`}});
  assert.equal(large.status, 413);
  assert.equal((await large.json()).code, 'too_large');
  assert.equal((await admin.call('POST', '/tenants', 'name=x', {'content-type': 'application/x-www-form-urlencoded'})).status, 415);
  const script = '<script>alert(1)</script>"\'&';
  const made = await admin.call('POST', '/tenants', goodTenant(script));
  assert.equal(made.status, 201, made.text);
  assert.match(made.headers.get('content-type'), /^application\/json$/);
  assert.equal(made.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(made.json.name, script, 'as it came, as JSON');
});

test('guessing many names from one address is slowed, too; a proxy in front says whose it is', async t => {
  const hub = await startHub(t, {settings: {trust_forwarded: true}});
  const guess = (i, from) => hub.anyone.call('POST', '/auth/login', {user: `name-${i}`, password: 'guess'}, {'x-forwarded-for': `10.0.0.9, ${from}`});
  let slowed = 0;
  for (let i = 0; i < 24 && !slowed; i++) slowed = (await guess(i, '203.0.113.7')).status === 429 ? i : 0;
  assert.ok(slowed >= 20, `after ${slowed}`);
  assert.equal((await guess(99, '203.0.113.8')).status, 401, 'others go on');
});

// Who knows a name must not be able to keep its owner out.
test('wrong passwords from elsewhere do not lock a name, and those from many places are bounded all the same', async t => {
  const hub = await startHub(t, {settings: {trust_forwarded: true}});
  const log = (from, password) => hub.anyone.call('POST', '/auth/login', {user: 'admin', password}, {'x-forwarded-for': from}).then(r => r.status);
  const guessAt = async from => { // until it is slowed
    for (let i = 0; i < 6; i++) if (await log(from, `guess ${i}`) === 429) return i;
    assert.fail(`${from} may guess on`);
  };
  assert.equal(await log('198.51.100.1', adminPassword), 200, 'where the owner is');
  assert.equal(await guessAt('203.0.113.0'), 5);
  assert.equal(await log('203.0.113.0', adminPassword), 429, 'where the guesses came from');
  assert.equal(await log('198.51.100.1', adminPassword), 200);
  assert.equal(await log('198.51.100.2', adminPassword), 200, 'where nobody guessed');
  let places = 1;
  while (places < 40 && await guessAt(`203.0.113.${places}`) === 5) places++;
  assert.ok(places >= 19 && places < 40, `slowed for all after ${places} places`);
  assert.equal(await log('198.51.100.3', adminPassword), 429, 'a new place waits');
  assert.equal(await log('198.51.100.1', adminPassword), 200, 'where the owner was before does not');
  assert.equal(await guessAt('198.51.100.1'), 5, 'and has as many tries as any');
});

// Azure's gateway adds the port, another one for each connection; and who has one IPv6 address has the 2^64 around it.
test('a caller has no other address with another port, nor within its own IPv6 network', async t => {
  for (const [from, other] of [[i => `203.0.113.7:${40000 + i}`, '203.0.113.8:40000'], [i => `[2001:db8:0:1::7]:${40000 + i}`, '2001:db8:0:2::7'], [i => `2001:db8:0:1::${i}`, '2001:db8:0:2::1'], [() => '::ffff:203.0.113.7', '::ffff:203.0.113.8']]) {
    const hub = await startHub(t, {settings: {trust_forwarded: true}});
    const guess = (i, address) => hub.anyone.call('POST', '/auth/login', {user: `name-${i}`, password: 'guess'}, {'x-forwarded-for': address});
    let slowed = 0;
    for (let i = 0; i < 24 && !slowed; i++) slowed = (await guess(i, from(i))).status === 429 ? i : 0;
    assert.ok(slowed >= 20, `${from(1)}: after ${slowed}`);
    assert.equal((await guess(99, other)).status, 401, 'others go on');
  }
});

// A CDN before a proxy of one's own: the last address is the CDN's, everybody's; the one before it is what the CDN saw.
test('behind two proxies a caller is who the outer one saw', async t => {
  const hub = await startHub(t, {settings: {trust_forwarded: true, forwarded_hops: 2}});
  const guess = (i, lines) => new Promise((resolve, reject) => {
    const body = JSON.stringify({user: `name-${i}`, password: 'guess'});
    request(`${hub.base}/api/v1/auth/login`, {method: 'POST', headers: {'content-type': 'application/json', 'content-length': body.length, 'x-forwarded-for': lines}},
      r => r.resume().on('end', () => resolve(r.statusCode))).on('error', reject).end(body);
  });
  const ways = [from => [`198.51.100.1, ${from}, 192.0.2.1`], from => [`198.51.100.1,${from}`, '192.0.2.1'], from => ['198.51.100.1', `${from}`, '192.0.2.1'], from => [from]]; // the last: past the CDN
  let slowed = 0;
  for (let i = 0; i < 24 && !slowed; i++) slowed = (await guess(i, ways[i % 4]('203.0.113.7'))) === 429 ? i : 0;
  assert.ok(slowed >= 20, `after ${slowed}`);
  for (const way of ways) assert.equal(await guess(99, way('203.0.113.8')), 401, 'others go on');
});

// HAProxy writes a line of its own below those that came; a list with commas says the same (RFC 9110, 5.3).
test('a caller does not choose its address by a line before that of the proxy', async t => {
  const hub = await startHub(t, {settings: {trust_forwarded: true}});
  const guess = i => new Promise((resolve, reject) => {
    const body = JSON.stringify({user: `name-${i}`, password: 'guess'});
    request(`${hub.base}/api/v1/auth/login`, {method: 'POST', headers: {'content-type': 'application/json', 'content-length': body.length, 'x-forwarded-for': [`198.51.100.${i}`, '203.0.113.7']}},
      r => r.resume().on('end', () => resolve(r.statusCode))).on('error', reject).end(body);
  });
  let slowed = 0;
  for (let i = 0; i < 24 && !slowed; i++) slowed = (await guess(i)) === 429 ? i : 0;
  assert.ok(slowed >= 20, `after ${slowed}`);
});
