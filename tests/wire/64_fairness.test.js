// Clients with large requests are served after those with small ones, and within their limits. The tests assert an
// order: how much of the large request was done when another client was answered.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { METRICS } from '../support/contract.js';
import { eventually } from '../support/deadline.js';
import { Compressor } from '../support/deflate.js';
import { HttpConnection, requestBytes } from '../support/raw_http.js';
import { parseMetrics, startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { CLOSE, close, frame, ping } from '../support/ws_frames.js';

const server = await startServer();

/** `count` times the same bytes, as one write. */
const many = (count, bytes) => Buffer.concat(Array(count).fill(bytes));

/**
 * The server's counters, when it answers a client that is already connected. Its first request: the answer is long, and a connection
 * that has had a long one waits behind the others for a moment.
 */
async function whenAnswered(innocent) {
  const response = await innocent.request('GET', '/metrics');
  assert.equal(response.status, 200);
  const metrics = [...parseMetrics(response.text)];
  return (name, labels = /(?:)/) =>
    metrics.reduce((sum, [key, value]) => {
      const [, base, rest] = /^([^{]+)(.*)$/.exec(key);
      return base === name && labels.test(rest) ? sum + value : sum;
    }, 0);
}

/** Has all of it in the server's socket buffers at once, in this order. */
async function atOnce(...acts) {
  server.process.kill('SIGSTOP');
  const results = [];
  for (const act of acts) {
    results.push(act());
    // Until the kernel has accepted it, as far as it can.
    await new Promise((resolve) => setImmediate(resolve));
  }
  server.process.kill('SIGCONT');
  return results;
}

describe('fairness', () => {
  after(() => server.stop());

  it('other clients need not wait for the end of a read that inflates to megabytes', async () => {
    const innocent = await HttpConnection.open(server.url);
    const greedy = await connect(server.url, { path: '/rooms/zeros?echo=0', headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_no_context_takeover' } });
    const zeros = frame({ payload: await new Compressor().compress(Buffer.alloc(65536, '0')), rsv: 4 });
    const before = await server.metric(METRICS.received);
    const sent = 2000;
    const [sending, answered] = await atOnce(() => greedy.socket.write(many(sent, zeros)), () => whenAnswered(innocent));
    const handled = (await answered)(METRICS.received) - before;
    assert.ok(handled < 50, `${handled} of ${sent} came first`);
    await sending;
    await server.metricBecomes(METRICS.received, (count) => count === before + sent);
    greedy.destroy();
    innocent.close();
  });

  it('other clients need not wait for the end of compressed data that inflates to nothing', async () => {
    const innocent = await HttpConnection.open(server.url);
    const greedy = await connect(server.url, { path: '/rooms/empty?echo=0', headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_no_context_takeover' } });
    // Two empty DEFLATE blocks with dynamic codes, and the beginning of a stored one.
    const blocks = Buffer.from('04c0810800000000207feb43001c880000000000f2b73e', 'hex');
    const nothing = frame({ payload: Buffer.concat([many(50, blocks), Buffer.from([0])]), rsv: 4 });
    const before = await server.metric(METRICS.received);
    const sent = 200;
    const [sending, answered] = await atOnce(() => greedy.socket.write(many(sent, nothing)), () => whenAnswered(innocent));
    const handled = (await answered)(METRICS.received) - before;
    assert.ok(handled < 15, `${handled} of ${sent} came first`);
    await sending;
    await server.metricBecomes(METRICS.received, (count) => count === before + sent);
    greedy.destroy();
    innocent.close();
  });

  it('other clients need not wait for the last of many pipelined requests', async () => {
    const innocent = await HttpConnection.open(server.url);
    const greedy = await HttpConnection.open(server.url);
    const sent = 3000;
    const head = requestBytes('GET', '/healthz', { headers: { 'X-Padding': 'x'.repeat(8000) } });
    const before = await server.metric('roomcast_http_responses_total');
    const [sending, answered] = await atOnce(() => greedy.socket.write(many(sent, head)), () => whenAnswered(innocent));
    const handled = (await answered)('roomcast_http_responses_total') - before;
    assert.ok(handled < 6, `${handled} of ${sent} came first`);
    await sending;
    await server.metricBecomes('roomcast_http_responses_total', (count) => count >= before + sent, /2xx/);
    greedy.close();
    innocent.close();
  });

  it('other clients need not wait for the last message of a batch', async () => {
    const innocent = await HttpConnection.open(server.url);
    const greedy = await HttpConnection.open(server.url);
    const body = JSON.stringify({ messages: [{ rooms: Array.from({ length: 1000 }, (_, i) => `batch/${i}`), data: 'x' }] });
    const before = await server.metric(METRICS.published);
    const batches = many(4, requestBytes('POST', '/api/publish', { body, headers: { 'Content-Type': 'application/json' } }));
    const [sending, answered] = await atOnce(() => greedy.socket.write(batches), () => whenAnswered(innocent));
    const published = (await answered)(METRICS.published) - before;
    assert.ok(published < 1000, `${published} of 4000 came first`);
    await sending;
    await server.metricBecomes(METRICS.published, (count) => count === before + 4000);
    greedy.close();
    innocent.close();
  });

  it('of a thousand pings whose pongs are not read, the last few are answered', async () => {
    const client = await connect(server.url, { path: '/echo' });
    client.socket.pauseReading();
    // Until the kernel accepts no more and the server has to queue.
    let queued = 0;
    for (let i = 0; i < 400 && queued === 0; i += 1) {
      await Promise.race([client.binary(Buffer.alloc(60000)), new Promise((resolve) => setTimeout(resolve, 200).unref())]);
      queued = await server.metric(METRICS.queueBytes);
    }
    assert.ok(queued > 0);
    await eventually(async () => {
      const before = queued;
      queued = await server.metric(METRICS.queueBytes);
      return queued === before;
    }, 'the queue stands still');
    const blocked = await connect(server.url, { path: '/echo' });
    client.socket.write(many(10000, ping())).catch(() => {});
    await blocked.text('another client');
    assert.equal((await blocked.next()).payload.toString(), 'another client');
    assert.ok((await server.metric(METRICS.queueBytes)) <= queued + 32 * 2, 'pongs pile up');
    client.destroy();
    blocked.destroy();
    await server.metricBecomes(METRICS.queueBytes, (bytes) => bytes === 0);
  });

  it('a burst into a room closes no client that reads', async () => {
    const readers = await Promise.all(Array.from({ length: 20 }, () => connect(server.url, { path: '/rooms/burst' })));
    const count = 200;
    const received = readers.map(async (reader) => {
      for (let got = 0; got < count; ) {
        const message = await reader.next();
        assert.notEqual(message.opcode, CLOSE, 'closed as slow');
        if (message.payload.length === 60000) got += 1;
      }
    });
    const publisher = await HttpConnection.open(server.url);
    await publisher.socket.write(many(count, requestBytes('POST', '/rooms/burst', { body: Buffer.alloc(60000, 'b') })));
    await Promise.all(received);
    for (const reader of readers) reader.destroy();
    publisher.close();
  });

  it('a message must be complete within its deadline', async () => {
    const strict = await startServer({ set: { 'websocket.message_timeout_seconds': 0.5, 'websocket.ping_seconds': 0.3 } });
    const slow = await connect(strict.url, { path: '/rooms/begun' });
    await slow.socket.write(frame({ payload: 'begun', fin: false }));
    let message;
    do {
      message = await slow.next();
      if (message.opcode !== CLOSE) await slow.socket.write(frame({ opcode: 0xa }));
    } while (message.opcode !== CLOSE);
    assert.equal(message.payload.readUInt16BE(0), 1008);
    assert.match(message.payload.subarray(2).toString(), /websocket\.message_timeout_seconds/);
    await slow.socket.write(close(1008));
    slow.destroy();
    await strict.stop();
  });
});
