// What an operator sees and does: health, metrics, dead letters, trace, purge, secrets at rest, settings from the environment, TLS.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFile, execFileSync} from 'node:child_process';
import {createHmac} from 'node:crypto';
import {mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {request} from 'node:https';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {Api, bin, freePort, secret, several, startRoad, storeKeys, token, until} from './harness.mjs';
import {startHub} from './hub.mjs';
import {Recorder} from '../conformance/recorder.mjs';

const run = promisify(execFile);
const cli = async (road, ...args) => (await run(bin, [...args, '--config', road.config])).stdout;
const inbound = async road => (await road.desk.get('/sim/inbound?limit=1000')).messages;
const filesBelow = dir => readdirSync(dir, {withFileTypes: true}).flatMap(e => e.isDirectory() ? filesBelow(join(dir, e.name)) : e.isFile() ? [join(dir, e.name)] : []);

test('health, readiness and metrics', async t => {
  const road = await startRoad(t);
  assert.equal((await road.hub.call('GET', '/healthz/liveness')).status, 200);
  const detail = await road.hub.get('/health/detail');
  assert.equal(detail.state, 'green');
  assert.equal(detail.db.ready, true);
  assert.deepEqual(detail.cache, {ready: true, state: 'READY'});
  for (const key of ['buildInfo', 'startTime', 'os', 'upTime', 'memoryUsage']) assert.ok(key in detail, key);
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'count me'});
  await until('delivered', async () => (await inbound(road)).length === 1);
  const metrics = await until('the outcome is counted', async () => { const r = await road.hub.call('GET', '/metrics'); return r.text.includes('dragoman_outcomes_total{connector="genesys-cloud",outcome="delivered"}') && r; });
  assert.match(metrics.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  assert.match(metrics.text, /dragoman_messages_accepted_total\{connector="line",direction="in"\} 1\n/);
  assert.match(metrics.text, /dragoman_outcomes_total\{connector="genesys-cloud",outcome="delivered"\} \d+\n/);
  assert.match(metrics.text, /dragoman_webhooks_total\{connector="line",result="accepted"\} 1\n/);
});

test('readiness lists two thousand accounts', async t => {
  const tenants = Array.from({length: 1000}, (_, i) => ({name: `A shop of a chain with a long name ${i}`, desk: {type: 'builtin'}, channels: [{type: 'webchat', api_key: 'shop-web-page-2027'}]}));
  const hub = await startHub(t, {tenants});
  const r = await new Api(hub.base).get('/healthz/readiness?worker');
  assert.equal(r.accounts.length, 2000);
});

// A text as LINE sends it, by us: with what headers we like.
async function say(road, text, n, headers = {}) {
  const guest = (await road.line.get('/sim/guests')).guests[0].id;
  const body = JSON.stringify({destination: 'U0123456789abcdef0123456789abcdef', events: [{type: 'message', mode: 'active', timestamp: Date.now(), webhookEventId: `01FZ74A0TDDPYRVKNK77X${n}`,
    deliveryContext: {isRedelivery: false}, source: {type: 'user', userId: guest}, message: {id: String(n), type: 'text', text}}]});
  const r = await road.hub.call('POST', '/line', body, {'x-line-signature': createHmac('sha256', secret).update(body).digest('base64'), ...headers});
  assert.equal(r.status, 200, r.text);
}

test('trace tells every hop; the trace id of the request goes on to the desk', async t => {
  const desk = new Recorder(), traceId = '463ac35c9f6413ad48485a3953bb6124';
  const road = await startRoad(t, {between: {desk: url => desk.start(t, url)}});
  await say(road, 'with an id of its own', 10000, {'x-b3-traceid': traceId, 'x-b3-spanid': 'a2fb4a1d1a96d312'});
  const call = await until('the call to the desk', () => desk.calls.find(c => c.body.includes('with an id of its own')));
  assert.equal(call.headers['x-b3-traceid'], traceId);
  assert.match(call.headers['x-b3-spanid'], /^[0-9a-f]{16}$/);
  assert.notEqual(call.headers['x-b3-spanid'], 'a2fb4a1d1a96d312', 'a span of its own');
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'follow me'});
  const m = await until('at the desk', async () => (await inbound(road)).find(x => x.text === 'follow me'));
  const made = desk.calls.find(c => c.body.includes('follow me')).headers['x-b3-traceid'];
  assert.match(made, /^[0-9a-f]{32}$/);
  const told = await until('the outcome is in the journal', async () => { const said = await cli(road, 'trace', m.messageId); return /settle/.test(said) && said; });
  assert.match(told, /accept +waiting/);
  assert.match(told, /settle +delivered/);
  assert.match(told, /call .* POST 127\.0\.0\.1:\d+\/api\/v2\/conversations\/messages\/[0-9a-f-]+\/inbound\/open\/message +status 20\d/);
  assert.doesNotMatch(told, /Bearer|client_secret/);
  assert.ok(told.includes(`"trace_id":"${made}"`), 'made where there was none, and passed on');
});

