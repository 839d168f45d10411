// An endless response of a room, parsed by hand: EventSource strictly by the standard, or NDJSON.

import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { ByteSocket } from './byte_socket.js';
import { patience, within } from './deadline.js';
import { fetchOnce, parseHead, requestBytes } from './raw_http.js';

const media_type = { sse: 'text/event-stream', stream: 'application/x-ndjson' };

export class RoomStream {
  #text = '';
  #wake = () => {};

  /** Requests the room as `kind` (sse or stream). */
  static async open(target, room, { kind = 'sse', query = '', headers = {}, version = '1.1' } = {}) {
    const socket = await ByteSocket.open(target);
    await socket.write(requestBytes('GET', `/rooms/${room}${query}`, { version, headers: { Accept: media_type[kind], ...headers } }));
    const head = parseHead((await socket.through('\r\n\r\n', 'a response head')).toString('latin1'));
    assert.equal(head.status, 200);
    assert.equal(head.header('content-type'), media_type[kind]);
    return new RoomStream(socket, head);
  }

  constructor(socket, head) {
    this.socket = socket;
    this.head = head;
    /** The pieces of the body as received: chunks, if it is chunked. */
    this.pieces = [];
    /** Whether the last chunk has arrived. */
    this.complete = false;
    this.over = this.#pump().catch((error) => (this.error = error)).finally(() => {
      this.ended = true;
      this.#wake();
    });
  }

  async #pump() {
    const decode = this.#decoder();
    const chunked = this.head.header('transfer-encoding') === 'chunked';
    while (!this.complete) {
      if (!chunked && !(await this.socket.readable(2 ** 31 - 1))) return;
      const piece = chunked ? await this.#chunk() : await this.socket.bytes(this.socket.unread);
      this.complete = piece.length === 0;
      this.pieces.push(Buffer.from(piece));
      await decode(piece);
    }
    assert.equal((await this.socket.rest()).length, 0, 'bytes behind the last chunk');
  }

  async #chunk() {
    const size = parseInt((await this.socket.through('\r\n', 'a chunk size', 2 ** 31 - 1)).toString('latin1'), 16);
    const chunk = await this.socket.bytes(size + 2);
    assert.equal(chunk.toString('latin1', size), '\r\n');
    return chunk.subarray(0, size);
  }

  #decoder() {
    const text = new TextDecoder('utf-8', { fatal: true });
    const add = (bytes) => {
      this.#text += text.decode(bytes, { stream: true });
      this.#wake();
    };
    if (this.head.header('content-encoding') !== 'gzip') return add;
    const gunzip = zlib.createGunzip();
    gunzip.on('data', add);
    gunzip.on('error', (error) => {
      this.error = error;
      this.#wake();
    });
    return (piece) => new Promise((done) => gunzip.write(piece, done));
  }

  /** Waits for `delimiter` and returns the text before it. */
  async #through(delimiter, ms) {
    const end = Date.now() + ms;
    for (;;) {
      const at = this.#text.indexOf(delimiter);
      if (at >= 0) {
        const taken = this.#text.slice(0, at);
        this.#text = this.#text.slice(at + delimiter.length);
        return taken;
      }
      if (this.error || this.ended) throw this.error ?? new Error(`the stream ended; unread: ${JSON.stringify(this.#text)}`);
      const woken = new Promise((resolve) => (this.#wake = resolve));
      await within(Math.max(1, end - Date.now()), woken, `more of a stream; unread: ${JSON.stringify(this.#text)}`);
    }
  }

  /** The next block of fields: `{type, data, id, retry, comments}`; missing ones are undefined. */
  async block(ms = patience) {
    const block = { comments: 0 };
    for (const line of (await this.#through('\n\n', ms)).split('\n')) {
      const [, name, value] = /^([^:]*)(?:: ?([^]*))?$/.exec(line);
      if (name === '') block.comments += 1;
      else if (name === 'data') block.data = block.data === undefined ? value : `${block.data}\n${value}`;
      else block[{ event: 'type' }[name] ?? name] = value;
    }
    return block;
  }

  /** The next event; comments and `retry` before it are skipped. */
  async event(ms = patience) {
    for (;;) {
      const { type = 'message', data, id } = await this.block(ms);
      if (data !== undefined) return { type, data, id };
    }
  }

  /** The next line that is not empty, as JSON. */
  async line(ms = patience) {
    for (;;) {
      const line = await this.#through('\n', ms);
      if (line !== '') return JSON.parse(line);
    }
  }

  /** The next line, verbatim. */
  rawLine(ms = patience) {
    return this.#through('\n', ms);
  }

  /** Waits until the server has ended the body and the connection. */
  async expectEnd({ complete = true } = {}) {
    await within(patience, this.over, 'the end of the stream');
    if (this.error) throw this.error;
    assert.equal(this.complete, complete);
    assert.equal(this.#text, '');
  }

  destroy() {
    this.socket.destroy();
  }
}

/** Publishes `body` and returns the receipt. */
export async function publish(target, room, body, type = 'text/plain') {
  const response = await fetchOnce(target, 'POST', `/rooms/${room}`, { body, headers: { 'Content-Type': type } });
  assert.equal(response.status, 200, response.text);
  return response.json;
}
