// A client: one server, many rooms, one link at a time.

import { HttpLink } from './http_link.js';
import { Environment, Reconnector } from './reconnect.js';
import { baseOf, encodePayload, getJson, HttpRequest, isBlob, presenceAddress, roomAddress, RoomcastError, roomProblem, Tokens } from './protocol.js';
import { Listeners, Room } from './room.js';
import { WebSocketLink } from './websocket_link.js';

const TRANSPORTS = ['websocket', 'sse', 'poll'];

/** Deadlines and intervals, in milliseconds unless the name says otherwise. */
const TIMING = Object.freeze({
  connectMs: 10_000, // until the first message or response of the server
  doubtMs: 3_000, // then a plain HTTP request checks whether the transport is blocked
  requestMs: 15_000, // for a publish by POST, and for a presence request
  receiptMs: 5_000, // a later reply makes the link send a ping
  pongMs: 10_000, // for the pong after a period of silence
  wakePongMs: 4_000, // and after the page or the machine woke up, or when a reply is late
  lookMs: 5_000, // interval for detecting that the machine slept, and network changes
  silenceMs: 60_000, // maximum, of an event stream; the server sends something every 25 s
  wakeMs: 30_000, // a request that was silent for longer is repeated when the page wakes up
  pollWaitSeconds: 25, // shorter than the usual timeouts of proxies
  presenceMs: 30_000, // between presence requests, for transports without presence events
  stableMs: 5_000, // a link that was open for longer counts as stable
  climbMs: 60_000, // until a better transport is tried; doubles with every failure
  climbCapMs: 30 * 60_000,
  closeMs: 1_000, // for the server to answer a Close frame
});

/**
 * What links need from the client.
 * @typedef {object} Host
 * @property {URL} base base URL of the server
 * @property {string} [userName]
 * @property {typeof TIMING} timing
 * @property {typeof fetch} fetch
 * @property {typeof WebSocket} [WebSocket]
 * @property {Tokens} tokens
 * @property {Outbox} outbox
 * @property {() => Iterable<Room>} rooms the rooms to join
 * @property {(link: object) => void} onOpen the link received something from the server, so it works
 * @property {(link: object, failure: object) => void} onDown the link has ended, and close() was not called
 */

export class Client {
  #host;
  #reconnector;
  #outbox;
  #rooms = new Map();
  #requests = new Set(); // HttpRequests that do not belong to the link
  #listeners = new Listeners();
  #closed = false;

  /** Clients are created by `connect`. */
  constructor(url, options = {}) {
    const { name, transports = TRANSPORTS, maxPending = 100, maxPendingBytes = 1024 * 1024, publishTimeoutMs = 60_000 } = options;
    const base = baseOf(url);
    const tokens = new Tokens(options.token);
    const WebSocketClass = options.WebSocket ?? globalThis.WebSocket;
    const fetchFunction = options.fetch ?? globalThis.fetch;
    this.#outbox = new Outbox({ count: maxPending, bytes: maxPendingBytes, deadlineMs: publishTimeoutMs }, () => this.#flush());
    this.#host = {
      base,
      userName: name || undefined,
      timing: { ...TIMING, ...options.timing },
      // Wrapped, because a browser's fetch must not be called as a method of another object.
      fetch: (address, init) => fetchFunction(address, init),
      WebSocket: WebSocketClass,
      tokens,
      outbox: this.#outbox,
      rooms: () => this.#rooms.values(),
      onOpen: (link) => this.#reconnector.opened(link),
      onDown: (link, failure) => this.#onDown(link, failure),
    };
    this.#reconnector = new Reconnector({
      transports: usable(transports, WebSocketClass),
      timing: this.#host.timing,
      environment: new Environment(base, this.#host.timing.lookMs),
      makeLink: (transport) => (transport === 'websocket' ? new WebSocketLink(this.#host) : new HttpLink(transport, this.#host)),
      prepare: tokens.available ? () => tokens.renew() : undefined,
      isWanted: () => this.#rooms.size > 0 || this.#outbox.size > 0,
      probe: () => this.#probe(),
      onState: (state) => this.#listeners.emit('state', state),
      onOpen: (link) => this.#joinAll(link),
      onEnd: ({ reason, code }) => this.#outbox.rejectAll(code ?? 'refused', reason),
    });
  }

