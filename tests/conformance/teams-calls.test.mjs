// What the hub sends to Teams, and the package it makes, against the vendor's descriptions.
import test from 'node:test';
import assert from 'node:assert/strict';
import {startRoad} from '../e2e/teams.mjs';
import {png, registration, unzip} from '../e2e/teams-register.mjs';
import {shapes} from './schema.mjs';

const png1 = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

test('every kind of message is an activity as the vendor describes it', async t => {
  const road = await startRoad(t), calls = shapes('teams-calls');
  await road.allowFiles();
  await road.send({type: 'text', text: 'Hi'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi');
  const file = (name, mime, base64) => ({attachment: {base64, name, mime}});
  const many = Array.from({length: 9}, (_, i) => ({text: `No. ${i}`, payload: `n-${i}`}));
  const said = [{text: 'A text', agent: 'Ken Ito'}, file('a.png', 'image/png', png1), file('b.pdf', 'application/pdf', 'AAAA'), {text: 'Well?', quick_replies: [{text: 'Yes', payload: 'Yes'}]},
    {text: 'Or?', quick_replies: [{text: 'Yes', payload: 'y-1'}, {text: 'No', payload: 'n-1'}]}, {text: 'Which?', quick_replies: many}];
  for (const [i, what] of said.entries()) {
    await road.agent(c, what);
    await road.guestHas(`message ${i}`, () => true);
  }
  await road.guestHas('the many', m => m.activity.attachments?.[0]?.content?.body?.some(b => b.type === 'ActionSet'));
  await road.guestHas('the question', m => /consent/.test(m.activity.attachments?.[0]?.contentType ?? ''));
  await road.teams.post('/sim/guests/1/consent', {accept: true});
  await road.guestHas('the file', m => /file\.info/.test(m.activity.attachments?.[0]?.contentType ?? ''));
  const sent = (await road.screen()).filter(m => m.from === 'bot');
  assert.ok(sent.length >= said.length);
  for (const m of sent) calls.check('activity', m.activity);
});

test('the app package: three files at its root, and a manifest as the vendor\'s schema wants it', async t => {
  const road = await startRoad(t, {register: true}), shape = shapes('teams-manifest');
  const page = await (await fetch(road.hub.base + '/teams/register', {method: 'POST', body: registration({bot_name: 'ACME Care and Service of 30 c'})})).text();
  const app = page.match(/https?:\/\/[^"<]*\/teams\/register\/app\?[^"<]*/)[0].replaceAll('&amp;', '&');
  const r = await fetch(app);
  assert.equal(r.headers.get('content-type'), 'application/zip');
  const files = unzip(Buffer.from(await r.arrayBuffer()));
  assert.deepEqual(Object.keys(files).sort(), ['color.png', 'manifest.json', 'outline.png']);
  assert.deepEqual(files['color.png'], png(192, [1, 2, 3, 255]));
  shape.check('manifest', JSON.parse(files['manifest.json']));
});
