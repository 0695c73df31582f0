// Both ends answer badly: 429 with Retry-After, 503, slow, resets before and after the request was taken, webhooks twice.
import {Load} from './load.mjs';
import {conserved} from './conserved.mjs';
import {startRoad} from '../e2e/harness.mjs';

export const short = {seed: 3};
export const title = () => 'the desk and the network answer badly';
export const verdict = f => conserved(f) ?? (f.injected < 20 ? 'hardly any fault was injected' : undefined);

export async function run(t, {seed}) {
  const road = await startRoad(t, {deskArgs: ['--receipts', 'off', '--retry-ms', '300'], lineArgs: ['--guests', '40']});
  const load = new Load(road, {seed, gapMs: 100});
  await road.desk.post('/sim/faults', {seed, rules: [{paths: ['/api/v2/conversations/messages/*'], status: 429, retry_after_s: 1, share: 0.05},
    {paths: ['/api/v2/conversations/messages/*'], status: 503, share: 0.03}, {paths: ['/api/v2/*'], slow_ms: 50},
    {paths: ['/api/v2/conversations/messages/*'], reset_after_share: 0.02, reset_before_share: 0.02}, {duplicate_share: 0.2}]});
  await road.line.post('/sim/faults', {seed, rules: [{paths: ['/v2/bot/message/push'], status: 500, share: 0.1}, {paths: ['/v2/bot/message/push'], reset_after_share: 0.05}]});
  await load.start();
  await new Promise(r => setTimeout(r, 5000));
  const sum = o => Object.values(o ?? {}).reduce((n, v) => n + (typeof v === 'number' ? v : 0), 0);
  await load.stop();
  const [a, b] = [await road.desk.get('/sim/faults'), await road.line.get('/sim/faults')];
  await road.desk.post('/sim/faults', {rules: []});
  await road.line.post('/sim/faults', {rules: []});
  return {injected: sum(a.counters ?? a.injected) + sum(b.counters ?? b.injected), ...await load.check({drainMs: 120000})};
}
