// The page of the notifications simulator, in a browser: what arrived is shown, with its text as text, and faults can be switched on.
import test from 'node:test';
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, patience, ready} from '../e2e/harness.mjs';
import {openBrowser} from './pages.mjs';

const slack = '/services/T0000/B0000/abcdefghijklmnopqrstuvwx';
const key = '0123456789abcdef0123456789abcdef';

test('what arrived is shown as it comes', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-page-'));
  const port = await freePort(), sim = new Program(dir, 'notifiers', ['sim', 'notifiers', '--listen', `127.0.0.1:${port}`]).start();
  t.after(async () => {
    const how = await sim.stop(), log = sim.text();
    rmSync(dir, {recursive: true, force: true});
    assert.equal(how.code, 0, log.slice(-2000));
  });
  const api = new Api(`http://127.0.0.1:${port}`);
  await ready(sim, `${api.base}/sim/counters`);
  const browser = await openBrowser(t), page = await browser.newPage({viewport: {width: 1200, height: 800}});
  page.setDefaultTimeout(15000 * patience);
  const complaints = [];
  page.on('console', m => m.type() === 'error' && complaints.push(m.text()));
  page.on('pageerror', e => complaints.push(e.message));
  await page.exposeFunction('complain', what => complaints.push(what));
  await page.addInitScript(() => addEventListener('securitypolicyviolation', e => window.complain(`${e.violatedDirective} refused`)));
  await page.goto(api.base + '/');
  await page.getByText('Nothing has arrived yet.').waitFor();
  const cards = page.getByTestId('notice');
  await api.call('POST', slack, {text: 'dragoman <img src=x onerror=alert(1)> started', attachments: [{color: '#2eb67d', blocks: [{type: 'section', text: {type: 'mrkdwn', text: '*dragoman* started'}}]}]});
  await cards.filter({hasText: 'dragoman <img src=x onerror=alert(1)> started'}).waitFor();
  assert.equal(await cards.first().evaluate(e => getComputedStyle(e).borderLeftColor), 'rgb(46, 182, 125)');
  const event = {routing_key: key, dedup_key: 'dragoman/prod/subscription/acme/line'};
  await api.call('POST', '/v2/enqueue', {...event, event_action: 'trigger', payload: {summary: 'Subscription error', source: 'dragoman', severity: 'error'}});
  await page.getByTestId('alert').filter({hasText: 'open: dragoman/prod/subscription/acme/line'}).waitFor();
  await api.call('POST', '/v2/enqueue', {...event, event_action: 'resolve'});
  await page.getByTestId('alert').filter({hasText: 'over: dragoman/prod/subscription/acme/line'}).waitFor();
  await page.getByText('Faults').click();
  await page.getByTestId('faults-429').check();
  await page.waitForFunction(async () => (await (await fetch('/sim/faults')).json()).rules?.length === 1);
  assert.equal((await api.call('POST', slack, {text: 'too much'})).status, 429);
  await page.getByTestId('service-slack').filter({hasText: '1 taken of 2'}).waitFor();
  if (process.env.SHOT) await page.screenshot({path: process.env.SHOT});
  await page.getByTestId('clear').click();
  await page.getByText('Nothing has arrived yet.').waitFor();
  assert.deepEqual(complaints.filter(c => !/429/.test(c)), []);
});
