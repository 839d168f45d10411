// The number of a wire test stands for its topic, and `dev` refers only to existing files.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { read, under } from './tree.js';

const topics = under('tests/wire', '.test.js').map((name) => name.slice('tests/wire/'.length, -'.test.js'.length));

describe('the files of the wire tests', () => {
  it('begin with two or three digits, or are named for an issue', () => {
    assert.deepEqual(topics.filter((topic) => !/^(\d{2,3}|issue_\d+)_[a-z0-9_]+$/.test(topic)), []);
  });

  it('have a unique number, or share it within a family: 65_strangers_start, 65_strangers_reload', () => {
    const families = new Map();
    for (const topic of topics.filter((name) => /^\d{2,3}_/.test(name))) {
      const [number, family] = topic.split('_');
      families.set(number, (families.get(number) ?? new Set()).add(family));
    }
    assert.deepEqual([...families].filter(([, names]) => names.size > 1).map(([number, names]) => `${number}: ${[...names]}`), []);
  });

  it('exist if `dev` or a document names them', () => {
    const named = ['dev', 'tests/README.md', 'tests/wire/README.md', 'src/README.md'].flatMap((name) =>
      [...read(name).matchAll(/(?<![\w/])\d{2,3}_[a-z][a-z_]*[a-z](?![\w[])/g)].map(([topic]) => ({ name, topic })));
    assert.ok(named.length > 0);
    const is_there = (topic) => topics.some((one) => one === topic || one.startsWith(`${topic}_`));
    assert.deepEqual(named.filter(({ topic }) => !is_there(topic)), []);
  });
});
