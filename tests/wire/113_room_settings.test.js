// The settings of rooms by pattern: publish_only_keys, members_max, message_bytes, messages_per_second, slow_mode_seconds,
// hidden_members, echo.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { apiKey, bearer, keyRow } from '../support/access_rows.js';
import { sleep } from '../support/deadline.js';
import { JsonClient } from '../support/json_client.js';
import { errorMessage, fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { runToEnd, startServer } from '../support/server.js';
import { attempt, connect } from '../support/wire_client.js';

const file = path.join(scratchDirectory(), 'rooms.toml');
fs.writeFileSync(file, `
trusted_proxies = ["127.0.0.1"]
[rates]
burst_seconds = 4
[[rooms]]
match = "news/*"
publish_only_keys = true
[[rooms]]
match = "table/*"
members_max = 2
[[rooms]]
match = "short/*"
message_bytes = 10
[[rooms]]
match = "paced/*"
messages_per_second = 1
[[rooms]]
match = "slow/*"
slow_mode_seconds = 1.5
[[rooms]]
match = "hidden/*"
hidden_members = true
[[rooms]]
match = "quiet/*"
echo = false
${keyRow('mod', ['join', 'presence', 'moderate'], ['hidden/*'])}${keyRow('reader', ['join', 'presence'], ['hidden/*'])}
${keyRow('root', ['presence', 'admin'])}`);
const server = await startServer({ args: ['--config', file] });
after(() => server.stop());

const post = (room, body = 'x', from = '192.0.2.1') =>
  fetchOnce(server.url, 'POST', `/rooms/${room}`, { body, headers: { 'Content-Type': 'text/plain', 'X-Forwarded-For': from } });
const publish = (client, data, more) => client.ask({ type: 'publish', data, ...more });

describe('room settings', () => {
  it('publish_only_keys: nobody without a key publishes, over any way in', async () => {
    assert.match(errorMessage(await post('news/a'), 403), /rooms\.publish_only_keys/);
    const client = await JsonClient.greeted(server, '/rooms/news/a');
    assert.equal((await publish(client, 1)).code, 'publish_only_keys');
    assert.equal((await publish(client, 1, { room: 'elsewhere' })).type, 'ok');
    await client.close();
    const raw = await connect(server.url, { path: '/rooms/news/a' });
    await raw.text('x');
    await raw.expectClose(3003);
  });

  it('members_max: the room is full for all ways in until somebody leaves', async () => {
    const clients = [await connect(server.url, { path: '/rooms/table/1' }), await connect(server.url, { path: '/rooms/table/1' })];
    const refused = await attempt(server.url, { path: '/rooms/table/1' });
    assert.match(errorMessage(refused.response, 503), /rooms\.members_max allows 2/);
    assert.equal(refused.response.json.error.code, 'room_full');
    refused.socket.destroy();
    assert.equal((await fetchOnce(server.url, 'GET', '/rooms/table/1?transport=stream')).status, 503);
    const many = await JsonClient.greeted(server);
    assert.equal((await many.ask({ type: 'subscribe', room: 'table/1' })).code, 'room_full');
    assert.equal((await many.ask({ type: 'subscribe', room: 'table/2' })).type, 'ok');
    await clients[0].close();
    assert.equal((await many.ask({ type: 'subscribe', room: 'table/1' })).type, 'ok');
    await many.close();
    clients[1].destroy();
  });

  it('message_bytes: the size that fits, and one byte more', async () => {
    assert.equal((await post('short/a', '1234567890')).status, 200);
    assert.match(errorMessage(await post('short/a', '12345678901'), 413), /rooms\.message_bytes allows 10/);
    const client = await JsonClient.greeted(server, '/rooms/short/a');
    assert.equal((await publish(client, '12345678901')).code, 'message_too_big');
    await client.close();
    const raw = await connect(server.url, { path: '/rooms/short/a' });
    await raw.text('12345678901');
    await raw.expectClose(1009);
    const messages = [{ room: 'short/a', data: 'much too long' }, { room: 'long', data: 'much too long' }];
    const batch = await fetchOnce(server.url, 'POST', '/api/publish', { body: JSON.stringify({ messages }), headers: { 'Content-Type': 'application/json' } });
    assert.deepEqual(batch.json.results.map(({ error }) => error?.code), ['message_too_big', undefined]);
  });

  it('messages_per_second: of all publishers together', async () => {
    for (let i = 0; i < 4; i += 1) assert.equal((await post('paced/a', 'x', `192.0.2.${i + 10}`)).status, 200);
    const refused = await post('paced/a', 'x', '192.0.2.99');
    assert.match(errorMessage(refused, 429), /rooms\.messages_per_second allows 1/);
    assert.equal(refused.header('retry-after'), '1');
    assert.equal((await post('paced/b')).status, 200);
  });

  it('slow_mode_seconds: one message of each connection, or address, and the time that is left', async () => {
    const clients = [await JsonClient.greeted(server, '/rooms/slow/a'), await JsonClient.greeted(server, '/rooms/slow/a')];
    for (const client of clients) assert.equal((await publish(client, 'first')).type, 'ok');
    const refused = await publish(clients[0], 'second');
    assert.equal(refused.code, 'rate_limited');
    assert.match(refused.message, /rooms\.slow_mode_seconds/);
    assert.ok(refused.retry_ms > 500 && refused.retry_ms <= 1500, `${refused.retry_ms}`);
    assert.equal((await post('slow/a', 'x', '192.0.2.50')).status, 200);
    const again = await post('slow/a', 'x', '192.0.2.50');
    assert.deepEqual([again.status, again.header('retry-after')], [429, '2']);
    assert.equal((await post('slow/a', 'x', '192.0.2.51')).status, 200);
    await sleep(refused.retry_ms);
    assert.equal((await publish(clients[0], 'third')).type, 'ok');
    for (const client of clients) await client.close();
  });

  it('slow_mode_seconds: a raw client waits for its turn', async () => {
    const raw = await connect(server.url, { path: '/rooms/slow/raw' });
    const begin = Date.now();
    await raw.text('first');
    await raw.text('second');
    await raw.expectText('first');
    await raw.expectText('second');
    assert.ok(Date.now() - begin >= 1400);
    await raw.close();
  });

  it('hidden_members: presence is a number, and joins and leaves are not announced', async () => {
    const watcher = await JsonClient.greeted(server, '/rooms/hidden/a?presence=1&name=watcher');
    assert.deepEqual([watcher.ok.presence.count, watcher.ok.presence.members], [1, undefined]);
    const other = await JsonClient.greeted(server, '/rooms/hidden/a?name=other');
    const counted = await watcher.next(({ type }) => type === 'presence');
    assert.deepEqual([counted.count, counted.members], [2, undefined]);
    assert.equal((await watcher.ask({ type: 'presence' })).members, undefined);
    const listed = await fetchOnce(server.url, 'GET', '/presence/hidden/a');
    assert.ok(!listed.text.includes('watcher') && !listed.text.includes('other'), listed.text);
    assert.equal(listed.json.count, 2);
    await other.close();
    await watcher.close();
    assert.ok(!watcher.texts.some((text) => text.includes('"other"')), 'a name');
  });

  it('hidden_members: those who moderate the room see the members when they ask', async () => {
    const other = await JsonClient.greeted(server, '/rooms/hidden/b?name=other');
    const membersFor = async (key) => (await fetchOnce(server.url, 'GET', '/presence/hidden/b', { headers: bearer(key) })).json.members;
    for (const name of ['mod', 'root']) assert.deepEqual(await membersFor(apiKey(name)), [{ name: 'other' }], name);
    for (const key of [undefined, apiKey('reader')]) assert.equal(await membersFor(key), undefined);
    const clients = {};
    for (const name of ['mod', 'reader']) clients[name] = await JsonClient.greeted(server, '/rooms/hidden/b', { headers: bearer(apiKey(name)) });
    const asked = async (name) => (await clients[name].ask({ type: 'presence', room: 'hidden/b' })).presence;
    assert.deepEqual((await asked('mod')).members, [{ name: 'other' }, { name: 'mod', key: 'mod' }, { name: 'reader', key: 'reader' }]);
    assert.deepEqual([(await asked('reader')).count, (await asked('reader')).members], [3, undefined]);
    for (const client of [other, ...Object.values(clients)]) await client.close();
  });

  it('echo: senders do not get their own, unless they ask for it', async () => {
    const [silent, asking] = [await JsonClient.greeted(server, '/rooms/quiet/a'), await JsonClient.greeted(server, '/rooms/quiet/a?echo=1')];
    const many = await JsonClient.greeted(server);
    for (const room of ['quiet/a', 'loud']) assert.equal((await many.ask({ type: 'subscribe', room })).type, 'ok');
    await publish(silent, 'of silent');
    await publish(asking, 'of asking');
    await publish(many, 'of many', { room: 'quiet/a' });
    await publish(many, 'loud', { room: 'loud' });
    await publish(asking, 'end');
    const until = async (client) => {
      const texts = [];
      for (let one = await client.messages(1); one[0].data !== 'end'; one = await client.messages(1)) texts.push(one[0].data);
      return texts.sort();
    };
    assert.deepEqual(await until(silent), ['of asking', 'of many']);
    assert.deepEqual(await until(asking), ['of asking', 'of many', 'of silent']);
    assert.deepEqual(await until(many), ['loud', 'of asking', 'of silent']);
    const off = await JsonClient.greeted(server, '/rooms/loud?echo=0');
    await publish(off, 'not for itself');
    assert.equal((await off.ask({ type: 'ping' })).type, 'ok');
    assert.ok(!off.unread.some(({ type }) => type === 'message'));
    for (const client of [silent, asking, many, off]) await client.close();
  });

  it('all of them can be set for every room at once, and a value that makes no sense is refused by name', async () => {
    const everywhere = await startServer({ set: { 'room_defaults.slow_mode_seconds': 60, 'room_defaults.message_bytes': 5 } });
    const url = (room) => [everywhere.url, 'POST', `/rooms/${room}`];
    assert.equal((await fetchOnce(...url('any'), { body: 'first' })).status, 200);
    assert.equal((await fetchOnce(...url('any'), { body: 'next' })).status, 429);
    assert.equal((await fetchOnce(...url('other'), { body: 'longer' })).status, 413);
    await everywhere.stop();
    const wrong = path.join(path.dirname(file), 'wrong.toml');
    fs.writeFileSync(wrong, '[[rooms]]\nmatch = "a"\nslow_mode_seconds = -1\n');
    const { code, stderr } = await runToEnd(['--config', wrong, '--check-config']);
    assert.equal(code, 2);
    assert.match(stderr, /slow_mode_seconds: expected/);
  });
});
