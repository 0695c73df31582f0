// recorder.mjs - stands between the hub and a simulator, passes everything on, and keeps what passed.
//
//   const line = new Recorder();
//   const road = await startRoad(t, {between: {line: url => line.start(t, url)}});
//   line.calls       // [{method, path, headers, body, status, answer}], in the order of their answers
//
// new Recorder({asked, answered}) changes what passes: asked(text) every path and body, answered(text) every answer.
import {createServer} from 'node:http';

export async function bytesOf(stream) {
  const parts = [];
  for await (const p of stream) parts.push(p);
  return Buffer.concat(parts);
}

export class Recorder {
  calls = [];
  constructor({asked, answered} = {}) { this.asked = asked; this.answered = answered; }
  async start(t, url) {
    const server = createServer((rq, rs) => this.#pass(url, rq, rs).catch(e => { rs.statusCode = 502; rs.end(e.message); }));
    await new Promise(r => server.listen(0, '127.0.0.1', r));
    t.after(() => { server.closeAllConnections(); server.close(); });
    return `http://127.0.0.1:${server.address().port}`;
  }
  async #pass(url, rq, rs) {
    const read = await bytesOf(rq);
    const body = this.asked ? Buffer.from(this.asked(read.toString())) : read;
    const headers = Object.fromEntries(Object.entries(rq.headers).filter(([k]) => !['host', 'connection', 'content-length', 'expect', 'transfer-encoding'].includes(k)));
    const r = await fetch(url + (this.asked?.(rq.url) ?? rq.url), {method: rq.method, headers, body: body.length ? body : undefined, redirect: 'manual'});
    const got = Buffer.from(await r.arrayBuffer());
    const answer = this.answered ? Buffer.from(this.answered(got.toString())) : got;
    this.calls.push({method: rq.method, path: new URL(rq.url, url).pathname, headers: rq.headers, body: read.toString(), status: r.status, answer: answer.toString()});
    rs.writeHead(r.status, Object.fromEntries([...r.headers].filter(([k]) => !['content-encoding', 'transfer-encoding', 'content-length', 'connection', 'keep-alive'].includes(k))));
    rs.end(answer);
  }
  to(path) { return this.calls.filter(c => typeof path === 'string' ? c.path === path : path.test(c.path)); }
}
