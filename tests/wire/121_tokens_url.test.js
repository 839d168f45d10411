// Keys from a `jwks_url`: they rotate, and their server fails, is absent, is slow or sends anything.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import { after, describe, it } from 'node:test';
import { eventually, patience, within } from '../support/deadline.js';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory, tomlFilesIn } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { keySet, makeIssuer } from '../support/tokens.js';
import { refusal } from '../support/wire_client.js';

const tomlFile = tomlFilesIn(scratchDirectory());
const [one, two, three] = await Promise.all(['one', 'two', 'three'].map((kid) => makeIssuer('ES256', { kid })));
const local = await makeIssuer('HS256');

const ending = [];
after(async () => {
  for (const end of ending.reverse()) await end();
});

/** Serves a key set; `answer` is called with the response, `requests` counts. */
class KeyServer {
  requests = 0;

  constructor(...issuers) {
    this.publish(...issuers);
    this.http = http.createServer((request, response) => {
      this.requests += 1;
      this.last = request;
      this.answer(response);
      this.onRequest?.();
    });
  }

  static async start(...issuers) {
    const server = new KeyServer(...issuers);
    await server.listen(0);
    return server;
  }

  async listen(port) {
    this.http.listen(port, '127.0.0.1');
    await once(this.http, 'listening');
    this.url = `http://127.0.0.1:${this.http.address().port}/jwks`;
    ending.push(() => this.stop());
  }

  publish(...issuers) {
    this.answer = (response) => response.end(keySet(...issuers));
  }

  fail(status = 500) {
    this.answer = (response) => response.writeHead(status).end('{"error":"down"}');
  }

  /** The response to the next request, which is not answered. */
  hold() {
    return new Promise((resolve) => (this.answer = resolve));
  }

  async stop() {
    if (!this.http.listening) return;
    this.http.close();
    this.http.closeAllConnections();
    await once(this.http, 'close');
  }
}

const configOf = (...urls) => `
[[access]]
rooms = "open"
who = "anyone"
may = ["join", "publish"]
[[access]]
rooms = "**"
who = "user"
may = ["join", "publish"]
${urls.map((url) => `[[auth.tokens]]\nalgorithms = ["ES256"]\njwks_url = "${url}"\n`).join('')}
[[auth.tokens]]
algorithms = ["HS256"]
secret = "${local.key}"
`;

async function serverWith(...urls) {
  const config = tomlFile(configOf(...urls));
  const server = await startServer({ args: ['--config', config] });
  ending.push(() => server.stop());
  return Object.assign(server, { config });
}

const ask = (server, token, room = 'a') => fetchOnce(server.url, 'GET', `/rooms/${room}`, { headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } });
async function outcome(server, token) {
  const response = await ask(server, token);
  return response.status === 200 ? 'ok' : `${response.status} ${response.json.error.code}`;
}
const token_of = (issuer) => issuer.token({ sub: 'ada' });

async function reload(server) {
  const mark = server.mark();
  server.reload();
  await server.waitForLog(/\breloaded\b/, { mark });
}

