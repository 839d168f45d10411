// limits.connections and limits.connections_per_address, which connections are closed at them, admin_listen, and running out of file descriptors.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'node:test';
import { ByteSocket } from '../support/byte_socket.js';
import { LOG } from '../support/contract.js';
import { eventually, sleep } from '../support/deadline.js';
import { HttpConnection, errorMessage, fetchOnce, readResponse, requestBytes } from '../support/raw_http.js';
import { binary, parseMetrics, startServer } from '../support/server.js';
import { attempt, connect } from '../support/wire_client.js';

const open = (server, count, path = '/rooms/limits') => Promise.all(Array.from({ length: count }, () => connect(server.url, { path })));
const health = requestBytes('GET', '/healthz');
/** Retries until accepted: a connection chosen for closing is left a moment to send a request. */
const enter = (server, path = '/rooms/limits') => eventually(() => connect(server.url, { path }).catch(() => null), 'a free place');
/** Which of `sockets` the server has closed, as digits. */
const gone = (sockets) => sockets.map((socket) => Number(socket.ended)).join('');
/** A request over admin_listen, which does not count towards the limit. */
const figure = async (server, name) => parseMetrics((await fetchOnce(server.adminUrl, 'GET', '/metrics')).text).get(name);

// UBSan's check of virtual calls opens a pipe to test whether memory is readable: without descriptors it misreports.
const checksVptr = fs.readFileSync(binary).includes('__ubsan_handle_dynamic_type_cache_miss');

