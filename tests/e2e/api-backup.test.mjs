// Backup and restore, by the API and by gum-cli as the guide has it; plan and apply.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {bin, secret, startRoad, until} from './harness.mjs';
import {adminPassword, goodTenant, login, startHub} from './hub.mjs';

const run = promisify(execFile);
function home(t) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-home-'));
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  symlinkSync(bin, join(dir, 'gum-cli'));
  return dir;
}
const shell = (dir, line, env = {}) => run('bash', ['-c', line], {cwd: dir, env: {...process.env, HOME: dir, PATH: `${dir}:${process.env.PATH}`, ...env}})
  .then(r => ({code: 0, ...r}), e => ({code: e.code, stdout: e.stdout, stderr: e.stderr}));

test('gum-cli as the guide has it: backup, pipe, restore, config files, a log, help', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  assert.equal((await admin.call('POST', '/tenants', goodTenant())).status, 201);
  const dir = home(t);
  const at = `--host ${hub.base} --password '${adminPassword}'`;
  const made = await shell(dir, `gum-cli backup ${at} --output backup.json`);
  assert.equal(made.code, 0, made.stderr);
  assert.equal(statSync(join(dir, 'backup.json')).mode & 0o777, 0o600);
  const text = readFileSync(join(dir, 'backup.json'), 'utf8');
  assert.ok(text.split('\n').length > 20, 'a person can read it');
  assert.equal(JSON.parse(text).tenants[0].name, 'ACME and LINE');
  for (const s of ['desk-secret-1', 'line-secret-1']) assert.equal(text.includes(s), false);
  const piped = await shell(dir, `gum-cli backup ${at} --passphrase 'open sesame please' | gzip >| backup-$(date +%Y%m%d%H%M%S).json.gz`);
  assert.equal(piped.code, 0, piped.stderr);
  const packed = (await shell(dir, 'zcat backup-*.json.gz')).stdout;
  assert.match(JSON.parse(packed).secrets, /^passphrase:v1:/);
  assert.equal(packed.includes('line-secret-1'), false);

  // Into another hub, which has nothing.
  const other = await startHub(t);
  const there = `--host ${other.base} --password '${adminPassword}'`;
  const without = await shell(dir, `gum-cli restore ${there} -i backup.json`);
  assert.equal(without.code, 1, 'its secrets are missing');
  assert.match(without.stderr, /skipped: ACME and LINE/);
  const wrong = await shell(dir, `zcat backup-*.json.gz | gum-cli restore ${there} --passphrase 'open sesame'`);
  assert.match(wrong.stderr, /another passphrase/);
  const restored = await shell(dir, `zcat backup-*.json.gz | gum-cli restore ${there} --passphrase 'open sesame please'`);
  assert.equal(restored.code, 0, restored.stderr);
  assert.match(restored.stderr, /made: ACME and LINE/);
  const again = await shell(dir, `gum-cli restore ${there} --input backup.json`);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /same: ACME and LINE/, 'without secrets those that are there stay');

  mkdirSync(join(dir, '.config/gum-cli'), {recursive: true});
  writeFileSync(join(dir, '.config/gum-cli/config'), `host: ${hub.base}\npassword: ${adminPassword}\n`);
  assert.equal((await shell(dir, 'gum-cli backup -o config.json')).code, 0);
  rmSync(join(dir, '.config'), {recursive: true});
  writeFileSync(join(dir, '.gum-cli'), `host: ${hub.base}\npassword: ${adminPassword}\n`);
  assert.equal((await shell(dir, 'DEBUG=1 gum-cli backup --log mylog.log --output backup.json')).code, 0);
  const log = readFileSync(join(dir, 'mylog.log'), 'utf8').trim().split('\n').map(l => JSON.parse(l));
  assert.ok(log.some(l => l.level === 20 && /GET \/backup/.test(l.msg)), 'talkative');
  assert.ok(log.every(l => l.name === 'gum-cli' && l.v === 0 && l.hostname && l.pid && l.time), 'bunyan reads it');
  const help = await shell(dir, 'gum-cli --help');
  assert.equal(help.code, 0);
  assert.match(help.stdout, /gum-cli backup/);
  assert.equal((await shell(dir, 'gum-cli', {})).code, 2);
  assert.equal((await shell(dir, `gum-cli backup --host ${hub.base} --password wrong`)).code, 1);
});

