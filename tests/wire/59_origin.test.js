// Pages of other origins are refused unless `origins` lists them; CORS follows the same rule.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { errorMessage, fetchOnce } from '../support/raw_http.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { connect, refusal } from '../support/wire_client.js';

const directory = scratchDirectory();
const certificate = makeCertificate(directory, 'localhost');
const server = await startServer({
  listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'],
  set: { 'tls.certificate': certificate.certificate, 'tls.key': certificate.key },
});
const open = await startServer({ set: { origins: 'https://chat.example,http://other.example:8080' } });
const https = server.urlOf('https:');
const host = (url) => new URL(url).host;

const passes = {
  'no Origin': [server.url, undefined],
  'the same origin': [server.url, server.url],
  'the same origin over TLS': [https, https],
  'the same host in capitals': [server.url, 'http://LOCALHOST', 'localhost'],
  'the default port left out of Origin': [server.url, 'http://localhost', 'localhost:80'],
  'the default port left out of Host': [server.url, 'http://localhost:80', 'localhost'],
  'the default port of https': [https, 'https://localhost', 'localhost:443'],
  'a name instead of an address': [server.url, 'http://chat.local:81', 'chat.local:81'],
  'an IPv6 address': [server.url, 'http://[::1]:81', '[::1]:81'],
  'a listed origin': [open.url, 'https://chat.example'],
  'another listed origin': [open.url, 'http://other.example:8080'],
  'the own origin beside a list': [open.url, open.url],
};
const foreign = {
  'another host': [server.url, 'http://evil.example'],
  'another port': [server.url, 'http://localhost:81', 'localhost:80'],
  'another scheme': [server.url, `https://${host(server.url)}`],
  'http page, https server': [https, `http://${host(https)}`],
  'the own host as a prefix': [server.url, 'http://localhost.evil.example', 'localhost'],
  'the own host as a suffix': [server.url, 'http://evillocalhost', 'localhost'],
  'the own host as user': [server.url, 'http://localhost@evil.example', 'localhost'],
  'a path behind the own origin': [server.url, `${server.url}/path`],
  'null': [server.url, 'null'],
  'an empty Origin': [server.url, ''],
  'nonsense': [server.url, 'nonsense'],
  'a file': [server.url, 'file://'],
  'two origins in one': [server.url, `${server.url} http://evil.example`],
  'two Origin fields': [server.url, [server.url, 'http://evil.example']],
  'one that is not listed': [open.url, 'https://evil.example'],
  'a listed one with another scheme': [open.url, 'http://chat.example'],
  'a listed one with another port': [open.url, 'https://chat.example:444'],
  'a subdomain of a listed one': [open.url, 'https://sub.chat.example'],
  'a listed one as prefix': [open.url, 'https://chat.example.evil.example'],
};

const withOrigin = (origin, hostName) => ({ headers: { ...(origin === undefined ? {} : { Origin: origin }), ...(hostName ? { Host: hostName } : {}) } });

describe('origins', () => {
  after(async () => {
    await server.stop();
    await open.stop();
  });

  describe('accepted', { concurrency: 8 }, () => {
    for (const [name, [target, origin, hostName]] of Object.entries(passes)) {
      it(`${name}: WebSocket`, async () => {
        await (await connect(target, { path: '/rooms/origin', ...withOrigin(origin, hostName) })).close();
        await (await connect(target, { path: '/echo', ...withOrigin(origin, hostName) })).close();
      });
      it(`${name}: POST`, async () => {
        const { headers } = withOrigin(origin, hostName);
        const response = await fetchOnce(target, 'POST', '/rooms/origin-post', { body: 'x', headers });
        assert.equal(response.status, 200, response.text);
      });
    }
  });

  describe('refused', { concurrency: 4 }, () => {
    for (const [name, [target, origin, hostName]] of Object.entries(foreign)) {
      it(`${name}: WebSocket`, async () => {
        for (const path of ['/rooms/origin', '/echo']) {
          const response = await refusal(target, { path, ...withOrigin(origin, hostName) });
          assert.ok(response.status === 403 || (Array.isArray(origin) && response.status === 400), `status ${response.status}`);
        }
      });
      it(`${name}: POST`, async () => {
        const response = await fetchOnce(target, 'POST', '/rooms/origin', { body: 'x', headers: withOrigin(origin, hostName).headers });
        assert.ok(response.status === 403 || (Array.isArray(origin) && response.status === 400), `status ${response.status}`);
        assert.equal(response.header('access-control-allow-origin'), undefined);
      });
    }
  });

  it('the refusal names the config key, its log line the origin', async () => {
    const mark = server.mark();
    const response = await refusal(server.url, { path: '/rooms/x', headers: { Origin: 'https://new-page.example:8443' } });
    assert.match(errorMessage(response, 403), /origins/);
    await server.waitForLog(/https:\/\/new-page\.example:8443/, { mark });
  });

  it('behind a trusted proxy the scheme is the one that the browser used', async () => {
    const proxied = await startServer({ set: { trusted_proxies: '127.0.0.1' } });
    const headers = { Host: 'chat.example', Origin: 'https://chat.example', 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'https' };
    await (await connect(proxied.url, { path: '/rooms/x', headers })).close();
    assert.equal((await refusal(proxied.url, { path: '/rooms/x', headers: { ...headers, 'X-Forwarded-Proto': 'http' } })).status, 403);
    assert.equal((await refusal(server.url, { path: '/rooms/x', headers })).status, 403, 'a proxy that is not trusted');
    await proxied.stop();
    assert.match(proxied.log(), /203\.0\.113\.7/);
  });

  it('an origin cannot forge a log line', async () => {
    const mark = server.mark();
    await refusal(server.url, { path: '/rooms/x', headers: { Origin: 'http://a\tb"c\\d\x80' } });
    await fetchOnce(server.url, 'GET', '/healthz');
    assert.doesNotMatch(server.log(mark), /[\x00-\x08\x0b-\x1f\x7f]/);
  });

  it('a listed page may read the response', async () => {
    const response = await fetchOnce(open.url, 'POST', '/rooms/cors', { body: 'x', headers: { Origin: 'https://chat.example' } });
    assert.equal(response.status, 200);
    assert.equal(response.header('access-control-allow-origin'), 'https://chat.example');
    assert.match(response.header('vary') ?? '', /origin/i);
  });

  it('a preflight of a listed page is granted, that of another is not', async () => {
    const preflight = (origin) => fetchOnce(open.url, 'OPTIONS', '/rooms/cors', {
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' },
    });
    const granted = await preflight('https://chat.example');
    assert.ok([200, 204].includes(granted.status));
    assert.equal(granted.header('access-control-allow-origin'), 'https://chat.example');
    assert.match(granted.header('access-control-allow-methods') ?? '', /POST/);
    assert.match(granted.header('access-control-allow-headers') ?? '', /content-type/i);
    assert.equal((await preflight('https://evil.example')).header('access-control-allow-origin'), undefined);
  });
});
