// What the cluster tests would find if Redis's scripts did not look at the term: the program itself has no switch for that, so a copy of
// it is run whose scripts are changed in place.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { seed } from '../support/chance.js';
import { eventually, seconds, sleep } from '../support/deadline.js';
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

/** Does `act` to a cluster of servers that never begin a new epoch, under load, and expects that I1 is violated. */
async function expectFound(makeCluster, act) {
  process.env.ROOMCAST_BINARY = mutant('if meta[3] ~= term then', 'if false then');
  const rows = await import('./rows.js');
  const { Session } = await import('./session.js');
  const cluster = await makeCluster(rows);
  const session = new Session(cluster);
  try {
    session.begin();
    await sleep(1_000);
    await act(cluster);
    const violations = () => [...session.chronicles.values()].flatMap((chronicle) => chronicle.violations);
    await eventually(() => violations().some((text) => text.startsWith('I1 ')), 'a place that has two messages', seconds(30)).catch((error) => {
      throw new Error(`${error.message}; found: ${violations().slice(0, 5)}`);
    });
  } finally {
    session.end();
    await cluster.end();
  }
}

describe(`without forks, ROOMCAST_SEED=${seed}`, () => {
  it('a place is given twice after a restart from a snapshot', { timeout: seconds(150) }, async () => {
    const { keeping } = await import('./redis_process.js');
    await expectFound(({ single }) => single({ redis: keeping.snapshots }), async ({ redis }) => {
      await redis.ask('SAVE');
      await sleep(2_000);
      await redis.awayFor(0);
    });
  });
});
