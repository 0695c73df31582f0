// Several hubs as one: webhooks at any of them, one works, another takes over; with real PostgreSQL and RabbitMQ.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFile, execFileSync} from 'node:child_process';
import {createHmac, randomBytes} from 'node:crypto';
import {closeSync, mkdtempSync, openSync, rmSync, writeSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {request} from 'node:https';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {Api, Gone, Program, bin, freePort, ready, secret, startRoad, until} from './harness.mjs';
import {movableClock} from './clock.mjs';
import {startPostgres, startRabbit} from './servers.mjs';
import {startSlackRoad} from './slack-road.mjs';
import {Load} from '../faults/load.mjs';
import {children} from '../faults/replicas.mjs';

const workerOf = async road => (await road.hub.get('/healthz/readiness')).worker;

async function startThree(t, options = {}) {
  const [pg, rabbit] = [await startPostgres(t), await startRabbit(t)];
  const road = await startRoad(t, {replicas: 3, ...options, hub: {store: pg.uri, broker: rabbit.uri, secret_key: randomBytes(32).toString('hex'), ...options.hub}});
  return {road, pg, rabbit};
}

test('webhooks at any replica, calls of the API at any replica, and another one takes over', async t => {
  const {road} = await startThree(t, {deskArgs: ['--receipts', 'off']});
  const urls = road.replicas.map(r => r.api.base);
  const first = await workerOf(road);
  assert.ok(urls.includes(first), 'one of them works');
  for (const r of road.replicas) {
    assert.equal(await until('every door knows the worker', async () => (await r.api.get('/healthz/readiness')).worker), first);
    assert.equal((await r.api.get('/healthz/readiness?worker')).ready, true, 'forwarded');
    assert.match((await r.api.call('GET', '/metrics/door')).text, /dragoman_http_requests_total/);
    assert.equal((await r.api.call('GET', '/api/v1/openapi')).status, 200, 'the API at every door');
  }
  const loads = road.replicas.map((r, i) => new Load({...road, hub: r.api}, {guests: 10, seed: i, agents: i === 0}));
  const people = (await road.line.get('/sim/guests')).guests.filter(g => g.kind === 'user');
  assert.ok(people.length > 0);
  await loads[0].start();
  await until('some are acknowledged', () => loads[0].acknowledged > 50);
  const at = urls.indexOf(first);
  if (at !== 0) road.hub = road.replicas[0].api;
  road.replicas[at].program.child.kill('SIGKILL');
  await road.replicas[at].program.exit;
  loads[0].road.hub = road.replicas[(at + 1) % 3].api;
  road.hub = loads[0].road.hub;
  const killed = Date.now();
  const second = await until('another works', async () => { const w = await workerOf(road); return w !== first && (await road.hub.get('/healthz/readiness?worker')).ready && w; }, 60000);
  console.log(`# another works ${Date.now() - killed} ms after the one before was killed`);
  assert.notEqual(second, first);
  const before = loads[0].acknowledged;
  await until('and takes what comes', () => loads[0].acknowledged > before + 50, 30000);
  await loads[0].stop();
  await loads[0].last(); // what a door has published is in no journal yet
  const found = await loads[0].check({drainMs: 60000});
  assert.equal(found.lost, 0, JSON.stringify(found));
  assert.equal(found.doubled, 0, JSON.stringify(found));
  assert.equal(found.unordered, 0, JSON.stringify(found));
});

test('a replica that is there for one network only', async t => {
  const {road} = await startThree(t, {replicas: 1});
  const port = await freePort(), listen = ['--listen', `127.0.0.1:${port}`, '--data', join(road.dir, 'data-line')];
  await assert.rejects(promisify(execFile)(bin, ['serve', '--config', road.config, ...listen, '--services', 'api,lines']), /services: "lines" is none; there are all, api/);
  const door = new Program(road.dir, 'door', ['serve', '--config', road.config, ...listen, '--services', 'line']).start(), api = new Api(`http://127.0.0.1:${port}`);
  t.after(() => door.stop());
  await ready(door, `${api.base}/healthz/readiness`);
  const post = (path, body) => api.call('POST', path, body, {'content-type': 'application/json', 'x-line-signature': createHmac('sha256', secret).update(body).digest('base64')});
  const body = JSON.stringify({destination: 'U0123456789abcdef0123456789abcdef', events: [{type: 'message', mode: 'active', timestamp: Date.now(), webhookEventId: '01HZ0000000000000000000001',
    deliveryContext: {isRedelivery: false}, source: {type: 'user', userId: 'U0123456789abcdef0123456789abcde0'}, replyToken: 't', message: {type: 'text', id: '1', quoteToken: 'q', text: 'by the side door'}}]});
  await until('the door knows the worker', async () => (await api.get('/healthz/readiness')).worker);
  assert.equal((await post('/line', body)).status, 200);
  await until('at the desk', async () => (await road.desk.get('/sim/inbound')).messages.some(m => m.text === 'by the side door'));
  for (const path of ['/api/v1/openapi', '/openmessaging', '/telegram', '/console']) assert.equal((await post(path, '{}')).status, 404, path);
  assert.equal((await road.hub.call('GET', '/api/v1/openapi')).status, 200, 'the other one is there for all');
  assert.deepEqual(await door.stop(), {code: 0, signal: null});
});

test('what a door hands over does not overtake what another one has published', async t => {
  const {road} = await startThree(t, {replicas: 1, hub: {services: 'api,worker'}, deskArgs: ['--receipts', 'off']}); // no door of its own for LINE: it hands over what comes
  const port = await freePort();
  const door = new Program(road.dir, 'door', ['serve', '--config', road.config, '--listen', `127.0.0.1:${port}`, '--data', join(road.dir, 'data-line'), '--services', 'line']).start(), side = new Api(`http://127.0.0.1:${port}`);
  t.after(() => door.stop());
  await ready(door, `${side.base}/healthz/readiness`);
  const post = async (api, guest, n) => {
    const body = JSON.stringify({destination: 'U0123456789abcdef0123456789abcdef', events: [{type: 'message', mode: 'active', timestamp: Date.now(), webhookEventId: `01HZ${String(guest).padStart(11, '0')}${String(n).padStart(11, '0')}`,
      deliveryContext: {isRedelivery: false}, source: {type: 'user', userId: `U${String(guest).padStart(32, '0')}`}, message: {type: 'text', id: `${guest * 10 + n}`, quoteToken: 'q', text: `guest ${guest} text ${n}`}}]});
    return (await api.call('POST', '/line', body, {'content-type': 'application/json', 'x-line-signature': createHmac('sha256', secret).update(body).digest('base64')})).status;
  };
  assert.equal(await post(road.hub, 0, 1), 200, 'handed over');
  const published = async () => Number(/^dragoman_webhooks_total\{[^}]*published[^}]*\} (\d+)/m.exec((await side.call('GET', '/metrics/door')).text)?.[1] ?? 0);
  await until('the side door knows the account and publishes', async () => { const before = await published(); return await post(side, 0, 2) === 200 && await published() > before; });
  const [worker] = children(road.programs.hub.child.pid), guests = [...Array(40).keys()].map(g => g + 1);
  process.kill(worker, 'SIGSTOP'); // parcels gather
  assert.deepEqual(await Promise.all(guests.map(g => post(side, g, 1))), guests.map(() => 200));
  const later = guests.map(g => until('taken', async () => await post(road.hub, g, 2) === 200)); // as LINE repeats it
  process.kill(worker, 'SIGCONT');
  await Promise.all(later);
  const texts = await until('all at the desk', async () => { const all = (await road.desk.get('/sim/inbound')).messages.map(m => m.text).filter(x => x?.startsWith('guest ') && !x.startsWith('guest 0 ')); return all.length >= 2 * guests.length && all; });
  for (const g of guests) assert.deepEqual(texts.filter(x => x.startsWith(`guest ${g} `)), [`guest ${g} text 1`, `guest ${g} text 2`]);
});