describe('keys from a URL', { concurrency: 4 }, () => {
  it('rotate: a new key is fetched when a token names it, at most once a minute', async () => {
    const keys = await KeyServer.start(one);
    const server = await serverWith(keys.url);
    assert.equal(await outcome(server, await token_of(one)), 'ok');
    assert.equal(keys.requests, 1);
    assert.match(keys.last.headers.accept, /application\/jwk-set\+json/);

    keys.publish(one, two);
    const tokens = await Promise.all(Array.from({ length: 20 }, () => token_of(two)));
    assert.deepEqual(new Set(await Promise.all(tokens.map((token) => outcome(server, token)))), new Set(['ok']));
    assert.equal(keys.requests, 2, 'one fetch for all that wait');
    assert.equal(await outcome(server, await token_of(one)), 'ok');

    keys.publish(three);
    for (let i = 0; i < 20; i += 1) assert.equal(await outcome(server, await token_of(three)), '401 unknown_key');
    assert.equal((await ask(server, await token_of(three))).json.error.message, 'no key with kid "three"');
    assert.equal((await refusal(server.url, { path: '/rooms/a', headers: { 'Sec-WebSocket-Protocol': `roomcast.raw.v1, roomcast.token.${await token_of(three)}` } })).json.error.code, 'unknown_key');
    assert.equal(keys.requests, 2, 'not again within the minute');
    assert.equal(await outcome(server, await token_of(two)), 'ok');
  });

  it('stay in use while the URL fails, also over a reload', async () => {
    const keys = await KeyServer.start(one);
    const server = await serverWith(keys.url);
    const shown = await token_of(one);
    assert.equal(await outcome(server, shown), 'ok');
    for (const fail of [() => keys.fail(500), () => keys.stop()]) {
      await fail();
      // A name that is not known has them fetched, in vain.
      assert.equal(await outcome(server, await token_of(two)), '401 unknown_key');
      assert.equal(await outcome(server, await token_of(one)), 'ok');
      await reload(server);
      assert.equal(await outcome(server, shown), 'ok');
      assert.equal(await outcome(server, await token_of(one)), 'ok');
    }
    await server.waitForLog(/signing keys not fetched .*the last ones stay in use/);
    assert.ok(!server.log().includes('eyJ'));
  });

  it('are not fetched again by a reload that still names the URL, and are forgotten by one that does not', async () => {
    const keys = await KeyServer.start(one);
    const server = await serverWith(keys.url);
    assert.equal(await outcome(server, await token_of(one)), 'ok');
    await reload(server);
    await reload(server);
    assert.equal(await outcome(server, await token_of(one)), 'ok');
    assert.equal(keys.requests, 1);
    fs.writeFileSync(server.config, configOf());
    await reload(server);
    assert.equal(await outcome(server, await token_of(one)), '401 bad_token');
    assert.equal(await outcome(server, await token_of(local)), 'ok');
  });

  it('may be absent at the start: 503 until they are there', async () => {
    const absent = await KeyServer.start(one);
    const { port } = absent.http.address();
    await absent.stop();
    const server = await serverWith(absent.url);
    const early = await ask(server, await token_of(one));
    assert.deepEqual([early.status, early.json.error.code], [503, 'unavailable']);
    assert.ok(Number(early.header('retry-after')) >= 1);
    assert.equal((await refusal(server.url, { path: '/rooms/a', headers: { Authorization: `Bearer ${await token_of(one)}` } })).status, 503);
    assert.equal(await outcome(server, await token_of(local)), 'ok');
    assert.equal((await ask(server, undefined, 'open')).status, 200);
    const present = new KeyServer(one);
    await present.listen(port);
    const late = await token_of(one);
    await eventually(async () => (await outcome(server, late)) === 'ok', 'the keys after a retry');
  });

  it('that are slow delay nobody else', async () => {
    const keys = await KeyServer.start(one);
    const held = keys.hold();
    const server = await serverWith(keys.url);
    const response = await within(patience, held, 'the request for the keys');
    let answered = false;
    const waiting = token_of(one).then((token) => outcome(server, token)).finally(() => (answered = true));
    for (let i = 0; i < 10; i += 1) {
      assert.equal((await ask(server, undefined, 'open')).status, 200);
      assert.equal(await outcome(server, await token_of(local)), 'ok');
    }
    assert.equal(answered, false, 'the one that needs the keys waits');
    response.end(keySet(one));
    assert.equal(await waiting, 'ok');
  });

  it('that never come: those who wait are refused after a few seconds', async () => {
    const keys = await KeyServer.start(one);
    keys.hold();
    const server = await serverWith(keys.url);
    const begin = process.hrtime.bigint();
    assert.equal(await outcome(server, await token_of(one)), '503 unavailable');
    assert.ok(process.hrtime.bigint() - begin > 3_000_000_000n, 'it has waited');
  });

  for (const [what, answer] of Object.entries({
    'no JSON': (response) => response.end('<html>'),
    'no keys': (response) => response.end('{"keys":[]}'),
    'a secret': async (response) => response.end(keySet(await makeIssuer('HS256', { kid: 'two' }))),
    'more than 256 KiB': (response) => response.end(`{"keys":[],"x":"${'x'.repeat(262_144)}"}`),
    'an endless answer': (response) => {
      const piece = Buffer.alloc(65_536, 0x20);
      const more = () => !response.destroyed && response.write(piece, () => setImmediate(more));
      more();
    },
    'another status': (response) => response.writeHead(404).end(keySet(two)),
    'a cut': (response) => {
      response.writeHead(200, { 'Content-Length': 1000 });
      response.write(keySet(two), () => response.destroy());
    },
  })) {
    it(`${what} from the URL changes nothing`, async () => {
      const keys = await KeyServer.start(one);
      const server = await serverWith(keys.url);
      assert.equal(await outcome(server, await token_of(one)), 'ok');
      keys.answer = answer;
      assert.equal(await outcome(server, await token_of(two)), '401 unknown_key');
      assert.equal(await outcome(server, await token_of(one)), 'ok');
      assert.equal(keys.requests, 2);
      await server.waitForLog(/signing keys not fetched/);
    });
  }

  it('that redirect elsewhere are not followed to another scheme or host', async () => {
    const elsewhere = await KeyServer.start(two);
    const keys = await KeyServer.start(one);
    const server = await serverWith(keys.url);
    assert.equal(await outcome(server, await token_of(one)), 'ok');
    keys.answer = (response) => response.writeHead(302, { Location: 'file:///etc/passwd' }).end();
    assert.equal(await outcome(server, await token_of(two)), '401 unknown_key');
    assert.equal(elsewhere.requests, 0);
  });

  it('are only ever fetched from the configuration: a token cannot name a place (jku, x5u)', async () => {
    const evil = await KeyServer.start(two);
    const keys = await KeyServer.start(one);
    const server = await serverWith(keys.url);
    for (const header of [{ jku: evil.url }, { x5u: evil.url }, { jwk: two.jwk }, { jku: evil.url, kid: undefined }, { jwk: two.jwk, kid: 'one' }]) {
      const token = await two.token({ sub: 'root' }, header);
      assert.match(await outcome(server, token), /^401 (unknown_key|bad_token)$/);
    }
    assert.equal(evil.requests, 0);
  });

  it('from two URLs: one that fails does not keep the other from being used', async () => {
    const broken = await KeyServer.start();
    broken.fail(503);
    const keys = await KeyServer.start(two);
    const server = await serverWith(broken.url, keys.url);
    assert.equal(await outcome(server, await token_of(two)), 'ok');
    assert.equal(await outcome(server, await token_of(one)), '503 unavailable');
  });
});
