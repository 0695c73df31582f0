// desk.mjs - a hub whose web chat is answered at its own desk, a shop's page with the widget, and agents in browsers.
//
//   const site = await startDesk(t);
//   const kim = await site.agent('kim');                  // logged in at /ux/conv and ready; site.complaints gathers what went wrong in any page
//   const ana = await site.guest('Ana');                  // at the shop, in the chat; browsers: 2: in a browser of her own
//   site.later(86400)                                     // the hub's wall clock goes on by a day
import assert from 'node:assert/strict';
import {readFileSync, mkdtempSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {movableClock} from '../e2e/clock.mjs';
import {patience} from '../e2e/harness.mjs';
import {startHub} from '../e2e/hub.mjs';
import {openBrowser, settled} from './pages.mjs';

export const pageKey = '7c1d2b9e-7d51-4d0a-9a55-0d7a6c1b2e77';
export const password = 'nine slow ferries';
const axeFile = createRequire(new URL('../npm/package.json', import.meta.url)).resolve('axe-core/axe.min.js');
const actionMs = 15000 * patience;

export async function startDesk(t, {desk = {}, webchat = {}, settings = {}, users = {}, tenants = [], browsers = 1} = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-desk-'));
  const clock = movableClock(dir);
  const hub = await startHub(t, {
    dir, settings: {demo_shop: true, session: {hours: 1000, idle_minutes: 60000}, ...settings},
    env: clock.env,
    tenants: [{name: 'Test Shop', desk: {type: 'builtin', queue: 'sales', ...desk}, channels: [{type: 'webchat', api_key: pageKey, async: true, ...webchat}]}, ...tenants],
  });
  const admin = await hub.login();
  for (const [name, more] of Object.entries({kim: {display_name: 'Kim Lee'}, ken: {display_name: 'Ken <b>Ito</b>'}, sue: {display_name: 'Sue', role: 'supervisor'}, ...users})) {
    const r = await admin.call('POST', '/users', {name, role: 'agent', queues: [], capacity: {chat: 9}, password, ...more});
    assert.equal(r.status, 201, r.text);
  }
  const browser = await openBrowser(t);
  const guests = browsers > 1 ? await openBrowser(t) : browser;
  const site = {
    hub, admin, browser, complaints: [], outside: [],
    later: clock.later,
    async open(path, {known = /status of 4\d\d/, within = browser, ...context} = {}) {
      const page = await (await within.newContext({viewport: {width: 1280, height: 820}, locale: 'en-GB', ...context})).newPage();
      page.setDefaultTimeout(actionMs);
      page.on('console', m => m.type() === 'error' && !known.test(m.text()) && site.complaints.push(`${path} ${m.text()}`));
      page.on('pageerror', e => site.complaints.push(`${path} ${e.message}`));
      page.on('dialog', d => { site.complaints.push(`${path} said ${d.message()}`); void d.dismiss(); });
      page.on('request', r => { if (!r.url().startsWith(hub.base) && !/^(data|blob):/.test(r.url())) site.outside.push(r.url()); });
      await page.exposeFunction('complain', what => site.complaints.push(what));
      await page.addInitScript(() => addEventListener('securitypolicyviolation', e => window.complain(`${e.violatedDirective} refused ${e.blockedURI}`)));
      await page.goto(hub.base + path);
      return page;
    },
    async agent(user, {path = '/ux/conv', ready = true, ...context} = {}) {
      const page = await site.open(path, context);
      await logIn(page, user);
      if (ready) await setReady(page);
      return page;
    },
    async guest(name, context = {}) {
      const page = await site.open(`/demo/shop?key=${pageKey}&open`, {viewport: {width: 1100, height: 820}, within: guests, ...context});
      await page.getByLabel('Your name').fill(name);
      await page.getByTestId('start').click();
      await page.getByTestId('field').waitFor();
      return page;
    },
    good() {
      assert.deepEqual(site.complaints, [], 'no error in the pages, nothing refused by the policy, no script of a guest ran');
      assert.deepEqual(site.outside, [], 'no request to anyone else');
    },
  };
  return site;
}

export async function logIn(page, user, word = password) {
  await page.getByLabel('User name').fill(user);
  await page.getByLabel('Password').fill(word);
  await page.getByRole('button', {name: 'Log in'}).click();
  await page.getByTestId('me').waitFor();
}
export async function setReady(page) {
  await page.getByTestId('status').click();
  await page.getByTestId('ready-chat').click();
  await page.getByTestId('status').getByText('ready', {exact: true}).waitFor();
}
export async function say(page, text) {
  await page.getByTestId('field').fill(text);
  await page.getByTestId('send').click();
}
export async function violations(page) {
  await settled(page);
  await page.evaluate(readFileSync(axeFile, 'utf8'));
  const found = await page.evaluate(() => window.axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}));
  return found.violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target.join(' ')} ${n.failureSummary}`));
}
