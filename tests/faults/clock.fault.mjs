// The wall clock jumps a day forward and two days back while messages wait for their retry: nothing is lost, nothing waits longer than it was told to.
import {execFileSync} from 'node:child_process';
import {closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Load} from './load.mjs';
import {conserved} from './conserved.mjs';
import {startRoad} from '../e2e/harness.mjs';

export const short = {seed: 6};
export const title = () => 'the clock jumps forward and back';
export const verdict = conserved;

export async function run(t, {seed}) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-clock-'));
  const [shim, file] = [join(dir, 'clock.so'), join(dir, 'offset')];
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', shim, new URL('clock.c', import.meta.url).pathname, '-ldl']);
  writeFileSync(file, Buffer.alloc(4096));
  const fd = openSync(file, 'r+');
  const set = seconds => { const b = Buffer.alloc(8); b.writeBigInt64LE(BigInt(seconds)); writeSync(fd, b, 0, 8, 0); };
  const road = await startRoad(t, {deskArgs: ['--receipts', 'off'], lineArgs: ['--guests', '40'],
    env: {LD_PRELOAD: shim, CLOCK_FILE: file, ASAN_OPTIONS: 'detect_leaks=0:verify_asan_link_order=0'}});
  t.after(() => { closeSync(fd); rmSync(dir, {recursive: true, force: true}); });   // behind the road's end
  const load = new Load(road, {seed, gapMs: 50, agents: false});
  await load.start();
  const jumps = [86400, -86400, 0];
  for (const seconds of jumps) {
    await road.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], status: 503}]});
    await new Promise(r => setTimeout(r, 700));
    set(seconds);
    await new Promise(r => setTimeout(r, 300));
    await road.desk.post('/sim/faults', {rules: []});
    await new Promise(r => setTimeout(r, 700));
  }
  await load.stop();
  return {moments: jumps.length, ...await load.check({drainMs: 45000})};
}
