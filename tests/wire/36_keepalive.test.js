// Pings of the server, and clients that do not answer them.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import WebSocket from 'ws';
import { seconds, sleep } from '../support/deadline.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { CLOSE, PING, PONG } from '../support/ws_frames.js';

const server = await startServer({ set: { 'websocket.ping_seconds': 0.3, 'websocket.pong_timeout_seconds': 0.3 } });
const calm = await startServer();

describe('keep-alive', { concurrency: 8 }, () => {
  after(async () => {
    await server.stop();
    await calm.stop();
  });

  it('the server sends a ping', async () => {
    const client = await connect(server.url);
    assert.equal((await client.next()).opcode, PING);
    client.destroy();
  });

  it('a client that answers pings stays', async () => {
    const client = await connect(server.url, { path: '/rooms/alive' });
    for (let i = 0; i < 6; i += 1) {
      const next = await client.next();
      assert.equal(next.opcode, PING);
      await client.pong(next.payload);
    }
    await client.close();
  });

  it('a client that does not answer is closed', async () => {
    const client = await connect(server.url);
    const begun = Date.now();
    assert.equal((await client.next()).opcode, PING);
    for (;;) {
      if (!(await client.socket.readable())) break;
      const next = await client.next();
      if (next.opcode === CLOSE) assert.ok([1001, 1006, 1008, 1011].includes(next.payload.readUInt16BE()));
      else assert.equal(next.opcode, PING);
    }
    const took = Date.now() - begun;
    assert.ok(took > 400 && took < seconds(8), `${took} ms`);
  });

  it('a client that sends anything else instead of pongs stays', async () => {
    const client = await connect(server.url);
    let pings = 0;
    const end = Date.now() + 2000;
    while (Date.now() < end) {
      await client.text('x');
      await sleep(100);
      while (client.socket.unread > 0) if ((await client.next()).opcode === PING) pings += 1;
    }
    await client.ping('still?');
    for (;;) {
      const next = await client.next();
      if (next.opcode === PONG) break;
    }
    client.destroy();
  });

  it('the ws package stays connected', async () => {
    const client = new WebSocket(`${server.url.replace('http', 'ws')}/echo`);
    let pings = 0;
    await new Promise((resolve, reject) => {
      client.on('error', reject);
      client.on('close', () => reject(new Error('closed')));
      client.on('ping', () => (pings += 1) === 5 && resolve());
    });
    client.terminate();
  });

  it('by default no ping is sent within the first seconds', async () => {
    const client = await connect(calm.url);
    assert.ok(await client.socket.quiet(3000));
    await client.close();
  });
});
