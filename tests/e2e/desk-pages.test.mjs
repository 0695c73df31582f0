// Five hundred agents with an open page each, logged in at the company's provider: every page is told what is its own, at once, and nothing else.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHmac, randomUUID} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {until} from './harness.mjs';
import {Caller} from './hub.mjs';
import {Agent, startDesk} from './desk-road.mjs';
import {Provider} from './oidc.mjs';

const agents = 500, at_once = 20, patience_ms = 60000;
const secret = 'a-secret-of-sixteen-characters';
const cookieOf = (r, name) => r.headers.getSetCookie().find(c => c.startsWith(`${name}=`)).split(';')[0];
const get = (url, cookie) => fetch(url, {redirect: 'manual', headers: cookie ? {cookie} : {}});

// So many at a time, in order.
async function each(list, what) {
  const rest = list[Symbol.iterator]();
  await Promise.all(Array.from({length: at_once}, async () => { for (const x of rest) await what(x); }));
}

test(`${agents} open pages`, async t => {
  const provider = await new Provider().start(t);
  const app = createServer((q, r) => { q.resume(); q.on('end', () => r.end()); }).listen(0, '127.0.0.1');
  await new Promise(done => app.once('listening', done));
  t.after(() => { app.closeAllConnections(); app.close(); });
  const road = await startDesk(t, {
    desk: {auto_answer: true}, hub: {oidc: {issuer: provider.issuer, client_id: 'dragoman', client_secret: 'a secret'}},
    channels: [{type: 'custom', secret, url: `http://127.0.0.1:${app.address().port}/messages`}],
  });
  const rss_kib = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${road.programs.hub.child.pid}/status`, 'utf8'))[1]);
  for (let i = 0; i < agents; i++) { // one after the other: the provider knows one at a time
    provider.who = {sub: `a-${i}`, preferred_username: `agent${i}`, name: `Agent ${i}`, roles: 'agent'};
    const there = await get(`${road.base}/api/v1/auth/oidc/start`);
    const back = await get(provider.authorize(there.headers.get('location')), cookieOf(there, 'dragoman-oidc'));
    assert.equal(back.status, 302, await back.text());
    road.agents.push(new Agent(road, `agent${i}`, new Caller(road.base, cookieOf(back, 'dragoman').split('=')[1])));
  }
  const before_kib = rss_kib(), began = Date.now();
  await each(road.agents, a => a.listen());
  const opened_ms = Date.now() - began, each_kib = (rss_kib() - before_kib) / agents;
  await each(road.agents, a => a.status('ready'));

  const from = Date.now();
  await each(Array.from({length: agents}, (_, i) => i), async i => {
    const body = JSON.stringify({id: randomUUID(), type: 'text', guest: `guest${i}`, name: `Guest ${i}`, text: `question ${i}`});
    const r = await fetch(`${road.base}/custom`, {method: 'POST', body, headers: {'x-dragoman-signature': 'sha256=' + createHmac('sha256', secret).update(body).digest('hex')}});
    assert.equal(r.status, 200);
  });
  const open = a => [...a.mine.values()].filter(i => i.state === 'open');
  await until('every page has a guest', () => road.agents.every(a => open(a).length > 0), patience_ms);
  const told_ms = Date.now() - from;
  for (const a of road.agents) assert.equal(open(a).length, 1, `${a.name}: whoever was free for longest is asked first`);
  assert.equal(new Set(road.agents.map(a => open(a)[0].conversation)).size, agents, 'each guest has an agent of their own');
  for (const a of road.agents) assert.ok([...a.mine.values()].every(i => i.owner === a.name), `${a.name} is told of nobody else's guests`);
  assert.equal((await road.admin.get('/desk/agents')).items.filter(a => a.open.length === 1).length, agents);

  const answers = Date.now();
  await each(road.agents, a => a.say(open(a)[0], `answer of ${a.name}`));
  await until('every page has heard of its own answer', () => road.agents.every(a => a.said.get(open(a)[0].id)?.some(m => m.text === `answer of ${a.name}`)), patience_ms);
  t.diagnostic(`${agents} pages: opened in ${opened_ms} ms, ${each_kib.toFixed(1)} KiB each; a guest on every page after ${told_ms} ms; an answer by everybody in ${Date.now() - answers} ms`);
});
