// The REST API keeps its own document: requests of every operation in random order, as the document admits them and with one thing wrong, and what comes back is judged by the document.
// What fails is printed with its seed: DRAGOMAN_API_SEEDS=7 makes the same requests again; DRAGOMAN_API_SEEDS=1-200 and DRAGOMAN_API_STEPS=2000 look further, DRAGOMAN_API_ONLY='restore|tenants' at these operations alone.
import test from 'node:test';
import assert from 'node:assert/strict';
import {Agent} from 'node:http';
import {Dice, Maker, send, validator} from './contract.mjs';
import {goodTenant, startHub} from './hub.mjs';

const steps = Number(process.env.DRAGOMAN_API_STEPS ?? 250);
const [first, last] = (process.env.DRAGOMAN_API_SEEDS ?? '1-2').split('-').map(Number);
const password = 'nine sleepy badgers hum';
const only = new RegExp(process.env.DRAGOMAN_API_ONLY ?? '');
const never = ['auth_logout', 'auth_password']; // they would end the walk

const hints = {
  'LoginNew.user': (s, m) => m.dice.pick(['u1', 'u2', 'ü-3', m.text(1, 64)]), 'LoginNew.password': () => password, 'LoginChange.password': () => password,
  'UserDocument.name': (s, m) => m.dice.pick(['u1', 'u2', 'ü-3', m.text(1, 64)]), 'UserDocument.password': () => password,
  'UserDocument.skills': (s, m) => ({[m.dice.pick(['fr', '日本語', 'a b'])]: 1 + m.dice.int(10)}),
  'Queue.name': (s, m) => m.dice.pick(['q1', 'q2', '営業', m.text(1, 64)]), '.timezone': (s, m) => m.dice.pick(['Asia/Tokyo', '+09:00', 'UTC']),
  '.business_hours': (s, m) => m.dice.pick(['Mo-Fr 09:00-18:00', 'Mo-Fr 09:00-18:00;Sa 10:00-14:00']), '.time_zone': () => 'Asia/Tokyo', '.allowed_origins': () => 'https://shop.example',
  'Settings_line.channel_id': () => '1234567890', 'Settings_line.bot_id': () => '@acme', 'Settings_telegram.token': () => `123456:${'a'.repeat(35)}`,
  'TenantDocument': (s, m) => m.dice.chance(0.5) ? m.object(s) : ({name: m.dice.pick(['Inn', 'Shop', '宿', m.text(1, 30)]), subscription: m.text(1, 200), desk: {type: 'builtin', title: m.text(1, 64), welcome_text: m.text(0, 500)},
    channels: [{type: 'custom', secret: m.text(16, 256), url: 'http://127.0.0.1:9/x/', reply_window_seconds: m.dice.int(1000)}, m.value({$ref: '#/components/schemas/Channel'})].slice(m.dice.int(2)), custom_data: {[m.text(1, 10)]: m.text(0, 100)}}),
  'TenantDocument.name': (s, m) => m.dice.pick(['Inn', 'Shop', '宿', m.text(1, 30)]), '.storage': () => 'local',
  'TenantDocument.api': (s, m) => m.dice.pick([{auth: 'off'}, {auth: 'none'}, {auth: 'basic', user: m.text(1, 200), password: m.text(8, 200)}]),
  'Channel': (s, m) => m.value({$ref: `#/components/schemas/Settings_${m.dice.pick(['custom', 'custom', 'webchat', 'line', 'slack', 'telegram', 'teams', 'apple'])}`}),
  'Desk': (s, m) => m.value({$ref: `#/components/schemas/Settings_${m.dice.pick(['builtin', 'builtin', 'genesys_cloud'])}`}),
  'StorageSettings': (s, m) => ({type: 's3', name: m.dice.pick(['b1', 'b2', 'b3']), bucket: 'bucket-1', endpoint: 'http://127.0.0.1:9', access_key_id: 'A', secret_access_key: 's',
    ...(m.dice.chance(0.5) ? {purge_delay_seconds: m.dice.int(1000)} : {})}),
  'NotifierSettings': (s, m) => ({type: 'slack', name: m.dice.pick(['n1', 'n2', 'n3']), url: 'http://127.0.0.1:9/x', topics: [m.dice.pick(['Default', 'Subscriptions'])]}),
  'SettingsDocument.proxy': () => null, 'SettingsDocument.default_storage': (s, m) => m.dice.pick([null, 'local', 'b1']),
  'ResponseDocument.name': (s, m) => m.dice.pick(['Tea', 'Coffee', '茶 {{', m.text(1, 40)]),
  'ResponseDocument.tenants': (s, m) => m.dice.pick([[], ['desk'], ['desk', 'none']]),
  'ContactNew.tenant': () => 'desk', 'ContactNew.phones': (s, m) => m.dice.pick([[], ['+819012345678'], ['+81 90 1234 5679', '+4915112345678']]),
  'ContactNew.emails': (s, m) => m.dice.pick([[], ['a@example.com'], ['B@Example.com']]),
  'ContactChange.phones': (s, m) => m.dice.pick([[], ['+819012345678']]), 'ContactChange.emails': (s, m) => m.dice.pick([[], ['a@example.com']]),
  'InteractionNew.channel': () => 'desk/custom', 'InteractionNew.guest': (s, m) => `g${m.dice.int(5)}`,
  'IvrMessages': (s, m) => ({tenant: 'Desk', channel: 'custom', userId: `g${m.dice.int(5)}`, messages: m.dice.pick([['hello'], ['a', 'b'], [m.text(1, 100)], [m.any()], [{type: 'text', text: m.text(0, 50)}]])}),
  'PreviewRequest.message': (s, m) => m.dice.pick([m.text(1, 100), m.any(), {kind: 'choices', text: m.text(1, 20), choices: [{label: m.text(1, 30), value: m.text(0, 9)}]}, {kind: 'location', lat: 1.5, lon: 2}]),
  'PreviewRequest.networks': (s, m) => m.dice.pick([['line'], ['custom', 'slack'], []]), 'PreviewRequest.channel': () => 'desk/custom',
  'TenantImport.document': (s, m) => m.value({$ref: '#/components/schemas/TenantDocument'}), 'TenantImport.passphrase': () => 'open sesame please',
  'RestoreRequest.backup': (s, m) => changedBackup(m), 'RestoreRequest.passphrase': () => 'open sesame please',
  'Say': (s, m) => ({id: m.text(1, 20).replace(/[^a-z0-9]/gi, 'x'), ...m.dice.pick([{text: m.text(1, 20000)}, {text: 'hello', whisper: true}, {rich: {kind: 'choices', text: 'q', choices: [{label: m.text(1, 10)}]}}, {native: {a: m.any()}}, {rich: m.any()}])}),
  'InteractionTarget': (s, m) => m.dice.pick([{user: 'u1'}, {queue: 'q1', note: m.text(0, 2000)}, {queue: 'default'}]),
  'ContactMerge.with': (s, m) => m.dice.pick(m.ids['/contacts'] ?? ['x']), 'ContactSplit.identities': (s, m) => [`desk/custom:g${m.dice.int(4)}`],
  'JournalRedirect.target': () => 'desk/custom:g1',
};

