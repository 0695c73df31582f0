// Web-chat guests and a Genesys Cloud agent through the real hub: pages that speak chat v3 on one side, the simulated organisation on the other.
import test from 'node:test';
import assert from 'node:assert/strict';
import {createHmac, randomBytes, randomUUID} from 'node:crypto';
import {readFileSync, readdirSync} from 'node:fs';
import {connect} from 'node:net';
import {join} from 'node:path';
import {token, until} from './harness.mjs';
import {adminPassword, login} from './hub.mjs';
import {ChatPage, form} from './chat-page.mjs';
import {agent, deskHas, heardOut, inbound, pageKey, png, startChat} from './webchat-road.mjs';

test('text both ways, names, typing, data, the end', async t => {
  const road = await startChat(t);
  const page = road.page();
  await page.start({firstName: 'Ana', lastName: 'Ruiz', email: 'ana@example.net', endpoint: 'support_main', stream: 'live', userData: {_genesys_source: 'web', phone: '15550100001', plan: 'gold & more'}});
  assert.match(page.sid, /^[0-9a-f-]{36}$/);
  const sent = await page.say('Where is my parcel? 📦');
  assert.equal(sent.status, 200);
  assert.deepEqual([sent.json.status.code, sent.json.operationId], [0, sent.operationId]);
  const {c} = await deskHas(road, 'the text at the desk', m => m.text === 'Where is my parcel? 📦');
  assert.equal(c.guest.name, 'Ana');
  assert.equal(c.attributes.media, 'Web chat');
  assert.equal(c.attributes.plan, 'gold & more');
  assert.equal(c.attributes.PhoneNumber, '15550100001');
  await agent(road, c, {text: 'On its way!'});
  const got = await page.until('the answer', m => m.text === 'On its way!');
  assert.equal(got.type, 'Text');
  assert.deepEqual([got.from.type, got.from.nickname], ['Agent', 'Kim Lee']);
  assert.match(got.index, /^\d+-\d$/);
  assert.equal(typeof got.utcTime, 'number');
  const [first, own, joined] = page.messages;
  assert.deepEqual([first.type, first.from.type, first.from.participantId], ['ParticipantJoined', 'Customer', page.participant]);
  assert.deepEqual([own.text, own.from.type], ['Where is my parcel? 📦', 'Customer']);
  assert.deepEqual([joined.type, joined.from.nickname, joined.from.participantId], ['ParticipantJoined', 'Kim Lee', got.from.participantId]);
  assert.deepEqual(page.messages.map(m => Number(m.index.replace('-', ''))), page.messages.map(m => Number(m.index.replace('-', ''))).toSorted((a, b) => a - b));
  await page.poll();
  const quiet = await page.poll();
  assert.equal(quiet.json.data.chatEnded, false);
  assert.ok(quiet.json.data.messages.every(m => page.seen.has(m.index)));

  const typed = await page.types('I would like to say something secret');
  assert.equal(typed.status, 200);
  await until('typing at the desk', async () => (await inbound(road)).some(m => /yping/.test(JSON.stringify(m))) || (await road.desk.get(`/sim/conversations/${c.id}`)).typing);
  await agent(road, c, {typing: true});
  await until('typing on the page', async () => { await page.poll(); return page.typing.length > 0; });
  assert.equal(page.typing[0].from.nickname.length > 0, true);
  const data = await page.call('PUT', `/${page.sid}/userdata`, {cart: '3 shoes'});
  assert.equal(data.status, 200);
  await page.say('and another thing');
  await deskHas(road, 'the second text', m => m.text === 'and another thing');
  assert.equal((await road.desk.get(`/sim/conversations/${c.id}`)).attributes.cart, '3 shoes');
  const kept = page.messages.length;
  const page2 = road.page();
  page2.take(page.token);
  await page2.poll('?count=1000');
  assert.equal(page2.messages.some(m => m.type.startsWith('Typing')), false, 'typing is no history');
  assert.ok(page2.messages.length >= kept);
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await until('the end on the page', async () => { await page.poll(); return page.ended; });
  assert.ok(page.messages.some(m => m.type === 'ParticipantLeft' && m.from.nickname === 'Kim Lee'));
  const late = await page.say('anybody there?');
  assert.deepEqual([late.status, late.json.status.code, late.json.chatEnded], [404, 'INVALID_SESSION', true]);
  const log = road.programs.hub.text();
  assert.ok(!log.includes('something secret') && !log.includes(page.token), 'neither what is typed nor a token is in the log');
  await road.programs.hub.stop();
  for (const f of readdirSync(road.data, {recursive: true, withFileTypes: true}).filter(f => f.isFile()))
    assert.ok(!readFileSync(join(f.parentPath ?? f.path, f.name)).includes('something secret'), `typing is in ${f.name}`);
});

test('pictures both ways: equal bytes, only for who is in the chat', async t => {
  const road = await startChat(t);
  const page = road.page();
  await page.start();
  const photo = Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), randomBytes(200000)]);
  assert.equal((await page.picture(photo, 'my photo.jpg', 'image/jpeg')).status, 200);
  const {c, m} = await deskHas(road, 'the picture at the desk', x => x.media?.state === 'kept');
  assert.equal(m.media.bytes ?? m.media.size ?? photo.length, photo.length);
  await agent(road, c, {text: 'Your receipt', attachment: {base64: png.toString('base64'), name: 'receipt.png', mime: 'image/png'}});
  const own = await page.until('the own picture', x => x.from.type === 'Customer' && x.content?.[0]?.type === 'image');
  const got = await page.until('the receipt', x => x.from.type === 'Agent' && x.content?.[0]?.type === 'image');
  assert.equal(got.content[0].mime, 'image/png');
  const down = await page.file(got.content[0].url);
  assert.deepEqual([down.status, down.type, down.headers.get('access-control-allow-origin')], [200, 'image/png', '*']);
  assert.deepEqual(down.bytes, png);
  assert.deepEqual((await page.file(own.content[0].url)).bytes, photo);

  const other = road.page();
  await other.start({nickname: 'Bo'});
  assert.equal((await other.file(got.content[0].url)).status, 401, 'a token of another session');
  assert.equal((await other.file(got.content[0].url.replace(page.sid, other.sid))).status, 404, 'a line of another session');
  assert.equal((await fetch(road.url.replace('/sessions', '') + got.content[0].url, {headers: {'x-api-key': pageKey}})).status, 401, 'no token');
  const rows = [
    [Buffer.from('%PDF-1.7 and so on'), 'x.png', 'image/png', 400, 'INVALID_FILE_TYPE'],
    [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'), 'x.svg', 'image/svg+xml', 400, 'INVALID_FILE_TYPE'],
    [Buffer.concat([png, Buffer.alloc(5 << 20)]), 'big.png', 'image/png', 413, 'LIMIT_FILE_SIZE'],
  ];
  for (const [bytes, name, type, status, code] of rows) {
    const r = await page.picture(bytes, name, type);
    assert.deepEqual([r.status, r.json.status.code, r.headers.get('access-control-allow-origin')], [status, code, '*'], name);
  }
  const two = new FormData();
  two.append('file', new Blob([png]), 'a.png');
  two.append('file', new Blob([png]), 'b.png');
  const r = await fetch(`${road.url}/${page.sid}/images`, {method: 'POST', headers: page.headers(), body: two});
  assert.deepEqual([r.status, (await r.json()).status.code], [400, 'LIMIT_FILE_COUNT']);
});

