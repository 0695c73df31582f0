// Commands of agents and bots, and canned responses, between a Genesys Cloud agent and guests of several networks.
import test from 'node:test';
import assert from 'node:assert/strict';
import {until} from './harness.mjs';
import {startTelegramRoad} from './telegram-road.mjs';

const response = (road, name, text, more = {}) => road.desk.post('/sim/responses', {name, text, ...more});
const texts = async road => (await road.screen()).filter(m => m.from === 'bot').map(m => m.message.text);

async function begin(t, options) {
  const road = await startTelegramRoad(t, options);
  await road.send({type: 'text', text: 'Hi'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi');
  // what the hub told the agent alone
  road.told = (what, is) => road.deskHas(what, m => m.text?.startsWith('[Commander] ') && is(m.text.slice(12)));
  return {road, c};
}

test('a canned response with values and defaults, in the order it was sent in, never the command itself', async t => {
  const {road, c} = await begin(t);
  await road.agent(c, {text: 'one', agent: 'Ken Ito'});
  await road.agent(c, {text: '> send "Greeting" with name="Ann"', agent: 'Ken Ito'});
  await road.agent(c, {text: 'three', agent: 'Ken Ito'});
  await road.phoneHas('all three', m => /three$/.test(m.message.text ?? ''));
  const seen = await texts(road);
  assert.deepEqual(seen.map(s => s.replace('Ken Ito: ', '')), ['one', 'Hello Ann, this is ACME. How can we help?', 'three']);
  await until('the receipt', async () => (await road.desk.get(`/sim/conversations/${c.id}`)).messages.filter(m => m.from === 'agent').every(m => m.state === 'delivered'));
});
