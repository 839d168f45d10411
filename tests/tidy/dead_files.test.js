// Every file is used.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { files, read, under } from './tree.js';

const sources = under('src', '.h', '.cpp');
const all_cpp = [...sources, ...under('tests', '.h', '.cpp')];
const included = new Map();
for (const from of all_cpp) {
  for (const [, header] of read(from).matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)) {
    included.set(header, [...(included.get(header) ?? []), from]);
  }
}

/** The parts that are made: `{ folder, name }` of each PART line. */
const parts = [...read('src/app/parts.cpp').matchAll(/^ {2}PART\((\w+), (\w+)\)/gm)].map(([, folder, name]) => ({ folder, name }));
/** The parts that could be: those that a header declares. */
const makers = sources.filter((name) => name.endsWith('.h')).flatMap((header) =>
  [...read(header).matchAll(/\bmake_(\w+)\(const part::Context&/g)].map(([, name]) => ({ folder: header.split('/')[1], name, header })));

describe('dead files', () => {
  it('every part that a header declares is in the list of parts', () => {
    const listed = new Set(parts.map(({ folder, name }) => `${folder} ${name}`));
    assert.notEqual(parts.length, 0);
    assert.deepEqual(makers.filter(({ folder, name }) => !listed.has(`${folder} ${name}`)), []);
    assert.equal(listed.size, makers.length);
  });

  it('every header of src is included by a file other than its own source and test, or declares a part', () => {
    const dead = sources.filter((name) => name.endsWith('.h')).filter((name) => {
      if (makers.some(({ header }) => header === name)) return false;
      const header = name.slice('src/'.length);
      const own = header.replace(/\.h$/, '');
      return !(included.get(header) ?? []).some((from) => from !== `src/${own}.cpp` && from !== `tests/unit/${own}_test.cpp`);
    });
    assert.deepEqual(dead, []);
  });

  it('every source of src has its header: x.cpp and x_part.cpp have x.h', () => {
    const headers = sources.filter((name) => name.endsWith('.h')).map((name) => name.slice(0, -2));
    const alone = sources.filter((name) => name.endsWith('.cpp') && name !== 'src/app/main.cpp')
      .filter((name) => !headers.some((header) => name === `${header}.cpp` || name.startsWith(`${header}_`)));
    assert.deepEqual(alone, []);
  });

  it('every unit test is where CMake looks', () => {
    const cmake = read('tests/CMakeLists.txt');
    const folders = /foreach\(folder ([^)]*)\)/.exec(cmake)[1].split(/\s+/);
    folders.push(...[...cmake.matchAll(/FOLDER unit\/(\w+)/g)].map(([, folder]) => folder));
    const lost = under('tests/unit', '.cpp').filter((name) => {
      const [, , folder, file, deeper] = name.split('/');
      return deeper !== undefined || !folders.includes(folder) || !/_test\.cpp$/.test(file);
    });
    assert.deepEqual(lost, []);
  });

  it('every JavaScript test is where ./dev runs it', () => {
    const runner = read('dev');
    const lost = files.filter((name) => name.endsWith('.test.js')).filter((name) => {
      const folder = name.slice(0, name.lastIndexOf('/'));
      return !runner.includes(`"$root"/${folder}/*.test.js`);
    });
    assert.deepEqual(lost, []);
  });

  it('every module of the tests is imported by another', () => {
    const imports = new Set();
    const modules = under('tests', '.js');
    for (const from of modules) {
      for (const [, target] of read(from).matchAll(/\bfrom\s+'(\.[^']+)'|\bimport\(?\s*'(\.[^']+)'/g)) {
        if (target) imports.add(new URL(target, `file:///${from}`).pathname.slice(1));
      }
    }
    const text = ['dev', ...under('tests', '.sh', 'run', 'CMakeLists.txt', '.js')].map(read).join('\n');
    const dead = modules.filter((name) => !name.endsWith('.test.js') && !imports.has(name) && !text.includes(name.split('/').pop()));
    assert.deepEqual(dead, []);
  });
});
