// docs/openapi.json describes the program: every path, method, status and error code in it can be caused, responses have the
// described form, and the example requests are sent.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ByteSocket } from '../support/byte_socket.js';
import { eventually } from '../support/deadline.js';
import { adminCases, adminServers, exampleForOperators, isForOperators, operator, prepareAdmin } from '../support/openapi_admin.js';
import { faultsOf, followed } from '../support/json_schema.js';
import { assertDone, Moderator, startIdentifyingServer } from '../support/moderation.js';
import { fetchOnce, parseHead, readResponse, requestBytes } from '../support/raw_http.js';
import { sanitized } from '../support/sanitized.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { binary, cleanEnvironment, repository, runToEnd, startServer } from '../support/server.js';
import { attempt, connect, handshakeBytes } from '../support/wire_client.js';

const document = JSON.parse(fs.readFileSync(path.join(repository, 'docs/openapi.json'), 'utf8'));
const followedHere = (value) => followed(document, value);
const any_request = document.components.responses.AnyRequest;
const methods = ['get', 'head', 'post', 'put', 'delete', 'options'];
const foreign = { Origin: 'https://elsewhere.example' };
const preflight = { ...foreign, 'Access-Control-Request-Method': 'POST' };
const json = { 'Content-Type': 'application/json' };
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const ada = '{"user":"ada","password":"correct horse"}';

/** `{ name, path, method, operation }` of each operation. */
const operations = Object.entries(document.paths).flatMap(([pattern, item]) => methods.filter((method) => item[method]).map((method) => ({
  name: `${method.toUpperCase()} ${pattern}`,
  method: method.toUpperCase(),
  pattern,
  operation: item[method],
  parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map(followedHere),
})));

/** The error codes that a response's schema allows; none if it does not restrict them. */
function codesOf(response) {
  const schema = response.content?.['application/json']?.schema;
  return schema?.allOf?.flatMap((part) => part.properties?.error?.properties?.code?.enum ?? []) ?? [];
}

/** `METHOD path STATUS` or `METHOD path STATUS code` of every operation, and `any STATUS code`. */
function described() {
  const own = operations.flatMap(({ name, operation }) => Object.entries(operation.responses).filter(([status]) => status !== 'default').flatMap(([status, response]) => {
    const codes = codesOf(followedHere(response));
    return codes.length ? codes.map((code) => `${name} ${status} ${code}`) : [`${name} ${status}`];
  }));
  const any = Object.entries(any_request['x-errors']).flatMap(([status, codes]) => codes.map((code) => `any ${status} ${code}`));
  return [...own, ...any];
}

const long = 'n'.repeat(201);
const deep = `${'['.repeat(64)}${']'.repeat(64)}`;
const upgrade = (where, headers = {}, version = '1.1') => ({ bytes: handshakeBytes(where, { headers, version }) });

/** Requests that are refused by every route of a room, by error code. */
const joining = (where) => ({
  bad_query: { path: `${where}?since=%zz` },
  bad_cursor: { path: `${where}?since=now` },
  bad_history: { path: `${where}?history=-1` },
  bad_client_name: { path: `${where}?name=${long}` },
});
/** Requests that fail a WebSocket handshake, by error code. */
const handshakes = (where) => ({
  http_version: upgrade(where, {}, '1.0'),
  connection_header: upgrade(where, { Connection: 'close' }),
  websocket_version: upgrade(where, { 'Sec-WebSocket-Version': undefined }),
  websocket_key: upgrade(where, { 'Sec-WebSocket-Key': 'short' }),
  websocket_protocol: upgrade(where, { 'Sec-WebSocket-Protocol': 'a b' }),
  websocket_extensions: upgrade(where, { 'Sec-WebSocket-Extensions': ';' }),
});
const rooms = {
  bad_path: { path: '/rooms/%zz' },
  bad_room_name: { path: '/rooms/%2F' },
};
const each = (prefix, requests) => Object.fromEntries(Object.entries(requests).map(([code, request]) => [`${prefix} ${code}`, request]));
const file = (name, method, status, where, more = {}) => ({ [`${method} ${name} ${status}`]: { path: where, ...more } });

/**
 * By the names of `described`, how to cause it: `{ path, headers, body, bytes, on, method, prepare, before, session }`, `on` one of
 * `servers`; `before`: how many of the same come first; `session`: with the cookie of a user.
 */
