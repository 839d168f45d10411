// A client of roomcast.v1: JSON objects over npm's WebSocket.

import { once } from 'node:events';
import WebSocket from 'ws';
import { patience, within } from './deadline.js';

export class JsonClient {
  #waiting = [];
  #unread = [];
  #lastId = 0;

  constructor(url, options) {
    this.socket = new WebSocket(url.replace(/^http/, 'ws'), 'roomcast.v1', options);
    this.texts = []; // every message as received
    this.socket.on('message', (data, isBinary) => {
      this.texts.push(data.toString());
      this.#unread.push(isBinary ? data : JSON.parse(data));
      this.#waiting.forEach((look) => look());
    });
    this.closed = once(this.socket, 'close').then(([code, reason]) => ({ code, reason: reason.toString() }));
  }

  /** `path`: /connect, or a room; `options`: of npm's WebSocket. Waits for the handshake; `next` returns the welcome first. */
  static async open(server, path = '/connect', options = {}) {
    const client = new JsonClient(`${server.url}${path}`, options);
    await within(patience, once(client.socket, 'open'), `the handshake on ${path}`);
    return client;
  }

  /** The same, past the welcome and, for a room, past its ok. */
  static async greeted(server, path, options) {
    const client = await JsonClient.open(server, path, options);
    client.welcome = await client.next();
    if (path?.startsWith('/rooms/')) client.ok = await client.next();
    return client;
  }

  /** Sends an object, or text verbatim. */
  send(request) {
    this.socket.send(typeof request === 'string' || Buffer.isBuffer(request) ? request : JSON.stringify(request));
  }

  /** The first unread object for which `matches` is true; those before it stay unread. */
  next(matches = () => true, what = 'a message') {
    return within(patience, new Promise((resolve) => {
      const look = () => {
        const at = this.#unread.findIndex(matches);
        if (at < 0) return;
        this.#waiting = this.#waiting.filter((one) => one !== look);
        resolve(this.#unread.splice(at, 1)[0]);
      };
      this.#waiting.push(look);
      look();
    }), what);
  }

  /** Sends a request with a new id; returns the reply. */
  ask(request) {
    this.#lastId += 1;
    const id = `ask ${this.#lastId}`;
    this.send({ id, ...request });
    return this.next((one) => one.id === id, `the reply to ${JSON.stringify(request)}`);
  }

  /** The next `count` messages of rooms. */
  async messages(count) {
    const found = [];
    while (found.length < count) found.push(await this.next((one) => one.type === 'message', `message ${found.length + 1}`));
    return found;
  }

  /** All unread objects. */
  get unread() {
    return [...this.#unread];
  }

  close() {
    this.socket.close();
    return within(patience, this.closed, 'the end of a connection');
  }
}
