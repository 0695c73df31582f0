// The built-in desk through the real hub: guests of a web chat and of LINE, agents whose pages listen.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHmac, randomUUID} from 'node:crypto';
import {createServer} from 'node:http';
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {patience, until} from './harness.mjs';
import {png} from './webchat-road.mjs';
import {startDesk} from './desk-road.mjs';

const filesBelow = dir => !existsSync(dir) ? [] : readdirSync(dir, {withFileTypes: true}).flatMap(e => e.isDirectory() ? filesBelow(join(dir, e.name)) : e.isFile() ? [join(dir, e.name)] : []);

test('a web-chat guest and a LINE guest are answered; what was said is in the history; done, and a new message opens a new one', async t => {
  const road = await startDesk(t, {desk: {welcome_text: 'Welcome!'}});
  await road.admin.call('POST', '/queues', {name: 'sales'});
  const kim = await road.agent('kim');
  const page = road.page();
  await page.start({firstName: 'Ana', userData: {plan: 'gold', queue: 'sales'}});
  await page.say('Where is my parcel?');
  const offer = await kim.offered();
  assert.deepEqual([offer.network, offer.queue, offer.contact.name, offer.attributes.plan, offer.unread], ['Web chat', 'sales', 'Ana', 'gold', 1]);
  await page.until('the welcome', m => m.text === 'Welcome!');
  assert.equal((await kim.call('POST', `/interactions/${offer.id}/messages`, {id: 'early', text: 'x'})).status, 403, 'who has not accepted does not speak');
  const it = await kim.act(offer, 'accept');
  assert.deepEqual([it.state, it.owner], ['open', 'kim']);
  const said = await kim.say(it, 'On its way!');
  assert.deepEqual([said.from, said.author, said.state, said.visible], ['agent', 'Kim', 'accepted', 'all']);
  const got = await page.until('the answer', m => m.text === 'On its way!');
  assert.equal(got.from.nickname, 'Kim');
  await until('delivered', () => kim.states.get(said.id)?.state === 'delivered');
  await page.say('Thank you');
  await kim.hears(it, 'Thank you');
  await until('unread', () => kim.mine.get(it.id).unread === 1);
  assert.equal((await kim.act(it, 'read')).unread, 0);
  await page.types('I also want');
  await until('typing at the desk', () => kim.typing.some(x => x.who === 'guest' && x.preview === 'I also want'));
  assert.equal((await kim.call('POST', `/interactions/${it.id}/typing`, {on: true})).status, 204);
  await until('typing on the page', async () => { await page.poll(); return page.typing.length > 0; });

  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'Hello from LINE'});
  const two = await kim.accepts(i => i.network === 'LINE');
  assert.equal(two.contact.name, (await road.line.get('/sim/guests')).guests[0].name);
  await until('what came before kim was asked', async () => (await kim.history(two)).some(m => m.text === 'Hello from LINE'));
  const answer = await kim.say(two, 'Hello!');
  await road.phoneHas('the answer on the phone', m => m.message.text === 'Hello!');
  await until('delivered', () => kim.states.get(answer.id)?.state === 'delivered');

  const all = await kim.history(it);
  assert.deepEqual(all.filter(m => m.kind !== 'event').map(m => [m.from, m.text]),
    [['guest', 'Where is my parcel?'], ['system', 'Welcome!'], ['agent', 'On its way!'], ['guest', 'Thank you']]);
  assert.equal(all.find(m => m.text === 'On its way!').id, said.id);
  assert.equal(all.find(m => m.text === 'On its way!').state, 'delivered');

  const done = await kim.act(it, 'done', {disposition: 'solved', note: 'parcel found'});
  assert.deepEqual([done.state, done.disposition, done.note, done.owner_was], ['done', 'solved', 'parcel found', 'kim']);
  await until('gone', () => kim.gone.includes(it.id));
  await until('the end on the page', async () => { await page.poll(); return page.ended; });
  await kim.act(two, 'done');
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'One more thing'});
  const three = await kim.offered(i => i.network === 'LINE');
  assert.notEqual(three.id, two.id);
  assert.equal(three.conversation, two.conversation);
});

test('the same message twice is said once; the answer survives a lost one', async t => {
  const road = await startDesk(t, {desk: {auto_answer: true}});
  const kim = await road.agent('kim');
  const page = road.page();
  await page.start();
  await page.say('hi');
  const it = await kim.has('an open one', i => i.state === 'open');
  const id = randomUUID();
  const first = await kim.say(it, 'only once', {id}), second = await kim.say(it, 'only once', {id});
  assert.equal(first.id, second.id);
  await kim.say(it, 'and this');
  await page.until('the last', m => m.text === 'and this');
  await kim.hears(it, 'and this');
  assert.equal(page.texts().filter(x => x === 'only once').length, 1);
  assert.equal(kim.said.get(it.id).filter(m => m.id === first.id).length, 1);
});

