// The console as an administrator uses it: the guide's steps for LINE and Genesys Cloud, what was said, dead letters, the signature doctor.
import test from 'node:test';
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {Program, freePort, ready, secret, token, until} from '../e2e/harness.mjs';
import {adminPassword} from '../e2e/hub.mjs';
import {errorOf, field, input, startConsole, tab} from './console.mjs';

test('the guide\'s steps: a tenant with Genesys Cloud and LINE, made by hand, carries messages', async t => {
  const site = await startConsole(t);
  const page = await site.open({login: false});

  await t.test('log-in', async () => {
    assert.match(await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content'), /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+';/);
    await page.getByLabel('User name').fill('admin');
    await page.getByLabel('Password').fill('a wrong one');
    await page.getByRole('button', {name: 'Log in'}).click();
    assert.equal(await page.getByTestId('login-failed').textContent(), 'This user name and password do not fit.');
    await site.login(page);
    await page.getByTestId('empty').waitFor();
    const cookie = (await page.context().cookies()).find(c => c.name === 'dragoman');
    assert.ok(cookie.httpOnly && cookie.sameSite === 'Strict');
    assert.equal(await page.evaluate(() => document.cookie), '', 'no script sees the session');
  });

  await t.test('General, CX Platform, Messaging: what is wrong stands beside its field', async () => {
    await page.getByTestId('tenant-add').click();
    await input(page, 'name').fill('ACME and LINE');
    await input(page, 'subscription').fill('f4de9900-c131-beef-dead-11654bcd252');
    await tab(page, 'CX Platform').click();
    await input(page, 'desk').selectOption({label: 'Genesys Cloud'});
    await input(page, 'desk.base_url').fill(site.desk.base);
    await input(page, 'desk.client_id').fill('c1');
    await input(page, 'desk.client_secret').fill('s1');
    await input(page, 'desk.integration.name').fill('Universal Messaging With LINE');
    await input(page, 'desk.integration.token').fill('short');
    await input(page, 'desk.end_poll_seconds').fill('a while');
    await tab(page, 'Messaging').click();
    assert.ok(await page.getByTestId('channel-type').inputValue(), 'what is added stands there');
    await page.getByTestId('channel-type').selectOption({label: 'LINE'});
    await page.getByTestId('channel-add').click();
    await input(page, 'channels[0].base_url').fill('no address');
    await input(page, 'channels[0].channel_id').fill('1234567890');
    await page.getByTestId('save').click();
    await page.getByTestId('failure').waitFor();
    await errorOf(page, 'channels[0].base_url').waitFor();
    await errorOf(page, 'channels[0].channel_secret').waitFor();
    assert.equal(await errorOf(page, 'channels[0].channel_secret').textContent(), 'is missing', 'the help below it is not said twice');
    assert.equal(await input(page, 'channels[0].base_url').getAttribute('aria-invalid'), 'true');
    const described = await input(page, 'channels[0].base_url').getAttribute('aria-describedby');
    assert.equal(await page.locator('#' + described.split(' ')[0]).textContent(), await errorOf(page, 'channels[0].base_url').textContent(), 'read out with its field');
    assert.equal(await errorOf(page, 'channels[0].channel_id').count(), 0, 'what is right has no mark');
    for (const [path, id] of [['desk.end_poll_seconds', 'f-desk-end-poll-seconds'], ['channels[0].base_url', 'f-channels-0-base-url']]) { // the list leads to each, in whatever tab
      await page.getByTestId('problems').getByRole('link', {name: path}).click();
      await page.waitForFunction(of => document.activeElement.id === of, id);
    }
    await input(page, 'channels[0].base_url').fill(site.line.base);
    await input(page, 'channels[0].channel_secret').fill(secret);
    await input(page, 'channels[0].bot_id').fill('@testshop');
    await errorOf(page, 'channels[0].base_url').waitFor({state: 'detached'});
    await until('as many as there still are', async () => (await page.getByTestId('failure').textContent()).includes(`Problems: ${await page.getByTestId('problems').getByRole('link').count()}`));
    assert.equal((await site.admin.call('GET', '/tenants')).json.items.length, 0, 'nothing was saved');
    await page.getByTestId('save').click();
    await tab(page, /^CX Platform/).click();
    assert.match(await errorOf(page, 'desk.end_poll_seconds').textContent(), /\S/);
    await input(page, 'desk.end_poll_seconds').fill('1');
    await errorOf(page, 'desk.integration.token').filter({hasText: '15'}).waitFor();
    await input(page, 'desk.integration.token').fill(token);
    await errorOf(page, 'desk.integration.token').waitFor({state: 'detached'});
    await page.getByTestId('save').click();
    await page.getByRole('heading', {name: 'ACME and LINE', level: 1}).waitFor();
  });

  await t.test('once saved: at work, with its addresses, its QR code, and no secret in the page', async () => {
    await tab(page, 'Messaging').click();
    const account = page.getByTestId('account-channels[0]');
    await account.getByText('ready', {exact: true}).waitFor();
    await account.getByText(`${site.hub.base}/line`, {exact: true}).waitFor();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await account.getByRole('button', {name: 'Copy: Webhook address'}).click();
    await page.getByTestId('news').getByText('Copied').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${site.hub.base}/line`);
    await account.getByRole('img', {name: 'QR code for guests'}).waitFor();
    await account.getByRole('link', {name: 'Open LINE Developers'}).waitFor();
    await field(page, 'channels[0].channel_secret').getByText('Set, and not shown').waitFor();
    await page.reload();
    await field(page, 'channels[0].channel_secret').getByText('Set, and not shown').waitFor();
    assert.ok(!(await page.content()).includes(secret));
  });

  await t.test('a sample of the flow that brings guests to agents, to import at Genesys Cloud', async () => {
    await tab(page, 'CX Platform').click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('sample-flow').click()]);
    assert.equal(download.suggestedFilename(), 'dragoman-inbound-messages.yaml');
    assert.match(readFileSync(await download.path(), 'utf8'), /^inboundShortMessage:$/m);
  });

  await t.test('a guest writes, an agent answers, and both are seen as they happen', async () => {
    await page.getByTestId('nav-conversations').click();
    await page.getByText('Nothing has been said yet.').waitFor();
    await site.says('Where is my parcel?');
    await page.getByTestId('conversation').filter({hasText: 'Where is my parcel?'}).click();
    const asked = page.getByTestId('message-in').filter({hasText: 'Where is my parcel?'});
    await asked.getByText('delivered').waitFor();
    await until('at the desk', async () => (await site.desk.get('/sim/inbound')).messages.some(m => JSON.stringify(m).includes('Where is my parcel?')));
    const conversation = (await site.desk.get('/sim/conversations')).conversations[0];
    await site.desk.post(`/sim/conversations/${conversation.id}/agent`, {text: 'It left this morning.', agent: 'Ken Ito'});
    await page.getByTestId('message-out').filter({hasText: 'It left this morning.'}).waitFor();
    await asked.getByTestId('trace-link').click();
    const trace = page.getByTestId('trace');
    await trace.getByText('Last attempt').waitFor();
    await trace.getByText(/POST .*\/api\/v2\/conversations\/messages\/.*\/inbound\/open\/message/).waitFor();
    await trace.getByText('200', {exact: true}).waitFor();
  });

  await t.test('a change keeps the secrets, and one of them can be replaced', async () => {
    await page.getByTestId('nav-tenants').click();
    await page.getByRole('link', {name: 'ACME and LINE'}).click();
    await tab(page, 'CX Platform').click();
    await field(page, 'desk.typing').getByRole('switch').check();
    await field(page, 'desk.client_secret').getByRole('button', {name: 'Replace: Client secret'}).click();
    await input(page, 'desk.client_secret').fill('another');
    await page.getByTestId('save').click();
    await page.getByTestId('news').getByText('ACME and LINE was saved').waitFor();
    const id = (await site.admin.call('GET', '/tenants')).json.items[0].id;
    await until('the vendor refuses the new one', async () => (await site.admin.call('GET', `/channels?tenant=${id}`)).json.items.some(c => !c.set_up && c.why));
    await page.getByTestId('account-desk').locator('.why').waitFor();
    await field(page, 'desk.client_secret').getByRole('button', {name: 'Replace: Client secret'}).click();
    await input(page, 'desk.client_secret').fill('s1');
    await page.getByTestId('save').click();
    await page.getByTestId('account-desk').getByText('ready', {exact: true}).waitFor();
  });

  await t.test('another administrator\'s change is not overwritten', async () => {
    const tenant = (await site.admin.call('GET', '/tenants')).json.items[0];
    await tab(page, 'General').click();
    await input(page, 'subscription').fill('mine');
    await site.admin.call('PATCH', `/tenants/${tenant.id}`, {subscription: 'theirs'});
    await page.getByTestId('save').click();
    await page.getByTestId('failure').filter({hasText: 'Someone else changed this'}).waitFor();
    await page.getByRole('button', {name: /^Read it again/}).click();
    await page.waitForFunction(() => document.querySelector('#f-subscription')?.value === 'theirs');
  });
  site.good();
});

test('what a message became, and trying it again from where it was said', async t => {
  const site = await startConsole(t);
  const tenant = await site.tenant({api: {auth: 'none'}});
  await site.says('the whole terms, please');
  const conversation = await until('at the desk', async () => (await site.desk.get('/sim/conversations')).conversations[0]);
  await site.desk.post(`/sim/conversations/${conversation.id}/agent`, {text: 'All of them.', attachment: {base64: 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', name: 'terms.gif', mime: 'image/gif'}});
  const page = await site.open();
  await page.getByTestId('nav-conversations').click();
  await page.getByTestId('conversation').first().click();
  await page.getByTestId('message-out').filter({hasText: 'All of them.'}).getByTestId('trace-link').click();
  await page.getByTestId('trace').getByTestId('downgrades').getByText('A file became a text with a link').waitFor();
  await site.line.post('/sim/faults', {rules: [{paths: ['/v2/bot/message/*'], status: 400}]});
  const r = await site.admin.call('POST', '/messages', {tenantId: tenant.id, userId: await site.guest(), message: 'refused'}, {authorization: ''});
  assert.equal(r.status, 202, r.text);
  const id = r.json.messages[0].id;
  await until('refused', async () => (await site.admin.get(`/messages/${id}`)).state === 'dead');
  await page.getByRole('link', {name: `Trace ${id}`}).click();
  await page.getByTestId('trace').getByRole('region', {name: 'Last attempt'}).getByText('400', {exact: true}).waitFor(); // what the vendor answered
  await page.getByTestId('trace').getByRole('button', {name: 'Try again'}).click();
  await page.getByTestId('news').getByText('On their way again: 1 of 1').waitFor();
  await until('tried again', async () => (await site.admin.get(`/messages/${id}`)).tries === 2);
  site.good();
});

test('health: what waits, tokens, webhooks against their deadline', async t => {
  const site = await startConsole(t);
  const page = await site.open();
  await page.getByTestId('nav-health').click();
  await page.getByText('No webhook has come since the start.').waitFor();
  await site.tenant();
  await site.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], status: 503}]});
  await site.says('is somebody there?');
  const row = (table, account) => page.getByTestId(table).getByRole('row').filter({has: page.getByRole('rowheader', {name: account, exact: true})});
  const cells = (table, account, there) => until(`${account} in ${table}`, async () => { const all = await row(table, account).getByRole('cell').allTextContents(); return there(all) && all; });
  const [number, , p99, deadline] = await cells('health-webhooks', 'LINE', ([n]) => n === '1');
  assert.equal(number, '1');
  assert.match(p99, /\d+(\.\d)? ms/);
  assert.equal(deadline, '2,000 ms');
  const [waiting, oldest] = await cells('health-queues', 'test-shop/genesys-cloud', ([n]) => n === '1');
  assert.equal(waiting, '1');
  assert.match(oldest, /ago|now/);
  const [standing, token] = await cells('health-accounts', 'test-shop/genesys-cloud', ([, ends]) => /^in /.test(ends));
  assert.match(standing, /ready|paused/);
  assert.match(token, /^in /, 'its token ends then');
  assert.equal(await page.locator('.charts svg').count(), 4);
  await page.getByTestId('nav-doctor').click();
  await page.getByTestId('none-refused').waitFor();
  site.good();
});

test('what is said goes on being shown where answers take longer than the next message', async t => {
  const site = await startConsole(t);
  await site.tenant();
  await site.says('the first');
  const page = await site.open();
  let open = 0, most = 0;
  await page.route('**/api/v1/conversations?**', async route => {
    most = Math.max(most, ++open);
    await new Promise(done => setTimeout(done, 2500));
    open--;
    await route.continue().catch(() => {}); // the page has gone
  });
  await page.getByTestId('nav-conversations').click();
  const list = page.getByTestId('conversation');
  await list.filter({hasText: 'the first'}).waitFor();
  let sent = 0;
  for (; sent < 60 && !await list.filter({hasText: 'and another'}).count(); sent++) {
    await site.says(`and another ${sent}`);
    await new Promise(done => setTimeout(done, 400));
  }
  assert.ok(await list.filter({hasText: 'and another'}).count(), `none of ${sent} messages was shown while they came`);
  await list.filter({hasText: `and another ${sent - 1}`}).waitFor(); // and the last when no more come
  assert.equal(most, 1, 'one question at a time');
  site.good();
});

test('a page goes on hearing what happens when the hub has started anew behind a proxy', async t => {
  const site = await startConsole(t);
  await site.tenant();
  await site.says('before');
  const page = await site.open();
  await page.getByTestId('nav-conversations').click();
  await page.getByTestId('conversation').first().click();
  await page.getByTestId('message-in').filter({hasText: 'before'}).waitFor();
  let refused = 0, asked = 0;
  await page.route('**/api/v1/events', async route => (refused++ ? (asked++, await route.continue()) : await route.fulfill({status: 502, body: 'Bad Gateway'})));
  assert.equal((await site.hub.program.stop()).code, 0);
  await site.hub.start();
  await until('it was refused, and asked again', () => refused > 0 && asked > 0, 30000);
  await until('the accounts are at work', async () => { const c = (await site.admin.get('/channels')).items; return c.length === 2 && c.every(x => x.set_up); });
  await site.says('after');
  await page.getByTestId('message-in').filter({hasText: 'after'}).waitFor();
  assert.deepEqual(site.outside, []);
});

test('duplicate, export, import, delete', async t => {
  const site = await startConsole(t);
  await site.tenant();
  const page = await site.open();
  await page.getByRole('link', {name: 'Test Shop'}).click();
  await page.getByRole('button', {name: 'Export'}).click();
  await page.getByLabel('Passphrase').fill('seven quiet herons');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('dialog').getByRole('button', {name: 'Export'}).click()]);
  const text = readFileSync(await download.path(), 'utf8');
  assert.equal(JSON.parse(text).tenant.name, 'Test Shop');
  assert.ok(!text.includes(secret), 'secrets are encrypted');

  await page.getByRole('button', {name: 'Delete'}).click();
  await page.getByTestId('answer-no').click();
  await page.getByRole('button', {name: 'Delete'}).click();
  await page.getByTestId('answer-yes').click();
  await page.getByTestId('empty').waitFor();

  await page.getByRole('button', {name: 'Import'}).click();
  await page.getByLabel('File').setInputFiles({name: 'nonsense.json', mimeType: 'application/json', buffer: Buffer.from('{"a":')});
  await page.getByText('This file holds no exported tenant').waitFor();
  await page.getByLabel('File').setInputFiles({name: 'tenant.json', mimeType: 'application/json', buffer: Buffer.from(text)});
  await page.getByLabel('Passphrase').fill('another passphrase');
  await page.getByRole('dialog').getByRole('button', {name: 'Import'}).click();
  await page.getByRole('dialog').getByTestId('field-error').waitFor();
  await page.getByLabel('Passphrase').fill('seven quiet herons');
  await page.getByRole('dialog').getByRole('button', {name: 'Import'}).click();
  await page.getByRole('heading', {name: 'Test Shop', level: 1}).waitFor();
  await until('with its secrets', async () => (await site.admin.call('GET', '/channels')).json.items.every(c => c.set_up));

  await page.getByRole('button', {name: 'Duplicate'}).click();
  await page.getByRole('heading', {name: 'New tenant', level: 1}).waitFor();
  assert.equal(await input(page, 'name').inputValue(), 'Test Shop (copy)');
  await tab(page, 'Messaging').click();
  assert.equal(await input(page, 'channels[0].channel_secret').inputValue(), '', 'a secret does not leave the hub');
  await input(page, 'channels[0].channel_secret').fill('line-secret-2');
  await input(page, 'channels[0].channel_id').fill('1234567891');
  await tab(page, /^CX Platform/).click();
  await input(page, 'desk.client_secret').fill('s1');
  await input(page, 'desk.integration.name').fill('A copy');
  await input(page, 'desk.integration.token').fill(token + '2');
  await page.getByTestId('save').click();
  await page.getByRole('heading', {name: 'Test Shop (copy)', level: 1}).waitFor();
  assert.equal((await site.admin.call('GET', '/tenants')).json.items.length, 2);
  site.good();
});

test('unsaved changes are not lost without a question', async t => {
  const site = await startConsole(t);
  await site.tenant();
  const page = await site.open();
  await page.getByRole('link', {name: 'Test Shop'}).click();
  await input(page, 'subscription').fill('half a thought');
  await tab(page, 'CX Platform').click();
  await tab(page, 'General').click();
  assert.equal(await input(page, 'subscription').inputValue(), 'half a thought', 'tabs are no way out');
  await page.getByTestId('nav-health').click();
  await page.getByRole('dialog').getByText('Unsaved changes').waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await input(page, 'subscription').inputValue(), 'half a thought');
  assert.match(page.url(), /#\/tenants\//);
  let asked = false;
  page.once('dialog', d => { asked = d.type() === 'beforeunload'; void d.dismiss(); });
  await page.evaluate(() => { location.href = '/healthz/liveness'; });
  await until('the browser asks, too', () => asked);
  assert.equal(await input(page, 'subscription').inputValue(), 'half a thought');
  await page.getByTestId('nav-health').click();
  await page.getByTestId('answer-yes').waitFor();
  await page.waitForRequest(/\/channels\?tenant=/); // the page goes on living behind the question
  await page.waitForTimeout(300);
  await page.getByTestId('answer-yes').click();
  await page.getByRole('heading', {name: 'Health', level: 1}).waitFor();
  await page.getByTestId('nav-tenants').click();
  await page.getByRole('link', {name: 'Test Shop'}).click();
  assert.equal(await input(page, 'subscription').inputValue(), '');
  site.good();
});

test('names and messages that would be scripts are texts', async t => {
  const site = await startConsole(t);
  const evil = '<img src=x onerror="complain(\'run\')"><script>complain("run")</script>';
  await site.tenant({name: evil, custom_data: {[evil.slice(0, 40)]: evil}});
  await site.says(evil + ' {{constructor}} javascript:complain(1)');
  const page = await site.open();
  const row = page.getByTestId('tenant-row').getByRole('link', {name: evil});
  await row.click();
  await page.getByRole('heading', {name: evil, level: 1}).waitFor();
  await tab(page, 'CX Platform').click();
  await page.getByTestId('account-desk').waitFor();
  await page.getByTestId('nav-conversations').click();
  await page.getByTestId('conversation').filter({hasText: evil}).click();
  await page.getByTestId('message-in').filter({hasText: evil}).getByTestId('trace-link').click();
  await page.getByTestId('trace').getByText('Message as it was accepted').click();
  for (const place of ['health', 'doctor', 'audit', 'letters', 'simulators']) {
    await page.getByTestId(`nav-${place}`).click();
    await page.getByRole('heading', {level: 1}).waitFor();
  }
  await page.goto(`${site.hub.base}/#/tenants/${encodeURIComponent('"><img src=x onerror=complain(2)>')}`);
  await page.getByRole('alert').waitFor();
  await page.goto(`${site.hub.base}/#/conversations/${encodeURIComponent(evil)}`);
  await page.getByRole('alert').first().waitFor();
  assert.equal(await page.locator('img[src="x"]').count(), 0);
  site.good();
});

test('dead letters: why, try again, give up', async t => {
  const site = await startConsole(t);
  const tenant = await site.tenant({api: {auth: 'none'}});
  const guest = await site.guest();
  const ivr = async message => {
    const r = await site.admin.call('POST', '/messages', {tenantId: tenant.id, userId: guest, message}, {authorization: ''});
    assert.equal(r.status, 202, r.text);
    return r.json.messages[0].id;
  };
  const page = await site.open();
  await page.getByTestId('nav-letters').click();
  await page.getByTestId('no-letters').waitFor();
  for (let i = 0; i < 3; i++) await ivr({type: 'sticker', packageId: '1', stickerId: `${999999 + i}`});
  await until('three of them', async () => (await site.admin.call('GET', '/journal/dead')).json.items.length === 3);
  const letters = page.getByTestId('letter');
  await letters.nth(2).waitFor();
  await letters.first().locator('.why').filter({hasText: /\S/}).waitFor();
  await letters.first().getByTestId('discard').click();
  await page.getByTestId('answer-yes').click();
  await page.getByTestId('news').getByText('Discarded: 1 of 1').waitFor();
  await letters.nth(2).waitFor({state: 'detached'});
  await page.getByTestId('replay-all').click();
  await page.getByTestId('answer-yes').click();
  await page.getByTestId('news').getByText('On their way again: 2 of 2').waitFor();
  await until('refused again', async () => (await site.admin.call('GET', '/journal/dead')).json.items.filter(m => m.tries === 2).length === 2);
  await page.getByLabel('State').selectOption({label: 'not known whether it came'});
  await page.getByTestId('no-letters').waitFor();
  await page.getByLabel('State').selectOption({label: 'dead letter'});
  await letters.nth(1).waitFor();
  await letters.last().getByTestId('replay').click();
  await page.getByTestId('news').getByText('On their way again: 1 of 1').waitFor();
  await until('one was tried once more', async () => (await site.admin.call('GET', '/journal/dead')).json.items.map(m => m.tries).sort().join() === '2,3');
  await letters.nth(1).waitFor();
  await letters.first().getByTestId('edit-target').click();
  assert.equal(await page.getByTestId('target').inputValue(), `test-shop/line:${guest}`);
  await page.getByTestId('target').fill('test-shop/nowhere:U1');
  await page.getByTestId('target-send').click();
  await page.getByTestId('news').getByText(/conversation of the same tenant/).waitFor();
  await page.getByTestId('target').fill(`test-shop/line:${guest}`);
  await page.getByTestId('target-send').click();
  await page.getByTestId('news').getByText(`On its way to test-shop/line:${guest}`).waitFor();
  await until('a new one was made of it', async () => (await site.admin.call('GET', '/journal/dead')).json.items.filter(m => m.tries === 1).length === 1);
  await page.getByLabel('Reason').selectOption({label: 'the guest has blocked us'});
  await page.getByTestId('no-letters').waitFor();
  site.good();
});

test('backup: taken with its secrets, looked into, put back', async t => {
  const site = await startConsole(t);
  const tenant = await site.tenant();
  const page = await site.open();
  await page.getByTestId('nav-backup').click();
  await field(page, 'backup.passphrase').locator('input').fill('short');
  await field(page, 'backup.passphrase').getByTestId('field-error').waitFor();
  assert.equal(await page.getByTestId('backup-take').isDisabled(), true);
  await field(page, 'backup.passphrase').locator('input').fill('open sesame please');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('backup-take').click()]);
  const text = readFileSync(await download.path(), 'utf8');
  assert.match(download.suggestedFilename(), /^dragoman-.*\.backup\.json$/);
  assert.ok(JSON.parse(text).secrets && !text.includes(secret));
  assert.equal((await site.admin.call('DELETE', `/tenants/${tenant.id}`)).status, 204);
  const file = (name, body) => page.locator('input[type=file]').setInputFiles({name, mimeType: 'application/json', buffer: Buffer.from(body)});
  await file('x.json', '{"nothing": 1}');
  await page.getByText('This file holds no backup').waitFor();
  await file('backup.json', text);
  await page.getByTestId('backup-made').waitFor();
  assert.equal(await page.getByTestId('restore').isDisabled(), true, 'first it is looked at');
  await field(page, 'restore.passphrase').locator('input').fill('another phrase');
  await page.getByTestId('restore-look').click();
  await field(page, 'restore.passphrase').getByTestId('field-error').waitFor();
  await field(page, 'restore.passphrase').locator('input').fill('open sesame please');
  await page.getByTestId('restore-look').click();
  await page.getByTestId('fates').getByRole('listitem').filter({hasText: 'Test Shop'}).getByText('made').waitFor();
  assert.equal((await site.admin.get('/tenants')).items.length, 0, 'nothing was done yet');
  await page.getByTestId('restore').click();
  await page.getByTestId('answer-yes').click();
  await page.getByTestId('news').getByText('The backup was restored').waitFor();
  await until('it is back, and at work with its secrets', async () => { const c = (await site.admin.get('/channels')).items; return c.length === 2 && c.every(x => x.set_up); });
  site.good();
});

