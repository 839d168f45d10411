// What moderators and operators have decided outlives the server where it has a store: bans, mutes and revocations, and messages that
// were deleted, replaced or cleared are never seen again.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { apiKey, bearer, configuredBy, keyRow, tokenRow } from '../support/access_rows.js';
import { eventually } from '../support/deadline.js';
import { Moderator, assertDone, startIdentifyingServer } from '../support/moderation.js';
import { pollsOf } from '../support/polls.js';
import { fetchOnce } from '../support/raw_http.js';
import { parseCursor } from '../support/room_client.js';
import { openRoom, ways } from '../support/room_clients.js';
import { newStore, startServer } from '../support/server.js';
import { makeIssuer } from '../support/tokens.js';

const issuer = await makeIssuer('HS256');
const root = apiKey('root');
const args = configuredBy(tokenRow(issuer), keyRow('root', ['admin', 'moderate', 'join', 'publish', 'history', 'presence']));
const running = new Set();
after(async () => {
  for (const server of running) if (server.running) await server.kill();
});

/** A server on the store in `directory`, whose clients and operators are known. */
async function operated(directory, set = {}) {
  const server = await startServer({ args, set: { 'store.path': directory, ...set } });
  running.add(server);
  const call = async (method, target, body) => {
    const headers = { ...bearer(root), ...(body ? { 'Content-Type': 'application/json' } : {}) };
    return fetchOnce(server.url, method, target, { headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  };
  const done = async (...asked) => {
    const answer = await call(...asked);
    assert.ok(answer.status < 300, `${answer.status} ${answer.text}`);
    return answer.status === 204 ? undefined : answer.json;
  };
  /** What a user of that token may do in the room: `[reading, publishing]`, each "ok" or the code of the refusal. */
  const may = async (room, sub, claims = {}) => {
    const headers = sub ? bearer(await issuer.token({ sub, ...claims })) : {};
    const answers = [await fetchOnce(server.url, 'GET', `/rooms/${room}`, { headers }), await fetchOnce(server.url, 'POST', `/rooms/${room}`, { headers, body: 'hi' })];
    return answers.map(({ status, json }) => (status === 200 ? 'ok' : json.error.code));
  };
  const listed = async () => Promise.all(['bans', 'mutes', 'revoke'].map(async (kind) => (await done('GET', `/api/${kind}`))));
  return { server, call, done, may, listed };
}

const now_s = () => Math.floor(Date.now() / 1000);

describe('bans, mutes and revocations', () => {
  it('are in force after kill -9 and after a clean restart, and what was lifted or replaced stays so', async () => {
    const directory = newStore();
    let one = await operated(directory);
    const issued = now_s();
    await one.done('POST', '/api/bans', { user: 'banned', reason: 'spam "and" ünfug' });
    await one.done('POST', '/api/bans', { user: 'banned-here', room: 'chat/*', seconds: 3600 });
    await one.done('POST', '/api/mutes', { user: 'muted', room: 'lobby' });
    await one.done('POST', '/api/mutes', { user: 'muted-again', seconds: 1 });
    await one.done('POST', '/api/mutes', { user: 'muted-again', reason: 'for good' });
    await one.done('POST', '/api/revoke', { jti: 'stolen' });
    await one.done('POST', '/api/revoke', { user: 'old', issued_before: issued - 50 });
    await one.done('POST', '/api/bans', { user: 'pardoned' });
    await one.done('DELETE', '/api/bans?user=pardoned');
    const expected = await one.listed();
    assert.deepEqual(expected.map((page) => Object.values(page)[0].length), [2, 2, 2]);

    for (const end of ['kill', 'stop', 'kill']) {
      await one.server[end]();
      one = await operated(directory);
      const { may } = one;
      assert.deepEqual(await may('lobby', 'banned'), ['banned', 'banned'], end);
      assert.deepEqual(await may('chat/a', 'banned-here'), ['banned', 'banned'], end);
      assert.deepEqual(await may('lobby', 'banned-here'), ['ok', 'ok'], end);
      assert.deepEqual(await may('lobby', 'muted'), ['ok', 'muted'], end);
      assert.deepEqual(await may('lobby', 'muted-again'), ['ok', 'muted'], end);
      assert.deepEqual(await may('lobby', 'thief', { jti: 'stolen' }), ['token_revoked', 'token_revoked'], end);
      assert.deepEqual(await may('lobby', 'thief', { jti: 'own' }), ['ok', 'ok'], end);
      assert.deepEqual(await may('lobby', 'old', { iat: issued - 51 }), ['token_revoked', 'token_revoked'], end);
      assert.deepEqual(await may('lobby', 'old', { iat: issued - 50 }), ['ok', 'ok'], end);
      assert.deepEqual(await may('lobby', 'pardoned'), ['ok', 'ok'], end);
      assert.deepEqual(await one.listed(), expected, end);
    }
    // Lifted after a restart: lifted after the next.
    await one.done('DELETE', '/api/bans?user=banned');
    await one.done('DELETE', '/api/revoke?jti=stolen');
    await one.server.kill();
    one = await operated(directory);
    assert.deepEqual(await one.may('lobby', 'banned'), ['ok', 'ok']);
    assert.deepEqual(await one.may('lobby', 'thief', { jti: 'stolen' }), ['ok', 'ok']);
    assert.deepEqual(await one.may('lobby', 'muted'), ['ok', 'muted']);
    await one.server.stop();
  });

  it('of addresses are in force from the first connection on', async () => {
    const directory = newStore();
    let one = await operated(directory);
    await one.done('POST', '/api/bans', { address: '127.0.0.0/8', room: 'chat/**' });
    await one.done('POST', '/api/mutes', { address: '127.0.0.1' });
    for (const end of ['kill', 'stop']) {
      await one.server[end]();
      one = await operated(directory);
      assert.deepEqual(await one.may('chat/a'), ['banned', 'banned'], end);
      assert.deepEqual(await one.may('lobby'), ['ok', 'muted'], end);
    }
    await one.server.stop();
  });

  it('end by themselves, while the server runs and while it does not', async () => {
    const directory = newStore();
    let one = await operated(directory);
    await one.done('POST', '/api/bans', { user: 'long', seconds: 3600 });
    await one.done('POST', '/api/bans', { user: 'brief', seconds: 2 });
    await one.server.kill();
    one = await operated(directory);
    await eventually(async () => (await one.may('lobby', 'brief'))[0] === 'ok', 'the end of the ban');
    await one.done('POST', '/api/bans', { user: 'short', seconds: 1 });
    await one.server.kill();
    await eventually(() => now_s() > 0 && Date.now() % 1000 > 900, 'the end of a second');
    one = await operated(directory);
    await eventually(async () => (await one.done('GET', '/api/bans')).bans.length === 1, 'the end of all but one');
    assert.deepEqual(await one.may('lobby', 'long'), ['banned', 'banned']);
    await one.server.stop();
  });

  it('are many, and all there', async () => {
    const directory = newStore();
    const count = 600;
    let one = await operated(directory);
    for (let i = 0; i < count; i += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, j) => one.done('POST', '/api/bans', { user: `user-${i + j}` })));
      await Promise.all(Array.from({ length: 50 }, (_, j) => one.done('DELETE', `/api/bans?user=user-${i + 2 * j}`)));
    }
    await one.server.kill();
    // A bound that is lower now does not let anybody off.
    one = await operated(directory, { 'limits.sanctions_bytes': 1000 });
    assert.equal(await one.server.metric('roomcast_sanctions', /ban/), count / 2);
    assert.deepEqual(await one.may('lobby', 'user-1'), ['banned', 'banned']);
    assert.deepEqual(await one.may('lobby', 'user-2'), ['ok', 'ok']);
    assert.equal((await one.call('POST', '/api/bans', { user: 'more' })).json.error.code, 'overloaded');
    await one.server.stop();
  });
});