// Rules that a schema cannot say; where they stand instead is beside each.
const documented = [
  [/^tenants_|^settings_put|^storages_|^restore/, /./, /is missing/],                        // a secret that is said to be set, and is not: docs/api.md
  [/^storages_|^settings_put/, /name$/, /must be small letters/],                   // the member's description
  [/^(users|queues)_/, /^queues$|^skills$|^$/, /must be a list of names|must be an object of at most|at most \d+ bytes/],  // the member's description
  [/^tenants_import$/, /./, /./], [/^preview$/, /^message/, /./], [/^messages_send$/, /^(userId|messages?)/, /./], [/^desk_say$/, /^(rich|native)/, /./], // JSON of any kind, described in words
  [/^responses_/, /id$/, /nor hold \{\{/], [/./, /./, /whole number$/],                 // the member's description; whole numbers have 64 bits: docs/api.md
];

// One that was made before, with some of it gone, renamed or made otherwise.
function changedBackup(m) {
  const b = structuredClone(m.backup ?? {format: 'dragoman-backup/1', tenants: []});
  for (const [list, schema] of [['tenants', 'TenantDocument'], ['queues', 'Queue'], ['responses', 'ResponseDocument']]) {
    b[list] = (b[list] ?? []).filter(() => m.dice.chance(0.8)).map(x => m.dice.chance(0.7) ? x : {...x, ...m.dice.pick([{name: m.text(1, 12)}, {storage: 'b1'}, {[m.dice.pick(['subscription', 'title', 'text'])]: m.text(1, 12)}])});
    if (m.dice.chance(0.3)) b[list].push(m.value({$ref: `#/components/schemas/${schema}`}));
  }
  for (const list of ['tenants', 'queues', 'responses']) { // each once
    const once = x => x.name?.toLowerCase().replace(/[^a-z0-9]+/g, '-') || x.name;
    b[list] = b[list].filter((x, i) => b[list].findIndex(y => once(y) === once(x)) === i);
  }
  if (m.dice.chance(0.3)) b.settings = m.value({$ref: '#/components/schemas/SettingsDocument'});
  return b;
}

const queries = {
  limit: d => d.chance(0.7) ? d.pick(['1', '2', '50', '']) : d.pick(['0', '-1', '501', 'x', '1e3', '99999999999999999999']), after: (d, w) => d.chance(0.7) && w.cursors.length ? d.pick(w.cursors) : d.pick(['none', '%00', '%F0%9F', '']), before: (d, w) => d.chance(0.7) ? d.pick([...w.cursors, '100']) : d.pick(['1', '-1', 'x']),
  q: d => d.pick(['a', 'hello', '%F0%9F%A6%89', 'x'.repeat(3000), '%25', '%22', "'", '%zz', '*', 'a%00b', '']), tenant: d => d.pick(['desk', 'none', '', '%00']),
  channel: d => d.pick(['desk%2Fcustom', 'none']), account: d => d.pick(['desk%2Fcustom', 'none']), open: d => d.pick(['true', 'false', 'maybe', '']), reason: d => d.pick(['expired', 'none']),
  state: d => d.pick(['dead', 'unknown', 'queued', 'open', 'none']), language: d => d.pick(['en', 'ja', 'xx', '']), queue: d => d.pick(['q1', 'none']), mine: d => d.pick(['true', 'false', 'x']),
  name: d => d.pick(['a.txt', '%E8%8C%B6.png', 'x'.repeat(2000), '..%2f..%2fa', '%00']), next: d => d.pick(['/config', 'https://evil.example', '//evil']), code: () => 'c', secrets: d => d.pick(['none', 'passphrase', 'x']),
};
const odd = ['none', '%00', '%zz', '%', '%2e%2e', '%F0%9F', '%F0%9F%A6%89', '%20', 'a%2Fb', '-1', '9999999999999999999999', "'%3B--", 'x'.repeat(3000), '%E2%80%AE', '0', '*'];

// What only says how things stand, or is different after each restart.
const volatile = new Set(['checked', 'changed', 'works', 'why', 'remark', 'status', 'standing']);
const steady = v => Array.isArray(v) ? v.map(steady) : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).filter(([k]) => !volatile.has(k)).map(([k, x]) => [k, steady(x)])) : v;

