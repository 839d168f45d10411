// One server, many rooms, one link at a time.

import { getJson, HttpLink, Line } from './http_link.js';
import { Environment, Keeper } from './keeper.js';
import { baseOf, encodePayload, isBlob, presenceAddress, roomAddress, RoomcastError, roomProblem } from './protocol.js';
import { Listeners, Room } from './room.js';
import { WebSocketLink } from './websocket_link.js';

const TRANSPORTS = ['websocket', 'sse', 'poll'];

/** How long things may take, in milliseconds unless the name says otherwise. */
const TIMING = Object.freeze({
  connectMs: 10_000, // to the server's first word
  doubtMs: 3_000, // then plain HTTP is asked whether this transport is blocked
  requestMs: 15_000, // a publish by POST, a look at who is there
  receiptMs: 5_000, // a reply that is later makes us ask whether the link is still alive
  pongMs: 10_000, // the answer to a ping after a silence
  wakePongMs: 4_000, // and after the page or the machine woke up, or where a reply is late
  lookMs: 5_000, // between looks at whether the machine slept, and at the network
  silenceMs: 60_000, // of an event stream; the server says something every 25 s
  wakeMs: 30_000, // a request silent for that long is made anew when the page wakes up
  pollWaitSeconds: 25, // below what proxies cut at
  presenceMs: 30_000, // between looks at who is there, where nobody tells
  stableMs: 5_000, // a link that lived this long was a good one
  climbMs: 60_000, // to the first try of a better transport, doubling
  climbCapMs: 30 * 60_000,
  closeMs: 1_000, // for the other side to say goodbye
});

/**
 * What links need of the client.
 * @typedef {object} Host
 * @property {URL} base the server's
 * @property {string} [userName]
 * @property {typeof TIMING} timing
 * @property {typeof fetch} fetch
 * @property {typeof WebSocket} [WebSocket]
 * @property {Outbox} outbox
 * @property {() => Iterable<Room>} rooms those to be joined
 * @property {(link: object) => void} onOpen the server said something over the link: it works
 * @property {(link: object, failure: object) => void} onDown the link is over, by itself
 */

export class Client {
  #host;
  #keeper;
  #outbox;
  #rooms = new Map();
  #requests = new Set(); // Lines of what was asked besides the link
  #listeners = new Listeners();
  #closed = false;

  /** Clients are made by `connect`. */
  constructor(url, options = {}) {
    const { name, transports = TRANSPORTS, maxPending = 100, maxPendingBytes = 1024 * 1024, publishTimeoutMs = 60_000 } = options;
    const base = baseOf(url);
    const WebSocketClass = options.WebSocket ?? globalThis.WebSocket;
    const fetchFunction = options.fetch ?? globalThis.fetch;
    this.#outbox = new Outbox({ count: maxPending, bytes: maxPendingBytes, deadlineMs: publishTimeoutMs }, () => this.#flush());
    this.#host = {
      base,
      userName: name || undefined,
      timing: { ...TIMING, ...options.timing },
      // Not as a method of ours: a browser's fetch wants its own `this`.
      fetch: (address, init) => fetchFunction(address, init),
      WebSocket: WebSocketClass,
      outbox: this.#outbox,
      rooms: () => this.#rooms.values(),
      onOpen: (link) => this.#keeper.opened(link),
      onDown: (link, failure) => this.#onDown(link, failure),
    };
    this.#keeper = new Keeper({
      transports: usable(transports, WebSocketClass),
      timing: this.#host.timing,
      environment: new Environment(base, this.#host.timing.lookMs),
      makeLink: (transport) => (transport === 'websocket' ? new WebSocketLink(this.#host) : new HttpLink(transport, this.#host)),
      isWanted: () => this.#rooms.size > 0 || this.#outbox.size > 0,
      probe: () => this.#probe(),
      onState: (state) => this.#listeners.emit('state', state),
      onOpen: (link) => this.#joinAll(link),
      onEnd: ({ reason, code }) => this.#outbox.rejectAll(code ?? 'refused', reason),
    });
  }

  /**
   * `{name, transport?, retryAt?, reason?, code?}`; `name`: idle (no room yet), connecting, live (by `transport`), waiting (until
   * `retryAt`, ms since the epoch), offline (the browser has no network), closed (by us, or refused with `code` and `reason`).
   */
  get state() {
    return this.#keeper.state;
  }