test('kill -9 in the middle loses nothing: who waits, who talks, who is ready', async t => {
  const road = await startDesk(t);
  const kim = await road.agent('kim', {capacity: {chat: 1}});
  const [one, two] = [road.page(), road.page()];
  await one.start({nickname: 'One'});
  await one.say('first');
  const it = await kim.accepts();
  await two.start({nickname: 'Two'});
  await two.say('second');
  await kim.say(it, 'before the crash');
  await road.crash();
  assert.deepEqual([kim.me.status, kim.mine.get(it.id)?.state, kim.mine.get(it.id)?.owner], ['ready', 'open', 'kim']);
  await kim.say(it, 'after the crash');
  await one.until('what was said after', m => m.text === 'after the crash');
  assert.deepEqual(one.texts(), ['first', 'before the crash', 'after the crash']);
  await one.say('still here');
  await kim.hears(it, 'still here');
  const waiting = await until('who waits', async () => { const {items} = await kim.ok('GET', '/interactions?state=queued'); return items.length && items; });
  assert.deepEqual(waiting.map(i => i.contact.name), ['Two']);
  await kim.act(it, 'hold', {until_ms: Date.now() + 2000 * patience}); // longer than a hub needs to start
  await road.crash();
  assert.equal(kim.mine.get(it.id).state, 'held', 'what is parked stays parked');
  await kim.accepts(i => i.contact.name === 'Two');
  await until('the time has come, but kim is full', async () => (await kim.ok('GET', `/interactions/${it.id}`)).state === 'queued');
  await kim.status('not-ready');
  for (let i = 0; i < 5; i++) { // all that was answered with 202 is there, in order, once
    const said = Promise.all([0, 1, 2].map(k => kim.say([...kim.mine.values()].find(x => x.contact.name === 'Two'), `${i}.${k}`).catch(() => null)));
    if (i % 2) await road.crash();
    await said;
  }
  const told = (await kim.history([...kim.mine.values()].find(x => x.contact.name === 'Two'))).filter(m => m.from === 'agent').map(m => m.text);
  await kim.say([...kim.mine.values()].find(x => x.contact.name === 'Two'), 'the end');
  await two.until('the end', m => m.text === 'the end');
  assert.deepEqual(two.texts().slice(1, -1), told);
  assert.equal(new Set(told).size, told.length);
});

test('longest waiting first; capacity; skills; last agent; reject; no answer; overflow', async t => {
  const road = await startDesk(t, {desk: {invite_s: patience, last_agent_s: 2, overflow_s: 0}});
  for (const q of [{name: 'french', skills: ['fr']}, {name: 'slow', overflow_s: 1, overflow_queue: 'french'}])
    assert.equal((await road.admin.call('POST', '/queues', q)).status, 201);
  const pages = [];
  for (const name of ['First', 'Second', 'Third']) {
    const p = road.page();
    await p.start({nickname: name});
    await p.say(`I am ${name}`);
    pages.push(p);
    await until('who came waits', async () => (await road.admin.get('/desk/interactions?state=queued')).items.length === pages.length);
    await new Promise(done => setTimeout(done, 30));
  }
  const kim = await road.agent('kim', {capacity: {chat: 2}});
  await until('two offers', () => kim.mine.size === 2);
  assert.deepEqual([...kim.mine.values()].map(i => i.contact.name).toSorted(), ['First', 'Second']);
  for (const i of [...kim.mine.values()]) await kim.act(i, 'accept');
  const ken = await road.agent('ken');
  const third = await ken.offered();
  assert.equal(third.contact.name, 'Third');
  await ken.act(third, 'reject', {reason: 'wrong person'});
  await until('gone', () => ken.gone.includes(third.id));
  const first = [...kim.mine.values()].find(i => i.contact.name === 'First');
  await kim.act(first, 'done');
  assert.equal((await kim.offered()).contact.name, 'Third', 'the next one with room is asked');
  await until('nobody answered: not ready', () => kim.me.status === 'not-ready' && kim.me.media.chat.reason === 'no answer');
  await until('back in the queue', () => !kim.mine.has(third.id));
  await kim.status('ready');

  const back = road.page();   // comes back to whom it was with, although ken has been idle for longer
  await road.line.post('/sim/guests/2/send', {type: 'text', text: 'bonjour'});
  const line = await until('somebody is asked', () => [kim, ken].find(a => [...a.mine.values()].some(i => i.network === 'LINE' && i.state === 'invited')));
  const it = await line.accepts(i => i.network === 'LINE');
  await line.act(it, 'done');
  await road.line.post('/sim/guests/2/send', {type: 'text', text: 'encore'});
  const again = await line.offered(i => i.network === 'LINE');
  assert.notEqual(again.id, it.id);
  await line.act(again, 'accept');
  await line.act(again, 'done');
  await line.status('not-ready', 'lunch');
  const other = line === kim ? ken : kim;
  const started = Date.now();
  await road.line.post('/sim/guests/2/send', {type: 'text', text: 'toujours'});
  await other.status('ready');
  const late = await other.offered(i => i.network === 'LINE');
  assert.ok(Date.now() - started > 1000, 'the last agent is waited for first');
  await other.act(late, 'accept');
  await other.act(late, 'done');

  for (const a of [kim, ken]) await a.status('not-ready', 'meeting');
  const amelie = await road.agent('amelie', {queues: ['french'], skills: {fr: 9}});
  await back.start({nickname: 'Slow', userData: {queue: 'slow'}});
  await back.say('salut');
  const slow = await amelie.offered(i => i.contact.name === 'Slow');
  assert.equal(slow.queue, 'french', 'it moved to the other queue');
});

