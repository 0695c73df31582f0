// Members of Slack workspaces and a Genesys Cloud agent through the real hub, with both simulators at the ends.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHash, createHmac, randomBytes} from 'node:crypto';
import {until} from './harness.mjs';
import {register, slack, startSlackRoad} from './slack-road.mjs';

const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const agent = (road, c, what) => road.desk.post(`/sim/conversations/${c.id}/agent`, what);
const sign = (body, at = Math.floor(Date.now() / 1000)) => ({
  'x-slack-request-timestamp': String(at),
  'x-slack-signature': 'v0=' + createHmac('sha256', slack.signing).update(`v0:${at}:${body}`).digest('hex'),
});

test('nothing unverified is taken: signature, time, and whose app', async t => {
  const road = await startSlackRoad(t, {register: false});
  const event = (text, app = slack.app) => JSON.stringify({api_app_id: app, type: 'event_callback', event_id: 'Ev' + text, team_id: 'T0ACME001',
    event: {type: 'message', channel_type: 'im', channel: 'D1', user: 'U1', text, ts: '1767225600.000200'}});
  const now = Math.floor(Date.now() / 1000);
  const rows = [
    [event('a'), {}, 401], [event('b'), {...sign(event('b')), 'x-slack-signature': 'v0=' + '0'.repeat(64)}, 401],
    [event('c'), sign(event('c'), now - 301), 401], [event('d'), sign(event('d'), now + 302), 401],
    [event('e'), {...sign(event('e')), 'x-slack-request-timestamp': String(now - 5)}, 401],
    [event('f', 'A0OTHER'), sign(event('f', 'A0OTHER')), 404], [event('g'), sign(event('g') + ' '), 401], ['{', sign('{'), 400],
  ];
  for (const [body, headers, status] of rows) assert.equal((await road.hub.call('POST', '/slack', body, headers)).status, status, body);
  const form = {'content-type': 'application/x-www-form-urlencoded'};
  const hidden = 'ssl_check=1&payload=' + encodeURIComponent(JSON.stringify({type: 'block_actions', api_app_id: slack.app, user: {id: 'U1'}}));
  assert.equal((await road.hub.call('POST', '/slack', hidden, form)).status, 200, 'the probe is answered, and its payload is nobody\'s word');
  assert.deepEqual((await road.desk.get('/sim/conversations')).conversations, []);
  const {good} = await road.slack.post('/sim/verify');
  assert.ok(good, 'the challenge comes back, although it names no app');
  assert.equal((await road.slack.post('/sim/probe')).status, 200);
});

test('a workspace registers: identifier, Slack, back in the same browser, once', async t => {
  const road = await startSlackRoad(t, {register: false});
  const form = await fetch(`${road.hub.base}/slack/register`);
  assert.equal(form.status, 200);
  assert.match(form.headers.get('content-security-policy'), /default-src 'none'/);
  assert.match(await form.text(), /Customer Identifier/);
  const wrong = await register(road, 'T0ACME001', '<script>nobody');
  assert.equal(wrong.status, 422);
  assert.match(wrong.html, /not known here/);
  assert.ok(!wrong.html.includes('<script>nobody'));
  const ok = await register(road);
  assert.equal(ok.status, 200, ok.html);
  assert.match(ok.html, /Members of ACME can now write/);
  const url = new URL(ok.href);
  assert.equal(url.searchParams.get('client_id'), slack.client);
  assert.match(url.searchParams.get('scope'), /chat:write,chat:write.customize/);
  const again = await fetch(ok.back, {headers: {cookie: ok.cookie}});
  assert.equal(again.status, 400, 'a state is good once');
  const stolen = await register(road);
  const other = await fetch(new URL(`/slack/oauth/callback?code=x&state=${new URL(stolen.back).searchParams.get('state').slice(0, -1)}`, road.hub.base));
  assert.equal(other.status, 400, 'a state that is not ours');
  const fresh = await fetch(`${road.hub.base}/slack/register`, {method: 'POST', body: new URLSearchParams({customer: 'test-shop'})});
  const state = new URL(/href="([^"]+)"/.exec(await fresh.text())[1].replaceAll('&amp;', '&')).searchParams.get('state');
  assert.equal((await fetch(`${road.hub.base}/slack/oauth/callback?code=x&state=${encodeURIComponent(state)}`)).status, 400, 'another browser');
  assert.equal((await fetch(`${road.hub.base}/slack/oauth/callback?code=x`)).status, 400, 'no state');
  const refused = await register(road, 'nobody');
  assert.match(refused.html, /nobody agreed/);
  const manifest = await road.hub.get('/slack/manifest/test-shop/slack');
  assert.equal(manifest.settings.event_subscriptions.request_url, road.hub.base + '/slack');
});

