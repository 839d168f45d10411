// The client module in Chromium, imported by a page of the server.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertNoProblems, launchBrowser, openPage } from '../support/browser.js';
import { Relay, isEventStream, isUpgrade } from '../support/relay.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';

const NAME = 'roomcast.test'; // not this machine's name, so that the client uses the browser's network state
let browser;
let server;

before(async () => {
  browser = await launchBrowser([`--host-resolver-rules=MAP ${NAME} 127.0.0.1`]);
  server = await startServer();
});

after(async () => {
  await browser?.close();
  await server?.kill();
});

/** A tab at `url` whose `client` is in `room`; the page's `received`, `states` and `joins` record events. */
async function openClient(t, url, options) {
  const tab = await openPage(browser, url);
  t.after(() => tab.context().close());
  await startClient(tab, options);
  return tab;
}

async function startClient(tab, { room, roomOptions = {}, ...options }) {
  await tab.evaluate(async ([name, ofRoom, ofClient]) => {
    const { connect } = await import('/roomcast.js');
    Object.assign(window, { client: connect(ofClient), received: [], states: [], joins: 0 });
    client.on('state', (state) => states.push(state));
    window.room = client.room(name, ofRoom);
    window.room.on('message', ({ data }) => received.push(data instanceof Uint8Array ? [...data] : data));
    window.room.on('gap', () => received.push('(gap)'));
    window.room.on('joined', () => (joins += 1));
  }, [room, roomOptions, options]);
}

const stateIs = (tab, name, transport) => tab.waitForFunction(
  ([wanted, by]) => client.state.name === wanted && (!by || client.state.transport === by), [name, transport]);

const isJoined = (tab, times = 1) => tab.waitForFunction((wanted) => joins >= wanted, times);

async function showsLine(tab, ...expected) {
  await tab.waitForFunction((count) => received.length >= count, expected.length);
  assert.deepEqual(await tab.evaluate(() => received), expected);
}

async function post(room, data) {
  const answer = await fetch(`${server.url}/rooms/${room}`, { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: data });
  assert.equal(answer.status, 200);
}

async function startRelay(t) {
  const relay = await Relay.start(server.url);
  t.after(() => relay.close());
  return relay;
}

