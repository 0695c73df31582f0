// The built-in desk as people use it: a guest in the chat of a shop's page, agents and a supervisor in theirs, the real hub between them.
import test from 'node:test';
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {freePort, patience, until} from '../e2e/harness.mjs';
import {adminPassword, startHub} from '../e2e/hub.mjs';
import {drawn} from './pages.mjs';
import {logIn, pageKey, password, say, setReady, startDesk, violations} from './desk.mjs';

const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const picture = {name: 'photo.png', mimeType: 'image/png', buffer: png};
const day = 86400;
const evil = '<img src=x onerror=alert(1)> "><script>alert(2)</script> Where is my parcel?';
const fromGuest = (page, text) => page.getByTestId('line-guest').filter({hasText: text});
const fromAgent = (page, text) => page.getByTestId('line-agent').filter({hasText: text});
const closed = page => page.getByRole('dialog').waitFor({state: 'detached'});

async function accepted(page) {
  await page.getByTestId('accept').first().click();
  await page.getByTestId('talk').waitFor();
}
async function choose(page, name) {
  await page.getByRole('dialog').getByRole('radio', {name}).check();
  await page.getByTestId('dialog-yes').click();
  await closed(page);
}

test('a guest and agents: from the first word to the history', async t => {
  const site = await startDesk(t, {browsers: 2, desk: {welcome_text: 'Welcome!', last_agent_s: 120}});
  const kim = await site.agent('kim');
  const ana = await site.guest('Ana <b>');
  const id = name => kim.getByTestId(name);
  const other = text => ana.getByTestId('other').filter({hasText: text});

  await t.test('the invitation, and text both ways; nothing a guest writes is markup', async () => {
    await say(ana, evil);
    await id('invitation').filter({hasText: 'Ana <b>'}).waitFor();
    await until('the title', async () => /^☎ 1 waiting /.test(await kim.title()));
    assert.deepEqual(await violations(kim), []);
    await kim.keyboard.press('Alt+a');
    await fromGuest(kim, evil).waitFor();
    assert.equal(await id('guest-name').textContent(), 'Ana <b>');
    await other('Welcome!').waitFor();
    await say(kim, 'It left <i>today</i>: https://track.example.net/1');
    await other('It left <i>today</i>').waitFor();
    assert.equal(await other('It left').getByRole('link').getAttribute('href'), 'https://track.example.net/1');
    await fromAgent(kim, 'It left <i>today</i>').getByTestId('delivery').getByText(/^(delivered|read)$/).waitFor();
    assert.match(await other('It left').innerText(), /Kim Lee/);
    assert.ok(!/waiting/.test(await kim.title()));
  });

  await t.test('typing, both ways, with what the guest is writing', async () => {
    await until('what the guest writes', async () => { // told every three seconds
      await ana.getByTestId('field').press('x');
      await kim.waitForTimeout(300);
      return await id('typing').filter({hasText: 'xxx'}).count() > 0;
    }, 30000);
    await ana.getByTestId('field').fill('');
    await id('field').pressSequentially('Let me look', {delay: 15});
    await ana.getByRole('status').filter({hasText: 'Kim Lee is typing'}).waitFor();
    await id('field').fill('');
  });

  await t.test('a picture both ways, emoji, an unread mark', async () => {
    await ana.getByTestId('file').setInputFiles(picture);
    await drawn(kim, id('line-guest').getByTestId('media-image').locator('img'));
    await id('file').setInputFiles(picture);
    await drawn(ana, ana.getByTestId('other').getByTestId('picture'));
    await id('emoji').click();
    await kim.getByRole('button', {name: '🎉'}).click();
    await id('field').press('Enter');
    await other('🎉').waitFor();
    await kim.goto(`${site.hub.base}/ux/conv`);
    await id('interaction').waitFor();
    await say(ana, 'Are you there?');
    await id('unread').waitFor();
    await until('the mark in the title', async () => /^\(1\) /.test(await kim.title()));
    await kim.keyboard.press('Alt+j');
    await fromGuest(kim, 'Are you there?').waitFor();
    await id('unread').waitFor({state: 'detached'});
  });

  await t.test('quick replies, cards, a list', async () => {
    await kim.keyboard.press('Alt+l');
    await id('rich-text').fill('Shall we bring it today?');
    await kim.getByRole('textbox', {name: 'Answers'}).fill('Yes please\nTomorrow | later-1');
    await id('rich-send').click();
    await ana.getByTestId('quick-replies').getByRole('button', {name: 'Tomorrow'}).click();
    await fromGuest(kim, 'Tomorrow').waitFor();
    await id('rich').click();
    await kim.getByRole('tab', {name: 'Cards'}).click();
    await id('rich-card-0-title').fill('Trunk');
    await id('rich-card-0-text').fill('Leather');
    await kim.getByRole('textbox', {name: 'Buttons of card 1'}).fill('Buy | buy-1');
    await id('rich-send').click();
    await ana.getByRole('button', {name: 'Buy'}).click();
    await fromGuest(kim, 'Buy').waitFor();
  });

  const ken = await site.agent('ken');
  await t.test('a second agent is asked, unseen by the guest; then takes over', async () => {
    await kim.keyboard.press('Alt+c');
    await choose(kim, /Ken <b>Ito/);
    await ken.getByTestId('interaction').click();
    await ken.getByText('Only the agents read what you write.').waitFor();
    await say(ken, 'Offer a lantern');
    await fromAgent(kim, 'Offer a lantern').getByTestId('whisper-mark').waitFor();
    await ken.getByTestId('do-leave').click();
    await ken.getByText('Nobody waits for you.').waitFor();
    await kim.keyboard.press('Alt+x');
    await choose(kim, /Ken <b>Ito/);
    await kim.getByText('Nobody waits for you.').waitFor();
    await accepted(ken);
    await say(ken, 'Good day, I am Ken');
    await other('Good day, I am Ken').waitFor();
    assert.match(await other('Good day, I am Ken').innerText(), /Ken <b>Ito<\/b>/);
    assert.equal(await other('Offer a lantern').count(), 0, 'what agents say to each other is theirs');
  });

  await t.test('a supervisor coaches the agent, then joins in', async () => {
    const sue = await site.agent('sue', {path: '/ux/supervisor', ready: false});
    await sue.getByTestId('waiting-sales').filter({hasText: '0'}).waitFor();
    assert.deepEqual(await violations(sue), []);
    await sue.getByTestId('go-coach').click();
    await fromAgent(sue, 'Good day, I am Ken').waitFor();
    await say(sue, 'Be kind');
    await fromAgent(ken, 'Be kind').getByTestId('whisper-mark').waitFor();
    await sue.getByTestId('do-barge').click();
    await sue.getByTestId('do-barge').waitFor({state: 'detached'}); // until then it is said to the agent alone
    await say(sue, 'I am the supervisor');
    await other('I am the supervisor').waitFor();
    assert.equal(await other('Be kind').count(), 0);
    await sue.getByTestId('do-leave').click();
    await sue.goto(`${site.hub.base}/ux/supervisor?view=wallboard`);
    await sue.getByTestId('wallboard').waitFor();
    assert.deepEqual(await violations(sue), []);
    await sue.context().close();
  });

  await t.test('hold, and the return next day', async () => {
    await ken.keyboard.press('Alt+w');
    await ken.getByTestId('hold-time').check();
    await ken.getByTestId('hold-at').fill('2020-01-01T09:00');
    await ken.getByTestId('dialog-yes').click();
    assert.equal(await ken.getByRole('dialog').getByRole('alert').textContent(), 'This time is over already.');
    await ken.getByTestId('hold-tomorrow').check();
    await ken.getByTestId('dialog-yes').click();
    await ken.getByTestId('held').getByTestId('interaction').waitFor();
    await closed(ken);
    site.later(1.5 * day);
    await ken.getByTestId('held').waitFor({state: 'detached'});
    await accepted(ken);
    await say(ken, 'Good morning, here again');
    await other('Good morning, here again').waitFor();
    assert.match(await other('Good morning, here again').locator('time').textContent(), /\d [A-Z][a-z]{2}\b.*\d\d:\d\d/, 'what was not said today has its day');
    assert.match(await ana.getByTestId('own').first().locator('time').textContent(), /^\d\d:\d\d$/);
    await ken.keyboard.press('Alt+w');
    await ken.getByTestId('dialog-yes').click();
    await ken.getByTestId('held').waitFor();
    await closed(ken);
    site.later(2.5 * day);
    await say(ana, 'I am back');
    await ken.getByTestId('held').waitFor({state: 'detached'});
    await accepted(ken);
    await fromGuest(ken, 'I am back').waitFor();
  });

  await t.test('done, with what came of it; opened again', async () => {
    await ken.getByTestId('interaction-state').filter({hasText: 'open'}).waitFor();
    await ken.keyboard.press('Alt+q');
    await ken.getByTestId('disposition').fill('Sold');
    await ken.getByTestId('note').fill('Two lanterns');
    await ken.getByTestId('dialog-yes').click();
    await ken.getByTestId('do-again').click();
    await ken.getByTestId('interaction-state').filter({hasText: 'open'}).waitFor();
    await say(ken, 'One more thing');
    await other('One more thing').waitFor();
    await fromGuest(ken, evil).waitFor();
  });

  await t.test('everything stands in the history', async () => {
    await kim.goto(`${site.hub.base}/ux/comm?customername=Test%20Shop&ccid=1`);
    await kim.getByTestId('contact').filter({hasText: 'Ana <b>'}).click();
    const history = id('history');
    for (const text of [evil, 'It left <i>today</i>', 'Tomorrow', 'Offer a lantern', 'Good day, I am Ken', 'Be kind', 'I am back', 'One more thing']) await history.getByText(text).first().waitFor();
    await history.getByTestId('media-image').nth(1).waitFor();
    assert.ok(await history.getByTestId('media-image').count() >= 2);
    assert.deepEqual(await violations(kim), []);
    await history.getByRole('searchbox').fill('lantern');
    await history.getByText('Offer a').waitFor();
    await history.getByText('I am back').waitFor({state: 'detached'});
    await id('edit').click();
    await kim.getByLabel('Telephone').fill('+49 171 1234567');
    await id('contact-save').click();
    await kim.getByTestId('contact-page').getByText(/171/).waitFor();
  });
  site.good();
});

