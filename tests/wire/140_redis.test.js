// Servers that share their rooms over a real Redis server.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { eventually, seconds } from '../support/deadline.js';
import { JsonClient } from '../support/json_client.js';
import { pollsOf } from '../support/polls.js';
import { fetchOnce } from '../support/raw_http.js';
import { freePort, RedisServer, without_redis } from '../support/redis.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { runToEnd, setFlags, startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

const running = new Set();
/** A server over Redis, which may not be connected yet. */
async function start(redis, set = {}) {
  const server = await startServer({ set: { engine: 'redis', 'redis.urls': redis.url ?? redis, ...set } });
  running.add(server);
  return server;
}
const readiness = async (server) => {
  const { status, text } = await fetchOnce(server.url, 'GET', '/readyz');
  return `${status} ${text}`;
};
const isUp = (server) => eventually(async () => (await readiness(server)) === '200 ready\nredis: up\n', 'a server that is ready');
const post = (server, room, body, headers = {}) => fetchOnce(server.url, 'POST', `/rooms/${room}`, { body, headers: { 'Content-Type': 'text/plain', ...headers } });
const publish = async (server, room, body) => {
  const answer = await post(server, room, body);
  assert.equal(answer.status, 200, answer.text);
  return answer.json.cursor;
};
const datasOf = (messages) => messages.map(({ data }) => data);
/** What `roomcast --check-config` says of the settings: exit code and standard error. */
async function checked(set, env) {
  const { code, stderr } = await runToEnd([...setFlags(set), '--check-config'], { env });
  return { code, stderr };
}

