// The end of a Genesys Cloud conversation, which nobody tells: what is one, what is none, and the guest who comes back.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {bin, ready, startRoad, until} from './harness.mjs';

const polls = 2500;   // ms in which every open conversation is asked after at least once
const pause = ms => new Promise(r => setTimeout(r, ms));
const open = async road => Number(/^dragoman_open_conversations (\d+)$/m.exec((await road.hub.call('GET', '/metrics')).text)[1]);
const isOpen = async (road, n) => await until(`${n} open`, async () => await open(road) === n, 20000);
const says = async (road, text) => await road.line.post('/sim/guests/1/send', {type: 'text', text});
// The conversation at the desk that has the guest's text.
const at = async (road, text) => await until(`"${text}" at the desk`, async () => {
  for (const {id} of (await road.desk.get('/sim/conversations')).conversations) {
    const c = await road.desk.get(`/sim/conversations/${id}`);
    if (c.messages.some(m => m.from === 'guest' && m.text === text)) return c;
  }
});
async function answers(road, c, text, agent) {
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text, ...(agent && {agent})});
  return await until(`"${text}" on the phone`, async () =>
    (await road.line.get('/sim/guests/1/messages')).messages.find(m => m.from === 'account' && m.message.text === text));
}
const end = async (road, c, by) => await road.desk.post(`/sim/conversations/${c.id}/end`, by ? {by} : {});
// How many ends the hub has taken: each goes to LINE's side, where a Switcher would be told.
const ends = async road => ((await promisify(execFile)(bin, ['journal', 'list', 'delivered', '--config', road.config])).stdout.match(/ event /g) ?? []).length;

test('transfers are not ends: the agents change, the conversation goes on', async t => {
  const road = await startRoad(t);
  await says(road, 'hello');
  const c = await at(road, 'hello');
  await answers(road, c, 'Maria here', 'Maria Sato');
  for (const agent of ['Ken Ito', 'Maria Sato', 'Ken Ito']) {
    await road.desk.post(`/sim/conversations/${c.id}/transfer`, {agent});
    await pause(polls / 2);
  }
  await pause(polls);
  assert.equal(await open(road), 1);
  assert.equal(await ends(road), 0);
  await answers(road, c, 'Ken here', 'Ken Ito');
  await says(road, 'still me');
  assert.equal((await at(road, 'still me')).id, c.id);
  await end(road, c);
  await isOpen(road, 0);
  await until('one end', async () => await ends(road) === 1);
});

test('every end is seen, and the guest comes back into the same conversation each time', async t => {
  const road = await startRoad(t);
  await says(road, 'first');
  const c = await at(road, 'first');
  for (const [i, by] of ['agent', 'guest', 'system'].entries()) {
    await isOpen(road, 1);
    await end(road, c, by);
    await isOpen(road, 0);
    await until('one more end', async () => await ends(road) === i + 1);
    await says(road, `back ${i}`);
    const again = await at(road, `back ${i}`);
    assert.equal(again.id, c.id, 'inside the threading window');
    assert.equal(again.reopened, i + 1);
    await answers(road, again, `welcome back ${i}`);
  }
  await pause(polls);
  assert.equal(await open(road), 1, 'an end that is over is not taken for a new one');
  assert.equal(await ends(road), 3);
});

test('a guest who writes at the moment of the end is not cut off', async t => {
  const road = await startRoad(t);
  await says(road, 'first');
  const c = await at(road, 'first');
  await isOpen(road, 1);
  await Promise.all([end(road, c), says(road, 'one more thing')]);
  const again = await at(road, 'one more thing');
  assert.equal(again.id, c.id);
  await says(road, 'and another');
  await at(road, 'and another');
  await pause(polls);
  if ((await road.desk.get(`/sim/conversations/${c.id}`)).state !== 'ended') assert.equal(await open(road), 1);
  await answers(road, c, 'yes?');
  assert.equal(await open(road), 1);
});

test('outside the threading window it is a new conversation, and the hub goes with it', async t => {
  const road = await startRoad(t, {deskArgs: ['--threading-seconds', '1']});
  await says(road, 'first');
  const c = await at(road, 'first');
  await isOpen(road, 1);
  await end(road, c);
  await isOpen(road, 0);
  await pause(1200);
  await says(road, 'days later');
  const other = await at(road, 'days later');
  assert.notEqual(other.id, c.id);
  await isOpen(road, 1);
  await answers(road, other, 'hello again');
  await pause(polls);
  assert.equal(await open(road), 1, 'the old one\'s end is not the new one\'s');
  await end(road, other);
  await isOpen(road, 0);
  await until('two ends', async () => await ends(road) === 2);
});

test('an end while the hub is down is seen after its start', async t => {
  const road = await startRoad(t);
  const {hub} = road.programs;
  await says(road, 'first');
  const c = await at(road, 'first');
  await isOpen(road, 1);
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    await hub.stop(signal);
    await end(road, c);
    hub.start();
    await ready(hub, road.hub.base + '/healthz/readiness?worker');
    await isOpen(road, 0);
    await says(road, `after ${signal}`);
    assert.equal((await at(road, `after ${signal}`)).id, c.id);
    await isOpen(road, 1);
  }
});
