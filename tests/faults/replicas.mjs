// replicas.mjs - what the fault tests of several replicas share.
import {readFileSync} from 'node:fs';

// The processes that this one has started: of a door, its worker.
export const children = pid => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(x => x).map(Number);
