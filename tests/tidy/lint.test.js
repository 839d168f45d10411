// tests/lint.js puts the sources of a folder together for clang-tidy: what is wrong is named by its place in the source, and what
// was found clean is looked at again only when it could have changed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from './tree.js';

const tool = ['clang-tidy-14', 'clang-tidy'].find((name) => /version 14\./.test(spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout ?? ''));

describe('lint', { skip: tool ? false : 'clang-tidy 14 is not here' }, () => {
  let tree;
  const write = (name, text) => {
    mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
    writeFileSync(path.join(tree, name), text);
  };
  /** What is found, each as "FILE:LINE CHECK", and how many batches were looked at. */
  const lint = (...filter) => {
    const { status, stdout } = spawnSync('node', ['tests/lint.js', tool, '2', path.join(tree, 'build'), ...filter], { cwd: tree, encoding: 'utf8' });
    const found = [...stdout.matchAll(/^(.*?):(\d+):\d+: error: .*\[([\w.-]+)/gm)].map(([, file, line, check]) => `${path.relative(tree, file)}:${line} ${check}`);
    assert.equal(status, found.length > 0 ? 1 : 0, stdout);
    return [found, Number(/, (\d+) of them changed/.exec(stdout)[1])];
  };

  before(() => {
    tree = mkdtempSync(path.join(tmpdir(), 'roomcast-lint-'));
    for (const name of ['.clang-tidy', 'tests/lint.js', 'tests/tidy/tree.js', 'tests/package.json']) cpSync(path.join(root, name), path.join(tree, name));
    write('src/one/a.h', '#pragma once\nint a(int value);\n');
    write('src/one/a.cpp', '#include "one/a.h"\n\nint a(int value) { return value; }\n');
    write('src/one/b.cpp', '#include "one/a.h"\n\nint* b() {\n  return 0;\n}\n');
    write('src/two/c.cpp', 'int c(bool is_first) {\n  int* where = nullptr;\n  if (is_first) return *where;\n  return 1;\n}\n');
    const entry = (name) => ({ directory: tree, command: `c++ -std=c++20 -I${tree}/src -o x.o -c ${tree}/src/${name}`, file: `${tree}/src/${name}` });
    write('build/release/compile_commands.json', JSON.stringify(['one/a.cpp', 'one/b.cpp', 'two/c.cpp'].map(entry)));
  });
  after(() => rmSync(tree, { recursive: true }));

  it('names the places in the sources', () => {
    const [found, looked] = lint();
    assert.deepEqual(found.sort(), ['src/one/b.cpp:4 modernize-use-nullptr', 'src/two/c.cpp:3 clang-analyzer-core.NullDereference']);
    assert.equal(looked, 3);
  });

  it('looks at the chosen folder, and again only at what changed, or where a header did', () => {
    write('src/one/b.cpp', '#include "one/a.h"\n\nint* b() {\n  return nullptr;\n}\n');
    assert.deepEqual(lint('src/one/'), [[], 1]);
    write('src/two/c.cpp', 'int c() { return 1; }\n');
    assert.deepEqual(lint(), [[], 1]);
    assert.deepEqual(lint(), [[], 0]);
    write('src/one/a.h', '#pragma once\nstruct Kept {\n  int* where = 0;\n};\nint a(int value);\n');
    const [found, looked] = lint();
    assert.deepEqual([...new Set(found)], ['src/one/a.h:3 modernize-use-nullptr']);
    assert.equal(looked, 3);
  });
});
