// roomcast.v1: requests and replies as JSON. Its rooms and their history are in 45_json_rooms.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { METRICS } from '../support/contract.js';
import { JsonClient } from '../support/json_client.js';
import { HttpConnection, errorMessage, fetchOnce } from '../support/raw_http.js';
import { startServer } from '../support/server.js';
import { connect, refusal } from '../support/wire_client.js';
import { CLOSE, PING, TEXT, close } from '../support/ws_frames.js';

const server = await startServer();
const small = await startServer({ set: { 'limits.rooms_per_connection': 3, 'limits.message_bytes': 1000, 'websocket.ping_seconds': 7.5 } });

const v1 = (path, options) => connect(server.url, { path, headers: { 'Sec-WebSocket-Protocol': 'roomcast.v1' }, ...options });
const post = (room, body, type = 'text/plain') => fetchOnce(server.url, 'POST', `/rooms/${room}`, { body, headers: { 'Content-Type': type } });
const cursorForm = /^[0-9a-f]{16}-[0-9]+$/;

/** Separate rooms for each test. */
let rooms = 0;
const newRoom = () => `json/${(rooms += 1)}`;
const greeted = (room, query = '') => JsonClient.greeted(server, `/rooms/${room}${query}`);
const connected = (options) => JsonClient.greeted(server, '/connect', options);