  /**
   * `{name, transport?, retryAt?, reason?, code?}`; `name`: idle (no room yet), connecting, live (over `transport`), waiting (until
   * `retryAt`, ms since the epoch), offline (no network), closed (by close(), or refused with `code` and `reason`).
   */
  get state() {
    return this.#reconnector.state;
  }

  /** The largest payload in bytes that the server accepts; undefined where it is not reported (HTTP), or while not connected. */
  get messageBytes() {
    return this.#reconnector.link?.messageBytes;
  }

  /** Adds a listener for `state`. @returns {() => void} removes the listener */
  on(event, listener) {
    if (event !== 'state') throw new TypeError(`A client has no event "${event}", but state.`);
    return this.#listeners.on(event, listener);
  }

  off(event, listener) {
    this.#listeners.off(event, listener);
  }

  /**
   * Joins a room. Add listeners before the next `await`, and they receive every event.
   * @param {string} name
   * @param {object} [options]
   * @param {string} [options.since] a cursor: start with everything after it
   * @param {number} [options.history] start with this number of the last messages
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
    this.#reconnector.link?.join(room);
    this.#reconnector.want();
    return room;
  }

  /** Publishes to a room, joined or not. See `Room.publish`. */
  async publish(room, data, { key } = {}) {
    this.#check(room);
    const { name, reason, code = 'refused' } = this.state;
    if (name === 'closed') throw new RoomcastError(code, reason);
    const receipt = this.#outbox.add(room, data, key);
    this.#reconnector.want();
    return receipt;
  }

  /** Connects now, if the client is waiting or was refused. */
  retry() {
    if (!this.#closed) this.#reconnector.retry();
  }

  /** Closes the client for good: rooms close, pending publishes fail with `closed`, no socket or timer is left. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#reconnector.close();
    for (const room of [...this.#rooms.values()]) room.close();
    this.#outbox.rejectAll('closed', 'The client was closed.');
    for (const request of this.#requests) request.end();
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
    this.#reconnector.left(room);
  }

  #flush() {
    this.#reconnector.link?.flush();
  }

  #onDown(link, failure) {
    if (failure.blames) this.#outbox.rejectOldestSent(link, new RoomcastError(failure.blames, failure.reason));
    this.#reconnector.down(link, failure);
  }

  async #ask(url) {
    const request = new HttpRequest();
    this.#requests.add(request);
    request.expect(this.#host.timing.requestMs);
    try {
      return await getJson(this.#host, url, request);
    } finally {
      request.end();
      this.#requests.delete(request);
    }
  }

  /** Whether the server responds to plain HTTP, regardless of the failing transport. */
  async #probe() {
    const [room] = this.#rooms.keys();
    try {
      const answer = await this.#ask(roomAddress(this.#host.base, room ?? this.#outbox.room, { transport: 'poll' }));
      return typeof answer?.cursor === 'string' ? 'works' : 'unreachable';
    } catch (error) {
      if (!error.ours || error.temporary) return 'unreachable';
      // These refuse the client; any other response of the server itself shows that it is reachable, also one that refuses the room.
      return [401, 403].includes(error.status) && error.code !== 'forbidden' ? error : 'works';
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

// Publishes without a receipt, in order. Bounded; every entry ends with a receipt or an error.

/** The server remembers keys for five minutes; a later retry might publish twice. */
const DEADLINE_MAX_MS = 240_000;

/**
 * @typedef {object} Entry
 * @property {string} room
 * @property {string} key idempotency key, the same for every attempt
 * @property {object|null} payload null while a Blob is still being read
 * @property {number} bytes
 * @property {object|null} link the link it was last sent over
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
   * @param {() => void} onReady called when there is something new to send
   */
  constructor(limits, onReady) {
    this.#limits = { ...limits, deadlineMs: Math.min(limits.deadlineMs, DEADLINE_MAX_MS) };
    this.#onReady = onReady;
  }

  get size() {
    return this.#entries.size;
  }

  /** The room of the oldest entry; undefined when empty. */
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

  /** The oldest entries not yet sent over `link`, up to the first that is not ready, so that order is kept. */
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

  /** The server closed the connection because of a publish: the oldest unanswered one fails. */
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

/** Random, unguessable where possible: crypto.randomUUID is missing on plain http pages, and crypto in Node 18. */
function randomText() {
  const bytes = new Uint8Array(12);
  if (globalThis.crypto?.getRandomValues) crypto.getRandomValues(bytes);
  else bytes.forEach((_, index) => (bytes[index] = Math.random() * 256));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