test('files of one chat fill no storage: the day has an end, also after a restart, and for files at once', async t => {
  const road = await startChat(t, {webchat: {upload_day_bytes: 500000}});
  const page = road.page(), other = road.page();
  await page.start();
  await other.start();
  const photo = () => Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), randomBytes(199980)]);
  const send = async p => (r => [r.status, r.json.status.code])(await p.picture(photo(), 'photo.jpg', 'image/jpeg'));
  const all = await Promise.all([1, 2, 3, 4].map(() => send(page)));
  assert.deepEqual(all.toSorted(), [[200, 0], [200, 0], [413, 'LIMIT_FILE_SIZE'], [413, 'LIMIT_FILE_SIZE']]);
  assert.equal((await page.picture(png, 'small.png', 'image/png')).status, 200, 'what still has room');
  await road.programs.hub.stop();
  await road.startHub();
  const refused = await page.picture(photo(), 'photo.jpg', 'image/jpeg');
  assert.deepEqual([refused.status, refused.json.status.message], [413, 'the files of a chat have at most 500000 bytes in 24 hours']);
  assert.deepEqual(await send(other), [200, 0], 'another guest');
});

test('large pictures for many pages that read slowly, or leave: the hub does not hold them', async t => {
  const road = await startChat(t, {env: {ASAN_OPTIONS: 'detect_leaks=1:quarantine_size_mb=4'}}); // what was let go is not to be counted
  const admin = await login(road.hub.base, 'admin', adminPassword);
  const key = (await road.hub.call('POST', '/nexus/v3/apikeys', {enabled: true, tenant: '*', name: 'many', permissions: ['nexus:consumer:chat'], capacity: 10000}, {authorization: admin.token})).json.id;
  const page = road.page(key);
  await page.start();
  const photo = Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), randomBytes(5 << 20)]).subarray(0, 5 << 20);
  assert.equal((await page.picture(photo, 'photo.jpg', 'image/jpeg')).status, 200);
  const {url} = (await page.until('the picture', m => m.content)).content[0];
  const status = () => readFileSync(`/proc/${road.programs.hub.child.pid}/status`, 'utf8');
  const kib = () => Number(/^VmRSS:\s+(\d+)/m.exec(status())[1]);
  const before = kib(), pages = 40, {hostname, port} = new URL(road.hub.base);
  const sockets = await Promise.all([...Array(pages)].map(() => new Promise((resolve, reject) => {
    const s = connect(port, hostname, () => s.write(`GET ${new URL(road.url).pathname.replace('/sessions', '')}${url} HTTP/1.1\r\nHost: x\r\nx-api-key: ${key}\r\nx-nexus-client-key: ${page.token}\r\n\r\n`));
    s.once('data', d => { s.pause(); resolve(Object.assign(s, {first: d})); });
    s.on('error', reject);
  })));
  for (const s of sockets) assert.match(s.first.toString('latin1'), /^HTTP\/1.1 200 OK\r\n/);
  const more = kib() - before;
  console.log(`# ${pages} pages that read slowly: ${more} KiB more`);
  assert.ok(more < pages * 1024, `${more} KiB more: not the ${pages * 5 * 1024} of the pictures`);
  const [stays, ...others] = sockets;
  for (const s of others) s.destroy();
  let bytes = stays.first.length - (stays.first.indexOf('\r\n\r\n') + 4);
  stays.on('data', d => { bytes += d.length; }).resume();
  await until('who goes on reading gets all', () => bytes === photo.length);
  stays.destroy();
  assert.deepEqual((await page.file(url)).bytes, photo);
});

