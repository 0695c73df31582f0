// chat-page.mjs - a page of a company's site, as chat v3 describes it (docs/wire/webchat.md): short polling, bracketed forms, the token taken apart by
// itself, repeats dropped by index. It knows nothing of the hub but the address of its sessions and an API key.
import {randomUUID} from 'node:crypto';
import {patience} from './harness.mjs';

// {a: {b: 'c'}, l: ['x']} as a[b]=c&l[]=x
export function form(o, under = '') {
  const pairs = [];
  for (const [k, v] of Object.entries(o)) {
    const name = under ? `${under}[${Array.isArray(o) ? '' : k}]` : k;
    if (v && typeof v === 'object') pairs.push(...form(v, name).split('&').filter(Boolean));
    else pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(v).replaceAll('%20', '+')}`);
  }
  return pairs.join('&');
}

export class ChatPage {
  constructor(sessionsUrl, key, {headers = {}} = {}) {
    Object.assign(this, {url: sessionsUrl, key, more: headers, seen: new Set(), messages: [], typing: [], ended: false, repeats: 0});
  }
  headers() { return {'x-api-key': this.key, ...(this.token ? {'x-nexus-client-key': this.token} : {}), ...this.more}; }
  async call(method, path, data, extra = {}) {
    const operationId = extra.operationId ?? randomUUID();
    const get = method === 'GET';
    const query = get ? `${path.includes('?') ? '&' : '?'}operationId=${operationId}` : '';
    const r = await fetch(this.url + path + query, {
      method, headers: {...this.headers(), ...(get ? {} : {'content-type': 'application/x-www-form-urlencoded; charset=UTF-8'}), ...extra.headers},
      body: get ? undefined : form({...(data ? {data} : {}), operationId}),
    });
    const text = await r.text();
    return {status: r.status, headers: r.headers, text, json: text ? JSON.parse(text) : undefined, operationId};
  }
  take(token) {
    this.token = token;
    const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64').toString());   // plain base64, as browsers do
    this.sid = claims.sessionId;
    this.participant = claims.participantId;
    return claims;
  }
  async start(data = {}) {
    const r = await this.call('POST', '', {nickname: 'Ana', ...data});
    if (r.status !== 200) throw new Error(`start: ${r.status} ${r.text}`);
    this.take(r.json.data.clientToken);
    return r;
  }
  async say(text, extra) { return await this.call('POST', `/${this.sid}/messages`, {type: 'Text', text}, extra); }
  async types(text) { return await this.call('POST', `/${this.sid}/messages`, {type: 'TypingStarted', text}); }
  async picture(bytes, name, type, {operationId = randomUUID(), to = 'images'} = {}) {
    const f = new FormData();
    f.append('file', new Blob([bytes], {type}), name);
    f.append('operationId', operationId);
    const r = await fetch(`${this.url}/${this.sid}/${to}`, {method: 'POST', headers: this.headers(), body: f});
    return {status: r.status, json: await r.json(), headers: r.headers};
  }
  // What a page does every 3 s. Messages are kept in the order in which they were first seen.
  async poll(query = '') {
    const r = await this.call('GET', `/${this.sid}/messages${query}`);
    if (r.status !== 200) return r;
    for (const m of r.json.data.messages) {
      if (this.seen.has(m.index)) { this.repeats++; continue; }
      this.seen.add(m.index);
      if (m.type === 'TypingStarted' || m.type === 'TypingStopped') this.typing.push(m);
      else this.messages.push(m);
    }
    this.ended ||= r.json.data.chatEnded === true || r.json.chatEnded === true;
    return r;
  }
  async until(what, is, ms = 15000) {
    const end = Date.now() + ms * patience;
    for (;;) {
      const r = await this.poll();
      const found = this.messages.find(is);
      if (found) return found;
      if (Date.now() > end) throw new Error(`waited in vain for ${what}; have ${JSON.stringify(this.messages.map(m => [m.type, m.text, m.from.nickname]))} ${r.status}`);
      await new Promise(done => setTimeout(done, 60));
    }
  }
  async file(url) {   // relative to the chat's root without "/sessions"
    const r = await fetch(this.url.replace('/sessions', '') + url, {headers: this.headers(), redirect: 'error'});
    return {status: r.status, type: r.headers.get('content-type'), bytes: Buffer.from(await r.arrayBuffer()), headers: r.headers};
  }
  async leave() { return await this.call('DELETE', `/${this.sid}/participants/${this.participant}`); }
  texts() { return this.messages.filter(m => m.type === 'Text').map(m => m.text); }
}
