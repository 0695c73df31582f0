// ceph.mjs - a real S3: Ceph's gateway with one monitor and one object store in memory, all of it in a temporary folder on loopback, stopped by pid.
//
//   const ceph = await startCeph();           // null: Ceph is not installed here
//   ceph.url, ceph.user('hub', 'AKIA…', 'secret'); await ceph.stop()
import {execFileSync, spawn} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {freePort, until} from '../e2e/harness.mjs';

const programs = ['ceph-authtool', 'monmaptool', 'ceph-mon', 'ceph-osd', 'ceph', 'radosgw', 'radosgw-admin'];
const found = name => ['/usr/bin', '/usr/local/bin', '/bin'].some(d => existsSync(join(d, name)));
export const cephIsHere = programs.every(found);

export async function startCeph({bytes = 1 << 30} = {}) {
  if (!cephIsHere) return null;
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-ceph-'));
  const [p1, p2, port] = [await freePort(), await freePort(), await freePort()];
  const fsid = randomUUID(), conf = join(dir, 'ceph.conf'), keyring = join(dir, 'keyring');
  for (const d of ['mon', 'osd', 'run', 'log', 'rgw']) mkdirSync(join(dir, d));
  const addr = `[v2:127.0.0.1:${p1},v1:127.0.0.1:${p2}]`;
  writeFileSync(conf, `[global]
fsid = ${fsid}
mon host = ${addr}
mon initial members = a
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind ipv6 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${keyring}
run dir = ${dir}/run
admin socket = ${dir}/run/$name.asok
pid file = ${dir}/run/$name.pid
log file = ${dir}/log/$name.log
crash dir = ${dir}/log
osd objectstore = memstore
memstore device bytes = ${bytes}
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd crush chooseleaf type = 0
osd pool default pg num = 1
mon max pg per osd = 1000
osd pool default pg autoscale mode = off
mon data = ${dir}/mon
osd data = ${dir}/osd
setuser match path =
[client.admin]
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw data = ${dir}/rgw
rgw dns name = localhost
rgw enable usage log = false
`);
  const run = (cmd, ...args) => execFileSync(cmd, ['-c', conf, ...args], {stdio: ['ignore', 'pipe', 'pipe'], timeout: 60000, encoding: 'utf8'});
  const children = [];
  const start = (cmd, ...args) => {
    const out = openSync(join(dir, 'log', `${cmd}.out`), 'a');
    const child = spawn(cmd, ['-c', conf, ...args], {stdio: ['ignore', out, out]});
    closeSync(out);
    child.on('error', () => {});
    children.push({cmd, child, exit: new Promise(r => child.on('exit', r))});
    return child;
  };
  const stop = async () => {
    for (const {child} of [...children].reverse()) child.kill('SIGTERM');
    for (const {child, exit} of children) {
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await exit;
      clearTimeout(late);
    }
    if (!process.env.KEEP) rmSync(dir, {recursive: true, force: true});
  };
  try {
    return {...await begin(), dir, stop};
  } catch (e) {
    await stop();
    throw e;
  }

  async function begin() {
    execFileSync('ceph-authtool', ['--create-keyring', keyring, '--gen-key', '-n', 'client.admin', '--cap', 'mon', 'allow *', '--cap', 'osd', 'allow *',
      '--cap', 'mgr', 'allow *', '--cap', 'mds', 'allow *'], {stdio: 'ignore'});
    execFileSync('ceph-authtool', [keyring, '--gen-key', '-n', 'mon.', '--cap', 'mon', 'allow *'], {stdio: 'ignore'});
    execFileSync('monmaptool', ['--create', '--addv', 'a', addr, '--fsid', fsid, join(dir, 'monmap')], {stdio: 'ignore'});
    run('ceph-mon', '--mkfs', '-i', 'a', '--monmap', join(dir, 'monmap'), '--keyring', keyring);
    start('ceph-mon', '-f', '-i', 'a');
    await until('the monitor', () => run('ceph', '--connect-timeout', '5', 'mon', 'stat'), 30000);
    const osd = randomUUID();
    run('ceph', 'osd', 'new', osd, '0');
    const osdKey = join(dir, 'osd', 'keyring');
    writeFileSync(osdKey, run('ceph', 'auth', 'get-or-create', 'osd.0', 'mon', 'allow profile osd', 'mgr', 'allow profile osd', 'osd', 'allow *'));
    run('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osd, '--keyring', osdKey);
    start('ceph-osd', '-f', '-i', '0', '--keyring', osdKey);
    run('ceph', 'osd', 'crush', 'add', 'osd.0', '1.0', 'host=localhost', 'root=default');
    await until('the object store', () => /1 up/.test(run('ceph', 'osd', 'stat')), 30000);
    const user = (uid, key, secret) => run('radosgw-admin', 'user', 'create', '--uid', uid, '--display-name', uid, '--access-key', key, '--secret-key', secret,
      '--no-mon-config', '-n', 'client.admin');
    user('hub', 'AKIAHUBTEST000000001', 'hub+Test/Secret0123456789abcdefABCDEFGH12');
    start('radosgw', '-f', '-n', 'client.admin', '--no-mon-config');
    const url = `http://127.0.0.1:${port}`;
    await until('the gateway', async () => (await fetch(url)).ok, 60000);
    return {url, port, user};
  }
}
