// What operators are told: start, stop, problems and their end, at the simulated Slack, Discord, PagerDuty and Genesys Cloud; and that no message waits for it.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {Api, Program, bin, freePort, patience, ready, startRoad, until} from './harness.mjs';

const run = promisify(execFile);
const key = '0123456789abcdef0123456789abcdef';
const secrets = ['abcdefghijklmnopqrstuvwx', 'discord-token-0123456789', key, '6b9a1f4e-0000-4000-8000-1234567890ab'];
const destinations = at => [
  {name: 'ops', type: 'slack', topics: ['Default'], url: `${at}/services/T0000/B0000/abcdefghijklmnopqrstuvwx`},
  {name: 'games', type: 'discord', topics: ['Default', 'Subscriptions'], url: `${at}/api/webhooks/123456789012345678/discord-token-0123456789`},
  {name: 'duty', type: 'pagerduty', topics: ['Default', 'Subscriptions'], routing_key: key, base_url: at},
  {name: 'desk', type: 'genesys-cloud', url: `${at}/webhooks/api/v1/webhook/6b9a1f4e-0000-4000-8000-1234567890ab`},
];

async function startTold(t, options = {}) {
  const port = await freePort(), at = `http://127.0.0.1:${port}`;
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-told-'));
  const sim = new Program(dir, 'notifiers', ['sim', 'notifiers', '--listen', `127.0.0.1:${port}`, ...(options.simArgs ?? [])]);
  let road;
  t.after(async () => {   // before the road takes its folder away
    await road?.programs.hub.stop();
    const how = await sim.stop(), log = road?.programs.hub.text();
    if (how.code) { console.error(sim.text().slice(-3000)); process.exitCode = 1; }
    if (!process.env.KEEP) rmSync(dir, {recursive: true, force: true});
    if (!road) return;
    assert.match(log, /"msg"/);
    for (const s of secrets) assert.ok(!log.includes(s), 'no address and no key is in a log line');
  });
  if (!options.simLater) { sim.start(); await ready(sim, `${at}/sim/counters`); }
  road = await startRoad(t, {...options, hub: {environment: 'prod', notifiers: options.destinations ?? destinations(at), ...options.hub}});
  const told = new Api(at);
  return Object.assign(road, {
    sim, told,
    notices: async vendor => (await told.get('/sim/notices')).notices.filter(n => !vendor || n.vendor === vendor),
    alerts: async () => (await told.get('/sim/notices')).alerts,
    taken: async (vendor, is) => (await road.notices(vendor)).filter(n => n.status < 300 && is.test(n.title ?? '')),
  });
}
const vendors = ['slack', 'discord', 'pagerduty', 'genesys-cloud'];
const cli = async (road, ...args) => (await run(bin, [...args, '--config', road.config])).stdout;

test('each destination is told of the start and of the stop', async t => {
  const road = await startTold(t);
  for (const v of vendors) await until(`${v} told of the start`, async () => (await road.taken(v, /started/)).length === 1);
  const [slack] = await road.taken('slack', /started/);
  assert.match(slack.title, /^dragoman \d+\.\d+\.\d+ started on \S+ \(prod\)$/);
  const [change] = await road.taken('pagerduty', /started/);
  assert.equal(change.action, 'change', 'a start wakes nobody');
  assert.equal((await road.notices()).filter(n => n.hidden).length, 0);
  const began = Date.now();
  assert.equal((await road.programs.hub.stop()).code, 0);
  assert.ok(Date.now() - began < 6000 * patience);
  for (const v of vendors) assert.equal((await road.taken(v, /is stopping/)).length, 1, v);
  assert.match((await road.taken('slack', /is stopping/))[0].title, /\(SIGTERM\)$/);
  assert.deepEqual((await road.notices()).filter(n => n.status >= 300), []);
});

