// Two replicas with web chats and the built-in desk, guests and agents at either of them: the one that works is killed, with its door or without it, at random moments.
import {randomUUID} from 'node:crypto';
import {conserved} from './conserved.mjs';
import {random} from './load.mjs';
import {children} from './replicas.mjs';
import {startTwo} from '../e2e/desk-two.mjs';
import {ready, until} from '../e2e/harness.mjs';

export const short = {moments: 6, seed: 1};
export const title = o => `web chats and the built-in desk of two replicas: the one that works killed ${o.moments} times (seed ${o.seed})`;
const GUESTS = 12, AGENTS = 3;

export const verdict = found => conserved(found) ?? (found.takeovers < found.moments ? `${found.takeovers} takeovers of ${found.moments}` : undefined);

const pause = ms => new Promise(r => setTimeout(r, ms));

// Until it is taken: what is said again has the same id.
async function taken(going, call) {
  for (let tries = 1; going(); tries++) {
    const status = await call().then(r => r.status, () => 0);
    if (status >= 200 && status < 300) return tries;
    await pause(100);
  }
  return 0;
}

// texts: in the order in which they stand there; said: how many were acknowledged.
function compare(texts, name, said) {
  const numbers = texts.filter(x => x?.startsWith(`${name} `)).map(x => Number(x.slice(name.length + 1)));
  const once = new Set(numbers);
  return {lost: [...Array(said).keys()].filter(n => !once.has(n)).length, doubled: numbers.length - once.size,
    unordered: [...once].filter((n, i, all) => i && n < all[i - 1]).length};
}

export async function run(t, {moments, seed}) {
  const {road, bases, programs, works, page} = await startTwo(t, {desk: {auto_answer: true}});
  const rnd = random(seed), some = list => list[Math.floor(rnd() * list.length)];
  let going = true;
  const on = () => going;

  const agents = [];
  for (let i = 0; i < AGENTS; i++) agents.push(await road.agent(`agent${i}`, {capacity: {chat: GUESTS}}));
  const guests = [];
  for (let i = 0; i < GUESTS; i++) {
    const p = page(bases[i % 2]);
    await p.start({nickname: `Guest ${i}`});
    guests.push({p, name: `guest${i}`, said: 0, heard: 0});
  }
  const sessions = bases.map(b => `${b}/nexus/v3/chat/sessions`);

  const guestSays = async g => {
    while (going) {
      const operationId = randomUUID(), text = `${g.name} ${g.said}`;
      if (await taken(on, () => { g.p.url = some(sessions); return g.p.say(text, {operationId}); })) g.said++;
      await g.p.poll().catch(() => {});
      await pause(20 + rnd() * 80);
    }
  };
  const answers = new Map(); // by interaction: how many were taken
  const pageOpen = async a => { // it comes back whenever it is lost
    while (going) {
      await a.heard;
      a.api.base = `${some(bases)}/api/v1`;
      a.me = undefined;
      await Promise.race([a.listen().catch(() => {}), pause(3000)]);
      if (!a.me) { a.deaf?.(); await pause(200); }
    }
  };
  const agentSays = async a => {
    while (going) {
      const mine = await a.call('GET', '/interactions?mine=true&state=open').then(r => (r.status === 200 ? r.json.items : []), () => []);
      for (const it of mine.filter(x => x.owner === a.name)) {
        const n = answers.get(it.id) ?? 0, id = randomUUID();
        if (await taken(on, () => a.call('POST', `/interactions/${it.id}/messages`, {id, text: `answer ${n}`}))) answers.set(it.id, n + 1);
      }
      await pause(50 + rnd() * 100);
    }
  };
  const work = [...guests.map(guestSays), ...agents.flatMap(a => [pageOpen(a), agentSays(a)])];

  let takeovers = 0;
  // Who holds the fence, and works (replicas.fault.mjs).
  const working = () => until('one works', async () => {
    const holder = road.sql("SELECT convert_from(holder,'UTF8') FROM log_shard");
    return bases.includes(holder) && await works(holder) === holder && (await fetch(`${holder}/healthz/readiness?worker`)).status === 200 && holder;
  }, 60000);
  const epoch = () => Number(road.sql('SELECT epoch FROM log_shard'));
  for (let i = 0; i < moments; i++) {
    await pause(500 + rnd() * 1500);
    const at = bases.indexOf(await working()), before = epoch();
    if (rnd() < 0.5) {
      process.kill((await until('its worker', () => children(programs[at].child.pid)[0])), 'SIGKILL');
    } else {
      await programs[at].stop('SIGKILL');
      programs[at].start();
    }
    await until('another takes over', () => epoch() > before, 60000);
    takeovers++;
  }
  for (const [i, b] of bases.entries()) await ready(programs[i], `${b}/healthz/readiness`);
  await working();
  const enough = guests.map(g => g.said + 3);
  await until('every guest goes on', () => guests.every((g, i) => g.said >= enough[i]), 30000);
  going = false;
  for (const a of agents) a.deaf?.();
  await Promise.all(work);

  const admin = road.admin;
  const all = async id => { // of the history
    const found = [];
    for (let before = ''; ;) {
      const r = await admin.get(`/conversations/${encodeURIComponent(id)}/messages?limit=200${before && `&before=${before}`}`);
      found.unshift(...r.items.toReversed().map(m => m.text));
      if (!r.next) return found;
      before = r.next;
    }
  };
  const found = {moments, takeovers, acknowledged: 0, lost: 0, doubled: 0, unordered: 0, unknown: 0, agent: {taken: 0, lost: 0, doubled: 0}, repeats: 0};
  const interactions = (await admin.get('/desk/interactions?limit=200')).items;
  for (const g of guests) {
    const it = interactions.find(x => x.conversation.endsWith(g.p.sid)), said = it ? answers.get(it.id) ?? 0 : 0;
    if (!it) { found.lost += g.said; continue; }
    await until('the page has all answers', async () => { await g.p.poll(); return compare(g.p.texts(), 'answer', said).lost === 0; }, 20000).catch(() => {});
    await until('the history has all', async () => compare(await all(it.conversation), g.name, g.said).lost === 0, 20000).catch(() => {});
    const texts = await all(it.conversation), there = compare(texts, g.name, g.said), here = compare(g.p.texts(), 'answer', said), kept = compare(texts, 'answer', said);
    found.acknowledged += g.said;
    found.lost += there.lost;
    found.doubled += there.doubled;
    found.unordered += there.unordered + here.unordered + kept.unordered;
    found.agent.taken += said;
    found.agent.lost += here.lost + kept.lost;
    found.agent.doubled += here.doubled + kept.doubled;
    found.repeats += g.p.repeats;
  }
  return found;
}