test('text both ways with the agent\'s name, who it is, threads, edits', async t => {
  const road = await startSlackRoad(t);
  await road.send({type: 'text', text: 'Where is my &lt;parcel&gt;? <https://example.com|see>'});
  const {c} = await road.deskHas('the text', m => m.text === 'Where is my <parcel>? see (https://example.com)');
  assert.equal(c.guest.name, 'Ana');
  assert.deepEqual([c.attributes.media, c.attributes.workspaceId, c.attributes.workspaceName], ['Slack', 'T0ACME001', 'ACME']);
  await agent(road, c, {text: 'It is <here> & <!channel>', agent: 'Ken Ito'});
  const got = await road.guestHas('the answer', m => m.message.text === 'It is &lt;here&gt; &amp; &lt;!channel&gt;');
  assert.equal(got.message.username, 'Ken Ito');
  await road.send({type: 'text', text: 'please ask <@U0GUEST02>'});
  await road.deskHas('the name of who is mentioned', m => m.text === 'please ask @Ben');
  const {ts} = await road.send({type: 'text', text: 'in a thread', thread: got.ts});
  await road.deskHas('the reply', m => m.text === 'in a thread');
  await agent(road, c, {text: 'answered there'});
  const reply = await road.guestHas('the answer in the thread', m => m.message.text === 'answered there');
  assert.equal(reply.thread, got.ts);
  await road.send({type: 'edit', ts, text: 'in this thread'});
  await road.deskHas('the edit', m => m.text === '(edited) in this thread');
  await road.send({type: 'unfurl', ts});
  await road.send({type: 'text', text: 'end'});
  const {c: after} = await road.deskHas('what follows', m => m.text === 'end');
  assert.equal(after.messages.filter(m => /edited/.test(m.text ?? '')).length, 1, 'an unfurled link is no edit');
  assert.ok(!after.messages.some(m => m.from === 'guest' && /answered there/.test(m.text ?? '')), 'no echo of our own');
});

test('a picture both ways: equal bytes at the other end', async t => {
  const road = await startSlackRoad(t);
  const photo = Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), randomBytes(200000)]);
  await road.send({type: 'file', base64: photo.toString('base64'), contentType: 'image/jpeg', name: 'door.jpg', text: 'Look'});
  const {c, m} = await road.deskHas('the picture', x => x.media?.state === 'kept');
  assert.equal(m.media.sha256, createHash('sha256').update(photo).digest('hex'));
  await agent(road, c, {text: 'Your receipt', attachment: {base64: png.toString('base64'), name: 'receipt.png', mime: 'image/png'}});
  const got = await road.guestHas('the picture in Slack', x => x.message.files?.length);
  assert.equal(got.message.text, 'Your receipt');
  assert.deepEqual([got.message.files[0].name, got.message.files[0].mimetype, got.message.files[0].size], ['receipt.png', 'image/png', png.length]);
  const bytes = Buffer.from(await (await fetch(`${road.slack.base}/sim/files/${got.message.files[0].id}`)).arrayBuffer());
  assert.ok(bytes.equals(png));
  await road.send({type: 'file', base64: photo.toString('base64'), contentType: 'image/jpeg', name: 'shared.jpg', file_access: 'check_file_info'});
  await road.deskHas('a file of a shared channel', x => x.media?.state === 'kept' && x !== m && x.media.sha256 === m.media.sha256);
  await road.send({type: 'file', base64: 'AAAA', name: 'plan.gdoc', mode: 'external'});
  await road.deskHas('somebody else\'s file as a link', x => /plan\.gdoc\nhttp/.test(x.text ?? ''));
});

