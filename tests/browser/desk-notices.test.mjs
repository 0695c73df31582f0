// What agents meet beside the road: a message that could not be delivered, a network that takes no more answers, the company's own log-in.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHmac, randomUUID} from 'node:crypto';
import {createServer} from 'node:http';
import {patience, until} from '../e2e/harness.mjs';
import {Provider} from '../e2e/oidc.mjs';
import {logIn, say, setReady, startDesk, violations} from './desk.mjs';

const secret = 'a-secret-of-sixteen-characters';

// An application of one's own as the network; app.gone: it does not know the guest any more.
async function application(t) {
  const app = {got: [], gone: false};
  const server = createServer(async (q, r) => {
    let body = '';
    for await (const piece of q) body += piece;
    if (!app.gone) app.got.push(JSON.parse(body));
    r.writeHead(app.gone ? 404 : 200).end();
  }).listen(0, '127.0.0.1');
  await new Promise(done => server.once('listening', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  app.tenant = more => ({name: 'Apps', desk: {type: 'builtin', queue: 'sales'}, channels: [{type: 'custom', secret, url: `http://127.0.0.1:${server.address().port}/messages`, ...more}]});
  app.says = async (hub, text) => {
    const body = JSON.stringify({id: randomUUID(), type: 'text', guest: 'ana', name: 'Ana', text});
    const r = await fetch(`${hub.base}/custom`, {method: 'POST', body, headers: {'x-dragoman-signature': 'sha256=' + createHmac('sha256', secret).update(body).digest('hex')}});
    assert.equal(r.status, 200);
  };
  return app;
}
async function accepted(page) {
  await page.getByTestId('accept').first().click();
  await page.getByTestId('talk').waitFor();
}

test('what could not be delivered is brought to somebody, with the reason', async t => {
  const app = await application(t);
  const site = await startDesk(t, {tenants: [app.tenant()], users: {una: {display_name: 'Una', queues: ['undelivered']}, kim: {display_name: 'Kim Lee', queues: ['sales']}}});
  const kim = await site.agent('kim', {bypassCSP: true});
  await app.says(site.hub, 'hello');
  await accepted(kim);
  app.gone = true;
  await say(kim, 'are you there?');
  await kim.getByTestId('line-agent').filter({hasText: 'are you there?'}).getByTestId('delivery').filter({hasText: 'not delivered'}).waitFor();
  const una = await site.agent('una', {bypassCSP: true});
  await una.getByTestId('invitation').filter({hasText: 'A message to this guest could not be delivered.'}).waitFor();
  assert.deepEqual(await violations(una), []);
  await accepted(una);
  await una.getByTestId('failed').filter({hasText: 'A message to this guest could not be delivered. '}).waitFor();
  await una.getByTestId('line-agent').filter({hasText: 'are you there?'}).waitFor();
  assert.equal(await kim.getByTestId('failed').count(), 0, 'who talks to the guest goes on');
  assert.deepEqual(await violations(una), []);
  site.good();
});

test('the clock of the reply window runs, and what comes too late is refused in words', async t => {
  const app = await application(t), window_s = 20; // in which an agent accepts and answers
  const site = await startDesk(t, {tenants: [app.tenant({reply_window_seconds: window_s})]});
  const kim = await site.agent('kim');
  await app.says(site.hub, 'hello');
  await accepted(kim);
  await kim.getByTestId('window').filter({hasText: 'Reply within'}).first().waitFor();
  await say(kim, 'in time');
  await until('the answer', () => app.got.find(m => m.text === 'in time'));
  await kim.getByTestId('window').filter({hasText: 'The time to reply is over'}).first().waitFor({timeout: window_s * 1000 * patience});
  await say(kim, 'too late');
  await kim.getByTestId('line-pending').filter({hasText: 'the guest has to write first'}).waitFor();
  await app.says(site.hub, 'still there?');
  await kim.getByTestId('window').filter({hasText: 'Reply within'}).first().waitFor();
  await kim.getByTestId('line-pending').getByRole('button').first().click(); // once more
  await until('the answer of before', () => app.got.find(m => m.text === 'too late'));
  await kim.getByTestId('line-pending').waitFor({state: 'detached'});
  site.good();
});

test('the company\'s log-in: offered where there is one, and back to the page that was asked for', async t => {
  const provider = await new Provider().start(t);
  const site = await startDesk(t, {settings: {oidc: {issuer: provider.issuer, client_id: 'dragoman', client_secret: 'a secret', role_claim: 'roles', roles: 'desk=agent'}}});
  provider.who = {sub: 'm-1', preferred_username: 'mia', name: 'Mia Sato', roles: ['desk']};
  const page = await site.open('/ux/conv?lang=fr', {bypassCSP: true});
  const link = page.getByTestId('login-provider');
  await link.waitFor();
  assert.deepEqual(await violations(page), []);
  await link.focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('me').waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/ux/conv?lang=fr');
  assert.equal((await site.admin.get('/users/mia')).display_name, 'Mia Sato');
  provider.who = {sub: 'n-1', preferred_username: 'nobody', roles: ['cook']};
  const other = await site.open('/ux/conv');
  await other.getByTestId('login-provider').click();
  await other.waitForURL(/oidc\/callback/);
  assert.equal(await other.getByTestId('me').count(), 0, 'no role, no way in');
  assert.equal((await site.admin.call('GET', '/users/nobody')).status, 404);
  assert.ok(site.outside.every(u => u.startsWith(provider.issuer)), site.outside.join());
  const none = await startDesk(t);
  const plain = await none.open('/ux/conv', {known: /$^/}); // nothing is refused, also to who is not logged in
  await logIn(plain, 'kim');
  assert.equal(await plain.getByTestId('login-provider').count(), 0);
  await setReady(plain);
  none.good();
});