// Not shown as they are sent: what means nothing, passwords, and addresses of people, which are brought to one form.
const unshown = new Set(['id', 'password', 'rev', 'changed', 'changed_by', 'problem', 'created', 'status', 'default_storage_in_use', 'proxy_in_use', 'standing', 'commander_of_file', 'storages', 'phones', 'emails']);

const fates = r => ({...r, dry_run: undefined, settings_why: undefined, tenants: r.tenants.map(x => [x.name, x.fate]), responses: r.responses.map(x => [x.name, x.fate])});

class Walk {
  constructor(hub, doc, token, seed) {
    this.hub = hub; this.doc = doc; this.dice = new Dice(seed); this.maker = new Maker(doc, this.dice, hints); this.fits = validator(doc); this.token = token;
    this.defaults = new Set(Object.values(doc.components.schemas).flatMap(function inside(x) { return Object.entries(x.properties ?? {}).flatMap(([k, p]) => [`${k} ${p.default}`, ...inside(p)]); }));
    this.agent = new Agent({keepAlive: true, maxSockets: 1});
    this.ids = this.maker.ids = {}; this.cursors = []; this.n = 0;
    this.operations = Object.entries(doc.paths).flatMap(([path, ms]) => Object.entries(ms).map(([method, op]) => ({path, method: method.toUpperCase(), op}))).filter(o => !never.includes(o.op.operationId) && only.test(o.op.operationId));
  }
  raw(method, path, body, headers = {}) {
    return send(this.hub.base, method, `/api/v1${path}`, {body, headers: {authorization: `Bearer ${this.token}`, ...(body === undefined ? {} : {'content-type': 'application/json'}), ...headers}, agent: this.agent});
  }
  async get(path) { const r = await this.raw('GET', path); assert.equal(r.status, 200, `${path}: ${r.text}`); return r.json; }

