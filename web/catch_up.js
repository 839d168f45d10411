// After (re)joining a room: how many of the messages that come were there already? No DOM.
//
// The server sends what is missing and then goes on live, without a seam. The room's newest cursor, asked for at that
// moment, is where the one ends and the other begins. Cursors are only compared for being the same.

const PATIENCE_MS = 10_000;
const BLIND_MS = 1000; // where the newest cursor cannot be learnt: what comes within this time was there already

export class CatchUp {
  #headOf;
  #onDone;
  #since = '';
  #messages = null; // {cursor, counts} since the joining; null when nothing is being caught up
  #head = null;
  #timer = null;

  /**
   * @param {() => Promise<string>} headOf asks for the room's newest cursor
   * @param {(count: number) => void} onDone so many messages that count had been there already
   */
  constructor(headOf, onDone) {
    this.#headOf = headOf;
    this.#onDone = onDone;
  }

  get running() {
    return this.#messages !== null;
  }

  /** @param {string} since the cursor one goes on from */
  async begin(since) {
    this.stop();
    const messages = [];
    this.#since = since;
    this.#messages = messages;
    this.#finishIn(PATIENCE_MS);
    const head = await this.#headOf().catch(() => null);
    if (this.#messages !== messages) return; // begun anew or stopped meanwhile
    this.#head = head;
    if (head === null) this.#finishIn(BLIND_MS);
    else this.#look();
  }

  /** A message came. @param {boolean} counts it is another's; one's own was not missed */
  message(cursor, counts) {
    if (!this.running) return;
    this.#messages.push({ cursor, counts });
    this.#look();
  }

  /** The room's log goes on from another place: nothing before it counts. */
  gap(cursor) {
    if (!this.running) return;
    this.#since = cursor;
    this.#look();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#messages = null;
    this.#head = null;
  }

  #look() {
    if (this.#head === null) return;
    const last = this.#messages.findIndex(({ cursor }) => cursor === this.#head);
    if (last >= 0 || this.#head === this.#since) this.#finish(this.#messages.slice(0, last + 1));
  }

  #finishIn(delayMs) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#finish(this.#messages), delayMs);
  }

  #finish(messages) {
    this.stop();
    this.#onDone(messages.filter(({ counts }) => counts).length);
  }
}
