// clock.mjs - a wall clock for one hub that the test moves; the monotonic one goes on as it is.
//
//   const clock = movableClock(dir);               // {...clock.env} into the program's environment
//   clock.later(86400);                            // seconds from the true time on
import {execFileSync} from 'node:child_process';
import {openSync, writeFileSync, writeSync} from 'node:fs';
import {join} from 'node:path';

export function movableClock(dir) {
  const [shim, file] = [join(dir, 'clock.so'), join(dir, 'offset')];
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', shim, new URL('../faults/clock.c', import.meta.url).pathname, '-ldl']);
  writeFileSync(file, Buffer.alloc(4096));
  const clock = openSync(file, 'r+');
  return {
    env: {LD_PRELOAD: shim, CLOCK_FILE: file, ASAN_OPTIONS: 'detect_leaks=0:verify_asan_link_order=0'},
    later(seconds) { const b = Buffer.alloc(8); b.writeBigInt64LE(BigInt(seconds)); writeSync(clock, b, 0, 8, 0); },
  };
}
