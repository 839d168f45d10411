// A large room with continuous publishes: its fan-out is sliced, and other clients are served between the slices.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { METRICS } from '../support/contract.js';
import { numbered } from '../support/many_clients.js';
import { ClientProcess, affordable } from '../support/client_process.js';
import { JsonClient } from '../support/json_client.js';
import { HttpConnection } from '../support/raw_http.js';
import { parseCursor } from '../support/room_client.js';
import { parseMetrics, startServer } from '../support/server.js';
import { SteadyPublisher } from '../support/steady_publisher.js';
import { connect } from '../support/wire_client.js';

const many = affordable(process.env.ROOMCAST_SLOW ? 1500 : 6000);
const rounds = process.env.ROOMCAST_SLOW ? 10 : 30;
// The server's own pings would come between the responses where this takes long.
const server = await startServer({ set: { 'websocket.ping_seconds': 600 } });
const clients = new ClientProcess();

/** Deliveries to the large room so far; those to other rooms are `elsewhere`, all of which have been read. */
async function progress(watcher, elsewhere) {
  const { text } = await watcher.request('GET', '/metrics');
  return parseMetrics(text).get(METRICS.deliveries) - elsewhere;
}

describe('a large room with continuous publishes', () => {
  let publisher;

  before(async () => {
    // Joined first, so served first: it sends the next message while the one before is still being fanned out.
    publisher = await SteadyPublisher.open(server.url, 'large');
    await clients.call('open', 'stayers', server.url, many, { path: '/rooms/large', size: numbered(1).length });
  });
  after(async () => {
    clients.end();
    await server.stop();
  });

  it('within one fan-out other clients are answered, accepted and delivered to', async () => {
    const members = many + 1;
    const watcher = await HttpConnection.open(server.url);
    const echo = await connect(server.url);
    const others = await Promise.all([1, 2, 3].map(() => connect(server.url, { path: '/rooms/other' })));
    let elsewhere = 0;
    let newcomer;
    const actions = {
      'an echo': () => echo.text('to and fro').then(() => echo.expectText('to and fro')),
      'a ping': () => echo.roundTrip(),
      'a message of another room': async () => {
        await others[0].text('hello');
        for (const other of others) await other.expectText('hello');
        elsewhere += others.length;
      },
      'a new connection': async () => {
        newcomer = await connect(server.url, { path: '/rooms/new' });
      },
      'what it publishes': async () => {
        await newcomer.text('here I am');
        await newcomer.expectText('here I am');
        elsewhere += 1;
        newcomer.destroy();
      },
    };
    const inside = Object.fromEntries(Object.keys(actions).map((name) => [name, 0]));

    publisher.begin();
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, action] of Object.entries(actions)) {
        const begun = await progress(watcher, elsewhere);
        await action();
        const ended = await progress(watcher, elsewhere);
        // Between request and response the room progressed, but by less than one message for every member: a fan-out that
        // is not sliced advances by a whole number of messages between any two responses.
        if (ended > begun && ended - begun < members) inside[name] += 1;
      }
    }
    for (const [name, count] of Object.entries(inside)) assert.ok(count > rounds / 10, `${name}: ${JSON.stringify(inside)}`);
    for (const client of [echo, ...others]) client.destroy();
    watcher.close();
  });

  it('a client that joins or leaves in the middle receives everything after its cursor, whole and in order', async () => {
    /** Joins after `since`, reads, and leaves in one of several ways. Returns the last cursor. */
    const visit = async (visitor, since) => {
      const client = await JsonClient.open(server, `/rooms/large${since ? `?since=${since}` : ''}`);
      const { cursor } = await client.next(({ type }) => type === 'ok');
      if (since) assert.equal(cursor, since);
      const { epoch, offset } = parseCursor(cursor);
      const messages = await client.messages(1 + (visitor % 3));
      messages.forEach((message, i) => {
        assert.equal(message.cursor, `${epoch}-${offset + 1 + i}`);
        assert.equal(message.data, numbered(offset + 1 + i));
      });
      assert.deepEqual(client.unread.filter(({ type }) => type === 'gap'), []);
      if (visitor % 2) await client.ask({ type: 'unsubscribe', room: 'large' });
      client.socket.terminate();
      return messages.at(-1).cursor;
    };
    await Promise.all(Array.from({ length: 20 }, async (_, visitor) => {
      let cursor;
      for (let time = 0; time < 4; time += 1) cursor = await visit(visitor + time, time % 2 ? cursor : undefined);
    }));
  });

  it('hundreds of clients that leave take nothing from those that stay', async () => {
    const leaving = 600;
    const first = publisher.received;
    await clients.call('begin', 'leavers', server.url, leaving, { path: '/rooms/large', size: numbered(1).length, first: null });
    await clients.call('opened', 'leavers', leaving);
    await clients.call('reach', 'leavers', publisher.sent + 1);
    for (let gone = 0; gone < leaving; gone += 100) {
      await clients.call('cut', 'leavers', 100);
      const served = publisher.received;
      while (publisher.received === served) await publisher.next();
    }
    const { faults, open, least } = await clients.call('ended', 'leavers');
    assert.deepEqual({ faults, open }, { faults: [], open: 0 });
    assert.ok(least > first, 'each had something before it left');
  });

  it('every client that stayed received every message, in order', async () => {
    const sent = await publisher.stop();
    const { least, most, open, faults } = await clients.call('reach', 'stayers', sent);
    assert.deepEqual({ least, most, open, faults }, { least: sent, most: sent, open: many, faults: [] });
    assert.equal(publisher.received, sent);
    await clients.call('cut', 'stayers');
    publisher.destroy();
    await server.metricBecomes(METRICS.rooms, (rooms) => rooms === 0);
    await server.metricBecomes(METRICS.queueBytes, (bytes) => bytes === 0); // a ping may be queued for clients that have just left
    assert.equal(await server.metric(METRICS.closes, /slow_consumer/), 0);
  });
});
