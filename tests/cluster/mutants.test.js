// What the cluster tests would find if Redis's scripts did not look at the term: the program itself has no switch for that, so a copy of
// it is run whose scripts are changed in place.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { seed } from '../support/chance.js';
import { seconds, sleep } from '../support/deadline.js';
import { scratchDirectory } from '../support/scratch.js';

const original = path.resolve(process.env.ROOMCAST_BINARY ?? 'build/release/roomcast');

/** A copy of the program in which `text` of a script is `instead`, which is as long or shorter. */
function mutant(text, instead) {
  const bytes = fs.readFileSync(original);
  let places = 0;
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + text.length)) {
    bytes.write(instead.padEnd(text.length), at, 'latin1');
    places += 1;
  }
  assert.ok(places > 0, `no script has ${text}`);
  const file = path.join(scratchDirectory(), 'mutant');
  fs.writeFileSync(file, bytes, { mode: 0o755 });
  return file;
}

it(`without forks a place is given twice after a restart, ROOMCAST_SEED=${seed}`, { timeout: seconds(150) }, async () => {
  process.env.ROOMCAST_BINARY = mutant('if meta[3] ~= term then', 'if false then');
  const { Cluster } = await import('./cluster.js');
  const { keeping } = await import('./redis_process.js');
  const { Session } = await import('./session.js');
  const cluster = await Cluster.start({ redis: keeping.snapshots });
  const session = new Session(cluster);
  try {
    session.begin();
    await sleep(1_000);
    await cluster.redis.ask('SAVE');
    await sleep(2_000);
    await cluster.redis.awayFor(0);
    await sleep(3_000);
    const violations = [...session.chronicles.values()].flatMap((chronicle) => chronicle.violations);
    assert.ok(violations.some((text) => text.startsWith('I1 ')), `nothing found: ${violations.slice(0, 5)}`);
  } finally {
    session.end();
    await cluster.end();
  }
});
