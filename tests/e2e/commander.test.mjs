// Commands of agents and bots, and canned responses, between a Genesys Cloud agent and guests of several networks.
import test from 'node:test';
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {bin, patience, until} from './harness.mjs';
import {adminPassword, login} from './hub.mjs';
import {networks} from './networks.mjs';
import {botToken, startTelegramRoad} from './telegram-road.mjs';
import {samples} from '../responses/samples.mjs';

const response = (road, name, text, more = {}) => road.desk.post('/sim/responses', {name, text, ...more});
const texts = async road => (await road.screen()).filter(m => m.from === 'bot').map(m => m.message.text);

async function begin(t, options) {
  const road = await startTelegramRoad(t, options);
  await road.send({type: 'text', text: 'Hi'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi');
  // what the hub told the agent alone
  road.told = (what, is) => road.deskHas(what, m => m.text?.startsWith('[Commander] ') && is(m.text.slice(12)));
  return {road, c};
}

// The agent's messages with this word, as the history has them: what became of them is there to stay, also when the hub is killed now.
const env = {DRAGOMAN_ADMIN_PASSWORD: adminPassword};
async function kept(road, what, word, is) {
  const admin = await login(road.hub.base, 'admin', adminPassword);
  return await until(what, async () => is((await admin.get(`/messages?q=${word}`)).items.filter(m => m.way === 'out')));
}

test('a canned response with values and defaults, in the order it was sent in, never the command itself', async t => {
  const {road, c} = await begin(t);
  await road.agent(c, {text: 'one', agent: 'Ken Ito'});
  await road.agent(c, {text: '> send "Greeting" with name="Ann"', agent: 'Ken Ito'});
  await road.agent(c, {text: 'three', agent: 'Ken Ito'});
  await road.guestHas('all three', m => /three$/.test(m.message.text ?? ''));
  const seen = await texts(road);
  assert.deepEqual(seen.map(s => s.replace('Ken Ito: ', '')), ['one', 'Hello Ann, this is ACME. How can we help?', 'three']);
  await until('the receipt', async () => (await road.desk.get(`/sim/conversations/${c.id}`)).messages.filter(m => m.from === 'agent').every(m => m.state === 'delivered'));
});

test('one response sends another; circles, unknown names, other types, slips and unknown commands answer the agent alone', async t => {
  const {road, c} = await begin(t);
  await response(road, '@Hours', 'We are here from {{from}} to 18 o\'clock.', {substitutions: [{id: 'from', defaultValue: '9'}]});
  await response(road, 'Hours', '> send "@Hours" with from="{{from}}"', {substitutions: [{id: 'from', defaultValue: '8'}]});
  await response(road, 'Round', '> send "Round"');
  await response(road, 'Old', 'Hello', {responseType: 'MessagingTemplate'});
  await response(road, 'Broken', 'Hello {{nam}} {{.x', {substitutions: [{id: 'name', defaultValue: 'x'}]});
  await road.agent(c, {text: '> SEND “Hours”', agent: 'Ken Ito'});
  await road.guestHas('the other one', m => /from 8 to 18/.test(m.message.text ?? ''));
  const rows = [
    ['> send "Round"', /send each other/], ['> send "Nothing"', /no canned response "Nothing"/], ['> send "Old"', /only those of the type Campaign SMS Template/],
    ['> send "Broken"', /canned response "Broken": .*response:1/], ['> send "Greeting', /quote at character 1 is not closed/], ['> send', /a name in quotes is missing/],
    ['> send "Greeting" with name "Ann"', /"=" is missing behind "name"/], ['> frobnicate now', /no command "frobnicate".*> help/], ['>', /no command behind the prefix/],
    ['> continue some day', /say when: in 2 hours/], ['> continue 2020-01-01 10:00', /within the next 90 days/],
  ];
  for (const [text, is] of rows) {
    await road.agent(c, {text, agent: 'Ken Ito'});
    await road.told(`what is said about ${text}`, said => is.test(said));
  }
  await road.agent(c, {text: '> help', agent: 'Ken Ito'});
  await road.told('the commands', said => /send "My Response"/.test(said) && /continue/.test(said));
  await road.agent(c, {text: 'the end', agent: 'Ken Ito'});
  await road.guestHas('the end', m => /the end$/.test(m.message.text ?? ''));
  assert.deepEqual((await texts(road)).map(s => s.replace('Ken Ito: ', '')), ['We are here from 8 to 18 o\'clock.', 'the end'], 'the guest saw nothing of all this');
  const own = (await road.desk.get(`/sim/conversations/${c.id}`)).messages.filter(m => m.from === 'agent');
  await until('news about each', async () => (await road.desk.get(`/sim/conversations/${c.id}`)).messages.filter(m => m.from === 'agent').every(m => ['delivered', 'failed'].includes(m.state)));
  assert.equal(own.length, rows.length + 3);
  assert.equal((await road.hub.get('/healthz/readiness?worker')).dead ?? 0, 0);
});

test('a bot sends a response; its mistakes are failures, and no line that it would take for the guest\'s', async t => {
  const {road, c} = await begin(t);
  await road.agent(c, {text: '> send "Confirm"', bot: true});
  await road.guestHas('the buttons', m => JSON.stringify(m.message.reply_markup ?? '').includes('Yes'));
  await road.agent(c, {text: '> send "Nothing"', bot: true});
  const failed = await until('the failure', async () => (await road.desk.get(`/sim/conversations/${c.id}`)).messages.find(m => m.from === 'bot' && m.state === 'failed'));
  assert.match(JSON.stringify(failed.reason), /no canned response/);
  assert.ok(!(await road.desk.get(`/sim/conversations/${c.id}`)).messages.some(m => m.from === 'guest' && m.text?.startsWith('[Commander]')));
});

test('a conversation is continued later, also when the hub was killed meanwhile; and not when the agent says never', async t => {
  const {road, c} = await begin(t, {env});
  const soon = ms => new Date(Date.now() + ms).toISOString();
  await road.agent(c, {text: `> continue ${soon(60000)}`, agent: 'Ken Ito'});
  await road.told('when', said => said.startsWith('Will continue at 2'));
  await road.agent(c, {text: '> continue never', agent: 'Ken Ito'});
  await road.told('that it does not', said => /does not come back/.test(said));
  await road.agent(c, {text: `> continue ${soon(1500 * patience)}`, agent: 'Ken Ito'});
  await until('the second plan', async () => (await road.desk.get(`/sim/conversations/${c.id}`)).messages.filter(m => m.text?.startsWith('[Commander] Will continue')).length === 2);
  await kept(road, 'all three went no further', 'continue', all => all.length === 3 && all.every(m => m.state === 'ignored'));
  await road.programs.hub.stop('SIGKILL');
  road.programs.hub.start();
  const back = await road.told('the conversation comes back', said => said.startsWith('It is time to continue'));
  assert.match(back.m.text, /as (Ken Ito )?asked on 2/);
});

test('killed between answers, what a command sends goes out once', async t => {
  const {road, c} = await begin(t, {env});
  const busy = {paths: [`/bot${botToken}/sendMessage`], status: 503};
  await road.telegram.post('/sim/faults', {rules: [{...busy, times: 1, retry_after_s: patience}, {...busy, times: 2}]}); // killed within a call, nobody would know what came of it
  await road.agent(c, {text: '> send "Greeting" with name="Bea"', agent: 'Ken Ito'});
  await kept(road, 'the first try', 'Greeting', ([m]) => m?.tries >= 1);
  await response(road, 'Greeting', 'Something else {{name}}');
  await road.programs.hub.stop('SIGKILL');
  road.programs.hub.start();
  await road.guestHas('the greeting', m => /Hello Bea, this is ACME/.test(m.message.text ?? ''));
  assert.equal((await texts(road)).filter(s => /Bea/.test(s)).length, 1);
});

test('a list to choose from goes out whole; clocks in a response are those of the commander\'s zone', async t => {
  const {road, c} = await begin(t, {hub: {commander: {time_zone: 'Asia/Tokyo'}}});
  await response(road, 'Size', '{"kind": "picker", "picker": {"title": "Which size?", "choices": [{"label": "Small", "payload": "s"}, {"label": "Large", "payload": "l"}]}}');
  await road.agent(c, {text: '> send "Size"', agent: 'Ken Ito'});
  await road.guestHas('the list', m => /Which size/.test(m.message.text ?? '') && /Small.*Large/s.test(JSON.stringify(m.message)));
  await response(road, 'Clock', 'It is {{now | date "15:04 MST -0700"}}, and then it was {{date "2006-01-02 15:04" 1709164800}}; {{(toDate "2006-01-02 15:04" "2024-02-29 09:00").UTC.Format "15:04 MST"}}', {substitutions: [{id: 'x', defaultValue: 'y'}]});
  await road.agent(c, {text: '> send "Clock"', agent: 'Ken Ito'});
  await road.guestHas('the clock', m => /\d\d:\d\d JST \+0900, and then it was 2024-02-29 09:00; 00:00 UTC/.test(m.message.text ?? ''));
});

test('what a command did stands in its trace', async t => {
  const {road, c} = await begin(t);
  await road.agent(c, {text: '> send "Confirm"', agent: 'Ken Ito'});
  await road.guestHas('the buttons', m => JSON.stringify(m.message.reply_markup ?? '').includes('Yes'));
  const {id} = (await road.desk.get(`/sim/conversations/${c.id}`)).messages.find(m => m.from === 'agent');
  const traced = () => spawnSync(bin, ['trace', id, '--data', join(road.dir, 'data')], {encoding: 'utf8'}).stdout;
  await until('its trace', async () => /command: "send"\s+response: "Confirm"\s+as: \["choices"\]/.test(traced()));
});

for (const name of Object.keys(networks))
  test(`the samples of guides on ${name}: as its rules demand, or a precise error`, async t => {
    const road = await networks[name](t);
    for (const s of samples) await road.desk.post('/sim/responses', {name: s.name, text: s.text, substitutions: s.substitutions ?? []});
    const c = await road.hello();
    let told = 0, seen = 0;
    for (const s of samples) {
      const values = Object.entries(s.values ?? {}).map(([k, v]) => ` ${k}="${v.replaceAll('"', '\\"')}"`).join('');
      const want = name in s.goes ? s.goes[name] : s.goes.other;
      await road.say(c, {text: `> send "${s.name}"${values && ' with' + values}`, agent: 'Ken Ito'});
      const came = await until(`${s.name} on ${name}`, async () => { // to its end: it may be several messages
        const {state} = (await road.conversation(c.id)).messages.findLast(m => m.from === 'agent');
        const a = await road.told(c), b = await road.seen();
        const found = a.length > told ? {told: a.at(-1)} : b.length > seen && state === 'delivered' ? {sent: b.slice(seen).join('\n')} : null;
        if (found) [told, seen] = [a.length, b.length];
        return found;
      });
      if (want instanceof Error) assert.ok(came.told && new RegExp(want.message.replace(/[[\]{}()*.]/g, '\\$&')).test(came.told), `${s.name} on ${name}: ${JSON.stringify(came)}`);
      else if (want) assert.match(came.sent ?? '', want, `${s.name} on ${name}: ${JSON.stringify(came)}`);
    }
  });
