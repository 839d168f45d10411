// What operators do over /api: with API keys and tokens, over each transport, on regular and admin listeners.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { apiKey, bearer, configuredBy, keyHash, keyRow, tokenRow } from '../support/access_rows.js';
import { eventually } from '../support/deadline.js';
import { JsonClient } from '../support/json_client.js';
import { fetchOnce } from '../support/raw_http.js';
import { RoomStream } from '../support/room_stream.js';
import { runToEnd, startServer } from '../support/server.js';
import { makeIssuer } from '../support/tokens.js';
import { connect, refusal } from '../support/wire_client.js';

const root = apiKey('root');
const chat_moderator = apiKey('mod');
const issuer = await makeIssuer('HS256');

const all_rights = ['admin', 'moderate', 'join', 'publish', 'history', 'presence'];
const args = configuredBy(tokenRow(issuer), keyRow('root', all_rights), keyRow('mod', ['moderate'], ['chat/**']));

let server;
before(async () => { server = await startServer({ args }); });
after(() => server.stop());

let rooms_made = 0;
const newRoom = () => `chat/${(rooms_made += 1)}`;

/** Calls the API; `body` an object. */
async function call(method, target, body, { key = root, url = server.url } = {}) {
  const headers = { ...(key ? bearer(key) : {}), ...(body ? { 'Content-Type': 'application/json' } : {}) };
  return fetchOnce(url, method, target, { headers, ...(body ? { body: JSON.stringify(body) } : {}) });
}
const done = async (...call_of) => {
  const answer = await call(...call_of);
  assert.ok(answer.status < 300, answer.text);
  return answer;
};
const code_of = (answer) => answer.json.error.code;
const tokenOf = (sub, more) => issuer.token({ sub, ...more });
const user = async (sub, room, claims) => JsonClient.greeted(server, `/rooms/${room}`, { headers: bearer(await tokenOf(sub, claims)) });
const left = (client) => client.next((one) => one.type === 'unsubscribed', 'an unsubscribed');

describe('who may call', () => {
  it('nobody without credentials, and a moderator for the rooms of the line alone', async () => {
    assert.equal(code_of(await call('GET', '/api/rooms', undefined, { key: null })), 'unauthorized');
    const room = newRoom();
    const client = await user('ada', room);
    assert.equal((await call('GET', `/api/rooms/${room}`, undefined, { key: chat_moderator })).status, 200);
    assert.equal(code_of(await call('GET', '/api/rooms/news', undefined, { key: chat_moderator })), 'forbidden');
    assert.equal(code_of(await call('GET', '/api/info', undefined, { key: chat_moderator })), 'forbidden');
    await client.close();
  });

  it('the server says who one is', async () => {
    const mod = (await call('GET', '/api/me?room=chat/1', undefined, { key: chat_moderator })).json;
    assert.deepEqual([mod.kind, mod.key, mod.may.includes('moderate')], ['key', 'mod', true]);
    const nobody = (await call('GET', '/api/me', undefined, { key: null })).json;
    assert.deepEqual([nobody.kind, nobody.may.includes('moderate')], ['anonymous', false]);
  });
});

describe('rooms and clients', () => {
  it('are listed, page after page', async () => {
    const prefix = `${newRoom()}/`;
    const clients = await Promise.all([1, 2, 3].map((i) => user('lister', `${prefix}${i}`)));
    const found = [];
    for (let after = ''; after !== null;) {
      const { json } = await done('GET', `/api/rooms?prefix=${prefix}&limit=2${after && `&after=${after}`}`);
      found.push(...json.rooms.map(({ room, subscribers }) => [room, subscribers]));
      after = json.next;
    }
    assert.deepEqual(found.sort(), [1, 2, 3].map((i) => [`${prefix}${i}`, 1]));
    const listed = (await done('GET', '/api/clients?user=lister')).json.clients;
    assert.deepEqual(listed.map(({ user: id, address, transport, dialect }) => [id, address, transport, dialect]), Array(3).fill(['lister', '127.0.0.1', 'websocket', 'json']));
    for (const client of clients) await client.close();
  });

  it('information has version and limits, and no secret', async () => {
    const { text, json } = await done('GET', '/api/info');
    assert.match(json.version, /^\d+\.\d+/);
    assert.equal(json.limits.message_bytes, 65536);
    for (const secret of [issuer.key, root, keyHash(root)]) assert.ok(!text.includes(secret));
  });
});

