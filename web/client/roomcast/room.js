// A room, as held by the application. Links call it; it delivers every message once and in order.

import { decodeMessage, isCovered } from './protocol.js';

const EVENTS = ['message', 'gap', 'joined', 'presence', 'join', 'leave', 'error', 'closed'];

export class Room {
  #client;
  #listeners = new Listeners();
  #presence = new Presence();
  #history;
  #wantsPresence;
  #closed = false;

  /** Rooms are created by `client.room`. `client`: the functions that the room needs. */
  constructor(client, name, { since, history, presence = false }) {
    this.#client = client;
    this.#history = history;
    this.#wantsPresence = presence;
    /** The room's name. */
    this.name = name;
    /** The position up to which everything was delivered. Pass it as `since` to resume, for example after a reload. */
    this.cursor = since;
  }

  /** Members with a name, as `{name}`, sorted; kept up to date if the room was joined with `presence`. Empty in a crowd. */
  get members() {
    return this.#presence.members;
  }

  /** The number of members: different names, and anonymous clients. */
  get count() {
    return this.#presence.count;
  }

  /** The number of members without a name. */
  get anonymous() {
    return this.#presence.anonymous;
  }

  /** Too many members to be named: only `count` is known. */
  get crowd() {
    return this.#presence.crowd;
  }

  get closed() {
    return this.#closed;
  }

  /**
   * Adds a listener for `message`, `gap`, `joined`, `presence`, `join`, `leave`, `error` or `closed`.
   * @returns {() => void} removes the listener
   */
  on(event, listener) {
    if (!EVENTS.includes(event)) throw new TypeError(`A room has no event "${event}", but ${EVENTS.join(', ')}.`);
    return this.#listeners.on(event, listener);
  }

  off(event, listener) {
    this.#listeners.off(event, listener);
  }

  /**
   * Publishes a string (text), bytes or a Blob (binary), or any value with a JSON form (json).
   * @param {object} [options]
   * @param {string} [options.key] idempotency key: within five minutes, the same key in the same room is published once
   * @returns {Promise<{cursor: string, subscribers: number, duplicate: boolean}>} the server's receipt
   */
  publish(data, options) {
    return this.#client.publish(this.name, data, options);
  }

  /** Fetches the members, over any transport. @returns {Promise<{count, members, anonymous}>} */
  async fetchPresence() {
    const picture = await this.#client.fetchPresence(this.name);
    if (!this.#closed) this.showPresence(picture);
    return picture;
  }

  /** Leaves the room; `closed` is the last event. */
  close() {
    this.#end(undefined);
  }

  // The rest is called by links and the client.

  /** The parameters of a subscription: `history` only at the first join, afterwards the cursor to resume from. */
  position() {
    const history = this.#history;
    return { since: this.cursor, history, presence: this.#wantsPresence };
  }

  /** The server accepted the subscription; everything after `cursor` follows, unless a gap is reported first. */
  joined(cursor) {
    this.cursor ??= cursor;
    this.#history = undefined;
    this.#listeners.emit('joined', { room: this.name, cursor: this.cursor });
  }

  message(object) {
    if (this.#closed || isCovered(object.cursor, this.cursor)) return;
    this.cursor = object.cursor;
    this.#listeners.emit('message', decodeMessage(object));
  }

  gap({ cursor, earliest }) {
    if (this.#closed) return;
    this.cursor = cursor;
    this.#listeners.emit('gap', { room: this.name, cursor, earliest });
  }

  showPresence(picture) {
    const { joined, left } = this.#presence.replace(picture);
    for (const member of joined) this.#emitMember('join', member);
    for (const member of left) this.#emitMember('leave', member);
    this.#emitPresence();
  }

  memberJoined(member) {
    if (this.#presence.join(member)) this.#emitMember('join', member);
  }

  memberLeft(member) {
    if (this.#presence.leave(member)) this.#emitMember('leave', member);
  }

  /** The server refused the subscription for good. */
  refuse(error) {
    this.#listeners.emit('error', error);
    this.#end(error);
  }

  #end(error) {
    if (this.#closed) return;
    this.#closed = true;
    this.#client.left(this);
    this.#listeners.emit('closed', { room: this.name, error });
    this.#listeners.clear();
  }

  #emitMember(event, member) {
    this.#listeners.emit(event, { room: this.name, member });
  }

  #emitPresence() {
    const { count, anonymous, crowd, members } = this;
    this.#listeners.emit('presence', { room: this.name, count, anonymous, crowd, members });
  }
}

// The known members of a room.
export class Presence {
  #names = new Map(); // name -> member
  #known = false;
  count = 0;
  anonymous = 0;
  /** Too many members to be named: only `count` is known. */
  crowd = false;

  /** Sorted by name; empty in a crowd. */
  get members() {
    return [...this.#names.values()];
  }

  /**
   * Replaces all members.
   * @returns {{joined: object[], left: object[]}} the changes; none the first time
   */
  replace({ count, members, anonymous = 0 }) {
    this.count = count;
    this.crowd = members === undefined;
    if (this.crowd) {
      this.#names.clear();
      this.#known = false;
      return { joined: [], left: [] };
    }
    const before = this.#names;
    this.#names = new Map(members.map((member) => [member.name, member]));
    this.anonymous = anonymous;
    const changes = {
      joined: this.#known ? members.filter(({ name }) => !before.has(name)) : [],
      left: this.#known ? [...before.values()].filter(({ name }) => !this.#names.has(name)) : [],
    };
    this.#known = true;
    return changes;
  }

  /** @returns {boolean} whether the member was unknown */
  join(member) {
    if (this.#names.has(member.name)) return false;
    const members = [...this.#names.values(), member].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#names = new Map(members.map((one) => [one.name, one]));
    this.count += 1;
    return true;
  }

  /** @returns {boolean} whether the member was known */
  leave(member) {
    if (!this.#names.delete(member.name)) return false;
    this.count -= 1;
    return true;
  }
}

// Event listeners.
export class Listeners {
  #byEvent = new Map();

  /** @returns {() => void} removes the listener */
  on(event, listener) {
    if (typeof listener !== 'function') throw new TypeError(`The listener for ${event} is not a function.`);
    const listeners = this.#byEvent.get(event) ?? new Set();
    this.#byEvent.set(event, listeners.add(listener));
    return () => this.off(event, listener);
  }

  off(event, listener) {
    this.#byEvent.get(event)?.delete(listener);
  }

  /** Calls all listeners. An exception is reported as uncaught, and does not keep the other listeners from being called. */
  emit(event, detail) {
    const listeners = [...(this.#byEvent.get(event) ?? [])];
    for (const listener of listeners) {
      try {
        listener(detail);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    if (event === 'error' && listeners.length === 0) console.error('roomcast:', detail.message);
  }

  clear() {
    this.#byEvent.clear();
  }
}
