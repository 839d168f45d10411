// The log: one line for the end of every connection, and never a secret.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LOG } from '../support/contract.js';
import { HttpConnection, fetchOnce } from '../support/raw_http.js';
import { startServer } from '../support/server.js';
import { attempt, connect, refusal } from '../support/wire_client.js';

describe('logs', { concurrency: 4 }, () => {
  it('one line for every ended WebSocket connection, with age, messages, bytes, code and reason', async () => {
    const server = await startServer({ set: { 'log.format': 'json' } });
    const mark = server.mark();
    const client = await connect(server.url, { path: '/rooms/logged' });
    await client.text('one');
    await client.expectText('one');
    await client.close(4001, 'my reason');
    await server.waitForLog(/4001/, { mark });
    const line = JSON.parse(server.log(mark).split('\n').find((one) => one.includes('4001')));
    const said = JSON.stringify(line);
    assert.match(said, LOG.connectionEnd);
    for (const part of [/age|duration|seconds|_ms/, /messages/, /bytes/, /code/, /reason/, /127\.0\.0\.1/]) assert.match(said, part);
    await server.stop();
  });

  it('exactly one line each, for every kind of end', async () => {
    const server = await startServer();
    const mark = server.mark();
    const ends = [
      async (client) => client.close(),
      async (client) => client.destroy(),
      async (client) => client.socket.abort(),
      async (client) => {
        await client.text('x', { rsv: 7 });
        await client.expectClose(1002);
      },
      async (client) => {
        await client.text(Buffer.from('ff', 'hex'));
        await client.expectClose(1007);
      },
      async (client) => client.socket.finish(),
    ];
    const clients = [];
    for (const end of ends) {
      const client = await connect(server.url, { path: '/rooms/ends' });
      clients.push(client);
      await end(client);
    }
    const stays = await connect(server.url, { path: '/rooms/ends' });
    await Promise.all([stays.expectClose(1012), server.stop()]);
    const lines = server.log(mark).split('\n').filter((line) => LOG.connectionEnd.test(line));
    assert.equal(lines.length, ends.length + 1, lines.join('\n'));
    for (const reason of [/client_closed/, /connection_lost/, /protocol_error/, /invalid_data/, /server_shutdown/]) {
      assert.ok(lines.some((line) => reason.test(line)), `${reason} in\n${lines.join('\n')}`);
    }
    for (const client of clients) client.destroy();
  });

  it('a client that is cut off at the end of the drain has a line too', async () => {
    const server = await startServer({ set: { 'websocket.close_timeout_seconds': 0.3 } });
    const client = await connect(server.url, { path: '/rooms/cut' });
    await server.stop();
    assert.equal(server.log().split('\n').filter((line) => LOG.connectionEnd.test(line)).length, 1, server.log());
    client.destroy();
  });

  it('log.format=json: every line is one JSON object', async () => {
    const server = await startServer({ set: { 'log.format': 'json', 'log.level': 'debug', drain_seconds: 0.2 } });
    const client = await connect(server.url, { path: '/rooms/a%22b%5Cc?name=%22%5C' });
    await refusal(server.url, { path: '/rooms/x?name=%22%0A' });
    await refusal(server.url, { path: '/rooms/x', headers: { Origin: 'http://"quoted"\\\x80\xff' } });
    await refusal(server.url, { path: '/rooms/%0A%22' });
    await client.text(Buffer.from('ff', 'hex'));
    await client.expectClose(1007);
    const other = await connect(server.url);
    await other.close(4000, '"quoted" \\ \n line\u2028');
    server.reload();
    await server.waitForLog(/reload/i);
    await server.stop();
    const lines = server.log().split('\n').slice(0, -1);
    assert.ok(lines.length >= 5);
    for (const line of lines) {
      const object = JSON.parse(line);
      assert.equal(typeof object, 'object');
      assert.ok(['trace', 'debug', 'info', 'warn', 'warning', 'error'].includes(object.level), line);
      assert.ok(!Number.isNaN(Date.parse(object.time ?? object.ts ?? object.timestamp)), line);
      assert.equal(typeof (object.message ?? object.msg), 'string', line);
    }
  });

  it('secrets are never logged, not even at the lowest level', async () => {
    for (const format of ['text', 'json']) {
      const server = await startServer({ set: { 'log.level': 'trace', 'log.format': format } });
      const headers = { Authorization: 'Bearer sesame-1', Cookie: 'session=sesame-2' };
      const client = await connect(server.url, { path: '/rooms/x?token=sesame-3&name=a', headers });
      await client.text('sesame-4');
      await client.expectText('sesame-4');
      await client.close();
      await fetchOnce(server.url, 'POST', '/rooms/x?token=sesame-5', { headers, body: 'sesame-6' });
      await fetchOnce(server.url, 'GET', '/nothing?token=sesame-7', { headers });
      const { socket } = await attempt(server.url, { path: '/nothing?token=sesame-8', headers: { ...headers, 'Sec-WebSocket-Protocol': 'sesame-9' } });
      socket.destroy();
      await refusal(server.url, { path: '/rooms/x?token=sesame-10', headers: { Origin: 'http://evil.example', ...headers } });
      const bad = await HttpConnection.open(server.url);
      await bad.send('GET /rooms/x?token=sesame-11 HTTP/1.1\r\nAuthorization: sesame-12\r\n\r\n');
      assert.equal((await bad.read()).status, 400);
      bad.close();
      const secretKey = await connect(server.url, { path: '/echo?token=sesame-13' });
      await secretKey.text('x', { rsv: 1 });
      await secretKey.expectClose(1002);
      await server.stop();
      assert.doesNotMatch(server.log(), /sesame/);
    }
  });

  it('a line is one line, whatever clients send', async () => {
    const server = await startServer({ set: { 'log.level': 'debug' } });
    const client = await connect(server.url, { path: '/rooms/a%C2%A0b?name=x' });
    await refusal(server.url, { path: '/rooms/x?name=x%0Ainjected' });
    await client.close(4000, 'first\ninjected second');
    await fetchOnce(server.url, 'GET', '/a%0Ainjected');
    await server.stop();
    assert.ok(!server.log().split('\n').some((line) => line.startsWith('injected')), server.log());
  });
});
