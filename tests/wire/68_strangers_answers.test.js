// What every answer has, whoever gives it.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { ByteSocket } from '../support/byte_socket.js';
import { fetchOnce, parseHead, readResponse, requestBytes } from '../support/raw_http.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';

const page = 'https://page.example';
const { certificate, key } = makeCertificate(scratchDirectory(), 'localhost', ['127.0.0.1']);
const with_tls = { listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'] };
const tls = { 'tls.certificate': certificate, 'tls.key': key };

describe('every answer says that it is what its type says', { concurrency: 4 }, async () => {
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
  it('what the parser refuses', async () => {
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
