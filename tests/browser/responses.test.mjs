// Canned responses and the Commander in the console; and at the built-in desk: an agent sends a canned carousel, the guest taps an answer in the shop's chat.
import test from 'node:test';
import assert from 'node:assert/strict';
import {generateKeyPairSync} from 'node:crypto';
import {until} from '../e2e/harness.mjs';
import {errorOf, field, input, startConsole, tab} from './console.mjs';
import {say, startDesk, violations} from './desk.mjs';

const carousel = `{ // as people write it
  "type": "carousel", "text": "{{greeting}}, what shall it be?",
  "cards": [
    {"title": "Green tea", "description": "From {{from}}", "actions": [{"text": "Buy tea", "payload": "buy-tea"}]},
    {"title": "Coffee", "actions": [{"text": "Buy coffee", "payload": "buy-coffee"}]},
  ],
}`;
const canned = {name: 'What we have', library: 'Shop', text: carousel, substitutions: [{id: 'greeting', default_value: 'Hello'}, {id: 'from', description: 'Where from', default_value: 'somewhere'}]};

test('the page of canned responses: one is made, tried for a network, changed, and removed', async t => {
  const site = await startConsole(t);
  const page = await site.open();
  const row = page.getByTestId('response');
  const dialog = page.getByRole('dialog');
  await page.getByTestId('nav-responses').click();
  await page.getByRole('heading', {name: 'Canned responses'}).waitFor();
  await page.getByTestId('empty').filter({hasText: 'no canned responses yet'}).waitFor();
  assert.deepEqual(await violations(page), []);

  await page.getByTestId('response-add').click();
  await input(dialog, 'name').fill(canned.name);
  await input(dialog, 'library').fill('Shop');
  await field(dialog, 'text').locator('textarea').fill(carousel);
  for (const [i, s] of canned.substitutions.entries()) {
    await dialog.getByRole('button', {name: 'Add', exact: true}).click();
    await dialog.getByLabel(`Name ${i + 1}`).fill(s.id);
    await dialog.getByLabel(`Default value ${i + 1}`).fill(s.default_value);
  }
  await dialog.getByRole('button', {name: 'Save'}).click();
  await row.filter({hasText: canned.name}).waitFor();
  assert.equal((await site.admin.call('GET', `/responses/${encodeURIComponent(canned.name)}`)).json.text, carousel);

  await page.getByTestId('response-add').click();
  await input(dialog, 'name').fill('what WE have');
  await field(dialog, 'text').locator('textarea').fill('x');
  await dialog.getByRole('button', {name: 'Save'}).click();
  await errorOf(dialog, 'name').filter({hasText: 'there is a canned response of this name'}).waitFor();
  await dialog.getByRole('button', {name: 'Cancel'}).click();

  await page.getByRole('button', {name: `Try: ${canned.name}`}).click();
  await input(dialog, 'from').fill('Uji');
  await input(dialog, 'network').selectOption({label: 'LINE'});
  await dialog.getByRole('button', {name: 'Try', exact: true}).click();
  const shown = dialog.getByTestId('rendered');
  for (const text of ['Hello, what shall it be?', 'From Uji', 'buy-coffee']) await shown.getByText(text).waitFor();
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole('button', {name: 'Cancel'}).click();

  await page.getByRole('button', {name: `Change: ${canned.name}`}).click();
  await field(dialog, 'text').locator('textarea').fill('{"type": "carousel"');
  await dialog.getByRole('button', {name: 'Save'}).click();
  await dialog.waitFor({state: 'detached'});
  await page.getByRole('button', {name: `Try: ${canned.name}`}).click();
  await dialog.getByRole('button', {name: 'Try', exact: true}).click();
  await shown.getByRole('alert').filter({hasText: 'its JSON is not valid: line 1'}).waitFor();
  await dialog.getByRole('button', {name: 'Cancel'}).click();

  await page.getByLabel('Search').fill('nothing like it');
  await row.waitFor({state: 'detached'});
  await page.getByLabel('Search').fill('have');
  await page.getByRole('button', {name: `Delete: ${canned.name}`}).click();
  await dialog.getByRole('button', {name: 'Delete'}).click();
  await row.waitFor({state: 'detached'});
  assert.equal((await site.admin.call('GET', `/responses/${encodeURIComponent(canned.name)}`)).status, 404);
  site.good();
});