test('buttons and the answer, a dialog and what was entered, a command', async t => {
  const road = await startSlackRoad(t);
  await road.send({type: 'text', text: 'Hi'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi');
  await agent(road, c, {text: 'Shall we?', quick_replies: [{text: 'Yes', payload: 'yes-1'}, {text: 'No', payload: 'no-1'}]});
  await road.guestHas('the buttons', m => m.message.blocks?.some(b => b.type === 'actions' && b.elements.length === 2));
  await road.slack.post('/sim/guests/1/tap', {label: 'Yes'});
  const {m} = await road.deskHas('the answer', x => x.button?.payload === 'yes-1');
  assert.equal(m.button.text, 'Yes');
  await until('the buttons are replaced', async () => !(await road.screen()).some(x => x.message.blocks?.some(b => b.type === 'actions')));

  const native = {blocks: [{type: 'section', text: {type: 'mrkdown', text: 'Please *fill in*'}},
    {type: 'actions', elements: [{type: 'button', text: {type: 'plain_text', text: 'Open'}, action_id: 'gum:open:@address'}]}],
  views: {'@address': {type: 'modal', title: {type: 'plain_text', text: 'Address'}, submit: {type: 'plain_text', text: 'Send'},
    blocks: [{type: 'input', block_id: 'city', label: {type: 'plain_text', text: 'City'}, element: {type: 'plain_text_input', action_id: 'v'}},
      {type: 'input', block_id: 'day', label: {type: 'plain_text', text: 'Day'}, element: {type: 'datepicker', action_id: 'd'}}]}}};
  await agent(road, c, {text: JSON.stringify(native)});
  const shown = await road.guestHas('the blocks', x => x.message.blocks?.[0].text?.text === 'Please *fill in*');
  assert.equal(shown.message.blocks[0].text.type, 'mrkdwn');
  assert.equal(shown.message.text, 'Please *fill in*');
  await road.slack.post('/sim/guests/1/tap', {label: 'Open'});
  await until('the dialog is open', async () => (await road.slack.get('/sim/guests')).guests[0].view?.title.text === 'Address');
  await road.slack.post('/sim/guests/1/submit', {values: {city: 'Oslo', day: '2026-12-01'}});
  await road.deskHas('what was entered', x => x.text === 'City: Oslo\nDay: 2026-12-01');
  await until('the dialog is closed', async () => !(await road.slack.get('/sim/guests')).guests[0].view);
  await road.desk.post('/sim/responses', {name: '@rating', text: '{"type": "modal", "title": {"type": "plain_text", "text": "Rating"}, /* of us */ "submit": {"type": "plain_text", "text": "Send"}, "blocks": [' +
    '{"type": "input", "block_id": "stars", "label": {"type": "plain_text", "text": "Stars"}, "element": {"type": "plain_text_input", "action_id": "v"}}]}'});
  await agent(road, c, {text: JSON.stringify({blocks: [{type: 'section', text: {type: 'mrkdwn', text: 'How was it?'},
    accessory: {type: 'button', text: {type: 'plain_text', text: 'Rate'}, action_id: 'rate', value: JSON.stringify({cannedResponse: '@rating'})}}]})});
  await road.guestHas('the question', x => x.message.text === 'How was it?');
  await until('the canned dialog is open', async () => { // asked for when the question went out: at hand soon
    await road.slack.post('/sim/guests/1/tap', {label: 'Rate'});
    return until('it opens, or the guest is told', async () => (await road.slack.get('/sim/guests')).guests[0].view?.title.text === 'Rating', 1000).catch(() => false);
  });
  await road.slack.post('/sim/guests/1/submit', {values: {stars: 'five'}});
  await road.deskHas('the rating', x => x.text === 'Stars: five');
  await road.send({type: 'command', command: '/care', text: 'help me', in: 'channel'});
  await road.deskHas('the command', x => x.text === 'help me');
  assert.equal((await road.desk.get('/sim/conversations')).conversations.length, 1, 'all in one conversation');
});

test('in a channel only what is addressed to the app, once, in its thread', async t => {
  const road = await startSlackRoad(t);
  await road.send({type: 'text', text: 'lunch?', in: 'channel'}, 2);
  const {ts} = await road.send({type: 'text', text: '@app where is it?', in: 'channel'}, 2);
  const {c} = await road.deskHas('the mention', m => m.text === 'where is it?');
  assert.equal(c.guest.name, 'Ben');
  await agent(road, c, {text: 'Here'});
  const got = await road.guestHas('the answer in the thread', m => m.message.text === 'Here', 2, '?in=channel');
  assert.equal(got.thread, ts);
  await road.send({type: 'text', text: 'And mine?', in: 'channel', thread: ts}, 3);
  await road.deskHas('another member in the thread', m => m.text === 'And mine?');
  const {ts: foreign} = await road.send({type: 'text', text: 'off topic', in: 'channel'}, 3);
  await road.send({type: 'text', text: 'me too', in: 'channel', thread: foreign}, 2);
  await road.send({type: 'text', text: 'end', in: 'channel', thread: ts}, 2);
  const {c: after} = await road.deskHas('the last', m => m.text === 'end');
  assert.deepEqual(after.messages.filter(m => m.from === 'guest').map(m => m.text), ['where is it?', 'And mine?', 'end']);
  assert.equal((await road.desk.get('/sim/conversations')).conversations.length, 1);
});

test('a message that waits keeps the name of who wrote it, whoever writes in the thread meanwhile', async t => {
  const road = await startSlackRoad(t);
  await road.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], status: 503}]});
  const {ts} = await road.send({type: 'text', text: '@app it is broken', in: 'channel'}, 2);
  const taken = async n => until(`${n} are taken`, async () => (await road.slack.get('/sim/counters')).taken >= n);
  await taken(2); // as app_mention and as message
  await road.send({type: 'text', text: 'Mine works', in: 'channel', thread: ts}, 3);
  await taken(3);
  await road.desk.post('/sim/faults', {rules: []});
  await road.deskHas('the second', m => m.text === 'Mine works');
  const names = Object.fromEntries((await road.desk.get('/sim/inbound')).messages.map(m => [m.text, m.nickname]));
  assert.deepEqual(names, {'it is broken': 'Ben', 'Mine works': 'Chiyo'});
});

