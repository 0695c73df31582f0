// telegram-road.mjs - the hub between the simulated Telegram and the simulated Genesys Cloud, for the tests that need it.
//
//   const road = await startTelegramRoad(t, {telegram: {upload_files: true}, args: ['--fetch-media=no']});
//   await road.send({type: 'text', text: 'Hi'});
//   const {c} = await road.deskHas('the text', m => m.text === 'Hi');
//   await road.agent(c, {text: 'Hello'});
//   await road.phoneHas('the answer', m => m.message.text === 'Hello');
//
// telegram: more settings of the channel; desk: of the desk; commander: the tenant's; args: of the simulator; between(url): who stands between the hub and Telegram.
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, ready, token, until} from './harness.mjs';

export const botToken = '123456789:AAExampleExampleExampleExampleExample';

export async function startTelegramRoad(t, options = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-telegram-'));
  const [hubPort, deskPort, port] = [await freePort(), await freePort(), await freePort()];
  const at = p => `http://127.0.0.1:${p}`;
  const config = join(dir, 'hub.yaml');
  const more = o => Object.entries(o ?? {}).map(([k, v]) => `        ${k}: ${JSON.stringify(v)}\n`).join('');
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
      integration: {name: Test Telegram, token: ${token}}
      end_poll_seconds: 1
      typing: true
    channels:
      - type: telegram
        base_url: ${await options.between?.(at(port)) ?? at(port)}
        token: "${botToken}"
        prefix_agent_name: true
${more(options.telegram)}${options.commander ? `    commander: ${JSON.stringify(options.commander)}\n` : ''}`);
  const road = {
    dir, hub: new Api(at(hubPort)), desk: new Api(at(deskPort)), telegram: new Api(at(port)), phone: new Api(at(port)),
    programs: {
      desk: new Program(dir, 'desk', ['sim', 'genesys-cloud', '--listen', `127.0.0.1:${deskPort}`, '--client-id', 'c1', '--client-secret', 's1']),
      telegram: new Program(dir, 'telegram', ['sim', 'telegram', '--listen', `127.0.0.1:${port}`, '--retry-ms', '50', ...(options.args ?? [])]),
      hub: new Program(dir, 'hub', ['serve', '--config', config], {LOG_LEVEL: 'DEBUG'}),
    },
    send: (what, guest = 1) => road.telegram.post(`/sim/guests/${guest}/send`, what),
    tap: (label, guest = 1) => road.telegram.post(`/sim/guests/${guest}/tap`, {label}),
    agent: (c, what) => road.desk.post(`/sim/conversations/${c.id}/agent`, what),
    screen: async (guest = 1) => (await road.telegram.get(`/sim/guests/${guest}/messages`)).messages,
    phoneHas: (what, is, guest = 1) => until(what, async () => (await road.screen(guest)).filter(m => m.from === 'bot').find(is)),
    deskHas: (what, is) => until(what, async () => {
      for (const {id} of (await road.desk.get('/sim/conversations')).conversations) {
        const c = await road.desk.get(`/sim/conversations/${id}`);
        const m = c.messages.find(x => x.from === 'guest' && is(x));
        if (m) return {c, m};
      }
    }),
  };
  road.allowFiles = async () => { // the desk's own profile lets pictures out only
    const {access_token} = await (await fetch(at(deskPort) + '/oauth/token', {method: 'POST', headers: {authorization: 'Basic ' + Buffer.from('c1:s1').toString('base64'),
      'content-type': 'application/x-www-form-urlencoded'}, body: 'grant_type=client_credentials'})).json();
    const headers = {authorization: `Bearer ${access_token}`};
    const every = [{type: '*/*'}];
    const profile = await road.desk.call('POST', '/api/v2/conversations/messaging/supportedcontent', {name: 'all', mediaTypes: {allow: {inbound: every, outbound: every}}}, headers);
    const {entities} = (await road.desk.call('GET', '/api/v2/conversations/messaging/integrations/open', undefined, headers)).json;
    const done = await road.desk.call('PATCH', `/api/v2/conversations/messaging/integrations/open/${entities[0].id}`, {name: entities[0].name, supportedContent: {id: profile.json.id}}, headers);
    assert.equal(done.status, 200, done.text);
  };
  t.after(async () => {
    for (const name of ['hub', 'telegram', 'desk']) {
      const how = await road.programs[name].stop();
      if (how.code) { console.error(`# ${name} ended with ${how.code}\n${road.programs[name].text().slice(-3000)}`); process.exitCode = 1; }
    }
    assert.ok(!road.programs.hub.text().includes(botToken), 'the bot token is in no log line');
    if (!process.env.KEEP) rmSync(dir, {recursive: true, force: true});
  });
  for (const name of ['desk', 'telegram']) road.programs[name].start();
  await ready(road.programs.desk, at(deskPort) + '/sim/counters');
  await ready(road.programs.telegram, at(port) + '/sim/counters');
  road.programs.hub.start();
  await ready(road.programs.hub, at(hubPort) + '/healthz/readiness');
  await until('accounts set up', async () => (await road.hub.get('/healthz/readiness')).accounts.every(a => a.set_up));
  return road;
}
