// The tables of the documents that list what the sources decide: error codes, limits.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { read, under } from './tree.js';

const sources = under('src', '.h', '.cpp').map((name) => ({ name, text: read(name).replace(/^\s*\/\/.*$/gm, '') }));

/** The cells of each row of the table of `document` below the line `head`, without the lines above and below. */
function rowsBelow(document, head) {
  const lines = read(document).split('\n');
  const first = lines.indexOf(head) + 2;
  assert.ok(first > 1, `${document} has a table "${head}"`);
  const length = lines.slice(first).findIndex((line) => !line.startsWith('|'));
  return lines.slice(first, first + length).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
}

const words = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word);
const inOrder = (set) => [...set].sort();
const twice = (list) => list.filter((entry, index) => list.indexOf(entry) !== index);

/** That `listed` is what there `is`, each once. */
function assertLists(listed, is) {
  assert.deepEqual(twice(listed), [], 'listed twice');
  assert.deepEqual(inOrder([...is].filter((entry) => !listed.includes(entry))), [], 'not listed');
  assert.deepEqual(inOrder(listed.filter((entry) => !is.has(entry))), [], 'listed, but there is none');
}

/** All that `patterns` find in sources of these folders, as `{ name, found }`. */
const found = (folders, ...patterns) =>
  sources.filter(({ name }) => folders.test(name)).flatMap(({ name, text }) =>
    patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => ({ name, found: match.slice(1) }))));

/** The rows of the table of refusals, in its order. */
const refusals = found(/^src\/base\/refusal\.cpp$/, /\{"([a-z_]+)", (\d+), CloseReason::/g).map(({ found: [code, status] }) => ({ code, status }));

/** The enumerators of base::Refusal::Code, in their order. */
const enumerators = () => {
  const [, list] = /enum class Code[^{]*\{([^}]*)\bcount_,/.exec(read('src/base/refusal.h'));
  return [...list.replace(/\/\/.*$/gm, '').matchAll(/\w+/g)].map(([word]) => word);
};

/** `STATUS code` of every error over HTTP. */
const httpErrors = () => new Set(refusals.filter(({ status }) => status !== '0').map(({ code, status }) => `${status} ${code}`));

/** The codes that sources of these folders refuse with; other things have codes too. */
const codesIn = (folders) => found(folders, /\bCode::([a-z_]+)/g).flatMap((hit) => hit.found).filter((code) => enumerators().includes(code));
/**
 * What no request of roomcast.v1 gets of what the service and the hub refuse: its connection has brought the name, the
 * dialect has read key and payload, and messages are moderated over HTTP.
 */
const never_in_requests = ['bad_client_name', 'bad_idempotency_key', 'invalid_text', 'invalid_json', 'not_found'];
/** The codes that `authenticate` is refused with besides: by what verifies tokens and keys, and past limits.connections_per_user. */
const tokenErrors = () => ['too_many_connections', ...tokenRefusals()];
const tokenRefusals = () => refusals.filter(({ code, status }) => status === '401' && code !== 'login_failed').map(({ code }) => code);
/** The code of every error of roomcast.v1. */
const dialectErrors = () =>
  new Set(['bad_request', ...tokenErrors(), ...codesIn(/^src\/(session|dialect|service|hub|engine|store)\//).filter((code) => !never_in_requests.includes(code))]);

describe('the documents list', () => {
  it('every error over HTTP with its status, once, and no other', () => {
    const listed = rowsBelow('docs/http-api.md', '| status | code | when |').flatMap(([status, codes]) => words(codes).map((code) => `${status} ${code}`));
    assertLists(listed, httpErrors());
  });

  it('every error over HTTP in docs/openapi.json', () => {
    const { paths, components } = JSON.parse(read('docs/openapi.json'));
    const of = (status, response) => (response.content?.['application/json']?.schema?.allOf ?? [])
      .flatMap((part) => part.properties?.error?.properties?.code?.enum ?? []).map((code) => `${status} ${code}`);
    const followed = (response) => components.responses[response.$ref?.split('/').at(-1)] ?? response;
    const own = Object.values(paths).flatMap((item) => Object.values(item)).flatMap(({ responses = {} }) => Object.entries(responses).filter(([status]) => status !== 'default').flatMap(([status, response]) => of(status, followed(response))));
    const any = Object.entries(components.responses.AnyRequest['x-errors']).flatMap(([status, codes]) => codes.map((code) => `${status} ${code}`));
    // In a batch it has no status of its own.
    const in_batch = components.schemas.BatchError.properties.error.properties.code.enum.includes('invalid_data') ? ['400 invalid_data'] : [];
    assertLists([...new Set([...own, ...any, ...in_batch])], httpErrors());
  });

  it('the errors in the order of their status', () => {
    const statuses = rowsBelow('docs/http-api.md', '| status | code | when |').map(([status]) => status);
    assert.deepEqual(statuses, inOrder(statuses));
  });

  it('every error of roomcast.v1, once, and none that there is not', () => {
    const listed = rowsBelow('docs/websocket.md', '| code | when |').flatMap(([codes]) => words(codes));
    assertLists(listed, dialectErrors());
  });

  it('every error of roomcast.v1 in docs/asyncapi.json', () => {
    assertLists(JSON.parse(read('docs/asyncapi.json')).components.messages.Error.payload.properties.code.enum, dialectErrors());
  });

  it('every close code that the server sends, but for a client that closed by itself', () => {
    const sent = new Set(found(/^src\/base\/close_reason\.cpp$/, /\{"\w+", (\d{4}), /g).map((hit) => hit.found[0]).filter((code) => code !== '1000'));
    const listed = rowsBelow('docs/websocket.md', '| close code | why | reconnect? |').flatMap(([codes]) => codes.split(', '));
    assertLists(listed, sent);
    const raw_only = rowsBelow('docs/websocket.md', '| close code | why | reconnect? |').filter(([, why]) => why.startsWith('raw only')).map(([code]) => code);
    assertLists([...Object.keys(JSON.parse(read('docs/asyncapi.json'))['x-close-codes']), ...raw_only], sent);
  });

  it('each limit once, all of limits.* and none that there is not', () => {
    const keys = rowsBelow('docs/configuration.md', '| key | default | takes | applied | meaning |').flatMap(([key]) => words(key));
    const listed = rowsBelow('docs/limits.md', '| limit | default | past it |').flatMap(([limit]) => words(limit)).filter((word) => word.includes('.'));
    assert.deepEqual(twice(listed), []);
    assert.deepEqual(listed.filter((key) => !keys.includes(key)), []);
    assert.deepEqual(keys.filter((key) => key.startsWith('limits.') && !listed.includes(key)), []);
  });
});

describe('the table of refusals', () => {
  // Codes that have one name with two statuses.
  const second = { websocket_version_missing: 'websocket_version', too_many_of_address: 'too_many_connections' };

  it('has a row for each code, in their order, under its name', () => {
    assert.deepEqual(enumerators().map((code) => second[code] ?? code), refusals.map(({ code }) => code));
  });

  it('has no code that nothing is refused with', () => {
    const used = new Set(found(/^src\//, /\bCode::(\w+)/g).flatMap((hit) => hit.found));
    assert.deepEqual(enumerators().filter((code) => !used.has(code) && code !== 'bad_request'), []);
  });
});