test('files of guests: where the channel takes them, only for who is in the chat', async t => {
  const road = await startChat(t, {tenants: [{name: 'Strict Shop', desk: {type: 'genesys-cloud', base_url: 'http://127.0.0.1:9', client_id: 'c1', client_secret: 's1', integration: {name: 'S', token}}, channels: [{type: 'webchat', api_key: 'strict-shop-key-1', files: false}]}]});
  const page = road.page(), strict = road.page('strict-shop-key-1');
  assert.equal((await page.start()).json.data.uploads, 'files');
  assert.equal((await strict.start()).json.data.uploads, 'images');
  const pdf = Buffer.from('%PDF-1.7 a bill');
  assert.deepEqual((r => [r.status, r.json.status.code])(await page.picture(pdf, 'bill.pdf', 'application/pdf')), [400, 'INVALID_FILE_TYPE'], 'as widgets know it');
  assert.deepEqual((r => [r.status, r.json.status.code])(await strict.picture(pdf, 'bill.pdf', 'application/pdf', {to: 'files'})), [400, 'INVALID_FILE_TYPE']);
  assert.equal((await page.picture(pdf, 'my bill.pdf', 'application/pdf', {to: 'files'})).status, 200);
  const {m} = await deskHas(road, 'the file at the desk', x => x.media?.state === 'kept');
  assert.match(JSON.stringify(m.media), /my.bill\.pdf/);
  const own = await page.until('the own file', x => x.content?.[0]?.type === 'file');
  assert.deepEqual([own.text, own.content[0].mime, own.content[0].name, own.content[0].size], ['my bill.pdf', 'application/pdf', 'my bill.pdf', pdf.length]);
  const down = await page.file(own.content[0].url);
  assert.deepEqual([down.status, down.headers.get('x-content-type-options'), down.headers.get('content-security-policy')], [200, 'nosniff', "default-src 'none'; sandbox"]);
  assert.deepEqual(down.bytes, pdf);
  const evil = Buffer.from('<html><script>alert(1)</script>');
  for (const [name, type] of [['x.html', 'text/html'], ['x.png', 'image/png'], ['x.svg', 'image/svg+xml']]) {
    assert.equal((await page.picture(evil, name, type, {to: 'files'})).status, 200, name);
    const line = await page.until(name, x => x.content?.[0]?.name === name);
    const got = await page.file(line.content[0].url);
    assert.equal(got.type, 'application/octet-stream', name);
    assert.match(got.headers.get('content-disposition'), /^attachment/, name);
  }
  const other = road.page();
  await other.start({nickname: 'Bo'});
  assert.equal((await other.file(own.content[0].url)).status, 401);
  assert.equal((await other.file(own.content[0].url.replace(page.sid, other.sid))).status, 404);
  assert.ok(!JSON.stringify(page.messages).includes('/attachments/'), 'no link that others could open');
});

test('a quick reply and what is tapped', async t => {
  const road = await startChat(t);
  const page = road.page();
  await page.start();
  await page.say('hello');
  const {c} = await deskHas(road, 'the hello', m => m.text === 'hello');
  await road.desk.post(`/sim/conversations/${c.id}/agent`, {bot: true, text: 'Does 15:00 suit you?', quick_replies: [{text: 'Yes', payload: 'yes-1'}, {text: 'Another time', payload: 'no-1'}]});
  const offer = await page.until('the offer', m => m.type === 'Structured');
  assert.equal(offer.contentType, 'quick-replies');
  assert.equal(offer.text, 'Does 15:00 suit you?');
  assert.deepEqual(offer.content.map(i => [i.type, i.text]), [['quick-reply', 'Yes'], ['quick-reply', 'Another time']]);
  assert.equal(offer.from.type, 'External');
  await page.say('Another time');
  const answer = await until('the answer at the desk', async () => (await inbound(road)).find(m => JSON.stringify(m).includes('no-1')));
  assert.match(JSON.stringify(answer), /Another time/);
});

test('cards, a carousel and a list, and what is tapped in them', async t => {
  const road = await startChat(t);
  const page = road.page();
  await page.start();
  await page.say('hello');
  const {c} = await deskHas(road, 'the hello', m => m.text === 'hello');
  const bot = what => road.desk.post(`/sim/conversations/${c.id}/agent`, {bot: true, ...what});
  const card = (n, url) => ({title: `Room ${n}`, description: 'Sea view', image: `https://cdn.example.net/r${n}.jpg`,
    actions: [{type: 'Postback', text: 'Book', payload: `book r${n}`}, {type: 'Link', text: 'Details', url}]});
  await bot({cards: [card(1, 'https://www.example.net/r1'), card(2, 'https://www.example.net/r2')]});
  const cards = await page.until('the carousel', m => m.contentType === 'generic');
  assert.deepEqual(cards.content.map(i => [i.type, i.title, i.desc, i.image]), [1, 2].map(n => ['generic', `Room ${n}`, 'Sea view', `https://cdn.example.net/r${n}.jpg`]));
  const books = cards.content.map(i => i.components.find(x => x.type === 'button').actions.textback);
  assert.equal(new Set(books).size, 2, 'each button can be told from the other');
  assert.deepEqual(cards.content.map(i => i.components.find(x => x.type === 'link').url), ['https://www.example.net/r1', 'https://www.example.net/r2']);
  await page.say(books[1]);
  await until('the second room at the desk', async () => JSON.stringify(await inbound(road)).includes('book r2'));
  await bot({list_picker: {receivedMessage: {title: 'Choose a size'}, sections: [{title: 'Sizes', items: [{id: 'small', title: 'Small'}, {id: 'medium', title: 'Medium'}]}]}});
  const list = await page.until('the list', m => m.contentType === 'single-selection-list');
  assert.deepEqual(list.content[0].components.map(x => x.title), ['Small', 'Medium']);
  await page.say(list.content[0].components[1].actions.textback);
  await until('the size at the desk', async () => (await inbound(road)).some(m => m.text === 'Medium'));
});

