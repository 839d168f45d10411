// A TCP relay between a client and the server that simulates a bad network: it cuts, stalls, refuses and swallows.

import net from 'node:net';
import { startServer } from './server.js';

const HTTP_403 = 'HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 9\r\nConnection: close\r\n\r\n<p>no</p>';
const HEAD = /^(GET|HEAD|POST) (\S+) HTTP\/1\.1\r\n/;

export const isUpgrade = (head) => /\r\nupgrade: websocket\r\n/i.test(head);
export const isEventStream = (head) => /\r\naccept: text\/event-stream\r\n/i.test(head);

export class Relay {
  #server;
  #pairs = new Set();
  #target;
  /** Heads of all received requests, including refused ones. */
  requests = [];
  /** (head) => 'refuse' (as a proxy: 403), 'cut', 'swallow' (no response) or undefined: forward. */
  judge = () => undefined;
  /** Connections are refused, as if no process listened. */
  down = false;
  #deaf = false;

  static async start(target) {
    const relay = new Relay();
    relay.#target = new URL(target);
    relay.#server = net.createServer((socket) => relay.#onConnection(socket));
    await new Promise((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    relay.port = relay.#server.address().port;
    relay.url = `http://127.0.0.1:${relay.port}`;
    return relay;
  }

  get connections() {
    return this.#pairs.size;
  }

  /** Closes every connection. */
  cut() {
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  /** The connections stay open, but nothing is forwarded any more; new ones work. */
  stall() {
    for (const pair of this.#pairs) pair.stalled = true;
  }

  /** Nothing is forwarded from the server until `undeafen`; data from clients is. */
  deafen() {
    this.#deaf = true;
  }

  undeafen() {
    this.#deaf = false;
  }

  close() {
    this.cut();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #onConnection(near) {
    near.on('error', () => {});
    if (this.down) return near.destroy();
    const far = net.connect(Number(this.#target.port), this.#target.hostname);
    const pair = { near, far, stalled: false };
    this.#pairs.add(pair);
    near.setNoDelay(true);
    far.setNoDelay(true);
    far.on('error', () => near.destroy());
    near.on('data', (chunk) => this.#onRequest(pair, chunk));
    far.on('data', (chunk) => pair.stalled || this.#deaf || near.write(chunk));
    near.on('close', () => {
      far.destroy();
      this.#pairs.delete(pair);
    });
    far.on('close', () => pair.stalled || near.end());
    return undefined;
  }

  #onRequest(pair, chunk) {
    const text = chunk.toString('latin1');
    let verdict;
    if (HEAD.test(text)) {
      this.requests.push(text);
      verdict = this.judge(text);
    }
    if (verdict === 'swallow') pair.stalled = true;
    if (verdict === 'cut') pair.near.destroy();
    if (verdict === 'refuse') pair.near.end(HTTP_403);
    else if (!pair.stalled) pair.far.write(chunk);
  }
}

/** A server behind a relay, both ended with the test `t`. `options` are those of startServer. */
export async function behindRelay(t, options) {
  const server = await startServer(options);
  const relay = await Relay.start(server.url);
  t.after(async () => {
    await relay.close();
    await server.kill();
  });
  return { server, relay };
}
