// What several processes and their servers must bear.
import {runShort, several} from './run.mjs';

await runShort(several);