test('the signature doctor names the part that differs, and looks again after the secret was changed', async t => {
  const site = await startConsole(t);
  const document = site.document();
  document.channels[0].channel_secret = 'not-the-one-of-the-simulator';
  const r = await site.admin.call('POST', '/tenants', document);
  assert.equal(r.status, 201, r.text);
  const page = await site.open();
  await page.goto(`${site.hub.base}/#/doctor/${encodeURIComponent(`${r.json.slug}/line`)}`);
  await page.getByTestId('none-refused').waitFor();
  const guest = await site.guest();
  await site.line.call('POST', `/sim/guests/${guest}/send`, {type: 'text', text: 'refused'});
  await until('it was refused', async () => (await site.admin.call('GET', `/channels/${encodeURIComponent(`${r.json.slug}/line`)}/refused`)).json.items.length > 0);
  await page.getByTestId('look-again').click();
  await page.getByTestId('refused').first().getByText('Another secret').waitFor();
  const channels = [{...document.channels[0], channel_secret: secret}];
  const changed = await site.admin.call('PATCH', `/tenants/${r.json.id}`, {channels});
  assert.equal(changed.status, 200, changed.text);
  await page.getByTestId('look-again').click();
  await page.getByTestId('refused').last().getByText('would be taken now').waitFor();
  site.good();
});

