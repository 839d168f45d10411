// Hundreds of clients join and leave at random, over changing transports, some of them slow, while the server is
// restarted: each receives exactly what the room contains, or is notified of a gap exactly where there is one.
// ROOMCAST_SEED=N repeats the choices of a run, as far as timing allows.

import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, it } from 'node:test';
import { chanceOf, seed } from '../support/chance.js';
import { patience, sleep, within } from '../support/deadline.js';
import { idOf, RoomLedger } from '../support/room_ledger.js';
import { openRoom, roomUrl, wayCalled, ways } from '../support/room_clients.js';
import { is_durable, newStore, startServer } from '../support/server.js';

const slow = process.env.ROOMCAST_SLOW !== undefined;
const size = slow ? { clients: 60, observers: 8, rate: 12 } : { clients: 200, observers: 20, rate: 25 };
const duration_ms = 10_000;
const kept = 30;
const rooms = ['random/a', 'random/b', 'random/c'];

/** A separate generator for each participant. */
const chance = (who) => chanceOf(seed ^ Math.imul(who + 1, 0x9e3779b1));

/** A port that stays free between two runs: below those that the kernel gives to outgoing connections. */
async function stablePort() {
  const { below } = chance(-1);
  for (;;) {
    const port = 10_000 + below(20_000);
    const free = await new Promise((resolve) => {
      const probe = net.createServer().once('error', () => resolve(false)).listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

class Session {
  ledgers = new Map(rooms.map((room) => [room, new RoomLedger(room, kept)]));
  run = 0;
  up = Promise.resolve();
  finishing = false;
  over = false;
  open = new Set();
  tally = { connections: 0, resumed: 0, gaps: 0, cuts: 0, slow: 0, overtaken: 0, published: 0 };
  runs = []; // of clients without cursors: {ledger, received, who}

  async start() {
    this.port = await stablePort();
    this.url = `http://127.0.0.1:${this.port}`;
    this.store = is_durable ? { 'store.path': newStore() } : {};
    this.server = await this.#startServer();
  }

  #startServer() {
    return startServer({ listen: [this.url], set: { ...this.store, 'history.messages': kept, 'history.bytes': 67108864, 'limits.queue_bytes': 262144 } });
  }

  /** `how` ends the server; the next one is started before the session continues. */
  async restart(how) {
    if (this.over) return;
    let done;
    this.up = new Promise((resolve) => (done = resolve));
    this.run += 1;
    await this.server[how]();
    if (!is_durable) for (const ledger of this.ledgers.values()) ledger.newRun();
    this.server = await this.#startServer();
    done();
  }

  async enter(way, room, options) {
    const client = await openRoom(way, this.url, room, options);
    this.open.add(client);
    return client;
  }

  leave(client) {
    this.open.delete(client);
    client.close();
  }

  /** Stops everything, whatever the outcome. */
  async end() {
    this.over = true;
    this.open.forEach((client) => client.cut());
    await (this.finishing ? this.server.stop() : this.server.kill());
  }

  /** Runs `act`, which may fail if the server is restarted meanwhile. */
  async try(act) {
    await this.up;
    const { run } = this;
    try {
      return await act();
    } catch (error) {
      if (!this.over && (error instanceof assert.AssertionError || run === this.run)) throw error;
      return undefined;
    }
  }
}

// --- clients ---

const quick = ways.filter(({ cursors, process: child }) => cursors && !child);
const children = ways.filter(({ cursors, process: child }) => cursors && child);

/** Joins and leaves until the last message of the session, each time over another transport. */
async function wander(session, number) {
  const random = chance(number);
  const ledger = session.ledgers.get(rooms[number % rooms.length]);
  let cursor;
  for (let visit = 0; !session.over; visit += 1) {
    const way = random.happens(0.02) ? random.of(children) : random.of(quick);
    // At least one message: a client that joins after the last one receives it.
    const history = cursor === undefined || random.happens(0.3) ? 1 + random.below(kept + 10) : undefined;
    const who = `client ${number}, visit ${visit}, ${way.name}`;
    const asked = { since: cursor, history, floor: ledger.floor };
    const outcome = await session.try(() => stay(session, { way, ledger, asked, random, who }));
    if (outcome?.finished) return;
    cursor = outcome?.cursor ?? cursor;
    if (!session.finishing) await sleep(random.of([0, 0, 10, 100, 500, 2500]) * random.next());
  }
}

/** One connection, checked message by message. Returns the position at its end. */
async function stay(session, { way, ledger, asked, random, who }) {
  const { run } = session;
  const client = await session.enter(way, ledger.room, { since: asked.since, history: asked.history, wait: 5 });
  const timers = disturb(session, client, random);
  try {
    const first = await client.next(`${who}: the start`);
    if (first.type === 'end') return ended(session, client, first, { run, who });
    client.unshift(first);
    const start = await client.start();
    ledger.checkStart(asked, start, who);
    session.tally.connections += 1;
    if (asked.since !== undefined) session.tally[start.gap ? 'gaps' : 'resumed'] += 1;
    for (let { cursor } = start; ; cursor = client.cursor) {
      const event = await client.next(`${who}: something after ${cursor}`);
      if (event.type === 'end') return ended(session, client, event, { run, who, cursor });
      if (event.type === 'gap') {
        // Between two polls, or while a slow client catches up, more may have been published than is retained.
        session.tally.overtaken += 1;
        ledger.checkStart({ since: cursor, floor: asked.floor }, { cursor: event.cursor, gap: event }, who);
        continue;
      }
      assert.equal(event.type, 'message', `${who}: ${JSON.stringify(event).slice(0, 300)}`);
      ledger.checkNext(cursor, event, who);
      if (idOf(event.data) === 'last') return { finished: true };
    }
  } finally {
    timers.forEach(clearTimeout);
    session.leave(client);
  }
}

/** Chooses the fate of a connection. */
function disturb(session, client, random) {
  const timers = [];
  const later = (ms, act) => timers.push(setTimeout(() => !session.finishing && act(), ms));
  if (random.happens(0.8)) {
    later(3000 * random.next() ** 2, () => {
      session.tally.cuts += 1;
      if (random.happens(0.8)) client.cut();
      else client.close();
    });
  }
  if (random.happens(0.3)) {
    const begin = 1000 * random.next();
    later(begin, () => client.pause());
    timers.push(setTimeout(() => client.resume(), begin + 1500 * random.next()));
  }
  return timers;
}

/** Connections may end because they were cut here, the server was restarted, or they were too slow (1013, 4410). */
function ended(session, client, { why, code }, { run, who, cursor }) {
  if (code === 1013) session.tally.slow += 1;
  if (code === 4410) session.tally.overtaken += 1;
  const ours = why === 'cut' || why === 'closed';
  assert.ok(ours || code === 1013 || code === 4410 || run !== session.run || session.over, `${who}: ended by itself: ${why} ${code}`);
  return { cursor: client.cursor ?? cursor };
}

/** Subscribes without cursors. */
async function observe(session, number) {
  const random = chance(1000 + number);
  const ledger = session.ledgers.get(rooms[number % rooms.length]);
  for (let visit = 0; !session.over; visit += 1) {
    const way = random.of(ways.filter(({ cursors }) => !cursors));
    const who = `observer ${number}, visit ${visit}, ${way.name}`;
    const received = [];
    session.runs.push({ ledger, received, who });
    const finished = await session.try(async () => {
      const { run } = session;
      const client = await session.enter(way, ledger.room, { history: 1 + random.below(3) * 10 });
      const timers = disturb(session, client, random);
      try {
        await client.expect('joined');
        for (;;) {
          const event = await client.next(`${who}: something`);
          if (event.type === 'end') return ended(session, client, event, { run, who }).finished;
          // It was overtaken while it caught up; only the close that follows can report that.
          if (event.type === 'gap') continue;
          received.push(event.data);
          if (idOf(event.data) === 'last') return true;
        }
      } finally {
        timers.forEach(clearTimeout);
        session.leave(client);
      }
    });
    if (finished) return;
  }
}

// --- publishers ---

const payload = (id, random) => `${id} ${'x'.repeat(random.happens(0.05) ? random.below(30_000) : random.below(200))}`;

async function postJson(url, body, headers) {
  const response = await fetch(url, { method: 'POST', body, headers });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

/** Each takes `(session, ledger, id, data)`, publishes it and records its position. */
const waysToPublish = {
  async post(session, ledger, id, data) {
    const { cursor } = await postJson(roomUrl(session.url, ledger.room), data, { 'Content-Type': 'text/plain' });
    ledger.record(cursor, id, 'a receipt');
  },
  async postTwice(session, ledger, id, data) {
    const once = () => postJson(roomUrl(session.url, ledger.room), data, { 'Content-Type': 'text/plain', 'Idempotency-Key': id });
    const [first, second] = await Promise.all([once(), once()]);
    assert.equal(second.cursor, first.cursor, 'one key, two messages');
    ledger.record(first.cursor, id, 'two receipts');
  },
  async batch(session, ledger, id, data) {
    const { results } = await postJson(`${session.url}/api/publish`, JSON.stringify({ messages: [{ room: ledger.room, data }] }), { 'Content-Type': 'application/json' });
    ledger.record(results[0].cursor, id, 'a receipt of many');
  },
  async dialect(session, ledger, id, data) {
    const client = await openRoom(wayCalled('WebSocket roomcast.v1'), session.url, ledger.room);
    try {
      const { cursor } = await client.publish({ kind: 'text', body: data });
      ledger.record(cursor, id, 'a reply');
    } finally {
      client.close();
    }
  },
  /** Has no receipt: its position is learnt from subscribers. */
  async socket(session, ledger, id, data) {
    const client = await openRoom(wayCalled('WebSocket'), session.url, ledger.room);
    try {
      client.socket.send(data);
      for (;;) {
        const event = await client.next();
        if (event.type === 'end') return;
        if (event.data === data) return;
      }
    } finally {
      client.close();
    }
  },
};

async function publishAlong(session, number) {
  const random = chance(2000 + number);
  const ledger = session.ledgers.get(rooms[number % rooms.length]);
  for (let i = 0; !session.stopPublishing && !session.over; i += 1) {
    const id = `p${number}.${i}`;
    const how = random.of(Object.keys(waysToPublish));
    await session.try(() => ledger.publishing(() => waysToPublish[how](session, ledger, id, payload(id, random))));
    session.tally.published += 1;
    await sleep((2000 / size.rate) * 2 * random.next());
  }
}

/** More than the room retains, at once: slow clients are overtaken. */
async function burst(session, number) {
  const ledger = session.ledgers.get(rooms[0]);
  const body = 'y'.repeat(10_000);
  for (let i = 0; i < 2 * kept; i += 1) {
    const id = `burst${number}.${i}`;
    await session.try(() => ledger.publishing(() => waysToPublish.post(session, ledger, id, `${id} ${body}`)));
  }
}

/** The whole session, until all have received the last message; the first failure ends it. */
async function play(session) {
  const all = (count, act) => Array.from({ length: count }, (_, i) => act(session, i));
  const publishers = all(2 * rooms.length, publishAlong);
  const participants = Promise.all([...all(size.clients, wander), ...all(size.observers, observe), ...publishers]);
  const story = async () => {
    await sleep(duration_ms * 0.3);
    await burst(session, 0);
    await session.restart('stop');
    await sleep(duration_ms * 0.3);
    await burst(session, 1);
    await session.restart('kill');
    await sleep(duration_ms * 0.4);
    session.stopPublishing = true;
    await Promise.all(publishers);
    session.finishing = true;
    for (const ledger of session.ledgers.values()) await ledger.publishing(() => waysToPublish.post(session, ledger, 'last', 'last'));
  };
  await within(duration_ms + 2 * patience, Promise.all([story(), participants]), 'all participants at the last message');
}

describe(`a random session, ROOMCAST_SEED=${seed}`, () => {
  it('every client receives what the room contains, or is notified of a gap where there is one', async (t) => {
    console.log(`ROOMCAST_SEED=${seed}`);
    const session = new Session();
    await session.start();
    try {
      await play(session);
    } finally {
      session.over = true;
      t.diagnostic(JSON.stringify(session.tally));
      await session.end();
    }
    for (const { ledger, received, who } of session.runs) ledger.checkRun(received, who);
    assert.ok(session.tally.gaps > 20 && session.tally.resumed > 100, JSON.stringify(session.tally));
    const epochs = is_durable ? 1 : 3;
    for (const ledger of session.ledgers.values()) assert.equal(ledger.epochs, epochs, is_durable ? 'one log for all runs' : 'one log for each run of the server');
  });
});

describe('the ledger that checks the session', () => {
  const epoch = 'a'.repeat(16);
  const at = (offset) => `${epoch}-${offset}`;
  const filled = (count) => {
    const ledger = new RoomLedger('r', 5);
    for (let i = 1; i <= count; i += 1) ledger.publishing(() => ledger.record(at(i), `m${i}`, 'test'));
    return ledger;
  };
  const start = (ledger, since, cursor, earliest, more = {}) => ledger.checkStart({ since: at(since), floor: ledger.floor, ...more }, { cursor: at(cursor), gap: earliest === undefined ? null : { cursor: at(cursor), earliest: at(earliest) } }, 'test');

  it('accepts a correct sequence', () => {
    const ledger = filled(9);
    ledger.checkNext(at(3), { cursor: at(4), data: 'm4 x' }, 'test');
    ledger.checkRun(['m7', 'm8', 'm9'], 'test');
    start(ledger, 5, 5);
    start(ledger, 3, 4, 4);
    start(ledger, 3, 7, 4, { history: 2 });
  });

  it('detects a hole, a duplicate, another order and a message that never was', () => {
    const ledger = filled(9);
    for (const [cursor, data] of [[5, 'm5'], [3, 'm3'], [4, 'm5']]) assert.throws(() => ledger.checkNext(at(3), { cursor: at(cursor), data }, 'test'));
    for (const run of [['m1', 'm3'], ['m1', 'm1'], ['m2', 'm1'], ['mx']]) assert.throws(() => ledger.checkRun(run, 'test'));
  });

  it('detects a false gap, and a different start without a gap', () => {
    const ledger = filled(9);
    assert.throws(() => start(ledger, 4, 4, 4), /a gap after/);
    assert.throws(() => start(ledger, 3, 5), /without a word/);
    assert.throws(() => start(ledger, 2, 3, 3), /no longer kept/);
    assert.throws(() => start(ledger, 2, 5, 5), /as the earliest/);
    assert.throws(() => start(ledger, 3, 5, 4), /not all that is kept/);
  });
});
