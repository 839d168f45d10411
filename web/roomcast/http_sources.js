// What a room says over HTTP, as roomcast.v1 objects: `ok` first, then `gap`, `message`, `bye`.

import { roomAddress } from './addresses.js';
import { CAP_MS, climbDelay } from './backoff.js';
import { RoomcastError, refusalOf } from './errors.js';
import { EventStreamReader } from './event_stream.js';

/**
 * One endless event stream (WHATWG EventSource), read by fetch: that shows the status of a refusal, and needs no class that
 * only browsers have.
 * @param {import('./client.js').Host} host
 * @param {{name: string, position: () => object}} room
 * @param {import('./line.js').Line} line
 */
export async function* eventStream(host, room, line) {
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
export async function* longPolls(host, room, line) {
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