test('by the keyboard alone, with the shortcuts that the page lists', async t => {
  const site = await startDesk(t, {webchat: {async: false}, desk: {invite_s: 3600}});   // the clock is moved while somebody is asked
  const kim = await site.open('/ux/conv');
  const key = async (...keys) => { for (const k of keys) await kim.keyboard.press(k); };
  const focused = () => kim.evaluate(() => document.activeElement.getAttribute('data-testid') ?? (document.activeElement.id || document.activeElement.getAttribute('name')));
  const focus = name => until(`the focus on ${name}`, async () => await focused() === name);
  await focus('f-user');
  await kim.keyboard.type('kim');
  await key('Tab');
  await focus('f-password');
  await kim.keyboard.type(password);
  await key('Enter');
  await kim.getByTestId('not-ready').waitFor();
  await key('Alt+y');
  await kim.getByTestId('not-ready').waitFor({state: 'detached'});
  await key('Alt+z');
  await kim.getByTestId('keys').getByText('Alt+A', {exact: true}).waitFor();
  assert.deepEqual(await violations(kim), []);
  await key('Escape');
  await closed(kim);
  const [ana, ben] = [await site.guest('Ana'), await site.guest('Ben')];
  await say(ana, 'from Ana');
  await kim.getByTestId('invitation').filter({hasText: 'Ana'}).waitFor();
  await key('Alt+r');
  await kim.getByRole('dialog').waitFor();
  await key('Enter');
  await kim.getByTestId('invitation').waitFor({state: 'detached'});
  await closed(kim);   // while it is there the keys are its own
  await say(ben, 'from Ben');
  await kim.getByTestId('invitation').filter({hasText: 'Ben'}).waitFor();
  await key('Alt+a');
  await fromGuest(kim, 'from Ben').waitFor();
  site.later(60);   // who said no is asked again after half a minute
  await kim.getByTestId('invitation').filter({hasText: 'Ana'}).waitFor();
  await key('Alt+a');
  await fromGuest(kim, 'from Ana').waitFor();
  await key('Alt+k');
  await fromGuest(kim, 'from Ben').waitFor();
  await key('Alt+2');
  await fromGuest(kim, 'from Ana').waitFor();
  await key('Alt+m');
  await focus('field');
  await kim.keyboard.type('one');
  await key('Shift+Enter');
  await kim.keyboard.type('two');
  await key('Enter');
  await ana.getByTestId('other').filter({hasText: 'one\ntwo'}).waitFor();
  await key('Alt+g');
  await kim.keyboard.type('not for Ana');
  await key('Enter', 'Alt+g');
  await fromAgent(kim, 'not for Ana').getByTestId('whisper-mark').waitFor();
  await key('Alt+p');
  await focus('search');
  await kim.keyboard.type('from');
  await kim.locator('.chosen').filter({hasText: 'from Ana'}).waitFor();
  await kim.getByTestId('search-found').filter({hasText: '1 of 1'}).waitFor();
  await key('Escape', 'Alt+o');
  await kim.getByRole('group', {name: 'Emoji'}).waitFor();
  await kim.getByTestId('emoji').focus();
  await key('Shift+Tab', 'Enter', 'Escape');
  await kim.getByRole('group', {name: 'Emoji'}).waitFor({state: 'detached'});
  await focus('field');
  await key('Enter');
  await until('the emoji', async () => /\p{Emoji}/u.test(await ana.getByTestId('other').last().innerText()));
  await key('Alt+x');
  await kim.getByRole('dialog').waitFor();
  await key('Escape');
  await closed(kim);
  await key('Alt+q');
  await kim.getByRole('dialog').waitFor();
  await focus('disposition');
  await kim.keyboard.type('Answered');
  await key('Enter');
  await kim.getByTestId('do-again').waitFor();
  await ana.getByRole('status').filter({hasText: 'The chat has ended.'}).waitFor();
  site.good();
});

