// Every room by an HTTP request of its own (event streams or long polls), and publishing by POST.
// A link lives once: when it is down, the client makes another.

import { roomAddress } from './addresses.js';
import { refusalOf } from './errors.js';
import { eventStream, longPolls } from './http_sources.js';
import { Line } from './line.js';
import { CONTENT_TYPES } from './payload.js';

const SOURCES = { sse: eventStream, poll: longPolls };

export class HttpLink {
  #host;
  #lines = new Map(); // Room -> the Line that follows it
  #pictures = new Map(); // Room -> the Line that asks who is there
  #post = null; // the Line of the publish under way
  #open = false;
  #closed = false;

  /**
   * @param {'sse'|'poll'} name
   * @param {import('./client.js').Host} host
   */
  constructor(name, host) {
    this.name = name;
    this.#host = host;
  }

  /**
   * Asks for the first room; `host.onOpen` follows with the first word about it.
   * @param {boolean} [trial] only to see whether this transport gets through: the request feeds no room
   */
  open(trial = false) {
    const [room] = this.#host.rooms();
    if (!room) queueMicrotask(() => this.#opened()); // only publishing: there is nothing to hear
    else if (trial) this.#follow({ name: room.name, position: () => ({}) }, () => this.#endTrial());
    else this.#follow(room);
  }

  join(room) {
    if (!this.#lines.has(room)) this.#follow(room);
    if (room.position().presence && !this.#pictures.has(room)) this.#followPresence(room);
  }

  leave(room) {
    const followed = this.#lines.has(room);
    for (const lines of [this.#lines, this.#pictures]) {
      lines.get(room)?.end();
      lines.delete(room);
    }
    // It was the one whose first word was waited for: then that of another.
    if (followed && !this.#open && !this.#closed) this.open();
  }

  /**
   * The network, the page or the machine woke up: a request that was silent for a while may be dead, and cannot be asked.
   * @param {number} sleptMs what performance.now() has not counted
   */
  check(sleptMs) {
    const now = performance.now() + sleptMs;
    for (const [room, line] of [...this.#lines]) {
      if (now - line.heardAt < this.#host.timing.wakeMs) continue;
      this.leave(room);
      this.join(room);
    }
  }

  /** Sends what waits in the outbox, one after the other so that it arrives in its order. */
  async flush() {
    if (!this.#open || this.#post) return;
    this.#post = new Line();
    try {
      for (let entry = this.#unsent(); entry; entry = this.#unsent()) await this.#publish(entry, this.#post);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#post.end();
      this.#post = null;
    }
  }

  close() {
    this.#closed = true;
    this.#open = false;
    for (const lines of [this.#lines, this.#pictures]) {
      for (const line of lines.values()) line.end();
      lines.clear();
    }
    this.#post?.end();
  }

  async #follow(room, onFirst = () => this.#opened()) {
    const line = new Line();
    this.#lines.set(room, line);
    const isOurs = () => this.#lines.get(room) === line;
    let first = true;
    try {
      for await (const object of SOURCES[this.name](this.#host, room, line)) {
        if (!isOurs()) return;
        if (first) onFirst();
        first = false;
        if (isOurs()) this.#take(room, object);
        if (!isOurs()) return;
      }
    } catch (error) {
      if (isOurs()) this.#onError(room, error, first);
    } finally {
      line.end();
    }
  }

  #endTrial() {
    for (const line of this.#lines.values()) line.end();
    this.#lines.clear();
    this.#opened();
  }

  #opened() {
    if (this.#open || this.#closed) return;
    this.#open = true;
    this.#host.onOpen(this);
  }

  #take(room, object) {
    switch (object.type) {
      case 'ok': return room.joined(object.cursor);
      case 'message': return room.message(object);
      case 'gap': return room.gap(object);
      case 'bye': return this.#onBye(object);
      default: return undefined; // of a newer server
    }
  }

  #onBye({ reason, retry_ms: retryMs }) {
    this.#down({ reason: `The server said: ${reason}.`, code: reason, retryMs, final: retryMs === undefined });
  }

  /** `early`: nothing was heard of the room yet. */
  #onError(room, error, early) {
    if (error.ours && !error.temporary && room.refuse) room.refuse(error);
    else this.#fail(error, early);
  }

  #fail(error, early = false) {
    const heldBack = early && error.code === 'silence';
    this.#down({ reason: error.message, retryMs: error.retryMs, blocked: error.blocked || heldBack });
  }

  #down(failure) {
    if (this.#closed) return;
    this.close();
    this.#host.onDown(this, failure);
  }

  async #followPresence(room) {
    const line = new Line();
    this.#pictures.set(room, line);
    while (!line.ended) {
      // Without an answer the picture stays as it is until the next one.
      await room.fetchPresence().catch(() => {});
      if (!line.ended) await line.pause(this.#host.timing.presenceMs);
    }
  }

  #unsent() {
    return this.#closed ? undefined : this.#host.outbox.unsent(this).next().value;
  }

  async #publish(entry, line) {
    const { outbox, timing, fetch, base, userName } = this.#host;
    entry.link = this;
    line.expect(timing.requestMs);
    const url = roomAddress(base, entry.room, { name: userName });
    const headers = { 'Content-Type': CONTENT_TYPES[entry.payload.kind], 'Idempotency-Key': entry.key };
    const response = await fetch(url.href, { method: 'POST', headers, body: entry.payload.body, signal: line.signal });
    if (response.ok) {
      const { cursor, subscribers, duplicate = false } = await response.json();
      return outbox.resolve(entry, { room: entry.room, cursor, subscribers, duplicate });
    }
    const refusal = await refusalOf(response);
    // A proxy's word that the server is away leaves open what became of it; the next link says it again.
    if (refusal.temporary && !refusal.ours) throw refusal;
    return outbox.reject(entry, refusal);
  }
}
