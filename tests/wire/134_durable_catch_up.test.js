// Clients that catch up from the disk while it changes under them: messages are published, folded into chunks, chunks are merged, and the
// oldest go. Each client gets all that the room has after its cursor, or a gap exactly where there is one.
// ROOMCAST_SEED=N repeats the choices of a run, as far as timing allows.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { eventually, seconds, sleep, within } from '../support/deadline.js';
import { batch, before_first, durable, killAll, newStore } from '../support/durable.js';
import { JsonClient } from '../support/json_client.js';
import { openRoom, ways } from '../support/room_clients.js';
import { RoomLedger, idOf } from '../support/room_ledger.js';
import { sumOf } from '../support/server.js';

const slow = process.env.ROOMCAST_SLOW !== undefined;
const seed = Number(process.env.ROOMCAST_SEED ?? Date.now() % 1_000_000_000);
const kept = 300;
const rooms = ['catch-up/a', 'catch-up/b', 'catch-up/c'];
const set = {
  'history.messages': kept, 'history.bytes': 67_108_864, 'history.age_seconds': 3600,
  // As little as can be configured, so that most of what is read is on the disk, and in chunks.
  'store.ring_messages': 8, 'store.fold_bytes': 1_048_576, 'store.commit_ms': 1,
};

/** A separate generator for each participant (mulberry32). */
function chance(who) {
  let state = (seed ^ Math.imul(who + 1, 0x9e3779b1)) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return { next, below: (n) => Math.floor(next() * n), of: (list) => list[Math.floor(next() * list.length)] };
}

class Session {
  ledgers = new Map(rooms.map((room) => [room, new RoomLedger(room, kept)]));
  known = new Map(rooms.map((room) => [room, []])); // cursors that a client may come with
  over = false;
  tally = { visits: 0, gaps: 0, overtaken: 0, messages: 0, restarts: 0 };
  up = Promise.resolve();
  run = 0;

  async start(directory) {
    this.server = await durable(directory, { set });
  }

  /** Another server on the same store; `how` ends the one that runs. */
  async restart(directory, how) {
    let done;
    this.up = new Promise((resolve) => (done = resolve));
    this.run += 1;
    await this.server[how]();
    await this.start(directory);
    this.tally.restarts += 1;
    done();
  }

  /** Runs `act`, which may fail if the server is restarted meanwhile. */
  async try(act) {
    await this.up;
    const { run } = this;
    try {
      await act();
    } catch (error) {
      if (!this.over && (error instanceof assert.AssertionError || run === this.run)) throw error;
    }
  }
}

/** Batches of small messages; now and then large ones elsewhere, so that the tail is folded all the time. */
async function publishAll(session, number) {
  const random = chance(1000 + number);
  const room = rooms[number % rooms.length];
  const ledger = session.ledgers.get(room);
  const ballast = 'y'.repeat(30_000);
  for (let i = 0; !session.over; i += 1) {
    const ids = Array.from({ length: 1 + random.below(20) }, (_, j) => `p${number}.${i}.${j}`);
    const messages = ids.map((id) => ({ room, data: `${id} ${'x'.repeat(random.below(1500))}` }));
    for (let j = random.below(4); j > 0; j -= 1) messages.push({ room: `ballast/${number}`, data: ballast });
    await session.try(async () => {
      let finish;
      const done = new Promise((resolve) => (finish = resolve));
      ids.forEach(() => ledger.publishing(() => done));
      try {
        const results = await batch(session.server, messages);
        ids.forEach((id, j) => ledger.record(results[j].cursor, id, 'a receipt'));
        session.known.get(room).push(results[ids.length - 1].cursor);
      } finally {
        finish();
      }
    });
    await sleep(random.below(10));
  }
}

/** Comes with a cursor of some time, reads on for a while, and goes. */
async function comeAndGo(session, number) {
  const random = chance(number);
  const usable = ways.filter(({ cursors, process: child }) => cursors && !child);
  while (!session.over) {
    const room = random.of(rooms);
    const ledger = session.ledgers.get(room);
    const cursors = session.known.get(room);
    if (cursors.length === 0) {
      await sleep(10);
      continue;
    }
    // More often one that is still kept, and sometimes the beginning.
    const recent = cursors.slice(-Math.ceil(cursors.length / (1 + random.below(6))));
    const since = random.below(10) === 0 ? before_first(cursors[0]) : random.of(recent);
    const way = random.of(usable);
    const who = `client ${number}, ${way.name}, since ${since}`;
    await session.try(() => visit(session, { way, ledger, since, random, who }));
  }
}

