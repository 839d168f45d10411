// What the page remembers: the room in the address, so that a link leads to it; the name and the last room in the browser.

const NAME = 'roomcast.name';
const ROOM = 'roomcast.room';

/** A tab keeps its own name; a new tab starts with the last one used. Storage may be denied: then nothing is kept. */
export function recall() {
  const query = new URLSearchParams(location.search);
  return {
    name: query.get('name') ?? read(() => sessionStorage, NAME) ?? read(() => localStorage, NAME) ?? '',
    room: query.get('room') ?? '',
    lastRoom: read(() => localStorage, ROOM) ?? 'lobby',
  };
}

export function remember({ name, room }) {
  write(() => sessionStorage, NAME, name);
  write(() => localStorage, NAME, name);
  write(() => localStorage, ROOM, room);
}

/** The link that leads into `room`, without the name of whoever shares it. */
export function roomLink(room) {
  const url = new URL(location.href);
  url.hash = '';
  url.search = room ? `?room=${encodeURIComponent(room).replaceAll('%2F', '/')}` : '';
  return url.href;
}

function read(storage, key) {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

function write(storage, key, value) {
  try {
    storage().setItem(key, value);
  } catch {
    // A browser that keeps nothing only asks for the name again.
  }
}
