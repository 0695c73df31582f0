// A guest in Microsoft Teams and a Genesys Cloud agent through the real hub, with both simulators at the ends.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {several, until} from './harness.mjs';
import {adminPassword, login} from './hub.mjs';
import {startRoad, tenantId} from './teams.mjs';
import {png, registration, unzip} from './teams-register.mjs';

const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');
const png1 = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

test('text both ways, with the agent\'s name; changed, typing, the end', async t => {
  const road = await startRoad(t);
  await road.send({type: 'text', text: 'Where is <my> parcel & box?'});
  const {c} = await road.deskHas('the text', m => m.text === 'Where is <my> parcel & box?');
  assert.equal(c.guest.name, 'Ana Guest');
  assert.equal(c.attributes.media, 'Teams');
  assert.equal(c.attributes.locale, 'en-GB');
  assert.equal(c.attributes.teamsTenantId, tenantId);
  await road.agent(c, {text: 'On its *way*_!', agent: 'Ken Ito'});
  const said = await road.guestHas('the answer', m => /On its/.test(m.activity.text ?? ''));
  assert.equal(said.activity.text, '**Ken Ito**: On its \\*way\\*\\_\\!');
  assert.equal(said.activity.textFormat, 'markdown');
  await road.send({type: 'edit', text: 'Where is my letter?'});
  await road.deskHas('the edit', m => m.text === '(edited) Where is my letter?');
  await road.agent(c, {typing: true});
  await until('typing in the chat', async () => (await road.teams.get('/sim/guests')).guests[0].typing_ms > 0);
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await road.guestHas('the system message', m => m.activity.text === 'The conversation has ended.');
});

test('a picture both ways: equal bytes at the other end, the token only where it belongs', async t => {
  const road = await startRoad(t);
  const photo = Buffer.concat([png1, randomBytes(200000)]);
  await road.send({type: 'picture', base64: photo.toString('base64'), text: 'Look'});
  const {c, m} = await road.deskHas('the picture', x => x.media?.state === 'kept');
  assert.equal(m.media.sha256, sha256(photo));
  await road.agent(c, {text: 'Your receipt', attachment: {base64: png1.toString('base64'), name: 'receipt.png', mime: 'image/png'}});
  const got = await road.guestHas('the picture in the chat', x => x.activity.attachments?.[0]?.contentType === 'image/png');
  assert.equal(got.media.bytes, png1.length, 'Teams fetched it');
  const notes = randomBytes(70000);
  await road.send({type: 'file', base64: notes.toString('base64'), name: 'notes.txt'});
  const {m: file} = await road.deskHas('the file', x => x.media?.state === 'kept' && x.media.sha256 === sha256(notes));
  assert.ok(file);
  assert.equal((await road.counters()).leaks, 0, 'OneDrive never saw the bot\'s token');
});

