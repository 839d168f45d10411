// Things that must not be left in the sources.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { files, lines, read, under, withoutComments } from './tree.js';

const text_files = files.filter((name) => !/\.(png|jpg|ico|woff2|bin|pem|raw)$|(^|\/)corpus\/|package-lock\.json$/.test(name));
const sources = under('src', '.h', '.cpp');
const cpp = [...sources, ...under('tests', '.h', '.cpp')];

/** `file:line` of every line of `names` that `pattern` matches; `view` transforms a file's text first. */
const hits = (names, pattern, view = read) =>
  names.flatMap((name) => view(name).split('\n').flatMap((line, index) => (pattern.test(line) ? [`${name}:${index + 1}: ${line.trim()}`] : [])));

/** Without comments, literals and preprocessor lines. */
const code_of = (name) => withoutComments(read(name)).replace(/^\s*#.*/gm, '');

describe('leftovers', () => {
  it('no to-do note', () => {
    const notes = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`);
    assert.deepEqual(hits(text_files, notes), []);
  });

  it('no merge marker', () => {
    assert.deepEqual(hits(text_files, /^(<{7} |>{7} |={7}$)/), []);
  });

  it('no trailing white space, no tab, and a newline at the end of the file', () => {
    assert.deepEqual(hits(text_files, /[ \t]$/), []);
    assert.deepEqual(hits(text_files, /\t/), []);
    assert.deepEqual(text_files.filter((name) => read(name) !== '' && !read(name).endsWith('\n')), []);
  });

  it('no carriage return', () => {
    assert.deepEqual(hits(text_files, /\r/), []);
  });

  it('no test is left focused, skipped or unfinished', () => {
    assert.deepEqual(hits(under('tests', '.test.js'), /\b(it|test|describe)\.(only|todo|skip)\b|\bonly: true/), []);
  });

  it('a lambda names what it captures', () => {
    assert.deepEqual(hits(cpp, /\[\s*=/, code_of), []);
  });

  it('uv_close is called in one place', () => {
    const found = hits(sources, /\buv_close\s*\(/, code_of);
    const loop_exists = sources.some((name) => /\buv_/.test(code_of(name)));
    assert.equal(found.length, loop_exists ? 1 : 0, found.join('\n'));
  });

  it('memory has an owner from the start: no naked new or delete', () => {
    const owners = /^src\/(base\/(bytes|allocation_count|name_block)\.cpp|loop\/(handles\.\w+|worker_thread\.cpp)|app\/allocator\.cpp)$/;
    const owned = /(?:unique|shared)_ptr<[^;]*>(?:\s+\w+)?\s*[({]\s*new\b/g;
    const naked = /\bnew\b(?!\s*\()|\bnew\s*\(|(?<!=\s*)\bdelete\b(?!;)|\bdelete\s+\w|\b(malloc|calloc|realloc|free)\s*\(/;
    assert.deepEqual(hits(sources.filter((name) => !owners.test(name)), naked, (name) => code_of(name).replace(owned, '')), []);
  });

  it('no shared owner except of certificates, which a reload replaces under open connections, and of what threads of the store read', () => {
    const tail = /^src\/store\/(tail|archivist)\./;
    assert.deepEqual(hits(sources.filter((name) => !tail.test(name)), /\bshared_ptr\b(?!<(const )?(net::)?TlsContext>)/, code_of), []);
  });

  it('no global state, no thread but those of the store, and no lock but between these', () => {
    const allocator = 'src/base/allocation_count.cpp';  // malloc is used by any threads that libraries may have
    assert.deepEqual(hits(sources.filter((name) => name !== allocator), /\bthread_local\b/, code_of), []);
    const threads = { thread: /^src\/loop\/worker_thread\./, mutex: /^src\/store\//, async: /(?!)/ };
    for (const [word, files] of Object.entries(threads)) {
      assert.deepEqual(hits(sources.filter((name) => !files.test(name)), new RegExp(`\\bstd::${word}\\b`), code_of), []);
    }
    assert.deepEqual(hits(sources, /^\s*static (?!const|constexpr|_assert|inline constexpr)[^()]*(=|;|\{)/, code_of), []);
  });

  it('a map or set of texts has a hash that clients cannot predict', () => {
    const unkeyed = /unordered_(?:map|set)<\s*(?:std::)?string(?:_view)?\b(?![^;]*\bStringHash\b)/;
    assert.deepEqual(hits(sources, unkeyed, (name) => code_of(name).replace(/,\n\s*/g, ', ')), []);
  });

  it('the lock file names no registry', () => {
    assert.deepEqual(lines('tests/package-lock.json').filter(({ line }) => /"resolved"|^(?!\s*"url": ).*https?:/.test(line)), []);
  });
});
