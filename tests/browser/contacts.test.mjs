// The page of contacts, as an administrator uses it: search, addresses and attributes, history over all networks, merge, split, export, erase.
import test from 'node:test';
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {until} from '../e2e/harness.mjs';
import {ChatPage} from '../e2e/chat-page.mjs';
import {field, startConsole} from './console.mjs';

const pageKey = '3f0c2a9e-7d51-4d0a-9a55-0d7a6c1b2e90';

test('contacts: found, changed, merged, split, exported, erased', async t => {
  const site = await startConsole(t);
  const document = site.document();
  document.channels.push({type: 'webchat', api_key: pageKey, endpoints: 'main'});
  await site.tenant(document);
  const web = new ChatPage(`${site.hub.base}/nexus/v3/chat/sessions`, pageKey);
  await web.start({nickname: '<img src=x onerror="complain(1)">Ann', email: 'ann@example.net', endpoint: 'main'});
  await web.say('hello from the web');
  await site.says('hello from the phone');
  const page = await site.open();
  await page.getByTestId('nav-contacts').click();
  const contact = name => page.getByTestId('contact').filter({hasText: name});
  await contact('ann@example.net').waitFor();
  await until('both', async () => await page.getByTestId('contact').count() === 2);
  await contact('ann@example.net').getByText('Web chat', {exact: false}).waitFor();

  await t.test('search, and what was said', async () => {
    await page.getByRole('searchbox', {name: 'Name, number, address or attribute'}).fill('nobody');
    await page.getByText('Nothing was found.').waitFor();
    await page.getByRole('searchbox', {name: 'Name, number, address or attribute'}).fill('ANN@ex');
    await contact('ann@example.net').click();
    await page.getByTestId('said').filter({hasText: 'hello from the web'}).waitFor();
    await web.say('and one more');
    await page.getByTestId('said').filter({hasText: 'and one more'}).waitFor();
    await page.getByRole('searchbox', {name: 'Messages that contain this'}).fill('one MORE');
    await until('only the one', async () => await page.getByTestId('said').count() === 1);
  });

  await t.test('addresses and attributes', async () => {
    await field(page, 'phones').locator('textarea').fill('+49 170 1234567\nnone');
    await page.getByTestId('save').click();
    await field(page, 'phones').getByTestId('field-error').waitFor();
    await field(page, 'phones').locator('textarea').fill('+49 170 1234567');
    await field(page, 'name').locator('input').fill('Ann Lee');
    await page.getByTestId('attribute-add').click();
    await page.getByLabel('Attribute 1').fill('crm');
    await page.getByLabel('Value 1').fill('K-4711');
    await page.getByTestId('save').click();
    await page.getByTestId('news').getByText('The contact was saved').waitFor();
    const saved = (await site.admin.get('/contacts?q=4711')).items[0];
    assert.deepEqual([saved.name, saved.phones, saved.attributes], ['Ann Lee', ['+491701234567'], {crm: 'K-4711'}]);
    await field(page, 'name').locator('input').fill('Mine');
    await site.admin.call('PUT', `/contacts/${saved.id}`, {attributes: {crm: 'K-1'}});
    await page.getByTestId('save').click();
    await page.getByTestId('failure').filter({hasText: 'Someone else changed this'}).waitFor();
    await page.getByRole('button', {name: /^Read it again/}).click();
    await page.waitForFunction(() => document.querySelector('#f-name')?.value === 'Ann Lee');
  });

  await t.test('merge and split', async () => {
    await page.getByTestId('merge').click();
    await page.getByTestId('merge-with').click();
    await page.getByTestId('news').getByText('The contacts were merged').waitFor();
    await until('two conversations', async () => await page.getByTestId('identity').count() === 2);
    await page.getByRole('searchbox', {name: 'Messages that contain this'}).fill('');
    await page.getByTestId('said').filter({hasText: 'hello from the phone'}).waitFor();
    await page.getByTestId('identity').filter({hasText: '/line'}).getByRole('checkbox').check();
    await page.getByTestId('split').click();
    await page.getByTestId('answer-yes').click();
    await page.getByTestId('news').getByText('There are two contacts now').waitFor();
    await until('one conversation', async () => await page.getByTestId('identity').count() === 1);
    await page.getByTestId('said').filter({hasText: 'hello from the web'}).waitFor({state: 'detached'}); // what both said stands there until it is read again
    await page.getByTestId('said').filter({hasText: 'hello from the phone'}).waitFor();
    assert.equal(await page.getByTestId('said').filter({hasText: 'hello from the web'}).count(), 0);
  });

  await t.test('export and erase', async () => {
    await page.getByRole('searchbox', {name: 'Name, number, address or attribute'}).fill('');
    await contact('Ann Lee').click();
    await page.getByRole('heading', {name: 'Ann Lee', level: 2}).waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('contact-export').click()]);
    const all = JSON.parse(readFileSync(await download.path(), 'utf8'));
    assert.ok(all.conversations[0].messages.some(m => m.text === 'hello from the web'));
    await page.getByTestId('contact-erase').click();
    await page.getByRole('dialog').getByText('This cannot be undone.').waitFor();
    await page.getByTestId('answer-yes').click();
    await page.getByTestId('news').getByText('The contact was erased').waitFor();
    await contact('Ann Lee').waitFor({state: 'detached'});
    assert.equal((await site.admin.get('/contacts')).items.length, 1);
    assert.deepEqual((await site.admin.get('/messages?q=from the web')).items, []);
  });
  site.good();
});