const cases = {
  'GET /rooms/{room} 101': upgrade('/rooms/a'),
  'GET /rooms/{room} 200': { path: '/rooms/a' },
  ...each('GET /rooms/{room} 400', { ...rooms, ...joining('/rooms/a'), ...handshakes('/rooms/a'),
    bad_wait: { path: '/rooms/a?wait=long' },
    bad_transport: { path: '/rooms/a?transport=pigeon' },
    bad_dialect: { path: '/rooms/a?transport=sse&dialect=klingon' } }),
  'GET /rooms/{room} 403 origin_denied': { path: '/rooms/a', headers: foreign },
  'GET /rooms/{room} 426 upgrade_required': { path: '/rooms/a?transport=websocket' },
  'GET /rooms/{room} 426 websocket_version': upgrade('/rooms/a', { 'Sec-WebSocket-Version': '8' }),
  'GET /rooms/{room} 503 room_full': { on: 'full', path: '/rooms/a' },
  'GET /rooms/{room} 503 overloaded': { on: 'short', path: '/rooms/a' },
  'HEAD /rooms/{room} 200': { path: '/rooms/a' },
  'HEAD /rooms/{room} 400': { path: '/rooms/a?since=now' },
  'HEAD /rooms/{room} 403': { path: '/rooms/a', headers: foreign },
  'HEAD /rooms/{room} 503': { on: 'short', path: '/rooms/a' },
  'POST /rooms/{room} 200': { path: '/rooms/a', body: 'hi' },
  ...each('POST /rooms/{room} 400', { ...rooms,
    bad_client_name: { path: `/rooms/a?name=${long}`, body: 'hi' },
    bad_idempotency_key: { path: '/rooms/a', headers: { 'Idempotency-Key': long }, body: 'hi' },
    invalid_text: { path: '/rooms/a', headers: { 'Content-Type': 'text/plain' }, body: Buffer.from([0xff]) },
    invalid_json: { path: '/rooms/a', headers: json, body: '{' },
    json_too_deep: { path: '/rooms/a', headers: json, body: deep } }),
  'POST /rooms/{room} 403 origin_denied': { path: '/rooms/a', headers: foreign, body: 'hi' },
  'POST /rooms/{room} 403 publish_only_keys': { on: 'full', path: '/rooms/a', body: 'hi' },
  'POST /rooms/{room} 413 message_too_big': { path: '/rooms/a', body: 'x'.repeat(1001) },
  'POST /rooms/{room} 415 unsupported_encoding': { path: '/rooms/a', headers: { 'Content-Encoding': 'gzip' }, body: 'hi' },
  'POST /rooms/{room} 422 key_reused': { path: '/rooms/reused', headers: { 'Idempotency-Key': 'one' }, body: 'second', prepare: { method: 'POST', path: '/rooms/reused', headers: { 'Idempotency-Key': 'one' }, body: 'first' } },
  'POST /rooms/{room} 503 overloaded': { on: 'keyless', path: '/rooms/a', headers: { 'Idempotency-Key': 'k' }, body: 'hi' },
  'OPTIONS /rooms/{room} 204': { path: '/rooms/a' },
  'OPTIONS /rooms/{room} 403 origin_denied': { path: '/rooms/a', headers: preflight },
  'POST /api/publish 200': { path: '/api/publish', headers: json, body: '{"messages":[{"rooms":["a","/"],"data":1}]}' },
  'POST /api/publish 400 invalid_json': { path: '/api/publish', headers: json, body: '{' },
  'POST /api/publish 400 bad_request': { path: '/api/publish', headers: json, body: '{}' },
  'POST /api/publish 403 origin_denied': { path: '/api/publish', headers: { ...json, ...foreign }, body: '{"messages":[]}' },
  'POST /api/publish 413 too_many_messages': { path: '/api/publish', headers: json, body: '{"messages":[{"rooms":["a","b","c","d"],"data":1}]}' },
  'POST /api/publish 413 batch_too_big': { path: '/api/publish', headers: json, body: `{"messages":[{"rooms":["a","b"],"data":"${'x'.repeat(800)}"}]}` },
  'POST /api/publish 415 unsupported_media_type': { path: '/api/publish', headers: { 'Content-Type': 'text/plain' }, body: '{}' },
  'POST /api/publish 415 unsupported_encoding': { path: '/api/publish', headers: { ...json, 'Content-Encoding': 'gzip' }, body: '{}' },
  'OPTIONS /api/publish 204': { path: '/api/publish' },
  'OPTIONS /api/publish 403 origin_denied': { path: '/api/publish', headers: preflight },
  'POST /api/explain 200': { on: 'admin', path: '/api/explain', headers: { ...json, ...operator }, body: '{"user":"ada","room":"a"}' },
  ...each('POST /api/explain 400', {
    invalid_json: { on: 'admin', path: '/api/explain', headers: { ...json, ...operator }, body: '{' },
    bad_request: { on: 'admin', path: '/api/explain', headers: { ...json, ...operator }, body: '{}' },
    bad_room_name: { on: 'admin', path: '/api/explain', headers: { ...json, ...operator }, body: '{"user":"ada","room":"/"}' },
  }),
  'POST /api/explain 401 unauthorized': { path: '/api/explain', headers: json, body: '{"user":"ada","room":"a"}' },
  'POST /api/explain 403 origin_denied': { path: '/api/explain', headers: { ...json, ...foreign }, body: '{}' },
  'POST /api/explain 415 unsupported_media_type': { on: 'admin', path: '/api/explain', headers: { 'Content-Type': 'text/plain', ...operator }, body: '{}' },
  'POST /api/explain 415 unsupported_encoding': { on: 'admin', path: '/api/explain', headers: { ...json, ...operator, 'Content-Encoding': 'gzip' }, body: '{}' },
  'OPTIONS /api/explain 204': { path: '/api/explain' },
  'OPTIONS /api/explain 403 origin_denied': { path: '/api/explain', headers: preflight },
  'GET /api/login 200': { path: '/api/login' },
  'GET /api/login 403 origin_denied': { path: '/api/login', headers: foreign },
  'HEAD /api/login 200': { path: '/api/login' },
  'HEAD /api/login 403': { path: '/api/login', headers: foreign },
  'POST /api/login 200': { path: '/api/login', headers: json, body: ada },
  'POST /api/login 400 bad_request': { path: '/api/login', headers: form, body: 'user=ada' },
  'POST /api/login 400 invalid_json': { path: '/api/login', headers: json, body: '{' },
  'POST /api/login 401 login_failed': { path: '/api/login', headers: form, body: 'user=nobody&password=guess' },
  'POST /api/login 415 unsupported_media_type': { path: '/api/login', headers: { 'Content-Type': 'text/plain' }, body: ada },
  'POST /api/login 429 rate_limited': { path: '/api/login', headers: form, body: 'user=mallory&password=guess', before: 10 },
  'POST /api/refresh 200': { path: '/api/refresh', session: true },
  'POST /api/refresh 401 unauthorized': { path: '/api/refresh' },
  'POST /api/refresh 401 bad_token': { path: '/api/refresh', headers: { Cookie: 'roomcast=x' } },
  'POST /api/logout 204': { path: '/api/logout' },
  ...Object.assign({}, ...['/api/login', '/api/refresh', '/api/logout'].map((where) => ({
    [`POST ${where} 403 origin_denied`]: { path: where, headers: { ...json, ...foreign }, body: ada },
    [`POST ${where} 404 not_found`]: { on: 'keyless', path: where, headers: json, body: ada },
    [`OPTIONS ${where} 204`]: { path: where },
    [`OPTIONS ${where} 403 origin_denied`]: { path: where, headers: preflight },
  }))),
  'GET /presence/{room} 200': { path: '/presence/a' },
  ...each('GET /presence/{room} 400', { bad_path: { path: '/presence/%zz' }, bad_room_name: { path: '/presence/%2F' } }),
  'GET /presence/{room} 403 origin_denied': { path: '/presence/a', headers: foreign },
  'HEAD /presence/{room} 200': { path: '/presence/a' },
  'HEAD /presence/{room} 400': { path: '/presence/%zz' },
  'HEAD /presence/{room} 403': { path: '/presence/a', headers: foreign },
  'OPTIONS /presence/{room} 204': { path: '/presence/a' },
  'OPTIONS /presence/{room} 403 origin_denied': { path: '/presence/a', headers: preflight },
  ...Object.assign({}, ...['/connect', '/echo'].map((where) => ({
    [`GET ${where} 101`]: upgrade(where, where === '/connect' ? { 'Sec-WebSocket-Protocol': 'roomcast.v1' } : {}),
    ...each(`GET ${where} 400`, { ...joining(where), ...handshakes(where), ...(where === '/connect' ? { bad_subprotocol: upgrade(where) } : {}) }),
    [`GET ${where} 403 origin_denied`]: upgrade(where, foreign),
    [`GET ${where} 426 upgrade_required`]: { path: where },
    [`GET ${where} 426 websocket_version`]: upgrade(where, { 'Sec-WebSocket-Version': '8' }),
    [`GET ${where} 503 overloaded`]: { on: 'short', path: where },
    [`OPTIONS ${where} 204`]: { path: where },
  }))),
  ...Object.assign({}, ...['/healthz', '/readyz', '/metrics', '/'].map((where) => ({
    ...file(where, 'GET', 200, where), ...file(where, 'HEAD', 200, where), ...file(where, 'OPTIONS', 204, where),
  }))),
  'GET /readyz 503': { on: 'stopping', path: '/readyz' },
  'HEAD /readyz 503': { on: 'stopping', path: '/readyz' },
  ...file('/', 'GET', 304, '/', { headers: { 'If-None-Match': '*' } }),
  ...file('/', 'HEAD', 304, '/', { headers: { 'If-None-Match': '*' } }),
  ...Object.assign({}, ...['GET', 'HEAD'].map((method) => ({
    ...file('/{file}', method, 200, '/roomcast.js'), ...file('/{file}', method, 304, '/roomcast.js', { headers: { 'If-None-Match': '*' } }),
  }))),
  'GET /{file} 400 bad_path': { path: '/%zz' },
  'GET /{file} 404 not_found': { path: '/nothing' },
  'HEAD /{file} 400': { path: '/%zz' },
  'HEAD /{file} 404': { path: '/nothing' },
  'OPTIONS /{file} 204': { path: '/roomcast.js' },
  'any 400 ambiguous_credentials': { path: '/rooms/a?access_token=x', headers: { Authorization: 'Bearer x' } },
  'any 401 bad_api_key': { on: 'admin', path: '/rooms/a', headers: { Authorization: 'Bearer x' } },
  'any 400 bad_request': { bytes: 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n' },
  'any 400 too_many_parameters': { path: `/rooms/a?${'a&'.repeat(101)}` },
  'any 400 https_required': { on: 'tls', path: '/' },
  'any 405 method_not_allowed': { method: 'DELETE', path: '/rooms/a' },
  'any 408 request_timeout': { on: 'hasty', bytes: 'GET / HTTP/1.1\r\n' },
  'any 413 content_too_large': { method: 'POST', path: '/rooms/a', body: 'x'.repeat(3001) },
  'any 414 uri_too_long': { path: `/${'x'.repeat(10_000)}` },
  'any 417 expectation_failed': { method: 'POST', path: '/rooms/a', headers: { Expect: 'the unexpected' }, body: 'hi' },
  'any 421 host_denied': { on: 'strict', path: '/', headers: { Host: 'elsewhere.example' } },
  'any 429 rate_limited': { on: 'paced', method: 'GET', path: '/', prepare: { on: 'paced', method: 'GET', path: '/' } },
  'any 429 too_many_connections': { on: 'oneEach', path: '/' },
  'any 431 headers_too_large': { path: '/', headers: { 'X-Long': 'x'.repeat(20_000) } },
  'any 501 not_implemented': { method: 'BREW', path: '/rooms/a' },
  'any 503 too_many_connections': { on: 'one', path: '/' },
  'any 505 version_not_supported': { bytes: 'GET / HTTP/2.0\r\nHost: localhost\r\n\r\n' },
  ...adminCases,
};

/** Cannot be caused by a client: requires an engine that does not answer, or a disk that fails. */
const no_answer = ['unavailable', 'timed_out', 'store_busy', 'store_full', 'store_failed', 'store_timeout'];
/** Requires a token, which no route reads. */
const of_tokens = ['bad_token', 'token_expired', 'token_not_yet_valid', 'token_revoked', 'unknown_key', 'wrong_issuer', 'wrong_audience'];
/** The same, and an internal error of the server. */
const out_of_reach = [
  ...of_tokens.map((code) => `any 401 ${code}`),
  'any 500 internal_error',
  'POST /api/explain 403 forbidden', // takes a client that identifies itself: unit/api/explain_test.cpp
  'POST /api/login 503 overloaded', // takes as many as wait for their passwords to be hashed
  ...['token_expired', 'token_revoked'].map((code) => `POST /api/refresh 401 ${code}`),
  ...['unavailable', 'timed_out', 'store_busy', 'store_failed'].map((code) => `GET /rooms/{room} 503 ${code}`),
  ...no_answer.map((code) => `POST /rooms/{room} ${code === 'store_timeout' ? 504 : 503} ${code}`),
  // unit/api/sanctions_test.cpp
  ...['bans', 'mutes', 'revoke'].flatMap((path) => ['POST', 'DELETE'].flatMap((method) => [`${method} /api/${path} 503 store_busy`, `${method} /api/${path} 504 store_timeout`])),
];

const certificates = makeCertificate(scratchDirectory(), 'localhost', ['127.0.0.1']);
const users = path.join(scratchDirectory(), 'users');
execFileSync(binary, ['user', 'add', 'ada', '--file', users], { input: 'correct horse\n', env: cleanEnvironment() });
const small = { 'limits.message_bytes': 1000, 'limits.body_bytes': 3000, 'limits.batch_messages': 3, 'limits.batch_bytes': 1500 };
const started = {
  usual: { set: { ...small, 'auth.users_file': users } },
  keyless: { set: { 'limits.idempotency_bytes': 0 } }, // no key fits
  short: { set: { 'limits.memory_bytes': 1_048_576 } },
  hasty: { set: { 'http.head_timeout_seconds': 0.1 } },
  strict: { set: { hosts: 'chat.example' } },
  one: { set: { 'limits.connections': 1 } },
  oneEach: { set: { 'limits.connections_per_address': 1 } },
  full: { set: { 'room_defaults.members_max': 1, 'room_defaults.publish_only_keys': true } },
  paced: { set: { 'rates.address_requests_per_second': 1, 'rates.burst_seconds': 1 } },
  slow: { set: { 'room_defaults.slow_mode_seconds': 60 } },
  tls: { listen: ['https://127.0.0.1:0'], set: { 'tls.certificate': certificates.certificate, 'tls.key': certificates.key } },
  stopping: { set: { drain_delay_seconds: 60 } },
  ...adminServers,
};
const servers = {};
const holding = []; // connections that use up the limit

/** The cookie of a new session. */
async function signIn(server) {
  const answer = await fetchOnce(server.url, 'POST', '/api/login', { headers: json, body: ada });
  return answer.header('set-cookie').replace(/;.*/, '');
}

/** Sends the request of a case; returns the response, or the head of one that does not end. */
async function answerTo({ on = 'usual', method, path: where, headers: fields, body, bytes, session }, usual_method) {
  const how = method ?? usual_method;
  const headers = session ? { Cookie: await signIn(servers[on]) } : fields;
  const socket = await ByteSocket.open(servers[on].url.replace(/^https/, 'http'));
  try {
    await socket.write(bytes ?? requestBytes(how, typeof where === 'function' ? await where(servers) : where, { headers, body }));
    return await readResponse(socket, { method: how });
  } finally {
    socket.destroy();
  }
}

/** Checks that `answer` has the form of `response` in the document. */
function assertDescribed(response, answer, { bodiless = false } = {}) {
  for (const [name, header] of Object.entries(response.headers ?? {})) {
    const { required, schema } = followedHere(header);
    const value = answer.header(name);
    assert.ok(value !== undefined || !required, `lacks the header ${name}`);
    if (value !== undefined) assert.deepEqual(faultsOf(document, schema, value), [], name);
  }
  if (bodiless || !response.content) return assert.equal(answer.text, '', 'a body that is not described');
  const type = answer.header('content-type').replace(/;.*/, '');
  assert.ok(response.content[type], `${type} is not among ${Object.keys(response.content)}`);
  const value = type === 'application/json' ? answer.json : answer.text;
  return assert.deepEqual(faultsOf(document, response.content[type].schema, value, { closed: true }), []);
}

const operationOf = (name) => operations.find((one) => name.startsWith(`${one.name} `));

/** `pattern` with the examples of its path parameters, followed by those of its query. */
function examplePath({ pattern, parameters }) {
  const encoded = (value) => encodeURIComponent(value).replaceAll('%2F', '/');
  const filled = parameters.filter((one) => one.in === 'path').reduce((text, one) => text.replace(`{${one.name}}`, encoded(one.example)), pattern);
  const query = parameters.filter((one) => one.in === 'query').map((one) => `${one.name}=${encoded(one.example)}`);
  return query.length ? `${filled}?${query.join('&')}` : filled;
}

/** How the example of an operation is sent: `{ on, path, headers }`. */
const exampleOf = (operation, headers = exampleHeaders(operation)) =>
  (isForOperators(operation) ? exampleForOperators(operation, examplePath(operation), headers) : { path: examplePath(operation), headers });

const exampleHeaders = ({ parameters }) => Object.fromEntries(parameters.filter((one) => one.in === 'header').map((one) => [one.name, one.example]));

describe('docs/openapi.json', () => {
  before(async () => {
    await Promise.all(Object.entries(started).map(async ([name, options]) => { servers[name] = await startServer(options); }));
    for (const name of ['one', 'oneEach', 'full']) holding.push(await connect(servers[name].url, { path: '/rooms/a' }));
    if (!sanitized) {
      await eventually(async () => {
        for (let i = 0; i < 50; i += 1) holding.push((await attempt(servers.short.url, { path: `/rooms/${holding.length}` })).socket);
        return (await answerTo({ on: 'short', path: '/connect' }, 'GET')).status === 503;
      }, 'memory is short');
    }
    holding.push(...await prepareAdmin(servers));
    servers.stopping.process.kill('SIGTERM');
    await eventually(async () => (await answerTo({ on: 'stopping', path: '/readyz' }, 'GET')).status === 503, 'the server is stopping');
  });
  after(async () => {
    for (const client of holding) (client.socket ?? client).destroy?.();
    for (const [name, server] of Object.entries(servers)) await (name === 'stopping' ? server.kill() : server.stop());
  });

  it('has the version of the program', async () => {
    assert.match((await runToEnd(['--version'])).stdout, new RegExp(`\\b${document.info.version.replaceAll('.', '\\.')}\\b`));
  });

  it('has a case here for each status and code that it lists, and lists each of the cases', () => {
    assert.deepEqual([...Object.keys(cases), ...out_of_reach].sort(), described().sort());
  });

  it('lists the errors of any request in the schemas of responses too', () => {
    assert.deepEqual(codesOf(any_request).sort(), [...new Set(Object.values(any_request['x-errors']).flat())].sort());
    for (const { name, operation } of operations) assert.deepEqual(operation.responses.default, { $ref: '#/components/responses/AnyRequest' }, name);
  });

  for (const [name, request] of Object.entries(cases)) {
    it(name, { skip: request.on === 'short' && sanitized && 'about amounts of memory' }, async () => {
      const [, status, code] = /^.* (\d{3})(?: (\w+))?$/.exec(name);
      const { method, operation } = operationOf(name) ?? { method: 'GET' };
      for (let i = 0; i < (request.before ?? 0); i += 1) await answerTo(request, method);
      if (request.prepare) assert.equal((await answerTo(request.prepare)).status, 200);
      const answer = await answerTo(request, method);
      assert.equal(answer.status, Number(status), answer.text);
      if (code) assert.equal(answer.json.error.code, code);
      assertDescribed(operation ? followedHere(operation.responses[status]) : any_request, answer, { bodiless: method === 'HEAD' });
    });
  }

  for (const operation of operations) {
    const { name, method } = operation;
    const [status] = Object.keys(operation.operation.responses).filter((one) => /^2/.test(one));
    if (!status) continue; // a WebSocket: its messages are described by docs/asyncapi.json
    const bodies = Object.entries(operation.operation.requestBody?.content ?? {}).flatMap(([type, media]) => Object.entries(media.examples).map(([title, { value }]) => ({ type, media, title, value })));
    for (const { type, media, title, value } of bodies) {
      it(`${name}, the example ${title}`, async () => {
        assert.deepEqual(faultsOf(document, media.schema, value), []);
        const body = type === 'application/json' ? JSON.stringify(value) : value;
        const headers = { ...exampleHeaders({ ...operation, parameters: operation.parameters.filter((one) => one.name !== 'Idempotency-Key') }), 'Content-Type': type };
        const answer = await answerTo({ ...exampleOf(operation, headers), body }, method);
        assert.equal(answer.status, 200, answer.text);
        assertDescribed(followedHere(operation.operation.responses[200]), answer);
      });
    }
    if (bodies.length > 0 || name === 'POST /api/refresh') continue; // that needs a session
    it(`${name}, with the examples of its parameters`, async () => {
      for (const one of operation.parameters) assert.deepEqual(faultsOf(document, one.schema, one.example), [], one.name);
      const answer = await answerTo(exampleOf(operation), method);
      assert.equal(answer.status, Number(status), answer.text);
      assertDescribed(followedHere(operation.operation.responses[status]), answer, { bodiless: method === 'HEAD' });
    });
  }

  it('describes each line of a stream, whatever its type', async (t) => {
    const server = await startIdentifyingServer({ set: { 'presence.grace_seconds': 0, 'presence.crowd': 2 } });
    const moderator = new Moderator(server.url);
    const { content } = followedHere(document.paths['/rooms/{room}'].get.responses[200]);
    const seen = new Set();
    /** A stream of lines, over HTTP/1.0, which has no chunks. */
    const open = async (query) => {
      const socket = await ByteSocket.open(server.url);
      t.after(() => socket.destroy());
      await socket.write(requestBytes('GET', `/rooms/stream?presence=1&${query}`, { version: '1.0', headers: { Host: 'localhost', Accept: 'application/x-ndjson' } }));
      const head = parseHead((await socket.through('\r\n\r\n')).toString('latin1'));
      const { schema } = content[head.header('content-type')];
      const next = async () => {
        const line = JSON.parse(await socket.through('\n'));
        assert.deepEqual(faultsOf(document, schema, line, { closed: true }), [], JSON.stringify(line));
        seen.add(line.type);
        return line.type;
      };
      return { socket, until: async (type) => { while ((await next()) !== type); } };
    };
    for (const body of ['text', Buffer.from([0xff])]) await fetchOnce(server.url, 'POST', '/rooms/stream', { body });
    const ada = await open('history=2&name=ada');
    await ada.until('message');
    const { cursor } = (await fetchOnce(server.url, 'POST', '/rooms/stream', { body: 'first' })).json;
    assertDone(await moderator.replace('stream', cursor, 'second'));
    await ada.until('replaced');
    assertDone(await moderator.remove('stream', cursor));
    await ada.until('deleted');
    assertDone(await moderator.clear('stream'));
    await ada.until('cleared');
    const bob = await open('name=bob');
    await ada.until('join');
    bob.socket.destroy();
    await ada.until('leave');
    await open('name=bob');
    await open('name=cleo');
    await ada.until('presence');
    const late = await open('since=e1718880a643ea8d-1');
    await late.until('gap');
    server.process.kill('SIGTERM');
    await ada.until('bye');
    await server.expectExit(0);
    const types = document.components.schemas.StreamLine.oneOf.map(followedHere)
      .flatMap(({ properties: { type } }) => type.enum ?? [type.const]);
    assert.deepEqual([...seen].sort(), types.sort());
  });

  it('lists each code that a message of a batch can have, in this order', async () => {
    const { code } = document.components.schemas.BatchError.properties.error.properties;
    const outcome = async (message, on = 'usual') => {
      const { json: { results } } = await answerTo({ on, path: '/api/publish', headers: json, body: JSON.stringify({ messages: [message] }) }, 'POST');
      assert.deepEqual(faultsOf(document, document.components.schemas.BatchError, results[0], { closed: true }), []);
      return results[0].error.code;
    };
    await answerTo({ on: 'slow', path: '/rooms/a', body: 'first' }, 'POST');
    await answerTo({ path: '/rooms/batch', headers: { 'Idempotency-Key': 'k' }, body: 'first' }, 'POST');
    assert.deepEqual([
      await outcome({ room: '/', data: 1 }), await outcome({ room: 'a', data: 1, from: long }), await outcome({ room: 'a', data: 1, key: long }),
      await outcome({ room: 'a', data_base64: 'x' }), await outcome({ room: 'a', data: JSON.parse(deep) }), await outcome({ room: 'a', data: 'x'.repeat(1001) }),
      await outcome({ room: 'batch', data: 'second', key: 'k' }), await outcome({ room: 'a', data: 1 }, 'full'), await outcome({ room: 'a', data: 1 }, 'slow'),
      await outcome({ room: 'a', data: 1, key: 'k' }, 'keyless'),
    ], code.enum.filter((name) => !no_answer.includes(name)));
  });

  it('describes the temporary refusal of an event stream with 200', { skip: sanitized && 'about amounts of memory' }, async () => {
    const answer = await answerTo({ on: 'short', path: '/rooms/a', headers: { Accept: 'text/event-stream' } }, 'GET');
    assert.equal(answer.status, 200);
    assert.match(answer.text, /^retry: \d+\n.*"overloaded"/s);
  });
});
