// Protocol of client and server: errors, addresses, payloads and cursors; and requests, with the token that identifies the client.

/** An error with a stable code. */
export class RoomcastError extends Error {
  /**
   * @param {string} code stable, snake_case: from the server, or listed in docs/client.md
   * @param {string} message for people
   * @param {object} [details] further properties: `maybePublished` if the outcome of a publish is unknown, `status` of an HTTP response
   */
  constructor(code, message, details = {}) {
    super(message);
    this.name = 'RoomcastError';
    this.code = code;
    Object.assign(this, details);
  }
}

/** Statuses of temporary failures (RFC 9110 section 15, RFC 8470, RFC 6585). */
const TEMPORARY = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * An unsuccessful HTTP response as an error. `ours`: its body has the form of the server's errors, so it is not from a proxy
 * or captive portal; `temporary`: a later retry makes sense; `retryMs`: the value of Retry-After, if present.
 * @param {Response} response
 */
export async function refusalOf(response) {
  const body = await response.json().catch(() => null);
  const ours = typeof body?.error?.code === 'string';
  const seconds = Number(response.headers.get('Retry-After') ?? NaN);
  return new RoomcastError(ours ? body.error.code : `http_${response.status}`, ours ? body.error.message : `The answer was ${response.status}.`, {
    status: response.status,
    ours,
    temporary: TEMPORARY.has(response.status),
    retryMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  });
}

// The server's addresses, for a base URL like http://host:8080 or https://host/below/.

/** @throws {TypeError} not an http(s) address */
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

/** An address relative to the base URL; entries of `query` that are undefined are left out. */
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

/** @returns {string} the problem with a room's name; empty if it is valid */
export function roomProblem(room) {
  if (typeof room !== 'string' || room === '') return 'A room needs a name.';
  const bytes = new TextEncoder().encode(room).length;
  if (bytes > 200) return `A room's name has at most 200 bytes; this one has ${bytes}.`;
  if (/\p{Cc}|\p{Cs}/u.test(room)) return "A room's name is valid Unicode without control characters.";
  if (room.startsWith('/') || room.endsWith('/')) return 'A room\'s name does not start or end with "/".';
  if (room.split('/').some((part) => part === '.' || part === '..')) return 'An HTTP client cannot address a room with "." or ".." between its slashes.';
  return '';
}

// Payloads, and their encodings on the wire.

/**
 * A value as a payload: strings are text, bytes (Uint8Array, other views, ArrayBuffer) binary, everything else json.
 * @returns {{kind: 'text'|'json'|'binary', body: string|Uint8Array, bytes: number}}
 * @throws {RoomcastError} `invalid_data`: the value has no JSON form
 */
export function encodePayload(data) {
  if (typeof data === 'string') return textual('text', data);
  if (data instanceof ArrayBuffer) return binary(new Uint8Array(data.slice(0)));
  // A copy: the application may modify the buffer while the publish is pending.
  if (ArrayBuffer.isView(data)) return binary(new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice());
  let json;
  try {
    json = JSON.stringify(data);
  } catch (error) {
    throw new RoomcastError('invalid_data', `This value cannot be said in JSON: ${error.message}`);
  }
  if (json === undefined) throw new RoomcastError('invalid_data', `A ${typeof data} cannot be said in JSON.`);
  return textual('json', json);
}

const textual = (kind, body) => ({ kind, body, bytes: new TextEncoder().encode(body).length });
const binary = (body) => ({ kind: 'binary', body, bytes: body.length });

export const isBlob = (data) => typeof Blob !== 'undefined' && data instanceof Blob;

/** The JSON text of a publish command; a JSON payload is inserted as it is. */
export function publishCommand(id, room, key, { kind, body }) {
  const head = `{"type":"publish","id":${id},"room":${JSON.stringify(room)},"key":${JSON.stringify(key)}`;
  if (kind === 'binary') return `${head},"data_base64":"${toBase64(body)}"}`;
  return `${head},"data":${kind === 'text' ? JSON.stringify(body) : body}}`;
}

