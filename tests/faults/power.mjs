// power.mjs - a disk that can lose its power: what the hub wrote (power.c tells) and what of it a power cut would have left.
//
//   const power = new Power(t);
//   const road = await startRoad(t, {data: power.data, env: power.env});  …  await road.programs.hub.stop('SIGKILL');
//   power.cut(rnd, 'drop');                             // the folder is now what the next start finds
//   power.fail({on: 'sync', match: 'journal/', error: 'EIO', skip: 3, times: 1});  …  power.fired
//
// The rules are those of POSIX, not of a friendly file system: of a file is kept what was written before a sync of that file that succeeded, and a
// name (made, renamed, linked, removed) once its folder was synced. What was not may be there or not:
//   drop     nothing of it is there
//   prefix   it is there up to some moment
//   subset   each write is there or not, or in part (by sectors); of the names of a folder the first so many
// After a sync that failed, what it should have brought to the disk is not there, and a later sync does not bring it.
import {execFileSync} from 'node:child_process';
import {closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync} from 'node:fs';
import {constants, tmpdir} from 'node:os';
import {basename, dirname, join} from 'node:path';

const HEAD = 32, SECTOR = 512;
const [CREATE, WRITE, SIZE, GROW, SYNC, SYNC_FAILED, RENAME, UNLINK, LINK, MKDIR, DIRSYNC] = Array.from({length: 11}, (_, i) => i + 1);
const kinds = {write: 1, sync: 2, open: 4, rename: 8, size: 16};
const modes = ['drop', 'prefix', 'subset'];
const forgotten = name => name.endsWith('-shm'); // mapped memory; made anew

class File {
  constructor(bytes = Buffer.alloc(0)) { this.bytes = Buffer.from(bytes); this.n = bytes.length; this.pending = []; }
  resize(n) {
    if (n > this.bytes.length) {
      const wider = Buffer.alloc(Math.max(n, this.bytes.length * 2));
      this.bytes.copy(wider, 0, 0, this.n);
      this.bytes = wider;
    }
    if (n < this.n) this.bytes.fill(0, n, this.n);
    this.n = n;
  }
  apply(o) {
    if (o.op === WRITE) {
      if (o.at + o.data.length > this.n) this.resize(o.at + o.data.length);
      o.data.copy(this.bytes, o.at);
    } else if (o.op === SIZE || o.at > this.n) this.resize(o.at);
  }
  sync() { for (const o of this.pending) this.apply(o); this.pending = []; }
  content() { return this.bytes.subarray(0, this.n); }
}

export class Power {
  constructor(t) {
    const own = mkdtempSync(join(tmpdir(), 'dragoman-power-')), folder = join(own, 'disk');
    t.after(() => rmSync(own, {recursive: true, force: true}));
    mkdirSync(folder);
    Object.assign(this, {folder, data: join(folder, 'data'), log: join(own, 'log'), control: join(own, 'control'), seq: 0, cuts: 0, writes: 0, syncs: 0, dropped: 0, syncsFailed: 0});
    const shim = join(own, 'power.so');
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', shim, new URL('power.c', import.meta.url).pathname, '-pthread']);
    writeFileSync(this.control, Buffer.alloc(4096));
    writeFileSync(this.log, '');
    this.env = {LD_PRELOAD: [shim, process.env.LD_PRELOAD].filter(Boolean).join(':'), POWER_DIR: folder, POWER_LOG: this.log, POWER_CONTROL: this.control, UV_USE_IO_URING: '0',
      ASAN_OPTIONS: 'detect_leaks=0:verify_asan_link_order=0'};
    this.begin();
  }

  // ---- calls that fail ----
  fail({on, match = '', error, skip = 0, times = -1}) {
    const b = Buffer.alloc(128);
    const code = error === 'short' ? -1 : constants.errno[error];
    [0, skip, times, code, 0, 0].forEach((n, i) => b.writeBigInt64LE(BigInt(n), 8 * i));
    b.write(match + '\0', 48);
    this.poke(b.subarray(0, 8), 0);
    this.poke(b.subarray(8), 8);
    b.writeBigInt64LE(BigInt([on].flat().reduce((n, k) => n | kinds[k], 0)));
    this.poke(b.subarray(0, 8), 0);
  }
  heal() { this.poke(Buffer.alloc(8), 0); }
  poke(bytes, at) { const fd = openSync(this.control, 'r+'); writeSync(fd, bytes, 0, bytes.length, at); closeSync(fd); }
  get fired() { return Number(readFileSync(this.control).readBigInt64LE(32)); }

