// Files and functions are small enough to be read at once.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lines, read, under, withoutComments } from './tree.js';

const soft_limit = 400;
const hard_limit = 700;
const function_limit = 70;

/** Files over the soft limit, with the reason why splitting them would make them harder to read. */
const long_for_a_reason = {
  'src/engine/redis_primary.cpp': 'one server: connections, scripts, terms and calls, where each failure concerns the others',
  'tests/contract/engine_test.cpp': 'one suite that each engine must pass as a whole',
  'tests/contract/stream_test.cpp': 'one suite that each kind of stream must pass as a whole',
  'tests/contract/transport_test.cpp': 'one suite that each transport must pass as a whole',
  'tests/support/fake_redis.h': 'one model: a server, and what connections to it do',
  'tests/unit/auth/authenticator_test.cpp': 'many short cases around one fixture',
  'tests/unit/engine/durable_test.cpp': 'many short cases around one fixture',
  'tests/unit/engine/redis_primary_test.cpp': 'many short cases around one fixture',
  'tests/unit/engine/redis_presence_test.cpp': 'many short cases around one fixture',
  'tests/unit/http/parser_test.cpp': 'many short cases around one fixture',
  'tests/unit/hub/hub_engine_test.cpp': 'many short cases around one fixture',
  'tests/unit/hub/idempotent_publisher_test.cpp': 'many short cases around one fixture',
  'tests/unit/session/requests_test.cpp': 'many short cases around one fixture',
  'tests/unit/store/store_test.cpp': 'many short cases around one fixture',
  'tests/wire/65_strangers_reload.test.js': 'one table of all settings',
  'tests/wire/71_openapi.test.js': 'one table of all answers',
  'tests/unit/transport/http_stream_test.cpp': 'many short cases around one fixture',
  dev: 'one command, whose parts are only understood beside each other',
};

const code = [...under('src', '.h', '.cpp'), ...under('tests', '.h', '.cpp', '.js', '.sh'), ...under('web', '.js', '.css', '.html'), 'dev'];
const line_count = (name) => read(name).split('\n').length - 1;

/** A line that opens a brace and does not match is taken for the head of a function. */
const no_function = /\b(namespace|class|struct|union|enum|switch|if|else|for|while|do|try|catch|extern)\b|=\s*\{?$|\breturn\b/;

/** `{ number, length }` of every function body, found by braces. */
function* functions(text) {
  const open = [];
  let head = '';
  for (const [index, line] of text.split('\n').entries()) {
    for (const [column, char] of [...line].entries()) {
      if (char === '{') {
        // The formatter puts a space before a body's brace and none before an initialiser's.
        const is_body = column === 0 || line[column - 1] === ' ';
        const is_function = is_body && /\)[^;]*$/.test(head) && !no_function.test(head.slice(0, head.indexOf('(')));
        open.push({ number: index + 1, is_function, head_after: is_body ? '' : head });
        head = '';
      } else if (char === '}') {
        const start = open.pop();
        if (start?.is_function) yield { number: start.number, length: index - start.number + 2 };
        head = start?.head_after ?? '';
      } else if (char === ';') {
        head = '';
      } else {
        head += char;
      }
    }
    head = /^\s*#/.test(line) ? '' : `${head} `;
  }
}

describe('sizes', () => {
  it(`no file is longer than ${hard_limit} lines`, () => {
    assert.deepEqual(code.filter((name) => line_count(name) > hard_limit), []);
  });

  it(`a file longer than ${soft_limit} lines has its reason in the list, and the list is not stale`, () => {
    const long = code.filter((name) => line_count(name) > soft_limit).sort();
    assert.deepEqual(long, Object.keys(long_for_a_reason).sort());
  });

  it(`no function of the C++ source is longer than ${function_limit} lines`, () => {
    const long = under('src', '.h', '.cpp').flatMap((name) =>
      [...functions(withoutComments(read(name)))].filter(({ length }) => length > function_limit)
        .map(({ number, length }) => `${name}:${number} ${length} lines`));
    assert.deepEqual(long, []);
  });

  it('functions are found', () => {
    const sample = 'namespace a {\nclass B {\n  int c() const { return 1; }\n};\nB::B(int x)\n    : x_{x} {\n  if (x) {\n  }\n}\n}\n';
    assert.deepEqual([...functions(sample)], [{ number: 3, length: 1 }, { number: 6, length: 4 }]);
  });
});
