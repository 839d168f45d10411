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
