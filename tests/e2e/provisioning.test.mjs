// The guide's provisioning, with its own curl lines: tenants, services, API keys; what is refused; what is kept and never shown.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {Api, freePort, root, until} from './harness.mjs';
import {goodTenant, login, startHub} from './hub.mjs';
import {ChatPage} from './chat-page.mjs';

const run = promisify(execFile);
const ccid = '578ec98e-f07c-46ad-9675-f36c22f3ba9f';

// The lines as they are printed; only their variables are put in.
const lines = {
  ucs: `curl -X POST \\
$nexusURL/nexus/v3/provisioning/services/$ccid/PlatformUCS \\
-H 'Content-Type: application/json' \\
-H 'x-api-key: $apiKey' \\
-H 'x-ccid: $ccid' \\
-d '{
"url" : "$ucsURL",
"secret": {},
"data" : {}
}'`,
  tenant: `curl --request POST '$nexusURL/nexus/v3/provisioning/tenants' \\
--header 'Authorization: Bearer $outGWSAccessToken' \\
--header 'Content-Type: application/json' \\
--data '{
"id": "$ccId",
"name": "$tenantName",
"type": "PureEngage",
"backendurl": "$gwsURL",
"username": "$tenantUser",
"token": "$tenantUserPassword",
"genesystenantid": 1
}'`,
  tenantKey: `curl --request POST '$nexusURL/nexus/v3/apikeys' \\
--header 'Authorization: $outGWSAccessToken' \\
--header 'Content-Type: application/json' \\
--data '{
"enabled": true,
"tenant": "$ccId",
"name": "API key for $tenantName",
"permissions": [
"nexus:consumer:chat"
]
}'`,
  clusterKey: `curl --request POST '$nexusURL/nexus/v3/apikeys' \\
--header 'Authorization: $outClusterGWSAccessToken' \\
--header 'Content-Type: application/json' \\
--data '{
"enabled": true,
"tenant": "*",
"name": "Cluster API key",
"permissions": [
"nexus:cluster:*"
 ]
}'`,
  designerKey: `curl --request POST '$nexusURL/nexus/v3/apikeys' \\
--header 'Authorization: $outGWSAccessToken' \\
--header 'Content-Type: application/json' \\
--data '{
"enabled": true,
"tenant": "$ccId",
"name": "Designer API key",
"permissions": [
"nexus:designer:chat"
]
}'`,
  idp: `curl -X POST \\
$nexusURL/nexus/v3/provisioning/services/$ccid/PurecloudIDP \\
-H 'Content-Type: application/json' \\
-H 'x-api-key: $apiKey' \\
-H 'x-ccid: $ccid' \\
-d '{
"url" : "$gcLoginURL",
"secret": {"clientId": "$clientId", "clientSecret": "$clientSecret"},
"data" : {}
}'`,
  sms: `curl -X POST \\
 $nexusURL/nexus/v3/provisioning/services/$ccid/SMS \\
-H 'Content-Type: application/json' \\
-H 'x-api-key: $apiKey' \\
-H 'x-ccid: $ccid' \\
-d '{
"url" : "N/A",
"secret": {},
"data" : {"tokenProvider": "Purecloud"}
}'`,
  porticoSms: `curl -X POST \\
$nexusURL/nexus/v3/provisioning/services/$ccid/PorticoSMS \\
-H 'Content-Type: application/json' \\
-H 'x-api-key: $apiKey' \\
-H 'x-ccid: $ccid' \\
-d '{
"url" : "$gcAPIURL",
"secret": {},
"data": {}
}'`,
  porticoEmail: `curl -X POST \\
$nexusURL/nexus/v3/provisioning/services/$ccid/PorticoEmail \\
-H 'Content-Type: application/json' \\
-H 'x-api-key: $apiKey' \\
-H 'x-ccid: $ccid' \\
-d '{
"url" : "$gcAPIURL",
"secret": {},
"data": {}
}'`,
  async: `curl -X POST \\
$nexusURL/nexus/v3/provisioning/services/$ccid/Async \\
-H 'Content-Type: application/json' \\
-H 'x-api-key: $apiKey' \\
-H 'x-ccid: $ccid' \\
-d '{
"data": {
"channels": [
{
"channelId": "$asyncPhoneNumber",
"webhook": { "url": "$asyncWebhookURL" }
},
{
"channelId": "$asyncEmailDomain",
"webhook": { "url": "$asyncWebhookURL" }
}
]
},
"secret": {
"channels": [
{
"channelId": "$asyncPhoneNumber",
"webhook": { "secret": "$asyncWebhookSignatureKey" },
"api": { "secret": "$asyncAPISignatureKey" }
},
{
"channelId": "$asyncEmailDomain",
"webhook": { "secret": "$asyncWebhookSignatureKey" },
"api": { "secret": "$asyncAPISignatureKey" }
}
]
 }
}'`,
  smsAsync: `curl -X POST \\
$nexusURL/nexus/v3/provisioning/services/$ccid/SMS \\
-H 'Content-Type: application/json' \\
-H 'x-api-key: $apiKey' \\
-H 'x-ccid: $ccid' \\
-d '{
"url" : "N/A",
"data" : { "provider": "Async" },
"secret": {}
}'`,
  emailAsync: `curl -X POST \\
$nexusURL/nexus/v3/provisioning/services/$ccid/Email \\
-H 'Content-Type: application/json' \\
-H 'x-api-key: $apiKey' \\
-H 'x-ccid: $ccid' \\
-d '{
"url" : "N/A",
"data" : { "provider": "Async" },
"secret": {}
}'`,
};

