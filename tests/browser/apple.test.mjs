// A guest with an iPhone and an agent at the simulated desk, in a browser, with the real hub between them.
import test from 'node:test';
import assert from 'node:assert/strict';
import {startRoad} from '../e2e/apple.mjs';
import {drawn, openPages} from './pages.mjs';

const message = page => page.getByTestId('message');
const fromGuest = page => page.getByTestId('line-guest');

test('a guest with an iPhone and an agent talk, from the first word to the end', async t => {
  const road = await startRoad(t, {apple: url => ({show_system_messages: true, oauth: {client_id: 'hub', token_url: `${url}/oauth/token`, userinfo_url: `${url}/oauth/userinfo`},
    pay: {merchant_id: 'merchant.com.example', session_url: `${url}/paymentservices/paymentSession`}})});
  const {phone, desk, complaints} = await openPages(t, {line: road.apple, desk: road.desk});

  await t.test('text, both ways', async () => {
    await phone.getByTestId('message-input').fill('Is the <b>room</b> ready? 🙂');
    await phone.getByTestId('send').click();
    await fromGuest(desk).filter({hasText: 'Is the <b>room</b> ready? 🙂'}).waitFor();
    await desk.getByTestId('message-input').fill('It is.');
    await desk.getByTestId('message-input').press('Enter');
    await message(phone).filter({hasText: 'It is.'}).waitFor();
  });

  await t.test('typing', async () => {
    await desk.getByTestId('message-input').pressSequentially('Let me ', {delay: 20});
    await phone.getByTestId('typing').filter({hasText: 'is typing'}).waitFor();
    await desk.getByTestId('message-input').fill('');
  });

  await t.test('a picture, both ways', async () => {
    await phone.getByTestId('sample-picture').click();
    await drawn(desk, fromGuest(desk).getByTestId('attachment').locator('img'));
    await desk.getByTestId('picture-button').click();
    await drawn(phone, phone.locator('li.bot img'));
  });

  await t.test('quick replies, and the tapped one comes back', async () => {
    await desk.getByTestId('quick-replies-sample').click();
    await phone.getByTestId('choice').filter({hasText: /^No$/}).click();
    await fromGuest(desk).last().getByTestId('pressed').filter({hasText: 'pressed (no-1)'}).waitFor();
  });

  await t.test('a list picker, and what was picked', async () => {
    const list = {data: {listPicker: {sections: [{title: 'Rooms', items: [{identifier: 'twin', title: 'Twin'}, {identifier: 'suite', title: 'Suite'}]}]}}};
    await desk.getByTestId('message-input').fill(JSON.stringify(list));
    await desk.getByTestId('message-input').press('Enter');
    await phone.getByTestId('choice').filter({hasText: 'Suite'}).click();
    await fromGuest(desk).last().filter({hasText: 'Suite'}).waitFor();
  });

  await t.test('a sign-in, refused and done, and a payment that nobody makes', async () => {
    const ask = async what => { await desk.getByTestId('message-input').fill(JSON.stringify(what)); await desk.getByTestId('message-input').press('Enter'); };
    await ask({data: {authenticate: {}}, receivedMessage: {title: 'Please sign in'}});
    await message(phone).last().getByTestId('deed').filter({hasText: 'Not now'}).click();
    await fromGuest(desk).last().filter({hasText: 'Failed (sign-in): failed'}).waitFor();
    await phone.getByTestId('deed').filter({hasText: 'Sign in'}).last().click();
    await fromGuest(desk).last().filter({hasText: 'Signed in'}).waitFor();
    await ask({data: {payment: {paymentRequest: {countryCode: 'JP', currencyCode: 'JPY', total: {label: 'Hotel', amount: '12000', type: 'final'}}}}});
    await message(phone).last().getByTestId('deed').filter({hasText: 'Pay 12000 JPY'}).click();
    await fromGuest(desk).last().filter({hasText: 'Failed (payment): failed'}).waitFor();
  });

  await t.test('the end', async () => {
    await desk.getByTestId('end-button').click();
    await desk.getByTestId('conversation-state').filter({hasText: 'ended'}).waitFor();
    await message(phone).filter({hasText: 'The conversation has ended.'}).waitFor();
  });

  await phone.reload();
  await message(phone).filter({hasText: 'ready?'}).waitFor();
  assert.deepEqual(complaints, [], 'no console error, nothing refused by the policy');
});
