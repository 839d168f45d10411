// One room, from joining to leaving: received messages go to the log, written ones are published.

import { recallRead, rememberRead } from '../common/page.js';
import { errorWords } from '../common/language.js';
import { earlierMessages, hasForgotten, hasSpoken } from './log.js';
import { downloadElement, ImageProblem, pictureElement, prepareImage, preparingElement, principalOf, shownAs, sniffImage, textElement } from './message.js';
import { Mine, Pane } from './pane.js';
import { isCovered } from '../client/roomcast/protocol.js';

const PICTURE_BYTES_MAX = 1024 * 1024; // even if the server accepts more
const FILES_MAX = 10;
const HISTORY = 50;

export class Chat {
  #name;
  #connection;
  #room;
  #on;
  #mine;
  #catchUp;
  #read; // cursor up to which the room was read before a reload; null if it never was
  #turn = Promise.resolve(); // resolves once everything sent earlier has been passed to the connection
  #start = 'unknown'; // whether earlier messages exist before the first one shown: unknown, loading, known (none)
  #entered = false;
  #left = false;
  #closed = false; // the server refused the connection, and a notice says so
  #lostAt = null; // when the connection was lost; null while it is up
  #away = null; // the divider for the interruption, until the number of missed messages is known
  #withdraw = null; // takes back what moderators are offered; null while nothing is
  #gapShown = false; // messages may be missing and the log says so; their number cannot be known