async function curl(line, vars) {
  const said = line.replaceAll(/\$(\w+)/g, (all, name) => { assert.ok(name in vars, name); return vars[name]; });
  const {stdout} = await run('bash', ['-c', `${said} -sS -w '\\n%{http_code}'`]);
  const at = stdout.lastIndexOf('\n');
  return {status: Number(stdout.slice(at + 1)), json: JSON.parse(stdout.slice(0, at) || 'null')};
}

// A tenant whose id is the guide's contact centre: what is provisioned is attached to it.
const guideTenant = () => ({...goodTenant('premise_tenant'), id: ccid, channels: [{type: 'webchat', endpoints: 'support_main'}]});

async function guide(t, options = {}) {
  const hub = await startHub(t, {tenants: [guideTenant()], ...options});
  const admin = await hub.login();
  const vars = {
    nexusURL: hub.base, ccid, ccId: ccid, outGWSAccessToken: admin.token, outClusterGWSAccessToken: admin.token, tenantName: 'premise_tenant', gwsURL: 'https://gws.mydomain.com',
    tenantUser: 'nexus', tenantUserPassword: 'nexus_password', ucsURL: 'https://ucs.mydomain.com', gcLoginURL: 'https://login.mypurecloud.com', gcAPIURL: 'https://api.mypurecloud.com',
    clientId: '4da40a9d-eb11-4024-8ba9-c9dd89c91f67', clientSecret: 'aKSXEgLO57cm6FqxD4hrjkcWiuWiXhd0uF0WOcZUm2', asyncPhoneNumber: '16504661149', asyncEmailDomain: 'company.com',
    asyncWebhookURL: 'https://genesyswebhook.company.com', asyncAPISignatureKey: 'api-key-that-signs', asyncWebhookSignatureKey: 'webhook-key-that-signs',
  };
  const call = (method, path, body, headers = {authorization: `Bearer ${admin.token}`}) => new Api(hub.base).call(method, `/nexus/v3${path}`, body, headers);
  return {hub, admin, vars, call};
}

