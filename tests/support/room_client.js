// A client of one room, over any transport: events in order, and a cursor to resume from.

import assert from 'node:assert/strict';
import { patience, within } from './deadline.js';
import { objectsIn } from './event_stream.js';

const cursor_form = /^[0-9a-f]{16}-(?:0|[1-9][0-9]*)$/;

/** `{epoch, offset}` of a cursor, which must be valid. */
export function parseCursor(cursor) {
  assert.match(cursor, cursor_form);
  const [epoch, offset] = cursor.split('-');
  return { epoch, offset: Number(offset) };
}

/**
 * Events, by `type`:
 *   joined   `cursor`: everything after it follows (none from raw WebSocket)
 *   gap      `cursor`: everything after it follows, `earliest`: the earliest valid cursor
 *   deleted, replaced, cleared   `about`: the cursor in question; of a replaced message `data` and the rest as well
 *   message  `data` (string, or Buffer if binary), `cursor` (none from raw WebSocket), `object`: its JSON as received
 *   reply    of roomcast.v1: `answer`
 *   end      `why`, and the server's `code`, `reason`, `retry_ms`; no event follows
 */
export class RoomClient {
  #events = [];
  #wake = () => {};
  #ended = false;
  #gate = null;
  #open_gate = () => {};

  constructor(way, room, options) {
    this.way = way;
    this.room = room;
    this.options = options;
    this.cursor = options.since;
    this.heartbeats = 0;
  }

  // --- for the test ---

