// A room's log: lines in the server's order, bounded; follows the newest line only while the reader is at the bottom.

import { say, sayAttribute } from '../common/language.js';
import { clockTime, dayElement, dividerElement, messageElement, releaseElement } from './message.js';
import { isCovered } from '../client/roomcast/protocol.js';

const LINES_MAX = 500;
const LINES_READING_MAX = 2 * LINES_MAX; // while the reader is scrolled up, lines are only removed past this bound
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
  #frame = null; // pending animation frame that scrolls to the newest line
  #newCount = 0;
  #day = new Date().toDateString(); // of the newest line; today's lines show no date
  #fresh = null; // the divider above unread lines, until it has been shown

  /** @param {HTMLElement} pane @param {() => void} onTop called when earlier lines are needed */
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
    // A loaded picture, a growing message field and a rotated phone all end up as a size change.
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

  /** What an item of the list shows; undefined for one that is no message. */
  lineOf(item) {
    return this.#lines.get(item);
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

  /** Inserts lines before all that are shown, in order, without moving what the reader looks at. */
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

  /** Marks the message at `cursor` as the user's own, or not. @returns {boolean} whether it is shown */
  setOwn(cursor, own) {
    const item = this.#items.get(cursor);
    if (!item) return false;
    this.#lines.get(item).own = own;
    item.classList.toggle('own', own);
    this.#regroup(item);
    this.#regroup(item.nextElementSibling);
    return true;
  }

  /** Removes the line of a message, and those of all messages that `isGone` says. */
  remove(isGone) {
    for (const [cursor, item] of [...this.#items]) {
      if (!isGone(cursor)) continue;
      const next = item.nextElementSibling;
      this.#items.delete(cursor);
      releaseElement(item);
      this.#regroup(next);
    }
    this.#above.look();
  }

  /** Shows another message in place of the one with its cursor, marked as edited. */
  replace(line, content) {
    const item = this.#items.get(line.cursor);
    if (!item) return;
    const { own } = this.#lines.get(item);
    const other = { ...line, own };
    const next = messageElement({ ...other, first: true }, content);
    const body = next.querySelector('.body');
    body.classList.add('edited');
    sayAttribute(body, 'data-edited', 'edited');
    this.#lines.set(next, other);
    this.#items.set(line.cursor, next);
    item.before(next);
    releaseElement(item);
    this.#regroup(next);
    this.#regroup(next.nextElementSibling);
    this.#above.look();
  }

  /**
   * A divider. One of kind `away` replaces another one directly above it.
   * @param {'gap'|'away'} kind `gap`: messages may be missing here; `away`: the connection was down
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

  /** Lines from now on are unread. @param {Date} time of the first of them */
  markFresh(time) {
    if (this.#fresh) return;
    this.#list.querySelector('.fresh')?.remove();
    const above = this.#list.lastElementChild;
    this.#fresh = above?.matches('.away') ? above : dividerElement('fresh', 'new_since', { time: () => clockTime(time) });
    if (this.#fresh !== above) this.#append(this.#fresh);
  }

  /** The room became visible: scrolls to the first unread line if there are more than fit. */
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

  /** Text above the first line: loading earlier lines, or that there are none. An empty key hides it. */
  showStart(key) {
    this.#start.hidden = !key;
    say(this.#start, key);
  }

  /** Shows the placeholder of an empty room. @param {boolean} wasMore there were messages, which are no longer retained */
  showEmpty(wasMore) {
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

  /** The pane became visible or changed its size: keeps the newest line in view while following. */
  shown() {
    if (this.#following) this.toBottom();
    this.requestEarlier();
    this.#above.look();
  }

  /** Requests earlier lines if the reader is at the top, or if the lines do not fill the pane. */
  requestEarlier() {
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
    // One layout for any number of lines.
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
    this.showStart('');
  }

  /** Hides name and time of a line that continues the one above it. */
  #regroup(item) {
    const line = this.#lines.get(item);
    if (!line) return;
    const above = this.#lines.get(item.previousElementSibling);
    const continues = above && above.name === line.name && above.principal === line.principal && above.own === line.own && line.time - above.begun <= SAME_BREATH_MS;
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
    if (clientHeight === 0) return; // hidden
    // Lines may have been added since the scroll that this event reports; only a move upwards means that the reader scrolled up.
    if (scrollHeight - scrollTop - clientHeight < BOTTOM_SLACK_PX) this.#follow(true);
    else if (scrollTop < this.#lastTop) this.#follow(false);
    this.#lastTop = scrollTop;
    this.#above.look();
    this.requestEarlier();
  }

  #follow(following) {
    this.#following = following;
    this.#scroller.classList.toggle('following', following);
    if (!following) return;
    this.#newCount = 0;
    this.#newer.hidden = true;
  }
}

// Author and time of the line at the top of the screen, shown when the line that carries them has been scrolled away.

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

  /** Scrolling or layout may have changed the line at the top. */
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

// Finds the messages before the first one shown. No DOM.
//
// Requests more of the last messages than are shown. The response begins with the oldest of them; those before the first
// one shown are the result.

const STEP = 51; // one more than the first half of the default history of 100: shows at once whether that was everything
const ANSWERS_MAX = 60; // a response has at most 128 KiB; fifty pictures need no more than that

/**
 * @param {(from: {history?: number, since?: string}) => Promise<{messages: object[], cursor: string}>} past requests history
 * @param {string} earliest cursor of the first message that is shown
 * @param {number} shown the number of messages shown
 * @returns {Promise<{messages: object[], isAll: boolean}>} `isAll`: the room retains none before these
 */
export async function earlierMessages(past, earliest, shown) {
  const messages = [];
  let from = { history: shown + STEP };
  for (let i = 0; i < ANSWERS_MAX; i += 1) {
    const answer = await past(from);
    for (const message of answer.messages) {
      const isOlder = isCovered(message.cursor, earliest) && message.cursor !== earliest;
      // After an epoch change the earlier log is gone.
      if (!isOlder) return { messages, isAll: messages.length < STEP };
      messages.push(message);
    }
    if (answer.messages.length === 0) break;
    from = { since: answer.cursor };
  }
  return { messages, isAll: messages.length < STEP };
}

/** Whether the room once had messages before `cursor`, which are no longer retained. @param {string} cursor of its first message */
export const hasForgotten = (cursor) => !/-1$/.test(cursor);

/** Whether a room without retained messages once had some. @param {string} cursor its newest one */
export const hasSpoken = (cursor) => !/-0$/.test(cursor);
