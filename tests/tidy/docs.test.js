// The reference in docs/configuration.md and the sample configuration are what the program prints; links and file names exist.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { files, read, root, under } from './tree.js';

const binary = process.env.ROOMCAST_BINARY ?? path.join(root, 'build/release/roomcast');
// Only without an explicit binary may it be missing: the tidy stage precedes the build.
const skip = process.env.ROOMCAST_BINARY === undefined && !existsSync(binary) && 'there is no binary yet';
const reference = (form) => execFileSync(binary, ['--print-reference', form], { encoding: 'utf8' });

const documents = files.filter((name) => name.endsWith('.md'));
const folders = new Set(files.flatMap((name) => name.split('/').slice(0, -1).map((_, index, parts) => parts.slice(0, index + 1).join('/'))));
const presets = JSON.parse(read('CMakePresets.json')).configurePresets.map(({ name }) => name);
const extension = /\.(cmake|cpp|css|h|html|js|json|md|png|py|service|sh|socket|toml|ts)$/;

/** The anchors of a document's headings, as made by GitHub. */
const headings = (document) => [...read(document).replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.*)$/gm)]
  .map(([, text]) => text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/ /g, '-'));

/** The folders that a path in a document may be relative to: the root, src (in its README), or the document's own. */
const places = (document) => ['.', 'src', path.posix.dirname(document)];

