// The hub may open no more files for a while: it lives on, and goes on when there are some again.
import {execFileSync} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {Load} from './load.mjs';
import {conserved} from './conserved.mjs';
import {startRoad} from '../e2e/harness.mjs';

export const short = {seed: 8, moments: 3};
const times = moments => Math.min(moments, 10);
export const title = o => `no file descriptors to spare, ${times(o.moments)} times`;
export const verdict = f => conserved(f) ?? (f.ended ? 'the hub ended' : f.failed < f.moments ? 'no call had to go without' : undefined);

export async function run(t, {seed, moments}) {
  const road = await startRoad(t, {deskArgs: ['--retry-ms', '300', '--receipts', 'off'], lineArgs: ['--guests', '40'], hub: {journal: {segment_mib: 1}}});
  const load = new Load(road, {seed, gapMs: 20, agents: false});
  const {pid} = road.programs.hub.child, pause = ms => new Promise(r => setTimeout(r, ms));
  const few = readdirSync(`/proc/${pid}/fd`).length, limits = [];
  let failed = 0, ended = false;
  for (let i = 0; i < times(moments) && !ended; i++) {
    limits.push(few + i % 4);
    execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limits.at(-1)}:4096`]);
    if (i === 0) await load.start();
    const asked = await Promise.all(Array.from({length: 60}, () => fetch(`${road.hub.base}/healthz/liveness`, {signal: AbortSignal.timeout(1000)}).catch(() => null)));
    failed += asked.filter(r => !r).length;
    await pause(500);
    ended = road.programs.hub.ended;
    execFileSync('prlimit', ['--pid', String(pid), '--nofile=4096:4096']);
    const then = load.acknowledged;
    await road.until('guests are heard again', () => ended || load.acknowledged > then + 20, 60000);
  }
  await load.stop();
  return {moments: limits.length, limits, failed, ended, ...await load.check({drainMs: 120000})};
}
