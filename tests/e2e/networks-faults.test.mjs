// The same bad day on each network: 429, 5xx, an answer that never comes, webhooks twice and out of order. Nothing is lost, nothing is said twice.
import test from 'node:test';
import assert from 'node:assert/strict';
import {startRoad as apple} from './apple.mjs';
import {startSlackRoad as slack} from './slack-road.mjs';
import {startRoad as teams} from './teams.mjs';
import {botToken, startTelegramRoad as telegram} from './telegram-road.mjs';
import {until} from './harness.mjs';

const call_ms = 3000; // how long the hub waits for an answer: the one that never comes is waited for
const networks = {
  telegram: {start: telegram, paths: [`/bot${botToken}/sendMessage`], said: m => m.message.text?.replace(/^[^:]*: /, ''), again: false},
  slack: {start: slack, paths: ['/api/chat.postMessage'], said: m => m.message.text, again: false},
  teams: {start: teams, paths: ['/emea/v3/conversations/*'], said: m => m.activity.text?.replace(/^\*\*.*?\*\*: /, ''), again: false},
  apple: {start: apple, paths: ['/v1/message'], said: m => m.message.body, again: true}, // the same id says that it is a repeat
};

for (const [name, {start, paths, said, again}] of Object.entries(networks))
  test(name, async t => {
    const road = await start(t, {hub: {limits: {call_ms}}});
    const texts = async () => (await road.screen()).filter(m => m.from !== 'guest').map(said);
    const says = text => until(text, async () => (await texts()).includes(text), 30000);
    await road.send({type: 'text', text: 'Hi'});
    const {c} = await road.deskHas('the text', m => m.text === 'Hi');

    for (const status of [429, 503])
      await t.test(`${status}: the message waits, and goes once`, async () => {
        await road.network.post('/sim/faults', {paths, method: 'POST', status, times: 1, retry_after_s: 1});
        await road.agent(c, {text: `after ${status}`});
        await says(`after ${status}`);
        await road.network.call('DELETE', '/sim/faults');
      });

    await t.test('no answer: seen once all the same, and what comes behind it goes', async () => {
      await road.network.post('/sim/faults', {paths, method: 'POST', timeout_share: 1, timeout_ms: 10000, times: 1});
      await road.agent(c, {text: 'taken, never answered'});
      await road.agent(c, {text: 'behind it'});
      await says('behind it');
      await road.network.call('DELETE', '/sim/faults');
      assert.equal((await texts()).filter(x => x === 'taken, never answered').length, 1);
      if (again) return;
      await until('it counts as unknown', async () => new RegExp(`dragoman_outcomes_total\\{connector="${name}",outcome="unknown"\\} 1`).test((await road.hub.call('GET', '/metrics')).text));
    });

    await t.test('webhooks twice and out of order: each heard once', async () => {
      await road.network.post('/sim/faults', {rules: [{duplicate_share: 1}, {reorder_share: 0.5}]});
      const words = [...'abcdef'].map(x => `word ${x}`);
      for (const text of words) await road.send({type: 'text', text});
      const {c: all} = await road.deskHas('the last', m => m.text === words.at(-1));
      await until('all of them', async () => {
        const heard = (await road.desk.get(`/sim/conversations/${all.id}`)).messages.filter(m => m.from === 'guest').map(m => m.text);
        return words.every(w => heard.includes(w));
      });
      await road.network.call('DELETE', '/sim/faults');
      await until('no webhook is open', async () => (await road.counters()).webhooks.open === 0);
      const heard = (await road.desk.get(`/sim/conversations/${all.id}`)).messages.filter(m => m.from === 'guest' && words.includes(m.text)).map(m => m.text);
      assert.deepEqual(heard.toSorted(), words, 'none twice');
    });
    assert.deepEqual((await texts()).filter((x, i, every) => x && every.indexOf(x) !== i), [], 'the guest saw nothing twice');
  });
