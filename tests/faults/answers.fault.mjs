// Both ends answer badly: 429 with Retry-After, 503, slow, never, resets before and after the request was taken, webhooks twice.
import {Load} from './load.mjs';
import {conserved} from './conserved.mjs';
import {startRoad, until} from '../e2e/harness.mjs';

export const short = {seed: 3};
export const title = () => 'the desk and the network answer badly';
export const verdict = f => conserved(f) ?? (f.moments < 50 ? 'hardly any fault was injected' : undefined);

export async function run(t, {seed}) {
  const road = await startRoad(t, {deskArgs: ['--receipts', 'off', '--retry-ms', '300'], lineArgs: ['--guests', '40']});
  const load = new Load(road, {seed, gapMs: 100});
  const inbound = ['/api/v2/conversations/messages/*'], push = ['/v2/bot/message/push'];
  await road.desk.post('/sim/faults', {seed, rules: [{paths: inbound, status: 429, retry_after_s: 1, share: 0.1}, {paths: inbound, status: 503, share: 0.01},
    {paths: ['/api/v2/*'], slow_ms: 50}, {paths: inbound, reset_after_share: 0.005, reset_before_share: 0.02, timeout_share: 0.01, timeout_ms: 700},
    {duplicate_share: 0.2}]});
  await road.line.post('/sim/faults', {seed, rules: [{paths: push, status: 500, share: 0.1}, {paths: push, reset_after_share: 0.05, timeout_share: 0.05, timeout_ms: 700}]});
  await load.start();
  await new Promise(r => setTimeout(r, 5000));
  const atDesk = async () => { const {slow: _, down: __, reorder: ___, bad_signature: ____, ...asked} = (await road.desk.get('/sim/faults')).injected; return asked; };
  await until('each fault of the desk came', async () => !Object.values(await atDesk()).includes(0), 60000); // some are one in 200
  await load.stop();
  const desk = await atDesk();
  const {status, reset_after, timeout} = (await road.line.get('/sim/faults')).injected, line = {status, reset_after, timeout};
  await road.desk.post('/sim/faults', {rules: []});
  await road.line.post('/sim/faults', {rules: []});
  const moments = [...Object.values(desk), ...Object.values(line)].reduce((n, x) => n + x, 0);
  return {moments, desk, line, ...await load.check({drainMs: 120000})};
}
