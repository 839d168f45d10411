// Publishers at a steady rate: without keys over one WebSocket to each node, and with keys over HTTP, which try another node when
// there was no answer or none that says what happened.

import WebSocket from 'ws';
import { seconds, sleep, within } from '../support/deadline.js';
import { HttpConnection } from '../support/raw_http.js';
import { rooms } from './session.js';

const share_with_keys = 0.15;
const tick_ms = 20;

/** A connection of roomcast.v1 to a node that comes again. Requests are answered with `unknown` when it ends. */
class Line {
  #socket = null;
  #waiting = new Map();
  #last = 0;
  #over = false;

  constructor(node) {
    this.node = node;
    this.#connect();
  }

  get is_open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #connect() {
    if (this.#over) return;
    const socket = new WebSocket(`${this.node.url.replace(/^http/, 'ws')}/connect`, 'roomcast.v1', { perMessageDeflate: false });
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('message', (text) => {
      const answer = JSON.parse(text);
      const resolve = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      resolve?.(answer.type === 'ok' ? { outcome: 'ok', place: answer.cursor } : { outcome: answer.code });
    });
    socket.on('close', () => {
      for (const resolve of this.#waiting.values()) resolve({ outcome: 'unknown' });
      this.#waiting.clear();
      setTimeout(() => this.#connect(), 200).unref();
    });
  }

  publish(room, data) {
    this.#last += 1;
    const id = this.#last;
    this.#socket.send(JSON.stringify({ type: 'publish', room, data, id }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  end() {
    this.#over = true;
    this.#socket?.terminate();
  }
}

async function post(node, room, data, key) {
  let connection;
  try {
    connection = await HttpConnection.open(node.url);
    const headers = { 'Content-Type': 'text/plain', 'Idempotency-Key': key };
    const { status, json } = await connection.request('POST', `/rooms/${room}`, { body: data, headers });
    return status === 200 ? { outcome: 'ok', place: json.cursor } : { outcome: json.error.code };
  } catch {
    return { outcome: 'unknown' };
  } finally {
    connection?.close();
  }
}

export class Publishers {
  #lines = [];
  #open = new Set();
  #count = 0;
  #running = false;
  #over = false;
  #done;
  /** How many were answered with which outcome so far. */
  outcomes = {};

  /** `rate`: messages a second in all. */
  constructor(session, { rate, random }) {
    this.session = session;
    this.rate = rate;
    this.random = random(0);
    this.nodes = session.cluster.nodes;
  }

  begin() {
    this.#lines = this.nodes.map((node) => new Line(node));
    this.#running = true;
    this.#done = this.#run();
    this.#done.catch(() => {});
  }

  async #run() {
    const begun = performance.now();
    let due = 0;
    for (let sent = 0; this.#running; ) {
      due = ((performance.now() - begun) * this.rate) / 1000;
      // What a busy machine has missed is not made up for at once.
      if (due - sent > this.rate / 5) sent = due;
      for (; sent < due; sent += 1) this.#one();
      await sleep(tick_ms);
    }
  }

  #one() {
    const { random } = this;
    const room = random.of(rooms);
    const id = `m${(this.#count += 1)}`;
    const data = `${id} ${'x'.repeat(random.happens(0.01) ? random.below(20_000) : random.below(200))}`;
    if (random.happens(share_with_keys)) return this.#track(this.#withKey(room, id, data));
    const open = this.#lines.filter((line) => line.is_open);
    if (open.length === 0) return undefined;
    return this.#track(this.#once(random.of(open), room, id, data));
  }

  #track(promise) {
    this.#open.add(promise);
    promise.finally(() => this.#open.delete(promise));
  }

  async #once(line, room, id, data) {
    const chronicle = this.session.chronicles.get(room);
    chronicle.publish(id);
    const { outcome, place } = await line.publish(room, data);
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
    chronicle.answered(id, outcome, place);
  }

  async #withKey(room, id, data) {
    const chronicle = this.session.chronicles.get(room);
    const key = `${room} ${id}`;
    chronicle.publish(id, { key });
    for (let tries = 0; tries < 40; tries += 1) {
      const { outcome, place } = await post(this.random.of(this.nodes), room, data, key);
      if (outcome === 'ok' || tries === 39 || this.#over) return chronicle.answered(id, outcome, place);
      chronicle.tried(id, outcome);
      await sleep(100 + 200 * this.random.next());
    }
    return undefined;
  }

  /** No new ones; resolves when all are answered. */
  async stop() {
    this.#running = false;
    await this.#done;
    await within(seconds(30), Promise.all(this.#open), `the answers to ${this.#open.size} publishes`);
  }

  /** The message by which clients know that a room is over, wherever it takes to get it there. */
  async publishLast(all) {
    await Promise.all(all.map((room) => this.#withKey(room, 'last', 'last')));
  }

  end() {
    this.#over = true;
    this.#running = false;
    this.#lines.forEach((line) => line.end());
  }
}
