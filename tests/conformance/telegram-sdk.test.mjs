// grammY as the other end: it receives what our simulator sends, its client drives the simulator, and what passes between the two and the hub fits its types.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {createServer} from 'node:http';
import {cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {Api as Http, Program, freePort, ready, until} from '../e2e/harness.mjs';
import {botToken, startTelegramRoad} from '../e2e/telegram-road.mjs';
import {need} from '../npm/need.mjs';
import {Recorder} from './recorder.mjs';

const {Api, Bot, GrammyError, InlineKeyboard, InputFile, InputMediaBuilder, Keyboard, webhookCallback} = need('grammy');
const secret = 'hub-7f3c_01';
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const refused = (code, text) => e => e instanceof GrammyError && e.error_code === code && text.test(e.description);

// Each value, written down as the type it should have, must pass the compiler: a member that is missing, unknown or of another type does not.
function fits(t, values) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-telegram-types-'));
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  const types = join(dir, 'node_modules/@grammyjs/types');
  mkdirSync(dirname(types), {recursive: true});
  cpSync(realpathSync(dirname(need.resolve('@grammyjs/types/package.json'))), types, {recursive: true});
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  writeFileSync(join(dir, 'values.ts'), [`import type {ApiMethods, Message, Update, WebhookInfo} from '@grammyjs/types';`,
    'type M = ApiMethods<string>;', 'type Args<K extends keyof M> = NonNullable<Parameters<M[K]>[0]>;', 'type Result<K extends keyof M> = ReturnType<M[K]>;',
    ...values.map(([type, v], i) => `export const v${i}: ${type} = ${JSON.stringify(v)};`)].join('\n'));
  const tsc = join(dirname(need.resolve('typescript/package.json')), 'bin/tsc');
  try {
    execFileSync(process.execPath, [tsc, '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext', join(dir, 'values.ts')], {cwd: dir, stdio: 'pipe'});
  } catch (e) {
    throw new Error(`${e.stdout}`.slice(0, 4000));
  }
}

// A simulator whose hub is a bot made with grammY.
async function startBot(t) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-grammy-'));
  const port = await freePort(), base = `http://127.0.0.1:${port}`;
  const sim = new Program(dir, 'telegram', ['sim', 'telegram', '--listen', `127.0.0.1:${port}`, '--retry-ms', '50']).start();
  const bot = new Bot(botToken, {client: {apiRoot: base}});
  const heard = [], failed = [];
  bot.use(async (ctx, next) => { heard.push(ctx); await next(); });
  bot.catch(e => failed.push(e));
  bot.on('callback_query:data', async ctx => { await ctx.answerCallbackQuery('Noted'); await ctx.editMessageReplyMarkup(); });
  const handle = webhookCallback(bot, 'http', {secretToken: secret});
  const server = createServer((rq, rs) => handle(rq, rs).catch(e => { failed.push(e); rs.statusCode = 500; rs.end(); }));
  await new Promise(r => server.listen(0, '127.0.0.1', r));
  t.after(async () => {
    const how = await sim.stop();
    server.closeAllConnections();
    server.close();
    rmSync(dir, {recursive: true, force: true});
    assert.equal(how.code ?? 0, 0, 'the simulator ends well');
  });
  await ready(sim, base + '/sim/counters');
  const control = new Http(base);
  return {bot, heard, failed, base, control, hook: `http://127.0.0.1:${server.address().port}/hook`, api: bot.api,
    send: (what, guest = 1) => control.post(`/sim/guests/${guest}/send`, what),
    hear: (what, is) => until(what, () => heard.find(is))};
}

