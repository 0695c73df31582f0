// The disk fills up under load and is emptied again: senders get 503 meanwhile and nothing acknowledged is lost. Needs the right to mount a tmpfs.
import {execFileSync} from 'node:child_process';
import {closeSync, mkdtempSync, openSync, rmSync, writeSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Load} from './load.mjs';
import {conserved} from './conserved.mjs';
import {startRoad, until} from '../e2e/harness.mjs';

export const short = {seed: 5};
export const title = () => 'the disk is full for a while';
export const verdict = f => f.skipped ? undefined : conserved(f) ?? (f.refused < 10 ? 'nothing was refused: the disk was never full' : undefined);

export async function run(t, {seed}) {
  const disk = mkdtempSync(join(tmpdir(), 'dragoman-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m,mode=0700', 'tmpfs', disk], {stdio: 'pipe'});
  } catch (e) {
    rmSync(disk, {recursive: true});
    return {skipped: `no tmpfs can be mounted here: ${String(e.stderr ?? e).trim()}`};
  }
  t.after(() => { execFileSync('umount', ['-l', disk]); rmSync(disk, {recursive: true, force: true}); });
  const road = await startRoad(t, {deskArgs: ['--receipts', 'off'], lineArgs: ['--guests', '40'], data: join(disk, 'data')});
  const load = new Load(road, {seed, gapMs: 10, agents: false});
  await load.start();
  await new Promise(r => setTimeout(r, 500));
  const filler = join(disk, 'filler'), fd = openSync(filler, 'w'), block = Buffer.alloc(4096);
  const fill = () => { try { for (;;) writeSync(fd, block); } catch (e) { if (e.code !== 'ENOSPC') throw e; } };
  fill();
  await until('a refusal', async () => { fill(); return load.refused > 20; }, 30000);
  const unready = (await road.hub.call('GET', '/healthz/readiness')).status;
  closeSync(fd);
  rmSync(filler);
  await until('ready again', async () => (await road.hub.call('GET', '/healthz/readiness')).status === 200, 20000);
  await new Promise(r => setTimeout(r, 500));
  await load.stop();
  return {moments: 1, unready, ...await load.check()};
}
