// limits.memory_bytes: what is released first, what happens when the system has no more, and returning memory after a burst.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ByteSocket } from '../support/byte_socket.js';
import { METRICS } from '../support/contract.js';
import { eventually, seconds } from '../support/deadline.js';
import { HttpConnection, fetchOnce, requestBytes } from '../support/raw_http.js';
import { sanitized } from '../support/sanitized.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

const mib = 1048576;
// These tests concern amounts, which take long to reach where every read is tiny; how reads are split does not matter.
const chopped = process.env.ROOMCAST_SLOW !== undefined && 'too many bytes for a slow build';

const residentBytes = (server) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) * 1024;

/** A client that sends a body of `bytes` except the last byte, so that the server has to hold it. */
async function hoarder(server, bytes, localAddress = '127.0.0.1') {
  const socket = await ByteSocket.open(server.url, { localAddress });
  void socket.write(requestBytes('POST', '/rooms/hoard', { body: Buffer.alloc(bytes, 'h') }).subarray(0, -1));
  return socket;
}

/** Publishes into `room` until stopped, and expects never to be refused. */
function steadily(server, room) {
  let going = true;
  const done = (async () => {
    const connection = await HttpConnection.open(server.url, { localAddress: '127.0.0.9' });
    let count = 0;
    for (; going; count += 1) {
      const { status, text } = await connection.request('POST', `/rooms/${room}`, { body: `${count}` });
      assert.equal(status, 200, text);
    }
    connection.close();
    return count;
  })();
  return () => {
    going = false;
    return done;
  };
}

const kept = async (server, room) => (await fetchOnce(server.url, 'GET', `/rooms/${room}?history=100`)).json.messages.length;

describe('memory', { skip: sanitized || chopped }, () => {
  it('the client that holds most is closed first: no other is refused anything, and no room evicts history', async () => {
    const limits = { 'limits.body_bytes': 64 * mib, 'limits.memory_bytes': 64 * mib, 'limits.address_memory_bytes': 64 * mib };
    const server = await startServer({ set: limits });
    for (let i = 0; i < 10; i += 1) await fetchOnce(server.url, 'POST', '/rooms/kept', { body: Buffer.alloc(60000, 'k') });
    const before = await kept(server, 'kept');
    const stop = steadily(server, 'busy');
    const small = [];
    for (let i = 0; i < 6; i += 1) small.push(await hoarder(server, 3 * mib));
    await server.metricBecomes('roomcast_held_bytes', (bytes) => bytes >= 6 * 3 * mib);
    const largest = await hoarder(server, 60 * mib);
    await eventually(() => largest.ended, 'the largest gone');
    assert.deepEqual(small.map((socket) => socket.ended), small.map(() => false));
    for (let i = 0; i < 40; i += 1) small.push(await hoarder(server, 3 * mib));
    await server.waitForLog(/those who hold most are disconnected/);
    await eventually(() => small.filter((socket) => socket.ended).length >= 10, 'the others made room for each other');
    assert.ok((await stop()) > 0);
    assert.equal(await kept(server, 'kept'), before);
    assert.ok(small.some((socket) => !socket.ended));
    assert.doesNotMatch(server.log(), /refused|forget/);
    for (const socket of [...small, largest]) socket.destroy();
    await server.metricBecomes('roomcast_held_bytes', (bytes) => bytes === 0);
    await server.stop();
  });

  it('one address cannot hold more than limits.address_memory_bytes, however much is free', async () => {
    const server = await startServer({ set: { 'limits.body_bytes': 16 * mib, 'limits.address_memory_bytes': 10 * mib } });
    const other = await hoarder(server, 4 * mib, '127.0.0.2');
    const large = await hoarder(server, 4 * mib);
    const small = await hoarder(server, mib);
    await server.metricBecomes('roomcast_held_bytes', (bytes) => bytes >= 9 * mib);
    const late = await hoarder(server, 9 * mib);
    await server.waitForLog(/limits\.address_memory_bytes.*peer=127\.0\.0\.1/);
    await eventually(() => late.ended || large.ended, 'the largest gone');
    assert.deepEqual([other.ended, small.ended], [false, false]);
    for (const socket of [other, large, small, late]) socket.destroy();
    await server.stop();
  });

  it('memory of a burst is returned to the system', async () => {
    const server = await startServer({ set: { 'limits.queue_bytes': 512 * mib, 'history.messages': 1 } });
    const slow = await Promise.all(Array.from({ length: 3 }, () => connect(server.url, { path: '/rooms/burst' })));
    for (const client of slow) client.socket.pauseReading();
    const publisher = await connect(server.url, { path: '/rooms/burst?echo=0' });
    await publisher.text('warm');
    const before = residentBytes(server);
    const payload = Buffer.alloc(65536, 'b');
    for (let i = 0; i < 3200; i += 1) {
      await publisher.binary(payload);
      // Retained blocks lie between freed ones, so that the heap does not shrink by itself.
      if (i % 16 === 0) await fetchOnce(server.url, 'POST', `/rooms/kept-${i}`, { body: 'kept' });
    }
    await server.metricBecomes(METRICS.queueBytes, (bytes) => bytes > 3 * 180 * mib);
    assert.ok(residentBytes(server) > before + 180 * mib, 'it was no burst');
    for (const client of slow) client.destroy();
    await server.metricBecomes(METRICS.queueBytes, (bytes) => bytes === 0);
    const most = before * 1.2 + 6 * mib;
    await eventually(() => residentBytes(server) <= most, `resident at most ${most}`, seconds(5));
    publisher.destroy();
    await server.stop();
  });

  it('with little address space rooms evict history, and the server survives', async () => {
    const server = await startServer({ wrap: ['prlimit', `--as=${200 * mib}`] });
    await server.waitForLog(/memory limit .*from=RLIMIT_AS/);
    const connection = await HttpConnection.open(server.url);
    const body = Buffer.alloc(65000, 'p');
    for (let i = 0; i < 5000; i += 1) {
      const { status, text } = await connection.request('POST', `/rooms/room-${i}`, { body });
      assert.equal(status, 200, text);
    }
    assert.equal((await connection.request('GET', '/healthz')).status, 200);
    assert.equal(await kept(server, 'room-4999'), 1);
    assert.equal(await kept(server, 'room-0'), 0);
    connection.close();
    await server.stop();
  });

  it('when the system has no more, the largest holders are closed and rooms evict, whatever limits.memory_bytes says', async () => {
    const set = { 'limits.memory_bytes': 1024 * mib, 'history.total_bytes': 512 * mib, 'limits.address_memory_bytes': 1024 * mib };
    const server = await startServer({ wrap: ['prlimit', `--as=${200 * mib}`], set });
    await server.waitForLog(/warn .*limits\.memory_bytes is more than there is.*from=RLIMIT_AS/);
    const connection = await HttpConnection.open(server.url);
    const body = Buffer.alloc(65000, 'p');
    for (let i = 0; i < 5000; i += 1) {
      const { status, text } = await connection.request('POST', `/rooms/room-${i}`, { body });
      assert.equal(status, 200, text);
    }
    await server.waitForLog(/the system gives no more memory/);
    await server.waitForLog(/rooms forget/);
    assert.equal((await connection.request('GET', '/healthz')).status, 200);
    assert.equal(await kept(server, 'room-4999'), 1);
    connection.close();
    await server.stop();
  });
});
