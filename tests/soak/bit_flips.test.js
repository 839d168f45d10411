// Single bits flipped in the files of a store: tests/bit_flips. Wrong bytes are never handed out, and nothing is lost without a
// word; a store without checksums of records must be caught.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { seed } from '../support/chance.js';
import { scratchDirectory } from '../support/scratch.js';
import { binary, cleanEnvironment } from '../support/server.js';

const flips = Number(process.env.ROOMCAST_SOAK_FLIPS ?? 100); // in each file of each state

describe(`flipped bits, ROOMCAST_SEED=${seed}`, { concurrency: true }, () => {
  const flip = (program) => promisify(execFile)(
    path.join(path.dirname(binary), 'tests', program),
    ['--flips', `${flips}`, '--seed', `${seed}`, '--scratch', scratchDirectory()],
    { env: cleanEnvironment({}), timeout: 3_600_000 },
  ).then(({ stdout }) => ({ code: 0, output: stdout }), ({ code, stdout, stderr }) => ({ code, output: `${stdout}${stderr}` }));

  it(`${flips} in each file: an error, a gap or nothing, and never other bytes`, { timeout: 3_600_000 }, async () => {
    const { code, output } = await flip('store_bit_flips');
    console.log(`ROOMCAST_SEED=${seed}: ${output.trim()}`);
    assert.equal(code, 0, output);
  });

  it('control: without checksums of records other bytes are handed out', { timeout: 3_600_000 }, async () => {
    const { code, output } = await flip('store_bit_flips_unchecked');
    assert.equal(code, 0, output);
  });
});