test('several workspaces, a whole organisation, tokens that end, a workspace that leaves', async t => {
  const road = await startSlackRoad(t, {args: ['--rotation', '--token-life-s', '20000']});
  assert.equal((await register(road, 'E0GRID001')).status, 200);
  await road.send({type: 'text', text: 'from ACME'});
  await road.send({type: 'text', text: 'from Beta'}, 4);
  const {c: acme} = await road.deskHas('one', m => m.text === 'from ACME');
  const {c: beta} = await road.deskHas('the other', m => m.text === 'from Beta');
  assert.deepEqual([beta.attributes.workspaceId, beta.attributes.workspaceName, beta.attributes.enterpriseId, beta.attributes.enterpriseName],
    ['T0BETA001', 'Beta', 'E0GRID001', 'ACME Group']);
  await road.slack.post('/sim/workspaces/T0ACME001/expire');   // sooner than it said
  for (const n of [1, 2, 3]) await agent(road, acme, {text: `to ACME ${n}`});
  await agent(road, beta, {text: 'to Beta'});
  await road.guestHas('one answer with a new token', m => m.message.text === 'to ACME 3');
  await road.guestHas('the other', m => m.message.text === 'to Beta', 4);
  await road.slack.post('/sim/workspaces/T0ACME001/uninstall');
  await until('the events were taken', async () => (await road.slack.get('/sim/counters')).taken >= 4);
  await agent(road, acme, {text: 'are you there?'});
  await until('it waits for a new installation', async () => /has not let the app in/.test(road.programs.hub.text()));
  assert.equal((await register(road)).status, 200);
  await road.send({type: 'text', text: 'back'});
  await road.deskHas('the guest is heard again', m => m.text === 'back');
  await road.guestHas('and gets what waited', m => m.message.text === 'are you there?');
});

