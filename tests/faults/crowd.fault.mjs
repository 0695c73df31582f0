// More come than there are descriptors for, and stay: those who are in are served, messages are written and delivered, and when the crowd has gone
// everybody is let in again.
import {connect} from 'node:net';
import {readdirSync} from 'node:fs';
import {Load} from './load.mjs';
import {conserved} from './conserved.mjs';
import {ready, startRoad, until} from '../e2e/harness.mjs';

const files = 160, crowd = 300;
export const short = {seed: 16, moments: 2};
const times = moments => Math.min(moments, 5);
export const title = o => `${crowd} idle connections and ${files} descriptors, ${times(o.moments)} times`;
export const verdict = f => conserved(f) ?? (f.most.some(n => n >= files) ? 'connections took the last descriptors' : undefined);

export async function run(t, {seed, moments}) {
  const road = await startRoad(t, {deskArgs: ['--retry-ms', '300', '--receipts', 'off'], lineArgs: ['--guests', '40']});
  const {hub} = road.programs, pause = ms => new Promise(r => setTimeout(r, ms));
  await hub.stop();
  hub.wrap = ['prlimit', `--nofile=${files}:${files}`];
  hub.start();
  await ready(hub, road.hub.base + '/healthz/readiness');
  const load = new Load(road, {seed, gapMs: 20, guests: 20}), most = [], within = [];
  await load.start();
  for (let i = 0; i < times(moments); i++) {
    await pause(300); // the guests are in first
    const {hostname, port} = new URL(road.hub.base);
    const all = Array.from({length: crowd}, () => { const s = connect(Number(port), hostname); s.on('error', () => {}); return s; });
    await pause(500);
    const before = load.acknowledged;
    most.push(readdirSync(`/proc/${hub.child.pid}/fd`).length);
    await until('those who are in are served', () => load.acknowledged - before >= 50, 20000);
    within.push(load.acknowledged - before);
    for (const s of all) s.destroy();
    await until('others are let in', async () => (await fetch(`${road.hub.base}/healthz/liveness`, {headers: {connection: 'close'}, signal: AbortSignal.timeout(2000)})).ok, 20000);
  }
  await load.stop();
  return {moments: most.length, files, most, within, ...await load.check()};
}