const parcels = (road, ...words) => promisify(execFile)(bin, ['parcels', ...words, '--config', road.config]).then(r => r.stdout.trim().split('\n').filter(Boolean));

test('conversations are spread over the shards by a hash, also those of one webhook, and each stays in its order', async t => {
  const {road, rabbit} = await startThree(t, {hub: {'broker.shards': 4}, deskArgs: ['--receipts', 'off'], lineArgs: ['--guests', '12']});
  const people = (await road.line.get('/sim/guests')).guests.filter(g => g.kind === 'user'), doors = road.replicas.map(r => new Load({...road, hub: r.api}));
  const said = people.map(() => []), numbers = people.map(() => 0);
  const post = async (at, guests) => { // one webhook, at one of the doors
    const each = guests.map(i => JSON.parse(doors[0].webhook(people[i], numbers[i]++, false))), events = each.map(w => w.events[0]);
    assert.equal(await doors[at % 3].post(JSON.stringify({...each[0], events})), 200);
    for (const [k, i] of guests.entries()) said[i].push(events[k].message.text);
  };
  const all = people.map((_, i) => i);
  for (let round = 0; round < 12; round++) {
    await post(round, [...all, ...all]); // about all of them, twice
    for (const i of all) if ((i + round) % 3 === 0) await post(round + i, [i]);
  }
  const total = said.flat().length;
  const heard = await until('all is at the desk', async () => { const m = (await road.desk.get('/sim/inbound?limit=1000')).messages; return m.length >= total && m; }, 60000);
  assert.equal(heard.length, total);
  for (const texts of said) assert.deepEqual(heard.map(m => m.text).filter(x => texts.includes(x)), texts);
  const consumers = () => { const of = rabbit.ctl('-q', '--no-table-headers', 'list_consumers', 'queue_name').split(/\s+/); return [0, 1, 2, 3].map(i => of.filter(q => q === `dragoman.shard.${i}`).length); };
  assert.deepEqual(consumers(), [3, 1, 1, 1], 'who has the first has them all');

  const other = new Program(road.dir, 'other', ['serve', '--config', road.config, '--listen', '127.0.0.1:0', '--data', join(road.dir, 'data-other'), '--broker-shards', '2']).start();
  t.after(() => other.stop());
  await until('another number of shards is refused', () => /this secret_key or broker\.shards is not that of the others/.test(other.text()), 30000);
});

