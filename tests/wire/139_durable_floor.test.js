// Where the history of a durable room begins: a client from before that gets one gap, with the place from which everything can be had, in
// the moment in which it comes, whichever limit has put it there. And what `history=N` and questions for history find on the disk.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Clocks } from '../support/clock.js';
import { eventually, seconds } from '../support/deadline.js';
import { batch, before_first, durable, killAll, newStore, offsetOf, poll } from '../support/durable.js';
import { JsonClient } from '../support/json_client.js';
import { Moderator, assertDone, startIdentifyingServer } from '../support/moderation.js';

const minute = 60_000;
const plenty = { 'history.messages': 100_000, 'history.bytes': 1_073_741_824, 'history.age_seconds': 86_400, 'store.ring_messages': 4 };

/** Publishes `count` messages of `size` characters into the room; returns their cursors. */
async function fill(server, room, count, size = 1000) {
  const results = await batch(server, Array.from({ length: count }, (_, i) => ({ room, data: `${i} `.padEnd(size, 'x') })));
  return results.map(({ cursor }) => cursor);
}

/**
 * A client comes from before the first message, and reads to the end; `all`: the cursors of all messages there were. Returns the offset
 * after which the room begins. It is told where that is once, and before anything else.
 */
async function firstKept(server, room, all) {
  const client = await JsonClient.greeted(server, '/connect');
  const { type, cursor } = await client.ask({ type: 'subscribe', room, since: before_first(all[0]) });
  assert.equal(type, 'ok');
  const begin = offsetOf(cursor);
  const messages = await client.messages(all.length - begin);
  assert.deepEqual(messages.map((one) => one.cursor), all.slice(begin), 'everything after the gap');
  const gaps = client.unread.filter((one) => one.type === 'gap').map((one) => [one.cursor, one.earliest]);
  assert.deepEqual(gaps, begin === 0 ? [] : [[cursor, cursor]], 'one gap');
  await client.close();
  // More may have gone meanwhile.
  const polled = await poll(server, room, `?since=${before_first(all[0])}`);
  const next = polled.gap ? offsetOf(polled.gap.earliest) : 0;
  assert.ok(next >= begin);
  assert.equal(polled.messages[0].cursor, all[next]);
  return begin;
}