  /**
   * @param {object} options
   * @param {import('./app.js').ServerConnection} options.connection
   * @param {string} options.room
   * @param {string} options.name the user's name
   * @param {{isSeen: () => boolean, unread: () => void, presence: () => void, focus: () => void,
   *   refused: (code: string) => void}} options.on `isSeen`: whether
   *   the user is looking at the room; `unread`: a message of another user arrived unseen; `presence`: the list of people
   *   changed; `focus`: the user turned to this room; `refused`: the server does not let the user in
   */
  constructor({ connection, room, name, on }) {
    this.#name = name;
    this.#connection = connection;
    this.#on = on;
    this.#mine = new Mine(room);
    this.#read = recallRead(room);
    this.pane = new Pane(room, name, {
      onText: (text) => this.#sendText(text),
      onFiles: (files) => this.#sendFiles(files),
      onFocus: on.focus,
      onTop: () => this.#loadEarlier(),
    }, this.#mine);
    this.#catchUp = new CatchUp(() => connection.headOf(room), (count) => this.#onCaughtUp(count));
    this.unread = 0;
    this.#room = connection.room(room, { history: HISTORY, presence: true });
    this.#room.on('joined', () => this.#onJoined());
    this.#room.on('message', (message) => this.#onMessage(message));
    this.#room.on('gap', ({ cursor }) => this.#onGap(cursor));
    this.#room.on('deleted', ({ cursor }) => this.#onGone((one) => one === cursor));
    this.#room.on('cleared', ({ cursor }) => this.#onGone((one) => isCovered(one, cursor)));
    this.#room.on('replaced', (message) => this.pane.log.replace(lineOf(message), contentOf(message)));
    for (const event of ['presence', 'join', 'leave']) this.#room.on(event, () => this.#onPresence());
    this.#room.on('closed', ({ error }) => {
      if (error) this.#onRefused(error);
    });
  }

  /** @returns {{count: number, anonymous: number, crowd: boolean, members: {name: string}[]}} */
  get people() {
    const { count, anonymous, crowd, members } = this.#room;
    return { count, anonymous, crowd, members };
  }

  /** Requests the list of people: joins and leaves of clients without a name are not announced. */
  refreshPresence() {
    // On failure the last known list stays; the next request may succeed.
    this.#room.fetchPresence().catch(() => {});
  }

  /** The room is visible to the user: marks everything as read. */
  seen() {
    this.unread = 0;
    if (this.#entered) this.#rememberRead();
    this.pane.log.showFresh();
  }

  leave() {
    this.#stop();
    rememberRead(this.#room.name);
  }

  /** Closes the view without leaving the room for good: its read position is kept. */
  suspend() {
    this.#stop();
  }

  /** @param {import('./app.js').State} state of the connection, which all rooms share */
  connectionChanged(state) {
    const closed = state.name === 'closed';
    this.pane.composer.enable(!closed);
    this.pane.stale(state.name !== 'live');
    if (closed && state.reason) this.#showProblem(state.code, state.reason);
    else if (this.#closed) this.pane.composer.notice('');
    this.#closed = closed;
    if (state.name === 'live' || !this.#entered) return;
    this.#lostAt ??= new Date();
    this.#gapShown = false;
  }

  #sendText(text) {
    const bytes = new TextEncoder().encode(text).length;
    const most = this.#connection.messageBytes;
    if (bytes > most) {
      this.pane.composer.notice('too_long', { bytes: bytes - most });
      this.#connection.fetchMessageBytes(this.#room.name); // for the next attempt: the limit may have been raised
      return false;
    }
    const sameAs = ({ kind, data, from }) => kind === 'text' && from === this.#name && data === text;
    this.#send(textElement(text), () => this.#parcel(text, sameAs));
    return true;
  }

  #sendFiles(files) {
    const { composer } = this.pane;
    if (files.length > FILES_MAX) composer.notice('first_pictures', { count: FILES_MAX });
    else composer.notice('');
    for (const file of files.slice(0, FILES_MAX)) this.#send(preparingElement(), () => this.#prepare(file));
  }

  async #prepare(file) {
    try {
      const most = Math.min(await this.#connection.fetchMessageBytes(this.#room.name), PICTURE_BYTES_MAX);
      const { bytes, type, note } = await prepareImage(file, most);
      if (note) this.pane.composer.notice(note, {}, 'info');
      const isSame = (data) => data.length === bytes.length && data.every((byte, i) => byte === bytes[i]);
      const sameAs = ({ kind, data, from }) => kind === 'binary' && from === this.#name && isSame(data);
      return { ...this.#parcel(bytes, sameAs), content: pictureElement(bytes, type, this.#name) };
    } catch (error) {
      if (!(error instanceof ImageProblem)) throw error;
      this.pane.composer.notice(error.key, error.values);
      return null;
    }
  }

  /** Shown at once, published in order: a message written after a picture does not overtake it while it is being prepared. */
  async #send(content, prepare) {
    const waiting = this.pane.outbox.add(this.#name, content);
    const before = this.#turn;
    let done;
    this.#turn = new Promise((resolve) => (done = resolve));
    try {
      await before;
      const parcel = this.#left ? null : await prepare();
      if (parcel && !this.#left) waiting.send(parcel);
      else waiting.discard();
    } finally {
      done();
    }
  }

  #parcel(data, sameAs) {
    const key = freshKey();
    return { sameAs, publish: () => this.#room.publish(data, { key }) };
  }

  #onJoined() {
    if (this.#entered && this.#lostAt && !this.#gapShown) {
      this.#away = { divider: this.pane.log.addDivider('away', 'connected_again'), from: this.#lostAt };
    }
    this.#lostAt = null;
    this.pane.busy(true);
    this.#catchUp.begin(this.#room.cursor);
    this.#offerModeration();
  }

  async #offerModeration() {
    const may = await this.#connection.mayModerate(this.#room.name).catch(() => false);
    if (!may || this.#withdraw || this.#left) return;
    const { offerModeration } = await import('./moderation.js');
    if (this.#withdraw || this.#left) return;
    const { log, element } = this.pane;
    const list = element.querySelector('.log');
    this.#withdraw = offerModeration(this.#room.name, list, (item) => log.lineOf(item), ({ code, message }) => this.#showProblem(code, message));
  }

  #onCaughtUp(count) {
    const { log } = this.pane;
    const isFirst = !this.#entered;
    this.#entered = true;
    this.pane.busy(false);
    this.#away?.divider.reword(...awayWords(count, new Date() - this.#away.from));
    this.#away = null;
    if (isFirst && log.count < HISTORY) this.#foundStart();
    log.showEmpty(hasSpoken(this.#room.cursor));
    log.requestEarlier();
    if (this.#on.isSeen()) this.seen();
    else if (isFirst && this.#read === null) this.#rememberRead();
  }

  #onMessage(message) {
    const own = this.pane.outbox.claim(message);
    if (principalOf(message)) this.pane.showGuests();
    const time = new Date(message.time);
    // History received at the first join is not new; after a reload, everything behind the read position is.
    const isPast = !this.#entered && this.#catchUp.running && this.#read === null;
    const isNew = !own && !isPast && !isCovered(message.cursor, this.#read ?? undefined);
    const unseen = isNew && !this.#on.isSeen();
    if (unseen || (isNew && !this.#entered)) this.pane.log.markFresh(time);
    this.pane.log.add({ ...lineOf(message), own }, contentOf(message));
    if (this.#start === 'known' && this.pane.log.count === 1) this.#foundStart();
    this.#catchUp.message(message.cursor, !own);
    if (own && this.#entered) this.pane.log.toBottom();
    if (unseen) this.unread += 1;
    if (unseen) this.#on.unread();
    else if (this.#entered && this.#on.isSeen()) this.#rememberRead();
  }

  /** The reader has scrolled to the top. */
  async #loadEarlier() {
    const { log } = this.pane;
    if (!this.#entered || this.#start !== 'unknown' || log.isFull || !log.earliest) return;
    this.#start = 'loading';
    log.showStart('earlier');
    try {
      const past = (from) => this.#connection.past(this.#room.name, from);
      const { messages, isAll } = await earlierMessages(past, log.earliest, log.count);
      if (this.#left) return;
      this.#start = 'unknown';
      log.showStart('');
      const own = ({ cursor }) => this.#mine.has(cursor);
      log.prepend(messages.map((message) => ({ ...lineOf(message), own: own(message), content: contentOf(message) })));
      if (isAll) this.#foundStart();
    } catch {
      this.#start = 'unknown';
      log.showStart('earlier_failed');
    }
  }

  #foundStart() {
    const { log } = this.pane;
    this.#start = 'known';
    if (log.earliest) log.showStart(hasForgotten(log.earliest) ? 'beginning_kept' : 'beginning');
  }

  #onGone(isGone) {
    this.pane.log.remove(isGone);
    this.pane.log.showEmpty(true);
  }

  #onGap(cursor) {
    this.#away?.divider.remove();
    this.#away = null;
    this.#gapShown = true;
    this.pane.log.addDivider('gap', 'gap');
    this.#catchUp.gap(cursor);
  }

  #onPresence() {
    if (this.people.members.some(principalOf)) this.pane.showGuests();
    this.pane.showCount(this.people.count);
    this.#on.presence();
  }

  #onRefused(error) {
    this.pane.composer.enable(false);
    this.#showProblem(error.code, error.message);
    this.#on.refused(error.code);
  }

  #showProblem(code, message) {
    this.pane.composer.notice('as_it_is', { text: () => errorWords({ code, message }) });
  }

  /** Marks everything received as read. */
  #rememberRead() {
    rememberRead(this.#room.name, this.#room.cursor);
  }

  #stop() {
    this.#left = true;
    this.#withdraw?.();
    this.#catchUp.stop();
    this.#room.close();
    this.pane.remove();
  }
}

const lineOf = (message) => ({
  cursor: message.cursor, name: shownAs(message).name, principal: principalOf(message), time: new Date(message.time),
});

function contentOf(message) {
  const { name, text, raw } = shownAs(message);
  if (message.kind !== 'binary') return textElement(text, raw);
  const type = sniffImage(message.data);
  return type ? pictureElement(message.data, type, name) : downloadElement(message.data);
}

/** @returns {[string, object]} key and values of the divider's text after an interruption */
function awayWords(count, awayMs) {
  if (count === 0) return ['missed_nothing', { seconds: Math.max(1, Math.round(awayMs / 1000)) }];
  return ['while_away', { count }];
}

/** 96 random bits. crypto.randomUUID needs a secure context, which http:// on a local network is not. */
function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// After (re)joining a room: counts how many of the received messages were published before the join. No DOM.
//
// The server sends the missed messages and continues with live ones, without a marker between them. The room's newest
// cursor, requested when joining, is that boundary. Cursors are compared for equality only.

const PATIENCE_MS = 10_000;
const QUIET_MS = 2000; // nothing came for so long: the newest message is one that was deleted
const BLIND_MS = 1000; // if the newest cursor cannot be fetched: messages within this time count as missed

export class CatchUp {
  #headOf;
  #onDone;
  #since = '';
  #messages = null; // {cursor, counts} since joining; null when no catch-up is running
  #head = null;
  #timer = null;

  /**
   * @param {() => Promise<string>} headOf requests the room's newest cursor
   * @param {(count: number) => void} onDone called with the number of counted messages that preceded the join
   */
  constructor(headOf, onDone) {
    this.#headOf = headOf;
    this.#onDone = onDone;
  }

  get running() {
    return this.#messages !== null;
  }

  /** @param {string} since the cursor that the subscription resumes after */
  async begin(since) {
    this.stop();
    const messages = [];
    this.#since = since;
    this.#messages = messages;
    this.#finishIn(PATIENCE_MS);
    const head = await this.#headOf().catch(() => null);
    if (this.#messages !== messages) return; // restarted or stopped meanwhile
    this.#head = head;
    if (head === null) this.#finishIn(BLIND_MS);
    else this.#look();
  }

  /** A message arrived. @param {boolean} counts whether it is another user's: own messages are not missed ones */
  message(cursor, counts) {
    if (!this.running) return;
    this.#messages.push({ cursor, counts });
    this.#look();
  }

  /** A gap: the room's log continues after `cursor`, and what precedes it does not count. */
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
    else this.#finishIn(QUIET_MS);
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
