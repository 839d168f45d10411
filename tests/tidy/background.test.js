// What `./dev test` does behind its stages: unit tests are compiled while the wire tests run, but not while those run that need
// a quiet machine; and what does not compile fails.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { root } from './tree.js';

const passes = `import { it } from 'node:test';
it('passes', () => {});
`;
/** Wire tests: one that waits until the unit tests are being compiled, and one that runs alone and looks at ninja then. */
const sees_compiling = `import { existsSync } from 'node:fs';
import { it } from 'node:test';
it('sees the unit tests being compiled', async () => {
  for (const end = Date.now() + 60_000; !existsSync('compiling');) {
    if (Date.now() > end) throw new Error('nothing is compiled');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
`;
const sees_quiet = `import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { it } from 'node:test';
it('sees that ninja is stopped', () => {
  let name, state, parent = readFileSync('compiling', 'utf8').trim();
  while (name !== 'ninja') [, name, state, parent] = /^\\d+ \\((.*)\\) (\\w) (\\d+)/.exec(readFileSync('/proc/' + parent + '/stat', 'utf8'));
  assert.equal(state, 'T');
  writeFileSync('was_quiet', '');
});
`;

/** Runs `./dev test` in a tree with the wire tests `wire`, whose unit test is compiled by the shell command `compiler` in build/release. */
function dev_test(compiler, wire) {
  const tree = mkdtempSync(path.join(tmpdir(), 'roomcast-dev-'));
  const write = (name, text, mode) => {
    mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
    writeFileSync(path.join(tree, name), text, { mode });
  };
  try {
    for (const name of ['dev', 'CMakePresets.json', '.ci', 'tests/front_door', 'tests/package.json', 'tests/package-lock.json']) {
      cpSync(path.join(root, name), path.join(tree, name), { recursive: true });
    }
    symlinkSync(path.join(root, 'tests/node_modules'), path.join(tree, 'tests/node_modules'));
    mkdirSync(path.join(tree, 'src'));
    write('compile.sh', compiler);
    write('CMakeLists.txt', `cmake_minimum_required(VERSION 3.25)
project(small LANGUAGES NONE)
enable_testing()
add_test(NAME unit_base COMMAND true)
foreach(target roomcast roomcast-bench disk_shim)
  add_custom_target(\${target} ALL)
endforeach()
add_custom_target(unit_base ALL COMMAND sh \${PROJECT_SOURCE_DIR}/compile.sh)
`);
    for (const name of ['tidy/a', 'tidy/docs', 'e2e/a']) write(`tests/${name}.test.js`, passes);
    for (const [name, text] of Object.entries(wire)) write(`tests/wire/${name}.test.js`, text);
    const env = { ...process.env, CI: '' };
    delete env.NODE_TEST_CONTEXT;
    const { status, stdout, stderr } = spawnSync(path.join(tree, 'dev'), ['test'], { cwd: tree, env, encoding: 'utf8', timeout: 240_000 });
    return { status, printed: `${stdout}\n${stderr}`, totals: stdout.slice(stdout.indexOf('== totals')), was_quiet: existsSync(path.join(tree, 'was_quiet')) };
  } finally {
    rmSync(tree, { recursive: true });
  }
}

describe('./dev test', () => {
  it('compiles unit tests behind the wire tests, stops for those that run alone, and ends what is not done when it is needed', () => {
    // The first time it takes a minute; with the wire tests over it is done at once.
    const { status, printed, totals, was_quiet } = dev_test('cd ../..; [ ! -e was_quiet ] || exit 0; echo $$ >compiling.new; mv compiling.new compiling; exec sleep 60', { '10_a': sees_compiling, '62_storm': sees_quiet });
    assert.equal(status, 0, printed);
    assert.ok(was_quiet);
    assert.match(totals, /^unit +1 passed +0 failed .* ok$/m);
    assert.match(totals, /^\d+ passed, 0 failed$/m);
  });

  it('fails where a unit test does not compile, and shows why', () => {
    const { status, totals, printed } = dev_test('cd ../..; echo $$ >compiling; echo "no such header"; exit 1', { '10_a': sees_compiling });
    assert.equal(status, 1, printed);
    assert.match(totals, /^unit +0 passed +1 failed .*FAILED/m);
    assert.match(printed.slice(printed.indexOf('== what failed in unit')), /no such header/);
  });
});
