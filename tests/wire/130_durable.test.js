// History on the disk: what is there after a clean restart, after kill -9, and what clients get of it. Publishing over every way in,
// reading over every transport.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { eventually, patience, within } from '../support/deadline.js';
import { batch, before_first, durable, epochOf, json, killAll, newStore, offsetOf, poll, post, receiptOf, text } from '../support/durable.js';
import { JsonClient } from '../support/json_client.js';
import { assertDone, Moderator, startIdentifyingServer } from '../support/moderation.js';
import { pollsOf } from '../support/polls.js';
import { openRoom, ways } from '../support/room_clients.js';
import { scratchDirectory } from '../support/scratch.js';
import { connect } from '../support/wire_client.js';

/** Publishes once over each way in; returns the receipts of those that have one. */
async function publishEveryWay(server, room) {
  const receipts = [
    await receiptOf(server, room, 'text', text, '?name=ada'),
    await receiptOf(server, room, '{"json": [1, 2.50]}', json),
    await receiptOf(server, room, Buffer.from([0, 255, 1]), { 'Content-Type': 'application/octet-stream' }),
    ...(await batch(server, [
      { room, data: 'in a batch', from: 'bob' },
      { rooms: [room, `${room}/labels`], data: { of: 'many' }, key: `${room} in a batch` },
      { room: `${room}/labels`, data: 'labelled', event: 'news', tags: { lang: 'en', 'a b': '' } },
    ])).filter((result) => result.room === room),
  ];
  const cleo = await JsonClient.greeted(server, `/rooms/${room}?name=cleo`);
  receipts.push(await cleo.ask({ type: 'publish', data: 'with a receipt', key: `${room} in roomcast.v1` }));
  await cleo.messages(1);
  const raw = await connect(server.url, { path: `/rooms/${room}?name=dan` });
  await raw.text('without one');
  await raw.expectText('without one');
  await raw.close();
  await cleo.messages(1);
  await cleo.close();
  return receipts;
}

