// The chat's widget in a browser, on the shop's page: the real hub behind it, the simulated Genesys Cloud at the other end.
import test from 'node:test';
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {get} from 'node:http';
import {createRequire} from 'node:module';
import {deskHas, agent, pageKey, png, startChat} from '../e2e/webchat-road.mjs';
import {until} from '../e2e/harness.mjs';
import {openBrowser, settled} from './pages.mjs';

const mostBytes = 40 * 1024;   // of the script, as it travels
const axeFile = createRequire(new URL('../npm/package.json', import.meta.url)).resolve('axe-core/axe.min.js');

async function openShop(t, road, {query = '', viewport = {width: 1100, height: 820}, ...context} = {}) {
  const browser = await openBrowser(t);
  const ctx = await browser.newContext({viewport, locale: 'en-GB', ...context});
  const page = await ctx.newPage();
  const complaints = [];
  page.setDefaultTimeout(60000);
  page.on('pageerror', e => complaints.push(e.message));
  page.on('console', m => m.type() === 'error' && complaints.push(m.text()));
  await page.exposeFunction('complain', what => complaints.push(what));
  await page.addInitScript(() => addEventListener('securitypolicyviolation', e => window.complain(`${e.violatedDirective} refused ${e.blockedURI}`)));
  await page.goto(`${road.hub.base}/demo/shop?key=${pageKey}&endpoint=sales${query}`);
  return {page, complaints, ctx, id: name => page.getByTestId(name)};
}
async function begin(shop, name = 'Ana') {
  await shop.id('launcher').click();
  await shop.page.getByLabel(/^(Your name|Votre nom|お名前|이름|您的姓名|Tên của bạn)$/).fill(name);
  await shop.id('start').click();
  await shop.id('field').waitFor();
}
async function say(shop, text) {
  await shop.id('field').fill(text);
  await shop.id('send').click();
}
async function violations(page) {
  await settled(page);
  await page.evaluate(readFileSync(axeFile, 'utf8'));
  const found = await page.evaluate(() => window.axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}));
  const inside = n => Array.isArray(n.target[0]);   // in the widget's own tree, not the shop's
  assert.ok(found.passes.some(p => p.nodes.some(inside)), 'axe looked into the widget');
  return found.violations.flatMap(v => v.nodes.filter(inside).map(n => `${v.id}: ${n.target.join(' ')} ${n.failureSummary}`));
}
const demo = {hub: {demo_shop: true}};

test('the script is small and anyone may load it', async t => {
  const road = await startChat(t, demo);
  const {bytes, headers} = await new Promise((resolve, reject) => get(`${road.hub.base}/webchat/widget.js`, {headers: {'accept-encoding': 'gzip'}}, r => {
    let n = 0;
    r.on('data', d => { n += d.length; }).on('end', () => resolve({bytes: n, headers: r.headers}));
  }).on('error', reject));
  assert.equal(headers['content-encoding'], 'gzip');
  assert.match(headers['content-type'], /^text\/javascript/);
  assert.equal(headers['cross-origin-resource-policy'], 'cross-origin');
  assert.ok(bytes > 1000 && bytes < mostBytes, `${bytes} bytes`);
  console.log(`# the widget has ${bytes} bytes`);
});