test('a dead letter is seen, replayed and discarded, on a running and on a stopped hub', async t => {
  const road = await startRoad(t);
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'first'});
  await until('at the desk', async () => (await inbound(road)).length === 1);
  await road.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], status: 400}]});
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'refused'});
  const listed = await until('the dead letter', async () => (await cli(road, 'journal', 'list', 'dead')).trim());
  const id = /^ *(\d+) +dead/.exec(listed)[1];
  assert.match(listed, /status 400/);
  await road.desk.post('/sim/faults', {rules: []});
  assert.match(await cli(road, 'journal', 'replay', id), /"done":1/);
  await until('delivered after the replay', async () => (await inbound(road)).some(m => m.text === 'refused'));
  assert.doesNotMatch(await cli(road, 'journal', 'list', 'dead'), /dead/);

  await road.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], status: 400}]});
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'refused again'});
  const again = /^ *(\d+) +dead/.exec(await until('the second one', async () => (await cli(road, 'journal', 'list', 'dead')).trim()))[1];
  assert.equal((await road.programs.hub.stop()).code, 0);
  if (several) { // nobody decides on a copy
    await assert.rejects(cli(road, 'journal', 'discard', again), /copy of a journal that is kept in a database/);
    return;
  }
  await assert.rejects(cli(road, 'journal', 'discard', '999999'), 'a number that is none of ours');
  assert.match(await cli(road, 'journal', 'replay', again), /1 of 1 will be delivered/);
  await road.desk.post('/sim/faults', {rules: []});
  road.programs.hub.start();
  await until('delivered after the start', async () => (await inbound(road)).some(m => m.text === 'refused again'));
  assert.match(await cli(road, 'journal', 'count'), /dead +0\n/);
});

test('deciding on a stopped hub takes nothing away that its own settings keep', {skip: several && 'its journal is in the database'}, async t => {
  const road = await startRoad(t, {hub: {journal: {segment_mib: 1, keep_hours: 87600}}});
  await road.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], status: 400, times: 2}]});
  await say(road, 'refused', 10001);
  await say(road, 'refused, too', 10002);
  const [one, other] = await until('two dead letters', async () => {
    const ids = [...(await cli(road, 'journal', 'list', 'dead')).matchAll(/^ *(\d+) +dead/gm)].map(m => m[1]);
    return ids.length === 2 && ids;
  });
  for (let i = 0; i < 12; i++) await say(road, 'x'.repeat(100000), 10003 + i); // enough for a second segment
  const metric = async name => Number(new RegExp(`${name} (\\d+)`).exec((await road.hub.call('GET', '/metrics')).text)[1]);
  await until('all are delivered', async () => await metric('dragoman_journal_messages{state="waiting"}'.replace(/[{}]/g, '\\$&')) === 0);
  const then = await metric('dragoman_store_commits_total');
  let n = 10100;
  await until('the store has what is remembered: the first segment is needed for it no more', async () => {
    await say(road, 'one more to remember', n++);
    return await metric('dragoman_store_commits_total') >= then + 2;
  });
  await road.programs.hub.stop();
  const segments = filesBelow(join(road.dir, 'data/journal')).filter(f => f.endsWith('.log')).sort();
  assert.ok(segments.length >= 2);
  const old = Date.now() / 1000 - 30 * 86400;
  for (const f of segments) utimesSync(f, old, old);
  assert.match(await cli(road, 'journal', 'discard', one), /1 of 1 discarded/);
  assert.deepEqual(filesBelow(join(road.dir, 'data/journal')).filter(f => f.endsWith('.log')).sort().slice(0, segments.length), segments);
  assert.match(await cli(road, 'journal', 'replay', other), /1 of 1 will be delivered/);
  road.programs.hub.start();
  await until('delivered after the start', async () => (await inbound(road)).some(m => m.text === 'refused, too'));
});

// Keys the store holds for single messages (progress, media, resumed data); the hub must be stopped.
const keysOfMessages = road => storeKeys(road.programs.hub, join(road.dir, 'data')).filter(k => ['d:', 'm:', 'r:'].includes(k)).length;