test('accessible in light and dark, on a phone, both directions; in every language', async t => {
  const site = await startDesk(t);
  const ana = await site.guest('Ana');
  const first = await site.agent('kim');
  await say(ana, 'hello '.repeat(60));
  await accepted(first);
  await say(first, 'https://www.example.net/' + 'x'.repeat(200));
  await say(first, 'good morning');
  await fromAgent(first, 'good morning').waitFor();
  const looks = [['light', {}, ''], ['dark', {}, ''], ['light', {viewport: {width: 390, height: 780}}, '?dir=rtl'], ['dark', {viewport: {width: 390, height: 780}}, '']];
  for (const [colorScheme, more, query] of looks) {
    const page = await site.agent('kim', {path: `/ux/conv${query}`, ready: false, colorScheme, ...more});
    const what = `${colorScheme}${query} ${more.viewport?.width ?? ''}`;
    const steady = async name => {
      assert.deepEqual(await violations(page), [], `${what}: ${name}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${what}: ${name} does not scroll sideways`);
    };
    for (const menu of ['status', 'me']) {
      await page.getByTestId(menu).click();
      const list = page.locator('details[open] > ul');
      const {x, width} = await list.boundingBox();
      const room = await page.evaluate(() => innerWidth);
      assert.ok(x >= 0 && x + width <= room, `${what}: the menu ${menu} goes from ${x} to ${x + width} of ${room}`);
      assert.ok(await list.evaluate(l => [...l.querySelectorAll('*')].every(e => e.getBoundingClientRect().right <= l.getBoundingClientRect().right + 1)), `${what}: all of ${menu} is in it`);
      await page.keyboard.press('Escape');
      await list.waitFor({state: 'detached'});
    }
    await page.getByTestId('interaction').click();
    await fromAgent(page, 'good morning').waitFor();
    const [own, other] = [await fromAgent(page, 'good morning').boundingBox(), await fromGuest(page, 'hello').boundingBox()];
    assert.equal(own.x > other.x, !query, 'own words stand on the other side');
    await steady('conversation');
    for (const dialog of ['do-transfer', 'do-hold', 'do-done', 'rich']) {
      await page.getByTestId(dialog).click();
      await page.getByRole('dialog').waitFor();
      await steady(dialog);
      await page.keyboard.press('Escape');
      await closed(page);
    }
    await page.goto(`${site.hub.base}/ux/comm${query}`);
    await page.getByTestId('contact').click();
    await page.getByTestId('history').getByText('good morning').waitFor();
    await steady('contact');
    await page.context().close();
  }
  for (const [lang, title] of [['fr', 'Conversations'], ['ja', '会話'], ['ko', '대화'], ['zh', '对话'], ['vi', 'Hội thoại']]) {
    const page = await site.open(`/ux/conv?lang=${lang}`);
    await page.locator('input[name="username"]').fill('sue');
    await page.locator('input[name="password"]').fill(password);
    await page.keyboard.press('Enter');
    await page.getByTestId('nav-conv').filter({hasText: title}).waitFor();
    await page.waitForFunction(start => document.title.startsWith(start), title);
    await page.context().close();
  }
  await first.getByTestId('me').click();
  await first.getByTestId('language').selectOption('fr');
  await first.getByTestId('me').click();
  await first.getByTestId('status').getByText('en service', {exact: true}).waitFor();
  await first.reload();
  await first.getByTestId('status').getByText('en service', {exact: true}).waitFor();   // it is remembered
  await first.goto(site.hub.base + '/ux/supervisor?lang=en');
  await first.getByTestId('no-supervisor').getByText('logged in as kim').waitFor();
  site.good();
});

