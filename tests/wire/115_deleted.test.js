// Messages that a moderator deletes or replaces, and rooms that are cleared: what clients get of it that are there, come late, come
// back or are slow, over all transports and dialects.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertDone, keyOf, Moderator, startIdentifyingServer } from '../support/moderation.js';
import { fetchOnce } from '../support/raw_http.js';
import { parseCursor } from '../support/room_client.js';
import { openRoom, wayCalled, ways } from '../support/room_clients.js';

describe('deleted messages', () => {
  let server;
  let moderator;
  before(async () => {
    server = await startIdentifyingServer({ set: { 'history.bytes': 20_000_000, 'history.messages': 1000 } });
    moderator = new Moderator(server.url);
  });
  after(() => server.stop());

  const publish = async (room, body) => (await fetchOnce(server.url, 'POST', `/rooms/${room}`, { body, headers: { 'Content-Type': 'text/plain' } })).json.cursor;
  const before_first = (cursor) => `${parseCursor(cursor).epoch}-0`;
  const data = async (client, count) => (await client.messages(count)).map((message) => message.data);
  /** Clients that are separate processes end some time after they are asked to. */
  const open = async (way, room, options = {}) => {
    const client = await openRoom(way, server.url, room, { wait: 20, ...options });
    return { client, start: await client.start() };
  };
  /** What a client gets that comes now, and asks for everything. */
  const fromTheStart = (way, cursor) => (way.cursors ? { since: before_first(cursor) } : { history: 100 });

  for (const way of ways) {
    const name_of = (topic) => `${topic}-${ways.indexOf(way)}`;

    it(`${way.name}: a deleted message comes no more, and those who are there are notified in order`, async () => {
      const room = name_of('deleted');
      const { client } = await open(way, room);
      const cursors = [];
      for (const word of ['a', 'b', 'c']) cursors.push(await publish(room, word));
      assert.deepEqual(await data(client, 3), ['a', 'b', 'c']);
      assertDone(await moderator.remove(room, cursors[1]));
      await publish(room, 'd');
      if (!way.mute) assert.equal((await client.expect('deleted')).about, cursors[1]);
      assert.deepEqual(await data(client, 1), ['d']);
      client.close();

      const late = await open(way, room, fromTheStart(way, cursors[0]));
      assert.equal(late.start.gap, null);
      assert.deepEqual(await data(late.client, 3), ['a', 'c', 'd']);
      late.client.close();
      const last_two = await open(way, room, { history: 2 });
      assert.deepEqual(await data(last_two.client, 2), ['c', 'd']);
      last_two.client.close();
      if (!way.cursors) return;
      const resumed = await open(way, room, { since: cursors[1] });
      assert.equal(resumed.start.gap, null);
      assert.deepEqual(await data(resumed.client, 2), ['c', 'd']);
      resumed.client.close();
    });

    it(`${way.name}: a replaced message is another one in the same place`, async () => {
      const room = name_of('replaced');
      const { client } = await open(way, room);
      const cursor = await publish(room, 'bad');
      const [original] = await client.messages(1);
      assertDone(await moderator.replace(room, cursor, 'good'));
      await publish(room, 'next');
      if (!way.mute) {
        const event = await client.expect('replaced');
        assert.equal(event.about, cursor);
        assert.equal(event.data, 'good');
        assert.equal(event.from, 'moderator');
        assert.equal(event.key, 'moderator');
        if (original.object) assert.equal(JSON.parse(event.object).time, JSON.parse(original.object).time);
      }
      assert.deepEqual(await data(client, 1), ['next']);
      client.close();
      const late = await open(way, room, fromTheStart(way, cursor));
      assert.deepEqual(await data(late.client, 2), ['good', 'next']);
      late.client.close();
    });

    it(`${way.name}: a cleared room has nothing of before, and goes on`, async () => {
      const room = name_of('cleared');
      const { client } = await open(way, room);
      const first = await publish(room, 'a');
      const second = await publish(room, 'b');
      await client.messages(2);
      assertDone(await moderator.clear(room));
      const third = await publish(room, 'c');
      if (!way.mute) assert.equal((await client.expect('cleared')).about, second);
      assert.deepEqual(await data(client, 1), ['c']);
      client.close();
      const late = await open(way, room, { history: 10 });
      assert.deepEqual(await data(late.client, 1), ['c']);
      late.client.close();
      if (!way.cursors) return;
      const behind = await open(way, room, { since: first });
      assert.equal(behind.start.gap?.earliest, second);
      assert.deepEqual(await data(behind.client, 1), ['c']);
      behind.client.close();
      const at_the_end = await open(way, room, { since: second });
      assert.equal(at_the_end.start.gap, null);
      assert.equal((await at_the_end.client.message()).cursor, third);
      at_the_end.client.close();
    });
  }

  for (const name of ['WebSocket roomcast.v1', 'event stream by fetch', 'NDJSON by fetch']) {
    it(`${name}: a slow client never gets what was deleted before its turn came`, async () => {
      const way = wayCalled(name);
      const room = `slow-${ways.indexOf(way)}`;
      const filler = 'x'.repeat(60_000);
      const cursors = [];
      for (let i = 0; i < 250; i += 1) cursors.push(await publish(room, `${i} ${filler}`));
      const { client } = await open(way, room, { since: before_first(cursors[0]) });
      await client.messages(1);
      client.pause();
      assertDone(await moderator.remove(room, cursors[249]));
      assertDone(await moderator.replace(room, cursors[248], 'short'));
      await publish(room, 'last');
      client.resume();
      const got = [];
      while (got.at(-1) !== 'last') {
        const event = await client.next();
        if (event.type === 'message') got.push(event.data);
      }
      assert.equal(got.length, 249);
      assert.equal(got.at(-2), 'short');
      assert.ok(got.at(-3).startsWith('247 '));
      client.close();
    });
  }

  it('history, presence and idempotent publishing know nothing of it but the message', async () => {
    const headers = { 'Idempotency-Key': 'once', 'Content-Type': 'text/plain' };
    const post = async () => (await fetchOnce(server.url, 'POST', '/rooms/keyed', { body: 'hi', headers })).json;
    const { cursor } = await post();
    assertDone(await moderator.remove('keyed', cursor));
    const again = await post();
    assert.equal(again.cursor, cursor);
    assert.equal(again.duplicate, true);
    const poll = (await fetchOnce(server.url, 'GET', `/rooms/keyed?since=${before_first(cursor)}`)).json;
    assert.deepEqual(poll, { room: 'keyed', cursor, gap: null, messages: [] });
  });

  it('only who may moderate does, and only what there is', async () => {
    const cursor = await publish('guarded', 'mine');
    const refused = async (response) => [(await response).status, (await response).json.error.code];
    for (const act of [(who) => who.remove('guarded', cursor), (who) => who.replace('guarded', cursor, 'x'), (who) => who.clear('guarded')]) {
      assert.deepEqual(await refused(act(new Moderator(server.url, null))), [401, 'unauthorized']);
      assert.deepEqual(await refused(act(new Moderator(server.url, keyOf('ci')))), [403, 'forbidden']);
    }
    const unknown = `${parseCursor(cursor).epoch}-2`;
    const response = await moderator.remove('guarded', unknown);
    assert.equal(response.status, 404);
    assert.equal(response.json.error.code, 'not_found');
    assert.ok(response.json.error.message.includes(unknown));
    assert.deepEqual(await refused(moderator.replace('guarded', unknown, 'x')), [404, 'not_found']);
    assert.deepEqual(await refused(moderator.remove('nowhere', cursor)), [404, 'not_found']);
    assertDone(await moderator.remove('guarded', cursor));
    assert.deepEqual(await refused(moderator.remove('guarded', cursor)), [404, 'not_found']);
    assert.deepEqual(await refused(moderator.replace('guarded', cursor, 'x')), [404, 'not_found']);
  });
});
