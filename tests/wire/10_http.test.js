// HTTP/1.1, RFC 9110 and 9112: connections, methods, conditional requests, bodies.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { HttpConnection, errorMessage, everyResponse, fetchOnce, requestBytes } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

const files = {
  'index.html': '<!doctype html><title>page</title>',
  'app.js': 'export {};\n',
  'style.css': 'body {}\n',
  'picture.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
  'picture.png': Buffer.from('89504e470d0a1a0a', 'hex'),
  'data.json': '{}\n',
  'words.txt': 'words\n',
  'empty.txt': '',
  'large.txt': 'x'.repeat(700000),
  'sub/page.html': '<!doctype html>',
};
const server = await startServer({ set: { 'web.root': scratchDirectory(files) } });
const bundled = await startServer();

const get = (path = '/healthz', more = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
const old = (path = '/healthz', more = '') => `GET ${path} HTTP/1.0\r\n${more}\r\n`;
const closes = (response) => assert.equal(response.header('connection')?.toLowerCase(), 'close');

/** All messages that a room receives after `body` was posted with raw `headers`. */
async function posted(headers, body, room, pieces) {
  const listener = await connect(server.url, { path: `/rooms/${room}` });
  const connection = await HttpConnection.open(server.url);
  const bytes = `POST /rooms/${room} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n${headers}\r\n${body}`;
  await (pieces ? connection.socket.writeChopped(bytes, pieces) : connection.send(bytes));
  const response = await connection.read();
  assert.equal(response.status, 200, response.text);
  const received = await listener.nextText();
  listener.destroy();
  assert.equal((await connection.request('GET', '/healthz')).status, 200, 'the connection goes on behind the body');
  connection.close();
  return received;
}

describe('HTTP', () => {
  after(async () => {
    await server.stop();
    await bundled.stop();
  });

  describe('connections', () => {
    it('1.1 is kept alive', async () => {
      const connection = await HttpConnection.open(server.url);
      for (let i = 0; i < 20; i += 1) assert.equal((await connection.request('GET', '/healthz')).status, 200);
      connection.close();
    });
    it('1.1 with Connection: close is closed', async () => {
      const [response, ...more] = await everyResponse(server.url, get('/healthz', 'Connection: close\r\n') + get());
      assert.equal(response.status, 200);
      closes(response);
      assert.equal(more.length, 0);
    });
    it('Connection: close is found in a list, in any case', async () => {
      assert.equal((await everyResponse(server.url, get('/healthz', 'Connection: x, CLOSE\r\n') + get())).length, 1);
    });
    it('1.0 is closed', async () => {
      const responses = await everyResponse(server.url, old() + old());
      assert.deepEqual(responses.map(({ status }) => status), [200]);
    });
    it('1.0 is kept alive on request', async () => {
      const connection = await HttpConnection.open(server.url);
      for (let i = 0; i < 3; i += 1) {
        await connection.send(old('/healthz', 'Connection: keep-alive\r\n'));
        const response = await connection.read();
        assert.equal(response.status, 200);
        assert.match(response.header('connection') ?? '', /keep-alive/i);
      }
      connection.close();
    });
    it('1.0 gets no chunked response', async () => {
      const [response] = await everyResponse(server.url, old('/metrics'));
      assert.equal(response.status, 200);
      assert.equal(response.header('transfer-encoding'), undefined);
    });
    it('an unknown minor version is treated as 1.1', async () => {
      const connection = await HttpConnection.open(server.url);
      await connection.send('GET /healthz HTTP/1.2\r\nHost: localhost\r\n\r\n');
      assert.ok([200, 400, 505].includes((await connection.read()).status));
      connection.close();
    });
    it('pipelined requests are answered in order', async () => {
      const paths = ['/healthz', '/words.txt', '/nothing', '/empty.txt', '/large.txt', '/words.txt', '/app.js'];
      const connection = await HttpConnection.open(server.url);
      await connection.send(Array(5).fill(paths).flat().map((path) => get(path)).join(''));
      for (const path of Array(5).fill(paths).flat()) {
        const response = await connection.read();
        const expected = files[path.slice(1)];
        if (expected !== undefined) assert.equal(response.text, expected, path);
        else assert.equal(response.status, path === '/healthz' ? 200 : 404);
      }
      connection.close();
    });
    it('pipelined requests split anywhere are answered in order', async () => {
      const connection = await HttpConnection.open(server.url);
      await connection.socket.writeChopped([get(), get('/words.txt'), get('/nothing')].join('').repeat(3), 7);
      for (let i = 0; i < 3; i += 1) for (const status of [200, 200, 404]) assert.equal((await connection.read()).status, status);
      connection.close();
    });
    it('a thousand pipelined requests are all answered', async () => {
      const connection = await HttpConnection.open(server.url);
      const sending = connection.send(get().repeat(1000));
      for (let i = 0; i < 1000; i += 1) assert.equal((await connection.read()).status, 200);
      await sending;
      connection.close();
    });
    it('pipelined requests of a client that has half-closed are answered', async () => {
      const connection = await HttpConnection.open(server.url);
      await connection.send(get().repeat(3));
      connection.socket.finish();
      for (let i = 0; i < 3; i += 1) assert.equal((await connection.read()).status, 200);
      await connection.expectEnd();
    });
    it('empty lines before a request are skipped', async () => {
      const connection = await HttpConnection.open(server.url);
      await connection.send(`\r\n${get()}\r\n${get()}`);
      for (let i = 0; i < 2; i += 1) assert.equal((await connection.read()).status, 200);
      connection.close();
    });
    it('a request sent octet by octet is answered', async () => {
      const connection = await HttpConnection.open(server.url);
      await connection.socket.writeChopped(get('/words.txt', 'X-Header: value\r\n'), 1);
      assert.equal((await connection.read()).text, 'words\n');
      connection.close();
    });
    it('an absolute-form target is accepted', async () => {
      assert.equal((await everyResponse(server.url, get('http://localhost/words.txt', 'Connection: close\r\n')))[0].text, 'words\n');
    });
    it('a Host with a port, an address or in capitals is accepted', async () => {
      for (const host of ['localhost:8080', '127.0.0.1', '[::1]:80', '[::1]', 'LOCALHOST', 'a-b.example.', 'xn--bcher-kva.example']) {
        assert.equal((await fetchOnce(server.url, 'GET', '/healthz', { host })).status, 200, host);
      }
    });
  });

  describe('methods', () => {
    it('HEAD is GET without the body', async () => {
      for (const path of ['/', '/large.txt', '/healthz', '/metrics', '/nothing']) {
        const connection = await HttpConnection.open(server.url);
        const head = await connection.request('HEAD', path);
        const full = await connection.request('GET', path);
        assert.equal(head.status, full.status);
        assert.equal(head.header('content-type'), full.header('content-type'));
        assert.equal(head.header('etag'), full.header('etag'));
        if (path !== '/metrics') assert.equal(head.header('content-length'), String(full.body.length));
        connection.close();
      }
    });
    for (const [path, allowed] of Object.entries({ '/': ['GET', 'HEAD'], '/healthz': ['GET', 'HEAD'], '/rooms/x': ['POST'], '/metrics': ['GET', 'HEAD'] })) {
      it(`OPTIONS ${path} lists the methods`, async () => {
        const response = await fetchOnce(server.url, 'OPTIONS', path);
        assert.ok([200, 204].includes(response.status), `status ${response.status}`);
        const methods = (response.header('allow') ?? '').split(/, */);
        for (const method of allowed) assert.ok(methods.includes(method), `Allow: ${response.header('allow')}`);
      });
      for (const method of ['DELETE', 'PUT', 'PATCH']) {
        it(`${method} ${path} is 405 with Allow`, async () => {
          const response = await fetchOnce(server.url, method, path, { body: 'x' });
          errorMessage(response, 405);
          for (const one of allowed) assert.ok(response.header('allow').split(/, */).includes(one), response.header('allow'));
        });
      }
    }
    it('OPTIONS * is answered', async () => {
      assert.ok([200, 204].includes((await fetchOnce(server.url, 'OPTIONS', '*')).status));
    });
    it('POST to a file is 405', async () => {
      errorMessage(await fetchOnce(server.url, 'POST', '/words.txt', { body: 'x' }), 405);
    });
    for (const method of ['BREW', 'get', 'TRACE', 'PROPFIND']) {
      it(`${method} is not implemented`, async () => {
        assert.ok([400, 405, 501].includes((await fetchOnce(server.url, method, '/healthz')).status));
      });
    }
    it('an unknown path is 404 with the common form of errors', async () => {
      for (const path of ['/nothing', '/nothing/deeper', '/words.txt/', '/words.txt/x', '/Words.txt', '/sub']) {
        const response = await fetchOnce(server.url, 'GET', path);
        if (path === '/sub' && [301, 308].includes(response.status)) continue;
        errorMessage(response, 404);
      }
    });
  });

  describe('files', () => {
    const types = {
      '/': 'text/html', '/index.html': 'text/html', '/app.js': 'text/javascript', '/style.css': 'text/css', '/picture.svg': 'image/svg+xml',
      '/picture.png': 'image/png', '/data.json': 'application/json', '/words.txt': 'text/plain', '/sub/page.html': 'text/html',
    };
    for (const [path, type] of Object.entries(types)) {
      it(`${path} is ${type}`, async () => {
        const response = await fetchOnce(server.url, 'GET', path);
        assert.equal(response.status, 200);
        assert.deepEqual(response.body, Buffer.from(files[path === '/' ? 'index.html' : path.slice(1)]));
        assert.equal(response.header('content-type').split(';')[0], type);
        if (type.startsWith('text/')) assert.match(response.header('content-type'), /charset=utf-8/i);
        assert.equal(response.header('x-content-type-options'), 'nosniff');
        assert.match(response.header('etag'), /^"[\x21\x23-\x7e]+"$/);
        assert.match(response.header('content-security-policy') ?? '', path.endsWith('.html') || path === '/' ? /default-src/ : /(?:)/);
      });
    }
    it('the query of a file is ignored', async () => {
      assert.equal((await fetchOnce(server.url, 'GET', '/words.txt?v=1')).text, 'words\n');
    });
    it('a percent-encoded name is decoded', async () => {
      assert.equal((await fetchOnce(server.url, 'GET', '/w%6Frds.txt')).text, 'words\n');
    });
    it('ETags differ between files and are stable for one file', async () => {
      const tag = async (path) => (await fetchOnce(server.url, 'GET', path)).header('etag');
      assert.equal(await tag('/words.txt'), await tag('/words.txt'));
      assert.notEqual(await tag('/words.txt'), await tag('/app.js'));
    });
    it('If-None-Match', async () => {
      const connection = await HttpConnection.open(server.url);
      const tag = (await connection.request('GET', '/words.txt')).header('etag');
      for (const value of [tag, `W/${tag}`, `"other", ${tag}`, `"other",${tag} , "x"`, '*']) {
        for (const method of ['GET', 'HEAD']) {
          const response = await connection.request(method, '/words.txt', { headers: { 'If-None-Match': value } });
          assert.equal(response.status, 304, value);
          assert.equal(response.header('etag'), tag);
        }
      }
      for (const value of ['"other"', tag.slice(1, -1), `"x${tag.slice(1)}`, '""']) {
        const response = await connection.request('GET', '/words.txt', { headers: { 'If-None-Match': value } });
        assert.equal(response.status, 200, value);
        assert.equal(response.text, 'words\n');
      }
      connection.close();
    });
    it('the bundled page has a strict Content-Security-Policy', async () => {
      const response = await fetchOnce(bundled.url, 'GET', '/');
      assert.equal(response.status, 200);
      assert.match(response.header('content-type'), /^text\/html/);
      const policy = response.header('content-security-policy');
      assert.match(policy, /default-src 'none'|default-src 'self'/);
      assert.doesNotMatch(policy, /script-src[^;]*'unsafe-inline'|unsafe-eval/);
      assert.equal(response.header('x-content-type-options'), 'nosniff');
    });
    it('all files that the bundled page refers to exist', async () => {
      const page = (await fetchOnce(bundled.url, 'GET', '/')).text;
      const links = [...page.matchAll(/(?:src|href)="([^"#:]+)"/g)].map(([, link]) => link);
      assert.ok(links.length > 0);
      for (const link of links) {
        const response = await fetchOnce(bundled.url, 'GET', link.startsWith('/') ? link : `/${link}`);
        assert.equal(response.status, 200, link);
      }
    });
  });

  it('every response has a Date', async () => {
    for (const path of ['/', '/healthz', '/nothing', '/metrics']) {
      const date = (await fetchOnce(server.url, 'GET', path)).header('date');
      assert.match(date, /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/);
      assert.ok(Math.abs(Date.parse(date) - Date.now()) < 30000, date);
    }
  });

  describe('request bodies', { concurrency: 8 }, () => {
    const forms = {
      'Content-Length': ['Content-Length: 5\r\n', 'hello', 'hello'],
      'one chunk': ['Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
      'many chunks': ['Transfer-Encoding: chunked\r\n', `${[...'hello world'].map((c) => `1\r\n${c}\r\n`).join('')}0\r\n\r\n`, 'hello world'],
      'no chunk': ['Transfer-Encoding: chunked\r\n', '0\r\n\r\n', ''],
      'sizes in capitals and with zeros': ['Transfer-Encoding: chunked\r\n', `00A\r\n0123456789\r\n0000\r\n\r\n`, '0123456789'],
      'Transfer-Encoding in capitals': ['transfer-encoding: CHUNKED\r\n', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
      'chunk extensions': ['Transfer-Encoding: chunked\r\n', '5;a=b\r\nhello\r\n5;c="d"\r\nworld\r\n0;last\r\n\r\n', 'helloworld'],
      'several chunk extensions': ['Transfer-Encoding: chunked\r\n', '5;a=b;c=d;e\r\nhello\r\n0\r\n\r\n', 'hello'],
      trailers: ['Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\nX-Trailer: yes\r\nY: no\r\n\r\n', 'hello'],
      'the largest by default': [`Content-Length: 65536\r\n`, 'z'.repeat(65536), 'z'.repeat(65536)],
    };
    for (const [name, [headers, body, expected]] of Object.entries(forms)) {
      const room = name.replaceAll(' ', '-');
      it(name, async () => assert.equal(await posted(headers, body, room), expected));
      if (body.length < 1000) it(`${name}, octet by octet`, async () => assert.equal(await posted(headers, body, `${room}-chopped`, 1), expected));
    }
    it('a trailer cannot add a header', async () => {
      const connection = await HttpConnection.open(server.url);
      await connection.send('POST /rooms/trailer HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{x\r\n0\r\nContent-Type: application/json\r\n\r\n');
      assert.equal((await connection.read()).status, 200, 'the Content-Type of the trailer must not count');
      connection.close();
    });
  });

  describe('Expect', { concurrency: 4 }, () => {
    it('100-continue is answered before the body, then the request', async () => {
      const connection = await HttpConnection.open(server.url);
      await connection.send('POST /rooms/expect HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
      assert.equal((await connection.read()).status, 100);
      await connection.send('hello');
      assert.equal((await connection.read()).status, 200);
      connection.close();
    });
    it('100-continue is refused at once when the body would be', async () => {
      const connection = await HttpConnection.open(server.url);
      await connection.send('POST /rooms/expect HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 999999999\r\nExpect: 100-continue\r\n\r\n');
      assert.equal((await connection.read()).status, 413);
      connection.close();
    });
    it('100-continue of a 1.0 client is ignored', async () => {
      const [response] = await everyResponse(server.url, 'POST /rooms/expect HTTP/1.0\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello');
      assert.equal(response.status, 200);
    });
    it('another expectation is 417', async () => {
      const response = await fetchOnce(server.url, 'POST', '/rooms/expect', { headers: { Expect: 'miracles', 'Content-Type': 'text/plain' }, body: 'x' });
      assert.equal(response.status, 417);
    });
  });

  it('an unused body is read and discarded', async () => {
    const connection = await HttpConnection.open(server.url);
    for (let i = 0; i < 3; i += 1) {
      await connection.send(requestBytes('POST', '/nothing', { body: 'GET /words.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' }));
      assert.equal((await connection.read()).status, 404);
    }
    assert.equal((await connection.request('GET', '/healthz')).status, 200);
    connection.close();
  });
});
