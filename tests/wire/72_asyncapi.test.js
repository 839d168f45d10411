// docs/asyncapi.json describes roomcast.v1: the example requests are sent and answered as described, every message of the server
// is caused, and every error code and close code too.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { METRICS } from '../support/contract.js';
import { faultsOf, followed } from '../support/json_schema.js';
import { JsonClient } from '../support/json_client.js';
import { assertDone, keyOf, Moderator, startIdentifyingServer, tokenOf } from '../support/moderation.js';
import { fetchOnce } from '../support/raw_http.js';
import { repository, runToEnd, startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { CLOSE } from '../support/ws_frames.js';

const document = JSON.parse(fs.readFileSync(path.join(repository, 'docs/asyncapi.json'), 'utf8'));
const { messages } = document.components;
const { address: connect_path } = document.channels.connect;

/** The names of the messages that an operation refers to. */
const namesOf = (references) => references.map((one) => {
  const message = followed(document, one);
  return Object.keys(messages).find((name) => messages[name] === message);
});
const operations = Object.entries(document.operations).map(([name, { action, channel, messages: own, reply }]) => ({
  name, action, channel: followed(document, channel), messages: namesOf(own), replies: reply && namesOf(reply.messages),
}));
const requests = new Set(operations.filter(({ action }) => action === 'receive').flatMap((one) => one.messages));
const events = Object.keys(messages).filter((name) => !requests.has(name));

/** The server message that `object` is, by their descriptions: exactly one if they are correct. */
const kindsOf = (object, among = events) => among.filter((name) => faultsOf(document, messages[name].payload, object, { closed: true }).length === 0);

const long = 'x'.repeat(1001);
const deep = JSON.parse(`${'['.repeat(64)}${']'.repeat(64)}`);
/** By error code, a request that causes it; `first`: a request before it; `another`: one of another client; `on`: a server other than the default. */
const refused = {
  bad_request: { request: { type: 'publish', room: 'a' } },
  unknown_type: { request: { type: 'dance' } },
  bad_room_name: { request: { type: 'subscribe', room: '/' } },
  bad_cursor: { request: { type: 'subscribe', room: 'a', since: 'now' } },
  invalid_data: { request: { type: 'publish', room: 'a', data_base64: 'x' } },
  message_too_big: { request: { type: 'publish', room: 'a', data: long } },
  json_too_deep: { request: { type: 'publish', room: 'a', data: JSON.stringify(deep) } },
  publish_only_keys: { request: { type: 'publish', room: 'keys', data: 1 }, on: 'keys' },
  rate_limited: { first: { type: 'publish', room: 'paced', data: 1 }, request: { type: 'publish', room: 'paced', data: 2 }, on: 'paced' },
  room_full: { another: { type: 'subscribe', room: 'full' }, request: { type: 'subscribe', room: 'full' }, on: 'small' },
  already_subscribed: { first: { type: 'subscribe', room: 'twice' }, request: { type: 'subscribe', room: 'twice' } },
  not_subscribed: { request: { type: 'unsubscribe', room: 'never' } },
  too_many_rooms: { first: { type: 'subscribe', room: 'b' }, request: { type: 'subscribe', room: 'c' }, on: 'narrow' },
  key_reused: { first: { type: 'publish', room: 'k', data: 1, key: 'k' }, request: { type: 'publish', room: 'k', data: 2, key: 'k' } },
  unauthorized: { request: { type: 'authenticate', token: 'x' } },
  bad_api_key: { request: { type: 'authenticate', token: 'x' }, on: 'identifying' },
  forbidden: { first: { type: 'authenticate', token: keyOf('ci') }, request: { type: 'authenticate', token: keyOf('moderator') }, on: 'identifying' },
  overloaded: { request: { type: 'publish', room: 'a', data: 1, key: 'k' }, on: 'narrow' },
};

const v1 = { path: connect_path, headers: { 'Sec-WebSocket-Protocol': 'roomcast.v1' } };
/** By close code, how to cause it with a client that does everything by hand. */
const closing = {
  1002: (client) => client.text('{}', { mask: false }),
  1003: (client) => client.binary('{}'),
  1007: (client) => client.text('{'),
  1008: (client) => client.text('{"type":', { fin: false }),
  1009: (client) => client.text(JSON.stringify({ type: 'publish', room: 'a', data: 'x'.repeat(1_000_000) })),
  1011: () => {},
  1012: (_client, server) => { server.process.kill('SIGTERM'); },
  1013: async (client, server) => {
    await client.text('{"type":"subscribe","room":"slow"}');
    await server.metricBecomes(METRICS.rooms, (rooms) => rooms === 1);
    client.socket.pauseReading();
    const publish = async () => (await fetchOnce(server.url, 'POST', '/rooms/slow', { body: Buffer.alloc(50_000, 'q') })).json.subscribers;
    while ((await publish()) > 0);
    client.socket.resumeReading();
  },
  3000: () => {},
  3003: async (client) => client.text(JSON.stringify({ type: 'authenticate', token: await tokenOf('ada') })),
};
/** Those whose connection is for a room that is not open to everybody. */
const in_closed_room = ['3000', '3003'];
const rows = '[[access]]\nrooms = "closed"\nwho = "user:bob"\nmay = ["join"]\n';
const settings_of = {
  1008: { 'websocket.ping_seconds': 0.1, 'websocket.message_timeout_seconds': 0.1 },
  1011: { 'websocket.ping_seconds': 0.1, 'websocket.pong_timeout_seconds': 0.1 },
  1013: { 'limits.queue_bytes': 200_000 },
  3000: { 'auth.authenticate_seconds': 0.1 },
};

describe('docs/asyncapi.json', () => {
  const servers = {};
  const seen = new Set();
  const clients = [];
  /** A client that validates all received messages at its end. */
  const open = async (where = connect_path, server = servers.usual, options = {}) => {
    const client = await JsonClient.greeted(server, where, options);
    clients.push(client);
    return client;
  };
  before(async () => {
    servers.usual = await startServer({ set: { 'limits.message_bytes': 1000, 'presence.grace_seconds': 0, 'presence.crowd': 2 } });
    servers.keys = await startServer({ set: { 'room_defaults.publish_only_keys': true } });
    servers.paced = await startServer({ set: { 'rates.connection_publishes_per_second': 1, 'rates.burst_seconds': 1 } });
    servers.small = await startServer({ set: { 'room_defaults.members_max': 1 } });
    servers.narrow = await startServer({ set: { 'limits.rooms_per_connection': 1, 'limits.idempotency_bytes': 0 } });
    servers.identifying = await startIdentifyingServer();
  });
  after(async () => {
    for (const { socket } of clients) socket.terminate();
    for (const server of Object.values(servers)) await server.stop();
  });

  it('has the version of the program', async () => {
    assert.match((await runToEnd(['--version'])).stdout, new RegExp(`\\b${document.info.version.replaceAll('.', '\\.')}\\b`));
  });

  it('uses each of its messages in an operation, and has a case here for each error and close code', () => {
    const used = operations.flatMap((one) => [...one.messages, ...(one.replies ?? [])]);
    assert.deepEqual(Object.keys(messages).filter((name) => !used.includes(name)), []);
    // Cannot be caused by a client: they require an engine that does not answer, or a disk that fails. Tokens have files of their own.
    const elsewhere = ['unavailable', 'timed_out', 'store_busy', 'store_full', 'store_failed', 'store_timeout', 'token_expired', 'token_not_yet_valid', 'token_revoked', 'unknown_key', 'wrong_issuer', 'wrong_audience', 'bad_token', 'too_many_connections'];
    const reached = messages.Error.payload.properties.code.enum.filter((code) => !elsewhere.includes(code));
    assert.deepEqual(Object.keys(refused).sort(), reached.sort());
    assert.deepEqual(Object.keys(closing), Object.keys(document['x-close-codes']));
  });

  for (const { name, channel, messages: [request], replies } of operations.filter(({ action }) => action === 'receive')) {
    for (const { name: title, payload } of messages[request].examples) {
      it(`${name}, the example ${title}`, async () => {
        assert.deepEqual(faultsOf(document, messages[request].payload, payload, { closed: true }), []);
        const home = channel.parameters ? '/rooms/home' : undefined;
        const is_authenticate = payload.type === 'authenticate';
        const client = await open(home && channel.address.replace('/rooms/{room}', home), is_authenticate ? servers.identifying : undefined);
        // Who is in a room stays who it is.
        if (is_authenticate && home) await client.ask({ type: 'unsubscribe' });
        if (payload.type === 'unsubscribe') await client.ask({ type: 'subscribe', room: payload.room });
        client.send(payload);
        const reply = await client.next((one) => ('id' in payload ? one.id === payload.id : one.type === 'pong'), title);
        assert.notEqual(reply.type, 'error', JSON.stringify(reply));
        assert.equal(kindsOf(reply, replies).length, 1, JSON.stringify(reply));
        await client.close();
      });
    }
  }

  for (const [code, { first, another, request, on = 'usual' }] of Object.entries(refused)) {
    it(`the error ${code}`, async () => {
      const client = await open(undefined, servers[on]);
      const other = another && await open(undefined, servers[on]);
      if (another) assert.equal((await other.ask(another)).type, 'ok');
      if (first) assert.notEqual((await client.ask(first)).type, 'error');
      const reply = await client.ask(request);
      assert.deepEqual([reply.type, reply.code], ['error', code]);
      assert.deepEqual(kindsOf(reply), ['Error']);
      await client.close();
      await other?.close();
    });
  }

  for (const [code, provoke] of Object.entries(closing)) {
    it(`the close code ${code}`, async (t) => {
      const is_closed = in_closed_room.includes(code);
      const server = await (is_closed ? startIdentifyingServer({ rows, set: settings_of[code] }) : startServer({ set: settings_of[code] }));
      const client = await connect(server.url, is_closed ? { ...v1, path: '/rooms/closed' } : v1);
      t.after(() => client.destroy());
      await provoke(client, server);
      let frame;
      do frame = await client.next(); while (frame.opcode !== CLOSE);
      assert.equal(frame.payload.readUInt16BE(), Number(code));
      client.destroy();
      await server.stop();
    });
  }

  it('describes every message of the server, and no other', async () => {
    const ada = await open('/rooms/people?presence=1&name=ada&since=e1718880a643ea8d-1');
    await ada.next(({ type }) => type === 'gap');
    const bob = await open('/rooms/people?name=bob');
    await ada.next(({ type }) => type === 'join');
    await bob.close();
    await ada.next(({ type }) => type === 'leave');
    for (const name of ['bob', 'cleo']) await open(`/rooms/people?name=${name}`);
    await ada.next(({ type }) => type === 'presence');
    ada.send({ type: 'publish', data: 'hi' });
    await ada.next(({ type }) => type === 'message');
    assert.equal((await ada.ask({ type: 'publish', data: 1, key: 'once' })).duplicate, undefined);
    assert.equal((await ada.ask({ type: 'publish', data: 1, key: 'once' })).duplicate, true);
    const identified = async (token) => open('/rooms/moderated?presence=1', servers.identifying, { headers: { Authorization: `Bearer ${token}` } });
    const [user, key] = [await identified(await tokenOf('ada', { name: 'Ada' })), await identified(keyOf('ci'))];
    const moderator = new Moderator(servers.identifying.url);
    const { cursor } = await user.ask({ type: 'publish', data: 'hi' });
    assertDone(await moderator.replace('moderated', cursor, 'hello'));
    assertDone(await moderator.remove('moderated', cursor));
    assertDone(await moderator.clear('moderated'));
    for (const type of ['message', 'replaced', 'deleted', 'cleared']) await key.next((one) => one.type === type);
    await servers.usual.stop();
    await ada.next(({ type }) => type === 'bye');
    for (const text of clients.flatMap(({ texts }) => texts)) {
      const kinds = kindsOf(JSON.parse(text));
      assert.equal(kinds.length, 1, text);
      seen.add(kinds[0]);
    }
    // 116_session_identity has the first two, what moderators do the others.
    const elsewhere = ['Expires', 'LeftByServer', 'JoinedByServer', 'Direct'];
    assert.deepEqual(events.filter((name) => !seen.has(name)).sort(), elsewhere.sort());
  });
});
