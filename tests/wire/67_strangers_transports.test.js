// Unusual use of transports: cursors in URLs, half-closed connections, payloads that break parsers.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { EventSource } from 'eventsource';
import { JsonClient } from '../support/json_client.js';
import { eventually } from '../support/deadline.js';
import { errorMessage, fetchOnce } from '../support/raw_http.js';
import { behindRelay } from '../support/relay.js';
import { publish } from '../support/room_stream.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import * as frames from '../support/ws_frames.js';

const json = { 'Content-Type': 'application/json' };

const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
const objects = (depth) => '{"a":'.repeat(depth - 1) + '{}' + '}'.repeat(depth - 1);

describe('an EventSource with ?since= in its URL', () => {
  it('resumes where it was when it reconnects', async (t) => {
    const { server, relay } = await behindRelay(t);
    const { cursor } = await publish(server.url, 'url', '0');
    for (const data of ['1', '2']) await publish(server.url, 'url', data);
    const source = new EventSource(`${relay.url}/rooms/url?since=${cursor}`);
    t.after(() => source.close());
    const seen = [];
    source.addEventListener('message', ({ data }) => seen.push(data));
    source.addEventListener('gap', () => seen.push('gap'));
    await eventually(() => seen.length === 2, 'what was after the cursor');
    relay.cut();
    await publish(server.url, 'url', '3');
    await eventually(() => seen.includes('3'), 'what was missed');
    assert.deepEqual(seen, ['1', '2', '3']);
  });
});

for (const [name, depth, set] of [['by default', 63, {}], ['as limits.json_depth says', 3, { 'limits.json_depth': 3 }]]) {
  describe(`nesting depth of JSON is limited: ${name}`, async () => {
    const server = await startServer({ set });
    after(() => server.stop());
    const post = (body, headers = json) => fetchOnce(server.url, 'POST', '/rooms/deep', { body, headers });
    const batch = (data) => fetchOnce(server.url, 'POST', '/api/publish', { body: `{"messages":[{"room":"deep","data":${data}},{"room":"deep","data":1}]}`, headers: json });

    for (const make of [nested, objects]) {
      it(`by POST, of ${make.name}`, async () => {
        for (const type of ['application/json', 'application/ld+json', 'text/plain', 'application/x-www-form-urlencoded']) {
          assert.equal((await post(make(depth), { 'Content-Type': type })).status, 200, type);
          for (const deeper of [depth + 1, 1000, 1024, 1025, 5000]) {
            const refusal = await post(make(deeper), { 'Content-Type': type });
            assert.match(errorMessage(refusal, 400), /limits\.json_depth/);
            assert.equal(refusal.json.error.code, 'json_too_deep');
          }
        }
      });

      it(`in a batch, where only that message is refused, of ${make.name}`, async () => {
        assert.deepEqual((await batch(make(depth))).json.results.map(({ error }) => error?.code), [undefined, undefined]);
        assert.deepEqual((await batch(make(depth + 1))).json.results.map(({ error }) => error?.code), ['json_too_deep', undefined]);
        assert.deepEqual((await batch(JSON.stringify(make(depth + 1)))).json.results.map(({ error }) => error?.code), ['json_too_deep', undefined]);
      });

      it(`over roomcast.v1, of ${make.name}`, async () => {
        const client = await JsonClient.greeted(server, '/rooms/deep');
        const say = (data) => client.ask({ type: 'publish', data });
        assert.equal((await say(JSON.parse(make(depth)))).type, 'ok');
        assert.match((await say(JSON.parse(make(depth + 1)))).message, /limits\.json_depth/);
        assert.equal((await say(make(depth + 1))).code, 'json_too_deep');
        client.socket.terminate();
      });

      it(`over raw WebSocket, of ${make.name}`, async () => {
        const client = await connect(server.url, { path: '/rooms/raw' });
        await client.text(make(depth));
        await client.expectText(make(depth));
        const almost = make(depth + 1).slice(0, -1); // not JSON: treated as text
        await client.text(almost);
        await client.expectText(almost);
        await client.text(make(depth + 1));
        await client.expectClose([1008]);
        client.destroy();
      });
    }
  });
}

