// Who a message and a member are from: users, keys and anonymous clients, over all transports and dialects.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { bearer } from '../support/access_rows.js';
import { JsonClient } from '../support/json_client.js';
import { keyOf, startIdentifyingServer, tokenOf } from '../support/moderation.js';
import { fetchOnce } from '../support/raw_http.js';
import { openRoom, ways } from '../support/room_clients.js';

describe('who it is from', () => {
  let server;
  const tokens = {};
  before(async () => {
    server = await startIdentifyingServer({ set: { 'presence.grace_seconds': 0 } });
    tokens.ada = await tokenOf('ada', { name: 'Ada L.' });
    tokens.bob = await tokenOf('bob');
  });
  after(() => server.stop());

  const post = async (room, { name, token } = {}) => {
    const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`;
    const response = await fetchOnce(server.url, 'POST', `/rooms/${room}${query}`, { headers: token ? bearer(token) : {}, body: 'hi' });
    assert.equal(response.status, 200);
  };
  const present = async (room) => (await fetchOnce(server.url, 'GET', `/presence/${room}`)).json;
  const authorOf = ({ from, user, key }) => ({ from, ...(user === undefined ? {} : { user }), ...(key === undefined ? {} : { key }) });

  for (const way of ways.filter(({ form }) => form === 'object')) {
    it(`${way.name}: users and keys are named as such, anonymous clients by the name alone`, async () => {
      const room = `from-${ways.indexOf(way)}`;
      const client = await openRoom(way, server.url, room, { wait: 20 });
      await client.start();
      await post(room, { token: tokens.ada });
      await post(room, { token: tokens.ada, name: 'Eve' });
      await post(room, { token: tokens.bob });
      await post(room, { token: keyOf('ci') });
      await post(room, { token: keyOf('ci'), name: 'Build 7' });
      await post(room, { name: 'Ada L.' });
      await post(room, { name: 'user:ada' });
      await post(room);
      assert.deepEqual((await client.messages(8)).map(authorOf), [
        { from: 'Ada L.', user: 'ada' },
        { from: 'Ada L.', user: 'ada' },
        { from: 'bob', user: 'bob' },
        { from: 'ci', key: 'ci' },
        { from: 'Build 7', key: 'ci' },
        { from: 'Ada L.' },
        { from: 'user:ada' },
        { from: null },
      ]);
      client.close();
    });
  }

  for (const way of ways) {
    it(`${way.name}: a user who joins is a member under the name of the identity`, async () => {
      const room = `member-${ways.indexOf(way)}`;
      const client = await openRoom(way, server.url, room, { name: 'Eve', token: tokens.ada, wait: 20 });
      await client.start();
      // A short poll is hardly ever there.
      if (way.name !== 'short poll') assert.deepEqual((await present(room)).members, [{ name: 'Ada L.', user: 'ada' }]);
      client.close();
    });
  }

  it('a name with a NUL, or any control character, is refused and forges nothing', async () => {
    for (const name of ['Ada\0user:ada', 'Ada\x01user:ada', '\0user:ada']) {
      const response = await fetchOnce(server.url, 'POST', `/rooms/forged?name=${encodeURIComponent(name)}`, { body: 'hi' });
      assert.equal(response.status, 400);
      assert.equal(response.json.error.code, 'bad_client_name');
    }
    const batch = { messages: [{ room: 'forged', data: 'x', from: 'Ada\0user:ada' }] };
    const response = await fetchOnce(server.url, 'POST', '/api/publish', { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(batch) });
    assert.equal(response.json.results[0].error.code, 'bad_client_name');
  });

  it('a batch says for each message who it is from', async () => {
    const client = await JsonClient.greeted(server, '/rooms/batch');
    const publish = (token, ...names) => fetchOnce(server.url, 'POST', '/api/publish', {
      headers: { 'Content-Type': 'application/json', ...(token ? bearer(token) : {}) },
      body: JSON.stringify({ messages: names.map((from) => ({ room: 'batch', data: 1, from })) }),
    });
    await publish(keyOf('ci'), 'a', 'a', undefined, 'b');
    await publish(tokens.bob, 'a', undefined);
    await publish(undefined, 'a', undefined);
    const got = [];
    while (got.length < 8) got.push(authorOf(await client.next(({ type }) => type === 'message')));
    assert.deepEqual(got, [
      { from: 'a', key: 'ci' }, { from: 'a', key: 'ci' }, { from: 'ci', key: 'ci' }, { from: 'b', key: 'ci' },
      { from: 'bob', user: 'bob' }, { from: 'bob', user: 'bob' },
      { from: 'a' }, { from: null },
    ]);
    await client.close();
  });

  it('all devices of a user are one member, apart from an anonymous client of that name', async () => {
    const watcher = await JsonClient.greeted(server, '/rooms/devices?presence=1');
    const members = [];
    const notice = async () => {
      const { type, member } = await watcher.next(({ type }) => type === 'join' || type === 'leave');
      members.push([type, member]);
    };
    const phone = await JsonClient.greeted(server, '/rooms/devices', { headers: bearer(tokens.ada) });
    await notice();
    const laptop = await JsonClient.greeted(server, '/rooms/devices', { headers: bearer(tokens.ada) });
    const namesake = await JsonClient.greeted(server, '/rooms/devices?name=Ada+L.');
    await notice();
    assert.deepEqual(await present('devices'), {
      room: 'devices', count: 3, members: [{ name: 'Ada L.' }, { name: 'Ada L.', user: 'ada' }], anonymous: 1,
    });
    const renamed = await JsonClient.greeted(server, '/rooms/devices', { headers: bearer(await tokenOf('ada', { name: 'Ada Lovelace' })) });
    await notice();
    await phone.close();
    await laptop.close();
    await namesake.close();
    await notice();
    await renamed.close();
    await notice();
    assert.deepEqual(members, [
      ['join', { name: 'Ada L.', user: 'ada' }],
      ['join', { name: 'Ada L.' }],
      ['join', { name: 'Ada Lovelace', user: 'ada' }],
      ['leave', { name: 'Ada L.' }],
      ['leave', { name: 'Ada Lovelace', user: 'ada' }],
    ]);
    await watcher.close();
  });
});
