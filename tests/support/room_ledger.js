// What is true of a room while many publish into it, and whether what one client was told agrees with it.
// Texts begin with an id of their own ("p3.17 …"); the ledger learns each one's place from whoever tells it first
// and holds everybody else to it.

import assert from 'node:assert/strict';
import { parseCursor } from './room_client.js';

export const idOf = (data) => /^\S+/.exec(data)[0];

export class RoomLedger {
  #idAt = new Map(); // "epoch-offset" → id
  #placeOf = new Map(); // id → "epoch-offset"
  #epochs = []; // in the order they came up
  #acknowledged = new Map(); // epoch → the greatest offset known to exist
  #begun = 0; // publishes that may have reached this run of the server
  #settled = 0;
  #ceilings = new Map(); // epoch of an earlier run → how many publishes may have reached it

  /** `kept`: how many messages the room keeps. */
  constructor(room, kept) {
    this.room = room;
    this.kept = kept;
  }

  // --- what happens ---

  /** The server is started anew: nothing is left of the room. */
  newRun() {
    for (const epoch of this.#epochs) if (!this.#ceilings.has(epoch)) this.#ceilings.set(epoch, this.#begun);
    this.#begun -= this.#settled;
    this.#settled = 0;
  }

  /** What `act` gives, which publishes one message. */
  async publishing(act) {
    this.#begun += 1;
    try {
      return await act();
    } finally {
      this.#settled += 1;
    }
  }

  /** Somebody says that `id` is at `cursor`. */
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

  /** The greatest offset known in the newest epoch: what is asked later begins there or after it. */
  get floor() {
    return { epoch: this.#epochs.at(-1), offset: this.#acknowledged.get(this.#epochs.at(-1)) ?? 0 };
  }

  /** No offset of `epoch` can be greater than that. */
  #ceiling(epoch) {
    if (!this.#epochs.includes(epoch)) return Infinity;
    return this.#ceilings.get(epoch) ?? this.#begun;
  }

  // --- what a client was told ---

  /**
   * How a client that asked with `since` (or not) was told to begin; `floor` is what was known when it asked.
   * Whether a gap is true can be told only within what was certain then and what is possible now.
   */
  checkStart({ since, history, floor }, { cursor, gap }, who) {
    const told = parseCursor(cursor);
    if (since === undefined) {
      assert.equal(gap, null, `${who}: a gap without since`);
      const back = Math.min(history ?? 0, this.kept);
      if (told.epoch === floor.epoch) assert.ok(told.offset >= floor.offset - back, `${who}: begins at ${cursor}, before ${floor.offset} - ${back}`);
      assert.ok(told.offset <= this.#ceiling(told.epoch), `${who}: begins at ${cursor}, in the future`);
      return;
    }
    if (gap === null) {
      assert.equal(cursor, since, `${who}: begins elsewhere without a word`);
      return;
    }
    const asked = parseCursor(since);
    const earliest = parseCursor(gap.earliest);
    assert.equal(earliest.epoch, told.epoch);
    assert.ok(told.offset >= earliest.offset, `${who}: ${JSON.stringify(gap)}`);
    if (history === undefined) assert.equal(gap.cursor, gap.earliest, `${who}: not all that is kept`);
    assert.ok(earliest.offset === 0 || earliest.offset + this.kept <= this.#ceiling(told.epoch), `${who}: ${gap.earliest} as the earliest, of ${this.#ceiling(told.epoch)}`);
    if (earliest.epoch === floor.epoch) assert.ok(earliest.offset >= floor.offset - this.kept, `${who}: ${gap.earliest} is no longer kept`);
    if (asked.epoch === told.epoch) assert.ok(asked.offset < earliest.offset, `${who}: a gap after ${since}, which is kept from ${gap.earliest} on`);
    else assert.ok(!this.#epochs.includes(told.epoch) || this.#epochs.indexOf(told.epoch) > this.#epochs.indexOf(asked.epoch), `${who}: back to an older log`);
  }

  /** `previous` and `cursor` follow each other without a hole, and `data` is what is there. */
  checkNext(previous, { cursor, data }, who) {
    const { epoch, offset } = parseCursor(previous);
    assert.equal(cursor, `${epoch}-${offset + 1}`, `${who}: after ${previous}`);
    this.record(cursor, idOf(data), who);
  }

  /** What a client without cursors heard is one run of the room. To be asked when all is known. */
  checkRun(datas, who) {
    const cursors = datas.map((data) => this.cursorOf(idOf(data)));
    for (const [i, cursor] of cursors.entries()) {
      assert.ok(cursor, `${who}: ${idOf(datas[i])} is nowhere`);
      if (i > 0) this.checkNext(cursors[i - 1], { cursor, data: datas[i] }, who);
    }
  }
}
