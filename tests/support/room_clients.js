// Every transport and dialect of a room, with real client software where there is any, behind one interface.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { patience, sleep, within } from './deadline.js';
import { EventStreamReader, LineReader } from './event_stream.js';
import { RoomClient } from './room_client.js';

const python_client = fileURLToPath(new URL('urllib_client.py', import.meta.url));

/** The URL of `room`; members of `query` that are undefined are left out. */
export function roomUrl(url, room, query = {}, path = '/rooms/') {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  return `${url}${path}${room.split('/').map(encodeURIComponent).join('/')}${pairs.length > 0 ? `?${new URLSearchParams(pairs)}` : ''}`;
}

/** The query parameters that every transport accepts. */
const asked = ({ since, history, name, echo, token }) => ({ since, history, name, echo, access_token: token });

/** The server refused the request. */
export class Refused extends Error {
  constructor(way, status, text) {
    super(`${way.name}: ${status} ${text}`);
    this.status = status;
  }
}

/** Reports the end of a reader: malformed data is an error of the test, a broken connection an end. */
function failed(client, error) {
  if (error instanceof assert.AssertionError || error instanceof SyntaxError) client.push({ type: 'wrong', error: error.message });
  client.end(error.cause?.message ?? error.message);
}

function guarded(client, act) {
  try {
    act();
  } catch (error) {
    failed(client, error);
    client.breakOff();
  }
}

// --- WebSocket ---

async function openSocket(client, url, protocols) {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), protocols, { perMessageDeflate: client.way.deflate ?? true, rejectUnauthorized: false });
  socket.on('ping', () => client.beat());
  socket.on('close', (code, reason) => {
    const earliest = code === 4410 ? /[0-9a-f]{16}-[0-9]+$/.exec(reason)?.[0] : undefined;
    if (earliest) client.push({ type: 'gap', earliest });
    client.end('closed by the server', client.bye ?? { code, reason: reason.toString() });
  });
  client.breakOff = () => socket.terminate();
  client.leave = () => socket.close(1000);
  client.hold = (on) => (on ? socket.pause() : socket.resume());
  client.socket = socket;
  const opened = new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('unexpected-response', (request, response) => reject(new Refused(client.way, response.statusCode, '')));
    socket.once('open', resolve);
  });
  return { socket, opened };
}

async function openRaw(client, url, room, options) {
  const { socket, opened } = await openSocket(client, roomUrl(url, room, asked(options)), client.way.protocol ?? []);
  socket.once('open', () => client.push({ type: 'joined' }));
  socket.on('message', (data, isBinary) => client.push({ type: 'message', data: isBinary ? data : data.toString('utf8') }));
  await opened;
}

async function openJson(client, url, room, options) {
  const { way } = client;
  const { socket, opened } = await openSocket(client, way.connect ? roomUrl(url, 'connect', { access_token: options.token }, '/') : roomUrl(url, room, asked(options)), ['roomcast.v1']);
  const pending = new Map();
  let last = 0;
  // `data`: JSON text for the member of that name, inserted verbatim.
  client.command = (members, data) => {
    last += 1;
    const answer = new Promise((resolve, reject) => {
      pending.set(last, resolve);
      socket.once('close', () => reject(new Error(`closed before the reply to ${members.type}`)));
    });
    const text = JSON.stringify({ ...members, id: last });
    socket.send(data === undefined ? text : `${text.slice(0, -1)},"data":${data}}`);
    return within(patience, answer, `the reply to ${members.type}`);
  };
  client.publish = ({ kind, body }) => (kind === 'binary'
    ? client.command({ type: 'publish', room, data_base64: body.toString('base64') })
    : client.command({ type: 'publish', room }, kind === 'json' ? body : JSON.stringify(body)));
  const onText = (text) => {
    const object = JSON.parse(text);
    const { id, type } = object;
    if (type === 'welcome') {
      client.welcome = object;
      if (way.connect) client.command({ type: 'subscribe', room, ...asked(options), access_token: undefined }).catch(() => {});
      return;
    }
    if (type === 'pong' || !pending.has(id)) return client.pushObject(text);
    // For /connect, the reply to the subscribe contains the start position.
    if (way.connect && id === 1 && type === 'ok') client.pushOfRoom(object, { type: 'joined', cursor: object.cursor });
    pending.get(id)(object);
    pending.delete(id);
  };
  socket.on('message', (data, isBinary) => guarded(client, () => {
    assert.ok(!isBinary, 'roomcast.v1 speaks in text');
    onText(data.toString('utf8'));
  }));
  await opened;
  assert.equal(socket.protocol, 'roomcast.v1');
}

// --- EventSource and NDJSON ---

