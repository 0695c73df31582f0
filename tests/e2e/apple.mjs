// The road of tests with Apple Messages for Business: both simulators and a hub between them.
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, ready, token, until} from './harness.mjs';

export const mspId = '653abce3-dead-4eef-8fe3-247634adce53';
export const secret = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
export const business = 'b5f1e3d2-1111-4222-8333-444455556666';

export async function startRoad(t, options = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-apple-'));
  const [hubPort, deskPort, port] = [await freePort(), await freePort(), await freePort()];
  const at = p => `http://127.0.0.1:${p}`;
  const config = join(dir, 'hub.yaml');
  writeFileSync(config, `listen: 127.0.0.1:${hubPort}
public_url: ${at(hubPort)}
data: ${join(dir, 'data')}
guard: off
tenants:
  - name: Test Shop
    desk:
      type: genesys-cloud
      base_url: ${at(deskPort)}
      client_id: c1
      client_secret: s1
      integration: {name: Test Apple, token: ${token}}
      end_poll_seconds: 1
      typing: true
    channels:
      - type: apple
        base_url: ${at(port)}/v1
        msp_id: ${mspId}
        msp_secret: ${secret}
        business_id: ${business}
${options.settings ?? ''}`);
  const road = {
    dir, hub: new Api(at(hubPort)), desk: new Api(at(deskPort)), apple: new Api(at(port)),
    programs: {
      desk: new Program(dir, 'desk', ['sim', 'genesys-cloud', '--listen', `127.0.0.1:${deskPort}`, '--client-id', 'c1', '--client-secret', 's1']),
      apple: new Program(dir, 'apple', ['sim', 'apple', '--listen', `127.0.0.1:${port}`, '--hub', at(hubPort), '--retry-ms', '50', ...(options.args ?? [])]),
      hub: new Program(dir, 'hub', ['serve', '--config', config], {LOG_LEVEL: 'DEBUG'}),
    },
  };
  t.after(async () => {
    for (const name of ['hub', 'apple', 'desk']) {
      const how = await road.programs[name].stop();
      if (how.code) { console.error(`# ${name} ended with ${how.code}\n${road.programs[name].text().slice(-3000)}`); process.exitCode = 1; }
    }
    assert.ok(!road.programs.hub.text().includes(secret), 'the secret is in no log line');
    if (!process.env.KEEP) rmSync(dir, {recursive: true, force: true});
  });
  for (const name of ['desk', 'apple']) road.programs[name].start();
  await ready(road.programs.desk, at(deskPort) + '/sim/counters');
  await ready(road.programs.apple, at(port) + '/sim/counters');
  road.programs.hub.start();
  await ready(road.programs.hub, at(hubPort) + '/healthz/readiness');
  await until('accounts set up', async () => (await road.hub.get('/healthz/readiness')).accounts.every(a => a.set_up));
  return road;
}
