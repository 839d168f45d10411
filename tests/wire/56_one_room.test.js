// One room is the same for every client: one suite for all transports and dialects. Same messages, order and cursors,
// same position after a reconnect, same gaps, however the messages were published.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { eventually } from '../support/deadline.js';
import { assertPayload, publications, publish, publishers } from '../support/publications.js';
import { parseCursor } from '../support/room_client.js';
import { openRoom, roomUrl, ways } from '../support/room_clients.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';

const { certificate, key } = makeCertificate(scratchDirectory(), 'localhost', ['localhost', '127.0.0.1']);
const kept = 40;
const server = await startServer({
  listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'],
  set: { 'tls.certificate': certificate, 'tls.key': key, 'history.messages': kept },
});
// Retains messages for a moment only.
const forgetful = await startServer({ set: { 'history.age_seconds': 0.5 } });
after(() => Promise.all([server.stop(), forgetful.stop()]));

const text = (body) => ({ kind: 'text', body });
const slug = (name) => name.replace(/[^A-Za-z0-9.]+/g, '-');

/** Publishes `count` texts, "0", "1" …; returns all cursors, beginning with the one before the first. */
async function fill(url, room, count) {
  const cursors = [];
  for (let i = 0; i < count; i += 1) cursors.push((await publish(url, room, text(`${i}`))).cursor);
  const { epoch, offset } = parseCursor(cursors[0]);
  return [`${epoch}-${offset - 1}`, ...cursors];
}

/** The next payloads of a client. */
const payloads = async (client, count) => (await client.messages(count)).map(({ data }) => data);
const numbers = (from, to) => Array.from({ length: to - from }, (_, i) => `${from + i}`);

/** The client is at the room's newest position: a message published now is the next one it receives. */
async function expectLive(client, url, what) {
  const { cursor } = await publish(url, client.room, text(what));
  const message = await client.message();
  assert.equal(message.data, what);
  if (client.way.cursors) assert.equal(message.cursor, cursor);
}

/** All clients receive the same next message. */
async function hearSame(clients, publication, receipt, what) {
  const objects = new Set();
  for (const client of clients) {
    const message = await client.message();
    assertPayload(message.data, publication, client.way, what);
    if (client.way.cursors && receipt) assert.equal(message.cursor, receipt.cursor, client.way.name);
    if (message.object) objects.add(message.object);
  }
  assert.ok(objects.size <= 1, `one message in several forms:\n${[...objects].join('\n')}`);
}

async function openAll(url, room, options) {
  const clients = await Promise.all(ways.map((way) => openRoom(way, url, room, options)));
  const starts = await Promise.all(clients.map((client) => client.start()));
  return { clients, starts };
}

for (const scheme of ['http:', 'https:']) {
  describe(`all clients in one room over ${scheme}`, () => {
    const url = server.urlOf(scheme);

    for (const { name, publish: publishBy, can, process: child } of publishers) {
      it(`messages published by ${name} are the same for all`, async () => {
        const { clients } = await openAll(url, `all/${slug(name)}`);
        const chosen = Object.entries(publications).filter(([, one], i) => can(one) && (!child || i % 4 === 0));
        for (const [what, publication] of chosen) {
          const receipt = await publishBy(url, `all/${slug(name)}`, publication);
          await hearSame(clients, publication, receipt, what);
        }
        clients.forEach((client) => client.close());
      });
    }

    it('all clients begin at the same cursor', async () => {
      const { cursor } = await publish(url, 'begin', text('before'));
      const { clients, starts } = await openAll(url, 'begin');
      for (const [i, start] of starts.entries()) if (ways[i].cursors) assert.deepEqual(start, { cursor, gap: null }, ways[i].name);
      clients.forEach((client) => client.close());
    });

    it('many publishers at once produce one order', async () => {
      const { clients } = await openAll(url, 'order');
      // Fewer than are retained: otherwise a poll could miss some, and report it.
      const sent = Array.from({ length: 36 }, (_, i) => publishers[[0, 3, 4, 5][i % 4]].publish(url, 'order', text(`m${i}`)));
      // Publishers that subscribe receive each other's messages; only the receipts are awaited.
      const receipts = (await Promise.allSettled(sent)).filter(({ status }) => status === 'fulfilled').map(({ value }) => value?.cursor);
      const received = await Promise.all(clients.map((client) => payloads(client, 36)));
      assert.equal(new Set(received[0]).size, 36);
      received.forEach((one, i) => assert.deepEqual(one, received[0], ways[i].name));
      assert.ok(receipts.length >= 18);
      const { cursor } = clients.find(({ way }) => way.cursors);
      clients.filter(({ way }) => way.cursors).forEach((client) => assert.equal(client.cursor, cursor, client.way.name));
      clients.forEach((client) => client.close());
    });
  });
}

