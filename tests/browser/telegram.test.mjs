// A guest on Telegram and an agent talk, both in a browser, with the real hub between the pages.
import test from 'node:test';
import assert from 'node:assert/strict';
import {until} from '../e2e/harness.mjs';
import {startTelegramRoad} from '../e2e/telegram-road.mjs';
import {drawn, openPages} from './pages.mjs';

const fromBot = page => page.locator('#chat li.bot');
const fromGuest = page => page.getByTestId('line-guest');

test('a start, text, pictures both ways, buttons, a keyboard, typing, the end', async t => {
  const road = await startTelegramRoad(t);
  const {phone, desk, complaints} = await openPages(t, road);
  const say = async text => { await phone.getByTestId('message-input').fill(text); await phone.getByTestId('send').click(); };

  await t.test('text, both ways, with the agent\'s name', async () => {
    await phone.getByTestId('start-button').click();
    await say('Where is my <b>parcel</b>? 🙂');
    await fromGuest(desk).filter({hasText: 'Where is my <b>parcel</b>? 🙂'}).waitFor();
    assert.equal(await desk.getByTestId('guest-name').textContent(), 'Ana');
    await desk.getByTestId('agent-select').selectOption('Ken Ito');
    await desk.getByTestId('message-input').fill('It left <this> morning & is on its *way*.');
    await desk.getByTestId('message-input').press('Enter');
    await fromBot(phone).filter({hasText: 'Ken Ito: It left <this> morning & is on its *way*.'}).waitFor();
    await phone.getByTestId('webhook-status').filter({hasText: 'Update: 200'}).waitFor();
  });

  await t.test('a picture, both ways', async () => {
    await phone.getByTestId('sample-picture').click();
    await drawn(desk, fromGuest(desk).getByTestId('attachment').locator('img'));
    await desk.getByTestId('picture-button').click();
    await drawn(phone, fromBot(phone).locator('img'));
  });

  await t.test('buttons, and the tapped answer', async () => {
    await desk.getByTestId('quick-replies-sample').click();
    await phone.getByTestId('choice').filter({hasText: /^No$/}).click();
    await fromGuest(desk).last().getByTestId('pressed').filter({hasText: 'pressed (no-1)'}).waitFor();
    await desk.getByTestId('message-input').fill('As you like.');
    await desk.getByTestId('message-input').press('Enter');
    await fromBot(phone).filter({hasText: 'As you like.'}).waitFor();
    await until('the buttons are gone', async () => await phone.getByTestId('choice').count() === 0);
  });

  await t.test('a keyboard says its label', async () => {
    const {conversations: [{id}]} = await road.desk.get('/sim/conversations');
    await road.agent({id}, {text: 'When?', quick_replies: [{text: 'Today', payload: 'Today'}, {text: 'Later', payload: 'Later'}]});
    await phone.getByTestId('keyboard').getByText('Later').click();
    await fromGuest(desk).filter({hasText: 'Later'}).waitFor();
  });

  await t.test('typing is shown', async () => {
    const {conversations: [{id}]} = await road.desk.get('/sim/conversations');
    await road.agent({id}, {typing: true});
    await phone.getByTestId('typing').filter({hasText: 'is typing'}).waitFor();
  });

  await t.test('the end, and the guest who writes again', async () => {
    await desk.getByTestId('end-button').click();
    await desk.getByTestId('conversation-state').filter({hasText: 'ended'}).waitFor();
    await say('One more thing');
    await fromGuest(desk).filter({hasText: 'One more thing'}).waitFor();
    await desk.getByTestId('conversation-state').filter({hasNotText: 'ended'}).waitFor();
  });

  assert.deepEqual(complaints, [], 'no console error, nothing refused by the policy');
});
