// apple.mjs - the hub between the simulated Apple Messages for Business and the simulated Genesys Cloud (network-road.mjs). apple: more settings of the channel, or a
// function that makes them of the simulator's address.
import {networkRoad} from './network-road.mjs';

export const mspId = '653abce3-dead-4eef-8fe3-247634adce53';
export const secret = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
export const business = 'b5f1e3d2-1111-4222-8333-444455556666';

export async function startRoad(t, {apple, ...options} = {}) {
  return await networkRoad(t, 'apple', url => ({base_url: `${url}/v1`, msp_id: mspId, msp_secret: secret, business_id: business, ...(typeof apple === 'function' ? apple(url) : apple)}), {secret, from: 'business', ...options});
}
