// What the chat and the live page share: names and addresses, what is remembered, making elements, what a key means.

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

// What the page remembers: the room looked at in the address, so that a link leads to it; the rooms that are open in the
// tab, how far each was read and what was said there from here; the name, and the rooms one has been in, in the browser.

const NAME = 'roomcast.name';
const OPEN = 'roomcast.open';
const KNOWN = 'roomcast.known';
const READ = 'roomcast.read.';
const KNOWN_MAX = 12;

/** A tab keeps its own name; a new tab starts with the last one used. Storage may be denied: then nothing is kept. */
export function recall() {
  const query = new URLSearchParams(location.search);
  return {
    name: query.get('name') ?? read(() => sessionStorage, NAME) ?? read(() => localStorage, NAME) ?? '',
    room: query.get('room') ?? '',
    open: list(() => sessionStorage, OPEN),
    known: list(() => localStorage, KNOWN),
  };
}

/** @param {{name: string, room: string, open: string[]}} now `room`: the one looked at; `open`: all that are joined */
export function remember({ name, room, open }) {
  write(() => sessionStorage, NAME, name);
  write(() => localStorage, NAME, name);
  write(() => sessionStorage, OPEN, JSON.stringify(open));
  const others = list(() => localStorage, KNOWN).filter((known) => known !== room);
  write(() => localStorage, KNOWN, JSON.stringify([room, ...others].slice(0, KNOWN_MAX)));
}

/** The cursor up to which a room was read in this tab; null if it never was. */
export const recallRead = (room) => read(() => sessionStorage, `${READ}${room}`);

/** @param {string|undefined} cursor of the newest message that was read; none once the room was left */
export function rememberRead(room, cursor) {
  if (cursor) write(() => sessionStorage, `${READ}${room}`, cursor);
  else forget(`${READ}${room}`);
}

/** A list of texts that the tab keeps. */
export const recallList = (key) => list(() => sessionStorage, key);
export const rememberList = (key, texts) => write(() => sessionStorage, key, JSON.stringify(texts));

/** The link that leads into `room`, without the name of whoever shares it. */
export function roomLink(room) {
  const url = new URL(location.href);
  url.hash = '';
  url.search = room ? `?room=${encodeURIComponent(room).replaceAll('%2F', '/')}` : '';
  return url.href;
}

/** A list of texts; empty if there is none, or something else in its place. */
function list(storage, key) {
  try {
    const value = JSON.parse(read(storage, key) ?? '[]');
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

function read(storage, key) {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

function forget(key) {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // Nothing was kept.
  }
}

function write(storage, key, value) {
  try {
    storage().setItem(key, value);
  } catch {
    // A browser that keeps nothing only asks for the name again.
  }
}

// Makes elements. Text goes in as text nodes only; nothing is ever parsed as markup.

/** @param {...(Node|string)} children */
export function element(tag, className = '', ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// What a key means. Pure.

/**
 * Whether an input method has the key, to compose or to pick a candidate: then it is no key of ours. Safari ends a composition
 * before it tells of the Enter that ended it, and only says 229 (UI Events, appendix A.3: legacy key attributes).
 * @param {KeyboardEvent} event
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;