test('what is kept of a message goes when it is discarded, on a running and on a stopped hub', async t => {
  const road = await startRoad(t);
  const {hub} = road.programs;
  await road.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], status: 503}]});
  await road.line.post('/sim/guests/1/send', {type: 'image'});
  await road.line.post('/sim/guests/2/send', {type: 'image'});
  const ids = await until('both are stored and put off', async () => {
    const listed = [...(await cli(road, 'journal', 'list', 'waiting')).matchAll(/^ *(\d+) +waiting .*tries [1-9]/gm)].map(m => m[1]);
    return listed.length === 2 && listed;
  });
  if (several) assert.match(await cli(road, 'journal', 'discard', ids[0]), /"done":1/);
  await hub.stop();
  assert.equal(keysOfMessages(road), several ? 1 : 2);
  if (!several) assert.match(await cli(road, 'journal', 'discard', ids[0]), /1 of 1 discarded/);
  hub.start();
  await until('ready', async () => (await road.hub.call('GET', '/healthz/readiness?worker')).status === 200);
  assert.match(await cli(road, 'journal', 'count'), /dead +1\n/);
  assert.match(await cli(road, 'journal', 'discard', ids[1]), /"done":1/);
  assert.equal((await hub.stop()).code, 0);
  assert.equal(keysOfMessages(road), 0);
});

test('attachments are purged after the conversation closed, and only then', async t => {
  const road = await startRoad(t, {hub: {purge_delay_seconds: 1}});
  await road.line.post('/sim/guests/1/send', {type: 'image'});
  const c = await until('the picture at the desk', async () => {
    for (const x of (await road.desk.get('/sim/conversations')).conversations)
      if ((await road.desk.get(`/sim/conversations/${x.id}`)).messages.some(m => m.media?.state === 'kept')) return x;
  });
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {attachment: {base64: png, name: 'a.png', mime: 'image/png'}});
  const url = await until('the link on the phone', async () =>
    (await road.line.get('/sim/guests/1/messages')).messages.find(m => m.from === 'account' && m.message.type === 'image')?.message.originalContentUrl);
  assert.equal(filesBelow(join(road.dir, 'data/attachments')).filter(f => !f.endsWith('.json')).length, 2);
  await new Promise(r => setTimeout(r, 2500));
  assert.equal((await fetch(url)).status, 200, 'while the conversation is open it stays');
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await until('gone', async () => (await fetch(url)).status === 410, 20000);
  await until('nothing is left of the other one, too', () => filesBelow(join(road.dir, 'data/attachments')).length === 0);
});

test('no secret lies in the data directory or the log', async t => {
  const road = await startRoad(t);
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'hello'});
  await until('at the desk', async () => (await inbound(road)).length === 1);
  await road.programs.hub.stop();
  for (const file of [...filesBelow(join(road.dir, 'data')), road.programs.hub.log]) {
    const bytes = readFileSync(file);
    for (const s of [secret, token]) assert.equal(bytes.includes(s), false, `${file} holds a secret`);
  }
  if (!several) assert.equal(statSync(join(road.dir, 'data/secret.key')).mode & 0o777, 0o600);
  assert.equal(statSync(join(road.dir, 'data/admin.token')).mode & 0o777, 0o600);
});

test('a wrong configuration is told with line and field; flags win over the environment', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-config-'));
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  const file = join(dir, 'hub.yaml');
  writeFileSync(file, `tenants:
  - name: A
    desk: {type: genesys-cloud, region: mypurecloud.xx, client_id: x, integration: {name: n, token: short}}
    channels:
      - {type: line, channel_id: "1", channel_secrt: s, bot_id: "@a"}
`);
  const bad = await run(bin, ['check', '--config', file]).then(() => assert.fail('accepted'), e => e.stderr);
  assert.match(bad, /hub\.yaml:3:\d+: tenants\[0\]\.desk\.region/);
  assert.match(bad, /tenants\[0\]\.desk\.client_secret/);
  assert.match(bad, /channel_secrt.*channel_secret/, 'the nearest name is suggested');
  writeFileSync(file, `tenants:
  - name: A
    desk: {type: genesys-cloud, client_id: x, client_secret: y, integration: {name: n, token: short}}
    channels:
      - {type: line, channel_id: "1", channel_secret: "0123456789abcdef0123456789abcdef", bot_id: "@a"}
`);
  const short = await run(bin, ['check', '--config', file]).then(() => assert.fail('accepted'), e => e.stderr);
  assert.match(short, /hub\.yaml:3:95: tenants\[0\]\.desk\.integration\.token: must be longer/, 'the place of the token, not of its group');
  const env = {...process.env, DRAGOMAN_LISTEN: '127.0.0.1:1', DRAGOMAN_PUBLIC_URL: 'https://env.example.com'};
  const {stdout} = await run(bin, ['check', '--public-url', 'https://flag.example.com'], {env});
  assert.match(stdout, /https:\/\/flag\.example\.com/);
});

