// An agent sends a canned carousel by a command, and the guest taps an answer on the phone.
import test from 'node:test';
import assert from 'node:assert/strict';
import {startRoad} from '../e2e/harness.mjs';
import {openPages} from './pages.mjs';

const carousel = `{ // as an operator wrote it
  "type": "carousel", "text": "{{greeting}}, what shall it be?",
  "cards": [
    {"title": "Green tea", "description": "From {{from}}", "actions": [{"text": "Buy tea", "payload": "buy-tea"}, {"text": "More", "url": "https://shop.example.com/tea"}]},
    {"title": "Coffee", "actions": [{"text": "Buy coffee", "payload": "buy-coffee"}]},
  ],
}`;

test('a canned carousel from the agent\'s page, an answer tapped on the guest\'s', async t => {
  const road = await startRoad(t);
  await road.desk.post('/sim/responses', {name: 'What we have', text: carousel, substitutions: [{id: 'greeting', defaultValue: 'Hello'}, {id: 'from', defaultValue: 'somewhere'}]});
  const {phone, desk, complaints} = await openPages(t, road);
  const guestSaid = desk.getByTestId('line-guest');
  await phone.getByTestId('message-input').fill('What do you have?');
  await phone.getByTestId('send').click();
  await guestSaid.filter({hasText: 'What do you have?'}).waitFor();
  await desk.getByTestId('agent-select').selectOption('Ken Ito');
  await desk.getByTestId('message-input').fill('> send "What we have" with from="Uji"');
  await desk.getByTestId('message-input').press('Enter');

  const shown = phone.getByTestId('bubble-in');
  await shown.filter({hasText: 'Hello, what shall it be?'}).waitFor();
  await shown.filter({hasText: 'From Uji'}).waitFor();
  await shown.filter({hasText: 'Coffee'}).waitFor();
  assert.equal(await shown.filter({hasText: '> send'}).count(), 0, 'the guest never sees the command');
  await phone.getByTestId('action').filter({hasText: /^Buy coffee$/}).click();
  await phone.getByTestId('bubble-out').filter({hasText: 'Buy coffee'}).waitFor();
  await guestSaid.filter({hasText: 'Buy coffee'}).waitFor();

  await desk.getByTestId('message-input').fill('> send "What we do not have"');
  await desk.getByTestId('message-input').press('Enter');
  await guestSaid.filter({hasText: '[Commander]'}).waitFor();
  assert.equal(await shown.count(), 2, 'the mistake is for the agent alone');
  assert.deepEqual(complaints, []);
});