  // Something of each kind, so that the dice find it.
  async begin() {
    const rows = [['/tenants', goodTenant('Inn')], ['/tenants', {...goodTenant('Bots'), channels: [{type: 'slack', app_id: 'A0HUB0001', client_id: '1.2', client_secret: 'hush-hush-1', signing_secret: '8f742231b10e8888abcd99yyyzzz85a5', app_name: 'Inn Care'}]}], ['/users', {name: 'u1', role: 'agent', password}], ['/users', {name: 'u2', role: 'supervisor', password}], ['/queues', {name: 'q1'}], ['/responses', {name: 'Tea', text: 'Tea {{x}}'}],
      ['/contacts', {tenant: 'desk', name: 'Ann', phones: ['+819012345678']}], ['/contacts', {tenant: 'desk', name: 'Ann again'}], ...[0, 1, 2, 3].map(i => ['/desk/interactions', {channel: 'desk/custom', guest: `g${i}`, text: 'hello there'}])];
    rows.push(['/storages', {type: 's3', name: 'b1', bucket: 'bucket-1', endpoint: 'http://127.0.0.1:9', access_key_id: 'A', secret_access_key: 's'}]);
    await this.raw('PUT', '/desk/me/status', '{"state":"ready"}');
    for (const [path, body] of rows) { const r = await this.raw('POST', path, JSON.stringify(body)); assert.equal(r.status, 201, `${path}: ${r.text}`); }
    this.maker.backup = await this.get('/backup');
  }

  // All that was configured, as it is shown.
  async state() {
    const all = {};
    for (const path of ['/tenants', '/users', '/logins', '/queues', '/responses', '/storages', '/contacts', '/channels']) {
      const seen = [];
      for (let after = '', n = 0; after !== null; n++) {
        const page = await this.get(`${path}?limit=${this.dice.pick([1, 2, 7, 100])}${after && `&after=${encodeURIComponent(after)}`}`);
        seen.push(...page.items);
        after = page.next;
        assert.ok(n < 500, path);
      }
      const key = x => x.id ?? x.name ?? x.user, keys = seen.map(key);
      assert.deepEqual(keys, [...new Set(keys)], `each once in pages of ${path}`);
      this.ids[path] = keys;
      all[path] = path === '/channels' ? [...keys].sort() : Object.fromEntries(seen.map(x => [key(x), x])); // no order is promised over a restart
    }
    all['/settings'] = await this.get('/settings');
    if (this.n % 10 === 0) for (const path of ['/desk/interactions', '/conversations']) this.ids[path] = (await this.get(path)).items.map(x => x.id);
    return steady(all);
  }

