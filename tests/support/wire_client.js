// A WebSocket client that can follow the protocol or violate it in any way.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { ByteSocket, parseTarget } from './byte_socket.js';
import { patience } from './deadline.js';
import { readResponse } from './raw_http.js';
import * as frames from './ws_frames.js';

/** The accept value for `key` (RFC 6455 section 4.2.2). */
export function acceptFor(key) {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/**
 * The bytes of an opening handshake. `headers` are added or replace the default ones; a value of undefined
 * omits the header, an array repeats it.
 */
export function handshakeBytes(path, { host = 'localhost', key = randomBytes(16).toString('base64'), method = 'GET', version = '1.1', headers = {} } = {}) {
  const fields = new Map([
    ['Host', host],
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', key],
    ['Sec-WebSocket-Version', '13'],
  ]);
  for (const [name, value] of Object.entries(headers)) {
    const usual = [...fields.keys()].find((known) => known.toLowerCase() === name.toLowerCase());
    if (usual !== undefined && usual !== name) fields.delete(usual);
    fields.set(name, value);
  }
  let head = `${method} ${path} HTTP/${version}\r\n`;
  for (const [name, value] of fields) for (const one of [value].flat()) if (one !== undefined) head += `${name}: ${one}\r\n`;
  return Buffer.from(`${head}\r\n`, 'latin1');
}

/** Sends a handshake on a new connection and returns `{socket, response, key}` whatever the response is. */
export async function attempt(target, { path = '/echo', socket: socketOptions, chop, trailing = Buffer.alloc(0), ...options } = {}) {
  const socket = await ByteSocket.open(target, socketOptions);
  const key = options.key ?? randomBytes(16).toString('base64');
  const request = Buffer.concat([handshakeBytes(path, { host: parseTarget(target).host, ...options, key }), trailing]);
  await (chop ? socket.writeChopped(request, chop) : socket.write(request));
  return { socket, key, response: await readResponse(socket, { method: options.method }) };
}

/** A handshake that must be refused: returns the response. */
export async function refusal(target, options) {
  const { socket, response } = await attempt(target, options);
  socket.destroy();
  assert.notEqual(response.status, 101, 'the handshake was accepted');
  return response;
}

/** An open connection. */
export async function connect(target, options) {
  const { socket, response, key } = await attempt(target, options);
  assert.equal(response.status, 101, response.text);
  assert.equal(response.header('upgrade')?.toLowerCase(), 'websocket');
  assert.equal(response.header('connection')?.toLowerCase(), 'upgrade');
  assert.equal(response.header('sec-websocket-accept'), acceptFor(key));
  return new WireClient(socket, response);
}

export class WireClient {
  constructor(socket, response) {
    this.socket = socket;
    this.response = response;
    this.sentClose = false;
  }

  write(bytes) {
    return this.socket.write(bytes);
  }

  text(payload, options) {
    return this.write(frames.text(payload, options));
  }

  binary(payload, options) {
    return this.write(frames.binary(payload, options));
  }

  ping(payload, options) {
    return this.write(frames.ping(payload, options));
  }

  pong(payload, options) {
    return this.write(frames.pong(payload, options));
  }

  /** The next frame: `{fin, rsv, opcode, payload}`. Checks the rules for every server frame. */
  async frame(ms = patience) {
    const head = await this.socket.bytes(2, 'a frame', ms);
    assert.equal(head[1] & 0x80, 0, 'a server must not mask');
    let length = head[1] & 0x7f;
    if (length === 126) {
      length = (await this.socket.bytes(2)).readUInt16BE();
      assert.ok(length > 125, 'length not in its minimal form');
    } else if (length === 127) {
      const long = (await this.socket.bytes(8)).readBigUInt64BE();
      assert.ok(long > 65535n && long < 1n << 40n, 'length not in its minimal form');
      length = Number(long);
    }
    const payload = await this.socket.bytes(length, 'a frame payload', ms);
    const result = { fin: head[0] >= 0x80, rsv: (head[0] >> 4) & 7, opcode: head[0] & 15, payload };
    if (result.opcode >= 8) assert.ok(result.fin && length <= 125 && result.rsv === 0, 'malformed control frame');
    return result;
  }

  /** The next message or control frame: `{opcode, payload, rsv}`, its fragments joined. */
  async next(ms = patience) {
    const first = await this.frame(ms);
    if (first.fin) return first;
    const parts = [first.payload];
    for (;;) {
      const more = await this.frame(ms);
      assert.equal(more.opcode, frames.CONTINUATION);
      parts.push(more.payload);
      if (more.fin) return { ...first, fin: true, payload: Buffer.concat(parts) };
    }
  }

  /** The next data message; pings before it are answered and pongs dropped. */
  async message(ms = patience) {
    for (;;) {
      const next = await this.next(ms);
      if (next.opcode === frames.PING) await this.pong(next.payload);
      else if (next.opcode !== frames.PONG) {
        if (next.opcode === frames.CLOSE) assert.fail(`closed: ${describeClose(next.payload)}`);
        return next;
      }
    }
  }

  /** The payload of the next message, which must be text. */
  async nextText(ms) {
    const message = await this.message(ms);
    assert.equal(message.opcode, frames.TEXT);
    return message.payload.toString('utf8');
  }

  async expect(opcode, payload, ms) {
    const next = await this.next(ms);
    assert.equal(next.opcode, opcode, `opcode of ${describe(next)}`);
    assertSame(next.payload, Buffer.from(payload));
  }

  expectText(payload, ms) {
    return this.expect(frames.TEXT, payload, ms);
  }

  expectBinary(payload, ms) {
    return this.expect(frames.BINARY, payload, ms);
  }

  expectPong(payload, ms) {
    return this.expect(frames.PONG, payload, ms);
  }

  /** Sends a ping and waits for its pong: everything sent before it has been processed then. */
  async roundTrip() {
    const payload = randomBytes(8);
    await this.ping(payload);
    await this.expectPong(payload);
  }

  /**
   * The next frame is a close with one of `codes` (undefined: without a code). Answers it if the handshake
   * is not complete yet, then the server must close the connection. Returns the reason.
   */
  async expectClose(codes, { ms = patience, answer = true } = {}) {
    const next = await this.next(ms);
    assert.equal(next.opcode, frames.CLOSE, `expected close, got ${describe(next)}`);
    const { code, reason } = parseClose(next.payload);
    assert.ok([codes].flat().includes(code), `close ${describeClose(next.payload)}, expected ${codes}`);
    if (answer && !this.sentClose) {
      this.sentClose = true;
      await this.write(frames.close(code));
    }
    const rest = await this.socket.rest({ ms });
    assert.equal(rest.length, 0, `bytes after the close frame: ${rest.toString('hex')}`);
    this.socket.destroy();
    return reason;
  }

  /** Starts the closing handshake and checks that the server completes it. */
  async close(code = 1000, reason = '') {
    this.sentClose = true;
    await this.write(frames.close(code, reason));
    await this.expectClose(code);
  }

  /** Closes the socket at once. */
  destroy() {
    this.socket.destroy();
  }
}

function parseClose(payload) {
  assert.notEqual(payload.length, 1, 'close frame with half a code');
  if (payload.length === 0) return { code: undefined, reason: '' };
  const reason = new TextDecoder('utf-8', { fatal: true }).decode(payload.subarray(2));
  return { code: payload.readUInt16BE(), reason };
}

function describeClose(payload) {
  const { code, reason } = parseClose(payload);
  return `${code} ${JSON.stringify(reason)}`;
}

function describe({ opcode, payload }) {
  if (opcode === frames.CLOSE) return `close ${describeClose(payload)}`;
  return `opcode ${opcode}, ${payload.length} bytes ${payload.subarray(0, 40).toString('hex')}`;
}

/** Compares payloads without printing megabytes. */
export function assertSame(actual, expected) {
  if (actual.equals(expected)) return;
  let at = 0;
  while (at < actual.length && actual[at] === expected[at]) at += 1;
  assert.fail(`payloads differ at ${at}: got ${actual.length} bytes …${actual.subarray(at, at + 40).toString('hex')}, `
    + `expected ${expected.length} bytes …${expected.subarray(at, at + 40).toString('hex')}`);
}
