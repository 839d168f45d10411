// The view of one room: its log, the pending messages, and the message field. Created from the page's template.

import { element, isComposing, recallList, rememberList, roomPath } from '../common/page.js';
import { errorWords, say, sayAttribute, translate } from '../common/language.js';
import { Log } from './log.js';
import { messageElement, releaseElement } from './message.js';

export class Pane {
  #head;
  #count;
  #scroller;

  /**
   * @param {string} room
   * @param {string} name the user's name
   * @param {object} handlers
   * @param {(text: string) => void} handlers.onText
   * @param {(files: File[]) => void} handlers.onFiles
   * @param {() => void} handlers.onFocus the user turned to this room
   * @param {() => void} handlers.onTop earlier messages are needed
   * @param {Mine} mine the messages published from this tab
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

  /** @param {boolean} seen whether it is visible @param {boolean} current whether it is the room named in the bar */
  show(seen, current) {
    const wasHidden = this.element.hidden;
    this.element.hidden = !seen;
    this.element.classList.toggle('current', current);
    this.#scroller.setAttribute('aria-live', current ? 'polite' : 'off');
    if (wasHidden && seen) this.log.shown();
    if (seen) this.log.showFresh();
  }

  /** While history arrives, screen readers do not announce single lines. */
  busy(reading) {
    this.#scroller.setAttribute('aria-busy', String(reading));
  }

  /** The server knows who some of its clients are: the others are labelled as guests. */
  showGuests() {
    this.element.classList.add('has-verified');
  }

  /** Marks the list of people as outdated. */
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

// The composer: text that is typed or pasted, files that are chosen, pasted or dropped.
class Composer {
  #pane;
  #entry;
  #notice;
  #dropHint;
  #send;
  #attach;
  #handlers;

  /**
   * @param {HTMLElement} pane
   * @param {object} handlers
   * @param {(text: string) => boolean} handlers.onText returns true if the text was accepted, and the field is cleared
   * @param {(files: File[]) => void} handlers.onFiles
   */
  constructor(pane, handlers) {
    const part = (selector) => pane.querySelector(selector);
    const picture = part('.picture-file');
    this.#pane = pane;
    this.#entry = part('.entry');
    this.#notice = part('.notice');
    this.#dropHint = part('.drop-hint');
    this.#send = part('.send');
    this.#attach = part('.attach');
    this.#handlers = handlers;
    part('.composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#entry.addEventListener('keydown', (event) => this.#onKey(event));
    this.#entry.addEventListener('input', () => this.#fit());
    this.#attach.addEventListener('click', () => picture.click());
    picture.addEventListener('change', () => {
      this.#handlers.onFiles([...picture.files]);
      picture.value = '';
      this.focus();
    });
    pane.addEventListener('paste', (event) => {
      // Office programs add a picture of the text to the clipboard.
      if (!event.clipboardData?.types.includes('text/plain')) this.#take(event, event.clipboardData);
    });
    this.#watchDrops();
  }

  focus() {
    this.#entry.focus();
  }

  /** Enables sending. The field itself always accepts text, so that nothing is lost. */
  enable(possible) {
    this.#send.setAttribute('aria-disabled', String(!possible));
    this.#attach.setAttribute('aria-disabled', String(!possible));
  }

  /** Shows a notice, the text of `key`; an empty key removes it. @param {'problem'|'info'} tone */
  notice(key, values, tone = 'problem') {
    say(this.#notice, key, values);
    this.#notice.dataset.tone = tone;
  }

  #submit() {
    const text = this.#entry.value.trim();
    if (!text) return;
    if (!this.#handlers.onText(text)) return;
    this.#entry.value = '';
    this.notice('');
    this.#fit();
    this.focus();
  }

  #onKey(event) {
    // While an input method composes, Enter picks a candidate.
    if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    this.#submit();
  }

  /** For browsers without `field-sizing: content`. */
  #fit() {
    this.#entry.rows = Math.min(6, this.#entry.value.split('\n').length);
  }

  #take(event, transfer) {
    const files = [...(transfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.#handlers.onFiles(files);
  }

  #watchDrops() {
    const area = this.#pane;
    const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
    area.addEventListener('dragover', (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.#dropHint.hidden = false;
    });
    area.addEventListener('dragleave', (event) => {
      if (!area.contains(event.relatedTarget)) this.#dropHint.hidden = true;
    });
    area.addEventListener('drop', (event) => {
      this.#dropHint.hidden = true;
      this.#take(event, event.dataTransfer);
    });
  }
}

// Messages sent and not yet received back. They are shown below the log, because only the server decides on their position.
//
// A receipt identifies a message as this tab's own; a name does not, since anyone can use it. If the message arrives before
// its receipt (over HTTP, or after a reconnect), one with equal content is taken for it until the receipt arrives.

const ECHO_DEADLINE_MS = 15_000;

class Outbox {
  #list;
  #mine;
  #onOwn;
  #waiting = new Set(); // {item, parcel, cursor, echo, timer}

  /**
   * @param {HTMLElement} list
   * @param {{has: (cursor: string) => boolean, add: (cursor: string) => void}} mine the cursors published from this tab
   * @param {(cursor: string, own: boolean) => boolean} onOwn marks the message as own, or no longer; returns whether it is in the log
   */
  constructor(list, mine, onOwn) {
    this.#list = list;
    this.#mine = mine;
    this.#onOwn = onOwn;
  }

  /**
   * Shows a pending message until it is received back.
   * @param {string} name the sender's @param {Node} content its element
   * @returns {{send: (parcel: object) => void, discard: () => void}} `send` starts publishing a parcel:
   *   `publish` makes one attempt, which waits for the connection and resolves with the receipt; `sameAs` compares a received
   *   message with it; `content` replaces the element, if given
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

  /** A message was received. @returns {boolean} whether it is own; its pending line is removed then */
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
      // The sender is not named: equal content has to do.
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
    // Published. If its echo is among the messages lost in a gap, nothing else would remove the line.
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

// The messages of a room that were published from this tab, by the cursors of their receipts. Kept over a reload, for the
// life of the tab.

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