test('dead letters are told at once, the others counted; looking at them ends it', async t => {
  const road = await startTold(t);
  await road.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], status: 400}]});
  for (let i = 1; i <= 5; i++) await road.line.post(`/sim/guests/${i}/send`, {type: 'text', text: 'refused'});
  for (const v of vendors) await until(`${v} told`, async () => (await road.taken(v, /Message not delivered/)).length === 1);
  const dead = await until('five dead letters', async () => { const n = [...(await cli(road, 'journal', 'list', 'dead')).matchAll(/^ *(\d+) +dead/gm)]; return n.length === 5 && n; });
  for (const v of vendors) assert.equal((await road.taken(v, /Message not delivered/)).length, 1, `${v}: once`);
  const [duty] = await road.taken('pagerduty', /Message not delivered/);
  assert.equal(duty.action, 'trigger');
  assert.equal(duty.key, 'dragoman/prod/dead/test-shop/genesys-cloud');
  assert.equal((await road.alerts()).find(a => a.key === duty.key).open, true);
  assert.ok(!JSON.stringify(await road.notices()).includes('"refused"'), 'no message text');
  await road.desk.post('/sim/faults', {rules: []});
  await cli(road, 'journal', 'replay', dead[0][1]);
  await until('resolved', async () => (await road.alerts()).find(a => a.key === duty.key).open === false);
  await until('Slack told', async () => (await road.taken('slack', /Dead letters looked at/)).length === 1);
});

test('a subscription error goes to its topic, is remembered over a restart, and is resolved', async t => {
  const road = await startTold(t);
  await until('told of the start', async () => (await road.taken('slack', /started/)).length === 1);
  await road.desk.post('/sim/faults', {rules: [{paths: ['/oauth/token', '/api/v2/*'], status: 401}]});   // nor is a token taken that another process got
  await road.programs.hub.stop();
  road.programs.hub.start();
  for (const v of ['discord', 'pagerduty']) await until(`${v} told`, async () => (await road.taken(v, /Access token refused|Subscription error/)).length >= 1);
  assert.deepEqual(await road.taken('slack', /token|Subscription/i), [], 'Slack has the topic Default only');
  const open = (await road.alerts()).filter(a => a.open);
  assert.ok(open.length >= 1 && open.every(a => /^dragoman\/prod\/(token|subscription|channel)\/test-shop\/genesys-cloud$/.test(a.key)), JSON.stringify(open));
  await road.programs.hub.stop();
  await road.desk.post('/sim/faults', {rules: []});
  road.programs.hub.start();
  await until('all resolved by the next process', async () => (await road.alerts()).every(a => !a.open));
  await until('Discord told as well', async () => (await road.taken('discord', /renewed|recovered/)).length >= 1);
});

test('without a destination of the topic, subscription errors go to Default', async t => {
  const road = await startTold(t);
  await road.programs.hub.stop();
  const text = readFileSync(road.config, 'utf8').replace(/"topics":\["Default","Subscriptions"\]/g, '"topics":["Default"]');
  writeFileSync(road.config, text);
  await road.desk.post('/sim/faults', {rules: [{paths: ['/oauth/token', '/api/v2/*'], status: 401}]});   // nor is a token taken that another process got
  road.programs.hub.start();
  for (const v of vendors) await until(`${v} told`, async () => (await road.taken(v, /Access token refused|Subscription error/)).length >= 1);
});

test('an attachment that cannot be stored is told', async t => {
  const road = await startTold(t);
  await until('told of the start', async () => (await road.taken('slack', /started/)).length === 1);
  rmSync(join(road.dir, 'data/attachments'), {recursive: true});
  await road.line.post('/sim/guests/1/send', {type: 'image'});
  for (const v of vendors) await until(`${v} told`, async () => (await road.taken(v, /Storage of attachments.* is failing/)).length === 1);
  assert.match((await road.taken('pagerduty', /Storage/))[0].key, /^dragoman\/prod\/storage\/dg-[0-9a-f]{10}\/local$/);
});

test('429 and 5xx are tried again after the time they ask for, refusals are not', async t => {
  const road = await startTold(t, {simArgs: ['--faults', JSON.stringify({rules: [
    {paths: ['/services/*'], status: 429, times: 1, retry_after_s: 1},
    {paths: ['/api/webhooks/*'], status: 429, times: 1},
    {paths: ['/webhooks/*'], status: 400, times: 1}]})]});
  for (const v of ['slack', 'discord']) await until(`${v} told after all`, async () => (await road.taken(v, /started/)).length === 1);
  for (const v of ['slack', 'discord']) {
    const all = await road.notices(v);
    assert.deepEqual(all.map(n => n.status), [429, 200], v);
    assert.ok(new Date(all[1].at) - new Date(all[0].at) >= 990, v);
  }
  const once = await until('told at Genesys Cloud', async () => { const all = await road.notices('genesys-cloud'); return all.length && all; });
  assert.deepEqual(once.map(n => n.status), [400]);
  const text = await until('the answers are counted', async () => {
    const r = await road.hub.call('GET', '/metrics');
    return /notifier="slack",result="sent"/.test(r.text) && /notifier="genesys-cloud",result="refused"/.test(r.text) && r.text;
  });
  assert.match(text, /dragoman_notices_total\{notifier="slack",result="retried"\} 1\n/);
  assert.match(text, /dragoman_notices_total\{notifier="slack",result="sent"\} 1\n/);
  assert.match(text, /dragoman_notices_total\{notifier="genesys-cloud",result="refused"\} 1\n/);
});

