// A room's log: lines in the server's order, bounded, following the newest one only if that is where the reader is.

import { say } from '../common/language.js';
import { clockTime, dayElement, dividerElement, messageElement, releaseElement } from './message.js';
import { isCovered } from '../client/roomcast/protocol.js';

const LINES_MAX = 500;
const LINES_READING_MAX = 2 * LINES_MAX; // while the reader is further up, nothing goes away under the eyes before this
const BOTTOM_SLACK_PX = 40;
const TOP_SLACK_PX = 240;
const SAME_BREATH_MS = 5 * 60_000;

export class Log {
  #scroller;
  #list;
  #start;
  #empty;
  #newer;
  #above;
  #onTop;
  #lines = new WeakMap(); // item -> the line it shows
  #items = new Map(); // cursor -> item
  #following = true;
  #lastTop = 0;
  #frame = null; // the next picture, at which the newest line is brought into sight
  #newCount = 0;
  #day = new Date().toDateString(); // of the newest line; what is said today needs no date
  #fresh = null; // the divider above what is new to the reader, until it has been shown

  /** @param {HTMLElement} pane @param {() => void} onTop the reader is where earlier lines are wanted */
  constructor(pane, onTop) {
    this.#scroller = pane.querySelector('.scroller');
    this.#list = pane.querySelector('.log');
    this.#start = pane.querySelector('.log-start');
    this.#empty = pane.querySelector('.empty');
    this.#newer = pane.querySelector('.newer');
    this.#above = new Above(pane);
    this.#onTop = onTop;
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

  /** The cursor of the first message that is shown; undefined if there is none. */
  get earliest() {
    return this.#items.keys().next().value;
  }

  /** How many messages are shown. */
  get count() {
    return this.#items.size;
  }

  get isFull() {
    return this.#list.children.length >= LINES_READING_MAX;
  }

  /** @param {{cursor: string, name: string, own: boolean, time: Date}} line @param {Node} content */
  add(line, content) {
    const day = line.time.toDateString();
    if (day !== this.#day) this.#append(dayElement(line.time));
    this.#day = day;
    const item = messageElement({ ...line, first: true }, content);
    this.#lines.set(item, line);
    this.#items.set(line.cursor, item);
    this.#append(item);
    if (!this.#following) this.#countNew();
  }

  /** Lines from before all that is shown, in their order; what the reader looks at stays where it is. */
  prepend(lines) {
    const fromEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    const known = this.#items;
    this.#items = new Map();
    const next = this.#list.firstElementChild;
    let day = new Date().toDateString();
    for (const { content, ...line } of lines) {
      if (line.time.toDateString() !== day) this.#list.insertBefore(dayElement(line.time), next);
      day = line.time.toDateString();
      const item = messageElement({ ...line, first: true }, content);
      this.#lines.set(item, line);
      this.#list.insertBefore(item, next);
      this.#regroup(item);
      this.#items.set(line.cursor, item);
    }
    for (const [cursor, item] of known) this.#items.set(cursor, item);
    const first = this.#lines.get(known.values().next().value);
    const isDay = next?.matches('.day');
    if (first && isDay && first.time.toDateString() === day) next.remove();
    if (first && !isDay && first.time.toDateString() !== day) this.#list.insertBefore(dayElement(first.time), next);
    if (first) this.#regroup(known.values().next().value);
    this.#scroller.scrollTop = this.#scroller.scrollHeight - fromEnd;
    this.#lastTop = this.#scroller.scrollTop;
  }

  /** The message at `cursor` was said here, or was not. @returns {boolean} whether it is shown */
  setOwn(cursor, own) {
    const item = this.#items.get(cursor);
    if (!item) return false;
    this.#lines.get(item).own = own;
    item.classList.toggle('own', own);
    this.#regroup(item);
    this.#regroup(item.nextElementSibling);
    return true;
  }

  /**
   * A line across the log. One that says that the reader was away takes the place of another one right above it.
   * @param {'gap'|'away'} kind `gap`: messages may be missing here; `away`: the reader was
   * @returns {{reword: (key: string, values: object) => void, remove: () => void}}
   */
  addDivider(kind, key) {
    const above = this.#list.lastElementChild;
    if (kind === 'away' && above?.matches('.away')) above.remove();
    const item = dividerElement(kind, key);
    this.#append(item);
    return {
      reword: (other, values) => say(item.firstElementChild, other, values),
      remove: () => item.remove(),
    };
  }

  /** What comes from now on is new to the reader. @param {Date} time of the first of it */
  markFresh(time) {
    if (this.#fresh) return;
    this.#list.querySelector('.fresh')?.remove();
    const above = this.#list.lastElementChild;
    this.#fresh = above?.matches('.away') ? above : dividerElement('fresh', 'new_since', { time: () => clockTime(time) });
    if (this.#fresh !== above) this.#append(this.#fresh);
  }

  /** The reader is here: what is new is shown from its beginning. */
  showFresh() {
    const mark = this.#fresh;
    const { scrollHeight, clientHeight } = this.#scroller;
    if (!mark || clientHeight === 0) return;
    this.#fresh = null;
    if (!mark.isConnected || scrollHeight - mark.offsetTop <= clientHeight) return;
    this.#follow(false);
    this.#scroller.scrollTop = mark.offsetTop;
    this.#lastTop = this.#scroller.scrollTop;
    for (let item = mark.nextElementSibling; item; item = item.nextElementSibling) {
      if (this.#lines.get(item)?.own === false) this.#countNew();
    }
  }

  /** What stands above the first line: that earlier ones come, or that there are none. An empty key takes it away. */
  tellStart(key) {
    this.#start.hidden = !key;
    say(this.#start, key);
  }

  /** There is nothing to show. @param {boolean} wasMore there was, and it is no longer kept */
  tellEmpty(wasMore) {
    if (this.#list.children.length > 0) return;
    this.#empty.hidden = false;
    say(this.#empty.querySelector('.empty-title'), wasMore ? 'nothing_kept' : 'nothing_said');
    say(this.#empty.querySelector('.empty-how'), wasMore ? 'how_to_go_on' : 'how_to_begin');
  }

  clear() {
    for (const item of [...this.#list.children]) releaseElement(item);
    this.#items.clear();
    this.toBottom();
  }

  /** It came into sight or changed its size: where the newest line is followed, it is shown. */
  shown() {
    if (this.#following) this.toBottom();
    this.askForMore();
    this.#above.look();
  }

  /** Earlier lines are wanted where the reader is at the top, or nothing more fits in. */
  askForMore() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const unfilled = scrollHeight <= clientHeight;
    if (clientHeight > 0 && scrollTop < TOP_SLACK_PX && (!this.#following || unfilled)) this.#onTop();
  }

  toBottom() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#lastTop = this.#scroller.scrollTop;
    this.#follow(true);
  }

  #append(item) {
    this.#empty.hidden = true;
    this.#list.append(item);
    this.#regroup(item);
    const most = this.#following ? LINES_MAX : LINES_READING_MAX;
    while (this.#list.children.length > most) this.#drop(this.#list.firstElementChild);
    if (!this.#following) return;
    // Many lines, one layout.
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.shown();
    });
  }

  #drop(item) {
    const line = this.#lines.get(item);
    if (line) this.#items.delete(line.cursor);
    releaseElement(item);
    this.#regroup(this.#list.firstElementChild);
    this.tellStart('');
  }

  /** Whether a line continues the one above it: then it needs no name and time of its own. */
  #regroup(item) {
    const line = this.#lines.get(item);
    if (!line) return;
    const above = this.#lines.get(item.previousElementSibling);
    const continues = above && above.name === line.name && above.own === line.own && line.time - above.begun <= SAME_BREATH_MS;
    line.begun = continues ? above.begun : line.time;
    item.classList.toggle('first', !continues);
  }

  #countNew() {
    this.#newCount += 1;
    say(this.#newer, 'new_messages', { count: this.#newCount });
    this.#newer.hidden = false;
  }

  #onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (clientHeight === 0) return; // out of sight
    // Lines may have come since the scrolling this event tells of, so only a way up means that the reader left.
    if (scrollHeight - scrollTop - clientHeight < BOTTOM_SLACK_PX) this.#follow(true);
    else if (scrollTop < this.#lastTop) this.#follow(false);
    this.#lastTop = scrollTop;
    this.#above.look();
    this.askForMore();
  }

  #follow(following) {
    this.#following = following;
    this.#scroller.classList.toggle('following', following);
    if (!following) return;
    this.#newCount = 0;
    this.#newer.hidden = true;
  }
}

// Whose the words at the top of the screen are, and from when, where the line that says so has been scrolled away.

const NAME_HEIGHT_PX = 24;

class Above {
  #scroller;
  #list;
  #label;
  #frame = null;

  /** @param {HTMLElement} pane */
  constructor(pane) {
    this.#scroller = pane.querySelector('.scroller');
    this.#list = pane.querySelector('.log');
    this.#label = pane.querySelector('.above');
  }

  /** The reader may see other lines by now. */
  look() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#show(this.#lineAtTop());
    });
  }

  #lineAtTop() {
    const { left, top, width } = this.#scroller.getBoundingClientRect();
    if (width === 0) return null;
    const at = document.elementsFromPoint(left + width / 2, top + NAME_HEIGHT_PX / 2);
    const line = at.map((one) => one.closest('.message')).find((one) => one?.parentElement === this.#list);
    const hasOwnName = line?.matches('.first') && line.getBoundingClientRect().top >= top - NAME_HEIGHT_PX / 2;
    return hasOwnName ? null : line;
  }

  #show(line) {
    this.#label.hidden = !line;
    if (!line) return;
    const parts = [line.querySelector('time'), line.querySelector('.name')].map((part) => part.cloneNode(true));
    this.#label.replaceChildren(...parts);
  }
}

// Finds the messages before the first one that is shown. No DOM.
//
// The server is asked for more of the last messages than are shown, and answers with the oldest of them first: what comes
// before the first one shown is what is wanted.

const STEP = 51; // one more than the first half of the 100 that a room keeps by default: tells at once that it was all
const ANSWERS_MAX = 60; // an answer has at most 128 KiB; fifty pictures take no more than that

/**
 * @param {(from: {history?: number, since?: string}) => Promise<{messages: object[], cursor: string}>} past asks the server
 * @param {string} earliest cursor of the first message that is shown
 * @param {number} shown how many messages are
 * @returns {Promise<{messages: object[], isAll: boolean}>} `isAll`: the room keeps none before these
 */
export async function earlierMessages(past, earliest, shown) {
  const messages = [];
  let from = { history: shown + STEP };
  for (let i = 0; i < ANSWERS_MAX; i += 1) {
    const answer = await past(from);
    for (const message of answer.messages) {
      const isOlder = isCovered(message.cursor, earliest) && message.cursor !== earliest;
      // Another epoch is another room of that name: nothing of it was before.
      if (!isOlder) return { messages, isAll: messages.length < STEP };
      messages.push(message);
    }
    if (answer.messages.length === 0) break;
    from = { since: answer.cursor };
  }
  return { messages, isAll: messages.length < STEP };
}

/** Whether something was said before the place of `cursor` that the room no longer keeps. @param {string} cursor of its first message */
export const hasForgotten = (cursor) => !/-1$/.test(cursor);

/** Whether something had been said up to `cursor`, that of a room which keeps nothing. */
export const hasSpoken = (cursor) => !/-0$/.test(cursor);
