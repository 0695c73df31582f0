// Two hubs on one data directory: the second refuses politely, the first goes on.
import {startRoad, Program} from '../e2e/harness.mjs';

export const short = {};
export const title = () => 'a second hub on the same data directory';
export const verdict = f => f.code === 0 ? 'the second one started' : !/in use|another|process/i.test(f.said) ? `it said: ${f.said}` : f.firstGoesOn ? undefined : 'the first one stopped';

export async function run(t) {
  const road = await startRoad(t);
  const second = new Program(road.dir, 'second', ['serve', '--config', road.config, '--listen', '127.0.0.1:0']).start();
  const {code} = await second.exit;
  return {code, said: second.text().trim().split('\n').find(l => l.startsWith('dragoman:')) ?? second.text(), firstGoesOn: (await road.hub.call('GET', '/healthz/readiness')).status === 200};
}