describe('durable history', () => {
  after(killAll);

  it('is all there after a clean restart, whatever way it came in and is read', async () => {
    const directory = newStore();
    let server = await durable(directory);
    const receipts = await publishEveryWay(server, 'every-way');
    assert.deepEqual(receipts.map(({ durable: is_durable }) => is_durable), receipts.map(() => true));
    const kept = await poll(server, 'every-way');
    assert.equal(kept.messages.length, 7);
    const labelled = await poll(server, 'every-way/labels');
    assert.deepEqual(labelled.messages[1].tags, { lang: 'en', 'a b': '' });
    await server.stop();

    server = await durable(directory);
    const again = await poll(server, 'every-way');
    assert.deepEqual(again, kept);
    assert.equal(kept.gap, null);
    assert.deepEqual(await poll(server, 'every-way/labels'), labelled);
    // The whole, and from each cursor the rest.
    for (const [i, { cursor }] of kept.messages.entries()) {
      const rest = await poll(server, 'every-way', `?since=${cursor}`);
      assert.equal(rest.gap, null);
      assert.deepEqual(rest.messages, kept.messages.slice(i + 1));
    }
    for (const way of ways.filter(({ cursors }) => cursors)) {
      const client = await openRoom(way, server.url, 'every-way', { since: kept.messages[0].cursor, wait: 20 });
      assert.equal((await client.start()).gap, null, way.name);
      const got = await client.messages(6);
      assert.deepEqual(got.map(({ cursor }) => cursor), kept.messages.slice(1).map(({ cursor }) => cursor), way.name);
      client.close();
    }
    const next = await receiptOf(server, 'every-way', 'the next');
    assert.equal(next.cursor, `${epochOf(kept.cursor)}-8`, 'the log goes on');
    await server.stop();
  });

  it('has cursors that a clean restart leaves as they are, in rooms without a message too', async () => {
    const directory = newStore();
    let server = await durable(directory);
    const { cursor: never } = await poll(server, 'never-written');
    assert.equal(offsetOf(never), 0);
    const { cursor: top } = await receiptOf(server, 'written', 'x');
    for (let i = 0; i < 3; i += 1) {
      await server.stop();
      server = await durable(directory);
      for (const [room, cursor] of [['never-written', never], ['written', top]]) {
        assert.deepEqual(await poll(server, room, `?since=${cursor}`), { room, cursor, gap: null, messages: [] });
      }
    }
    const first = await receiptOf(server, 'never-written', 'x');
    assert.equal(first.cursor, `${epochOf(never)}-1`);
    await server.stop();
  });

  it('has keys that outlive a restart and a crash, over every way in', async () => {
    const directory = newStore();
    let server = await durable(directory);
    const headers = { ...text, 'Idempotency-Key': 'k' };
    const first = await receiptOf(server, 'keys', 'once', headers);
    const [second] = await batch(server, [{ room: 'keys', data: 'twice', key: 'k2' }]);
    for (const end of ['stop', 'kill']) {
      await server[end]();
      server = await durable(directory);
      const again = await receiptOf(server, 'keys', 'once', headers);
      assert.deepEqual([again.cursor, again.duplicate], [first.cursor, true], end);
      const [in_batch] = await batch(server, [{ room: 'keys', data: 'twice', key: 'k2' }]);
      assert.deepEqual([in_batch.cursor, in_batch.duplicate], [second.cursor, true], end);
      const client = await JsonClient.greeted(server, '/rooms/keys');
      const reply = await client.ask({ type: 'publish', data: 'once', key: 'k' });
      assert.deepEqual([reply.type, reply.cursor, reply.duplicate], ['ok', first.cursor, true], end);
      await client.close();
      const reused = await post(server, 'keys', 'something else', headers);
      assert.deepEqual([reused.status, reused.json.error.code], [422, 'key_reused'], end);
    }
    assert.deepEqual((await poll(server, 'keys')).messages.map(({ data }) => data), ['once', 'twice']);
    await server.stop();
  });

  it('keeps what was answered in sync rooms over kill -9, once and in order', async () => {
    const directory = newStore();
    const answered = new Map(); // room → body → cursor
    for (let round = 0; round < 5; round += 1) {
      const server = await durable(directory, { set: { 'history.messages': 100_000 } });
      let count = 0;
      const publishers = ['a', 'b', 'c', 'd'].map(async (room) => {
        for (let i = 0; server.running; i += 1) {
          const body = `${round} ${room} ${i}`;
          // The answer of the last one is lost with the server.
          const response = await post(server, room, body, { ...text, 'Idempotency-Key': body }).catch(() => null);
          if (response === null) return body;
          assert.equal(response.status, 200, response.text);
          assert.equal(response.json.durable, true);
          if (!answered.has(room)) answered.set(room, new Map());
          answered.get(room).set(body, response.json.cursor);
          count += 1;
        }
        return null;
      });
      await eventually(() => count >= 20 + 10 * round, 'answers');
      await server.kill();
      const unanswered = await Promise.all(publishers);

      const next = await durable(directory, { set: { 'history.messages': 100_000 } });
      for (const [i, room] of ['a', 'b', 'c', 'd'].entries()) {
        const body = unanswered[i];
        const repeated = body && await receiptOf(next, room, body, { ...text, 'Idempotency-Key': body });
        if (repeated) answered.get(room).set(body, repeated.cursor);
        const { messages, gap } = await poll(next, room, `?since=${before_first([...answered.get(room).values()][0])}`);
        assert.equal(gap, null);
        assert.deepEqual(messages.map(({ data, cursor }) => [data, cursor]), [...answered.get(room)]);
        assert.deepEqual(messages.map(({ cursor }) => offsetOf(cursor)), messages.map((_, at) => at + 1), 'no hole');
      }
      await next.stop();
    }
  });

  it('gives a cursor of an async room one meaning over kill -9, and tells the gap', async () => {
    const directory = newStore();
    const set = { 'history.durability': 'async', 'history.messages': 100_000 };
    const meaning = new Map(); // cursor → data
    const note = ({ cursor, data }) => {
      assert.equal(meaning.get(cursor) ?? data, data, cursor);
      meaning.set(cursor, data);
    };
    for (let round = 0; round < 5; round += 1) {
      const server = await durable(directory, { set });
      const reader = await openRoom(ways.find(({ name }) => name === 'NDJSON by fetch'), server.url, 'async', {});
      await reader.start();
      let last;
      for (let i = 0; i < 50; i += 1) {
        const receipt = await receiptOf(server, 'async', `${round} ${i}`);
        // The first waits for its offset to be reserved.
        if (i > 0) assert.equal(receipt.durable, undefined);
        last = receipt.cursor;
      }
      (await reader.messages(50)).forEach(note);
      reader.cut();
      await server.kill();

      const next = await durable(directory, { set });
      const after_it = await poll(next, 'async', `?since=${last}`);
      assert.equal(epochOf(after_it.cursor), epochOf(last), 'the room goes on');
      const { cursor } = await receiptOf(next, 'async', `${round} after`);
      assert.ok(offsetOf(cursor) > offsetOf(last), `${cursor} after ${last}`);
      note({ cursor, data: `${round} after` });
      const all = await poll(next, 'async');
      all.messages.forEach(note);
      // Who had the last message is told of the gap unless it is on the disk and nothing is missing after it.
      const resumed = await poll(next, 'async', `?since=${last}`);
      const is_whole = offsetOf(cursor) === offsetOf(last) + 1;
      assert.equal(resumed.gap === null, is_whole, JSON.stringify(resumed));
      await next.stop();
    }
  });

  it('keeps everything of an async room over a clean restart', async () => {
    const directory = newStore();
    const set = { 'history.durability': 'async' };
    let server = await durable(directory, { set });
    for (let i = 0; i < 20; i += 1) await receiptOf(server, 'async', `${i}`);
    const kept = await poll(server, 'async');
    await server.stop();
    server = await durable(directory, { set });
    assert.deepEqual(await poll(server, 'async'), kept);
    const { cursor } = await receiptOf(server, 'async', 'next');
    assert.equal(offsetOf(cursor), 21, 'no offset is skipped');
    await server.stop();
  });

  it('differs by room, and keeps nothing where it is none', async () => {
    const directory = newStore();
    const config = path.join(scratchDirectory({ 'roomcast.toml': '[[rooms]]\nmatch = "volatile/**"\nhistory_durability = "none"\n' }), 'roomcast.toml');
    let server = await durable(directory, { args: ['--config', config] });
    const lost = await receiptOf(server, 'volatile/a', 'x');
    const kept = await receiptOf(server, 'a', 'x');
    assert.deepEqual([lost.durable, kept.durable], [undefined, true]);
    await server.stop();
    server = await durable(directory, { args: ['--config', config] });
    const { gap, messages } = await poll(server, 'volatile/a', `?since=${before_first(lost.cursor)}`);
    assert.notEqual(gap, null);
    assert.deepEqual(messages, []);
    assert.equal((await poll(server, 'a')).messages.length, 1);
    await server.stop();
  });

  it('remembers what was deleted, replaced and cleared', async () => {
    const directory = newStore();
    const start = startIdentifyingServer;
    let server = await durable(directory, { start });
    let moderator = new Moderator(server.url);
    const cursors = [];
    for (const word of ['a', 'b', 'c', 'd']) cursors.push((await receiptOf(server, 'amended', word)).cursor);
    const { cursor: cleared } = await receiptOf(server, 'cleared', 'x');
    assertDone(await moderator.remove('amended', cursors[1]));
    assertDone(await moderator.replace('amended', cursors[2], 'another'));
    assertDone(await moderator.clear('cleared'));
    const expected = [['a', cursors[0]], ['another', cursors[2]], ['d', cursors[3]]];
    for (const end of ['stop', 'kill', 'stop']) {
      await server[end]();
      server = await durable(directory, { start });
      moderator = new Moderator(server.url);
      const { messages, gap } = await poll(server, 'amended', `?since=${before_first(cursors[0])}`);
      assert.equal(gap, null);
      assert.deepEqual(messages.map(({ data, cursor }) => [data, cursor]), expected, end);
      const empty = await poll(server, 'cleared', `?since=${cleared}`);
      assert.deepEqual([empty.messages, empty.gap, empty.cursor], [[], null, cleared], end);
      assert.deepEqual((await poll(server, 'cleared')).messages, [], end);
    }
    // What is on the disk, and no longer in memory, can be amended too.
    assertDone(await moderator.remove('amended', cursors[0]));
    assert.equal((await moderator.remove('amended', `${epochOf(cursors[0])}-99`)).status, 404);
    assert.deepEqual((await poll(server, 'amended')).messages.map(({ data }) => data), ['another', 'd']);
    await server.stop();
  });

  it('is not bounded by what a room has in memory', async () => {
    const directory = newStore();
    const set = { 'history.messages': 1000, 'store.ring_messages': 10 };
    let server = await durable(directory, { set });
    const words = Array.from({ length: 300 }, (_, i) => `word ${i}`);
    const cursors = await pollsOf(server.url).publishAll('long', words);
    for (const round of ['before', 'after']) {
      for (const way of ways.filter(({ cursors: has_cursors, process }) => has_cursors && !process)) {
        const client = await openRoom(way, server.url, 'long', { since: before_first(cursors[0]), wait: 20 });
        assert.equal((await client.start()).gap, null, way.name);
        assert.deepEqual((await client.messages(300)).map(({ cursor }) => cursor), cursors, `${way.name} ${round}`);
        client.close();
      }
      const { messages } = await poll(server, 'long', '?history=200');
      assert.deepEqual(messages.map(({ data }) => data), words.slice(-200), round);
      if (round === 'after') break;
      await server.stop();
      server = await durable(directory, { set });
    }
    await server.stop();
  });

  it('has the bounds of history.*, over a restart too', async () => {
    const directory = newStore();
    let server = await durable(directory, { set: { 'history.messages': 5 } });
    const cursors = await pollsOf(server.url).publishAll('bounded', ['1', '2', '3', '4', '5', '6', '7']);
    for (const messages of [5, 3]) {
      await server.stop();
      server = await durable(directory, { set: { 'history.messages': messages } });
      const all = await poll(server, 'bounded');
      assert.deepEqual(all.messages.map(({ cursor }) => cursor), cursors.slice(-messages));
      const resumed = await poll(server, 'bounded', `?since=${cursors[0]}`);
      assert.equal(resumed.gap.earliest, cursors.at(-messages - 1));
    }
    await server.stop();
  });

  it('ends cleanly while messages come in, and loses none that was answered', async () => {
    const directory = newStore();
    let server = await durable(directory, { set: { 'history.messages': 100_000, drain_seconds: 1 } });
    const answered = [];
    const publishing = (async () => {
      for (let i = 0; ; i += 1) {
        const response = await post(server, 'draining', `${i}`).catch(() => null);
        if (response?.status !== 200) return;
        answered.push(response.json.cursor);
      }
    })();
    await eventually(() => answered.length > 20, 'some answers');
    await server.stop();
    await within(patience, publishing, 'the last answer');
    server = await durable(directory, { set: { 'history.messages': 100_000 } });
    const { messages } = await poll(server, 'draining');
    assert.deepEqual(answered.filter((cursor) => !messages.some((one) => one.cursor === cursor)), []);
    assert.doesNotMatch(server.log(), /unclean|not closed/i);
    await server.stop();
  });
});