test('errors, CORS, endpoints, JSON, and the second address', async t => {
  const road = await startChat(t, {webchat: {streams: 'live', allowed_origins: 'https://other.example, https://Shop.Example'}});
  const rows = [
    [{nickname: 'A', endpoint: 'nowhere'}, pageKey, 400, 'INVALID_ENDPOINT'],
    [{nickname: 'A', endpoint: 'sales', stream: 'dev'}, pageKey, 400, 'INVALID_ENDPOINT'],
    [{endpoint: 'sales'}, pageKey, 400, 'INVALID_NICKNAME'],
    [{nickname: 'A', endpoint: 'sales'}, randomUUID(), 401, 'INVALID_CONTACT_CENTER'],
    [{nickname: 'A', endpoint: 'sales'}, '', 401, 'INVALID_CONTACT_CENTER'],
  ];
  for (const [data, key, status, code] of rows) {
    const r = await road.page(key).call('POST', '', data);
    assert.deepEqual([r.status, r.json.status.code, r.json.operationId], [status, code, r.operationId], JSON.stringify(data));
    assert.equal(r.headers.get('access-control-allow-origin'), '*');
  }
  const options = await fetch(`${road.url}/x/messages`, {method: 'OPTIONS', headers: {origin: 'https://shop.example', 'access-control-request-headers': 'x-api-key,x-my-own'}});
  assert.equal(options.status, 204);
  assert.match(options.headers.get('access-control-allow-headers'), /x-nexus-client-key.*x-my-own/);
  assert.match(options.headers.get('access-control-allow-methods'), /GET, POST, PUT, DELETE, OPTIONS/);
  const stranger = await road.page(pageKey, {headers: {origin: 'https://evil.example'}}).call('POST', '', {nickname: 'A'});
  assert.deepEqual([stranger.status, stranger.json.status.code], [403, 'AUTHENTICATION_REQUIRED']);
  assert.equal((await road.page(pageKey, {headers: {origin: 'https://shop.example'}}).call('POST', '', {nickname: 'A'})).status, 200);

  const base = road.url.replace('/nexus/v3/chat/sessions', '/chat/v3/sessions');
  const json = await fetch(base, {method: 'POST', headers: {'x-api-key': pageKey, 'content-type': 'application/json'},
    body: JSON.stringify({operationId: 'op1', data: {firstName: 'Jo', endpoint: 'sales', stream: 'live', userData: {a: 'b'}}})});
  const made = await json.json();
  assert.equal(json.status, 200);
  const page = new ChatPage(base, pageKey);
  const claims = page.take(made.data.clientToken);
  assert.deepEqual(Object.keys(claims), ['sessionId', 'transportId', 'participantId']);
  assert.equal(Buffer.from(made.data.clientToken.split('.')[0], 'base64url').toString(), '{"alg":"HS256","typ":"JWT"}');
  assert.equal(made.data.selfUri, `/nexus/v3/chat/sessions/${page.sid}`);
  for (const body of ['{"data":', '[]', '{"data":{"type":"Text","text":""}}', '{"data":{"type":"Structured","text":"x"}}', `{"data":{"text":"${'x'.repeat(5001)}"}}`]) {
    const r = await fetch(`${base}/${page.sid}/messages`, {method: 'POST', headers: {...page.headers(), 'content-type': 'application/json'}, body});
    assert.ok([400, 413].includes(r.status), body.slice(0, 50));
    assert.equal((await r.json()).status.code, 1);
    assert.equal(r.headers.get('access-control-allow-origin'), '*');
  }
  for (const [method, path, status] of [['GET', '/x/y/z/w/v', 404], ['PUT', `/${page.sid}/messages`, 405], ['GET', `/${page.sid}/nothing/here`, 404]]) {
    const r = await fetch(base + path, {method, headers: page.headers()});
    assert.equal(r.status, status, path);
    assert.equal(typeof (await r.json()).status.message, 'string');
  }
});

test('guessing sessions, tokens of others, tokens made up', async t => {
  const road = await startChat(t);
  const [ana, bo] = [road.page(), road.page()];
  await ana.start();
  await bo.start({nickname: 'Bo'});
  await ana.say('for my eyes');
  const as = async (page, token) => { const p = road.page(); p.sid = page.sid; p.token = token; return await p.poll(); };
  assert.equal((await as(ana, bo.token)).status, 401);
  const b64 = o => Buffer.from(JSON.stringify(o)).toString('base64url');
  const claims = JSON.parse(Buffer.from(ana.token.split('.')[1], 'base64url'));
  const head = b64({alg: 'HS256', typ: 'JWT'});
  const forged = [
    `${b64({alg: 'none', typ: 'JWT'})}.${b64(claims)}.`,
    `${head}.${b64(claims)}.${createHmac('sha256', 'jwt-secret-1').update(`${head}.${b64(claims)}`).digest('base64url')}`,
    `${ana.token.split('.').slice(0, 2).join('.')}.${bo.token.split('.')[2]}`,
    `${head}.${b64({...claims, sessionId: bo.sid})}.${ana.token.split('.')[2]}`, ana.token.slice(0, -2), '', 'x'.repeat(5000),
  ];
  for (const f of forged) assert.equal((await as(ana, f)).status, 401, f.slice(0, 60));
  const gone = road.page();
  gone.token = ana.token;
  gone.sid = randomUUID();
  assert.equal((await gone.poll()).status, 401, 'another session in the path');
  const leave = await bo.call('DELETE', `/${bo.sid}/participants/${ana.participant}`);
  assert.equal(leave.status, 404, 'somebody else is not sent away');
  await ana.poll();
  assert.deepEqual(ana.texts(), ['for my eyes']);
  const left = await ana.leave();
  assert.deepEqual([left.status, left.json.chatEnded], [200, true]);
  await ana.poll();
  assert.ok(ana.ended);
  assert.equal((await as(bo, bo.token)).json.data.chatEnded, false);
});

test('pages of history: latest, backwards to the beginning, onwards', async t => {
  const road = await startChat(t);
  const admin = await login(road.hub.base, 'admin', adminPassword);   // a key that 300 calls do not empty
  const made = await road.hub.call('POST', '/nexus/v3/apikeys', {enabled: true, tenant: '*', name: 'many', permissions: ['nexus:consumer:chat'], capacity: 10000}, {authorization: admin.token});
  const many = made.json.id;
  const page = road.page(many);
  await page.start();
  for (let i = 0; i < 60; i++) assert.equal((await page.say(`m${i}`)).status, 200);
  const fresh = road.page(many);
  fresh.take(page.token);
  const get = async q => (await fresh.call('GET', `/${page.sid}/messages?${q}`)).json.data.messages;
  const latest = await get('count=20');
  assert.deepEqual(latest.map(m => m.text), [...Array(20).keys()].map(i => `m${i + 40}`));
  let all = [...latest], pages = 0;
  for (;;) {
    const older = await get(`index=${all[0].index}&count=20`);
    assert.equal(older.at(-1).index, all[0].index, 'inclusive');
    if (older.length === 1) break;
    all = [...older.slice(0, -1), ...all];
    assert.ok(++pages < 10);
  }
  assert.deepEqual(all.map(m => m.text ?? m.type), ['ParticipantJoined', ...[...Array(60).keys()].map(i => `m${i}`)]);
  assert.deepEqual((await get(`index=${all[50].index}`)).map(m => m.index), all.slice(50).map(m => m.index), 'onwards, inclusive');
  assert.deepEqual((await get('count=10000')).length, 61);
  assert.equal((await fresh.call('GET', `/${page.sid}/messages?index=abc`)).status, 400);
  assert.equal((await fresh.call('GET', `/${page.sid}/messages?count=0`)).status, 400);
  await fresh.poll();
  assert.deepEqual(fresh.messages.length, 0, 'what was restored is not told again');
  const away = road.page(many);   // more than the hub keeps in memory of one chat
  away.take((await page.call('POST', '', {})).json.data.clientToken);
  await away.poll('?count=1');
  for (let i = 0; i < 250; i++) assert.equal((await page.say(`n${i}`)).status, 200);
  await away.poll();
  assert.deepEqual(away.texts().slice(1), [...Array(250).keys()].map(i => `n${i}`));
  const text = await fetch(`${road.url}/${page.sid}/transcript`, {headers: page.headers()});
  assert.match(await text.text(), /Ana: m0\r\n[^]*Ana: m59\r\n[^]*Ana: n249\r\n$/);
});