describe('the beginning of a durable room', () => {
  after(killAll);

  it('by number of messages', async () => {
    const server = await durable(newStore(), { set: { ...plenty, 'history.messages': 20 } });
    const keeper = await JsonClient.greeted(server, '/rooms/r');
    const all = await fill(server, 'r', 30);
    assert.equal(await firstKept(server, 'r', all), 10);
    all.push(...await fill(server, 'r', 15));
    assert.equal(await firstKept(server, 'r', all), 25);
    await keeper.close();
    await server.stop();
  });

  it('by bytes, and it is the same after a restart', async () => {
    const directory = newStore();
    const set = { ...plenty, 'history.bytes': 22_000 };
    let server = await durable(directory, { set });
    const keeper = await JsonClient.greeted(server, '/rooms/r');
    const all = await fill(server, 'r', 30);
    const first = await firstKept(server, 'r', all);
    // A message takes a little more than its text.
    assert.ok(first >= 9 && first <= 11, `${first}`);
    all.push(...await fill(server, 'r', 10));
    assert.equal(await firstKept(server, 'r', all), first + 10);
    await keeper.close();
    await server.stop();
    server = await durable(directory, { set });
    assert.equal(await firstKept(server, 'r', all), first + 10);
    await server.stop();
  });

  it('by age, to the moment', async () => {
    const clocks = new Clocks();
    const server = await durable(newStore(), { set: { ...plenty, 'history.age_seconds': 3000 }, env: clocks.env });
    const keeper = await JsonClient.greeted(server, '/rooms/r');
    let passed = 0;
    // In steps of less than a minute, so that it is no jump; the server looks at its clock when it is asked.
    const pass = async (minutes) => {
      for (let i = 0; i < 2 * minutes; i += 1) {
        passed += minute / 2;
        clocks.set({ wall: passed, monotonic: passed });
        await fill(server, 'elsewhere', 1, 10);
        await poll(server, `own-${i}`, '?history=1');
      }
    };
    const all = [];
    for (let i = 0; i < 3; i += 1) {
      all.push(...await fill(server, 'r', 10));
      await pass(20);
    }
    // The first were published 60 minutes ago, the second 40, the third 20, and 50 minutes are kept.
    assert.equal(await firstKept(server, 'r', all), 10);
    await pass(15);
    assert.equal(await firstKept(server, 'r', all), 20);
    await keeper.close();
    await server.stop();
  });

  it('by what all rooms take of the disk', async () => {
    const mib = 1_048_576;
    const size = 60_000;
    const server = await durable(newStore(), {
      set: { ...plenty, 'store.disk_bytes': 128 * mib, 'store.fold_bytes': mib, 'limits.batch_bytes': 8 * mib, 'limits.body_bytes': 8 * mib },
    });
    const keeper = await JsonClient.greeted(server, '/rooms/r');
    const evicted = () => server.metric('roomcast_store_evicted_messages_total', /disk/);
    const ballast = () => fill(server, 'ballast', 50, size);
    const all = [];
    let begin = 0;
    for (let round = 0; round < 2; round += 1) {
      const before = await evicted();
      // Some of the room now, the rest among what comes later, so that not all of it goes at once.
      await eventually(async () => {
        all.push(...await fill(server, 'r', 5));
        await ballast();
        return (await evicted()) > before;
      }, 'the oldest go', seconds(100));
      const next = await firstKept(server, 'r', all);
      assert.ok(next > begin && next < all.length, `${begin} ${next} ${all.length}`);
      begin = next;
    }
    await keeper.close();
    await server.stop();
  });
});

describe('the last messages of a durable room', () => {
  after(killAll);

  it('are those that are there: what was deleted does not count, in memory and on the disk', async () => {
    const directory = newStore();
    const start = () => startIdentifyingServer({ set: { ...plenty, 'store.path': directory } });
    let server = await start();
    const all = await fill(server, 'r', 40, 10);
    const moderator = new Moderator(server.url);
    const left = all.filter((_, i) => i < 5 || i % 4 === 3);
    for (const cursor of all) if (!left.includes(cursor)) assertDone(await moderator.remove('r', cursor));
    for (const when of ['before', 'after']) {
      for (const count of [1, 2, 5, 9, left.length, 1000]) {
        const expected = left.slice(-count);
        const { gap, messages } = await poll(server, 'r', `?history=${count}`);
        assert.deepEqual([gap, messages.map(({ cursor }) => cursor)], [null, expected], `history=${count} ${when} a restart`);
        const client = await JsonClient.greeted(server, '/connect');
        const page = await client.ask({ type: 'history', room: 'r', limit: count });
        assert.deepEqual(page.messages.map(({ cursor }) => cursor), expected, `limit ${count} ${when} a restart`);
        await client.close();
      }
      await server.stop();
      server = await start();
    }
    await server.stop();
  });
});

describe('a question for the history of a durable room that nobody has opened', () => {
  after(killAll);

  it('loads the room', async () => {
    const directory = newStore();
    let server = await durable(directory, { set: plenty });
    const all = await fill(server, 'r', 10, 10);
    await server.stop();
    server = await durable(directory, { set: plenty });
    const client = await JsonClient.greeted(server, '/connect');
    const asked = [{ room: 'r' }, { room: 'r', since: all[6] }, { room: 'never' }].map((what) => client.ask({ type: 'history', ...what }));
    const [whole, rest, none] = await Promise.all(asked);
    assert.deepEqual(whole.messages?.map(({ cursor }) => cursor), all, JSON.stringify(whole));
    assert.deepEqual(rest.messages.map(({ cursor }) => cursor), all.slice(7));
    assert.deepEqual(none.messages, []);
    await client.close();
    await server.stop();
  });
});
