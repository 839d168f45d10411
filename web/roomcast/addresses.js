// The server's addresses, for a base like http://host:8080 or https://host/below/.

/** @throws {TypeError} it is no http(s) address */
export function baseOf(url) {
  const base = new URL(url);
  if (base.protocol === 'ws:') base.protocol = 'http:';
  if (base.protocol === 'wss:') base.protocol = 'https:';
  if (!/^https?:$/.test(base.protocol)) throw new TypeError(`${url} is no http or https address.`);
  base.search = '';
  base.hash = '';
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return base;
}

const segments = (room) => room.split('/').map(encodeURIComponent).join('/');

/** An address below the base, with those of `query` that are defined. */
export function address(base, path, query = {}) {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  return url;
}

export const roomAddress = (base, room, query) => address(base, `rooms/${segments(room)}`, query);
export const presenceAddress = (base, room) => address(base, `presence/${segments(room)}`);

export function socketAddress(base, query) {
  const url = address(base, 'connect', query);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}

/** @returns {string} what is wrong with a room's name; empty if nothing is */
export function roomProblem(room) {
  if (typeof room !== 'string' || room === '') return 'A room needs a name.';
  const bytes = new TextEncoder().encode(room).length;
  if (bytes > 200) return `A room's name has at most 200 bytes; this one has ${bytes}.`;
  if (/\p{Cc}|\p{Cs}/u.test(room)) return "A room's name is valid Unicode without control characters.";
  if (room.startsWith('/') || room.endsWith('/')) return 'A room\'s name does not start or end with "/".';
  if (room.split('/').some((part) => part === '.' || part === '..')) return 'An HTTP client cannot address a room with "." or ".." between its slashes.';
  return '';
}
