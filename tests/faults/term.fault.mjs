// SIGTERM under load: what was answered 200 is delivered or kept, the exit is clean; again and again.
import {Load} from './load.mjs';
import {conserved} from './conserved.mjs';
import {ready, startRoad, until} from '../e2e/harness.mjs';

export const short = {seed: 4, moments: 3};
const times = moments => Math.min(moments, 20);
export const title = o => `SIGTERM under load, ${times(o.moments)} times`;
export const verdict = f => conserved(f) ?? (f.exits.some(c => c !== 0) ? `exit codes ${f.exits}` : f.repeats ? `${f.repeats} calls were repeated after an orderly stop` : undefined);

export async function run(t, {seed, moments}) {
  const road = await startRoad(t, {deskArgs: ['--retry-ms', '300', '--receipts', 'off'], lineArgs: ['--guests', '40']});
  const load = new Load(road, {seed});
  await load.start();
  const exits = [];
  for (let i = 0; i < times(moments); i++) {
    await new Promise(r => setTimeout(r, 700));
    exits.push((await road.programs.hub.stop('SIGTERM')).code);
    road.programs.hub.start();
    await ready(road.programs.hub, road.hub.base + '/healthz/liveness');
  }
  await until('accounts set up', async () => (await road.hub.get('/healthz/readiness')).accounts.every(a => a.set_up));
  await load.stop();
  await until('agents\' texts are settled', async () => (await road.desk.get('/sim/counters')).open_hooks === 0, 30000);
  return {moments: exits.length, exits, ...await load.check()};
}
