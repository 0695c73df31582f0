// The end of the last record on disk is cut off or garbled, so durable bytes are destroyed: the start keeps everything before that group.
import {cpSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Load, random} from './load.mjs';
import {ready, startRoad} from '../e2e/harness.mjs';

export const short = {seed: 10, moments: 6};
export const title = o => `the last durable record cut or garbled, ${Math.min(o.moments ?? 6, 40)} times`;
export const verdict = f => f.kept.some(n => n !== f.waiting - 1) ? `of ${f.waiting} messages ${f.kept} were kept; one was destroyed each time`
  : f.lost !== 1 || f.doubled || f.unordered ? `at the desk: ${f.lost} lost, ${f.doubled} doubled, ${f.unordered} out of order` : undefined;

export async function run(t, {seed, moments = 6}) {
  const road = await startRoad(t, {deskArgs: ['--receipts', 'off'], lineArgs: ['--guests', '2']});
  const {hub} = road.programs, rnd = random(seed), load = new Load(road, {seed, agents: false, guests: 2});
  // While the desk is down every text stays in the journal, the last one accepted in its last group.
  await road.desk.post('/sim/faults', {rules: [{paths: ['/api/v2/conversations/messages/*'], down: true}]});
  await load.start();
  await new Promise(r => setTimeout(r, 500));
  await load.stop();
  await hub.stop('SIGTERM'); // what was put off is written; one more text comes in an own group, at the very end
  hub.start();
  await ready(hub, road.hub.base + '/healthz/liveness');
  const g = load.guests[0], last = g.next++;
  while (await load.post(load.webhook(g, last, false)) !== 200);
  await hub.stop('SIGKILL');
  g.acked.push(last);
  const data = join(road.dir, 'data'), saved = join(road.dir, 'saved'), waiting = g.acked.length + load.guests[1].acked.length;
  cpSync(data, saved, {recursive: true, filter: f => !f.endsWith('.sock')}); // the killed hub's socket cannot be copied, and need not
  const name = readdirSync(join(data, 'journal')).filter(f => /^\d+\.log$/.test(f)).sort().at(-1);
  const path = join(data, 'journal', name), bytes = readFileSync(path);
  let end = bytes.length; // behind it zeros, preallocated
  while (end > 0 && bytes[end - 1] === 0) end--;
  const from = bytes.lastIndexOf(`${g.id.slice(-8)} ${last}"`); // the text of the last one: what is destroyed lies behind it
  if (from < 0) throw new Error('the last text is not in the newest segment');
  const kept = [];
  for (let i = 0; i < Math.min(moments, 40); i++) {
    rmSync(data, {recursive: true});
    cpSync(saved, data, {recursive: true});
    const at = from + Math.floor(rnd() * 8); // within the accept's record, whatever was written after it
    if (i % 2) truncateSync(path, at);
    else {
      const copy = Buffer.from(bytes);
      for (let k = at; k < end; k++) copy[k] ^= 1 + Math.floor(rnd() * 255);
      writeFileSync(path, copy);
    }
    hub.start();
    await ready(hub, road.hub.base + '/healthz/liveness');
    kept.push(await load.messages('waiting'));
    await hub.stop('SIGKILL');
  }
  hub.start();
  await ready(hub, road.hub.base + '/healthz/liveness');
  await road.desk.post('/sim/faults', {rules: []});
  return {moments: kept.length, waiting, kept, ...await load.check({drainMs: 120000})};
}