test('outside of the business hours the guest is told so, and nobody is offered', async t => {
  const day = ['Su', 'Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa'][(new Date().getUTCDay() + 3) % 7];
  const road = await startDesk(t, {desk: {business_hours: `${day} 09:00-10:00`, closed_text: 'We are closed', welcome_text: 'Welcome'}});
  const kim = await road.agent('kim');
  const page = road.page();
  await page.start();
  await page.say('hello?');
  await page.until('the text', m => m.text === 'We are closed');
  const [it] = (await kim.ok('GET', '/interactions?state=queued')).items;
  await new Promise(done => setTimeout(done, 1500));
  assert.equal(kim.mine.size, 0);
  assert.equal((await kim.act(it, 'accept')).owner, 'kim', 'who wants can take it');

  const goes = road.page();
  await goes.start();
  await goes.say('anybody?');
  await goes.until('the text', m => m.text === 'We are closed');
  await goes.leave();
  const [over] = await until('it is done', async () => { const all = (await road.admin.call('GET', '/desk/interactions?state=done')).json.items; return all.length && all; });
  const said = await until('its end is told', async () => { const all = (await road.admin.call('GET', `/desk/interactions/${over.id}/messages`)).json.items; return all.some(m => m.event === 'closed') && all; });
  assert.equal(new Set(said.map(m => m.id)).size, said.length, `each has an id of its own: ${JSON.stringify(said)}`);
});

test('other agents, wrong roles, wrong words: refused', async t => {
  const road = await startDesk(t);
  const kim = await road.agent('kim', {queues: ['default']});
  const eve = await road.user('eve', {queues: ['other']});
  const page = road.page();
  await page.start();
  await page.say('hi');
  const it = await kim.accepts();
  for (const [what, body] of [['accept'], ['done'], ['hold'], ['transfer', {queue: 'other'}], ['consult', {user: 'eve'}], ['conference', {user: 'eve'}], ['leave'], ['read'], ['disposition', {note: 'x'}], ['typing', {on: true}],
    ['messages', {id: 'x', text: 'I am not in it'}], ['messages', {id: 'x', text: 'psst', whisper: true}]])
    assert.equal((await eve.call('POST', `/interactions/${it.id}/${what}`, body)).status, 403, what);
  for (const path of ['', '/messages']) assert.equal((await eve.call('GET', `/interactions/${it.id}${path}`)).status, 403, path);
  assert.deepEqual((await eve.ok('GET', '/interactions')).items, []);
  for (const what of ['monitor', 'coach', 'barge']) assert.equal((await eve.call('POST', `/interactions/${it.id}/${what}`)).status, 403, what);
  for (const path of ['/queues', '/agents']) assert.equal((await eve.call('GET', path)).status, 403, path);
  assert.equal((await eve.call('PUT', '/agents/kim/status', {state: 'not-ready'})).status, 403);
  for (const [method, path, body] of [['GET', '/users'], ['POST', '/users', {name: 'mallory', role: 'administrator', password: 'nine sleepy badgers hum'}], ['PUT', '/users/eve', {name: 'eve', role: 'administrator'}], ['POST', '/queues', {name: 'q'}]])
    assert.equal((await eve.api.call(method, path, body)).status, 403, path);
  assert.equal((await fetch(`${road.base}/api/v1/desk/events`)).status, 401);
  assert.equal((await kim.call('POST', '/interactions/it-none/accept')).status, 404);
  await road.admin.call('POST', '/queues', {name: 'private', tenant: 'another-shop'});
  for (const queue of ['undelivered', 'private', 'made up']) {   // guests cannot choose where they have no business
    const p = road.page();
    await p.start({userData: {queue}});
    await p.say('let me in');
    assert.equal((await kim.offered(i => i.conversation.endsWith(p.sid))).queue, 'default');
  }
  for (const body of [{text: 'no id'}, {id: 'a b', text: 'x'}, {id: 'x'}, {id: 'x', text: '  '}, {id: 'x', rich: {kind: 'event'}}, {id: 'x', rich: {kind: 'choices', text: 'which?'}},
    {id: 'x', rich: {kind: 'choices', text: 'which?', choices: [{label: 'a', url: 'javascript:alert(1)'}]}}, {id: 'x', rich: []}, {id: 'x', text: 'y', guest: 'U2@line'}])
    assert.equal((await kim.call('POST', `/interactions/${it.id}/messages`, body)).status, 400, JSON.stringify(body));
  assert.equal((await kim.call('POST', `/interactions/${it.id}/messages`, {id: 'x', media: {file: '0'.repeat(32)}})).status, 404);
  assert.equal((await kim.call('POST', `/interactions/${it.id}/transfer`, {user: 'eve'})).status, 409, 'eve is not ready');
  assert.equal((await kim.call('POST', `/interactions/${it.id}/transfer`, {user: 'nobody'})).status, 404);
  assert.equal((await kim.call('POST', `/interactions/${it.id}/hold`, {until_ms: 5})).status, 400);
});