test('every message once and in order over kill -9', async t => {
  const road = await startChat(t);
  const page = road.page();
  await page.start();
  await page.say('begin');
  const {c} = await deskHas(road, 'begin', m => m.text === 'begin');
  const indexes = new Map();
  const fromGuest = ['begin'], fromAgent = [];
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 4; i++) {
      const mine = `g${round}.${i}`, theirs = `a${round}.${i}`;
      const operationId = randomUUID();
      for (;;) {   // a page repeats what got no answer, under the same operation
        try { const r = await page.say(mine, {operationId}); assert.equal(r.status, 200); break; } catch (e) { if (e.code === 'ERR_ASSERTION') throw e; await new Promise(done => setTimeout(done, 50)); }
      }
      fromGuest.push(mine);
      await heardOut(road, c);
      await agent(road, c, {text: theirs});
      fromAgent.push(theirs);
      if (i === 1) await page.poll().catch(() => 0);
      if (i === 2) {   // the desk repeats what got no answer; until then it must say nothing newer
        road.programs.hub.child.kill('SIGKILL'); await road.programs.hub.exit; await road.startHub();
        await page.until(`${theirs} after kill -9`, m => m.text === theirs);
      }
    }
    await page.until(`a${round}.3`, m => m.text === `a${round}.3`);
    for (const m of page.messages) {
      assert.ok(!indexes.has(m.index) || indexes.get(m.index) === m.text, 'an index never changes its message');
      indexes.set(m.index, m.text);
    }
  }
  await page.until('the last', m => m.text === fromAgent.at(-1));
  const of = type => page.messages.filter(m => m.type === 'Text' && m.from.type === type).map(m => m.text);
  assert.deepEqual(of('Customer'), fromGuest);
  assert.deepEqual(of('Agent'), fromAgent);
  const numbers = page.messages.map(m => Number(m.index.replace('-', '')));
  assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b), 'in the order of their indexes');
  const again = road.page();
  again.take(page.token);
  await again.poll('?count=1000');
  assert.deepEqual(again.messages.map(m => [m.index, m.text]), page.messages.map(m => [m.index, m.text]), 'and read anew they are the same');
  const desk = await until('the last at the desk', async () => {
    const all = (await inbound(road)).filter(m => /^(g\d|begin)/.test(m.text ?? '')).map(m => m.text);
    return all.includes(fromGuest.at(-1)) && all;
  });
  assert.deepEqual([...new Set(desk)], fromGuest, 'at the desk in order');
});

test('asynchronous: left and come back to; idle and abandoned chats end', async t => {
  const road = await startChat(t, {webchat: {async: true, abandoned_seconds: 1, idle_seconds: 1}, tenants: [{
    name: 'Hasty Shop', desk: {type: 'genesys-cloud', base_url: 'http://127.0.0.1:9', client_id: 'c1', client_secret: 's1', integration: {name: 'H', token}},
    channels: [{type: 'webchat', name: 'quick', api_key: 'hasty-shop-key-1', abandoned_seconds: 2, idle_seconds: 0}, {type: 'webchat', name: 'lazy', api_key: 'lazy-shop-key-01', abandoned_seconds: 0, idle_seconds: 3}]}]});
  const page = road.page();
  const quick = road.page('hasty-shop-key-1'), lazy = road.page('lazy-shop-key-01');
  await Promise.all([quick.start(), lazy.start(), page.start({userData: {visit: '1'}})]);
  await page.say('see you');
  const {c} = await deskHas(road, 'see you', m => m.text === 'see you');
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await until('the idle one ended though it was looked at', async () => { await lazy.poll(); return lazy.ended; });
  const looked = page => fetch(`${road.url}/${page.sid}/looked-at-from-outside`, {headers: {'x-api-key': page.key}}).then(r => r.json());   // so the guest is not seen by it
  await until('the abandoned one ended', async () => (await looked(quick)).data.chatEnded);
  await quick.poll();
  assert.ok(quick.ended, 'abandoned');
  const old = page.token;
  const back = await page.call('POST', '', {endpoint: 'support_main', userData: {visit: '2'}});
  assert.equal(back.status, 200);
  const claims = page.take(back.json.data.clientToken);
  assert.equal(claims.sessionId, JSON.parse(Buffer.from(old.split('.')[1], 'base64url')).sessionId, 'the same session');
  assert.notEqual(claims.transportId, JSON.parse(Buffer.from(old.split('.')[1], 'base64url')).transportId, 'another transport');
  await page.say('back again');
  const again = await deskHas(road, 'back again', m => m.text === 'back again');
  assert.equal(again.c.attributes.visit, '2');
  await agent(road, again.c, {text: 'welcome back'});
  await page.until('the welcome', m => m.text === 'welcome back');
  const phone = road.page();
  phone.take(old);
  await phone.poll('?count=20');
  assert.ok(phone.texts().includes('see you') && phone.texts().includes('welcome back'), 'a second page sees the whole');
  await agent(road, again.c, {text: 'to both'});
  await page.until('on the one', m => m.text === 'to both');
  await phone.until('and the other', m => m.text === 'to both');
});

