// Which messages of a room were published here. A name is anybody's; what this tab got receipts for is its own. Kept over a
// reload, as long as the tab lives.

import { recallList, rememberList } from './memory.js';

const KEPT_MAX = 500; // as many as a log shows

export class Mine {
  #key;
  #cursors;

  constructor(room) {
    this.#key = `roomcast.mine.${room}`;
    this.#cursors = new Set(recallList(this.#key));
  }

  has(cursor) {
    return this.#cursors.has(cursor);
  }

  add(cursor) {
    this.#cursors.add(cursor);
    if (this.#cursors.size > KEPT_MAX) this.#cursors.delete(this.#cursors.values().next().value);
    rememberList(this.#key, [...this.#cursors]);
  }
}
