// A workspace registers, and a member of it talks with an agent, all in a browser, with the real hub between the pages.
import test from 'node:test';
import assert from 'node:assert/strict';
import {until} from '../e2e/harness.mjs';
import {startSlackRoad} from '../e2e/slack-road.mjs';
import {drawn, openPages} from './pages.mjs';

const fromApp = page => page.getByTestId('message-bot');
const fromGuest = page => page.getByTestId('line-guest');

test('registration, text, pictures both ways, buttons, a dialog, the end', async t => {
  const road = await startSlackRoad(t, {register: false});
  const {phone, desk, complaints, open} = await openPages(t, road);

  await t.test('a customer registers the workspace', async () => {
    const page = await open('registration', road.hub.base + '/slack/register', {width: 900, height: 700});
    assert.equal(await page.getByRole('heading').textContent(), 'Your Slack workspace is not yet registered with us');
    await page.getByLabel('Customer Identifier').fill('somebody');
    complaints.length = 0;
    await page.getByRole('button', {name: 'Submit'}).click();
    await page.getByRole('alert').filter({hasText: 'not known here'}).waitFor();
    assert.equal(complaints.filter(c => !/422/.test(c)).length, 0, complaints.join('\n'));
    complaints.length = 0; // a 422 is told on the console, too
    await page.getByLabel('Customer Identifier').fill('test-shop');
    await page.getByRole('button', {name: 'Submit'}).click();
    await page.getByRole('link', {name: 'Add to Slack'}).click();
    await page.getByRole('heading', {name: 'The app asks to be let in'}).waitFor();
    await page.getByTestId('choose-T0ACME001').click();
    await page.getByText('Members of ACME can now write to Test Shop.').waitFor();
    await page.close();
  });

  await t.test('text, both ways, with the agent\'s name', async () => {
    await phone.reload();
    await phone.getByTestId('message-input').fill('Where is my <b>parcel</b>? 🙂');
    await phone.getByTestId('send').click();
    await fromGuest(desk).filter({hasText: 'Where is my <b>parcel</b>? 🙂'}).waitFor();
    assert.equal(await desk.getByTestId('guest-name').textContent(), 'Ana');
    await desk.getByTestId('agent-select').selectOption('Ken Ito');
    await desk.getByTestId('message-input').fill('It left <this> morning & is on its way.');
    await desk.getByTestId('message-input').press('Enter');
    const said = fromApp(phone).filter({hasText: 'It left <this> morning & is on its way.'});
    await said.waitFor();
    assert.equal(await said.getByTestId('who').textContent(), 'Ken Ito');
  });

  await t.test('a picture, both ways', async () => {
    await phone.getByTestId('sample-picture').click();
    await drawn(desk, fromGuest(desk).getByTestId('attachment').locator('img'));
    await desk.getByTestId('picture-button').click();
    await drawn(phone, fromApp(phone).locator('img'));
  });

  await t.test('buttons, and the tapped answer', async () => {
    await desk.getByTestId('quick-replies-sample').click();
    const no = phone.getByTestId('choice').filter({hasText: /^No$/});
    await no.click();
    await fromGuest(desk).last().getByTestId('pressed').filter({hasText: 'pressed (no-1)'}).waitFor();
    await fromApp(phone).filter({hasText: '✓ No'}).waitFor();
    assert.equal(await phone.getByTestId('choice').count(), 0, 'answered once');
  });

  await t.test('a dialog that an agent\'s message brought, and what was entered', async () => {
    const {conversations: [{id}]} = await road.desk.get('/sim/conversations');
    await road.desk.post(`/sim/conversations/${id}/agent`, {text: JSON.stringify({
      blocks: [{type: 'section', text: {type: 'mrkdwn', text: 'Where to?'}, accessory: {type: 'button', text: {type: 'plain_text', text: 'Fill in'}, action_id: 'gum:open:@address'}}],
      views: {'@address': {type: 'modal', title: {type: 'plain_text', text: 'Address'}, submit: {type: 'plain_text', text: 'Send it'},
        blocks: [{type: 'input', block_id: 'city', label: {type: 'plain_text', text: 'City'}, element: {type: 'plain_text_input', action_id: 'v'}}]}}})});
    await phone.getByTestId('choice').filter({hasText: 'Fill in'}).click();
    await phone.getByLabel('City').fill('Oslo');
    await phone.getByRole('button', {name: 'Send it'}).click();
    await fromGuest(desk).filter({hasText: 'City: Oslo'}).waitFor();
    await phone.getByTestId('dialog').waitFor({state: 'hidden'});
  });

  await t.test('the end, and the guest who writes again', async () => {
    await desk.getByTestId('end-button').click();
    await desk.getByTestId('conversation-state').filter({hasText: 'ended'}).waitFor();
    await phone.getByTestId('message-input').fill('One more thing');
    await phone.getByTestId('message-input').press('Enter');
    await fromGuest(desk).filter({hasText: 'One more thing'}).waitFor();
    await desk.getByTestId('conversation-state').filter({hasNotText: 'ended'}).waitFor();
  });

  await until('nothing is open', async () => (await road.hub.get('/healthz/readiness?worker')).accounts.every(a => a.set_up));
  assert.deepEqual(complaints, [], 'no console error, nothing refused by the policy');
});
