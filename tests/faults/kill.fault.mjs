// kill -9 at random moments under load, both directions, restart on the same data; one in three dies while it starts and reads its journal.
import {Load, random} from './load.mjs';
import {conserved} from './conserved.mjs';
import {ready, startRoad, until} from '../e2e/harness.mjs';

export const short = {moments: 10, seed: 1};
export const title = o => `kill -9 at ${o.moments} random moments (seed ${o.seed})`;
export const verdict = conserved;

export async function run(t, {moments, seed}) {
  const road = await startRoad(t, {deskArgs: ['--retry-ms', '300', '--receipts', 'off'], lineArgs: ['--guests', '40']});
  const rnd = random(seed);
  const load = new Load(road, {seed});
  await load.start();
  for (let i = 0; i < moments; i++) {
    const starting = i > 0 && rnd() < 0.33;
    if (!starting) await ready(road.programs.hub, road.hub.base + '/healthz/liveness');
    await new Promise(r => setTimeout(r, starting ? rnd() * 150 : 100 + rnd() * 400));
    if (road.programs.hub.ended) throw new Error(`the hub ended by itself: ${road.programs.hub.text().slice(-2000)}`);
    await road.programs.hub.stop('SIGKILL');
    road.programs.hub.start();
  }
  await until('accounts set up', async () => (await road.hub.get('/healthz/readiness')).accounts.every(a => a.set_up));
  await load.stop();
  await until('agents\' texts are settled', async () => (await road.desk.get('/sim/counters')).open_hooks === 0, 30000);
  return {moments, ...await load.check()};
}
