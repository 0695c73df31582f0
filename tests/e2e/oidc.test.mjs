// Logging in at a company's own OpenID Connect provider: oidc.mjs plays one.
import test from 'node:test';
import assert from 'node:assert/strict';
import {generateKeyPairSync} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {startHub, Caller} from './hub.mjs';
import {Provider} from './oidc.mjs';

const cookieOf = (r, name) => r.headers.getSetCookie().find(c => c.startsWith(`${name}=`))?.split(';')[0];
const get = (url, cookie) => fetch(url, {redirect: 'manual', headers: cookie ? {cookie} : {}});
async function logIn(hub, provider, who, {next, wrong = {}} = {}) {
  Object.assign(provider, {who, wrong});
  const there = await get(`${hub.base}/api/v1/auth/oidc/start${next ? `?next=${encodeURIComponent(next)}` : ''}`);
  assert.equal(there.status, 302, await there.text());
  const bound = cookieOf(there, 'dragoman-oidc');
  const back = provider.authorize(there.headers.get('location'));
  return {back, bound, r: await get(back, bound)};
}
const tokenOf = r => cookieOf(r, 'dragoman').split('=')[1];
const me = async (hub, r) => (await new Caller(hub.base, tokenOf(r)).call('GET', '/desk/me')).json;

test('log in at the provider: users, roles, names, keys that change', async t => {
  const provider = await new Provider().start(t);
  const hub = await startHub(t, {settings: {oidc: {issuer: provider.issuer, client_id: 'dragoman', client_secret: 'a secret', role_claim: 'realm_access.roles', roles: 'desk=agent, leads = supervisor'}}});
  const kim = {sub: 'k-1', preferred_username: 'kim', name: 'Kim Lee', email: 'kim@example.net', realm_access: {roles: ['users', 'desk']}};
  const {r, back, bound} = await logIn(hub, provider, kim, {next: '/ux/conv?iid=1'});
  assert.equal(r.status, 302, await r.text());
  assert.equal(r.headers.get('location'), '/ux/conv?iid=1');
  assert.match(r.headers.getSetCookie().find(c => c.startsWith('dragoman=')), /HttpOnly; SameSite=Strict/);
  assert.deepEqual((({user, display_name, role}) => ({user, display_name, role}))(await me(hub, r)), {user: 'kim', display_name: 'Kim Lee', role: 'agent'});
  assert.equal((await get(back, bound)).status, 403, 'the same way back is good once');

  const admin = await hub.login();
  const user = await admin.call('GET', '/users/kim');
  assert.equal((await admin.call('PUT', '/users/kim', {...user.json, queues: ['sales']})).status, 200);
  await hub.program.stop();
  await hub.start();
  provider.rotate();
  const again = await logIn(hub, provider, {...kim, realm_access: {roles: ['leads', 'desk']}});
  assert.equal(again.r.headers.get('location'), '/ux/conv');
  const now = await me(hub, again.r);
  assert.deepEqual([now.role, now.queues], ['supervisor', ['sales']], 'the role is the provider\'s, the rest stays ours');
  const kept = provider.asked.keys;
  provider.rotate();
  assert.equal((await logIn(hub, provider, kim)).r.status, 302, 'a new key is fetched');
  assert.equal((await logIn(hub, provider, kim)).r.status, 302);
  assert.equal(provider.asked.keys, kept + 1);
  assert.equal((await hub.anyone.call('POST', '/auth/login', {user: 'kim', password: 'oidc'})).status, 401, 'no password fits');
});

test('a backup brings back who came from the provider, with queues, skills and capacity', async t => {
  const provider = await new Provider().start(t);
  const hub = await startHub(t, {settings: {oidc: {issuer: provider.issuer, client_id: 'dragoman', client_secret: 'a secret'}}});
  const kim = {sub: 'k-1', preferred_username: 'kim', name: 'Kim Lee', roles: 'agent'}, passphrase = 'open sesame please';
  assert.equal((await logIn(hub, provider, kim)).r.status, 302);
  const admin = await hub.login();
  const given = {queues: ['sales'], skills: {french: 7}, capacity: {chat: 2}};
  assert.equal((await admin.call('PUT', '/users/kim', {...(await admin.call('GET', '/users/kim')).json, ...given})).status, 200);
  const backup = (await admin.call('POST', '/backup', {passphrase})).json;
  assert.equal((await admin.call('POST', '/restore', {backup, passphrase})).json.logins, 0, 'they are as they were');
  assert.equal((await admin.call('DELETE', '/users/kim')).status, 204);
  assert.equal((await admin.call('POST', '/restore', {backup, passphrase})).json.logins, 1);
  const has = async () => (({queues, skills, capacity, display_name, role}) => ({queues, skills, capacity, display_name, role}))((await admin.call('GET', '/users/kim')).json);
  assert.deepEqual(await has(), {...given, display_name: 'Kim Lee', role: 'agent'});
  assert.equal((await hub.anyone.call('POST', '/auth/login', {user: 'kim', password: 'oidc'})).status, 401, 'no password fits');
  assert.equal((await logIn(hub, provider, {...kim, sub: 'k-2'})).r.status, 409, 'nobody else there is let in as this one');
  assert.equal((await logIn(hub, provider, kim)).r.status, 302);
  assert.deepEqual(await has(), {...given, display_name: 'Kim Lee', role: 'agent'});
});