  /** The next event. */
  async next(what = 'an event', ms = patience) {
    const end = Date.now() + ms;
    while (this.#events.length === 0) {
      const woken = new Promise((resolve) => (this.#wake = resolve));
      await within(Math.max(1, end - Date.now()), woken, `${what} by ${this.way.name}`);
    }
    const event = this.#events[0].type === 'end' ? this.#events[0] : this.#events.shift();
    if (event.cursor !== undefined) this.cursor = event.cursor;
    return event;
  }

  /** Returns an event to the queue. */
  unshift(event) {
    if (event.type !== 'end') this.#events.unshift(event);
  }

  /** The next event, which must have the type `type`. */
  async expect(type, what = type, ms = patience) {
    const event = await this.next(what, ms);
    assert.equal(event.type, type, `${this.way.name}: ${what}, got ${JSON.stringify(event).slice(0, 500)}`);
    return event;
  }

  message(ms) {
    return this.expect('message', 'message', ms);
  }

  async messages(count) {
    const got = [];
    while (got.length < count) got.push(await this.message());
    return got;
  }

  /** The start position: `{cursor, gap}`; gap is null if nothing is missing. Which events report it depends on the transport. */
  async start() {
    const event = await this.next('the start');
    if (event.type === 'gap') return { cursor: event.cursor, gap: event };
    assert.equal(event.type, 'joined', `${this.way.name}: ${JSON.stringify(event).slice(0, 500)}`);
    if (!this.way.gap_follows || this.options.since === undefined || event.cursor === this.options.since) return { cursor: event.cursor, gap: null };
    const gap = await this.expect('gap', 'the gap after another cursor than asked for');
    assert.equal(gap.cursor, event.cursor);
    return { cursor: gap.cursor, gap };
  }

  /** Where the first poll's answer begins: as it was asked for, if that is the place; a log may have several names for one. */
  begun({ messages, cursor }) {
    const { since } = this.options;
    if (messages.length === 0) return since ?? cursor;
    const begun = before(messages[0].cursor);
    return since !== undefined && parseCursor(since).offset === parseCursor(begun).offset ? since : begun;
  }

  /** The number of events received and not taken. */
  get waiting() {
    return this.#events.length;
  }

  get ended() {
    return this.#ended;
  }

  /** Breaks the TCP connection. */
  cut() {
    this.end('cut');
    this.resume();
    this.breakOff();
  }

  /** Closes as the protocol prescribes. */
  close() {
    this.end('closed');
    this.resume();
    (this.leave ?? this.breakOff).call(this);
  }

  /** Stops reading from the socket, until `resume`. */
  pause() {
    this.#gate ??= new Promise((resolve) => (this.#open_gate = resolve));
    this.hold?.(true);
  }

  resume() {
    this.#gate = null;
    this.#open_gate();
    this.hold?.(false);
  }

  // --- for transports ---

  /** Readers await this before they read on. */
  get gate() {
    return this.#gate;
  }

  push(event) {
    if (this.#ended) return;
    for (const cursor of [event.cursor, event.earliest, event.about]) if (cursor !== undefined) parseCursor(cursor);
    this.#ended = event.type === 'end';
    this.#events.push(event);
    this.#wake();
  }

  beat() {
    this.heartbeats += 1;
    this.onHeartbeat?.();
  }

  end(why, said = this.bye ?? {}) {
    this.push({ type: 'end', why, ...said });
  }

  /** One JSON object of the server: `text` as received. */
  pushObject(text) {
    assert.ok(!/[\r\n]/.test(text), 'an object is one line');
    const object = JSON.parse(text);
    switch (object.type) {
      case 'message': return this.pushMessage(object, text);
      case 'gap': return this.pushOfRoom(object, { type: 'gap', cursor: object.cursor, earliest: object.earliest });
      case 'bye': return this.pushBye(object);
      case 'deleted':
      case 'cleared': return this.pushAmendment(object.type, object);
      case 'replaced': return this.pushMessage(object, text);
      case 'ok':
        if (object.id === undefined) return this.pushOfRoom(object, { type: 'joined', cursor: object.cursor });
        return this.push({ type: 'reply', answer: object });
      default: return assert.fail(`${this.way.name}: unexpected ${text.slice(0, 300)}`);
    }
  }

  pushMessage(object, text) {
    const identity = ['user', 'key'].filter((name) => name in object);
    assert.ok(identity.length <= 1);
    assert.deepEqual(Object.keys(object), ['type', 'room', 'cursor', 'time', 'from', ...identity, 'data' in object ? 'data' : 'data_base64']);
    assert.ok(object.from === null || typeof object.from === 'string');
    assert.ok(Math.abs(object.time - Date.now()) < 600_000, 'time is now, in milliseconds');
    const isText = typeof object.data === 'string';
    let data = 'data' in object && !isText ? text.slice(text.indexOf(',"data":') + 8, -1) : object.data;
    if (data === undefined) {
      data = Buffer.from(object.data_base64, 'base64');
      assert.equal(data.toString('base64'), object.data_base64, 'standard base64 with padding');
    }
    const { type = 'message', cursor, from, user, key } = object;
    // To resume from the cursor of a message that was replaced would be to go back.
    this.pushOfRoom(object, { type, data, [type === 'message' ? 'cursor' : 'about']: cursor, from, user, key, object: text });
  }

  pushAmendment(type, object) {
    assert.deepEqual(Object.keys(object).filter((name) => name !== 'type'), ['room', 'cursor']);
    this.pushOfRoom(object, { type, about: object.cursor });
  }

  pushOfRoom(object, event) {
    assert.equal(object.room, this.room);
    this.push(event);
  }

  pushBye({ code, reason, retry_ms }) {
    assert.ok(Number.isInteger(code) && typeof reason === 'string');
    this.bye = { code, reason, retry_ms };
  }

  /** One response of a poll; returns the cursor to resume from. */
  pushAnswer(text, first) {
    const answer = JSON.parse(text);
    assert.deepEqual(Object.keys(answer), ['room', 'cursor', 'gap', 'messages']);
    assert.equal(answer.room, this.room);
    if (answer.gap) this.push({ type: 'gap', ...answer.gap });
    else if (first) this.push({ type: 'joined', cursor: this.begun(answer) });
    const slices = objectsIn(text, 'messages');
    assert.equal(slices.length, answer.messages.length);
    answer.messages.forEach((object, i) => this.pushMessage(object, slices[i]));
    if (answer.messages.length > 0) assert.equal(answer.messages.at(-1).cursor, answer.cursor);
    return answer.cursor;
  }
}

function before(cursor) {
  const { epoch, offset } = parseCursor(cursor);
  return `${epoch}-${offset - 1}`;
}