test('settings: destinations of notifications, their topics, and a test that arrives', async t => {
  const site = await startConsole(t);
  const port = await freePort(), at = `http://127.0.0.1:${port}`;
  const sim = new Program(site.hub.dir, 'notifiers', ['sim', 'notifiers', '--listen', `127.0.0.1:${port}`]);
  t.after(() => sim.stop());
  sim.start();
  await ready(sim, `${at}/sim/counters`);
  const page = await site.open();
  await page.getByTestId('nav-settings').click();
  await page.getByTestId('notifiers-type').selectOption({label: 'Slack'});
  await page.getByTestId('notifiers-add').click();
  await input(page, 'proxy').fill('not an address');
  await input(page, 'notifiers[0].url').fill('nor this');
  await page.getByTestId('save').click();
  await errorOf(page, 'proxy').waitFor();
  await errorOf(page, 'notifiers[0].url').waitFor();
  await input(page, 'proxy').fill('');
  await input(page, 'notifiers[0].url').fill(`${at}/services/T0000/B0000/abcdefghijklmnopqrstuvwx`);
  await page.getByLabel('Subscriptions').check();
  await page.getByTestId('save').click();
  await page.getByTestId('news').getByText('The settings were saved').waitFor();
  assert.deepEqual((await site.admin.call('GET', '/settings')).json.notifiers[0].topics.sort(), ['Default', 'Subscriptions']);
  await page.getByTestId('send-test').click();
  await page.getByTestId('test-result').getByText(/^Taken after/).waitFor();
  const {notices} = await (await fetch(`${at}/sim/notices`)).json();
  assert.ok(notices.some(n => /test/i.test(JSON.stringify(n))));
  await page.reload();
  await field(page, 'notifiers[0].url').getByText('Set, and not shown').waitFor();
  await page.getByRole('button', {name: 'Remove: slack', exact: true}).click();
  await page.getByTestId('save').click();
  await page.getByTestId('send-test').waitFor({state: 'detached'});
  site.good();
});

