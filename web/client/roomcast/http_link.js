// Every room by an HTTP request of its own (event streams or long polls), and publishing by POST.
// A link lives once: when it is down, the client makes another.

import { CAP_MS, climbDelay } from './keeper.js';
import { CONTENT_TYPES, refusalOf, roomAddress, RoomcastError } from './protocol.js';

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

// What a room says over HTTP, as roomcast.v1 objects: `ok` first, then `gap`, `message`, `bye`.

/**
 * One endless event stream (WHATWG EventSource), read by fetch: that shows the status of a refusal, and needs no class that
 * only browsers have.
 * @param {import('./client.js').Host} host
 * @param {{name: string, position: () => object}} room
 * @param {Line} line
 */
async function* eventStream(host, room, line) {
  const { since, history } = room.position();
  const url = roomAddress(host.base, room.name, { dialect: 'roomcast.v1', since, history, name: host.userName });
  line.expect(host.timing.connectMs);
  const response = await host.fetch(url.href, { headers: { Accept: 'text/event-stream' }, cache: 'no-store', signal: line.signal });
  if (!response.ok) throw blockedUnlessOurs(await refusalOf(response));
  if (!response.headers.get('Content-Type')?.startsWith('text/event-stream')) throw blocked('The answer is no event stream.');
  let first = true;
  const reader = new EventStreamReader();
  for await (const { event, data } of events(reader, response.body, line, host.timing)) {
    const object = JSON.parse(data);
    if (first && event === 'gap') yield { type: 'ok', cursor: object.cursor };
    first = false;
    // The dialect names the type in the object as well, but for a goodbye, which only its event names.
    yield event === 'bye' ? { ...object, type: 'bye' } : object;
  }
  // Without a word: so a server says "not now" to those whom another status would send away for ever.
  const retryMs = first ? reader.retryMs : undefined;
  throw new RoomcastError('ended', 'The server ended the stream.', { retryMs });
}

async function* events(events, body, line, timing) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let allowedMs = timing.connectMs; // until the first event: a proxy that holds the stream back lets nothing through
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const complete = events.push(decoder.decode(value, { stream: true }));
    if (complete.length > 0) allowedMs = timing.silenceMs;
    if (allowedMs === timing.silenceMs) line.expect(allowedMs);
    yield* complete;
  }
}

// Between two polls of a busy room. What comes meanwhile comes together.
const POLL_PAUSE_MS = 50;
// An answer that came earlier than that was not waited for.
const POLL_QUICK_MS = 1_000;
// Gaps that follow each other within that time are no accident: two servers may answer in turn, each of which knows nothing of
// the other's cursors, and so neither waits.
const GAP_MEMORY_MS = 60_000;

/**
 * Long polls, one after the other. The first does not wait, so that the room is joined at once.
 * Takes the same as eventStream.
 */
async function* longPolls(host, room, line) {
  const { timing } = host;
  const pace = new PollPace();
  let { since, history } = room.position();
  for (let wait = 0; ; wait = timing.pollWaitSeconds) {
    const asked = performance.now();
    const query = { transport: 'poll', since, history, wait, name: host.userName };
    line.expect(wait * 1000 + timing.connectMs);
    const answer = await getJson(host, roomAddress(host.base, room.name, query), line);
    if (!Array.isArray(answer?.messages)) throw new RoomcastError('invalid_answer', 'The answer is no poll of a room.');
    // The cursor is the one behind the messages; before they are said, it must not count.
    if (wait === 0) yield { type: 'ok', cursor: answer.messages.length === 0 ? answer.cursor : undefined };
    if (answer.gap) yield { ...answer.gap, type: 'gap' };
    yield* answer.messages;
    const pauseMs = pace.after(answer, { since, tookMs: performance.now() - asked });
    since = answer.cursor;
    history = undefined;
    if (wait > 0 && pauseMs > 0) await line.pause(pauseMs);
  }
}

/** How long to wait before the next poll. No row of answers, from whomever, may become a row of requests without a pause. */
class PollPace {
  #stuck = 0; // answers in a row that were not waited for and brought nothing new
  #gaps = 0; // that followed each other too soon
  #gapAt = -Infinity;

