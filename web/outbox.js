// What was sent and has not come back yet. It stands below the log, for only the server decides on its place in it.

import { element } from './elements.js';
import { messageElement, releaseElement } from './message_view.js';

const ECHO_DEADLINE_MS = 15_000;

export class Outbox {
  #list = document.getElementById('outbox');
  #waiting = new Map(); // id -> {item, again, timer}
  #onOverdue;

  /** @param {() => void} onOverdue a message did not come back in time although the line seems up */
  constructor(onOverdue) {
    this.#onOverdue = onOverdue;
  }

  /**
   * @param {string} id
   * @param {string} name the sender's
   * @param {Node} content how it looks while it is under way
   * @param {() => boolean} again sends it once more; false if that is not possible now
   */
  add(id, name, content, again) {
    const item = messageElement({ name, own: true, first: true, time: new Date() }, content);
    this.#list.append(item);
    this.#waiting.set(id, { item, again, timer: setTimeout(this.#onOverdue, ECHO_DEADLINE_MS) });
  }

  /** It came back. @returns {boolean} whether it was one of ours */
  confirm(id) {
    const entry = this.#waiting.get(id);
    if (entry) this.#remove(id, entry);
    return entry !== undefined;
  }

  /** The line broke: nobody can say whether what is still here arrived, so the user decides. */
  doubt() {
    for (const [id, entry] of this.#waiting) {
      clearTimeout(entry.timer);
      if (!entry.item.classList.contains('unconfirmed')) this.#ask(id, entry);
    }
  }

  clear() {
    for (const [id, entry] of this.#waiting) this.#remove(id, entry);
  }

  #ask(id, entry) {
    const again = element('button', '', 'Send again');
    const discard = element('button', '', 'Discard');
    again.type = discard.type = 'button';
    again.addEventListener('click', () => {
      if (entry.again()) this.#remove(id, entry);
    });
    discard.addEventListener('click', () => this.#remove(id, entry));
    entry.item.classList.add('unconfirmed');
    const question = element('div', 'unconfirmed-actions', 'May not have arrived.', again, discard);
    question.setAttribute('role', 'alert');
    entry.item.querySelector('.body').append(question);
  }

  #remove(id, entry) {
    clearTimeout(entry.timer);
    this.#waiting.delete(id);
    releaseElement(entry.item);
  }
}