test('a chat: form, text, typing, emoji, pictures, reload, transcript, end', async t => {
  const road = await startChat(t, demo);
  const shop = await openShop(t, road);
  const {page, id, complaints} = shop;
  await id('launcher').click();
  await id('start').click();
  await page.getByRole('alert').filter({hasText: 'Please enter your name.'}).waitFor();
  await page.getByLabel('Your name').fill('Ana <b>');
  await page.getByLabel('E-mail').fill('ana at example');
  await id('start').click();
  await page.getByRole('alert').filter({hasText: 'Please check the e-mail address.'}).waitFor();
  await page.getByLabel('E-mail').fill('ana@example.net');
  await id('start').click();
  await id('field').waitFor();
  const hint = page.getByRole('status').filter({hasText: 'Write to us'});
  await hint.waitFor();
  await until('the field has the focus', async () => await page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.tagName) === 'TEXTAREA');
  const evil = '<img src=x onerror=alert(1)> Where is my parcel?';
  await say(shop, evil);
  await id('own').filter({hasText: evil}).waitFor();
  await hint.waitFor({state: 'detached'});
  const {c} = await deskHas(road, 'the text', m => m.text === evil);
  assert.equal(c.guest.name, 'Ana <b>');
  await agent(road, c, {text: 'See https://track.example.net/a?b=1&c=2. It left <script>alert(2)</script> today'});
  const said = id('other').filter({hasText: 'It left <script>alert(2)</script> today'});
  await said.waitFor();
  assert.equal(await said.getByRole('link').getAttribute('href'), 'https://track.example.net/a?b=1&c=2');
  assert.match(await said.innerText(), /Kim Lee/);
  await page.getByText('Kim Lee has joined').waitFor();

  await agent(road, c, {typing: true});
  await page.getByRole('status').filter({hasText: 'Kim Lee is typing …'}).waitFor();
  await id('field').pressSequentially('hm', {delay: 10});
  await id('emoji').click();
  await page.getByRole('button', {name: '🎉'}).click();
  assert.equal(await id('field').inputValue(), 'hm🎉');
  await id('field').press('Enter');
  await deskHas(road, 'the emoji', m => m.text === 'hm🎉');

  await id('file').setInputFiles({name: 'photo.png', mimeType: 'image/png', buffer: png});
  await deskHas(road, 'the picture', m => m.media?.state === 'kept');
  await id('own').getByTestId('picture').waitFor();
  await agent(road, c, {text: 'Your receipt', attachment: {base64: png.toString('base64'), name: 'receipt.png', mime: 'image/png'}});
  const picture = id('other').getByTestId('picture');
  await picture.waitFor();
  await page.waitForFunction(img => img.complete && img.naturalWidth > 0, await picture.elementHandle());
  await id('file').setInputFiles({name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('not a picture')});
  await page.getByRole('status').filter({hasText: 'Only pictures can be sent.'}).waitFor();

  await id('file').setInputFiles({name: 'bill.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 a bill')});
  await deskHas(road, 'the file', m => /bill\.pdf/.test(JSON.stringify(m.media ?? '')));
  await id('own').getByTestId('own-file').waitFor();
  await id('pending').waitFor({state: 'detached'});
  const [bill] = await Promise.all([page.waitForEvent('download'), id('own-file').click()]);
  assert.deepEqual([bill.suggestedFilename(), readFileSync(await bill.path(), 'utf8')], ['bill.pdf', '%PDF-1.7 a bill']);

  const before = await id('log').locator('article').allInnerTexts();
  await page.reload();
  await id('launcher').click();
  await id('other').filter({hasText: 'Your receipt'}).waitFor();
  await until('as many lines', async () => await id('log').locator('article').count() >= before.length);
  assert.deepEqual(await id('log').locator('article').allInnerTexts(), before, 'after a reload the same is there');
  await agent(road, c, {text: 'still here?'});
  await id('other').filter({hasText: 'still here?'}).waitFor();

  await id('close').click();
  await agent(road, c, {text: 'one more thing'});
  await page.getByRole('button', {name: 'Open chat, 1 new messages'}).click();
  await id('more').click();
  const [download] = await Promise.all([page.waitForEvent('download'), id('menu-transcript').click()]);
  assert.match(readFileSync(await download.path(), 'utf8'), /Kim Lee: one more thing/);
  await id('more').click();
  await id('menu-end').click();
  await page.getByRole('status').filter({hasText: 'The chat has ended.'}).waitFor();
  await id('new').click();
  await page.getByLabel('Your name').waitFor();
  assert.deepEqual(complaints.filter(x => !/400/.test(x)), []);
});

test('things to tap', async t => {
  const road = await startChat(t, demo);
  const shop = await openShop(t, road);
  const {page, id} = shop;
  await begin(shop);
  await say(shop, 'hello');
  const {c} = await deskHas(road, 'the hello', m => m.text === 'hello');
  const bot = what => road.desk.post(`/sim/conversations/${c.id}/agent`, {bot: true, ...what});
  await bot({text: 'Does 15:00 suit you?', quick_replies: [{text: 'Yes', payload: 'yes-1'}, {text: 'No', payload: 'no-1'}]});
  await id('quick-replies').getByRole('button', {name: 'No'}).click();
  await until('the answer', async () => JSON.stringify(await road.desk.get('/sim/inbound?limit=100')).includes('no-1'));
  await id('own').filter({hasText: 'No'}).waitFor();
  await until('the buttons vanish', async () => await id('quick-replies').count() === 0);
  await bot({cards: [1, 2, 3].map(n => ({title: `Room ${n}`, description: 'Sea view', actions: [{type: 'Postback', text: 'Book', payload: `book ${n}`}, {type: 'Link', text: 'Details', url: 'https://www.example.net/r'}]}))});
  const cards = page.getByRole('list', {name: 'Cards'});
  await cards.waitFor();
  assert.equal(await cards.getByRole('listitem').count(), 3);
  assert.deepEqual(await violations(page), []);
  await cards.getByRole('listitem').nth(1).getByRole('button', {name: 'Book'}).click();
  await until('the second room', async () => JSON.stringify(await road.desk.get('/sim/inbound?limit=100')).includes('book 2'));
  await bot({list_picker: {receivedMessage: {title: 'Choose a size'}, sections: [{title: 'Sizes', items: [{id: 's', title: 'Small'}, {id: 'm', title: 'Medium'}]}]}});
  const group = page.getByRole('group', {name: 'Choose a size'});
  await group.getByRole('radio', {name: 'Medium'}).check();
  assert.deepEqual(await violations(page), []);
  await group.getByRole('button', {name: 'Send'}).click();
  await id('own').filter({hasText: 'Medium'}).waitFor();
});

