// The payloads that tests which compare clients publish, every way to publish them, and how they are received.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { patience, within } from './deadline.js';
import { openRoom, roomUrl, wayCalled } from './room_clients.js';

const python_client = fileURLToPath(new URL('urllib_client.py', import.meta.url));

export const types = { text: 'text/plain; charset=utf-8', json: 'application/json', binary: 'application/octet-stream' };

const text = (body) => ({ kind: 'text', body });
const json = (body) => ({ kind: 'json', body });
const binary = (...parts) => ({ kind: 'binary', body: Buffer.concat(parts.map((part) => Buffer.from(part))) });

const every_byte = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

/** `{kind, body}`: payloads at which clients could differ. */
export const publications = {
  'plain text': text('hello'),
  'nothing': text(''),
  'a blank': text(' '),
  'leading blanks and tabs': text('  \t two'),
  'a colon first': text(': no comment'),
  'what looks like an event': text('data: x\n\nevent: gap\nid: y\n\n: z'),
  'LF': text('one\ntwo'),
  'CR LF': text('one\r\ntwo'),
  'CR': text('one\rtwo'),
  'every newline, and empty lines': text('\n\r\n\ra\n\n\r\rb\r\n\r\n'),
  'newline at the end': text('last\n'),
  'a newline alone': text('\n'),
  'line separators of Unicode': text('a\u2028b\u2029c\u0085d\u000be\u000cf'),
  'NUL and other control characters': text('\0\u0001\u001b\u007f\u0080\u009f'),
  'a byte order mark': text('\ufeffmark'),
  'quotes and backslashes': text('"\\" \\n \\u0041 </script>'),
  'characters of two, three and four bytes': text('é日😀\u{10ffff}'),
  'text that looks like JSON': text('{"type":"gap"}'),
  'JSON': json('{"a":[1,2.50,-0,1e400,12345678901234567890,null,true,"κ\\u00e9\\ud83d\\ude00"]}'),
  'JSON with its own type': json('{"type":"bye","data":[{}],"messages":[{"a":"]}"}]}'),
  'JSON, pretty': json('{\n  "a": [\n    1,\n    "x y"\n  ],\r\n\t"b": { }\r}'),
  'JSON, a number': json('0'),
  'JSON, null': json('null'),
  'JSON with line separators': json('["\u2028\u2029"]'),
  'JSON nested 60 deep': json(`${'['.repeat(60)}${']'.repeat(60)}`),
  'every byte': binary(every_byte),
  'no bytes': binary(),
  'one byte': binary([0xff]),
  'two bytes': binary([0, 10]),
  'bytes that are text': binary('plain'),
  '64 KiB of text': text(`${'0123456789abcdé\n'.repeat(3855)}${'x'.repeat(1)}`.slice(0, 61000)),
  '64 KiB of bytes': binary(...Array.from({ length: 256 }, () => every_byte)),
  '64 KiB of JSON': json(`"${'\\u2028 '.repeat(9361)}${'y'.repeat(7)}"`),
};

const with_lf = (body) => body.replace(/\r\n|\r/g, '\n');

/** The payload that a client receives, if its payloads have `form`. */
export function expected({ kind, body }, form) {
  if (kind === 'binary' || form === 'verbatim') return body;
  if (form === 'lines') return with_lf(body);
  if (kind === 'text') return body;
  // There, a JSON string equals text.
  return body.startsWith('"') ? JSON.parse(body) : body.replace(/[\r\n]/g, ' ');
}

export function assertPayload(actual, publication, way, what = '') {
  const wanted = expected(publication, way.form);
  const same = Buffer.isBuffer(wanted) ? Buffer.isBuffer(actual) && wanted.equals(actual) : actual === wanted;
  assert.ok(same, `${way.name} ${what}: ${preview(actual)} instead of ${preview(wanted)}`);
}

const preview = (data) => (Buffer.isBuffer(data) ? `${data.length} bytes ${data.subarray(0, 40).toString('hex')}` : JSON.stringify(data)?.slice(0, 200));

// --- ways to publish: each returns the receipt `{room, cursor, subscribers}`, or nothing where there is none ---

async function byPost(url, room, { kind, body }, headers = {}) {
  const response = await fetch(roomUrl(url, room), { method: 'POST', body, headers: { 'Content-Type': types[kind], ...headers } });
  const answer = await response.text();
  assert.equal(response.status, 200, answer);
  return JSON.parse(answer);
}

async function byChild(command, args, body) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (data) => (printed += data));
  child.stdin.end(body);
  const code = await within(patience, new Promise((resolve) => child.on('close', resolve)), `the end of ${command}`);
  assert.equal(code, 0, `${command} ${printed}`);
  return JSON.parse(printed);
}

const byCurl = (url, room, { kind, body }) =>
  byChild('curl', ['-sSkf', '-H', `Content-Type: ${types[kind]}`, '--data-binary', '@-', roomUrl(url, room)], body);

const byUrllib = (url, room, { kind, body }) => byChild('python3', [python_client, 'post', roomUrl(url, room), types[kind]], body);

async function byBatch(url, room, { kind, body }) {
  const data = kind === 'binary' ? `"data_base64":"${body.toString('base64')}"` : `"data":${kind === 'json' ? body : JSON.stringify(body)}`;
  const response = await fetch(`${url}/api/publish`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: `{"messages":[{"room":${JSON.stringify(room)},${data}}]}` });
  const answer = await response.text();
  assert.equal(response.status, 200, answer);
  return JSON.parse(answer).results[0];
}

/** Over a connection that receives its own message too. */
async function bySocket(url, room, { kind, body }) {
  const client = await openRoom(wayCalled('WebSocket'), url, room);
  await client.start();
  client.socket.send(body, { binary: kind === 'binary' });
  assertPayload((await client.message()).data, { kind, body }, client.way, 'its own message');
  client.close();
}

async function byJsonSocket(url, room, { kind, body }) {
  const client = await openRoom(wayCalled('WebSocket roomcast.v1'), url, room);
  await client.start();
  const receipt = client.publish({ kind, body });
  const { cursor } = await client.message();
  assert.equal((await receipt).cursor, cursor, 'the receipt is for its own message');
  client.close();
  return receipt;
}

const no_json_string = ({ kind, body }) => kind !== 'json' || !body.startsWith('"');

/**
 * `can(publication)`: whether it can be expressed. `process`: starts a process each time, so it is slow. A JSON string is text
 * to APIs that use JSON.
 */
export const publishers = [
  { name: 'POST by fetch', publish: byPost, can: () => true },
  { name: 'POST by curl', publish: byCurl, can: () => true, process: true },
  { name: 'POST by urllib', publish: byUrllib, can: () => true, process: true },
  { name: 'POST /api/publish', publish: byBatch, can: no_json_string },
  { name: 'WebSocket', publish: bySocket, can: ({ kind }) => kind !== 'json' },
  { name: 'WebSocket roomcast.v1', publish: byJsonSocket, can: no_json_string },
];

export const publish = byPost;
