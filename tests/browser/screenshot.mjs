// screenshot.mjs - makes docs/screenshot.png: the guest's phone and the agent's desk side by side, in the middle of a conversation; and docs/console.png:
// the same conversation in the console.
//
//   make screenshot
import {readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {root, startRoad} from '../e2e/harness.mjs';
import {adminPassword} from '../e2e/hub.mjs';
import {drawn, openPages} from './pages.mjs';

const tidy = [];
const context = {after: fn => tidy.unshift(fn)};   // what a test would give
const to = join(root, 'docs/screenshot.png');
const consoleTo = join(root, 'docs/console.png');
const largest = 300 * 1024;

try {
  const road = await startRoad(context, {env: {DRAGOMAN_ADMIN_PASSWORD: adminPassword}, line: url => ({sticker_url: `${url}/stickershop/v1/sticker/{stickerId}/android/sticker.png`})});
  const {browser, phone, desk} = await openPages(context, road, {phoneSize: {width: 1240, height: 900}, deskSize: {width: 1480, height: 900}});
  const guest = async text => { await phone.getByTestId('message-input').fill(text); await phone.getByTestId('send').click(); };
  const agent = async text => { await desk.getByTestId('message-input').fill(text); await desk.getByTestId('send').click(); };
  const atDesk = text => desk.getByTestId('transcript').getByText(text).waitFor();
  const onPhone = text => phone.getByTestId('chat').getByText(text).waitFor();
  await guest('Hello, where is my parcel?');
  await atDesk('Hello, where is my parcel?');
  await agent('Hello! It left Osaka this morning.');
  await onPhone('Hello! It left Osaka this morning.');
  await desk.getByTestId('picture-button').click();
  await drawn(phone, phone.getByTestId('bubble-in').locator('.frame img'));
  await phone.getByTestId('sticker-button').click();
  await phone.getByTestId('sticker-choice').nth(1).click();
  await drawn(desk, desk.getByTestId('line-guest').last().getByTestId('attachment').locator('img'));
  await desk.getByTestId('quick-replies-sample').click();
  await phone.getByTestId('quick-reply').first().waitFor();
  for (const page of [phone, desk]) await page.mouse.move(0, 0);
  await new Promise(r => setTimeout(r, 500));   // states and receipts settle
  const shots = [await phone.locator('.phone').screenshot(), await desk.locator('.talk').screenshot()];
  const names = ['A guest on LINE', 'An agent at Genesys Cloud'];

  const page = await browser.newPage({viewport: {width: 1400, height: 760}});
  await page.setContent(`<style>body{margin:0}main{padding:24px;display:flex;gap:24px;background:#e9edf2;font:600 17px system-ui,sans-serif;color:#25303d;width:max-content}
    figure{margin:0} figcaption{margin:0 0 10px 2px} img{height:640px;display:block;border-radius:14px;box-shadow:0 4px 20px #0003}</style><main>`
    + shots.map((s, i) => `<figure><figcaption>${names[i]}</figcaption><img src="data:image/png;base64,${s.toString('base64')}"></figure>`).join('') + '</main>');
  for (const img of await page.locator('img').all()) await drawn(page, img);
  await page.locator('main').screenshot({path: to});

  const admin = await browser.newPage({viewport: {width: 1280, height: 860}, locale: 'en-GB'});
  await admin.goto(road.hub.base + '/');
  await admin.getByLabel('User name').fill('admin');
  await admin.getByLabel('Password').fill(adminPassword);
  await admin.getByRole('button', {name: 'Log in'}).click();
  await admin.getByTestId('nav-conversations').click();
  await admin.getByTestId('conversation').click();
  await admin.getByTestId('message-in').first().getByTestId('trace-link').click();
  await admin.getByTestId('trace').locator('.hops').waitFor();
  await admin.screenshot({path: consoleTo});
  for (const file of [to, consoleTo]) {
    const {size} = statSync(file);
    if (size > largest) throw new Error(`${file} has ${size} bytes, more than ${largest}`);
    console.log(`${file}: ${size} bytes, ${readFileSync(file).readUInt32BE(16)}x${readFileSync(file).readUInt32BE(20)}`);
  }
} finally {
  for (const fn of tidy) await fn();
}
