// What was said and has not come back yet. It stands below the log, for only the server decides on its place in it.

import { element } from './elements.js';
import { messageElement, releaseElement } from './message_view.js';

const ECHO_DEADLINE_MS = 15_000;

export class Outbox {
  #list;
  #waiting = new Map(); // key -> {item, sameAs, timer}

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
  }

  /**
   * Shows what is under way until it comes back, and asks what to do if it fails.
   * @param {object} said
   * @param {string} said.key the same for every attempt, so that the server publishes it once
   * @param {string} said.name the sender's
   * @param {Node} said.content how it looks
   * @param {(message: object) => boolean} said.sameAs whether a message of the room is this one
   * @param {() => Promise<object>} said.publish one attempt; it waits for the line by itself
   */
  async add(said) {
    const { key, name, content, sameAs, publish } = said;
    const item = messageElement({ name, own: true, first: true, time: new Date() }, content);
    this.#list.append(item);
    const entry = { item, sameAs, publish, timer: null };
    this.#waiting.set(key, entry);
    await this.#attempt(key, entry);
  }

  /** A message of the room: takes away what it is the echo of. */
  confirm(message) {
    for (const [key, entry] of this.#waiting) {
      if (!entry.sameAs(message)) continue;
      this.#remove(key, entry);
      return;
    }
  }

  clear() {
    for (const [key, entry] of this.#waiting) this.#remove(key, entry);
  }

  async #attempt(key, entry) {
    try {
      await entry.publish();
      // It has its place in the room. If its echo is among what is missing after a cut, nothing else takes it away.
      entry.timer = setTimeout(() => this.#remove(key, entry), ECHO_DEADLINE_MS);
    } catch (error) {
      if (this.#waiting.get(key) === entry) this.#ask(key, entry, error);
    }
  }

  #ask(key, entry, { message, maybePublished }) {
    const again = element('button', '', 'Send again');
    const discard = element('button', '', 'Discard');
    again.type = discard.type = 'button';
    const problem = maybePublished ? 'May not have arrived.' : `Not sent. ${message}`;
    const question = element('div', 'unconfirmed-actions', element('span', '', problem), again, discard);
    question.setAttribute('role', 'alert');
    again.addEventListener('click', () => {
      question.remove();
      entry.item.classList.remove('unconfirmed');
      this.#attempt(key, entry);
    });
    discard.addEventListener('click', () => this.#remove(key, entry));
    entry.item.classList.add('unconfirmed');
    entry.item.querySelector('.body').append(question);
  }

  #remove(key, entry) {
    clearTimeout(entry.timer);
    this.#waiting.delete(key);
    releaseElement(entry.item);
  }
}
