// The console for everyone: six languages, keyboard and screen reader, a phone, dark and light; and pages that stay open under traffic.
import test from 'node:test';
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {until} from '../e2e/harness.mjs';
import {errorOf, field, input, startConsole, tab} from './console.mjs';
import {settled} from './pages.mjs';

const axe = readFileSync(createRequire(new URL('../npm/package.json', import.meta.url)).resolve('axe-core/axe.min.js'), 'utf8');

// Every page, with something on it. visit(name) is called on each.
async function walk(page, visit) {
  await page.getByTestId('tenant-row').first().waitFor();
  await visit('tenants');
  await page.getByTestId('tenant-row').getByRole('link').first().click();
  for (const id of ['general', 'api', 'desk', 'commander', 'messaging']) {
    await page.locator(`#tab-${id}`).click();
    await page.locator(id === 'desk' || id === 'messaging' ? '#tab-panel .account' : '#tab-panel .field').first().waitFor();
    await visit(`tenant, ${id}`);
  }
  const go = async place => { await page.evaluate(to => { location.hash = `#/${to}`; }, place); };
  await go('conversations');
  await page.getByTestId('conversation').first().waitFor();
  await visit('conversations');
  await page.getByTestId('conversation').first().click();
  await page.getByTestId('message-in').first().getByTestId('trace-link').click();
  await page.getByTestId('trace').locator('.hops').waitFor();
  await visit('one conversation with a trace');
  await go('letters');
  await page.getByTestId('letter').first().waitFor();
  await visit('dead letters');
  await page.getByTestId('edit-target').first().click();
  await visit('another target');
  await go('contacts');
  await page.getByTestId('contact').first().click();
  await page.getByTestId('said').first().waitFor();
  await page.getByTestId('attribute-add').click();
  await visit('a contact');
  await page.getByTestId('merge').click();
  await page.getByRole('dialog').waitFor();
  await visit('contacts to merge');
  await page.locator('dialog button.close').click();
  await page.reload();
  await go('health');
  await page.locator('.charts svg').first().waitFor();
  await page.locator('table').last().waitFor();
  await visit('health');
  await go('doctor');
  await page.getByTestId('none-refused').waitFor();
  await visit('signature doctor');
  for (const place of ['users', 'audit', 'storages', 'provisioning', 'keys', 'responses']) {
    await go(place);
    await page.locator('main table').first().waitFor();
    await visit(place);
  }
  await go('preview');
  await page.getByTestId('look').click();
  await page.getByTestId('preview-line').waitFor();
  await visit('preview');
  await go('users');
  for (const name of ['user-add', 'queue-add']) { // in any language
    await page.getByTestId(name).click();
    await page.getByRole('dialog').waitFor();
    await visit(name);
    await page.locator('dialog button.close').click();
    await page.getByRole('dialog').waitFor({state: 'detached'});
  }
  await go('settings');
  await page.getByTestId('notifiers-add').click();
  await page.getByTestId('notifiers').waitFor();
  await visit('settings');
  await page.getByTestId('nav-health').evaluate(a => a.click());
  await page.getByTestId('answer-yes').waitFor();
  await visit('a question');
  await page.getByTestId('answer-yes').click();
  await page.locator('.charts svg').first().waitFor(); // the page that was asked for: only now the next may be
  for (const place of ['backup', 'simulators', 'password']) {
    await go(place);
    await page.locator('main h1').waitFor();
    await visit(place);
  }
}

async function busySite(t) {
  const site = await startConsole(t);
  const tenant = await site.tenant({api: {auth: 'none'}});
  await site.says('a question with a rather long text that has to be broken somewhere: https://example.com/'.padEnd(300, 'x'));
  await site.admin.call('POST', '/messages', {tenantId: tenant.id, userId: await site.guest(), message: {type: 'sticker', packageId: '1', stickerId: '999999'}}, {authorization: ''});
  await until('a dead letter', async () => (await site.admin.call('GET', '/journal/dead')).json.items.length === 1);
  assert.equal((await site.admin.call('POST', '/responses', {name: 'Opening hours', text: 'Nine to five'})).status, 201);
  const key = {enabled: true, tenant: tenant.id, name: 'pages', permissions: ['nexus:consumer:chat'], expires: false};
  assert.ok((await fetch(`${site.hub.base}/nexus/v3/apikeys`, {method: 'POST', headers: {authorization: site.admin.token, 'content-type': 'application/json'}, body: JSON.stringify(key)})).ok);
  return site;
}

test('axe finds no serious fault, in light and in dark', async t => {
  const site = await busySite(t);
  for (const colorScheme of ['light', 'dark']) {
    const page = await site.open({colorScheme, login: false, bypassCSP: true});
    const found = [];
    const look = async name => {
      await settled(page); // what is enabled, or pointed at, just now is still on its way to its colour
      const {violations} = await page.evaluate(async source => { if (!window.axe) (0, eval)(source); return window.axe.run(document, {resultTypes: ['violations']}); }, axe);
      for (const v of violations.filter(v => ['serious', 'critical'].includes(v.impact)))
        found.push(`${colorScheme}, ${name}: ${v.id}: ${v.nodes.slice(0, 3).map(n => `${n.target} ${n.any[0]?.message ?? ''}`).join('; ')}`);
    };
    await page.getByLabel('User name').waitFor();
    await look('log-in');
    await site.login(page);
    await walk(page, look);
    assert.deepEqual(found, []);
  }
});

