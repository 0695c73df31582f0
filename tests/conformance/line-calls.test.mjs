// Every call the hub makes to LINE has the shape that LINE's own description gives it, and LINE's library takes it.
import test from 'node:test';
import assert from 'node:assert/strict';
import {startRoad, until} from '../e2e/harness.mjs';
import {need} from '../npm/need.mjs';
import {Recorder} from './recorder.mjs';
import {shapes} from './schema.mjs';

const {messagingApi} = need('@line/bot-sdk');
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const mp4 = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypmp42\0\0\0\0mp42isom'), Buffer.alloc(64)]).toString('base64');
const json = o => ({text: JSON.stringify(o)});
const tea = n => ({title: `Tea ${n}`, description: 'Green', image: 'https://img.example.com/t.png', defaultAction: {type: 'Link', url: 'https://shop.example.com/tea'},
  actions: [{type: 'Postback', text: 'Buy', payload: `buy-${n}`}, {type: 'Link', text: 'More', url: 'https://shop.example.com/tea'}]});
const flex = {type: 'flex', altText: 'A parcel', contents: {type: 'bubble',
  header: {type: 'box', layout: 'vertical', contents: [{type: 'text', text: 'Parcel', weight: 'bold'}]},
  hero: {type: 'image', url: 'https://img.example.com/p.png', size: 'full', aspectRatio: '20:13', aspectMode: 'cover'},
  body: {type: 'box', layout: 'horizontal', contents: [{type: 'text', text: 'On its way', wrap: true, flex: 2}, {type: 'separator'}]},
  footer: {type: 'box', layout: 'vertical', contents: [{type: 'button', style: 'primary', action: {type: 'uri', label: 'Track', uri: 'https://shop.example.com/track'}}]}}};

// What the agent sends, and the kind of bubble the phone must show for it.
const deeds = [
  ['text', {text: 'On its way! 🙂'}, m => m.type === 'text' && m.text === 'On its way! 🙂'],
  ['a long text', {text: 'あ'.repeat(1999)}, m => m.type === 'text' && m.text.length === 1999],
  ['a picture', {attachment: {base64: png, name: 'receipt.png', mime: 'image/png'}}, m => m.type === 'image'],
  ['a film', {attachment: {base64: mp4, name: 'film.mp4', mime: 'video/mp4'}}, m => m.type === 'video'],
  ['a file as a link', {attachment: {base64: 'JVBERi0xLjQK', name: 'terms.pdf', mime: 'application/pdf'}}, m => /terms\.pdf/.test(JSON.stringify(m))],
  ['a location', json({type: 'location', title: 'Tokyo Tower', address: '4-2-8 Shibakoen', latitude: 35.6586, longitude: 139.7454}), m => m.type === 'location' && m.title === 'Tokyo Tower'],
  ['a sticker', json({type: 'sticker', packageId: '446', stickerId: '1988'}), m => m.type === 'sticker' && m.stickerId === '1988'],
  ['quick replies', {text: 'Shall we?', quick_replies: [{text: 'Yes', payload: 'yes-1'}, 'No']}, m => m.quickReply?.items.length === 2],
  ['thirteen quick replies', {text: 'Which?', quick_replies: [...Array(13).keys()].map(n => ({text: `Answer number ${n} is long`, payload: `p${n}`}))}, m => m.quickReply?.items.length === 13],
  ['a card', {cards: [tea(1)]}, m => m.type === 'flex' && m.contents.type === 'bubble'],
  ['a carousel', {cards: [tea(1), tea(2), tea(3)]}, m => m.type === 'flex' && m.contents.type === 'carousel' && m.contents.contents.length === 3],
  ['a date picker', {text: 'When?', date_picker: {title: 'When?', subtitle: 'Pick', availableTimes: [{duration: 1800, dateTime: '2031-01-02T03:00:00.000Z'}, {duration: 1800, dateTime: '2031-01-02T04:00:00.000Z'}]}}, m => /When\?/.test(JSON.stringify(m))],
  ['a list picker', {text: 'About?', list_picker: {sections: [{title: 'Subject', items: [{id: 'a', title: 'My parcel'}, {id: 'b', title: 'My bill'}]}],
    receivedMessage: {title: 'About?', subtitle: 'One', buttonLabel: 'Choose'}, replyMessage: {title: 'Chosen'}}}, m => /My parcel/.test(JSON.stringify(m))],
  ['LINE\'s own flex object', json(flex), m => m.type === 'flex' && m.altText === 'A parcel'],
  ['LINE\'s own template', json({type: 'template', altText: 'Sure?', template: {type: 'confirm', text: 'Sure?', actions: [{type: 'message', label: 'Yes', text: 'yes'}, {type: 'postback', label: 'No', data: 'no'}]}}), m => m.type === 'template'],
];

