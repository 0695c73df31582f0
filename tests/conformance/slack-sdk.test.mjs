// Slack's own libraries as the other end: Bolt receives what our simulator signs, its WebClient drives the simulator, and the manifest fits Slack's schema.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, bin, freePort, ready, until} from '../e2e/harness.mjs';
import {slack} from '../e2e/slack-road.mjs';
import {need} from '../npm/need.mjs';
import {shapes} from './schema.mjs';

const {App, HTTPReceiver, LogLevel, verifySlackRequest} = need('@slack/bolt');
const {WebClient} = need('@slack/web-api');
const token = 'xoxb-installed-by-hand';
const quiet = {debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel() { return LogLevel.ERROR; }, setName() {}};

// A simulator whose hub is an app made with Bolt.
async function startApp(t, args = []) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-bolt-'));
  const [port, appPort] = [await freePort(), await freePort()];
  const base = `http://127.0.0.1:${port}`;
  const heard = [];
  const receiver = new HTTPReceiver({signingSecret: slack.signing, endpoints: '/slack', logger: quiet});
  const app = new App({receiver, logger: quiet, clientOptions: {slackApiUrl: `${base}/api/`, retryConfig: {retries: 1, minTimeout: 100}},
    authorize: async () => ({botToken: token, botId: 'B0BOT0001', botUserId: 'U0BOT0001'})});
  app.use(async ({body, payload, next}) => { heard.push({body, payload}); await next(); });
  for (const name of ['message', 'app_mention', 'reaction_added', 'app_home_opened', 'member_joined_channel', 'tokens_revoked', 'app_uninstalled']) app.event(name, async () => {});
  const on = {};
  app.action(/.*/, async args_ => { await args_.ack(); await on.action?.(args_); });
  app.view(/.*/, async args_ => { await args_.ack(); await on.view?.(args_); });
  app.command('/care', async ({ack}) => ack());
  app.shortcut(/.*/, async ({ack}) => ack());
  await app.start(appPort);
  const sim = new Program(dir, 'slack', ['sim', 'slack', '--listen', `127.0.0.1:${port}`, '--hub', `http://127.0.0.1:${appPort}`, '--installed', '--retry-ms', '200', ...args]).start();
  t.after(async () => {
    const how = await sim.stop();
    await app.stop();
    rmSync(dir, {recursive: true, force: true});
    assert.equal(how.code ?? 0, 0, 'the simulator ends well');
  });
  await ready(sim, base + '/sim/counters');
  const api = new Api(base);
  return {heard, on, base, api, client: new WebClient(token, {slackApiUrl: `${base}/api/`, logger: quiet, retryConfig: {retries: 1, minTimeout: 100}}),
    send: (what, guest = 1) => api.post(`/sim/guests/${guest}/send`, what),
    hear: async (what, is) => await until(what, () => heard.find(h => is(h.body, h.payload)))};
}
const platform = error => e => e.code === 'slack_webapi_platform_error' && e.data.error === error;

