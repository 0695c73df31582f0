// A page that polls as the shipped widgets do, written from the description of chat v3 alone (docs/wire/webchat.md, but for what is marked ours): every message once
// and in order, while the hub is killed again and again.
import test from 'node:test';
import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {until} from './harness.mjs';
import {agent, deskHas, heardOut, inbound, pageKey, startChat} from './webchat-road.mjs';

const pollTimeout = 3000, pollIntervalMultiplier = 1.2, ajaxTimeout = 9000;
const form = pairs => pairs.map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v).replaceAll('%20', '+')}`).join('&');

class Widget {
  constructor(dataURL, key) { Object.assign(this, {dataURL, key, shown: new Map(), log: [], wait: pollTimeout, polls: 0, failures: 0, ended: false}); }
  async ask(method, path, pairs) {
    const headers = {'x-api-key': this.key, ...(this.token ? {'x-nexus-client-key': this.token} : {})};
    if (pairs) headers['content-type'] = 'application/x-www-form-urlencoded; charset=UTF-8';
    const r = await fetch(this.dataURL + path, {method, headers, body: pairs && form(pairs), signal: AbortSignal.timeout(ajaxTimeout)});
    return {status: r.status, body: JSON.parse(await r.text())};
  }
  async start() {
    const r = await this.ask('POST', '', [['data[firstName]', 'Ana'], ['data[nickname]', 'Ana'], ['data[endpoint]', 'support_main'], ['data[stream]', 'live'], ['data[userData][_genesys_source]', 'web'], ['operationId', randomUUID()]]);
    this.token = r.body.data.clientToken;
    const claims = JSON.parse(atob(this.token.split('.')[1]));
    this.sid = claims.sessionId;
    this.own = claims.participantId;
    this.timer = setTimeout(() => this.poll(), 0);
  }
  async poll() {
    try {
      const r = await this.ask('GET', `/${this.sid}/messages?operationId=${randomUUID()}`);
      if (r.status === 429) throw Object.assign(new Error('429'), {slow: true});
      if (r.status !== 200) throw new Error(String(r.status));
      this.polls++;
      this.wait = pollTimeout;
      for (const m of r.body.data.messages) {
        const index = m.index.replace('-', '');   // a number, for whoever compares
        if (this.shown.has(index)) { assert.equal(this.shown.get(index), m.text, 'an index never changes its message'); continue; }
        this.shown.set(index, m.text);
        this.log.push({index: Number(index), ...m, index_text: m.index});
      }
      this.ended ||= r.body.data.chatEnded;
    } catch (e) {
      if (e.code === 'ERR_ASSERTION') { this.broken = e; return; }
      this.failures++;
      if (!e.slow) this.wait *= pollIntervalMultiplier;
    }
    if (!this.ended && !this.stopped) this.timer = setTimeout(() => this.poll(), this.wait);
  }
  stop() { this.stopped = true; clearTimeout(this.timer); }
  async say(text) { return await this.ask('POST', `/${this.sid}/messages`, [['data[type]', 'Text'], ['data[text]', text], ['operationId', randomUUID()]]); }
  texts(type) { return this.log.filter(m => m.type === 'Text' && m.from.type === type).map(m => m.text); }
}

test('polling every 3 s: every message once and in order across kill -9', async t => {
  const road = await startChat(t);
  const page = new Widget(road.url, pageKey);
  t.after(() => page.stop());
  await page.start();
  assert.equal((await page.say('begin')).status, 200);
  const {c} = await deskHas(road, 'begin', m => m.text === 'begin');
  const guest = ['begin'], desk = [];
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 6; i++) {
      guest.push(`g${round}.${i}`);
      assert.equal((await page.say(guest.at(-1))).status, 200);
      desk.push(`a${round}.${i}`);
      await heardOut(road, c);
      await agent(road, c, {text: desk.at(-1)});
      await new Promise(done => setTimeout(done, 500 + round * 90));
    }
    road.programs.hub.child.kill('SIGKILL');   // whatever the page, the desk and the disk are doing just now
    await road.programs.hub.exit;
    await new Promise(done => setTimeout(done, round * 400));
    await road.startHub();
    await heardOut(road, c);
  }
  const last = desk.at(-1);
  await until('the last one on the page', () => { if (page.broken) throw page.broken; return page.texts('Agent').includes(last); }, 30000);
  await until('four polls', () => page.polls >= 4);
  page.stop();
  assert.ok(page.polls >= 4, `${page.polls} polls`);
  assert.deepEqual(page.texts('Customer'), guest);
  assert.deepEqual(page.texts('Agent'), desk);
  const numbers = page.log.map(m => m.index);
  assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b), 'shown in the order of their indexes');
  assert.equal(new Set(numbers).size, numbers.length);
  assert.ok(page.log.every(m => /^\d+-\d$/.test(m.index_text) && typeof m.utcTime === 'number'));
  const heard = await until('the guest\'s last one at the desk', async () => { const all = (await inbound(road)).map(m => m.text); return all.includes(guest.at(-1)) && all; });
  assert.deepEqual([...new Set(heard.filter(x => guest.includes(x)))], guest, 'and at the desk');
  // another page of the same guest restores it all, then pages back to the beginning as widgets do
  const restored = new Widget(road.url, pageKey);
  Object.assign(restored, {token: page.token, sid: page.sid});
  const get = async q => (await restored.ask('GET', `/${page.sid}/messages?${q}&operationId=${randomUUID()}`)).body.data.messages;
  let all = await get('count=16');
  for (let turn = 0; ; turn++) {
    const older = await get(`index=${all[0].index}&count=16`);
    if (older.length === 1 && older[0].index === all[0].index) break;
    all = [...older.slice(0, -1), ...all];
    assert.ok(turn < 100);
  }
  assert.deepEqual(all.filter(m => m.type === 'Text').map(m => m.text), page.log.filter(m => m.type === 'Text').map(m => m.text));
  console.log(`# ${page.polls} polls, ${page.failures} of others without an answer, ${page.log.length} messages`);
});
