// Pages and apps of other origins: a listed one can read every response; preflights, credentials, importing the module,
// and the policy of custom pages.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { ByteSocket } from '../support/byte_socket.js';
import { fetchOnce, readResponse, requestBytes } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { runToEnd, startServer } from '../support/server.js';
import { connect, refusal } from '../support/wire_client.js';

const page = 'https://page.example';
const apps = ['capacitor://localhost', 'ionic://localhost', 'tauri://localhost', 'chrome-extension://abcdefghijklmnopabcdefghijklmnop', 'moz-extension://6e0d5a2e-0b1c-4f2a-9d3e-1a2b3c4d5e6f', 'app://obsidian.md', 'vscode-webview://1a2b:81', 'file://', 'null'];
const root = scratchDirectory({ 'index.html': '<script>1</script>', 'a.js': '1' });

const server = await startServer({ set: { origins: [page, 'https://*.sub.example', ...apps].join(','), 'limits.uri_bytes': 4096, 'limits.body_bytes': 1000, 'limits.header_bytes': 4096, 'limits.header_count': 50 } });
const generous = await startServer({ set: { origins: `${page},null,*`, 'cors.credentials': true, 'cors.headers': 'X-Request-ID,X-Trace' } });
const hasty = await startServer({ set: { origins: page, 'http.head_timeout_seconds': 0.5, 'http.body_timeout_seconds': 0.5 } });
const alone = await startServer();

const ask = (method, path, headers = {}, options = {}) => fetchOnce(server.url, method, path, { headers: { Origin: page, ...headers }, ...options });
const isReadable = (response, origin = page) => {
  assert.equal(response.header('access-control-allow-origin'), origin, response.text);
  assert.match(response.header('vary') ?? '', /\bOrigin\b/);
};