test('in a frame: only of origins that are allowed, with a log-in of its own', async t => {
  const port = await freePort();
  const origin = `http://localhost:${port}`;   // another site than 127.0.0.1
  const site = await startDesk(t, {settings: {frame_origins: origin}});
  const outer = createServer((rq, rs) => rs.writeHead(200, {'content-type': 'text/html'}).end(`<!doctype html><title>CRM</title><iframe src="${site.hub.base}${rq.url}" width="1000" height="700"></iframe>`)).listen(port, '127.0.0.1');
  await new Promise(r => outer.on('listening', r));
  t.after(() => outer.close());
  for (const wrong of ['javascript:alert(1)', "https://a.example.com; script-src *", "'self'"])
    await assert.rejects(startHub(t, {settings: {frame_origins: wrong}}), /frame_origins must hold origins/, wrong);
  const r = await fetch(`${site.hub.base}/ux/conv`);
  assert.equal(r.headers.get('content-security-policy'), `frame-ancestors ${origin}`);
  assert.equal(r.headers.get('x-frame-options'), null);
  assert.equal((await fetch(`${site.hub.base}/`)).headers.get('x-frame-options'), 'DENY', 'the console is in nobody\'s frame');

  const page = await (await site.browser.newContext({viewport: {width: 1100, height: 800}, locale: 'en-GB'})).newPage();
  page.setDefaultTimeout(15000 * patience);
  await page.goto(`${origin}/ux/conv?customername=Test%20Shop&ccid=1`);
  const frame = page.frameLocator('iframe');
  await logIn(frame, 'kim');
  await frame.getByTestId('set-ready').click();
  const ana = await site.guest('Ana');
  await say(ana, 'into the frame');
  await frame.getByTestId('accept').click();
  await frame.getByTestId('line-guest').filter({hasText: 'into the frame'}).waitFor();
  await frame.getByTestId('field').fill('out of the frame');
  await frame.getByTestId('send').click();
  await ana.getByTestId('other').filter({hasText: 'out of the frame'}).waitFor();
  const login = await site.hub.login('kim', password);
  const id = (await login.call('GET', '/desk/interactions')).json.items[0].id;
  await frame.getByTestId('nav-comm').click();
  await frame.getByTestId('contact').filter({hasText: 'Ana'}).click();
  await frame.getByTestId('history').getByText('into the frame').waitFor();
  await frame.getByTestId('nav-conv').click();
  await frame.getByTestId('interaction').waitFor();
  const enter = async () => { // where the browser gives frames of others no storage, each frame asks
    await frame.getByTestId('me').or(frame.getByLabel('User name')).waitFor();
    if (await frame.getByLabel('User name').count()) await logIn(frame, 'kim');
  };
  await page.goto(`${origin}/ux/conv?iid=${id}&customername=Test%20Shop&ccid=1`);
  await enter();
  await frame.getByTestId('line-guest').filter({hasText: 'into the frame'}).waitFor();
  assert.equal(await frame.getByTestId('interactions').count(), 0, 'one interaction alone');
  await page.goto(`${origin}/ux/conv?customername=Another&ccid=1`);
  await enter();
  await frame.getByText('Nobody waits for you.').waitFor();

  const foreign = createServer((rq, rs) => rs.writeHead(200, {'content-type': 'text/html'}).end(`<!doctype html><iframe src="${site.hub.base}/ux/conv"></iframe>`)).listen(0, '127.0.0.1');
  await new Promise(r => foreign.on('listening', r));
  t.after(() => foreign.close());
  const refused = page.waitForEvent('console', m => /frame-ancestors/.test(m.text()));
  await page.goto(`http://localhost:${foreign.address().port}/`);
  await refused;
  assert.equal(await page.frameLocator('iframe').getByLabel('User name').count(), 0, 'not in the frame of somebody else');
});