test('Bolt verifies and understands every kind of request that the simulator sends', async t => {
  const app = await startApp(t);
  await app.send({type: 'text', text: 'hello &amp; <https://example.com|bye>'});
  const {payload, body} = await app.hear('the text', (b, p) => p.type === 'message' && /hello/.test(p.text));
  assert.deepEqual([body.api_app_id, payload.channel_type, payload.user], [slack.app, 'im', 'U0GUEST01']);
  assert.match(payload.ts, /^\d{10}\.\d{6}$/);
  await app.send({type: 'edit', text: 'changed'});
  await app.hear('the edit', (b, p) => p.subtype === 'message_changed' && p.message.edited && p.previous_message);
  await app.send({type: 'file', name: 'a.png'});
  await app.hear('the file', (b, p) => p.subtype === 'file_share' && p.files[0].url_private_download);
  await app.send({type: 'text', text: '@app hi', in: 'channel'});
  await app.hear('the mention', (b, p) => p.type === 'app_mention');
  await app.hear('and the message', (b, p) => p.type === 'message' && p.channel_type === 'channel');
  for (const type of ['react', 'home', 'join', 'delete']) await app.send({type});
  await app.hear('the reaction', (b, p) => p.type === 'reaction_added' && p.item.type === 'message');
  await app.hear('the home', (b, p) => p.type === 'app_home_opened');
  await app.hear('the member', (b, p) => p.type === 'member_joined_channel');
  await app.hear('the deletion', (b, p) => p.subtype === 'message_deleted' && p.deleted_ts);
  await app.send({type: 'command', command: '/care', text: 'help'});
  await app.hear('the command', b => b.command === '/care' && b.text === 'help');
  await app.send({type: 'shortcut', callback_id: 'ask'});
  await app.hear('the shortcut', b => b.type === 'shortcut' && b.callback_id === 'ask');
  assert.ok((await app.api.post('/sim/verify')).good, 'Bolt answers our challenge');
  const {refused} = await app.api.get('/sim/counters');
  assert.equal(refused, 0, 'nothing of it was refused');
  await app.api.post('/sim/faults', {bad_signature_share: 1, times: 1});
  await app.send({type: 'text', text: 'forged at first'});
  await app.hear('the retry', (b, p) => p.text === 'forged at first');
  assert.equal((await app.api.get('/sim/counters')).refused, 1, 'a wrong signature is not taken');
  const at = Math.floor(Date.now() / 1000);
  assert.throws(() => verifySlackRequest({signingSecret: slack.signing, body: '{}', headers: {'x-slack-signature': 'v0=00', 'x-slack-request-timestamp': at}}));
});

test('the WebClient works against the simulator', async t => {
  const app = await startApp(t);
  const who = await app.client.auth.test();
  assert.deepEqual([who.team_id, who.user_id, who.bot_id], ['T0ACME001', 'U0BOT0001', 'B0BOT0001']);
  const {user} = await app.client.users.info({user: 'U0GUEST01', include_locale: true});
  assert.deepEqual([user.profile.display_name, user.locale], ['Ana', 'en-US']);
  assert.equal((await app.client.team.info()).team.name, 'ACME');
  const {channel} = await app.client.conversations.open({users: 'U0GUEST01'});
  const posted = await app.client.chat.postMessage({channel: 'U0GUEST01', text: 'Shall we?', username: 'Ken Ito', blocks: [
    {type: 'section', text: {type: 'mrkdwn', text: 'Shall *we*?'}},
    {type: 'actions', elements: [{type: 'button', text: {type: 'plain_text', text: 'Yes'}, action_id: 'go', value: 'y'}]}]});
  assert.equal(posted.channel, channel.id);
  assert.equal(posted.message.username, 'Ken Ito');
  await assert.rejects(app.client.chat.postMessage({channel: channel.id, text: 'x', blocks: [{type: 'section', text: {type: 'mrkdown', text: 'x'}}]}), platform('invalid_blocks'));
  await assert.rejects(app.client.chat.postMessage({channel: 'C0NOWHERE', text: 'x'}), platform('channel_not_found'));
  await assert.rejects(new WebClient('xoxb-no', {slackApiUrl: `${app.base}/api/`, logger: quiet, retryConfig: {retries: 1, minTimeout: 100}}).auth.test(), platform('invalid_auth'));

  await app.client.filesUploadV2({channel_id: channel.id, filename: 'notes.txt', file: Buffer.from('a note'), initial_comment: 'See'});
  const screen = (await app.api.get('/sim/guests/1/messages')).messages;
  const shared = screen.find(m => m.message.files)?.message;
  assert.deepEqual([shared.text, shared.files[0].name, shared.files[0].size], ['See', 'notes.txt', 6]);

  const opened = new Promise(resolve => {
    app.on.action = async ({body, client, respond}) => {
      await client.views.open({trigger_id: body.trigger_id, view: {type: 'modal', callback_id: 'address', title: {type: 'plain_text', text: 'Address'},
        submit: {type: 'plain_text', text: 'Send'}, blocks: [{type: 'input', block_id: 'city', label: {type: 'plain_text', text: 'City'}, element: {type: 'plain_text_input', action_id: 'v'}}]}});
      await assert.rejects(client.views.open({trigger_id: body.trigger_id, view: {type: 'modal', title: {type: 'plain_text', text: 'A'}, blocks: []}}), platform('trigger_exchanged'));
      await respond({replace_original: true, text: 'done'});
      resolve(body);
    };
  });
  await app.api.post('/sim/guests/1/tap', {label: 'Yes'});
  const tapped = await opened;
  assert.equal(tapped.actions[0].value, 'y');
  assert.ok((await app.api.get('/sim/guests/1/messages')).messages.some(m => m.message.text === 'done'), 'response_url replaced it');
  const seen = new Promise(resolve => { app.on.view = async ({view}) => resolve(view); });
  await app.api.post('/sim/guests/1/submit', {values: {city: 'Oslo'}});
  assert.equal((await seen).state.values.city.v.value, 'Oslo');

  await app.api.post('/sim/faults', {paths: ['/api/chat.postMessage'], status: 429, times: 1});
  const limited = new Promise(resolve => app.client.on('rate_limited', resolve));
  await app.client.chat.postMessage({channel: channel.id, text: 'after the wait'});
  assert.equal(await limited, 1, 'Retry-After is understood');
});

