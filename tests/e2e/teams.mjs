// teams.mjs - the hub between the simulated Teams and the simulated Genesys Cloud (network-road.mjs). teams: more settings of the channel;
// register: true: for the registration page; 'before': and there is no account yet.
import {networkRoad} from './network-road.mjs';
import {until} from './harness.mjs';

export const botId = '11111111-2222-3333-4444-555555555555';
export const tenantId = 'aaaaaaaa-0000-4000-8000-000000000001';
export const botSecret = '6ay8Q~Example-Example-Example-Example';

export async function startRoad(t, {teams, register, ...options} = {}) {
  const another = {type: 'telegram', token: '123456789:AAExampleExampleExampleExampleExample', set_webhook: false, base_url: 'http://127.0.0.1:9'};
  const channel = base_url => ({base_url, bot_id: botId, bot_secret: botSecret, tenants: tenantId, prefix_agent_name: true, show_system_messages: true, ...teams});
  const road = await networkRoad(t, 'teams', register === 'before' ? () => undefined : channel,
    {secret: botSecret, channels: register === 'before' ? [another] : [], ...options, hub: {limits: {call_ms: 4000}, ...(register ? {register: 'teams'} : {}), ...options.hub}});
  road.press = (what, guest = 1) => road.teams.post(`/sim/guests/${guest}/press`, what);
  road.invoked = what => until(what, async () => (await road.teams.get('/sim/guests/1/messages')).invoke);
  return road;
}
