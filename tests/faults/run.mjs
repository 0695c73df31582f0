// run.mjs - the short, seeded form of faults as tests; tools/faults runs the long one.
import test from 'node:test';
import assert from 'node:assert/strict';
import {figures} from './conserved.mjs';
import {patience} from '../e2e/harness.mjs';

export async function runShort(names) {
  for (const name of names) {
    const fault = await import(new URL(`${name}.fault.mjs`, import.meta.url));
    test(fault.title(fault.short), {timeout: 180000 * patience}, async t => {
      const found = await fault.run(t, fault.short);
      console.log(`# ${figures(found)}`);
      assert.equal(fault.verdict(found), undefined);
    });
  }
}
// Those of several processes and their servers: they wait most of the time.
export const several = ['backends', 'chats', 'replicas', 'rotation'];
