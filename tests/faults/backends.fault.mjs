// The store in PostgreSQL, the cache in Redis, under load both ways: each of the three is killed at random moments, and the hub's own process too.
import {Load, random} from './load.mjs';
import {conserved} from './conserved.mjs';
import {ready, startRoad, until} from '../e2e/harness.mjs';
import {startPostgres, startRedis} from '../e2e/servers.mjs';

export const short = {moments: 9, seed: 3};
export const title = o => `PostgreSQL, Redis and the hub killed at ${o.moments} random moments (seed ${o.seed})`;

export function verdict(found) {
  return conserved(found) ?? (found.backends ? undefined : 'the hub did not find its store and cache again');
}

export async function run(t, {moments, seed}) {
  const pg = await startPostgres(t), redis = await startRedis(t);
  const road = await startRoad(t, {hub: {store: pg.uri, cache: redis.uri}, deskArgs: ['--retry-ms', '300', '--receipts', 'off'], lineArgs: ['--guests', '40']});
  const rnd = random(seed);
  const load = new Load(road, {seed});
  await load.start();
  for (let i = 0; i < moments; i++) {
    await new Promise(r => setTimeout(r, 300 + rnd() * 500));
    if (road.programs.hub.ended) throw new Error(`the hub ended by itself: ${road.programs.hub.text().slice(-2000)}`);
    if (i % 3 === 0) await pg.restart(rnd() < 0.5 ? 'SIGKILL' : 'SIGQUIT');
    else if (i % 3 === 1) await redis.restart('SIGKILL');
    else {
      await road.programs.hub.stop('SIGKILL');
      road.programs.hub.start();
      await ready(road.programs.hub, road.hub.base + '/healthz/liveness');
    }
  }
  const detail = () => road.hub.get('/health/detail');
  const backends = await until('store and cache are there', async () => { const d = await detail(); return d.db.ready && d.cache.ready && d; }, 20000);
  await load.stop();
  await until('agents\' texts are settled', async () => (await road.desk.get('/sim/counters')).open_hooks === 0, 30000);
  const found = await load.check();
  await until('what is remembered is in the store', async () => Number(pg.sql("SELECT count(*) FROM kv WHERE key>='c:'::bytea AND key<'c;'::bytea")) > 0, 10000);
  return {moments, backends: backends.state === 'green', ...found};
}
