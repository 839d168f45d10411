// One room: what the application holds. Links feed it; it says everything once and in order.

import { decodeMessage, isCovered } from './protocol.js';

const EVENTS = ['message', 'gap', 'joined', 'presence', 'join', 'leave', 'error', 'closed'];

export class Room {
  #client;
  #listeners = new Listeners();
  #presence = new Presence();
  #history;
  #wantsPresence;
  #closed = false;

  /** Rooms are made by `client.room`. `client`: what the room asks of it. */
  constructor(client, name, { since, history, presence = false }) {
    this.#client = client;
    this.#history = history;
    this.#wantsPresence = presence;
    /** The room's name. */
    this.name = name;
    /** "I have everything up to here": give it as `since` to go on later, after a reload for instance. */
    this.cursor = since;
  }

  /** Everybody here who has a name, as `{name}`, sorted; kept up to date if the room was joined with `presence`. Empty in a crowd. */
  get members() {
    return this.#presence.members;
  }

  /** How many are here: different names and anonymous clients. */
  get count() {
    return this.#presence.count;
  }

  /** How many of them have no name. */
  get anonymous() {
    return this.#presence.anonymous;
  }

  /** Too many are here to be named: only `count` is told. */
  get crowd() {
    return this.#presence.crowd;
  }

  get closed() {
    return this.#closed;
  }

  /**
   * Listens to `message`, `gap`, `joined`, `presence`, `join`, `leave`, `error` or `closed`.
   * @returns {() => void} takes the listener away again
   */
  on(event, listener) {
    if (!EVENTS.includes(event)) throw new TypeError(`A room has no event "${event}", but ${EVENTS.join(', ')}.`);
    return this.#listeners.on(event, listener);
  }

  off(event, listener) {
    this.#listeners.off(event, listener);
  }

  /**
   * Publishes a string (text), bytes or a Blob (binary), or anything with a JSON form (json).
   * @param {object} [options]
   * @param {string} [options.key] the same key in the same room within five minutes is published once
   * @returns {Promise<{cursor: string, subscribers: number, duplicate: boolean}>} the server's receipt
   */
  publish(data, options) {
    return this.#client.publish(this.name, data, options);
  }

  /** Asks who is here, whatever the transport. @returns {Promise<{count, members, anonymous}>} */
  async fetchPresence() {
    const picture = await this.#client.fetchPresence(this.name);
    if (!this.#closed) this.showPresence(picture);
    return picture;
  }

  /** Leaves the room; nothing is heard of it afterwards but `closed`. */
  close() {
    this.#end(undefined);
  }

  // What follows is for the links and the client.

  /** What a link asks the server for: the last messages only the first time, then everything after the cursor. */
  position() {
    const history = this.#history;
    return { since: this.cursor, history, presence: this.#wantsPresence };
  }

  /** The server took the subscription; everything after `cursor` follows, unless a gap is told first. */
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
    for (const member of joined) this.#tellMember('join', member);
    for (const member of left) this.#tellMember('leave', member);
    this.#tellPresence();
  }

  memberJoined(member) {
    if (this.#presence.join(member)) this.#tellMember('join', member);
  }

  memberLeft(member) {
    if (this.#presence.leave(member)) this.#tellMember('leave', member);
  }

  /** The server will not have us here. */
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

  #tellMember(event, member) {
    this.#listeners.emit(event, { room: this.name, member });
  }

  #tellPresence() {
    const { count, anonymous, crowd, members } = this;
    this.#listeners.emit('presence', { room: this.name, count, anonymous, crowd, members });
  }
}

// Who is in a room, as far as was told.
export class Presence {
  #names = new Map(); // name -> member
  #known = false;
  count = 0;
  anonymous = 0;
  /** Too many to be named: only `count` is told. */
  crowd = false;

  /** Sorted by name; empty in a crowd. */
  get members() {
    return [...this.#names.values()];
  }

  /**
   * A whole picture, after which the members are exactly these.
   * @returns {{joined: object[], left: object[]}} what is different from before; nothing at the first picture
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

  /** @returns {boolean} whether that was news */
  join(member) {
    if (this.#names.has(member.name)) return false;
    const members = [...this.#names.values(), member].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#names = new Map(members.map((one) => [one.name, one]));
    this.count += 1;
    return true;
  }

  /** @returns {boolean} whether that was news */
  leave(member) {
    if (!this.#names.delete(member.name)) return false;
    this.count -= 1;
    return true;
  }
}

// Who listens to what.
export class Listeners {
  #byEvent = new Map();

  /** @returns {() => void} takes the listener away again */
  on(event, listener) {
    if (typeof listener !== 'function') throw new TypeError(`The listener for ${event} is not a function.`);
    const listeners = this.#byEvent.get(event) ?? new Set();
    this.#byEvent.set(event, listeners.add(listener));
    return () => this.off(event, listener);
  }

  off(event, listener) {
    this.#byEvent.get(event)?.delete(listener);
  }

  /** Tells everybody; a listener that throws is reported like any uncaught error, and the others hear all the same. */
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