test('restore: dry run, replace, logins, and not what stands in the file', async t => {
  const hub = await startHub(t, {tenants: [goodTenant('From the file')]});
  const admin = await hub.login();
  const withBot = name => ({...goodTenant(name), channels: [...goodTenant().channels, {type: 'telegram', token: '123456789:AAExampleExampleExampleExampleExample', base_url: 'http://127.0.0.1:9'}]});
  assert.equal((await admin.call('POST', '/tenants', withBot('One'))).status, 201);
  assert.equal((await admin.call('POST', '/logins', {user: 'sue', role: 'supervisor', password: 'nine green umbrellas'})).status, 201);
  assert.equal((await admin.call('PUT', '/settings', {notifiers: [{type: 'slack', name: 'ops', url: 'http://127.0.0.1:9/services/hook-secret'}]})).status, 200);
  const s3 = {type: 's3', name: 'bucket', bucket: 'bucket-1', endpoint: 'http://127.0.0.1:9', access_key_id: 'AKIDEXAMPLE', secret_access_key: 's3-secret-key-1'};
  assert.equal((await admin.call('POST', '/storages', s3)).status, 201);
  assert.equal((await admin.call('PATCH', '/tenants/one', {storage: 'bucket'})).status, 200);
  const canned = {name: 'Tea', library: 'Shop', text: '{"type":"card","title":"{{what}}"}', substitutions: [{id: 'what', description: 'Which', default_value: 'Green'}], tenants: ['One']};
  for (const r of [canned, {name: 'Same', text: 'Hello'}]) assert.equal((await admin.call('POST', '/responses', r)).status, 201);
  const backup = (await admin.call('POST', '/backup', {passphrase: 'open sesame please'})).json;
  assert.deepEqual(backup.responses.map(x => x.name), ['Same', 'Tea']);
  const drawn = (await admin.call('GET', '/responses/Tea')).json;
  assert.equal((await admin.call('PUT', '/responses/Tea', {...canned, text: 'Coffee'})).status, 200);
  assert.equal((await admin.call('POST', '/responses', {name: 'Newer', text: 'x'})).status, 201);
  backup.responses.push({name: '', text: 'no name'});
  assert.deepEqual(backup.tenants.map(x => x.name), ['One']);
  assert.equal(JSON.stringify(backup).includes('hook-secret'), false);
  assert.equal((await admin.call('PUT', '/settings', {notifiers: []})).status, 200);
  assert.equal((await admin.call('DELETE', '/tenants/one')).status, 204);
  assert.equal((await admin.call('DELETE', '/logins/sue')).status, 204);
  assert.equal((await admin.call('DELETE', '/storages/bucket')).status, 204);
  assert.equal((await admin.call('POST', '/storages', {...s3, name: 'other'})).status, 201);
  assert.equal((await admin.call('POST', '/tenants', {...withBot('Two'), storage: 'other'})).status, 201);
  const ask = {backup, passphrase: 'open sesame please', replace: true};
  const dry = (await admin.call('POST', '/restore', {...ask, dry_run: true})).json;
  assert.deepEqual([dry.settings, dry.tenants.map(x => [x.name, x.fate])], ['changed', [['Two', 'removed'], ['One', 'made']]]);
  assert.equal((await admin.call('GET', '/tenants')).json.items.length, 2, 'nothing was done');
  assert.deepEqual(dry.responses.map(x => [x.name, x.fate]), [['Tea', 'changed'], ['', 'skipped'], ['Newer', 'removed']]);
  assert.equal((await admin.call('GET', '/responses/Tea')).json.text, 'Coffee');
  const done = (await admin.call('POST', '/restore', ask)).json;
  assert.deepEqual(done.tenants.map(x => [x.name, x.fate]), [['Two', 'removed'], ['One', 'made']], 'one bot is of one tenant: who has it goes first');
  assert.equal(done.logins, 1);
  assert.deepEqual(done.responses.map(x => [x.name, x.fate]), [['Tea', 'changed'], ['', 'skipped'], ['Newer', 'removed']]);
  assert.match(done.responses[1].why, /^name: /);
  const back = (await admin.call('GET', '/responses/Tea')).json;
  for (const of of ['name', 'library', 'text', 'substitutions', 'tenants']) assert.deepEqual(back[of], drawn[of]);
  assert.equal((await admin.call('GET', '/responses/Newer')).status, 404);
  assert.deepEqual((await admin.call('POST', '/restore', {...ask, backup: {...backup, responses: backup.responses.slice(0, 2)}})).json.responses, [], 'what is as it was is not written again');
  assert.equal(done.settings, 'changed');
  assert.deepEqual((await admin.call('GET', '/storages')).json.items.map(s => s.name), ['local', 'bucket']);
  assert.deepEqual((await admin.call('GET', '/settings')).json.notifiers[0].url, {set: true});
  assert.deepEqual((await admin.call('GET', '/tenants')).json.items.map(x => x.name), ['From the file', 'One']);
  assert.equal((await (await hub.login('sue', 'nine green umbrellas')).call('GET', '/auth/me')).json.role, 'supervisor');
  const bad = await admin.call('POST', '/restore', {backup: {format: 'x'}});
  assert.equal(bad.status, 400);
  assert.equal(bad.json.field, 'backup.format');
});

