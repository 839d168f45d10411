// HTTP/1.1 by hand: sends any bytes, parses responses strictly.

import assert from 'node:assert/strict';
import { ByteSocket, ConnectionEnded, parseTarget } from './byte_socket.js';

const status_line = /^HTTP\/1\.1 ([1-5][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)$/;
const field_line = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

export class Response {
  constructor(status, reason, fields) {
    this.status = status;
    this.reason = reason;
    this.fields = fields;
    this.body = Buffer.alloc(0);
  }

  /** The value of the header field `name`; several are joined with ", ". Undefined if there is none. */
  header(name) {
    const values = this.fields.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
    return values.length ? values.join(', ') : undefined;
  }

  get text() {
    return this.body.toString('utf8');
  }

  get json() {
    return JSON.parse(this.text);
  }
}

/** Parses a response head, checked against the grammar of RFC 9112. */
export function parseHead(text) {
  const lines = text.slice(0, -4).split('\r\n');
  const status = status_line.exec(lines[0]);
  assert.ok(status, `status line ${JSON.stringify(lines[0])}`);
  const fields = lines.slice(1).map((line) => {
    const field = field_line.exec(line);
    assert.ok(field, `header field ${JSON.stringify(line)}`);
    return [field[1], field[2]];
  });
  return new Response(Number(status[1]), status[2], fields);
}

/** Reads one response from `socket`. `method` determines whether it has a body. */
export async function readResponse(socket, { method = 'GET', ms } = {}) {
  const head = await socket.through('\r\n\r\n', 'a response head', ms);
  const response = parseHead(head.toString('latin1'));
  const bodiless = method === 'HEAD' || response.status < 200 || response.status === 204 || response.status === 304;
  if (bodiless) return response;
  const length = response.header('content-length');
  if (response.header('transfer-encoding') === 'chunked') {
    assert.equal(length, undefined, 'Content-Length beside Transfer-Encoding');
    response.body = await readChunks(socket, ms);
  } else if (length !== undefined) {
    assert.match(length, /^[0-9]+$/);
    response.body = await socket.bytes(Number(length), 'a response body', ms);
  } else {
    response.body = await socket.rest({ ms });
  }
  return response;
}

async function readChunks(socket, ms) {
  const parts = [];
  for (;;) {
    const size = parseInt((await socket.through('\r\n', 'a chunk size', ms)).toString('latin1'), 16);
    const chunk = await socket.bytes(size + 2, 'a chunk', ms);
    if (size === 0) return Buffer.concat(parts);
    parts.push(chunk.subarray(0, size));
  }
}

/** The bytes of a request. A body adds Content-Length unless `headers` contain other framing. */
export function requestBytes(method, path, { headers = {}, body, version = '1.1', host = 'localhost' } = {}) {
  const fields = Object.entries(headers);
  const has = (name) => fields.some(([key]) => key.toLowerCase() === name);
  const lines = [`${method} ${path} HTTP/${version}`];
  if (!has('host') && version === '1.1') lines.push(`Host: ${host}`);
  for (const [name, value] of fields) for (const one of [value].flat()) lines.push(`${name}: ${one}`);
  const payload = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
  if (body !== undefined && !has('content-length') && !has('transfer-encoding')) lines.push(`Content-Length: ${payload.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), payload]);
}

/** One connection for several requests. */
export class HttpConnection {
  constructor(socket, host) {
    this.socket = socket;
    this.host = host;
  }

  static async open(target, options) {
    return new HttpConnection(await ByteSocket.open(target, options), parseTarget(target).host);
  }

  send(bytes) {
    return this.socket.write(bytes);
  }

  read(options) {
    return readResponse(this.socket, options);
  }

  async request(method, path, options = {}) {
    await this.send(requestBytes(method, path, { host: this.host, ...options }));
    return this.read({ method, ms: options.ms });
  }

  /** Waits until the server has closed, without any further data. */
  async expectEnd(options) {
    const rest = await this.socket.rest(options);
    assert.equal(rest.toString('latin1'), '', 'bytes after the last response');
    this.socket.destroy();
  }

  close() {
    this.socket.destroy();
  }
}

/** One request on a new connection. */
export async function fetchOnce(target, method, path, options = {}) {
  const connection = await HttpConnection.open(target, options.socket);
  try {
    return await connection.request(method, path, options);
  } finally {
    connection.close();
  }
}

/** Sends `bytes` on a new connection and returns every response up to the server's close. */
export async function everyResponse(target, bytes, { ms, method } = {}) {
  const connection = await HttpConnection.open(target);
  const responses = [];
  try {
    await connection.send(bytes);
    for (;;) responses.push(await connection.read({ ms, method }));
  } catch (error) {
    if (!(error instanceof ConnectionEnded) || error.reset || error.rest.length > 0) throw error;
    return responses;
  } finally {
    connection.close();
  }
}

/** Checks the common form of error responses and returns the message. */
export function errorMessage(response, status) {
  assert.equal(response.status, status, response.text);
  assert.match(response.header('content-type') ?? '', /^application\/json\b/);
  const { error } = response.json;
  assert.match(error.code, /^[a-z0-9_]+$/);
  assert.ok(error.message.length > 0);
  return error.message;
}