test('429 and 5xx are waited for, a lost answer is not repeated, repeats and disorder do no harm', async t => {
  const road = await startSlackRoad(t);
  await road.send({type: 'text', text: 'Hi'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi');
  const paths = ['/api/chat.postMessage'];
  for (const status of [429, 503]) {
    await road.slack.post('/sim/faults', {paths, status, times: 1});
    await agent(road, c, {text: `after ${status}`});
    await road.guestHas(`the answer after ${status}`, m => m.message.text === `after ${status}`);
  }
  await road.slack.post('/sim/faults', {paths: ['/upload/*', '/api/files.getUploadURLExternal'], status: 500, times: 2});
  await agent(road, c, {attachment: {base64: png.toString('base64'), name: 'a.png', mime: 'image/png'}});
  await road.guestHas('the file in the end', m => m.message.files?.[0].name === 'a.png');
  await road.slack.post('/sim/faults', {paths, reset_after_share: 1, times: 1});
  await agent(road, c, {text: 'once only'});
  await road.guestHas('the one whose answer is lost', m => m.message.text === 'once only');
  await road.slack.post('/sim/faults', {paths, timeout_share: 1, times: 1});
  await agent(road, c, {text: 'never answered'});
  await road.guestHas('the one whose answer does not come', m => m.message.text === 'never answered');
  await agent(road, c, {text: 'the last'});
  await until('the next', async () => (await road.screen()).find(m => m.message.text === 'the last'), 30000);
  await road.slack.call('DELETE', '/sim/faults');
  for (const text of ['once only', 'never answered']) assert.equal((await road.screen()).filter(m => m.message.text === text).length, 1, text);

  await road.slack.post('/sim/faults', {duplicate_share: 1});
  await road.send({type: 'text', text: 'twice?'});
  await road.deskHas('the text', m => m.text === 'twice?');
  await road.slack.post('/sim/faults', {reorder_share: 1});
  await road.send({type: 'text', text: 'one'});
  await road.send({type: 'text', text: 'two'});
  await road.deskHas('both', m => m.text === 'one');
  await road.deskHas('both', m => m.text === 'two');
  await road.slack.call('DELETE', '/sim/faults');
  await road.send({type: 'text', text: 'slow?'});
  await road.deskHas('the text', m => m.text === 'slow?');
  await until('no webhook is open', async () => (await road.counters()).webhooks.open === 0);
  const before = (await road.slack.get('/sim/counters')).taken;
  await road.slack.post('/sim/guests/1/again');
  await until('the repeat was taken', async () => (await road.slack.get('/sim/counters')).taken > before);
  await road.send({type: 'text', text: 'end'});
  const {c: after} = await road.deskHas('the text behind it', m => m.text === 'end');
  for (const text of ['twice?', 'slow?', 'one', 'two']) assert.equal(after.messages.filter(m => m.text === text).length, 1, text);
  const {retried} = await road.slack.get('/sim/counters');
  await road.slack.post('/sim/faults', {bad_signature_share: 1, times: 1});
  await road.send({type: 'text', text: 'forged at first'});
  await road.deskHas('the retry of what was refused', m => m.text === 'forged at first');
  assert.ok((await road.slack.get('/sim/counters')).retried > retried);
});

test('a workspace installed by hand; typing in an assistant thread; the end', async t => {
  const road = await startSlackRoad(t, {register: false, args: ['--installed'], slack: {bot_token: 'xoxb-installed-by-hand', show_system_messages: true}});
  await road.send({type: 'assistant'});
  await road.send({type: 'text', text: 'Hi', thread: 'last'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi');
  await agent(road, c, {typing: true});
  await until('typing is shown', async () => (await road.slack.get('/sim/guests')).guests[0].typing_ms > 0);
  await agent(road, c, {text: 'Hello'});
  await road.guestHas('the answer in the assistant\'s thread', m => m.message.text === 'Hello' && m.thread);
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await road.guestHas('the end is told', m => m.message.text === 'The conversation has ended.');
});