describe('connection limits', () => {
  it('past limits.connections new clients are refused at once, while health checks are answered', async () => {
    const server = await startServer({ set: { 'limits.connections': 5 } });
    const clients = await open(server, 5);
    for (const [method, path] of [['POST', '/rooms/limits'], ['GET', '/'], ['GET', '/rooms/limits']]) {
      const refused = await fetchOnce(server.url, method, path, { body: method === 'POST' ? 'x' : undefined });
      assert.match(errorMessage(refused, 503), /limits\.connections\b/);
      assert.equal(refused.json.error.code, 'too_many_connections');
      assert.equal(refused.header('connection'), 'close');
    }
    const late = await attempt(server.url);
    assert.equal(late.response.status, 503);
    for (const path of ['/healthz', '/metrics']) {
      const connection = await HttpConnection.open(server.url);
      const answer = await connection.request('GET', path);
      assert.deepEqual([answer.status, answer.header('connection')], [200, 'close']);
      await connection.expectEnd();
    }
    await clients[0].text('the others go on');
    for (const client of clients) await client.expectText('the others go on');
    clients.pop().destroy();
    clients.push(await enter(server));
    for (const client of clients) client.destroy();
    await server.stop();
  });

  it('when the reserve is full too, new clients wait, and are answered when a reserved connection ends', async () => {
    const server = await startServer({ set: { 'limits.connections': 1, admin_listen: '127.0.0.1:0' } });
    const [client] = await open(server, 1);
    const halves = [];
    const unfinished = requestBytes('POST', '/rooms/limits', { body: 'x'.repeat(100) }).subarray(0, -50);
    while ((await figure(server, 'roomcast_connections_refused_total{reason="full"}')) === 0) {
      assert.ok(halves.length < 100, 'never full');
      const half = await ByteSocket.open(server.url);
      halves.push(half);
      await half.write(unfinished);
    }
    const before = halves.at(-1);  // the one that waits, after all accepted ones
    const newcomer = await ByteSocket.open(server.url);
    await newcomer.write(health);
    assert.ok(await newcomer.quiet(300), 'answered although everything was full');
    assert.equal(before.receivedBytes, 0);
    for (const half of halves.splice(0, 2)) half.destroy();
    assert.equal((await readResponse(newcomer)).status, 200);
    for (const socket of [...halves, newcomer]) socket.destroy();
    client.destroy();
    await server.stop();
  });

  it('silent connections are closed in favour of new ones, the oldest first', async () => {
    const server = await startServer({ set: { 'limits.connections': 10, admin_listen: '127.0.0.1:0' } });
    const silent = [];
    for (let i = 0; i < 10; i += 1) {
      silent.push(await ByteSocket.open(server.url));
      await eventually(async () => (await figure(server, 'roomcast_connections_admitted')) === i + 1, 'accepted');
    }
    const clients = [];
    for (let i = 0; i < 10; i += 1) {
      clients.push(await enter(server));
      const expected = '1'.repeat(i + 1) + '0'.repeat(9 - i);
      await eventually(() => gone(silent) === expected, `${expected}, not ${gone(silent)}`);
    }
    await clients[9].text('all in');
    for (const client of clients) await client.expectText('all in');
    assert.equal((await attempt(server.url)).response.status, 503);
    assert.equal(await figure(server, 'roomcast_connections_evicted_total'), 10);
    for (const client of clients) client.destroy();
    await server.stop();
  });

  it('many more silent connections than limits.connections keep no client out', async () => {
    const server = await startServer({ set: { 'limits.connections': 100, 'http.head_timeout_seconds': 600 } });
    const silent = await Promise.all(Array.from({ length: 150 }, () => ByteSocket.open(server.url)));
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    const clients = [];
    for (let i = 0; i < 20; i += 1) clients.push(await enter(server));
    await clients[19].text('all in');
    for (const client of clients) await client.expectText('all in');
    for (const one of [...silent, ...clients]) one.destroy();
    await server.stop();
  });

  it('after silent connections, those idle between requests are closed, the longest idle first; those waiting for a response stay', async () => {
    const server = await startServer({ set: { 'limits.connections': 4, admin_listen: '127.0.0.1:0' } });
    const silent = await ByteSocket.open(server.url);
    const idle = [];
    for (let i = 0; i < 2; i += 1) idle.push(await HttpConnection.open(server.url));
    for (const i of [0, 1, 0]) assert.equal((await idle[i].request('GET', '/healthz')).status, 200);
    const poll = await HttpConnection.open(server.url);
    await poll.send(requestBytes('GET', '/rooms/limits?wait=30'));
    await eventually(async () => (await figure(server, 'roomcast_connections{transport="poll"}')) === 1, 'all there');
    await sleep(1200); // past the grace period of a silent connection, which no event announces
    const order = [silent, idle[1].socket, idle[0].socket, poll.socket];
    const clients = [];
    for (const expected of ['1000', '1100', '1110']) {
      clients.push(await enter(server, '/rooms/elsewhere'));
      await eventually(() => gone(order) === expected, `${expected}, not ${gone(order)}`);
    }
    assert.equal((await attempt(server.url)).response.status, 503);
    assert.equal(poll.socket.ended, false);
    for (const client of clients) client.destroy();
    poll.close();
    await server.stop();
  });

  it('in a storm no new client displaces another whose request is on the way', async () => {
    const server = await startServer({ set: { 'limits.connections': 20 } });
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => attempt(server.url)));
    const statuses = outcomes.map(({ response }) => response.status);
    assert.deepEqual([101, 503].map((status) => statuses.filter((one) => one === status).length), [20, 20]);
    for (const { socket } of outcomes) socket.destroy();
    await server.stop();
  });

  it('by default one address gets a quarter; at its limit its own silent connections are closed, not those of other addresses', async () => {
    const set = { 'limits.connections': 40, 'limits.connections_per_address': 0, admin_listen: '127.0.0.1:0' };
    const server = await startServer({ set });
    const elsewhere = await ByteSocket.open(server.url, { localAddress: '127.0.0.2' });
    const silent = [];
    for (let i = 0; i < 10; i += 1) {
      silent.push(await ByteSocket.open(server.url));
      await eventually(async () => (await figure(server, 'roomcast_connections_admitted')) === 2 + i, 'accepted');
    }
    const clients = [];
    for (let i = 0; i < 10; i += 1) {
      clients.push(await enter(server));
      const expected = '1'.repeat(i + 1) + '0'.repeat(9 - i);
      await eventually(() => gone(silent) === expected, `${expected}, not ${gone(silent)}`);
    }
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 429);
    assert.equal(elsewhere.ended, false);
    await elsewhere.write(health);
    assert.equal((await readResponse(elsewhere)).status, 200);
    for (const one of [...clients, elsewhere]) one.destroy();
    await server.stop();
  });

  it('admin_listen answers health checks and monitoring and nothing else, whatever the load on other listeners', async () => {
    const server = await startServer({ set: { 'limits.connections': 1, admin_listen: '127.0.0.1:0' } });
    const [client] = await open(server, 1);
    const connection = await HttpConnection.open(server.adminUrl);
    for (const path of ['/healthz', '/metrics']) assert.equal((await connection.request('GET', path)).status, 200);
    for (const path of ['/', '/rooms/limits', '/presence/limits']) errorMessage(await connection.request('GET', path), 404);
    errorMessage(await connection.request('POST', '/rooms/limits', { body: 'x' }), 404);
    assert.equal((await attempt(server.adminUrl, { path: '/rooms/limits' })).response.status, 404);
    assert.ok((await connection.request('GET', '/metrics')).text.includes('roomcast_connections_admitted 1\n'));
    const silent = await Promise.all(Array.from({ length: 80 }, () => ByteSocket.open(server.adminUrl)));
    assert.equal((await fetchOnce(server.adminUrl, 'GET', '/healthz')).status, 200);
    await eventually(() => silent.some((socket) => socket.ended), 'as many as there may be, and no more');
    await client.text('undisturbed');
    await client.expectText('undisturbed');
    for (const one of [...silent, client]) one.destroy();
    await server.stop();
  });

  it('a descriptor limit below limits.connections is logged at start, and the resulting limit is enforced', async () => {
    const server = await startServer({ wrap: ['prlimit', '--nofile=164:164'], set: { 'limits.connections': 1000 } });
    const [line] = await server.waitForLog(/.*RLIMIT_NOFILE=164.*/);
    assert.match(line, / warn .*limits\.connections=1000 .*effective=123\b/);
    const clients = await open(server, 123);
    assert.equal((await attempt(server.url)).response.status, 503);
    for (const client of clients) client.destroy();
    await server.stop();
    const roomy = await startServer({ set: { 'limits.connections': 50 } });
    assert.doesNotMatch(roomy.log(), /RLIMIT_NOFILE/);
    await roomy.stop();
  });

  it('a closing handshake, an HTTP close and a vanished client each free their place', async () => {
    const server = await startServer({ set: { 'limits.connections': 1 } });
    for (let i = 0; i < 5; i += 1) {
      await (await enter(server)).close();
      (await enter(server)).destroy();
      (await enter(server)).socket.abort();
      const violator = await enter(server);
      await violator.text('x', { rsv: 1 });
      await violator.expectClose(1002);
      // On a connection of the reserve, the response would be the last.
      await eventually(async () => (await fetchOnce(server.url, 'GET', '/healthz')).header('connection') !== 'close', 'a free place');
      assert.equal((await fetchOnce(server.url, 'GET', '/', { headers: { Connection: 'close' } })).status, 200);
    }
    await server.stop();
  });

  it('past limits.connections_per_address one address is refused, another is not', async () => {
    const server = await startServer({ set: { 'limits.connections_per_address': 3, 'log.level': 'debug' } });
    const mark = server.mark();
    const clients = await open(server, 3);
    const refused = await ByteSocket.open(server.url);
    await refused.write(health);
    const answer = (await refused.rest({ allowReset: true })).toString('latin1');
    assert.ok(answer === '' || /^HTTP\/1\.1 (429|503) /.test(answer), answer);
    await server.waitForLog(/connections_per_address/, { mark });
    const elsewhere = await connect(server.url, { path: '/rooms/limits', socket: { localAddress: '127.0.0.2' } });
    await elsewhere.text('hello');
    for (const client of [...clients, elsewhere]) await client.expectText('hello');
    await clients[0].close();
    await eventually(async () => {
      try {
        const { socket, response } = await attempt(server.url);
        socket.destroy();
        return response.status === 101;
      } catch {
        return false;
      }
    }, 'a place after one has left');
    await server.stop();
  });

  for (const [name, wrap] of Object.entries({
    'prlimit --nofile': ['prlimit', '--nofile=64:64'],
    'ulimit -n': ['bash', '-c', 'ulimit -n 40; exec "$0" "$@"'],
  })) {
    it(`running out of descriptors (${name}) affects no connected client`, { skip: checksVptr && 'UBSan\'s vptr check needs descriptors' }, async () => {
      const server = await startServer({ wrap });
      const clients = await open(server, 5);
      const sockets = [];
      for (let i = 0; i < 120; i += 1) {
        const socket = await ByteSocket.open(server.url).catch(() => null);
        if (socket) sockets.push(socket);
        if (i % 20 === 0) {
          await clients[0].text(`message ${i}`);
          for (const client of clients) await client.expectText(`message ${i}`);
        }
      }
      await server.waitForLog(new RegExp(`${LOG.descriptors.source}|limits\\.connections`, 'i'));
      await clients[4].text('still here');
      for (const client of clients) await client.expectText('still here');
      for (const socket of sockets) socket.destroy();
      await eventually(() => fetchOnce(server.url, 'GET', '/healthz', { ms: 1000 }).then(({ status }) => status === 200, () => false), 'health again');
      const newcomers = await open(server, 5);
      await newcomers[0].text('welcome');
      for (const client of [...clients, ...newcomers]) await client.expectText('welcome');
      for (const client of [...clients, ...newcomers]) client.destroy();
      const lines = server.log().split('\n').filter((line) => LOG.descriptors.test(line));
      assert.ok(lines.length < 50, `${lines.length} lines about descriptors`);
      await server.stop();
    });
  }

  it('the soft limit of descriptors is raised to the hard one', async () => {
    const server = await startServer({ wrap: ['prlimit', '--nofile=32:400'] });
    const clients = await open(server, 100);
    await clients[0].text('all in');
    for (const client of clients) await client.expectText('all in');
    const connection = await HttpConnection.open(server.url);
    assert.equal((await connection.request('GET', '/healthz')).status, 200);
    connection.close();
    for (const client of clients) client.destroy();
    await server.stop();
  });
});
