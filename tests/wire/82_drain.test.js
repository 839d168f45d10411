// Shutdown: SIGTERM drains, a second signal ends at once.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ByteSocket } from '../support/byte_socket.js';
import { METRICS } from '../support/contract.js';
import { patience, seconds, sleep, within } from '../support/deadline.js';
import { fetchOnce, HttpConnection } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { CLOSE, PING } from '../support/ws_frames.js';

const many = (server, count, room) => Promise.all(Array.from({ length: count }, () => connect(server.url, { path: `/rooms/${room}` })));

/** Signals within a shorter interval count as one. */
const one_request_ms = 1100;

/** Reads up to the close frame; returns its code and the messages before it. */
async function untilClose(client) {
  const messages = [];
  for (;;) {
    const next = await client.next();
    if (next.opcode === PING) continue;
    if (next.opcode === CLOSE) return { code: next.payload.readUInt16BE(), messages };
    messages.push(next.payload.toString());
  }
}

describe('shutdown', { concurrency: 4 }, () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    it(`${signal} without clients exits at once with 0`, async () => {
      const server = await startServer({ set: { drain_seconds: 30 } });
      const begun = Date.now();
      server.process.kill(signal);
      await server.expectExit(0);
      assert.ok(Date.now() - begun < seconds(3));
    });
  }

  it('every client gets 1012, then the server exits with 0', async () => {
    const server = await startServer({ set: { drain_seconds: 0.5 } });
    const clients = await many(server, 20, 'drain');
    server.process.kill('SIGTERM');
    for (const client of clients) await client.expectClose(1012);
    await server.expectExit(0);
  });

  it('clients receive pending messages first', async () => {
    const server = await startServer({ set: { drain_seconds: 1, 'limits.queue_bytes': 67108864 } });
    const slow = await connect(server.url, { path: '/rooms/owed' });
    const fast = await connect(server.url, { path: '/rooms/owed' });
    slow.socket.pauseReading();
    const count = 200;
    const blob = 'o'.repeat(50000);
    const received = untilClose(fast);
    for (let i = 0; i < count; i += 1) await fast.text(`${i} ${blob}`);
    await server.metricBecomes(METRICS.published, (published) => published === count);
    const mark = server.mark();
    server.process.kill('SIGTERM');
    await server.waitForLog(/drain|shut|stop/i, { mark });
    slow.socket.resumeReading();
    const [{ code, messages }, late] = await Promise.all([received, untilClose(slow)]);
    assert.equal(messages.length, count);
    assert.equal(code, 1012);
    assert.equal(late.code, 1012);
    assert.deepEqual(late.messages, messages);
    slow.destroy();
    fast.destroy();
    await server.expectExit(0);
  });

  it('many clients are closed in slices, not all at one moment', async () => {
    const server = await startServer({ set: { drain_seconds: 2 } });
    const clients = await many(server, 250, 'slices');
    const begun = Date.now();
    server.process.kill('SIGTERM');
    const times = await Promise.all(clients.map(async (client) => {
      await client.expectClose(1012);
      return Date.now() - begun;
    }));
    await server.expectExit(0);
    assert.ok(Math.max(...times) - Math.min(...times) > 90, 'all at once');
    assert.ok(Math.max(...times) < seconds(4));
  });

  it('listeners are closed while it drains, and clients can still publish', async () => {
    const directory = scratchDirectory();
    const unix = path.join(directory, 'drain.sock');
    const server = await startServer({ listen: ['http://127.0.0.1:0', `unix:${unix}`], set: { drain_seconds: 3 } });
    const clients = await many(server, 30, 'talk');
    const mark = server.mark();
    server.process.kill('SIGTERM');
    await server.waitForLog(/drain|shut|stop/i, { mark });
    await assert.rejects(ByteSocket.open(server.url), /ECONNREFUSED/);
    await assert.rejects(ByteSocket.open(`unix:${unix}`), /ECONNREFUSED|ENOENT/);
    await Promise.all(clients.map((client) => client.expectClose(1012)));
    await server.expectExit(0);
    assert.ok(!fs.existsSync(unix));
  });

  it('a second signal exits at once', async () => {
    const server = await startServer({ set: { drain_seconds: 60 } });
    const clients = await many(server, 10, 'second');
    const mark = server.mark();
    const begun = Date.now();
    server.process.kill('SIGTERM');
    await server.waitForLog(/drain|shut|stop/i, { mark });
    await sleep(one_request_ms);
    server.process.kill('SIGTERM');
    const end = await within(patience, server.exited, 'the end');
    assert.ok(end.code === 0 || end.code === 1 || end.signal === 'SIGTERM', JSON.stringify(end));
    assert.ok(Date.now() - begun < seconds(5));
    clients.forEach((client) => client.destroy());
  });

  it('a second signal exits cleanly, however many clients are left', async () => {
    const server = await startServer({ set: { drain_seconds: 60 } });
    const clients = [];
    for (let i = 0; i < 15; i += 1) clients.push(...(await many(server, 200, 'many')));
    const mark = server.mark();
    server.process.kill('SIGTERM');
    await server.waitForLog(/drain|shut|stop/i, { mark });
    await sleep(one_request_ms);
    server.process.kill('SIGTERM');
    await server.expectExit(0);
    clients.forEach((client) => client.destroy());
  });

  for (const [first, second] of [['SIGTERM', 'SIGINT'], ['SIGINT', 'SIGTERM']]) {
    it(`${first} and ${second} within a second are one`, async () => {
      const server = await startServer({ set: { drain_seconds: 2 } });
      const clients = await many(server, 100, 'twice');
      const mark = server.mark();
      server.process.kill(first);
      server.process.kill(second);
      await Promise.all(clients.map((client) => client.expectClose(1012)));
      await server.expectExit(0);
      assert.equal(server.log(mark).match(/\bstopping\b/g).length, 1, server.log(mark));
    });
  }

  it('during drain_delay_seconds everything is served, and only /readyz reports the shutdown', async () => {
    const server = await startServer({ set: { drain_delay_seconds: 600, admin_listen: '127.0.0.1:0' }, urlCount: 2 });
    const both = [server.url, server.adminUrl];
    for (const url of both) {
      const answer = await fetchOnce(url, 'GET', '/readyz');
      assert.equal(answer.status, 200);
      assert.match(answer.header('cache-control'), /no-store/);
    }
    const member = await connect(server.url, { path: '/rooms/lame' });
    const kept = await HttpConnection.open(server.url);
    assert.equal((await kept.request('GET', '/healthz')).status, 200);
    const mark = server.mark();
    server.process.kill('SIGTERM');
    await server.waitForLog(/\bstopping\b.*drain_delay_seconds=600/, { mark });
    for (const url of both) {
      assert.equal((await fetchOnce(url, 'GET', '/readyz')).status, 503);
      assert.equal((await fetchOnce(url, 'GET', '/healthz')).status, 200);
    }
    assert.equal((await kept.request('GET', '/readyz')).status, 503);
    const newcomer = await connect(server.url, { path: '/rooms/lame' });
    await newcomer.text('still served');
    for (const client of [member, newcomer]) await client.expectText('still served');
    assert.equal((await fetchOnce(server.url, 'POST', '/rooms/lame', { body: 'too', headers: { 'Content-Type': 'text/plain' } })).status, 200);
    for (const client of [member, newcomer]) await client.expectText('too');
    assert.doesNotMatch(server.log(mark), /\bdraining\b/);
    for (const client of [member, newcomer, kept]) (client.destroy ?? client.close).call(client);
    await server.kill();
  });

  it('after drain_delay_seconds it drains', async () => {
    const server = await startServer({ set: { drain_delay_seconds: 0.3, drain_seconds: 0 } });
    const client = await connect(server.url, { path: '/rooms/behind' });
    const mark = server.mark();
    server.process.kill('SIGTERM');
    await client.expectClose(1012);
    await server.expectExit(0);
    assert.match(server.log(mark), /\bstopping\b[^]*\bdraining\b/);
  });

  it('a second signal exits at once during the delay, too', async () => {
    const server = await startServer({ set: { drain_delay_seconds: 600, drain_seconds: 600 } });
    server.process.kill('SIGTERM');
    await server.waitForLog(/\bstopping\b/);
    await sleep(one_request_ms);
    server.process.kill('SIGTERM');
    await server.expectExit(0);
  });

  it('clients that never answer do not keep it running', async () => {
    const server = await startServer({ set: { drain_seconds: 0.5, 'websocket.close_timeout_seconds': 0.5 } });
    const clients = await many(server, 5, 'silent');
    const stuck = await connect(server.url, { path: '/rooms/silent' });
    stuck.socket.pauseReading();
    const idle = await ByteSocket.open(server.url);
    const half = await ByteSocket.open(server.url);
    await half.write('GET / HTTP/1.1\r\nHost');
    const begun = Date.now();
    server.process.kill('SIGTERM');
    await server.expectExit(0);
    assert.ok(Date.now() - begun < seconds(6), `${Date.now() - begun} ms`);
    for (const client of [...clients, stuck]) client.destroy();
    idle.destroy();
    half.destroy();
  });

  it('a request in progress is answered', async () => {
    const server = await startServer({ set: { drain_seconds: 3 } });
    const connection = await HttpConnection.open(server.url);
    const keepsDraining = await connect(server.url, { path: '/rooms/underway' });
    await connection.send('POST /rooms/underway HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nhello');
    await sleep(100);
    const mark = server.mark();
    server.process.kill('SIGTERM');
    await server.waitForLog(/drain|shut|stop/i, { mark });
    await connection.send('world');
    const response = await connection.read();
    assert.ok([200, 503].includes(response.status), `status ${response.status}`);
    await connection.expectEnd();
    keepsDraining.destroy();
    await server.expectExit(0);
  });

  it('SIGPIPE does not end it', async () => {
    const server = await startServer();
    server.process.kill('SIGPIPE');
    const client = await connect(server.url);
    await client.text('alive');
    await client.expectText('alive');
    await client.close();
    await server.stop();
  });
});
