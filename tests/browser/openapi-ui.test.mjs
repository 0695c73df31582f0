// The API's own page: shown by swagger-ui out of the program itself, under its policy, and a call can be tried from it.
import test from 'node:test';
import assert from 'node:assert/strict';
import {patience} from '../e2e/harness.mjs';
import {startHub} from '../e2e/hub.mjs';
import {openBrowser} from './pages.mjs';

test('the API can be read and tried in a browser', async t => {
  const hub = await startHub(t);
  const browser = await openBrowser(t);
  const page = await browser.newPage();
  page.setDefaultTimeout(15000 * patience);
  const wrong = [], outside = [];
  page.on('console', m => { if (m.type() === 'error') wrong.push(m.text()); });
  page.on('pageerror', e => wrong.push(String(e)));
  page.on('request', r => { if (!r.url().startsWith(hub.base) && !r.url().startsWith('data:') && !r.url().startsWith('blob:')) outside.push(r.url()); });
  await page.goto(`${hub.base}/api/v1/openapi-ui`);
  await page.locator('#operations-connectors-connectors_list').waitFor();
  assert.match(await page.locator('.info').innerText(), /Dragoman/);
  await page.locator('#operations-auth-auth_login button.opblock-summary-control').click();
  await page.locator('#operations-auth-auth_login .try-out__btn').click();
  await page.locator('#operations-auth-auth_login textarea').fill('{"user":"admin","password":"wrong"}');
  await page.locator('#operations-auth-auth_login button.execute').click();
  await page.locator('#operations-auth-auth_login .live-responses-table', {hasText: 'wrong_credentials'}).waitFor();
  assert.deepEqual(outside, []);
  assert.deepEqual(wrong.filter(w => !/401/.test(w)), []);
});
