// POST /preview: what each network would get, and what is lost. Nothing is sent, and no secret is shown.
import test from 'node:test';
import assert from 'node:assert/strict';
import {goodTenant, startHub} from './hub.mjs';

const networks = ['apple', 'line', 'slack', 'teams', 'telegram', 'webchat'];
const carousel = {kind: 'cards', cards: [
  {title: 'Tea', text: 'Green', image: 'https://img.example.com/tea.png', choices: [{label: 'Buy tea', payload: 'buy-tea'}, {label: 'More', url: 'https://shop.example.com/tea'}]},
  {title: 'Coffee', choices: [{label: 'Buy coffee', payload: 'buy-coffee'}]},
]};
const of = (r, network) => r.json.items.find(i => i.network === network);
const rules = item => item.rules.map(r => r.name);

test('a carousel, in each network\'s own form', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const r = await admin.call('POST', '/preview', {message: carousel});
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(r.json.items.map(i => i.network).filter(n => networks.includes(n)).sort(), networks);
  for (const item of r.json.items) assert.equal(item.carried, true, `${item.network}: ${item.problem}`);

  const [push] = of(r, 'line').calls;
  assert.equal(push.url, 'https://api.line.me/v2/bot/message/push');
  assert.equal(push.body.messages[0].contents.type, 'carousel');
  assert.deepEqual(push.body.messages[0].contents.contents[0].footer.contents.map(b => b.action.type), ['postback', 'uri']);
  assert.equal(of(r, 'teams').calls[0].body.attachmentLayout, 'carousel');
  assert.ok(of(r, 'slack').calls[0].body.blocks.some(b => b.type === 'actions'));
  assert.equal(of(r, 'telegram').calls.length, 2);
  assert.match(of(r, 'telegram').calls[0].url, /\/bot\*\*\*\/send/);
  assert.equal(of(r, 'webchat').calls.length, 0);
  assert.equal(of(r, 'webchat').lines.length, 1);
  const apple = of(r, 'apple');
  assert.equal(apple.calls[0].method, 'GET', 'pictures are fetched first');
  assert.ok(apple.calls.at(-1).body.interactiveData ?? apple.calls.at(-1).body.body, JSON.stringify(apple.calls));
  assert.ok(!/authorization|bearer/i.test(r.text));
});

test('what is downgraded and what is lost is told', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const sticker = await admin.call('POST', '/preview', {message: {type: 'sticker', stickerId: 40130, title: 'Hug'}});
  assert.deepEqual(rules(of(sticker, 'teams')), ['sticker-text']);
  assert.equal(of(sticker, 'teams').rules[0].loses, true);
  assert.equal(of(sticker, 'teams').parts[0].text, '[Hug]');
  const place = await admin.call('POST', '/preview', {message: {type: 'location', title: 'HQ', latitude: 37.7, longitude: -122.4}, networks: ['slack', 'telegram']});
  assert.deepEqual(place.json.items.map(i => i.network), ['slack', 'telegram']);
  assert.deepEqual(rules(of(place, 'slack')), ['location-text']);
  assert.match(of(place, 'slack').parts[0].text, /^HQ\nhttps:\/\/www\.google\.com\/maps/);
  assert.deepEqual(rules(of(place, 'telegram')), []);
  const many = await admin.call('POST', '/preview', {message: {genesys_prompt: 'Which?', genesys_quick_replies: Array.from({length: 20}, (_, i) => ({text: `Number ${i + 1}`}))}, networks: ['line']});
  assert.deepEqual(rules(many.json.items[0]), ['numbered']);
  assert.match(many.json.items[0].calls[0].body.messages[0].text, /^Which\?\n1\. Number 1\n/);
  const text = await admin.call('POST', '/preview', {message: 'Hello', networks: ['line']});
  assert.deepEqual(text.json.items[0].calls[0].body.messages, [{type: 'text', text: 'Hello'}]);
});

test('what a canned response may hold, as people write it', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const text = `{ // two of them
    "type": "carousel", "text": "Look",
    "cards": [{"title": "Tea", "actions": [{"text": "Buy tea", "payload": "t"}]}, {"title": "Coffee", "buttons": ["Buy coffee"]},],
  }`;
  const r = await admin.call('POST', '/preview', {message: text, networks: ['line']});
  assert.equal(r.status, 200, r.text);
  assert.equal(of(r, 'line').calls[0].body.messages.at(-1).contents.contents.length, 2);
  const bad = await admin.call('POST', '/preview', {message: text.replace(',\n  }', '\n  ')});
  assert.equal(bad.status, 422);
  assert.equal(bad.json.code, 'bad_json');
  assert.match(bad.text, /line 3: the text ends, and the object that began in line 1 is not closed/);
});

test('an account\'s settings are used, its secrets are not', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  assert.equal((await admin.call('POST', '/tenants', goodTenant('acme'))).status, 201);
  const channels = (await admin.call('GET', '/channels')).json.items;
  const id = channels.find(c => c.type === 'line').id;
  const r = await admin.call('POST', '/preview', {message: 'Hi', channel: id});
  assert.equal(r.status, 200, r.text);
  assert.equal(r.json.items.length, 1);
  assert.equal(r.json.items[0].channel, id);
  assert.match(r.json.items[0].calls[0].url, /^http:\/\/127\.0\.0\.1:9\//);
  assert.ok(!r.text.includes('line-secret-1'));
});

test('who may, and what is no message', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const rows = [
    [{}, 400], [{message: 'x', networks: ['icq']}, 422], [{message: 'x', networks: ['genesys-cloud']}, 422], [{message: 'x', channel: 'no/such'}, 422],
    [{message: ''}, 422], [{message: '{"kind":"cards"'}, 422], [{message: '["a list"]'}, 422], [{message: '{kind of a text}'}, 200], [{message: 5}, 422], [{message: {kind: 'cards'}}, 422], [{message: {type: 'location', latitude: 99, longitude: 0}}, 422],
  ];
  for (const [body, status] of rows) assert.equal((await admin.call('POST', '/preview', body)).status, status, JSON.stringify(body));
  assert.equal((await admin.call('POST', '/preview', {message: {kind: 'cards'}})).json.field, 'message.cards');
  assert.equal((await hub.anyone.call('POST', '/preview', {message: 'x'})).status, 401);
  assert.equal((await admin.call('POST', '/logins', {user: 'sue', role: 'supervisor', password: 'nine green umbrellas'})).status, 201);
  assert.equal((await (await hub.login('sue', 'nine green umbrellas')).call('POST', '/preview', {message: 'x'})).status, 200);
  const native = await admin.call('POST', '/preview', {message: {type: 'AdaptiveCard', version: '1.2', body: [{type: 'TextBlock', text: 'Hi'}]}});
  assert.equal(of(native, 'teams').carried, true);
  assert.equal(of(native, 'line').carried, false);
  assert.match(of(native, 'line').problem, /no message object of LINE/);
});