test("the guide's curl lines, in the guide's order", async t => {
  const {hub, vars, call} = await guide(t);
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
  const cluster = await curl(lines.clusterKey, vars);
  assert.equal(cluster.status, 200);
  const {id: apiKey, ref, created, ...rest} = cluster.json;
  assert.match(apiKey, uuid);
  assert.match(created, /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(rest, {tenant: '*', name: 'Cluster API key', permissions: ['nexus:cluster:*'], enabled: true, createdby: 'admin', revoked: false, expires: false, capacity: 120, frequency: 60});
  assert.notEqual(ref, apiKey);
  vars.apiKey = apiKey;

  const ucs = await curl(lines.ucs, vars);
  assert.deepEqual([ucs.status, ucs.json.status.code], [200, 0]);
  assert.match(ucs.json.operationId, uuid);
  const tenant = await curl(lines.tenant, vars);
  assert.deepEqual([tenant.status, tenant.json.status, Object.keys(tenant.json.data)], [200, {code: 0}, ['xapikey']]);
  assert.match(tenant.json.operationId, uuid);
  const page = new ChatPage(`${hub.base}/nexus/v3/chat/sessions`, tenant.json.data.xapikey);   // "For creating chat"
  await page.start({endpoint: 'support_main'});
  const own = await curl(lines.tenantKey, vars);
  assert.deepEqual([own.status, own.json.tenant, own.json.name], [200, ccid, 'API key for premise_tenant']);
  assert.equal((await curl(lines.designerKey, vars)).json.permissions[0], 'nexus:designer:chat');
  for (const name of ['idp', 'sms', 'porticoSms', 'porticoEmail', 'async', 'smsAsync', 'emailAsync']) {
    const r = await curl(lines[name], vars);
    assert.deepEqual([r.status, r.json.status.code], [200, 0], `${name}: ${JSON.stringify(r.json)}`);
  }
  // and with what the lines do the other way round: the token without Bearer here, with it there
  const swapped = s => s.includes('Bearer ') ? s.replace('Bearer ', '') : s.replace('Authorization: ', 'Authorization: Bearer ');
  for (const name of ['tenant', 'tenantKey', 'clusterKey', 'designerKey']) assert.equal((await curl(swapped(lines[name]), vars)).status, 200, name);

  const listed = (await call('GET', '/provisioning/tenants')).json.data.tenants;
  assert.equal(listed.length, 1);
  assert.deepEqual({...listed[0], changed: 0}, {id: ccid, name: 'premise_tenant', type: 'PureEngage', backendurl: 'https://gws.mydomain.com', username: 'nexus', genesystenantid: 1, token: {set: true}, changed: 0,
    changedby: 'admin', slug: 'premise-tenant', services: ['Async', 'Email', 'PlatformUCS', 'PorticoEmail', 'PorticoSMS', 'PurecloudIDP', 'SMS']});
  const services = (await call('GET', `/provisioning/services/${ccid}`)).json.data.services;
  assert.deepEqual(services.map(s => s.name), listed[0].services);
  const set = {set: true};
  assert.deepEqual(services.find(s => s.name === 'PurecloudIDP').secret, {clientId: set, clientSecret: set});
  assert.deepEqual(services.find(s => s.name === 'Async').secret.channels[0], {channelId: '16504661149', webhook: {secret: set}, api: {secret: set}});
  assert.deepEqual(services.find(s => s.name === 'SMS').data, {provider: 'Async'});
  assert.equal(services.find(s => s.name === 'SMS').changedby, 'key Cluster API key');

  // kill -9: everything is there, and no secret lies in a file
  hub.program.child.kill('SIGKILL');
  await hub.program.exit;
  await hub.start();
  const again = await login(hub.base, 'admin', 'seven quiet herons');
  assert.deepEqual((await call('GET', `/provisioning/services/${ccid}`, undefined, {authorization: again.token})).json.data.services, services);
  await hub.program.stop();
  for (const f of readdirSync(join(hub.dir, 'data'), {recursive: true, withFileTypes: true}).filter(f => f.isFile())) {
    const text = readFileSync(join(f.parentPath ?? f.path, f.name));
    for (const secret of [vars.clientSecret, vars.asyncAPISignatureKey, vars.asyncWebhookSignatureKey, vars.tenantUserPassword, apiKey]) assert.ok(!text.includes(secret), `${secret} is in ${f.name}`);
  }
  for (const secret of [vars.clientSecret, vars.asyncAPISignatureKey, vars.tenantUserPassword, apiKey]) assert.ok(!hub.program.text().includes(secret), 'in the log');
});

test('a tenant that is not there yet', async t => {
  const {hub, admin, vars, call} = await guide(t);
  const desks = (await admin.call('GET', '/connectors')).json.items.filter(c => c.side === 'desk').map(c => c.name);
  vars.ccId = randomUUID();
  vars.tenantName = 'second_tenant';
  const r = await curl(lines.tenant, vars);
  if (!desks.includes('builtin')) {   // a hub without the built-in desk has nobody to answer for it
    assert.deepEqual([r.status, r.json.status.code], [409, 'INVALID_CONTACT_CENTER']);
    return;
  }
  assert.equal(r.status, 200, JSON.stringify(r.json));
  const made = (await admin.call('GET', `/tenants/${vars.ccId}`)).json;
  assert.deepEqual([made.name, made.desk.type, made.channels.map(c => c.type)], ['second_tenant', 'builtin', ['webchat']]);
  await new ChatPage(`${hub.base}/nexus/v3/chat/sessions`, r.json.data.xapikey).start();
  vars.ccId = randomUUID();
  const same = await curl(lines.tenant, vars);
  assert.deepEqual([same.status, same.json.status.code], [409, 'TENANT_EXISTS']);
  assert.equal((await call('GET', `/provisioning/tenants/${vars.ccId}`)).status, 404);
});

test('what is refused, and how it is said', async t => {
  const {hub, admin, vars, call} = await guide(t);
  const key = async (permissions, tenant = ccid, more = {}) => (await call('POST', '/apikeys', {enabled: true, tenant, name: 'k', permissions, ...more})).json;
  const [consumer, designer, cluster, own] = await Promise.all([key(['nexus:consumer:chat']), key(['nexus:designer:chat']), key(['nexus:cluster:*'], '*'), key(['nexus:provisioning:services'])]);
  const service = (name, body, headers, id = ccid) => call('POST', `/provisioning/services/${id}/${name}`, body, headers);
  const good = {url: 'https://ucs.example', secret: {}, data: {}};
  const rows = [
    [{}, 401, 'UNAUTHORIZED'],
    [{authorization: 'nobody'}, 401, 'UNAUTHORIZED'],
    [{'x-api-key': randomUUID()}, 401, 'INVALID_CONTACT_CENTER'],
    [{'x-api-key': consumer.id}, 403, 'FORBIDDEN'],   // it stands in pages that everybody reads
    [{'x-api-key': designer.id}, 403, 'FORBIDDEN'],
    [{'x-api-key': cluster.id, 'x-ccid': randomUUID()}, 400, 'INVALID_CONTACT_CENTER'],
    [{'x-api-key': cluster.id, 'x-ccid': ccid}, 200, 0],
    [{'x-api-key': own.id, 'x-ccid': ccid.toUpperCase()}, 200, 0],
    [{authorization: admin.token}, 200, 0],
  ];
  for (const [headers, status, code] of rows) {
    const r = await service('PlatformUCS', good, headers);
    assert.deepEqual([r.status, r.json.status.code], [status, code], JSON.stringify(headers));
    assert.match(r.json.operationId, /^[0-9a-f-]{36}$/);
    if (status !== 200) assert.ok(r.json.status.message.length > 5);
  }
  const elsewhere = await service('PlatformUCS', good, {'x-api-key': own.id}, randomUUID());
  assert.deepEqual([elsewhere.status, elsewhere.json.status.code], [401, 'INVALID_CONTACT_CENTER'], "another tenant's key");
  assert.equal((await call('GET', `/provisioning/services/${randomUUID()}`, undefined, {'x-api-key': own.id})).status, 401);
  assert.equal((await call('GET', '/provisioning/tenants', undefined, {'x-api-key': cluster.id})).status, 401, 'keys read no tenants');
  assert.equal((await call('GET', '/apikeys', undefined, {'x-api-key': cluster.id})).status, 401, 'and no keys');
  for (const change of [{revoked: true}, {enabled: false}, {expires: '2020-01-01T00:00:00Z'}]) {
    const dead = await key(['nexus:cluster:*'], '*');
    assert.equal((await call('PUT', `/apikeys/${dead.ref}`, change)).status, 200);
    assert.equal((await service('PlatformUCS', good, {'x-api-key': dead.id})).status, 401, JSON.stringify(change));
  }
  const slow = await key(['nexus:cluster:*'], '*', {capacity: 2, frequency: 60});
  const pace = [];
  for (let i = 0; i < 3; i++) pace.push((await service('PlatformUCS', good, {'x-api-key': slow.id})).status);
  assert.deepEqual(pace, [200, 200, 429]);

  const as = {'x-api-key': cluster.id};
  const channel = (id, url = 'https://hook.example') => ({channelId: id, webhook: {url}});
  const secrets = id => ({channelId: id, webhook: {secret: 'w'}, api: {secret: 'a'}});
  const bad = [
    ['Nothing', good, 404, 'INVALID_SERVICE'], ['platformucs', good, 404, 'INVALID_SERVICE'],
    ['PlatformUCS', {...good, url: 'ftp://x'}], ['PlatformUCS', {secret: {}, data: {}}], ['PlatformUCS', {...good, secret: {clientId: 'x'}}], ['PlatformUCS', {...good, more: 1}],
    ['PlatformUCS', {...good, data: []}], ['PlatformUCS', {...good, url: 7}],
    ['PurecloudIDP', good], ['PurecloudIDP', {...good, secret: {clientId: 'x'}}], ['PurecloudIDP', {...good, secret: {clientId: 'x', clientSecret: ''}}], ['PurecloudIDP', {...good, secret: {clientId: 'x', clientSecret: {set: true}}}],
    ['SMS', {url: 'N/A', secret: {}, data: {}}], ['SMS', {url: 'N/A', secret: {}, data: {provider: 'Async', tokenProvider: 'Purecloud'}}], ['SMS', {url: 'N/A', secret: {}, data: {provider: 'Else'}}],
    ['SMS', {url: 'soon', secret: {}, data: {provider: 'Async'}}], ['Email', {url: 'N/A', secret: {}, data: {tokenProvider: 'Purecloud'}}],
    ['PorticoSMS', {url: 'N/A', secret: {}, data: {}}], ['PorticoEmail', {secret: {}, data: {}}],
    ['Async', {secret: {}, data: {}}], ['Async', {secret: {channels: []}, data: {channels: []}}],
    ['Async', {secret: {channels: [secrets('1650')]}, data: {channels: [channel('1650'), channel('1651')]}}],
    ['Async', {secret: {channels: [secrets('1650'), secrets('1651')]}, data: {channels: [channel('1650'), channel('1650')]}}],
    ['Async', {secret: {channels: [secrets('1650')]}, data: {channels: [channel('1651')]}}],
    ['Async', {secret: {channels: [secrets('+1650')]}, data: {channels: [channel('+1650')]}}],
    ['Async', {secret: {channels: [secrets('a b')]}, data: {channels: [channel('a b')]}}],
    ['Async', {secret: {channels: [secrets('1650')]}, data: {channels: [channel('1650', 'javascript:alert(1)')]}}],
    ['Async', {secret: {channels: [{...secrets('1650'), api: {}}]}, data: {channels: [channel('1650')]}}],
    ['Async', {secret: {channels: [{...secrets('1650'), api: {secret: 'x', more: 1}}]}, data: {channels: [channel('1650')]}}],
  ];
  for (const [name, body, status = 400, code = 'INVALID_PARAMETER'] of bad) {
    const r = await service(name, body, as);
    assert.deepEqual([r.status, r.json.status.code], [status, code], `${name} ${JSON.stringify(body)} ${r.text}`);
    assert.doesNotMatch(r.text, /"[wa]"/);
  }
  for (const body of ['{', '[]', '"x"', '']) assert.deepEqual([(await service('SMS', body, {...as, 'content-type': 'application/json'})).status], [400], body);
  for (const [method, path, status] of [['GET', `/provisioning/services/${ccid}/SMS`, 404], ['DELETE', `/provisioning/services/${ccid}/SMS`, 404], ['PUT', `/provisioning/services/${ccid}/SMS`, 404],
    ['PATCH', `/provisioning/services/${ccid}/PlatformUCS`, 405], ['POST', `/provisioning/services/${ccid}`, 405], ['GET', `/provisioning/services/${ccid}/SMS/x`, 404], ['GET', '/provisioning/services/', 404], ['GET', '/provisioning/services/x', 400]])
    assert.equal((await call(method, path, method === 'PUT' || method === 'POST' ? {url: 'N/A', secret: {}, data: {provider: 'Async'}} : undefined, as)).status, status, `${method} ${path}`);

  const one = {id: ccid, name: 'premise_tenant'};
  for (const [body, status, code] of [[{...one, id: 'x'}, 400, 'INVALID_CONTACT_CENTER'], [{id: ccid}, 400, 'INVALID_PARAMETER'], [{...one, backendurl: 'gws'}, 400, 'INVALID_PARAMETER'], [{...one, genesystenantid: 'one'}, 400, 'INVALID_PARAMETER'],
    [{...one, genesystenantid: -1}, 400, 'INVALID_PARAMETER'], [{...one, username: 'x'.repeat(1001)}, 400, 'INVALID_PARAMETER'], [{...one, id: randomUUID()}, 409, 'TENANT_EXISTS']]) {
    const r = await call('POST', '/provisioning/tenants', body);
    assert.deepEqual([r.status, r.json.status.code], [status, code], JSON.stringify(body).slice(0, 100));
  }
  // a secret that is sent back as it is shown stays; others change; what is deleted is gone
  const idp = {url: 'https://login.example', secret: {clientId: 'the-client', clientSecret: 'the-secret'}, data: {}};
  await service('PurecloudIDP', idp, as);
  const kept = await call('PUT', `/provisioning/services/${ccid}/PurecloudIDP`, {url: 'https://login2.example', secret: {clientId: {set: true}, clientSecret: {set: true}}, data: {}}, as);
  assert.deepEqual([kept.status, kept.json.data.url, kept.json.data.secret], [200, 'https://login2.example', {clientId: {set: true}, clientSecret: {set: true}}]);
  assert.doesNotMatch(kept.text, /the-/);
  assert.equal((await call('DELETE', `/provisioning/services/${ccid}/PurecloudIDP`, undefined, as)).status, 200);
  assert.equal((await call('GET', `/provisioning/services/${ccid}/PurecloudIDP`, undefined, as)).status, 404);
  assert.equal((await call('POST', '/provisioning/tenants', one)).status, 200);
  assert.equal((await call('PUT', `/provisioning/tenants/${ccid}`, {name: 'premise_tenant', username: 'other', token: {set: true}})).json.data.username, 'other');
  assert.equal((await call('DELETE', `/provisioning/tenants/${ccid}`)).status, 200);
  assert.deepEqual((await call('GET', '/provisioning/tenants')).json.data.tenants, []);
  const seen = (await admin.call('GET', '/audit?limit=50')).json.items.map(r => r.action);
  for (const action of ['provisioning.tenant', 'provisioning.service', 'provisioning.remove', 'apikey.create', 'apikey.revoke']) assert.ok(seen.includes(action), action);

  // the roles below administrators, and pages of others with an administrator's cookie
  await admin.call('POST', '/logins', {user: 'sue', password: 'eleven slow otters', role: 'supervisor'});
  const sue = await hub.login('sue', 'eleven slow otters');
  for (const path of ['/apikeys', '/provisioning/tenants', `/provisioning/services/${ccid}`]) assert.equal((await call('GET', path, undefined, {authorization: `Bearer ${sue.token}`})).status, 403, path);
  const entered = await fetch(`${hub.base}/api/v1/auth/login`, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({user: 'admin', password: 'seven quiet herons', cookie: true})});
  const cookie = entered.headers.get('set-cookie').split(';')[0];
  assert.equal((await call('GET', '/apikeys', undefined, {cookie})).status, 200);
  assert.equal((await call('POST', '/apikeys', {enabled: true, tenant: ccid, name: 'x', permissions: ['a']}, {cookie})).status, 401, 'without the header that only our page sends');
  assert.equal((await call('POST', '/apikeys', {enabled: true, tenant: ccid, name: 'x', permissions: ['a']}, {cookie, 'x-dragoman': '1', origin: 'https://evil.example'})).status, 401);
  assert.equal((await call('POST', '/apikeys', {enabled: true, tenant: ccid, name: 'x', permissions: ['a']}, {cookie, 'x-dragoman': '1'})).status, 200);
});

