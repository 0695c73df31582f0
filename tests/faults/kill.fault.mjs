// kill -9 at random moments under load, both directions, restart on the same data.
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
    await new Promise(r => setTimeout(r, 100 + rnd() * 400));
    await road.programs.hub.stop('SIGKILL');
    road.programs.hub.start();
    await ready(road.programs.hub, road.hub.base + '/healthz/liveness');
  }
  await until('accounts set up', async () => (await road.hub.get('/healthz/readiness')).accounts.every(a => a.set_up));
  await load.stop();
  await until('agents\' texts are settled', async () => (await road.desk.get('/sim/counters')).open_hooks === 0, 30000);
  return {moments, ...await load.check()};
}
