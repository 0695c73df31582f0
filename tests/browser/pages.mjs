// pages.mjs - a headless Chromium with the two pages of a road: the guest's phone and the agent's desk.
//
//   const {phone, desk, complaints} = await openPages(t, road);
//   await phone.getByTestId('message-input').fill('Hello');
//
// complaints: console errors, exceptions, requests that failed, and whatever the content-security policy refused, of both pages.
import {existsSync} from 'node:fs';
import {patience} from '../e2e/harness.mjs';
import {need} from '../npm/need.mjs';

const {chromium} = need('playwright-core');
const programs = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const quiet = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic'];
const actionMs = 15000 * patience;

export async function openBrowser(t) {
  const executablePath = process.env.CHROMIUM ?? programs.find(existsSync);
  if (!executablePath) throw new Error('no chromium on this machine; tools/setup installs it');
  const browser = await chromium.launch({executablePath, args: quiet, headless: true});
  t.after(() => browser.close());
  return browser;
}

export async function openPages(t, road, {phoneSize = {width: 1180, height: 860}, deskSize = {width: 1280, height: 860}} = {}) {
  const browser = await openBrowser(t);
  const complaints = [];
  const open = async (name, url, viewport) => {
    const context = await browser.newContext({viewport, locale: 'en-GB'});
    const page = await context.newPage();
    page.setDefaultTimeout(actionMs);
    page.on('console', m => m.type() === 'error' && complaints.push(`${name}: ${m.text()} ${m.location().url}`));
    page.on('pageerror', e => complaints.push(`${name}: ${e.message}`));
    page.on('requestfailed', r => r.failure()?.errorText !== 'net::ERR_ABORTED' && complaints.push(`${name}: ${r.url()} ${r.failure()?.errorText}`));
    await page.exposeFunction('complain', what => complaints.push(`${name}: ${what}`));
    await page.addInitScript(() => addEventListener('securitypolicyviolation', e => window.complain(`${e.violatedDirective} refused ${e.blockedURI}`)));
    await page.goto(url);
    return page;
  };
  const phone = await open('phone', (road.phone ?? road.line).base + '/', phoneSize);
  await phone.locator('#guests [aria-current="true"]').first().waitFor(); // it knows whose phone it is: nobody's sends nothing
  const desk = await open('desk', road.desk.base + '/', deskSize);
  return {browser, complaints, phone, desk, open};
}

// The picture in `where` has arrived and is drawn.
export async function drawn(page, where) {
  await where.waitFor();
  await page.waitForFunction(img => img.complete && img.naturalWidth > 0, await where.elementHandle());
}

/** What fades in or out has come to its end: colours and places are those that stay. Of what is not drawn (in a closed menu) no end is ever told, so it is asked. */
export function settled(page) {
  return page.waitForFunction(() => {
    const roots = [document];
    for (const r of roots) for (const e of r.querySelectorAll('*')) if (e.shadowRoot) roots.push(e.shadowRoot);
    const moves = ({effect, playState}) => playState === 'running' && effect?.getComputedTiming().endTime !== Infinity && effect?.target?.checkVisibility({contentVisibilityAuto: true});
    return !roots.some(r => r.getAnimations().some(moves));
  }, undefined, {polling: 40});
}
