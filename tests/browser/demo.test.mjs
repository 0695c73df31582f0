// What the demonstration shows, in a browser: the guest's phone and the agent's desk, with the real hub between them.
import test from 'node:test';
import assert from 'node:assert/strict';
import {startRoad} from '../e2e/harness.mjs';
import {drawn, openPages} from './pages.mjs';

const own = page => page.getByTestId('bubble-out');
const fromAccount = page => page.getByTestId('bubble-in');
const fromGuest = page => page.getByTestId('line-guest');
const stickers = base => `${base}/stickershop/v1/sticker/{stickerId}/android/sticker.png`;

test('a guest and an agent talk, from the first word to the reopening', async t => {
  const road = await startRoad(t, {line: url => ({sticker_url: stickers(url)})});
  const {phone, desk, complaints} = await openPages(t, road);
  for (const page of [phone, desk])
    assert.match(await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content'), /^default-src 'none'; script-src 'sha256-/, 'a strict policy');

  await t.test('text, both ways, and the agent\'s name on the phone', async () => {
    await phone.getByTestId('message-input').fill('Where is my <b>parcel</b>? 🙂');
    await phone.getByTestId('send').click();
    await own(phone).filter({hasText: 'Where is my <b>parcel</b>? 🙂'}).waitFor();
    await fromGuest(desk).filter({hasText: 'Where is my <b>parcel</b>? 🙂'}).waitFor();
    const name = (await road.line.get('/sim/guests')).guests[0].name;
    assert.equal(await desk.getByTestId('guest-name').textContent(), name);
    await desk.getByTestId('agent-select').selectOption('Ken Ito');
    await desk.getByTestId('message-input').fill('It left this morning.');
    await desk.getByTestId('message-input').press('Enter');
    const said = fromAccount(phone).filter({hasText: 'It left this morning.'});
    await said.waitFor();
    assert.equal(await said.getByTestId('agent-name').textContent(), 'Ken Ito');
    await desk.getByTestId('line-agent').filter({hasText: 'It left this morning.'}).getByTestId('state').filter({hasText: 'delivered'}).waitFor();
  });

  await t.test('typing, both as animation and as nothing that stays', async () => {
    await desk.getByTestId('message-input').pressSequentially('Let me ', {delay: 20});
    await phone.getByTestId('typing').waitFor();
    await desk.getByTestId('message-input').fill('');
  });

  await t.test('a picture, both ways', async () => {
    await phone.getByTestId('sample-picture').click();
    await drawn(desk, fromGuest(desk).getByTestId('attachment').locator('img'));
    await desk.getByTestId('picture-button').click();
    await drawn(phone, fromAccount(phone).locator('.frame img'));
  });

  await t.test('a sticker', async () => {
    await phone.getByTestId('sticker-button').click();
    await phone.getByTestId('sticker-choice').first().click();
    await drawn(phone, own(phone).last().locator('img'));
    await drawn(desk, fromGuest(desk).last().getByTestId('attachment').locator('img'));
  });

  await t.test('quick replies from the desk, and the tapped answer comes back', async () => {
    await desk.getByTestId('quick-replies-button').click();
    await desk.getByTestId('quick-replies-prompt').fill('Shall we bring it today?');
    await desk.getByTestId('quick-replies-answers').fill('Yes please\nTomorrow');
    await desk.getByTestId('quick-replies-send').click();
    await fromAccount(phone).filter({hasText: 'Shall we bring it today?'}).waitFor();
    const offered = phone.getByTestId('quick-reply');
    await offered.nth(1).waitFor();
    assert.deepEqual(await offered.allTextContents(), ['Yes please', 'Tomorrow']);
    await offered.first().click();
    await offered.first().waitFor({state: 'hidden'});
    await own(phone).filter({hasText: 'Yes please'}).waitFor();
    await fromGuest(desk).filter({hasText: 'Yes please'}).waitFor();
    await desk.getByTestId('quick-replies-sample').click();   // these carry a payload beside what they show
    await phone.getByTestId('quick-reply').filter({hasText: /^No$/}).click();
    const pressed = fromGuest(desk).last().getByTestId('pressed');
    await pressed.filter({hasText: 'pressed (no-1)'}).waitFor();
  });

  await t.test('a card with a button', async () => {
    await desk.getByTestId('card-button').click();
    const button = phone.getByTestId('chat').getByRole('button', {name: 'Buy green'});
    await button.waitFor();
    await button.click();
    await fromGuest(desk).filter({hasText: 'Buy green'}).getByTestId('pressed').waitFor();
  });

  await t.test('the end, and the guest who writes again', async () => {
    await desk.getByTestId('end-button').click();
    await desk.getByTestId('conversation-state').filter({hasText: 'ended'}).waitFor();
    assert.equal(await desk.getByTestId('message-input').isDisabled(), true);
    await phone.getByTestId('message-input').fill('One more thing');
    await phone.getByTestId('message-input').press('Enter');
    await fromGuest(desk).filter({hasText: 'One more thing'}).waitFor();
    await desk.getByTestId('conversation-state').filter({hasNotText: 'ended'}).waitFor();
    assert.equal(await desk.getByTestId('conversation').count(), 1, 'the same conversation, opened again');
    await desk.getByTestId('message-input').fill('Welcome back');
    await desk.getByTestId('send').click();
    await fromAccount(phone).filter({hasText: 'Welcome back'}).waitFor();
  });

  await phone.reload();
  await own(phone).filter({hasText: 'One more thing'}).waitFor();
  assert.deepEqual(complaints, [], 'no console error, nothing refused by the policy');
});