test('hand over, consult unseen, conference, hold, watch, coach, barge in', async t => {
  const road = await startDesk(t, {desk: {last_agent_s: 30}});
  const kim = await road.agent('kim');
  const page = road.page();
  await page.start({nickname: 'Ana'});
  await page.say('hello');
  const it = await kim.accepts();
  await kim.say(it, 'I look it up');
  const ken = await road.agent('ken');
  const sue = await road.user('sue', {role: 'supervisor'});

  await kim.act(it, 'consult', {user: 'ken'});
  await ken.has('the interaction', i => i.id === it.id && i.agents.some(a => a.user === 'ken' && a.role === 'consulted'));
  await ken.say(it, 'check the warehouse', {whisper: true});
  assert.equal((await kim.hears(it, 'check the warehouse')).visible, 'agents');
  assert.equal((await ken.call('POST', `/interactions/${it.id}/messages`, {id: 'loud', text: 'I may not'})).status, 403);
  await kim.act(it, 'conference', {user: 'ken'});
  await ken.say(it, 'Ken here');
  await page.until('Ken', m => m.text === 'Ken here' && m.from.nickname === 'Ken');

  await sue.act(it, 'monitor');
  assert.equal((await sue.call('POST', `/interactions/${it.id}/messages`, {id: 'w', text: 'x', whisper: true})).status, 403);
  await page.say('who are you all?');
  await sue.hears(it, 'who are you all?');
  await sue.act(it, 'coach');
  await sue.say(it, 'be kind', {whisper: true});
  await kim.hears(it, 'be kind');
  await sue.act(it, 'barge');
  await sue.say(it, 'Sue, the supervisor');
  await page.until('Sue', m => m.from.nickname === 'Sue' && m.text === 'Sue, the supervisor');
  await sue.act(it, 'leave');
  await kim.act(it, 'leave');   // ken goes on
  await until('ken owns it', () => ken.mine.get(it.id)?.owner === 'ken');
  await until('gone', () => kim.gone.includes(it.id));

  await ken.act(it, 'transfer', {user: 'kim', note: 'knows the warehouse'});
  const handed = await kim.offered();
  assert.equal(handed.id, it.id);
  await until('gone from ken', () => ken.gone.includes(it.id));
  await kim.act(it, 'accept');
  assert.ok((await kim.history(it)).some(m => m.visible === 'agents' && m.text === 'Ken handed it to Kim: knows the warehouse'));

  await kim.act(it, 'hold');
  assert.equal((await kim.ok('GET', `/interactions/${it.id}`)).state, 'held');
  await page.say('I am back');   // the guest writes: back to kim, not to ken
  await kim.offered(i => i.id === it.id);
  await kim.act(it, 'accept');
  await kim.act(it, 'hold', {until_ms: Date.now() + 300 * patience});
  await kim.offered(i => i.id === it.id);   // the time has come
  await kim.act(it, 'accept');
  assert.equal((await kim.call('POST', `/interactions/${it.id}/transfer`, {queue: 'elsewhere'})).status, 404);
  await road.admin.call('POST', '/queues', {name: 'elsewhere'});
  await kim.act(it, 'transfer', {queue: 'elsewhere'});
  await until('somebody of the queue', () => [kim, ken].some(a => a.mine.get(it.id)?.queue === 'elsewhere'));

  const whispers = ['check the warehouse', 'be kind', 'knows the warehouse'];
  await page.poll('?count=1000');
  assert.ok(!page.texts().some(x => whispers.some(w => x?.includes(w))), 'the guest saw none of it');
  const names = page.messages.filter(m => m.type === 'ParticipantJoined').map(m => m.from.nickname);
  for (const n of ['Kim', 'Ken', 'Sue']) assert.ok(names.includes(n), n);
});

test('pictures both ways, choices that are tapped, what is adapted is told', async t => {
  const road = await startDesk(t, {desk: {auto_answer: true}});
  const kim = await road.agent('kim');
  const page = road.page();
  await page.start();
  await page.say('hi');
  const it = await kim.has('an open one', i => i.state === 'open');
  assert.equal((await page.picture(png, 'cat.png', 'image/png')).status, 200);
  const seen = await kim.hears(it, 'the picture', m => m.media?.type === 'image/png');
  assert.deepEqual(Buffer.from(await (await fetch(seen.media.url)).arrayBuffer()), png);
  const up = await fetch(`${kim.api.base}/desk/files?name=receipt.png`, {method: 'POST', body: png, headers: {authorization: `Bearer ${kim.api.token}`, 'content-type': 'image/png'}});
  assert.equal(up.status, 201);
  const file = await up.json();
  assert.deepEqual([file.type, file.name, file.size], ['image/png', 'receipt.png', png.length]);
  await kim.say(it, 'Your receipt', {media: {file: file.file}});
  const got = await page.until('the picture', m => m.content?.[0]?.type === 'image');
  assert.deepEqual((await page.file(got.content[0].url)).bytes, png);
  const eve = await road.agent('eve');
  await eve.status('not-ready');
  const rich = await kim.say(it, undefined, {rich: {kind: 'choices', text: 'When?', choices: [{label: 'Today', payload: 'd0'}, {label: 'Tomorrow'}]}});
  assert.equal(rich.choices.length, 2);
  const asked = await page.until('the choices', m => m.contentType === 'quick-replies');
  await page.say(asked.content[0].actions.textback);
  const answer = await kim.hears(it, 'the tap', m => m.kind === 'answer');
  assert.deepEqual([answer.text, answer.rich.payload, answer.answer_to], ['Today', 'd0', rich.id]);

  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'line'});
  const line = await kim.has('LINE', i => i.network === 'LINE' && i.state === 'open');
  const place = await kim.say(line, undefined, {rich: {kind: 'location', location: {lat: 35.6586, lon: 139.7454}}});
  assert.deepEqual(place.adapted, ['location-title']);
  await road.phoneHas('the place', m => m.message.type === 'location');
  await kim.say(line, undefined, {native: {type: 'text', text: 'in LINE\'s own words'}});
  await road.phoneHas('the native one', m => m.message.text === 'in LINE\'s own words');
});