test('on a phone nothing sticks out, and the menu opens', async t => {
  const site = await busySite(t);
  const page = await site.open({viewport: {width: 375, height: 700}, hasTouch: true, isMobile: true});
  const out = [];
  await walk(page, async name => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > 375) out.push(`${name}: ${wide} pixels`);
    out.push(...(await page.evaluate(() => [...document.querySelectorAll('thead th, table .badge, table button')].filter(e => e.checkVisibility()).flatMap(e => {
      const text = e.firstChild, range = document.createRange();
      return [...(text?.nodeType === 3 ? text.data : '').matchAll(/\S+/g)].filter(w => {
        range.setStart(text, w.index);
        range.setEnd(text, w.index + w[0].length);
        return range.getClientRects().length > 1;
      }).map(w => w[0]);
    }))).map(word => `${name}: "${word}" is broken`));
  });
  assert.deepEqual(out, []);
  assert.equal(await page.getByTestId('nav-health').isVisible(), false);
  await page.getByRole('button', {name: 'Menu'}).click();
  await page.getByTestId('nav-health').click();
  await page.getByRole('heading', {name: 'Health', level: 1}).waitFor();
  await page.getByTestId('nav-health').waitFor({state: 'hidden'}); // it closes again
  site.good();
});

test('by keyboard alone', async t => {
  const site = await busySite(t);
  const page = await site.open({login: false});
  await page.getByLabel('User name').waitFor();
  await page.getByLabel('User name').focus();
  await page.keyboard.type('admin');
  await page.keyboard.press('Tab');
  await page.keyboard.type('seven quiet herons');
  await page.keyboard.press('Enter');
  await page.getByTestId('tenant-row').waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip', 'the first stop leads past the menu');
  await page.keyboard.press('Enter');
  const until_ = async what => { for (let i = 0; i < 40; i++) { await page.keyboard.press('Tab'); if (await page.evaluate(what)) return; } assert.fail(`not reached: ${what}`); };
  await until_('document.activeElement.textContent === "Test Shop"');
  await page.keyboard.press('Enter');
  await tab(page, 'General').waitFor();
  await until_('document.activeElement.id === "tab-general"');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.locator('#tab-desk[aria-selected="true"]').waitFor();
  for (const [key, id] of [['End', 'messaging'], ['ArrowRight', 'general'], ['End', 'messaging'], ['Home', 'general'], ['ArrowRight', 'api'], ['ArrowRight', 'desk']]) {
    await page.keyboard.press(key);
    await page.waitForFunction(of => document.activeElement.id === of && document.activeElement.getAttribute('aria-selected') === 'true', `tab-${id}`);
  }
  await page.locator('#f-desk-client-id').waitFor();
  await until_('document.activeElement.id === "f-desk-client-id"');
  await page.keyboard.type('x');
  await page.keyboard.press('Shift+Tab');
  await page.getByTestId('nav-health').focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await page.keyboard.press('Tab');
  assert.ok(await page.evaluate(() => document.querySelector('dialog').contains(document.activeElement)), 'the focus stays in the question');
  await page.keyboard.press('Escape');
  await dialog.waitFor({state: 'detached'});
  site.good();
});

test('six languages, chosen at the bottom right and remembered', async t => {
  const site = await busySite(t);
  const page = await site.open();
  const titles = {fr: 'Locataires', ja: 'テナント', ko: '테넌트', zh: '租户', vi: 'Đối tượng thuê', en: 'Tenants'};
  const menu = page.getByTestId('language');
  const box = await menu.boundingBox();
  assert.ok(box.x > 800 && box.y > 700, 'at the bottom right');
  for (const [code, title] of Object.entries(titles)) {
    await menu.selectOption(code);
    await page.getByRole('heading', {name: title, level: 1, exact: true}).waitFor();
    assert.equal((await page.evaluate(() => document.documentElement.lang)).slice(0, 2), code);
    await page.reload();
    await page.getByRole('heading', {name: title, level: 1, exact: true}).waitFor();
  }
  await menu.selectOption('ja');
  const english = [];
  const words = /^(Save|Cancel|Loading|Search|Add|Name|Copy|Delete|Close)\b/;
  await walk(page, async name => { // what the catalogue has must not stand there in English
    const texts = await page.evaluate(() => [...document.querySelectorAll('main button, main label, main th, main h1, main h2, nav a')].map(e => e.textContent.trim()));
    english.push(...texts.filter(x => words.test(x)).map(x => `${name}: ${x}`));
  });
  assert.deepEqual(english, []);
  await page.evaluate(() => { location.hash = '#/tenants/new'; });
  await input(page, 'name').fill('x');
  await page.locator('#tab-messaging').click();
  await page.getByTestId('channel-type').selectOption({label: 'LINE'});
  await page.getByTestId('channel-add').click();
  await page.getByTestId('save').click();
  await errorOf(page, 'channels[0].channel_secret').filter({hasText: '入力してください'}).waitFor(); // what the API says, too
  await field(page, 'channels[0].channel_secret').getByText('チャネルシークレット').waitFor();
  const other = await site.open({locale: 'fr-CA', login: false});
  await other.getByRole('button', {name: 'Se connecter'}).waitFor();
  site.good();
});