describe('bans', () => {
  it('a banned user leaves the room at once, sees why, and does not come back in any way', async () => {
    const room = newRoom();
    const client = await user('ben', room);
    const other = await user('eve', room);
    await done('POST', '/api/bans', { user: 'ben', room, seconds: 3600, reason: 'spam' }, { key: chat_moderator });
    const gone = await left(client);
    assert.equal(gone.code, 'banned');
    assert.match(gone.message, new RegExp(`^banned in ${room} until \\S+Z: spam$`));
    const headers = bearer(await tokenOf('ben'));
    assert.equal(code_of(await fetchOnce(server.url, 'GET', `/rooms/${room}`, { headers })), 'banned');
    assert.equal(code_of(await fetchOnce(server.url, 'POST', `/rooms/${room}`, { headers, body: 'hi' })), 'banned');
    assert.equal(code_of(await refusal(server.url, { path: `/rooms/${room}`, headers })), 'banned');
    assert.equal((await client.ask({ type: 'subscribe', room })).code, 'banned');
    assert.equal((await client.ask({ type: 'subscribe', room: newRoom() })).type, 'ok');
    await done('POST', `/rooms/${room}`, { still: 'here' });
    await other.messages(1);
    await done('DELETE', `/api/bans?user=ben&room=${room}`, undefined, { key: chat_moderator });
    assert.equal((await client.ask({ type: 'subscribe', room })).type, 'ok');
    await client.close();
    await other.close();
  });

  it('raw WebSocket is closed with 3003, streams end', async () => {
    const room = newRoom();
    const headers = bearer(await tokenOf('raw'));
    const raw = await connect(server.url, { path: `/rooms/${room}`, headers });
    const streams = await Promise.all(['sse', 'stream'].map((kind) => RoomStream.open(server.url, room, { kind, query: '', headers })));
    await done('POST', '/api/bans', { user: 'raw', room: 'chat/**', reason: 'no robots' });
    const frame = await raw.next();
    assert.equal(frame.payload.readUInt16BE(0), 3003);
    assert.match(frame.payload.toString(), /banned in chat\/\*\*: no robots/);
    raw.socket.destroy();
    await eventually(async () => (await done('GET', `/api/rooms/${room}`)).json.subscribers === 0, 'nobody is left');
    for (const stream of streams) stream.destroy();
  });

  it('an address is banned for those who are connected and those who come', async () => {
    const own = await startServer({ args });
    const client = await JsonClient.greeted(own, '/rooms/chat/a');
    await done('POST', '/api/bans', { address: '127.0.0.0/8', reason: 'closed' }, { url: own.url });
    assert.deepEqual(await client.closed, { code: 3003, reason: 'banned: closed' });
    assert.equal(code_of(await fetchOnce(own.url, 'GET', '/rooms/chat/a')), 'banned');
    assert.equal(code_of(await refusal(own.url, { path: '/connect', headers: { 'Sec-WebSocket-Protocol': 'roomcast.v1' } })), 'banned');
    await done('DELETE', '/api/bans?address=127.0.0.0/8', undefined, { url: own.url });
    assert.equal((await fetchOnce(own.url, 'GET', '/rooms/chat/a')).status, 200);
    await own.stop();
  });

  it('end by themselves', async () => {
    const room = newRoom();
    await done('POST', '/api/mutes', { user: 'brief', room, seconds: 1 });
    const headers = bearer(await tokenOf('brief'));
    assert.equal(code_of(await fetchOnce(server.url, 'POST', `/rooms/${room}`, { headers, body: 'hi' })), 'muted');
    assert.equal((await fetchOnce(server.url, 'GET', `/rooms/${room}`, { headers })).status, 200);
    await eventually(async () => (await fetchOnce(server.url, 'POST', `/rooms/${room}`, { headers, body: 'hi' })).status === 200, 'the end of the mute');
  });
});

describe('revocation', () => {
  it('of a token by its jti closes who came with it, and lets nobody in with it', async () => {
    const room = newRoom();
    const client = await user('rev', room, { jti: 'one' });
    const other = await user('rev', room, { jti: 'two' });
    await done('POST', '/api/revoke', { jti: 'one' });
    assert.equal((await client.closed).code, 3000);
    assert.equal(code_of(await fetchOnce(server.url, 'GET', `/rooms/${room}`, { headers: bearer(await tokenOf('rev', { jti: 'one' })) })), 'token_revoked');
    assert.equal((await other.ask({ type: 'ping' })).type, 'ok');
    await other.close();
  });

  it('of the tokens of a user issued before a time', async () => {
    const room = newRoom();
    const now = Math.floor(Date.now() / 1000);
    const client = await user('olga', room, { iat: now - 100 });
    await done('POST', '/api/revoke', { user: 'olga', issued_before: now - 50 });
    assert.equal((await client.closed).code, 3000);
    assert.equal(code_of(await fetchOnce(server.url, 'GET', `/rooms/${room}`, { headers: bearer(await tokenOf('olga', { iat: now - 51 })) })), 'token_revoked');
    assert.equal((await fetchOnce(server.url, 'GET', `/rooms/${room}`, { headers: bearer(await tokenOf('olga', { iat: now - 50 })) })).status, 200);
  });
});

