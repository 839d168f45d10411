// What operators do where several servers share their rooms over Redis: it is done on all of them, and what is to last outlives them.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { apiKey, bearer, configuredBy, keyRow, tokenRow } from '../support/access_rows.js';
import { eventually } from '../support/deadline.js';
import { JsonClient } from '../support/json_client.js';
import { fetchOnce } from '../support/raw_http.js';
import { RedisServer, without_redis } from '../support/redis.js';
import { RoomStream } from '../support/room_stream.js';
import { is_durable, startServer } from '../support/server.js';
import { makeIssuer } from '../support/tokens.js';

const skip = is_durable ? 'rooms are kept in Redis or in a store' : without_redis;
const root = apiKey('root');
const issuer = await makeIssuer('HS256');
const rights = ['admin', 'moderate', 'join', 'publish', 'history', 'presence'];

let redis;
const started = new Set();

/** A further server of the same rooms, once it and the others have met. */
async function startNode() {
  const shared = `engine = "redis"\n[redis]\nurls = ["${redis.url}"]\n`;
  const node = await startServer({ args: configuredBy(shared, tokenRow(issuer), keyRow('root', rights)) });
  started.add(node);
  // Nobody is called that; before the servers have met the answer is 503.
  await eventually(async () => {
    const answers = await Promise.all([...started].map((one) => call(one, 'POST', '/api/disconnect', { user: 'nobody' })));
    return answers.every(({ status }) => status === 404);
  }, 'servers that have met');
  await eventually(async () => (await call(node, 'DELETE', '/api/bans?user=nobody')).status === 404, 'a server that knows the bans');
  return node;
}
async function stopNode(node) {
  started.delete(node);
  await node.stop();
}

/** Calls the API of `node`; `body` an object. */
async function call(node, method, target, body) {
  const headers = { ...bearer(root), ...(body ? { 'Content-Type': 'application/json' } : {}) };
  return fetchOnce(node.url, method, target, { headers, ...(body ? { body: JSON.stringify(body) } : {}) });
}
async function done(...call_of) {
  const answer = await call(...call_of);
  assert.ok(answer.status < 300, answer.text);
  return answer;
}
let rooms_made = 0;
const newRoom = () => `chat/${(rooms_made += 1)}`;
const headersOf = async (sub, claims) => ({ headers: bearer(await issuer.token({ sub, ...claims })) });
const user = async (node, sub, room, claims) => JsonClient.greeted(node, `/rooms/${room}`, await headersOf(sub, claims));
const joined = async (node, sub, room, claims) => (await fetchOnce(node.url, 'GET', `/rooms/${room}?history=0`, await headersOf(sub, claims)));
const code_of = (answer) => answer.json.error.code;
const left = (client) => client.next((one) => one.type === 'unsubscribed', 'an unsubscribed');

