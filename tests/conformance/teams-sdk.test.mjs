// Microsoft's own libraries (botbuilder, botframework-connector) as the other end of our simulator, and as the judge of tokens beside the hub.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, ready, until} from '../e2e/harness.mjs';
import {botId, botSecret, startRoad, tenantId} from '../e2e/teams.mjs';
import {need} from '../npm/need.mjs';
import {bytesOf} from './recorder.mjs';

const {BotFrameworkAdapter, TeamsActivityHandler, TurnContext} = need('botbuilder');
const {ConnectorClient, MicrosoftAppCredentials} = need('botframework-connector');

// The token comes from the simulator's log-in instead of Microsoft's.
class Credentials extends MicrosoftAppCredentials {
  constructor(base) { super(botId, botSecret); this.base = base; }
  async getToken() {
    const r = await fetch(`${this.base}/botframework.com/oauth2/v2.0/token`, {method: 'POST', headers: {'content-type': 'application/x-www-form-urlencoded'},
      body: new URLSearchParams({grant_type: 'client_credentials', client_id: botId, client_secret: botSecret, scope: 'https://api.botframework.com/.default'})});
    return (await r.json()).access_token;
  }
}

// A bot made with the library: keeps what its handlers were told, and the verdict on each request.
async function startBot(t, args = []) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-bot-'));
  const told = [], verdicts = [];
  const bot = new (class extends TeamsActivityHandler {
    constructor() {
      super();
      const tell = name => async (context, next) => { told.push([name, context.activity]); await next?.(); };
      this.onMessage(async (context, next) => { told.push(['message', context.activity, TurnContext.removeRecipientMention(context.activity)]); await next(); });
      this.onTeamsMessageEditEvent(tell('edit'));
      this.onTeamsMessageUndeleteEvent(tell('undelete'));
      this.onTeamsMessageSoftDeleteEvent(tell('delete'));
      this.onTeamsReadReceiptEvent(async (receipt, context, next) => { told.push(['read', context.activity, receipt]); await next(); });
      this.onReactionsAdded(tell('react'));
      this.onReactionsRemoved(tell('unreact'));
      this.onTyping(tell('typing'));
      this.onInstallationUpdateAdd(tell('install'));
      this.onInstallationUpdateRemove(tell('remove'));
      this.onTeamsMembersAddedEvent(async (members, team, context, next) => { told.push(['start', context.activity]); await next(); });
    }
    async handleTeamsFileConsentAccept(context, response) { told.push(['accept', context.activity, response]); }
    async handleTeamsFileConsentDecline(context, response) { told.push(['decline', context.activity, response]); }
    async handleTeamsTaskModuleFetch(context, request) { told.push(['fetch', context.activity, request]); return {task: {type: 'message', value: 'none'}}; }
    async handleTeamsTaskModuleSubmit(context, request) { told.push(['submit', context.activity, request]); return {task: {type: 'message', value: 'thanks'}}; }
    async onAdaptiveCardInvoke(context, value) { told.push(['execute', context.activity, value]); return {statusCode: 200, type: 'application/vnd.microsoft.activity.message', value: 'Thanks'}; }
  })();
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const adapter = new BotFrameworkAdapter({appId: botId, appPassword: botSecret, openIdMetadata: base + '/v1/.well-known/openidconfiguration'});
  const server = createServer(async (rq, rs) => {
    rq.body = JSON.parse(await bytesOf(rq));
    rs.status = code => { rs.statusCode = code; return rs; };
    rs.send = body => rs.write(typeof body === 'string' ? body : JSON.stringify(body));
    try { await adapter.processActivity(rq, rs, context => bot.run(context)); verdicts.push(200); } catch (e) { verdicts.push(rs.statusCode); if (rs.statusCode !== 401) console.error(e); if (!rs.writableEnded) rs.end(); }
  });
  await new Promise(r => server.listen(0, '127.0.0.1', r));
  const sim = new Program(dir, 'teams', ['sim', 'teams', '--listen', `127.0.0.1:${port}`, '--hub', `http://127.0.0.1:${server.address().port}`, ...args]).start();
  t.after(async () => {
    const how = await sim.stop();
    if (how.code) console.error(sim.text().slice(-3000));
    server.closeAllConnections();
    server.close();
    rmSync(dir, {recursive: true, force: true});
    assert.equal(how.code ?? 0, 0, 'the simulator ends well');
  });
  await ready(sim, base + '/sim/counters');
  const api = new Api(base);
  return {
    told, verdicts, base, sim: api,
    send: (what, guest = 1) => api.post(`/sim/guests/${guest}/send`, what),
    press: what => api.post('/sim/guests/1/press', what),
    hears: async name => await until(`the bot hears ${name}`, () => told.find(([n]) => n === name)),
    client: new ConnectorClient(new Credentials(base), {baseUri: base + '/emea/'}),
  };
}