describe('messages that were taken back', () => {
  const secret = 'TAKEN BACK';

  /** Everything that a client can get of the room: history, polls, late joins over each way, from the beginning and by number. */
  async function everythingOf(server, room, first) {
    const seen = [];
    const polls = pollsOf(server.url);
    const beginning = `${parseCursor(first).epoch}-0`;
    for (const query of ['?history=1000', `?since=${beginning}`, `?since=${first}`]) seen.push(JSON.stringify(await polls.poll(room, query)));
    for (const way of ways.filter(({ process: child }) => !child)) {
      const options = way.cursors ? { since: beginning } : { history: 100 };
      const client = await openRoom(way, server.url, room, options);
      // A message of now ends what there is to read.
      const last = `last ${seen.length}`;
      await polls.publishAll(room, [last]);
      for (let data; data !== last;) {
        const event = await client.next();
        assert.notEqual(event.type, 'end', `${way.name}: ${JSON.stringify(event)}`);
        seen.push(JSON.stringify(event));
        ({ data } = event);
      }
      client.close();
    }
    return seen.join('\n');
  }

  it('are never seen again, over restarts, in tail and chunks', async () => {
    const directory = newStore();
    const start = () => startIdentifyingServer({ set: { 'store.path': directory, 'history.messages': 1000, 'store.ring_messages': 5 } });
    let server = await start();
    running.add(server);
    const polls = pollsOf(server.url);
    const cursors = await polls.publishAll('amended', Array.from({ length: 30 }, (_, i) => `${i % 3 === 0 ? secret : 'kept'} ${i}`));
    const cleared = await polls.publishAll('cleared', Array.from({ length: 30 }, (_, i) => `${secret} ${i}`));
    // Now some are in chunks, and the next in the tail.
    await server.stop();
    server = await start();
    running.add(server);
    cursors.push(...await pollsOf(server.url).publishAll('amended', Array.from({ length: 6 }, (_, i) => `${i % 3 === 0 ? secret : 'kept'} ${30 + i}`)));
    const moderator = new Moderator(server.url);
    for (let i = 0; i < 36; i += 3) assertDone(await (i % 2 === 0 ? moderator.remove('amended', cursors[i]) : moderator.replace('amended', cursors[i], `another ${i}`)));
    assertDone(await moderator.clear('cleared'));

    for (const end of ['kill', 'stop', 'kill', 'stop']) {
      await server[end]();
      server = await start();
      running.add(server);
      for (const [room, first] of [['amended', cursors[0]], ['cleared', cleared[0]]]) {
        const seen = await everythingOf(server, room, first);
        assert.ok(!seen.includes(secret), `${room} after ${end}: ${seen.slice(Math.max(0, seen.indexOf(secret) - 500), seen.indexOf(secret) + 100)}`);
        if (room === 'amended') for (const word of ['kept 1', 'kept 35', 'another 3', 'another 33']) assert.ok(seen.includes(word), word);
      }
    }
    await server.stop();
  });
});