describe('operators of several servers', { skip }, () => {
  let a;
  let b;
  before(async () => {
    redis = await RedisServer.start();
    a = await startNode();
    b = await startNode();
  });
  after(async () => {
    for (const node of [...started]) await stopNode(node);
    await redis.stop();
  });

  it('a user is disconnected wherever it is connected, over WebSocket and EventSource', async () => {
    const room = newRoom();
    const socket = await user(b, 'ada', room);
    const stream = await RoomStream.open(b.url, room, { kind: 'sse', ...(await headersOf('ada')) });
    const here = await user(a, 'ada', room);
    const other = await user(b, 'eve', room);
    const answer = await done(a, 'POST', '/api/disconnect', { user: 'ada', reason: 'enough' });
    assert.deepEqual(answer.json, { clients: 3, nodes: 2, silent_nodes: 0 });
    for (const client of [socket, here]) {
      assert.deepEqual(await client.closed, { code: 3003, reason: 'disconnected by an operator: enough' });
    }
    await stream.over;
    assert.equal((await other.ask({ type: 'ping' })).type, 'ok');
    const nobody = await call(a, 'POST', '/api/disconnect', { user: 'ada' });
    assert.equal(code_of(nobody), 'not_found');
    await other.close();
  });

  it('a client of another server is meant by its id, as that lists it', async () => {
    const client = await user(b, 'ida', newRoom());
    const [{ id }] = (await done(b, 'GET', '/api/clients?user=ida')).json.clients;
    assert.match(id, /^\d+-\d+-[0-9a-f]{16}$/);
    assert.deepEqual((await done(a, 'GET', '/api/clients?user=ida')).json.clients, []);
    assert.equal((await done(a, 'POST', '/api/disconnect', { client: id })).json.clients, 1);
    assert.equal((await client.closed).code, 3003);
    assert.equal(code_of(await call(a, 'POST', '/api/disconnect', { client: id.replace(/-[0-9a-f]+$/, '') })), 'not_found');
  });

  it('a user is joined to rooms, has to leave them, and whole rooms are closed', async () => {
    const client = await user(b, 'kai', newRoom());
    const room = newRoom();
    assert.equal((await done(a, 'POST', '/api/subscribe', { user: 'kai', room })).json.clients, 1);
    await client.next((one) => one.type === 'subscribed' && one.room === room, 'a subscribed');
    assert.equal((await done(a, 'POST', '/api/unsubscribe', { user: 'kai', room })).json.clients, 1);
    assert.equal((await left(client)).room, room);
    assert.equal((await client.ask({ type: 'subscribe', room })).type, 'ok');
    assert.equal((await done(a, 'POST', '/api/kick', { user: 'kai', room, reason: 'out' })).json.clients, 1);
    assert.equal((await left(client)).code, 'forbidden');
    assert.equal((await client.ask({ type: 'subscribe', room })).type, 'ok');
    const answer = await done(a, 'POST', '/api/disconnect', { room });
    assert.deepEqual([answer.status, answer.json.clients, answer.json.nodes], [202, null, 2]);
    assert.equal((await client.closed).code, 3003);
  });

  it('a message to a user reaches its clients on all servers', async () => {
    const clients = [await user(a, 'uma', newRoom()), await user(b, 'uma', newRoom())];
    const headers = { ...bearer(root), 'Content-Type': 'application/json' };
    const answer = await fetchOnce(a.url, 'POST', '/api/users/uma/publish', { headers, body: '{"to":"you"}' });
    assert.deepEqual(answer.json, { clients: 2, nodes: 2, silent_nodes: 0 });
    for (const client of clients) {
      const got = await client.next((one) => one.type === 'direct', 'a direct message');
      assert.deepEqual([got.from, got.data], ['root', { to: 'you' }]);
      await client.close();
    }
  });

  it('a ban and a mute of one server hold on the others, with one id, until any of them lifts it', async () => {
    const room = newRoom();
    const client = await user(b, 'ben', room);
    const made = (await done(a, 'POST', '/api/bans', { user: 'ben', room, reason: 'spam' })).json;
    assert.equal(made.nodes, 2);
    assert.equal((await left(client)).code, 'banned');
    assert.equal(code_of(await joined(b, 'ben', room)), 'banned');
    assert.equal(code_of(await joined(a, 'ben', room)), 'banned');
    const { nodes, ...sanction } = made;
    for (const node of [a, b]) {
      assert.deepEqual((await done(node, 'GET', '/api/bans')).json.bans.filter((one) => one.room === room), [sanction], `${nodes}`);
    }
    assert.equal((await call(b, 'DELETE', `/api/bans?user=ben&room=${room}`)).status, 204);
    await eventually(async () => (await joined(a, 'ben', room)).status === 200, 'a ban that is lifted on the other server');
    assert.equal(code_of(await call(b, 'DELETE', `/api/bans?user=ben&room=${room}`)), 'not_found');
    await done(b, 'POST', '/api/mutes', { user: 'ben', room });
    await eventually(async () => {
      const answer = await fetchOnce(a.url, 'POST', `/rooms/${room}`, { ...(await headersOf('ben')), body: 'hi' });
      return answer.status === 403 && code_of(answer) === 'muted';
    }, 'a mute of the other server');
    await client.close();
  });

  it('a revoked token is good nowhere', async () => {
    const room = newRoom();
    const client = await user(b, 'rob', room, { jti: 'stolen' });
    await done(a, 'POST', '/api/revoke', { jti: 'stolen' });
    assert.equal((await client.closed).code, 3000);
    assert.equal(code_of(await joined(b, 'rob', room, { jti: 'stolen' })), 'token_revoked');
    assert.equal((await joined(b, 'rob', room, { jti: 'another' })).status, 200);
  });

  it('a server that stood still catches up', async () => {
    const room = newRoom();
    const banned = await user(b, 'tom', room);
    const gone = await user(b, 'tia', room);
    b.process.kill('SIGSTOP');
    try {
      await done(a, 'POST', '/api/bans', { user: 'tom', room });
      const answer = await done(a, 'POST', '/api/disconnect', { user: 'tia' });
      assert.deepEqual([answer.status, answer.json], [202, { clients: 0, nodes: 1, silent_nodes: 1 }]);
    } finally {
      b.process.kill('SIGCONT');
    }
    assert.equal((await left(banned)).code, 'banned');
    assert.equal((await gone.closed).code, 3003);
    await banned.close();
  });

  it('a server that starts later knows them, and so do all after a restart of all', async () => {
    const rooms = [newRoom(), newRoom()];
    await done(a, 'POST', '/api/bans', { user: 'ben', room: rooms[0] });
    await done(a, 'POST', '/api/bans', { user: 'ben', room: rooms[1] });
    assert.equal((await call(a, 'DELETE', `/api/bans?user=ben&room=${rooms[1]}`)).status, 204);
    const later = await startNode();
    assert.equal(code_of(await joined(later, 'ben', rooms[0])), 'banned');
    assert.equal((await joined(later, 'ben', rooms[1])).status, 200);
    const before_it = (await done(later, 'GET', '/api/bans')).json.bans;
    for (const node of [...started]) await stopNode(node);
    a = await startNode();
    b = await startNode();
    for (const node of [a, b]) {
      assert.equal(code_of(await joined(node, 'ben', rooms[0])), 'banned');
      assert.equal((await joined(node, 'ben', rooms[1])).status, 200);
      assert.deepEqual((await done(node, 'GET', '/api/bans')).json.bans, before_it);
    }
  });

  it('the rooms that servers have among themselves are out of reach', async () => {
    assert.ok((await done(a, 'GET', '/api/rooms?limit=1000')).json.rooms.every(({ room }) => /^chat\//.test(room)));
    assert.equal(code_of(await call(a, 'GET', '/rooms/%01commands')), 'bad_room_name');
    assert.equal(code_of(await call(a, 'POST', '/rooms/%01sanctions', { do: 'put' })), 'bad_room_name');
  });
});
