// Web chat and the built-in desk together: what was read, both ways; the guest's opinion at the end; a tenant that came by provisioning.
import test from 'node:test';
import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {until} from './harness.mjs';
import {ChatPage} from './chat-page.mjs';
import {startDesk} from './desk-road.mjs';

test('read, both ways, between a page and an agent', async t => {
  const road = await startDesk(t);
  const kim = await road.agent('kim');
  const page = road.page();
  await page.start();
  await page.say('are you there?');
  const it = await kim.accepts();
  const own = page.messages.find(m => m.text === 'are you there?') ?? await page.until('the own line', m => m.text === 'are you there?');
  await kim.act(it, 'read');
  await until('the page knows', async () => (await page.poll()).json.data.seenIndex === own.index);
  const said = await kim.say(it, 'yes');
  const got = await page.until('the answer', m => m.text === 'yes');
  await until('delivered', () => kim.states.get(said.id)?.state === 'delivered');
  assert.equal((await page.call('POST', `/${page.sid}/read`, {index: got.index})).status, 200);
  await until('the agent knows', () => kim.states.get(said.id)?.state === 'read');
  await page.say('good');   // unread, until the agent says so
  await kim.hears(it, 'good');
  assert.equal((await page.poll()).json.data.seenIndex, own.index);
  const abort = new AbortController();
  const stream = await fetch(`${page.url}/${page.sid}/events?index=${page.messages.at(-1).index}`, {headers: page.headers(), signal: abort.signal});
  const last = page.messages.at(-1).index;
  await kim.act(it, 'read');
  let told = '';
  for await (const chunk of stream.body.pipeThrough(new TextDecoderStream())) { told += chunk; if (told.includes(`"seenIndex":"${last}"`)) break; }
  abort.abort();
});

test('the guest\'s opinion reaches the agent who works on the wrap-up, and the history', async t => {
  const road = await startDesk(t, {webchat: {satisfaction: true}});
  const kim = await road.agent('kim');
  const page = road.page();
  await page.start();
  await page.say('hi');
  const it = await kim.accepts();
  await kim.say(it, 'bye');
  await page.until('bye', m => m.text === 'bye');
  await page.leave();
  assert.equal((await page.poll()).json.data.satisfaction, 5);
  assert.equal((await page.call('POST', `/${page.sid}/satisfaction`, {rating: 3, comment: 'slow'})).status, 200);
  const text = `${page.messages[0].from.nickname} rates the chat 3 of 5: slow`;
  await until('in the history', async () => (await kim.history(it)).some(m => m.text === text));
  const after = (await kim.ok('GET', '/interactions?state=queued')).items;
  assert.deepEqual(after, [], 'it is no new conversation');
});

test('a tenant made by provisioning chats with the built-in desk', async t => {
  const road = await startDesk(t);
  const id = randomUUID();
  const r = await road.hub.call('POST', '/nexus/v3/provisioning/tenants', {id, name: 'second_tenant', type: 'PureEngage', genesystenantid: 1}, {authorization: `Bearer ${road.admin.token}`});
  assert.equal(r.status, 200, r.text);
  const kim = await road.agent('kim');
  const page = new ChatPage(`${road.base}/nexus/v3/chat/sessions`, r.json.data.xapikey);
  await page.start({endpoint: 'webchat'});
  await page.say('hello from the second');
  const it = await kim.accepts();
  assert.equal(it.network, 'Web chat');
  await kim.say(it, 'hello');
  await page.until('the answer', m => m.text === 'hello');
});

test('a text that is longer than a line holds is there whole, on both sides', async t => {
  const road = await startDesk(t, {webchat: {text_chars: 20000}});
  const kim = await road.agent('kim'), page = road.page();
  await page.start({nickname: 'Mia'});
  const [asked, answered] = ['質問', '答え'].map(word => word.repeat(10000));
  const sent = await page.say(asked);
  assert.equal(sent.status, 200);
  const it = await kim.accepts();
  await until('all of it is at the desk', async () => (await kim.history(it)).some(m => m.text === asked));
  const said = type => page.messages.filter(m => m.type === 'Text' && m.from.type === type).map(m => m.text).join('');
  await until('the own text is on the page', async () => { await page.poll(); return said('Customer') === asked; });
  assert.ok(page.seen.has(sent.json.data.index), 'the page finds what it has sent');
  await kim.say(it, answered);
  await until('the answer is on the page', async () => { await page.poll(); return said('Agent').replaceAll('\n', '') === answered; });
});