const chat = 'a:1SimulatedChat0001', guest = '29:1SimulatedGuest0001';
const forgeries = ['expired', 'early', 'issuer', 'audience', 'service', 'kid', 'endorsement', 'signature', 'none'];

test('the library takes what the simulator sends, and hands it to the right handler', async t => {
  const bot = await startBot(t);
  await bot.send({type: 'text', text: 'Hello <you> & all'});
  const [, hello] = await bot.hears('message');
  assert.equal(hello.conversation.conversationType, 'personal');
  assert.equal(hello.text, 'Hello &lt;you&gt; &amp; all');
  const sent = await bot.client.conversations.sendToConversation(chat, {type: 'message', text: 'Hi', from: {id: `28:${botId}`}});
  for (const what of [{type: 'edit', text: 'changed'}, {type: 'undelete'}, {type: 'react'}, {type: 'unreact'}, {type: 'typing'}, {type: 'read'}, {type: 'delete'}, {type: 'install'}, {type: 'remove'}, {type: 'start'}]) {
    await bot.send(what);
    if (what.type !== 'start') await bot.hears(what.type);
  }
  assert.equal((await bot.hears('react'))[1].replyToId, sent.id);
  assert.equal((await bot.hears('read'))[2].lastReadMessageId, sent.id);
  bot.told.length = 0;
  await bot.send({type: 'text', text: 'where is it?'}, 'room');
  const [, room, plain] = await bot.hears('message');
  assert.equal(plain.trim(), 'where is it?', 'the library takes its mention away');
  assert.match(room.conversation.id, /;messageid=/);
  assert.ok(bot.verdicts.every(v => v === 200), String(bot.verdicts));
});

test('cards, dialogs and files: the library understands the invokes, and its answers are shown', async t => {
  const bot = await startBot(t);
  const invoked = async is => await until('the answer', async () => { const i = (await bot.sim.get('/sim/guests/1/messages')).invoke; return i && is(i) && i; });
  const card = {type: 'AdaptiveCard', version: '1.4', body: [{type: 'Input.Text', id: 'size'}], actions: [{type: 'Action.Submit', title: 'Order', data: {action: 'order'}},
    {type: 'Action.Execute', title: 'Approve', verb: 'approve', data: {id: '7'}}, {type: 'Action.Submit', title: 'More', data: {msteams: {type: 'task/fetch'}, page: 2}}]};
  await bot.client.conversations.sendToConversation(chat, {type: 'message', attachments: [{contentType: 'application/vnd.microsoft.card.adaptive', content: card}]});
  await bot.press({label: 'Order', inputs: {size: 'L'}});
  assert.deepEqual((await bot.hears('message'))[1].value, {action: 'order', size: 'L'});
  await bot.press({label: 'Approve', inputs: {size: 'M'}});
  const [, , value] = await bot.hears('execute');
  assert.equal(value.action.verb, 'approve');
  assert.deepEqual(value.action.data, {id: '7', size: 'M'});
  assert.equal((await invoked(i => i.body?.value === 'Thanks')).status, 200);
  await bot.press({label: 'More'});
  assert.equal((await bot.hears('fetch'))[2].data.page, 2);
  await bot.sim.post('/sim/guests/1/dialog', {data: {note: 'x'}});
  assert.deepEqual((await bot.hears('submit'))[2].data, {note: 'x'});
  for (const [accept, name] of [[true, 'accept'], [false, 'decline']]) {
    await bot.client.conversations.sendToConversation(chat, {type: 'message', attachments: [{contentType: 'application/vnd.microsoft.teams.card.file.consent', name: 'a.txt', content: {sizeInBytes: 5, acceptContext: {k: 1}, declineContext: {k: 2}}}]});
    await bot.sim.post('/sim/guests/1/consent', {accept});
    const [, , response] = await bot.hears(name);
    assert.deepEqual(response.context, {k: accept ? 1 : 2});
    if (accept) assert.equal((await fetch(response.uploadInfo.uploadUrl, {method: 'PUT', headers: {'content-range': 'bytes 0-4/5'}, body: 'hello'})).status, 201);
  }
});

