// One HTTP request per room (event stream or long polls), and publishing by POST.
// A link is not reused: once it is down, the client creates another.

import { CAP_MS, backoffDelay } from './reconnect.js';
import { CONTENT_TYPES, getJson, HttpRequest, refusalOf, roomAddress, RoomcastError } from './protocol.js';

const SOURCES = { sse: eventStream, poll: longPolls };

export class HttpLink {
  #host;
  #requests = new Map(); // Room -> its HttpRequest
  #presenceRequests = new Map(); // Room -> the HttpRequest of its presence
  #post = null; // the HttpRequest of the current publish
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
   * Requests the first room; `host.onOpen` is called after its first event.
   * @param {boolean} [trial] only checks whether this transport works: no room receives the events
   */
  open(trial = false) {
    const [room] = this.#host.rooms();
    if (!room) queueMicrotask(() => this.#opened()); // only publishing: there is nothing to receive
    else if (trial) this.#follow({ name: room.name, position: () => ({}) }, () => this.#endTrial());
    else this.#follow(room);
  }

  join(room) {
    if (!this.#requests.has(room)) this.#follow(room);
    if (room.position().presence && !this.#presenceRequests.has(room)) this.#followPresence(room);
  }

  leave(room) {
    const followed = this.#requests.has(room);
    for (const requests of [this.#requests, this.#presenceRequests]) {
      requests.get(room)?.end();
      requests.delete(room);
    }
    // If the link was waiting for this room's first event, it waits for another room's.
    if (followed && !this.#open && !this.#closed) this.open();
  }

  /**
   * Called after the network, the page or the machine woke up: a request that was silent for long may be dead, and is repeated.
   * @param {number} sleptMs time that performance.now() did not count
   */
  check(sleptMs) {
    const now = performance.now() + sleptMs;
    for (const [room, request] of [...this.#requests]) {
      if (now - request.activeAt < this.#host.timing.wakeMs) continue;
      this.leave(room);
      this.join(room);
    }
  }

  /** Sends the pending publishes one by one, so that they arrive in order. */
  async flush() {
    if (!this.#open || this.#post) return;
    this.#post = new HttpRequest();
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
    for (const requests of [this.#requests, this.#presenceRequests]) {
      for (const request of requests.values()) request.end();
      requests.clear();
    }
    this.#post?.end();
  }

  async #follow(room, onFirst = () => this.#opened()) {
    const request = new HttpRequest();
    this.#requests.set(room, request);
    const isOurs = () => this.#requests.get(room) === request;
    let first = true;
    try {
      for await (const object of SOURCES[this.name](this.#host, room, request)) {
        if (!isOurs()) return;
        if (first) onFirst();
        first = false;
        if (isOurs()) this.#take(room, object);
        if (!isOurs()) return;
      }
    } catch (error) {
      if (isOurs()) this.#onError(room, error, first);
    } finally {
      request.end();
    }
  }

  #endTrial() {
    for (const request of this.#requests.values()) request.end();
    this.#requests.clear();
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
      case 'deleted': case 'replaced': case 'cleared': return room.amended(object);
      case 'bye': return this.#onBye(object);
      default: return undefined; // from a newer server
    }
  }

  #onBye({ reason, retry_ms: retryMs }) {
    const denied = reason === 'unauthorized';
    this.#down({ reason: `The server said: ${reason}.`, code: reason, retryMs: denied ? undefined : retryMs, denied, final: !denied && retryMs === undefined });
  }

  /** `early`: no event of the room has been received. */
  #onError(room, error, early) {
    if (error.ours && !error.temporary && room.refuse && !this.#isDenial(error)) room.refuse(error);
    else this.#fail(error, early);
  }

  #fail(error, early = false) {
    const heldBack = early && error.code === 'silence';
    const { message: reason, code, retryMs } = error;
    if (this.#isDenial(error)) this.#down({ reason, code, denied: true });
    else this.#down({ reason, retryMs, blocked: error.blocked || heldBack });
  }

  /** Whether the token was refused, which another may not be. */
  #isDenial({ ours, status }) {
    return ours === true && status === 401 && this.#host.tokens.available;
  }

  #down(failure) {
    if (this.#closed) return;
    this.close();
    this.#host.onDown(this, failure);
  }

  async #followPresence(room) {
    const request = new HttpRequest();
    this.#presenceRequests.set(room, request);
    while (!request.ended) {
      // After a failure the last known members stay until the next request.
      await room.fetchPresence().catch(() => {});
      if (!request.ended) await request.pause(this.#host.timing.presenceMs);
    }
  }

  #unsent() {
    return this.#closed ? undefined : this.#host.outbox.unsent(this).next().value;
  }

  async #publish(entry, request) {
    const { outbox, timing, fetch, base, userName, tokens } = this.#host;
    entry.link = this;
    request.expect(timing.requestMs);
    const url = roomAddress(base, entry.room, { name: userName });
    const headers = { 'Content-Type': CONTENT_TYPES[entry.payload.kind], 'Idempotency-Key': entry.key, ...tokens.headers };
    const response = await fetch(url.href, { method: 'POST', headers, body: entry.payload.body, signal: request.signal });
    if (response.ok) {
      const { cursor, subscribers, duplicate = false, durable = false } = await response.json();
      return outbox.resolve(entry, { room: entry.room, cursor, subscribers, duplicate, durable });
    }
    const refusal = await refusalOf(response);
    // After an error from a proxy the outcome is unknown; the next link repeats the publish, as it does with a new token.
    if ((refusal.temporary && !refusal.ours) || this.#isDenial(refusal)) throw refusal;
    return outbox.reject(entry, refusal);
  }
}

// The events of a room over HTTP, as roomcast.v1 objects: `ok` first, then `gap`, `message`, `bye`.

/**
 * An event stream (WHATWG EventSource), read with fetch, which exposes the status of a refusal and exists outside browsers.
 * @param {import('./client.js').Host} host
 * @param {{name: string, position: () => object}} room
 * @param {HttpRequest} request
 */
async function* eventStream(host, room, request) {
  const { since, history } = room.position();
  const url = roomAddress(host.base, room.name, { dialect: 'roomcast.v1', since, history, name: host.userName });
  request.expect(host.timing.connectMs);
  const response = await host.fetch(url.href, { headers: { Accept: 'text/event-stream', ...host.tokens.headers }, cache: 'no-store', signal: request.signal });
  if (!response.ok) throw blockedUnlessOurs(await refusalOf(response));
  if (!response.headers.get('Content-Type')?.startsWith('text/event-stream')) throw blocked('The answer is no event stream.');
  let first = true;
  const reader = new EventStreamReader();
  for await (const { event, data } of events(reader, response.body, request, host.timing)) {
    const object = JSON.parse(data);
    if (first && event === 'gap') yield { type: 'ok', cursor: object.cursor };
    first = false;
    // The objects contain their type, except for `bye`, which only the event field names.
    yield event === 'bye' ? { ...object, type: 'bye' } : object;
  }
  // An empty stream is how the server reports a temporary refusal to EventSource, which would not retry after an error status.
  const retryMs = first ? reader.retryMs : undefined;
  throw new RoomcastError('ended', 'The server ended the stream.', { retryMs });
}

async function* events(events, body, request, timing) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let allowedMs = timing.connectMs; // until the first event: a buffering proxy would not pass anything on
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const complete = events.push(decoder.decode(value, { stream: true }));
    if (complete.length > 0) allowedMs = timing.silenceMs;
    if (allowedMs === timing.silenceMs) request.expect(allowedMs);
    yield* complete;
  }
}

// Pause between polls of a busy room, so that messages are collected.
const POLL_PAUSE_MS = 50;
// A response that arrives earlier did not wait on the server.
const POLL_QUICK_MS = 1_000;
// Repeated gaps within this time have a cause: two servers that respond in turn, for example, each of which does not know the
// other's cursors and therefore does not wait.
const GAP_MEMORY_MS = 60_000;

/**
 * Consecutive long polls. The first does not wait, so that the room is joined at once.
 * Takes the same parameters as eventStream.
 */
async function* longPolls(host, room, request) {
  const { timing } = host;
  const pace = new PollPace();
  let { since, history } = room.position();
  for (let wait = 0; ; wait = timing.pollWaitSeconds) {
    const asked = performance.now();
    const query = { transport: 'poll', since, history, wait, name: host.userName };
    request.expect(wait * 1000 + timing.connectMs);
    const answer = await getJson(host, roomAddress(host.base, room.name, query), request);
    if (!Array.isArray(answer?.messages)) throw new RoomcastError('invalid_answer', 'The answer is no poll of a room.');
    // The response's cursor covers its messages, so it is not valid before they have been delivered.
    if (wait === 0) yield { type: 'ok', cursor: answer.messages.length === 0 ? answer.cursor : undefined };
    if (answer.gap) yield { ...answer.gap, type: 'gap' };
    yield* answer.messages;
    const pauseMs = pace.after(answer, { since, tookMs: performance.now() - asked });
    since = answer.cursor;
    history = undefined;
    if (wait > 0 && pauseMs > 0) await request.pause(pauseMs);
  }
}

/** Computes the pause before the next poll. Immediate responses, of any origin, must not cause a busy loop of requests. */
class PollPace {
  #stuck = 0; // consecutive responses that came at once without anything new
  #gaps = 0; // consecutive gaps within GAP_MEMORY_MS
  #gapAt = -Infinity;

  after({ cursor, gap }, { since, tookMs }) {
    if (gap) {
      const now = performance.now();
      this.#gaps = now - this.#gapAt < GAP_MEMORY_MS ? this.#gaps + 1 : 0;
      this.#gapAt = now;
      if (this.#gaps > 0) return backoffDelay(this.#gaps, POLL_QUICK_MS, CAP_MS);
    }
    const isStuck = tookMs < POLL_QUICK_MS && !gap && (cursor === undefined || cursor === since);
    this.#stuck = isStuck ? this.#stuck + 1 : 0;
    // A proxy may respond at once instead of the server, again and again.
    if (isStuck) return backoffDelay(this.#stuck, POLL_QUICK_MS, CAP_MS);
    return tookMs < POLL_QUICK_MS ? POLL_PAUSE_MS : 0;
  }
}

const blocked = (reason) => new RoomcastError('blocked', reason, { blocked: true });

function blockedUnlessOurs(refusal) {
  return refusal.ours ? refusal : blocked(`Something answered ${refusal.status} for the server.`);
}

// Parses text/event-stream (WHATWG HTML, section 9.2.6) from chunks that may be split anywhere. No I/O.

/** Larger than any message the server accepts; bounds the memory for a stream without line ends. */
const EVENT_LENGTH_MAX = 16 * 1024 * 1024;

export class EventStreamReader {
  #rest = ''; // of an incomplete line
  #begun = false;
  #endedByCr = false; // a LF that follows belongs to the previous line end
  #event = '';
  #data = [];
  #length = 0;
  /** The value of the last `retry` field, in ms; undefined if there was none. */
  retryMs;

  /**
   * @param {string} text the next chunk
   * @returns {{event: string, data: string}[]} the events that it completes
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
    // Only the new chunk is searched: an event may arrive in thousands of chunks.
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
