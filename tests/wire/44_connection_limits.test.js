// limits.connections, limits.connections_per_address and running out of file descriptors.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'node:test';
import { ByteSocket } from '../support/byte_socket.js';
import { LOG } from '../support/contract.js';
import { eventually } from '../support/deadline.js';
import { HttpConnection, fetchOnce, requestBytes } from '../support/raw_http.js';
import { binary, startServer } from '../support/server.js';
import { attempt, connect } from '../support/wire_client.js';

const open = (server, count, path = '/rooms/limits') => Promise.all(Array.from({ length: count }, () => connect(server.url, { path })));
const health = requestBytes('GET', '/healthz');

// UBSan's check of virtual calls opens a pipe to see whether memory can be read: without descriptors it errs.
const checksVptr = fs.readFileSync(binary).includes('__ubsan_handle_dynamic_type_cache_miss');

describe('connection limits', () => {
  it('past limits.connections clients wait, and are let in when one leaves', async () => {
    const server = await startServer({ set: { 'limits.connections': 5 } });
    const clients = await open(server, 5);
    const waiting = await Promise.all([1, 2, 3].map(() => ByteSocket.open(server.url)));
    for (const socket of waiting) await socket.write(health);
    assert.ok(await waiting[0].quiet(500), 'answered although the limit was reached');
    for (const socket of waiting) assert.equal(socket.receivedBytes, 0);
    await clients[0].text('the others go on');
    for (const client of clients) await client.expectText('the others go on');

    for (let admitted = 1; admitted <= 3; admitted += 1) {
      clients.pop().destroy();
      const ready = () => waiting.filter((socket) => socket.receivedBytes > 0);
      await eventually(() => ready().length >= admitted, `${admitted} admitted`);
      assert.equal(ready().length, admitted);
    }
    for (const socket of waiting) socket.destroy();
    for (const client of clients) client.destroy();
    await eventually(async () => (await fetchOnce(server.url, 'GET', '/healthz')).status === 200, 'health');
    await server.stop();
  });

  it('a closing handshake, an HTTP close and a vanished client all free their place', async () => {
    const server = await startServer({ set: { 'limits.connections': 1 } });
    for (let i = 0; i < 5; i += 1) {
      await (await connect(server.url)).close();
      (await connect(server.url)).destroy();
      (await connect(server.url)).socket.abort();
      assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
      assert.equal((await fetchOnce(server.url, 'GET', '/healthz', { headers: { Connection: 'close' } })).status, 200);
      const violator = await connect(server.url);
      await violator.text('x', { rsv: 1 });
      await violator.expectClose(1002);
    }
    await server.stop();
  });

  it('past limits.connections_per_address one address is turned away, another is not', async () => {
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
    it(`running out of descriptors (${name}) disturbs nobody who is there`, { skip: checksVptr && 'UBSan\'s vptr check needs descriptors' }, async () => {
      const server = await startServer({ wrap });
      const clients = await open(server, 5);
      const crowd = [];
      for (let i = 0; i < 120; i += 1) {
        const socket = await ByteSocket.open(server.url).catch(() => null);
        if (socket) crowd.push(socket);
        if (i % 20 === 0) {
          await clients[0].text(`message ${i}`);
          for (const client of clients) await client.expectText(`message ${i}`);
        }
      }
      await server.waitForLog(new RegExp(`${LOG.descriptors.source}|limits\\.connections`, 'i'));
      await clients[4].text('still here');
      for (const client of clients) await client.expectText('still here');
      for (const socket of crowd) socket.destroy();
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