test('an invitation, once a visit; sound off and on', async t => {
  const road = await startChat(t, demo);
  const shop = await openShop(t, road, {query: '&invite=Can%20we%20help%3F&invite-seconds=0.1'});
  const {page, id} = shop;
  await page.addInitScript(() => { window.rung = 0; window.AudioContext = class { constructor() { window.rung++; throw new Error('no sound card'); } }; });
  const asks = page.getByRole('button', {name: 'Can we help?'});
  await asks.waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', {name: 'Dismiss'}).click();
  await page.reload();
  await page.waitForTimeout(700);
  assert.equal(await asks.count(), 0, 'not again');
  await begin(shop);
  await say(shop, 'hello');
  const {c} = await deskHas(road, 'the hello', m => m.text === 'hello');
  const rung = () => page.evaluate(() => window.rung);
  await id('close').first().click();
  await agent(road, c, {text: 'one'});
  await until('the bell', async () => await rung() === 1);
  await id('launcher').click();
  await id('more').click();
  await page.getByRole('button', {name: 'Turn sound off'}).click();
  await id('close').first().click();
  await agent(road, c, {text: 'two'});
  await page.getByRole('button', {name: 'Open chat, 1 new messages'}).waitFor();
  assert.equal(await rung(), 1, 'no bell');
  await id('launcher').click();
  await id('more').click();
  await page.getByRole('button', {name: 'Turn sound on'}).waitFor();
});

test('the connection is lost and comes back; what was not sent is sent again', async t => {
  const road = await startChat(t, demo);
  const shop = await openShop(t, road);
  const {page, id} = shop;
  await begin(shop);
  await say(shop, 'before');
  const {c} = await deskHas(road, 'before', m => m.text === 'before');
  road.programs.hub.child.kill('SIGKILL');
  await road.programs.hub.exit;
  await page.getByRole('status').filter({hasText: 'Connection lost.'}).waitFor();
  await say(shop, 'while away');
  await id('again').waitFor();
  await road.startHub();
  await id('again').click();
  await deskHas(road, 'the text from while it was away', m => m.text === 'while away');
  await agent(road, c, {text: 'and we are back'});
  await id('other').filter({hasText: 'and we are back'}).waitFor();
  await until('no complaint', async () => !(await page.locator('.status').innerText()).includes('lost'));
  assert.equal(await id('own').filter({hasText: 'while away'}).count(), 1);
});

test('a browser with a language that no date can be written in can chat all the same', async t => {
  const road = await startChat(t, demo);
  const shop = await openShop(t, road);
  await shop.page.addInitScript(() => Object.defineProperty(navigator, 'languages', {value: ['en-US@posix']})); // as Chromium says it where LANG is C
  await shop.page.reload();
  await begin(shop);
  await say(shop, 'hello');
  await shop.id('own').filter({hasText: 'hello'}).waitFor();
  assert.deepEqual(shop.complaints, []);
});

