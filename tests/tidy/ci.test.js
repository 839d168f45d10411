// Continuous integration runs both commands whatever the first one returns, and fails if either does.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { root } from './tree.js';

/** Runs `.ci/run` with a `dev` whose commands exit with `codes`: returns its calls and exit code. */
function run(codes) {
  const folder = mkdtempSync(path.join(tmpdir(), 'roomcast-ci-'));
  try {
    const cases = Object.entries(codes).map(([command, code]) => `${command}) exit ${code} ;;`).join(' ');
    writeFileSync(path.join(folder, 'dev'), `#!/bin/sh\necho "$@" "CI=$CI" >>calls\ncase "$1" in ${cases} esac\n`);
    chmodSync(path.join(folder, 'dev'), 0o755);
    mkdirSync(path.join(folder, '.ci'));
    cpSync(path.join(root, '.ci/run'), path.join(folder, '.ci/run'));
    const { status } = spawnSync(path.join(folder, '.ci/run'));
    return { status, calls: readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const all = ['install-deps test CI=true', 'test CI=true', 'check CI=true'];

describe('.ci/run', () => {
  for (const [test, check, status] of [[0, 0, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]]) {
    it(`ends with ${status} when test ends with ${test} and check with ${check}`, () => {
      assert.deepEqual(run({ test, check }), { status, calls: all });
    });
  }

  it('stops where packages cannot be installed', () => {
    assert.deepEqual(run({ 'install-deps': 1 }), { status: 1, calls: all.slice(0, 1) });
  });
});
