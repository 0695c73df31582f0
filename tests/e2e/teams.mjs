// teams.mjs - a hub with the simulators of Teams and Genesys Cloud, for the tests; stopped by pid when the test ends.
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, ready, token, until} from './harness.mjs';

export const botId = '11111111-2222-3333-4444-555555555555';
export const tenantId = 'aaaaaaaa-0000-4000-8000-000000000001';
export const botSecret = '6ay8Q~Example-Example-Example-Example';

export async function startRoad(t, options = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-teams-'));
  const [hubPort, deskPort, port] = [await freePort(), await freePort(), await freePort()];
  const at = p => `http://127.0.0.1:${p}`;
  const config = join(dir, 'hub.yaml');
  const more = Object.entries(options.teams ?? {}).map(([k, v]) => `        ${k}: ${JSON.stringify(v)}\n`).join('');
  writeFileSync(config, `listen: 127.0.0.1:${hubPort}
public_url: ${at(hubPort)}
data: ${join(dir, 'data')}
guard: off
limits: {call_ms: 2000}
${options.register ? 'register: teams\n' : ''}tenants:
  - name: Test Shop
    desk:
      type: genesys-cloud
      base_url: ${at(deskPort)}
      client_id: c1
      client_secret: s1
      integration: {name: Test Teams, token: ${token}}
      end_poll_seconds: 1
      typing: true
    channels:
${options.register === 'before' ? '      - {type: telegram, token: "123456789:AAExampleExampleExampleExampleExample", set_webhook: false, base_url: "http://127.0.0.1:9"}\n' : `      - type: teams
        base_url: ${at(port)}
        bot_id: ${botId}
        bot_secret: "${botSecret}"
        tenants: ${tenantId}
        prefix_agent_name: true
        show_system_messages: true
${more}`}`);
  const road = {
    dir, config, hub: new Api(at(hubPort)), desk: new Api(at(deskPort)), teams: new Api(at(port)),
    programs: {
      desk: new Program(dir, 'desk', ['sim', 'genesys-cloud', '--listen', `127.0.0.1:${deskPort}`, '--client-id', 'c1', '--client-secret', 's1']),
      teams: new Program(dir, 'teams', ['sim', 'teams', '--listen', `127.0.0.1:${port}`, '--hub', at(hubPort), '--retry-ms', '50', ...(options.args ?? [])]),
      hub: new Program(dir, 'hub', ['serve', '--config', config], {LOG_LEVEL: 'DEBUG', ...(options.env ?? {})}),
    },
  };
  t.after(async () => {
    for (const name of ['hub', 'teams', 'desk']) {
      const how = await road.programs[name].stop();
      if (how.code) { console.error(`# ${name} ended with ${how.code}\n${road.programs[name].text().slice(-3000)}`); process.exitCode = 1; }
    }
    assert.ok(!road.programs.hub.text().includes(botSecret), 'the bot secret is in no log line');
    if (!process.env.KEEP) rmSync(dir, {recursive: true, force: true});
  });
  for (const name of ['desk', 'teams']) road.programs[name].start();
  await ready(road.programs.desk, at(deskPort) + '/sim/counters');
  await ready(road.programs.teams, at(port) + '/sim/counters');
  road.programs.hub.start();
  await ready(road.programs.hub, at(hubPort) + '/healthz/readiness');
  if (options.register !== 'before') await until('accounts set up', async () => (await road.hub.get('/healthz/readiness')).accounts.every(a => a.set_up));
  road.send = (what, guest = 1) => road.teams.post(`/sim/guests/${guest}/send`, what);
  road.press = (what, guest = 1) => road.teams.post(`/sim/guests/${guest}/press`, what);
  road.chat = async (guest = 1) => (await road.teams.get(`/sim/guests/${guest}/messages`)).messages;
  road.chatHas = (what, is, guest = 1) => until(what, async () => (await road.chat(guest)).filter(m => m.from === 'bot').find(is));
  road.invoked = what => until(what, async () => (await road.teams.get('/sim/guests/1/messages')).invoke);
  road.counters = () => road.teams.get('/sim/counters');
  road.deskHas = (what, is) => until(what, async () => {
    for (const {id} of (await road.desk.get('/sim/conversations')).conversations) {
      const c = await road.desk.get(`/sim/conversations/${id}`);
      const m = c.messages.find(x => x.from === 'guest' && is(x));
      if (m) return {c, m};
    }
  });
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
  road.agent = (c, what) => road.desk.post(`/sim/conversations/${c.id}/agent`, what);
  return road;
}
