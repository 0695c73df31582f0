// The power fails at random moments under load, both directions: what no sync covered is gone, or there in part, in the journal, the store and the
// names of their files; the hub starts on what is left. One in three fails while the hub starts. Everything acknowledged is there.
import {Load, random} from './load.mjs';
import {Power} from './power.mjs';
import {conserved} from './conserved.mjs';
import {ready, startRoad, until} from '../e2e/harness.mjs';

export const short = {moments: 8, seed: 12};
export const title = o => `the power fails at ${o.moments} random moments (seed ${o.seed})`;
export const verdict = f => conserved(f) ?? (f.dropped < f.moments ? 'hardly anything was lost with the power: nothing was tried' : undefined);

export async function run(t, {moments, seed}) {
  const power = new Power(t);
  const road = await startRoad(t, {deskArgs: ['--retry-ms', '300', '--receipts', 'off'], lineArgs: ['--guests', '40'], data: power.data, env: power.env});
  const {hub} = road.programs, rnd = random(seed), load = new Load(road, {seed, gapMs: 30});
  const how = {drop: 0, prefix: 0, subset: 0};
  await road.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], slow_ms: 30}]}); // so that something waits at any moment
  await load.start();
  for (let i = 0; i < moments; i++) {
    const starting = i > 0 && rnd() < 0.33;
    if (!starting) await ready(hub, road.hub.base + '/healthz/liveness');
    await new Promise(r => setTimeout(r, starting ? rnd() * 150 : 100 + rnd() * 500));
    if (hub.ended) throw new Error(`the hub ended by itself: ${hub.text().slice(-2000)}`);
    await hub.stop('SIGKILL');
    how[power.cut(rnd)]++;
    hub.start();
  }
  await ready(hub, road.hub.base + '/healthz/liveness');
  await until('accounts set up', async () => (await road.hub.get('/healthz/readiness')).accounts.every(a => a.set_up));
  await load.stop();
  await until('agents\' texts are settled', async () => (await road.desk.get('/sim/counters')).open_hooks === 0, 30000);
  const {writes, syncs, dropped} = power;
  return {moments, how, writes, syncs, dropped, ...await load.check()};
}