test('the hub goes and comes back: nothing is lost, what was not sent is sent again; a session that ended asks to log in', async t => {
  const site = await startDesk(t);
  const kim = await site.agent('kim', {known: /status of [45]\d\d|ERR_/});
  const ana = await site.guest('Ana', {known: /status of [45]\d\d|ERR_/});
  await say(ana, 'before');
  await accepted(kim);
  await fromGuest(kim, 'before').waitFor();
  site.hub.program.child.kill('SIGKILL');
  await site.hub.program.exit;
  await kim.getByTestId('offline').waitFor();
  await say(kim, 'said while it was away');
  await kim.getByTestId('again').waitFor();
  await kim.getByTestId('field').fill('a draft stays');
  await site.hub.start();
  await kim.getByTestId('offline').waitFor({state: 'detached'});
  await kim.getByTestId('again').click();
  await ana.getByTestId('other').filter({hasText: 'said while it was away'}).waitFor();
  await say(ana, 'after');
  await fromGuest(kim, 'after').waitFor();
  assert.equal(await fromGuest(kim, 'before').count(), 1);
  assert.equal(await fromAgent(kim, 'said while it was away').count(), 1);
  assert.equal(await kim.getByTestId('field').inputValue(), 'a draft stays');
  const admin = await site.hub.login();
  assert.equal((await admin.call('PATCH', '/logins/kim', {password: 'another nine ferries'})).status, 200);
  await kim.getByText(/log in again|ended/i).first().waitFor();
  await logIn(kim, 'kim', 'another nine ferries');
  await kim.getByTestId('interaction').waitFor();
});

