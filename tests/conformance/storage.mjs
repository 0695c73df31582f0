// storage.mjs - what the tests of storages share: a hub's configuration with one storage, the command line on it, files, and someone who stands between.
import {execFile, spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {closeSync, createReadStream, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync} from 'node:fs';
import {connect, createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {bin} from '../e2e/harness.mjs';

export const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');

// What is freed is given back soon, so that the sanitizer's own memory says little about ours.
const env = {...process.env, ASAN_OPTIONS: 'detect_leaks=1:quarantine_size_mb=4'};

export async function fileSha256(path) {
  const hash = createHash('sha256');
  for await (const d of createReadStream(path, {highWaterMark: 1 << 20})) hash.update(d);
  return hash.digest('hex');
}

// A folder with hub.yaml; shelf.run('check') … gives {code, out, err}.
export function shelf(t, storage) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-storage-'));
  const config = join(dir, 'hub.yaml');
  t.after(() => { if (!process.env.KEEP) rmSync(dir, {recursive: true, force: true}); });
  writeFileSync(config, JSON.stringify({data: join(dir, 'data'), storages: [{name: 'it', ...storage}]}));
  const run = (...args) => new Promise(resolve => execFile(bin, ['storage', ...args, '--config', config],
    {encoding: 'buffer', maxBuffer: 1 << 30, timeout: 300000, env},
    (e, out, err) => resolve({code: e ? e.code ?? -1 : 0, bytes: out, out: out.toString(), err: err.toString()})));
  return {
    dir, config, run,
    async put(path, type) {
      const r = await run('put', 'it', path, ...(type ? [type] : []));
      if (r.code) throw new Error(`put: ${r.err}`);
      return JSON.parse(r.out);
    },
    async get(handle) { const r = await run('get', 'it', handle); if (r.code) throw new Error(`get: ${r.err}`); return r.bytes; },
    // The same for what is too long to hold: its hash, and the most memory the reader took.
    async sum(handle) {
      const child = spawn(bin, ['storage', 'get', 'it', handle, '--config', config], {stdio: ['ignore', 'pipe', 'inherit'], env});
      const hash = createHash('sha256');
      let peak = 0, left = 0;
      for await (const d of child.stdout) {
        hash.update(d);
        if (left-- > 0) continue;
        left = 200;
        try { peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024); } catch { /* gone */ }
      }
      return {sha256: hash.digest('hex'), peak};
    },
    async url(handle) { const r = await run('url', 'it', handle); if (r.code) throw new Error(`url: ${r.err}`); return r.out.trim(); },
    file(name, bytes) { const path = join(dir, name); writeFileSync(path, bytes); return path; },
    // n bytes, most of them holes, so that it costs no disk; every MiB is different.
    big(name, n) {
      const path = join(dir, name), fd = openSync(path, 'w');
      ftruncateSync(fd, n);
      for (let at = 0; at < n; at += 1 << 20) writeSync(fd, `at ${at}`, Math.min(at, n - 20));
      closeSync(fd);
      return path;
    },
  };
}

// Stands between the hub and a service, byte for byte, and does as it is told: between.cutAfter(bytes, times) resets connections that have carried so many
// bytes to the service, cutBackAfter those that brought so many from it; between.answer(text, times) answers requests itself.
export async function between(t, port) {
  const me = {cuts: 0, answered: 0, connections: 0};
  let cut = {bytes: Infinity, times: 0}, cutBack = {bytes: Infinity, times: 0}, instead = {text: '', times: 0};
  const open = new Set();
  const server = createServer(client => {
    me.connections++;
    let carried = 0;
    const there = connect(port, '127.0.0.1');
    for (const s of [client, there]) { open.add(s); s.on('error', () => {}); s.on('close', () => { open.delete(s); client.destroy(); there.destroy(); }); }
    client.on('data', d => {
      if (instead.times > 0 && /^[A-Z]+ \S+ HTTP\/1\.1\r\n/.test(d.subarray(0, 2000).toString('latin1'))) {
        instead.times--; me.answered++;
        there.destroy();
        client.end(instead.text);
        return;
      }
      carried += d.length;
      if (cut.times > 0 && carried > cut.bytes) {
        cut.times--; me.cuts++;
        client.resetAndDestroy(); there.destroy();
        return;
      }
      if (!there.write(d)) { client.pause(); there.once('drain', () => client.resume()); }
    });
    let returned = 0;
    there.on('data', d => {
      returned += d.length;
      if (cutBack.times > 0 && returned > cutBack.bytes) { cutBack.times--; me.cuts++; client.destroy(); there.destroy(); return; }
      if (!client.write(d)) { there.pause(); client.once('drain', () => there.resume()); }
    });
  });
  await new Promise(r => server.listen(0, '127.0.0.1', r));
  t.after(() => { for (const s of open) s.destroy(); return new Promise(r => server.close(r)); });
  me.port = server.address().port;
  me.url = `http://127.0.0.1:${me.port}`;
  me.cutAfter = (bytes, times = 1) => { cut = {bytes, times}; };
  me.cutBackAfter = (bytes, times = 1) => { cutBack = {bytes, times}; };
  me.answer = (text, times = 1) => { instead = {text, times}; };
  return me;
}
