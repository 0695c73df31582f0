// proxy.mjs - a TCP proxy of the test's own: one address behind which servers come and go.
//
//   const p = await startProxy(t, () => [{port: 5672}]);   // p.port; each connection goes to the first of these that takes it
//   p.cut();                                               // all connections are reset
//   p.to = () => [{path: '/tmp/…/.s.PGSQL.5432'}];         // from now on
import {connect, createServer} from 'node:net';

// A socket in the file system has no reset. Nor may one be reset whose end is under way: Node would wait for that end for ever when the process is to exit.
const reset = s => s.remoteAddress && !s.writableEnded ? s.resetAndDestroy() : s.destroy();

export async function startProxy(t, to) {
  const proxy = {to, open: new Set(), cuts: 0, cut() { proxy.cuts++; for (const s of proxy.open) reset(s); }};
  const join = (client, targets) => {
    if (!targets.length || client.destroyed) return void reset(client);
    const server = connect({...targets[0], allowHalfOpen: true, noDelay: true});
    let taken = false;
    server.on('connect', () => {
      taken = true;
      proxy.open.add(server);
      client.pipe(server);
      server.pipe(client);
    });
    server.on('error', () => taken ? reset(client) : join(client, targets.slice(1)));
    server.on('close', () => { proxy.open.delete(server); if (taken) client.destroy(); });
    client.on('close', () => server.destroy());
  };
  const listener = createServer({allowHalfOpen: true, noDelay: true}, client => {
    proxy.open.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => proxy.open.delete(client));
    join(client, proxy.to());
  });
  await new Promise(resolve => listener.listen(0, '127.0.0.1', resolve));
  proxy.port = listener.address().port;
  t.after(async () => {
    proxy.to = () => [];
    const closed = new Promise(resolve => listener.close(resolve)); // when all its connections are gone
    proxy.cut();
    await closed;
  });
  return proxy;
}
