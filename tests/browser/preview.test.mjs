// The console's Preview: a carousel as each network would get it, what is lost, and the very calls; in six languages.
import test from 'node:test';
import assert from 'node:assert/strict';
import {startConsole} from './console.mjs';

test('a carousel, a sticker and JSON that is none, for all networks and for one account', async t => {
  const site = await startConsole(t);
  await site.tenant();
  const page = await site.open();
  await page.getByTestId('nav-preview').click();
  await page.getByTestId('look').click();
  const line = page.getByTestId('preview-line'), telegram = page.getByTestId('preview-telegram');
  await line.getByText('as it is').waitFor();
  assert.equal(await line.getByTestId('part').getByText('Buy tea').count(), 1);
  await line.getByText('POST https://api.line.me/v2/bot/message/push').click();
  await line.getByText('"type": "carousel"').waitFor();
  assert.equal(await telegram.getByTestId('calls').locator('details').count(), 2);

  await page.getByTestId('sample').selectOption({label: 'Sticker'});
  await page.getByTestId('look').click();
  await page.getByTestId('preview-teams').getByText('A sticker became its title').waitFor();
  await page.getByTestId('preview-teams').getByText('something is lost').waitFor();
  await line.getByText('as it is').waitFor();

  await page.getByTestId('message').fill('{"kind": "cards",');
  await page.getByTestId('look').click();
  await page.getByTestId('field-error').getByText('This is no JSON').waitFor();
  await page.getByTestId('message').fill('{"kind": "cards"}');
  await page.getByTestId('look').click();
  await page.getByTestId('field-error').getByText('must be 1 to').waitFor();

  await page.getByTestId('message').fill('Just a text');
  await page.getByTestId('where').selectOption({index: 1});
  await page.getByTestId('look').click();
  await line.getByText('Just a text').first().waitFor();
  assert.equal(await page.locator('.previews > article').count(), 1);
  assert.equal((await site.line.get('/sim/counters')).to_guests, 0, 'nothing was sent');
  site.good();
});

test('in six languages', async t => {
  const site = await startConsole(t);
  const page = await site.open();
  await page.getByTestId('nav-preview').click();
  const titles = {fr: 'Aperçu', ja: 'プレビュー', ko: '미리보기', zh: '预览', vi: 'Xem trước', en: 'Preview'};
  for (const [language, title] of Object.entries(titles)) {
    await page.getByTestId('language').selectOption(language);
    await page.getByRole('heading', {name: title, exact: true}).waitFor();
    await page.getByTestId('sample').selectOption({index: 3});
    await page.getByTestId('look').click();
    await page.getByTestId('preview-teams').getByTestId('rules').waitFor();
  }
  site.good();
});
