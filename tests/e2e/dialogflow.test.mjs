// Dialogflow behind the commands of agents: ES and CX, between the hub and their simulator; and the simulator as Google's library would find it.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createSign} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, ready, until} from './harness.mjs';
import {startHub} from './hub.mjs';
import {startTelegramRoad} from './telegram-road.mjs';

const agentId = '5b1c0000-0000-4000-8000-000000000001';

async function startDialogflow(t, args = []) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-dialogflow-'));
  const port = await freePort(), base = `http://127.0.0.1:${port}`;
  const program = new Program(dir, 'dialogflow', ['sim', 'dialogflow', '--listen', `127.0.0.1:${port}`, ...args]);
  program.start();
  t.after(async () => { await program.stop(); rmSync(dir, {recursive: true, force: true}); });
  await ready(program, `${base}/sim/counters`);
  const api = new Api(base);
  return {base, api, file: await api.get('/sim/service-account'), asked: async () => (await api.get('/sim/asked')).asked};
}

async function tokenOf(google, change = {}) {
  const now = Math.floor(Date.now() / 1000), url = o => Buffer.from(JSON.stringify(o)).toString('base64url');
  const head = url({alg: 'RS256', typ: 'JWT', kid: google.file.private_key_id});
  const claims = url({iss: google.file.client_email, scope: 'https://www.googleapis.com/auth/dialogflow', aud: google.file.token_uri, iat: now, exp: now + 3600, ...change});
  const sign = createSign('RSA-SHA256').update(`${head}.${claims}`).sign(google.file.private_key).toString('base64url');
  return fetch(google.file.token_uri, {method: 'POST', body: new URLSearchParams({grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: `${head}.${claims}.${sign}`})});
}

test('the simulator checks token, place and text as Google does', async t => {
  const google = await startDialogflow(t);
  for (const bad of [{aud: 'https://example.com/token'}, {exp: Math.floor(Date.now() / 1000) + 9999}, {scope: 'https://example.com/'}, {iss: 'someone@else'}])
    assert.equal((await tokenOf(google, bad)).status, 400, JSON.stringify(bad));
  const {access_token} = await (await tokenOf(google)).json();
  const ask = async (path, body, token = access_token) => {
    const r = await fetch(`${google.base}${path}:detectIntent`, {method: 'POST', body: JSON.stringify(body), headers: {authorization: `Bearer ${token}`, 'content-type': 'application/json'}});
    return {status: r.status, json: await r.json()};
  };
  const es = (text, languageCode = 'en') => ({queryInput: {text: {text, languageCode}}, queryParams: {timeZone: 'Asia/Tokyo'}});
  const cx = text => ({queryInput: {text: {text}, languageCode: 'en'}});
  const p = google.file.project_id;
  const rows = [
    [`/v2/projects/${p}/agent/sessions/s1`, es('x'), 200], [`/v2/projects/${p}/agent/environments/live/users/-/sessions/s1`, es('x'), 200],
    [`/v2/projects/${p}/locations/europe-west1/agent/sessions/s1`, es('x'), 400], [`/v2/projects/${p}/agent/environments/none/users/-/sessions/s1`, es('x'), 404],
    [`/v2/projects/other/agent/sessions/s1`, es('x'), 403], [`/v2/projects/${p}/agent/sessions/${'s'.repeat(37)}`, es('x'), 400],
    [`/v2/projects/${p}/agent/sessions/s1`, es('x'.repeat(257)), 400], [`/v2/projects/${p}/agent/sessions/s1`, cx('x'), 400],
    [`/v3/projects/${p}/locations/global/agents/${agentId}/sessions/s1`, cx('x'), 200], [`/v3/projects/${p}/locations/global/agents/${agentId}/environments/live/sessions/s1`, cx('x'), 200],
    [`/v3/projects/${p}/locations/us-central1/agents/${agentId}/sessions/s1`, cx('x'), 400], [`/v3/projects/${p}/locations/global/agents/${agentId}x/sessions/s1`, cx('x'), 404],
  ];
  for (const [path, body, status] of rows) assert.equal((await ask(path, body)).status, status, path);
  assert.equal((await ask(rows[0][0], rows[0][1], 'nonsense')).json.error.status, 'UNAUTHENTICATED');
  const said = (await ask(rows[0][0], es('continue tomorrow at 10'))).json.queryResult;
  assert.equal(said.action, 'continue');
  assert.match(said.parameters.when, /T10:00:00\+09:00$/);
  const none = (await ask(rows[0][0], es('continue'))).json.queryResult;
  assert.equal('allRequiredParamsPresent' in none, false);
  assert.equal((await ask(rows[0][0], es('what a day'))).json.queryResult.action, 'continue', 'the session waits for a time');
  await google.api.post('/sim/faults', {paths: ['/v2/*'], status: 429, times: 1});
  assert.equal((await ask(rows[0][0], es('x'))).json.error.status, 'RESOURCE_EXHAUSTED');
});

