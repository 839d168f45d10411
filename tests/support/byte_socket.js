// A client connection from which bytes are read on demand: TCP, TLS or Unix socket.

import net from 'node:net';
import tls from 'node:tls';
import { patience, within } from './deadline.js';

/** The server ended (or reset) the connection before the awaited data arrived. */
export class ConnectionEnded extends Error {
  constructor(what, rest, reset) {
    super(`connection ${reset ? 'reset' : 'ended'} while waiting for ${what}; unread: ${JSON.stringify(rest.toString('latin1').slice(0, 300))}`);
    this.reset = reset;
    this.rest = rest;
  }
}

/** The connect options for "http://127.0.0.1:80", "https://[::1]:443" or "unix:/path". */
export function parseTarget(target) {
  if (target.startsWith('unix:')) return { secure: false, host: 'localhost', connect: { path: target.slice(5) } };
  const url = new URL(target);
  const secure = url.protocol === 'https:' || url.protocol === 'wss:';
  const port = Number(url.port || (secure ? 443 : 80));
  return { secure, host: url.host, connect: { host: url.hostname.replace(/^\[|\]$/g, ''), port } };
}

export class ByteSocket {
  #chunks = [];
  #length = 0;
  #wake = () => {};

  /** Wraps a connected socket. */
  constructor(socket) {
    this.socket = socket;
    this.ended = false;
    this.reset = false;
    this.receivedBytes = 0;
    socket.setNoDelay?.(true);
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.receivedBytes += chunk.length;
      this.#wake();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#wake();
    });
    socket.on('error', (error) => {
      this.error = error;
      this.reset = !this.ended;
      this.#wake();
    });
    socket.on('close', () => {
      if (!this.ended) this.reset = true;
      this.ended = true;
      this.#wake();
    });
  }

  /** Connects to `target`. `tlsOptions` are those of node:tls; certificates are not verified by default. */
  static async open(target, { tlsOptions = {}, ...netOptions } = {}) {
    const { secure, connect } = parseTarget(target);
    const options = { ...connect, ...netOptions };
    const socket = secure
      ? tls.connect({ rejectUnauthorized: false, ...options, ...tlsOptions })
      : net.connect(options);
    const connected = new Promise((resolve, reject) => {
      socket.once(secure ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    });
    await within(patience, connected, `connect to ${target}`);
    return new ByteSocket(socket);
  }

  /** Hands `bytes` to the kernel. Returns false when the connection is broken, which reading then reports. */
  write(bytes) {
    return new Promise((resolve) => {
      if (this.socket.destroyed || !this.socket.writable) return resolve(false);
      this.socket.write(bytes, typeof bytes === 'string' ? 'latin1' : undefined, (error) => resolve(!error));
    });
  }

  /** Writes in pieces of `size` bytes, each in a separate write. */
  async writeChopped(bytes, size) {
    const all = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    for (let at = 0; at < all.length; at += size) {
      if (!(await this.write(all.subarray(at, at + size)))) return false;
    }
    return true;
  }

  /** Bytes received and not yet taken. */
  get unread() {
    return this.#length;
  }

  /** Waits for `count` bytes and returns them. */
  async bytes(count, what = `${count} bytes`, ms = patience) {
    await this.#until(() => this.#length >= count, what, ms);
    return this.#take(count);
  }

  /** Waits for `delimiter` and returns everything up to and including it. */
  async through(delimiter, what = JSON.stringify(delimiter), ms = patience) {
    let at = -1;
    await this.#until(() => (at = this.#joined().indexOf(delimiter, 0, 'latin1')) >= 0, what, ms);
    return this.#take(at + delimiter.length);
  }

  /** Waits until at least one byte has arrived (true) or the connection has ended (false). */
  async readable(ms = patience) {
    await this.#until(() => this.#length > 0 || this.ended || this.reset, 'a byte or the end', ms);
    return this.#length > 0;
  }

  /** Waits for the end and returns the data before it. A reset is an error unless `allowReset`. */
  async rest({ ms = patience, allowReset = false } = {}) {
    await this.#until(() => this.ended || this.reset, 'the end of the connection', ms);
    if (this.reset && !allowReset) throw new ConnectionEnded('an orderly end', this.#joined(), true);
    return this.#take(this.#length);
  }

  /** Whether nothing arrives for `ms`. */
  async quiet(ms) {
    const before = this.receivedBytes;
    await new Promise((resolve) => setTimeout(resolve, ms));
    return this.receivedBytes === before && !this.ended && !this.reset;
  }

  /** Sends FIN; reading continues. */
  finish() {
    this.socket.end();
  }

  pauseReading() {
    this.socket.pause();
  }

  resumeReading() {
    this.socket.resume();
  }

  /** Closes the socket at once. */
  destroy() {
    this.socket.destroy();
  }

  /** Closes the socket with a reset. */
  abort() {
    if (this.socket.resetAndDestroy) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  async #until(condition, what, ms) {
    const end = Date.now() + ms;
    while (!condition()) {
      if (this.ended || this.reset) throw new ConnectionEnded(what, this.#joined(), this.reset);
      const woken = new Promise((resolve) => (this.#wake = resolve));
      await within(Math.max(1, end - Date.now()), woken, `${what}; unread: ${this.#preview()}`);
    }
  }

  #preview() {
    return JSON.stringify(this.#joined().toString('latin1', 0, 200));
  }

  #joined() {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0];
  }

  #take(count) {
    const all = this.#joined();
    this.#chunks = [all.subarray(count)];
    this.#length -= count;
    return all.subarray(0, count);
  }
}