test('what a newer replica took and the one that works cannot use is kept, until somebody decides', async t => {
  const {road} = await startThree(t, {replicas: 1, hub: {'broker.wait_seconds': 1}, deskArgs: ['--receipts', 'off']});
  const newer = join(road.dir, 'newer.yaml'), port = await freePort(), config = await readFile(road.config, 'utf8'), key = 'a-secret-of-sixteen-characters';
  const desk = config.split('tenants:\n')[1].split('    channels:\n')[0].replace('Test Shop', 'New Shop').replace('Test LINE', 'New custom');
  await writeFile(newer, `${config}${desk}    channels:\n      - type: custom\n        secret: ${key}\n        url: http://127.0.0.1:1/messages\n`);
  const door = new Program(road.dir, 'door', ['serve', '--config', newer, '--listen', `127.0.0.1:${port}`, '--data', join(road.dir, 'data-newer')]).start(), side = new Api(`http://127.0.0.1:${port}`);
  t.after(() => door.stop());
  await ready(door, `${side.base}/healthz/readiness`);
  const post = text => {
    const body = JSON.stringify({id: text, type: 'text', guest: 'guest-1', text});
    return side.call('POST', '/custom/new-shop/custom', body, {'x-dragoman-signature': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`});
  };
  assert.deepEqual(await parcels(road), []);
  for (const text of ['one', 'two']) assert.equal((await post(text)).status, 200);
  const kept = await until('two are kept', async () => { const all = await parcels(road); return all.length === 2 && all; }, 30000);
  for (const line of kept) assert.match(line, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}new-shop\/custom {2}unknown_account: /);
  for (const verb of ['list', 'replay', 'discard'])
    await assert.rejects(parcels(road, verb, '--secret-key', randomBytes(32).toString('hex')), /is another installation's there, or this secret_key or broker\.shards is not that of the others/, verb);
  assert.deepEqual((await parcels(road, 'replay', 'test-shop/line')).length, 0);
  assert.equal((await parcels(road, 'replay')).length, 2, 'still nobody knows it');
  await until('they are back', async () => (await parcels(road)).length === 2, 30000);
  await road.programs.hub.stop(); // the newer one works now, and knows the tenant
  await until('it works', async () => (await side.get('/healthz/readiness?worker')).ready, 60000);
  assert.equal((await post('three')).status, 200);
  assert.equal((await parcels(road, 'replay', 'new-shop/custom')).length, 2);
  const texts = async () => (await road.desk.get('/sim/inbound')).messages.map(m => m.text).filter(x => ['one', 'two', 'three'].includes(x)).sort();
  await until('all at the desk', async () => (await texts()).length === 3);
  assert.deepEqual(await texts(), ['one', 'three', 'two']);
  assert.deepEqual(await parcels(road), []);
});

test('who is asked to stop keeps its shard until what is under way is stored: a refresh token of single use goes on to the next', async t => {
  const [pg, rabbit] = [await startPostgres(t), await startRabbit(t)];
  const road = await startSlackRoad(t, {replicas: 2, deskArgs: ['--retry-ms', '300'], args: ['--rotation', '--token-life-s', '7201'], // due two hours before its end
    hub: {store: pg.uri, broker: rabbit.uri, secret_key: randomBytes(32).toString('hex')}});
  await road.send({type: 'text', text: 'Hi'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi');
  await new Promise(r => setTimeout(r, 1500));
  await road.slack.post('/sim/faults', {paths: ['/api/oauth.v2.access'], slow_ms: 1500, times: 1});
  const {calls} = await road.counters();
  await road.agent(c, {text: 'one'}); // the token is due; the old one still serves
  await until('the token is asked for', async () => (await road.counters()).calls > calls);
  const first = (await road.hub.get('/healthz/readiness')).worker;
  await road.replicas.find(r => r.api.base === first).program.stop();
  await road.agent(c, {text: 'two'});
  await road.guestHas('what the next one sends', m => m.message.text === 'two');
  await road.agent(c, {text: 'three'});
  await road.guestHas('and more', m => m.message.text === 'three');
  const {rotations, misused} = await road.counters();
  assert.ok(rotations >= 1, 'a token was given');
  assert.equal(misused, 0, 'and none was used twice');
});

test('replicas that speak TLS themselves find each other with the authority of tls.ca', async t => {
  const [pg, rabbit] = [await startPostgres(t), await startRabbit(t)], dir = mkdtempSync(join(tmpdir(), 'dragoman-tls-'));
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  const cert = join(dir, 'cert.pem'), key = join(dir, 'key.pem'), secret_key = randomBytes(32).toString('hex');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', '/CN=replicas of the test', '-addext', 'subjectAltName=IP:127.0.0.1',
    '-keyout', key, '-out', cert], {stdio: 'ignore'});
  const ca = await readFile(cert);
  const get = url => new Promise((resolve, reject) => request(url, {ca}, r => { let text = ''; r.on('data', x => text += x); r.on('end', () => resolve({status: r.statusCode, text})); }).on('error', reject).end());
  const bases = [];
  for (const name of ['one', 'two']) {
    const port = await freePort(), config = join(dir, `${name}.yaml`);
    await writeFile(config, JSON.stringify({listen: `127.0.0.1:${port}`, public_url: `https://127.0.0.1:${port}`, data: join(dir, name), 'tls.cert': cert, 'tls.key': key, 'tls.ca': cert,
      store: pg.uri, broker: rabbit.uri, secret_key}));
    const program = new Program(dir, name, ['serve', '--config', config]).start();
    t.after(() => program.stop());
    bases.push(`https://127.0.0.1:${port}`);
    await until(`${name} works or knows who does`, async () => { if (program.ended) throw new Gone(program.text()); return JSON.parse((await get(`${bases.at(-1)}/healthz/readiness`)).text).worker === bases[0]; });
  }
  await until('the one that works answers', async () => (await get(`${bases[0]}/api/v1/openapi`)).status === 200);
  const r = await get(`${bases[1]}/api/v1/openapi`);
  assert.equal(r.status, 200, r.text);
});