describe('each transport and dialect', { concurrency: 6 }, () => {
  for (const way of ways) {
    const at = (room) => `${room}/${slug(way.name)}`;
    const { url } = server;
    const open = (room, options, target = url) => openRoom(way, target, at(room), options);

    describe(way.name, { concurrency: 4 }, () => {
      // Not applicable without cursors.
      const itHasCursors = way.cursors ? it : () => {};

      it('history=N returns the last N first, then new messages', async () => {
        await fill(url, at('history'), 5);
        for (const [history, wanted] of [[undefined, []], [0, []], [1, ['4']], [3, ['2', '3', '4']], [5, numbers(0, 5)], [1000, numbers(0, 5)]]) {
          const room = at('history');
          const client = await open('history', { history });
          await client.start();
          assert.deepEqual(await payloads(client, wanted.length), wanted, `history=${history}`);
          client.close();
          assert.equal(client.room, room);
        }
        const client = await open('history', { history: 2 });
        await client.start();
        await client.messages(2);
        await expectLive(client, url, 'live');
        client.close();
      });

      it('since returns the messages after it', async () => {
        const cursors = await fill(url, at('since'), 5);
        for (const [i, since] of cursors.entries()) {
          const client = await open('since', { since });
          const { gap, cursor } = await client.start();
          assert.equal(gap, null);
          if (way.cursors) assert.equal(cursor, since);
          assert.deepEqual(await payloads(client, 5 - i), numbers(i, 5));
          client.close();
        }
        const client = await open('since', { since: cursors[2] });
        await client.start();
        await client.messages(3);
        await expectLive(client, url, 'live');
        client.close();
      });

      it('since an unknown cursor is a gap, followed by the retained messages', async () => {
        const cursors = await fill(url, at('evicted'), kept + 5);
        const { epoch } = parseCursor(cursors[0]);
        const earliest = cursors[5];
        const notProvable = { 'the beginning': cursors[0], 'the last that is not kept': cursors[4], 'the future': `${epoch}-${kept + 6}`, 'the far future': `${epoch}-18446744073709551615`, 'another epoch': `${'0'.repeat(16)}-${kept + 5}` };
        for (const [what, since] of Object.entries(notProvable)) await expectGap(since, what);
        const last = await open('evicted', { since: earliest });
        assert.equal((await last.start()).gap, null);
        assert.deepEqual(await payloads(last, kept), numbers(5, kept + 5));
        last.close();

        async function expectGap(since, what) {
          const client = await open('evicted', { since });
          if (!way.cursors) {
            assert.equal((await client.expect('joined')).cursor, undefined);
            assert.equal((await client.expect('gap', what)).earliest, earliest);
            assert.equal((await client.expect('end')).code, 4410);
            return;
          }
          const { gap } = await client.start();
          assert.equal(gap?.cursor, earliest, what);
          assert.equal(gap.earliest, earliest, what);
          assert.deepEqual(await payloads(client, kept), numbers(5, kept + 5));
          await client.close();
        }
      });

      itHasCursors('after a gap, history=N gives only the last N', async () => {
        const cursors = await fill(url, at('gap-history'), kept + 5);
        for (const [history, from] of [[0, kept + 5], [2, kept + 3], [1000, 5]]) {
          const client = await open('gap-history', { since: cursors[1], history });
          const { gap } = await client.start();
          assert.deepEqual([gap?.cursor, gap?.earliest], [cursors[from], cursors[5]], `history=${history}`);
          assert.deepEqual(await payloads(client, kept + 5 - from), numbers(from, kept + 5));
          client.close();
        }
      });

      it('messages past their age are evicted, and reported as missed', async () => {
        const room = at('aged');
        // One member is present all the time, so that the room is not removed.
        const witness = await openRoom(ways[0], forgetful.url, room);
        await witness.start();
        const cursors = await fill(forgetful.url, room, 3);
        await eventually(async () => (await (await fetch(roomUrl(forgetful.url, room, { since: cursors[1], wait: 0 }))).json()).gap?.earliest === cursors[3], 'their age');
        const client = await openRoom(way, forgetful.url, room, { since: cursors[1] });
        if (way.cursors) assert.deepEqual(await client.start(), { cursor: cursors[3], gap: { type: 'gap', cursor: cursors[3], earliest: cursors[3] } });
        else assert.equal((await client.expect('joined') && await client.expect('gap')).earliest, cursors[3]);
        client.close();
        const upToDate = await openRoom(way, forgetful.url, room, { since: cursors[3] });
        assert.equal((await upToDate.start()).gap, null);
        await expectLive(upToDate, forgetful.url, 'live');
        upToDate.close();
        witness.close();
      });

      itHasCursors('an empty room has a cursor, and who is cut there misses nothing', async () => {
        const first = await open('empty');
        const { cursor, gap } = await first.start();
        assert.equal(gap, null);
        first.cut();
        await fill(url, at('empty'), 2);
        const second = await open('empty', { since: cursor });
        assert.deepEqual(await second.start(), { cursor, gap: null });
        assert.deepEqual(await payloads(second, 2), numbers(0, 2));
        second.close();
      });

      itHasCursors('cut again and again, it gets each message once', async () => {
        const got = [];
        let since;
        for (let round = 0; round < 5; round += 1) {
          const client = await open('cut', { since });
          assert.equal((await client.start()).gap, null);
          for (let i = 0; i < 4; i += 1) await publish(url, at('cut'), text(`${round * 6 + i}`));
          // The last message may have arrived unread: it counts as lost on the way.
          while (got.length < round * 6 + 3) got.push((await client.message()).data);
          client.cut();
          since = client.cursor;
          for (let i = 4; i < 6; i += 1) await publish(url, at('cut'), text(`${round * 6 + i}`));
        }
        const client = await open('cut', { since });
        assert.equal((await client.start()).gap, null);
        while (got.length < 30) got.push((await client.message()).data);
        assert.deepEqual(got, numbers(0, 30));
        client.close();
      });

      itHasCursors('a history of many pages comes whole', async () => {
        const { epoch } = parseCursor((await publish(url, at('pages'), text('first'))).cursor);
        const body = Buffer.alloc(40_000, 'p');
        for (let i = 0; i < 12; i += 1) await publish(url, at('pages'), { kind: 'binary', body: Buffer.concat([Buffer.from([i]), body]) });
        const client = await open('pages', { since: `${epoch}-0` });
        assert.equal((await client.start()).gap, null);
        assert.equal((await client.message()).data, 'first');
        for (let i = 0; i < 12; i += 1) assert.equal((await client.message()).data[0], i);
        await expectLive(client, url, 'live');
        client.close();
      });
    });
  }

  it('Last-Event-ID resumes and has precedence over since; an invalid one is a gap if there is no since', async () => {
    const cursors = await fill(server.url, 'last-event-id', 3);
    for (const way of ways.filter(({ name }) => /by fetch|^(long|short) poll/.test(name))) {
      const start = async (lastEventId, since) => {
        const client = await openRoom(way, server.url, 'last-event-id', { since, headers: { 'Last-Event-ID': lastEventId } });
        const { gap, cursor } = await client.start();
        client.close();
        return { gap: gap !== null, cursor };
      };
      assert.deepEqual(await start(cursors[1]), { gap: false, cursor: cursors[1] }, way.name);
      assert.deepEqual(await start(cursors[1], cursors[0]), { gap: false, cursor: cursors[1] }, way.name);
      assert.deepEqual(await start('rubbish', cursors[1]), { gap: false, cursor: cursors[1] }, way.name);
      assert.deepEqual(await start('rubbish'), { gap: true, cursor: cursors[0] }, way.name);
    }
  });
});

describe('a restart', () => {
  it('is a gap for every earlier cursor, over any transport', async () => {
    const first = await startServer();
    const { clients } = await openAll(first.url, 'restart');
    await publish(first.url, 'restart', text('before'));
    for (const client of clients) await client.message();
    await first.stop();
    for (const client of clients) {
      const { code } = await client.expect('end');
      if (!/poll/.test(client.way.name)) assert.equal(code, 1012, client.way.name);
    }
    const second = await startServer();
    const { cursor: earliest } = await publish(second.url, 'restart', text('after'));
    const begin = `${parseCursor(earliest).epoch}-0`;
    for (const { way, cursor } of clients.filter((client) => client.way.cursors)) {
      const client = await openRoom(way, second.url, 'restart', { since: cursor });
      const { gap } = await client.start();
      assert.equal(gap?.cursor, begin, way.name);
      assert.equal((await client.message()).data, 'after');
      client.close();
    }
    await second.stop();
  });
});
