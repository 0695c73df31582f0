// The short, seeded form of every fault; tools/faults runs the long one.
import test from 'node:test';
import assert from 'node:assert/strict';
import {readdirSync} from 'node:fs';
import {figures} from './conserved.mjs';

const folder = new URL('.', import.meta.url);
for (const file of readdirSync(folder).filter(f => f.endsWith('.fault.mjs')).sort()) {
  const fault = await import(new URL(file, folder));
  test(fault.title(fault.short), {timeout: 180000}, async t => {
    const found = await fault.run(t, fault.short);
    console.log(`# ${figures(found)}`);
    assert.equal(fault.verdict(found), undefined);
  });
}
