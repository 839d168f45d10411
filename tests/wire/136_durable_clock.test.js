// Wall clocks that are wrong, or are set right, while a durable server runs and between two runs: times in a room do not go back,
// cursors stay good, and nothing is deleted by age until the clock has held for ten minutes. The clocks are those of support/clock.js.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Clocks } from '../support/clock.js';
import { eventually, sleep } from '../support/deadline.js';
import { batch, before_first, durable, killAll, newStore, offsetOf, poll, receiptOf } from '../support/durable.js';
import { JsonClient } from '../support/json_client.js';

const minute = 60_000;
const hour = 60 * minute;
const ten_years = 10 * 365 * 24 * hour;
const jumps = [hour, -hour, ten_years, -ten_years];
const age = 50 * minute; // more than passes in a test, less than any jump
const set = { 'history.age_seconds': age / 1000, 'history.messages': 10_000, 'history.bytes': 67_108_864, 'store.ring_messages': 5 };

/** The clocks of a server, and time that passes on both. */
class Time {
  #clocks = new Clocks();
  #passed = 0;
  #off = 0;

  start(directory) {
    return durable(directory, { set, env: this.#clocks.env });
  }

  /** The wall clock is wrong by so many milliseconds. */
  jump(ms) {
    this.#off = ms;
    this.#clocks.set({ wall: this.#passed + ms, monotonic: this.#passed });
  }

  /** In steps, so that the server does in between what it has to do: folds, and looks for what is too old. */
  async pass(server, ms) {
    for (let left = ms; left > 0; left -= minute / 2) {
      this.#passed += Math.min(left, minute / 2);
      this.jump(this.#off);
      await receiptOf(server, 'elsewhere', 'x');
      await sleep(30);
    }
  }
}

const rise = (values) => values.every((value, i) => i === 0 || value >= values[i - 1]);

/** Publishes ten messages into the room; returns their cursors. */
async function fill(server, room, what) {
  return (await batch(server, Array.from({ length: 10 }, (_, i) => ({ room, data: `${what} ${i}` })))).map(({ cursor }) => cursor);
}

/** All that the room has after the cursor `since`, which must be there without a gap. */
async function readAll(server, room, since, when) {
  const all = [];
  for (let at = since; ;) {
    const { messages, gap, cursor } = await poll(server, room, `?since=${at}`);
    assert.equal(gap, null, when);
    if (messages.length === 0) return all;
    all.push(...messages);
    at = cursor;
  }
}

/** All messages of these cursors are there, in order, without a gap, with times that do not go back; from each cursor the rest is read. */
async function assertWhole(server, room, cursors, when) {
  const messages = await readAll(server, room, before_first(cursors[0]), when);
  assert.deepEqual(messages.map(({ cursor }) => cursor), cursors, when);
  assert.ok(rise(messages.map(({ time }) => time)), `times go back ${when}: ${messages.map(({ time }) => time)}`);
  for (const i of [0, cursors.length >> 1, cursors.length - 1]) {
    assert.deepEqual(await readAll(server, room, cursors[i], when), messages.slice(i + 1), when);
  }
}

const evicted = (server) => server.metric('roomcast_store_evicted_messages_total', /age/);

describe('a wrong clock', () => {
  after(killAll);

  it('while the server runs: nothing is deleted for ten minutes, and times in a room go on', async () => {
    const directory = newStore();
    const time = new Time();
    let server = await time.start(directory);
    const cursors = await fill(server, 'jumps', 'before');
    for (const jump of jumps) {
      time.jump(jump);
      cursors.push(...await fill(server, 'jumps', `at ${jump}`));
      await time.pass(server, 9 * minute);
      await assertWhole(server, 'jumps', cursors, `nine minutes after a jump by ${jump}`);
      time.jump(0);
      cursors.push(...await fill(server, 'jumps', `after ${jump}`));
    }
    assert.ok((await server.metric('roomcast_store_clock_jumps_total')) >= jumps.length);
    assert.ok((await server.metric('roomcast_store_fold_seconds_count')) > jumps.length, 'it was folded meanwhile');
    assert.equal(await evicted(server), 0);
    await server.stop();
    server = await time.start(directory);
    await assertWhole(server, 'jumps', cursors, 'after a restart');
    await server.stop();
  });

  it('that has held for ten minutes is believed: what is too old goes, and a gap is told', async () => {
    const directory = newStore();
    const time = new Time();
    const server = await time.start(directory);
    const cursors = await fill(server, 'held', 'before');
    time.jump(ten_years);
    await time.pass(server, 9.5 * minute);
    await assertWhole(server, 'held', cursors, 'before the ten minutes are over');
    await time.pass(server, 2 * minute);
    await eventually(async () => {
      await time.pass(server, minute / 2);
      return (await evicted(server)) >= cursors.length;
    }, 'the deletion of what is ten years old');
    const { gap, messages } = await poll(server, 'held', `?since=${cursors[0]}`);
    assert.notEqual(gap, null);
    // Memory knows how much time has really passed, and may have the last few.
    assert.deepEqual(messages.map(({ cursor }) => cursor), cursors.slice(cursors.length - messages.length));
    assert.ok(messages.length <= set['store.ring_messages']);
    const next = await receiptOf(server, 'held', 'next');
    assert.equal(offsetOf(next.cursor), cursors.length + 1);
    await server.stop();
  });

  it('at the start: nothing is deleted for ten minutes, and all is there when it is right', async () => {
    const directory = newStore();
    const time = new Time();
    let server = await time.start(directory);
    const cursors = await fill(server, 'starts', 'before');
    for (const jump of jumps) {
      for (const end of ['stop', 'kill']) {
        await server[end]();
        time.jump(jump);
        server = await time.start(directory);
        cursors.push(...await fill(server, 'starts', `${end} ${jump}`));
        await time.pass(server, 3 * minute);
        assert.equal(await evicted(server), 0, `${jump}`);
        // Where it is too late nothing is shown of what is older, and a gap says so.
        const { gap, messages } = await poll(server, 'starts', `?since=${cursors.at(-11)}`);
        assert.equal(gap, null);
        assert.equal(messages.length, 10);
        assert.ok(rise(messages.map(({ time: at }) => at)));
        await server[end]();
        time.jump(0);
        server = await time.start(directory);
        await assertWhole(server, 'starts', cursors, `after a run at ${jump}`);
      }
    }
    await server.stop();
  });

  it('that goes back and forth under load: each room has one order, and times that do not go back', async () => {
    const directory = newStore();
    const time = new Time();
    let server = await time.start(directory);
    const rooms = ['a', 'b', 'c'];
    const cursors = new Map(rooms.map((room) => [room, []]));
    const readers = [];
    for (const room of rooms) readers.push(await JsonClient.greeted(server, `/rooms/${room}`));
    let over = false;
    const publishers = rooms.map(async (room) => {
      for (let i = 0; !over; i += 1) cursors.get(room).push((await receiptOf(server, room, `${i}`)).cursor);
    });
    for (let i = 0; i < 60; i += 1) {
      time.jump([-minute, 0, -hour, minute, -ten_years, -1000, hour, -1][i % 8]);
      await sleep(20);
    }
    over = true;
    await Promise.all(publishers);
    for (const [i, room] of rooms.entries()) {
      const expected = cursors.get(room);
      const got = await readers[i].messages(expected.length);
      assert.deepEqual(got.map(({ cursor }) => cursor), expected);
      assert.ok(rise(got.map(({ time: at }) => at)), room);
      await readers[i].close();
    }
    time.jump(-hour);
    await server.kill();
    server = await time.start(directory);
    for (const room of rooms) await assertWhole(server, room, cursors.get(room), 'after kill -9');
    await server.stop();
  });
});
