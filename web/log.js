// A room's log: lines in the server's order, bounded, following the newest one only if that is where the reader is.

import { dayName, dividerElement, messageElement, releaseElement } from './message_view.js';

export const LINES_MAX = 500;
const BOTTOM_SLACK_PX = 40;
const SAME_BREATH_MS = 5 * 60_000;

export class Log {
  #scroller;
  #list;
  #empty;
  #newer;
  #following = true;
  #lastTop = 0;
  #frame = null; // the next picture, at which the newest line is brought into sight
  #newCount = 0;
  #day = new Date().toDateString(); // of the newest line; what is said today needs no date
  #last = null; // {name, own, time} of the newest line, to see whether the next one continues it

  /** @param {HTMLElement} pane */
  constructor(pane) {
    this.#scroller = pane.querySelector('.scroller');
    this.#list = pane.querySelector('.log');
    this.#empty = pane.querySelector('.empty');
    this.#newer = pane.querySelector('.newer');
    this.#scroller.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    this.#newer.addEventListener('click', () => {
      this.toBottom();
      this.#scroller.focus();
    });
    // A picture that finishes loading, a growing field and a turned phone end up as a change of size.
    const follow = new ResizeObserver(() => this.shown());
    for (const part of [this.#scroller, ...this.#scroller.children]) follow.observe(part);
    this.#follow(true);
  }

  /** @param {{name: string, own: boolean, time: Date}} line @param {Node} content */
  add({ name, own, time }, content) {
    const day = time.toDateString();
    if (day !== this.#day) this.#append(dividerElement(dayName(time)));
    this.#day = day;
    const last = this.#last;
    const first = !last || last.name !== name || last.own !== own || time - last.time > SAME_BREATH_MS;
    this.#append(messageElement({ name, own, first, time }, content));
    this.#last = { name, own, time: first ? time : last.time };
    if (!this.#following) this.#countNew();
  }

  /**
   * A line across the log. One that says that the reader was away takes the place of another one right above it.
   * @param {'gap'|'away'} kind `gap`: messages may be missing here; `away`: the reader was
   * @returns {{reword: (text: string) => void, remove: () => void}}
   */
  addDivider(text, kind) {
    const above = this.#list.lastElementChild;
    if (kind === 'away' && above?.matches('.away')) above.remove();
    const item = dividerElement(text, kind);
    this.#append(item);
    this.#last = null;
    return {
      reword: (other) => {
        item.firstElementChild.textContent = other;
      },
      remove: () => item.remove(),
    };
  }

  clear() {
    for (const item of [...this.#list.children]) releaseElement(item);
    this.#empty.hidden = false;
    this.#last = null;
    this.toBottom();
  }

  /** It came into sight or changed its size: where the newest line is followed, it is shown. */
  shown() {
    if (this.#following) this.toBottom();
  }

  toBottom() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#lastTop = this.#scroller.scrollTop;
    this.#follow(true);
  }

  #append(item) {
    this.#empty.hidden = true;
    this.#list.append(item);
    while (this.#list.children.length > LINES_MAX) releaseElement(this.#list.firstElementChild);
    if (!this.#following) return;
    // Many lines, one layout.
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.shown();
    });
  }

  #countNew() {
    this.#newCount += 1;
    this.#newer.textContent = this.#newCount === 1 ? '1 new message' : `${this.#newCount} new messages`;
    this.#newer.hidden = false;
  }

  #onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (clientHeight === 0) return; // out of sight
    // Lines may have come since the scrolling this event tells of, so only a way up means that the reader left.
    if (scrollHeight - scrollTop - clientHeight < BOTTOM_SLACK_PX) this.#follow(true);
    else if (scrollTop < this.#lastTop) this.#follow(false);
    this.#lastTop = scrollTop;
  }

  #follow(following) {
    this.#following = following;
    this.#scroller.classList.toggle('following', following);
    if (!following) return;
    this.#newCount = 0;
    this.#newer.hidden = true;
  }
}
