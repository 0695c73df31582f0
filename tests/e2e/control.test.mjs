// A hub that speaks TLS itself, with a certificate nobody else knows: the operator's commands reach it while it runs, over the socket in its data directory.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFile, execFileSync} from 'node:child_process';
import {createHmac} from 'node:crypto';
import {existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {request} from 'node:https';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, bin, freePort, patience, Program, ready, secret, token, until} from './harness.mjs';

const bot = 'U0123456789abcdef0123456789abcdef';   // the simulator's own id

// The hub and its simulators; hub.ask speaks TLS and trusts this one certificate.
async function startTls(t) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-control-'));
  const [cert, key, config] = ['cert.pem', 'key.pem', 'hub.yaml'].map(f => join(dir, f));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=hub.invalid'], {stdio: 'ignore'});
  const [hubPort, deskPort, linePort] = [await freePort(), await freePort(), await freePort()];
  writeFileSync(config, `listen: 127.0.0.1:${hubPort}
public_url: https://127.0.0.1:${hubPort}
data: ${join(dir, 'data')}
guard: off
tls: {cert: ${cert}, key: ${key}}
tenants:
  - name: Test Shop
    desk: {type: genesys-cloud, base_url: http://127.0.0.1:${deskPort}, client_id: c1, client_secret: s1, integration: {name: Test LINE, token: ${token}}}
    channels:
      - {type: line, base_url: "http://127.0.0.1:${linePort}", channel_id: "1234567890", channel_secret: ${secret}, bot_id: "@testshop"}
`);
  const programs = {
    desk: new Program(dir, 'desk', ['sim', 'genesys-cloud', '--listen', `127.0.0.1:${deskPort}`, '--client-id', 'c1', '--client-secret', 's1']).start(),
    line: new Program(dir, 'line', ['sim', 'line', '--listen', `127.0.0.1:${linePort}`, '--hub', `http://127.0.0.1:${hubPort}`, '--channel-id', '1234567890',
      '--channel-secret', secret, '--bot-id', '@testshop']).start(),
    hub: new Program(dir, 'hub', ['serve', '--config', config], {LOG_LEVEL: 'DEBUG'}),
  };
  const ask = (method, path, body, headers = {}) => new Promise((resolve, reject) => request({host: '127.0.0.1', port: hubPort, method, path, headers,
    ca: readFileSync(cert), servername: 'hub.invalid'}, r => {
    let text = '';
    r.on('data', d => { text += d; }).on('end', () => resolve({status: r.statusCode, text}));
  }).on('error', reject).end(body));
  const setUp = async () => JSON.parse((await ask('GET', '/healthz/readiness')).text).accounts.every(a => a.set_up);
  t.after(async () => {
    for (const p of [programs.hub, programs.line, programs.desk]) {
      const how = await p.stop();
      if (how.code) { console.error(`# ${p.name} ended with ${how.code}\n${p.text().slice(-3000)}`); process.exitCode = 1; }
    }
    rmSync(dir, {recursive: true, force: true});
  });
  await ready(programs.desk, `http://127.0.0.1:${deskPort}/sim/counters`);
  await ready(programs.line, `http://127.0.0.1:${linePort}/sim/counters`);
  programs.hub.start();
  await until('the accounts set up', setUp);
  return {dir, config, programs, ask, setUp, desk: new Api(`http://127.0.0.1:${deskPort}`)};
}

const cli = (hub, ...args) => new Promise(resolve => execFile(bin, [...args, '--config', hub.config], {timeout: 30000 * patience},
  (e, stdout, stderr) => resolve({code: e ? e.code : 0, stdout, stderr})));
const arrived = async hub => (await hub.desk.get('/sim/inbound?limit=1000')).messages.map(m => m.text);

