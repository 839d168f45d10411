// Members of a room: GET /presence, and the events of roomcast.v1 for subscribers that watch.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { METRICS } from '../support/contract.js';
import { eventually, patience, within } from '../support/deadline.js';
import { fetchOnce } from '../support/raw_http.js';
import { startServer } from '../support/server.js';

const listed = 'https://listed.example';
const server = await startServer({ set: { 'presence.grace_seconds': 0.5, 'presence.crowd': 5, origins: listed } });
const slow = await startServer({ set: { 'presence.grace_seconds': 60 } });

const presence = async (room, target = server) => JSON.parse((await fetchOnce(target.url, 'GET', `/presence/${room}`)).text);
const names = (list) => list.map((name) => ({ name }));
const address = (path, target = server) => `${target.url.replace(/^http/, 'ws')}${path}`;

/** A WebSocket whose messages can be awaited one by one. */
class Client {
  constructor(path, { dialect = 'roomcast.v1', target = server } = {}) {
    this.received = [];
    this.wanted = [];
    this.socket = new WebSocket(address(path, target), dialect === 'raw' ? [] : [dialect]);
    this.socket.on('message', (data) => {
      this.received.push(data.toString());
      this.wanted.splice(0).forEach((wake) => wake());
    });
    this.opened = new Promise((resolve, reject) => this.socket.on('open', resolve).on('error', reject));
  }

  static async open(path, options) {
    const client = new Client(path, options);
    await within(patience, client.opened, `a WebSocket on ${path}`);
    return client;
  }

  async next() {
    while (this.received.length === 0) await within(patience, new Promise((wake) => this.wanted.push(wake)), 'a message');
    return JSON.parse(this.received.shift());
  }

  async nextOf(...types) {
    for (;;) {
      const event = await this.next();
      if (types.includes(event.type)) return event;
    }
  }

  send(request) {
    this.socket.send(JSON.stringify(request));
  }

  /** The reply to `request`; earlier messages are skipped. */
  async ask(request) {
    this.send({ id: 'asked', ...request });
    for (;;) {
      const event = await this.next();
      if (event.id === 'asked') return event;
    }
  }

  /** All events received but not awaited, up to the reply of a request sent now. */
  async rest() {
    this.send({ type: 'ping', id: 'rest' });
    const events = [];
    for (;;) {
      const event = await this.next();
      if (event.id === 'rest') return events;
      events.push(event);
    }
  }

  async close() {
    const closed = new Promise((resolve) => this.socket.on('close', resolve));
    this.socket.close();
    await within(patience, closed, 'the close');
  }
}

/** A client that watches `room` and has received its list of members. */
async function watch(room, name = 'watcher') {
  const client = await Client.open(`/rooms/${room}?presence=1&name=${name}`);
  return { client, ok: await client.nextOf('ok') };
}

const closeAll = (clients) => Promise.all(clients.map((client) => client.close()));

