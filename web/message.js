// The page's own convention inside text messages, and what it makes of everything else. Pure.
//
//   {"id":"…","name":"Ada","text":"hi"}                                          something said
//   {"id":"…","name":"Ada","image":{"type":"image/webp","bytes":51234,"sum":"…"}}  whose the binary message is that follows
//
// `id` lets the sender recognise its own message when it comes back. Any other text (a curl, a bot) is shown as it is.

import { cleanName } from './room.js';

const ID_LENGTH_MAX = 64;

/** 96 random bits; crypto.randomUUID would need a secure context, which http:// on a local network is not. */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** FNV-1a, 32 bits, as hex: tells the binary messages of one room apart. Not a signature. */
export function checksum(bytes) {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

export function encodeText({ id, name, text }) {
  return JSON.stringify({ id, name, text });
}

/** Announces the binary message `bytes` that will be sent next. */
export function encodeImageNote({ id, name, type, bytes }) {
  return JSON.stringify({ id, name, image: { type, bytes: bytes.length, sum: checksum(bytes) } });
}

/**
 * @param {string} data a text message as it came
 * @returns {{kind: 'chat', id: string, name: string, text: string}
 *   | {kind: 'note', id: string, name: string, bytes: number, sum: string}
 *   | {kind: 'plain', text: string}}
 */
export function decodeText(data) {
  const plain = { kind: 'plain', text: data };
  const value = parseObject(data);
  if (typeof value?.name !== 'string') return plain;
  const name = cleanName(value.name);
  if (!name) return plain;
  const id = typeof value.id === 'string' && value.id.length <= ID_LENGTH_MAX ? value.id : '';
  if (typeof value.text === 'string') return { kind: 'chat', id, name, text: value.text };
  if (Number.isSafeInteger(value.image?.bytes)) {
    return { kind: 'note', id, name, bytes: value.image.bytes, sum: String(value.image.sum ?? '') };
  }
  return plain;
}

function parseObject(data) {
  if (!/^\s*\{/.test(data)) return null;
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

/**
 * Finds out who sent a binary message. A note and its message are one sender's, in order, but others may come between
 * them, so the message is matched by its size and, where the note has one, its checksum.
 */
export class Senders {
  static LIMIT = 64;
  #notes = [];

  note({ id, name, bytes, sum }) {
    this.#notes.push({ id, name, bytes, sum });
    if (this.#notes.length > Senders.LIMIT) this.#notes.shift();
  }

  /** @returns {{id: string, name: string}} of the binary message `bytes`; empty strings if nobody announced it */
  take(bytes) {
    const sum = checksum(bytes);
    const index = this.#notes.findIndex((note) => note.bytes === bytes.length && (!note.sum || note.sum === sum));
    return index < 0 ? { id: '', name: '' } : this.#notes.splice(index, 1)[0];
  }

  /** After a break in the connection the announced messages will not come any more. */
  forget() {
    this.#notes = [];
  }
}
