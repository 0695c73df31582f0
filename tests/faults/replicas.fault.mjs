// Three replicas on one store, one broker and a cache, under load both ways: any process is killed, any server restarts, fails over or is cut off, at random moments.
import {randomBytes} from 'node:crypto';
import {Load, random} from './load.mjs';
import {children} from './replicas.mjs';
import {conserved} from './conserved.mjs';
import {ready, startRoad, until} from '../e2e/harness.mjs';
import {startPostgresPair, startRabbit, startRedisCluster} from '../e2e/servers.mjs';
import {startProxy} from '../e2e/proxy.mjs';

export const short = {seed: 1};
export const title = o => `three replicas: processes killed, servers restarted, lost and cut off${o.moments ? `, ${o.moments} times` : ''} (seed ${o.seed})`;

export function verdict(found) {
  return conserved(found) ?? (found.takeovers < found.wanted ? `${found.takeovers} takeovers, not the ${found.wanted} that there must have been` : undefined)
    ?? (found.well ? undefined : 'not all replicas found their servers again');
}

const pause = ms => new Promise(r => setTimeout(r, ms));

// {act: [what it does, whether another must take over]}
function acts(road, {pg, rabbit, redis, line}, load, rnd) {
  const some = list => list[Math.floor(rnd() * list.length)];
  const worker = r => until('its worker runs', () => children(r.program.child.pid)[0]);
  const epoch = () => Number(pg.sql('SELECT epoch FROM log_shard'));
  const kill = pid => { try { process.kill(pid, 'SIGKILL'); } catch { /* it has just ended */ } };
  const at = url => road.replicas.find(r => r.api.base === url);
  // Who holds the fence, and works: one whom the broker has left may not know it yet, and one who has just taken it may still be reading.
  const working = () => until('one works', async () => {
    const holder = pg.sql("SELECT convert_from(holder,'UTF8') FROM log_shard"), r = at(holder);
    return r && (await r.api.get('/healthz/readiness')).worker === holder && (await r.api.get('/healthz/readiness?worker')).ready && r;
  }, 60000);
  const others = async () => { const w = await working(); return road.replicas.filter(r => r !== w); };
  const again = async r => { await r.program.stop('SIGKILL'); await pause(rnd() * 500); r.program.start(); };
  const takeover = async fn => { const before = epoch(); await fn(); await until('another takes over', () => epoch() > before, 60000); };
  return {
    worker: [() => takeover(async () => kill(await worker(await working()))), true],
    host: [() => takeover(async () => again(await working())), true],
    door: [async () => again(some(await others())), false],
    standby: [async () => kill(await worker(some(await others()))), false],
    stalled: [async () => { // it wakes up when another has taken over, and must do nothing more
      const stopped = await worker(await working());
      await takeover(async () => { process.kill(stopped, 'SIGSTOP'); line.cut(); });
      process.kill(stopped, 'SIGCONT');
      await until('it ends by itself', () => { try { return process.kill(stopped, 0) && false; } catch { return true; } }, 30000);
    }, true],
    cut: [async () => line.cut(), false],
    broker: [() => rabbit.restart('SIGKILL'), false],
    alarm: [async () => { // nothing is taken that the broker has no room for
      rabbit.ctl('set_vm_memory_high_watermark', '0');
      const before = load.refused;
      await until('senders are refused', () => load.refused > before, 30000);
      rabbit.ctl('set_vm_memory_high_watermark', '0.4');
    }, false],
    postgres: [() => pg.restart(some(['SIGKILL', 'SIGQUIT'])), false],
    failover: [() => pg.failover(), false],
    postgres_cut: [async () => pg.address.cut(), false],
    redis: [() => redis.restart('SIGKILL'), false],
    master: [() => redis.loseMaster(), false],
  };
}

function shuffled(list, rnd) {
  return list.map(x => [rnd(), x]).sort((a, b) => a[0] - b[0]).map(x => x[1]);
}

export async function run(t, {moments, seed}) {
  const rnd = random(seed);
  const [pg, rabbit, redis] = await Promise.all([startPostgresPair(t), startRabbit(t), startRedisCluster(t)]);
  const line = await startProxy(t, () => [{port: rabbit.port}]); // to the broker
  const road = await startRoad(t, {replicas: 3, front: true, deskArgs: ['--retry-ms', '300', '--receipts', 'off'], lineArgs: ['--guests', '40'],
    hub: {store: pg.uri, broker: rabbit.uri.replace(`:${rabbit.port}/`, `:${line.port}/`), cache: redis.uri, 'broker.shards': 4, secret_key: randomBytes(32).toString('hex')}});
  const load = new Load(road, {seed, gapMs: 20});
  const all = acts(road, {pg, rabbit, redis, line}, load, rnd), names = Object.keys(all).filter(n => moments || n !== 'alarm'); // rabbitmqctl takes its time
  const plan = shuffled(names, rnd);
  while (plan.length < (moments ?? 0)) plan.push(...shuffled(names, rnd));
  plan.length = moments ?? names.length;
  const before = Number(pg.sql('SELECT epoch FROM log_shard')), took = {};
  await load.start();
  for (const name of plan) {
    await pause(200 + rnd() * 800);
    for (const r of road.replicas) if (r.program.ended) throw new Error(`${r.program.name} ended by itself: ${r.program.text().slice(-2000)}`);
    const began = Date.now();
    if (process.env.SHOW) console.log(`# ${new Date().toISOString()} ${name}, acknowledged ${load.acknowledged}`);
    await all[name][0]();
    const [taken, told] = [load.acknowledged, load.agentTexts.length];
    if (rnd() < 0.7) await until(`there is traffic again after ${name}`, () => load.acknowledged > taken + 20 && load.agentTexts.length > told, 60000);
    took[name] = Math.max(took[name] ?? 0, Date.now() - began);
  }
  for (const r of road.replicas) await ready(r.program, r.api.base + '/healthz/readiness');
  await until('accounts set up', async () => (await road.hub.get('/healthz/readiness?worker')).accounts.every(a => a.set_up), 60000);
  await load.stop();
  await until('agents\' texts are settled', async () => (await road.desk.get('/sim/counters')).open_hooks === 0, 60000);
  await load.last();
  const well = await until('all is well', async () => {
    const {store, cache} = await road.hub.get('/healthz/readiness?worker');
    return store.reachable && cache.reachable && (await Promise.all(road.replicas.map(r => r.api.get('/healthz/readiness')))).every(d => d.ready && d.broker.reachable && d.store.reachable);
  }, 30000);
  return {moments: plan.length, well, took, takeovers: Number(pg.sql('SELECT epoch FROM log_shard')) - before, wanted: plan.filter(n => all[n][1]).length,
    ...await load.check({drainMs: 90000})};
}
