// A TCP proxy on one link, for example between a node and Redis: it delays, slows, cuts, stays silent, and loses what is under way.

import net from 'node:net';
import { sleep } from '../support/deadline.js';

const waiting_max = 1 << 20; // bytes, each way

/** Commands that make a connection one for pushes, or a replica's, at the beginning of a chunk or behind others. */
const subscribing = /\r\nS?SUBSCRIBE\r\n/i;
const replicating = /\r\nPSYNC\r\n/i;

/** The kind of a connection on which a client sends `text`: null, if it can't be told by that. */
function kindBy(text) {
  if (subscribing.test(text)) return 'push';
  return replicating.test(text) ? 'replica' : null;
}

/**
 * What is done to connections: to all, or those of one kind: `push`, which have subscribed to a channel, `replica`, by which a replica
 * follows its primary, and `command`, the others, and those of which nothing is known yet.
 */
export class LinkProxy {
  #server;
  #pairs = new Set();
  #silent = null;
  /** New connections are accepted and closed at once. */
  refuses = false;
  /** Milliseconds that every chunk takes longer, each way, on connections of `delayed`. What waits is lost when the connection ends. */
  delay_ms = 0;
  delayed = 'all';
  /** Bytes a second each way; 0: no limit. */
  bytes_per_second = 0;
  /** Connections made. */
  made = 0;

  static async start(port) {
    const proxy = new LinkProxy();
    proxy.target = port;
    proxy.#server = net.createServer((near) => proxy.#connect(near));
    proxy.#server.unref();
    await new Promise((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    proxy.port = proxy.#server.address().port;
    return proxy;
  }

  get connections() {
    return this.#pairs.size;
  }

  /** Closes the connections of the kind; what is under way is lost. */
  cut(kind = 'all') {
    for (const pair of this.#pairs) {
      if (kind !== 'all' && pair.kind !== kind) continue;
      pair.near.resetAndDestroy();
      pair.far.resetAndDestroy();
    }
  }

  /** No connection at all for `ms`. */
  async cutFor(ms) {
    this.refuses = true;
    this.cut();
    await sleep(ms);
    this.refuses = false;
  }

  /** Connections of the kind stay open and take bytes, which go nowhere, new ones too, until `speak`. */
  silence(kind = 'all') {
    this.#silent = kind;
  }

  /** Ends silence. Connections that were silent are cut: their bytes are gone. */
  speak() {
    this.#silent = null;
    for (const pair of this.#pairs) {
      if (!pair.is_holed) continue;
      pair.near.resetAndDestroy();
      pair.far.resetAndDestroy();
    }
  }

  async close() {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect(near) {
    near.on('error', () => {});
    if (this.refuses) return near.resetAndDestroy();
    this.made += 1;
    const far = net.connect(this.target, '127.0.0.1');
    const pair = { near, far, kind: 'command', is_holed: false };
    this.#pairs.add(pair);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.unref();
    }
    far.on('error', () => {});
    this.#carry(pair, near, far, (chunk) => {
      if (pair.kind === 'command') pair.kind = kindBy(chunk.toString('latin1')) ?? pair.kind;
    });
    this.#carry(pair, far, near, () => {});
    near.on('close', () => {
      this.#pairs.delete(pair);
      far.destroy();
    });
    far.on('close', () => pair.is_holed || near.destroy());
    return undefined;
  }

  /** Passes bytes on in order, each chunk when its time has come. What waits is bounded, as in a real network. */
  #carry(pair, from, to, look) {
    const queue = [];
    let waiting = 0; // bytes
    let free_at = 0; // when the bytes before are through a slow link
    let timer = null;
    let is_full = false;
    const flush = () => {
      timer = null;
      while (queue.length > 0 && queue[0].at <= performance.now() && !is_full) {
        const { chunk } = queue.shift();
        waiting -= chunk.length;
        if (to.destroyed || to.write(chunk)) continue;
        is_full = true;
        to.once('drain', () => {
          is_full = false;
          flush();
        });
      }
      if (waiting < waiting_max && from.isPaused()) from.resume();
      if (queue.length > 0 && !is_full) timer = setTimeout(flush, Math.max(1, queue[0].at - performance.now()));
    };
    from.on('data', (chunk) => {
      look(chunk);
      if (this.#silent === 'all' || this.#silent === pair.kind) pair.is_holed = true;
      if (pair.is_holed) return;
      const took_ms = this.bytes_per_second > 0 ? (chunk.length * 1000) / this.bytes_per_second : 0;
      free_at = Math.max(free_at, performance.now()) + took_ms;
      const is_late = this.delayed === 'all' || this.delayed === pair.kind;
      queue.push({ chunk, at: free_at + (is_late ? this.delay_ms : 0) });
      waiting += chunk.length;
      if (waiting >= waiting_max) from.pause();
      if (timer === null) flush();
    });
    from.on('close', () => {
      clearTimeout(timer);
      queue.length = 0;
    });
  }
}