test('restore: a dry run foretells what is skipped, too', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const withBot = (name, token) => ({...goodTenant(name), channels: [{type: 'telegram', token, base_url: 'http://127.0.0.1:9'}]});
  const [one, two] = ['123456789:AAExampleExampleExampleExampleExample', '987654321:AAExampleExampleExampleExampleExample'];
  assert.equal((await admin.call('POST', '/tenants', withBot('One', one))).status, 201);
  assert.equal((await admin.call('POST', '/tenants', withBot('Two', two))).status, 201);
  const backup = (await admin.call('GET', '/backup')).json;
  backup.tenants = [withBot('Three', one), withBot('One', '111111111:AAExampleExampleExampleExampleExample'), withBot('Four', one), withBot('Five', one), withBot('Six', two), {...goodTenant('Seven'), storage: 'none'}];
  backup.settings.storages = [{type: 's3', name: 'bucket', bucket: 'bucket-1', endpoint: 'http://127.0.0.1:9', access_key_id: 'A', secret_access_key: 's'}];
  const settings = {...backup.settings, proxy: 'ftp://x'};
  backup.responses = [{name: 'Tea', text: 'x'}, {name: 'Coffee', text: ''}];
  const fates = x => ({...x, tenants: x.tenants.map(r => [r.name, r.fate]), responses: x.responses.map(r => [r.name, r.fate])});
  const dry = (await admin.call('POST', '/restore', {backup, dry_run: true})).json, done = (await admin.call('POST', '/restore', {backup})).json;
  assert.deepEqual(fates(dry), {...fates(done), dry_run: true});
  assert.deepEqual(fates(done).tenants, [['Three', 'skipped'], ['One', 'changed'], ['Four', 'made'], ['Five', 'skipped'], ['Six', 'skipped'], ['Seven', 'skipped']], 'a bot is of one tenant, and the first one gets it');
  assert.deepEqual(fates(done).responses, [['Tea', 'made'], ['Coffee', 'skipped']]);
  assert.equal(done.settings, 'changed');
  const bad = {backup: {...backup, tenants: [{...goodTenant('Eight'), storage: 'elsewhere'}], settings: {...settings, storages: [{...settings.storages[0], name: 'elsewhere'}]}}};
  const [not, really] = [(await admin.call('POST', '/restore', {...bad, dry_run: true})).json, (await admin.call('POST', '/restore', bad)).json];
  assert.deepEqual(fates(not), {...fates(really), dry_run: true});
  assert.deepEqual([really.settings, fates(really).tenants], ['skipped', [['Eight', 'skipped']]]);
});