test('what is said while the lines are being read is not lost from the page when they come', async t => {
  const site = await startDesk(t, {browsers: 2});
  const kim = await site.agent('kim');
  const ana = await site.guest('Ana');
  await say(ana, 'before');
  await accepted(kim);
  await fromGuest(kim, 'before').waitFor();
  let read, go;
  const asked = new Promise(done => { read = done; }), meanwhile = new Promise(done => { go = done; });
  await kim.route('**/api/v1/desk/interactions/*/messages?*', async route => { // answered in time, and long on its way
    const answer = await route.fetch();
    read();
    await meanwhile;
    await route.fulfill({response: answer});
  }, {times: 1});
  await kim.reload();
  await kim.getByTestId('interaction').first().click();
  await asked;
  await say(kim, 'an answer at once');
  await ana.getByTestId('other').filter({hasText: 'an answer at once'}).waitFor();
  await fromAgent(kim, 'an answer at once').waitFor();
  await say(ana, 'and another question');
  await fromGuest(kim, 'and another question').waitFor();
  go();
  await fromGuest(kim, 'before').waitFor();
  assert.equal(await fromAgent(kim, 'an answer at once').count(), 1);
  assert.equal(await fromGuest(kim, 'and another question').count(), 1);
  assert.equal(await fromGuest(kim, 'before').count(), 1);
  site.good();
});