const amendments = ['deleted', 'replaced', 'cleared'];

/** The event that an event of a stream means, in either dialect. */
function pushEvent(client, { event, id, data }) {
  if (amendments.includes(event)) {
    // Some readers report the last id, others that there is none.
    assert.ok(id === '' || id === client.last_id, 'what is about the past is no position to resume from');
    if (client.way.dialect === 'roomcast.v1') return client.pushObject(data);
    assert.ok(data.startsWith('{"room":'), data);
    return client.pushObject(`{"type":"${event}",${data.slice(1)}`);
  }
  client.last_id = id;
  if (event === 'bye') return client.pushBye(JSON.parse(data));
  if (event === 'gap' || event === 'joined' || event === 'ok') {
    const object = JSON.parse(data);
    assert.equal(id, object.cursor, 'the id is the cursor');
    return client.pushOfRoom(object, { type: event === 'gap' ? 'gap' : 'joined', cursor: object.cursor, earliest: object.earliest });
  }
  if (client.way.dialect === 'roomcast.v1') {
    assert.equal(id, JSON.parse(data).cursor, 'the id is the cursor');
    return client.pushObject(data);
  }
  return client.push({ type: 'message', data: event === 'binary' ? Buffer.from(data, 'base64') : data, cursor: id });
}

/** Returns a function that accepts the text of a stream. */
function readerOf(client) {
  if (client.way.stream === 'ndjson') return new LineReader((line) => (line === '' ? client.beat() : client.pushObject(line)));
  return new EventStreamReader({ onEvent: (event) => pushEvent(client, event), onComment: () => client.beat() });
}

const streamQuery = (way, options) => ({ ...asked(options), dialect: way.dialect });

async function openEventSource(client, url, room, options) {
  const abort = new AbortController();
  const source = new EventSource(roomUrl(url, room, streamQuery(client.way, options)), {
    fetch: (input, init) => {
      init.signal.addEventListener('abort', () => abort.abort());
      return fetch(input, { ...init, signal: abort.signal });
    },
  });
  for (const type of ['message', 'binary', 'joined', 'ok', 'gap', 'bye', ...amendments]) {
    source.addEventListener(type, ({ data, lastEventId }) => guarded(client, () => pushEvent(client, { event: type, id: lastEventId, data })));
  }
  client.breakOff = () => {
    abort.abort();
    source.close();
  };
  const opened = new Promise((resolve, reject) => {
    source.addEventListener('open', resolve, { once: true });
    source.addEventListener('error', (error) => {
      // EventSource would reconnect by itself; here the test decides when.
      source.close();
      client.end('the stream ended');
      reject(error.code ? new Refused(client.way, error.code, error.message) : new Error(error.message));
    });
  });
  await opened;
}

async function openFetch(client, url, room, options) {
  const { way } = client;
  const abort = new AbortController();
  client.breakOff = () => abort.abort();
  const accept = way.stream === 'ndjson' ? 'application/x-ndjson' : 'text/event-stream';
  const headers = { Accept: accept, 'Accept-Encoding': way.gzip ? 'gzip' : 'identity', ...options.headers };
  const response = await fetch(roomUrl(url, room, streamQuery(way, options)), { headers, signal: abort.signal });
  client.response = response;
  if (response.status !== 200) throw new Refused(way, response.status, await response.text());
  assert.match(response.headers.get('content-type'), new RegExp(`^${accept}\\b`));
  const reader = readerOf(client);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const pump = async () => {
    for await (const chunk of response.body) {
      reader.feed(decoder.decode(chunk, { stream: true }));
      while (client.gate) await client.gate;
    }
    // As when a server is killed: to fetch, the end of the connection ends a response with "Connection: close".
    if (reader.rest !== '') throw new Error(`the stream broke off within a line: ${reader.rest.slice(0, 60)}`);
  };
  pump().then(() => client.end('the stream ended'), (error) => failed(client, error));
}

// --- polls ---

async function openPoll(client, url, room, options) {
  let abort;
  client.breakOff = () => abort.abort();
  const ask = async (query) => {
    abort = new AbortController();
    const response = await fetch(roomUrl(url, room, { ...asked(options), ...query }), { headers: options.headers, signal: abort.signal });
    const text = await response.text();
    if (response.status !== 200) throw new Refused(client.way, response.status, text);
    assert.match(response.headers.get('content-type'), /^application\/json\b/);
    assert.equal(response.headers.get('roomcast-cursor'), JSON.parse(text).cursor);
    return text;
  };
  let since = client.pushAnswer(await ask({}), true);
  const loop = async () => {
    while (!client.ended) {
      while (client.gate) await client.gate;
      const waiting = client.waiting;
      since = client.pushAnswer(await ask({ since, history: undefined, wait: client.way.wait ? options.wait ?? 20 : undefined }));
      if (!client.way.wait && client.waiting === waiting) await sleep(10);
    }
  };
  loop().catch((error) => failed(client, error));
}

