// What all clients and publishers of a room were told, and whether it can be true of one log. Nothing here talks to a server.
//
// A message is named by its id, the first word of its text. A place is a cursor, epoch and offset. Logs go on over a change
// of the epoch: what clients see on both sides of it tells where the one before has ended.

import { parseCursor } from '../support/room_client.js';
import { idOf } from '../support/room_ledger.js';

const next = (cursor) => {
  const { epoch, offset } = parseCursor(cursor);
  return { epoch, offset: offset + 1 };
};

/** `who` begins with the name of the client, up to a comma. */
const clientOf = (who) => /^[^,]+/.exec(who)[0];

export class Chronicle {
  #ids = new Map(); // place → id
  #places = new Map(); // id → set of places
  #parents = new Map(); // epoch → the place before its first
  #publishes = new Map(); // id → { outcome, place, key, at_ms }
  #segments = []; // { who, begin, seen: [{ place, id }] }; begin and places are undefined for clients without cursors
  #gaps = []; // { who, after, to }
  violations = [];

  constructor(room) {
    this.room = room;
  }

  #violated(which, text) {
    this.violations.push(`${which} ${this.room}: ${text}`);
  }

  // --- What was published ---

  /** Somebody begins to publish `id`. With a key it may be tried several times. */
  publish(id, { key } = {}) {
    this.#publishes.set(id, { outcome: 'open', key, place: undefined, tried: [] });
  }

  /** A try of a publish with a key was answered with the code of an error, or not at all; another one follows. */
  tried(id, outcome) {
    this.#publishes.get(id).tried.push(outcome);
  }

  /** The answer: `outcome` is `ok` with a place, the code of an error, or `unknown` if there was none. */
  answered(id, outcome, place) {
    const publish = this.#publishes.get(id);
    if (publish.outcome !== 'open') this.#violated('I5', `${id} was answered twice: ${publish.outcome} and ${outcome}`);
    publish.tried.push(outcome);
    publish.outcome = outcome;
    if (outcome !== 'ok') return;
    publish.place = place;
    this.#record(place, id, 'a receipt');
  }

  // --- What clients received ---

  #record(place, id, who) {
    const known = this.#ids.get(place);
    if (known !== undefined && known !== id) this.#violated('I1', `${who}: ${place} is ${id}, and was ${known}`);
    this.#ids.set(place, known ?? id);
    if (!this.#places.has(id)) this.#places.set(id, new Set());
    this.#places.get(id).add(place);
  }

  /** A client goes on from `begin`, with nothing between it and what it receives. `begin` undefined: a client without cursors. */
  segment(who, begin) {
    const segment = { who, begin, seen: [], ids: new Set(), at: begin };
    this.#segments.push(segment);
    return segment;
  }

  /** The next thing that the client of the segment received. `place` is undefined for clients without cursors. */
  received(segment, place, data) {
    const id = idOf(data);
    if (segment.ids.has(id)) this.#violated('I2', `${segment.who}: ${id} twice`);
    segment.ids.add(id);
    segment.seen.push({ place, id });
    if (place === undefined) return;
    this.#record(place, id, segment.who);
    this.#followed(segment.who, segment.at, place);
    segment.at = place;
  }

  #followed(who, before, place) {
    const expected = next(before);
    const { epoch, offset } = parseCursor(place);
    if (offset !== expected.offset) return this.#violated('I2', `${who}: after ${before} comes ${place} without a gap`);
    if (epoch === expected.epoch) return undefined;
    const parent = this.#parents.get(epoch);
    if (parent !== undefined && parent !== before) this.#violated('I4', `${who}: epoch ${epoch} follows ${before}, for others ${parent}`);
    this.#parents.set(epoch, parent ?? before);
    return undefined;
  }

  /** A client that was at `after` is told of a gap, and goes on from `to`. */
  gap(who, after, to) {
    this.#gaps.push({ who, after, to });
  }

  get gaps() {
    return this.#gaps.length;
  }

  // --- What can be said of the whole ---

  /**
   * `dumps` are what each node has of the room in the end, each [{ cursor, data }] in order from the first that is kept.
   * They end alike; with `begin_alike` they begin alike too. Returns what was counted.
   */
  finish(dumps, { begin_alike = true } = {}) {
    const [log] = dumps;
    if (!begin_alike) {
      const length = Math.min(...dumps.map((dump) => dump.length));
      dumps = dumps.map((dump) => dump.slice(dump.length - length));
    }
    const shown = dumps.map((dump) => dump.map(({ cursor, data }) => `${cursor} ${idOf(data)}`));
    shown.forEach((one, i) => {
      const at = one.findIndex((line, n) => line !== shown[0][n]);
      const n = at === -1 ? shown[0].length : at;
      if (at !== -1 || one.length !== shown[0].length) this.#violated('I6', `node ${i} has ${one.length} messages, node 0 ${shown[0].length}; the first that differs: ${one[n]}, ${shown[0][n]}`);
    });
    const chain = this.#chainOf(log);
    this.#checkSegments();
    const epochs = new Set([...chain.keys()].map((place) => parseCursor(place).epoch));
    const unfounded = this.#gaps.filter(({ after }) => chain.has(after) || (parseCursor(after).offset === 0 && epochs.has(parseCursor(after).epoch)));
    return { ...this.#checkPublishes(chain), gaps: this.#gaps.length, unfounded: unfounded.length, unfounded_gaps: unfounded.slice(0, 3), epochs: epochs.size };
  }

  /** Place → id, of the log as it is in the end. */
  #chainOf(log) {
    const chain = new Map();
    let before;
    for (const { cursor, data } of log) {
      this.#record(cursor, idOf(data), 'the log');
      if (before !== undefined) this.#followed('the log', before, cursor);
      chain.set(cursor, idOf(data));
      before = cursor;
    }
    const copies = new Map();
    for (const id of chain.values()) copies.set(id, (copies.get(id) ?? 0) + 1);
    for (const [id, count] of copies) if (count > 1) this.#violated('I5', `${id} is ${count} times in the log`);
    return chain;
  }

  /** Clients without cursors received what follows each other. */
  #checkSegments() {
    for (const { who, begin, seen } of this.#segments) {
      if (begin !== undefined) continue;
      for (let i = 1; i < seen.length; i += 1) {
        const [a, b] = [seen[i - 1].id, seen[i].id];
        if (!this.#follow(a, b)) this.#violated('I2', `${who}: ${b} (${[...(this.#places.get(b) ?? ['nowhere'])]}) after ${a} (${[...(this.#places.get(a) ?? ['nowhere'])]})`);
      }
    }
  }

  #follow(a, b) {
    const places = [...(this.#places.get(a) ?? [])];
    return [...(this.#places.get(b) ?? [])].some((place) => {
      const { epoch, offset } = parseCursor(place);
      return places.some((before) => parseCursor(before).offset + 1 === offset && (parseCursor(before).epoch === epoch || this.#parents.get(epoch) === before));
    });
  }

  #checkPublishes(chain) {
    const counts = { published: this.#publishes.size, acknowledged: 0, lost: 0, passed: 0, outcomes: {} };
    const first_kept = Math.min(...[...chain.keys()].map((place) => parseCursor(place).offset));
    for (const [id, { outcome, place, tried }] of this.#publishes) {
      counts.outcomes[outcome] = (counts.outcomes[outcome] ?? 0) + 1;
      if (outcome === 'open') this.#violated('I5', `${id} was never answered`);
      const is_refused = tried.length > 0 && tried.every((one) => one === 'unavailable' || one === 'overloaded');
      if (is_refused && this.#places.has(id)) this.#violated('I5', `${id} was answered ${tried}, and stands at ${[...this.#places.get(id)]}`);
      if (outcome !== 'ok') continue;
      counts.acknowledged += 1;
      if (chain.has(place) || parseCursor(place).offset < first_kept) continue;
      counts.lost += 1;
      counts.passed += this.#passedBy(place);
    }
    return counts;
  }

  /** The clients that came past the offset of `place` on another branch of the log, had it never and were told of no gap. */
  #passedBy(place) {
    const { offset } = parseCursor(place);
    const passed = new Set();
    const knew = new Set(this.#gaps.map(({ who }) => clientOf(who)));
    for (const { who, begin, seen } of this.#segments) {
      const there = begin === undefined ? undefined : seen[offset - parseCursor(begin).offset - 1];
      if (there?.place === place) knew.add(clientOf(who));
      else if (there !== undefined) passed.add(clientOf(who));
    }
    return [...passed].filter((client) => !knew.has(client)).length;
  }
}