async function visit(session, { way, ledger, since, random, who }) {
  const { run } = session;
  const { floor } = ledger;
  const client = await openRoom(way, session.server.url, ledger.room, { since, wait: 5 });
  session.tally.visits += 1;
  try {
    const start = await client.start();
    ledger.checkStart({ since, floor }, start, who);
    if (start.gap) session.tally.gaps += 1;
    const pause_at = random.below(2) === 0 ? random.below(kept) : Infinity;
    let { cursor } = start;
    for (let i = 0, most = random.below(2 * kept); i < most && !session.over; i += 1) {
      if (i === pause_at) {
        client.pause();
        await sleep(random.below(200));
        client.resume();
      }
      const event = await client.next(`${who}: something after ${cursor}`);
      if (event.type === 'end') {
        assert.ok(event.code === 4410 || event.code === 1013 || run !== session.run || session.over, `${who}: ended by itself: ${JSON.stringify(event)}`);
        return;
      }
      if (event.type === 'gap') {
        session.tally.overtaken += 1;
        ledger.checkStart({ since: cursor, floor }, { cursor: event.cursor, gap: event }, who);
      } else {
        assert.equal(event.type, 'message', `${who}: ${JSON.stringify(event).slice(0, 300)}`);
        ledger.checkNext(cursor, event, who);
        session.tally.messages += 1;
      }
      ({ cursor } = event);
    }
  } finally {
    client.close();
  }
}

describe(`catching up from the disk, ROOMCAST_SEED=${seed}`, () => {
  after(killAll);

  it('while it is published, folded, merged and trimmed: everything, or a gap where the model has one', async (t) => {
    const session = new Session();
    const directory = newStore();
    await session.start(directory);
    const counted = { folds: 0, reads: 0, evicted: 0 };
    /** Plays on until the server that runs has done so much. */
    const until = async (enough) => {
      let now;
      await eventually(async () => {
        const samples = await session.server.metrics();
        now = {
          folds: sumOf(samples, 'roomcast_store_fold_seconds_count'),
          reads: sumOf(samples, 'roomcast_store_page_seconds_count'),
          evicted: sumOf(samples, 'roomcast_store_evicted_messages_total', /count/),
        };
        return session.over || Object.entries(enough).every(([name, least]) => now[name] >= least);
      }, `${JSON.stringify(enough)}`, seconds(60));
      for (const name of Object.keys(counted)) counted[name] += now[name];
    };
    const all = (size, act) => Array.from({ length: size }, (_, i) => act(session, i));
    const participants = Promise.all([...all(rooms.length, publishAll), ...all(slow ? 8 : 24, comeAndGo)]);
    const story = async () => {
      for (const how of ['stop', 'kill', 'stop', null]) {
        await until({ folds: 6, reads: 30, evicted: kept });
        if (how) await session.restart(directory, how);
      }
      session.over = true;
    };
    try {
      await within(seconds(250), Promise.race([participants.then(() => assert.ok(session.over)), story().then(() => participants)]), 'the end of all');
    } finally {
      session.over = true;
      t.diagnostic(JSON.stringify({ ...session.tally, ...counted }));
    }
    for (const ledger of session.ledgers.values()) assert.equal(ledger.epochs, 1);
    assert.ok(session.tally.gaps > 0 && session.tally.visits > session.tally.gaps, JSON.stringify(session.tally));
    await session.server.stop();
  });

  it('64 clients with one cursor share what is read: one read of the disk for a page', async () => {
    const directory = newStore();
    const count = 600;
    let server = await durable(directory, { set: { ...set, 'history.messages': 1000 } });
    const ledger = [];
    for (let i = 0; i < count; i += 50) {
      const some = Array.from({ length: 50 }, (_, j) => ({ room: 'shared', data: `${i + j} ${'x'.repeat(1000)}` }));
      ledger.push(...(await batch(server, some)).map(({ cursor }) => cursor));
    }
    await server.stop();
    server = await durable(directory, { set: { ...set, 'history.messages': 1000 } });
    const clients = await Promise.all(Array.from({ length: 64 }, () => JsonClient.greeted(server, '/connect', { perMessageDeflate: false })));
    const reads = () => server.metric('roomcast_store_page_seconds_count');
    const before = await reads();
    // All ask at once: the server finds them together when it goes on.
    server.process.kill('SIGSTOP');
    const asked = clients.map((client) => client.ask({ type: 'subscribe', room: 'shared', since: before_first(ledger[0]) }));
    server.process.kill('SIGCONT');
    for (const reply of await Promise.all(asked)) assert.deepEqual([reply.type, reply.gap ?? null], ['ok', null]);
    await Promise.all(clients.map(async (client) => {
      await eventually(() => client.texts.length >= count + 2, 'all messages');
      const got = client.texts.map((one) => JSON.parse(one)).filter(({ type }) => type === 'message');
      assert.deepEqual(got.map(({ cursor }) => cursor), ledger);
      assert.deepEqual(got.map(({ data }) => Number(idOf(data))), ledger.map((_, i) => i));
    }));
    // Who reads more slowly than the others may need a page again; each alone would be 64 times as many.
    const pages = Math.ceil((count * 1100) / 131_072);
    const used = (await reads()) - before;
    assert.ok(used >= pages - 1 && used <= 4 * pages, `${used} reads of about ${pages} pages`);
    for (const client of clients) await client.close();
    await server.stop();
  });
});
