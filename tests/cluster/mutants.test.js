// What the cluster tests find when the engine has a defect. The program has no switch for that: a copy of it is run, whose scripts are
// changed in place.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { seed } from '../support/chance.js';
import { eventually, seconds, sleep } from '../support/deadline.js';
import { scratchDirectory } from '../support/scratch.js';
import { binary } from '../support/server.js';
import { keeping } from './redis_process.js';
import { runs_all, single } from './rows.js';
import { Session } from './session.js';

/** A copy of the program in which `text` of a script is `instead`, which is as long or shorter. */
function mutant(text, instead) {
  const bytes = fs.readFileSync(binary);
  let places = 0;
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + text.length)) {
    bytes.write(instead.padEnd(text.length), at, 'latin1');
    places += 1;
  }
  assert.ok(places > 0, `no script has ${text}`);
  const program = path.join(scratchDirectory(), 'mutant');
  fs.writeFileSync(program, bytes, { mode: 0o755 });
  return program;
}

const mutants = [
  {
    name: 'no new epoch where the log has lost its end: a place is given twice', quick: true, finds: 'I1',
    text: 'if meta[3] ~= term then', instead: 'if false then', redis: keeping.snapshots,
    async act({ redis }) {
      await redis.ask('SAVE');
      await sleep(2_000);
      await redis.awayFor(0);
    },
  },
  {
    name: 'a batch that may have been published is not looked for: it stands there twice', finds: 'I2',
    text: "if ARGV[12] ~= '' then\n  local place", instead: 'if false then\n  local place',
    async act({ nodes }) {
      for (let i = 0; i < 10; i += 1) {
        nodes[i % nodes.length].proxy.cut('command');
        await sleep(200);
      }
    },
  },
];

describe(`defects that are found, ROOMCAST_SEED=${seed}`, () => {
  mutants.forEach(({ name, quick, finds, text, instead, redis, act }, number) => {
    it(name, { timeout: seconds(150), skip: !quick && !runs_all && './dev cluster-test' }, async () => {
      const cluster = await single({ redis, program: mutant(text, instead) });
      const session = new Session(cluster, number);
      const violations = () => [...session.chronicles.values()].flatMap((chronicle) => chronicle.violations);
      try {
        session.begin();
        await sleep(1_000);
        await act(cluster);
        await eventually(() => violations().some((one) => one.startsWith(finds)), `a violation of ${finds}`, seconds(30)).catch((error) => {
          throw new Error(`${error.message}; found: ${violations().slice(0, 5)}`);
        });
      } finally {
        session.end();
        await cluster.end();
      }
    });
  });
});