test('the log-in and the rotation of tokens, as the library does them', async t => {
  const app = await startApp(t, ['--rotation', '--token-life-s', '43200']);
  const redirect = 'http://127.0.0.1:9/back';
  const page = await fetch(`${app.base}/oauth/v2/authorize?client_id=${slack.client}&scope=chat:write&state=s1&redirect_uri=${encodeURIComponent(redirect)}&choose=T0BETA001`, {redirect: 'manual'});
  const back = new URL(page.headers.get('location'));
  assert.equal(back.searchParams.get('state'), 's1');
  const anonymous = new WebClient(undefined, {slackApiUrl: `${app.base}/api/`, logger: quiet, retryConfig: {retries: 1, minTimeout: 100}});
  const base = {client_id: slack.client, client_secret: slack.secret};
  await assert.rejects(anonymous.oauth.v2.access({...base, code: back.searchParams.get('code'), redirect_uri: 'http://other.example'}), platform('bad_redirect_uri'));
  const got = await anonymous.oauth.v2.access({...base, code: back.searchParams.get('code'), redirect_uri: redirect});
  assert.deepEqual([got.team.id, got.enterprise.id, got.token_type, got.expires_in], ['T0BETA001', 'E0GRID001', 'bot', 43200]);
  await assert.rejects(anonymous.oauth.v2.access({...base, code: back.searchParams.get('code'), redirect_uri: redirect}), platform('invalid_code'));
  const next = await anonymous.oauth.v2.access({...base, grant_type: 'refresh_token', refresh_token: got.refresh_token});
  assert.notEqual(next.access_token, got.access_token);
  await assert.rejects(anonymous.oauth.v2.access({...base, grant_type: 'refresh_token', refresh_token: got.refresh_token}), platform('invalid_refresh_token'));
  assert.equal((await new WebClient(next.access_token, {slackApiUrl: `${app.base}/api/`, logger: quiet, retryConfig: {retries: 1, minTimeout: 100}}).auth.test()).team_id, 'T0BETA001');
});

test('the manifest fits both of Slack\'s schemas, with and without what is optional', () => {
  const schema = shapes('slack-manifest');
  const made = (...words) => JSON.parse(execFileSync(bin, ['manifest', 'slack', '--public-url', 'https://hub.example.com/', ...words], {encoding: 'utf8'}));
  const rows = [[], ['app_name=ACME Care'], ['app_name=' + 'Ä'.repeat(60), 'token_rotation=true', 'assistant=true', 'command=/care']];
  for (const words of rows) {
    const m = made(...words);
    schema.check('manifest 1', m);
    schema.check('manifest 2', {...m, _metadata: {major_version: 2}});
    assert.equal(m.settings.event_subscriptions.request_url, 'https://hub.example.com/slack');
    assert.deepEqual(m.oauth_config.redirect_urls, ['https://hub.example.com/slack/oauth/callback']);
  }
  assert.equal(made(...rows[2]).display_information.name, 'Ä'.repeat(35));
  assert.throws(() => schema.check('manifest 1', {...made(), settings: {event_subscription: {}}}), /additional/);
  assert.throws(() => execFileSync(bin, ['manifest', 'slack', 'no_such=1'], {stdio: 'pipe'}));
  assert.throws(() => execFileSync(bin, ['manifest', 'line'], {stdio: 'pipe'}));
});