test('grammY takes every update that the simulator sends, and only with the secret', async t => {
  const b = await startBot(t);
  await b.api.setWebhook(b.hook, {secret_token: secret, allowed_updates: ['message', 'edited_message', 'callback_query', 'my_chat_member'], max_connections: 40});
  const info = await b.api.getWebhookInfo();
  assert.equal(info.url, b.hook);
  await assert.rejects(b.api.getUpdates(), refused(409, /webhook is active/));
  await b.send({type: 'text', text: '/start ref42'});
  const start = await b.hear('the command', c => c.message?.text === '/start ref42');
  assert.deepEqual([start.entities('bot_command')[0].text, start.chat.type, start.from.first_name], ['/start', 'private', 'Ana']);
  const kinds = ['photo', 'video', 'animation', 'audio', 'voice', 'video_note', 'document', 'sticker', 'location', 'contact'];
  for (const type of kinds) await b.send({type, caption: 'look', contentType: 'application/pdf', name: 'a.pdf'});
  for (const type of kinds) await b.hear(type, c => c.has(`message:${type}`));
  await b.send({type: 'location', title: 'Office', address: 'Street 1'});
  await b.hear('a venue', c => c.has('message:venue') && c.has('message:location'));
  await b.send({type: 'edit', text: 'changed'});
  await b.hear('the edit', c => c.editedMessage?.text === 'changed');
  await b.send({type: 'text', text: '@dragoman_bot hi', as: '2'}, 'group');
  const mention = await b.hear('the mention', c => c.has('message:entities:mention'));
  assert.deepEqual([mention.entities('mention')[0].text, mention.chat.type, mention.from.first_name], ['@dragoman_bot', 'group', 'Ben']);
  await b.send({type: 'migrate'}, 'group');
  const moved = await b.hear('the move', c => c.has('message:migrate_to_chat_id'));
  const back = await b.hear('its other side', c => c.has('message:migrate_from_chat_id'));
  assert.deepEqual([moved.message.migrate_to_chat_id, back.message.migrate_from_chat_id], [back.chat.id, moved.chat.id]);
  await b.send({type: 'block'});
  await b.hear('who blocks', c => c.myChatMember?.new_chat_member.status === 'kicked');
  await assert.rejects(b.api.sendMessage(start.chat.id, 'x'), refused(403, /blocked by the user/));
  await b.send({type: 'unblock'});
  assert.deepEqual(b.failed, []);
  assert.equal((await b.control.get('/sim/counters')).refused, 0);

  await b.control.post('/sim/faults', {bad_signature_share: 1, times: 1});
  await b.send({type: 'text', text: 'forged at first'});
  await b.hear('its repeat', c => c.message?.text === 'forged at first');
  assert.equal((await b.control.get('/sim/counters')).refused, 1, 'a wrong secret is not taken');
  fits(t, b.heard.map(c => ['Update', c.update]));
});

test('grammY\'s client works against the simulator', async t => {
  const b = await startBot(t);
  const results = [];
  b.api.config.use(async (prev, method, payload, signal) => {
    const r = await prev(method, payload, signal);
    if (!r.ok) return r;
    const {reply_to_message: replied, ...result} = r.result;
    results.push([`Result<'${method}'>`, replied ? result : r.result]);
    if (replied) results.push(['Message', replied]); // in the types an answered message is written with undefined, which JSON lacks
    return r;
  });
  const me = await b.api.getMe();
  assert.deepEqual([me.is_bot, me.username, me.id], [true, 'dragoman_bot', 123456789]);
  await assert.rejects(new Api('1:wrong', {apiRoot: b.base}).getMe(), refused(401, /Unauthorized/));
  await assert.rejects(b.api.setWebhook(b.hook, {secret_token: 'a b'}), refused(400, /unallowed characters/));
  await b.api.setWebhook(b.hook, {secret_token: secret});
  const chat = 1111111;
  const text = await b.api.sendMessage(chat, 'Shall <b>we</b>?', {reply_markup: new InlineKeyboard().text('Yes', 'y-1').url('Site', 'https://example.com')});
  assert.deepEqual([text.text, text.chat.id, text.reply_markup.inline_keyboard[0].length], ['Shall <b>we</b>?', chat, 2]);
  await assert.rejects(b.api.sendMessage(chat, ''), refused(400, /message text is empty/));
  await assert.rejects(b.api.sendMessage(5, 'x'), refused(400, /chat not found/));
  await assert.rejects(b.api.sendMessage(chat, 'x', {reply_markup: new InlineKeyboard().text('Long', 'é'.repeat(33))}), refused(400, /BUTTON_DATA_INVALID/));
  const keyboard = await b.api.sendMessage(chat, 'When?', {reply_markup: new Keyboard().text('Today').oneTime().resized()});
  assert.equal(keyboard.reply_markup, undefined, 'a reply keyboard is no part of the message');
  const answered = await b.api.sendMessage(chat, 'to that', {reply_parameters: {message_id: text.message_id, allow_sending_without_reply: true}});
  assert.equal(answered.reply_to_message.message_id, text.message_id);

  const photo = await b.api.sendPhoto(chat, new InputFile(png, 'a.png'), {caption: 'A receipt', reply_markup: new InlineKeyboard().text('Fine', 'f')});
  const largest = photo.photo.at(-1);
  assert.deepEqual([photo.caption, largest.width, largest.height, largest.file_size], ['A receipt', 1, 1, png.length]);
  const file = await b.api.getFile(largest.file_id);
  const bytes = Buffer.from(await (await fetch(`${b.base}/file/bot${botToken}/${file.file_path}`)).arrayBuffer());
  assert.deepEqual(bytes, png, 'what was uploaded comes back');
  assert.equal((await b.api.sendPhoto(chat, largest.file_id)).photo[0].file_id, largest.file_id);
  await assert.rejects(b.api.getFile('none'), refused(400, /wrong file_id/));
  await assert.rejects(b.api.sendPhoto(chat, new InputFile(Buffer.alloc(11 << 20), 'a.png')), refused(400, /too big for a photo/));
  const document = await b.api.sendDocument(chat, new InputFile(Buffer.from('notes'), 'notes.txt'));
  assert.deepEqual([document.document.file_name, document.document.file_size], ['notes.txt', 5]);
  for (const send of ['sendVideo', 'sendAnimation', 'sendAudio', 'sendVoice', 'sendSticker']) await b.api[send](chat, new InputFile(png, 'a.png'));
  const album = await b.api.sendMediaGroup(chat, [InputMediaBuilder.photo(new InputFile(png, 'a.png'), {caption: 'Two'}), InputMediaBuilder.photo(largest.file_id)]);
  assert.deepEqual([album.length, album[0].caption, album[0].media_group_id === album[1].media_group_id], [2, 'Two', true]);
  const place = await b.api.sendVenue(chat, 35.5, 139.5, 'Office', 'Street 1');
  assert.deepEqual([place.venue.title, place.location.latitude], ['Office', 35.5]);
  await b.api.sendLocation(chat, 1.5, 2.5);
  await b.api.sendContact(chat, '+4512345678', 'Ken');
  await b.api.sendPoll(chat, 'Good?', ['Yes', 'No']);
  await b.api.sendChatAction(chat, 'typing');

  await b.control.post('/sim/guests/1/tap', {label: 'Yes'});
  const tap = await b.hear('the tap', c => c.callbackQuery?.data === 'y-1');
  assert.equal(tap.callbackQuery.message.message_id, text.message_id);
  const shown = async () => (await b.control.get('/sim/guests/1/messages')).messages.find(m => m.message.message_id === text.message_id);
  await until('the buttons are gone', async () => !(await shown()).message.reply_markup);
  await assert.rejects(b.api.answerCallbackQuery(tap.callbackQuery.id), refused(400, /query is too old/));

  await b.send({type: 'migrate', told: false}, 'group');
  await assert.rejects(b.api.sendMessage(-4242424242, 'x'), e => refused(400, /upgraded to a supergroup/)(e) && e.parameters.migrate_to_chat_id === -1001234567890);
  await b.control.post('/sim/faults', {paths: [`/bot${botToken}/sendMessage`], status: 429, times: 1});
  await assert.rejects(b.api.sendMessage(chat, 'x'), e => refused(429, /retry after 1/)(e) && e.parameters.retry_after === 1);
  await b.api.deleteWebhook();
  assert.deepEqual(await b.api.getUpdates(), []);
  assert.deepEqual(b.failed, []);
  fits(t, results);
  assert.throws(() => fits(t, [['Message', {...text, texts: 'x'}]]), /texts/);
  assert.throws(() => fits(t, [['Message', {...text, date: 'now'}]]), /string/);
});