test('/health/detail and the numbers of port 4004 have the shapes and names of the guide', async t => {
  const port = await freePort();
  const {hub} = await guide(t, {env: {DRAGOMAN_METRICS_PORT: String(port)}});
  const detail = await (await fetch(`${hub.base}/health/detail`)).json();
  const shape = v => Array.isArray(v) ? v.map(shape) : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, shape(x)])) : typeof v;
  const n = 'number';
  assert.deepEqual(shape(detail), {
    buildInfo: {version: 'string', changeset: 'string', timestamp: 'string', '@genesys/nexus-ux': 'string', '@genesys/nexus-admin-ux': 'string'}, startTime: 'string',
    os: {upTime: n, freemem: n, loadavg: [n, n, n], totalmem: n}, upTime: n, memoryUsage: {rss: n, heapTotal: n, heapUsed: n, external: n, arrayBuffers: n},
    cache: {ready: 'boolean', state: 'string'}, db: {ready: 'boolean'}, state: 'string'});
  assert.match(detail.startTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.match(detail.buildInfo.timestamp, /^(Sun|Mon|Tue|Wed|Thu|Fri|Sat) [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d UTC \d{4}$/);
  assert.deepEqual([detail.state, detail.db.ready, detail.cache.ready], ['green', true, true]);

  await fetch(`${hub.base}/nothing/here`);
  const {page, text} = await until('what was not found is counted', async () => { // once its answer is sent
    const page = await fetch(`http://127.0.0.1:${port}/metrics`), text = await page.text();
    return Number(/^nexus_request_total (\d+)$/m.exec(text)?.[1]) >= 2 && {page, text};
  });
  assert.match(page.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const types = Object.fromEntries([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(m => [m[1], m[2]]));
  const wanted = {
    counter: ['nexus_request_total', 'nexus_errors_total', 'nexus_redis_errors_total', 'nexus_db_connect_total', 'nexus_db_disconnect_total', 'nexus_db_request_total', 'nexus_db_success_total',
      'nexus_process_cpu_system_seconds_total', 'nexus_process_cpu_seconds_total', 'iwd_process_cpu_user_seconds_total', 'nexus_process_cpu_user_seconds_total'],
    gauge: ['nexus_redis_connections_established', 'nexus_redis_connections_reconnecting', 'nexus_redis_connections_ready', 'nexus_process_start_time_seconds', 'nexus_process_resident_memory_bytes', 'nexus_process_virtual_memory_bytes',
      'nexus_process_heap_bytes', 'nexus_process_open_fds', 'nexus_process_max_fds', 'iwd_nodejs_eventloop_lag_seconds', 'nexus_nodejs_eventloop_lag_seconds'],
    histogram: ['nexus_redis_duration_until_ready', 'nexus_db_request_duration_milliseconds'],
  };
  for (const [type, names] of Object.entries(wanted)) for (const name of names) assert.equal(types[name], type, name);
  const value = re => Number(new RegExp(`^${re} (\\S+)$`, 'm').exec(text)?.[1]);
  assert.ok(value('nexus_request_total') >= 2, 'the log-in and what was not found');
  assert.equal(value('nexus_errors_total'), 0);
  assert.equal(value('nexus_db_connect_total\\{db="store"\\}'), 1);
  assert.ok(value('nexus_db_success_total\\{db="store",command="put"\\}') >= 1);
  assert.ok(value('nexus_db_request_duration_milliseconds_bucket\\{db="store",method="put",le="10000"\\}') >= 1);
  assert.ok(Math.abs(value('nexus_process_resident_memory_bytes') - detail.memoryUsage.rss) < 64e6);
  assert.ok(Math.abs(value('nexus_process_start_time_seconds') * 1000 - Date.parse(detail.startTime)) < 5000);
  assert.doesNotMatch(text, /nexus_nodejs_(active|heap|external|version)/, 'what has no true equal is not made up');
  assert.equal((await fetch(`http://127.0.0.1:${port}/health/detail`)).status, 404, 'nothing else is served there');
  const guideDocs = readFileSync(join(root, 'docs/operations.md'), 'utf8');
  for (const name of Object.values(wanted).flat()) assert.ok(guideDocs.includes(`\`${name}\``), `${name} is documented`);
  // a second hub that wants the same port serves all the same
  const second = await startHub(t, {tenants: [guideTenant()], env: {DRAGOMAN_METRICS_PORT: String(port)}});
  assert.match(await (await fetch(`${second.base}/metrics`)).text(), /^nexus_request_total /m);
  assert.match(second.program.text(), /metrics\.port cannot be had/);
});

test('the two alerts', async () => {
  const promtool = ['/usr/bin/promtool', '/usr/local/bin/promtool', join(root, 'build-test/prometheus/usr/bin/promtool')].find(existsSync);
  assert.ok(promtool, 'promtool is here: DRAGOMAN_SETUP_TESTS=1 tools/setup unpacks it');
  const folder = join(root, 'deploy/prometheus');
  const checked = await run(promtool, ['check', 'rules', join(folder, 'dragoman.rules.yml')]);
  assert.match(checked.stdout, /SUCCESS: 2 rules found/);
  const tested = await run(promtool, ['test', 'rules', join(folder, 'dragoman.rules.test.yml')]);
  assert.match(tested.stdout, /SUCCESS/);
});