test('a replica whose address the others cannot reach is named in their logs', async t => {
  const {road} = await startThree(t, {replicas: 2}), [working, other] = [...road.replicas].sort(r => r.api.base === road.hub.base ? -1 : 1);
  const nobody = `http://127.0.0.1:${await freePort()}`;
  await Promise.all(road.replicas.map(r => r.program.stop()));
  working.program.args.push('--replica-url', nobody);
  working.program.start();
  await ready(working.program, `${working.api.base}/healthz/readiness?worker`);
  other.program.start();
  await until('the other one knows who works', async () => (await other.api.get('/healthz/readiness')).worker === nobody);
  assert.equal((await other.api.call('GET', '/api/v1/openapi')).json.code, 'no_worker');
  await until('and says why nobody hears of it', () => /The replica of the worker is not reached \(its replica_url, or listen\), Error: [^"]*onnect/.test(other.program.text()) && other.program.text().includes(nobody));
});

test('what the database says when it takes no writes stands in the log, and all goes on when it does again', async t => {
  const {road, pg} = await startThree(t, {replicas: 1, deskArgs: ['--receipts', 'off']}), people = (await road.line.get('/sim/guests')).guests.filter(g => g.kind === 'user');
  const say = text => road.line.post(`/sim/guests/${people[0].id}/send`, {type: 'text', text});
  const at = async text => (await road.desk.get('/sim/inbound')).messages.some(m => m.text === text);
  await say('before');
  await until('at the desk', () => at('before'));
  pg.sql("CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE='53100'; END$$");
  pg.sql('CREATE TRIGGER is_full BEFORE INSERT ON log_part FOR EACH ROW EXECUTE FUNCTION is_full()');
  await say('while it is full'); // published: the broker keeps it
  await until('it is said', () => /The database does not take the journal; what comes stays with the broker, Error: PostgreSQL says: could not extend file: No space left on device \(53100\)/.test(road.programs.hub.text()));
  assert.equal(await at('while it is full'), false);
  pg.sql('DROP FUNCTION is_full() CASCADE');
  await until('at the desk', () => at('while it is full'));
  await until('that is said, too', () => /The database takes the journal again/.test(road.programs.hub.text()));
});

test('while the broker is away the log says so now and then, not for each webhook that is refused', async t => {
  const {road, rabbit} = await startThree(t, {replicas: 1});
  await rabbit.stop();
  const post = n => {
    const body = JSON.stringify({destination: 'U0123456789abcdef0123456789abcdef', events: [{type: 'message', mode: 'active', timestamp: Date.now(), webhookEventId: `01HZ${String(n).padStart(22, '0')}`,
      deliveryContext: {isRedelivery: false}, source: {type: 'user', userId: 'U0123456789abcdef0123456789abcde0'}, message: {type: 'text', id: `${n}`, quoteToken: 'q', text: 'hello'}}]});
    return road.hub.call('POST', '/line', body, {'x-line-signature': createHmac('sha256', secret).update(body).digest('base64')});
  };
  const refused = await Promise.all([...Array(60).keys()].map(post));
  assert.deepEqual([...new Set(refused.map(r => `${r.status} ${r.json.code}`))], ['503 not_stored']);
  const lines = () => road.programs.hub.text().match(/Webhooks? not published.*/g) ?? [];
  await until('it is said', () => lines().length);
  await rabbit.start();
  await until('webhooks are taken again', async () => (await post(100)).status === 200, 60000);
  assert.ok(lines().length < 10, `${lines().length} lines`);
});

test('a replica whose clock is minutes off is told about where it hands requests on', async t => {
  const {road} = await startThree(t, {replicas: 2}), worker = await workerOf(road);
  const [working, other] = [...road.replicas].sort(r => r.api.base === worker ? -1 : 1), clock = movableClock(road.dir);
  await other.program.stop();
  Object.assign(other.program.env, clock.env);
  clock.later(300);
  other.program.start();
  await until('it knows who works', async () => (await other.api.get('/healthz/readiness')).worker === worker);
  assert.equal((await other.api.call('GET', '/api/v1/openapi')).status, 200, 'served all the same');
  await until('it is said', () => /A replica hands requests on with a proof that is not good here: its clock differs by more than 60 s, or its key/.test(working.program.text()));
});

test('a worker whose data folder is full gives way to one that has room', async t => {
  const disk = mkdtempSync(join(tmpdir(), 'dragoman-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m,mode=0700', 'tmpfs', disk], {stdio: 'pipe'});
  } catch {
    rmSync(disk, {recursive: true});
    return t.skip('no tmpfs can be mounted here');
  }
  const {road} = await startThree(t, {replicas: 2, data: join(disk, 'data'), deskArgs: ['--retry-ms', '300', '--receipts', 'off']}), [full, roomy] = road.replicas;
  t.after(() => { execFileSync('umount', ['-l', disk]); rmSync(disk, {recursive: true, force: true}); });
  await roomy.program.stop();
  await until('the one on the small disk works', async () => (await full.api.get('/healthz/readiness')).worker === full.api.base && (await full.api.get('/healthz/readiness?worker')).ready);
  roomy.program.start();
  await until('the other one knows who works', async () => (await roomy.api.get('/healthz/readiness')).worker === full.api.base);
  const filler = openSync(join(disk, 'filler'), 'w'), block = Buffer.alloc(4096), load = new Load(road, {guests: 10, agents: false});
  const fill = () => { try { for (;;) writeSync(filler, block); } catch (e) { if (e.code !== 'ENOSPC') throw e; } };
  t.after(() => { load.running = false; });
  await load.start();
  await until('it gives its shard back', () => { fill(); return /The data folder does not take the copy of the journal: this worker gives its shard back, Error: [^"]*No space left on device/.test(full.program.text()); }, 60000);
  await until('the other one works', async () => (await roomy.api.get('/healthz/readiness')).worker === roomy.api.base, 60000);
  await load.stop();
  await load.last(); // all that was taken is at the desk
  closeSync(filler);
  const {lost, doubled, unordered} = await load.check();
  assert.deepEqual({lost, doubled, unordered}, {lost: 0, doubled: 0, unordered: 0});
});