async function begin(t, google, language) {
  const road = await startTelegramRoad(t, {hub: {commander: {language: {base_url: google.base, service_account: JSON.stringify(google.file), time_zone: 'Asia/Tokyo', ...language}}}});
  await road.send({type: 'text', text: 'Hi'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi');
  const told = (what, is) => road.deskHas(what, m => m.text?.startsWith('[Commander]') && is(m.text));
  return {road, c, told, says: text => road.agent(c, {text, agent: 'Ken Ito'}), seen: async () => (await road.screen()).filter(m => m.from === 'bot').map(m => m.message.text)};
}

for (const [name, language] of [['ES', {type: 'dialogflow-es'}], ['ES, in an environment', {type: 'dialogflow-es', environment: 'live'}], ['CX', {type: 'dialogflow-cx', agent: agentId}]]) {
  test(`${name}: an agent's own words plan the conversation; what is missing is asked for; the guest sees none of it`, async t => {
    const google = await startDialogflow(t);
    const {told, says, seen, road} = await begin(t, google, language);
    const at = new Date(Date.now() + 36 * 3600e3).toISOString().slice(0, 19) + 'Z'; // in words that only the language knows
    await says(`> continue please around ${at} if you can`);
    await told('the plan', text => text.includes('The conversation will go on then.') && text.includes('Will continue at'));
    await says('> continue at your own pace');
    await told('the question', text => text.includes('When shall the conversation go on?'));
    await says(`> well then, ${at} it is`);
    await until('asked three times', async () => (await google.asked()).length === 3);
    await says('> make me a coffee');
    await told('that it was not understood', text => text.includes('I missed that'));
    await says('Good bye');
    await road.guestHas('what was said aloud', m => /Good bye$/.test(m.message.text ?? ''));
    assert.equal((await seen()).length, 1, 'nothing of the commands');
    const asked = await google.asked();
    assert.equal(new Set(asked.map(a => a.session)).size, 1, 'one session');
    assert.ok(asked.every(a => a.session.length <= 36 && a.zone === 'Asia/Tokyo' && a.language === 'en'));
    assert.equal((await google.api.get('/sim/counters')).tokens, 1, 'one token');
  });
}

test('what goes wrong is told to the agent in words, after trying again', async t => {
  const google = await startDialogflow(t);
  const {told, says, road} = await begin(t, google, {type: 'dialogflow-es'});
  await google.api.post('/sim/faults', {paths: ['/v2/*'], status: 503, times: 1});
  await says('> make me a coffee');
  await told('the fallback, after one more try', text => text.includes('I missed that'));
  await google.api.post('/sim/state', {forbidden: true});
  await says('> make me tea');
  await told('the role that is missing', text => text.includes('Dialogflow API Client'));
  await google.api.post('/sim/state', {forbidden: false, revoked: true});
  await says('> make me juice');
  await told('that it could not be asked', text => text.includes('could not be asked about'));
  const log = road.programs.hub.text();
  assert.ok(!log.includes('make me') && !log.includes('PRIVATE KEY') && !log.includes('ya29.'), 'neither words nor secrets in the log');
});

// The files of an archive whose files are stored as they are.
function unzip(bytes) {
  const files = {};
  for (let at = 0; bytes.readUInt32LE(at) === 0x04034b50;) {
    const size = bytes.readUInt32LE(at + 18), name = bytes.readUInt16LE(at + 26), extra = bytes.readUInt16LE(at + 28), from = at + 30 + name + extra;
    files[bytes.toString('utf8', at + 30, at + 30 + name)] = bytes.subarray(from, from + size);
    at = from + size;
  }
  return files;
}

test('the agent to import is served, whole and in five languages', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const {items} = (await admin.call('GET', '/languages')).json;
  assert.deepEqual(items.map(l => l.name), ['dialogflow-cx', 'dialogflow-es']);
  assert.equal(items[1].schema.properties.private_key['x-secret'], true);
  assert.equal(items[0].archive, null);
  assert.equal((await admin.call('GET', '/languages/dialogflow-cx/archive')).status, 404);
  assert.equal((await hub.anyone.call('GET', '/languages/dialogflow-es/archive')).status, 401);
  const r = await fetch(`${hub.base}/api/v1/languages/dialogflow-es/archive?language=ja`, {headers: {authorization: `Bearer ${admin.token}`}});
  assert.equal(r.headers.get('content-type'), 'application/zip');
  assert.match(r.headers.get('content-disposition'), /dialogflow-command-continue-1\.0\.0\.zip/);
  const files = Object.fromEntries(Object.entries(unzip(Buffer.from(await r.arrayBuffer()))).map(([name, text]) => [name, JSON.parse(text.toString())]));
  assert.deepEqual(files['package.json'], {version: '1.0.0'});
  assert.equal(files['agent.json'].language, 'ja');
  assert.deepEqual(files['agent.json'].supportedLanguages, ['en', 'fr', 'ko', 'zh-cn']);
  const [response] = files['intents/continue.json'].responses;
  assert.equal(response.action, 'continue');
  assert.deepEqual(response.parameters.map(p => [p.name, p.dataType, p.required]), [['when', '@sys.date-time', true]]);
  assert.equal(response.parameters[0].prompts.length, 5);
  for (const l of ['en', 'ja', 'fr', 'ko', 'zh-cn']) {
    const said = files[`intents/continue_usersays_${l}.json`];
    assert.ok(said.length >= 6 && said.every(s => s.data.every(d => d.text && !/[{}]/.test(d.text))) && said.some(s => s.data.some(d => d.alias === 'when')), l);
  }
});
