// networks.mjs - every simulated network under one face, for what shall hold on all of them.
//
//   const road = await networks.line(t);            // the hub, a Genesys Cloud desk, this network
//   const c = await road.hello();                   // the conversation at the desk
//   await road.say(c, {text: 'Hello'});
//   await road.seen();                              // what the network got for the guest, each as JSON text
import {startRoad as startLine, until} from './harness.mjs';
import {startTelegramRoad} from './telegram-road.mjs';
import {startSlackRoad} from './slack-road.mjs';
import {startRoad as startTeams} from './teams.mjs';
import {startRoad as startApple} from './apple.mjs';

const network = start => async t => {
  const road = await start(t);
  return {road, send: what => road.send(what), screen: () => road.screen()};
};
const starts = {
  line: async t => {
    const road = await startLine(t);
    return {road, send: what => road.line.post('/sim/guests/1/send', what), screen: async () => (await road.line.get('/sim/guests/1/messages')).messages};
  },
  telegram: network(startTelegramRoad), slack: network(startSlackRoad), teams: network(startTeams), apple: network(startApple),
};

export const networks = Object.fromEntries(Object.entries(starts).map(([name, start]) => [name, async t => {
  const {road, send, screen} = await start(t);
  const api = {
    name, send, hub: road.hub, desk: road.desk, programs: road.programs, dir: road.dir,
    say: (c, what) => road.desk.post(`/sim/conversations/${c.id}/agent`, what),
    seen: async () => (await screen()).filter(m => !['guest', 'user'].includes(m.from)).map(m => JSON.stringify(m)),
    conversation: id => road.desk.get(`/sim/conversations/${id}`),
    async hello(text = 'Hi') {
      await send({type: 'text', text});
      return until('the text at the desk', async () => {
        for (const {id} of (await road.desk.get('/sim/conversations')).conversations) {
          const c = await road.desk.get(`/sim/conversations/${id}`);
          if (c.messages.some(m => m.from === 'guest' && m.text === text)) return c;
        }
      });
    },
    // lines that only the agent got
    told: async c => (await road.desk.get(`/sim/conversations/${c.id}`)).messages.filter(m => m.from === 'guest' && m.text?.startsWith('[Commander] ')).map(m => m.text.slice(12)),
  };
  return api;
}]));
