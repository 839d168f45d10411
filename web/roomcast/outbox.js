// Publishes without a receipt yet, in their order. It is bounded, and everything in it ends: with a receipt or an error.

import { RoomcastError } from './errors.js';
import { encodePayload, isBlob } from './payload.js';

/** The server knows a key for five minutes; a retry later than that could publish twice. */
export const DEADLINE_MAX_MS = 240_000;

/**
 * @typedef {object} Entry
 * @property {string} room
 * @property {string} key the same in every attempt, so that it happens once
 * @property {object|null} payload null while a Blob is still being read
 * @property {number} bytes
 * @property {object|null} link the link it was last handed to
 */

export class Outbox {
  #entries = new Set();
  #bytes = 0;
  #keys = randomText();
  #count = 0;
  #limits;
  #onReady;

  /**
   * @param {{count: number, bytes: number, deadlineMs: number}} limits
   * @param {() => void} onReady there is something new to send
   */
  constructor(limits, onReady) {
    this.#limits = { ...limits, deadlineMs: Math.min(limits.deadlineMs, DEADLINE_MAX_MS) };
    this.#onReady = onReady;
  }

  get size() {
    return this.#entries.size;
  }

  /** The room of the oldest; undefined when empty. */
  get room() {
    for (const entry of this.#entries) return entry.room;
    return undefined;
  }

  /** @returns {Promise<object>} the receipt */
  add(room, data, key) {
    return new Promise((resolve, reject) => {
      const payload = isBlob(data) ? null : encodePayload(data);
      const bytes = payload?.bytes ?? data.size;
      this.#admit(bytes);
      this.#count += 1;
      const entry = { room, key: key ?? `${this.#keys}-${this.#count}`, payload, bytes, link: null, resolve, reject };
      entry.timer = setTimeout(() => this.reject(entry, this.#overdue(entry)), this.#limits.deadlineMs);
      this.#entries.add(entry);
      this.#bytes += bytes;
      if (payload) this.#onReady();
      else this.#read(entry, data);
    });
  }

  /** The oldest entries that `link` does not have yet, up to one that is not ready: their order stays. */
  *unsent(link) {
    for (const entry of this.#entries) {
      if (!entry.payload) return;
      if (entry.link !== link) yield entry;
    }
  }

  resolve(entry, receipt) {
    if (this.#remove(entry)) entry.resolve(receipt);
  }

  reject(entry, error) {
    if (this.#remove(entry)) entry.reject(error);
  }

  /** The connection ended because of what was sent on it: the oldest without an answer is to blame. */
  rejectOldestSent(link, error) {
    for (const entry of this.#entries) {
      if (entry.link === link) return this.reject(entry, error);
    }
  }

  rejectAll(code, message) {
    for (const entry of [...this.#entries]) {
      this.reject(entry, new RoomcastError(code, message, { maybePublished: entry.link !== null }));
    }
  }

  #admit(bytes) {
    const { count, bytes: bytesMax } = this.#limits;
    if (this.#entries.size >= count) {
      throw new RoomcastError('queue_full', `${count} publishes are already waiting (maxPending).`);
    }
    if (this.#bytes + bytes > bytesMax) {
      throw new RoomcastError('queue_full', `The waiting publishes would be larger than ${bytesMax} bytes (maxPendingBytes).`);
    }
  }

  async #read(entry, blob) {
    try {
      entry.payload = encodePayload(await blob.arrayBuffer());
    } catch (error) {
      this.reject(entry, new RoomcastError('invalid_data', `The Blob cannot be read: ${error.message}`));
    }
    this.#onReady();
  }

  #overdue(entry) {
    const sent = entry.link !== null;
    const fate = sent ? 'It may have been published all the same.' : 'It was not published.';
    return new RoomcastError('timeout', `There was no receipt in ${this.#limits.deadlineMs} ms. ${fate}`, { maybePublished: sent });
  }

  #remove(entry) {
    clearTimeout(entry.timer);
    if (!this.#entries.delete(entry)) return false;
    this.#bytes -= entry.bytes;
    return true;
  }
}

/** Unguessable where the platform can; crypto.randomUUID is missing on plain http pages, and crypto in Node 18. */
function randomText() {
  const bytes = new Uint8Array(12);
  if (globalThis.crypto?.getRandomValues) crypto.getRandomValues(bytes);
  else bytes.forEach((_, index) => (bytes[index] = Math.random() * 256));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