test('messages do not wait for destinations that are down or silent, nor does the stop for long', async t => {
  const road = await startTold(t, {simArgs: ['--faults', JSON.stringify({rules: [{paths: ['/services/*', '/v2/*'], timeout_share: 1}, {paths: ['/api/*', '/webhooks/*'], down: true}]})]});
  await road.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], status: 400, times: 1}]});
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'refused'});
  await until('a dead letter', async () => /dead/.test(await cli(road, 'journal', 'list', 'dead')));
  const began = Date.now();
  for (let i = 2; i <= 21; i++) await road.line.post(`/sim/guests/${i % 4 + 1}/send`, {type: 'text', text: `message ${i}`});
  await until('all at the desk', async () => (await road.desk.get('/sim/inbound?limit=1000')).messages.length === 20);
  assert.ok(Date.now() - began < 5000 * patience, `${Date.now() - began} ms`);
  const stopped = Date.now();
  assert.equal((await road.programs.hub.stop()).code, 0);
  assert.ok(Date.now() - stopped < 5000 * patience, `${Date.now() - stopped} ms`);
});

test('an operator lists the destinations and sends a test', async t => {
  const road = await startTold(t);
  const {notifiers} = JSON.parse(await cli(road, 'notify', 'list'));
  assert.deepEqual(notifiers.map(n => [n.name, n.type, n.address]), [['ops', 'slack', '…uvwx'], ['games', 'discord', '…6789'], ['duty', 'pagerduty', '…cdef'], ['desk', 'genesys-cloud', '…90ab']]);
  for (const n of ['ops', 'games', 'duty', 'desk']) assert.equal(JSON.parse(await cli(road, 'notify', 'test', n)).taken, true, n);
  for (const v of vendors) assert.equal((await road.taken(v, /sends a test/)).length, 1, v);
  await assert.rejects(cli(road, 'notify', 'test', 'nobody'), /no notifier of this name|Command failed/);
  await road.told.post('/sim/faults', {rules: [{paths: ['/services/*'], status: 404}]});
  const failed = await cli(road, 'notify', 'test', 'ops').then(() => assert.fail('taken'), e => JSON.parse(e.stdout));
  assert.deepEqual([failed.taken, failed.status, failed.answer, failed.why], [false, 404, 'no_service', 'status 404: no_service']);
  assert.equal((await road.hub.call('POST', '/internal/notifiers', {})).status, 401, 'not without the operator\'s token');
});

test('a wrong destination is told with line and field, without its secret', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-told-')), file = join(dir, 'hub.yaml');
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  writeFileSync(file, `notifiers:
  - {name: a, type: slack, url: "nothing-secret-${key}"}
  - {name: a, type: discord, url: "https://d.example/x", topic: Default}
  - {type: pigeon}
  - {type: pagerduty, routing_key: short, topics: [Everything]}
  - {type: discord, url: "https://d.example/x", username: Discord bot}
  - {type: genesys-cloud, topics: []}
`);
  const bad = await run(bin, ['check', '--config', file]).then(() => assert.fail('accepted'), e => e.stderr);
  for (const want of [/hub\.yaml:2:\d+: notifiers\[0\]\.url: must be a URL/, /hub\.yaml:3:\d+: notifiers\[1\]\.name: another notifier/, /notifiers\[1\]\.topic: there is no such setting/,
    /hub\.yaml:4:\d+: notifiers\[2\]\.type: there is no notifier/, /hub\.yaml:5:\d+: notifiers\[3\]\.routing_key/, /hub\.yaml:5:\d+: notifiers\[3\]\.topics\[0\]: must be Default/,
    /hub\.yaml:6:\d+: notifiers\[4\]\.username: Discord refuses/, /notifiers\[5\]\.url: is missing/, /notifiers\[5\]\.topics: must name a topic/]) assert.match(bad, want);
  assert.ok(!bad.includes(key));
});
