// All rooms over one WebSocket with roomcast.v1. A link is not reused: once it is down, the client creates another.

import { publishCommand, RoomcastError, socketAddress } from './protocol.js';

// Close codes, RFC 6455 section 7.4.1 and the registry of IANA
const POLICY = 1008;
const NO_WORD = 1006;
const UNAUTHORIZED = 3000;
const FORBIDDEN = 3003;
/** The slowest upload rate that is not mistaken for a dead link. */
const SLOW_BYTES_PER_MS = 16;

const BLAMES_PUBLISH = new Map([
  [1007, 'invalid_data'],
  [1009, 'message_too_big'],
]);

/** What the state names where a close code is all that the server has said. */
const CODES = new Map([
  [POLICY, 'refused'],
  [UNAUTHORIZED, 'unauthorized'],
  [FORBIDDEN, 'forbidden'],
]);

/** Codes of temporary refusals of a room. */
const FOR_NOW = new Set(['overloaded', 'unavailable', 'timed_out', 'store_busy', 'store_full', 'store_failed', 'store_timeout']);

export class WebSocketLink {
  name = 'websocket';
  #host;
  #socket = null;
  #open = false;
  #timer = null; // the only pending deadline: for the welcome, the next silence check, or a pong
  #pongUntil = null; // deadline of the pending pong
  #overdueTimer = null; // the next check for late replies
  #activeAt = 0;
  #pingMs = 0;
  #messageBytes;
  #ids = 0;
  #replies = new Map(); // request id -> callback, time of sending and bytes; oldest first
  #rooms = new Map(); // name -> Room, of accepted subscriptions

  /** @param {import('./client.js').Host} host */
  constructor(host) {
    this.#host = host;
  }

  /** The largest payload that the server accepts, in bytes; undefined before the welcome. */
  get messageBytes() {
    return this.#messageBytes;
  }

  /** Connects. `host.onOpen` is called after the server's first message, because an upgrade alone proves nothing. */
  open() {
    const url = socketAddress(this.#host.base, { name: this.#host.userName });
    let socket;
    try {
      socket = new this.#host.WebSocket(url.href, ['roomcast.v1', ...this.#host.tokens.protocols]);
    } catch (error) {
      // Not rethrown: all failures are reported in the same way, asynchronously.
      this.#wait(0, () => this.#fail({ reason: error.message }));
      return;
    }
    this.#socket = socket;
    socket.onmessage = (event) => this.#onFrame(event.data);
    socket.onclose = (event) => this.#onClose(event);
    socket.onerror = () => {}; // a close event follows
    this.#wait(this.#host.timing.connectMs, () => this.#fail({ reason: 'The server did not answer in time.', blocked: true }));
  }

  join(room) {
    const { since, history, presence } = room.position();
    const command = { type: 'subscribe', room: room.name, since, history, presence: presence || undefined };
    this.#request(command, (reply) => this.#onSubscribed(room, reply));
  }

  leave(room) {
    if (this.#rooms.get(room.name) === room) this.#rooms.delete(room.name);
    this.#request({ type: 'unsubscribe', room: room.name }, () => {});
  }

  /** Sends the pending publishes. */
  flush() {
    if (!this.#open) return;
    for (const entry of [...this.#host.outbox.unsent(this)]) this.#publish(entry);
  }

  /** Called after the network, the page or the machine woke up: checks whether the link is alive. */
  check() {
    this.#ask(this.#host.timing.wakePongMs);
  }

  /** Sends a ping; the link fails unless something arrives within `pongMs`. Does nothing if an earlier deadline is pending. */
  #ask(pongMs) {
    if (!this.#open) return;
    const askedAt = performance.now();
    if (this.#pongUntil !== null && this.#pongUntil <= askedAt + pongMs) return;
    this.#pongUntil = askedAt + pongMs;
    this.#send('{"type":"ping"}');
    this.#wait(pongMs, () => {
      this.#pongUntil = null;
      if (this.#activeAt >= askedAt) this.#watch();
      else this.#fail({ reason: 'Nothing comes back from the server.', dead: true });
    });
  }

  /** A late reply may never come: on a dead link everything sent is lost, and only a ping finds that out. */
  #watchReplies() {
    if (this.#overdueTimer !== null || this.#replies.size === 0) return;
    const { receiptMs, wakePongMs } = this.#host.timing;
    const [{ sentAt }] = this.#replies.values();
    const leftMs = Math.max(sentAt + receiptMs - performance.now(), 0);
    this.#overdueTimer = setTimeout(() => {
      this.#overdueTimer = null;
      const [oldest] = this.#replies.values();
      if (!oldest) return;
      const now = performance.now();
      if (now - oldest.sentAt >= receiptMs) {
        let bytes = 0;
        for (const reply of this.#replies.values()) bytes += reply.bytes;
        // Data that is still being uploaded precedes the ping.
        this.#ask(wakePongMs + bytes / SLOW_BYTES_PER_MS);
        oldest.sentAt = now; // checked again after another interval
      }
      this.#watchReplies();
    }, leftMs);
  }

  close() {
    this.#release(false);
  }

  #onFrame(text) {
    let object;
    try {
      object = JSON.parse(text);
    } catch {
      return this.#fail({ reason: 'The server said something that is not roomcast.v1.' });
    }
    this.#activeAt = performance.now();
    if (this.#open) this.#onObject(object);
    else if (object.type === 'welcome') this.#onWelcome(object);
    else if (object.type === 'bye') this.#onBye(object);
  }

  #onWelcome({ ping_ms: pingMs, limits }) {
    this.#open = true;
    this.#pingMs = pingMs;
    this.#messageBytes = limits?.message_bytes;
    this.#watch();
    this.#host.onOpen(this);
  }

  #onObject(object) {
    const room = this.#rooms.get(object.room);
    switch (object.type) {
      case 'message': return room?.message(object);
      case 'ok':
      case 'authenticated':
      case 'error': return this.#onReply(object);
      case 'gap': return room?.gap(object);
      case 'deleted':
      case 'replaced':
      case 'cleared': return room?.amended(object);
      case 'presence': return room?.showPresence(object);
      case 'join': return room?.memberJoined(object.member);
      case 'leave': return room?.memberLeft(object.member);
      case 'expires': return this.#authenticate();
      case 'unsubscribed': return this.#onUnsubscribed(room, object);
      case 'bye': return this.#onBye(object);
      default: return undefined; // from a newer server
    }
  }

  #onReply(reply) {
    const awaited = this.#replies.get(reply.id);
    this.#replies.delete(reply.id);
    awaited?.then(reply);
  }

  #onSubscribed(room, reply) {
    if (room.closed) return;
    if (reply.type === 'ok') {
      this.#rooms.set(room.name, room);
      room.joined(reply.cursor);
      if (reply.presence) room.showPresence(reply.presence);
    } else if (FOR_NOW.has(reply.code)) {
      this.#fail({ reason: reply.message });
    } else {
      room.refuse(new RoomcastError(reply.code, reply.message));
    }
  }

