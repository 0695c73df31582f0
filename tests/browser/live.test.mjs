// The pages of the simulators show what is there now: after a stream that came late, and however slowly an answer comes.
import test from 'node:test';
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, patience, ready} from '../e2e/harness.mjs';
import {openBrowser} from './pages.mjs';

const pages = [ // of each: what its simulator is started with, and the event by which it says that somebody wrote
  ['telegram', [], 'message'],
  ['slack', [], 'message'],
  ['teams', [], 'changed'],
  ['apple', [], 'change'],
];

for (const [name, args, event] of pages)
  test(`${name}: nothing is missed, and nothing older takes the place of what is newer`, async t => {
    const port = await freePort(), dir = mkdtempSync(join(tmpdir(), 'dragoman-live-'));
    const sim = new Program(dir, name, ['sim', name, '--listen', `127.0.0.1:${port}`, ...args]).start();
    t.after(async () => { const how = await sim.stop(), said = sim.text(); rmSync(dir, {recursive: true, force: true}); assert.equal(how.code, 0, said.slice(-2000)); });
    const api = new Api(`http://127.0.0.1:${port}`);
    await ready(sim, `${api.base}/sim/guests`);
    const browser = await openBrowser(t), page = await browser.newPage();
    page.setDefaultTimeout(15000 * patience);
    await page.addInitScript(() => { globalThis.EventSource = class extends EventSource { constructor(...a) { super(...a); globalThis.stream = this; } }; });
    const shown = text => page.locator('#chat').getByText(text);
    const say = text => api.post('/sim/guests/1/send', {type: 'text', text});

    let connect; // the page's stream is not there yet
    const late = new Promise(r => { connect = r; });
    await page.route('**/sim/events', async route => { await late; await route.continue(); });
    const read = page.waitForResponse(/\/messages/).then(r => r.finished());
    await page.goto(api.base + '/');
    await read; // all there was
    await say('Before anybody listened');
    connect();
    await shown('Before anybody listened').waitFor();

    const held = [];
    let most = 0, holding = true;
    await page.route('**/sim/guests/*/messages*', async route => {
      const answer = await route.fetch(); // what is true now …
      most = Math.max(most, held.length + 1);
      if (holding) await new Promise(r => held.push(r)); // … and is told later
      await route.fulfill({response: answer});
    });
    const told = what => page.evaluate(name => new Promise(r => globalThis.stream.addEventListener(name, r, {once: true})), what).catch(() => undefined);
    const first = told(event);
    await page.evaluate(() => fetch('/sim/guests')); // it listens by now
    await say('One');
    await first;
    while (!held.length) await new Promise(r => setTimeout(r, 10));
    const second = told(event);
    await page.evaluate(() => fetch('/sim/guests'));
    await say('Two');
    await second;
    for (let i = 0; i < 3; i++) await page.evaluate(() => fetch('/sim/guests')); // a page that asks twice at a time would have done so
    holding = false;
    while (held.length) held.pop()(); // the newest first
    await shown('Two').waitFor();
    await shown('One').waitFor();
    assert.equal(most, 1, 'one answer at a time is waited for');
  });