test('the command line says how it is used, and what is wrong with it', async t => {
  const nowhere = mkdtempSync(join(tmpdir(), 'dragoman-cli-'));
  t.after(() => rmSync(nowhere, {recursive: true, force: true}));
  const said = (...args) => run(bin, args, {cwd: nowhere, timeout: 60000}).then(r => ({code: 0, ...r}), e => e);
  for (const words of [['--version'], ['version']]) assert.match((await said(...words)).stdout, /^dragoman \d+\.\d+/);
  for (const words of [[], ['help'], ['--help'], ['-h'], ['serve', '--help'], ['check', '-h'], ['help', 'serve'], ['help', 'help'], ['help', '--help']]) {
    const r = await said(...words);
    assert.equal(r.code, 0, words.join(' '));
    assert.match(r.stdout, /dragoman serve {2}--config[^]*--listen/, words.join(' '));
  }
  for (const name of ['journal', 'trace', 'record', 'contact', 'notify', 'parcels', 'move', 'manifest', 'storage', 'replay', 'render', 'backup', 'restore', 'plan', 'apply', 'sim'])
    for (const words of [[name, '--help'], [name, '-h'], ['help', name]]) {
      const r = await said(...words);
      assert.equal(r.code, 0, words.join(' '));
      assert.match(r.stdout, new RegExp(`^usage: dragoman (${name}|backup|plan)`), words.join(' '));
      assert.equal(r.stderr, '');
    }
  for (const [words, want] of [
    [['serv'], /no command "serv"/], [['serve', '--confg', 'x'], /"--confg" is no option/], [['check', 'hub.yaml'], /named by --config hub\.yaml/], [['check', 'x'], /"x" is no word/],
    [['serve', '--config'], /value of --config is missing/], [['serve', '--listen'], /value of --listen is missing/],
    [['journal', '--dta', 'x'], /"--dta" is no option/], [['journal', 'list', 'waitin'], /no state "waitin", but: waiting/],
    [['sim', 'nobody'], /no simulator "nobody"[^]*telegram/], [['trace'], /^usage: dragoman trace/], [['render', 'x'], /^usage: dragoman render/],
  ]) {
    const r = await said(...words);
    assert.equal(r.code, 2, words.join(' '));
    assert.match(r.stderr, want);
    assert.ok(r.stderr.split('\n').length < 20, 'short enough to be read');
  }
  for (const words of [['record'], ['notify'], ['contact', 'export', 'a/b:c']]) {
    const r = await said(...words);
    assert.equal(r.code, 1);
    assert.match(r.stderr, /no hub that runs can be asked at .*control\.sock[^]*--data/);
  }
  assert.match((await said('storage', 'check')).stdout, /no storages: attachments are kept on the local disk/);
  assert.equal((await said('storage', 'check', 'local')).stdout, 'local: works\n');
  writeFileSync(join(nowhere, 'full'), '');
  const full = await said('storage', 'check', 'local', '--data', join(nowhere, 'full'));
  assert.equal(full.code, 1);
  assert.match(full.stderr, /cannot make the folder .*full/);
  assert.match((await said('storage', 'url', 'local', '{}')).stderr, /only the check/);
});

test('where standard input, output and error are closed, no file takes their place', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-closed-'));
  const port = await freePort();
  const child = execFile('sh', ['-c', 'exec "$0" "$@" <&- >&- 2>&-', bin, 'serve', '--listen', `127.0.0.1:${port}`, '--data', join(dir, 'data'), '--metrics-port', '0']);
  const ended = new Promise(r => child.on('exit', r));
  t.after(async () => { child.kill('SIGKILL'); await ended; rmSync(dir, {recursive: true, force: true}); });
  await until('an answer', async () => (await fetch(`http://127.0.0.1:${port}/healthz/readiness`)).ok);
  assert.deepEqual([0, 1, 2].map(fd => readlinkSync(`/proc/${child.pid}/fd/${fd}`)), ['/dev/null', '/dev/null', '/dev/null']);
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
});

test('it speaks TLS itself', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-tls-'));
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost'], {stdio: 'ignore'});
  const port = await freePort();
  const child = execFile(bin, ['serve', '--listen', `127.0.0.1:${port}`, '--data', join(dir, 'data'), '--tls-cert', cert, '--tls-key', key]);
  const ended = new Promise(r => child.on('exit', r));
  t.after(async () => { child.kill('SIGKILL'); await ended; rmSync(dir, {recursive: true, force: true}); });
  const ask = () => new Promise((resolve, reject) => request({host: '127.0.0.1', port, path: '/healthz/liveness', ca: readFileSync(cert), servername: 'localhost'},
    r => { resolve({status: r.statusCode, protocol: r.socket.getProtocol()}); r.resume(); }).on('error', reject).end());
  const answer = await until('an answer over TLS', ask);
  assert.deepEqual(answer, {status: 200, protocol: 'TLSv1.3'});
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
});
