// Limits and deadlines of HTTP requests: at each limit and one past it.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { seconds, sleep } from '../support/deadline.js';
import { HttpConnection, errorMessage, requestBytes } from '../support/raw_http.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

const limited = await startServer({ set: { 'limits.uri_bytes': 103, 'limits.header_bytes': 2000, 'limits.header_count': 10, 'limits.body_bytes': 1000 } });
const usual = await startServer();
const hasty = await startServer({ set: { 'http.head_timeout_seconds': 0.5, 'http.body_timeout_seconds': 0.5, 'http.idle_timeout_seconds': 0.5 } });

const get = (path, fields = []) => `GET ${path} HTTP/1.1\r\n${['Host: localhost', ...fields].join('\r\n')}\r\n\r\n`;
const post = (fields, body = '') => `POST /rooms/limits HTTP/1.1\r\n${['Host: localhost', 'Content-Type: text/plain', ...fields].join('\r\n')}\r\n\r\n${body}`;
const target = (length) => `/${'u'.repeat(length - 1)}`;
const fields = (count) => Array.from({ length: count - 1 }, (_, i) => `X-${i}: y`);
// limits.header_bytes counts the header fields with their line ends; the request line has limits.uri_bytes.
const head = (length) => get('/healthz', [`X: ${'h'.repeat(length - 'Host: localhost\r\nX: \r\n'.length)}`]);
const chunked = (...sizes) => post(['Transfer-Encoding: chunked'], `${sizes.map((size) => `${size.toString(16)}\r\n${'c'.repeat(size)}\r\n`).join('')}0\r\n\r\n`);

