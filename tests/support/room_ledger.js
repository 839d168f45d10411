// The contents of a room that many publish into, for checking what each client received.
// Texts begin with a unique id ("p3.17 …"); the ledger learns the position of each from the first client that reports it,
// and checks all others against it.

import assert from 'node:assert/strict';
import { parseCursor } from './room_client.js';

export const idOf = (data) => /^\S+/.exec(data)[0];

export class RoomLedger {
  #idAt = new Map(); // "epoch-offset" → id
  #placeOf = new Map(); // id → "epoch-offset"
  #epochs = []; // in order of appearance
  #acknowledged = new Map(); // epoch → the greatest offset known to exist
  #begun = 0; // publishes that may have reached this run of the server
  #settled = 0;
  #ceilings = new Map(); // epoch of an earlier run → number of publishes that may have reached it

  /** `kept`: the number of messages that the room retains. */
  constructor(room, kept) {
    this.room = room;
    this.kept = kept;
  }

  // --- events ---

  /** The server is restarted: nothing of the room is left. */
  newRun() {
    for (const epoch of this.#epochs) if (!this.#ceilings.has(epoch)) this.#ceilings.set(epoch, this.#begun);
    this.#begun -= this.#settled;
    this.#settled = 0;
  }

  /** The result of `act`, which publishes one message. */
  async publishing(act) {
    this.#begun += 1;
    try {
      return await act();
    } finally {
      this.#settled += 1;
    }
  }

  /** A client reports that `id` is at `cursor`. */
  record(cursor, id, who) {
    const { epoch, offset } = parseCursor(cursor);
    assert.ok(offset >= 1, `${who}: a message at ${cursor}`);
    if (!this.#epochs.includes(epoch)) this.#epochs.push(epoch);
    assert.equal(this.#idAt.get(cursor) ?? id, id, `${who}: ${cursor} is another message`);
    assert.equal(this.#placeOf.get(id) ?? cursor, cursor, `${who}: ${id} stands twice`);
    this.#idAt.set(cursor, id);
    this.#placeOf.set(id, cursor);
    if (offset > (this.#acknowledged.get(epoch) ?? 0)) this.#acknowledged.set(epoch, offset);
  }

  get size() {
    return this.#idAt.size;
  }

  get epochs() {
    return this.#epochs.length;
  }

  cursorOf(id) {
    return this.#placeOf.get(id);
  }

  /** The greatest offset known in the newest epoch: the position of a later request is not before it. */
  get floor() {
    return { epoch: this.#epochs.at(-1), offset: this.#acknowledged.get(this.#epochs.at(-1)) ?? 0 };
  }

  /** No offset of `epoch` can be greater than that. */
  #ceiling(epoch) {
    if (!this.#epochs.includes(epoch)) return Infinity;
    return this.#ceilings.get(epoch) ?? this.#begun;
  }

  // --- checks of what a client received ---

  /**
   * The start of a client that requested `since` (or not); `floor` is the state of knowledge at its request.
   * Whether a gap is correct can be decided only within what was certain then and what is possible now.
   */
  checkStart({ since, history, floor }, { cursor, gap }, who) {
    const start = parseCursor(cursor);
    if (since === undefined) {
      assert.equal(gap, null, `${who}: a gap without since`);
      const back = Math.min(history ?? 0, this.kept);
      if (start.epoch === floor.epoch) assert.ok(start.offset >= floor.offset - back, `${who}: begins at ${cursor}, before ${floor.offset} - ${back}`);
      assert.ok(start.offset <= this.#ceiling(start.epoch), `${who}: begins at ${cursor}, in the future`);
      return;
    }
    if (gap === null) {
      assert.equal(cursor, since, `${who}: begins elsewhere without a word`);
      return;
    }
    const asked = parseCursor(since);
    const earliest = parseCursor(gap.earliest);
    assert.equal(earliest.epoch, start.epoch);
    assert.ok(start.offset >= earliest.offset, `${who}: ${JSON.stringify(gap)}`);
    if (history === undefined) assert.equal(gap.cursor, gap.earliest, `${who}: not all that is kept`);
    assert.ok(earliest.offset === 0 || earliest.offset + this.kept <= this.#ceiling(start.epoch), `${who}: ${gap.earliest} as the earliest, of ${this.#ceiling(start.epoch)}`);
    if (earliest.epoch === floor.epoch) assert.ok(earliest.offset >= floor.offset - this.kept, `${who}: ${gap.earliest} is no longer kept`);
    if (asked.epoch === start.epoch) assert.ok(asked.offset < earliest.offset, `${who}: a gap after ${since}, which is kept from ${gap.earliest} on`);
    else assert.ok(!this.#epochs.includes(start.epoch) || this.#epochs.indexOf(start.epoch) > this.#epochs.indexOf(asked.epoch), `${who}: back to an older log`);
  }

  /** `previous` and `cursor` follow each other without a hole, and `data` is the message there. */
  checkNext(previous, { cursor, data }, who) {
    const { epoch, offset } = parseCursor(previous);
    assert.equal(cursor, `${epoch}-${offset + 1}`, `${who}: after ${previous}`);
    this.record(cursor, idOf(data), who);
  }

  /** The messages of a client without cursors are one run of the room. Call it when all positions are known. */
  checkRun(datas, who) {
    const cursors = datas.map((data) => this.cursorOf(idOf(data)));
    for (const [i, cursor] of cursors.entries()) {
      assert.ok(cursor, `${who}: ${idOf(datas[i])} is nowhere`);
      if (i > 0) this.checkNext(cursors[i - 1], { cursor, data: datas[i] }, who);
    }
  }
}
