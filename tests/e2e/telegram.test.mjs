// A Telegram guest and a Genesys Cloud agent through the real hub, with both simulators at the ends.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {until} from './harness.mjs';
import {botToken, startTelegramRoad} from './telegram-road.mjs';

const startRoad = startTelegramRoad;
const send = (road, what, guest) => road.send(what, guest);
const phone = (road, guest) => road.screen(guest);
const deskHas = (road, what, is) => road.deskHas(what, is);

test('the webhook is set with the account in its path, and a made secret guards it', async t => {
  const road = await startRoad(t);
  const {webhook} = await road.telegram.get('/sim/guests');
  assert.equal(webhook, `${road.hub.base}/telegram/test-shop/telegram`);
  const body = JSON.stringify({update_id: 1, message: {message_id: 1, date: 1772600767, chat: {id: 9, type: 'private'}, from: {id: 9, is_bot: false, first_name: 'X'}, text: 'forged'}});
  assert.equal((await road.hub.call('POST', '/telegram/test-shop/telegram', body)).status, 403);
  assert.equal((await road.hub.call('POST', '/telegram/test-shop/telegram', body, {'x-telegram-bot-api-secret-token': ''})).status, 403);
  assert.equal((await road.hub.call('POST', '/telegram/nobody', body, {'x-telegram-bot-api-secret-token': 'x'})).status, 404);
});

test('whoever calls the bot from a chat that it is not in is asked over, in the answer', async t => {
  const road = await startRoad(t, {telegram: {secret_token: 'a-secret-of-ours'}});
  const {bot} = await road.telegram.get('/sim/guests');
  const body = JSON.stringify({update_id: 1, guest_message: {message_id: 1, date: 1772600767, chat: {id: -5, type: 'supergroup', title: 'Elsewhere'}, from: {id: 9, is_bot: false, first_name: 'X'},
    text: `@${bot.username} help`, guest_query_id: 'gq1'}});
  const {status, json} = await road.hub.call('POST', '/telegram/test-shop/telegram', body, {'x-telegram-bot-api-secret-token': 'a-secret-of-ours'});
  assert.deepEqual([status, json?.method, json?.guest_query_id, json?.result.input_message_content.message_text], [200, 'answerGuestQuery', 'gq1', `https://t.me/${bot.username}`]);
});

test('text both ways, edited, typing', async t => {
  const road = await startRoad(t);
  await send(road, {type: 'text', text: 'Where is my parcel?'});
  const {c} = await deskHas(road, 'the text', m => m.text === 'Where is my parcel?');
  assert.equal(c.guest.name, 'Ana');
  assert.equal(c.attributes.media, 'Telegram');
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'On its *way*_!', agent: 'Ken Ito'});
  await road.guestHas('the answer', m => m.message.text === 'Ken Ito: On its *way*_!');
  await send(road, {type: 'edit', text: 'Where is my letter?'});
  await deskHas(road, 'the edit', m => m.text === '(edited) Where is my letter?');
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {typing: true});
  await until('typing on the phone', async () => (await road.telegram.get('/sim/guests')).guests[0].typing_ms > 0);
});

test('a picture both ways: equal bytes at the other end', async t => {
  const road = await startRoad(t);
  const photo = Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), randomBytes(200000)]);
  await send(road, {type: 'photo', base64: photo.toString('base64'), caption: 'Look'});
  const {c, m} = await deskHas(road, 'the picture', x => x.media?.state === 'kept');
  assert.equal(m.media.sha256, createHash('sha256').update(photo).digest('hex'));
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'Your receipt', attachment: {base64: png.toString('base64'), name: 'receipt.png', mime: 'image/png'}});
  const got = await road.guestHas('the picture on the phone', x => x.message.photo);
  assert.deepEqual(got.media, {bytes: png.length, type: 'image/png'}, 'Telegram fetched it');
  await send(road, {type: 'document', base64: 'AAAA', name: 'film.mkv', size: 5368709120});
  await deskHas(road, 'name and size of what is too large', x => /film\.mkv.*5368709120/.test(x.text ?? ''));
});

