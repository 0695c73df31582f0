// The built-in desk as people use it: a guest in the chat of a shop's page, agents and a supervisor in theirs, the real hub between them.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import {until} from '../e2e/harness.mjs';
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
  const site = await startDesk(t, {desk: {welcome_text: 'Welcome!', last_agent_s: 120}});
  const kim = await site.agent('kim');
  const ana = await site.guest('Ana <b>');
  const id = name => kim.getByTestId(name);
  const other = text => ana.getByTestId('other').filter({hasText: text});

  await t.test('the invitation, and text both ways; nothing a guest writes is markup', async () => {
    await say(ana, evil);
    await id('invitation').filter({hasText: 'Ana <b>'}).waitFor();
    assert.match(await kim.title(), /^☎ 1 waiting /);
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
    }, 15000);
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
    await ken.getByTestId('hold-tomorrow').check();
    await ken.getByTestId('dialog-yes').click();
    await ken.getByTestId('held').getByTestId('interaction').waitFor();
    site.later(1.5 * day);
    await ken.getByTestId('held').waitFor({state: 'detached', timeout: 30000});
    await accepted(ken);
    await say(ken, 'Good morning, here again');
    await other('Good morning, here again').waitFor();
    await ken.keyboard.press('Alt+w');
    await ken.getByTestId('dialog-yes').click();
    await ken.getByTestId('held').waitFor();
    site.later(2.5 * day);
    await say(ana, 'I am back');
    await ken.getByTestId('held').waitFor({state: 'detached', timeout: 30000});
    await accepted(ken);
    await fromGuest(ken, 'I am back').waitFor();
  });

  await t.test('done, with what came of it; opened again', async () => {
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
