// What was said and has not come back yet. It stands below the log, for only the server decides on its place in it.
//
// What makes a message of the room ours is the receipt for it: a name is anybody's. Where the message comes before its receipt
// (over HTTP, or after a cut) it is taken for ours if it says the same, until the receipt tells.

import { element } from './elements.js';
import { errorWords, say } from './language.js';
import { messageElement, releaseElement } from './message_view.js';

const ECHO_DEADLINE_MS = 15_000;

export class Outbox {
  #list;
  #mine;
  #onOwn;
  #waiting = new Set(); // {item, parcel, cursor, echo, timer}

  /**
   * @param {HTMLElement} list
   * @param {{has: (cursor: string) => boolean, add: (cursor: string) => void}} mine the cursors of what was published here
   * @param {(cursor: string, own: boolean) => boolean} onOwn the message there is ours, or is not after all; says whether it came already
   */
  constructor(list, mine, onOwn) {
    this.#list = list;
    this.#mine = mine;
    this.#onOwn = onOwn;
  }

  /**
   * Shows what is under way until it comes back.
   * @param {string} name the sender's @param {Node} content how it looks
   * @returns {{send: (parcel: object) => void, discard: () => void}} `send` hands it over, with
   *   `publish`, one attempt that waits for the line by itself and gives the receipt; `sameAs`, whether a message of the room
   *   says the same; and `content`, if it looks different by now
   */
  add(name, content) {
    const item = messageElement({ name, own: true, first: true, time: new Date() }, content);
    this.#list.append(item);
    const entry = { item, parcel: null, cursor: null, echo: null, timer: null };
    this.#waiting.add(entry);
    return {
      send: (parcel) => {
        entry.parcel = parcel;
        if (parcel.content) content.replaceWith(parcel.content);
        this.#attempt(entry);
      },
      discard: () => this.#remove(entry),
    };
  }

  /** A message of the room came. @returns {boolean} whether it is ours; what it is the echo of is no longer shown here */
  claim(message) {
    const { cursor } = message;
    const known = this.#mine.has(cursor);
    for (const entry of this.#waiting) {
      const isEcho = known ? entry.cursor === cursor : entry.parcel && !entry.cursor && !entry.echo && entry.parcel.sameAs(message);
      if (!isEcho) continue;
      if (known) {
        this.#remove(entry);
      } else {
        entry.echo = cursor;
        entry.item.hidden = true;
      }
      return true;
    }
    return known;
  }

  clear() {
    for (const entry of this.#waiting) this.#remove(entry);
  }

  async #attempt(entry) {
    try {
      this.#onReceipt(entry, (await entry.parcel.publish()).cursor);
    } catch (error) {
      if (!this.#waiting.has(entry)) return;
      // Nobody says whose it is; that it says the same has to do.
      if (entry.echo) this.#onReceipt(entry, entry.echo);
      else this.#ask(entry, error);
    }
  }

  #onReceipt(entry, cursor) {
    this.#mine.add(cursor);
    entry.cursor = cursor;
    if (entry.echo && entry.echo !== cursor) {
      this.#onOwn(entry.echo, false);
      entry.item.hidden = false;
    }
    if (!this.#waiting.has(entry)) return;
    if (this.#onOwn(cursor, true)) this.#remove(entry);
    // It has its place in the room. If its echo is among what is missing after a cut, nothing else takes it away.
    else entry.timer = setTimeout(() => this.#remove(entry), ECHO_DEADLINE_MS);
  }

  #ask(entry, error) {
    const [problem, again, discard] = [element('span'), element('button'), element('button')];
    again.type = discard.type = 'button';
    if (error.maybePublished) say(problem, 'maybe_sent');
    else say(problem, 'not_sent', { reason: () => errorWords(error) });
    say(again, 'send_again');
    say(discard, 'discard');
    const question = element('div', 'unconfirmed-actions', problem, again, discard);
    question.setAttribute('role', 'alert');
    again.addEventListener('click', () => {
      question.remove();
      entry.item.classList.remove('unconfirmed');
      this.#attempt(entry);
    });
    discard.addEventListener('click', () => this.#remove(entry));
    entry.item.classList.add('unconfirmed');
    entry.item.querySelector('.body').append(question);
  }

  #remove(entry) {
    clearTimeout(entry.timer);
    this.#waiting.delete(entry);
    releaseElement(entry.item);
  }
}