test('buttons, and the tapped answer; plain choices are a keyboard', async t => {
  const road = await startRoad(t);
  await send(road, {type: 'text', text: 'Hi'});
  const {c} = await deskHas(road, 'the text', m => m.text === 'Hi');
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'Shall we?', quick_replies: [{text: 'Yes', payload: 'yes-1'}, {text: 'No', payload: 'no-1'}]});
  await road.guestHas('the buttons', m => m.message.reply_markup?.inline_keyboard?.length === 2);
  await road.telegram.post('/sim/guests/1/tap', {label: 'Yes'});
  const {m} = await deskHas(road, 'the answer', x => x.button?.payload === 'yes-1');
  assert.equal(m.button.text, 'Yes');
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'Good'});
  await road.guestHas('the next message', x => /Good$/.test(x.message.text ?? ''));
  assert.ok(!(await phone(road)).some(x => x.message.reply_markup?.inline_keyboard), 'the tapped buttons are gone');
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'When?', quick_replies: [{text: 'Today', payload: 'Today'}, {text: 'Later', payload: 'Later'}]});
  await road.guestHas('the keyboard', x => x.message.reply_markup?.keyboard?.length === 2);
  await road.telegram.post('/sim/guests/1/tap', {label: 'Later'});
  await deskHas(road, 'the answer of the keyboard', x => x.button?.payload === 'Later' || x.text === 'Later');
});

test('429 is waited for, a lost answer is not repeated, a refused update comes again, the same update once', async t => {
  const road = await startRoad(t);
  await send(road, {type: 'text', text: 'Hi'});
  const {c} = await deskHas(road, 'the text', m => m.text === 'Hi');
  const paths = [`/bot${botToken}/sendMessage`];
  await road.telegram.post('/sim/faults', {paths, status: 429, times: 1});
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'after the wait'});
  await road.guestHas('the answer after 429', m => /after the wait/.test(m.message.text ?? ''));
  await road.telegram.post('/sim/faults', {paths, reset_after_share: 1, times: 1});
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'once only'});
  await road.guestHas('the one whose answer is lost', m => /once only/.test(m.message.text ?? ''));
  await road.telegram.call('DELETE', '/sim/faults');
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'the last'});
  await road.guestHas('the next', m => /the last/.test(m.message.text ?? ''));
  assert.equal((await phone(road)).filter(m => /once only/.test(m.message.text ?? '')).length, 1);
  await send(road, {type: 'text', text: 'twice?'});
  await deskHas(road, 'the text', m => m.text === 'twice?');
  await until('no webhook is open', async () => (await road.counters()).webhooks.open === 0);
  const before = (await road.telegram.get('/sim/counters')).taken;
  await road.telegram.post('/sim/guests/1/again');
  await until('the repeat was taken', async () => (await road.telegram.get('/sim/counters')).taken > before);
  await send(road, {type: 'text', text: 'end'});
  const {c: after} = await deskHas(road, 'the text behind it', m => m.text === 'end');
  assert.equal(after.messages.filter(m => m.text === 'twice?').length, 1);
});

test('a group answers whom it is for; a blocked guest is told to the desk', async t => {
  const road = await startRoad(t);
  await send(road, {type: 'text', text: 'lunch?', as: '2'}, 'group');
  await send(road, {type: 'text', text: '@dragoman_bot where is it?', as: '2'}, 'group');
  const {c} = await deskHas(road, 'the mention', m => m.text === 'where is it?');
  assert.equal(c.guest.name, 'Ben');
  assert.ok(!c.messages.some(m => m.text === 'lunch?'));
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {text: 'Here'});
  const got = await road.guestHas('the answer in the group', m => /Here/.test(m.message.text ?? ''), 'group');
  const asked = (await phone(road, 'group')).find(m => /where is it/.test(m.message.text));
  assert.equal(got.message.reply_to_message.message_id, asked.message.message_id);
  await send(road, {type: 'text', text: 'bye'});
  const {c: other} = await deskHas(road, 'the text', m => m.text === 'bye');
  await send(road, {type: 'block'});
  await road.desk.post(`/sim/conversations/${other.id}/agent`, {text: 'Wait'});
  await until('the desk is told', async () => (await road.desk.get(`/sim/conversations/${other.id}`)).messages.find(m => m.from === 'agent' && m.state === 'failed'));
});

