// slack-road.mjs - the hub between the simulated Slack and the simulated Genesys Cloud (network-road.mjs). slack: more settings of the channel;
// register: false: no workspace has the app yet.
import {networkRoad} from './network-road.mjs';

export const slack = {app: 'A0HUB0001', client: '111.222', secret: 'c0ffee00c0ffee00c0ffee00c0ffee00', signing: 'a1b2c3d4e5f60718293a4b5c6d7e8f90'};

export async function startSlackRoad(t, {slack: more, register: registered, workspace, ...options} = {}) {
  const road = await networkRoad(t, 'slack', url => ({app_id: slack.app, client_id: slack.client, client_secret: slack.secret, signing_secret: slack.signing,
    base_url: `${url}/api`, authorize_url: `${url}/oauth/v2/authorize`, display_agent_name: true, ...more}), {secret: slack.secret, ...options, args: ['--retry-ms', '300', ...(options.args ?? [])]});
  if (registered !== false) await register(road, workspace);
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
