// `dragoman move`: an installation that worked from its folder goes into PostgreSQL and comes back, and nothing of it is missing.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFile, spawn} from 'node:child_process';
import {cpSync, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {bin, patience, ready, startRoad, until} from './harness.mjs';
import {adminPassword, goodTenant, login} from './hub.mjs';
import {startPostgres} from './servers.mjs';

const env = {DRAGOMAN_ADMIN_PASSWORD: adminPassword};
const inbound = async road => (await road.desk.get('/sim/inbound?limit=1000')).messages.map(m => m.text).filter(Boolean);

// Runs it to its end.
const move = (verb, data, pg, ...more) => new Promise(resolve => {
  execFile(bin, ['move', verb, '--data', data, '--store', pg.uri, ...more], {encoding: 'utf8', env: {...process.env, ...more.env}},
    (e, out, err) => resolve({code: e ? e.code : 0, out, err}));
});
const counted = out => Object.fromEntries([...out.matchAll(/^([a-z ]+): (\d+),/gm)].map(m => [m[1], Number(m[2])]));
const has = (dir, name) => existsSync(join(dir, name));

// Three messages delivered, two that wait because the desk is away; a tenant made over the API. Then the hub is stopped.
async function worked(t, options = {}) {
  const road = await startRoad(t, {env, ...options});
  const data = join(road.dir, 'data');
  for (let i = 0; i < 3; i++) await road.line.post('/sim/guests/1/send', {type: 'text', text: `said ${i}`});
  await until('three at the desk', async () => (await inbound(road)).filter(x => x.startsWith('said')).length === 3);
  const admin = await login(road.hub.base, 'admin', adminPassword);
  assert.equal((await admin.call('POST', '/tenants', goodTenant())).status, 201);
  await until('the history', async () => JSON.stringify((await admin.call('GET', '/conversations')).json).includes('said 2'));
  await until('the contact', async () => (await admin.call('GET', '/contacts')).json.items.length > 0);
  await road.programs.desk.stop();
  for (let i = 3; i < 5; i++) await road.line.post('/sim/guests/1/send', {type: 'text', text: `said ${i}`});
  await until('two that wait', async () => JSON.stringify((await admin.call('GET', '/conversations')).json).includes('said 4'));
  return {road, data, admin};
}

test('an installation goes into the database, comes back into another folder, and goes on', {timeout: 120000 * patience}, async t => {
  const pg = await startPostgres(t);
  const {road, data, admin} = await worked(t);
  const running = await move('in', data, pg);
  assert.equal(running.code, 1);
  assert.match(running.err, /a hub is running/);
  await road.programs.hub.stop();
  const before = (await new Promise(r => execFile(bin, ['journal', 'count', '--data', data], (e, out) => r(out)))).trim();

  const into = await move('in', data, pg);
  assert.equal(into.code, 0, into.err);
  assert.match(into.out, /^journal: \d+ accepted = 2 waiting \+ 0 parked \+ 3 delivered \+ 0 dead \+ 0 unknown \+ \d+ ignored, the same on both sides$/m);
  const n = counted(into.out);
  assert.ok(n.keys > 5 && n['messages of the history'] === 5 && n['conversations of the history'] === 1 && n.contacts === 1 && n['identities of contacts'] === 1, into.out);
  assert.equal(Number(pg.sql('SELECT count(*) FROM kv')), n.keys);
  assert.equal(Number(pg.sql('SELECT count(*) FROM history_message')), 5);
  assert.equal(Number(pg.sql('SELECT count(*) FROM contact')), 1);
  assert.equal(pg.sql("SELECT convert_from(holder,'UTF8') FROM log_shard"), '', 'nobody holds it');
  for (const name of ['journal', 'store.db', 'history.db', 'contacts.db'])
    assert.ok(!has(data, name) && has(data, `${name}.moved`), `${name} is out of the way`);
  assert.ok(!has(data, 'moving-in') && has(data, 'secret.key'));
  const twice = await move('in', data, pg);
  assert.equal(twice.code, 1);
  assert.match(twice.err, /there is no journal/);

  const back = join(road.dir, 'back');
  const out = await move('out', back, pg, '--key-file', join(data, 'secret.key'));
  assert.equal(out.code, 0, out.err);
  assert.deepEqual(counted(out.out), n, 'the same rows of everything');
  assert.equal(/^journal: .*$/m.exec(out.out)[0], /^journal: .*$/m.exec(into.out)[0]);
  assert.equal(readFileSync(join(back, 'secret.key'), 'utf8'), readFileSync(join(data, 'secret.key'), 'utf8'));
  assert.equal(statSync(join(back, 'secret.key')).mode & 0o77, 0);
  assert.deepEqual(readdirSync(back).filter(x => x.includes('moving')), []);
  assert.ok(!has(back, 'journal/copy'));
  assert.equal((await new Promise(r => execFile(bin, ['journal', 'count', '--data', back], (e, o) => r(o)))).trim(), before);

  // What moved out is nobody's to work on, and nothing moves over it.
  const over = await move('in', back, pg);
  assert.equal(over.code, 1);
  assert.match(over.err, /was moved out/);
  const full = await move('out', back, pg);
  assert.equal(full.code, 1);
  assert.match(full.err, /not empty/);

  // The hub goes on where it stopped: what waited is delivered once, in order; what was known is known.
  writeFileSync(road.config, readFileSync(road.config, 'utf8').replace(/^data: .*$/m, `data: ${back}`));
  road.programs.desk.start();
  await ready(road.programs.desk, `${road.desk.base}/sim/counters`);
  road.programs.hub.start();
  await ready(road.programs.hub, `${road.hub.base}/healthz/readiness?worker`);
  await until('what waited', async () => (await inbound(road)).filter(x => x.startsWith('said')).length >= 2);
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'said 5'});
  await until('what is new', async () => (await inbound(road)).includes('said 5'));
  assert.deepEqual((await inbound(road)).filter(x => x.startsWith('said')), ['said 3', 'said 4', 'said 5'], 'the simulator is new: it has seen only these');
  assert.equal((await admin.call('GET', '/tenants/acme-and-line')).status, 200, 'tenant and session are there');
  const contacts = (await admin.call('GET', '/contacts')).json.items;
  assert.equal(contacts.length, 1);
  const list = (await admin.call('GET', '/conversations')).json;
  assert.ok(JSON.stringify(list).includes('said 5'), 'the history goes on');
  await until('found by words', async () => (await admin.call('GET', '/messages?q=said%201')).text.includes('said 1'));
});

