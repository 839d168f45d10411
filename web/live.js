// The live page: draws the numbers that come into a room, over whichever transport is chosen.
//
//   live ──▶ feed (the five transports)     series: pure     value_row ──▶ plot (the canvas)     language, words/: what it says

import { retryDelay } from './roomcast/backoff.js';
import { listen, TRANSPORTS } from './feed.js';
import { number, offerLanguages, onLanguage, say, speak, words } from './language.js';
import { roomLink } from './memory.js';
import { clockTime } from './plot.js';
import { roomPath, roomProblem } from './room.js';
import { POINTS_MAX, SeriesSet } from './series.js';
import { ValueRow } from './value_row.js';

const ROOM = 'demo/metrics';
const HISTORY = POINTS_MAX; // all that the room keeps, if it keeps no more than is drawn
const LATENCIES_KEPT = 15;
const SKEW_MS = 3000; // what two clocks must differ by before the plot follows the server's
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
let cursor = ''; // where the next transport goes on
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
  // What is older than this connection was waiting in the room, and says nothing of the way here.
  if (time >= openedAt) showLatency(Date.now() - time);
  series.add(time, data);
  for (const one of series.all.slice(rows.length)) {
    const row = new ValueRow(one, rows.length);
    rows.push(row);
    byId('values').append(row.element);
  }
  tellRows();
  byId('surplus').hidden = series.surplus === 0;
  say(byId('surplus'), 'more_names', { count: series.surplus, shown: rows.length });
}

function tellRows() {
  const from = now() - spanMs;
  for (const row of rows) row.tell(from);
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

/** The server's time, as far as it is worth telling from this machine's. */
function now() {
  const skew = median(latencies);
  return Date.now() - (Math.abs(skew) > SKEW_MS ? skew : 0);
}

function show(state, key) {
  const by = transport;
  const values = { transport: () => words(`transport_${by}`) };
  byId('state').dataset.state = state;
  say(byId('state-text'), key, values);
  // Once a change that lasts; the steps on the way are not news.
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
    // No clipboard without https or permission: leave it marked, for the keyboard.
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
  tellRows();
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