test('a poll whose answer was lost, and a repeated call', async t => {
  const road = await startChat(t);
  const page = road.page();
  await page.start();
  await page.say('one');
  // an answer that nobody reads: the connection dies before it
  const {hostname, port} = new URL(road.hub.base);
  for (let times = 0; times < 3; times++)   // and the next ones, too
    await new Promise((resolve, reject) => {
      const s = connect(port, hostname, () => s.write(`GET /nexus/v3/chat/sessions/${page.sid}/messages HTTP/1.1\r\nHost: x\r\nx-api-key: ${pageKey}\r\nx-nexus-client-key: ${page.token}\r\n\r\n`));
      s.once('data', () => { s.destroy(); resolve(); });
      s.on('error', reject);
    });
  await page.poll();
  assert.deepEqual(page.texts(), ['one'], 'told again, over the other connection');
  const operationId = randomUUID();
  const a = await page.say('twice', {operationId}), b = await page.say('twice', {operationId});
  assert.deepEqual([a.status, b.status], [200, 200]);
  await page.poll();
  assert.deepEqual(page.texts(), ['one', 'twice']);
  await until('once at the desk', async () => (await inbound(road)).filter(m => m.text === 'twice').length === 1);
  const upload = {operationId: randomUUID()};
  for (let times = 0; times < 2; times++) assert.equal((await page.picture(png, 'a.png', 'image/png', upload)).status, 200);
  const both = await Promise.all([...Array(20).keys()].map(i => page.say(`at once ${i}`)));
  await page.poll();
  assert.equal(page.messages.filter(m => m.content).length, 1, 'a picture, too');
  for (const [i, r] of both.entries()) assert.equal(page.messages.find(m => m.index === r.json.data.index)?.text, `at once ${i}`, 'the place that is told is the message\'s own');
});

test('script in names and texts comes through as the text that it is', async t => {
  const road = await startChat(t);
  const page = road.page();
  const evil = '"><img src=x onerror=alert(1)><script>alert(2)</script>';
  await page.start({nickname: evil, userData: {note: evil}});
  await page.say(evil);
  const {c} = await deskHas(road, 'the text', m => m.text === evil);
  assert.equal(c.guest.name, evil);
  await agent(road, c, {text: 'javascript:alert(1)', agent: '<b>Ken</b>'});
  const m = await page.until('the answer', x => x.text === 'javascript:alert(1)');
  assert.equal(m.from.nickname, '<b>Ken</b>');
  const r = await page.poll('?count=100');
  assert.equal(r.headers.get('x-content-type-options'), 'nosniff');
  assert.match(r.headers.get('content-type'), /^application\/json/);
  const nul = await page.say('a\u0000b\u0007');
  assert.equal(nul.status, 200);
});

test('API keys: made, shown once, bound to a tenant, limited, revoked', async t => {
  const other = {name: 'Other Shop', desk: {type: 'genesys-cloud', base_url: 'http://127.0.0.1:9', client_id: 'c1', client_secret: 's1', integration: {name: 'O', token}}, channels: [{type: 'webchat'}]};
  const road = await startChat(t, {tenants: [other]});
  const admin = await login(road.hub.base, 'admin', adminPassword);
  const tenants = (await admin.call('GET', '/tenants')).json.items;
  const id = name => tenants.find(x => x.name === name).id;
  const keys = async (method, path, body, authorization = `Bearer ${admin.token}`) => await road.hub.call(method, `/nexus/v3/apikeys${path}`, body, authorization ? {authorization} : {});
  const want = {enabled: true, tenant: id('Test Shop'), name: 'shop page', permissions: ['nexus:consumer:chat']};
  for (const who of ['', 'Bearer nobody', 'nobody', 'Basic YTpi']) assert.equal((await keys('POST', '', want, who)).status, 401);
  const made = await keys('POST', '', want, admin.token);   // without Bearer, as the guide prints it
  assert.equal(made.status, 200, made.text);
  const {id: key, ref, ...rest} = made.json;
  assert.match(key, /^[0-9a-f-]{36}$/);
  assert.deepEqual({...rest, created: 0}, {tenant: want.tenant, name: 'shop page', permissions: want.permissions, enabled: true, created: 0, createdby: 'admin', revoked: false, expires: false, capacity: 120, frequency: 60});
  const listed = (await keys('GET', '')).json;
  assert.deepEqual(listed.map(k => [k.ref, k.id]), [[ref, undefined]]);
  assert.equal((await keys('GET', `/${ref}`)).json.name, 'shop page');
  assert.equal((await keys('GET', `/${key}`)).json.ref, ref);
  const starts = async k => (await road.page(k).call('POST', '', {nickname: 'A', endpoint: 'sales'})).status;
  assert.equal(await starts(key), 200);
  const page = road.page(key);
  await page.start({endpoint: 'sales'});

  const theirs = (await keys('POST', '', {...want, tenant: id('Other Shop')})).json.id;
  const wrong = road.page(theirs);
  wrong.sid = page.sid; wrong.token = page.token;
  assert.equal((await wrong.poll()).status, 401, "another tenant's key does not open this chat");
  assert.deepEqual((await road.page(theirs).call('POST', '', {nickname: 'A', endpoint: 'sales'})).json.status.code, 'INVALID_ENDPOINT');
  const designer = (await keys('POST', '', {...want, permissions: ['nexus:designer:chat', 'nexus:cluster:*']})).json.id;
  assert.equal(await starts(designer), 401, 'not for chats');
  const all = (await keys('POST', '', {...want, tenant: '*', permissions: ['nexus:consumer:*']})).json.id;
  assert.equal(await starts(all), 200);
  assert.equal(await starts((await keys('POST', '', {...want, enabled: false})).json.id), 401);
  assert.equal(await starts((await keys('POST', '', {...want, expires: '2020-01-01T00:00:00Z'})).json.id), 401);
  for (const bad of [{...want, tenant: 'nobody'}, {...want, permissions: []}, {...want, permissions: ['a b']}, {...want, capacity: 0}, {...want, enabled: 1}, {...want, expires: 'soon'}, []])
    assert.equal((await keys('POST', '', bad)).status, 400, JSON.stringify(bad));

  const small = (await keys('POST', '', {...want, capacity: 5, frequency: 60})).json.id;
  const [one, two] = [road.page(small), road.page(small)];
  await one.start({endpoint: 'sales'});
  await two.start({endpoint: 'sales'});
  let limited;
  for (let i = 0; i < 7 && !limited; i++) { const r = await one.poll(); if (r.status === 429) limited = r; }
  assert.ok(limited, 'the sixth is refused');
  assert.equal(limited.headers.get('access-control-allow-origin'), '*');
  assert.equal(typeof limited.json.status.message, 'string');
  assert.equal((await two.poll()).status, 200, 'and another visitor of the same key is not');
  let tokens = 0; // each has calls of its own, so that there are not as many as one likes
  for (let i = 0; i < 7; i++) {
    const r = await two.call('POST', '', {endpoint: 'sales'});
    if (r.status === 429) break;
    assert.equal(r.status, 200);
    two.take(r.json.data.clientToken);
    tokens++;
  }
  assert.ok(tokens >= 4 && tokens < 7, `${tokens} tokens of one session`);

  const many = road.page((await keys('POST', '', {...want, capacity: 20, frequency: 60})).json.id); // as many as one may have, used up one after the other
  await many.start({endpoint: 'sales'});
  const held = [many.token];
  while (held.length < 20) held.push((await many.call('POST', '', {endpoint: 'sales'})).json.data.clientToken);
  let calls = 0;
  for (const one of held) for (many.token = one; (await many.poll()).status === 200;) calls++;
  assert.ok(calls >= 160 && calls < 300, `${calls} calls of one session: no more than of the eight pages that are told apart`);

  assert.equal((await keys('PUT', `/${ref}`, {name: 'renamed'})).json.name, 'renamed');
  assert.equal((await page.poll()).status, 200);
  assert.equal((await keys('PUT', `/${ref}`, {revoked: true})).json.revoked, true);
  assert.equal((await page.poll()).status, 401);
  assert.equal((await keys('PUT', `/${ref}`, {revoked: false})).status, 409, 'for ever');
  road.programs.hub.child.kill('SIGKILL');
  await road.programs.hub.exit;
  await road.startHub();
  assert.equal(await starts(key), 401, 'still revoked');
  assert.equal(await starts(all), 200);
  const again = await login(road.hub.base, 'admin', adminPassword);
  assert.equal((await keys('DELETE', `/${ref}`, undefined, `Bearer ${again.token}`)).status, 204);
  assert.equal((await keys('GET', `/${ref}`, undefined, again.token)).status, 404);
  await road.programs.hub.stop();
  for (const f of readdirSync(road.data, {recursive: true, withFileTypes: true}).filter(f => f.isFile()))
    assert.ok(!readFileSync(join(f.parentPath ?? f.path, f.name)).includes(key), `the key is in ${f.name}`);
});

