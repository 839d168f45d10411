// Tests that need the allocator's figure of the memory in use, which sanitizer allocators do not have.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { METRICS } from '../support/contract.js';
import { HttpConnection, fetchOnce } from '../support/raw_http.js';
import { RoomStream } from '../support/room_stream.js';
import { sanitized } from '../support/sanitized.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { text } from '../support/ws_frames.js';

/** A server whose memory in use is known. */
async function startMeasured(set) {
  const server = await startServer({ set });
  await server.metricBecomes(METRICS.memory, (bytes) => bytes > 0);
  return server;
}

describe('memory in use', { skip: sanitized }, () => {
  it('near limits.memory_bytes the largest holders are closed, and no publisher is refused', async () => {
    const tight = await startMeasured({ 'limits.memory_bytes': 16777216, 'limits.queue_bytes': 268435456 });
    const clients = await Promise.all(Array.from({ length: 4 }, () => connect(tight.url, { path: '/rooms/tight' })));
    clients.forEach((client) => client.socket.pauseReading());
    const innocent = await connect(tight.url, { path: '/rooms/beside' });
    const connection = await HttpConnection.open(tight.url);
    const post = () => connection.request('POST', '/rooms/tight', { body: Buffer.alloc(60000, 'm') });
    let posts = 0;
    for (; posts < 2000 && (await tight.metric('roomcast_holders_shed_total')) < 4; posts += 1) {
      assert.equal((await post()).status, 200);
    }
    assert.ok(posts < 2000, 'the largest holder is closed');
    await innocent.text('still here');
    assert.equal((await innocent.next()).payload.toString(), 'still here');
    innocent.destroy();
    clients.forEach((client) => client.destroy());
    connection.close();
    return tight.stop();
  });

  it('when memory is short, clients that do not read their event streams are closed first', async () => {
    const small = await startMeasured({ 'limits.memory_bytes': 16777216, 'limits.queue_bytes': 67108864 });
    const slow = await Promise.all(Array.from({ length: 4 }, () => RoomStream.open(small.url, 'tight')));
    slow.forEach((stream) => stream.socket.pauseReading());
    let posts = 0;
    for (; posts < 2000 && (await small.metric('roomcast_holders_shed_total')) < 4; posts += 1) {
      assert.equal((await fetchOnce(small.url, 'POST', '/rooms/tight', { body: Buffer.alloc(60000, 'm') })).status, 200);
    }
    assert.ok(posts < 2000);
    await small.metricBecomes(METRICS.closes, (count) => count > 0, /slow_consumer/);
    for (const stream of slow) stream.destroy();
    return small.stop();
  });

  it('a client that does not read its echoes costs no more than its queue limit, however small they are', async () => {
    const small = await startMeasured({ 'limits.queue_bytes': 4194304 });
    const before = await small.metric(METRICS.memory);
    const client = await connect(small.url, { path: '/echo' });
    client.socket.pauseReading();
    let open = true;
    client.socket.socket.on('close', () => (open = false));
    const tiny = Buffer.concat(Array(8192).fill(text('x')));
    let most = 0;
    for (let i = 0, stuck = 0; i < 600 && stuck < 3 && open; i += 1) {
      const done = await Promise.race([client.socket.write(tiny).catch(() => {}), new Promise((resolve) => setTimeout(() => resolve('stuck'), 200).unref())]);
      stuck = done === 'stuck' ? stuck + 1 : 0;
      most = Math.max(most, await small.metric(METRICS.memory));
    }
    assert.ok(most - before < 5242880, `${most - before} bytes`);
    client.destroy();
    return small.stop();
  });
});