describe('connections', () => {
  it('are ended with a reason that the client sees', async () => {
    const room = newRoom();
    const client = await user('dora', room);
    assert.deepEqual((await done('POST', '/api/disconnect', { user: 'dora', reason: 'maintenance' })).json, { clients: 1 });
    assert.deepEqual(await client.closed, { code: 3003, reason: 'disconnected by an operator: maintenance' });
    assert.equal(code_of(await call('POST', '/api/disconnect', { user: 'dora' })), 'not_found');
  });

  it('leave and join rooms at the server\'s wish, and get messages in no room', async () => {
    const room = newRoom();
    const client = await user('kim', room);
    await done('POST', '/api/kick', { user: 'kim', room, reason: 'enough' }, { key: chat_moderator });
    assert.equal((await left(client)).message, 'removed from the room by a moderator: enough');
    const other = newRoom();
    await done('POST', '/api/subscribe', { user: 'kim', room: other });
    await eventually(async () => (await done('GET', `/api/rooms/${other}`)).json.subscribers === 1, 'kim is there');
    await done('POST', `/rooms/${other}`, { for: 'kim' });
    await client.messages(1);
    await done('POST', '/api/unsubscribe', { user: 'kim', room: other });
    await left(client);
    assert.deepEqual((await done('POST', '/api/users/kim/publish', { just: 'for you' })).json, { clients: 1 });
    const direct = await client.next((one) => one.type === 'direct', 'a direct message');
    assert.deepEqual([direct.from, direct.data], ['root', { just: 'for you' }]);
    await client.close();
  });
});

describe('the log', () => {
  it('has a line of each call that changes something, also past log.lines_per_second', async () => {
    const own = await startServer({ args, set: { 'log.lines_per_second': 1 } });
    for (let i = 0; i < 5; i += 1) await done('POST', '/api/bans', { user: `u${i}`, reason: 'a "reason"' }, { url: own.url });
    await done('DELETE', '/api/bans?user=u0', undefined, { url: own.url });
    const lines = () => own.log().split('\n').filter((line) => / audit /.test(line));
    await eventually(() => lines().length === 6, 'six lines');
    assert.match(lines()[0], /by=key:root address=127\.0\.0\.1 call=ban target=user:u0 reason=.*outcome=ok/);
    assert.match(lines()[5], /call="lift ban" target=user:u0 outcome=ok/);
    assert.ok(!own.log().includes(root));
    await own.stop();
  });
});

describe('confine_operations', () => {
  it('serves what is for operation on admin listeners only', async () => {
    const own = await startServer({ args, set: { admin_listen: '127.0.0.1:0', confine_operations: true }, urlCount: 2 });
    for (const target of ['/metrics', '/api/rooms', '/api/info', '/api/bans']) {
      assert.equal((await call('GET', target, undefined, { url: own.url })).status, 404, target);
      assert.equal((await call('GET', target, undefined, { url: own.adminUrl })).status, 200, target);
    }
    const batch = { messages: [{ room: 'a', data: 1 }] };
    assert.equal((await call('POST', '/api/publish', batch, { url: own.url })).status, 404);
    assert.equal((await call('POST', '/api/publish', batch, { url: own.adminUrl })).status, 200);
    assert.equal((await call('GET', '/healthz', undefined, { url: own.url })).status, 200);
    assert.equal((await call('GET', '/api/me', undefined, { url: own.url })).status, 200);
    await own.stop();
  });

  it('needs credentials there too', async () => {
    const own = await startServer({ args, set: { admin_listen: '127.0.0.1:0' }, urlCount: 2 });
    for (const url of [own.url, own.adminUrl]) assert.equal(code_of(await call('GET', '/api/info', undefined, { url, key: null })), 'unauthorized');
    await own.stop();
  });

  it('is refused without an admin listener', async () => {
    const { code, stderr } = await runToEnd(['--check-config', '--set', 'confine_operations=true']);
    assert.notEqual(code, 0);
    assert.match(stderr, /confine_operations: there is no admin_listen/);
  });
});
