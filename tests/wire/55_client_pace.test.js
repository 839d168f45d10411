// The client module with servers that would cause a busy loop, with dead links, and in workers.

import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import WebSocket from 'ws';
import { connect } from '../../web/client/roomcast.js';
import { eventually, seconds, sleep } from '../support/deadline.js';
import { behindRelay, isUpgrade } from '../support/relay.js';
import { QUICK, receives, isJoined, isState, join, post, record } from '../support/client_module.js';

const NEVER = { climbMs: 3_600_000, climbCapMs: 3_600_000 };
const EPOCHS = ['0123456789abcdef', 'fedcba9876543210'];

/** A minimal server: `answer(url, n)` is the JSON, or `{status, headers, body}`, for the n-th request of a room. */
async function answering(t, answer) {
  const asked = [];
  const server = http.createServer((request, response) => {
    const url = new URL(request.url, 'http://x');
    asked.push(url);
    const { status = 200, headers = {}, body } = answer(url, asked.length - 1);
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, asked };
}

const poll = (cursor, messages = [], gap = null) => ({ body: { room: 'lobby', cursor, gap, messages } });
const message = (cursor) => ({ type: 'message', room: 'lobby', cursor, time: 1, from: null, data: 'x' });

/** The response of a room to a cursor of another epoch, with or without retained messages. */
function gapFor(epoch, kept) {
  const cursor = `${epoch}-${kept}`;
  return poll(cursor, Array.from({ length: kept }, (_, i) => message(`${epoch}-${i + 1}`)), { cursor: `${epoch}-0`, earliest: `${epoch}-0` });
}

// Three seconds each: enough for thousands of requests if nothing limits them.
describe('no response makes a client send requests without a pause', { concurrency: 8 }, () => {
  const cases = {
    'two servers in turn, whose answers are gaps': (_, n) => gapFor(EPOCHS[n % 2], 0),
    'two servers in turn, which have messages': (_, n) => gapFor(EPOCHS[n % 2], 3),
    'an answer at once without news': () => poll(`${EPOCHS[0]}-1`),
    'the same messages again and again': () => poll(`${EPOCHS[0]}-1`, [message(`${EPOCHS[0]}-1`)]),
    'an answer without a cursor': () => ({ body: { messages: [message(`${EPOCHS[0]}-1`)] } }),
    '503 with Retry-After: 0': () => ({ status: 503, headers: { 'Retry-After': '0' }, body: { error: { code: 'overloaded', message: 'no' } } }),
    '503 with Retry-After: -5': () => ({ status: 503, headers: { 'Retry-After': '-5' }, body: '' }),
  };
  for (const [name, answer] of Object.entries(cases)) {
    it(`poll: ${name}`, async (t) => {
      const { url, asked } = await answering(t, answer);
      join(t, url, { transports: ['poll'] });
      await eventually(() => asked.length > 1, 'a second request');
      await sleep(3000);
      assert.ok(asked.length <= 20, `${asked.length} requests`);
    });
    it(`with its WebSocket blocked: ${name}`, async (t) => {
      const { url, asked } = await answering(t, answer);
      join(t, url, { timing: NEVER });
      await eventually(() => asked.length > 1, 'a second request');
      await sleep(3000);
      assert.ok(asked.length <= 30, `${asked.length} requests`);
    });
  }

  it('poll: a busy room is polled about twenty times a second at most', async (t) => {
    const { url, asked } = await answering(t, (_, n) => poll(`${EPOCHS[0]}-${n + 1}`, [message(`${EPOCHS[0]}-${n + 1}`)]));
    const started = performance.now();
    const { room } = join(t, url, { transports: ['poll'] });
    await eventually(() => room.received.length >= 40, 'forty messages');
    // The first two follow each other at once; a timer may fire a millisecond early.
    const most = 2 + (performance.now() - started) / 49;
    assert.ok(asked.length <= most, `${asked.length} requests, ${most} at most`);
  });

  it('the pauses grow while responses do not change', async (t) => {
    const { url } = await answering(t, () => ({ status: 503, headers: { 'Retry-After': '0' }, body: '' }));
    const { client } = join(t, url, { transports: ['poll'] });
    const waits = [];
    client.on('state', ({ name, retryAt }) => name === 'waiting' && waits.push(retryAt - Date.now()));
    // The first is half a second at most, whatever the jitter.
    await eventually(() => waits.some((wait) => wait > 600), 'a longer pause');
    assert.ok(waits[0] <= 500, `${waits} ms`);
  });

  it('event stream: an empty one with retry: is a temporary refusal with its delay', async (t) => {
    const { url, asked } = await answering(t, () => ({ headers: { 'Content-Type': 'text/event-stream' }, body: 'retry: 900\n: overloaded\n\n' }));
    const { client } = join(t, url, { transports: ['sse'] });
    const waits = [];
    client.on('state', ({ name, retryAt }) => name === 'waiting' && waits.push(retryAt - Date.now()));
    await eventually(() => waits.length >= 2, 'two tries');
    for (const wait of waits) assert.ok(wait > 800, `${wait} ms`);
    assert.ok(asked.length <= waits.length + 1);
  });

  it('bye with retry_ms: 0, each time', async (t) => {
    const { url, asked } = await answering(t, () => ({
      headers: { 'Content-Type': 'text/event-stream' }, body: 'event: bye\ndata: {"code":1012,"reason":"server_shutdown","retry_ms":0}\n\n',
    }));
    join(t, url, { transports: ['sse'] });
    await sleep(3000);
    assert.ok(asked.length <= 20, `${asked.length} requests`);
  });
});

describe('a dead link without a close', { concurrency: 4 }, () => {
  const timing = { ...NEVER, receiptMs: 300, wakePongMs: 300, stableMs: 100 };

  it('is detected when a receipt is late, and pending publishes are repeated, once', async (t) => {
    const { server, relay } = await behindRelay(t);
    const { client, room } = join(t, relay.url, { timing });
    const { room: witness } = join(t, server.url);
    await Promise.all([isJoined(room), isJoined(witness)]);
    relay.stall();
    const started = performance.now();
    const receipts = await Promise.all([room.publish('one'), room.publish('two')]);
    assert.ok(performance.now() - started < seconds(5), `${performance.now() - started} ms`);
    assert.deepEqual(receipts.map(({ duplicate }) => duplicate), [false, false]);
    await receives(witness, 'one', 'two');
    await receives(room, 'one', 'two');
    await isState(client, 'live', 'websocket');
    assert.equal(relay.requests.filter(isUpgrade).length, 2);
  });

  it('if only replies are lost, a message is published once', async (t) => {
    const { server, relay } = await behindRelay(t);
    const { room } = join(t, relay.url, { timing });
    const { room: witness } = join(t, server.url);
    await Promise.all([isJoined(room), isJoined(witness)]);
    relay.deafen();
    const receipt = room.publish('once');
    await receives(witness, 'once');
    await eventually(() => relay.requests.filter(isUpgrade).length > 1, 'another link');
    relay.undeafen();
    assert.equal((await receipt).duplicate, true);
    await post(server.url, 'end');
    await receives(witness, 'once', 'end');
    await receives(room, 'once', 'end');
  });

  it('a join without a reply counts as a late reply too', async (t) => {
    const { server, relay } = await behindRelay(t);
    const { client, room } = join(t, relay.url, { timing });
    await isJoined(room);
    relay.stall();
    const other = record(client.room('other'));
    await isJoined(other);
    await post(server.url, 'there', { room: 'other' });
    await receives(other, 'there');
  });

  it('a link that answers pings stays, however late the receipts are', async (t) => {
    const { relay } = await behindRelay(t);
    const { client, room } = join(t, relay.url, { timing: { ...timing, receiptMs: 1, wakePongMs: seconds(5) } });
    await isJoined(room);
    for (let i = 0; i < 50; i += 1) await room.publish(i);
    assert.equal(relay.requests.filter(isUpgrade).length, 1);
    assert.equal(client.state.name, 'live');
  });
});

// One at a time: they share the platform's network state.
describe('without a window, as in a worker', () => {
  /** A client for a remote host, on a platform that reports the network state; `set(onLine)` changes it. */
  async function inWorker(t, { events }) {
    const { server } = await behindRelay(t);
    const navigator = { onLine: false };
    const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
    const target = new EventTarget();
    if (events) globalThis.addEventListener = target.addEventListener.bind(target);
    t.after(() => {
      delete globalThis.navigator;
      if (before) Object.defineProperty(globalThis, 'navigator', before);
      delete globalThis.addEventListener;
    });
    class Elsewhere extends WebSocket {
      constructor(url, protocols) {
        super(url.replace('roomcast.test', '127.0.0.1'), protocols);
      }
    }
    const client = connect(server.url.replace('127.0.0.1', 'roomcast.test'), {
      WebSocket: Elsewhere, transports: ['websocket'], timing: { ...QUICK, lookMs: events ? 3_600_000 : 50 },
    });
    t.after(() => client.close());
    const room = record(client.room('lobby'));
    const set = (onLine) => {
      navigator.onLine = onLine;
      target.dispatchEvent(new Event(onLine ? 'online' : 'offline'));
    };
    return { client, room, set };
  }

  for (const events of [true, false]) {
    it(`a client that was offline reconnects ${events ? 'at the event' : 'without an event for the network'}`, async (t) => {
      const { client, room, set } = await inWorker(t, { events });
      assert.equal(client.state.name, 'offline');
      set(true);
      await isJoined(room);
      set(false);
      await isState(client, 'offline');
      set(true);
      await isJoined(room, 2);
    });
  }
});