  /** The largest payload, in bytes, that the server takes over the connection that is up; undefined where it has not said so (HTTP). */
  get messageBytes() {
    return this.#keeper.link?.messageBytes;
  }

  /** Listens to `state`. @returns {() => void} takes the listener away again */
  on(event, listener) {
    if (event !== 'state') throw new TypeError(`A client has no event "${event}", but state.`);
    return this.#listeners.on(event, listener);
  }

  off(event, listener) {
    this.#listeners.off(event, listener);
  }

  /**
   * Joins a room. Listen to it before you wait for anything, and nothing is missed.
   * @param {string} name
   * @param {object} [options]
   * @param {string} [options.since] a cursor: begin with everything after it
   * @param {number} [options.history] begin with the last so many messages
   * @param {boolean} [options.presence] keep `members` up to date
   * @throws {RoomcastError} `bad_room_name`, `already_joined`, `closed`
   */
  room(name, options = {}) {
    this.#check(name);
    if (this.#rooms.has(name)) throw new RoomcastError('already_joined', `This client has already joined the room "${name}".`);
    const room = new Room({
      publish: (...publish) => this.publish(...publish),
      fetchPresence: (roomName) => this.#ask(presenceAddress(this.#host.base, roomName)),
      left: (leaver) => this.#onLeft(leaver),
    }, name, options);
    this.#rooms.set(name, room);
    this.#keeper.link?.join(room);
    this.#keeper.want();
    return room;
  }

  /** Publishes into a room, joined or not. See `Room.publish`. */
  async publish(room, data, { key } = {}) {
    this.#check(room);
    const { name, reason, code = 'refused' } = this.state;
    if (name === 'closed') throw new RoomcastError(code, reason);
    const receipt = this.#outbox.add(room, data, key);
    this.#keeper.want();
    return receipt;
  }

  /** Tries to connect now, if it is waiting or was refused. */
  retry() {
    if (!this.#closed) this.#keeper.retry();
  }

  /** Ends it for good: rooms close, what is not published yet fails with `closed`, nothing is left running. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#keeper.close();
    for (const room of [...this.#rooms.values()]) room.close();
    this.#outbox.rejectAll('closed', 'The client was closed.');
    for (const line of this.#requests) line.end();
    this.#listeners.clear();
  }

  #check(room) {
    if (this.#closed) throw new RoomcastError('closed', 'The client was closed.');
    const problem = roomProblem(room);
    if (problem) throw new RoomcastError('bad_room_name', problem);
  }

  #joinAll(link) {
    for (const room of [...this.#rooms.values()]) link.join(room);
    link.flush();
  }

  #onLeft(room) {
    this.#rooms.delete(room.name);
    this.#keeper.left(room);
  }

  #flush() {
    this.#keeper.link?.flush();
  }

  #onDown(link, failure) {
    if (failure.blames) this.#outbox.rejectOldestSent(link, new RoomcastError(failure.blames, failure.reason));
    this.#keeper.down(link, failure);
  }

  async #ask(url) {
    const line = new Line();
    this.#requests.add(line);
    line.expect(this.#host.timing.requestMs);
    try {
      return await getJson(this.#host, url, line);
    } finally {
      line.end();
      this.#requests.delete(line);
    }
  }

  /** Whether the server is there for plain HTTP, whatever the transport at fault says. */
  async #probe() {
    const [room] = this.#rooms.keys();
    try {
      const answer = await this.#ask(roomAddress(this.#host.base, room ?? this.#outbox.room, { transport: 'poll' }));
      return typeof answer?.cursor === 'string' ? 'works' : 'unreachable';
    } catch (error) {
      if (!error.ours || error.temporary) return 'unreachable';
      // Only these are about us; any other answer of the server itself shows that it is there.
      return [401, 403].includes(error.status) ? error : 'works';
    }
  }
}

function usable(transports, WebSocketClass) {
  const unknown = transports.filter((transport) => !TRANSPORTS.includes(transport));
  if (unknown.length > 0) throw new TypeError(`There is no transport "${unknown[0]}", but ${TRANSPORTS.join(', ')}.`);
  const all = transports.filter((transport) => transport !== 'websocket' || WebSocketClass !== undefined);
  if (all.length === 0) throw new TypeError('No transport is left: this platform has no WebSocket (see docs/client.md).');
  return all;
}

// Publishes without a receipt yet, in their order. It is bounded, and everything in it ends: with a receipt or an error.

/** The server knows a key for five minutes; a retry later than that could publish twice. */
const DEADLINE_MAX_MS = 240_000;

/**
 * @typedef {object} Entry
 * @property {string} room
 * @property {string} key the same in every attempt, so that it happens once
 * @property {object|null} payload null while a Blob is still being read
 * @property {number} bytes
 * @property {object|null} link the link it was last handed to
 */

export class Outbox {
  #entries = new Set();
  #bytes = 0;
  #keys = randomText();
  #count = 0;
  #limits;
  #onReady;

