// Three replicas and one refresh token that is good for one use: whoever works renews it every few seconds, while replicas are restarted one after another, are stopped and wake up behind
// their successor, and lose broker, database and cache. The long form takes ten minutes.
import {randomBytes} from 'node:crypto';
import {random} from './load.mjs';
import {children} from './replicas.mjs';
import {ready, until} from '../e2e/harness.mjs';
import {startPostgres, startRabbit, startRedis} from '../e2e/servers.mjs';
import {startProxy} from '../e2e/proxy.mjs';
import {startSlackRoad} from '../e2e/slack-road.mjs';

// SHOW=1 tells what is done; ACTS=stalled,worker does only these.
const lifeSeconds = moments => 7200 + (moments ? 5 : 1); // renewed two hours before its end
export const short = {seed: 3};
export const title = o => `one refresh token of single use, ${o.moments ? 'ten minutes' : 'a while'} with three replicas (seed ${o.seed})`;

export function verdict(found) {
  if (found.misused) return `a used refresh token was used ${found.misused} times more`;
  if (found.rotations < found.wanted) return `${found.rotations} rotations, not the ${found.wanted} that there must have been`;
  if (found.missing || found.doubled) return `of the agent's texts ${found.missing} are missing, ${found.doubled} doubled, ${found.unknown} marked unknown`;
  return found.works ? undefined : 'in the end no token was to be had';
}

const pause = ms => new Promise(r => setTimeout(r, ms));

export async function run(t, {moments, seed}) {
  const rnd = random(seed), some = list => list[Math.floor(rnd() * list.length)];
  const [pg, rabbit, redis] = await Promise.all([startPostgres(t), startRabbit(t), startRedis(t)]);
  const line = await startProxy(t, () => [{port: rabbit.port}]); // to the broker
  const road = await startSlackRoad(t, {replicas: 3, deskArgs: ['--retry-ms', '300'], args: ['--rotation', '--token-life-s', String(lifeSeconds(moments))],
    hub: {store: pg.uri, broker: rabbit.uri.replace(`:${rabbit.port}/`, `:${line.port}/`), cache: redis.uri, secret_key: randomBytes(32).toString('hex')}});
  const epoch = () => Number(pg.sql('SELECT epoch FROM log_shard'));
  const working = () => until('one works', async () => {
    const holder = pg.sql("SELECT convert_from(holder,'UTF8') FROM log_shard"), r = road.replicas.find(x => x.api.base === holder);
    return r && (await r.api.get('/healthz/readiness')).worker === holder && (await r.api.get('/healthz/readiness?worker')).ready && r;
  }, 60000);
  const takeover = async fn => { const before = epoch(); await fn(); await until('another takes over', () => epoch() > before, 60000); };
  const again = async (r, signal) => { await r.program.stop(signal); await pause(rnd() * 500); r.program.start(); };
  const acts = {
    rolling: async () => { for (const r of road.replicas) { await again(r); await ready(r.program, r.api.base + '/healthz/readiness'); await working(); } },
    worker: async () => takeover(async () => again(await working())),
    door: async () => { const w = await working(); await again(some(road.replicas.filter(r => r !== w)), 'SIGKILL'); },
    stalled: async () => {
      const w = await working(), pid = await until('its worker runs', () => children(w.program.child.pid)[0]), {rotations} = await road.counters();
      await until('a rotation', async () => (await road.counters()).rotations > rotations, 30000); // who is stopped between the answer and the commit has lost it: no way around that
      await pause(200);
      await takeover(async () => { process.kill(pid, 'SIGSTOP'); line.cut(); });
      await pause(1000 + rnd() * 4000); // the token of then is used up by now
      process.kill(pid, 'SIGCONT');
      await until('it ends by itself', () => { try { return process.kill(pid, 0) && false; } catch { return true; } }, 30000);
    },
    cut: async () => line.cut(),
    broker: () => rabbit.restart('SIGTERM'),
    postgres: () => pg.restart('SIGQUIT'),
    cache: () => redis.restart('SIGKILL'),
  };
  await road.send({type: 'text', text: 'Hi'});
  const {c} = await road.deskHas('the text', m => m.text === 'Hi');
  const end = Date.now() + (moments ? 600000 : 10000), texts = [];
  const agent = (async () => {
    while (Date.now() < end) {
      const text = `text ${texts.length + 1}.`;
      texts.push({text, id: (await road.agent(c, {text})).id});
      await pause(moments ? 1000 : 250);
    }
  })();
  const plan = process.env.ACTS ? process.env.ACTS.split(',') : moments ? Object.keys(acts) : ['worker', 'stalled', 'cache'];
  let done = 0;
  while (Date.now() < end) {
    const name = plan[done++ % plan.length];
    if (process.env.SHOW) console.log(`# ${new Date().toISOString()} ${name}, ${texts.length} texts, ${(await road.counters()).rotations} rotations, ${(await road.screen()).length} seen`);
    await acts[name]();
    await pause(moments ? 5000 : 500);
  }
  await agent;
  await until('agents\' texts are settled', async () => (await road.desk.get('/sim/counters')).open_hooks === 0, 60000);
  await road.agent(c, {text: 'the end'});
  const works = await until('the end', async () => (await road.screen()).some(m => m.message.text === 'the end'), 60000).then(() => true, () => false);
  const seen = (await road.screen()).filter(m => m.from === 'bot').map(m => m.message.text).filter(x => x !== 'the end');
  const unknown = Number(/dragoman_journal_messages\{state="unknown"\} (\d+)/.exec((await road.hub.call('GET', '/metrics')).text)?.[1]);
  const states = new Map((await road.desk.get(`/sim/conversations/${c.id}`)).messages.map(m => [m.id, m.state]));
  const taken = texts.filter(x => ['sent', 'delivered'].includes(states.get(x.id))); // the desk gives up after some tries: what the hub never took
  const missing = taken.filter(x => !seen.includes(x.text)).length;
  const {rotations, misused} = await road.counters();
  return {moments: done, rotations, misused, wanted: moments ? 60 : 4, works, texts: texts.length, taken: taken.length, unknown, missing: Math.max(missing - unknown, 0), doubled: seen.length - new Set(seen).size};
}
