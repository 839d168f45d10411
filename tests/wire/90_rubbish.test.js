// Many hostile and broken clients: afterwards the server is healthy and nothing of them is left.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, describe, it } from 'node:test';
import tls from 'node:tls';
import { ByteSocket } from '../support/byte_socket.js';
import { METRICS } from '../support/contract.js';
import { patience, within } from '../support/deadline.js';
import { HttpConnection, fetchOnce } from '../support/raw_http.js';
import { startServer } from '../support/server.js';
import { connect, handshakeBytes } from '../support/wire_client.js';
import { frame, text } from '../support/ws_frames.js';

const server = await startServer({ set: { 'http.head_timeout_seconds': 2, 'websocket.close_timeout_seconds': 1 } });
const times = (count, each) => Promise.all(Array.from({ length: count }, (_, i) => each(i)));
const open = () => ByteSocket.open(server.url);

/** Sends `bytes`, waits briefly for the server to react, and disconnects. */
async function throwAt(bytes) {
  const socket = await open();
  await socket.write(bytes);
  await within(300, socket.rest({ allowReset: true }), 'the end').catch(() => {});
  socket.destroy();
}

/** A reproducible generator of numbers below `n` that selects what to corrupt. */
function dice(seed) {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % n;
  };
}

describe('rubbish', () => {
  after(() => server.stop());
  afterEach(async () => {
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    const client = await connect(server.url);
    await client.text('well');
    await client.expectText('well');
    await client.close();
    await server.metricBecomes(METRICS.connections, (count) => count <= 1);
  });

  it('connections closed at once', () => times(300, async () => (await open()).destroy()));
  it('connections reset at once', () => times(300, async () => (await open()).abort()));
  it('connections half-closed at once', () => times(200, async () => {
    const socket = await open();
    socket.finish();
    await socket.rest({ allowReset: true });
  }));
  it('random bytes', () => times(200, (i) => throwAt(randomBytes(1 + ((i * 97) % 5000)))));
  it('NULs', () => times(20, () => throwAt(Buffer.alloc(100000))));
  it('line ends only', () => times(20, () => throwAt('\r\n'.repeat(10000))));
  it('half requests', () => {
    const request = 'POST /rooms/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello';
    return times(request.length, async (i) => {
      const socket = await open();
      await socket.write(request.slice(0, i));
      socket.destroy();
    });
  });
  it('half handshakes', () => {
    const request = handshakeBytes('/rooms/half');
    return times(request.length, async (i) => {
      const socket = await open();
      await socket.write(request.subarray(0, i));
      socket.abort();
    });
  });
  it('TLS on the plain port', () => times(30, () => new Promise((resolve) => {
    const socket = tls.connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false });
    socket.on('error', resolve);
    socket.on('close', resolve);
  })));
  it('requests with corrupted bytes', () => {
    const roll = dice(1);
    const request = Buffer.from('POST /rooms/spoiled?x=y HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n');
    return times(300, () => {
      const bytes = Buffer.from(request);
      for (let k = roll(4); k >= 0; k -= 1) bytes[roll(bytes.length)] = roll(256);
      return throwAt(bytes);
    });
  });
  it('handshakes with corrupted bytes', () => {
    const roll = dice(2);
    return times(200, () => {
      const bytes = handshakeBytes('/rooms/spoiled', { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits', 'Sec-WebSocket-Protocol': 'roomcast.raw.v1' } });
      for (let k = roll(3); k >= 0; k -= 1) bytes[roll(bytes.length)] = roll(256);
      return throwAt(bytes);
    });
  });
  for (const extensions of [undefined, 'permessage-deflate']) {
    it(`random bytes instead of frames${extensions ? ', with compression' : ''}`, () => times(150, async (i) => {
      const client = await connect(server.url, { path: i % 2 ? '/echo' : '/rooms/noise', headers: { 'Sec-WebSocket-Extensions': extensions } });
      await client.write(randomBytes(2000));
      await within(patience, client.socket.rest({ allowReset: true }), 'the end').catch(() => {});
      client.destroy();
    }));
    it(`frames with corrupted bytes${extensions ? ', with compression' : ''}`, () => {
      const roll = dice(extensions ? 3 : 4);
      return times(200, async () => {
        const client = await connect(server.url, { path: '/rooms/noise', headers: { 'Sec-WebSocket-Extensions': extensions } });
        const bytes = Buffer.concat([text('hello', { rsv: extensions ? 4 : 0 }), frame({ fin: false, payload: 'wor' }), frame({ opcode: 9 }), frame({ opcode: 0, payload: 'ld' })]);
        bytes[roll(bytes.length)] = roll(256);
        await client.write(bytes);
        client.destroy();
      });
    });
  }
  it('frames cut at every offset', () => {
    const bytes = Buffer.concat([text('x'.repeat(130)), frame({ opcode: 9, payload: 'p' }), frame({ fin: false, payload: 'a' })]);
    return times(bytes.length, async (i) => {
      const client = await connect(server.url, { path: '/rooms/cut' });
      await client.write(bytes.subarray(0, i));
      if (i % 3 === 0) client.socket.abort();
      else client.destroy();
    });
  });
  it('a storm of connections that publish and leave', async () => {
    const listener = await connect(server.url, { path: '/rooms/storm' });
    await times(300, async (i) => {
      const client = await connect(server.url, { path: '/rooms/storm?echo=0' });
      await client.text(`${i}`);
      // Not destroyed at once: with unread messages that would send a reset, which could discard the published one.
      client.socket.finish();
      await client.socket.rest();
    });
    const received = new Set();
    for (let i = 0; i < 300; i += 1) received.add(await listener.nextText());
    assert.equal(received.size, 300);
    await listener.close();
  });
  it('joining and leaving without pause', async () => {
    await times(20, async (i) => {
      for (let round = 0; round < 20; round += 1) {
        const client = await connect(server.url, { path: `/rooms/restless/${(i + round) % 5}` });
        await client.text('hello');
        if (round % 3 === 0) client.destroy();
        else if (round % 3 === 1) client.socket.abort();
        else {
          await client.nextText();
          client.destroy();
        }
      }
    });
  });
  it('responses that are not read', () => times(30, async () => {
    const connection = await HttpConnection.open(server.url);
    connection.socket.pauseReading();
    const sending = connection.send('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3000));
    await within(300, sending, 'sent').catch(() => {});
    connection.close();
  }));
  it('a flood of pings', async () => {
    const client = await connect(server.url);
    client.socket.pauseReading();
    const pings = Buffer.concat(Array(20000).fill(frame({ opcode: 9, payload: 'p'.repeat(125) })));
    await within(2000, client.write(pings), 'sent').catch(() => {});
    client.destroy();
  });
});