  /** The server has had the client leave the room. */
  #onUnsubscribed(room, { code, message }) {
    if (!room) return;
    this.#rooms.delete(room.name);
    room.refuse(new RoomcastError(code, message));
  }

  #publish(entry) {
    if (entry.payload.bytes > this.#messageBytes) {
      const limit = `The message has ${entry.payload.bytes} bytes, but the server takes ${this.#messageBytes} (limits.message_bytes).`;
      return this.#host.outbox.reject(entry, new RoomcastError('message_too_big', limit));
    }
    entry.link = this;
    const id = this.#await((reply) => this.#onReceipt(entry, reply), entry.payload.bytes);
    return this.#send(publishCommand(id, entry.room, entry.key, entry.payload));
  }

  #onReceipt(entry, reply) {
    const { code, message, cursor, subscribers, duplicate = false, durable = false } = reply;
    if (reply.type === 'ok') this.#host.outbox.resolve(entry, { room: entry.room, cursor, subscribers, duplicate, durable });
    else this.#host.outbox.reject(entry, new RoomcastError(code, message));
  }

  #onBye({ reason, retry_ms: retryMs }) {
    const denied = reason === 'unauthorized';
    this.#fail({ reason: `The server said: ${reason}.`, code: reason, retryMs: denied ? undefined : retryMs, denied, final: !denied && retryMs === undefined });
  }

  #onClose({ code, reason }) {
    this.#fail({
      reason: reason || (code === NO_WORD ? 'The connection broke.' : `The connection was closed with code ${code}.`),
      denied: code === UNAUTHORIZED,
      final: code === POLICY || code === FORBIDDEN,
      blames: BLAMES_PUBLISH.get(code),
      code: CODES.get(code),
    });
  }

  /** The identity runs out soon: shows another token. If that is refused, the connection ends when the identity does. */
  async #authenticate() {
    if (!this.#host.tokens.available) return;
    try {
      const token = await this.#host.tokens.renew();
      if (token) this.#request({ type: 'authenticate', token }, () => {});
    } catch {
      // The application has none at the moment: it is asked again when the connection ends.
    }
  }

  #request(command, onReply) {
    if (!this.#open) return;
    this.#send(JSON.stringify({ ...command, id: this.#await(onReply) }));
  }

  /** @returns {number} the id of a request whose reply is passed to `then` */
  #await(then, bytes = 0) {
    this.#ids += 1;
    this.#replies.set(this.#ids, { then, bytes, sentAt: performance.now() });
    this.#watchReplies();
    return this.#ids;
  }

  #send(text) {
    // A closing socket reports its end soon; what is lost here is sent again by the next link.
    if (this.#socket?.readyState === 1) this.#socket.send(text);
  }

  /** Two missed pings count as silence. One timer that checks the last activity, instead of one per message. */
  #watch() {
    const allowed = this.#pingMs * 2;
    const silence = performance.now() - this.#activeAt;
    if (silence < allowed) this.#wait(allowed - silence, () => this.#watch());
    else this.#ask(this.#host.timing.pongMs);
  }

  #wait(delayMs, callback) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(callback, delayMs);
  }

  #fail(failure) {
    this.#release(failure.dead === true);
    this.#host.onDown(this, failure);
  }

  /** Releases socket and timers; none of their events is handled afterwards. */
  #release(dead) {
    clearTimeout(this.#timer);
    clearTimeout(this.#overdueTimer);
    this.#open = false;
    this.#replies.clear();
    this.#rooms.clear();
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
    // The `ws` package waits 30 s for the answer to its Close frame, and keeps the Node process running.
    if (socket.terminate) setTimeout(() => socket.terminate(), dead ? 0 : this.#host.timing.closeMs).unref?.();
  }
}
