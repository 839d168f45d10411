// roomcast.v1: many rooms over one connection, and their history.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { eventually } from '../support/deadline.js';
import { JsonClient } from '../support/json_client.js';
import { fetchOnce } from '../support/raw_http.js';
import { startServer } from '../support/server.js';

const server = await startServer();
const small = await startServer({ set: { 'limits.rooms_per_connection': 3 } });

const post = (room, body) => fetchOnce(server.url, 'POST', `/rooms/${room}`, { body, headers: { 'Content-Type': 'text/plain' } });
const cursorForm = /^[0-9a-f]{16}-[0-9]+$/;
const elsewhere = '00000000000000aa-5'; // a cursor of a log that never existed

/** Separate rooms for each test. */
let rooms = 0;
const newRoom = () => `json/${(rooms += 1)}`;
const greeted = (room, query = '') => JsonClient.greeted(server, `/rooms/${room}${query}`);
const connected = (options) => JsonClient.greeted(server, '/connect', options);

async function publishAll(client, room, values) {
  for (const data of values) assert.equal((await client.ask({ type: 'publish', room, data })).type, 'ok');
}

describe('roomcast.v1 rooms', () => {
  after(async () => {
    await server.stop();
    await small.stop();
  });

  describe('many rooms', () => {
    it('are joined, published to and left over one connection', async () => {
      const [a, b] = [newRoom(), newRoom()];
      const client = await connected();
      const joined = await client.ask({ type: 'subscribe', room: a });
      assert.deepEqual(joined, { type: 'ok', id: 'ask 1', room: a, cursor: joined.cursor });
      assert.match(joined.cursor, cursorForm);
      await client.ask({ type: 'subscribe', room: b });
      await post(a, 'in a');
      await post(b, 'in b');
      assert.deepEqual((await client.messages(2)).map(({ room, data }) => [room, data]).sort(), [[a, 'in a'], [b, 'in b']]);
      assert.deepEqual(await client.ask({ type: 'unsubscribe', room: a }), { type: 'ok', id: 'ask 3', room: a });
      assert.equal((await post(a, 'unheard')).json.subscribers, 0);
      assert.equal((await post(b, 'received')).json.subscribers, 1);
      assert.equal((await client.messages(1))[0].data, 'received');
      assert.deepEqual(client.unread, []);
      await client.close();
    });

    it('a subscribe and an unsubscribe without id get no reply', async () => {
      const room = newRoom();
      const client = await connected();
      client.send({ type: 'subscribe', room });
      await client.ask({ type: 'ping' });
      assert.equal((await post(room, 'x')).json.subscribers, 1);
      await client.messages(1);
      client.send({ type: 'unsubscribe', room });
      await client.ask({ type: 'ping' });
      assert.equal((await post(room, 'y')).json.subscribers, 0);
      assert.deepEqual(client.unread, []);
      await client.close();
    });

    it('the default room is that of the connection, also when it was left in between', async () => {
      const room = newRoom();
      const client = await greeted(room);
      assert.equal((await client.ask({ type: 'subscribe' })).code, 'already_subscribed');
      assert.equal((await client.ask({ type: 'publish', data: 1 })).room, room);
      assert.equal((await client.ask({ type: 'presence' })).room, room);
      assert.equal((await client.ask({ type: 'history', limit: 1 })).messages[0].data, 1);
      await client.messages(1);
      assert.equal((await client.ask({ type: 'unsubscribe' })).room, room);
      assert.equal((await client.ask({ type: 'unsubscribe' })).code, 'not_subscribed');
      assert.equal((await client.ask({ type: 'publish', data: 2 })).subscribers, 0);
      assert.equal((await client.ask({ type: 'subscribe', since: client.ok.cursor })).room, room);
      assert.deepEqual((await client.messages(2)).map(({ data }) => data), [1, 2]);
      await client.close();
    });

    it('on a connection without a room it is required', async () => {
      const client = await connected();
      for (const request of [{ type: 'subscribe' }, { type: 'unsubscribe' }, { type: 'publish', data: 1 }, { type: 'presence' }, { type: 'history' }]) {
        const error = await client.ask(request);
        assert.equal(error.code, 'bad_request');
        assert.match(error.message, /room/);
      }
      await client.close();
    });

    it('every id is answered, also that of a subscribe followed at once by an unsubscribe', async () => {
      const room = newRoom();
      const client = await connected();
      client.send({ type: 'subscribe', id: 1, room });
      client.send({ type: 'subscribe', id: 2, room });
      client.send({ type: 'unsubscribe', id: 3, room });
      const replies = [await client.next(), await client.next(), await client.next()];
      const answered = replies.map(({ id }) => id).sort();
      assert.deepEqual(answered, [1, 2, 3]);
      assert.equal(replies.find(({ id }) => id === 2).code, 'already_subscribed');
      assert.equal(replies.find(({ id }) => id === 3).type, 'ok');
      assert.equal((await post(room, 'x')).json.subscribers, 0);
      await client.close();
    });

    it('limits.rooms_per_connection: so many and not one more, including the connection\'s own', async () => {
      for (const [path, free] of [['/connect', 3], ['/rooms/own', 2]]) {
        const client = await JsonClient.greeted(small, path);
        for (let i = 0; i < free; i += 1) assert.equal((await client.ask({ type: 'subscribe', room: `r${i}` })).type, 'ok');
        const error = await client.ask({ type: 'subscribe', room: 'one more' });
        assert.equal(error.code, 'too_many_rooms');
        assert.match(error.message, /limits\.rooms_per_connection/);
        await client.ask({ type: 'unsubscribe', room: 'r0' });
        assert.equal((await client.ask({ type: 'subscribe', room: 'one more' })).type, 'ok');
        await client.close();
      }
    });

    it('all rooms are left when the connection ends', async () => {
      const list = Array.from({ length: 20 }, newRoom);
      const client = await connected();
      await Promise.all(list.map((room) => client.ask({ type: 'subscribe', room })));
      client.socket.terminate();
      for (const room of list) await eventually(async () => (await post(room, 'x')).json.subscribers === 0, `${room} left`);
    });
  });

  describe('resuming', () => {
    it('since returns everything after it, behind the ok', async () => {
      const room = newRoom();
      const client = await connected();
      const { cursor } = await client.ask({ type: 'publish', room, data: 0 });
      await publishAll(client, room, [1, 2, 3]);
      const ok = await client.ask({ type: 'subscribe', room, since: cursor });
      assert.equal(ok.cursor, cursor);
      await publishAll(client, room, [4]);
      assert.deepEqual((await client.messages(4)).map(({ data }) => data), [1, 2, 3, 4]);
      const kinds = client.texts.map((text) => JSON.parse(text)).filter(({ room: one, id }) => one === room && (id === ok.id || id === undefined));
      assert.equal(kinds[0].id, ok.id, 'a message before the ok');
      await client.close();
    });

    it('history returns the last messages', async () => {
      const room = newRoom();
      const client = await connected();
      await publishAll(client, room, [1, 2, 3]);
      await client.ask({ type: 'subscribe', room, history: 2 });
      assert.deepEqual((await client.messages(2)).map(({ data }) => data), [2, 3]);
      await client.close();
      const direct = await JsonClient.greeted(server, `/rooms/${room}?history=1`);
      assert.equal((await direct.messages(1))[0].data, 3);
      await direct.close();
    });

    it('an unknown cursor: ok, then the gap, then all retained messages', async () => {
      const room = newRoom();
      const client = await connected();
      await publishAll(client, room, [1, 2, 3]);
      client.send({ type: 'subscribe', id: 1, room, since: elsewhere });
      const [ok, gap] = [await client.next(), await client.next()];
      assert.equal(ok.id, 1);
      assert.deepEqual(gap, { type: 'gap', room, cursor: ok.cursor, earliest: ok.cursor });
      assert.deepEqual((await client.messages(3)).map(({ data }) => data), [1, 2, 3]);
      await client.ask({ type: 'unsubscribe', room });
      client.send({ type: 'subscribe', room, since: elsewhere, history: 1 });
      const silent = await client.next();
      assert.equal(silent.type, 'gap', 'a gap is said without an id too');
      assert.notEqual(silent.cursor, silent.earliest);
      assert.deepEqual((await client.messages(1)).map(({ data }) => data), [3]);
      await client.close();
    });

    it('the same on the URL', async () => {
      const room = newRoom();
      await post(room, 'kept');
      const client = await JsonClient.greeted(server, `/rooms/${room}?since=${elsewhere}`);
      assert.equal(client.ok.type, 'ok');
      assert.equal((await client.next()).type, 'gap');
      assert.equal((await client.next()).data, 'kept');
      await client.close();
    });

    it('long histories of many rooms at once arrive whole and in order', async () => {
      const list = Array.from({ length: 8 }, newRoom);
      const blob = 'b'.repeat(50000);
      const client = await connected();
      for (const room of list) for (let i = 0; i < 15; i += 1) assert.equal((await post(room, `${i} ${blob}`)).status, 200);
      for (const room of list) client.send({ type: 'subscribe', room, history: 100 });
      const received = new Map(list.map((room) => [room, []]));
      for (const { room, data } of await client.messages(8 * 15)) received.get(room).push(Number(data.split(' ')[0]));
      for (const numbers of received.values()) assert.deepEqual(numbers, Array.from({ length: 15 }, (_, i) => i));
      await post(list[3], 'live');
      assert.equal((await client.messages(1))[0].data, 'live');
      await client.close();
    });
  });

  describe('history', () => {
    it('is read in pages', async () => {
      const room = newRoom();
      const client = await connected();
      const { cursor } = await client.ask({ type: 'publish', room, data: 0 });
      await publishAll(client, room, [1, 2, 3]);
      const read = async (request) => {
        const reply = await client.ask({ type: 'history', room, ...request });
        assert.deepEqual(Object.keys(reply), ['type', 'id', 'room', 'cursor', 'gap', 'messages', 'more']);
        return reply;
      };
      const data = ({ messages }) => messages.map((message) => message.data);
      const all = await read({});
      assert.deepEqual([data(all), all.more, all.gap], [[0, 1, 2, 3], false, null]);
      assert.equal(all.cursor, all.messages[3].cursor);
      assert.deepEqual(data(await read({ limit: 2 })), [2, 3]);
      const first = await read({ since: cursor, limit: 2 });
      assert.deepEqual([data(first), first.more, first.cursor], [[1, 2], true, first.messages[1].cursor]);
      const second = await read({ since: first.cursor });
      assert.deepEqual([data(second), second.more], [[3], false]);
      const none = await read({ since: second.cursor });
      assert.deepEqual([data(none), none.more, none.cursor], [[], false, second.cursor]);
      assert.deepEqual(data(await read({ limit: 0 })), []);
      const lost = await read({ since: elsewhere, limit: 1 });
      assert.deepEqual([data(lost), lost.more], [[0], true]);
      assert.deepEqual(Object.keys(lost.gap), ['cursor', 'earliest']);
      await client.close();
    });

    for (const perMessageDeflate of [true, false]) {
      it(`a page holds at most 128 KiB; a client that requests many at once waits and is not closed (compressed: ${perMessageDeflate})`, async () => {
        const room = newRoom();
        const client = await connected({ perMessageDeflate });
        for (let i = 0; i < 9; i += 1) await post(room, 'p'.repeat(40000));
        const { cursor } = await client.ask({ type: 'history', room, limit: 0 });
        for (let id = 0; id < 300; id += 1) client.send({ type: 'history', id, room });
        for (let id = 0; id < 300; id += 1) {
          const page = await client.next();
          assert.equal(page.id, id);
          assert.deepEqual([page.messages.length, page.more], [3, true]);
          assert.notEqual(page.cursor, cursor);
        }
        await client.close();
      });
    }

    it('of an unknown room is empty, with a cursor', async () => {
      const client = await connected();
      const page = await client.ask({ type: 'history', room: newRoom() });
      assert.deepEqual([page.messages, page.more, page.gap], [[], false, null]);
      assert.match(page.cursor, cursorForm);
      await client.close();
    });
  });
});