// Reads a stream of server-sent events; what it was told is in `told`, the answer in `r`.
async function listen(page, index = '', signal) {
  const r = await fetch(`${page.url}/${page.sid}/events${index ? `?index=${index}` : ''}`, {headers: page.headers(), signal});
  const heard = {r, told: [], over: false};
  if (r.status !== 200) return heard;
  (async () => {
    let rest = '';
    for await (const chunk of r.body.pipeThrough(new TextDecoderStream())) {
      const events = (rest + chunk).split('\n\n');
      rest = events.pop();
      for (const e of events) if (/^event: messages$/m.test(e)) heard.told.push(JSON.parse(/^data: (.*)$/m.exec(e)[1]));
    }
  })().catch(() => {}).finally(() => { heard.over = true; });
  heard.texts = () => heard.told.flatMap(e => e.messages).filter(m => m.type === 'Text').map(m => m.text);
  return heard;
}

test('told as it happens: each line once, in order, from where one was; only to who may', async t => {
  const road = await startChat(t);
  const page = road.page();
  await page.start();
  await page.say('one');
  const abort = new AbortController();
  const first = await listen(page, '', abort.signal);
  assert.deepEqual([first.r.status, first.r.headers.get('access-control-allow-origin')], [200, '*']);
  assert.match(first.r.headers.get('content-type'), /^text\/event-stream/);
  await until('what was there', () => first.texts().length === 1);
  const {c} = await deskHas(road, 'one', m => m.text === 'one');
  await agent(road, c, {text: 'two'});
  await until('the answer', () => first.texts().length === 2);
  await agent(road, c, {typing: true});
  await until('typing', () => first.told.some(e => e.messages.some(m => m.type === 'TypingStarted')));
  await page.say('three');
  await until('the own line', () => first.texts().length === 3);
  assert.deepEqual(first.texts(), ['one', 'two', 'three']);
  assert.ok(first.told.every(e => e.chatEnded === false));
  const last = first.told.flatMap(e => e.messages).filter(m => m.type === 'Text').at(-1).index;
  abort.abort();
  await agent(road, c, {text: 'four'});
  const again = await listen(page, last);
  await until('from there on', () => again.texts().includes('four'));
  assert.deepEqual(again.texts(), ['three', 'four'], 'inclusive, as a poll is');
  await page.poll();
  assert.deepEqual(page.texts(), ['one', 'two', 'three', 'four'], 'polling beside it sees the same');

  const [other, stranger] = [road.page(), road.page()];
  await other.start({nickname: 'Bo'});
  stranger.sid = page.sid;
  for (const [token, status] of [[other.token, 401], ['', 401], ['x', 401]]) { stranger.token = token; assert.equal((await listen(stranger)).r.status, status); }
  assert.equal((await listen(page, 'abc')).r.status, 400);
  await until('the first stream is gone', async () => /^dragoman_chat_streams 1$/m.test(await (await fetch(`${road.hub.base}/metrics`)).text()));
  const many = [];
  for (let i = 0; i < 8; i++) many.push((await listen(page)).r.status);
  assert.deepEqual([many[0], many.at(-1)], [200, 503], 'more pages of one chat than anybody has are not told');
  assert.match(await (await fetch(`${road.hub.base}/metrics`)).text(), /^dragoman_chat_streams 8$/m);
  await road.desk.post(`/sim/conversations/${c.id}/end`);
  await until('the end', () => again.told.at(-1)?.chatEnded);
  assert.equal(again.texts().length, 2);
});