describe('presence', () => {
  after(() => Promise.all([server.stop(), slow.stop()]));

  it('GET /presence lists each name once, sorted, and counts clients without one', async () => {
    assert.deepEqual(await presence('list'), { room: 'list', count: 0, members: [], anonymous: 0 });
    const clients = await Promise.all(['name=bob', 'name=ada', 'name=ada', 'name=Z%C3%AB', ''].map((query) => Client.open(`/rooms/list?${query}`, { dialect: 'raw' })));
    assert.deepEqual(await presence('list'), { room: 'list', count: 4, members: names(['Zë', 'ada', 'bob']), anonymous: 1 });
    await closeAll(clients);
    await eventually(async () => (await presence('list')).count === 0, 'all members to leave');
  });

  it('GET and HEAD: no-store, readable by listed origins only, errors with their reason', async () => {
    const get = (path, headers = {}, method = 'GET') => fetchOnce(server.url, method, path, { headers });
    const readable = await get('/presence/a', { Origin: listed });
    assert.equal(readable.status, 200);
    assert.equal(readable.header('access-control-allow-origin'), listed);
    assert.match(readable.header('content-type'), /^application\/json/);
    assert.equal(readable.header('cache-control'), 'no-store');
    const head = await get('/presence/a', {}, 'HEAD');
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal((await get('/presence/a', { Origin: 'https://elsewhere.example' })).status, 403);
    const bad = await get('/presence/a%00b');
    assert.equal(bad.status, 400);
    assert.equal(JSON.parse(bad.text).error.code, 'bad_room_name');
    assert.equal((await get('/presence/a', {}, 'POST')).status, 405);
  });

  it('a watcher gets the list of members first, then one join and one leave for five tabs', async () => {
    const { client, ok } = await watch('tabs');
    assert.deepEqual(ok.presence, { count: 1, members: names(['watcher']), anonymous: 0 });
    const tabs = await Promise.all(Array.from({ length: 5 }, () => Client.open('/rooms/tabs?name=ada', { dialect: 'raw' })));
    assert.deepEqual(await client.next(), { type: 'join', room: 'tabs', member: { name: 'ada' } });
    await closeAll(tabs);
    assert.deepEqual(await client.next(), { type: 'leave', room: 'tabs', member: { name: 'ada' } });
    assert.deepEqual(await client.rest(), []);
    await client.close();
  });

  it('a reload within the grace time causes no event', async () => {
    const client = await Client.open('/rooms/reload?presence=1', { target: slow });
    await client.nextOf('ok');
    const page = await Client.open('/rooms/reload?name=ada', { target: slow });
    assert.equal((await client.next()).type, 'join');
    await page.close();
    const again = await Client.open('/rooms/reload?name=ada', { target: slow });
    await again.nextOf('ok');
    assert.deepEqual(await client.rest(), []);
    assert.deepEqual((await presence('reload', slow)).members, names(['ada']));
    await closeAll([client, again]);
    assert.deepEqual(await presence('reload', slow), { room: 'reload', count: 1, members: names(['ada']), anonymous: 0 });
  });

  it('over one connection presence is requested per room', async () => {
    const ada = await Client.open('/connect?name=ada');
    const bob = await Client.open('/connect?name=bob');
    assert.deepEqual((await ada.ask({ type: 'subscribe', room: 'one', presence: true })).presence, { count: 1, members: names(['ada']), anonymous: 0 });
    assert.equal((await ada.ask({ type: 'subscribe', room: 'two' })).presence, undefined);
    await bob.ask({ type: 'subscribe', room: 'two' });
    await bob.ask({ type: 'subscribe', room: 'one' });
    assert.deepEqual(await ada.next(), { type: 'join', room: 'one', member: { name: 'bob' } });
    assert.deepEqual((await ada.ask({ type: 'presence', room: 'two' })).presence, { count: 2, members: names(['ada', 'bob']), anonymous: 0 });
    await bob.ask({ type: 'unsubscribe', room: 'one' });
    assert.deepEqual(await ada.next(), { type: 'leave', room: 'one', member: { name: 'bob' } });
    await closeAll([ada, bob]);
  });

  it('of a crowd only the count is sent, at most once a second; after it comes a list, then names again', async () => {
    const { client } = await watch('crowd');
    const four = await Promise.all(['a', 'b', 'c', 'd'].map((name) => Client.open(`/rooms/crowd?name=${name}`)));
    const joined = [];
    while (joined.length < 4) joined.push((await client.next()).member.name);
    assert.deepEqual(joined.sort(), ['a', 'b', 'c', 'd']);

    const fifth = await Client.open('/rooms/crowd');
    assert.deepEqual(await client.next(), { type: 'presence', room: 'crowd', count: 6 });
    const begun = performance.now();
    const sixth = await Client.open('/rooms/crowd');
    assert.deepEqual(await presence('crowd'), { room: 'crowd', count: 7, anonymous: 2 });
    assert.deepEqual(await client.next(), { type: 'presence', room: 'crowd', count: 7 });
    assert.ok(performance.now() - begun > 900, 'the second number came within a second');
    await closeAll([fifth, sixth]);
    let last = await client.next();
    if (!last.members) last = await client.next(); // a number may have been due between the two closes
    assert.deepEqual(last, { type: 'presence', room: 'crowd', count: 5, members: names(['a', 'b', 'c', 'd', 'watcher']), anonymous: 0 });
    await four[0].close();
    assert.deepEqual(await client.next(), { type: 'leave', room: 'crowd', member: { name: 'a' } });
    await closeAll([client, ...four.slice(1)]);
  });

  it('every transport counts under its name, and streams can watch too', async () => {
    const source = new EventSource(`${server.url}/rooms/mixed?dialect=roomcast.v1&presence=1&name=source`);
    const events = [];
    for (const type of ['ok', 'join', 'leave']) source.addEventListener(type, ({ data }) => events.push(JSON.parse(data)));
    await eventually(() => events.length === 1, 'the ok of the event stream');
    assert.deepEqual(events[0].presence, { count: 1, members: names(['source']), anonymous: 0 });

    const stop = new AbortController();
    const lines = await fetch(`${server.url}/rooms/mixed?name=lines`, { headers: { Accept: 'application/x-ndjson' }, signal: stop.signal });
    const socket = await Client.open('/rooms/mixed?name=socket', { dialect: 'raw' });
    await eventually(() => events.length === 3, 'two joins');
    assert.deepEqual(events.slice(1).map(({ type, member }) => `${type} ${member.name}`), ['join lines', 'join socket']);
    assert.deepEqual((await presence('mixed')).members, names(['lines', 'socket', 'source']));
    stop.abort();
    await lines.text().catch(() => {});
    await eventually(() => events.length === 4, 'a leave');
    assert.deepEqual(events[3], { type: 'leave', room: 'mixed', member: { name: 'lines' } });
    source.close();
    await socket.close();
  });

  it('a waiting poll counts under its name', async () => {
    const { client } = await watch('poll');
    const stop = new AbortController();
    const poll = fetch(`${server.url}/rooms/poll?wait=30&name=poller`, { signal: stop.signal }).catch(() => {});
    assert.deepEqual(await client.next(), { type: 'join', room: 'poll', member: { name: 'poller' } });
    assert.deepEqual((await presence('poll')).members, names(['poller', 'watcher']));
    stop.abort();
    await poll;
    assert.deepEqual(await client.next(), { type: 'leave', room: 'poll', member: { name: 'poller' } });
    await client.close();
  });

  it('requesting presence creates no room', async () => {
    const before = await server.metric(METRICS.remembered);
    for (let i = 0; i < 20; i += 1) await presence(`nobody-${i}`);
    assert.equal(await server.metric(METRICS.remembered), before);
  });
});
