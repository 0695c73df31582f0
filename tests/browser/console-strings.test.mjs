// The catalogues of the console and of the desk: every text a person reads comes from them, none is missing in a language, none is left over; and the
// pages' types fit.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {bin, root} from '../e2e/harness.mjs';
import {startHub} from '../e2e/hub.mjs';
import {need} from '../npm/need.mjs';

const ts = need('typescript');
const languages = ['en', 'fr', 'ja', 'ko', 'zh', 'vi'];
const readText = (name, file) => JSON.parse(readFileSync(join(root, 'web', name, 'locales', file), 'utf8'));
const sourcesOf = name => readdirSync(join(root, 'web', name)).filter(f => /\.tsx?$/.test(f)).map(f => ts.createSourceFile(f, readFileSync(join(root, 'web', name, f), 'utf8'), ts.ScriptTarget.ES2022, true, f.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS));
const each = (node, visit) => { visit(node); node.forEachChild(child => each(child, visit)); };
const at = (source, node) => `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
const blanks = text => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(m => m[1]).sort().join();

for (const name of ['console', 'desk']) {
const texts = Object.fromEntries(languages.map(l => [l, readText(name, `${l}.json`)]));
const sources = sourcesOf(name);

test(`${name}: each language has each text, with the same blanks to fill`, () => {
  for (const l of languages.slice(1)) {
    assert.deepEqual(Object.keys(texts[l]).filter(k => !(k in texts.en)), [], `${l} has texts that English has not`);
    assert.deepEqual(Object.keys(texts.en).filter(k => !texts[l][k]), [], `${l} lacks`);
    for (const [k, v] of Object.entries(texts.en)) assert.equal(blanks(texts[l][k]), blanks(v), `${l}: ${k}`);
    const same = Object.keys(texts.en).filter(k => texts[l][k] === texts.en[k]).length;
    assert.ok(same < Object.keys(texts.en).length / 10, `${l} is a language of its own: ${same} texts are the English ones`);
  }
  if (name === 'console') for (const [english, rows] of Object.entries(readText(name, 'settings.json'))) assert.ok(rows.length === 5 && rows.every(Boolean), `settings.json: ${english}`);
});

test(`${name}: every key is used, every used key is there`, () => {
  const literals = new Set(), groups = new Set(), missing = [];
  for (const source of sources)
    each(source, node => {
      if (ts.isStringLiteralLike(node)) literals.add(node.text);
      if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return;
      const [first] = node.arguments;
      if (node.expression.text === 't' && first && ts.isStringLiteralLike(first) && !(first.text in texts.en)) missing.push(`${at(source, node)} ${first.text}`);
      if (node.expression.text === 'word') { // a group and a word of the API's
        assert.ok(ts.isStringLiteralLike(first), at(source, node));
        groups.add(first.text);
      }
    });
  assert.deepEqual(missing, []);
  assert.deepEqual(Object.keys(texts.en).filter(k => !literals.has(k) && !groups.has(k.split('.')[0])), [], 'left over');
});

test(`${name}: no page says anything that is not in the catalogue`, () => {
  const said = new Set(['aria-label', 'title', 'placeholder', 'alt', 'help', 'label']), bare = [];
  const names = /^(Dragoman|p50|p99|http:\/\/proxy\.example\.com:3128)$/; // a name, two measures, an example of an address
  const check = (source, node, text) => { if (/\p{L}{2}/u.test(text) && !names.test(text.trim())) bare.push(`${at(source, node)} ${text.trim()}`); };
  for (const source of sources.filter(s => s.fileName.endsWith('x')))
    each(source, node => {
      if (ts.isJsxText(node)) check(source, node, node.text);
      if (ts.isJsxAttribute(node) && said.has(node.name.getText()) && node.initializer && ts.isStringLiteral(node.initializer)) check(source, node, node.initializer.text);
    });
  assert.deepEqual(bare, []);
});
}

// What comes out of the program's own tables is shown by these catalogues, too: they must have it all.
const source = path => readFileSync(join(root, 'src', path), 'utf8');
const rows = (path, pattern) => [...source(path).matchAll(pattern)].map(m => m[1]);
const names = (path, table) => { // those in { … } behind NAME[…] =
  const text = source(path), from = text.indexOf(`${table}[`);
  assert.ok(from >= 0, `${path}: ${table}`);
  return [...text.slice(from, text.indexOf('};', from)).matchAll(/"([^"]+)"/g)].map(m => m[1]);
};
const audited = () => [...new Set(readdirSync(join(root, 'src/api'), {recursive: true}).filter(f => /(?<!_test)\.c$/.test(f)).flatMap(f =>
  rows(join('api', f), /"((?:apikey|channel|contact|conversation|journal|login|provisioning|queue|response|settings|storage|tenant|user)\.[a-z]+|backup|restore)"/g)))]
  .filter(x => !/^(journal\.db|tenant\.json|settings\.notifiers)$/.test(x));

test('console: each word that the program says has its text', () => {
  const en = readText('console', 'en.json');
  const words = {
    kind: [...rows('hub/kinds.def', /^X\(\w+,\s*"([^"]+)"/gm), ...names('hub/message.c', 'event_names')],
    status: names('hub/message.c', 'status_names'), reason: names('hub/message.c', 'reason_names'), rule: rows('hub/rules.def', /^X\("([^"]+)"/gm),
    state: names('journal/record.c', 'jstate_names'), part: names('hub/refused.c', 'refused_parts'), matched: names('store/contact_db.c', 'contact_how_names'),
    role: names('api/operation.c', 'role_names').filter(r => r !== 'none'), fate: names('api/schemas.c', 'fates'), topic: names('api/schemas.c', 'topics'), action: audited(),
  };
  for (const [group, list] of Object.entries(words)) {
    assert.ok(list.length >= 2, `${group} was found`);
    assert.deepEqual(list.filter(w => !(`${group}.${w}` in en)), [], `${group}: without a text`);
  }
  assert.deepEqual(Object.keys(en).filter(k => k.startsWith('action.') && !words.action.includes(k.slice(7))), [], 'actions that nobody does');
});

test('console: each label and each help of a setting is there in each language', {skip: existsSync(bin) ? false : 'the program is not built'}, async t => {
  const admin = await (await startHub(t)).login();
  const shown = new Map();
  const walk = (schema, path) => {
    for (const text of [schema.title, schema.description]) if (text) shown.set(text, path);
    for (const [name, member] of Object.entries(schema.properties ?? {})) walk(member, `${path}.${name}`);
  };
  const all = [(await admin.get('/connectors')).items, (await admin.get('/storages')).types, (await admin.get('/notifiers')).items,
    {name: 'commander', schema: (await admin.get('/commander')).schema}].flat();
  for (const {name, schema} of all) for (const [member, of] of Object.entries(schema.properties)) walk(of, `${name}.${member}`);
  assert.ok(shown.size > 200, `${shown.size} texts`);
  const settings = readText('console', 'settings.json');
  assert.deepEqual([...shown].filter(([text]) => !Object.hasOwn(settings, text)).map(([text, path]) => `${path}: ${text}`), [], 'not translated');
  assert.deepEqual(Object.keys(settings).filter(text => !shown.has(text)), [], 'left over');
  for (const [english, row] of Object.entries(settings)) for (const [i, text] of row.entries()) assert.ok(text !== english || english.length < 30 || /^[\x20-\x7e]*$/.test(text), `${languages[i + 1]}: ${english}`);
});

test('the pages\' types fit', {skip: existsSync(join(root, 'web/node_modules/typescript')) ? false : 'web/node_modules is not there'}, () => {
  try {
    execFileSync(process.execPath, [join(root, 'web/node_modules/typescript/bin/tsc'), '--noEmit', '-p', join(root, 'web')], {stdio: 'pipe'});
  } catch (e) {
    assert.fail(String(e.stdout ?? e));
  }
});