test('told over a kill -9 of the hub and a stop of it', async t => {
  const road = await startChat(t);
  const page = road.page();
  await page.start();
  await page.say('a');
  const before = await listen(page);
  await until('a', () => before.texts().length === 1);
  road.programs.hub.child.kill('SIGKILL');
  await road.programs.hub.exit;
  await until('the stream has ended', () => before.over);
  await road.startHub();
  const after = await listen(page, before.told[0].messages.at(-1).index);
  await page.say('b');
  await until('b', () => after.texts().includes('b'));
  assert.deepEqual(after.texts(), ['a', 'b']);
  assert.equal((await road.programs.hub.stop()).code, 0);
  await until('and ends with the hub', () => after.over);
});

test('read, both ways', async t => {
  const road = await startChat(t);
  const page = road.page();
  await page.start();
  await page.say('have you seen this?');
  const {c} = await deskHas(road, 'the question', m => m.text === 'have you seen this?');
  assert.equal((await page.poll()).json.data.seenIndex, undefined);
  await agent(road, c, {text: 'yes'});
  const got = await page.until('the answer', m => m.text === 'yes');
  const own = page.messages.find(m => m.text === 'have you seen this?');
  assert.equal((await page.poll()).json.data.seenIndex, own.index, 'who answers has read');
  const admin = await login(road.hub.base, 'admin', adminPassword);
  const status = async () => {
    const id = (await admin.call('GET', '/conversations')).json.items[0].id;
    return (await admin.call('GET', `/conversations/${encodeURIComponent(id)}/messages`)).json.items.find(m => m.text === 'yes')?.status;
  };
  const read = index => page.call('POST', `/${page.sid}/read`, {index});
  assert.equal((await read(own.index)).status, 200);
  assert.notEqual(await status(), 'read', 'what came later was not read by that');
  assert.equal((await read(got.index)).status, 200);
  await until('the agent\'s message is read', async () => await status() === 'read');
  const [before, counts] = [await road.hub.call('GET', '/metrics'), /dragoman_messages_accepted_total\{connector="webchat",direction="in"\} (\d+)/];
  assert.equal((await read(got.index)).status, 200);
  assert.equal(counts.exec((await road.hub.call('GET', '/metrics')).text)[1], counts.exec(before.text)[1], 'told once');
  for (const bad of ['', 'x', '-1-0']) assert.equal((await read(bad)).status, 400, bad);
  const other = road.page();
  await other.start({nickname: 'Bo'});
  assert.equal((await other.call('POST', `/${page.sid}/read`, {index: got.index})).status, 401);
  road.programs.hub.child.kill('SIGKILL');
  await road.programs.hub.exit;
  await road.startHub();
  assert.equal((await page.poll()).json.data.seenIndex, own.index, 'over kill -9');
});

test('satisfaction: asked at the end, once, kept and told', async t => {
  const road = await startChat(t, {webchat: {satisfaction: true}, tenants: []});
  const page = road.page();
  const rate = (rating, comment) => page.call('POST', `/${page.sid}/satisfaction`, {rating, ...(comment ? {comment} : {})});
  await page.start();
  await page.say('hello');
  const {c} = await deskHas(road, 'the hello', m => m.text === 'hello');
  assert.equal((await rate(5)).status, 400, 'not before the end');
  await page.leave();
  const end = await page.poll();
  assert.deepEqual([end.json.data.chatEnded, end.json.data.satisfaction], [true, 5]);
  for (const bad of [0, 6, 'x', '', 2.5]) assert.equal((await rate(bad)).status, 400, String(bad));
  const evil = 'quick <script>alert(1)</script>';
  assert.equal((await rate(4, evil)).status, 200);
  const told = await until('at the desk', async () => (await inbound(road)).find(m => /rates the chat/.test(m.text ?? '')));
  assert.equal(told.text, `Ana rates the chat 4 of 5: ${evil}`);
  assert.equal((await road.desk.get(`/sim/conversations/${c.id}`)).attributes.satisfaction, '4');
  assert.equal((await page.poll()).json.data.satisfaction, undefined, 'not asked again');
  assert.equal((await rate(1)).status, 200);
  assert.match((await road.hub.call('GET', '/metrics')).text, /^dragoman_chat_ratings_total\{rating="4"\} 1$/m);
  assert.doesNotMatch((await road.hub.call('GET', '/metrics')).text, /chat_ratings_total\{rating="1"\}/);

  // the agent ended it: what is said then opens no new conversation there, and is kept all the same
  const second = road.page();
  await second.start({nickname: 'Bo'});
  await second.say('hi');
  const closed = await deskHas(road, 'the hi', m => m.text === 'hi');
  await road.desk.post(`/sim/conversations/${closed.c.id}/end`);
  await until('ended', async () => { await second.poll(); return second.ended; });
  const before = (await road.desk.get('/sim/conversations')).conversations.length;
  assert.equal((await second.call('POST', `/${second.sid}/satisfaction`, {rating: '2'})).status, 200);
  const admin = await login(road.hub.base, 'admin', adminPassword);
  await until('in the history', async () => (await admin.call('GET', `/messages?q=${encodeURIComponent('rates the chat')}`)).text.includes('Bo rates the chat 2 of 5') ||
    (await admin.call('GET', `/conversations/${encodeURIComponent(`test-shop/webchat:${second.sid}`)}/messages`)).text.includes('Bo rates the chat 2 of 5'));
  assert.equal((await road.desk.get('/sim/conversations')).conversations.length, before);
  road.programs.hub.child.kill('SIGKILL');
  await road.programs.hub.exit;
  await road.startHub();
  assert.equal((await second.poll()).json.data.satisfaction, undefined, 'still not asked again');

  const quiet = road.page();
  await quiet.start({nickname: 'Cy'});
  await quiet.leave();
  assert.equal((await quiet.poll()).json.data.satisfaction, 5);
});

test('forms as jQuery writes them', () => {
  assert.equal(form({data: {userData: {x: 'a b'}, l: ['1', '2']}}), 'data%5BuserData%5D%5Bx%5D=a+b&data%5Bl%5D%5B%5D=1&data%5Bl%5D%5B%5D=2');
});
