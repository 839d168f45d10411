// A server whose clocks the test moves, by preloading clock_shim.c.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratchDirectory } from './scratch.js';

const source = fileURLToPath(new URL('clock_shim.c', import.meta.url));
let library;

/** The clocks of the programs that are started with `env`: milliseconds that are added to the real ones. */
export class Clocks {
  #file;

  constructor() {
    const directory = scratchDirectory();
    this.#file = path.join(directory, 'offsets');
    library ??= build(path.join(scratchDirectory(), 'clock_shim.so'));
    this.env = {
      CLOCK_SHIM_FILE: this.#file,
      LD_PRELOAD: library,
      // The shim stands before the sanitizer, which is as it should be.
      ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? 'detect_leaks=1:abort_on_error=0'}:verify_asan_link_order=0`,
    };
    this.set({});
  }

  /** Takes effect at once in programs that run. */
  set({ wall = 0, monotonic = 0 }) {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64LE(BigInt(wall), 0);
    bytes.writeBigInt64LE(BigInt(monotonic), 8);
    // In place: the programs have mapped the file.
    const file = fs.openSync(this.#file, fs.constants.O_RDWR | fs.constants.O_CREAT);
    fs.writeSync(file, bytes, 0, 16, 0);
    fs.closeSync(file);
  }
}

function build(target) {
  execFileSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-O2', '-o', target, source], { stdio: ['ignore', 'inherit', 'inherit'] });
  return target;
}