describe('other origins', { concurrency: 4 }, () => {
  after(async () => {
    for (const one of [server, generous, hasty, alone]) await one.stop();
  });

  describe('apps in a web view, extensions, files', () => {
    for (const [index, origin] of apps.entries()) {
      it(`${origin} can be listed`, async () => {
        // A separate room: its members would receive what the others publish.
        const path = `/rooms/app/${index}`;
        await (await connect(server.url, { path, headers: { Origin: origin } })).close();
        isReadable(await ask('POST', path, { Origin: origin }, { body: 'x' }), origin);
      });
      it(`${origin} is not allowed by default, and the 403 gives advice that works`, async () => {
        const response = await refusal(alone.url, { path: '/rooms/app', headers: { Origin: origin } });
        assert.equal(response.status, 403);
        const entry = /add "([^"]+)" to the config key origins/.exec(response.json.error.message)[1];
        assert.equal((await runToEnd(['--check-config', '--set', `origins=${entry}`])).code, 0);
      });
    }
    for (const origin of ['capacitor://other', 'capacitor://localhost:81', 'tauri://localhost.evil', 'http://localhost', 'file://host', 'app://', 'chrome-extension://x']) {
      it(`${origin} is another origin`, async () => assert.equal((await refusal(server.url, { path: '/rooms/app', headers: { Origin: origin } })).status, 403));
    }
    for (const origin of ['nonsense', '', 'https://', '://x', '1a://x', 'https://a b']) {
      it(`${JSON.stringify(origin)}: no advice that the configuration would refuse`, async () => {
        const { json } = await refusal(alone.url, { path: '/rooms/app', headers: { Origin: origin } });
        assert.doesNotMatch(json.error.message, /add "/);
      });
    }
  });

  describe('a listed page can read', () => {
    const answers = {
      'a 404': ['GET', '/nowhere', 404], 'a 405': ['DELETE', '/rooms/x', 405], 'a 405 of a file': ['POST', '/', 405], 'a bad path': ['GET', '/rooms/%zz', 400], 'a bad room name': ['GET', '/rooms/a%0A', 400],
      'a bad cursor': ['GET', '/rooms/x?since=1', 400], 'a 426': ['GET', '/connect', 426], 'a 400 of /echo': ['GET', '/echo', 426], 'a health check': ['GET', '/healthz', 200], 'the metrics': ['GET', '/metrics', 200], 'the page': ['GET', '/', 200],
      'the module': ['GET', '/roomcast.js', 200], 'a part of the module': ['GET', '/roomcast/client.js', 200], 'OPTIONS *': ['OPTIONS', '*', 204], 'a presence list': ['GET', '/presence/x', 200], 'too many parameters': ['GET', `/healthz?${'&'.repeat(100)}`, 400],
    };
    for (const [name, [method, path, status]] of Object.entries(answers)) {
      it(name, async () => {
        const response = await ask(method, path);
        assert.equal(response.status, status, response.text);
        isReadable(response);
      });
    }
    const raw = async (bytes, { chop, target = server } = {}) => {
      const socket = await ByteSocket.open(target.url);
      await (chop ? socket.writeChopped(bytes, chop) : socket.write(bytes));
      const response = await readResponse(socket);
      socket.destroy();
      return response;
    };
    const headers = { Origin: page };
    const refused = {
      'a body too large': [413, requestBytes('POST', '/rooms/x', { headers, body: Buffer.alloc(1001) })],
      'a chunked body too large': [413, Buffer.concat([requestBytes('POST', '/rooms/x', { headers: { ...headers, 'Transfer-Encoding': 'chunked' } }), Buffer.from(`3e9\r\n${'x'.repeat(1001)}\r\n0\r\n\r\n`)])],
      'a target too long': [414, requestBytes('GET', `/${'x'.repeat(5000)}`, { headers })],
      'a target too long, with much before the Origin': [414, requestBytes('GET', `/${'x'.repeat(5000)}`, { headers: { 'User-Agent': 'u'.repeat(3000), ...headers } })],
      'a cookie too long behind the Origin': [431, requestBytes('GET', '/', { headers: { ...headers, Cookie: 'c'.repeat(5000) } })],
      'a cookie too long before the Origin': [431, requestBytes('GET', '/', { headers: { Cookie: 'c'.repeat(5000), ...headers } })],
      'too many fields': [431, requestBytes('GET', '/', { headers: { 'X-Y': Array(60).fill('z'), ...headers } })],
      'an unknown expectation': [417, requestBytes('POST', '/rooms/x', { headers: { ...headers, Expect: 'y' }, body: 'x' })],
    };
    for (const [name, [status, bytes]] of Object.entries(refused)) {
      it(`that a request is refused: ${name}, also when it arrives in pieces`, async () => {
        for (const options of [{}, { chop: 500 }]) {
          const response = await raw(bytes, options);
          assert.equal(response.status, status);
          isReadable(response);
        }
      });
    }
    it('that its request took too long, head or body', async () => {
      for (const bytes of [`GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: ${page}\r\nX-`, `POST /rooms/x HTTP/1.1\r\nHost: localhost\r\nOrigin: ${page}\r\nContent-Length: 9\r\n\r\nx`]) {
        const response = await raw(Buffer.from(bytes), { target: hasty });
        assert.equal(response.status, 408);
        isReadable(response);
      }
    });
    it('a target without an end is answered without waiting for one', async () => {
      const response = await raw(Buffer.from(`GET /${'x'.repeat(5000)}`));
      assert.equal(response.status, 414);
      assert.equal(response.header('access-control-allow-origin'), undefined);
    });
    it('a page that is not listed cannot, nor on a server that lists none', async () => {
      for (const path of ['/', '/nowhere', '/rooms/x', '/healthz']) {
        assert.equal((await ask('GET', path, { Origin: 'https://other.example' })).header('access-control-allow-origin'), undefined);
        assert.equal((await fetchOnce(alone.url, 'GET', path, { headers: { Origin: page } })).header('access-control-allow-origin'), undefined);
      }
    });
    it('the CORS headers of one page do not appear for the next on the same connection', async () => {
      const socket = await ByteSocket.open(server.url);
      await socket.write(Buffer.concat([requestBytes('GET', '/healthz', { headers }), requestBytes('GET', '/healthz')]));
      isReadable(await readResponse(socket));
      assert.equal((await readResponse(socket)).header('access-control-allow-origin'), undefined);
      socket.destroy();
    });
  });

  it('files may be embedded where the page requires it (COEP)', async () => {
    assert.equal((await ask('GET', '/roomcast.js')).header('cross-origin-resource-policy'), 'cross-origin');
  });

  describe('preflights', () => {
    const preflight = (target, path, headers) => fetchOnce(target, 'OPTIONS', path, { headers: { Origin: page, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': headers } });
    const allowed = (response) => (response.header('access-control-allow-headers') ?? '').toLowerCase().split(/, */);
    for (const path of ['/rooms/x', '/api/publish', '/presence/x', '/healthz', '/roomcast.js']) {
      it(`authorization and tracing pass: ${path}`, async () => {
        const response = await preflight(server.url, path, 'authorization,traceparent');
        assert.equal(response.status, 204);
        for (const name of ['authorization', 'traceparent', 'tracestate', 'baggage', 'sentry-trace', 'content-type', 'idempotency-key']) assert.ok(allowed(response).includes(name), name);
        assert.ok(!allowed(response).includes('x-request-id'));
        assert.match(response.header('access-control-allow-methods'), /GET|POST/);
      });
    }
    it('a page that is not listed is refused, on every path that has an origin rule', async () => {
      for (const path of ['/rooms/x', '/api/publish', '/presence/x', '/connect', '/echo']) {
        const headers = { Origin: 'https://other.example', 'Access-Control-Request-Method': 'GET' };
        const response = await fetchOnce(server.url, 'OPTIONS', path, { headers });
        assert.equal(response.status, 403, path);
        assert.equal(response.json.error.code, 'origin_denied');
        assert.equal(response.header('access-control-allow-origin'), undefined);
        assert.equal((await fetchOnce(server.url, 'OPTIONS', path, { headers: { Origin: 'https://other.example' } })).status, 204, 'no preflight');
      }
    });
    it('names added by the setting pass too', async () => {
      const response = await preflight(generous.url, '/rooms/x', 'x-request-id');
      assert.ok(allowed(response).includes('x-request-id') && allowed(response).includes('x-trace'));
    });
    it('an invalid name is refused at the start', async () => {
      assert.equal((await runToEnd(['--check-config', '--set', 'cors.headers=a b'])).code, 2);
    });
  });

  describe('credentials', () => {
    const credentials = async (target, origin, method = 'GET', path = '/rooms/x') => (await fetchOnce(target, method, path, { headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' } })).header('access-control-allow-credentials');
    it('are allowed for origins listed by name if the setting says so, in every response', async () => {
      for (const [method, path] of [['GET', '/rooms/x'], ['OPTIONS', '/rooms/x'], ['GET', '/nowhere'], ['GET', '/presence/x']]) assert.equal(await credentials(generous.url, page, method, path), 'true', path);
      assert.equal(await credentials(server.url, page), undefined);
    });
    it('are not for those that only * or null allows', async () => {
      assert.equal(await credentials(generous.url, 'https://anybody.example'), undefined);
      assert.equal(await credentials(generous.url, 'null'), undefined);
    });
    it('are in the head of a stream', async () => {
      const socket = await ByteSocket.open(generous.url);
      await socket.write(requestBytes('GET', '/rooms/x', { headers: { Origin: page, Accept: 'text/event-stream' } }));
      const head = (await socket.through('\r\n\r\n')).toString('latin1');
      assert.match(head, /access-control-allow-credentials: true/i);
      assert.match(head, /cross-origin-resource-policy: cross-origin/i);
      assert.match(head, /cache-control: no-store, no-transform/i);
      socket.destroy();
    });
  });

  describe('Content-Security-Policy of custom pages', () => {
    const policyWith = async (set) => {
      const one = await startServer({ set: { 'web.root': root, ...set } });
      const response = await fetchOnce(one.url, 'GET', '/');
      await one.stop();
      return response.header('content-security-policy');
    };
    it('is a setting', async () => {
      assert.match(await policyWith({}), /script-src 'self'/);
      assert.equal(await policyWith({ 'web.content_security_policy': "script-src 'self' 'unsafe-inline'" }), "script-src 'self' 'unsafe-inline'");
      assert.equal(await policyWith({ 'web.content_security_policy': 'none' }), undefined);
    });
  });
});
