// The live page: plots the numbers that are published into a room, over a selectable transport.
//
//   live ──▶ plot (one row per series)      series: the numbers, pure      common/: names, addresses, language

import { roomLink, roomPath, roomProblem } from '../common/page.js';
import { number, offerLanguages, onLanguage, say, speak, words } from '../common/language.js';
import { clockTime, ValueRow } from './plot.js';
import { retryDelay } from '../client/roomcast/reconnect.js';
import { POINTS_MAX, SeriesSet } from './series.js';

// One room over any of the five transports, with browser APIs only: shows how little code each needs.
// All of them deliver the same objects and cursors, so one can resume where another stopped.

const LONG_POLL_SECONDS = 25;
const SHORT_POLL_MS = 1000;

/**
 * @typedef {object} Listener
 * @property {(transport: string) => void} onOpen the server has responded
 * @property {(object: {type: string, cursor: string}) => void} onObject `ok`, `gap` or `message`, in order
 * @property {() => void} onEnd the stream failed or was ended by the server; no other call follows
 */

/** Each starts listening and returns a function that stops it; `signal` is aborted at the same time. */
const transports = {
  websocket(url, { onOpen, onObject, onEnd }) {
    const address = new URL(url);
    address.protocol = address.protocol.replace('http', 'ws');
    const socket = new WebSocket(address, 'roomcast.v1');
    socket.onopen = onOpen;
    socket.onmessage = (event) => onObject(JSON.parse(event.data));
    socket.onclose = onEnd;
    return () => socket.close();
  },

  sse(url, { onOpen, onObject, onEnd }) {
    const address = new URL(url);
    address.searchParams.set('dialect', 'roomcast.v1');
    const source = new EventSource(address);
    source.onopen = onOpen;
    for (const event of ['ok', 'gap', 'message']) source.addEventListener(event, ({ data }) => onObject(JSON.parse(data)));
    // EventSource would reconnect to this address by itself, with an outdated cursor.
    source.onerror = onEnd;
    return () => source.close();
  },

  stream(url, { onOpen, onObject, onEnd }) {
    const stop = new AbortController();
    const read = async () => {
      const answer = await fetch(url, { headers: { Accept: 'application/x-ndjson' }, signal: stop.signal, cache: 'no-store' });
      if (!answer.ok) return;
      onOpen();
      for await (const line of linesOf(answer.body)) onObject(JSON.parse(line));
    };
    read().catch(() => {}).then(onEnd);
    return () => stop.abort();
  },

  longpoll: (url, listener) => poll(url, listener, { wait: LONG_POLL_SECONDS, pauseMs: 0 }),
  shortpoll: (url, listener) => poll(url, listener, { wait: 0, pauseMs: SHORT_POLL_MS }),
};

const TRANSPORTS = Object.keys(transports);

/**
 * Listens to a room until the stream fails or is stopped.
 * @param {string} transport one of TRANSPORTS
 * @param {string} room the room's http(s) address, absolute
 * @param {{since?: string, history?: number}} from where to begin: after a cursor, or with the last messages
 * @param {Listener} listener
 * @returns {() => void} stops it; no listener is called afterwards
 */
function listen(transport, room, { since, history }, listener) {
  let ended = false;
  const unlessEnded = (callback) => (value) => {
    if (!ended) callback(value);
  };
  const url = new URL(room);
  if (since) url.searchParams.set('since', since);
  else if (history) url.searchParams.set('history', history);
  const stop = transports[transport](url, {
    onOpen: unlessEnded(listener.onOpen),
    onObject: unlessEnded((object) => {
      if (['ok', 'gap', 'message'].includes(object.type)) listener.onObject(object);
    }),
    onEnd: unlessEnded(() => {
      end();
      listener.onEnd();
    }),
  });
  function end() {
    ended = true;
    // A WebSocket may fail before its stop function exists.
    queueMicrotask(() => stop());
  }
  return end;
}

function poll(url, { onOpen, onObject, onEnd }, { wait, pauseMs }) {
  const stop = new AbortController();
  const address = new URL(url);
  const read = async () => {
    while (!stop.signal.aborted) {
      const answer = await fetch(address, { signal: stop.signal, cache: 'no-store' });
      if (!answer.ok) return;
      const { cursor, gap, messages } = await answer.json();
      onOpen();
      if (gap) onObject({ type: 'gap', ...gap });
      for (const message of messages) onObject(message);
      onObject({ type: 'ok', cursor });
      address.searchParams.delete('history');
      address.searchParams.set('since', cursor);
      // Only from the second poll on: the first returns at once and shows that the server responds.
      if (wait) address.searchParams.set('wait', wait);
      if (pauseMs) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  read().catch(() => {}).then(onEnd);
  return () => stop.abort();
}

async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    // Empty lines are heartbeats.
    yield* lines.filter((line) => line !== '');
  }
}

const ROOM = 'demo/metrics';
const HISTORY = POINTS_MAX; // everything retained, up to what is plotted
const LATENCIES_KEPT = 15;
const SKEW_MS = 3000; // difference of the two clocks from which on the plot follows the server's
const CALM_DRAW_MS = 1000;

