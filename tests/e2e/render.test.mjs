// dragoman render over the cases of tests/template: one answer a line, in order, and it goes on after errors.
import test from 'node:test';
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {bin, root} from './harness.mjs';

const dir = join(root, 'tests/template');
const render = lines => {
  const r = spawnSync(bin, ['render'], {input: lines.join('\n') + '\n', maxBuffer: 64 << 20, timeout: 60000});
  assert.equal(r.status, 0, String(r.stderr));
  return r.stdout.toString().trim().split('\n').map(l => JSON.parse(l));
};

for (const file of readdirSync(dir).filter(f => f.endsWith('.jsonl'))) {
  test(`templates: ${file}`, () => {
    const cases = readFileSync(join(dir, file), 'utf8').split('\n').filter(l => l.trim()).map(l => JSON.parse(l));
    const got = render(cases.map(c => JSON.stringify(c)));
    assert.equal(got.length, cases.length);
    cases.forEach((c, i) => {
      if (c.stage !== undefined) {
        assert.equal(got[i].stage, c.stage, `${c.template}: ${JSON.stringify(got[i])}`);
        if (c.error) assert.ok(got[i].error.includes(c.error), `${c.template}: ${got[i].error}`);
      } else assert.equal(got[i].output, c.output, `${c.template}: ${JSON.stringify(got[i])}`);
    });
  });
}

test('render: unusable lines are answered, bytes that are no text come as base64', () => {
  const got = render(['no json', '{"template":3}', '{"template":"{{b64dec \\"/w==\\"}}"}', '{"template":"a","mode":"x"}', '{"template":"ok"}']);
  assert.equal(got[0].stage, 'parse');
  assert.equal(got[1].stage, 'parse');
  assert.equal(got[2].output_b64, '/w==');
  assert.equal(got[3].stage, 'parse');
  assert.equal(got[4].output, 'ok');
});
