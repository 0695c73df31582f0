// The API document is what others' tools take it for: a validator accepts it, a client generated from it makes a tenant, and the answers fit it.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, symlinkSync, writeFileSync, readFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {goodTenant, startHub} from '../e2e/hub.mjs';
import {need} from '../npm/need.mjs';

const document = async hub => (await hub.anyone.call('GET', '/openapi')).json;

test('a validator accepts the document', async t => {
  const {Validator} = await import(need.resolve('@seriousme/openapi-schema-validator'));
  const hub = await startHub(t);
  const doc = await document(hub);
  const validator = new Validator();
  const r = await validator.validate(structuredClone(doc));
  assert.deepEqual(r.errors ?? [], []);
  assert.equal(r.valid, true);
  assert.equal(validator.version, '3.1');
  validator.resolveRefs();   // throws at a reference that leads nowhere
  const ids = Object.values(doc.paths).flatMap(p => Object.values(p).map(o => o.operationId));
  assert.equal(new Set(ids).size, ids.length);
});

test('a generated client makes a tenant', async t => {
  const {default: openapiTS, astToString} = need('openapi-typescript');
  const ts = need('typescript');
  const hub = await startHub(t);
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-client-'));
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  symlinkSync(join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../npm/node_modules'), join(dir, 'node_modules'));
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  writeFileSync(join(dir, 'api.d.ts'), astToString(await openapiTS(await document(hub))));
  const source = `import createClient from 'openapi-fetch';
import type {paths, components} from './api.js';
export async function make(base: string, user: string, password: string, tenant: components['schemas']['TenantDocument']) {
  const client = createClient<paths>({baseUrl: base});
  const {data: who, error} = await client.POST('/auth/login', {body: {user, password}});
  if (!who) throw new Error(error.detail);
  client.use({onRequest({request}) { request.headers.set('Authorization', 'Bearer ' + who.token); return request; }});
  const made = await client.POST('/tenants', {body: tenant});
  if (!made.data) throw new Error(made.error.detail);
  const read = await client.GET('/tenants/{id}', {params: {path: {id: made.data.id}}});
  return read.data?.name;
}
`;
  writeFileSync(join(dir, 'client.ts'), source);
  const tsc = join(dir, 'node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [tsc, '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom', join(dir, 'client.ts')], {cwd: dir, stdio: 'pipe'});
  } catch (e) { assert.fail(`the client does not compile: ${e.stdout}`); }
  writeFileSync(join(dir, 'client.js'), ts.transpileModule(source, {compilerOptions: {target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022}}).outputText);
  const {make} = await import(pathToFileURL(join(dir, 'client.js')));
  const {adminPassword} = await import('../e2e/hub.mjs');
  assert.equal(await make(`${hub.base}/api/v1`, 'admin', adminPassword, goodTenant('Made by a client')), 'Made by a client');
});

test('every answer that can be read fits the document', async t => {
  const Ajv2020 = need('ajv/dist/2020.js').default;
  const hub = await startHub(t);
  const admin = await hub.login();
  const doc = await document(hub);
  const made = await admin.call('POST', '/tenants', goodTenant());
  assert.equal(made.status, 201, made.text);
  const ajv = new Ajv2020({strict: false, allErrors: true, validateFormats: false});
  ajv.addSchema(doc, 'doc');
  const values = {'/tenants/{id}': made.json.id, '/connectors/{name}': 'line'};
  const queries = {'/messages': '?q=hello'};
  let checked = 0;
  for (const [path, methods] of Object.entries(doc.paths)) {
    const schema = methods.get?.responses['200']?.content?.['application/json']?.schema;
    if (!schema?.$ref || (path.includes('{') && !values[path])) continue;
    const r = await admin.call('GET', path.replace(/\{\w+\}/, values[path]) + (queries[path] ?? ''));
    assert.equal(r.status, 200, `${path}: ${r.text}`);
    const check = ajv.compile({$ref: `doc${schema.$ref}`});
    assert.ok(check(r.json), `${path}: ${JSON.stringify(check.errors?.slice(0, 5))}\n${r.text.slice(0, 2000)}`);
    checked++;
  }
  assert.ok(checked >= 8, `${checked} answers checked`);
  const bad = await admin.call('POST', '/tenants', {name: 'x', desk: {type: 'genesys-cloud'}});
  const problem = ajv.compile({$ref: 'doc#/components/schemas/Problem'});
  assert.ok(problem(bad.json), JSON.stringify(problem.errors));
});
