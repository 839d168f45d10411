// Redis is gone, or silent: what each way in gets meanwhile, and that all go on when it is back.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { eventually, seconds } from '../support/deadline.js';
import { JsonClient } from '../support/json_client.js';
import { pollsOf } from '../support/polls.js';
import { fetchOnce } from '../support/raw_http.js';
import { RedisServer, without_redis } from '../support/redis.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

const file = path.join(scratchDirectory(), 'roomcast.toml');
/** The path of a file with these settings, in place of those before. */
function config(settings) {
  fs.writeFileSync(file, Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`).join(''));
  return file;
}
const running = new Set();
const publish_seconds = 1;
async function start(redis, set = {}) {
  const server = await startServer({ set: { engine: 'redis', 'redis.urls': redis.url, 'redis.publish_seconds': publish_seconds, 'redis.ready_seconds': 0.5, ...set } });
  running.add(server);
  await isUp(server);
  return server;
}
const ready = async (server) => (await fetchOnce(server.url, 'GET', '/readyz')).text;
const isUp = (server) => eventually(async () => (await ready(server)) === 'ready\nredis: up\n', 'a server that is ready', seconds(30));
const isNotReady = (server) => eventually(async () => /^not ready\nredis: unix:/.test(await ready(server)), 'a server that is not ready', seconds(30));
const post = (server, room, body, headers = {}) => fetchOnce(server.url, 'POST', `/rooms/${room}`, { body, headers: { 'Content-Type': 'text/plain', ...headers } });
const refused = (answer) => ({ status: answer.status, code: answer.json.error.code, retry_after: answer.header('retry-after') });
const datasOf = (messages) => messages.map(({ data }) => data);
const outcome = (server, name) => server.metric('roomcast_redis_publishes_total', new RegExp(`outcome="${name}"`));

describe('Redis is away', { skip: without_redis }, () => {
  after(async () => {
    for (const server of running) if (server.running) await server.kill();
  });

  it('gone: publishes and joins are refused in time, everybody stays, and is told a gap where all is lost', async () => {
    const redis = await RedisServer.start();
    const server = await start(redis);
    const member = await JsonClient.greeted(server, '/rooms/a');
    const listener = await JsonClient.greeted(server, '/rooms/a');
    const { cursor } = (await post(server, 'a', 'before')).json;
    for (const client of [member, listener]) assert.deepEqual(datasOf(await client.messages(1)), ['before']);
    const raw = await connect(server.url, { path: '/rooms/a' });
    await raw.roundTrip();

    await redis.stop();
    const since = Date.now();
    const [over_http, over_json] = await Promise.all([post(server, 'a', 'x'), member.ask({ type: 'publish', room: 'a', data: 'x' })]);
    assert.ok(Date.now() - since >= 1_000 * publish_seconds, 'they wait');
    assert.deepEqual(refused(over_http), { status: 503, code: 'unavailable', retry_after: '1' });
    assert.deepEqual([over_json.type, over_json.code], ['error', 'unavailable']);
    await raw.text('x');
    await raw.expectClose(1013);
    await isNotReady(server);
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    assert.ok((await outcome(server, 'unavailable')) >= 3);
    // Nobody joins, by no way: what is in memory may not be all that there is.
    const joins = await Promise.all([
      fetchOnce(server.url, 'GET', `/rooms/a?since=${cursor}`),
      fetchOnce(server.url, 'GET', '/rooms/b'),
      member.ask({ type: 'subscribe', room: 'b' }),
      fetchOnce(server.url, 'GET', '/rooms/c', { headers: { Accept: 'application/x-ndjson' } }).catch((error) => error),
    ]);
    for (const poll of joins.slice(0, 2)) assert.deepEqual([poll.status, poll.json.error.code], [503, 'timed_out']);
    assert.deepEqual([joins[2].type, joins[2].code], ['error', 'timed_out']);
    assert.match(joins[3].text, /"bye","code":1013,"reason":"unavailable"/);
    for (const client of [member, listener]) assert.equal(client.socket.readyState, client.socket.OPEN);

    await redis.begin();
    await isUp(server);
    assert.equal((await post(server, 'a', 'after')).status, 200);
    for (const client of [member, listener]) {
      assert.equal((await client.next(({ type }) => type === 'gap', 'a gap')).room, 'a');
      assert.deepEqual(datasOf(await client.messages(1)), ['after']);
      await client.close();
    }
    await server.stop();
  });

  it('silent: the outcome is not known, the message comes once, and nobody misses anything', async () => {
    const redis = await RedisServer.start();
    const server = await start(redis);
    const member = await JsonClient.greeted(server, '/rooms/a');
    assert.equal((await post(server, 'a', 'before')).status, 200);
    redis.freeze();
    const key = { 'Idempotency-Key': 'k' };
    const late = await post(server, 'a', 'late', key);
    assert.deepEqual(refused(late), { status: 503, code: 'timed_out', retry_after: '1' });
    assert.match(late.json.error.message, /repeat it with the same Idempotency-Key/);
    await isNotReady(server);
    redis.thaw();
    await isUp(server);
    const again = await post(server, 'a', 'late', key);
    assert.equal(again.status, 200);
    assert.equal((await post(server, 'a', 'after')).status, 200);
    assert.deepEqual(datasOf(await member.messages(3)), ['before', 'late', 'after']);
    assert.deepEqual(member.unread.filter(({ type }) => type !== 'pong').map(({ type }) => type), []);
    assert.deepEqual(datasOf((await pollsOf(server.url).poll('a', '?history=9')).messages), ['before', 'late', 'after']);
    assert.ok((await outcome(server, 'timed_out')) >= 1);
    await member.close();
    await server.stop();
  });

  it('for a moment: publishes wait, and clients notice nothing', async () => {
    const redis = await RedisServer.start();
    const [one, two] = [await start(redis, { 'redis.publish_seconds': 30 }), await start(redis)];
    const member = await JsonClient.greeted(two, '/rooms/a');
    assert.equal((await post(one, 'a', '0')).status, 200);
    await redis.ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await redis.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const answers = await Promise.all(['1', '2', '3'].map((body) => post(one, 'a', body)));
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
    const datas = datasOf(await member.messages(4));
    assert.deepEqual([...datas].sort(), ['0', '1', '2', '3']);
    assert.deepEqual(member.unread.map(({ type }) => type), []);
    assert.match(one.log(), /warn +no connection to Redis/);
    await member.close();
    await Promise.all([one.stop(), two.stop()]);
  });

  it('full: refused as overloaded, and it goes on once there is space', async () => {
    const redis = await RedisServer.start();
    const server = await start(redis);
    assert.equal((await post(server, 'a', 'before')).status, 200);
    await redis.ask('CONFIG', 'SET', 'maxmemory', '1');
    assert.deepEqual(refused(await post(server, 'a', 'x')), { status: 503, code: 'overloaded', retry_after: '1' });
    await redis.ask('CONFIG', 'SET', 'maxmemory', '0');
    assert.equal((await post(server, 'a', 'after')).status, 200);
    assert.deepEqual(datasOf((await pollsOf(server.url).poll('a', '?history=9')).messages), ['before', 'after']);
    await server.stop();
  });

  it('redis.publish_seconds takes effect at a reload', async () => {
    // The probe of 65_strangers_reload is here: it takes a server over Redis.
    const redis = await RedisServer.start();
    const server = await startServer({ env: { ROOMCAST_ENGINE: 'redis', ROOMCAST_REDIS_URLS: redis.url }, args: ['--config', config({ 'redis.publish_seconds': 30 })] });
    running.add(server);
    await isUp(server);
    await redis.stop();
    const waits = post(server, 'a', 'x');
    config({ 'redis.publish_seconds': 0.2 });
    const mark = server.mark();
    server.reload();
    await server.waitForLog(/\breloaded\b/, { mark });
    assert.equal((await waits).json.error.code, 'unavailable');
    await server.stop();
  });
});