const within = {
  'a target of limits.uri_bytes': [get(target(103)), 404],
  'a target with 100 query parameters': [get(`/?${'&'.repeat(99)}`), 200],
  'a head of limits.header_bytes': [head(2000), 200],
  'as many fields as limits.header_count': [get('/healthz', fields(10)), 200],
  'a body of limits.body_bytes': [post(['Content-Length: 1000'], 'b'.repeat(1000)), 200],
  'chunks of limits.body_bytes in all': [chunked(400, 600), 200],
};
const past = {
  'a longer target': [get(target(104)), 414, 'limits.uri_bytes'],
  'one more query parameter': [get(`/?${'&'.repeat(100)}`), 400, '100 query parameters'],
  'a longer head': [head(2001), 431, 'limits.header_bytes'],
  'one more field': [get('/healthz', fields(11)), 431, 'limits.header_count'],
  'a longer body': [post(['Content-Length: 1001'], 'b'.repeat(1001)), 413, 'limits.body_bytes'],
  'longer chunks in all': [chunked(400, 601), 413, 'limits.body_bytes'],
  'a longer body that is only announced': [post(['Content-Length: 1001']), 413, 'limits.body_bytes'],
  'a longer chunk that is only announced': [post(['Transfer-Encoding: chunked'], '3e9\r\n'), 413, 'limits.body_bytes'],
  'a target without end': [`GET /${'u'.repeat(5000)}`, 414, 'limits.uri_bytes'],
  'a header without end': [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'h'.repeat(5000)}`, 431, 'limits.header_bytes'],
  'a header name without end': [`GET / HTTP/1.1\r\nHost: localhost\r\n${'h'.repeat(5000)}`, 431, 'limits.header_bytes'],
  'a method without end': ['G'.repeat(5000), [400, 414, 431, 501], ''],
};

describe('HTTP limits', () => {
  after(async () => {
    for (const server of [limited, usual, hasty]) await server.stop();
  });

  describe('at the limit', { concurrency: 8 }, () => {
    for (const [name, [bytes, status]] of Object.entries(within)) {
      for (const pieces of [undefined, 1]) {
        it(`${name} passes${pieces ? ', octet by octet' : ''}`, async () => {
          const connection = await HttpConnection.open(limited.url);
          await (pieces ? connection.socket.writeChopped(bytes, pieces) : connection.send(bytes));
          assert.equal((await connection.read()).status, status);
          assert.equal((await connection.request('GET', '/healthz')).status, 200);
          connection.close();
        });
      }
    }
  });

  describe('past the limit', { concurrency: 8 }, () => {
    for (const [name, [bytes, statuses, key]] of Object.entries(past)) {
      for (const pieces of [undefined, 100]) {
        it(`${name} is ${statuses}${pieces ? ', in pieces' : ''}`, async () => {
          const connection = await HttpConnection.open(limited.url);
          const sending = pieces ? connection.socket.writeChopped(bytes, pieces) : connection.send(bytes);
          const response = await connection.read();
          assert.ok([statuses].flat().includes(response.status), `status ${response.status}`);
          assert.ok(errorMessage(response, response.status).includes(key), response.text);
          assert.equal(response.header('connection')?.toLowerCase(), 'close');
          await connection.expectEnd();
          await sending;
        });
      }
    }
    it('endless chunk extensions are refused', async () => {
      const connection = await HttpConnection.open(limited.url);
      await connection.send(post(['Transfer-Encoding: chunked'], `1;${'e'.repeat(20000)}`));
      assert.ok([400, 413, 431].includes((await connection.read()).status));
      await connection.expectEnd();
    });
    it('endless chunk extensions in many small chunks are refused', async () => {
      const connection = await HttpConnection.open(limited.url);
      const sending = connection.send(post(['Transfer-Encoding: chunked'], `1;${'e'.repeat(300)}\r\nx\r\n`.repeat(900)));
      assert.ok([400, 413, 431].includes((await connection.read()).status));
      await connection.expectEnd();
      await sending;
    });
    it('endless trailers are refused', async () => {
      const connection = await HttpConnection.open(limited.url);
      const sending = connection.send(post(['Transfer-Encoding: chunked'], `0\r\n${'X: y\r\n'.repeat(5000)}`));
      assert.ok([400, 413, 431].includes((await connection.read()).status));
      await connection.expectEnd();
      await sending;
    });
    it('the response arrives although the client is still sending the body', async () => {
      const connection = await HttpConnection.open(usual.url);
      const sending = connection.send(requestBytes('POST', '/rooms/limits', { body: Buffer.alloc(8000000) }));
      assert.equal((await connection.read()).status, 413);
      await connection.expectEnd({ allowReset: true });
      await sending;
    });
  });

  describe('deadlines', { concurrency: 8 }, () => {
    /** Sends `pieces` with pauses; the server must close the connection, with 408 or, if `silent`, without a response. */
    async function isDropped(pieces, { silent = false } = {}) {
      const connection = await HttpConnection.open(hasty.url);
      const begun = Date.now();
      const dripping = (async () => {
        for (const piece of pieces) {
          if (connection.socket.ended || !(await connection.send(piece))) return;
          await sleep(100);
        }
      })();
      if (silent) {
        if (await connection.socket.readable()) assert.equal((await connection.read()).status, 408);
      } else {
        const response = await connection.read();
        errorMessage(response, 408);
        assert.equal(response.header('connection')?.toLowerCase(), 'close');
      }
      await connection.expectEnd();
      const took = Date.now() - begun;
      assert.ok(took > 400 && took < seconds(6), `${took} ms`);
      await dripping;
    }
    const drip = (bytes) => Array.from({ length: 200 }, (_, i) => bytes[i] ?? 'x');

    it('a connection without any data', () => isDropped([], { silent: true }));
    it('half a head', () => isDropped(['GET /healthz HTTP/1.1\r\nHost: loc']));
    it('a head without an end, octet by octet', () => isDropped(drip('GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ')));
    it('endless empty lines', async () => {
      const connection = await HttpConnection.open(hasty.url);
      const dripping = connection.socket.writeChopped('\r\n'.repeat(1000), 2);
      assert.ok([400, 408].includes((await connection.read()).status));
      await connection.expectEnd();
      await dripping;
    });
    it('half a body', () => isDropped([post(['Content-Length: 100'], 'b'.repeat(50))]));
    it('no body', () => isDropped([post(['Content-Length: 100'])]));
    it('a body without an end, octet by octet', () => isDropped([post(['Content-Length: 1000']), ...Array(200).fill('b')]));
    it('half a chunk', () => isDropped([post(['Transfer-Encoding: chunked'], '5\r\nab')]));
    it('trailers without an end', () => isDropped([post(['Transfer-Encoding: chunked'], '0\r\n'), ...Array(200).fill('x')]));

    it('an idle keep-alive connection is closed without a response', async () => {
      const connection = await HttpConnection.open(hasty.url);
      assert.equal((await connection.request('GET', '/healthz')).status, 200);
      const begun = Date.now();
      await connection.expectEnd();
      assert.ok(Date.now() - begun > 400);
    });
    it('a request in time restarts the idle deadline', async () => {
      const connection = await HttpConnection.open(hasty.url);
      for (let i = 0; i < 6; i += 1) {
        assert.equal((await connection.request('GET', '/healthz')).status, 200);
        await sleep(200);
      }
      connection.close();
    });
    it('a WebSocket connection has none of these deadlines', async () => {
      const client = await connect(hasty.url);
      await sleep(2500);
      await client.text('still here');
      await client.expectText('still here');
      await client.close();
    });
  });
});
