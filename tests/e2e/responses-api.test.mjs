// The hub's own canned responses and the commander's settings, over the API.
import test from 'node:test';
import assert from 'node:assert/strict';
import {goodTenant, startHub} from './hub.mjs';

test('responses are made, changed, rendered and removed; they survive a restart', async t => {
  const hub = await startHub(t, {tenants: [goodTenant()]});
  let admin = await hub.login();
  const doc = {name: 'Good day', text: 'Hello {{name}}!', substitutions: [{id: 'name', description: 'whom', default_value: 'you'}]};
  const made = await admin.call('POST', '/responses', doc);
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.get('location'), '/api/v1/responses/Good%20day');
  assert.equal((await admin.call('POST', '/responses', {...doc, name: 'GOOD DAY'})).status, 409);
  for (const [bad, field] of [[{name: '', text: 'x'}, 'name'], [{name: 'x'}, 'text'], [{...doc, name: 'y', substitutions: [{id: 'a{{b'}]}, 'substitutions[0].id'],
    [{...doc, name: 'y', substitutions: [{id: 'a'}, {id: 'end'}]}, 'substitutions[1].id'], [{...doc, colour: 1}, 'colour']]) {
    const r = await admin.call('POST', '/responses', bad);
    assert.ok([400, 422].includes(r.status), r.text);
    assert.match(r.text, new RegExp(field.replace(/[[\]]/g, '\\$&')));
  }
  const rendered = await admin.call('POST', '/responses/good%20day/render', {values: {name: 'Ann'}});
  assert.deepEqual(rendered.json, {name: 'Good day', text: 'Hello Ann!', messages: [{kind: 'text', text: 'Hello Ann!'}]});
  const change = await admin.call('PUT', '/responses/Good%20day', {name: 'Choice', text: '{"genesys_prompt": "{{q}}", "genesys_quick_replies": [{"text": "Yes"},] /* so */}', tenants: ['acme-and-line']}, {'if-match': '"1"'});
  assert.equal(change.status, 200, change.text);
  assert.equal(change.json.rev, 2);
  assert.equal((await admin.call('GET', '/responses/Good%20day')).status, 404);
  assert.equal((await admin.call('PUT', '/responses/Choice', {...doc, name: 'Choice'}, {'if-match': '"1"'})).status, 412);
  const shown = (await admin.call('GET', '/responses/Choice')).json;
  const again = await admin.call('PUT', '/responses/Choice', {...shown, library: 'Shop'});
  assert.deepEqual([again.status, again.json.library, again.json.rev], [200, 'Shop', 3], `sent back as it was shown: ${again.text}`);
  await hub.program.stop('SIGKILL');
  await hub.start();
  admin = await hub.login();
  const list = await admin.call('GET', '/responses?tenant=acme-and-line');
  assert.deepEqual(list.json.items.map(r => r.name), ['Choice']);
  const choice = await admin.call('POST', '/responses/Choice/render', {values: {q: 'Say "when"\n?'}, network: 'line'});
  assert.deepEqual(choice.json.messages, [{kind: 'choices', text: 'Say "when"\n?', choices: [{label: 'Yes'}]}], choice.text);
  const bad = await admin.call('PUT', '/responses/Choice', {name: 'Choice', text: '{\n"type": "card"\n"x": 1}'});
  assert.equal(bad.status, 200);
  assert.match(bad.json.problem, /line 3: " where a comma or } is expected/, 'what is wrong with it is told when it is stored');
  for (const [text, problem] of [['Hello {{nam}}', /function "nam" not defined/], ['{{env "PATH"}}', /"env" is disabled/], ['{{fail "no"}}', /error calling fail/], ['> send "Good day"', undefined], ['Hello', undefined]]) {
    const {json} = await admin.call('PUT', '/responses/Choice', {name: 'Choice', text, substitutions: [{id: 'name'}]});
    if (problem) assert.match(json.problem, problem);
    else assert.equal(json.problem, undefined, text);
  }
  await admin.call('PUT', '/responses/Choice', {name: 'Choice', text: '{\n"type": "card"\n"x": 1}'});
  assert.match((await admin.call('POST', '/responses/Choice/render', {})).json.problem, /line 3: " where a comma or } is expected/);
  assert.equal((await admin.call('DELETE', '/responses/Choice')).status, 204);
  assert.equal((await admin.call('GET', '/responses')).json.items.length, 0);
  assert.ok((await admin.call('GET', '/audit')).json.items.some(r => r.action === 'response.delete' && r.target === 'Choice'));
});

test('a tenant\'s commander and the default one', async t => {
  const hub = await startHub(t, {settings: {commander: {prefix: '//'}}});
  const admin = await hub.login();
  const made = await admin.call('POST', '/tenants', {...goodTenant(), commander: {prefix: '!', time_zone: 'Asia/Tokyo'}});
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(made.json.commander, {prefix: '!', time_zone: 'Asia/Tokyo'});
  for (const bad of [{prefix: ' >'}, {time_zone: 'Asia/Nowhere'}, {language: {type: 'no-such'}}, {colour: 'red'}])
    assert.equal((await admin.call('PUT', `/tenants/${made.json.id}`, {...goodTenant(), commander: bad})).status, 400, JSON.stringify(bad));
  const off = await admin.call('PATCH', `/tenants/${made.json.id}`, {commander: {use: false}}, {'content-type': 'application/merge-patch+json'});
  assert.equal(off.json.commander.use, false, off.text);
  const before = await admin.call('GET', '/settings');
  assert.deepEqual(before.json.commander_of_file, {prefix: '//'});
  const put = await admin.call('PUT', '/settings', {commander: {prefix: '>>'}});
  assert.equal(put.status, 200, put.text);
  assert.deepEqual(put.json.commander, {prefix: '>>'});
  assert.deepEqual((await admin.call('PUT', '/settings', {proxy: null})).json.commander, {prefix: '>>'}, 'what is left out stays');
  assert.equal((await admin.call('PUT', '/settings', {commander: null})).json.commander, undefined);
  assert.equal((await admin.call('PUT', '/settings', {commander: {use: true}})).status, 400);
  const what = await admin.call('GET', '/commander');
  assert.deepEqual(Object.keys(what.json.schema.properties), ['prefix', 'time_zone', 'use', 'default']);
});