test('what cannot be delivered comes to the queue undelivered', async t => {
  const road = await startDesk(t, {desk: {auto_answer: true}});
  const kim = await road.agent('kim', {queues: ['default']});
  const page = road.page();
  await page.start({nickname: 'Ana'});
  await page.say('hi');
  const it = await kim.has('an open one', i => i.state === 'open');
  await page.leave();
  await until('the agent closes it', () => kim.mine.get(it.id)?.state === 'wrapup');
  const ken = await road.agent('ken', {queues: ['undelivered']});
  const lost = await kim.say(it, 'are you there?');
  await until('dead', () => kim.states.get(lost.id)?.state === 'dead');
  const failed = await ken.has('the failed one', i => i.queue === 'undelivered');
  assert.deepEqual([failed.failed.message, failed.conversation], [lost.id, it.conversation]);
  assert.match(failed.failed.reason, /ended/);
  await until('dead in the history', async () => (await ken.history(failed)).find(m => m.id === lost.id).state === 'dead');
  await ken.act(failed, 'done', {note: 'nothing to be done'});
});

test('who goes ends the conversation, too: none stays open, no file stays, and no name', async t => {
  const road = await startDesk(t, {hub: {purge_delay_seconds: 1}, webchat: {async: true}});
  const open = async () => (await road.admin.get('/conversations?open=true')).items.map(c => c.id);
  const nothingLeft = async what => {
    await until(`${what}: none is open`, async () => !(await open()).length);
    await until(`${what}: no file is left`, () => filesBelow(join(road.dir, 'data/attachments')).length === 0, 20000);
  };
  const comes = async () => {
    const page = road.page();
    await page.start();
    await page.say('hi');
    assert.equal((await page.picture(png, 'cat.png', 'image/png')).status, 200);
    await until('it is open', async () => (await open()).length === 1);
    assert.equal(filesBelow(join(road.dir, 'data/attachments')).length > 0, true);
    return page;
  };

  const waits = await comes();
  await waits.leave();
  await nothingLeft('who left the queue');

  const kim = await road.agent('kim');
  const page = await comes();
  const it = await kim.accepts();
  await kim.say(it, 'hello');
  await page.until('the answer', m => m.text === 'hello');
  await page.leave();
  await until('the agent closes it', () => kim.mine.get(it.id)?.state === 'wrapup');
  assert.deepEqual(await open(), [it.conversation], 'open until the desk ends it');
  await kim.act(it, 'done');
  await nothingLeft('who left an agent');

  const stays = await comes();
  const one = await kim.accepts();
  await kim.act(one, 'done');
  await nothingLeft('the usual end');
  const sent = await road.admin.call('POST', '/messages', {tenant: 'Test Shop', channel: 'webchat', userId: stays.sid, message: 'your parcel has left'});
  assert.equal(sent.status, 202, sent.text);
  assert.notEqual((await stays.until('what no agent wrote', m => m.text === 'your parcel has left')).from.nickname, 'Kim');
});

test('written about what could not be delivered, it opens nothing for good', async t => {
  const road = await startDesk(t, {desk: {auto_answer: true}});
  const kim = await road.agent('kim', {queues: ['default']});
  const page = road.page();
  await page.start();
  await page.say('hi');
  const it = await kim.has('an open one', i => i.state === 'open');
  await page.leave();
  await until('the agent closes it', () => kim.mine.get(it.id)?.state === 'wrapup');
  const ken = await road.agent('ken', {queues: ['undelivered']});
  await kim.say(it, 'are you there?');
  const failed = await ken.has('the failed one', i => i.queue === 'undelivered');
  await kim.act(it, 'done');
  const open = async () => (await road.admin.get('/conversations?open=true')).items.map(c => c.id);
  await until('closed', async () => !(await open()).length);
  await ken.say(failed, 'so sorry');
  await until('open once more', async () => (await open()).length === 1);
  await ken.act(failed, 'done');
  await until('and closed', async () => !(await open()).length);
});

test('interactions come in pages, those that are done, too', async t => {
  const road = await startDesk(t);
  for (const name of ['Ana', 'Ben', 'Cleo']) {
    const page = road.page();
    await page.start({nickname: name});
    await page.say('hi');
  }
  const list = async query => await road.admin.call('GET', `/desk/interactions?${query}`);
  const whole = await until('three wait', async () => { const r = (await list('')).json; return r.items.length === 3 && r; });
  assert.equal(whole.next, null);
  for (const state of ['queued', 'done']) {
    const all = (await list(`state=${state}`)).json.items.map(i => i.id), one = (await list(`state=${state}&limit=2`)).json;
    const two = (await list(`state=${state}&limit=2&after=${one.next}`)).json;
    assert.deepEqual([one.items.length, two.items.length, two.next], [2, 1, null]);
    assert.deepEqual([...one.items, ...two.items].map(i => i.id), all);
    if (state === 'queued') for (const id of all) assert.equal((await road.admin.call('POST', `/desk/interactions/${id}/done`, {})).status, 200);
  }
  const gone = await list('after=no-such-thing');
  assert.deepEqual([gone.status, gone.json.field], [400, 'after']);
  assert.equal((await list('limit=501')).json.field, 'limit');
});