let sent = 0;
async function text(hub, said) {
  const n = String(++sent).padStart(4, '0');
  const body = JSON.stringify({destination: bot, events: [{type: 'message', mode: 'active', timestamp: Date.now(), webhookEventId: `01H810YECXQQZ37VAXPF6H${n}`,
    deliveryContext: {isRedelivery: false}, source: {type: 'user', userId: 'U' + '5'.repeat(32)}, replyToken: `0f3779fba3b349968c5d07db31ea${n}`,
    message: {type: 'text', id: `46871675928456${n}`, quoteToken: 'q', text: said}}]});
  const r = await hub.ask('POST', '/line', body, {'content-type': 'application/json', 'x-line-signature': createHmac('sha256', secret).update(body).digest('base64')});
  assert.equal(r.status, 200, r.text);
}
async function refuse(hub, on) {
  await hub.desk.post('/sim/faults', {rules: on ? [{paths: ['/api/v2/conversations/messages/*'], status: 400}] : []});
}
async function deadLetter(hub) {
  const listed = await until('a dead letter', async () => (await cli(hub, 'journal', 'list', 'dead')).stdout.trim());
  return /^ *(\d+) +dead/.exec(listed)[1];
}

test('the journal of a hub that speaks TLS is listed, counted, replayed and discarded while it runs', async t => {
  const hub = await startTls(t);
  await text(hub, 'first');
  await until('at the desk', async () => (await arrived(hub)).length === 1);
  await refuse(hub, true);
  await text(hub, 'refused');
  const id = await deadLetter(hub);
  assert.match((await cli(hub, 'journal', 'count')).stdout, /dead +1\n/);
  assert.match((await cli(hub, 'journal', 'show', id)).stdout, /settle +dead/);
  await refuse(hub, false);
  const replayed = await cli(hub, 'journal', 'replay', id);
  assert.equal(replayed.code, 0, replayed.stderr);
  assert.deepEqual(JSON.parse(replayed.stdout), {asked: 1, done: 1});
  await until('delivered after the replay', async () => (await arrived(hub)).includes('refused'));

  await refuse(hub, true);
  await text(hub, 'unwanted');
  const unwanted = await deadLetter(hub);
  await refuse(hub, false);
  assert.deepEqual(JSON.parse((await cli(hub, 'journal', 'discard', unwanted)).stdout), {asked: 1, done: 1});
  await text(hub, 'last');
  await until('what comes after it', async () => (await arrived(hub)).includes('last'));
  assert.ok(!(await arrived(hub)).includes('unwanted'));
  assert.deepEqual(JSON.parse((await cli(hub, 'journal', 'replay', '999999')).stdout), {asked: 1, done: 0}, 'a number that is none of ours');
});

test('a hub that speaks TLS records while it runs', async t => {
  const hub = await startTls(t);
  assert.equal(JSON.parse((await cli(hub, 'record')).stdout).on, false);
  assert.equal(JSON.parse((await cli(hub, 'record', 'on')).stdout).on, true);
  await text(hub, 'recorded');
  await until('recorded', async () => JSON.parse((await cli(hub, 'record')).stdout).webhooks === 1);
  assert.deepEqual((({on, webhooks}) => ({on, webhooks}))(JSON.parse((await cli(hub, 'record', 'off')).stdout)), {on: false, webhooks: 1});
  await text(hub, 'not recorded');
  assert.equal(readFileSync(join(hub.dir, 'data/record.jsonl'), 'utf8').trim().split('\n').length, 1);
});

test('the socket is its owner\'s alone, goes with the hub, and one left behind is no obstacle', async t => {
  const hub = await startTls(t);
  const socket = join(hub.dir, 'data/control.sock');
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  for (const [method, path] of [['GET', '/internal/journal/counts'], ['POST', '/internal/journal/replay'], ['POST', '/internal/journal/discard'], ['POST', '/internal/record']])
    assert.equal((await hub.ask(method, path)).status, 401, `${path} is not for everybody`);
  const admin = readFileSync(join(hub.dir, 'data/admin.token'), 'utf8');
  assert.equal((await hub.ask('GET', '/internal/journal/counts', undefined, {authorization: `Bearer ${admin}`})).status, 200);

  await hub.programs.hub.stop('SIGKILL');
  assert.ok(existsSync(socket), 'nobody was there to remove it');
  const alone = await cli(hub, 'record');
  assert.equal(alone.code, 1);
  assert.match(alone.stderr, /the hub does not answer/);
  hub.programs.hub.start();
  await until('the accounts set up again', hub.setUp);
  assert.equal(JSON.parse((await cli(hub, 'record')).stdout).on, false);
  assert.equal((await hub.programs.hub.stop()).code, 0);
  assert.ok(!existsSync(socket));
});