  // ---- what was written ----
  begin() { // everything that is there is on the disk
    this.folders = new Map([['', {entries: new Map(), durable: new Map(), pending: []}]]);
    this.inodes = new Map();
    truncateSync(this.log, 0);
  }
  entry(path) { const f = this.folders.get(parent(path)); return f?.entries.get(basename(path)); }
  name(path, node, gone) { // node undefined: the name goes. gone: another name of the same folder that goes with it
    const f = this.folders.get(parent(path));
    if (!f) throw new Error(`a name in a folder that is not known: ${path}`);
    const change = {seq: this.seq, name: basename(path), node, gone};
    settle(f.entries, change);
    f.pending.push(change);
  }
  calls() { // that changed something since the folder was wiped or cut
    let n = 0;
    this.each(readFileSync(this.log), () => { n++; });
    return n;
  }
  read(calls = Infinity) {
    this.each(readFileSync(this.log), o => { if (calls-- > 0) this.take(o); });
  }
  each(all, fn) {
    for (let at = 0, size = all.length; at + HEAD <= size;) {
      const op = all.readUInt32LE(at), a = all.readUInt32LE(at + 4), b = all.readUInt32LE(at + 8);
      if (at + HEAD + a + b > size) break; // killed while it was written
      const data = all.subarray(at + HEAD, at + HEAD + a);
      fn({op, ino: all.readBigUInt64LE(at + 16), at: Number(all.readBigUInt64LE(at + 24)), data,
        path: op === WRITE ? '' : data.toString(), to: all.subarray(at + HEAD + a, at + HEAD + a + b).toString()});
      at += HEAD + a + b;
    }
  }
  take(o) {
    this.seq++;
    const file = this.inodes.get(o.ino);
    switch (o.op) {
      case CREATE: { const f = new File(); this.inodes.set(o.ino, f); this.name(o.path, f); return; }
      case WRITE: this.writes++; // and as the other two
      case SIZE: case GROW: file?.pending.push({...o, data: Buffer.from(o.data), seq: this.seq}); return;
      case SYNC: this.syncs++; file?.sync(); return;
      case SYNC_FAILED: this.syncsFailed++; if (file) file.pending = []; return;
      case RENAME: {
        const node = this.entry(o.path), inside = parent(o.path) === parent(o.to);
        this.name(o.to, node, inside ? basename(o.path) : undefined);
        if (!inside) this.name(o.path);
        return;
      }
      case LINK: this.name(o.to, this.entry(o.path)); return;
      case UNLINK: this.name(o.path); return;
      case MKDIR: { const f = {entries: new Map(), durable: new Map(), pending: []}; this.folders.set(o.path, f); this.name(o.path, f); return; }
      case DIRSYNC: { const f = this.folders.get(o.path); for (const p of f.pending) settle(f.durable, p); f.pending = []; return; }
      default: throw new Error(`op ${o.op} in the log`);
    }
  }

  // ---- the cut ----
  // With `calls`: as if it had come after so many of them.
  cut(rnd, mode = modes[Math.floor(rnd() * modes.length)], calls) {
    this.read(calls);
    this.cuts++;
    const moment = this.seq - Math.floor(rnd() * this.open());
    const stays = mode === 'drop' ? () => false : mode === 'prefix' ? o => o.seq <= moment : () => rnd() < 0.5;
    rmSync(this.folder, {recursive: true, force: true});
    mkdirSync(this.folder, {mode: 0o700});
    const {folders} = this;
    this.begin();
    this.leave('', folders.get(''), stays, mode === 'subset' ? rnd : undefined);
    return mode;
  }
  open() { // what is under way, in steps back from now
    let least = this.seq;
    for (const f of this.inodes.values()) if (f.pending.length) least = Math.min(least, f.pending[0].seq);
    for (const f of this.folders.values()) if (f.pending.length) least = Math.min(least, f.pending[0].seq);
    return this.seq - least + 1;
  }
  leave(path, folder, stays, torn) {
    for (const p of folder.pending) { // names in their order: what a journal of the file system does
      if (!stays(p)) { this.dropped++; break; }
      settle(folder.durable, p);
    }
    const here = this.folders.get(path);
    for (const [name, node] of folder.durable) {
      const full = path ? `${path}/${name}` : name, disk = join(this.folder, full);
      if (forgotten(name)) continue;
      if (node instanceof File) {
        if (!existsSync(disk)) writeFileSync(disk, this.left(node, stays, torn), {mode: 0o600});
        const file = new File(node.content());
        this.inodes.set(statSync(disk, {bigint: true}).ino, file);
        here.durable.set(name, file);
        here.entries.set(name, file);
      } else {
        mkdirSync(disk, {mode: 0o700});
        const below = {entries: new Map(), durable: new Map(), pending: []};
        this.folders.set(full, below);
        here.durable.set(name, below);
        here.entries.set(name, below);
        this.leave(full, node, stays, torn);
      }
    }
  }
  left(file, stays, torn) {
    for (const o of file.pending) {
      if (!stays(o)) this.dropped++;
      else if (!torn || o.op !== WRITE || torn() < 0.5) file.apply(o);
      else for (let from = 0; from < o.data.length;) { // sector by sector
        const to = Math.min(o.data.length, from + SECTOR - (o.at + from) % SECTOR);
        if (torn() < 0.5) file.apply({op: WRITE, at: o.at + from, data: o.data.subarray(from, to)});
        from = to;
      }
    }
    file.pending = [];
    return file.content();
  }
}
const parent = path => path.includes('/') ? dirname(path) : '';
function settle(names, p) {
  if (p.gone) names.delete(p.gone);
  p.node ? names.set(p.name, p.node) : names.delete(p.name);
}
