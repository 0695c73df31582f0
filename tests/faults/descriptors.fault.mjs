// The hub may open no more files for a while: it lives on, and goes on when there are some again.
import {execFileSync} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {Load} from './load.mjs';
import {conserved} from './conserved.mjs';
import {startRoad} from '../e2e/harness.mjs';

export const short = {seed: 8};
export const title = () => 'no file descriptors to spare';
export const verdict = f => conserved(f) ?? (f.ended ? 'the hub ended' : undefined);

export async function run(t, {seed}) {
  const road = await startRoad(t, {deskArgs: ['--retry-ms', '300', '--receipts', 'off'], lineArgs: ['--guests', '40']});
  const load = new Load(road, {seed, gapMs: 20, agents: false});
  const {pid} = road.programs.hub.child;
  const allowed = readdirSync(`/proc/${pid}/fd`).length + 3;
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${allowed}:4096`]);
  await load.start();
  await Promise.all(Array.from({length: 60}, () => fetch(`${road.hub.base}/healthz/liveness`, {signal: AbortSignal.timeout(1500)}).catch(() => null)));
  await new Promise(r => setTimeout(r, 1000));
  const ended = road.programs.hub.ended;
  execFileSync('prlimit', ['--pid', String(pid), '--nofile=4096:4096']);
  await load.stop();
  return {allowed, ended, ...await load.check({drainMs: 120000})};
}