test('the library\'s client: messages, members, conversations, pictures', async t => {
  const bot = await startBot(t);
  const {conversations, attachments} = bot.client;
  const sent = await conversations.sendToConversation(chat, {type: 'message', text: 'one'});
  await conversations.replyToActivity(chat, sent.id, {type: 'message', text: 'two'});
  await conversations.updateActivity(chat, sent.id, {type: 'message', text: 'one, better'});
  const texts = async () => (await bot.sim.get('/sim/guests/1/messages')).messages.map(m => m.activity.text);
  assert.deepEqual(await texts(), ['one, better', 'two']);
  await conversations.deleteActivity(chat, sent.id);
  assert.deepEqual(await texts(), ['two']);
  assert.equal((await conversations.getConversationMember(chat, guest)).name, 'Ana Guest');
  assert.equal((await conversations.getConversationPagedMembers(chat)).members.length, 1);
  assert.equal((await conversations.createConversation({bot: {id: `28:${botId}`}, members: [{id: guest}], tenantId, isGroup: false})).id, chat);
  await bot.send({type: 'picture', base64: 'AAAA', contentType: 'image/png'});
  const [, activity] = await bot.hears('message');
  const id = activity.attachments[0].contentUrl.match(/attachments\/([^/]+)\//)[1];
  assert.equal((await attachments.getAttachmentInfo(id)).type, 'image/png');
  await assert.rejects(conversations.sendToConversation('a:nobody', {type: 'message', text: 'x'}), e => e.statusCode === 404 && /ConversationNotFound/.test(e.response?.bodyAsText ?? e.message));
  const stranger = new ConnectorClient(Object.assign(new Credentials(bot.base), {getToken: async () => 'nonsense'}), {baseUri: bot.base + '/emea/'});
  await assert.rejects(stranger.conversations.sendToConversation(chat, {type: 'message', text: 'x'}), e => e.statusCode === 401);
});

test('what the library refuses the hub refuses, and what it takes the hub takes', async t => {
  const bot = await startBot(t), road = await startRoad(t);
  for (const forge of [undefined, ...forgeries]) {
    const before = bot.verdicts.length, seen = (await road.counters()).webhooks.sent;
    await bot.send({type: 'text', text: 'judge this', forge});
    await road.send({type: 'text', text: 'judge this', forge});
    const library = await until(`the library's verdict on ${forge}`, () => bot.verdicts[before]);
    const hub = await until(`the hub's verdict on ${forge}`, async () => { const {webhooks} = await road.counters(); return webhooks.sent > seen && webhooks.open === 0 && webhooks.results[0].status; });
    assert.equal(library === 200, hub === 200, `${forge}: library ${library}, hub ${hub}`);
    assert.equal(hub, forge ? 403 : 200, String(forge));
  }
});
