// Many subscribers, many rooms, many messages: everything arrives in order, and other clients do not wait for it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { METRICS } from '../support/contract.js';
import { seconds } from '../support/deadline.js';
import { HttpConnection } from '../support/raw_http.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { frame } from '../support/ws_frames.js';

const server = await startServer({ set: { 'limits.queue_bytes': 16777216 } });
const long = seconds(60);

async function joinAll(count, path) {
  const clients = [];
  while (clients.length < count) {
    const some = Math.min(50, count - clients.length);
    clients.push(...await Promise.all(Array.from({ length: some }, () => connect(server.url, { path: typeof path === 'string' ? path : path() }))));
  }
  return clients;
}

/** A digest over the next `count` messages. */
async function digest(client, count) {
  const hash = createHash('sha1');
  for (let i = 0; i < count; i += 1) hash.update((await client.message(long)).payload).update('\n');
  return hash.digest('hex');
}

describe('stress', () => {
  after(() => server.stop());

  it('500 subscribers, 200 messages of several sizes and senders', async () => {
    const clients = await joinAll(500, '/rooms/crowd');
    const digests = clients.map((client) => digest(client, 200));
    for (let i = 0; i < 200; i += 1) await clients[(i * 7) % 500].binary(Buffer.alloc((i * 37) % 3000, i));
    assert.equal(new Set(await Promise.all(digests)).size, 1);
    for (const client of clients) client.destroy();
    await server.metricBecomes(METRICS.rooms, (rooms) => rooms === 0);
  });

  it('200 separate rooms, each in order', async () => {
    let next = 0;
    const clients = await joinAll(200, () => `/rooms/own/${(next += 1)}`);
    await Promise.all(clients.map(async (client, i) => {
      await client.write(Buffer.concat(Array.from({ length: 50 }, (_, k) => frame({ payload: `${i} ${k}` }))));
      for (let k = 0; k < 50; k += 1) assert.equal(await client.nextText(long), `${i} ${k}`);
    }));
    for (const client of clients) client.destroy();
  });

  it('while a large room is served, other clients are not delayed', async () => {
    const members = await joinAll(300, '/rooms/large');
    const other = await connect(server.url, { path: '/rooms/small' });
    // Reading 180 MB in this process would delay the other clients as well.
    for (const client of members) client.socket.pauseReading();
    const publishing = members[0].write(Buffer.concat(Array.from({ length: 300 }, (_, i) => frame({ opcode: 2, payload: Buffer.alloc(2000, i) }))));
    const connection = await HttpConnection.open(server.url);
    let slowest = 0;
    for (let i = 0; i < 20; i += 1) {
      const begun = Date.now();
      await other.text(`${i}`);
      await other.expectText(`${i}`, long);
      assert.equal((await connection.request('GET', '/healthz', { ms: long })).status, 200);
      slowest = Math.max(slowest, Date.now() - begun);
    }
    for (const client of members) client.socket.resumeReading();
    await publishing;
    const digests = members.map((client) => digest(client, 300));
    assert.equal(new Set(await Promise.all(digests)).size, 1);
    assert.ok(slowest < seconds(5), `${slowest} ms`);
    for (const client of [...members, other]) client.destroy();
    connection.close();
  });

  it('two thousand consecutive connections leave nothing behind', async () => {
    const before = await server.metric(METRICS.connections);
    for (let i = 0; i < 40; i += 1) {
      const clients = await joinAll(50, '/rooms/passing');
      for (const client of clients) client.destroy();
    }
    await server.metricBecomes(METRICS.connections, (count) => count <= before);
    await server.metricBecomes(METRICS.rooms, (rooms) => rooms === 0);
    assert.equal(await server.metric(METRICS.queueBytes), 0);
  });
});
