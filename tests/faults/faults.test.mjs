// What one hub must bear: every fault but those of faults-several.test.mjs.
import {readdirSync} from 'node:fs';
import {runShort, several} from './run.mjs';

await runShort(readdirSync(new URL('.', import.meta.url)).filter(f => f.endsWith('.fault.mjs')).map(f => f.slice(0, -'.fault.mjs'.length)).filter(f => !several.includes(f)).sort());