describe('payloads that break parsers', async () => {
  const server = await startServer();
  after(() => server.stop());

  it('an escaped lone surrogate becomes U+FFFD, over any transport and at any position', async () => {
    const body = '{"\\udc00":"a\\ud83d","b":["\\ud83d\\ude00","\\\\ud83d","\\uD83D\\uD83D\\uDE00","\\ud83dx"]}';
    const whole = { '\ufffd': 'a\ufffd', b: ['\u{1F600}', '\\ud83d', '\ufffd\u{1F600}', '\ufffdx'] };
    const reader = await connect(server.url, { path: '/rooms/half' });
    const writer = await connect(server.url, { path: '/rooms/half', headers: { 'Sec-WebSocket-Protocol': 'roomcast.v1' } });
    await fetchOnce(server.url, 'POST', '/rooms/half', { body, headers: json });
    await fetchOnce(server.url, 'POST', '/api/publish', { body: `{"messages":[{"room":"half","data":${body}}]}`, headers: json });
    await writer.text(`{"type":"publish","data":${body}}`);
    for (let i = 0; i < 3; i += 1) assert.deepEqual(JSON.parse(await reader.nextText()), whole);
    await writer.text('{"type":"publish","data":"a\\ud83d"}');
    await reader.expectText('a\ufffd');
    for (const client of [reader, writer]) client.destroy();
  });

  it('a number has 1,000 bytes at most', async () => {
    const post = (body) => fetchOnce(server.url, 'POST', '/rooms/number', { body, headers: json });
    assert.equal((await post('1'.repeat(1000))).status, 200);
    errorMessage(await post('1'.repeat(1001)), 400);
    errorMessage(await post(`[-0.${'1'.repeat(5000)}]`), 400);
  });
});

describe('conditions and lengths of requests', async () => {
  const server = await startServer();
  after(() => server.stop());
  const get = (headers) => fetchOnce(server.url, 'GET', '/roomcast.js', { headers });

  it('If-Match of another tag is 412, a strong one of this file or * passes', async () => {
    const etag = (await get({})).header('etag');
    for (const list of ['"other"', `W/${etag}`, '"a", "b"', '']) assert.equal((await get({ 'If-Match': list })).status, 412, list);
    for (const list of [etag, '*', `"a", ${etag}`, `, ${etag}`]) assert.equal((await get({ 'If-Match': list })).status, 200, list);
    assert.equal((await get({ 'If-Match': '"other"', 'If-None-Match': etag })).status, 412);
    assert.equal((await get({ 'If-Match': etag, 'If-None-Match': etag })).status, 304);
  });

  it('a list may begin with a comma', async () => {
    const etag = (await get({})).header('etag');
    for (const list of [`, ${etag}`, `,,\t, "x", W/${etag}`]) assert.equal((await get({ 'If-None-Match': list })).status, 304, list);
  });

  it('a request line of 8,000 bytes is read', async () => {
    const target = `/${'x'.repeat(8000 - 'GET / HTTP/1.1'.length)}`;
    assert.equal((await fetchOnce(server.url, 'GET', target)).status, 404);
  });
});

describe('a client that leaves', async () => {
  const server = await startServer();
  after(() => server.stop());

  it('right after its message, in one segment, receives that message first, then the close frame', async () => {
    for (let i = 0; i < 20; i += 1) {
      const client = await connect(server.url, { path: '/rooms/breath' });
      await client.write(Buffer.concat([frames.text(`bye ${i}`), frames.close(1000)]));
      client.sentClose = true;
      await client.expectText(`bye ${i}`);
      await client.expectClose([1000]);
      client.destroy();
    }
  });

  it('by half-closing receives pending messages, its own too, and a close frame', async () => {
    const client = await connect(server.url, { path: '/rooms/half-closed' });
    await client.write(frames.text('last'));
    client.socket.finish();
    await client.expectText('last');
    client.sentClose = true;
    await client.expectClose([1000]);
    client.destroy();
  });

  for (const [name, goodbye] of [['a close frame', 'close'], ['FIN', 'finish']]) {
    it(`from a large room, with ${name} right after its message, receives that message though others are served first`, async () => {
      const others = await Promise.all(Array.from({ length: 1500 }, () => connect(server.url, { path: '/rooms/large' })));
      for (let i = 0; i < 10; i += 1) {
        const client = await connect(server.url, { path: '/rooms/large' });
        await client.write(Buffer.concat([frames.text(`bye ${i}`), ...(goodbye === 'close' ? [frames.close(1000)] : [])]));
        if (goodbye === 'finish') client.socket.finish();
        client.sentClose = true;
        await client.expectText(`bye ${i}`);
        await client.expectClose([1000]);
        client.destroy();
      }
      for (const other of others) other.destroy();
    });
  }
});
