// console.mjs - a hub without tenants beside the simulators of LINE and Genesys Cloud, and a browser logged in at its console.
//
//   const site = await startConsole(t);
//   const page = await site.open();                       // logged in; site.complaints gathers what went wrong in any page
import assert from 'node:assert/strict';
import {Api, Program, freePort, patience, ready, secret, token, until} from '../e2e/harness.mjs';
import {adminPassword, startHub} from '../e2e/hub.mjs';
import {openBrowser} from './pages.mjs';

const actionMs = 15000 * patience;

export async function startConsole(t, {settings = {}} = {}) {
  const hub = await startHub(t, {settings});
  const [deskPort, linePort] = [await freePort(), await freePort()];
  const at = p => `http://127.0.0.1:${p}`;
  const programs = [
    new Program(hub.dir, 'desk', ['sim', 'genesys-cloud', '--listen', `127.0.0.1:${deskPort}`, '--client-id', 'c1', '--client-secret', 's1']),
    new Program(hub.dir, 'line', ['sim', 'line', '--listen', `127.0.0.1:${linePort}`, '--hub', hub.base, '--channel-id', '1234567890', '--channel-secret', secret, '--bot-id', '@testshop']),
  ];
  t.after(async () => { for (const p of programs) await p.stop(); });
  for (const p of programs) p.start();
  await ready(programs[0], at(deskPort) + '/sim/counters');
  await ready(programs[1], at(linePort) + '/sim/counters');
  const browser = await openBrowser(t);
  const site = {
    hub, browser, complaints: [], outside: [], desk: new Api(at(deskPort)), line: new Api(at(linePort)), admin: await hub.login(),
    document: (name = 'Test Shop') => ({
      name,
      desk: {type: 'genesys-cloud', base_url: at(deskPort), client_id: 'c1', client_secret: 's1', integration: {name: 'Test LINE', token}, end_poll_seconds: 0},
      channels: [{type: 'line', base_url: at(linePort), channel_id: '1234567890', channel_secret: secret, bot_id: '@testshop'}],
    }),
    // A tenant made over the API, and at work.
    async tenant(change = {}) {
      const r = await site.admin.call('POST', '/tenants', {...site.document(), ...change});
      assert.equal(r.status, 201, r.text);
      await until('set up', async () => (await site.admin.call('GET', `/channels?tenant=${r.json.id}`)).json.items.every(c => c.set_up));
      return r.json;
    },
    async guest() { const g = (await site.line.get('/sim/guests')).guests[0]; return g.userId ?? g.id; },
    async says(text, guest) { await site.line.post(`/sim/guests/${guest ?? await site.guest()}/send`, {type: 'text', text}); },
    async open({user = 'admin', password = adminPassword, login = true, ...context} = {}) {
      const page = await (await browser.newContext({viewport: {width: 1200, height: 860}, locale: 'en-GB', ...context})).newPage();
      page.setDefaultTimeout(actionMs);
      page.on('console', m => m.type() === 'error' && !/status of 4\d\d/.test(m.text()) && site.complaints.push(m.text()));
      page.on('pageerror', e => site.complaints.push(e.message));
      page.on('request', r => { if (!r.url().startsWith(hub.base) && !/^(data|blob):/.test(r.url())) site.outside.push(r.url()); });
      await page.exposeFunction('complain', what => site.complaints.push(what));
      await page.addInitScript(() => addEventListener('securitypolicyviolation', e => window.complain(`${e.violatedDirective} refused ${e.blockedURI}`)));
      await page.goto(hub.base + '/');
      if (login) await site.login(page, user, password);
      return page;
    },
    async login(page, user = 'admin', password = adminPassword) {
      await page.getByLabel('User name').fill(user);
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', {name: 'Log in'}).click();
      await page.getByTestId('me').waitFor();
    },
    good() {
      assert.deepEqual(site.complaints, [], 'no error in the pages, nothing refused by the policy');
      assert.deepEqual(site.outside, [], 'no request to anyone else');
    },
  };
  return site;
}

export const tab = (page, name) => page.getByRole('tab', {name, exact: true});
// The control of a setting, by its path in the document, and what is said beside it.
export const field = (page, path) => page.locator(`.field[data-path="${path}"]`);
export const input = (page, path) => field(page, path).locator('input, select').first();
export const errorOf = (page, path) => field(page, path).getByTestId('field-error');
