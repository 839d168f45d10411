// Headers that every response has, whatever creates it; and temporary refusals: readable by pages of listed origins, and
// survived by their EventSource.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { EventSource } from 'eventsource';
import { ByteSocket } from '../support/byte_socket.js';
import { eventually } from '../support/deadline.js';
import { HttpConnection, fetchOnce, parseHead, readResponse, requestBytes } from '../support/raw_http.js';
import { sanitized } from '../support/sanitized.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { attempt, connect } from '../support/wire_client.js';

const page = 'https://page.example';
const { certificate, key } = makeCertificate(scratchDirectory(), 'localhost', ['127.0.0.1']);
const with_tls = { listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'] };
const tls = { 'tls.certificate': certificate, 'tls.key': key };
const event_stream = { Accept: 'text/event-stream', Origin: page };

/** A server with `count` clients in a room, as many as `set` allows. */
async function full(set, count) {
  const server = await startServer({ ...with_tls, set: { origins: page, ...tls, ...set } });
  const clients = [];
  for (let i = 0; i < count; i += 1) clients.push(await connect(server.url, { path: '/rooms/full' }));
  return { server, clients };
}

describe('every response has X-Content-Type-Options: nosniff', { concurrency: 4 }, async () => {
  const server = await startServer({ ...with_tls, set: { ...tls, hosts: 'localhost,127.0.0.1', origins: page, admin_listen: '127.0.0.1:0', 'limits.body_bytes': 1000, 'http.body_timeout_seconds': 0.5 } });
  after(() => server.stop());
  const judge = (head, status) => {
    assert.equal(head.status, status);
    assert.equal(head.header('x-content-type-options'), 'nosniff');
  };
  const preflight = { Origin: page, 'Access-Control-Request-Method': 'POST' };
  const answers = {
    'a file': ['GET', '/', {}, 200], 'its head': ['HEAD', '/', {}, 200], 'a 404': ['GET', '/nowhere', {}, 404], 'a 405': ['DELETE', '/rooms/x', {}, 405],
    'a health check': ['GET', '/healthz', {}, 200], readiness: ['GET', '/readyz', {}, 200], metrics: ['GET', '/metrics', {}, 200],
    presence: ['GET', '/presence/x', {}, 200], 'a poll': ['GET', '/rooms/x', {}, 200], 'an event stream': ['GET', '/rooms/x', { Accept: 'text/event-stream' }, 200],
    'an NDJSON stream': ['GET', '/rooms/x?transport=stream', {}, 200], 'a bad name': ['GET', '/rooms/a%0A', {}, 400], 'a bad path': ['GET', '/rooms/%zz', {}, 400],
    'a preflight': ['OPTIONS', '/rooms/x', preflight, 204], 'OPTIONS *': ['OPTIONS', '*', {}, 204], 'another host': ['GET', '/', { Host: 'evil.example' }, 421],
    'another origin': ['GET', '/rooms/x', { Origin: 'https://other.example' }, 403], 'a handshake that is none': ['GET', '/connect', {}, 426],
    'a precondition that fails': ['GET', '/roomcast.js', { 'If-Match': '"other"' }, 412],
  };
  for (const [name, [method, path, headers, status]] of Object.entries(answers)) {
    it(name, async () => {
      const socket = await ByteSocket.open(server.url);
      await socket.write(requestBytes(method, path, { headers }));
      judge(parseHead((await socket.through('\r\n\r\n', 'a response head')).toString('latin1')), status);
      socket.destroy();
    });
  }
  it('a publish, a batch, a long poll', async () => {
    judge(await fetchOnce(server.url, 'POST', '/rooms/x', { body: 'x' }), 200);
    judge(await fetchOnce(server.url, 'POST', '/api/publish', { body: '{"messages":[{"room":"x","data":1}]}', headers: { 'Content-Type': 'application/json' } }), 200);
    judge(await fetchOnce(server.url, 'GET', '/rooms/x?wait=0.05'), 200);
  });
  it('a file that has not changed', async () => {
    const etag = (await fetchOnce(server.url, 'GET', '/roomcast.js')).header('etag');
    judge(await fetchOnce(server.url, 'GET', '/roomcast.js', { headers: { 'If-None-Match': etag } }), 304);
  });
  it('refusals of the parser', async () => {
    const bytes = {
      400: 'nonsense\r\n\r\n', 408: 'POST /rooms/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx', 413: 'POST /rooms/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n',
      414: `GET /${'x'.repeat(10000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 417: 'POST / HTTP/1.1\r\nHost: x\r\nExpect: y\r\nContent-Length: 1\r\n\r\n', 431: `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${'x'.repeat(20000)}\r\n\r\n`,
      501: 'QUUX / HTTP/1.1\r\nHost: x\r\n\r\n',
    };
    for (const [status, request] of Object.entries(bytes)) {
      const socket = await ByteSocket.open(server.url);
      await socket.write(request);
      judge(await readResponse(socket), Number(status));
      socket.destroy();
    }
  });
  it('plain HTTP on a TLS port', async () => {
    judge(await fetchOnce(server.urlOf('https:').replace('https:', 'http:'), 'GET', '/'), 400);
  });
  it('over TLS, over admin_listen', async () => {
    judge(await fetchOnce(server.urlOf('https:'), 'GET', '/'), 200);
    judge(await fetchOnce(server.adminUrl, 'GET', '/'), 404);
  });
});

const caps = { 'limits.connections': [503, { 'limits.connections': 2 }], 'limits.connections_per_address': [429, { 'limits.connections_per_address': 2 }] };

for (const [cap, [status, set]] of Object.entries(caps)) {
  describe(`past ${cap}`, async () => {
    const { server, clients } = await full(set, 2);
    after(() => server.stop());

    for (const scheme of ['http:', 'https:']) {
      it(`a page of a listed origin can read the refusal: ${scheme}`, async () => {
        for (const [method, path] of [['GET', '/rooms/full'], ['POST', '/rooms/full'], ['GET', '/presence/full']]) {
          const response = await fetchOnce(server.urlOf(scheme), method, path, { headers: { Origin: page }, body: method === 'POST' ? 'x' : undefined });
          assert.equal(response.status, status);
          assert.equal(response.json.error.code, 'too_many_connections');
          assert.ok(response.json.error.message.startsWith(`${cap} has been reached`));
          assert.equal(response.header('access-control-allow-origin'), page);
          assert.equal(response.header('x-content-type-options'), 'nosniff');
          assert.equal(response.header('retry-after'), '5');
          assert.equal(response.header('connection'), 'close');
        }
      });
    }
    it('also where its request needs a preflight', async () => {
      const response = await fetchOnce(server.url, 'OPTIONS', '/rooms/full', { headers: { Origin: page, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' } });
      assert.equal(response.status, 204);
      assert.equal(response.header('access-control-allow-origin'), page);
      assert.match(response.header('access-control-allow-methods'), /POST/);
      assert.match(response.header('access-control-allow-headers'), /Content-Type/);
    });
    it('a page that is not listed cannot, and a handshake gets the same response', async () => {
      const response = await fetchOnce(server.url, 'GET', '/rooms/full', { headers: { Origin: 'https://other.example' } });
      assert.equal(response.header('access-control-allow-origin'), undefined);
      const { socket, response: late } = await attempt(server.url, { path: '/rooms/full' });
      socket.destroy();
      assert.equal(late.status, status);
    });
    it('a request for an event stream gets an empty one with a retry delay', async () => {
      for (const [path, headers] of [['/rooms/full', event_stream], ['/rooms/full?transport=sse', { Origin: page }]]) {
        const response = await fetchOnce(server.url, 'GET', path, { headers });
        assert.equal(response.status, 200);
        assert.equal(response.header('content-type'), 'text/event-stream');
        assert.equal(response.header('access-control-allow-origin'), page);
        assert.match(response.header('cache-control'), /no-store/);
        const [, retry] = /^retry: (\d+)\n:\n\n: \{"error":\{"code":"too_many_connections",.*\}\}\n\n$/.exec(response.text);
        assert.ok(retry >= 5000 && retry <= 7000, retry);
      }
      const head = await fetchOnce(server.url, 'HEAD', '/rooms/full', { headers: event_stream });
      assert.equal(head.status, status);
    });
    it('an EventSource retries, and is accepted when there is room', async () => {
      const source = new EventSource(`${server.url}/rooms/full`);
      const states = [];
      source.addEventListener('error', () => states.push(source.readyState));
      const seen = [];
      source.addEventListener('message', ({ data }) => seen.push(data));
      await eventually(() => states.length > 0, 'turned away');
      assert.deepEqual(states, [EventSource.CONNECTING]);
      clients.pop().destroy();
      await eventually(() => source.readyState === EventSource.OPEN, 'let in');
      await clients[0].text('welcome');
      await eventually(() => seen.includes('welcome'), 'a message');
      source.close();
      for (const client of clients) client.destroy();
    });
  });
}

describe('past limits.connections_per_address', async () => {
  const { server, clients } = await full({ 'limits.connections_per_address': 2 }, 2);
  after(async () => {
    for (const client of clients) client.destroy();
    await server.stop();
  });

  it('a refusal comes as soon as the head is there, whatever body follows', async () => {
    const socket = await ByteSocket.open(server.url);
    await socket.write('POST /rooms/full HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n');
    assert.equal((await readResponse(socket)).status, 429);
    socket.destroy();
  });

  it('many silent connections delay refusals only briefly, and an admitted one is not affected', async () => {
    const silent = await Promise.all(Array.from({ length: 50 }, () => ByteSocket.open(server.url)));
    await eventually(async () => {
      try {
        return (await fetchOnce(server.url, 'GET', '/healthz')).status === 429;
      } catch {
        return false; // closed without a response: the number of refusals being sent is limited
      }
    }, 'an answer');
    await eventually(() => silent.every((socket) => socket.ended), 'all of them closed');
    await clients[0].text('still here');
    await clients[1].expectText('still here');
    for (const socket of silent) socket.destroy();
  });
});

describe('a browser\'s EventSource is refused', { concurrency: 4 }, async () => {
  it('temporarily, because memory is short: it reconnects', { skip: sanitized && 'about amounts' }, async () => {
    const server = await startServer({ set: { origins: page, 'limits.memory_bytes': 1048576 } });
    const sockets = [];
    await eventually(async () => {
      for (let i = 0; i < 50; i += 1) sockets.push((await attempt(server.url, { path: `/rooms/${sockets.length}` })).socket);
      return (await fetchOnce(server.url, 'GET', '/rooms/x')).status === 503;
    }, 'memory is short');
    const answer = await fetchOnce(server.url, 'GET', '/rooms/x', { headers: event_stream });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.header('content-type'), 'text/event-stream');
    assert.equal(answer.header('access-control-allow-origin'), page);
    assert.match(answer.text, /^retry: [23]\d{3}\n:\n\n: \{"error":\{"code":"overloaded"/);
    const source = new EventSource(`${server.url}/rooms/x`);
    const states = [];
    source.addEventListener('error', () => states.push(source.readyState));
    await eventually(() => states.length > 0, 'turned away');
    assert.deepEqual(states, [EventSource.CONNECTING]);
    source.close();
    for (const socket of sockets) socket.destroy();
    await server.stop();
  });

  it('permanently: it is notified, and does not reconnect', async () => {
    const server = await startServer({ set: { origins: page, hosts: 'localhost,127.0.0.1' } });
    const refused = {
      400: ['/rooms/x?since=1', {}], 403: ['/rooms/x', { Origin: 'https://other.example' }], 404: ['/nowhere', {}], 421: ['/rooms/x', { Host: 'evil.example' }],
    };
    for (const [status, [path, headers]] of Object.entries(refused)) {
      const response = await fetchOnce(server.url, 'GET', path, { headers: { Accept: 'text/event-stream', ...headers } });
      assert.equal(response.status, Number(status));
      assert.equal(response.header('content-type'), 'application/json');
    }
    const source = new EventSource(`${server.url}/rooms/x?since=1`);
    await eventually(() => source.readyState === EventSource.CLOSED, 'away for good');
    await server.stop();
  });

  it('not by a server that is draining: it is served to the end, then reconnects', async () => {
    const server = await startServer({ set: { drain_seconds: 1, drain_delay_seconds: 0.5 } });
    const connection = await HttpConnection.open(server.url);
    server.process.kill('SIGTERM');
    await eventually(async () => (await fetchOnce(server.url, 'GET', '/readyz')).status === 503, 'about to stop');
    await connection.send(requestBytes('GET', '/rooms/x', { headers: { Accept: 'text/event-stream' } }));
    const stream = await connection.read();
    assert.equal(stream.status, 200);
    assert.match(stream.text, /event: bye\n/);
    connection.close();
    await server.expectExit(0);
  });
});
