// The store through simulated power cuts: tests/power_cut. What a driver does to its files is recorded; then the disk is left as
// a power cut at a random point might leave it, and everything that was acknowledged by then must be there, and nothing else.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { chanceOf, seed } from '../support/chance.js';
import { FaultyDisk } from '../support/faulty_disk.js';
import { scratchDirectory } from '../support/scratch.js';
import { binary, cleanEnvironment } from '../support/server.js';

const traces = Number(process.env.ROOMCAST_SOAK_TRACES ?? 2);
const points = Number(process.env.ROOMCAST_SOAK_POINTS ?? 200);
const steps = 300; // of each of the three runs in a trace
const program = path.join(path.dirname(binary), 'store_power_cut');
// In memory, where syncing costs nothing.
const base = fs.existsSync('/dev/shm') ? '/dev/shm' : undefined;

/** Records three runs, of which two end like a crash, and cuts the power: `{ code, counts, output }`. */
async function cutPower(trace_seed, { cuts = points, rules = [], mode = [] } = {}) {
  const scratch = base ? fs.mkdtempSync(path.join(base, 'roomcast-power-')) : scratchDirectory();
  try {
    const disk = new FaultyDisk(path.join(scratch, 'store'));
    const trace = path.join(scratch, 'trace');
    const run = (args, env) => promisify(execFile)(program, args.map(String), { env: cleanEnvironment(env), timeout: 600_000 })
      .then(({ stdout }) => ({ code: 0, stdout }), ({ code, stdout, stderr }) => ({ code, stdout: `${stdout}${stderr}` }));
    for (const [i, end] of ['kill', 'kill', 'stop'].entries()) {
      disk.follow(...rules);
      const drive = () => run(['drive', disk.directory, trace_seed, i * steps, steps, end, ...mode], { ...disk.env, DISK_SHIM_TRACE: trace });
      let driven = await drive();
      const has_failed = disk.failed.length > 0;
      if (has_failed && /^store_power_cut: store\.path: .*Input\/output error/.test(driven.stdout)) {
        // What failed was the start, which says so: somebody starts it again.
        disk.follow();
        driven = await drive();
      }
      assert.equal(driven.code, 0, driven.stdout);
      assert.equal(has_failed, rules.length > 0, 'what was to fail');
    }
    const { code, stdout } = await run(['check', trace, trace_seed, 3 * steps, cuts, path.join(scratch, 'state')], {});
    const counts = Object.fromEntries([...stdout.matchAll(/(points|acknowledged messages|unsynced bytes|lost|false|refused) (\d+)/g)].map(([, name, value]) => [name, Number(value)]));
    return { code, counts, output: stdout };
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

describe(`power cuts, ROOMCAST_SEED=${seed}`, () => {
  const chance = chanceOf(seed);
  /** A rule that has calls fail, at a random place of each run. */
  const failing = (call, count) => `fail ${call} ${20 + chance.below(60)} ${count} EIO`;

  for (let i = 0; i < traces; i += 1) {
    // Every other trace has failing calls: after a failed sync the bytes may be nowhere, whatever later syncs say.
    const rules = i % 2 === 0 ? [] : [failing('fdatasync', 1 + chance.below(4)), failing('fdatasync', 1), `${failing('pwrite', 2)} -wal`];
    it(`trace ${i + 1}: ${points} cuts lose nothing${rules.length > 0 ? `, with ${rules.join(', ')}` : ''}`, { timeout: 900_000 }, async () => {
      const { code, counts, output } = await cutPower(seed + i, { rules });
      console.log(`ROOMCAST_SEED=${seed}, trace ${i + 1}: ${output.trim().split('\n').at(-1)}`);
      assert.deepEqual([code, counts.points, counts.lost, counts.false, counts.refused], [0, points, 0, 0, 0], output);
      assert.ok(counts['acknowledged messages'] > 100 * points && counts['unsynced bytes'] > 0);
    });
  }

  it('control: with synchronous=NORMAL messages are lost', { timeout: 900_000 }, async () => {
    const { code, counts, output } = await cutPower(seed, { cuts: 50, mode: ['normal'] });
    console.log(`control: ${output.trim().split('\n').at(-1)}`);
    assert.equal(code, 1);
    assert.ok(counts.lost > 50, output);
  });
});