/** Whether `word` can only mean a file or folder of the project: its first folder exists, or it has one of our extensions. */
function looks_like_ours(document, word) {
  const [first, ...rest] = word.replace(/^\.\//, '').split('/');
  if (rest.length === 0) return extension.test(first) || /^\d{2,3}_[a-z][a-z_]+$/.test(first);
  if (first === 'build' || first === '..') return true;
  const last = rest.findLast((part) => part !== '');
  return (last === undefined || /[a-z*]/i.test(last)) && places(document).some((place) => folders.has(path.posix.join(place, first)));
}

/**
 * The words in the code of `text`, the text of `document`, that look like files or folders of ours. Placeholders (NN_topic,
 * _test.cpp) are left out.
 */
function named(document, text) {
  const code = [...text.matchAll(/^```[\s\S]*?^```|^ {4}.*$|`[^`\n]+`/gm)].map(([block]) => block).join('\n');
  // Files created by an example.
  const shown = [...code.matchAll(/^\$ cat (\S+)$/gm)].map(([, name]) => name);
  return [...code.matchAll(/(?<![\w/:.@$<>{-])[\w.*-]+(?:\/[\w.*-]+)*\/?(?![\w/<{])/g)].map(([word]) => word)
    .filter((word) => looks_like_ours(document, word) && !/\bNN_|^_/.test(word.split('/').at(-1)) && !shown.includes(word));
}

/** Whether `word` of `document` exists: as a file or folder, without its extension, or as a pattern; or as a product of the build. */
function is_there(document, word) {
  const [, preset, product] = /^build\/([^/]+)\/?(.*)$/.exec(word) ?? [];
  if (preset) {
    const suite = /^tests\/(?:unit_(\w+)|contract)$/.exec(product);
    const is_product = ['', 'roomcast', 'roomcast-bench', 'tests/store_bit_flips'].includes(product) || (suite && folders.has(suite[1] ? `tests/unit/${suite[1]}` : 'tests/contract'));
    return presets.includes(preset) && is_product;
  }
  const bare = word.replace(/^\.\//, '').replace(/\/$/, '');
  const as_pattern = (place) => {
    const literal = path.posix.join(place, bare).replace(/[.+?^$()|[\]\\{}]/g, '\\$&').replaceAll('*', '[^/]*');
    return new RegExp(`^${bare.includes('/') ? '' : '(.*/)?'}${literal}(\\.[a-z.]+)?$`);
  };
  return places(document).map(as_pattern).some((pattern) => files.some((name) => pattern.test(name)) || [...folders].some((name) => pattern.test(name)));
}

describe('docs', () => {
  it('config/roomcast.toml is what the program prints', { skip }, () => {
    assert.equal(read('config/roomcast.toml'), reference('toml'), './dev reference');
  });

  it('docs/configuration.md holds the reference that the program prints', { skip }, () => {
    const [, table] = read('docs/configuration.md').split(/^<!-- reference:(?:begin|end) -->$/m);
    assert.equal(table, `\n\n${reference('markdown')}\n`, './dev reference');
  });

  it('the links of the documents lead to files that exist', () => {
    const broken = documents.flatMap((name) =>
      [...read(name).matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map(([, target]) => target)
        .filter((target) => !existsSync(path.join(root, path.dirname(name), target))).map((target) => `${name}: ${target}`));
    assert.deepEqual(broken, []);
  });

  it('links to a heading lead to one', () => {
    const broken = documents.flatMap((name) =>
      [...read(name).matchAll(/\]\((?![a-z]+:)([^)#\s]*)#([^)\s]+)\)/g)].map(([, file, heading]) => ({ to: file ? path.posix.join(path.posix.dirname(name), file) : name, heading }))
        .filter(({ to, heading }) => !headings(to).includes(heading)).map(({ to, heading }) => `${name}: ${to}#${heading}`));
    assert.deepEqual(broken, []);
  });

  it('every page of docs is in its list, and README.md links to each but the list', () => {
    const pages = under('docs', '.md', '.json').map((name) => name.slice('docs/'.length)).filter((name) => !/README\.md$|^decisions\//.test(name));
    const missing = (document, prefix) => pages.filter((name) => !read(document).includes(`](${prefix}${name})`));
    assert.deepEqual(missing('docs/README.md', ''), []);
    assert.deepEqual(missing('README.md', 'docs/'), []);
    const decisions = under('docs/decisions', '.md').map((name) => name.split('/').at(-1)).filter((name) => name !== 'README.md');
    assert.deepEqual(decisions.filter((name) => !read('docs/decisions/README.md').includes(`](${name})`)), []);
  });

  it('the types that the glossary and the decisions name are in the sources', () => {
    const sources = under('src', '.h').map(read).join('\n');
    const gone = ['docs/glossary.md', ...under('docs/decisions', '.md')].flatMap((name) =>
      [...read(name).matchAll(/`(?:\w+::)*([A-Z][a-z]\w*)(?:::\w+)?`/g)].map(([, type]) => type)
        .filter((type) => !new RegExp(`\\b(?:class|struct|using)\\s+(?:\\[\\[\\w]+\\]\\]\\s+)?${type}\\b`).test(sources)).map((type) => `${name}: ${type}`));
    assert.deepEqual(gone, []);
  });

  it('the files and folders that the documents name exist', () => {
    const stale = documents.flatMap((name) => named(name, read(name)).filter((word) => !is_there(name, word)).map((word) => `${name}: ${word}`));
    assert.deepEqual(stale, []);
  });

  it('file names are recognised, and distinguished from other words', () => {
    const known = ['src/http/server.h', 'http/server', 'session/session_*.cpp', 'tests/wire/', './web/client/roomcast.js', '58_proxies', 'raw_http.js', 'build/release/roomcast'];
    const stale = ['src/http/servant.h', 'http/servant', 'session/nothing_*.cpp', 'tests/wired.js', './web/broadcast.js', '58_poxies', 'raw_http.css', 'build/release/src/roomcast', 'build/fast'];
    const others = ['/api/publish', 'http/1.1', 'text/plain', 'chat/lobby', 'http://127.0.0.1:8080/src/a.js', 'origins'];
    assert.deepEqual(named('README.md', `\`${[...known, ...stale, ...others].join('` `')}\``), [...known, ...stale]);
    assert.deepEqual([...known, ...stale].filter((word) => is_there('README.md', word)), known);
  });
});
