// The page of users and queues, as an administrator uses it: agents with queues, skills and capacity; queues with what they ask for. By mouse and by keyboard.
import test from 'node:test';
import assert from 'node:assert/strict';
import {adminPassword} from '../e2e/hub.mjs';
import {errorOf, field, input, startConsole} from './console.mjs';
import {violations} from './desk.mjs';

const row = (page, kind, name) => page.getByTestId(`${kind}-row`).filter({hasText: name});
const dialog = page => page.getByRole('dialog');
const closed = page => dialog(page).waitFor({state: 'detached'});
const save = page => dialog(page).getByRole('button', {name: 'Save'}).click();
const evil = '<img src=x onerror="complain(1)">';

test('users and queues: made, changed, refused where wrong, removed', async t => {
  const site = await startConsole(t);
  await site.tenant();
  const page = await site.open({bypassCSP: true});
  await page.getByTestId('nav-users').click();
  await page.getByText('No queue was made yet.').waitFor();

  await t.test('a queue', async () => {
    await page.getByRole('button', {name: 'Add queue'}).click();
    assert.deepEqual(await violations(page), []);
    await input(page, 'name').fill('sales');
    await input(page, 'title').fill(`Sales ${evil}`);
    await input(page, 'tenant').selectOption({label: 'Test Shop'});
    await input(page, 'skills').fill('english, returns,english');
    await input(page, 'overflow_s').fill('soon');
    await save(page);
    await errorOf(page, 'overflow_s').waitFor();
    await page.waitForFunction(() => document.activeElement.id === 'f-overflow-s');   // led to what is wrong
    await input(page, 'overflow_s').fill('60');
    await save(page);
    await errorOf(page, 'overflow_queue').waitFor();
    await input(page, 'overflow_queue').fill('everyone');
    await input(page, 'business_hours').fill('Mo-Xx');
    await save(page);
    await errorOf(page, 'business_hours').waitFor();
    await input(page, 'business_hours').fill('Mo-Fr 09:00-18:00');
    await input(page, 'timezone').fill('Asia/Tokyo');
    await save(page);
    await closed(page);
    await row(page, 'queue', 'sales').filter({hasText: evil}).waitFor();
    assert.deepEqual(await site.admin.get('/queues/sales'), {name: 'sales', title: `Sales ${evil}`, tenant: 'test-shop', skills: ['english', 'returns'], overflow_s: 60, overflow_queue: 'everyone', business_hours: 'Mo-Fr 09:00-18:00', timezone: 'Asia/Tokyo'});
  });

  await t.test('a user who is an agent of it', async () => {
    await page.getByRole('button', {name: 'Add user'}).click();
    assert.deepEqual(await violations(page), []);
    await input(page, 'name').fill('kim');
    await input(page, 'display_name').fill('Kim Lee');
    await input(page, 'email').fill('kim@example.net');
    await input(page, 'password').fill('password1');
    await input(page, 'capacity').fill('many');
    await page.getByTestId('user-queues').getByRole('checkbox', {name: 'Sales'}).check();
    await input(page, 'queues').fill('returns');
    await page.getByTestId('skill-add').click();
    await page.getByLabel('Skill 1', {exact: true}).fill('english');
    await save(page);
    await errorOf(page, 'capacity').waitFor();
    await input(page, 'capacity').fill('3');
    await save(page);
    await errorOf(page, 'password').waitFor();
    await input(page, 'password').fill(adminPassword + ' fly');
    await page.getByLabel('Level of skill 1').fill('11');
    await save(page);
    assert.ok(await dialog(page).isVisible(), 'the browser itself refuses a level above 10');
    await page.getByLabel('Level of skill 1').fill('8');
    await save(page);
    await closed(page);
    await row(page, 'user', 'kim').filter({hasText: 'english 8'}).waitFor();
    const {status, created, changed, ...kim} = await site.admin.get('/users/kim');
    assert.deepEqual(kim, {name: 'kim', display_name: 'Kim Lee', role: 'agent', email: 'kim@example.net', queues: ['sales', 'returns'], skills: {english: 8}, capacity: {chat: 3}});
  });

  await t.test('changed: what is not touched stays; who was slower is told so', async () => {
    await row(page, 'user', 'kim').getByRole('button', {name: 'Change'}).click();
    assert.equal(await input(page, 'queues').inputValue(), 'returns');
    await input(page, 'role').selectOption('supervisor');
    await page.getByTestId('user-queues').getByRole('checkbox', {name: 'Sales'}).uncheck();
    await page.getByTestId('user-skills').getByRole('button', {name: 'Remove: english'}).click();
    await site.admin.call('PUT', '/users/kim', {...await site.admin.get('/users/kim'), display_name: 'K. Lee'});
    await save(page);
    await dialog(page).getByText('Someone else changed this').waitFor();
    await page.keyboard.press('Escape');
    await closed(page);
    await row(page, 'user', 'kim').getByRole('button', {name: 'Change'}).click();
    assert.equal(await input(page, 'display_name').inputValue(), 'K. Lee');
    await input(page, 'role').selectOption('supervisor');
    await page.getByTestId('user-queues').getByRole('checkbox', {name: 'Sales'}).uncheck();
    await page.getByTestId('user-skills').getByRole('button', {name: 'Remove: english'}).click();
    await save(page);
    await closed(page);
    const kim = await site.admin.get('/users/kim');
    assert.deepEqual([kim.role, kim.queues, kim.skills, kim.email, kim.capacity], ['supervisor', ['returns'], {}, 'kim@example.net', {chat: 3}]);
    await row(page, 'queue', 'sales').getByRole('button', {name: 'Change'}).click();
    await input(page, 'overflow_s').fill('');
    await input(page, 'overflow_queue').fill('');
    await input(page, 'tenant').selectOption('');
    await save(page);
    await closed(page);
    const {overflow_s, overflow_queue, tenant} = await site.admin.get('/queues/sales');
    assert.deepEqual([overflow_s, overflow_queue, tenant], [undefined, undefined, undefined]);
  });

  await t.test('by keyboard alone', async () => {
    const reach = async what => { for (let i = 0; i < 40; i++) { await page.keyboard.press('Tab'); if (await page.evaluate(what)) return; } assert.fail(`not reached: ${what}`); };
    await page.waitForFunction(() => document.activeElement.textContent === 'Change'); // given back by the dialog before
    await page.getByRole('button', {name: 'Add queue'}).focus();
    await page.keyboard.press('Enter');
    await dialog(page).waitFor();
    await reach('document.activeElement.id === "f-name"');
    await page.keyboard.type('night');
    await page.keyboard.press('Enter');
    await closed(page);
    await row(page, 'queue', 'night').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Add queue', 'the focus is where it was');
  });

  await t.test('removed', async () => {
    for (const [kind, name] of [['queue', 'sales'], ['user', 'kim']]) {
      await row(page, kind, name).getByRole('button', {name: 'Delete'}).click();
      await page.getByTestId('answer-yes').click();
      await row(page, kind, name).waitFor({state: 'detached'});
    }
    assert.deepEqual((await site.admin.get('/queues')).items.map(q => q.name), ['night']);
    assert.deepEqual((await site.admin.get('/users')).items.map(u => u.name), ['admin']);
    assert.equal(await row(page, 'user', 'admin').getByRole('button', {name: 'Delete'}).count(), 0, 'not oneself');
  });
  site.good();
});
