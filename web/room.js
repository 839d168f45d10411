// Names of rooms and people, and the addresses made of them. Pure.

const ROOM_BYTES_MAX = 200;
const NAME_LENGTH_MAX = 40;
const NAME_BYTES_MAX = 100; // the server's bound
// What would let one name pass for another or turn the line around: controls, line breaks, bidirectional overrides, zero widths.
const NOT_IN_NAMES = /[\p{Cc}\p{Zl}\p{Zp}\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu;

/** @returns {{key: string, values?: object}|null} what is wrong with the room's name, as `words` of language.js says it */
export function roomProblem(room) {
  const bytes = new TextEncoder().encode(room).length;
  if (bytes === 0) return { key: 'room_missing' };
  if (bytes > ROOM_BYTES_MAX) return { key: 'room_too_long', values: { most: ROOM_BYTES_MAX, bytes } };
  if (/\p{Cc}/u.test(room)) return { key: 'room_controls' };
  if (/\p{Cs}/u.test(room)) return { key: 'room_unicode' };
  if (room.startsWith('/') || room.endsWith('/')) return { key: 'room_edges' };
  const parts = room.split('/');
  if (parts.includes('')) return { key: 'room_empty_parts' };
  if (parts.includes('.') || parts.includes('..')) return { key: 'room_dots' };
  return null;
}

/** The room's address below the page, for every transport: `rooms/…`, each segment percent-encoded. */
export function roomPath(room) {
  // The apostrophe too, so that the address can stand in a shell's single quotes.
  const encode = (segment) => encodeURIComponent(segment).replaceAll("'", '%27');
  return `rooms/${room.split('/').map(encode).join('/')}`;
}

/** A person's name fit to be shown: one line, no trickery, at most 40 characters and 100 bytes; empty if nothing is left. */
export function cleanName(name) {
  const line = name.replace(/\p{Cs}/gu, ' ').replace(NOT_IN_NAMES, ' ').replace(/\s+/gu, ' ').trim();
  const characters = [...line].slice(0, NAME_LENGTH_MAX);
  while (new TextEncoder().encode(characters.join('')).length > NAME_BYTES_MAX) characters.pop();
  return characters.join('').trim();
}
