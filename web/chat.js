// One room, from entering to leaving: what comes over the connection goes to the log, what is written goes out.

import { Connection } from './connection.js';
import { prepareImage, sniffImage, ImageProblem } from './image.js';
import { decodeText, encodeImageNote, encodeText, freshId, Senders } from './message.js';
import { downloadElement, pictureElement, textElement } from './message_view.js';

export const MESSAGE_BYTES_MAX = 65_536; // the server's limits.message_bytes unless configured otherwise
const PICTURE_BYTES_MAX = 60_000;
const FILES_MAX = 10;

export class Chat {
  #name;
  #views;
  #connection;
  #senders = new Senders();
  #live = false;
  #left = false;
  #lostAt = null; // since when messages may have been missed
  #lineTrouble = false; // the notice shown is about the line; it goes when the line is back

  /**
   * @param {object} options
   * @param {string} options.url the room's WebSocket URL
   * @param {string} options.name whose messages these are
   * @param {() => boolean} options.isOnline
   * @param {() => void} options.onLine a line was added to the log
   * @param {{status, log, outbox, composer}} options.views
   */
  constructor({ url, name, isOnline, onLine, views }) {
    this.#name = name;
    this.#views = { ...views, onLine };
    this.#connection = new Connection(url, {
      isOnline,
      onState: (state) => this.#onState(state),
      onMessage: (data) => this.#onMessage(data),
    });
  }

  get connection() {
    return this.#connection;
  }

  enter() {
    this.#connection.open();
  }

  leave() {
    this.#left = true;
    this.#connection.close();
    this.#views.outbox.clear();
    this.#views.log.clear();
    this.#views.composer.notice('');
  }

  /** @returns {boolean} whether it was sent */
  sendText(text) {
    const { composer, outbox } = this.#views;
    const id = freshId();
    const data = encodeText({ id, name: this.#name, text });
    const surplus = new TextEncoder().encode(data).length - MESSAGE_BYTES_MAX;
    if (surplus > 0) {
      composer.notice(`This message is too long by ${surplus.toLocaleString()} bytes.`);
      return false;
    }
    if (!this.#connection.send(data)) {
      this.#tellLineTrouble('Not connected. What you wrote stays here until the line is back.');
      return false;
    }
    outbox.add(id, this.#name, textElement(text), () => this.sendText(text));
    return true;
  }

  async sendFiles(files) {
    const { composer } = this.#views;
    composer.notice(files.length > FILES_MAX ? `Only the first ${FILES_MAX} pictures are sent.` : '');
    for (const file of files.slice(0, FILES_MAX)) {
      try {
        const picture = await prepareImage(file, PICTURE_BYTES_MAX);
        if (this.#left) return;
        if (this.#sendPicture(picture) && picture.note) composer.notice(picture.note, 'news');
      } catch (error) {
        if (!(error instanceof ImageProblem)) throw error;
        composer.notice(error.message);
      }
    }
  }

  #sendPicture({ bytes, type }) {
    const id = freshId();
    const sent = this.#connection.send(encodeImageNote({ id, name: this.#name, type, bytes })) && this.#connection.send(bytes);
    if (!sent) {
      this.#tellLineTrouble('Not connected. Try the picture again when the line is back.');
      return false;
    }
    const preview = pictureElement(bytes, type, this.#name);
    this.#views.outbox.add(id, this.#name, preview, () => this.#sendPicture({ bytes, type }));
    return true;
  }

  #onMessage(data) {
    if (typeof data === 'string') this.#onText(data);
    else this.#onBinary(new Uint8Array(data));
  }

  #onText(data) {
    const message = decodeText(data);
    if (message.kind === 'note') {
      this.#senders.note(message);
    } else if (message.kind === 'chat') {
      this.#addLine(message, textElement(message.text));
    } else {
      this.#addLine({ id: '', name: '' }, textElement(message.text, true));
    }
  }

  #onBinary(bytes) {
    const sender = this.#senders.take(bytes);
    const type = sniffImage(bytes);
    this.#addLine(sender, type ? pictureElement(bytes, type, sender.name) : downloadElement(bytes));
  }

  #addLine({ id, name }, content) {
    const own = this.#views.outbox.confirm(id);
    this.#views.log.add({ name, own }, content);
    if (own) this.#views.log.toBottom();
    else this.#views.onLine();
  }

  #onState(state) {
    const { status, composer } = this.#views;
    status.show(state);
    composer.enable(state.name === 'live');
    if (state.name === 'live') this.#onLive();
    else if (state.name !== 'connecting') this.#onLost(state);
  }

  #onLive() {
    const { composer, log } = this.#views;
    if (this.#lostAt) log.addGap(gapText(new Date(), this.#lostAt));
    if (this.#lineTrouble) composer.notice('');
    this.#lostAt = null;
    this.#lineTrouble = false;
    this.#live = true;
  }

  #onLost({ reason, blamesMessage }) {
    const { composer, outbox } = this.#views;
    if (this.#live) this.#lostAt = new Date();
    this.#live = false;
    this.#senders.forget();
    outbox.doubt();
    if (reason && blamesMessage) composer.notice(reason);
    else if (reason) this.#tellLineTrouble(reason);
  }

  #tellLineTrouble(text) {
    this.#views.composer.notice(text);
    this.#lineTrouble = true;
  }
}

function gapText(now, lostAt) {
  const seconds = Math.max(1, Math.round((now - lostAt) / 1000));
  return `Connected again after ${seconds} s. What others said meanwhile is not shown.`;
}
