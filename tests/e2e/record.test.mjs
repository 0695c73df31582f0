// A conversation is recorded, redacted, and played again into a second hub with simulators of its own: the same shape arrives, and nothing of what was said.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {bin, startRoad, until} from './harness.mjs';

const said = ['Where is my parcel?', 'Order 471108152342 of Taro Yamada', '東京です', 'Call +81 90-1234-5678'];
async function dragoman(...args) {
  try { return {code: 0, ...(await promisify(execFile)(bin, args, {timeout: 60000}))}; }
  catch (e) { return {code: e.code, stdout: e.stdout, stderr: e.stderr}; }
}
const lines = file => readFileSync(file, 'utf8').trim().split('\n').map(l => JSON.parse(l));
const atDesk = async (road, n) => await until(`${n} messages at the desk`, async () => {
  const all = (await road.desk.get('/sim/inbound?limit=1000')).messages.filter(m => m.text);
  return all.length >= n && all;
});
// Texts by conversation, as their forms: letters, digits and others cannot be told apart from their pseudonyms.
const form = text => text.replace(/[A-Z]/g, 'A').replace(/[a-z]/g, 'a').replace(/[0-9]/g, '9').replace(/[^\x00-\x7f]/gu, 'u');
function forms(messages) {
  const by = new Map();
  for (const m of messages) {
    const guest = m.guest?.id ?? m.guest ?? m.conversation ?? m.conversation_id;
    by.set(guest, [...(by.get(guest) ?? []), form(m.text)]);
  }
  return [...by.values()].map(x => x.join('\n')).sort();
}

test('a conversation is recorded without what was said, and replayed with the same shape', async t => {
  const first = await startRoad(t);
  const rec = join(first.dir, 'data', 'record.jsonl');
  const off = await dragoman('record', '--config', first.config);
  assert.equal(off.code, 0, off.stderr);
  assert.equal(JSON.parse(off.stdout).on, false, 'nobody records unasked');
  await first.line.post('/sim/guests/3/send', {type: 'text', text: 'before'});
  await atDesk(first, 1);
  const on = JSON.parse((await dragoman('record', 'on', '--config', first.config)).stdout);
  assert.deepEqual([on.on, on.file], [true, rec]);
  for (const text of said) {
    await first.line.post('/sim/guests/1/send', {type: 'text', text});
    await first.line.post('/sim/guests/2/send', {type: 'text', text: text + ' too'});
  }
  const told = await atDesk(first, 1 + 2 * said.length);
  const c = (await first.desk.get('/sim/conversations')).conversations[1] ?? (await first.desk.get('/sim/conversations')).conversations[0];
  await first.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'On its way, Mr Yamada!', agent: 'Ken Ito'});
  await until('the desk\'s webhook in the recording', async () => lines(rec).some(l => l.connector === 'genesys-cloud' && l.body.type === 'Text'));
  const done = JSON.parse((await dragoman('record', 'off', '--config', first.config)).stdout);
  assert.equal(done.on, false);
  assert.equal(done.webhooks, lines(rec).length);

  const text = readFileSync(rec, 'utf8');
  const guests = (await first.line.get('/sim/guests')).guests;
  for (const secret of ['parcel', 'Yamada', 'Taro', '471108152342', '1234-5678', '東京', 'On its way', 'Ken Ito', '8c570fa6', ...guests.slice(0, 3).flatMap(g => [g.id ?? g.userId, g.name])])
    assert.ok(secret && !text.includes(secret), `"${secret}" is not in the recording`);
  assert.equal(statSync(rec).mode & 0o777, 0o600);
  const kept = lines(rec);
  assert.ok(kept.every(l => !Object.entries(l.headers).some(([k, v]) => /signature|authorization|host/i.test(k) && v)), 'no signature');
  const events = kept.filter(l => l.connector === 'line').flatMap(l => l.body.events);
  assert.equal(new Set(events.map(e => e.source.userId)).size, 2, 'two guests stay two');
  const reply = kept.find(l => l.connector === 'genesys-cloud' && l.body.type === 'Text');
  assert.ok(events.some(e => reply.body.channel.to.id === `${e.source.userId}@line`), 'the desk\'s guest is the network\'s guest');

  const second = await startRoad(t);
  const play = async (...more) => await dragoman('replay', rec, '--config', second.config, '--speed', '0', ...more);
  const played = await play();
  assert.equal(played.code, 0, played.stdout + played.stderr);
  assert.match(played.stdout, new RegExp(`sent ${kept.length}, accepted ${kept.length}, refused 0, without an answer 0, left out 0`));
  const again = await atDesk(second, 2 * said.length);
  assert.deepEqual(forms(again), forms(told.filter(m => m.text !== 'before')), 'conversations, order and sizes');

  assert.equal((await play()).code, 0, 'what is known already is taken and has no effect');
  const before = (await second.desk.get('/sim/inbound?limit=1000')).messages.length;
  assert.equal((await play('--fresh-ids', '--rate', '200')).code, 0);
  await atDesk(second, before + 2 * said.length);

  // Through the simulators: they sign, send it twice as asked, and know the people of the recording; the hub's answers reach these people.
  const third = await startRoad(t);
  await third.line.post('/sim/faults', {rules: [{duplicate_share: 1}]});
  const sims = ['--sim', `line=${third.line.base}/`, '--sim', `genesys-cloud=${third.desk.base}`];
  const simulated = await dragoman('replay', rec, '--config', third.config, '--to', 'http://127.0.0.1:1', '--speed', '0', ...sims);
  assert.equal(simulated.code, 0, simulated.stdout + simulated.stderr);
  assert.match(simulated.stdout, new RegExp(`sent ${kept.length}, accepted ${kept.length}, refused 0, without an answer 0, left out 0`));
  assert.deepEqual(forms(await atDesk(third, 2 * said.length)), forms(told.filter(m => m.text !== 'before')), 'once, whatever was sent twice');
  assert.ok((await third.line.get('/sim/faults')).injected.duplicate >= 2 * said.length);
  const phone = await until('the agent\'s text on the phone', async () => {
    const {messages} = await third.line.get(`/sim/guests/${reply.body.channel.to.id.split('@')[0]}/messages`);
    return messages.find(m => m.from === 'account');
  });
  assert.equal(form(phone.message.text.split(': ').at(-1)), form(reply.body.text), 'in its form');
  assert.equal((await third.desk.call('POST', '/sim/replay', '[')).status, 400, 'no JSON, no webhook');
  const strange = {...sims, 1: 'line=http://127.0.0.1:1'};
  assert.match((await dragoman('replay', rec, '--config', third.config, '--speed', '0', ...Object.values(strange))).stdout, /without an answer [1-9]/);

  const bad = await dragoman('replay', rec, '--config', second.config, '--to', 'http://127.0.0.1:1');
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /without an answer [1-9]/);
});
