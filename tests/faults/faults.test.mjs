// The short, seeded form of `make faults`.
import test from 'node:test';
import * as scenarios from './scenarios.mjs';

const rows = [
  ['kill -9 at 10 moments under load loses nothing and doubles nothing', scenarios.kills, {moments: 10, longest: 900}],
  ['a second hub on the data directory refuses, the first goes on', scenarios.twoHubs],
  ['a full disk: 503, then recovery by itself', scenarios.diskFull, {seconds: 1}],
  ['a desk that answers 429, 503, late, twice or not at all', scenarios.deskFaults],
  ['a LINE that loses answers: unknown is counted exactly', scenarios.lineFaults, {rounds: 3}],
  ['a desk that is down for 5 s', scenarios.deskDown],
  ['no file descriptors to spare', scenarios.descriptors],
  ['SIGTERM under load', scenarios.terminate],
  ['a clock that jumps a day, forward and back', scenarios.clockJump],
  ['a last record cut or garbled', scenarios.tornTail],
];
for (const [name, run, options] of rows)
  test(name, async t => {
    const figures = await run(t, options);
    if (figures.skipped) t.skip(figures.skipped);
    else t.diagnostic(JSON.stringify(figures));
  });