test('what does not hold is refused, and lets nobody in', async t => {
  const provider = await new Provider().start(t);
  const hub = await startHub(t, {settings: {oidc: {issuer: provider.issuer + '/', client_id: 'dragoman', client_secret: 'a secret'}}});
  const kim = {sub: 'k-1', preferred_username: 'kim', roles: 'agent'};
  const other = generateKeyPairSync('rsa', {modulusLength: 2048}).privateKey;
  const past = Math.floor(Date.now() / 1000) - 3600;
  for (const [why, wrong, status] of [['another key', {key: other}, 403], ['an unknown key', {kid: 'x', key: other}, 403], ['another issuer', {claims: {iss: 'https://evil.example'}}, 403],
    ['for another program', {claims: {aud: 'other'}}, 403], ['too old', {claims: {exp: past}}, 403], ['of another log-in', {claims: {nonce: 'x'}}, 403], ['no nonce', {claims: {nonce: undefined}}, 403],
    ['nobody', {claims: {sub: undefined}}, 502], ['no role', {claims: {roles: ['cook']}}, 403]]) {
    const {r} = await logIn(hub, provider, kim, {wrong});
    assert.equal(r.status, status, why);
    assert.equal(cookieOf(r, 'dragoman'), undefined, why);
  }
  assert.equal((await logIn(hub, provider, {...kim, preferred_username: 'admin', roles: 'administrator'})).r.status, 409, 'a login of our own is not taken over');
  assert.equal((await logIn(hub, provider, kim)).r.status, 302);
  assert.equal((await logIn(hub, provider, {...kim, sub: 'k-2'})).r.status, 409, 'nor one of somebody else at the provider');
  const there = await get(`${hub.base}/api/v1/auth/oidc/start`);
  const back = provider.authorize(there.headers.get('location'));
  assert.equal((await get(back)).status, 403, 'another browser');
  assert.equal((await get(back, cookieOf(there, 'dragoman-oidc'))).status, 403, 'and then it is used up');
  const refused = await get(`${hub.base}/api/v1/auth/oidc/start`);
  const state = new URL(refused.headers.get('location')).searchParams.get('state');
  assert.equal((await get(`${hub.base}/api/v1/auth/oidc/callback?error=access_denied&state=${state}`, cookieOf(refused, 'dragoman-oidc'))).status, 403);
  for (const next of ['https://evil.example/', '//evil.example', '/\\evil.example', '/a b', 'ux']) assert.equal((await get(`${hub.base}/api/v1/auth/oidc/start?next=${encodeURIComponent(next)}`)).status, 400, next);
  assert.equal((await get(`${hub.base}/api/v1/auth/oidc/callback?code=x&state=`)).status, 403);
  const none = await startHub(t);
  const ways = async at => (await at.anyone.call('GET', '/auth/ways')).json;
  assert.deepEqual([await ways(hub), await ways(none)], [{provider: true, logged_in: false}, {provider: false, logged_in: false}]);
  assert.equal((await (await none.login()).call('GET', '/auth/ways')).json.logged_in, true);
  assert.equal((await get(`${none.base}/api/v1/auth/oidc/start`)).status, 404);
});

// It is the loop's time, and nobody has logged in: the processor's is looked at, whatever else the machine does.
test('who is sent to the provider when no more can wait costs little more than who came before', async t => {
  const provider = await new Provider().start(t);
  const hub = await startHub(t, {settings: {trust_forwarded: true, oidc: {issuer: provider.issuer, client_id: 'dragoman', client_secret: 'a secret'}}});
  const thousand = async net => {
    const used = () => readFileSync(`/proc/${hub.program.child.pid}/stat`, 'utf8').split(' ').slice(13, 15).reduce((a, b) => a + Number(b), 0), before = used();
    for (let i = 0; i < 1000; i += 20)
      await Promise.all(Array.from({length: 20}, (_, k) => fetch(`${hub.base}/api/v1/auth/oidc/start`, {redirect: 'manual', headers: {'x-forwarded-for': `${net}.${i}.${k}`}}).then(r => assert.equal(r.status, 302))));
    return used() - before;
  };
  const [first, next] = [await thousand('198.51'), await thousand('198.52')];
  assert.ok(next < 15 * Math.max(first, 5), `${next} ticks, before ${first}`);
});

test('who is sent to the provider again and again takes nobody else the way back', async t => {
  const provider = await new Provider().start(t);
  const hub = await startHub(t, {settings: {trust_forwarded: true, oidc: {issuer: provider.issuer, client_id: 'dragoman', client_secret: 'a secret'}}});
  provider.who = {sub: 'k-1', preferred_username: 'kim', roles: 'agent'};
  const start = from => fetch(`${hub.base}/api/v1/auth/oidc/start`, {redirect: 'manual', headers: {'x-forwarded-for': from}});
  const there = await start('203.0.113.7');
  for (let i = 0; i < 1100; i += 20) await Promise.all(Array.from({length: 20}, () => start('198.51.100.1').then(r => assert.equal(r.status, 302))));
  const r = await get(provider.authorize(there.headers.get('location')), cookieOf(there, 'dragoman-oidc'));
  assert.equal(r.status, 302, await r.text());
});
