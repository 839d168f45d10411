// Shared by the chat and the live page: names and addresses, storage, creating elements, keyboard events.

// Names of rooms and users, and addresses made of them. Pure.

const ROOM_BYTES_MAX = 200;
const NAME_LENGTH_MAX = 40;
const NAME_BYTES_MAX = 100; // the server's limit
// Characters that could fake another name or reorder the line: controls, line breaks, bidirectional overrides, zero widths.
const NOT_IN_NAMES = /[\p{Cc}\p{Zl}\p{Zp}\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu;

/** @returns {{key: string, values?: object}|null} the problem with a room's name, for `words` of language.js; null if valid */
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

/** The room's path relative to the page, for every transport: `rooms/…`, each segment percent-encoded. */
export function roomPath(room) {
  // The apostrophe too, so that the path can be used inside single quotes in a shell.
  const encode = (segment) => encodeURIComponent(segment).replaceAll("'", '%27');
  return `rooms/${room.split('/').map(encode).join('/')}`;
}

/** A user's name made safe to show: one line, at most 40 characters and 100 bytes; empty if nothing is left. */
export function cleanName(name) {
  const line = name.replace(/\p{Cs}/gu, ' ').replace(NOT_IN_NAMES, ' ').replace(/\s+/gu, ' ').trim();
  const characters = [...line].slice(0, NAME_LENGTH_MAX);
  while (new TextEncoder().encode(characters.join('')).length > NAME_BYTES_MAX) characters.pop();
  return characters.join('').trim();
}

// What the page stores. In the address: the current room, so that a link leads to it. Per tab: the open rooms, their read
// positions and own messages. In the browser: the name, and the rooms that were visited.

const NAME = 'roomcast.name';
const OPEN = 'roomcast.open';
const KNOWN = 'roomcast.known';
const READ = 'roomcast.read.';
const KNOWN_MAX = 12;

/** A tab keeps its own name; a new tab starts with the last one used. If storage is denied, nothing is kept. */
export function recall() {
  const query = new URLSearchParams(location.search);
  return {
    name: query.get('name') ?? read(() => sessionStorage, NAME) ?? read(() => localStorage, NAME) ?? '',
    room: query.get('room') ?? '',
    open: list(() => sessionStorage, OPEN),
    known: list(() => localStorage, KNOWN),
  };
}

/** @param {{name: string, room: string, open: string[]}} now `room`: the current one; `open`: all that are joined */
export function remember({ name, room, open }) {
  write(() => sessionStorage, NAME, name);
  write(() => localStorage, NAME, name);
  write(() => sessionStorage, OPEN, JSON.stringify(open));
  const others = list(() => localStorage, KNOWN).filter((known) => known !== room);
  write(() => localStorage, KNOWN, JSON.stringify([room, ...others].slice(0, KNOWN_MAX)));
}

/** The cursor up to which a room was read in this tab; null if never. */
export const recallRead = (room) => read(() => sessionStorage, `${READ}${room}`);

/** @param {string|undefined} cursor of the newest message read; undefined once the room was left */
export function rememberRead(room, cursor) {
  if (cursor) write(() => sessionStorage, `${READ}${room}`, cursor);
  else forget(`${READ}${room}`);
}

/** A list of strings, stored for the tab. */
export const recallList = (key) => list(() => sessionStorage, key);
export const rememberList = (key, texts) => write(() => sessionStorage, key, JSON.stringify(texts));

/** The link to `room`, without the user's name. */
export function roomLink(room) {
  const url = new URL(location.href);
  url.hash = '';
  url.search = room ? `?room=${encodeURIComponent(room).replaceAll('%2F', '/')}` : '';
  return url.href;
}

/** A stored list of strings; empty if it is missing or malformed. */
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
    // Storage is denied.
  }
}

function write(storage, key, value) {
  try {
    storage().setItem(key, value);
  } catch {
    // Storage is denied: the page asks for the name again.
  }
}

// Creates elements. Text is inserted as text nodes only and never parsed as markup.

/** @param {...(Node|string)} children */
export function element(tag, className = '', ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// Keyboard events. Pure.

/**
 * Whether an input method uses the key, to compose or to pick a candidate. Safari ends a composition before it reports the
 * Enter that ended it, and marks it only by key code 229 (UI Events, appendix A.3: legacy key attributes).
 * @param {KeyboardEvent} event
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;