const byId = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const room = roomProblem(query.get('room') ?? '') ? ROOM : query.get('room');
const address = new URL(roomPath(room), new URL('.', location.href)).href;
const calm = matchMedia('(prefers-reduced-motion: reduce)');

const series = new SeriesSet();
const rows = [];
const latencies = [];
let transport = TRANSPORTS.includes(query.get('transport')) ? query.get('transport') : 'websocket';
let spanMs = 60_000;
let fitted = false;
let cursor = ''; // where the next transport resumes
let count = 0;
let gaps = 0;
let attempt = 0;
let stop = () => {};
let timer = null;
let openedAt = 0;
let drawnAt = 0;

function connect() {
  clearTimeout(timer);
  stop();
  show('connecting', 'connecting_by');
  openedAt = Date.now();
  stop = listen(transport, address, { since: cursor, history: HISTORY }, { onOpen, onObject, onEnd });
}

function onOpen() {
  attempt = 0;
  show('live', 'live_over');
}

function onEnd() {
  const delayMs = retryDelay(attempt);
  attempt += 1;
  show('waiting', 'reconnecting');
  timer = setTimeout(connect, delayMs);
}

function onObject(object) {
  cursor = object.cursor;
  if (object.type === 'message') onNumbers(object);
  if (object.type === 'gap') onGap();
  byId('nothing').hidden = rows.length > 0;
}

function onNumbers({ time, data }) {
  count += 1;
  byId('count').textContent = number(count);
  // Messages older than this connection waited in the room: their age is not latency.
  if (time >= openedAt) showLatency(Date.now() - time);
  series.add(time, data);
  for (const one of series.all.slice(rows.length)) {
    const row = new ValueRow(one, rows.length);
    rows.push(row);
    byId('values').append(row.element);
  }
  updateRows();
  byId('surplus').hidden = series.surplus === 0;
  say(byId('surplus'), 'more_names', { count: series.surplus, shown: rows.length });
}

function updateRows() {
  const from = now() - spanMs;
  for (const row of rows) row.update(from);
  const first = Math.min(...series.all.map(({ points }) => points[0].time));
  byId('since').hidden = !(first > from) || first === Infinity;
  say(byId('since'), 'drawn_since', { time: () => clockTime(first === Infinity ? 0 : first) });
}

function onGap() {
  gaps += 1;
  byId('gaps').textContent = number(gaps);
  series.break();
}

function showLatency(ms) {
  latencies.push(ms);
  if (latencies.length > LATENCIES_KEPT) latencies.shift();
  byId('latency').textContent = `${number(Math.round(median(latencies)))} ms`;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** The server's time, estimated from the local clock if both differ noticeably. */
function now() {
  const skew = median(latencies);
  return Date.now() - (Math.abs(skew) > SKEW_MS ? skew : 0);
}

function show(state, key) {
  const by = transport;
  const values = { transport: () => words(`transport_${by}`) };
  byId('state').dataset.state = state;
  say(byId('state-text'), key, values);
  // Announces only lasting changes, not the steps in between.
  if (state !== 'connecting') say(byId('announced'), key, values);
}

function draw(at) {
  requestAnimationFrame(draw);
  if (calm.matches && at - drawnAt < CALM_DRAW_MS) return;
  drawnAt = at;
  const to = now();
  for (const row of rows) row.draw({ from: to - spanMs, to, fitted });
}

function loopText() {
  return [
    'while sleep 1; do',
    "  load=$(LC_ALL=C uptime | sed 's/.*average[s]*: *//; s/[, ].*//')",
    "  curl -sS -o /dev/null -H 'Content-Type: application/json' \\",
    `    -d "{\\"load\\":$load}" '${address}'`,
    'done',
  ].join('\n');
}

async function copyLoop() {
  try {
    await navigator.clipboard.writeText(byId('loop').textContent);
    say(byId('copied'), 'copied');
  } catch {
    // The clipboard needs https and permission: selects the text for copying by keyboard.
    getSelection().selectAllChildren(byId('loop'));
    say(byId('copied'), 'marked');
  }
}

function onTransport(event) {
  transport = event.target.value;
  attempt = 0;
  const link = new URL(location.href);
  link.searchParams.set('transport', transport);
  history.replaceState(null, '', link);
  connect();
}

function onSpan(event) {
  spanMs = Number(event.target.value) * 1000;
  updateRows();
}

function inLanguage() {
  document.title = `${room} · ${words('live_title')} · roomcast`;
  byId('count').textContent = number(count);
}

byId('room').textContent = room;
byId('to-chat').href = roomLink(room).replace(/[^/]*(?=\?)/, '');
byId('loop').textContent = loopText();
document.querySelector(`#transports [value="${transport}"]`).checked = true;
document.querySelector(`#spans [value="${spanMs / 1000}"]`).checked = true;
byId('transports').addEventListener('change', onTransport);
byId('spans').addEventListener('change', onSpan);
byId('scales').addEventListener('change', ({ target }) => {
  fitted = target.value === 'fitted';
});
byId('copy').addEventListener('click', copyLoop);
window.addEventListener('online', connect);
onLanguage(inLanguage);
offerLanguages(document.querySelector('.language'));
speak();
connect();
requestAnimationFrame(draw);