export const CONTENT_TYPES = {
  text: 'text/plain; charset=utf-8',
  json: 'application/json',
  binary: 'application/octet-stream',
};

/** A message object of the server, in the form that applications receive. */
export function decodeMessage({ room, cursor, time, from, user, key, event, tags, data, data_base64: base64 }) {
  const head = { room, cursor, time, from };
  if (user !== undefined) head.user = user;
  if (key !== undefined) head.key = key;
  if (event !== undefined) head.event = event;
  if (tags !== undefined) head.tags = tags;
  if (base64 !== undefined) return { ...head, kind: 'binary', data: fromBase64(base64) };
  return { ...head, kind: typeof data === 'string' ? 'text' : 'json', data };
}

export function toBase64(bytes) {
  let latin = '';
  // In slices, because the number of arguments of a call is limited.
  for (let at = 0; at < bytes.length; at += 8192) latin += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(latin);
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

// A cursor is opaque except for its form `epoch-offset`: within one epoch, a larger offset is later.

const FORM = /^([0-9a-f]{16})-([0-9]{1,20})$/;

/**
 * Whether the message at `cursor` is included in everything up to `last`.
 * Cursors of different epochs never include each other.
 * @param {string} cursor
 * @param {string|undefined} last
 */
export function isCovered(cursor, last) {
  const one = FORM.exec(cursor);
  const other = FORM.exec(last ?? '');
  return one !== null && other !== null && one[1] === other[1] && BigInt(one[2]) <= BigInt(other[2]);
}

// HTTP requests, and the token that they and WebSockets show.

/** The token of the client: the newest that the application has given. */
export class Tokens {
  #source;
  #current = '';

  /** @param {(() => Promise<string|{token: string}|null>)|undefined} source `token` of the options */
  constructor(source) {
    if (source !== undefined && typeof source !== 'function') throw new TypeError('The option token is a function that returns a token.');
    this.#source = source;
  }

  /** Whether the application gives tokens, so that a refused one can be replaced. */
  get available() {
    return this.#source !== undefined;
  }

  /** For fetch; empty without a token. */
  get headers() {
    return this.#current ? { Authorization: `Bearer ${this.#current}` } : {};
  }

  /** What a WebSocket offers besides its dialect: browsers can set no header. The server does not repeat it. */
  get protocols() {
    return this.#current ? [`roomcast.token.${this.#current}`] : [];
  }

  /** Asks the application for a token. @returns {Promise<string>} empty: the client stays anonymous */
  async renew() {
    const given = await this.#source();
    this.#current = (typeof given === 'object' ? given?.token : given) ?? '';
    return this.#current;
  }
}

/** @throws {RoomcastError} the response is not successful, or not JSON */
export async function getJson(host, url, request) {
  const response = await host.fetch(url.href, { headers: { Accept: 'application/json', ...host.tokens.headers }, cache: 'no-store', signal: request.signal });
  if (!response.ok) throw await refusalOf(response);
  return response.json();
}

/** An HTTP request that can be aborted, and aborts itself after a period of silence. */
export class HttpRequest {
  #controller = new AbortController();
  #timer = null;
  /** Time of the last activity, by performance.now(). */
  activeAt = performance.now();

  /** For fetch. The reason is a RoomcastError `silence` if the deadline has passed. */
  get signal() {
    return this.#controller.signal;
  }

  get ended() {
    return this.#controller.signal.aborted;
  }

  /** Records activity; the next must follow within `ms`. */
  expect(ms) {
    this.activeAt = performance.now();
    clearTimeout(this.#timer);
    if (this.ended) return;
    const silence = new RoomcastError('silence', 'Nothing comes back from the server.');
    this.#timer = setTimeout(() => this.#controller.abort(silence), ms);
  }

  end() {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  /** Waits, but not longer than the request exists. */
  async pause(ms) {
    clearTimeout(this.#timer);
    let goOn;
    await new Promise((resolve) => {
      goOn = resolve;
      this.#timer = setTimeout(goOn, ms);
      this.signal.addEventListener('abort', goOn);
    });
    this.signal.removeEventListener('abort', goOn);
  }
}