  after({ cursor, gap }, { since, tookMs }) {
    if (gap) {
      const now = performance.now();
      this.#gaps = now - this.#gapAt < GAP_MEMORY_MS ? this.#gaps + 1 : 0;
      this.#gapAt = now;
      if (this.#gaps > 0) return climbDelay(this.#gaps, POLL_QUICK_MS, CAP_MS);
    }
    const isStuck = tookMs < POLL_QUICK_MS && !gap && (cursor === undefined || cursor === since);
    this.#stuck = isStuck ? this.#stuck + 1 : 0;
    // Something on the way may answer for the server at once, again and again.
    if (isStuck) return climbDelay(this.#stuck, POLL_QUICK_MS, CAP_MS);
    return tookMs < POLL_QUICK_MS ? POLL_PAUSE_MS : 0;
  }
}

/** @throws {RoomcastError} the answer is no success, or no JSON */
export async function getJson(host, url, line) {
  const response = await host.fetch(url.href, { headers: { Accept: 'application/json' }, cache: 'no-store', signal: line.signal });
  if (!response.ok) throw await refusalOf(response);
  return response.json();
}

const blocked = (reason) => new RoomcastError('blocked', reason, { blocked: true });

function blockedUnlessOurs(refusal) {
  return refusal.ours ? refusal : blocked(`Something answered ${refusal.status} for the server.`);
}

// Reads text/event-stream (WHATWG HTML, section 9.2.6) out of pieces cut anywhere. No I/O.

/** More than any message the server lets through; a stream that never ends its line must not fill the memory. */
const EVENT_LENGTH_MAX = 16 * 1024 * 1024;

export class EventStreamReader {
  #rest = ''; // of a line whose end has not come
  #begun = false;
  #endedByCr = false; // a LF that comes next belongs to the line before
  #event = '';
  #data = [];
  #length = 0;
  /** What the stream's last `retry` field said, in ms; undefined if there was none. */
  retryMs;

  /**
   * @param {string} text the next piece
   * @returns {{event: string, data: string}[]} the events that are complete with it
   * @throws {RangeError} one event is longer than EVENT_LENGTH_MAX
   */
  push(text) {
    const events = [];
    if (text === '') return events;
    let start = 0;
    if (this.#endedByCr && text[0] === '\n') start = 1;
    if (!this.#begun && text[0] === '\uFEFF') start = 1;
    this.#begun = true;
    this.#endedByCr = text.endsWith('\r');
    // Only the new piece is searched: an event may come in thousands of them.
    const ends = /\r\n|\n|\r/g;
    ends.lastIndex = start;
    for (let end = ends.exec(text); end; end = ends.exec(text)) {
      this.#line(this.#rest + text.slice(start, end.index), events);
      this.#rest = '';
      start = ends.lastIndex;
    }
    this.#rest += text.slice(start);
    if (this.#length + this.#rest.length > EVENT_LENGTH_MAX) throw new RangeError('an event of the stream is too long');
    return events;
  }

  #line(line, events) {
    if (line === '') return this.#dispatch(events);
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.#event = value;
    if (field === 'retry' && /^[0-9]+$/.test(value)) this.retryMs = Number(value);
    if (field === 'data') {
      this.#data.push(value);
      this.#length += value.length;
    }
  }

  #dispatch(events) {
    if (this.#data.length > 0) events.push({ event: this.#event || 'message', data: this.#data.join('\n') });
    this.#event = '';
    this.#data = [];
    this.#length = 0;
  }
}

// The life of one HTTP request: it ends when we end it, or after a silence.
export class Line {
  #controller = new AbortController();
  #timer = null;
  /** When the other side was last heard, as performance.now() counts. */
  heardAt = performance.now();

  /** For fetch. Its reason is a RoomcastError `silence` if the deadline ended it. */
  get signal() {
    return this.#controller.signal;
  }

  get ended() {
    return this.#controller.signal.aborted;
  }

  /** Something was heard; the next sign of life must come within `ms`. */
  expect(ms) {
    this.heardAt = performance.now();
    clearTimeout(this.#timer);
    if (this.ended) return;
    const silence = new RoomcastError('silence', 'Nothing comes back from the server.');
    this.#timer = setTimeout(() => this.#controller.abort(silence), ms);
  }

  end() {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  /** Waits, but not longer than the line lives. */
  async pause(ms) {
    clearTimeout(this.#timer);
    let goOn;
    await new Promise((resolve) => {
      goOn = resolve;
      this.#timer = setTimeout(goOn, ms);
      this.signal.addEventListener('abort', goOn);
    });
    this.signal.removeEventListener('abort', goOn);
  }
}
