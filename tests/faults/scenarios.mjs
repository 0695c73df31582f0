// scenarios.mjs - what is done to the hub. Each takes node:test's context (or anything with after()), ends with the conservation check
// and returns its figures. tests/faults/faults.test.mjs runs them short; tools/faults runs them long.
import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, renameSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync, openSync, writeSync, closeSync, cpSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {bin, until} from '../e2e/harness.mjs';
import {startWorld, cli, sleep, dice} from './world.mjs';

// kill -9 at random moments under load: while starting, while replaying, while working.
export async function kills(t, {moments = 10, seed = 1, longest = 600} = {}) {
  const w = await startWorld(t, {seed});
  await w.greet();
  w.write();
  let tried = 0;
  for (let i = 0; i < moments; i++) {
    await sleep(Math.floor(w.random() * longest));
    if (!w.hub.ended) { await w.hub.stop('SIGKILL'); tried++; }
    w.hub.start();
    // Two in three live until they serve, so that there is load to be killed under; the others may die while starting.
    if (w.random() < 0.67) await until('the hub serves', async () => (await fetch(w.road.hub.base + '/healthz/liveness')).ok, 20000);
  }
  await w.quiet();
  const told = await w.settle();
  assert.equal(tried, moments);
  assert.ok(told.acknowledged > moments * 2, `there was load: ${told.acknowledged}`);
  return {moments: tried, ...told};
}

// The desk answers nobody for a while.
export async function deskDown(t, {seconds = 5, seed = 2} = {}) {
  const w = await startWorld(t, {seed, pause: seconds > 30 ? 200 : 40});
  await w.greet();
  await w.road.desk.post('/sim/faults', {paths: ['/api/v2/*', '/oauth/*'], down: true});
  w.write();
  await sleep(seconds * 1000);
  const before = (await w.inbound()).length;
  await w.road.desk.call('DELETE', '/sim/faults');
  await w.quiet();
  const told = await w.settle();
  assert.equal(w.repeats, 0, 'who writes does not notice');
  return {seconds, atTheDeskWhileDown: before - w.guests.length, ...told};
}

// The data directory is full for a while.
export async function diskFull(t, {seed = 3, seconds = 3} = {}) {
  const w = await startWorld(t, {seed, hub: {journal: {segment_mib: 1}}});
  const data = join(w.road.dir, 'data');
  await w.hub.stop();
  rmSync(data, {recursive: true, force: true});
  mkdirSync(data);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'dragoman-faults', data]);
  const release = w.road.stop; // the folder can only be removed when it is no mount point
  w.road.stop = async () => { const how = await release(); spawnSync('umount', [data]); return how; };
  if (mounted.status !== 0) return {skipped: `a small file system cannot be mounted here: ${String(mounted.stderr).trim()}`};
  await w.restart();
  await w.ready();
  await w.greet();
  w.write();
  await sleep(500);
  // Fill what is left, to the last byte. What is already preallocated may still take some.
  const filler = join(data, 'filler');
  const fill = () => {
    const fd = openSync(filler, 'a');
    try { for (let size = 1 << 16; size >= 1; size >>= 4) try { for (;;) writeSync(fd, Buffer.alloc(size)); } catch (e) { if (e.code !== 'ENOSPC') throw e; } } finally { closeSync(fd); }
  };
  fill();
  const refused = () => w.statuses[503] ?? 0;
  for (let i = 0; i < 200 && refused() < 5; i++) { // a bigger text each, so that the preallocated room ends soon
    fill();
    await w.big(w.guests[i % w.guests.length]);
  }
  await until('webhooks are refused', () => refused() >= 5, 60000);
  await sleep(seconds * 1000);
  const metrics = (await w.road.hub.call('GET', '/metrics')).text;
  assert.match(metrics, /dragoman_journal_healthy 0\n/, 'it says that the journal is ill');
  rmSync(filler);
  await w.quiet();
  const told = await w.settle();
  assert.ok(told.statuses[503] >= 5, 'refused while full');
  return {refusedWith503: told.statuses[503], ...told};
}

// The second hub on a data directory refuses, the first goes on.
export async function twoHubs(t, {seed = 4} = {}) {
  const w = await startWorld(t, {seed, guests: 2});
  await w.greet();
  w.write();
  const second = spawnSync(bin, ['serve', '--config', w.road.config, '--listen', '127.0.0.1:0'], {encoding: 'utf8', timeout: 20000});
  assert.notEqual(second.status, 0);
  assert.notEqual(second.status, null, 'it ended by itself');
  assert.match(second.stderr, /data is used by the process \d+/);
  assert.doesNotMatch(second.stderr, /Sanitizer/);
  assert.equal(w.hub.ended, false);
  await sleep(300);
  await w.quiet();
  return {refusal: second.stderr.trim(), status: second.status, ...await w.settle()};
}

