// How event streams end: by the server, by the client, by a limit; and what is not accepted on them.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { METRICS } from '../support/contract.js';
import { errorMessage } from '../support/raw_http.js';
import { RoomStream, publish } from '../support/room_stream.js';
import { startServer } from '../support/server.js';

const server = await startServer();
const tight = await startServer({ set: { 'limits.queue_bytes': 200000, 'websocket.close_timeout_seconds': 0.5 } });

/** Opens a stream and skips the events that announce its start. */
async function joined(room) {
  const stream = await RoomStream.open(server.url, room);
  assert.equal((await stream.event()).type, 'joined');
  return stream;
}

describe('the end of an event stream', { concurrency: 4 }, () => {
  after(async () => {
    for (const one of [server, tight]) await one.stop();
  });

  it('at a drain all clients get bye, and the bodies are complete', async () => {
    const drained = await startServer({ set: { drain_seconds: 0.3 } });
    const plain = await RoomStream.open(drained.url, 'drain');
    const packed = await RoomStream.open(drained.url, 'drain', { headers: { 'Accept-Encoding': 'gzip' } });
    drained.process.kill('SIGTERM');
    for (const stream of [plain, packed]) {
      assert.equal((await stream.event()).type, 'joined');
      const bye = await stream.event();
      assert.equal(bye.type, 'bye');
      assert.equal(bye.id, undefined);
      const { code, reason, retry_ms } = JSON.parse(bye.data);
      assert.deepEqual({ code, reason }, { code: 1012, reason: 'server_shutdown' });
      assert.ok(retry_ms >= 0 && retry_ms <= 1300, retry_ms);
      await stream.expectEnd();
    }
    await drained.expectExit(0);
  });

  it('a client that does not read is closed and counted, and others are not affected', async () => {
    const slow = await RoomStream.open(tight.url, 'slow');
    const fast = await RoomStream.open(tight.url, 'slow');
    await fast.event();
    await slow.event();
    slow.socket.pauseReading();
    const before = await tight.metric(METRICS.closes, /slow_consumer/);
    const text = 'q'.repeat(50000);
    for (let i = 0; i < 300; i += 1) {
      await publish(tight.url, 'slow', `${i} ${text}`);
      assert.equal((await fast.event()).data, `${i} ${text}`);
    }
    await tight.metricBecomes(METRICS.closes, (count) => count === before + 1, /slow_consumer/);
    await tight.metricBecomes(METRICS.queueBytes, (bytes) => bytes === 0);
    fast.destroy();
    slow.destroy();
  });

  it('a client that leaves, with or without a FIN, leaves nothing behind', async () => {
    const alone = await startServer();
    const before = await alone.metric(METRICS.connections, /"sse"/);
    const streams = await Promise.all(Array.from({ length: 3 }, () => RoomStream.open(alone.url, 'gone')));
    await alone.metricBecomes(METRICS.connections, (count) => count === before + 3, /"sse"/);
    streams[0].destroy();
    streams[1].socket.abort();
    streams[2].socket.finish();
    await streams[2].event();
    await streams[2].expectEnd();
    await alone.metricBecomes(METRICS.connections, (count) => count === before, /"sse"/);
    assert.equal((await publish(alone.url, 'gone', 'x')).subscribers, 0);
    assert.ok((await alone.metric('roomcast_http_responses_total', /2xx/)) >= 3);
    assert.equal(await alone.metric('roomcast_http_responses_total', /1xx/), 0);
    await alone.stop();
  });

  it('a client that continues to send is disconnected', async () => {
    const stream = await joined('talkative');
    await stream.socket.write('x'.repeat(16384));
    await publish(server.url, 'talkative', 'still here');
    assert.equal((await stream.event()).data, 'still here');
    await stream.socket.write('x');
    const bye = await stream.event();
    assert.equal(bye.type, 'bye');
    assert.equal(JSON.parse(bye.data).code, 1008);
    await stream.expectEnd();
  });

  it('a request behind it on the same connection is not answered', async () => {
    const stream = await joined('pipelined');
    await stream.socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await publish(server.url, 'pipelined', 'next');
    assert.equal((await stream.event()).data, 'next');
    stream.destroy();
  });
});