test('contacts by hand: made, changed, merged, exported and erased in one click; a conversation begun from there', async t => {
  const site = await startDesk(t);
  const ana = await site.guest('Ana');
  const admin = await site.open('/ux/comm?customername=Test%20Shop');
  await logIn(admin, 'admin', adminPassword);
  const id = name => admin.getByTestId(name);
  await say(ana, 'I am here');
  await until('the contact', async () => JSON.stringify((await site.admin.get('/contacts')).items).includes('Ana'));
  await admin.reload();
  await id('contact').filter({hasText: 'Ana'}).first().waitFor();
  await id('contact-new').click();
  await admin.getByLabel('Name').fill('<b>Ana</b> Lima');
  await admin.getByLabel('E-mail').fill('ana@example.net, lima@example.net');
  await admin.getByRole('button', {name: 'Add an attribute'}).click();
  await admin.getByLabel('Name of the attribute').fill('tier');
  await admin.getByLabel('Value').fill('<i>gold</i>');
  await id('contact-save').click();
  await id('contact-name').filter({hasText: '<b>Ana</b> Lima'}).waitFor();
  await admin.getByText('<i>gold</i>').waitFor();
  await id('merge').click();
  await admin.getByRole('dialog').getByRole('searchbox').fill('Ana');
  await admin.getByRole('dialog').getByRole('radio', {name: /^Ana/}).check();
  assert.deepEqual(await violations(admin), []);
  await id('merge-yes').click();
  await closed(admin);
  await id('history').getByText('I am here').waitFor();
  await until('one contact is left', async () => await id('contact').count() === 1);
  const [download] = await Promise.all([admin.waitForEvent('download'), id('export').click()]);
  const exported = JSON.parse(readFileSync(await download.path(), 'utf8'));
  assert.ok(JSON.stringify(exported).includes('I am here') && JSON.stringify(exported).includes('lima@example.net'));
  await id('write').click();
  await id('field').waitFor();
  await say(admin, 'It is us');
  await ana.getByTestId('other').filter({hasText: 'It is us'}).waitFor();
  await id('nav-comm').click();
  await id('contact').click();
  await id('erase').click();
  await admin.getByTestId('answer-yes').click();
  await admin.getByText('There are no contacts yet.').waitFor();
  const kim = await site.agent('kim', {path: '/ux/comm', ready: false});
  await kim.getByText('There are no contacts yet.').waitFor();
  site.good();
});

test('canned responses: found, filled in, taken into the field or sent as they are', async t => {
  const site = await startDesk(t);
  for (const r of [
    {name: 'Delay <b>', text: 'Dear {{guest}}, your parcel will be late.', substitutions: [{id: 'guest', description: 'Name of the guest'}]},
    {name: 'Ask when', text: JSON.stringify({kind: 'choices', text: 'When shall we come?', choices: [{label: 'Today'}, {label: 'Tomorrow'}]})},
  ]) {
    const made = await site.admin.call('POST', '/responses', r);
    assert.equal(made.status, 201, made.text);
  }
  const kim = await site.agent('kim');
  const ana = await site.guest('Ana');
  const id = name => kim.getByTestId(name);
  await say(ana, 'hello');
  await accepted(kim);
  await kim.keyboard.press('Alt+i');
  await kim.getByRole('dialog').getByRole('searchbox').fill('delay');
  await until('only that one', async () => await id('response').count() === 1);
  await id('response').click();
  await kim.getByLabel('Name of the guest').fill('Ana');
  assert.deepEqual(await violations(kim), []);
  await id('response-take').click();
  await id('response-preview').getByText('Dear Ana, your parcel will be late.').waitFor();
  await id('response-take').click();
  await closed(kim);
  assert.equal(await id('field').inputValue(), 'Dear Ana, your parcel will be late.');
  await id('send').click();
  await ana.getByTestId('other').filter({hasText: 'Dear Ana, your parcel will be late.'}).waitFor();
  await kim.keyboard.press('Alt+i');
  await id('response').filter({hasText: 'Ask when'}).click();
  await id('response-preview').waitFor();
  await id('response-take').click();
  await ana.getByTestId('other').last().waitFor();
  await ana.getByTestId('other').filter({hasText: 'When shall we come?'}).waitFor();
  site.good();
});
