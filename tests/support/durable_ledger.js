// What the offsets of durable rooms have meant, to all clients and over all restarts.

import assert from 'node:assert/strict';
import { parseCursor } from './room_client.js';

export class DurableLedger {
  #rooms = new Map(); // room → { meaning: cursor → data, places: data → cursors, answered: data → cursor, of those that are durable }

  /** `levelOf`: the durability of a room. */
  constructor(levelOf) {
    this.levelOf = levelOf;
  }

  #of(room) {
    if (!this.#rooms.has(room)) this.#rooms.set(room, { meaning: new Map(), places: new Map(), answered: new Map() });
    return this.#rooms.get(room);
  }

  /** The number of messages in rooms of the level that were answered as durable. */
  answeredIn(level) {
    return [...this.#rooms].filter(([room]) => this.levelOf(room) === level).reduce((sum, [, { answered }]) => sum + answered.size, 0);
  }

  /** Somebody says that `data`, which is never published twice but with the same key, is at `cursor`. */
  record(room, cursor, data, who) {
    const { meaning, places } = this.#of(room);
    assert.equal(meaning.get(cursor) ?? data, data, `${who}: ${room} ${cursor} has two meanings`);
    meaning.set(cursor, data);
    if (!places.has(data)) places.set(data, new Set());
    places.get(data).add(cursor);
    if (this.levelOf(room) === 'sync') assert.equal(places.get(data).size, 1, `${who}: ${room} has twice: ${data.slice(0, 40)}, at ${[...places.get(data)]}`);
  }

  /** A publish was answered. */
  answer(room, { cursor, durable }, data, who) {
    this.record(room, cursor, data, who);
    if (durable) this.#of(room).answered.set(data, cursor);
    else assert.notEqual(this.levelOf(room), 'sync', `${who}: ${room} ${cursor} is not durable`);
    if (this.levelOf(room) === 'none') assert.equal(durable, undefined, `${who}: ${room} ${cursor} is durable`);
  }

  /** The last offset that was answered as durable. */
  topOf(room) {
    return Math.max(0, ...[...this.#of(room).answered.values()].map((cursor) => parseCursor(cursor).offset));
  }

  /** A reader who was at `since` goes on with `messages`, after a gap if there is one; returns where it is then. */
  follow(room, since, gap, messages, who) {
    let at = since;
    if (gap) {
      // A crash ends the epoch of a room that was never written.
      const { epoch, offset } = parseCursor(since);
      const was_written = offset > 0 || [...this.#of(room).meaning.keys()].some((cursor) => cursor.startsWith(epoch));
      assert.ok(this.levelOf(room) !== 'sync' || !was_written, `${who}: a gap in ${room} after ${since}: ${JSON.stringify(gap)}`);
      at = gap.cursor;
    }
    for (const { cursor, data } of messages) {
      const [before, now] = [parseCursor(at), parseCursor(cursor)];
      assert.deepEqual([now.epoch, now.offset], [before.epoch, before.offset + 1], `${who}: ${room} goes on from ${at} to ${cursor} without a gap`);
      this.record(room, cursor, data, who);
      at = cursor;
    }
    return at;
  }

  /**
   * `messages` are the whole log of the room, with `gaps` in it: nothing is there twice, and everything that was answered as
   * durable is. But what lies before the last 16 holes of a room may be given up, with the first gap.
   */
  checkWhole(room, messages, gaps, who) {
    assert.equal(new Set(messages.map(({ data }) => data)).size, messages.length, `${who}: ${room} has something twice`);
    const begin = gaps.length > 16 ? parseCursor(gaps[0].cursor).offset : 0;
    const found = new Map(messages.map(({ data, cursor }) => [data, cursor]));
    const lost = [...this.#of(room).answered].filter(([data, cursor]) => parseCursor(cursor).offset > begin && found.get(data) !== cursor);
    assert.deepEqual(lost, [], `${who}: answered and lost in ${room}, with ${gaps.length} gaps`);
  }
}
