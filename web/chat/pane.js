// One room on the screen: its log, what is being sent, and the field. Made from the template of the page.

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
   * @param {string} name who writes here
   * @param {object} handlers
   * @param {(text: string) => void} handlers.onText
   * @param {(files: File[]) => void} handlers.onFiles
   * @param {() => void} handlers.onFocus the user turned to this room
   * @param {() => void} handlers.onTop earlier messages are wanted
   * @param {Mine} mine what was published here
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

// The field: what is written, chosen, pasted or dropped.
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
   * @param {(text: string) => boolean} handlers.onText true if it was taken, so that the field may be emptied
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
      // Office programs put a picture of the text beside the text.
      if (!event.clipboardData?.types.includes('text/plain')) this.#take(event, event.clipboardData);
    });
    this.#watchDrops();
  }

  focus() {
    this.#entry.focus();
  }

  /** Whether sending makes sense at all; the field itself stays open, so that nothing written is lost. */
  enable(possible) {
    this.#send.setAttribute('aria-disabled', String(!possible));
    this.#attach.setAttribute('aria-disabled', String(!possible));
  }

  /** Something the user should know, as `words` says it; an empty key takes it away. @param {'problem'|'news'} tone */
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

// What was said and has not come back yet. It stands below the log, for only the server decides on its place in it.
//
// What makes a message of the room ours is the receipt for it: a name is anybody's. Where the message comes before its receipt
// (over HTTP, or after a cut) it is taken for ours if it says the same, until the receipt tells.

const ECHO_DEADLINE_MS = 15_000;

class Outbox {
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

// Which messages of a room were published here. A name is anybody's; what this tab got receipts for is its own. Kept over a
// reload, as long as the tab lives.

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
