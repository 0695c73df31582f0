// LINE loses answers. A push has a retry key and may lose any number. A reply has only its token, good once: when its answer is lost the hub
// asks again with the same token; "Invalid reply token" then leaves open who used it, two lost answers leave everything open. What is marked
// unknown must be exactly that.
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {bin, startRoad, until} from '../e2e/harness.mjs';

const exec = promisify(execFile);
const ways = [ // what is done to the reply; is it unknown then, is it on the phone
  [{reset_after_share: 1, times: 1}, true, true],
  [{reset_before_share: 1, times: 1}, false, true],
  [{reset_before_share: 1, times: 2}, true, false],
];
const people = 4;

export const short = {seed: 9, moments: 3};
export const title = () => 'LINE loses answers to replies and pushes';
export const verdict = f => f.wrong.length ? f.wrong.join('; ') : f.unknown !== f.expected ? `${f.unknown} are marked unknown, not ${f.expected}` : undefined;

export async function run(t, {seed, moments = 3}) {
  const road = await startRoad(t, {deskArgs: ['--receipts', 'off'], lineArgs: ['--guests', String(people)]});
  const wrong = [];
  let expected = 0, texts = 0;
  const idle = () => until('nothing waits', async () => /journal_messages\{state="waiting"\} 0\n/.test((await road.hub.call('GET', '/metrics')).text), 60000);
  for (let i = 0; i < Math.min(moments, 12); i++) {
    const [loss, unknown, arrives] = ways[i % ways.length];
    for (let g = 1; g <= people; g++) {
      await road.line.post('/sim/faults', {seed: seed + i * people + g, rules: [{paths: ['/v2/bot/message/reply'], ...loss},
        {paths: ['/v2/bot/message/push'], status: 429, retry_after_s: 1, share: 0.1},
        {paths: ['/v2/bot/message/push'], reset_after_share: 0.2, reset_before_share: 0.1}]});
      const text = `real ${i} ${g}`;
      await road.line.post(`/sim/guests/${g}/send`, {type: 'text', text});
      const {conversation} = await until('it is at the desk', async () => (await road.desk.get('/sim/inbound?limit=1000')).messages.find(m => m.text === text));
      await road.desk.post(`/sim/conversations/${conversation}/agent`, {text: `by token ${i}`});
      await road.desk.post(`/sim/conversations/${conversation}/agent`, {text: `pushed ${i}`});
      await until('the hub took both', async () => (await road.desk.get(`/sim/conversations/${conversation}`)).messages.every(m => m.from === 'guest' || m.state !== 'queued'));
      await idle();
      texts += 2;
      expected += unknown ? 1 : 0;
      const shown = (await road.line.get(`/sim/guests/${g}/messages`)).messages.filter(m => m.from === 'account').map(m => m.message.text);
      for (const [what, times] of [[`by token ${i}`, arrives ? 1 : 0], [`pushed ${i}`, 1]]) {
        const n = shown.filter(x => x === what).length;
        if (n !== times) wrong.push(`"${what}" is ${n} times on phone ${g}`);
      }
    }
  }
  const {injected} = await road.line.get('/sim/faults');
  const {stdout} = await exec(bin, ['journal', 'list', 'unknown', '--config', road.config]);
  return {moments: Math.min(moments, 12), texts, lostAnswers: injected.reset_after + injected.reset_before, expected, unknown: (stdout.match(/^ *\d+ +unknown/gm) ?? []).length, wrong};
}
