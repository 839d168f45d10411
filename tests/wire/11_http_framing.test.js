// RFC 9112 sections 2.2, 3.2, 5, 6, 7 and 11.2: an ambiguous or malformed request is answered once, with 400, and
// nothing that follows it on the connection is answered.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { HttpConnection, errorMessage } from '../support/raw_http.js';
import { startServer } from '../support/server.js';

const server = await startServer();
const next = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
const get = (lines, target = '/healthz') => `GET ${target} HTTP/1.1\r\n${lines}\r\n\r\n`;
const post = (lines, body = '') => `POST /rooms/framing HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n${lines}\r\n\r\n${body}`;
const chunked = (body) => post('Transfer-Encoding: chunked', body);
const host = 'Host: localhost';

const line_ends = {
  'bare LF everywhere': 'GET /healthz HTTP/1.1\nHost: localhost\n\n',
  'bare LF behind the request line': 'GET /healthz HTTP/1.1\nHost: localhost\r\n\r\n',
  'bare LF behind a header': `GET /healthz HTTP/1.1\r\n${host}\nX: y\r\n\r\n`,
  'bare LF as the empty line': `GET /healthz HTTP/1.1\r\n${host}\r\n\n`,
  'bare CR everywhere': 'GET /healthz HTTP/1.1\rHost: localhost\r\r',
  'bare CR behind the request line': 'GET /healthz HTTP/1.1\rHost: localhost\r\n\r\n',
  'bare CR within a value': get(`${host}\r\nX: a\rb`),
  'bare CR before CRLF': get(`${host}\r\nX: a\r`),
  'bare CR within the target': get(host, '/heal\rthz'),
  'bare CR at the start of a value': get(`${host}\r\nX: \ra`),
  'bare CR as header and smuggled line': get(`${host}\r\nX: a\rContent-Length: 5`),
};
const bytes = {
  'NUL in a value': get(`${host}\r\nX: a\0b`),
  'NUL in a name': get(`${host}\r\nX\0: a`),
  'NUL in the target': get(host, '/\0'),
  'NUL in the method': `G\0ET / HTTP/1.1\r\n${host}\r\n\r\n`,
  'a control character in a value': get(`${host}\r\nX: a\x01b`),
  'DEL in a value': get(`${host}\r\nX: a\x7fb`),
  'a control character in the target': get(host, '/a\x01b'),
  'DEL in the target': get(host, '/a\x7fb'),
  'an octet past ASCII in the target': get(host, '/a\xffb'),
  'an octet past ASCII in a name': get(`${host}\r\nX\xff: a`),
};
const fields = {
  'obs-fold': get(`${host}\r\nX: a\r\n b`),
  'obs-fold with a tab': get(`${host}\r\nX: a\r\n\tb`),
  'obs-fold behind an empty value': get(`${host}\r\nX:\r\n b`),
  'a blank before the first header': get(` ${host}`),
  'a blank before the colon': get(`${host}\r\nX : a`),
  'a tab before the colon': get(`${host}\r\nX\t: a`),
  'a blank before the colon of Host': get('Host : localhost'),
  'a blank within a name': get(`${host}\r\nX Y: a`),
  'a name with a parenthesis': get(`${host}\r\nX(: a`),
  'a name with a slash': get(`${host}\r\nX/Y: a`),
  'an empty name': get(`${host}\r\n: a`),
  'a line without a colon': get(`${host}\r\nX`),
};
const hosts = {
  'no Host': get('X: a'),
  'two Hosts': get(`${host}\r\n${host}`),
  'two different Hosts': get(`${host}\r\nHost: other`),
  'a Host with a blank': get('Host: a b'),
  'a Host with a slash': get('Host: a/b'),
  'a Host with a user': get('Host: user@localhost'),
  'a Host list': get('Host: a, b'),
  'a Host with two ports': get('Host: localhost:1:2'),
  'a Host with a port of letters': get('Host: localhost:abc'),
  'a Host with a port too large': get('Host: localhost:65536'),
  'a Host with an open bracket': get('Host: [::1'),
  'a Host in brackets that is no address': get('Host: [hello]'),
  'a Host with a percent sign': get('Host: a%zz'),
  'a Host with a quotation mark': get('Host: "a"'),
  'a Host with a hash': get('Host: a#b'),
  'a Host with a question mark': get('Host: a?b'),
  'a Host with a backslash': get('Host: a\\b'),
};
const request_lines = {
  'two blanks': `GET  /healthz HTTP/1.1\r\n${host}\r\n\r\n`,
  'a tab for a blank': `GET\t/healthz HTTP/1.1\r\n${host}\r\n\r\n`,
  'two blanks before the version': `GET /healthz  HTTP/1.1\r\n${host}\r\n\r\n`,
  'a blank behind the version': `GET /healthz HTTP/1.1 \r\n${host}\r\n\r\n`,
  'a blank within the target': `GET /heal thz HTTP/1.1\r\n${host}\r\n\r\n`,
  'a blank before the method': ` GET /healthz HTTP/1.1\r\n${host}\r\n\r\n`,
  'no version': `GET /healthz\r\n${host}\r\n\r\n`,
  'a version in lower case': `GET /healthz http/1.1\r\n${host}\r\n\r\n`,
  'a version of three digits': `GET /healthz HTTP/1.10\r\n${host}\r\n\r\n`,
  'a version without a dot': `GET /healthz HTTP/11\r\n${host}\r\n\r\n`,
  'another protocol': `GET /healthz HTTQ/1.1\r\n${host}\r\n\r\n`,
  'a target without a slash': get(host, 'healthz'),
  'a method with a parenthesis': `G(T /healthz HTTP/1.1\r\n${host}\r\n\r\n`,
  'an empty method': ` /healthz HTTP/1.1\r\n${host}\r\n\r\n`,
};
const lengths = {
  'Content-Length, then Transfer-Encoding': post('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  'Transfer-Encoding, then Content-Length': post('Transfer-Encoding: chunked\r\nContent-Length: 5', '0\r\n\r\n'),
  'two different Content-Lengths': post('Content-Length: 5\r\nContent-Length: 6', 'hello!'),
  'a list of different Content-Lengths': post('Content-Length: 5, 6', 'hello!'),
  'Content-Length with a plus': post('Content-Length: +5', 'hello'),
  'a negative Content-Length': post('Content-Length: -5', 'hello'),
  'a hexadecimal Content-Length': post('Content-Length: 0x5', 'hello'),
  'Content-Length with an exponent': post('Content-Length: 1e1', 'hello'),
  'Content-Length with a fraction': post('Content-Length: 5.0', 'hello'),
  'Content-Length with a blank': post('Content-Length: 1 5', 'hello'),
  'Content-Length with letters': post('Content-Length: 5x', 'hello'),
  'an empty Content-Length': post('Content-Length:', 'hello'),
  'Content-Length past 64 bits': post('Content-Length: 18446744073709551621', 'hello'),
  'Transfer-Encoding twice chunked': post('Transfer-Encoding: chunked, chunked', '0\r\n\r\n'),
  'two Transfer-Encodings': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  'Transfer-Encoding where chunked is not last': post('Transfer-Encoding: chunked, gzip', '0\r\n\r\n'),
  'Transfer-Encoding like chunked': post('Transfer-Encoding: xchunked', '0\r\n\r\n'),
  'Transfer-Encoding with a vertical tab': post('Transfer-Encoding: \x0bchunked', '0\r\n\r\n'),
  'Transfer-Encoding in quotation marks': post('Transfer-Encoding: "chunked"', '0\r\n\r\n'),
  'Transfer-Encoding chunked with a parameter': post('Transfer-Encoding: chunked;a=b', '0\r\n\r\n'),
  'Transfer-Encoding identity': post('Transfer-Encoding: identity', ''),
  'an empty Transfer-Encoding': post('Transfer-Encoding:', '0\r\n\r\n'),
  'Transfer-Encoding in HTTP/1.0': 'POST /rooms/framing HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'Content-Length with Transfer-Encoding in HTTP/1.0': 'POST /rooms/framing HTTP/1.0\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
};
const chunks = {
  'a size of letters': chunked('zz\r\nhello\r\n0\r\n\r\n'),
  'no size': chunked('\r\nhello\r\n0\r\n\r\n'),
  'a negative size': chunked('-5\r\nhello\r\n0\r\n\r\n'),
  'a size with a plus': chunked('+5\r\nhello\r\n0\r\n\r\n'),
  'a size with 0x': chunked('0x5\r\nhello\r\n0\r\n\r\n'),
  'a size past 64 bits': chunked('10000000000000005\r\nhello\r\n0\r\n\r\n'),
  'a size with a blank before it': chunked(' 5\r\nhello\r\n0\r\n\r\n'),
  'a size with a blank within': chunked('0 5\r\nhello\r\n0\r\n\r\n'),
  'more data than the size says': chunked('5\r\nhello!\r\n0\r\n\r\n'),
  'no CRLF behind the data': chunked('5\r\nhello0\r\n\r\n'),
  'a bare LF behind the size': chunked('5\nhello\r\n0\r\n\r\n'),
  'a bare CR behind the size': chunked('5\rhello\r\n0\r\n\r\n'),
  'a bare LF behind the data': chunked('5\r\nhello\n0\r\n\r\n'),
  'a bare CR behind the data': chunked('5\r\nhello\r0\r\n\r\n'),
  'a bare LF in an extension': chunked('5;a\nhello\r\n0\r\n\r\n'),
  'a bare CR in an extension': chunked('5;a\rb\r\nhello\r\n0\r\n\r\n'),
  'NUL in an extension': chunked('5;a\0\r\nhello\r\n0\r\n\r\n'),
  'a bare LF behind the last chunk': chunked('5\r\nhello\r\n0\n\r\n'),
  'a bare LF as the end of the trailer': chunked('5\r\nhello\r\n0\r\n\n'),
  'a bare CR in a trailer': chunked('5\r\nhello\r\n0\r\nX: a\rb\r\n\r\n'),
  'a trailer with a blank before the colon': chunked('5\r\nhello\r\n0\r\nX : a\r\n\r\n'),
  'a folded trailer': chunked('5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n'),
};

// Where a more specific status than 400 exists, it is accepted too.
const others = {
  'Content-Length past 64 bits': [400, 413],
  'a size past 64 bits': [400, 413],
  'Transfer-Encoding where chunked is not last': [400, 501],
  'Transfer-Encoding like chunked': [400, 501],
  'Transfer-Encoding identity': [400, 501],
  'Transfer-Encoding twice chunked': [400, 501],
  'a version of three digits': [400, 505],
};

const sections = { 'line ends': line_ends, 'forbidden octets': bytes, 'header fields': fields, Host: hosts, 'the request line': request_lines, 'the length of the body': lengths, chunks };

/** In one packet with the next request, then octet by octet with that request behind it. */
async function isRefusedOnce(request, statuses, pieces) {
  const connection = await HttpConnection.open(server.url);
  const sending = pieces ? connection.socket.writeChopped(request + next, pieces) : connection.send(request + next);
  const response = await connection.read();
  assert.ok(statuses.includes(response.status), `status ${response.status}, expected ${statuses}: ${response.text}`);
  errorMessage(response, response.status);
  assert.equal(response.header('connection')?.toLowerCase(), 'close');
  await connection.expectEnd();
  await sending;
}

describe('malformed requests', () => {
  after(() => server.stop());
  for (const [section, cases] of Object.entries(sections)) {
    describe(section, { concurrency: 8 }, () => {
      for (const [name, request] of Object.entries(cases)) {
        it(name, () => isRefusedOnce(request, others[name] ?? [400]));
        it(`${name}, octet by octet`, () => isRefusedOnce(request, others[name] ?? [400], 1));
      }
    });
  }

  it('a good request before a bad one is answered, then the bad one', async () => {
    const connection = await HttpConnection.open(server.url);
    await connection.send(next + get('X: no host') + next);
    assert.equal((await connection.read()).status, 200);
    assert.equal((await connection.read()).status, 400);
    await connection.expectEnd();
  });

  for (const [name, opening] of Object.entries({ 'the HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'HTTP/0.9': 'GET /healthz\r\n', 'HTTP/2.0': `GET /healthz HTTP/2.0\r\n${host}\r\n\r\n`, CONNECT: 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n' })) {
    it(`${name} is refused and the connection closed`, async () => {
      const connection = await HttpConnection.open(server.url);
      await connection.send(opening + next);
      const response = await connection.read();
      assert.ok([400, 405, 501, 505].includes(response.status), `status ${response.status}`);
      await connection.expectEnd();
    });
  }

  it('malformed requests are not fatal: the server is healthy afterwards', async () => {
    const connection = await HttpConnection.open(server.url);
    assert.equal((await connection.request('GET', '/healthz')).status, 200);
    connection.close();
  });
});