// What the API does not let in could be neither seen nor removed there.
test('restore: no canned response and no queue that the API itself refuses', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const backup = (await admin.call('GET', '/backup')).json;
  const responses = [{name: 'a\u0000b', text: 'x'}, {name: 'long '.repeat(100), text: 'x'}, {name: 'Lib', library: 'y\u0000', text: 'x'}, {name: 'Odd', text: 'x', colour: 'red'}, {name: 'Tea', text: 'x'}];
  const queues = [{name: 'one', title: 'x\u0000'}, {name: 'two', overflow_s: -7}, {name: 'three', tenant: 'z'.repeat(65)}, {name: 'good', title: 'Good', service_level_s: 20}];
  const refused = [];
  for (const r of responses) refused.push((await admin.call('POST', '/responses', r)).status !== 201);
  for (const q of queues) refused.push((await admin.call('POST', '/queues', q)).status !== 201);
  assert.deepEqual(refused, [true, true, true, true, false, true, true, true, false]);
  const {responses: [tea], queues: [good]} = (await admin.call('GET', '/backup')).json;
  for (const path of ['/responses/Tea', '/queues/good']) assert.equal((await admin.call('DELETE', path)).status, 204);
  for (const dry_run of [true, false]) {
    const done = (await admin.call('POST', '/restore', {backup: {...backup, responses: [...responses.slice(0, -1), tea], queues: [...queues.slice(0, -1), good]}, dry_run})).json;
    assert.deepEqual(done.responses.map(r => r.fate), ['skipped', 'skipped', 'skipped', 'skipped', 'made']);
    assert.match(done.responses[0].why, /^name: must not hold the character U\+0000/);
    assert.equal(done.queues, 1);
  }
  assert.deepEqual((await admin.call('GET', '/responses')).json.items.map(r => r.name), ['Tea']);
  assert.deepEqual((await admin.call('GET', '/queues')).json.items.map(q => q.name), ['good']);
});

test('plan shows the difference, apply makes it and asks the vendors', async t => {
  const road = await startRoad(t, {env: {DRAGOMAN_ADMIN_PASSWORD: adminPassword}});
  const admin = await login(road.hub.base, 'admin', adminPassword);
  const dir = home(t);
  const file = channelSecret => writeFileSync(join(dir, 'hub.yaml'), `tenants:
  - name: Planned
    desk: {type: genesys-cloud, base_url: "${road.desk.base}", client_id: c1, client_secret: "\${DESK_SECRET}", end_poll_seconds: 0, integration: {name: P, token: a-long-enough-token-for-p}}
    channels:
      - {type: line, base_url: "${road.line.base}", channel_id: "1234567890", channel_secret: "${channelSecret}", switcher: {secret: another-destination, destination_id: d}, bot_id: "@testshop"}
`);
  file(secret);
  const at = `-f hub.yaml --host ${road.hub.base} --password '${adminPassword}'`;
  const plan = await shell(dir, `${bin} plan ${at}`, {DESK_SECRET: 's1'});
  assert.equal(plan.code, 0, plan.stderr);
  assert.match(plan.stdout, /^\+ Planned$/m);
  assert.match(plan.stdout, /bot_id: "@testshop"/);
  assert.doesNotMatch(plan.stdout, new RegExp(`${secret}|a-long-enough-token-for-p`));
  assert.equal((await admin.call('GET', '/tenants/planned')).status, 404, 'a plan changes nothing');
  const apply = await shell(dir, `${bin} apply --yes ${at}`, {DESK_SECRET: 's1'});
  assert.equal(apply.code, 0, apply.stderr + apply.stdout);
  assert.match(apply.stderr, /planned\/line \(LINE\): knows us/);
  assert.match(apply.stderr, /planned\/genesys-cloud \(Genesys Cloud\): knows us/);
  assert.match((await shell(dir, `${bin} plan ${at}`, {DESK_SECRET: 's1'})).stdout, /= Planned: as it is[\s\S]*0 to do/);
  file('second-secret');
  const second = await shell(dir, `${bin} plan ${at}`, {DESK_SECRET: 's1'});
  assert.match(second.stdout, /~ channels\[0\]\.channel_secret: \(secret\)/);
  assert.doesNotMatch(second.stdout, /second-secret/);
  assert.equal((await shell(dir, `${bin} apply ${at}`, {DESK_SECRET: 's1'})).code, 1, 'nobody is there to say yes');
  writeFileSync(join(dir, 'hub.yaml'), 'tenants: []\n');
  assert.match((await shell(dir, `${bin} plan ${at}`)).stdout, /Planned: not in the file, left alone/);
  assert.equal((await shell(dir, `${bin} apply --yes --prune ${at}`)).code, 0);
  await until('removed', async () => (await admin.call('GET', '/tenants/planned')).status === 404);
});
