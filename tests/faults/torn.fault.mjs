// kill -9 leaves a half-written record behind the last whole one: the start drops it and nothing before it.
import {closeSync, openSync, readFileSync, readdirSync, writeSync} from 'node:fs';
import {randomBytes} from 'node:crypto';
import {join} from 'node:path';
import {Load, random} from './load.mjs';
import {conserved} from './conserved.mjs';
import {ready, startRoad, until} from '../e2e/harness.mjs';

export const short = {seed: 7, moments: 4};
export const title = o => `a half-written last record, ${Math.min(o.moments ?? 4, 30)} times`;
export const verdict = conserved;

function tear(dir, rnd) {
  const newest = readdirSync(dir).filter(f => /^\d+\.log$/.test(f)).sort().at(-1);
  const path = join(dir, newest), bytes = readFileSync(path);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  const fd = openSync(path, 'r+');
  const torn = randomBytes(1 + Math.floor(rnd() * 400)), whole = bytes.subarray(Math.max(0, end - 300), end);
  if (rnd() < 0.5) whole.copy(torn); /* the head of something that looks like a record */
  writeSync(fd, torn, 0, torn.length, end + Math.floor(rnd() * 3));
  closeSync(fd);
}

export async function run(t, {seed, moments = 4}) {
  const road = await startRoad(t, {deskArgs: ['--retry-ms', '300', '--receipts', 'off'], lineArgs: ['--guests', '40']});
  const rnd = random(seed), load = new Load(road, {seed, agents: false});
  await load.start();
  for (let i = 0; i < Math.min(moments, 30); i++) {
    await new Promise(r => setTimeout(r, 300));
    await road.programs.hub.stop('SIGKILL');
    tear(join(road.dir, 'data/journal'), rnd);
    road.programs.hub.start();
    await ready(road.programs.hub, road.hub.base + '/healthz/liveness');
  }
  await until('accounts set up', async () => (await road.hub.get('/healthz/readiness')).accounts.every(a => a.set_up));
  await load.stop();
  return {moments: Math.min(moments, 30), ...await load.check()};
}
