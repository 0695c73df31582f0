// What is asked about contacts and of operations, once more with hubs of one process that keep all but their journal in PostgreSQL: the same files, run with DRAGOMAN_TEST_STORE.
import test from 'node:test';
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {join} from 'node:path';
import {patience, root} from './harness.mjs';
import {startPostgres} from './servers.mjs';

const files = ['contacts', 'operations']; // with a broker beside it, all others as well: with-backends.mjs

async function run(file, env) {
  const child = spawn(process.execPath, ['--test', '--test-reporter=tap', join(root, 'tests/e2e', `${file}.test.mjs`)], {stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, ...env}});
  let text = '';
  for (const out of [child.stdout, child.stderr]) out.on('data', d => { text += d; });
  const code = await new Promise(resolve => child.on('close', resolve));
  return {code, text};
}

for (const file of files)
  test(`${file} in PostgreSQL`, {timeout: 400000 * patience}, async t => {
    const pg = await startPostgres(t);
    const {code, text} = await run(file, {DRAGOMAN_TEST_STORE: pg.uri, DRAGOMAN_TEST_PSQL: pg.psql, NODE_TEST_CONTEXT: undefined}); // not a part of this run
    assert.equal(code, 0, text.split('\n').filter(l => !/^ *(ok|duration_ms|---|\.\.\.|type:)/.test(l)).slice(-80).join('\n'));
    assert.ok(Number(/^# pass (\d+)$/m.exec(text)?.[1]) > 0, 'some tests ran');
    assert.ok(Number(pg.sql("SELECT count(*) FROM pg_tables WHERE tablename='history_message'")) > 0, 'their histories are here');
  });
