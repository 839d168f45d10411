// Who a client is over the life of its connection: authenticate, tokens that run out, rights that a reload changes; over every
// transport.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bearer, tokenRow } from '../support/access_rows.js';
import { LOG, METRICS } from '../support/contract.js';
import { JsonClient } from '../support/json_client.js';
import { faultsOf } from '../support/json_schema.js';
import { fetchOnce } from '../support/raw_http.js';
import { RoomStream } from '../support/room_stream.js';
import { scratchDirectory } from '../support/scratch.js';
import { repository, startServer } from '../support/server.js';
import { makeIssuer, seconds } from '../support/tokens.js';
import { connect } from '../support/wire_client.js';
import { CLOSE } from '../support/ws_frames.js';

const issuer = await makeIssuer('HS256');
const document = JSON.parse(fs.readFileSync(path.join(repository, 'docs/asyncapi.json'), 'utf8'));
/** `object` is as docs/asyncapi.json describes it. */
const isDescribed = (name, object) =>
  assert.deepEqual(faultsOf(document, document.components.messages[name].payload, object, { closed: true }), []);

const tokens = tokenRow(issuer);
const row = (rooms, who) => `[[access]]\nrooms = "${rooms}"\nwho = "${who}"\nmay = ["join", "publish", "history", "presence"]\n`;
const ada = (lives_s = 300) => issuer.token({ sub: 'ada', name: 'Ada', exp: seconds() + lives_s });
const raw = async (url, room, token) => connect(url, { path: `/rooms/${room}`, headers: token ? bearer(token) : {} });

/** The close frame: its code and text. */
async function closeFrame(client) {
  let frame;
  do frame = await client.next(); while (frame.opcode !== CLOSE);
  return [frame.payload.readUInt16BE(), frame.payload.subarray(2).toString()];
}

