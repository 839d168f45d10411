// One room on the screen: its log, what is being sent, and the field. Made from the template of the page.

import { Composer } from './composer.js';
import { say, sayAttribute, translate } from './language.js';
import { Log } from './log.js';
import { Outbox } from './outbox.js';
import { roomPath } from './room.js';

export class Pane {
  #head;
  #count;
  #scroller;

  /**
   * @param {string} room
   * @param {string} name who writes here
   * @param {object} handlers
   * @param {(text: string) => void} handlers.onText
   * @param {(files: File[]) => void} handlers.onFiles
   * @param {() => void} handlers.onFocus the user turned to this room
   * @param {() => void} handlers.onTop earlier messages are wanted
   * @param {import('./mine.js').Mine} mine what was published here
   */
  constructor(room, name, handlers, mine) {
    this.element = document.getElementById('pane-template').content.firstElementChild.cloneNode(true);
    const part = (selector) => this.element.querySelector(selector);
    this.#head = part('.pane-head');
    this.#count = part('.pane-count');
    this.#scroller = part('.scroller');
    this.element.setAttribute('aria-label', room);
    translate(this.element);
    part('.pane-head h2').textContent = room;
    part('.me').textContent = name;
    sayAttribute(part('.entry'), 'aria-label', 'message_to', { room });
    sayAttribute(this.#scroller, 'aria-label', 'messages_in', { room });
    const address = new URL(roomPath(room), new URL('.', location.href));
    part('.curl').textContent = `curl -H 'Content-Type: text/plain' -d 'hello' '${address.href}'`;
    this.element.addEventListener('focusin', handlers.onFocus);
    this.log = new Log(this.element, handlers.onTop);
    this.outbox = new Outbox(part('.outbox'), mine, (cursor, own) => this.log.setOwn(cursor, own));
    this.composer = new Composer(this.element, handlers);
    document.getElementById('panes').append(this.element);
  }

  /** @param {boolean} seen it is on the screen @param {boolean} current it is the room the bar speaks of */
  show(seen, current) {
    const wasHidden = this.element.hidden;
    this.element.hidden = !seen;
    this.element.classList.toggle('current', current);
    this.#scroller.setAttribute('aria-live', current ? 'polite' : 'off');
    if (wasHidden && seen) this.log.shown();
    if (seen) this.log.showFresh();
  }

  /** What is read in at once is not to be read out line by line. */
  busy(reading) {
    this.#scroller.setAttribute('aria-busy', String(reading));
  }

  /** Who is here is not known just now. */
  stale(isStale) {
    this.#count.classList.toggle('stale', isStale);
  }

  showCount(count) {
    say(this.#count, count > 0 ? 'here_count' : '', { count });
  }

  remove() {
    this.outbox.clear();
    this.log.clear();
    this.element.remove();
  }
}