test('a move that was killed in the middle is repeated', {timeout: 120000 * patience}, async t => {
  const pg = await startPostgres(t);
  const {road, data} = await worked(t);
  await road.programs.hub.stop();
  const kept = join(road.dir, 'kept');
  cpSync(data, kept, {recursive: true});
  assert.equal((await move('in', data, pg)).code, 0); // so that there are tables: one of them is made to wait
  pg.sql('TRUNCATE kv, attachments, history_place, history_conversation, history_message, history_trace, contact, contact_identity, contact_address, contact_merged, log_part');
  pg.sql(`CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END';
    CREATE TRIGGER wait BEFORE INSERT ON history_message FOR EACH ROW EXECUTE FUNCTION wait()`);
  const locks = granted => Number(pg.sql(`SELECT count(*) FROM pg_locks WHERE locktype='advisory' AND objid=42 AND granted=${granted}`));
  const lock = spawn(pg.psql, ['-XAtq', pg.uri], {stdio: ['pipe', 'ignore', 'inherit']});
  lock.stdin.write('SELECT pg_advisory_lock(42);\n');
  await until('the lock', () => locks(true) === 1);
  const first = spawn(bin, ['move', 'in', '--data', kept, '--store', pg.uri], {stdio: 'ignore'});
  const gone = new Promise(r => first.on('exit', (code, signal) => r({code, signal})));
  await until('it waits for the lock', () => locks(false) > 0);
  first.kill('SIGKILL');
  assert.deepEqual(await gone, {code: null, signal: 'SIGKILL'});
  lock.stdin.end();
  await new Promise(r => lock.on('exit', r));
  assert.ok(Number(pg.sql('SELECT count(*) FROM kv')) > 0, 'a part of it is there');
  assert.equal(pg.sql("SELECT convert_from(holder,'UTF8') FROM log_shard"), 'dragoman move in');
  assert.ok(has(kept, 'journal') && has(kept, 'store.db'), 'the folder is untouched');
  const out = await move('out', join(road.dir, 'x'), pg);
  assert.equal(out.code, 1);
  assert.match(out.err, /was not finished/);

  const again = await until('the killed one\'s sessions are gone', async () => { const r = await move('in', kept, pg); return (r.code === 0 || !/another hub uses/.test(r.err)) && r; });
  assert.equal(again.code, 0, again.err);
  assert.match(again.err, /begun again/);
  assert.match(again.out, /journal: \d+ accepted = 2 waiting \+ 0 parked \+ 3 delivered/);
  assert.equal(Number(pg.sql('SELECT count(*) FROM history_message')), 5);
});

test('a database that is not empty is left alone; one that has all of it already is not written again', {timeout: 120000 * patience}, async t => {
  const pg = await startPostgres(t);
  const {road, data} = await worked(t);
  await road.programs.hub.stop();
  assert.equal((await move('in', data, pg)).code, 0);
  for (const name of readdirSync(data).filter(x => x.endsWith('.moved'))) renameSync(join(data, name), join(data, name.slice(0, -6))); // it was killed before that
  const done = await move('in', data, pg);
  assert.equal(done.code, 0, done.err);
  assert.match(done.out, /3 delivered/);
  for (const name of readdirSync(data).filter(x => x.endsWith('.moved'))) renameSync(join(data, name), join(data, name.slice(0, -6)));
  pg.sql("UPDATE kv SET value='x' WHERE key=(SELECT key FROM kv LIMIT 1)");
  const other = await move('in', data, pg);
  assert.equal(other.code, 1);
  assert.match(other.err, /this database is not empty/);
  assert.ok(has(data, 'journal') && has(data, 'store.db'));
  const nowhere = await move('in', data, {uri: 'postgresql://nobody@/x?host=/nowhere'});
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.err, /PostgreSQL cannot be reached/);
  const wrong = await move('sideways', data, pg);
  assert.equal(wrong.code, 2);
});