// --- other programs ---

function run(client, command, args, onText) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (data) => (errors += data));
  child.stdout.setEncoding('utf8').on('data', (text) => guarded(client, () => onText(text)));
  child.on('close', () => client.end(`${command} ended: ${errors.trim().split('\n').at(-1)}`));
  client.breakOff = () => child.kill('SIGKILL');
  client.hold = (on) => (on ? child.stdout.pause() : child.stdout.resume());
}

async function openCurl(client, url, room, options) {
  const { way } = client;
  const accept = way.stream === 'ndjson' ? 'application/x-ndjson' : 'text/event-stream';
  const flags = ['-sSNkf', ...(way.gzip ? ['--compressed'] : []), ...(way.http10 ? ['--http1.0'] : []), '-H', `Accept: ${accept}`];
  const reader = readerOf(client);
  run(client, 'curl', [...flags, roomUrl(url, room, streamQuery(way, options))], (text) => reader.feed(text));
}

async function openPython(client, url, room, options) {
  const { stream } = client.way;
  let first = true;
  const lines = stream ? readerOf(client) : new LineReader((line) => {
    client.pushAnswer(line, first);
    first = false;
  });
  run(client, 'python3', [python_client, stream ? 'stream' : 'poll', roomUrl(url, room, { ...asked(options), wait: options.wait })], (text) => lines.feed(text));
}

/**
 * All transports and dialects. `form`: how payloads are received: `verbatim`, `lines` (newlines are all LF) or `object` (JSON).
 * `cursors`: whether it can resume. `gap_follows`: a gap follows `joined`. `mute`: not notified of deleted messages.
 */
export const ways = [
  { name: 'WebSocket', open: openRaw, form: 'verbatim', mute: true, deflate: false },
  { name: 'WebSocket with compression', open: openRaw, form: 'verbatim', mute: true, protocol: ['roomcast.raw.v1'] },
  { name: 'WebSocket roomcast.v1', open: openJson, form: 'object', cursors: true, gap_follows: true },
  { name: 'WebSocket roomcast.v1 at /connect', open: openJson, form: 'object', cursors: true, gap_follows: true, connect: true, deflate: false },
  { name: 'EventSource', open: openEventSource, form: 'lines', cursors: true },
  { name: 'EventSource roomcast.v1', open: openEventSource, form: 'object', cursors: true, dialect: 'roomcast.v1' },
  { name: 'event stream by fetch', open: openFetch, form: 'lines', cursors: true, stream: 'sse' },
  { name: 'event stream by fetch, gzip', open: openFetch, form: 'object', cursors: true, stream: 'sse', dialect: 'roomcast.v1', gzip: true },
  { name: 'NDJSON by fetch', open: openFetch, form: 'object', cursors: true, stream: 'ndjson' },
  { name: 'NDJSON by fetch, gzip', open: openFetch, form: 'object', cursors: true, stream: 'ndjson', gzip: true },
  { name: 'long poll', open: openPoll, form: 'object', mute: true, cursors: true, wait: true },
  { name: 'short poll', open: openPoll, form: 'object', mute: true, cursors: true },
  { name: 'curl -N, event stream, gzip', open: openCurl, form: 'lines', cursors: true, stream: 'sse', gzip: true, process: true },
  { name: 'curl -N, NDJSON, HTTP/1.0', open: openCurl, form: 'object', cursors: true, stream: 'ndjson', http10: true, process: true },
  { name: 'urllib, NDJSON', open: openPython, form: 'object', cursors: true, stream: 'ndjson', process: true },
  { name: 'urllib, long poll', open: openPython, form: 'object', mute: true, cursors: true, wait: true, process: true },
];

export const wayCalled = (name) => ways.find((way) => way.name === name) ?? assert.fail(`no way ${name}`);

/**
 * A client of `room` at `url` (http:// or https://). `options`: `since`, `history`, `name`, `echo`, `wait` (seconds,
 * of long polls), `token` (of an identified client), `headers` (of requests by fetch). Throws Refused if the server refuses; clients that are separate
 * processes end instead.
 */
export async function openRoom(way, url, room, options = {}) {
  const client = new RoomClient(way, room, options);
  // Test certificates are self-signed; for fetch this is the only way to accept them.
  if (url.startsWith('https:')) process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    await within(patience, way.open(client, url, room, options), `${way.name} opened`);
  } catch (error) {
    client.breakOff?.();
    throw error;
  }
  return client;
}
