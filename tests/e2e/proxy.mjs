// proxy.mjs - a TCP proxy of the test's own: one address behind which servers come and go.
//
//   const p = await startProxy(t, () => [{port: 5672}]);   // p.port; each connection goes to the first of these that takes it
//   p.cut();                                               // all connections are closed
//   p.to = () => [{path: '/tmp/…/.s.PGSQL.5432'}];         // from now on
import {connect, createServer} from 'node:net';

// Connections are closed at once, and not reset: of a socket that was reset while its end was under way Node waits for that end when the process is to exit, for ever.
export async function startProxy(t, to) {
  const proxy = {to, open: new Set(), cuts: 0, cut() { proxy.cuts++; for (const s of proxy.open) s.destroy(); }};
  const join = (client, targets) => {
    if (!targets.length || client.destroyed) return void client.destroy();
    const server = connect({...targets[0], allowHalfOpen: true, noDelay: true});
    let taken = false;
    server.on('connect', () => {
      taken = true;
      proxy.open.add(server);
      client.pipe(server);
      server.pipe(client);
    });
    server.on('error', () => taken ? client.destroy() : join(client, targets.slice(1)));
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
  t.after(() => { proxy.to = () => []; proxy.cut(); listener.close(); });
  return proxy;
}
