#!/usr/bin/env node
// The long form of the fault tests, with figures. Options: --moments N (100), --seed N (1), --down SECONDS (120), --only NAME.
import {readdirSync} from 'node:fs';
import {parseArgs} from 'node:util';
import {figures} from '../tests/faults/conserved.mjs';

const {values} = parseArgs({options: {moments: {type: 'string', default: '100'}, seed: {type: 'string', default: '1'},
  down: {type: 'string', default: '120'}, only: {type: 'string'}}});
const options = {moments: Number(values.moments), seed: Number(values.seed), downSeconds: Number(values.down)};
const folder = new URL('../tests/faults/', import.meta.url);
let failed = 0, tried = 0;
for (const file of readdirSync(folder).filter(f => f.endsWith('.fault.mjs')).sort()) {
  const fault = await import(new URL(file, folder));
  if (values.only && !file.startsWith(values.only)) continue;
  tried++;
  const after = [];
  const started = Date.now();
  process.stdout.write(`${fault.title(options)} … `);
  try {
    const found = await fault.run({after: fn => after.push(fn)}, options);
    const bad = fault.verdict(found);
    failed += bad ? 1 : 0;
    console.log(`${bad ? `FAILED: ${bad}` : 'ok'} in ${Math.round((Date.now() - started) / 1000)} s\n  ${figures(found)}`);
  } catch (e) {
    failed++;
    console.log(`FAILED: ${e.stack}`);
  }
  for (const fn of after.reverse()) await fn();
}
if (!tried) console.error(`no fault is called ${values.only}`);
process.exit(failed || !tried ? 1 : 0);