test('a browser with a language that no date can be written in shows its pages all the same', async t => {
  const site = await startConsole(t);
  await site.tenant();
  const page = await site.open({login: false});
  await page.addInitScript(() => Object.defineProperty(navigator, 'languages', {value: ['en-US@posix']})); // as Chromium says it where LANG is C
  await page.reload();
  await site.login(page);
  await page.getByTestId('nav-health').click();
  await page.getByTestId('count-delivered').waitFor();
  await page.getByTestId('nav-audit').click();
  await page.getByRole('cell', {name: /\d:\d\d/}).first().waitFor();
  site.good();
});

// An hour of live traffic in minutes: 3,600 messages come as fast as they can, the pages hear of them as they always do, and their clocks go through 3,600 seconds
// meanwhile, so that everything a page does every so often is done as often as in that hour.
test('pages stay open for an hour of live traffic without growing', async t => {
  const thirds = 3, steps = 40, seconds = 30, messages = 30;
  const site = await startConsole(t);
  await site.tenant();
  const guests = (await site.line.get('/sim/guests')).guests.map(g => g.userId ?? g.id);
  let sent = 0;
  const burst = async n => { // one after the other for each guest, guests beside each other
    const of = guests.map(() => []);
    for (let i = 0; i < n; i++, sent++) of[sent % guests.length].push(`message ${sent}`);
    await Promise.all(of.map(async (texts, g) => { for (const text of texts) await site.says(text, guests[g]); }));
  };
  await burst(guests.length);
  const pages = {};
  for (const name of ['conversations', 'contacts', 'health', 'letters']) {
    const page = pages[name] = await site.open();
    await page.clock.install();
    await page.reload();
    await page.getByTestId(`nav-${name}`).click();
  }
  await pages.conversations.getByTestId('conversation').first().click();
  await pages.contacts.getByTestId('contact').first().click();
  // What a page holds on to: one that is just at something (an answer being read, a view being drawn) has half a MiB more for a moment, so the least of some looks counts. It looks on while that is
  // above `enough`: what a page has grown by, it never gives back.
  const measure = async (page, enough) => {
    const cdp = await page.context().newCDPSession(page);
    let heap = Infinity;
    for (let look = 0; look < 3 || (heap > enough && look < 60); look++) {
      if (look) await new Promise(done => setTimeout(done, 1000));
      await cdp.send('HeapProfiler.collectGarbage');
      heap = Math.min(heap, (await cdp.send('Runtime.getHeapUsage')).usedSize);
    }
    await cdp.detach();
    return {nodes: await page.evaluate(() => document.querySelectorAll('*').length), heap};
  };
  const more = 512 << 10;
  const all = [];
  for (let third = 0; third < thirds; third++) {
    for (let step = 0; step < steps; step++) {
      await burst(messages);
      await new Promise(done => setTimeout(done, 300));
      await Promise.all(Object.values(pages).map(page => page.clock.runFor(seconds * 1000)));
    }
    const last = pages.conversations.getByTestId('conversation').filter({hasText: `message ${sent - 1}`}).first();
    for (let look = 0; look < 60 && !await last.isVisible(); look++) { // what came behind the step is looked at by the next one of a page's timers
      await new Promise(done => setTimeout(done, 500));
      await pages.conversations.clock.runFor(1000);
    }
    await last.waitFor();
    await new Promise(done => setTimeout(done, 1500)); // the last events are looked at
    const now = {};
    for (const [name, page] of Object.entries(pages)) now[name] = await measure(page, third === thirds - 1 ? all.at(-1)[name].heap + more : Infinity);
    all.push(now);
  }
  assert.ok((await pages.conversations.getByTestId('transcript').getByTestId('message-in').count()) <= 50, 'a window of the transcript');
  for (const name of Object.keys(pages)) {
    const [, before, after] = all.map(x => x[name]);
    t.diagnostic(`${name}, after each third of ${sent} messages: heap ${all.map(x => x[name].heap >> 10).join(', ')} KiB; ${all.map(x => x[name].nodes).join(', ')} nodes`);
    assert.ok(after.nodes <= before.nodes * 1.1, `${name}: nodes ${before.nodes} then ${after.nodes}`);
    assert.ok(after.heap <= before.heap + more, `${name}: heap ${before.heap} then ${after.heap} bytes`);
  }
  site.good();
});