test('every body the hub sends to LINE is as LINE describes it, and its library sends the same', async t => {
  const line = new Recorder();
  const road = await startRoad(t, {between: {line: url => line.start(t, url)}, line: {mark_as_read: true, show_system_messages: true}, desk: {supported_content: 'allMedia'}});
  const phone = async () => (await road.line.get('/sim/guests/1/messages')).messages.filter(m => m.from === 'account').map(m => m.message);
  await road.line.post('/sim/guests/1/send', {type: 'text', text: 'Hello?'});
  const {id} = await until('the conversation', async () => (await road.desk.get('/sim/conversations')).conversations[0]);
  await road.desk.post(`/sim/conversations/${id}/agent`, {typing: true, agent: 'Ken Ito'});
  for (const [what, body, shows] of deeds) {
    const before = (await phone()).length;
    await road.desk.post(`/sim/conversations/${id}/agent`, {agent: 'Ken Ito', ...body});
    await until(`${what} on the phone`, async () => (await phone()).slice(before).some(shows));
  }
  await road.desk.post(`/sim/conversations/${id}/end`);

  await until('the last call is answered', () => line.calls.some(c => c.body.includes('"template"')));
  const told = shapes('line-calls');
  const sent = [...line.to('/v2/bot/message/push'), ...line.to('/v2/bot/message/reply')];
  assert.ok(line.to('/v2/bot/message/reply').length >= 1, 'the first answer is a reply');
  assert.ok(sent.length >= deeds.length);
  for (const c of line.calls.filter(c => told.calls.includes(c.path) && c.method !== 'GET')) {
    told.check(c.path, JSON.parse(c.body));
    assert.ok(c.status >= 200 && c.status < 300, `${c.path}: ${c.status} ${c.answer}`);
    assert.match(c.headers['content-type'], /^application\/json/);
    assert.match(c.headers.authorization, /^Bearer \S+$/);
  }
  for (const c of line.to('/v2/bot/message/push')) assert.match(c.headers['x-line-retry-key'], /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const unknown = line.calls.filter(c => c.method === 'POST' && !told.calls.includes(c.path) && !c.path.startsWith('/oauth2/')).map(c => c.path);
  assert.deepEqual(unknown, [], 'a shape for every call');
  const kinds = new Set(sent.flatMap(c => JSON.parse(c.body).messages.map(m => m.type)));
  assert.deepEqual([...kinds].sort(), ['flex', 'image', 'location', 'sticker', 'template', 'text', 'video']);

  // The library's own client sends each of these bodies on, and the other end finds nothing wrong with it.
  const token = line.calls.find(c => c.headers.authorization).headers.authorization.slice(7);
  const client = new messagingApi.MessagingApiClient({channelAccessToken: token, baseURL: road.line.base});
  for (const c of sent) {
    const {messages} = JSON.parse(c.body);
    await (c.path.endsWith('push') ? client.validatePush({messages}) : client.validateReply({messages}));
  }
});

test('the shapes refuse what LINE does not take', () => {
  const told = shapes('line-calls');
  const push = m => ({to: 'U1', messages: [m]});
  told.check('/v2/bot/message/push', push({type: 'text', text: 'x'}));
  const rows = [
    [push({type: 'text'}), /required property 'text'/], [push({type: 'text', text: 1}), /must be string/], [push({type: 'note', text: 'x'}), /value of tag/],
    [push({type: 'text', text: 'x', replies: []}), /additional properties/], [{messages: []}, /required property 'to'/],
    [push({type: 'flex', altText: 'a', contents: {type: 'bubble', body: {type: 'box', layout: 'diagonal', contents: []}}}), /allowed values/],
    [push({type: 'location', title: 't', address: 'a', latitude: '1', longitude: 2}), /must be number/],
  ];
  for (const [body, why] of rows) assert.throws(() => told.check('/v2/bot/message/push', body), why, JSON.stringify(body));
});
