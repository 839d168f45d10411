// Folders include only what the layer table allows, and CMake links exactly that.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { layers, third_party } from './layers.js';
import { exists, lines, read, under } from './tree.js';

const sources = under('src', '.h', '.cpp');

/** Every #include of the source: `{ from, number, header, ours }`. */
const includes = sources.flatMap((from) =>
  lines(from).flatMap(({ line, number }) => {
    const match = /^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)/.exec(line);
    return match ? [{ from, number, header: match[1] ?? match[2], ours: match[1] !== undefined }] : [];
  }));

const at = ({ from, number, header }) => `${from}:${number} includes ${header}`;

/** The folders reachable from `folder` through the table, like CMake's public links. */
const reachable = (folder, seen = new Set()) => {
  for (const next of layers[folder].folders) {
    if (!seen.has(next)) reachable(next, seen.add(next));
  }
  return seen;
};

describe('layers', () => {
  it('every folder of src is in the table', () => {
    const folders = new Set(sources.filter((name) => name.split('/').length > 2).map((name) => name.split('/')[1]));
    assert.deepEqual([...folders].filter((folder) => !layers[folder]), []);
    assert.deepEqual(sources.filter((name) => name.split('/').length !== 3), [], 'sources lie in src/<folder>/, one level deep');
  });

  it('the table has no cycle', () => {
    for (const folder of Object.keys(layers)) assert.ok(!reachable(folder).has(folder), folder);
  });

  it('our own headers are included from the src root, in quotes, and exist', () => {
    const wrong = includes.filter(({ header, ours }) => (ours ? !exists(`src/${header}`) : exists(`src/${header}`)));
    assert.deepEqual(wrong.map(at), []);
  });

  it('a folder includes itself and what the table allows', () => {
    const wrong = includes.filter(({ from, header, ours }) => {
      if (!ours) return false;
      const [own, other] = [from.split('/')[1], header.split('/')[0]];
      if (own === other) return false;
      const { folders, only } = layers[own];
      return !folders.includes(other) || (only?.[other] && !only[other].test(from));
    });
    assert.deepEqual(wrong.map(at), []);
  });

  // A permission is decided in one place: no way in may pass it by.
  it('nothing but the service calls the hub to join, publish or ask', () => {
    const past_the_service = sources.filter((name) => !/^src\/(service|hub|app)\//.test(name));
    const headers = includes.filter(({ from, header }) =>
      past_the_service.includes(from) && /^hub\/(hub|idempotent_publisher|idempotency_keys|room)\.h$/.test(header));
    assert.deepEqual(headers.map(at), []);
    // A header that the service includes gives them the class as well.
    const named = past_the_service.flatMap((name) =>
      lines(name).filter(({ line }) => /\bhub::(Hub|IdempotentPublisher)\b/.test(line.replace(/\/\/.*/, ''))).map(({ number }) => `${name}:${number}`));
    assert.deepEqual(named, []);
    const names_made = past_the_service.flatMap((name) =>
      lines(name).filter(({ line }) => /\bhub::check_(room|client)_name\b/.test(line)).map(({ number }) => `${name}:${number}`));
    assert.deepEqual(names_made, []);
  });

  it('third-party headers are included only where they are wrapped', () => {
    const wrong = includes.filter(({ from, header, ours }) =>
      !ours && third_party.some((rule) => rule.header.test(header) && !rule.files.test(from)));
    assert.deepEqual(wrong.map(at), []);
  });

  it('every header in brackets is a system header or in the table of third-party headers', () => {
    const system = /^[a-z_]+$|^c[a-z]+$|^(sys|netinet|arpa|linux)\/[a-z_]+\.h$|^(unistd|fcntl|poll|netdb|dirent|ifaddrs|malloc|pthread|signal|errno|time|termios)\.h$/;
    const wrong = includes.filter(({ header, ours }) =>
      !ours && !system.test(header) && !third_party.some((rule) => rule.header.test(header)));
    assert.deepEqual(wrong.map(at), []);
  });

  it('CMake links each folder with the folders of the table, and no more', () => {
    const text = read('src/CMakeLists.txt').replace(/#.*/g, '');
    const declared = Object.fromEntries([...text.matchAll(/roomcast_library\((\w+)([^)]*)\)/g)].map(([, name, rest]) =>
      [name, [...rest.matchAll(/\broomcast_(\w+)/g)].map((match) => match[1]).filter((link) => link !== 'web_assets')]));
    assert.deepEqual(Object.keys(declared).sort(), Object.keys(layers).sort());
    for (const [folder, links] of Object.entries(declared)) {
      const linked = new Set(links);
      for (const link of links) reachable(link, linked);
      const allowed = reachable(folder);
      assert.deepEqual(links.filter((link) => !allowed.has(link)), [], `${folder} links more than it may include`);
      assert.deepEqual(layers[folder].folders.filter((link) => !linked.has(link)), [], `${folder} lacks a link`);
    }
  });
});
