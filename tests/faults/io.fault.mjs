// Chosen calls of the journal and the store fail under load: a write or a sync, the n-th or all for a while, with no space, an I/O error or only
// half done. Senders get 503 or the hub goes on; it comes back by itself. Then it is killed and started again on what the page cache holds, and
// later the power fails: what a failed sync left in doubt is on no disk, and nothing acknowledged may rest on it.
import {Load, random} from './load.mjs';
import {Power} from './power.mjs';
import {conserved} from './conserved.mjs';
import {ready, startRoad, until} from '../e2e/harness.mjs';

const ways = [
  {on: 'sync', match: 'journal/', error: 'EIO', times: 1},
  {on: 'sync', match: 'journal/', error: 'EIO', killed: true},
  {on: 'write', match: 'journal/', error: 'EIO', times: 1},
  {on: 'write', match: 'journal/', error: 'ENOSPC'},
  {on: 'write', match: 'journal/', error: 'short', times: 50},
  {on: 'size', match: 'journal/', error: 'ENOSPC'},
  {on: ['open', 'rename'], match: 'journal/', error: 'EIO'},
  {on: ['write', 'sync'], match: 'journal/', error: 'EIO', killed: true},
  {on: 'sync', match: 'store.db', error: 'EIO', times: 1},
  {on: 'write', match: 'store.db', error: 'EIO', times: 1},
  {on: ['write', 'size'], match: 'store.db', error: 'ENOSPC', killed: true},
  {on: 'sync', match: 'store.db', error: 'EIO', killed: true},
  {on: ['write', 'size'], error: 'ENOSPC'},
  {on: ['write', 'sync'], error: 'EIO', killed: true},
];

export const short = {moments: ways.length, seed: 14};
export const title = o => `calls of the journal and the store fail, ${o.moments} times`;
export const verdict = f => conserved(f) ?? (f.idle.length ? `nothing failed in ${f.idle.join('; ')}` : f.refused < 10 ? 'hardly anything was refused' : undefined);

export async function run(t, {moments, seed}) {
  const power = new Power(t), rnd = random(seed);
  const road = await startRoad(t, {deskArgs: ['--retry-ms', '300', '--receipts', 'off'], lineArgs: ['--guests', '40'], data: power.data, env: power.env,
    hub: {journal: {segment_mib: 1}}});
  const {hub} = road.programs, load = new Load(road, {seed, gapMs: 60}), idle = [], pause = ms => new Promise(r => setTimeout(r, ms));
  const live = () => ready(hub, road.hub.base + '/healthz/readiness');
  let failed = 0;
  await road.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], slow_ms: 60}]}); // so that something waits at any moment
  await load.start();
  for (let i = 0; i < moments; i++) {
    const {killed, ...way} = ways[i % ways.length];
    await live();
    await pause(100 + rnd() * 200);
    power.fail({...way, skip: Math.floor(rnd() * (way.match === 'store.db' ? 2 : 8))});
    await until('a call has failed', () => power.fired > 0, 20000).catch(() => {});
    await pause(100 + rnd() * 300); // and all the others that shall
    failed += power.fired;
    if (!power.fired) idle.push(JSON.stringify(way));
    if (hub.ended) throw new Error(`the hub ended by itself after ${JSON.stringify(way)}: ${hub.text().slice(-2000)}`);
    if (killed) await hub.stop('SIGKILL');
    power.heal();
    if (killed) hub.start();
    await live();
    await pause(100 + rnd() * 200);
    await hub.stop('SIGKILL');
    power.cut(rnd, rnd() < 0.6 ? 'drop' : undefined);
    hub.start();
  }
  await live();
  await until('accounts set up', async () => (await road.hub.get('/healthz/readiness')).accounts.every(a => a.set_up));
  await load.stop();
  await until('agents\' texts are settled', async () => (await road.desk.get('/sim/counters')).open_hooks === 0, 30000);
  return {moments, failed, idle, dropped: power.dropped, ...await load.check()};
}
