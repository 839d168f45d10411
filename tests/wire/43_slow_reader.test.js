// A client that does not read: its queue is bounded, it is closed with 1013, and other clients are not affected.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { METRICS } from '../support/contract.js';
import { eventually } from '../support/deadline.js';
import { HttpConnection, errorMessage } from '../support/raw_http.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { CLOSE, PING, PONG, close } from '../support/ws_frames.js';

const server = await startServer({ set: { 'limits.queue_bytes': 200000, 'websocket.close_timeout_seconds': 0.5 } });
const patient = await startServer({ set: { 'limits.queue_bytes': 200000, 'websocket.close_timeout_seconds': 60 } });
const roomy = await startServer({ set: { 'limits.queue_bytes': 16777216 } });
const payload = Buffer.alloc(50000, 'q');

/** Publishes far more than kernel buffers hold, or until `enough()`. Returns the number of messages. */
async function flood(target, room, enough = () => false, most = 400) {
  const connection = await HttpConnection.open(target.url);
  let count = 0;
  while (count < most && !(await enough())) {
    const response = await connection.request('POST', `/rooms/${room}`, { body: payload });
    assert.equal(response.status, 200);
    count += 1;
  }
  connection.close();
  return count;
}

const closedSlow = (target) => target.metric(METRICS.closes, /slow_consumer/);

describe('a slow reader', () => {
  after(async () => {
    for (const one of [server, patient, roomy]) await one.stop();
  });

  it('is closed with 1013 while the others receive everything', async () => {
    const slow = await connect(server.url, { path: '/rooms/slow' });
    const fast = await connect(server.url, { path: '/rooms/slow' });
    slow.socket.pauseReading();
    let received = 0;
    const reading = (async () => {
      for (;;) {
        const message = await fast.next();
        if (message.opcode === CLOSE) break;
        if (message.opcode !== PING) received += 1;
      }
    })();
    const mark = server.mark();
    const closedBefore = await closedSlow(server);
    const sent = await flood(server, 'slow');
    await server.metricBecomes(METRICS.closes, (count) => count > closedBefore, /slow_consumer/);
    await eventually(() => received === sent, 'all messages at the fast reader');
    await server.waitForLog(/slow_consumer|too slow|limits\.queue_bytes/, { mark });
    await fast.text('done');
    await eventually(() => received === sent + 1, 'the last message at the fast reader');
    fast.destroy();
    await reading.catch(() => {});
    slow.destroy();
  });

  it('receives the close frame if it reads after all', async () => {
    const slow = await connect(patient.url, { path: '/rooms/late' });
    slow.socket.pauseReading();
    await flood(patient, 'late');
    slow.socket.resumeReading();
    for (;;) {
      const next = await slow.next();
      if (next.opcode !== CLOSE) continue;
      assert.equal(next.payload.readUInt16BE(), 1013);
      assert.match(next.payload.toString('utf8', 2), /limits\.queue_bytes/);
      break;
    }
    slow.destroy();
  });

  it('its queue is bounded in memory', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(server.url, { path: '/rooms/bounded' })));
    clients.forEach((client) => client.socket.pauseReading());
    let most = 0;
    const closedBefore = await closedSlow(server);
    await flood(server, 'bounded', async () => {
      most = Math.max(most, await server.metric(METRICS.queueBytes));
      return false;
    });
    await server.metricBecomes(METRICS.closes, (count) => count >= closedBefore + clients.length, /slow_consumer/);
    assert.ok(most <= 20 * (200000 + 2 * payload.length), `${most} bytes queued`);
    await server.metricBecomes(METRICS.queueBytes, (bytes) => bytes === 0);
    clients.forEach((client) => client.destroy());
  });

  it('a reader that pauses within its bound misses nothing', async () => {
    const client = await connect(roomy.url, { path: '/rooms/pause' });
    client.socket.pauseReading();
    const sent = await flood(roomy, 'pause', undefined, 200);
    client.socket.resumeReading();
    for (let i = 0; i < sent; i += 1) assert.deepEqual((await client.message()).payload, payload);
    await client.close();
  });

  it('pings are answered and the close frame arrives although data is queued', async () => {
    const client = await connect(roomy.url, { path: '/rooms/control' });
    client.socket.pauseReading();
    await flood(roomy, 'control', async () => (await roomy.metric(METRICS.queueBytes)) > 3000000, 400);
    await client.ping('are you there');
    client.socket.resumeReading();
    let before = 0;
    for (;;) {
      const next = await client.next();
      if (next.opcode === PONG) break;
      before += 1;
    }
    let behind = 0;
    await client.ping('barrier');
    for (;;) {
      const next = await client.next();
      if (next.opcode === PONG) break;
      behind += 1;
    }
    assert.ok(before + behind > 0);
    assert.ok(behind > 0, 'the pong waited behind all the queued data');
    client.sentClose = true;
    await client.write(close(1000));
    let rest = 0;
    while ((await client.next()).opcode !== CLOSE) rest += 1; // queued messages precede the close frame
    assert.ok(rest < 400);
    await client.socket.rest();
  });

  it('a sender that does not read its echoes is paused or closed, not buffered without bound', async () => {
    const client = await connect(server.url);
    client.socket.pauseReading();
    let most = 0;
    let sent = 0;
    let open = true;
    client.socket.socket.on('close', () => (open = false));
    const sampling = (async () => {
      while (open && sent < 2000) most = Math.max(most, await server.metric(METRICS.queueBytes));
    })();
    while (open && sent < 2000) {
      const done = await Promise.race([client.binary(payload), new Promise((resolve) => setTimeout(() => resolve('stuck'), 1000))]);
      if (done !== true) break;
      sent += 1;
    }
    client.destroy();
    open = false;
    await sampling;
    assert.ok(most <= 200000 + 2 * 65536, `${most} bytes queued`);
  });
});