describe('the identity of a session', () => {
  let server;
  let file;
  before(async () => {
    const directory = scratchDirectory({ 'roomcast.toml': `${tokens}${row('members/**', 'user')}${row('open/**', 'anyone')}` });
    file = path.join(directory, 'roomcast.toml');
    server = await startServer({ args: ['--config', file], set: { 'auth.leeway_seconds': 0, 'auth.authenticate_seconds': 2 } });
  });
  after(() => server.stop());

  it('a room that needs an identity is joined after authenticate', async () => {
    const client = await JsonClient.open(server, '/rooms/members/a?history=1');
    assert.equal((await client.next()).authenticate_ms, 2000);
    assert.equal((await client.ask({ type: 'publish', data: 1 })).code, 'unauthorized');
    assert.equal((await client.ask({ type: 'authenticate', token: 'nonsense' })).code, 'bad_token');
    const reply = await client.ask({ type: 'authenticate', token: await ada() });
    assert.deepEqual([reply.type, reply.user, reply.name], ['authenticated', 'ada', 'Ada']);
    assert.ok(reply.expires_in_ms > 200_000 && reply.expires_in_ms <= 300_000, `${reply.expires_in_ms}`);
    const joined = await client.next(({ type }) => type === 'ok');
    assert.equal(joined.room, 'members/a');
    client.send({ type: 'publish', data: 'hi' });
    assert.deepEqual(await client.next(({ type }) => type === 'message').then(({ from, user }) => [from, user]), ['Ada', 'ada']);
    await client.close();
  });

  it('who does not authenticate in time is closed with 3000', async () => {
    const client = await JsonClient.open(server, '/rooms/members/a');
    const bye = await client.next(({ type }) => type === 'bye');
    isDescribed('Bye', bye);
    assert.match(bye.message, /auth\.authenticate_seconds/);
    assert.equal((await client.closed).code, 3000);
  });

  it('others are refused with 401 at once', async () => {
    for (const headers of [{}, { Accept: 'text/event-stream' }, { Accept: 'application/x-ndjson' }]) {
      assert.equal((await fetchOnce(server.url, 'GET', '/rooms/members/a', { headers })).status, 401);
    }
    await assert.rejects(raw(server.url, 'members/a'), /401/);
  });

  it('a client is warned before its token runs out, and goes on with a newer one', async () => {
    const options = { headers: bearer(await ada(4)) };
    const [refreshes, lets_go] = await Promise.all([0, 1].map(() => JsonClient.greeted(server, '/rooms/members/a', options)));
    isDescribed('Expires', await refreshes.next(({ type }) => type === 'expires'));
    assert.equal((await refreshes.ask({ type: 'authenticate', token: await ada() })).type, 'authenticated');
    assert.deepEqual(await lets_go.closed, { code: 3000, reason: 'token expired' });
    const bye = await lets_go.next(({ type }) => type === 'bye');
    assert.deepEqual([bye.code, bye.reason, bye.message], [3000, 'unauthorized', 'token expired']);
    assert.ok(bye.retry_ms > 0);
    assert.equal((await refreshes.ask({ type: 'ping' })).type, 'ok');
    await refreshes.close();
  });

  it('a newer token with another name renames its user in the rooms it is in', async () => {
    const watcher = await JsonClient.greeted(server, '/rooms/open/named?presence=1');
    const client = await JsonClient.greeted(server, '/rooms/open/named?presence=1', { headers: bearer(await ada()) });
    assert.equal((await client.ask({ type: 'subscribe', room: 'members/named' })).type, 'ok');
    assert.equal((await watcher.next(({ type }) => type === 'join')).member.name, 'Ada');
    const renamed = await issuer.token({ sub: 'ada', name: 'Ada L.', exp: seconds() + 300 });
    assert.equal((await client.ask({ type: 'authenticate', token: renamed })).name, 'Ada L.');
    for (const other of [watcher, client]) {
      const { member } = await other.next(({ type, member: shown }) => type === 'join' && shown.name !== 'Ada');
      assert.deepEqual(member, { name: 'Ada L.', user: 'ada' });
    }
    for (const room of ['open/named', 'members/named']) {
      assert.deepEqual((await client.ask({ type: 'presence', room })).presence.members, [{ name: 'Ada L.', user: 'ada' }]);
      client.send({ type: 'publish', room, data: 'hi' });
      const { from, user } = await client.next(({ type }) => type === 'message');
      assert.deepEqual([from, user], ['Ada L.', 'ada']);
    }
    await Promise.all([watcher, client].map((one) => one.close()));
  });

  it('every transport ends with its token, and says why', async () => {
    const token = await ada(3);
    const headers = bearer(token);
    const poll = fetchOnce(server.url, 'GET', '/rooms/members/a?wait=50', { headers });
    const client = await raw(server.url, 'members/a', token);
    const streams = await Promise.all(['sse', 'stream'].map((kind) => RoomStream.open(server.url, 'members/a', { kind, headers })));
    assert.deepEqual(await closeFrame(client), [3000, 'token expired']);
    client.destroy();
    for (const stream of streams) {
      await stream.over;
      assert.match(Buffer.concat(stream.pieces).toString(), /"code":3000,"reason":"unauthorized".*"message":"token expired"/);
    }
    const waiting = await poll;
    assert.deepEqual([waiting.status, waiting.json.error.code], [401, 'token_expired']);
    const next = await fetchOnce(server.url, 'GET', '/rooms/members/a', { headers });
    assert.deepEqual([next.status, next.json.error.code], [401, 'token_expired']);
  });

  it('a reload changes the rights of a thousand clients, over every transport', async () => {
    const each = 240;
    const headers = bearer(await ada());
    const open = async (make) => {
      const made = [];
      while (made.length < each) made.push(...(await Promise.all(Array.from({ length: 40 }, make))));
      return made;
    };
    const raws = await open(() => connect(server.url, { path: '/rooms/members/b', headers }));
    const clients = await open(() => JsonClient.greeted(server, '/rooms/members/b', { headers }));
    const events = await open(() => RoomStream.open(server.url, 'members/b', { kind: 'sse', headers }));
    const lines = await open(() => RoomStream.open(server.url, 'members/b', { kind: 'stream', headers }));
    const polls = Array.from({ length: 40 }, () => fetchOnce(server.url, 'GET', '/rooms/members/b?wait=50', { headers }));
    const stays = await JsonClient.greeted(server, '/rooms/open/b', { headers });
    assert.equal((await clients[0].ask({ type: 'subscribe', room: 'open/b' })).type, 'ok');
    fs.writeFileSync(file, `${tokens}${row('members/**', 'user:bob')}${row('open/**', 'anyone')}`);
    const mark = server.mark();
    server.reload();
    await server.waitForLog(LOG.reloaded, { mark });
    const why = 'no access rule lets user:ada join in members/b';
    for (const client of raws) {
      assert.deepEqual(await closeFrame(client), [3003, why]);
      client.destroy();
    }
    for (const client of clients) {
      const left = await client.next(({ type }) => type === 'unsubscribed');
      assert.deepEqual(left, { type: 'unsubscribed', room: 'members/b', code: 'forbidden', message: why });
      isDescribed('LeftByServer', left);
    }
    for (const stream of [...events, ...lines]) {
      await stream.over;
      assert.match(Buffer.concat(stream.pieces).toString(), /"code":3003,"reason":"forbidden","message":"no access rule/);
    }
    for (const poll of await Promise.all(polls)) assert.equal(poll.status, 403);
    // Rooms that it may be in go on.
    assert.equal((await stays.ask({ type: 'publish', data: 'on' })).type, 'ok');
    assert.equal((await clients[0].next(({ type }) => type === 'message')).data, 'on');
    assert.equal((await clients[1].ask({ type: 'publish', data: 'no' })).code, 'forbidden');
    await Promise.all([stays, ...clients].map((client) => client.close()));
  });

  it('a reload that takes an API key ends its clients, polls that wait too', async () => {
    const key = (name) => `key-of-${name}-0123456789abcdef`;
    const lines = (name) => `[[auth.keys]]\nname = "${name}"\nhash = "sha256:${createHash('sha256').update(key(name)).digest('hex')}"\nmay = ["join"]\nrooms = ["keys"]\n`;
    const reload = async (...names) => {
      fs.writeFileSync(file, `${tokens}${row('open/**', 'anyone')}${names.map(lines).join('')}`);
      const mark = server.mark();
      server.reload();
      await server.waitForLog(LOG.reloaded, { mark });
    };
    await reload('gone', 'stays');
    const poll = (name) => fetchOnce(server.url, 'GET', '/rooms/keys?wait=50', { headers: bearer(key(name)) });
    const polls = [poll('gone'), poll('stays')];
    const client = await raw(server.url, 'keys', key('gone'));
    await server.metricBecomes(METRICS.connections, (count) => count === 2, /"poll"/);
    await reload('stays');
    assert.deepEqual(await closeFrame(client), [3000, 'the API key was changed or removed']);
    client.destroy();
    const refused = await polls[0];
    assert.deepEqual([refused.status, refused.json.error.code], [401, 'bad_api_key']);
    assert.equal(await server.metric(METRICS.connections, /"poll"/), 1);
    await reload();
    assert.equal((await polls[1]).status, 401);
  });
});