/** Simulates that the tab is hidden or becomes visible. */
const setVisibility = (tab, state) => tab.evaluate((wanted) => {
  Object.defineProperty(document, 'visibilityState', { value: wanted, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}, state);

for (const transport of ['websocket', 'sse', 'poll']) {
  test(`a page receives and publishes over ${transport}, and reconnects after a cut`, async (t) => {
    const relay = await startRelay(t);
    const room = `page/${transport}`;
    await post(room, 'before');
    const tab = await openClient(t, relay.url, { room, roomOptions: { history: 1 }, name: 'Ada', transports: [transport] });
    await stateIs(tab, 'live', transport);
    await showsLine(tab, 'before');
    const receipt = await tab.evaluate(async () => {
      await room.publish({ n: 1 });
      await room.publish(new Blob([Uint8Array.of(0, 255)]));
      return room.publish('said');
    });
    await showsLine(tab, 'before', { n: 1 }, [0, 255], 'said');
    assert.equal(receipt.cursor, await tab.evaluate(() => room.cursor));
    assert.deepEqual(tab.problems, []);
    relay.cut();
    await post(room, 'after');
    await showsLine(tab, 'before', { n: 1 }, [0, 255], 'said', 'after');
    await tab.evaluate(() => client.close());
  });
}

test('without a network the client waits for it, and misses nothing', async (t) => {
  const tab = await openClient(t, `http://${NAME}:${server.port}`, { room: 'offline' });
  await isJoined(tab);
  await tab.context().setOffline(true);
  await stateIs(tab, 'offline');
  await post('offline', 'missed');
  await tab.context().setOffline(false);
  await showsLine(tab, 'missed');
  assert.equal(await tab.evaluate(() => client.state.name), 'live');
});

/** A custom page at `server`, whose worker is in `room`; the page's `states` and `received` record events of the worker. */
async function openWorker(t, worker, room) {
  const tab = await openPage(browser, `http://${NAME}:${worker.port}`);
  t.after(() => tab.context().close());
  await tab.evaluate((name) => {
    Object.assign(window, { states: [], received: [], joins: 0 });
    window.worker = new Worker(`/worker.js?${name}`, { type: 'module' });
    window.worker.onmessage = ({ data: [what, value] }) => (what === 'joined' ? (joins += 1) : window[what].push(value));
    window.worker.onerror = ({ message }) => console.error(`worker: ${message}`);
  }, room);
  return tab;
}

const SITE = {
  'index.html': '<!doctype html><title>worker</title><link rel="icon" href="icon.svg">',
  'icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'worker.js': `
    import { connect } from '/roomcast.js';
    const client = connect({ timing: { lookMs: 500 } });
    client.on('state', ({ name }) => postMessage(['states', name]));
    const room = client.room(location.search.slice(1));
    room.on('joined', () => postMessage(['joined']));
    room.on('gap', () => postMessage(['received', '(gap)']));
    room.on('message', ({ data }) => postMessage(['received', data]));
  `,
};

// The browser's emulation changes navigator.onLine there without an event: the client has to poll it.
test('in a worker the client also waits for the network, and misses nothing', async (t) => {
  const site = await startServer({ set: { 'web.root': scratchDirectory(SITE) } });
  t.after(() => site.kill());
  const tab = await openWorker(t, site, 'worker');
  await isJoined(tab);
  const say = (data) => fetch(`${site.url}/rooms/worker`, { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: data });
  for (const [round, missed] of ['first', 'second'].entries()) {
    await tab.context().setOffline(true);
    await tab.waitForFunction(() => states.at(-1) === 'offline');
    await say(missed);
    await tab.context().setOffline(false);
    await isJoined(tab, round + 2);
  }
  await showsLine(tab, 'first', 'second');
  assert.equal(await tab.evaluate(() => states.at(-1)), 'live');
  assertNoProblems(tab);
});

test('in a worker the client also reconnects after a restart of the server', async (t) => {
  const root = scratchDirectory(SITE);
  const first = await startServer({ set: { 'web.root': root } });
  t.after(() => first.kill());
  const tab = await openWorker(t, first, 'worker');
  await isJoined(tab);
  await first.stop();
  await tab.waitForFunction(() => states.at(-1) === 'waiting');
  const second = await startServer({ listen: [`http://127.0.0.1:${first.port}`], set: { 'web.root': root } });
  t.after(() => second.kill());
  await isJoined(tab, 2);
  await fetch(`${second.url}/rooms/worker`, { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'back' });
  await showsLine(tab, '(gap)', 'back');
});

test('a hidden page waits longer, and reconnects at once when it becomes visible', async (t) => {
  const relay = await startRelay(t);
  const tab = await openClient(t, relay.url, { room: 'hidden' });
  await isJoined(tab);
  await setVisibility(tab, 'hidden');
  await tab.evaluate(() => (Math.random = () => 0.999999));
  relay.down = true;
  relay.cut();
  await tab.waitForFunction(() => client.state.retryAt - Date.now() > 5000);
  relay.down = false;
  const looked = Date.now();
  await setVisibility(tab, 'visible');
  await isJoined(tab, 2);
  assert.ok(Date.now() - looked < 3000);
});

test('a page that becomes visible checks whether its link is alive', async (t) => {
  const relay = await startRelay(t);
  const tab = await openClient(t, relay.url, { room: 'stalled', timing: { pongMs: 200 } });
  await isJoined(tab);
  relay.stall();
  await post('stalled', 'missed');
  await setVisibility(tab, 'visible');
  await showsLine(tab, 'missed');
});

test('the next page starts with the transport that worked on this one', async (t) => {
  const relay = await startRelay(t);
  relay.judge = (head) => (isUpgrade(head) ? 'refuse' : undefined);
  const tab = await openClient(t, relay.url, { room: 'remembered' });
  await stateIs(tab, 'live', 'sse');
  await tab.reload();
  relay.requests.length = 0;
  await startClient(tab, { room: 'remembered' });
  await stateIs(tab, 'live', 'sse');
  assert.ok(!relay.requests.some(isUpgrade));
});

test('if only plain requests work, the page polls, and climbs when it can', async (t) => {
  const relay = await startRelay(t);
  relay.judge = (head) => (isUpgrade(head) || isEventStream(head) ? 'refuse' : undefined);
  const tab = await openClient(t, relay.url, { room: 'climb', timing: { climbMs: 300, climbCapMs: 300 } });
  await stateIs(tab, 'live', 'poll');
  await post('climb', 'polled');
  await showsLine(tab, 'polled');
  relay.judge = () => undefined;
  await stateIs(tab, 'live', 'websocket');
  await post('climb', 'pushed');
  await showsLine(tab, 'polled', 'pushed');
});

test('after close() the page keeps nothing open', async (t) => {
  const relay = await startRelay(t);
  const tab = await openClient(t, relay.url, { room: 'closed', transports: ['sse'], roomOptions: { presence: true } });
  await isJoined(tab);
  await tab.evaluate(() => client.close());
  relay.requests.length = 0;
  await setVisibility(tab, 'visible');
  await tab.waitForTimeout(500);
  assert.deepEqual(relay.requests, []);
});
