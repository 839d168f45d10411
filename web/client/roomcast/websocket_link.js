// All rooms over one WebSocket with roomcast.v1. A link lives once: when it is down, the client makes another.

import { publishCommand, RoomcastError, socketAddress } from './protocol.js';

// RFC 6455 section 7.4.1
const POLICY = 1008;
const NO_WORD = 1006;
/** The slowest way up that is not taken for a dead link. */
const SLOW_BYTES_PER_MS = 16;

const BLAMES_PUBLISH = new Map([
  [1007, 'invalid_data'],
  [1009, 'message_too_big'],
]);

/** What a room is refused with that may be had later. */
const FOR_NOW = new Set(['overloaded', 'unavailable', 'timed_out']);

export class WebSocketLink {
  name = 'websocket';
  #host;
  #socket = null;
  #open = false;
  #timer = null; // the one thing waited for: the welcome, the next look at the silence, or a pong
  #pongUntil = null; // when that pong must have come
  #overdueTimer = null; // the next look at replies that are late
  #heardAt = 0;
  #pingMs = 0;
  #messageBytes;
  #ids = 0;
  #replies = new Map(); // id of a request -> what to do with its reply, when it was sent, and its bytes; the oldest first
  #rooms = new Map(); // name -> Room, of those the server took us into

  /** @param {import('./client.js').Host} host */
  constructor(host) {
    this.#host = host;
  }

  /** The largest payload that the server takes, in bytes; undefined before it said so. */
  get messageBytes() {
    return this.#messageBytes;
  }

  /** Connects; `host.onOpen` follows once the server said a word, for an upgrade alone proves nothing. */
  open() {
    const url = socketAddress(this.#host.base, { name: this.#host.userName });
    let socket;
    try {
      socket = new this.#host.WebSocket(url.href, ['roomcast.v1']);
    } catch (error) {
      // Not thrown further: the caller gets every failure in one way, and later.
      this.#wait(0, () => this.#fail({ reason: error.message }));
      return;
    }
    this.#socket = socket;
    socket.onmessage = (event) => this.#onFrame(event.data);
    socket.onclose = (event) => this.#onClose(event);
    socket.onerror = () => {}; // close follows
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

  /** Sends what waits in the outbox. */
  flush() {
    if (!this.#open) return;
    for (const entry of [...this.#host.outbox.unsent(this)]) this.#publish(entry);
  }

  /** The network, the page or the machine woke up: is this link still alive? */
  check() {
    this.#ask(this.#host.timing.wakePongMs);
  }

  /** Something must come back within `pongMs`, unless that is awaited already, and sooner. */
  #ask(pongMs) {
    if (!this.#open) return;
    const askedAt = performance.now();
    if (this.#pongUntil !== null && this.#pongUntil <= askedAt + pongMs) return;
    this.#pongUntil = askedAt + pongMs;
    this.#send('{"type":"ping"}');
    this.#wait(pongMs, () => {
      this.#pongUntil = null;
      if (this.#heardAt >= askedAt) this.#watch();
      else this.#fail({ reason: 'Nothing comes back from the server.', dead: true });
    });
  }

  /** A reply that is late may never come: on a dead link everything that is said is lost, until somebody asks. */
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
        // What is still on its way up goes before the question.
        this.#ask(wakePongMs + bytes / SLOW_BYTES_PER_MS);
        oldest.sentAt = now; // to be asked for again
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
    this.#heardAt = performance.now();
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
      case 'error': return this.#onReply(object);
      case 'gap': return room?.gap(object);
      case 'presence': return room?.showPresence(object);
      case 'join': return room?.memberJoined(object.member);
      case 'leave': return room?.memberLeft(object.member);
      case 'bye': return this.#onBye(object);
      default: return undefined; // of a newer server
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
    const { code, message, cursor, subscribers, duplicate = false } = reply;
    if (reply.type === 'ok') this.#host.outbox.resolve(entry, { room: entry.room, cursor, subscribers, duplicate });
    else this.#host.outbox.reject(entry, new RoomcastError(code, message));
  }

  #onBye({ reason, retry_ms: retryMs }) {
    this.#fail({ reason: `The server said: ${reason}.`, code: reason, retryMs, final: retryMs === undefined });
  }

  #onClose({ code, reason }) {
    this.#fail({
      reason: reason || (code === NO_WORD ? 'The connection broke.' : `The connection was closed with code ${code}.`),
      final: code === POLICY,
      blames: BLAMES_PUBLISH.get(code),
      code: code === POLICY ? 'refused' : undefined,
    });
  }

  #request(command, onReply) {
    if (!this.#open) return;
    this.#send(JSON.stringify({ ...command, id: this.#await(onReply) }));
  }

  /** @returns {number} the id of a request whose reply `then` takes */
  #await(then, bytes = 0) {
    this.#ids += 1;
    this.#replies.set(this.#ids, { then, bytes, sentAt: performance.now() });
    this.#watchReplies();
    return this.#ids;
  }

  #send(text) {
    // A socket that is closing says so itself soon; what is lost here is sent again by the next link.
    if (this.#socket?.readyState === 1) this.#socket.send(text);
  }

  /** Two missed beats are silence. A timer per message would be dear, so it looks back when it fires. */
  #watch() {
    const allowed = this.#pingMs * 2;
    const silence = performance.now() - this.#heardAt;
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

  /** Lets go of socket and timer; nothing of them is heard afterwards. */
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
    // The `ws` package of Node waits half a minute for an answer to its close frame, and the process with it.
    if (socket.terminate) setTimeout(() => socket.terminate(), dead ? 0 : this.#host.timing.closeMs).unref?.();
  }
}