test('storages: made here, checked, and chosen by a tenant', async t => {
  const site = await startConsole(t);
  await site.tenant();
  const page = await site.open();
  await page.getByTestId('nav-storages').click();
  await page.getByTestId('storage').filter({hasText: 'local'}).getByText('ready').waitFor();
  await page.getByTestId('storages-type').selectOption({label: 'Amazon S3'});
  await page.getByTestId('storages-add').click();
  await input(page, 'storages[0].name').fill('pictures');
  await input(page, 'storages[0].access_key_id').fill('AKIAEXAMPLE');
  await input(page, 'storages[0].secret_access_key').fill('a-secret-key');
  await input(page, 'storages[0].bucket').fill('x');
  await input(page, 'storages[0].endpoint').fill('http://127.0.0.1:9');
  await input(page, 'storages[0].purge_delay_seconds').fill('90061');
  await page.getByText('(1 day 1 hour)').waitFor();
  await input(page, 'storages[0].purge_delay_seconds').fill('600');
  await page.getByText('(10 minutes)').waitFor();
  await page.getByTestId('save').click();
  await errorOf(page, 'storages[0].bucket').waitFor();
  await input(page, 'storages[0].bucket').fill('pictures');
  await page.getByTestId('save').click();
  await page.getByTestId('news').getByText('The settings were saved').waitFor();
  await page.getByTestId('storage').filter({hasText: 'pictures'}).getByText('does not work').waitFor(); // nobody is at port 9
  await page.getByTestId('nav-tenants').click();
  await page.getByRole('link', {name: 'Test Shop'}).click();
  await input(page, 'storage').selectOption('pictures');
  await page.getByTestId('save').click();
  await page.getByTestId('news').getByText('Test Shop was saved').waitFor();
  assert.equal((await site.admin.call('GET', '/tenants')).json.items[0].storage, 'pictures');
  await page.getByTestId('nav-storages').click();
  await input(page, 'default_storage').selectOption('pictures');
  await page.getByTestId('save').click();
  await page.getByTestId('storage').filter({hasText: 'pictures'}).getByText('Default storage').waitFor();
  await page.getByRole('button', {name: 'Remove: pictures'}).click();
  await page.getByTestId('save').click();
  await page.getByRole('alert').filter({hasText: 'Test Shop keeps its attachments in pictures'}).waitFor();
  assert.ok(!(await page.content()).includes('a-secret-key'));
  site.good();
});

