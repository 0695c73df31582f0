// The power fails at each of the calls with which a first start makes its data folder: whatever is left of it, the next start makes a whole one.
import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {random} from './load.mjs';
import {Power} from './power.mjs';
import {ready, startRoad} from '../e2e/harness.mjs';

export const short = {moments: 12, seed: 13};
export const title = o => `the power fails while the data folder is made, ${o.moments} times`;
export const verdict = f => f.stuck.length ? `the hub does not start any more after ${f.stuck.join('; ')}` : undefined;

export async function run(t, {moments, seed}) {
  const power = new Power(t), rnd = random(seed);
  const road = await startRoad(t, {data: power.data, env: power.env}); // its folder is what is broken again and again
  const {hub} = road.programs, live = road.hub.base + '/healthz/liveness';
  await hub.stop('SIGKILL');
  const calls = power.calls(), made = readFileSync(power.log), stuck = [];
  for (let i = 0; i < moments; i++) {
    rmSync(hub.log);
    power.begin();
    writeFileSync(power.log, made);
    const after = 1 + Math.floor((i + rnd()) * calls / moments) % calls, mode = power.cut(rnd, undefined, after);
    hub.start();
    try {
      await ready(hub, live, 10000);
    } catch (e) {
      stuck.push(`call ${after} (${mode}): ${existsSync(hub.log) ? hub.text().split('\n').find(l => l.startsWith('dragoman:')) : e.message}`);
    }
    await hub.stop('SIGKILL');
  }
  return {moments, calls, stuck};
}