test('accessible in light and dark, desktop and phone, both directions; every language', async t => {
  const road = await startChat(t, demo);
  const looks = [['light', '', 'en', {width: 1100, height: 820}], ['dark', '', 'en', {width: 390, height: 780}], ['light', '&dir=rtl', 'en', {width: 390, height: 780}], ['dark', '&dir=rtl', 'en', {width: 1100, height: 820}]];
  for (const [colorScheme, more, , viewport] of looks) {
    const shop = await openShop(t, road, {query: more, viewport, colorScheme});
    const {page, id} = shop;
    const what = `${colorScheme}${more} ${viewport.width}`;
    await id('launcher').waitFor();
    assert.deepEqual(await violations(page), [], `${what}: button`);
    await id('launcher').click();
    await id('start').waitFor();
    assert.deepEqual(await violations(page), [], `${what}: form`);
    await page.getByLabel('Your name').fill('Ana');
    await id('start').click();
    await id('field').waitFor();
    await say(shop, `hello ${what}`);
    const {c} = await deskHas(road, 'the hello', m => m.text === `hello ${what}`);
    await agent(road, c, {text: 'Good morning'});
    await id('other').filter({hasText: 'Good morning'}).waitFor();
    assert.deepEqual(await violations(page), [], `${what}: chat`);
    const box = await id('panel').boundingBox(), own = await id('own').last().boundingBox(), other = await id('other').last().boundingBox();
    assert.equal(viewport.width < 480 ? box.width : box.width <= 380, viewport.width < 480 ? viewport.width : true);
    assert.equal(own.x > other.x || own.x + own.width > other.x + other.width, !more, 'own words stand on the other side');
    await page.keyboard.press('Escape');
    await id('launcher').waitFor();
    await page.context().browser().close();
  }
  for (const [language, open] of [['fr', 'Ouvrir le chat'], ['ja', 'チャットを開く'], ['ko', '채팅 열기'], ['zh-CN', '打开聊天'], ['vi', 'Mở trò chuyện'], ['xx', 'Open chat']]) {
    const shop = await openShop(t, road, {query: `&language=${language}`});
    await shop.page.getByRole('button', {name: open}).click();
    await shop.id('start').waitFor();
    await shop.page.context().browser().close();
  }
});

test('told as it happens, read both ways; without the stream it polls; the question at the end', async t => {
  const road = await startChat(t, {...demo, webchat: {satisfaction: true}});
  const shop = await openShop(t, road);
  const {page, id, complaints} = shop;
  const asked = [];
  page.on('request', r => asked.push(`${r.method()} ${new URL(r.url()).pathname.split('/').at(-1)}`));
  const streams = async () => Number(/^dragoman_chat_streams (\d+)$/m.exec((await road.hub.call('GET', '/metrics')).text)[1]);
  await begin(shop);
  await say(shop, 'hello');
  const {c} = await deskHas(road, 'the hello', m => m.text === 'hello');
  await until('the page is told', async () => await streams() === 1);
  assert.equal(await id('seen').count(), 0);
  asked.length = 0;
  await agent(road, c, {text: 'good day'});
  await id('other').filter({hasText: 'good day'}).waitFor();
  await id('own').filter({hasText: 'hello'}).getByTestId('seen').waitFor();
  await until('the hub is told that it was read', () => asked.includes('POST read'));
  await until('nothing is polled', async () => {   // one poll may still be on its way
    asked.length = 0;
    await page.waitForTimeout(4000);
    return !asked.includes('GET messages');
  }, 30000);
  await id('close').click();   // what nobody sees is not read
  asked.length = 0;
  await agent(road, c, {text: 'unseen'});
  await page.getByRole('button', {name: 'Open chat, 1 new messages'}).waitFor();
  await page.waitForTimeout(300);
  assert.ok(!asked.includes('POST read'));
  await page.getByRole('button', {name: 'Open chat, 1 new messages'}).click();
  await until('now it is', () => asked.includes('POST read'));

  await road.programs.hub.stop();
  await page.getByRole('status').filter({hasText: 'Connection lost'}).waitFor();
  await road.startHub();
  await agent(road, c, {text: 'after the restart'});
  await id('other').filter({hasText: 'after the restart'}).waitFor();
  await until('told again', async () => await streams() === 1);
  assert.equal(await id('other').filter({hasText: 'good day'}).count(), 1);

  const plain = await shop.ctx.newPage();   // a proxy that lets no stream through
  plain.setDefaultTimeout(60000);
  await plain.route('**/events*', r => r.abort());
  await plain.goto(page.url());
  await plain.getByTestId('launcher').click();
  await plain.getByTestId('other').filter({hasText: 'good day'}).waitFor();
  await agent(road, c, {text: 'to both'});
  await plain.getByTestId('other').filter({hasText: 'to both'}).waitFor();
  await id('other').filter({hasText: 'to both'}).waitFor();

  await id('more').click();
  await id('menu-end').click();
  await id('opinion').waitFor();
  const send = id('opinion').getByRole('button', {name: 'Send'});
  assert.ok(await send.isDisabled());
  assert.deepEqual(await violations(page), []);
  await id('opinion').getByLabel('4/5 stars').check();
  await id('comment').fill('<b>fine</b>');
  await send.click();
  await page.getByRole('status').filter({hasText: 'Thank you!'}).waitFor();
  await id('opinion').waitFor({state: 'detached'});
  await deskHas(road, 'the rating', m => m.text === 'Ana rates the chat 4 of 5: <b>fine</b>');
  assert.deepEqual(complaints.filter(x => !/ERR_|Failed to load/.test(x)), []);
});