describe('roomcast.v1', () => {
  after(async () => {
    await server.stop();
    await small.stop();
  });

  describe('the handshake', () => {
    it('welcome comes first, then the room with its cursor', async () => {
      const room = newRoom();
      const client = await JsonClient.open(server, `/rooms/${room}`);
      assert.equal(client.socket.protocol, 'roomcast.v1');
      const welcome = await client.next();
      assert.deepEqual(welcome, { type: 'welcome', client: welcome.client, ping_ms: 25000, limits: { message_bytes: 65536, rooms: 100 } });
      assert.match(welcome.client, /^[0-9a-f]{32}$/);
      const ok = await client.next();
      assert.deepEqual(ok, { type: 'ok', room, cursor: ok.cursor });
      assert.match(ok.cursor, cursorForm);
      await client.close();
    });

    it('the welcome contains the configured limits, and no two clients have the same name', async () => {
      const clients = await Promise.all(Array.from({ length: 5 }, () => JsonClient.greeted(small, '/connect')));
      for (const { welcome } of clients) {
        assert.equal(welcome.ping_ms, 7500);
        assert.deepEqual(welcome.limits, { message_bytes: 1000, rooms: 3 });
      }
      assert.equal(new Set(clients.map(({ welcome }) => welcome.client)).size, 5);
      await Promise.all(clients.map((client) => client.close()));
    });

    it('event and tags of a message reach every client of the dialect, streams and polls, and no raw one', async () => {
      const room = newRoom();
      const raw = await connect(server.url, { path: `/rooms/${room}` });
      const client = await greeted(room);
      const other = await greeted(room);
      const labels = { event: 'reading', tags: { unit: '°C', sensor: '7' } };
      const { cursor } = await client.ask({ type: 'publish', data: 21.5, ...labels });
      const message = await other.next();
      assert.deepEqual(message, { type: 'message', room, cursor, time: message.time, from: null, ...labels, data: 21.5 });
      assert.equal((await raw.nextText()), '21.5');
      const page = await other.ask({ type: 'history', room });
      assert.deepEqual(page.messages, [message]);
      const poll = await fetchOnce(server.url, 'GET', `/rooms/${room}?transport=poll&history=1`);
      assert.deepEqual(poll.json.messages, [message]);
      for (const wrong of [{ event: '' }, { event: 'e'.repeat(65) }, { event: 1 }, { tags: { a: 1 } }, { tags: ['a'] }]) {
        const refused = await client.ask({ type: 'publish', data: 1, ...wrong });
        assert.equal(refused.code, 'bad_request', JSON.stringify(wrong));
      }
      raw.destroy();
      await client.close();
      await other.close();
    });

    it('/connect is in no room', async () => {
      const client = await connected();
      assert.deepEqual(await client.ask({ type: 'ping' }), { type: 'ok', id: 'ask 1' });
      assert.deepEqual(client.unread, []);
      await client.close();
    });

    it('/connect without the subprotocol is refused with its name', async () => {
      for (const headers of [{}, { 'Sec-WebSocket-Protocol': 'roomcast.raw.v1' }]) {
        const response = await refusal(server.url, { path: '/connect', headers });
        assert.match(errorMessage(response, 400), /roomcast\.v1/);
        assert.equal(response.json.error.code, 'bad_subprotocol');
      }
      assert.equal((await fetchOnce(server.url, 'GET', '/connect')).status, 426);
    });

    it('/connect is refused to pages of other origins', async () => {
      const headers = { Origin: 'https://evil.example', 'Sec-WebSocket-Protocol': 'roomcast.v1' };
      assert.equal((await refusal(server.url, { path: '/connect', headers })).status, 403);
    });

    it('in the same room a raw client gets payloads only, a JSON client objects', async () => {
      const room = newRoom();
      const raw = await connect(server.url, { path: `/rooms/${room}` });
      const client = await greeted(room);
      await raw.text('from raw');
      assert.equal((await client.next()).data, 'from raw');
      await raw.expectText('from raw');
      client.send({ type: 'publish', data: { a: 1 } });
      await raw.expectText('{"a":1}');
      await raw.close();
      await client.close();
    });
  });

  describe('ids', () => {
    for (const id of ['1e2', '"a\\u0041"', '-0.5', '0', '""', '"\\ud800"', `"${'i'.repeat(62)}"`]) {
      it(`${id.slice(0, 20)} is returned byte for byte`, async () => {
        const client = await connected();
        client.send(`{"type":"ping","id":${id}}`);
        await client.next();
        assert.equal(client.texts.at(-1), `{"type":"ok","id":${id}}`);
        client.send(`{"type":"nonsense","id":${id}}`);
        await client.next();
        assert.ok(client.texts.at(-1).startsWith(`{"type":"error","id":${id},"code":"unknown_type",`));
        await client.close();
      });
    }

    it('one of 65 bytes, true and an object are refused', async () => {
      const client = await connected();
      for (const id of [`"${'i'.repeat(63)}"`, 'true', '{}']) {
        client.send(`{"type":"ping","id":${id}}`);
        const error = await client.next();
        assert.equal(error.code, 'bad_request');
        assert.ok(!('id' in error));
      }
      await client.close();
    });
  });

  describe('ping', () => {
    it('is answered with ok under its id, and with pong without one', async () => {
      const client = await connected();
      client.send({ type: 'ping', id: 7 });
      client.send({ type: 'ping' });
      assert.deepEqual(await client.next(), { type: 'ok', id: 7 });
      assert.deepEqual(await client.next(), { type: 'pong' });
      await client.close();
    });
  });

  describe('publish', () => {
    it('has a receipt, and every kind arrives unchanged', async () => {
      const room = newRoom();
      const client = await greeted(room, '?name=ada');
      const other = await greeted(room);
      const begun = Date.now();
      const receipt = await client.ask({ type: 'publish', data: 'text\n\u2028"é😀' });
      const [message] = await client.messages(1);
      assert.deepEqual(receipt, { type: 'ok', id: 'ask 1', room, cursor: message.cursor, subscribers: 2 });
      assert.ok(message.time >= begun - 1000 && message.time <= Date.now() + 1000);
      assert.deepEqual(message, { type: 'message', room, cursor: message.cursor, time: message.time, from: 'ada', data: 'text\n\u2028"é😀' });
      client.send('{"type":"publish","data":{"big": 12345678901234567890, "b":[ 1e400 ],\n"b":null}}');
      client.send({ type: 'publish', data: null });
      client.send({ type: 'publish', data_base64: 'AP//' });
      client.send({ type: 'publish', data: '' });
      await client.messages(4);
      const texts = client.texts.filter((text) => text.includes('"type":"message"')).slice(1);
      assert.ok(texts[0].endsWith('"data":{"big": 12345678901234567890, "b":[ 1e400 ], "b":null}}'), texts[0]);
      assert.ok(texts[1].endsWith('"data":null}'));
      assert.ok(texts[2].endsWith('"data_base64":"AP//"}'));
      assert.ok(texts[3].endsWith('"data":""}'));
      await other.messages(5);
      assert.deepEqual(other.texts.slice(2), [...client.texts].filter((text) => text.includes('"type":"message"')));
      await client.close();
      await other.close();
    });

    it('works in rooms not joined; without an id only errors are replied', async () => {
      const room = newRoom();
      const reader = await greeted(room);
      const client = await connected();
      client.send({ type: 'publish', room, data: 1 });
      assert.equal((await reader.next()).data, 1);
      client.send({ type: 'publish', room: '/bad', data: 1 });
      assert.equal((await client.next()).code, 'bad_room_name');
      assert.deepEqual(await client.ask({ type: 'ping' }), { type: 'ok', id: 'ask 1' });
      assert.deepEqual(client.unread, []);
      await client.close();
      await reader.close();
    });

    it('receipts come in the order of the requests', async () => {
      const client = await greeted(newRoom());
      for (let id = 1; id <= 200; id += 1) client.send({ type: 'publish', id, data: id });
      const offsets = [];
      for (let id = 1; id <= 200; id += 1) {
        const receipt = await client.next((one) => one.type === 'ok');
        assert.equal(receipt.id, id);
        offsets.push(Number(receipt.cursor.split('-')[1]));
      }
      assert.deepEqual(offsets, Array.from({ length: 200 }, (_, i) => offsets[0] + i));
      await client.close();
    });

    it('limits.message_bytes counts the payload, without escapes: at it and one past it', async () => {
      const client = await JsonClient.greeted(small, '/connect');
      const publish = (request) => client.ask({ type: 'publish', room: 'size', ...request });
      assert.equal((await publish({ data: 'x'.repeat(1000) })).type, 'ok');
      assert.equal((await publish({ data: '"'.repeat(1000) })).type, 'ok');
      assert.equal((await publish({ data_base64: Buffer.alloc(1000).toString('base64') })).type, 'ok');
      assert.equal((await publish({ data: ['x'.repeat(996)] })).type, 'ok');
      for (const request of [{ data: 'x'.repeat(1001) }, { data_base64: Buffer.alloc(1001).toString('base64') }, { data: ['x'.repeat(997)] }]) {
        const error = await publish(request);
        assert.equal(error.code, 'message_too_big');
        assert.match(error.message, /limits\.message_bytes/);
      }
      client.send({ type: 'publish', room: 'size', data: 'x'.repeat(2 * 1000 + 4096) });
      assert.equal((await client.next()).reason, 'message_too_big');
      assert.equal((await client.closed).code, 1009);
    });
  });

  describe('invalid requests', () => {
    const cases = [
      ['[]', 'bad_request'], ['1', 'bad_request'], ['{}', 'bad_request'], ['{"type":7}', 'bad_request'], ['{"type":"sing"}', 'unknown_type'],
      ['{"type":"subscribe","room":"/x"}', 'bad_room_name'], ['{"type":"subscribe","room":"x","since":"now"}', 'bad_cursor'],
      ['{"type":"subscribe","room":"x","history":-1}', 'bad_request'], ['{"type":"unsubscribe","room":"never"}', 'not_subscribed'],
      ['{"type":"publish","room":"x"}', 'bad_request'], ['{"type":"publish","room":"x","data_base64":"A"}', 'invalid_data'],
      ['{"type":"publish","room":"x","data":1,"data_base64":""}', 'bad_request'], ['{"type":"publish","room":"x","data":1,"key":""}', 'bad_request'],
      ['{"type":"history","room":"x"}', 'bad_request'], ['{"type":"presence","room":"x"}', 'bad_request'],
      [`{"type":"ping","x":${'['.repeat(64)}${']'.repeat(64)}}`, 'bad_request'],
      [`{"type":"ping"${Array.from({ length: 64 }, (_, i) => `,"x${i}":0`).join('')}}`, 'bad_request'],
    ];
    for (const [text, code] of cases) {
      it(`${text.slice(0, 60)} is ${code}, and the connection stays open`, async () => {
        const client = await connected();
        client.send(text);
        const error = await client.next();
        assert.deepEqual([error.type, error.code], ['error', code]);
        assert.ok(error.message.length > 0);
        client.send({ type: 'ping' });
        assert.deepEqual(await client.next(), { type: 'pong' });
        await client.close();
      });
    }

    it('unknown members are ignored, 64 members and 64 levels are accepted', async () => {
      const client = await connected();
      client.send(`{"type":"ping"${Array.from({ length: 63 }, (_, i) => `,"x${i}":{"type":"publish"}`).join('')}}`);
      assert.deepEqual(await client.next(), { type: 'pong' });
      client.send(`{"type":"ping","x":${'['.repeat(63)}${']'.repeat(63)}}`);
      assert.deepEqual(await client.next(), { type: 'pong' });
      await client.close();
    });

    for (const text of ['{', '', 'hello', '{"type":"ping"}{}']) {
      it(`broken JSON ${JSON.stringify(text)} closes with 1007`, async () => {
        const client = await connected();
        client.send(text);
        assert.deepEqual(await client.next(), { type: 'bye', code: 1007, reason: 'invalid_data' });
        assert.equal((await client.closed).code, 1007);
      });
    }

    it('a binary message closes with 1003', async () => {
      const client = await connected();
      client.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
      assert.deepEqual(await client.next(), { type: 'bye', code: 1003, reason: 'unsupported_data' });
      assert.equal((await client.closed).code, 1003);
    });
  });

  describe('the bytes', () => {
    it('of one message are the same for all clients', async () => {
      const room = newRoom();
      const clients = await Promise.all([v1(`/rooms/${room}`), v1(`/rooms/${room}?name=bob`), v1('/connect')]);
      await clients[2].text(JSON.stringify({ type: 'subscribe', id: 1, room }));
      const skip = [2, 2, 2]; // welcome and ok
      for (const [i, client] of clients.entries()) for (let n = 0; n < skip[i]; n += 1) await client.nextText();
      await post(room, '{"a" : 1.50}', 'application/json');
      const frames = await Promise.all(clients.map((client) => client.message()));
      for (const frame of frames) {
        assert.deepEqual([frame.opcode, frame.rsv], [TEXT, 0]);
        assert.deepEqual(frame.payload, frames[0].payload);
      }
      assert.match(frames[0].payload.toString(), /^\{"type":"message","room":"json\/[0-9]+","cursor":"[0-9a-f]{16}-1","time":[0-9]+,"from":null,"data":\{"a" : 1\.50\}\}$/);
      clients.forEach((client) => client.destroy());
    });
  });

  describe('bye', () => {
    it('comes before the close frame of a drain, with a delay within its period', async () => {
      const ending = await startServer({ set: { drain_seconds: 2 } });
      const clients = await Promise.all(Array.from({ length: 30 }, () => JsonClient.greeted(ending, '/rooms/drain')));
      ending.process.kill('SIGTERM');
      const byes = await Promise.all(clients.map((client) => client.next(({ type }) => type === 'bye')));
      for (const bye of byes) {
        assert.deepEqual(bye, { type: 'bye', code: 1012, reason: 'server_shutdown', retry_ms: bye.retry_ms });
        assert.ok(Number.isInteger(bye.retry_ms) && bye.retry_ms >= 0 && bye.retry_ms <= 3000, bye.retry_ms);
      }
      assert.ok(new Set(byes.map(({ retry_ms: ms }) => ms)).size > 20, 'all at the same time');
      for (const client of clients) assert.equal((await client.closed).code, 1012);
      await ending.expectExit(0);
    });

    it('reaches a slow client before 1013', async () => {
      const tight = await startServer({ set: { 'limits.queue_bytes': 200000, 'websocket.close_timeout_seconds': 60 } });
      const slow = await connect(tight.url, { path: '/rooms/slow', headers: { 'Sec-WebSocket-Protocol': 'roomcast.v1' } });
      slow.socket.pauseReading();
      const publisher = await HttpConnection.open(tight.url);
      const most = 400; // far more than kernel buffers hold
      for (let i = 0; i < most; i += 1) await publisher.request('POST', '/rooms/slow', { body: Buffer.alloc(50000, 'q') });
      publisher.close();
      assert.equal(await tight.metric(METRICS.closes, /slow_consumer/), 0, 'it still has time to close');
      slow.socket.resumeReading();
      let last;
      for (;;) {
        const next = await slow.next();
        if (next.opcode === PING) continue;
        if (next.opcode === CLOSE) {
          assert.equal(next.payload.readUInt16BE(), 1013);
          break;
        }
        last = JSON.parse(next.payload);
      }
      assert.deepEqual(last, { type: 'bye', code: 1013, reason: 'slow_consumer', retry_ms: last.retry_ms });
      assert.ok(last.retry_ms >= 500 && last.retry_ms <= 5000);
      slow.destroy();
      await tight.stop();
    });

    it('is not sent to a client that closes', async () => {
      const client = await v1('/connect');
      await client.nextText();
      client.sentClose = true;
      await client.write(close(1000));
      await client.expectClose(1000);
    });
  });

  it('a fragmented or compressed request is read', async () => {
    const client = await connected();
    assert.match(client.socket.extensions, /permessage-deflate/);
    const room = newRoom();
    const data = 'compressible '.repeat(500);
    assert.equal((await client.ask({ type: 'publish', room, data })).type, 'ok');
    assert.equal((await client.ask({ type: 'history', room })).messages[0].data, data);
    client.socket.send('{"type":', { fin: false });
    client.socket.send('"ping"}', { fin: true });
    assert.deepEqual(await client.next(), { type: 'pong' });
    await client.close();
  });
});