  // The ids of its kind that there are, and some that are none.
  param(path, name) {
    const {dice} = this, known = this.ids[path.split('/{')[0]] ?? this.ids[`/${path.split('/')[1]}`] ?? (path.startsWith('/journal') || path.startsWith('/messages') ? ['1', '2', '3'] : []);
    const safe = known.filter(k => k !== 'admin');
    if (name === 'user' && dice.chance(0.8)) return dice.pick(['u1', 'u2', 'admin'.repeat(path.startsWith('/desk') ? 1 : 2)]);
    if (path.startsWith('/settings/notifiers')) return dice.pick(['n1', 'n2', ...odd]);
    if (name === 'name' && path.startsWith('/connectors')) return dice.pick(['line', 'custom', 'builtin', ...odd]);
    return safe.length && dice.chance(0.9) ? encodeURIComponent(dice.pick(safe)) : dice.pick(odd);
  }

  address({path, op}) {
    const {dice} = this;
    let at = path.replace(/\{(\w+)\}/g, (_, name) => this.param(path, name)), sign = '?';
    for (const p of (op.parameters ?? []).filter(x => x.in === 'query')) {
      if (dice.chance(0.6)) continue;
      for (let n = dice.chance(0.1) ? 2 : 1; n > 0; n--) { at += `${sign}${p.name}=${queries[p.name](dice, this)}`; sign = '&'; }
    }
    return dice.chance(0.03) ? `${at}${sign}no_such=1` : at;
  }