test('roles, passwords, and the end of a session', async t => {
  const site = await startConsole(t);
  await site.tenant();
  await site.says('good morning');
  const admin = await site.open();
  await admin.getByTestId('nav-users').click();
  await admin.getByRole('button', {name: 'Add user'}).click();
  await admin.getByLabel('User name').fill('sue');
  await admin.getByLabel('Role').selectOption('supervisor');
  await admin.getByLabel('Password').fill('password1');
  await admin.getByRole('dialog').getByRole('button', {name: 'Save'}).click();
  await admin.getByRole('dialog').getByTestId('field-error').waitFor();
  await admin.getByLabel('Password').fill(adminPassword + ' fly');
  await admin.getByRole('dialog').getByRole('button', {name: 'Save'}).click();
  await admin.getByTestId('user-row').filter({hasText: 'sue'}).waitFor();

  const page = await site.open({user: 'sue', password: adminPassword + ' fly'});
  await page.getByTestId('nav-conversations').waitFor();
  for (const hidden of ['tenants', 'settings', 'doctor', 'users', 'audit', 'simulators']) assert.equal(await page.getByTestId(`nav-${hidden}`).count(), 0, hidden);
  await page.goto(site.hub.base + '/#/tenants');
  assert.equal(await page.getByTestId('tenant-row').count(), 0);
  await page.goto(site.hub.base + '/#/conversations');
  await page.getByTestId('conversation').filter({hasText: 'good morning'}).waitFor();

  await page.goto(site.hub.base + '/#/password');
  await page.getByLabel('Old password').fill(adminPassword + ' fly');
  await page.getByLabel('New password', {exact: true}).fill('abc');
  await page.getByLabel('New password, once more').fill('abcd');
  await page.getByRole('button', {name: 'Change password'}).click();
  await errorOf(page, 'repeat').waitFor();
  await page.getByLabel('New password, once more').fill('abc');
  await page.getByRole('button', {name: 'Change password'}).click();
  await errorOf(page, 'new').waitFor();
  for (const label of ['New password', 'New password, once more']) await page.getByLabel(label, {exact: true}).fill('nine loud cranes sleep');
  await page.getByRole('button', {name: 'Change password'}).click();
  await page.getByTestId('news').getByText('The password was changed').waitFor();
  await page.getByTestId('me').click();
  await page.getByTestId('log-out').click();
  await page.getByRole('heading', {name: 'Please log in'}).waitFor();
  await site.login(page, 'sue', 'nine loud cranes sleep');

  assert.equal((await site.admin.call('POST', '/users', {name: 'kim', role: 'agent', password: adminPassword + ' fly'})).status, 201);
  const kim = await site.open({user: 'kim', password: adminPassword + ' fly'});
  await kim.getByTestId('agent-here').getByText('logged in as kim').waitFor();   // an agent is told where to go
  await kim.getByTestId('me').click();
  await kim.getByRole('link', {name: 'Change password'}).click();
  await kim.getByLabel('Old password').waitFor();
  await kim.goto(site.hub.base + '/');
  await kim.getByRole('button', {name: "Agents' pages"}).click();
  await kim.waitForURL('**/ux/conv');

  await page.goto(site.hub.base + '/#/health');
  await page.getByTestId('count-delivered').waitFor();
  assert.equal((await site.admin.call('DELETE', '/logins/sue')).status, 204);
  await page.getByText('Your session has ended. Please log in again.').waitFor();
  site.good();
});
