// recorder.mjs - stands between the hub and a simulator, passes everything on, and keeps what passed.
//
//   const line = new Recorder();
//   const road = await startRoad(t, {between: {line: url => line.start(t, url)}});
//   line.calls       // [{method, path, headers, body, status, answer}], in the order of their answers
import {createServer} from 'node:http';

export async function bytesOf(stream) {
  const parts = [];
  for await (const p of stream) parts.push(p);
  return Buffer.concat(parts);
}

export class Recorder {
  calls = [];
  async start(t, url) {
    const server = createServer((rq, rs) => this.#pass(url, rq, rs).catch(e => { rs.statusCode = 502; rs.end(e.message); }));
    await new Promise(r => server.listen(0, '127.0.0.1', r));
    t.after(() => { server.closeAllConnections(); server.close(); });
    return `http://127.0.0.1:${server.address().port}`;
  }
  async #pass(url, rq, rs) {
    const body = await bytesOf(rq);
    const headers = Object.fromEntries(Object.entries(rq.headers).filter(([k]) => !['host', 'connection', 'content-length', 'expect', 'transfer-encoding'].includes(k)));
    const r = await fetch(url + rq.url, {method: rq.method, headers, body: body.length ? body : undefined, redirect: 'manual'});
    const answer = Buffer.from(await r.arrayBuffer());
    this.calls.push({method: rq.method, path: new URL(rq.url, url).pathname, headers: rq.headers, body: body.toString(), status: r.status, answer: answer.toString()});
    rs.writeHead(r.status, Object.fromEntries([...r.headers].filter(([k]) => !['content-encoding', 'transfer-encoding', 'content-length', 'connection', 'keep-alive'].includes(k))));
    rs.end(answer);
  }
  to(path) { return this.calls.filter(c => typeof path === 'string' ? c.path === path : path.test(c.path)); }
}