// Half of the last record is gone, or it is garbled, after kill -9. Bytes that were durable are destroyed, so the texts of the last
// group may be missing, none before it.
export async function tornTail(t, {cuts = 6, seed = 5} = {}) {
  const w = await startWorld(t, {seed, guests: 2, replyTokens: false});
  const random = dice(seed);
  await w.greet();
  await w.drained();
  // With the desk down all texts stay in the journal, so what is missing after the cut can be counted exactly.
  await w.road.desk.post('/sim/faults', {paths: ['/api/v2/*'], down: true});
  for (let i = 0; i < 10; i++) for (const g of w.guests) await w.say(g);
  const journal = join(w.road.dir, 'data/journal');
  const newest = () => readdirSync(journal).filter(x => /seg|log/.test(x)).sort().at(-1);
  let garbled = 0, cut = 0;
  const figures = [];
  await w.hub.stop('SIGKILL');
  const saved = join(w.road.dir, 'saved');
  const countWaiting = async () => Number(/^waiting +(\d+)/m.exec(await cli(w.road, 'journal', 'count'))[1]);
  const all = await countWaiting();
  cpSync(join(w.road.dir, 'data'), saved, {recursive: true});
  assert.ok(newest(), `segments: ${readdirSync(journal)}`);
  const file = join(journal, newest());
  const bytes = readFileSync(file);
  let end = bytes.length; // the preallocated rest is zeros
  while (end > 0 && bytes[end - 1] === 0) end--;
  for (let i = 0; i < cuts; i++) {
    rmSync(join(w.road.dir, 'data'), {recursive: true});
    cpSync(saved, join(w.road.dir, 'data'), {recursive: true});
    const back = 1 + Math.floor(random() * 60);
    if (i % 2) { truncateSync(file, end - back); cut++; } else {
      const copy = Buffer.from(bytes);
      for (let k = end - back; k < end; k++) copy[k] = Math.floor(random() * 256);
      writeFileSync(file, copy);
      garbled++;
    }
    const now = await countWaiting();
    await w.restart();
    const {text} = await w.road.hub.call('GET', '/metrics');
    const waiting = Number(/journal_messages\{state="waiting"\} (\d+)/.exec(text)[1]);
    figures.push(all - waiting);
    assert.ok(waiting >= all - 1, `only the last group is gone: ${waiting} of ${all} (${back} bytes ${i % 2 ? 'cut' : 'garbled'}; read beside: ${now})`);
    await w.hub.stop('SIGKILL');
  }
  // Go on with the last one; it must still deliver what it has.
  await w.restart();
  await w.road.desk.call('DELETE', '/sim/faults');
  const told = await w.settle({lost: 1});
  return {cut, garbled, missingEachTime: figures, ...told};
}

// No descriptors to spare.
export async function descriptors(t, {seed = 6} = {}) {
  const w = await startWorld(t, {seed, guests: 6});
  await w.greet();
  const open = readdirSync(`/proc/${w.hub.child.pid}/fd`).length;
  execFileSync('prlimit', ['--pid', String(w.hub.child.pid), `--nofile=${open + 2}:4096`]);
  w.write();
  await sleep(300);
  const hogs = Array.from({length: 40}, () => fetch(w.road.hub.base + '/healthz/liveness', {signal: AbortSignal.timeout(1500)}).catch(() => null));
  await Promise.all(hogs);
  await sleep(700);
  assert.equal(w.hub.ended, false, 'it lives');
  execFileSync('prlimit', ['--pid', String(w.hub.child.pid), '--nofile=4096:4096']);
  await w.quiet();
  return {descriptorsAllowed: open + 2, ...await w.settle()};
}

// SIGTERM under load: exit code 0; what got a 200 is delivered or kept.
export async function terminate(t, {rounds = 3, seed = 7} = {}) {
  const w = await startWorld(t, {seed});
  await w.greet();
  w.write();
  const took = [];
  for (let i = 0; i < rounds; i++) {
    await sleep(200 + w.random() * 400);
    const from = Date.now();
    const how = await w.hub.stop('SIGTERM');
    took.push(Date.now() - from);
    assert.deepEqual([how.code, how.signal], [0, null], w.hub.text().slice(-1500));
    await w.restart();
  }
  await w.quiet();
  const told = await w.settle();
  assert.equal(told.unknown, 0, 'a drain leaves nothing unknown');
  return {rounds, stopTookMs: took, ...told};
}

