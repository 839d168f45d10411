// POST /rooms/{room}: publishing with one request.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { errorMessage, fetchOnce } from '../support/raw_http.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { BINARY, TEXT } from '../support/ws_frames.js';

const server = await startServer();
const small = await startServer({ set: { 'limits.message_bytes': 1000 } });
const curl = promisify(execFile).bind(null, 'curl');

const post = (room, body, type, url = server.url) => fetchOnce(url, 'POST', `/rooms/${room}`, { body, headers: type === undefined ? {} : { 'Content-Type': type } });

const kinds = [
  ['text/plain', 'plain', TEXT], ['text/plain; charset=utf-8', 'κόσμε', TEXT], ['TEXT/Plain', 'capitals', TEXT], ['text/html', '<b>', TEXT],
  ['text/plain', '', TEXT], ['text/csv;header=present', 'a,b', TEXT],
  ['application/json', '{"a":[1,2.5,null,true,"κ"]}', TEXT], ['application/json; charset=utf-8', '  [1]  ', TEXT], ['application/json', '"string"', TEXT],
  ['application/json', '0', TEXT], ['application/json', 'null', TEXT], ['Application/JSON', '-1.5e10', TEXT],
  ['application/octet-stream', Buffer.from('00fffe', 'hex'), BINARY], ['image/png', Buffer.from('89504e47', 'hex'), BINARY],
  [undefined, 'untyped', BINARY], ['application/jsonx', '{', BINARY], ['textual/plain', Buffer.from('ff', 'hex'), BINARY],
  ['application/x-www-form-urlencoded', 'a=b', TEXT], ['application/x-www-form-urlencoded', Buffer.from('ff', 'hex'), BINARY],
  ['application/ld+json', '{"a":1}', TEXT], ['Application/Vnd.Api+JSON; charset=utf-8', '[1]', TEXT],
];

const badJson = ['', '{', '{"a":}', '[1,]', '01', 'nul', "{'a':1}", '"\\x"', '"unfinished', '1 2', '{}{}', 'NaN', '"\x01"', '[1] x', '\ufeff{}'];

describe('publishing by POST', () => {
  after(async () => {
    await server.stop();
    await small.stop();
  });

  describe('Content-Type decides the kind', { concurrency: 8 }, () => {
    for (const [i, [type, body, opcode]] of kinds.entries()) {
      it(`${type} ${JSON.stringify(body.toString('latin1'))} is ${opcode === TEXT ? 'text' : 'binary'}`, async () => {
        const client = await connect(server.url, { path: `/rooms/kind/${i}` });
        const response = await post(`kind/${i}`, body, type);
        assert.equal(response.status, 200, response.text);
        const message = await client.message();
        assert.equal(message.opcode, opcode);
        if (/^application\/json\b/i.test(type ?? '')) assert.deepEqual(JSON.parse(message.payload), JSON.parse(body));
        else assert.deepEqual(message.payload, Buffer.from(body));
        await client.close();
      });
    }
  });

  it('the response has room, cursor and subscribers', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => connect(server.url, { path: '/rooms/answer%2Fcaf%C3%A9' })));
    const response = await post('answer/caf%C3%A9', 'x', 'text/plain');
    assert.equal(response.status, 200);
    assert.match(response.header('content-type'), /^application\/json/);
    assert.deepEqual(Object.keys(response.json).sort(), ['cursor', 'room', 'subscribers']);
    assert.equal(response.json.room, 'answer/café');
    assert.equal(response.json.subscribers, 3);
    assert.match(response.json.cursor, /^[A-Za-z0-9_.~-]+-[1-9][0-9]*$/);
    clients.forEach((client) => client.destroy());
  });

  it('offsets rise by one while the room lives', async () => {
    const client = await connect(server.url, { path: '/rooms/offsets' });
    const cursors = [];
    for (let i = 0; i < 10; i += 1) cursors.push((await post('offsets', `${i}`, 'text/plain')).json.cursor);
    const epochs = new Set(cursors.map((cursor) => cursor.slice(0, cursor.lastIndexOf('-'))));
    assert.equal(epochs.size, 1);
    const offsets = cursors.map((cursor) => Number(cursor.slice(cursor.lastIndexOf('-') + 1)));
    assert.deepEqual(offsets, offsets.map((_, i) => offsets[0] + i));
    client.destroy();
  });

  it('a room without members accepts the message', async () => {
    const response = await post('nobody', 'x', 'text/plain');
    assert.equal(response.status, 200);
    assert.equal(response.json.subscribers, 0);
  });

  describe('broken JSON is 400 and not delivered', { concurrency: 8 }, () => {
    for (const body of badJson) {
      it(JSON.stringify(body), async () => errorMessage(await post('json', body, 'application/json'), 400));
    }
    it('JSON that is not UTF-8', async () => errorMessage(await post('json', Buffer.from('22ff22', 'hex'), 'application/json'), 400));
    it('JSON nested without end gets a response either way', async () => {
      assert.ok([200, 400].includes((await post('json', '['.repeat(30000) + ']'.repeat(30000), 'application/json')).status));
    });
    it('broken JSON is not delivered', async () => {
      const client = await connect(server.url, { path: '/rooms/json' });
      await post('json', '{', 'application/json');
      await client.roundTrip();
      await client.close();
    });
  });

  it('text that is not UTF-8 is 400', async () => {
    for (const body of ['c0af', 'ff', 'e282', 'eda080']) errorMessage(await post('utf8', Buffer.from(body, 'hex'), 'text/plain'), 400);
  });

  describe('size', { concurrency: 4 }, () => {
    for (const [type, make] of [['text/plain', (n) => 'x'.repeat(n)], ['application/octet-stream', (n) => Buffer.alloc(n)], ['application/json', (n) => `"${'x'.repeat(n - 2)}"`]]) {
      it(`${type} of limits.message_bytes passes`, async () => assert.equal((await post('size', make(1000), type, small.url)).status, 200));
      it(`${type} of one byte more is 413`, async () => assert.match(errorMessage(await post('size', make(1001), type, small.url), 413), /limits\.(message|body)_bytes/));
    }
  });

  it('curl as documented', async () => {
    const client = await connect(server.url, { path: '/rooms/curl' });
    const { stdout } = await curl(['-sS', '-H', 'Content-Type: text/plain', '-d', 'hello', `${server.url}/rooms/curl`]);
    assert.equal(JSON.parse(stdout).room, 'curl');
    await client.expectText('hello');
    await curl(['-sS', '-d', 'héllo & more', `${server.url}/rooms/curl`]);
    await client.expectText('héllo & more');
    await curl(['-sS', '--json', '{"x":1}', `${server.url}/rooms/curl`]);
    assert.deepEqual(JSON.parse(await client.nextText()), { x: 1 });
    await client.close();
  });

  it('curl with a large body, which asks for 100-continue', async () => {
    const client = await connect(server.url, { path: '/rooms/curl-large' });
    const body = 'y'.repeat(60000);
    const { stdout } = await curl(['-sS', '-w', '%{http_code}', '-H', 'Content-Type: text/plain', '-H', 'Expect: 100-continue', '-d', body, `${server.url}/rooms/curl-large`]);
    assert.ok(stdout.endsWith('200'));
    await client.expectText(body);
    await client.close();
  });
});
