// telegram-road.mjs - the hub between the simulated Telegram and the simulated Genesys Cloud (network-road.mjs). telegram: more settings of the channel.
import {networkRoad} from './network-road.mjs';

export const botToken = '123456789:AAExampleExampleExampleExampleExample';

export async function startTelegramRoad(t, {telegram, ...options} = {}) {
  const road = await networkRoad(t, 'telegram', base_url => ({base_url, token: botToken, prefix_agent_name: true, ...telegram}), {secret: botToken, ...options});
  road.tap = (label, guest = 1) => road.telegram.post(`/sim/guests/${guest}/tap`, {label});
  return road;
}
