// One room, from joining to leaving: what comes over the line goes to the log, what is written goes out.

import { CatchUp } from './catch_up.js';
import { prepareImage, sniffImage, ImageProblem } from './image.js';
import { shownAs } from './message.js';
import { downloadElement, pictureElement, textElement } from './message_view.js';
import { Pane } from './pane.js';

export const MESSAGE_BYTES_MAX = 65_536; // the server's limits.message_bytes unless configured otherwise
const PICTURE_BYTES_MAX = 60_000;
const FILES_MAX = 10;
const HISTORY = 50;

export class Chat {
  #name;
  #line;
  #room;
  #on;
  #catchUp;
  #entered = false;
  #left = false;
  #closed = false; // the server refused the line, and a notice says so
  #lostAt = null; // since when the line has been away
  #away = null; // the divider that says how long, until it is known how much was missed
  #gapTold = false; // messages may be missing, and the log says so; what was missed cannot be counted

  /**
   * @param {object} options
   * @param {import('./line.js').Line} options.line
   * @param {string} options.room
   * @param {string} options.name whose messages are written here
   * @param {{news: () => void, presence: () => void, focus: () => void}} options.on `news`: somebody else said
   *   something; `presence`: others are here than before; `focus`: the user turned to this room
   */
  constructor({ line, room, name, on }) {
    this.#name = name;
    this.#line = line;
    this.#on = on;
    this.pane = new Pane(room, name, {
      onText: (text) => this.#sendText(text),
      onFiles: (files) => this.#sendFiles(files),
      onFocus: on.focus,
    });
    this.#catchUp = new CatchUp(() => line.headOf(room), (count) => this.#onCaughtUp(count));
    this.unread = 0;
    this.#room = line.room(room, { history: HISTORY, presence: true });
    this.#room.on('joined', () => this.#onJoined());
    this.#room.on('message', (message) => this.#onMessage(message));
    this.#room.on('gap', ({ cursor }) => this.#onGap(cursor));
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

  /** Asks who is here: those without a name come and go untold. */
  lookAround() {
    // The next look may have more luck; what was known stays.
    this.#room.fetchPresence().catch(() => {});
  }

  leave() {
    this.#left = true;
    this.#catchUp.stop();
    this.#room.close();
    this.pane.remove();
  }

  /** @param {import('./line.js').State} state of the line that all rooms share */
  lineIs(state) {
    const closed = state.name === 'closed';
    this.pane.composer.enable(!closed);
    if (closed && state.reason) this.pane.composer.notice(state.reason);
    else if (this.#closed) this.pane.composer.notice('');
    this.#closed = closed;
    if (state.name === 'live' || !this.#entered) return;
    this.#lostAt ??= new Date();
    this.#gapTold = false;
  }

  #sendText(text) {
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > MESSAGE_BYTES_MAX) {
      this.pane.composer.notice(`This message is too long by ${(bytes - MESSAGE_BYTES_MAX).toLocaleString()} bytes.`);
      return false;
    }
    const sameAs = ({ kind, data, from }) => kind === 'text' && from === this.#name && data === text;
    this.#send(text, textElement(text), sameAs);
    return true;
  }

  async #sendFiles(files) {
    const { composer } = this.pane;
    composer.notice(files.length > FILES_MAX ? `Only the first ${FILES_MAX} pictures are sent.` : '');
    for (const file of files.slice(0, FILES_MAX)) {
      try {
        const picture = await prepareImage(file, PICTURE_BYTES_MAX);
        if (this.#left) return;
        this.#sendPicture(picture);
        if (picture.note) composer.notice(picture.note, 'news');
      } catch (error) {
        if (!(error instanceof ImageProblem)) throw error;
        composer.notice(error.message);
      }
    }
  }

  #sendPicture({ bytes, type }) {
    const sameAs = ({ kind, data, from }) =>
      kind === 'binary' && from === this.#name && data.length === bytes.length && data.every((byte, i) => byte === bytes[i]);
    this.#send(bytes, pictureElement(bytes, type, this.#name), sameAs);
  }

  #send(data, content, sameAs) {
    const key = freshKey();
    this.pane.outbox.add({ key, name: this.#name, content, sameAs, publish: () => this.#room.publish(data, { key }) });
  }

  #onJoined() {
    if (this.#entered && this.#lostAt && !this.#gapTold) {
      this.#away = { divider: this.pane.log.addDivider('Connected again.', 'away'), from: this.#lostAt };
    }
    this.#lostAt = null;
    this.pane.busy(true);
    this.#catchUp.begin(this.#room.cursor);
  }

  #onCaughtUp(count) {
    this.#entered = true;
    this.pane.busy(false);
    this.#away?.divider.reword(awayText(count, new Date() - this.#away.from));
    this.#away = null;
  }

  #onMessage(message) {
    const { name, text, raw } = shownAs(message);
    const own = message.from === this.#name;
    this.pane.outbox.confirm(message);
    const content = message.kind === 'binary' ? binaryElement(message.data, name) : textElement(text, raw);
    this.pane.log.add({ name, own, time: new Date(message.time) }, content);
    const isNews = this.#entered || !this.#catchUp.running;
    this.#catchUp.message(message.cursor, !own);
    if (own) this.pane.log.toBottom();
    else if (isNews) this.#on.news();
  }

  #onGap(cursor) {
    this.#away?.divider.remove();
    this.#away = null;
    this.#gapTold = true;
    this.pane.log.addDivider('Some messages may be missing here.', 'gap');
    this.#catchUp.gap(cursor);
  }

  #onPresence() {
    this.pane.showCount(this.people.count);
    this.#on.presence();
  }

  #onRefused(error) {
    this.pane.composer.enable(false);
    this.pane.composer.notice(error.message);
  }
}

function binaryElement(bytes, name) {
  const type = sniffImage(bytes);
  return type ? pictureElement(bytes, type, name) : downloadElement(bytes);
}

function awayText(count, awayMs) {
  if (count === 0) return `Connected again after ${Math.max(1, Math.round(awayMs / 1000))} s. You missed nothing.`;
  return count === 1 ? '1 message while you were away' : `${count} messages while you were away`;
}

/** 96 random bits; crypto.randomUUID would need a secure context, which http:// on a local network is not. */
function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
