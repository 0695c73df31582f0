// An application of one's own as a network: the simulated one, and one that is written here.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {networkRoad} from './network-road.mjs';
import {until} from './harness.mjs';

const secret = 'a-secret-of-sixteen-characters';
const start = (t, more = {}) => networkRoad(t, 'custom', url => ({secret, url: `${url}/messages`, ...more}), {secret, retry: false, from: 'agent'});
const sign = (body, key = secret) => 'sha256=' + createHmac('sha256', key).update(body).digest('hex');

test('text, a choice and its answer, the end', async t => {
  const road = await start(t, {show_system_messages: true});
  await road.send({type: 'text', text: 'Where is my parcel?', name: 'Ana', data: {plan: 'gold'}});
  const {c} = await road.deskHas('the text', m => m.text === 'Where is my parcel?');
  assert.deepEqual([c.attributes.media, c.attributes.plan], ['Custom', 'gold']);
  await road.agent(c, {text: 'On its way', agent: 'Ken Ito'});
  const {message} = await road.guestHas('the answer', m => m.message.text === 'On its way');
  assert.deepEqual([message.type, message.guest, message.agent], ['text', 'guest-1', 'Ken Ito']);
  await road.agent(c, {text: 'All good?', quick_replies: [{text: 'Yes', payload: 'y-1'}, {text: 'No', payload: 'n-1'}]});
  const {message: asked} = await road.guestHas('the choices', m => m.message.choices);
  await road.send({type: 'answer', text: 'Yes', payload: 'y-1', of: asked.id});
  await road.deskHas('the tap', m => m.button?.payload === 'y-1');
  await road.desk.post(`/sim/conversations/${c.id}/end`, {});
  await road.guestHas('the end', m => m.message.text === 'The conversation has ended.');
});

test('nothing unsigned is taken; the same message once; a bad day does no harm', async t => {
  const road = await start(t);
  const post = (body, signature) => road.hub.call('POST', '/custom', body, signature ? {'x-dragoman-signature': signature} : {});
  const body = JSON.stringify({id: 'once', type: 'text', guest: 'guest-1', text: 'from node'});
  assert.equal((await post(body)).status, 403);
  assert.equal((await post(body, sign(body, 'another secret of somebody'))).status, 403);
  assert.equal((await post(body.replace('node', 'n0de'), sign(body))).status, 403);
  for (let i = 0; i < 3; i++) assert.equal((await post(body, sign(body))).status, 200);
  const {c} = await road.deskHas('the text', m => m.text === 'from node');
  assert.equal((await road.desk.get(`/sim/conversations/${c.id}`)).messages.filter(m => m.text === 'from node').length, 1);
  for (const rule of [{status: 429, times: 1}, {status: 503, times: 1}, {reset_after_share: 1, times: 1}]) {
    await road.custom.post('/sim/faults', {paths: ['/messages'], ...rule});
    await road.agent(c, {text: 'on a day of ' + JSON.stringify(rule)});
    await road.guestHas('the answer all the same', m => m.message.text === 'on a day of ' + JSON.stringify(rule));
    await road.custom.call('DELETE', '/sim/faults');
  }
  const seen = (await road.screen()).filter(m => m.from === 'agent').map(m => m.message.id);
  assert.equal(new Set(seen).size, seen.length, 'each once');
  await until('the lost answer was asked for again', async () => (await road.counters()).repeats === 1);
});
