// Hubs are started on a data directory that a hub is using: each refuses politely, the first goes on as if nothing had been.
import {Load} from './load.mjs';
import {conserved} from './conserved.mjs';
import {startRoad, Program} from '../e2e/harness.mjs';

export const short = {moments: 3, seed: 15};
const times = moments => Math.min(moments, 10);
export const title = o => `a second hub on the same data directory, ${times(o.moments)} times`;
export const verdict = f => conserved(f) ?? (f.codes.includes(0) ? 'the second one started' : f.said.some(s => !/is used by the process \d+/.test(s)) ? `it said: ${f.said}`
  : f.ended ? 'the first one stopped' : f.refused ? 'the first one refused webhooks' : undefined);

export async function run(t, {moments, seed}) {
  const road = await startRoad(t, {deskArgs: ['--receipts', 'off'], lineArgs: ['--guests', '40']});
  const load = new Load(road, {seed, gapMs: 20}), codes = [], said = [];
  await load.start();
  for (let i = 0; i < times(moments); i++) {
    await new Promise(r => setTimeout(r, 300));
    const second = new Program(road.dir, `second-${i}`, ['serve', '--config', road.config, '--listen', '127.0.0.1:0']).start();
    codes.push((await second.exit).code);
    said.push(second.text().trim().split('\n').find(l => l.startsWith('dragoman:')) ?? second.text());
  }
  const {ended} = road.programs.hub;
  await load.stop();
  return {moments: codes.length, codes, said, ended, ...await load.check()};
}