// The desk misbehaves in every way it can.
export async function deskFaults(t, {seconds = 4, seed = 8} = {}) {
  const w = await startWorld(t, {seed, guests: 12, hub: {limits: {call_ms: 1500}}});
  await w.greet();
  const inbound = ['/api/v2/conversations/messages/*'];
  await w.road.desk.post('/sim/faults', {seed, rules: [
    {paths: inbound, method: 'POST', status: 429, retry_after_s: 1, share: 0.05},
    {paths: inbound, method: 'POST', status: 503, share: 0.05},
    {paths: inbound, method: 'POST', reset_after_share: 0.03, reset_before_share: 0.03, timeout_share: 0.005, timeout_ms: 3000},
    {duplicate_share: 0.2, reorder_share: 0.1},
  ]});
  w.write();
  await sleep(seconds * 1000);
  await w.quiet();
  const {injected} = await w.road.desk.get('/sim/faults');
  await w.road.desk.call('DELETE', '/sim/faults');
  const told = await w.settle();
  const lostAnswers = Object.entries(injected).filter(([k]) => /reset_after|timeout/.test(k)).reduce((n, [, v]) => n + v, 0);
  assert.equal(told.unknown, 0, 'the desk tells repeats apart, so nothing is unknown towards it');
  assert.ok(lostAnswers > 0 && told.wireRepeats > 0, `answers were lost: ${JSON.stringify(injected)}`);
  assert.ok(told.wireRepeats <= lostAnswers, `only what lost its answer is repeated: ${told.wireRepeats} for ${lostAnswers}`);
  return {injected, ...told};
}

// LINE loses answers. A push has a retry key: it may lose any number. A reply has only its token, good once: when the answer is lost the
// hub asks again with the same token; "Invalid reply token" then leaves it open who used it, and two lost answers leave everything open.
export async function lineFaults(t, {rounds = 3, seed = 9} = {}) {
  const w = await startWorld(t, {seed, guests: 4, hub: {limits: {call_ms: 1500}}});
  await w.greet();
  await w.drained();
  const pushes = [{paths: ['/v2/bot/message/push'], status: 429, retry_after_s: 1, share: 0.1},
    {paths: ['/v2/bot/message/push'], reset_after_share: 0.2, reset_before_share: 0.1}];
  const losses = [{reset_after_share: 1, times: 1}, {reset_before_share: 1, times: 1}, {reset_before_share: 1, times: 2}];
  const expected = {unknown: 0, missing: 0};
  let lostAnswers = 0; // the simulator's counters run on
  for (let i = 0; i < rounds; i++) {
    const loss = losses[i % losses.length];
    for (const g of w.guests) { // real guests: their reply tokens are real
      await w.road.line.post('/sim/faults', {seed: seed + i * 100 + g.number, rules: [{paths: ['/v2/bot/message/reply'], ...loss}, ...pushes]});
      const text = `real ${i} ${g.number}`;
      await w.road.line.post(`/sim/guests/${g.number}/send`, {type: 'text', text});
      await until('at the desk', async () => (await w.inbound()).some(m => m.text === text), 60000);
      await w.reply(g); // by the token
      await w.reply(g); // pushed
      await w.drained();
      const {injected} = await w.road.line.get('/sim/faults');
      lostAnswers = injected.reset_after + injected.reset_before;
      expected.unknown += loss.reset_after_share || loss.times === 2 ? 1 : 0;
      expected.missing += loss.times === 2 ? 1 : 0;
    }
  }
  await w.road.line.call('DELETE', '/sim/faults');
  const told = await w.settle();
  assert.deepEqual({unknown: told.unknown, missing: told.unknownMissing}, expected, 'unknown is what cannot be told, no more and no less');
  return {lostAnswers, expected, ...told};
}

// The wall clock jumps a day, forward or back, while messages wait to be tried again.
export async function clockJump(t, {seed = 10, stalledAtMostMs = 90000} = {}) {
  const shim = join(dirname(bin), 'tests/faults/libclock-shim.so');
  if (!existsSync(shim)) return {skipped: `${shim} is not built`};
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-clock-'));
  const offset = join(folder, 'offset');
  const jump = seconds => { writeFileSync(offset + '.new', String(seconds)); renameSync(offset + '.new', offset); };
  jump(0);
  t.after(() => rmSync(folder, {recursive: true, force: true}));
  const w = await startWorld(t, {seed, guests: 4, pause: 60, replyTokens: false, env: {LD_PRELOAD: shim, CLOCK_SHIM_FILE: offset}, hub: {give_up_hours: 72}});
  await w.greet();
  const took = [];
  for (const seconds of [86400, 0, -86400, 0]) {
    await w.road.desk.post('/sim/faults', {paths: ['/api/v2/conversations/messages/*'], status: 503});
    w.write({agents: false});
    await sleep(1500);
    jump(seconds);
    await sleep(300);
    await w.quiet();
    const {text} = await w.road.hub.call('GET', '/metrics');
    assert.doesNotMatch(text, /journal_messages\{state="waiting"\} 0\n/, 'messages wait');
    await w.road.desk.call('DELETE', '/sim/faults');
    const from = Date.now();
    await w.drained(stalledAtMostMs);
    took.push(Date.now() - from);
  }
  return {deliveredAfterMs: took, ...await w.settle()};
}
