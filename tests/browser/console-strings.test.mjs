// The catalogues of the console and of the desk: every text a person reads comes from them, none is missing in a language, none is left over; and the
// pages' types fit.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {root} from '../e2e/harness.mjs';
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

test('the pages\' types fit', {skip: existsSync(join(root, 'web/node_modules/typescript')) ? false : 'web/node_modules is not there'}, () => {
  try {
    execFileSync(process.execPath, [join(root, 'web/node_modules/typescript/bin/tsc'), '--noEmit', '-p', join(root, 'web')], {stdio: 'pipe'});
  } catch (e) {
    assert.fail(String(e.stdout ?? e));
  }
});