// An application of one's own as the network, which takes answers for a while only.
async function application(t) {
  const app = {secret: 'a-secret-of-sixteen-characters', got: []};
  const server = createServer(async (q, r) => {
    let body = '';
    for await (const piece of q) body += piece;
    app.got.push(JSON.parse(body));
    r.end();
  }).listen(0, '127.0.0.1');
  await new Promise(done => server.once('listening', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  app.url = `http://127.0.0.1:${server.address().port}/messages`;
  app.says = async (road, text, guest = 'ana') => {
    const body = JSON.stringify({id: randomUUID(), type: 'text', guest, name: 'Ana', text});
    const r = await fetch(`${road.base}/custom`, {method: 'POST', body, headers: {'x-dragoman-signature': 'sha256=' + createHmac('sha256', app.secret).update(body).digest('hex')}});
    assert.equal(r.status, 200);
  };
  return app;
}

test('a network that takes answers for a while only: the end is told, and nothing goes beyond it', async t => {
  const app = await application(t), window_ms = 2000 * patience;
  const road = await startDesk(t, {desk: {auto_answer: true}, channels: [{type: 'custom', secret: app.secret, url: app.url, reply_window_seconds: window_ms / 1000}]});
  const kim = await road.agent('kim');
  await app.says(road, 'hello');
  const it = await kim.has('an open one', i => i.state === 'open');
  assert.equal(it.reply_until_ms, it.last_guest_ms + window_ms);
  await kim.say(it, 'in time');
  await until('the answer', () => app.got.find(m => m.text === 'in time'));
  await until('the window closes', () => Date.now() > it.reply_until_ms, 2 * window_ms);
  const say = async more => await kim.call('POST', `/interactions/${it.id}/messages`, {id: randomUUID(), text: 'too late', ...more});
  const late = await say();
  assert.deepEqual([late.status, late.json.code], [422, 'window_closed']);
  assert.match(late.json.detail, new RegExp(`^Custom takes answers only until ${window_ms / 1000} s after the guest's last message`));
  assert.equal((await say({whisper: true})).status, 202, 'agents may talk among themselves');
  await kim.act(it, 'done');
  const begin = async body => await kim.call('POST', '/interactions', body);
  assert.deepEqual((r => [r.status, r.json.code])(await begin({conversation: it.conversation, text: 'too late'})), [422, 'window_closed']);
  assert.deepEqual((r => [r.status, r.json.code])(await begin({channel: 'test-shop/custom', guest: 'nobody', text: 'hi'})), [422, 'window_closed'], 'nor to who never wrote');
  assert.equal((await kim.ok('GET', '/interactions?state=open')).items.length, 0, 'what was refused has begun nothing');
  const again = await kim.ok('POST', '/interactions', {conversation: it.conversation}, 201);
  assert.ok(again.reply_until_ms <= Date.now(), 'one may look at it all the same');
  await app.says(road, 'still there?');
  await until('the window opens again', () => kim.mine.get(again.id).reply_until_ms > Date.now());
  await kim.say(again, 'yes');
  await until('the second answer', () => app.got.find(m => m.text === 'yes'));
  assert.ok(!app.got.some(m => m.text === 'too late'));
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'hello'});
  assert.equal((await kim.has('the one on LINE', i => i.network === 'LINE')).reply_until_ms, undefined, 'LINE has no such limit');
});

test('an agent begins a conversation, and takes up an old one', async t => {
  const road = await startDesk(t);
  const kim = await road.agent('kim');
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'hello'});
  const it = await kim.accepts();
  await kim.act(it, 'done');
  const again = await kim.ok('POST', '/interactions', {conversation: it.conversation, text: 'One more question'}, 201);
  assert.deepEqual([again.state, again.owner, again.contact.name], ['open', 'kim', it.contact.name]);
  assert.notEqual(again.id, it.id);
  await road.phoneHas('the question', m => m.message.text === 'One more question');
  const [, guest] = it.conversation.split(':');
  const same = await kim.ok('POST', '/interactions', {channel: 'test-shop/line', guest}, 201);
  assert.equal(same.id, again.id);
  const known = await until('whose it is', () => kim.mine.get(again.id)?.contact.id);
  await kim.act(again, 'done');
  const third = await kim.ok('POST', '/interactions', {contact: known, channel: 'test-shop/line', subject: 'Later'}, 201);
  assert.deepEqual([third.conversation, third.subject, third.contact.id], [it.conversation, 'Later', known]);
  assert.equal((await kim.call('POST', '/interactions', {contact: known, channel: 'test-shop/webchat'})).status, 404);
  assert.equal((await kim.call('POST', '/interactions', {contact: 'ct-none'})).status, 404);
  const ken = await road.agent('ken');
  assert.equal((await ken.call('POST', '/interactions', {conversation: it.conversation})).status, 409);
  for (const body of [{}, {channel: 'no/such', guest: 'x'}, {channel: 'test-shop/line', guest: 'a b'}, {conversation: 'test-shop/line:'}])
    assert.ok([400, 404].includes((await ken.call('POST', '/interactions', body)).status), JSON.stringify(body));
});

