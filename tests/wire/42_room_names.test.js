// Valid room names: 1–200 bytes of UTF-8, no control characters, no slash at either end, no segment that proxies remove from a path.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { JsonClient } from '../support/json_client.js';
import { errorMessage, fetchOnce } from '../support/raw_http.js';
import { startServer } from '../support/server.js';
import { connect, refusal } from '../support/wire_client.js';

const server = await startServer();
const encoded = encodeURIComponent;

const good = {
  'one byte': 'a', 'with slashes': 'chat/lobby', 'slashes percent-encoded': 'chat%2Flobby', 'deep': 'a/b/c/d/e/f', 'a blank': 'a%20b',
  'punctuation': "-._~!$&'()*+,;=:@", 'encoded punctuation': '%22%3C%3E%23%3F%25%5B%5D%7B%7D%7C%5C%5E%60', 'two bytes a character': encoded('café'),
  'three bytes': encoded('日本語'), 'four bytes': encoded('😀'), '200 bytes': 'n'.repeat(200), '200 bytes of two each': encoded('é'.repeat(100)), '200 bytes, encoded': '%6E'.repeat(200),
  'dots': 'a..b', 'three dots': '...', 'a part with a leading dot': 'a/.b', 'encoded once only': '%2541', 'the first character past C1': '%C2%A0', 'a number': '0',
};
const bad = {
  'nothing': '', 'a slash': '%2F', 'a leading slash': '%2Fa', 'a second slash': '/a', 'a trailing slash': 'a/', 'a trailing slash, encoded': 'a%2F', '201 bytes': 'n'.repeat(201),
  '201 bytes, encoded': '%6E'.repeat(201), '202 bytes of two each': encoded('é'.repeat(101)), NUL: 'a%00b', 'a newline': 'a%0Ab', 'a carriage return': 'a%0D', 'a tab': 'a%09b', ESC: '%1B',
  DEL: 'a%7Fb', 'a C1 control': 'a%C2%80b', 'the last C1 control': '%C2%9F', 'not UTF-8': '%FF', 'an overlong slash': 'a%C0%AFb', 'a surrogate': '%ED%A0%80', 'a cut character': 'a%E2%82',
  'past the last code point': '%F4%90%80%80', 'a percent sign alone': 'a%', 'half an escape': 'a%2', 'an escape that is none': 'a%zz', 'a percent sign': '100%',
  'an empty part': 'a//b', 'an empty part, encoded': 'a%2F%2Fb', 'a dot': '.', 'two dots': '%2E%2E', 'a dot within': 'a/./b', 'a dot within, encoded': 'a/%2E/b', 'two dots within': 'a/../b', 'two dots within, encoded': 'a%2F..%2Fb', 'two dots at the end': 'a/..',
};

describe('room names', () => {
  after(() => server.stop());

  describe('accepted', () => {
    for (const [name, room] of Object.entries(good)) {
      it(name, async () => {
        const client = await connect(server.url, { path: `/rooms/${room}` });
        const response = await fetchOnce(server.url, 'POST', `/rooms/${room}`, { body: 'x', headers: { 'Content-Type': 'text/plain' } });
        assert.equal(response.status, 200, response.text);
        assert.equal(response.json.room, decodeURIComponent(room));
        await client.expectText('x');
        await client.close();
      });
    }
  });

  describe('refused with 400 and the reason', { concurrency: 8 }, () => {
    for (const [name, room] of Object.entries(bad)) {
      it(name, async () => {
        const statuses = room === '' ? [400, 404] : [400];
        const response = await refusal(server.url, { path: `/rooms/${room}` });
        assert.ok(statuses.includes(response.status), `status ${response.status}`);
        assert.ok(errorMessage(response, response.status).length > 10);
        const post = await fetchOnce(server.url, 'POST', `/rooms/${room}`, { body: 'x' });
        assert.ok([...statuses, 405].includes(post.status) && (post.status !== 405 || room === ''), `status ${post.status}`);
      });
    }
  });

  it('a name that a proxy would change is refused in every other API as well', async () => {
    const connection = await JsonClient.greeted(server);
    for (const room of ['a//b', 'a/./b', 'a/../b', '..']) {
      assert.equal((await fetchOnce(server.url, 'GET', `/presence/${encoded(room)}`)).json.error.code, 'bad_room_name');
      const body = JSON.stringify({ messages: [{ room, data: 'x' }] });
      const batch = await fetchOnce(server.url, 'POST', '/api/publish', { body, headers: { 'Content-Type': 'application/json' } });
      assert.equal(batch.json.results[0].error.code, 'bad_room_name', batch.text);
      for (const type of ['subscribe', 'publish', 'presence', 'history']) {
        const answer = await connection.ask({ type, room, data: 'x' });
        assert.equal(answer.type, 'error', JSON.stringify(answer));
      }
    }
    connection.socket.close();
    await connection.closed;
  });

  it('a client\'s name may be anything of at most 100 bytes without control characters', async () => {
    for (const name of ['', 'Zo%C3%AB', 'n'.repeat(100)]) {
      const client = await connect(server.url, { path: `/rooms/called?name=${name}` });
      await client.close();
    }
    for (const name of ['n'.repeat(101), '%0A', '%FF']) {
      const path = `/rooms/called?name=${name}`;
      for (const response of [await refusal(server.url, { path }), await fetchOnce(server.url, 'POST', path, { body: 'x' })]) {
        assert.equal(response.status, 400);
        assert.equal(response.json.error.code, 'bad_client_name');
      }
    }
  });
});
