// peer.mjs - what one would write with Node.js, express and LINE's own SDK; bench/run measures it beside the hub.
//
//   node peer.mjs ack|durable|forward DESK_PORT     prints {"port":PORT}; writes peer.log in the working directory
//
//   ack      answers 200 at once: nothing is kept
//   durable  appends the events to a file and answers when a fdatasync has covered them; one sync at a time covers all that wait
//   forward  answers when the desk has taken the message
import {middleware} from '@line/bot-sdk';
import express from 'express';
import {open} from 'node:fs/promises';
import http from 'node:http';

const [mode, deskPort] = process.argv.slice(2);
const channelSecret = '8c570fa6dd201bb328f1c1eac23a96d8';

let file, gathered = [];
let syncing = false;
async function sync() {
  if (syncing) return;
  syncing = true;
  while (gathered.length) {
    const group = gathered;
    gathered = [];
    try {
      await file.appendFile(group.map(g => g.line).join(''));
      await file.datasync();
      for (const g of group) g.done();
    } catch (e) {
      for (const g of group) g.failed(e);
    }
  }
  syncing = false;
}
const keep = events => new Promise((done, failed) => {
  gathered.push({line: JSON.stringify(events) + '\n', done, failed});
  sync();
});

const agent = new http.Agent({keepAlive: true, maxSockets: 32});
const forward = event => new Promise((done, failed) => {
  const body = JSON.stringify({
    channel: {platform: 'Open', type: 'Private', messageId: event.webhookEventId, to: {id: '00000000-0000-4000-8000-000000000001'},
      from: {id: `${event.source.userId}@line`, idType: 'Opaque'}, time: new Date(event.timestamp).toISOString()},
    type: 'Text', direction: 'Inbound', text: event.message.text,
  });
  const r = http.request({port: deskPort, host: '127.0.0.1', method: 'POST', agent,
    path: '/api/v2/conversations/messages/00000000-0000-4000-8000-000000000001/inbound/open/message',
    headers: {authorization: 'Bearer desk-token-of-the-bench', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body)}}, answer => {
    answer.resume();
    answer.on('end', () => answer.statusCode === 200 ? done() : failed(new Error(`status ${answer.statusCode}`)));
  });
  r.on('error', failed);
  r.end(body);
});

const take = {ack: async () => {}, durable: keep, forward: events => Promise.all(events.map(forward))}[mode];
if (mode === 'durable') file = await open('peer.log', 'a');
const app = express();
app.disable('x-powered-by');
app.post('/line', middleware({channelSecret}), async (req, res) => {
  try {
    await take(req.body.events);
    res.status(200).end();
  } catch {
    res.status(503).end();
  }
});
const server = app.listen(0, '127.0.0.1', () => console.log(JSON.stringify({port: server.address().port})));
process.on('SIGTERM', () => process.exit(0));
