// slack-road.mjs - the hub between the simulated Slack and the simulated Genesys Cloud, for the tests that need it.
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Api, Program, freePort, ready, token, until} from './harness.mjs';

export const slack = {app: 'A0HUB0001', client: '111.222', secret: 'c0ffee00c0ffee00c0ffee00c0ffee00', signing: 'a1b2c3d4e5f60718293a4b5c6d7e8f90'};

export async function startSlackRoad(t, options = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-slack-'));
  const [hubPort, deskPort, port] = [await freePort(), await freePort(), await freePort()];
  const at = p => `http://127.0.0.1:${p}`;
  const config = join(dir, 'hub.yaml');
  const more = Object.entries(options.slack ?? {}).map(([k, v]) => `        ${k}: ${JSON.stringify(v)}\n`).join('');
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
      integration: {name: Test Slack, token: ${token}}
      end_poll_seconds: 1
      typing: true
    channels:
      - type: slack
        app_id: ${slack.app}
        client_id: "${slack.client}"
        client_secret: ${slack.secret}
        signing_secret: ${slack.signing}
        base_url: ${at(port)}/api
        authorize_url: ${at(port)}/oauth/v2/authorize
        display_agent_name: true
${more}`);
  const road = {
    dir, hub: new Api(at(hubPort)), desk: new Api(at(deskPort)), slack: new Api(at(port)), phone: new Api(at(port)),
    programs: {
      desk: new Program(dir, 'desk', ['sim', 'genesys-cloud', '--listen', `127.0.0.1:${deskPort}`, '--client-id', 'c1', '--client-secret', 's1']),
      slack: new Program(dir, 'slack', ['sim', 'slack', '--listen', `127.0.0.1:${port}`, '--hub', at(hubPort), '--retry-ms', '300', ...(options.args ?? [])]),
      hub: new Program(dir, 'hub', ['serve', '--config', config], {LOG_LEVEL: 'DEBUG'}),
    },
  };
  t.after(async () => {
    for (const name of ['hub', 'slack', 'desk']) {
      const how = await road.programs[name].stop();
      if (how.code) { console.error(`# ${name} ended with ${how.code}\n${road.programs[name].text().slice(-3000)}`); process.exitCode = 1; }
    }
    if (!process.env.KEEP) rmSync(dir, {recursive: true, force: true});
  });
  for (const name of ['desk', 'slack']) road.programs[name].start();
  await ready(road.programs.desk, at(deskPort) + '/sim/counters');
  await ready(road.programs.slack, at(port) + '/sim/counters');
  road.programs.hub.start();
  await ready(road.programs.hub, at(hubPort) + '/healthz/readiness');
  await until('accounts set up', async () => (await road.hub.get('/healthz/readiness')).accounts.every(a => a.set_up));
  if (options.register !== false) await register(road, options.workspace);
  return road;
}

// What a browser does: the form, the link, Slack's page, and back with the cookie.
export async function register(road, workspace = 'T0ACME001', customer = 'test-shop') {
  const page = await fetch(`${road.hub.base}/slack/register`, {method: 'POST', body: new URLSearchParams({customer})});
  const html = await page.text();
  const href = /id="add-to-slack" href="([^"]+)"/.exec(html)?.[1]?.replaceAll('&amp;', '&');
  if (!href) return {status: page.status, html, headers: page.headers};
  const cookie = page.headers.get('set-cookie')?.split(';')[0];
  const slackPage = await fetch(`${href}&choose=${workspace}`, {redirect: 'manual'});
  const back = slackPage.headers.get('location');
  const end = await fetch(back, {headers: {cookie}});
  return {status: end.status, html: await end.text(), back, cookie, href, headers: end.headers};
}

export const send = (road, what, guest = 1) => road.slack.post(`/sim/guests/${guest}/send`, what);
export const screen = async (road, guest = 1, where = '') => (await road.slack.get(`/sim/guests/${guest}/messages${where}`)).messages;
export const screenHas = (road, what, is, guest = 1, where = '') =>
  until(what, async () => (await screen(road, guest, where)).filter(m => m.from === 'bot').find(is));
export async function deskHas(road, what, is) {
  return await until(what, async () => {
    for (const {id} of (await road.desk.get('/sim/conversations')).conversations) {
      const c = await road.desk.get(`/sim/conversations/${id}`);
      const m = c.messages.find(x => x.from === 'guest' && is(x));
      if (m) return {c, m};
    }
  });
}