test('supervisors see figures, and set agents not ready', async t => {
  const road = await startDesk(t, {desk: {service_level_s: 60}});
  const sue = await road.user('sue', {role: 'supervisor', queues: ['none']});
  const kim = await road.agent('kim');
  const pages = [road.page(), road.page()];
  for (const p of pages) { await p.start(); await p.say('hi'); }
  await until('both are offered', () => kim.mine.size === 2);
  const [one, two] = pages.map(p => [...kim.mine.values()].find(i => i.conversation.endsWith(p.sid)));
  await kim.act(one, 'accept');
  await kim.act(two, 'reject');
  await pages[1].leave();
  const figures = await until('the figures', () => sue.queues?.find(q => q.name === 'default' && q.answered_today === 1 && q.abandoned_today === 1));
  assert.deepEqual([figures.waiting, figures.open, figures.service_level, figures.agents_ready], [0, 1, 1, 1]);
  assert.deepEqual((await sue.ok('GET', '/queues')).items.map(q => q.name).toSorted(), ['default', 'undelivered']);
  const agent = (await sue.ok('GET', '/agents')).items.find(a => a.user === 'kim');
  assert.deepEqual([agent.media.chat.state, agent.open.length, agent.answered_today, agent.on], ['ready', 1, 1, true]);
  await sue.ok('PUT', '/agents/kim/status', {state: 'not-ready', reason: 'training'});
  await until('kim knows', () => kim.me.media.chat.reason === 'training');
});

test('the day of the figures is that of the desk\'s zone', async t => {
  const at = new Date(), minutes = at.getUTCHours() * 60 + at.getUTCMinutes();
  const late = 23 * 60 + 30, ahead = late - minutes > 14 * 60 ? late - minutes - 24 * 60 : late - minutes;   // it is half past eleven at night there
  const two = n => String(n).padStart(2, '0'), size = Math.abs(ahead);
  const road = await startDesk(t, {clock: true, hub: {session: {hours: 1000, idle_minutes: 60000}}, desk: {timezone: `${ahead < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`}});
  const sue = await road.user('sue', {role: 'supervisor', queues: ['none']});
  const kim = await road.agent('kim');
  const page = road.page();
  await page.start();
  await page.say('hi');
  await kim.accepts();
  const today = async () => [(await sue.ok('GET', '/queues')).items.find(q => q.name === 'default').answered_today, (await sue.ok('GET', '/agents')).items.find(a => a.user === 'kim').answered_today];
  assert.deepEqual(await today(), [1, 1]);
  await road.crash();
  assert.deepEqual(await today(), [1, 1], 'counted again after a crash');
  road.later(45 * 60);
  assert.deepEqual(await today(), [0, 0], 'midnight has passed');
  const other = road.page();
  await other.start();
  await other.say('good morning');
  await kim.accepts(i => i.conversation.endsWith(other.sid));
  assert.deepEqual(await today(), [1, 1]);
});

test('who talks to the guest and goes is told to the guest; who is not in it any more is told so', async t => {
  const road = await startDesk(t, {desk: {last_agent_s: 0}});
  const [kim, ken] = [await road.agent('kim', {queues: ['default']}), await road.agent('ken', {queues: ['other']})];
  await road.admin.call('POST', '/queues', {name: 'nobody', skills: ['everything']});
  const page = road.page();
  await page.start();
  await page.say('hello');
  const it = await kim.accepts();
  await kim.act(it, 'conference', {user: 'ken'});
  await kim.act(it, 'hold');
  await page.say('still there?');
  await until('ken is not in it any more', () => ken.gone.includes(it.id));
  await kim.offered(i => i.id === it.id);
  await kim.act(it, 'accept');
  await kim.act(it, 'conference', {user: 'ken'});
  await ken.has('it again', i => i.id === it.id);
  await kim.act(it, 'transfer', {queue: 'nobody'});
  const left = () => page.messages.filter(m => m.type === 'ParticipantLeft').map(m => m.from.nickname).toSorted();
  await until('both have left', async () => { await page.poll(); return left().length >= 2; });
  assert.deepEqual(left(), ['Ken', 'Kim']);
});

test('names of agents that are not to be told are told nowhere', async t => {
  const road = await startDesk(t, {webchat: {show_agent_name: false, agent_name: 'Support'}});
  const kim = await road.agent('kim'), page = road.page();
  await page.start();
  await page.say('hello');
  const it = await kim.accepts();
  await kim.call('POST', `/interactions/${it.id}/typing`, {on: true});
  await kim.say(it, 'good day');
  await page.until('the answer', m => m.text === 'good day');
  await kim.act(it, 'done');
  await until('the end', async () => { await page.poll(); return page.ended; });
  assert.ok(!JSON.stringify([page.messages, page.typing]).match(/kim/i));
  assert.deepEqual(page.messages.filter(m => m.from.type === 'Agent').map(m => [m.type, m.from.nickname]), [['ParticipantJoined', 'Support'], ['Text', 'Support'], ['ParticipantLeft', 'Support']]);
});

test('who was removed as a user or as a login is not ready when somebody of that name comes', async t => {
  const road = await startDesk(t);
  for (const list of ['users', 'logins']) {
    const kim = await road.agent('kim');
    assert.equal((await road.admin.call('DELETE', `/${list}/kim`)).status, 204);
    assert.equal((await road.admin.call('POST', `/${list}`, {[list === 'users' ? 'name' : 'user']: 'kim', role: 'agent', password: 'nine sleepy badgers hum'})).status, 201);
    assert.equal((await road.admin.call('GET', '/users/kim')).json.status, 'not-ready', list);
    kim.deaf();
    assert.equal((await road.admin.call('DELETE', '/users/kim')).status, 204);
  }
});