test('every call of the hub fits the method\'s type, and grammY\'s client sends it on', async t => {
  const between = new Recorder();
  const road = await startTelegramRoad(t, {between: url => between.start(t, url), args: ['--fetch-media=no']});
  await road.allowFiles();
  await road.send({type: 'text', text: 'Hi'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi');
  await road.send({type: 'photo'});
  await road.deskHas('the picture', m => m.media?.state === 'kept');
  const file = (name, mime, base64) => ({attachment: {base64, name, mime}});
  const said = [{text: 'A text', agent: 'Ken Ito'}, file('a.png', 'image/png', png.toString('base64')), file('b.pdf', 'application/pdf', 'AAAA'), {typing: true},
    {text: 'Well?', quick_replies: [{text: 'Yes', payload: 'Yes'}]}, {text: 'Or?', quick_replies: [{text: 'Yes', payload: 'y-1'}, {text: 'No', payload: 'n-1'}]}];
  for (const what of said) await road.agent(c, what);
  await road.guestHas('the last', m => m.message.reply_markup?.inline_keyboard);
  await road.tap('No');
  await road.deskHas('the tap', m => m.button?.payload === 'n-1');
  await road.agent(c, {text: 'Good'});
  await road.guestHas('the next', m => /Good/.test(m.message.text ?? ''));
  const method = call => call.path.split('/').at(-1);
  const wanted = ['getMe', 'getWebhookInfo', 'setWebhook', 'sendMessage', 'sendPhoto', 'sendDocument', 'sendChatAction', 'getFile', 'editMessageReplyMarkup'];
  await until('typing, too, which goes beside the messages', () => wanted.every(name => between.calls.some(r => method(r) === name)));
  const calls = between.calls.filter(r => r.method === 'POST');
  assert.ok(calls.every(r => r.status === 200), JSON.stringify(calls.filter(r => r.status !== 200).map(r => [r.path, r.body, r.answer])));
  const made = new Set(calls.map(method));
  for (const name of wanted) assert.ok(made.has(name), name);
  const plain = calls.filter(r => /json/.test(r.headers['content-type']) && !['getMe', 'getWebhookInfo'].includes(method(r)));
  fits(t, plain.map(r => [`Args<'${method(r)}'>`, JSON.parse(r.body)]));
  const {raw} = new Api(botToken, {apiRoot: road.telegram.base});
  for (const r of plain.filter(x => /^send/.test(method(x)))) assert.ok(await raw[method(r)](JSON.parse(r.body)));
});
