// rates.*: how fast clients may connect, ask, join and publish, over every way in; limits.handshakes_per_address.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ByteSocket } from '../support/byte_socket.js';
import { eventually, patience, sleep, within } from '../support/deadline.js';
import { JsonClient } from '../support/json_client.js';
import { HttpConnection, errorMessage, fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { parseMetrics, startServer } from '../support/server.js';
import { attempt, connect } from '../support/wire_client.js';
import { CLOSE } from '../support/ws_frames.js';

const json = { 'Content-Type': 'application/json' };
const post = (server, room, from = '192.0.2.1') =>
  fetchOnce(server.url, 'POST', `/rooms/${room}`, { body: 'x', headers: { 'X-Forwarded-For': from, 'Content-Type': 'text/plain' } });
const figures = async (server) => parseMetrics((await fetchOnce(server.adminUrl, 'GET', '/metrics')).text);
const REFUSED = 'roomcast_refusals_total{code="rate_limited"}';

/** Clients are told apart by X-Forwarded-For. */
const start = (set) =>
  startServer({ set: { trusted_proxies: '127.0.0.1', admin_listen: '127.0.0.1:0', 'rates.burst_seconds': 1, ...set } });
/** The same for clients that connect by themselves. */
const startDirect = (set) => startServer({ set: { admin_listen: '127.0.0.1:0', 'rates.burst_seconds': 1, ...set } });

/** That `response` is 429 with the time to wait, in whole seconds. */
function assertLimited(response, message, code = 'rate_limited') {
  assert.match(errorMessage(response, 429), message);
  assert.equal(response.json.error.code, code);
  assert.match(response.header('retry-after'), /^[1-9]\d*$/);
}

describe('rates', () => {
  it('roomcast.v1: as many messages as the burst, then rate_limited with retry_ms, after which it goes on', async () => {
    const server = await startDirect({ 'rates.address_publishes_per_second': 1, 'rates.burst_seconds': 3 });
    const client = await JsonClient.greeted(server, '/rooms/v1');
    for (let i = 0; i < 3; i += 1) assert.equal((await client.ask({ type: 'publish', data: i })).type, 'ok');
    const refused = await client.ask({ type: 'publish', data: 'too many' });
    assert.deepEqual([refused.type, refused.code], ['error', 'rate_limited']);
    assert.match(refused.message, /rates\.address_publishes_per_second allows 1/);
    assert.ok(refused.retry_ms > 0 && refused.retry_ms <= 1000, `${refused.retry_ms}`);
    await sleep(refused.retry_ms);
    assert.equal((await client.ask({ type: 'publish', data: 'in time' })).type, 'ok');
    assert.deepEqual((await client.messages(4)).map(({ data }) => data), [0, 1, 2, 'in time']);
    assert.equal((await figures(server)).get(REFUSED), 1);
    await client.close();
    await server.stop();
  });

  it('roomcast.v1: by connection, whatever another one does', async () => {
    const server = await startDirect({ 'rates.connection_publishes_per_second': 1, 'rates.connection_joins_per_second': 1, 'rates.burst_seconds': 3 });
    const clients = [await JsonClient.greeted(server), await JsonClient.greeted(server)];
    for (const client of clients) {
      for (const room of ['a', 'b', 'c']) assert.equal((await client.ask({ type: 'subscribe', room })).type, 'ok');
      const join = await client.ask({ type: 'subscribe', room: 'd' });
      assert.deepEqual([join.code, join.retry_ms > 0], ['rate_limited', true]);
      for (let i = 0; i < 3; i += 1) assert.equal((await client.ask({ type: 'publish', room: 'a', data: i })).type, 'ok');
      assert.match((await client.ask({ type: 'publish', room: 'a', data: 3 })).message, /rates\.connection_publishes_per_second/);
    }
    for (const client of clients) await client.close();
    await server.stop();
  });

  it('POST: 429 past the burst, each address by itself, an IPv6 /64 as one', async () => {
    const server = await start({ 'rates.address_publishes_per_second': 1, 'rates.burst_seconds': 2 });
    for (const [first, second] of [['192.0.2.1', '192.0.2.1'], ['192.0.2.2', '192.0.2.2'], ['2001:db8::1', '2001:db8::ffff:2']]) {
      for (let i = 0; i < 2; i += 1) assert.equal((await post(server, 'post', first)).status, 200);
      assertLimited(await post(server, 'post', second), /rates\.address_publishes_per_second allows 1/);
    }
    assert.equal((await post(server, 'post', '2001:db8:0:1::1')).status, 200);
    // A trusted proxy that does not name its client.
    for (let i = 0; i < 5; i += 1) assert.equal((await fetchOnce(server.url, 'POST', '/rooms/post', { body: 'x' })).status, 200);
    await server.stop();
  });

  it('bytes are counted as well', async () => {
    const server = await startDirect({ 'rates.address_publish_bytes_per_second': 100 });
    const publish = (bytes) => fetchOnce(server.url, 'POST', '/rooms/bytes', { body: 'x'.repeat(bytes) });
    assert.equal((await publish(100)).status, 200);
    assertLimited(await publish(100), /rates\.address_publish_bytes_per_second allows 100/);
    await server.stop();
  });

  it('a batch: each message counts, and those past the burst have their error', async () => {
    const server = await startDirect({ 'rates.address_publishes_per_second': 1, 'rates.burst_seconds': 3 });
    const messages = Array.from({ length: 5 }, (_, i) => ({ room: 'batch', data: i }));
    const response = await fetchOnce(server.url, 'POST', '/api/publish', { body: JSON.stringify({ messages }), headers: json });
    assert.equal(response.status, 200);
    assert.deepEqual(response.json.results.map(({ error }) => error?.code), [undefined, undefined, undefined, 'rate_limited', 'rate_limited']);
    assert.ok(response.json.results[4].error.retry_ms > 0);
    assert.equal((await figures(server)).get(REFUSED), 2);
    await server.stop();
  });

  it('a raw client is read as slowly as it may publish: nothing is lost, reordered or refused', async () => {
    const server = await startDirect({ 'rates.connection_publishes_per_second': 10 });
    const client = await connect(server.url, { path: '/rooms/raw' });
    const other = await connect(server.url, { path: '/rooms/raw' });
    const begin = Date.now();
    for (let i = 0; i < 20; i += 1) await client.text(`${i}`);
    for (let i = 0; i < 20; i += 1) assert.equal(await other.nextText(), `${i}`);
    assert.ok(Date.now() - begin >= 900, `${Date.now() - begin} ms for 20, of which 10 were free`);
    assert.ok((await figures(server)).get(REFUSED) >= 1);
    await other.text('at once');
    await client.socket.bytes(1, 'something');
    client.destroy();
    other.destroy();
    await server.stop();
  });

  it('a raw client that waits for its turn ends cleanly when the server does', async () => {
    const server = await startDirect({ 'rates.connection_publishes_per_second': 1 });
    const client = await connect(server.url, { path: '/rooms/raw' });
    await client.text('first');
    await client.text('held back');
    await client.expectText('first');
    await eventually(async () => (await figures(server)).get(REFUSED) === 1, 'the second is held back');
    server.process.kill('SIGTERM');
    assert.equal((await client.next()).opcode, CLOSE);
    client.destroy();
    await server.expectExit(0);
  });

  it('joins: WebSocket, EventSource, stream and poll spend of the same', async () => {
    const server = await start({ 'rates.address_joins_per_second': 1 });
    const ways = { poll: '', stream: '?transport=stream', sse: '?transport=sse' };
    let last = 0;
    for (const query of Object.values(ways)) {
      last += 1;
      const headers = { 'X-Forwarded-For': `192.0.2.${last}` };
      const first = await attempt(server.url, { path: '/rooms/join', headers });
      assert.equal(first.response.status, 101);
      const second = await fetchOnce(server.url, 'GET', `/rooms/join${query}`, { headers });
      if (query.endsWith('sse')) {
        // An EventSource that gets an error never comes back: it gets a stream that ends, with a time to come back at.
        assert.equal(second.status, 200);
        assert.match(second.text, /^retry: [1-9]\d{3}\n[^]*rate_limited/);
      } else {
        assertLimited(second, /rates\.address_joins_per_second allows 1/);
      }
      const third = await attempt(server.url, { path: '/rooms/join', headers });
      assertLimited(third.response, /rates\.address_joins_per_second allows 1/);
      first.socket.destroy();
      third.socket.destroy();
    }
    assert.equal((await figures(server)).get(REFUSED), 6);
    await server.stop();
  });

  it('requests: every path counts but those of admin_listen and preflights', async () => {
    const server = await start({ 'rates.address_requests_per_second': 1, 'rates.burst_seconds': 3, origins: 'https://a.example' });
    const headers = { 'X-Forwarded-For': '192.0.2.1' };
    const connection = await HttpConnection.open(server.url);
    for (const target of ['/', '/healthz', '/nothing/there']) assert.notEqual((await connection.request('GET', target, { headers })).status, 429);
    for (const [method, target] of [['GET', '/healthz'], ['POST', '/rooms/x'], ['GET', '/rooms/x'], ['PUT', '/rooms/x'], ['GET', '/%']]) {
      assertLimited(await connection.request(method, target, { headers }), /rates\.address_requests_per_second allows 1/);
    }
    const preflight = { Origin: 'https://a.example', 'Access-Control-Request-Method': 'POST', ...headers };
    assert.equal((await connection.request('OPTIONS', '/rooms/x', { headers: preflight })).status, 204);
    const page = await connection.request('POST', '/rooms/x', { headers: { Origin: 'https://a.example', ...headers } });
    assert.equal(page.status, 429);
    assert.equal(page.header('access-control-allow-origin'), 'https://a.example');
    assert.equal((await connection.request('GET', '/healthz', { headers: { 'X-Forwarded-For': '192.0.2.2' } })).status, 200);
    for (let i = 0; i < 5; i += 1) assert.equal((await fetchOnce(server.adminUrl, 'GET', '/healthz', { headers })).status, 200);
    connection.close();
    await server.stop();
  });

  it('connects: those past the burst get 429 and the end, and nobody else notices', async () => {
    const server = await startDirect({ 'rates.address_connects_per_second': 1, 'rates.burst_seconds': 2 });
    const client = await connect(server.url, { path: '/rooms/connects' });
    const second = await HttpConnection.open(server.url);
    assert.equal((await second.request('GET', '/healthz')).status, 200);
    const refused = await fetchOnce(server.url, 'GET', '/healthz');
    assertLimited(refused, /rates\.address_connects_per_second/, 'too_many_connections');
    assert.equal(refused.header('connection'), 'close');
    assert.equal((await second.request('GET', '/healthz')).status, 200);
    await client.text('still here');
    await client.expectText('still here');
    assert.ok((await figures(server)).get('roomcast_connections_refused_total{reason="connect_rate"}') >= 1);
    await sleep(1100);
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    client.destroy();
    second.close();
    await server.stop();
  });

  it('handshakes: connections of an address without a request are bounded; after a moment the oldest makes place', async () => {
    const server = await startDirect({ 'limits.handshakes_per_address': 2 });
    const silent = [];
    for (const part of ['', 'GET /healthz HT']) {
      silent.push(await ByteSocket.open(server.url));
      if (part) await silent.at(-1).write(Buffer.from(part));
      await eventually(async () => (await figures(server)).get('roomcast_connections_admitted') === silent.length, 'accepted');
    }
    assertLimited(await fetchOnce(server.url, 'GET', '/healthz'), /limits\.handshakes_per_address/, 'too_many_connections');
    await sleep(1200); // past the time in which a request may be on its way
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    await within(patience, silent[0].rest(), 'the end of the oldest');
    assert.equal(silent[1].ended, false);
    silent[1].destroy();
    await server.stop();
  });

  it('a reload changes the rates of those who are there', async () => {
    const file = path.join(scratchDirectory(), 'rates.toml');
    fs.writeFileSync(file, '[rates]\nburst_seconds = 1\n');
    const server = await startServer({ args: ['--config', file] });
    const client = await JsonClient.greeted(server, '/rooms/reload');
    for (let i = 0; i < 20; i += 1) assert.equal((await client.ask({ type: 'publish', data: i })).type, 'ok');
    fs.writeFileSync(file, '[rates]\nburst_seconds = 1\naddress_publishes_per_second = 1\n');
    const mark = server.mark();
    server.reload();
    await server.waitForLog(/reloaded/, { mark });
    assert.equal((await client.ask({ type: 'publish', data: 0 })).type, 'ok');
    assert.equal((await client.ask({ type: 'publish', data: 1 })).code, 'rate_limited');
    await client.close();
    await server.stop();
  });

  it('a flood is logged a few times a second, and counted in full', async () => {
    const server = await startDirect({ 'rates.address_publishes_per_second': 1 });
    const client = await JsonClient.greeted(server, '/rooms/flood');
    const begin = Date.now();
    for (let i = 0; i < 300; i += 1) client.send({ type: 'publish', data: i });
    await client.ask({ type: 'ping' });
    const seconds = Math.ceil((Date.now() - begin) / 1000) + 1;
    await server.waitForLog(/client refused.*code=rate_limited/);
    const lines = server.log().split('\n').filter((line) => line.includes('client refused'));
    assert.ok(lines.length >= 1 && lines.length <= 5 * seconds, `${lines.length} lines in ${seconds} s`);
    assert.match(lines[0], /code=rate_limited/);
    assert.ok((await figures(server)).get(REFUSED) >= 290);
    await client.close();
    await server.stop();
  });
});