const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const bytesOf = async (road, id) => Buffer.from(await (await fetch(`${road.telegram.base}/sim/files/${id}`)).arrayBuffer());

test('files go themselves: by the setting, where a link does not do, and where Telegram cannot fetch it', async t => {
  const notes = randomBytes(300000);
  const attach = (bytes, name, mime) => ({attachment: {base64: bytes.toString('base64'), name, mime}});
  await t.test('by the setting', async s => {
    const road = await startRoad(s, {telegram: {upload_files: true}});
    await send(road, {type: 'text', text: 'Hi'});
    const {c} = await deskHas(road, 'the text', m => m.text === 'Hi');
    await road.agent(c, {text: 'Your "receipt"', agent: 'Ken Ito', ...attach(png, 'receipt.png', 'image/png')});
    const got = await road.guestHas('the picture', x => x.message.photo);
    assert.deepEqual([got.media, got.message.caption], [{bytes: png.length, type: 'image/png', uploaded: true}, 'Ken Ito: Your "receipt"']);
    assert.deepEqual(await bytesOf(road, got.message.photo[0].file_id), png);
    await road.telegram.post('/sim/faults', {paths: [`/bot${botToken}/sendPhoto`], status: 429, times: 1});
    await road.agent(c, attach(png, 'again.png', 'image/png'));
    await until('the picture after 429', async () => (await phone(road)).filter(x => x.message.photo).length === 2);
  });
  await t.test('where a link does not do', async s => {
    const road = await startRoad(s);
    await road.allowFiles();
    await send(road, {type: 'text', text: 'Hi'});
    const {c} = await deskHas(road, 'the text', m => m.text === 'Hi');
    await road.agent(c, attach(notes, 'notes.bin', 'application/octet-stream'));
    const got = await road.guestHas('the document', x => x.message.document);
    assert.equal(got.media.uploaded, true);
    assert.deepEqual(await bytesOf(road, got.message.document.file_id), notes);
  });
  await t.test('where Telegram cannot fetch it', async s => {
    const road = await startRoad(s, {args: ['--fetch-media=fails']});
    await send(road, {type: 'text', text: 'Hi'});
    const {c} = await deskHas(road, 'the text', m => m.text === 'Hi');
    await road.agent(c, attach(png, 'a.png', 'image/png'));
    assert.equal((await road.guestHas('the picture', x => x.message.photo)).media.uploaded, true);
  });
});

test('a group that became a supergroup: its guests\' conversations go on, told or not', async t => {
  for (const told of [true, false]) {
    await t.test(told ? 'told by the updates' : 'told by the answer to a call', async s => {
      const road = await startRoad(s);
      await send(road, {type: 'text', text: '@dragoman_bot where is it?', as: '2'}, 'group');
      const {c} = await deskHas(road, 'the mention', m => m.text === 'where is it?');
      await send(road, {type: 'migrate', told}, 'group');
      await road.agent(c, {text: 'Here'});
      const got = await road.guestHas('the answer in the group', m => /Here/.test(m.message.text ?? ''), 'group');
      assert.deepEqual([got.message.chat.id, got.message.chat.type], [-1001234567890, 'supergroup']);
      if (!told) return;
      await send(road, {type: 'text', text: '@dragoman_bot thanks', as: '2'}, 'group');
      assert.equal((await deskHas(road, 'the answer', m => m.text === 'thanks')).c.id, c.id);
    });
  }
});