test('a file goes out by consent, into the guest\'s OneDrive; a declined one becomes a link', async t => {
  const road = await startRoad(t);
  await road.allowFiles();
  await road.send({type: 'text', text: 'Hi'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi');
  const pdf = Buffer.concat([Buffer.from('%PDF-1.4\n'), randomBytes(11 << 20)]); // more than one part
  await road.agent(c, {attachment: {base64: pdf.toString('base64'), name: 'offer.pdf', mime: 'application/pdf'}});
  const consent = m => m.activity.attachments?.[0]?.contentType === 'application/vnd.microsoft.teams.card.file.consent';
  const asked = await road.guestHas('the question', consent);
  assert.equal(asked.activity.attachments[0].content.sizeInBytes, pdf.length);
  await road.agent(c, {text: 'Did you get it?'});
  await road.guestHas('what follows does not wait', m => /Did you get it/.test(m.activity.text ?? ''));
  await road.programs.hub.stop();
  road.programs.hub.start();
  await until('the hub is back', async () => (await road.hub.get('/healthz/readiness?worker')).ready);
  const stranger = asked.activity.attachments[0].content.acceptContext;
  await road.send({type: 'activity', activity: {type: 'invoke', name: 'fileConsent/invoke', value: {type: 'fileUpload', action: 'accept', context: stranger,
    uploadInfo: {uploadUrl: road.teams.base + '/onedrive/upload/x', contentUrl: 'https://x', name: 'x', uniqueId: 'x', fileType: 'pdf'}}}}, 2);
  await until('the stranger was answered', async () => (await road.teams.get('/sim/guests/2/messages')).invoke?.status === 200);
  await road.teams.post('/sim/guests/1/consent', {accept: true});
  const info = await road.guestHas('the file', m => m.activity.attachments?.[0]?.contentType === 'application/vnd.microsoft.teams.card.file.info');
  assert.equal(info.media.bytes, pdf.length);
  assert.equal(info.media.sha256, sha256(pdf));
  await until('the question is gone', async () => !(await road.screen()).some(consent));
  assert.equal((await road.counters()).leaks, 0);
  await road.agent(c, {attachment: {base64: Buffer.from('a,b').toString('base64'), name: 'list.csv', mime: 'text/csv'}});
  await road.guestHas('the next question', consent);
  await road.teams.post('/sim/guests/1/consent', {accept: false});
  const link = await road.guestHas('the link', m => m.activity.attachments?.[0]?.content?.title === 'list.csv');
  const url = link.activity.attachments[0].content.buttons[0].value;
  assert.equal(await (await fetch(url)).text(), 'a,b');
});

test('buttons and cards, and their answers; a form; a dialog', async t => {
  const road = await startRoad(t);
  await road.send({type: 'text', text: 'Hi'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi');
  await road.agent(c, {text: 'Shall we?', quick_replies: [{text: 'Yes', payload: 'yes-1'}, {text: 'No', payload: 'no-1'}]});
  await road.guestHas('the buttons', m => m.activity.attachments?.[0]?.content?.buttons?.length === 2);
  await road.press({label: 'Yes'});
  const {m} = await road.deskHas('the answer', x => x.button?.payload === 'yes-1');
  assert.equal(m.button.text, 'Yes');
  await road.agent(c, {text: 'When?', quick_replies: [{text: 'Today', payload: 'Today'}, {text: 'Later', payload: 'Later'}]});
  await road.guestHas('the suggestions', x => x.activity.suggestedActions?.actions.length === 2);
  await road.press({label: 'Later'});
  await road.deskHas('the suggested answer', x => x.text === 'Later' || x.button?.payload === 'Later');
  const card = {type: 'AdaptiveCard', version: '1.4', body: [{type: 'Image', url: '\nhttps://example.org/a.png'}, {type: 'Input.Text', id: 'size'}],
    actions: [{type: 'Action.Submit', title: 'Order', data: {action: 'order'}}, {type: 'Action.Execute', title: 'Approve', verb: 'approve', data: {id: '7'}},
      {type: 'Action.Submit', title: 'Details', data: {msteams: {type: 'task/fetch'}, title: 'Details', card: {type: 'AdaptiveCard', version: '1.4', body: [{type: 'Input.Text', id: 'note'}]}}}]};
  await road.agent(c, {text: JSON.stringify(card)});
  const shown = await road.guestHas('the card', x => x.activity.attachments?.[0]?.contentType === 'application/vnd.microsoft.card.adaptive');
  assert.equal(shown.activity.attachments[0].content.body[0].url, 'https://example.org/a.png');
  await road.press({label: 'Order', inputs: {size: 'L'}});
  await road.deskHas('what was filled in', x => /size: L/.test(x.text ?? x.button?.text ?? ''));
  await road.press({label: 'Approve', inputs: {size: 'M'}});
  assert.deepEqual((await road.invoked('the toast')).body, {statusCode: 200, type: 'application/vnd.microsoft.activity.message', value: 'Thank you.'});
  await road.press({label: 'Details'});
  const dialog = await until('the dialog', async () => { const i = (await road.teams.get('/sim/guests/1/messages')).invoke; return i.body.task && i; });
  assert.equal(dialog.body.task.value.card.content.body[0].id, 'note');
  await road.desk.post('/sim/responses', {name: '@where', text: '{"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "Input.Text", "id": "street"},]}'});
  await road.agent(c, {text: JSON.stringify({type: 'AdaptiveCard', version: '1.4', body: [], actions: [{type: 'Action.Submit', title: 'Where', data: {msteams: {type: 'task/fetch'}, type: 'cannedResponse', function: '@where'}}]})});
  await road.guestHas('the card with a canned dialog', x => x.activity.attachments?.[0]?.content?.actions?.[0]?.title === 'Where');
  await until('the canned dialog', async () => { // asked for when the card went out: at hand soon
    await road.press({label: 'Where'});
    return (await road.invoked('the dialog')).body?.task?.value?.card?.content.body[0].id === 'street';
  });
  const sample = {type: 'AdaptiveCard', version: '1.0', body: [{type: 'Container', items: [{type: 'TextBlock', text: 'Publish Adaptive Card schema', weight: 'bolder'},
    {type: 'ColumnSet', columns: [{type: 'Column', width: 'auto', items: [{type: 'Image', url: '\nhttps://pbs.example.org/400x400.jpeg', size: 'small', style: 'person'}]}]}]},
    {type: 'Container', items: [{type: 'FactSet', facts: [{title: 'Board:', value: 'Adaptive Card'}]}]}],
    actions: [{type: 'Action.ShowCard', title: 'Comment', card: {type: 'AdaptiveCard', body: [{type: 'Input.Text', id: 'comment', isMultiline: true}], actions: [{type: 'Action.Submit', title: 'OK'}]}},
      {type: 'Action.OpenUrl', title: 'View', url: 'https://adaptivecards.io'}]};
  await road.agent(c, {text: JSON.stringify(sample)});
  await road.guestHas('the sample', x => x.activity.attachments?.[0]?.content?.actions?.[0]?.title === 'Comment');
  await road.press({label: 'OK', inputs: {comment: 'looks fine'}});
  await road.deskHas('the comment', x => /comment: looks fine/.test(x.text ?? x.button?.text ?? ''));
  await road.teams.post('/sim/guests/1/dialog', {data: {note: 'ring twice'}});
  await road.deskHas('what the dialog says', x => /note: ring twice/.test(x.text ?? x.button?.text ?? ''));
});

test('a channel: who is meant, and where the answer goes', async t => {
  const road = await startRoad(t);
  await road.send({type: 'text', text: 'lunch?', mention: false, as: '2'}, 'room');
  const first = await road.send({type: 'text', text: 'where is it?', as: '2'}, 'room');
  const {c} = await road.deskHas('the mention', m => m.text === 'where is it?');
  assert.equal(c.guest.name, 'Ben Okafor');
  await road.agent(c, {text: 'Here'});
  const got = await road.guestHas('the answer in the thread', m => /Here/.test(m.activity.text ?? ''), 'room');
  assert.equal(got.thread, first.id);
  await road.send({type: 'text', text: 'and the other?', mention: false, as: '2', thread: first.id}, 'room');
  const {c: same} = await road.deskHas('what follows in the thread', m => m.text === 'and the other?');
  assert.equal(same.id, c.id);
  assert.ok(!same.messages.some(m => m.text === 'lunch?'), 'what others say to each other stays there');
});

test('429 and 412 are waited for, 500 is not repeated, a lost answer is not repeated; duplicates and order', async t => {
  const road = await startRoad(t);
  await road.send({type: 'text', text: 'Hi'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi');
  const paths = ['/emea/v3/conversations/*'];
  for (const [status, word] of [[429, 'after too many'], [412, 'after two at once'], [503, 'after a while']]) {
    await road.teams.post('/sim/faults', {paths, method: 'POST', status, times: 1, retry_after_s: 1});
    await road.agent(c, {text: word});
    await road.guestHas(word, m => (m.activity.text ?? '').includes(word));
  }
  await road.teams.post('/sim/faults', {paths, method: 'POST', status: 500, times: 1});
  await road.agent(c, {text: 'refused by the service'});
  await until('the desk is told', async () => (await road.desk.get(`/sim/conversations/${c.id}`)).messages.find(m => m.from === 'agent' && m.state === 'failed'));
  await road.teams.post('/sim/faults', {paths, method: 'POST', reset_after_share: 1, times: 1});
  await road.agent(c, {text: 'once only'});
  await road.guestHas('the one whose answer is lost', m => /once only/.test(m.activity.text ?? ''));
  await road.teams.post('/sim/faults', {paths, method: 'POST', timeout_share: 1, timeout_ms: 10000, times: 1});
  await road.agent(c, {text: 'no answer in time'});
  await road.guestHas('the one whose answer never comes', m => /no answer in time/.test(m.activity.text ?? ''));
  await until('both are marked unknown', async () => /dragoman_outcomes_total\{connector="teams",outcome="unknown"\} 2/.test((await road.hub.call('GET', '/metrics')).text));
  await road.teams.call('DELETE', '/sim/faults');
  await road.agent(c, {text: 'the last'});
  await road.guestHas('the next', m => /the last/.test(m.activity.text ?? ''));
  const all = await road.screen();
  assert.equal(all.filter(m => /once only/.test(m.activity.text ?? '')).length, 1);
  assert.equal(all.filter(m => /no answer in time/.test(m.activity.text ?? '')).length, 1);
  assert.ok(!all.some(m => /refused by the service/.test(m.activity.text ?? '')));
  await road.teams.post('/sim/faults', {duplicate_share: 1});
  for (const text of ['one', 'two', 'three']) await road.send({type: 'text', text});
  const {c: after} = await road.deskHas('the third', m => m.text === 'three');
  await until('each once', async () => {
    const texts = (await road.desk.get(`/sim/conversations/${after.id}`)).messages.filter(m => m.from === 'guest').map(m => m.text).slice(-3);
    return JSON.stringify(texts) === '["one","two","three"]';
  });
  await road.teams.post('/sim/faults', {bad_signature_share: 1});
  await road.send({type: 'text', text: 'badly signed'});
  await until('it is refused', async () => (await road.counters()).webhooks.results[0].status === 403);
  await road.teams.post('/sim/faults', {reorder_share: 0.5, seed: 3});
  for (let i = 0; i < 6; i++) await road.send({type: 'text', text: `number ${i}`});
  await until('all, whatever their order on the way', async () => {
    const texts = (await road.desk.get(`/sim/conversations/${after.id}`)).messages.map(m => m.text).filter(x => /^number/.test(x ?? ''));
    return new Set(texts).size === 6 && texts.length === 6;
  });
});

test('nothing that is not verified is taken; keys rotate; without keys the sender is told to come again', async t => {
  const road = await startRoad(t, {env: {DRAGOMAN_ADMIN_PASSWORD: adminPassword}});
  await road.send({type: 'text', text: 'mine'});
  await road.deskHas('the true one', m => m.text === 'mine');
  const fetched = (await road.counters()).keys;
  await road.teams.post('/sim/keys', {rotate: true});
  await road.send({type: 'text', text: 'with a new key'});
  await road.deskHas('a text under the new key', m => m.text === 'with a new key');
  const looked = (await road.counters()).keys;
  assert.ok(looked > fetched);
  for (const forge of ['expired', 'early', 'issuer', 'audience', 'service', 'kid', 'endorsement', 'signature', 'none']) {
    const before = (await road.counters()).refused;
    await road.send({type: 'text', text: `forged ${forge}`, forge});
    const now = await until(`${forge} is refused`, async () => { const n = await road.counters(); return n.refused > before && n; });
    assert.equal(now.webhooks.results[0].status, 403, forge);
  }
  const admin = await login(road.hub.base, 'admin', adminPassword);
  const {items} = (await admin.call('GET', `/channels/${encodeURIComponent('test-shop/teams')}/refused`)).json;
  const found = Object.fromEntries(items.map(i => [i.now.part, i.now.text]));
  assert.deepEqual(Object.keys(found).sort(), ['account', 'clock', 'header'], 'an operator is told what is wrong with each');
  assert.match(found.account, /another bot/);
  assert.ok(!JSON.stringify(items).includes('eyJ'), 'no tokens');
  const body = JSON.stringify({type: 'message', serviceUrl: road.teams.base + '/emea/', channelId: 'msteams', from: {id: '29:x'}, conversation: {id: 'a:x'}, recipient: {id: '28:11111111-2222-3333-4444-555555555555'}, text: 'forged'});
  assert.equal((await road.hub.call('POST', '/teams', body)).status, 403);
  assert.equal((await road.hub.call('POST', '/teams', body, {authorization: 'Bearer x.y.z'})).status, 403);
  assert.ok((await road.counters()).keys <= (several ? looked + 2 : looked), 'made-up keys do not have them fetched again and again');
  await road.send({type: 'text', text: 'the end'});
  const {c} = await road.deskHas('the last', m => m.text === 'the end');
  assert.ok(!c.messages.some(m => /forged/.test(m.text ?? '')));
});

test('an unreachable key server: 503, and the message comes through when it is back', async t => {
  const road = await startRoad(t, {args: ['--tries', '100', '--retry-ms', '200']});
  await road.teams.post('/sim/faults', {paths: ['/v1/.well-known/*'], status: 500});
  await road.send({type: 'text', text: 'patience'});
  await until('a 503', async () => (await road.counters()).webhooks.results.some(r => r.status === 503));
  await road.teams.call('DELETE', '/sim/faults');
  await road.deskHas('the text', m => m.text === 'patience');
});

test('a guest who takes the app away; one who never wrote but installed it', async t => {
  const road = await startRoad(t);
  await road.send({type: 'text', text: 'bye'});
  const {c} = await road.deskHas('the text', m => m.text === 'bye');
  await road.send({type: 'remove'});
  await road.agent(c, {text: 'Wait'});
  await until('the desk is told', async () => (await road.desk.get(`/sim/conversations/${c.id}`)).messages.find(m => m.from === 'agent' && m.state === 'failed'));
  await road.send({type: 'install'});
  await road.agent(c, {text: 'Welcome back'});
  await road.guestHas('the next', m => /Welcome back/.test(m.activity.text ?? ''));
});

// ---- registration ------------------------------------------------------------------------------------------------------------

const submit = async (road, form) => { const r = await fetch(road.hub.base + '/teams/register', {method: 'POST', body: form}); return {status: r.status, text: await r.text(), headers: r.headers}; };
const linkOf = (text, path) => text.match(new RegExp(`https?://[^"<]*${path}\\?[^"<]*`))?.[0].replaceAll('&amp;', '&');

test('a customer registers, the operator binds, the package is fetched, a change raises its version', async t => {
  const road = await startRoad(t, {register: true});
  const empty = await fetch(road.hub.base + '/teams/register');
  assert.match(await empty.text(), /not yet registered/);
  assert.match(empty.headers.get('content-security-policy'), /^default-src 'none'/);
  for (const [over, why] of [[{color_icon: new Blob([png(64, [1, 2, 3, 255])])}, /192x192/], [{outline_icon: new Blob([png(32, [1, 2, 3, 255])])}, /white or transparent/],
    [{outline_icon: new Blob(['nonsense'])}, /32x32/], [{tenant: 'acme'}, /GUID/], [{accent: 'red'}, /accent/], [{email: 'ana'}, /e-mail/], [{bot_name: 'x'.repeat(31)}, /30 characters/]]) {
    const r = await submit(road, registration(over));
    assert.equal(r.status, 400, String(why));
    assert.match(r.text, why);
    assert.match(r.text, /ACME &amp; Sons/, 'what was filled in stays');
  }
  assert.equal((await fetch(road.hub.base + '/teams/register', {method: 'POST', headers: {'content-type': 'multipart/form-data; boundary=x'}, body: 'nonsense'})).status, 400);
  const done = await submit(road, registration());
  assert.equal(done.status, 200);
  assert.match(done.text, /is registered with us/, 'the account lists this organisation already');
  const page = linkOf(done.text, '/teams/register'), app = linkOf(done.text, '/teams/register/app');
  assert.match((await submit(road, registration({bot_name: 'Mine now'}))).text, /known to us/);
  assert.equal((await fetch(app.replace(/key=.*/, 'key=guess'))).status, 404);
  const files = unzip(Buffer.from(await (await fetch(app)).arrayBuffer()));
  assert.deepEqual(Object.keys(files), ['manifest.json', 'color.png', 'outline.png']);
  const manifest = JSON.parse(files['manifest.json']);
  assert.equal(manifest.version, '1.0.0');
  assert.equal(manifest.name.short, 'ACME Care');
  const key = new URL(page).searchParams.get('key');
  const changed = await submit(road, registration({key, bot_name: 'ACME Help', color_icon: undefined, outline_icon: undefined}));
  assert.match(changed.text, /Version 1\.0\.1/);
  assert.match((await submit(road, registration({key, bot_name: 'ACME Help', color_icon: undefined, outline_icon: undefined}))).text, /Version 1\.0\.1/, 'nothing changed');
  assert.equal(JSON.parse(unzip(Buffer.from(await (await fetch(app)).arrayBuffer()))['manifest.json']).version, '1.0.1');
  await road.programs.hub.stop();
  road.programs.hub.start();
  await until('the hub is back', async () => (await road.hub.get('/healthz/readiness?worker')).ready);
  assert.match(await (await fetch(page)).text(), /ACME Help/, 'it survives a restart');
  const again = {bot_name: 'ACME Help', color_icon: undefined, outline_icon: undefined};
  const other = 'bbbbbbbb-0000-4000-8000-000000000002';
  assert.equal((await submit(road, registration({...again, key, new_tenant: 'acme'}))).status, 400);
  const taken = await submit(road, registration({tenant: 'cccccccc-0000-4000-8000-000000000003'}));
  assert.match(taken.text, /being processed/);
  assert.match((await submit(road, registration({...again, key, new_tenant: 'cccccccc-0000-4000-8000-000000000003'}))).text, /known to us already/);
  assert.match((await submit(road, registration({...again, key, new_tenant: other}))).text, /being processed/, 'no channel lists this one');
  assert.match(await (await fetch(page)).text(), /not yet registered/, 'the old one is free');
  assert.match(await (await fetch(page.replace(tenantId, other))).text(), /ACME Help/);
});

test('a button pressed twice registers once, and the link is shown again', async t => {
  const road = await startRoad(t, {register: true});
  const key = (await (await fetch(road.hub.base + '/teams/register')).text()).match(/name="key" value="([0-9a-f]{32})"/)[1];
  const links = [];
  for (const form of [registration({key}), registration({key})]) {
    const r = await submit(road, form);
    assert.equal(r.status, 200);
    assert.match(r.text, /Version 1\.0\.0/);
    links.push(linkOf(r.text, '/teams/register'));
  }
  assert.equal(links[0], links[1]);
  assert.match(await (await fetch(links[1])).text(), /ACME Care/);
  assert.match((await submit(road, registration({key: 'f'.repeat(32)}))).text, /known to us/, 'of somebody else');
});

test('before there is a channel a customer can register, and the operator sees it', async t => {
  const road = await startRoad(t, {register: 'before'});
  const done = await submit(road, registration());
  assert.match(done.text, /being processed/);
  assert.equal((await fetch(linkOf(done.text, '/teams/register').replace('/register?', '/register/app?'))).status, 404, 'no package before there is a bot');
  await until('a line for the operator', () => road.programs.hub.text().includes('asks to be registered'));
  assert.ok(!road.programs.hub.text().includes('ana@acme.example'));
  const {readFileSync} = await import('node:fs');
  const admin = readFileSync(`${road.dir}/data/admin.token`, 'utf8').trim();
  const seen = await road.hub.call('GET', `/internal/registrations/teams/${tenantId}`, undefined, {authorization: `Bearer ${admin}`});
  assert.equal(seen.json.email, 'ana@acme.example');
  assert.equal((await road.hub.call('GET', `/internal/registrations/teams/${tenantId}`)).status, 401);
});