test('what an agent had who is no user any more goes to somebody else', async t => {
  const road = await startDesk(t);
  const kim = await road.agent('kim'), [one, two] = [road.page(), road.page()];
  await one.start({nickname: 'One'});
  await one.say('hello');
  const open = await kim.accepts();
  await two.start({nickname: 'Two'});
  await two.say('hello');
  const left = await kim.accepts(i => i.id !== open.id);
  await two.leave();
  await until('to be closed', () => kim.mine.get(left.id)?.state === 'wrapup');
  assert.equal((await road.admin.call('DELETE', '/users/kim')).status, 204);
  const ken = await road.agent('ken');
  const it = await ken.accepts();
  assert.equal(it.id, open.id);
  await ken.say(it, 'I go on with this');
  await one.until('somebody answers', m => m.text === 'I go on with this');
  const sue = await road.user('sue', {role: 'supervisor'});
  await until('what the guest had left is closed', async () => (await sue.ok('GET', `/interactions/${left.id}`)).state === 'done');
});

test('a queue has one limit, in characters, wherever it is named', async t => {
  const name = '予約と変更とお支払いのご相談を承る窓口'.repeat(4).slice(0, 64);
  const road = await startDesk(t, {desk: {queue: name}});
  const kim = await road.agent('kim', {queues: [name]});
  const page = road.page();
  await page.start({nickname: 'Mia'});
  await page.say('hello');
  const it = await kim.accepts();
  assert.equal(it.queue.name ?? it.queue, name);
  await kim.act(it, 'transfer', {queue: name});
  const queue = await road.admin.call('POST', '/queues', {name, title: 'Bookings', overflow_s: 60, overflow_queue: name});
  assert.equal(queue.status, 201, queue.text);
  const long = await road.admin.call('POST', '/queues', {name: `${name}窓`});
  assert.deepEqual([long.status, long.json.field], [400, 'name']);
});

test('users and queues are kept, with revisions', async t => {
  const road = await startDesk(t);
  const made = await road.admin.call('POST', '/users', {name: 'zoe', role: 'agent', password: 'nine sleepy badgers hum', skills: {fr: 5}, queues: ['a'], capacity: {chat: 3}, email: 'zoe@example.net'});
  assert.equal(made.status, 201);
  assert.deepEqual([made.json.display_name, made.json.skills, made.json.capacity], ['zoe', {fr: 5}, {chat: 3}]);
  assert.ok(!/nine sleepy|argon/.test(made.text));
  const etag = made.headers.get('etag');
  const put = await road.admin.call('PUT', '/users/zoe', {...made.json, display_name: 'Zoë'}, {'if-match': etag});
  assert.equal(put.status, 200, put.text);
  assert.equal((await road.admin.call('PUT', '/users/zoe', {...made.json}, {'if-match': etag})).status, 412);
  const both = await Promise.all(['nine sleepy badgers hum', 'ten wakeful badgers sing'].map(password => // hashing takes a while
    road.admin.call('PUT', '/users/zoe', {...made.json, display_name: 'Zoë', password}, {'if-match': put.headers.get('etag')})));
  assert.deepEqual(both.map(r => r.status).sort(), [200, 412], 'one of two');
  assert.equal((await road.admin.call('PUT', '/users/zoe', {...made.json, password: 'zoe'})).status, 400);
  assert.equal((await road.admin.call('POST', '/users', {name: 'zoe', role: 'agent', password: 'nine sleepy badgers hum'})).status, 409);
  assert.equal((await road.admin.call('POST', '/users', {name: 'x', role: 'agent', password: 'nine sleepy badgers hum', skills: {fr: 11}})).status, 400);
  const queue = await road.admin.call('POST', '/queues', {name: 'night', skills: ['fr'], business_hours: 'Mo-Su 22:00-06:00', timezone: 'Asia/Tokyo', service_level_s: 10});
  assert.equal(queue.status, 201, queue.text);
  assert.equal((await road.admin.call('POST', '/queues', {name: 'bad', business_hours: 'now and then'})).status, 400);
  assert.equal((await road.admin.call('POST', '/queues', {name: 'bad', timezone: 'Mars/Olympus'})).status, 400);
  await road.crash();
  assert.equal((await road.admin.call('GET', '/users/zoe')).json.display_name, 'Zoë');
  const kept = await road.admin.call('GET', '/queues/night');
  assert.deepEqual(kept.json, {...queue.json});
  assert.equal((await road.admin.call('PUT', '/queues/night', {name: 'night', title: 'Night'}, {'if-match': kept.headers.get('etag')})).json.title, 'Night');
  const backup = await road.admin.call('GET', '/backup');
  assert.deepEqual(backup.json.queues.map(q => q.title), ['Night']);
  assert.deepEqual(backup.json.logins.find(l => l.user === 'zoe').profile.skills, {fr: 5});
  assert.equal((await road.admin.call('POST', '/restore', {backup: backup.json})).json.queues, 0, 'it is as it was');
  assert.equal((await road.admin.call('DELETE', '/queues/night')).status, 204);
  await road.admin.call('POST', '/queues', {name: 'later'});
  assert.equal((await road.admin.call('POST', '/restore', {backup: backup.json, replace: true, dry_run: true})).json.queues, 2);
  assert.equal((await road.admin.call('POST', '/restore', {backup: backup.json, replace: true})).json.queues, 2);
  assert.deepEqual((await road.admin.call('GET', '/queues')).json.items.map(q => q.name), ['night']);
  assert.equal((await road.admin.call('DELETE', '/queues/night')).status, 204);
  assert.equal((await road.admin.call('DELETE', '/users/zoe')).status, 204);
  assert.equal((await road.admin.call('DELETE', '/users/admin')).status, 409);
});
