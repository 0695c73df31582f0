// The console's pages of what the Digital Channels guide provisions: contact centres, services, endpoints, API keys; also at /admin/.
import test from 'node:test';
import assert from 'node:assert/strict';
import {ChatPage} from '../e2e/chat-page.mjs';
import {startConsole} from './console.mjs';

test('an administrator provisions a contact centre and its keys at /admin/', async t => {
  const site = await startConsole(t);
  const tenant = await site.tenant({channels: [...site.document().channels, {type: 'webchat', name: 'shop', endpoints: 'support_main, sales', streams: 'live'}]});
  const page = await site.open();
  const call = async (method, path, body) => {
    const r = await fetch(`${site.hub.base}/nexus/v3${path}`, {method, headers: {authorization: site.admin.token, 'content-type': 'application/json'}, body: body && JSON.stringify(body)});
    return await r.json();
  };
  const modal = page.getByRole('dialog');
  const once = async () => { const key = (await page.getByTestId('key-once').locator('code').textContent()).trim(); await modal.getByRole('button', {name: 'Close', exact: true}).last().click(); return key; };
  await page.goto(`${site.hub.base}/admin/`);
  await page.getByRole('heading', {name: 'Provisioning', level: 1}).waitFor();

  await t.test('the record, and the key that comes with it', async () => {
    await page.getByTestId('centre-row').getByRole('link', {name: 'Test Shop'}).click();
    await page.getByTestId('centre-change').click();
    assert.equal(await modal.getByLabel('Contact centre').inputValue(), tenant.id);
    await modal.getByLabel('Address of the platform').fill('https://gws.example');
    await modal.getByLabel('Service user').fill('nexus');
    await modal.getByLabel('Its password').fill('nexus_password');
    await modal.getByRole('button', {name: 'Save'}).click();
    await page.getByTestId('key-once').waitFor();
    const key = await once();
    await new ChatPage(`${site.hub.base}/nexus/v3/chat/sessions`, key).start({endpoint: 'sales', stream: 'live'});
    const [record] = (await call('GET', '/provisioning/tenants')).data.tenants;
    assert.deepEqual([record.id, record.backendurl, record.username, record.token], [tenant.id, 'https://gws.example', 'nexus', {set: true}]);
    await page.getByTestId('centre-change').click();
    await modal.getByLabel('Service user').fill('nexus2');
    await modal.getByRole('button', {name: 'Save'}).click();
    await page.getByText('nexus2').waitFor();
    assert.deepEqual((await call('GET', '/provisioning/tenants')).data.tenants[0].token, {set: true}, 'the password stays');
  });

  await t.test('channels and endpoints', async () => {
    const row = page.getByTestId('centre-channel').filter({hasText: 'Web chat'});
    await row.getByText('support_main, sales').waitFor();
    await row.getByText('live', {exact: true}).waitFor();
    await row.getByText('ready').waitFor();
  });

  await t.test('services: refused with the reason, kept with their secrets hidden', async () => {
    const edit = name => page.getByRole('button', {name: `Change: ${name}`}).click();
    await edit('PurecloudIDP');
    await modal.getByLabel('Address', {exact: false}).fill('https://login.example');
    await modal.getByLabel('Client ID').fill('the-client');
    await modal.getByRole('button', {name: 'Save'}).click();
    await modal.getByRole('alert').filter({hasText: 'secret.clientSecret'}).waitFor();
    await modal.getByLabel('Client secret').fill('the-secret');
    await modal.getByRole('button', {name: 'Save'}).click();
    await page.getByTestId('service-PurecloudIDP').getByText('set up', {exact: true}).waitFor();
    await edit('SMS');
    await modal.getByLabel('Provider').selectOption('Async');
    await modal.getByRole('button', {name: 'Save'}).click();
    await page.getByTestId('service-SMS').getByText('set up', {exact: true}).waitFor();
    await edit('Async');
    const channel = modal.getByTestId('service-channel').first();
    await channel.getByLabel('Number or domain').fill('16504661149');
    await channel.getByLabel('Webhook address of the gateway').fill('https://gateway.example/hook');
    await channel.getByLabel('Secret of our calls').fill('webhook-secret');
    await channel.getByLabel('Secret of the calls to us').fill('api-secret');
    await modal.getByRole('button', {name: 'Save'}).click();
    await page.getByTestId('service-Async').getByText('16504661149').waitFor();
    await edit('Async');   // its address is changed, its secrets stay
    await modal.getByLabel('Webhook address of the gateway').fill('https://gateway2.example/hook');
    await modal.getByRole('button', {name: 'Save'}).click();
    await modal.waitFor({state: 'detached'});
    const kept = (await call('GET', `/provisioning/services/${tenant.id}`)).data.services;
    assert.deepEqual(kept.map(s => s.name), ['Async', 'PurecloudIDP', 'SMS']);
    assert.equal(kept[0].data.channels[0].webhook.url, 'https://gateway2.example/hook');
    assert.doesNotMatch(await page.content(), /the-secret|webhook-secret|api-secret|nexus_password/);
    await page.getByRole('button', {name: 'Delete: SMS'}).click();
    await page.getByTestId('answer-yes').click();
    await page.getByTestId('service-SMS').getByText('not set up').waitFor();
  });

  await t.test('API keys: shown once, disabled and enabled, revoked for ever, deleted', async () => {
    await page.getByTestId('nav-keys').click();
    await page.getByTestId('key-add').click();
    const name = '<b>shop</b> page';
    await modal.getByLabel('Name').fill(name);
    await modal.getByLabel('Ends').fill('2099-12-31T23:59');
    await modal.getByRole('button', {name: 'Make a key'}).click();
    const key = await once();
    const row = page.getByTestId('key-row').filter({hasText: name});
    await row.getByText('in use').waitFor();
    await row.getByText('Guests’ chats').waitFor();
    assert.doesNotMatch(await page.content(), new RegExp(key), 'nowhere in the page any more');
    const starts = async () => (await new ChatPage(`${site.hub.base}/nexus/v3/chat/sessions`, key).call('POST', '', {nickname: 'A', endpoint: 'sales'})).status;
    assert.equal(await starts(), 200);
    await row.getByRole('button', {name: 'Disable'}).click();
    await row.getByText('disabled').waitFor();
    assert.equal(await starts(), 401);
    await row.getByRole('button', {name: 'Enable'}).click();
    await row.getByText('in use').waitFor();
    assert.equal(await starts(), 200);
    await row.getByRole('button', {name: 'Revoke'}).click();
    await page.getByTestId('answer-yes').click();
    await row.getByText('revoked').waitFor();
    assert.equal(await starts(), 401);
    await row.getByRole('button', {name: 'Delete'}).click();
    await page.getByTestId('answer-yes').click();
    await row.waitFor({state: 'detached'});
    await page.getByTestId('key-add').click();
    await modal.getByLabel('Opens').selectOption({label: 'Services of all tenants'});
    await modal.getByLabel('Name').fill('cluster');
    await modal.getByRole('button', {name: 'Make a key'}).click();
    await once();
    assert.deepEqual((await call('GET', '/apikeys')).filter(k => k.name === 'cluster').map(k => [k.tenant, k.permissions]), [['*', ['nexus:cluster:*']]]);
  });

  await t.test('in another language; and not for supervisors', async () => {
    await page.getByTestId('language').selectOption('fr');
    await page.getByRole('heading', {name: 'Clés d’API', level: 1}).waitFor();
    await site.admin.call('POST', '/logins', {user: 'sue', password: 'eleven slow otters', role: 'supervisor'});
    const hers = await site.open({user: 'sue', password: 'eleven slow otters'});
    await hers.goto(`${site.hub.base}/admin/#/keys`);
    await hers.getByTestId('nav-health').waitFor();
    assert.equal(await hers.getByTestId('nav-keys').count() + await hers.getByTestId('nav-provisioning').count(), 0);
    assert.equal(await hers.getByTestId('key-add').count(), 0);
    assert.equal(await hers.evaluate(async () => (await fetch('/nexus/v3/apikeys')).status), 403);
  });
  site.good();
});
