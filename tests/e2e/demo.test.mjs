// The demonstration itself: tools/demo comes up, shows its addresses and log-ins, carries messages on both roads, and takes everything down again at Ctrl-C.
import test from 'node:test';
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {chmodSync, mkdtempSync, mkdirSync, unlinkSync, writeFileSync, rmSync, copyFileSync, symlinkSync} from 'node:fs';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Gone, bin, root, until} from './harness.mjs';
import {login} from './hub.mjs';
import {ChatPage} from './chat-page.mjs';

const ports = [8080, 9001, 9002];
const pages = {9001: /Agent's desk/, 9002: /LINE simulator/};
const taken = port => new Promise(resolve => {
  const s = connect(port, '127.0.0.1', () => { s.destroy(); resolve(true); });
  s.on('error', () => resolve(false));
});
async function anyTaken() {
  for (const p of ports) if (await taken(p)) return p;
}

// A tree of its own, so that the demonstration's data is not the developer's, with the program under test in it.
function tree(t) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-demo-'));
  for (const d of ['tools', 'build', 'deploy/demo']) mkdirSync(join(dir, d), {recursive: true});
  for (const f of ['tools/demo', 'deploy/demo/hub.yaml']) copyFileSync(join(root, f), join(dir, f));
  symlinkSync(bin, join(dir, 'build/dragoman'));
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  return dir;
}

function start(t, dir) {
  const child = spawn('bash', ['tools/demo'], {cwd: dir, stdio: ['ignore', 'pipe', 'pipe'], detached: true});   // a group of its own, as a terminal makes it
  const demo = {child, said: '', exit: new Promise(r => child.on('close', (code, signal) => { demo.ended = true; r({code, signal}); }))};
  for (const s of [child.stdout, child.stderr]) s.on('data', d => { demo.said += d; });
  t.after(async () => { if (!demo.ended) { process.kill(-child.pid, 'SIGTERM'); await demo.exit; } });
  return demo;
}

test('the demonstration starts, serves its pages, carries a message, and stops at Ctrl-C', async t => {
  const busy = await anyTaken();
  if (busy) return t.skip(`port ${busy} of this machine is taken`);
  const dir = tree(t);
  const demo = start(t, dir);
  await until('the addresses', () => {
    if (demo.ended) throw new Gone(demo.said);
    return demo.said.includes('Ctrl-C stops everything');
  }, 40000);
  for (const url of ['http://127.0.0.1:9002/', 'http://127.0.0.1:9001/', 'http://127.0.0.1:8080/demo/shop', 'http://127.0.0.1:8080/ux/conv', 'http://127.0.0.1:8080/ux/supervisor', 'http://127.0.0.1:8080/health/detail']) assert.ok(demo.said.includes(url), url);
  for (const [port, title] of Object.entries(pages)) {
    const r = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(r.status, 200);
    assert.match(r.headers.get('content-type'), /^text\/html/);
    assert.match(await r.text(), title);
  }
  assert.equal((await new Api('http://127.0.0.1:8080').call('GET', '/health/detail')).status, 200);

  const [phone, desk] = [new Api('http://127.0.0.1:9002'), new Api('http://127.0.0.1:9001')];
  await phone.post('/sim/guests/1/send', {type: 'text', text: 'Anybody there?'});
  const {id} = await until('the text at the desk', async () => (await desk.get('/sim/conversations')).conversations.find(c => c.preview === 'Anybody there?'));
  await desk.post(`/sim/conversations/${id}/agent`, {text: 'Yes!'});
  await until('the answer', async () => (await phone.get('/sim/guests/1/messages')).messages.some(m => m.message.text === 'Yes!'));

  const said = /user (kim), password ([a-z ]+); then set yourself ready/.exec(demo.said);
  assert.ok(said, demo.said);
  for (const page of ['/demo/shop', '/ux/conv', '/ux/comm', '/ux/supervisor']) assert.match(await (await fetch(`http://127.0.0.1:8080${page}`)).text(), /Content-Security-Policy/, page);
  const kim = await login('http://127.0.0.1:8080', said[1], said[2]);
  assert.equal((await kim.call('PUT', '/desk/me/status', {media: 'all', state: 'ready'})).status, 200);
  const shop = new ChatPage('http://127.0.0.1:8080/nexus/v3/chat/sessions', 'demo-shop-web-page-key');
  await shop.start({nickname: 'Ana'});
  await shop.say('Do you sell lanterns?');
  const waits = await until('the guest at the built-in desk', async () => (await kim.call('GET', '/desk/interactions?mine=true')).json.items.find(i => i.state === 'invited'));
  assert.equal((await kim.call('POST', `/desk/interactions/${waits.id}/accept`, {})).status, 200);
  assert.equal((await kim.call('POST', `/desk/interactions/${waits.id}/messages`, {id: 'first-answer', text: 'We do.'})).status, 202);
  await until('the answer in the shop', async () => { await shop.poll(); return shop.messages.some(m => m.text === 'We do.'); });

  process.kill(-demo.child.pid, 'SIGINT');
  const how = await demo.exit;
  assert.equal(how.code, 0, demo.said);
  assert.equal(await anyTaken(), undefined, 'all ports are free again');

  const again = start(t, dir);   // what it left behind does not stop it from starting once more
  await until('the addresses again', () => {
    if (again.ended) throw new Gone(again.said);
    return again.said.includes('Ctrl-C stops everything');
  }, 40000);
  again.child.kill('SIGTERM');   // to the script alone, as a service manager does
  assert.equal((await again.exit).code, 0, again.said);
  assert.equal(await anyTaken(), undefined, 'free after that, too');
});

test('the demonstration says which port is taken, and starts nothing', async t => {
  const busy = await anyTaken();
  if (busy) return t.skip(`port ${busy} of this machine is taken`);
  const {createServer} = await import('node:net');
  const other = createServer().listen(9002, '127.0.0.1');
  await new Promise(r => other.on('listening', r));
  t.after(() => other.close());
  const demo = start(t, tree(t));
  assert.equal((await demo.exit).code, 1);
  assert.match(demo.said, /Port 9002 of this machine is taken/);
  assert.equal(await taken(8080) || await taken(9001), false);
});

test('a program that does not start is told, with what it said', async t => {
  const busy = await anyTaken();
  if (busy) return t.skip(`port ${busy} of this machine is taken`);
  const dir = tree(t);
  unlinkSync(join(dir, 'build/dragoman'));
  writeFileSync(join(dir, 'build/dragoman'), '#!/bin/sh\necho "no such thing"; exit 3\n');
  chmodSync(join(dir, 'build/dragoman'), 0o755);
  const demo = start(t, dir);
  assert.equal((await demo.exit).code, 1);
  assert.match(demo.said, /did not start[^]*no such thing/);
});
