// oidc.mjs - a company's OpenID Connect provider, for tests: RS256, authorization code with PKCE.
//
//   const provider = await new Provider().start(t);       // provider.issuer
//   provider.who = {sub: 'k-1', preferred_username: 'kim', roles: 'agent'};   // logs in next, in a browser or by provider.authorize(location)
import assert from 'node:assert/strict';
import {createHash, createSign, generateKeyPairSync, randomUUID} from 'node:crypto';
import {createServer} from 'node:http';
import {freePort} from './harness.mjs';

const b64 = x => Buffer.from(typeof x === 'string' ? x : JSON.stringify(x)).toString('base64url');

// What a provider is asked, and what it answers. `who`: the claims of whoever logs in next; `wrong`: changes to the token.
export class Provider {
  codes = new Map();
  wrong = {};
  asked = {config: 0, keys: 0};
  constructor() { this.rotate(); }
  rotate() { this.kid = randomUUID(); this.key = generateKeyPairSync('rsa', {modulusLength: 2048}); }
  sign(claims) {
    const text = `${b64({alg: 'RS256', kid: this.wrong.kid ?? this.kid})}.${b64(claims)}`;
    const key = this.wrong.key ?? this.key.privateKey;
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key).toString('base64url')}`;
  }
  async start(t) {
    const port = await freePort();
    this.issuer = `http://127.0.0.1:${port}/realms/acme`;
    const server = createServer((q, r) => this.serve(q, r)).listen(port, '127.0.0.1');
    await new Promise(done => server.once('listening', done));
    t.after(() => { server.closeAllConnections(); server.close(); });
    return this;
  }
  async serve(q, r) {
    const json = (status, o) => { r.writeHead(status, {'content-type': 'application/json'}); r.end(JSON.stringify(o)); };
    if (q.url === '/realms/acme/.well-known/openid-configuration') {
      this.asked.config++;
      return json(200, {issuer: this.wrong.issuer ?? this.issuer, authorization_endpoint: `${this.issuer}/auth`, token_endpoint: `${this.issuer}/token`, jwks_uri: `${this.issuer}/keys`});
    }
    if (q.url.startsWith('/realms/acme/auth?')) { // a browser, whose user is logged in here already
      r.writeHead(302, {location: this.authorize(new URL(q.url, this.issuer).href)});
      return r.end();
    }
    if (q.url === '/realms/acme/keys') {
      this.asked.keys++;
      return json(200, {keys: [{...this.key.publicKey.export({format: 'jwk'}), kid: this.kid, use: 'sig', alg: 'RS256'}]});
    }
    if (q.url === '/realms/acme/token' && q.method === 'POST') {
      let body = '';
      for await (const piece of q) body += piece;
      const f = Object.fromEntries(new URLSearchParams(body)), asked = this.codes.get(f.code);
      this.codes.delete(f.code);
      const good = asked && f.grant_type === 'authorization_code' && f.client_id === 'dragoman' && f.client_secret === 'a secret' && f.redirect_uri === asked.redirect_uri &&
        createHash('sha256').update(f.code_verifier ?? '').digest('base64url') === asked.code_challenge;
      if (!good) return json(400, {error: 'invalid_grant'});
      const now = Math.floor(Date.now() / 1000);
      return json(200, {token_type: 'Bearer', access_token: 'x', id_token: this.sign({iss: this.issuer, aud: 'dragoman', iat: now, exp: now + 300, nonce: asked.nonce, ...this.who, ...this.wrong.claims})});
    }
    return json(404, {});
  }
  // What the browser does at the provider: logs in, and is sent back with a code.
  authorize(location) {
    const u = new URL(location), asked = Object.fromEntries(u.searchParams), code = randomUUID();
    assert.equal(`${u.origin}${u.pathname}`, `${this.issuer}/auth`);
    assert.deepEqual([asked.response_type, asked.client_id, asked.code_challenge_method], ['code', 'dragoman', 'S256']);
    assert.match(asked.scope, /\bopenid\b/);
    this.codes.set(code, asked);
    return `${asked.redirect_uri}?code=${code}&state=${asked.state}`;
  }
}