test('the Commander of a tenant: its prefix, a language with a key file, its agent to import', async t => {
  const site = await startConsole(t);
  const {id} = await site.tenant();
  const page = await site.open();
  await page.goto(`${site.hub.base}/#/tenants/${id}`);
  await tab(page, 'Commander').click();
  const form = page.getByTestId('commander');
  await input(form, 'commander.prefix').fill(' !');
  await page.getByTestId('save').click();
  await errorOf(form, 'commander.prefix').waitFor();
  await input(form, 'commander.prefix').fill('!');
  await input(form, 'commander.time_zone').fill('Asia/Tokyo');
  await page.getByTestId('save').click();
  await errorOf(form, 'commander.prefix').waitFor({state: 'detached'});
  assert.deepEqual(await violations(page), []);
  const saved = await until('it is saved', async () => { const {commander} = (await site.admin.call('GET', `/tenants/${id}`)).json; return commander?.prefix && commander; }); // its mark went when it was typed
  assert.equal(saved.prefix, '!');
  assert.equal(saved.time_zone, 'Asia/Tokyo');

  await input(form, 'commander.default').uncheck(); // it is the tenant's own: with a language service
  await field(form, 'commander.language').locator('select').selectOption({label: 'Google Dialogflow ES'});
  const {privateKey} = generateKeyPairSync('rsa', {modulusLength: 2048, privateKeyEncoding: {type: 'pkcs8', format: 'pem'}, publicKeyEncoding: {type: 'spki', format: 'pem'}});
  const key = {type: 'service_account', project_id: 'shop-words', client_email: 'hub@shop-words.iam.gserviceaccount.com', client_id: '42', private_key_id: 'k1', private_key: privateKey};
  for (const wrong of ['no JSON', 'null', '{"type": "authorized_user", "client_id": "42"}']) {
    await form.getByLabel('Take the key from its file (JSON)').setInputFiles({name: 'other.json', mimeType: 'application/json', buffer: Buffer.from(wrong)});
    await errorOf(form, 'commander.key_file').filter({hasText: 'This file cannot be used'}).waitFor();
  }
  await form.getByLabel('Take the key from its file (JSON)').setInputFiles({name: 'key.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(key))});
  await until('the file is read', async () => await input(form, 'commander.language.project_id').inputValue() !== '');
  assert.equal(await input(form, 'commander.language.project_id').inputValue(), 'shop-words');
  await errorOf(form, 'commander.key_file').waitFor({state: 'detached'});
  const link = form.getByRole('link', {name: /\.zip$/});
  const got = await page.evaluate(async href => { const r = await fetch(href); return [r.status, r.headers.get('content-type'), new TextDecoder().decode((await r.arrayBuffer()).slice(0, 2))]; }, await link.getAttribute('href'));
  assert.deepEqual(got, [200, 'application/zip', 'PK']);
  await page.getByTestId('save').click();
  await until('it is saved', async () => (await site.admin.call('GET', `/tenants/${id}`)).json.commander.language !== undefined);
  const {language} = (await site.admin.call('GET', `/tenants/${id}`)).json.commander;
  assert.equal(language.project_id, 'shop-words');
  assert.deepEqual(language.private_key, {set: true}, 'the key does not come back');
  site.good();
});

test('an agent sends a canned carousel from the desk\'s page, the guest taps an answer in the chat', async t => {
  const site = await startDesk(t);
  assert.equal((await site.admin.call('POST', '/responses', canned)).status, 201);
  const kim = await site.agent('kim');
  const ana = await site.guest('Ana');
  const other = text => ana.getByTestId('other').filter({hasText: text});
  await say(ana, 'What do you have?');
  await kim.getByTestId('accept').first().click();
  await kim.getByTestId('line-guest').filter({hasText: 'What do you have?'}).waitFor();

  await kim.keyboard.press('Alt+i');
  await kim.getByTestId('response').filter({hasText: canned.name}).click();
  await kim.getByLabel('Where from').fill('Uji');
  await kim.getByTestId('response-take').click();
  await kim.getByTestId('response-preview').getByText('From Uji').waitFor();
  assert.deepEqual(await violations(kim), []);
  await kim.getByTestId('response-take').click();
  await kim.getByRole('dialog').waitFor({state: 'detached'});

  await other('From Uji').waitFor();
  await other('Hello, what shall it be?').waitFor();
  await ana.getByRole('button', {name: 'Buy coffee'}).click();
  await ana.getByTestId('own').filter({hasText: 'Buy coffee'}).waitFor();
  await kim.getByTestId('line-guest').filter({hasText: 'Buy coffee'}).waitFor();

  await say(kim, '> send "What we have" with greeting="Good day"'); // the same by a command, which the guest never sees
  await other('Good day, what shall it be?').waitFor();
  assert.equal(await other('> send').count(), 0);
  await ana.getByRole('button', {name: 'Buy tea'}).last().click();
  await kim.getByTestId('line-guest').filter({hasText: 'Buy tea'}).waitFor();
  site.good();
});