  async step() {
    const {dice} = this, o = dice.pick(this.operations), {op, method} = o;
    const path = this.address(o), headers = {};
    const schema = op.requestBody && (Object.values(op.requestBody.content)[0].schema);
    let sent, body, what = 'no body';
    if (schema) {
      const type = Object.keys(op.requestBody.content)[0];
      const shape = type === 'application/merge-patch+json' ? {$ref: '#/components/schemas/TenantDocument'} : schema;
      sent = this.maker.value(shape); what = 'valid';
      if (method === 'PUT' && sent.name !== undefined && path.split('/').length === 3 && dice.chance(0.8)) try { sent.name = decodeURIComponent(path.split('/')[2].split('?')[0]); } catch { /* an odd one */ }
      if (type === 'application/merge-patch+json') { for (const k of Object.keys(sent)) if (dice.chance(0.7)) delete sent[k]; what = 'patch'; }
      else if (dice.chance(0.33)) { const bad = this.maker.spoil(sent, shape); sent = bad.body; what = bad.what; }
      body = Buffer.from(JSON.stringify(sent));
      headers['content-type'] = type;
      if (dice.chance(0.07)) {
        [body, what, headers['content-type']] = dice.pick([['', 'empty', type], ['{', 'no JSON', type], ['['.repeat(5000), 'deep', type], [body, 'wrong type', 'text/plain'], [body, 'no type', ''], ['"x"', 'a text', type], ['[]', 'a list', type], ['null', 'null', type],
          [`${body}`.replace(/^\{/, '{"x":"\\ud800",'), 'surrogate', type], [`${`${body}`.slice(0, -1)},}`, 'comma', type], [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'no UTF-8', type], [`\ufeff${body}`, 'byte order mark', type]]);
        sent = undefined;
      }
    } else if (op.operationId === 'desk_files') body = Buffer.from(dice.pick(['x', '', 'GIF89a', 'x'.repeat(100000)]));
    else if (method !== 'GET' && dice.chance(0.1)) { body = '{"x":1}'; what = 'a body too many'; }
    for (const p of (op.parameters ?? []).filter(x => x.in === 'header')) if (dice.chance(0.25)) headers[p.name] = dice.pick(['"1"', '"1"', '"2"', '*', '*', 'W/"1"', '1', '"x"', '"1", "2"', '"99999999999999999999"', 'x'.repeat(300)]);
    this.n++;
    const now = this.last ?? await this.state();
    this.trail = `${op.operationId} ${method} ${path.slice(0, 200)} ${what} ${JSON.stringify(headers)} ${String(body).slice(0, 1500)}`;
    if (body?.length > 1 << 20 && op.operationId !== 'restore') [body, sent] = ['{', undefined]; // with such a length alone the hub is done with the connection: docs/http-limits.md
    const dry = op.operationId === 'restore' && sent && !sent.dry_run ? await this.raw(method, path, JSON.stringify({...sent, dry_run: true}), headers) : undefined;
    const r = await this.raw(method, path, body, headers);
    if (dry?.status === 200 && r.status === 200) assert.deepEqual(fates(dry.json), fates(r.json), 'what would be done is what is done');
    if (op.operationId === 'backup_get' && r.status === 200) this.maker.backup = r.json;
    this.judge(o, sent, what, schema, r);
    if (method === 'GET') { this.last = now; if (r.json?.next) this.cursors = [encodeURIComponent(r.json.next), ...this.cursors].slice(0, 5); return; }
    const after = await this.state();
    if (r.status >= 400 || method === 'POST' && ['tenants_check', 'preview', 'responses_render', 'tenants_export', 'backup_make'].includes(op.operationId) || sent?.dry_run)
      assert.deepEqual(after, now, 'nothing is changed');
    else await this.kept(o, path, sent, r);
    this.last = after;
  }

  judge({op}, sent, what, schema, r) {
    const known = Object.keys(op.responses), answer = op.responses[r.status] ?? op.responses[`${String(r.status)[0]}XX`];
    const why = `${r.status} ${r.text.slice(0, 600)}`;
    assert.ok(answer, `the status is documented (${known}): ${why}`);
    assert.ok(r.status < 500, `no 5xx: ${why}`);
    const content = answer.$ref ? this.doc.components.responses[answer.$ref.split('/').pop()].content : answer.content;
    if (r.status === 304 || r.status === 204) assert.equal(r.text, '');
    else if (content) {
      const [type, {schema: shape}] = Object.entries(content)[0];
      if (type !== 'text/event-stream') assert.equal(r.headers['content-type']?.split(';')[0], type, why);
      if (type.endsWith('json')) { const wrong = this.fits(shape, r.json); assert.equal(wrong, null, `${wrong}: ${why}`); }
    }
    if (r.status >= 400) {
      assert.equal(r.json.status, r.status, why);
      assert.ok(r.json.code && r.json.message, why);
      this.field(op, sent, what !== 'empty', r.json, why);
    }
    if (!schema || sent === undefined || what === 'patch') return;
    const wrong = this.fits(schema, sent);
    if (wrong && op.operationId !== 'tenants_check') assert.ok(r.status >= 400 || /^tenants_/.test(op.operationId), `the document does not admit it (${wrong}): ${why}`);
    else if (!wrong && (r.status >= 400 || r.json?.good === false)) this.refused(op, schema, r, why);
  }

  help(schema, place) {
    let at = this.maker.schema(schema);
    for (const part of place.split('.')) { at = at.properties?.[part.replaceAll('[]', '')]; if (!at) return ''; at = this.maker.schema(at.items && part.endsWith('[]') ? at.items : at); }
    return at.description ?? '';
  }

  // It names what is really there: a member, one that should be, a header or a parameter.
  field(op, sent, given, problem, why) {
    const names = new Set([...(op.parameters ?? []).map(p => p.name), 'Authorization', 'Content-Type', 'path', 'method', 'X-Passphrase', 'host', 'target', 'body', 'tenant', 'state']);
    for (const {field} of [...(problem.problems ?? []), problem]) {
      if (field === undefined || field === '' || names.has(field)) continue;
      if (sent === undefined) { assert.ok(!given, `field ${field}: ${why}`); continue; }
      const parts = field.match(/[^.[\]]+/g) ?? [];
      let at = sent;
      for (const p of parts.slice(0, -1)) at = at?.[p] ?? at?.document?.[p];
      assert.ok(at && typeof at === 'object' || field === 'backup.format', `field ${field}: ${why}`);
    }
  }

  // The document admits what the hub refuses: some rules it cannot say, but no length, type or member.
  refused(op, schema, r, why) {
    for (const {field = '', message} of r.json.problems ?? [r.json]) {
      if (op.parameters?.some(p => p.name === field) || !/must (have|be between|be a text|be a list|be an object|be a whole|be a number|be true|be one of|not be empty)|is missing|no such member|at most \d/.test(message)) continue;
      const place = field.replace(/\[\d+\]/g, '[]'), help = this.help(schema, place);
      if (documented.some(([id, at, rule]) => id.test(op.operationId) && at.test(place) && rule.test(message)) || (/ bytes$/.test(message) && /bytes of UTF-8/.test(help))) continue;
      assert.fail(`the document admits it, but ${field} ${message}: ${why}`);
    }
  }

  // What was sent is what is shown.
  async kept({op, method, path: template}, path, sent, r) {
    if (method === 'DELETE') {
      const again = await this.raw('DELETE', path);
      assert.ok(again.status === 404 || again.status === 204, `twice: ${again.status} ${again.text}`);
      return;
    }
    if (!['POST', 'PUT'].includes(method) || !sent || !r.json) return;
    const shown = method === 'PUT' && !template.includes('/desk') ? (await this.raw('GET', template.endsWith('}') && r.json.name ? `${template.replace(/\/\{.*/, '')}/${encodeURIComponent(r.json.id ?? r.json.name)}` : path)).json : r.json;
    if (['/tenants', '/users', '/queues', '/responses', '/storages', '/contacts', '/settings', '/tenants/{id}', '/users/{name}', '/queues/{name}', '/responses/{name}', '/storages/{name}', '/contacts/{id}'].includes(template))
      this.same(sent, shown.document ?? shown, op.operationId);
  }
  same(sent, is, at) {
    if (sent === null || sent === '' || sent === 0 || is?.set !== undefined || (is === undefined && this.defaults.has(`${at.split('.').pop()} ${sent}`))) return; // as it is without it; a secret; a default
    if (Array.isArray(sent) && sent.length) { assert.equal(is?.length, sent.length, at); sent.forEach((x, i) => this.same(x, is[i], `${at}[${i}]`)); return; }
    if (typeof sent === 'object') { for (const [k, v] of Object.entries(sent)) if (!unshown.has(k)) this.same(v, is?.[k], `${at}.${k}`); return; }
    const plain = v => String(v).trim().replace(/^(https?:.*?)\/+$/, '$1'); // a name without blanks around it, an address without a slash behind it
    assert.equal(plain(is), plain(sent), `${at} is kept`);
  }
}

for (let seed = first; seed <= (last ?? first); seed++) test(`random requests keep to the document (seed ${seed})`, async t => {
  const tenant = {name: 'Desk', desk: {type: 'builtin'}, api: {auth: 'none'}, channels: [{type: 'custom', secret: 'a-secret-of-sixteen', url: 'http://127.0.0.1:9'}, {type: 'webchat'}]};
  const hub = await startHub(t, {tenants: [goodTenant('From the file'), tenant]});
  const doc = (await hub.anyone.get('/openapi'));
  const walk = new Walk(hub, doc, (await hub.login()).token, seed);
  t.after(() => walk.agent.destroy());
  try {
    await walk.begin();
    for (let i = 0; i < steps; i++) await walk.step();
    const before = await walk.state();
    assert.equal((await hub.program.stop()).code, 0, hub.program.text().slice(-3000));
    await hub.start();
    walk.trail = 'after a restart';
    assert.deepEqual(await walk.state(), before);
  } catch (e) { e.message = `DRAGOMAN_API_SEEDS=${seed}, step ${walk.n}: ${walk.trail}\n${e.message}`; throw e; }
});
