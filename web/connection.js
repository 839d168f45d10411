// One WebSocket that comes back by itself. No DOM here: the page tells it what the browser notices (wake, lost).
//
//   idle ──open──▶ connecting ──▶ live ──closed──▶ waiting ──timer, wake──▶ connecting
//                      │                              │
//                      └──no network──▶ offline ──wake┘        closed: the server said do not retry, or close()

import { retryDelay } from './backoff.js';
import { explainClose } from './close_codes.js';

export const CONNECT_DEADLINE_MS = 10_000;
export const STABLE_MS = 5_000;

const systemClock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer),
};

/**
 * @typedef {object} State
 * @property {'idle'|'connecting'|'live'|'waiting'|'offline'|'closed'} name
 * @property {number} [retryAt] waiting: the moment of the next attempt, ms since the epoch
 * @property {string} [reason] why the last connection ended, for the user; empty if nothing is known
 * @property {boolean} [blamesMessage] the reason is about what was sent, not about the line
 */

export class Connection {
  #url;
  #options;
  #state = { name: 'idle' };
  #socket = null;
  #timer = null; // the one thing waited for: the connect deadline, the stability of a live link, or the next attempt
  #attempt = 0;

  /**
   * @param {string} url ws: or wss:
   * @param {object} options
   * @param {(state: State) => void} options.onState every change of state
   * @param {(data: string|ArrayBuffer) => void} options.onMessage every message, in the order of the server
   * @param {() => boolean} [options.isOnline] whether the browser believes in a network
   */
  constructor(url, options) {
    this.#url = url;
    this.#options = {
      isOnline: () => true,
      openSocket: (address) => new WebSocket(address),
      random: Math.random,
      clock: systemClock,
      ...options,
    };
  }

  get state() {
    return this.#state;
  }

  /** Connects, unless it already has or is about to. */
  open() {
    if (this.#state.name !== 'connecting' && this.#state.name !== 'live') this.#connect();
  }

  /** Something suggests that trying now is worthwhile: the network is back, the page is looked at again. */
  wake() {
    if (this.#state.name === 'waiting' || this.#state.name === 'offline') this.#connect();
  }

  /** The browser lost its network: stop trying until `wake`. */
  lost() {
    if (['connecting', 'live', 'waiting'].includes(this.#state.name)) {
      this.#release();
      this.#change({ name: 'offline' });
    }
  }

  /** The link is up but seems dead (nothing came back): drop it and try again. */
  distrust(reason) {
    if (this.#state.name === 'live') this.#retryLater({ text: reason });
  }

  /** Ends it for good. */
  close() {
    this.#release();
    this.#change({ name: 'closed', reason: '' });
  }

  /** @returns {boolean} whether the message was handed to the browser; false when not live */
  send(data) {
    if (this.#state.name !== 'live') return false;
    this.#socket.send(data);
    return true;
  }

  #connect() {
    this.#release();
    if (!this.#options.isOnline()) {
      this.#change({ name: 'offline' });
      return;
    }
    this.#change({ name: 'connecting' });
    const socket = this.#options.openSocket(this.#url);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#onOpen();
    socket.onmessage = (event) => this.#options.onMessage(event.data);
    socket.onclose = (event) => this.#onClose(event.code, event.reason);
    this.#wait(CONNECT_DEADLINE_MS, () => this.#retryLater({ text: 'The server did not answer in time.' }));
  }

  #onOpen() {
    this.#change({ name: 'live' });
    this.#wait(STABLE_MS, () => {
      this.#attempt = 0;
    });
  }

  #onClose(code, reason) {
    const meaning = explainClose(code, reason);
    if (meaning.retry) {
      this.#retryLater(meaning);
    } else {
      this.#release();
      this.#change({ name: 'closed', reason: meaning.text });
    }
  }

  #retryLater({ text: reason, patience = 0, blamesMessage = false }) {
    this.#release();
    if (!this.#options.isOnline()) {
      this.#change({ name: 'offline', reason, blamesMessage });
      return;
    }
    const delayMs = retryDelay(Math.max(this.#attempt, patience), this.#options.random);
    this.#attempt += 1;
    this.#change({ name: 'waiting', retryAt: this.#options.clock.now() + delayMs, reason, blamesMessage });
    this.#wait(delayMs, () => this.#connect());
  }

  #wait(delayMs, callback) {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = this.#options.clock.setTimeout(callback, delayMs);
  }

  /** Lets go of the socket and of whatever was waited for; nothing of the old socket is heard afterwards. */
  #release() {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = null;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #change(state) {
    this.#state = state;
    this.#options.onState(state);
  }
}