describe('servers over one Redis', { skip: without_redis }, () => {
  after(async () => {
    for (const server of running) if (server.running) await server.kill();
  });

  it('are one service: every way in, order, history, a cursor of another server, idempotency keys', async () => {
    const redis = await RedisServer.start();
    const [one, two] = [await start(redis), await start(redis)];
    await Promise.all([isUp(one), isUp(two)]);
    const clients = [await JsonClient.greeted(one, '/rooms/a'), await JsonClient.greeted(two, '/rooms/a')];
    const raw = await connect(two.url, { path: '/rooms/a' });
    const cursors = [];
    for (let i = 0; i < 20; i += 1) cursors.push(await publish(i % 2 === 0 ? one : two, 'a', `${i}`));
    const all = cursors.map((_, i) => `${i}`);
    for (const client of clients) {
      const messages = await client.messages(20);
      assert.deepEqual(datasOf(messages), all);
      assert.deepEqual(messages.map(({ cursor }) => cursor), cursors);
    }
    for (const data of all) assert.equal(await raw.nextText(), data);
    for (const server of [one, two]) {
      const { gap, messages } = await pollsOf(server.url).poll('a', `?since=${cursors[4]}`);
      assert.equal(gap, null);
      assert.deepEqual(datasOf(messages), all.slice(5));
    }
    const key = { 'Idempotency-Key': 'k1' };
    const first = await post(one, 'a', 'once', key);
    const again = await post(two, 'a', 'once', key);
    assert.deepEqual([again.status, again.json.cursor, again.json.duplicate], [200, first.json.cursor, true]);
    const other = await post(two, 'a', 'another', key);
    assert.deepEqual([other.status, other.json.error.code], [422, 'key_reused']);
    for (const client of clients) assert.deepEqual(datasOf(await client.messages(1)), ['once']);
    // A server that starts later has the history.
    const three = await start(redis);
    await isUp(three);
    assert.deepEqual(datasOf((await pollsOf(three.url).poll('a', '?history=3')).messages), ['18', '19', 'once']);
    await Promise.all(clients.map((client) => client.close()));
    raw.destroy();
    for (const server of [one, two, three]) await server.stop();
  });

  it('with another prefix share nothing', async () => {
    const redis = await RedisServer.start();
    const [one, two] = [await start(redis), await start(redis, { 'redis.prefix': 'other' })];
    await Promise.all([isUp(one), isUp(two)]);
    await publish(one, 'a', 'x');
    await publish(two, 'a', 'y');
    assert.deepEqual(datasOf((await pollsOf(two.url).poll('a', '?history=9')).messages), ['y']);
    assert.ok((await redis.ask('KEYS', 'rc{*')).length > 0);
    assert.ok((await redis.ask('KEYS', 'other{*')).length > 0);
  });

  it('start before Redis does: not ready, and connected when it comes', async () => {
    const redis = new RedisServer(scratchDirectory());
    const server = await start(redis.url);
    const before = await readiness(server);
    assert.match(before, /^503 not ready\nredis: /);
    await server.waitForLog(/warn.*no connection to Redis.*redis\.sock/);
    assert.match(await readiness(server), new RegExp(`^503 not ready\nredis: ${redis.url}: `));
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    assert.equal(await server.metric('roomcast_redis_up'), 0);
    // The same trouble is logged once, whatever the number of attempts.
    await eventually(async () => (await server.metric('roomcast_redis_reconnects_total')) >= 6, 'some attempts');
    assert.equal(server.log().match(/no connection to Redis for=calls/g).length, 1);
    const waiting = post(server, 'a', 'waits');
    await redis.begin();
    await isUp(server);
    assert.equal((await waiting).status, 200, 'what was published meanwhile');
    assert.match(server.log(), /info +connected to Redis again/);
    assert.equal(await server.metric('roomcast_redis_up'), 1);
    await server.stop();
  });

  it('say what is wrong with a Redis that cannot be used, each time that it is something else', async () => {
    const redis = await RedisServer.start({ options: ['--requirepass', 'right horse'] });
    const server = await start(redis);
    await server.waitForLog(/warn.*no connection to Redis.*set redis\.password_file/);
    assert.match(await readiness(server), /^503 not ready\nredis: unix:\S+: the server wants a user or password/);
    // A user that may log in, and nothing else.
    await redis.ask('--no-auth-warning', '-a', 'right horse', 'ACL', 'SETUSER', 'default', 'reset', 'on', 'nopass');
    await server.waitForLog(/warn.*no connection to Redis.*its ACL needs \+\w+/);
    await server.stop();
    await redis.stop();

    const password = path.join(scratchDirectory({ right: 'right horse\n', wrong: 'secret-of-tests\n' }), 'wrong');
    const guarded = await RedisServer.start({ options: ['--requirepass', 'right horse'] });
    const wrong = await start(guarded, { 'redis.password_file': password });
    await wrong.waitForLog(/no connection to Redis.*does not let user/);
    assert.doesNotMatch(wrong.log() + (await readiness(wrong)), /secret-of-tests/);
    await wrong.stop();
    const right = await start(guarded, { 'redis.password_file': path.join(path.dirname(password), 'right') });
    await isUp(right);
    await right.stop();

    const primary = await RedisServer.start({ options: ['--port', '0'] });
    await primary.ask('REPLICAOF', '127.0.0.1', '1');
    const replica = await start(primary);
    await replica.waitForLog(/no connection to Redis.*it is a replica of 127\.0\.0\.1:1/);
    await primary.ask('REPLICAOF', 'NO', 'ONE');
    await isUp(replica);
    await replica.stop();
  });

  it('over TLS: the certificate is checked, for the host or for redis.tls_name', async () => {
    const directory = scratchDirectory();
    const { certificate, key } = makeCertificate(directory, 'redis.example', ['redis.example']);
    const other = makeCertificate(directory, 'other.example', ['other.example']);
    const port = await freePort();
    await RedisServer.start({ options: ['--tls-port', `${port}`, '--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate, '--tls-auth-clients', 'optional'] });
    const url = `rediss://127.0.0.1:${port}`;
    const trusting = await start(url, { 'redis.tls_ca': certificate, 'redis.tls_name': 'redis.example' });
    await isUp(trusting);
    await publish(trusting, 'a', 'x');
    for (const [set, why] of [
      [{ 'redis.tls_ca': certificate }, /mismatch/],
      [{ 'redis.tls_ca': other.certificate, 'redis.tls_name': 'redis.example' }, /self.signed/],
    ]) {
      const server = await start(url, set);
      await server.waitForLog({ exec: (line) => (/no connection to Redis/.test(line) ? why.exec(line) : null) });
      await server.stop();
    }
    await trusting.stop();
  });

  it('by a Sentinel, and over a Redis Cluster', async () => {
    const [port, cluster_port] = [await freePort(), await freePort()];
    const password = path.join(scratchDirectory({ password: 'right horse\n' }), 'password');
    await RedisServer.start({ options: ['--port', `${port}`, '--requirepass', 'right horse'] });
    const sentinel = await RedisServer.sentinel({ name: 'main', port, options: ['--requirepass', 'of the Sentinel'] });
    await sentinel.ask('--no-auth-warning', '-a', 'of the Sentinel', 'SENTINEL', 'SET', 'main', 'auth-pass', 'right horse');
    const url = sentinel.url.replace('redis://', 'redis://:of%20the%20Sentinel@');
    const watched = await start(url, { 'redis.sentinel': 'main', 'redis.password_file': password });
    await isUp(watched);
    await publish(watched, 'a', 'x');
    assert.equal(await watched.metric('roomcast_redis_up', new RegExp(`server="redis://127.0.0.1:${port}"`)), 1);
    await watched.stop();

    const cluster = await RedisServer.start({ options: ['--port', `${cluster_port}`, '--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] });
    await cluster.ask('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    const [one, two] = [await start(`redis://127.0.0.1:${cluster_port}`, { 'redis.cluster': true }), await start(`redis://127.0.0.1:${cluster_port}`, { 'redis.cluster': true })];
    await Promise.all([isUp(one), isUp(two)]);
    const reader = await JsonClient.greeted(two, '/rooms/a');
    await publish(one, 'a', 'x');
    assert.deepEqual(datasOf(await reader.messages(1)), ['x']);
    assert.equal(await one.metric('roomcast_redis_partitions'), 256);
    await reader.close();
    await Promise.all([one.stop(), two.stop()]);
  });

  it('what was taken before the end is published, within a bound', async () => {
    const redis = await RedisServer.start();
    const [one, two] = [await start(redis), await start(redis)];
    await Promise.all([isUp(one), isUp(two)]);
    const reader = await JsonClient.greeted(two, '/rooms/a');
    /** Publishes each text over a WebSocket that is gone once the server has it. */
    const leave = async (server, room, texts) => {
      const before = await server.metric('roomcast_messages_received_total');
      const clients = await Promise.all(texts.map(() => connect(server.url, { path: `/rooms/${room}` })));
      await Promise.all(clients.map((client, i) => client.text(texts[i])));
      await server.metricBecomes('roomcast_messages_received_total', (received) => received === before + texts.length);
      clients.forEach((client) => client.destroy());
    };
    // Redis is busy for a moment: everything waits, and nobody waits for an answer.
    await post(one, 'a', 'the room is open');
    await redis.ask('CLIENT', 'PAUSE', '1500', 'ALL');
    const texts = Array.from({ length: 10 }, (_, i) => `${i}`);
    await leave(one, 'a', texts);
    await one.stop();
    assert.deepEqual(datasOf(await reader.messages(11)).sort(), [...texts, 'the room is open']);
    await reader.close();

    const silent = await start(redis);
    await isUp(silent);
    await post(silent, 'b', 'the room is open');
    redis.freeze();
    await leave(silent, 'b', ['nobody takes it']);
    const since = Date.now();
    await silent.stop();
    assert.ok(Date.now() - since < seconds(8), 'a Redis that does not answer does not hold up the end');
    assert.match(silent.log(), /warn +stopped before all messages could be published queued_bytes=\d+/);
    redis.thaw();
    await two.stop();
  });
});

describe('settings of Redis', () => {
  const base = { engine: 'redis', 'redis.urls': 'redis://127.0.0.1:1' };

  it('that contradict each other, or lead nowhere, prevent the start', async () => {
    const certificate = path.join(scratchDirectory({ 'no.pem': 'nothing' }), 'no.pem');
    for (const [set, why] of [
      [{ engine: 'redis' }, /engine = "redis" needs redis\.urls/],
      [{ ...base, 'store.path': '/nowhere' }, /engine = "redis" and store\.path exclude each other/],
      [{ ...base, 'redis.urls': 'redis://a,redis://b' }, /redis\.urls: several need redis\.sentinel/],
      [{ ...base, 'redis.cluster': true, 'redis.sentinel': 'main' }, /exclude each other/],
      [{ ...base, 'redis.tls_ca': '/nowhere/ca.pem' }, /\/nowhere\/ca\.pem/],
      [{ ...base, 'redis.tls_ca': certificate }, /no\.pem/],
      [{ ...base, 'redis.tls_key': certificate }, /redis\.tls_key is set, but redis\.tls_certificate is not/],
      [{ ...base, 'redis.password_file': '/nowhere/password' }, /redis\.password_file: \/nowhere\/password cannot be opened: No such file/],
      [{ ...base, 'redis.password_file': '/dev/null' }, /redis\.password_file: \/dev\/null has no password in it/],
      [{ ...base, 'redis.prefix': 'a{b}' }, /redis\.prefix: "a\{b\}": expected 1 to 64 letters/],
      [{ ...base, 'node.name': 'a b' }, /node\.name: "a b": expected at most 64 letters/],
      [{ ...base, engine: 'Redis' }, /engine: expected "memory" or "redis", found "Redis"/],
    ]) {
      const { code, stderr } = await checked(set);
      assert.equal(code, 2, JSON.stringify(set));
      assert.match(stderr, why);
    }
  });

  it('that have no effect are warned of', async () => {
    const { code, stderr } = await checked({ 'redis.urls': 'redis://127.0.0.1' });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /warning: redis\.urls has no effect without engine = "redis"/);
  });

  it('never show a password', async () => {
    const secret = 'p4ssw0rd-of-tests';
    const { code, stdout } = await runToEnd([...setFlags({ ...base, 'redis.urls': `rediss://ada:${secret}@redis.example:6380/2` }), '--print-config']);
    assert.equal(code, 0);
    assert.match(stdout, /^urls = \["rediss:\/\/…@redis\.example:6380\/2"\]/m);
    assert.doesNotMatch(stdout, new RegExp(secret));
    for (const url of [`http://ada:${secret}@host`, `redis://ada:${secret}@host:port`, `redis://ada:${secret}\u0007@host`, `${secret}`, `redis://ada:${secret}@a@b`]) {
      for (const [args, env] of [[setFlags({ 'redis.urls': url }), {}], [[], { ROOMCAST_REDIS_URLS: url }]]) {
        const wrong = await runToEnd([...args, '--check-config'], { env });
        assert.equal(wrong.code, 2, url);
        assert.match(wrong.stderr, /redis\.urls: /);
        assert.doesNotMatch(wrong.stderr, new RegExp(secret));
      }
    }
    const directory = scratchDirectory();
    const config = path.join(directory, 'roomcast.toml');
    const write = (word) => fs.writeFileSync(config, `engine = "redis"\nredis.urls = ["redis://ada:${word}@127.0.0.1:1"]\n`);
    write(secret);
    const server = await startServer({ args: ['--config', config] });
    running.add(server);
    await server.waitForLog(/no connection to Redis/);
    write(`${secret}-2`);
    server.reload();
    await server.waitForLog(/setting changed, takes effect after a restart.*redis\.urls/);
    assert.doesNotMatch(server.log() + (await readiness(server)), new RegExp(secret));
    await server.kill();
  });
});
