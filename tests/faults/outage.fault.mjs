// The desk cannot be reached for a while; then it is back, and everything arrives in order.
import {Load} from './load.mjs';
import {conserved} from './conserved.mjs';
import {startRoad, until} from '../e2e/harness.mjs';

export const short = {downSeconds: 4, seed: 2};
export const title = o => `the desk is down for ${o.downSeconds} s`;
export const verdict = f => conserved(f);

export async function run(t, {downSeconds, seed}) {
  const road = await startRoad(t, {deskArgs: ['--receipts', 'off'], lineArgs: ['--guests', '40']});
  const load = new Load(road, {seed, gapMs: 60, agents: false});
  await load.start();
  await new Promise(r => setTimeout(r, 500));
  await road.desk.post('/sim/faults', {rules: [{down: true}]});
  await new Promise(r => setTimeout(r, downSeconds * 1000));
  let waitedMost;
  await until('much waits', async () => (waitedMost = await load.messages('waiting')) >= 50, 20000);
  await road.desk.post('/sim/faults', {rules: []});
  await load.stop();
  return {moments: 1, downSeconds, waitedMost, ...await load.check({drainMs: 120000})};
}