  /**
   * @param {{count: number, bytes: number, deadlineMs: number}} limits
   * @param {() => void} onReady there is something new to send
   */
  constructor(limits, onReady) {
    this.#limits = { ...limits, deadlineMs: Math.min(limits.deadlineMs, DEADLINE_MAX_MS) };
    this.#onReady = onReady;
  }

  get size() {
    return this.#entries.size;
  }

  /** The room of the oldest; undefined when empty. */
  get room() {
    for (const entry of this.#entries) return entry.room;
    return undefined;
  }

  /** @returns {Promise<object>} the receipt */
  add(room, data, key) {
    return new Promise((resolve, reject) => {
      const payload = isBlob(data) ? null : encodePayload(data);
      const bytes = payload?.bytes ?? data.size;
      this.#admit(bytes);
      this.#count += 1;
      const entry = { room, key: key ?? `${this.#keys}-${this.#count}`, payload, bytes, link: null, resolve, reject };
      entry.timer = setTimeout(() => this.reject(entry, this.#overdue(entry)), this.#limits.deadlineMs);
      this.#entries.add(entry);
      this.#bytes += bytes;
      if (payload) this.#onReady();
      else this.#read(entry, data);
    });
  }

  /** The oldest entries that `link` does not have yet, up to one that is not ready: their order stays. */
  *unsent(link) {
    for (const entry of this.#entries) {
      if (!entry.payload) return;
      if (entry.link !== link) yield entry;
    }
  }

  resolve(entry, receipt) {
    if (this.#remove(entry)) entry.resolve(receipt);
  }

  reject(entry, error) {
    if (this.#remove(entry)) entry.reject(error);
  }

  /** The connection ended because of what was sent on it: the oldest without an answer is to blame. */
  rejectOldestSent(link, error) {
    for (const entry of this.#entries) {
      if (entry.link === link) return this.reject(entry, error);
    }
  }

  rejectAll(code, message) {
    for (const entry of [...this.#entries]) {
      this.reject(entry, new RoomcastError(code, message, { maybePublished: entry.link !== null }));
    }
  }

  #admit(bytes) {
    const { count, bytes: bytesMax } = this.#limits;
    if (this.#entries.size >= count) {
      throw new RoomcastError('queue_full', `${count} publishes are already waiting (maxPending).`);
    }
    if (this.#bytes + bytes > bytesMax) {
      throw new RoomcastError('queue_full', `The waiting publishes would be larger than ${bytesMax} bytes (maxPendingBytes).`);
    }
  }

  async #read(entry, blob) {
    try {
      entry.payload = encodePayload(await blob.arrayBuffer());
    } catch (error) {
      this.reject(entry, new RoomcastError('invalid_data', `The Blob cannot be read: ${error.message}`));
    }
    this.#onReady();
  }

  #overdue(entry) {
    const sent = entry.link !== null;
    const fate = sent ? 'It may have been published all the same.' : 'It was not published.';
    return new RoomcastError('timeout', `There was no receipt in ${this.#limits.deadlineMs} ms. ${fate}`, { maybePublished: sent });
  }

  #remove(entry) {
    clearTimeout(entry.timer);
    if (!this.#entries.delete(entry)) return false;
    this.#bytes -= entry.bytes;
    return true;
  }
}

/** Unguessable where the platform can; crypto.randomUUID is missing on plain http pages, and crypto in Node 18. */
function randomText() {
  const bytes = new Uint8Array(12);
  if (globalThis.crypto?.getRandomValues) crypto.getRandomValues(bytes);
  else bytes.forEach((_, index) => (bytes[index] = Math.random() * 256));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
