// A guest in the simulated Teams client and an agent at the simulated desk, in a browser, with the real hub between them.
import test from 'node:test';
import assert from 'node:assert/strict';
import {startRoad} from '../e2e/teams.mjs';
import {drawn, openPages} from './pages.mjs';

const own = page => page.getByTestId('bubble-out');
const fromBot = page => page.getByTestId('bubble-in');
const fromGuest = page => page.getByTestId('line-guest');

test('a guest in Teams and an agent talk, from the first word to the end', async t => {
  const road = await startRoad(t);
  await road.allowFiles();
  const {phone: client, desk, complaints} = await openPages(t, {line: road.teams, desk: road.desk});

  await t.test('text, both ways, and the agent\'s name', async () => {
    await client.getByTestId('message-input').fill('Where is my <b>parcel</b>? 🙂');
    await client.getByTestId('send').click();
    await own(client).filter({hasText: 'Where is my <b>parcel</b>? 🙂'}).waitFor();
    await fromGuest(desk).filter({hasText: 'Where is my <b>parcel</b>? 🙂'}).waitFor();
    assert.equal(await desk.getByTestId('guest-name').textContent(), 'Ana Guest');
    await desk.getByTestId('agent-select').selectOption('Ken Ito');
    await desk.getByTestId('message-input').fill('It left this *morning*.');
    await desk.getByTestId('message-input').press('Enter');
    const said = fromBot(client).filter({hasText: 'It left this *morning*.'});
    await said.waitFor();
    assert.equal(await said.getByTestId('agent-name').textContent(), 'Ken Ito');
  });

  await t.test('typing', async () => {
    await desk.getByTestId('message-input').pressSequentially('Let me ', {delay: 20});
    await client.getByTestId('typing').filter({hasText: 'is typing'}).waitFor();
    await desk.getByTestId('message-input').fill('');
  });

  await t.test('a picture, both ways', async () => {
    await client.getByTestId('sample-picture').click();
    await drawn(desk, fromGuest(desk).getByTestId('attachment').locator('img'));
    await desk.getByTestId('picture-button').click();
    await drawn(client, fromBot(client).locator('img'));
  });

  await t.test('quick replies, and the pressed one comes back', async () => {
    await desk.getByTestId('quick-replies-sample').click();
    await client.getByTestId('card-button').filter({hasText: /^No$/}).click();
    await fromGuest(desk).last().getByTestId('pressed').filter({hasText: 'pressed (no-1)'}).waitFor();
  });

  await t.test('an Adaptive Card is filled in', async () => {
    const card = {type: 'AdaptiveCard', version: '1.4', body: [{type: 'TextBlock', text: 'Your order', weight: 'Bolder'}, {type: 'Input.Text', id: 'size'}], actions: [{type: 'Action.Submit', title: 'Order', data: {action: 'order'}}]};
    await desk.getByTestId('message-input').fill(JSON.stringify(card));
    await desk.getByTestId('message-input').press('Enter');
    const shown = client.getByTestId('adaptive-card').filter({hasText: 'Your order'});
    await shown.locator('input').fill('XL');
    await shown.getByRole('button', {name: 'Order'}).click();
    await fromGuest(desk).filter({hasText: 'size: XL'}).waitFor();
  });

  await t.test('a file by consent', async () => {
    const {conversations} = await road.desk.get('/sim/conversations');
    await road.agent(conversations[0], {attachment: {base64: Buffer.from('%PDF-1.4 an offer').toString('base64'), name: 'offer.pdf', mime: 'application/pdf'}});
    await client.getByTestId('consent-card').getByRole('button', {name: 'Allow'}).click();
    await client.getByTestId('file-card').filter({hasText: 'offer.pdf (17 bytes)'}).waitFor();
    await client.getByTestId('consent-card').waitFor({state: 'detached'});
  });

  await t.test('the end', async () => {
    await desk.getByTestId('end-button').click();
    await desk.getByTestId('conversation-state').filter({hasText: 'ended'}).waitFor();
    await fromBot(client).filter({hasText: 'The conversation has ended.'}).waitFor();
  });

  await client.reload();
  await own(client).filter({hasText: 'parcel'}).waitFor();
  assert.deepEqual(complaints, [], 'no console error, nothing refused by the policy');
});
