// A room, as held by the application. Links call it; it delivers every message once and in order.

import { decodeMessage, isCovered } from './protocol.js';

const EVENTS = ['message', 'gap', 'deleted', 'replaced', 'cleared', 'joined', 'presence', 'join', 'leave', 'error', 'closed'];

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

  /** Members with a name, as `{name}`, with the `user` or `key` of those that the server has identified, sorted by name; kept up to date if the room was joined with `presence`. Empty in a crowd. */
  get members() {
    return this.#presence.members;
  }

  /** The number of members: users, keys, different names, and clients without a name. */
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
   * Adds a listener for `message`, `gap`, `deleted`, `replaced`, `cleared`, `joined`, `presence`, `join`, `leave`, `error` or `closed`.
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
   * @returns {Promise<{cursor: string, subscribers: number, duplicate: boolean, durable: boolean}>} the server's receipt
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

  /** Messages that may have been delivered were deleted, replaced or cleared. */
  amended(object) {
    if (this.#closed) return;
    const { type, cursor } = object;
    this.#listeners.emit(type, type === 'replaced' ? decodeMessage(object) : { room: this.name, cursor });
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

// An identified client is one member whatever its name, and none of the anonymous ones that are called the same.
function identityOf({ name, user, key }) {
  if (user !== undefined) return `user:${user}`;
  return key !== undefined ? `key:${key}` : `:${name}`;
}

const byName = (a, b) => (a.name < b.name ? -1 : 1);

// The known members of a room.
export class Presence {
  #byIdentity = new Map();
  #known = false;
  count = 0;
  anonymous = 0;
  /** Too many members to be named: only `count` is known. */
  crowd = false;

  /** Sorted by name; empty in a crowd. */
  get members() {
    return [...this.#byIdentity.values()];
  }

  /**
   * Replaces all members.
   * @returns {{joined: object[], left: object[]}} the changes; none the first time
   */
  replace({ count, members, anonymous = 0 }) {
    this.count = count;
    this.crowd = members === undefined;
    if (this.crowd) {
      this.#byIdentity.clear();
      this.#known = false;
      return { joined: [], left: [] };
    }
    const before = this.#byIdentity;
    this.#set(members);
    this.anonymous = anonymous;
    const changes = {
      joined: this.#known ? members.filter((member) => !before.has(identityOf(member))) : [],
      left: this.#known ? [...before.values()].filter((member) => !this.#byIdentity.has(identityOf(member))) : [],
    };
    this.#known = true;
    return changes;
  }

  #set(members) {
    this.#byIdentity = new Map([...members].sort(byName).map((member) => [identityOf(member), member]));
  }

  /** @returns {boolean} whether the member was unknown, or had another name */
  join(member) {
    const known = this.#byIdentity.get(identityOf(member));
    if (known?.name === member.name) return false;
    if (known === undefined) this.count += 1;
    this.#byIdentity.set(identityOf(member), member);
    this.#set(this.members);
    return true;
  }

  /** @returns {boolean} whether the member was known */
  leave(member) {
    if (!this.#byIdentity.delete(identityOf(member))) return false;
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
