// desk-two.mjs - the built-in desk and a web chat of two replicas on servers of their own, for one test.
//
//   const {road, bases, programs, page, listen} = await startTwo(t);   // road: desk-road.mjs, at the first replica
//   const guest = page(bases[1]), kim = await listen('kim', bases[0]); // a guest's page at the second, an agent's at the first
import {randomBytes} from 'node:crypto';
import {join} from 'node:path';
import {ChatPage} from './chat-page.mjs';
import {Agent, password, startDesk} from './desk-road.mjs';
import {Program, freePort, ready} from './harness.mjs';
import {adminPassword, login} from './hub.mjs';
import {startPostgres, startRabbit, startRedis} from './servers.mjs';
import {pageKey} from './webchat-road.mjs';

export async function startTwo(t, {hub = {}, ...options} = {}) {
  const [pg, rabbit, redis] = await Promise.all([startPostgres(t), startRabbit(t), startRedis(t)]);
  const road = await startDesk(t, {...options, hub: {...hub, store: pg.uri, broker: rabbit.uri, cache: redis.uri, secret_key: randomBytes(32).toString('hex')}});
  const port = await freePort(), base = `http://127.0.0.1:${port}`;
  const second = new Program(road.dir, 'second', ['serve', '--config', road.config, '--listen', `127.0.0.1:${port}`, '--data', join(road.dir, 'data2')], {LOG_LEVEL: 'DEBUG', DRAGOMAN_ADMIN_PASSWORD: adminPassword}).start();
  t.after(() => second.stop());
  await ready(second, `${base}/healthz/readiness?worker`);
  const works = async at => await fetch(`${at}/healthz/readiness`).then(r => r.json()).then(r => r.worker).catch(() => undefined);
  const page = at => new ChatPage(`${at}/nexus/v3/chat/sessions`, pageKey);
  const listen = async (name, at, api) => { const a = new Agent(road, name, api ?? await login(at, name, password)); road.agents.push(a); return await a.listen(); };
  road.sql = pg.sql;
  return {road, bases: [road.base, base], programs: [road.programs.hub, second], works, page, listen};
}
