// POST /api/publish, many messages with one request; and Idempotency-Key, one message however often it is sent.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { patience, within } from '../support/deadline.js';
import { JsonClient } from '../support/json_client.js';
import { datas, pollsOf } from '../support/polls.js';
import { HttpConnection, errorMessage, fetchOnce, requestBytes } from '../support/raw_http.js';
import { startServer } from '../support/server.js';

const listed = 'https://listed.example';
const server = await startServer({ set: { origins: listed } });
// A key takes 320 bytes besides the lengths of key and room name.
const small = await startServer({ set: { 'limits.batch_messages': 3, 'limits.message_bytes': 100, 'limits.idempotency_bytes': 700 } });
const crowded = await startServer({ set: { 'limits.idempotency_bytes': 20_000 } });
const { poll } = pollsOf(server.url);
const python_client = fileURLToPath(new URL('../support/urllib_client.py', import.meta.url));

const json = { 'Content-Type': 'application/json' };

/** The response to `messages`, or to a body as it is. */
const post = (messages, { url = server.url, headers = json } = {}) =>
  fetchOnce(url, 'POST', '/api/publish', { body: Array.isArray(messages) ? JSON.stringify({ messages }) : messages, headers });

/** The results of a batch that must be accepted. */
async function resultsOf(messages, options) {
  const response = await post(messages, options);
  assert.equal(response.status, 200, response.text);
  assert.equal(response.header('content-type'), 'application/json');
  assert.equal(response.header('cache-control'), 'no-store');
  assert.deepEqual(Object.keys(response.json), ['results']);
  return response.json.results;
}

/** Error codes, null for published messages. */
const codes = (results) => results.map(({ error }) => error?.code ?? null);

/** The messages that the room retains. */
const kept = async (room, url) => datas(await poll(room, '?history=1000', { url: url ?? server.url }));

const once = (room, key, { body = 'x', type = 'text/plain', url = server.url, headers = {} } = {}) =>
  fetchOnce(url, 'POST', `/rooms/${room}`, { body, headers: { 'Content-Type': type, 'Idempotency-Key': key, ...headers } });

/** The receipt of a publish by key that must be accepted. */
async function receiptOf(room, key, options) {
  const response = await once(room, key, options);
  assert.equal(response.status, 200, response.text);
  return response.json;
}

/** The output of Python's standard library for a body posted to `path`. */
function byUrllib(path, body, ...key) {
  const child = spawn('python3', [python_client, 'post', `${server.url}${path}`, 'application/json', ...key], { stdio: ['pipe', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (data) => (printed += data));
  child.stdin.end(body);
  const ended = new Promise((resolve) => child.on('close', resolve));
  return within(patience, ended, 'the end of python3').then((code) => {
    assert.equal(code, 0, printed);
    return JSON.parse(printed);
  });
}

describe('publishing', { concurrency: 4 }, () => {
  after(async () => {
    for (const one of [server, small, crowded]) await one.stop();
  });

  describe('a batch', () => {
    it('returns an outcome for every message and room, in order', async () => {
      const client = await JsonClient.greeted(server, '/rooms/order%2Fb');
      const results = await resultsOf([{ room: 'order/a', data: '1' }, { rooms: ['order/b', 'order/a'], data: '2' }, { room: 'order/b', data: '2' }, { room: 'order/é', data: '3' }]);
      assert.deepEqual(results.map(({ room }) => room), ['order/a', 'order/b', 'order/a', 'order/b', 'order/é']);
      assert.deepEqual(results.map(({ subscribers }) => subscribers), [0, 1, 0, 1, 0]);
      assert.deepEqual(results.map(({ cursor }) => /-(\d+)$/.exec(cursor)[1]), ['1', '1', '2', '2', '1']);
      for (const result of results) assert.deepEqual(Object.keys(result), ['room', 'cursor', 'subscribers']);
      assert.deepEqual((await client.messages(2)).map(({ cursor }) => cursor), [results[1].cursor, results[3].cursor]);
      assert.deepEqual(await kept('order/a'), ['1', '2']);
      await client.close();
    });

    it('accepts data of every kind, with the sender\'s name', async () => {
      await resultsOf(`{"messages":[{"room":"kinds","data":"te\\u0078t\\n","from":"ada"},{"room":"kinds","data":{"a": 1.50}},{"room":"kinds","data":null},
        {"room":"kinds","data":[]},{"room":"kinds","data":-0},{"room":"kinds","data":false},{"room":"kinds","data":""},{"room":"kinds","data_base64":"AP8K"},{"room":"kinds","data_base64":"","from":"bé"}]}`);
      const { messages } = await poll('kinds', '?history=100');
      assert.deepEqual(messages.map(({ from, data, data_base64 }) => [from, data, data_base64]), [
        ['ada', 'text\n', undefined], [null, { a: 1.5 }, undefined], [null, null, undefined], [null, [], undefined], [null, -0, undefined],
        [null, false, undefined], [null, '', undefined], [null, undefined, 'AP8K'], ['bé', undefined, ''],
      ]);
    });

    it('may be empty', async () => {
      assert.deepEqual(await resultsOf([]), []);
    });

    it('ignores unknown members; the last of several with one name counts', async () => {
      assert.deepEqual(codes(await resultsOf('{"x":[{}],"messages":[{"room":"y","room":"last","z":{},"data":1,"data":"d","from":null,"key":null}]}')), [null]);
      assert.deepEqual(await kept('last'), ['d']);
      assert.deepEqual(await kept('y'), []);
    });

    it('returns errors of single messages beside successes', async () => {
      const results = await resultsOf([
        { room: 'beside', data: '1' }, { room: '', data: 'x' }, { rooms: ['bad\nname', 'beside'], data: '2' }, { room: 'beside', data_base64: '%' }, { room: 'beside', data_base64: 'AA' },
        { room: 'beside', data: 'x', key: '' }, { room: 'beside', data: 'x', key: 'é' }, { room: 'beside', data: 'x', from: 'a\nb' }, { room: 'beside', data: '3' },
      ]);
      assert.deepEqual(codes(results), [null, 'bad_room_name', 'bad_room_name', null, 'invalid_data', 'invalid_data', 'bad_idempotency_key', 'bad_idempotency_key', 'bad_client_name', null]);
      for (const { error, ...rest } of results.filter((one) => one.error)) {
        assert.deepEqual(Object.keys(rest), ['room']);
        assert.ok(error.message.length > 0);
      }
      assert.deepEqual(await kept('beside'), ['1', '2', '3']);
    });

    it('a message of limits.message_bytes passes, one byte more is an error of that message', async () => {
      const results = await resultsOf([{ room: 'size', data: 'x'.repeat(100) }, { room: 'size', data: 'x'.repeat(101) }, { room: 'size', data_base64: Buffer.alloc(101).toString('base64') }], { url: small.url });
      assert.deepEqual(codes(results), [null, 'message_too_big', 'message_too_big']);
      assert.match(results[1].error.message, /limits\.message_bytes/);
    });

    it('a message with more than 32 members, or without a room, fails the whole batch', async () => {
      const members = (count) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`, i]));
      assert.deepEqual(codes(await resultsOf([{ room: 'many', data: '1', ...members(30) }])), [null]);
      assert.match(errorMessage(await post([{ room: 'many', data: 'x', ...members(31) }]), 400), /messages\[0\].*32 members/);
      assert.match(errorMessage(await post(JSON.stringify({ ...members(32), messages: [{ room: 'many', data: 'x' }] })), 400), /32 members/);
      assert.match(errorMessage(await post([{ room: 'many', data: 'x' }, { rooms: [], data: 'x' }]), 400), /messages\[1\].*name a room/);
      assert.deepEqual(await kept('many'), ['1']);
    });

    it('limits.batch_messages outcomes pass; with one more nothing is published', async () => {
      const url = small.url;
      assert.equal((await resultsOf([{ rooms: ['most', 'most/too'], data: '1' }, { room: 'most', data: '2' }], { url })).length, 3);
      for (const messages of [[{ rooms: ['more', 'more/1', 'more/2', 'more/3'], data: 'x' }], Array(4).fill({ room: 'more', data: 'x' }), [{ rooms: ['more', ''], data: 'x' }, { rooms: ['more/1', 'more'], data: 'x' }]]) {
        const response = await post(messages, { url });
        assert.match(errorMessage(response, 413), /limits\.batch_messages.*3/);
        assert.equal(response.json.error.code, 'too_many_messages');
      }
      assert.deepEqual(await kept('most', url), ['1', '2']);
      assert.deepEqual(await kept('more', url), []);
    });

    it('naming a room twice in one message fails the whole batch, so that one payload cannot become a thousand', async () => {
      const response = await post([{ room: 'twice', data: '1' }, { rooms: ['twice', 'once', 'twice'], data: 'x' }]);
      assert.match(errorMessage(response, 400), /messages\[1\]: rooms must not name a room twice/);
      assert.deepEqual(await kept('twice'), []);
    });

    it('limits.batch_bytes pass, each payload counted for each of its rooms; one byte more is refused', async () => {
      const alone = await startServer({ set: { 'limits.batch_bytes': 12 } });
      const messages = (last) => [{ rooms: ['bytes/a', 'bytes/b'], data: 'abcd' }, { room: 'bytes/c', data: last }];
      assert.equal((await resultsOf(messages('efgh'), { url: alone.url })).length, 3);
      assert.match(errorMessage(await post(messages('efghi'), { url: alone.url }), 413), /limits\.batch_bytes.*12/);
      await alone.stop();
    });

    it('a thousand messages pass', async () => {
      const results = await resultsOf(Array.from({ length: 1000 }, (_, i) => ({ room: `many${i % 10}`, data: i })));
      assert.deepEqual(codes(results), Array(1000).fill(null));
      assert.deepEqual(await kept('many3'), Array.from({ length: 100 }, (_, i) => i * 10 + 3));
      assert.equal((await post(Array(1001).fill({ room: 'many', data: 0 }))).status, 413);
    });

    const good = '{"room":"shape","data":"x"}';
    const shapes = {
      invalid_json: ['', '{', `{"messages":[${good}]`, `{"messages":[${good},]}`, `{"messages":[${good}]}}`, "{'messages':[]}", '{"messages":[{"room":"shape","data":01}]}', '{"messages":[{"room":"shape","data":"\\x"}]}'],
      bad_request: [
        'null', '[]', '"messages"', '{}', '{"messages":null}', '{"messages":{}}', `{"messages":${good}}`,
        ...['1', 'null', '[]', '"x"', '{}', '{"data":"x"}', '{"room":"shape"}', '{"room":1,"data":"x"}', '{"room":null,"data":"x"}', '{"rooms":"shape","data":"x"}', '{"rooms":["shape",1],"data":"x"}',
          '{"room":"shape","rooms":["shape"],"data":"x"}', '{"room":"shape","data":"x","data_base64":"AA=="}', '{"room":"shape","data_base64":1}', '{"room":"shape","data":"x","from":1}', '{"room":"shape","data":"x","key":1}',
        ].map((bad) => `{"messages":[${good},${bad}]}`),
      ],
    };
    for (const [code, bodies] of Object.entries(shapes)) {
      it(`an invalid batch is 400 ${code}, and nothing of it is published`, async () => {
        for (const body of bodies) {
          const response = await post(body);
          const message = errorMessage(response, 400);
          assert.equal(response.json.error.code, code, body);
          if (body.startsWith(`{"messages":[${good},`) && code === 'bad_request') assert.match(message, /messages\[1\]/);
        }
        assert.deepEqual(await kept('shape'), []);
      });
    }

    it('JSON that is not UTF-8 is 400', async () => {
      errorMessage(await post(Buffer.from('{"messages":[{"room":"shape","data":"\xff"}]}', 'latin1')), 400);
    });

    it('another Content-Type, or an encoded body, is 415', async () => {
      for (const headers of [{}, { 'Content-Type': 'text/plain' }, { 'Content-Type': 'application/jsonx' }, { 'Content-Type': 'application/x-www-form-urlencoded' }, { ...json, 'Content-Encoding': 'gzip' }]) {
        errorMessage(await post([{ room: 'type', data: 'x' }], { headers }), 415);
      }
      assert.deepEqual(codes(await resultsOf([{ room: 'type', data: 'y' }], { headers: { 'Content-Type': 'Application/JSON; charset=utf-8' } })), [null]);
      assert.deepEqual(await kept('type'), ['y']);
    });

    it('another method is 405', async () => errorMessage(await fetchOnce(server.url, 'GET', '/api/publish'), 405));

    it('keys apply to each message and each of its rooms', async () => {
      const first = await resultsOf([{ rooms: ['keys/a', 'keys/b'], data: '1', key: 'k' }, { room: 'keys/a', data: '1', key: 'k' }, { room: 'keys/a', data: '2', key: 'k' }, { room: 'keys/a', data: '3' }]);
      assert.deepEqual(codes(first), [null, null, null, 'key_reused', null]);
      assert.deepEqual(first[2], { ...first[0], duplicate: true });
      const again = await resultsOf([{ rooms: ['keys/b', 'keys/a'], data: '1', key: 'k' }]);
      assert.deepEqual(again, [{ ...first[1], duplicate: true }, { ...first[0], duplicate: true }]);
      assert.deepEqual(await kept('keys/a'), ['1', '3']);
      assert.deepEqual(await kept('keys/b'), ['1']);
    });

    it('Python\'s urllib publishes one', async () => {
      const { results } = await byUrllib('/api/publish', '{"messages":[{"rooms":["urllib/a","urllib/b"],"data":"hello"}]}');
      assert.deepEqual(results.map(({ room }) => room), ['urllib/a', 'urllib/b']);
      assert.deepEqual(await kept('urllib/b'), ['hello']);
    });
  });

  describe('Idempotency-Key', () => {
    it('a repeat gets the same receipt, and is published once', async () => {
      const first = await receiptOf('once', 'k');
      assert.deepEqual(Object.keys(first), ['room', 'cursor', 'subscribers']);
      const client = await JsonClient.greeted(server, '/rooms/once');
      for (let i = 0; i < 3; i += 1) assert.deepEqual(await receiptOf('once', 'k'), { ...first, duplicate: true });
      await client.ask({ type: 'ping' });
      assert.deepEqual(client.unread, []);
      assert.deepEqual(await kept('once'), ['x']);
      await client.close();
    });

    it('a repeat with another body or type is 422 key_reused', async () => {
      await receiptOf('reused', 'k', { body: '1' });
      for (const options of [{ body: '2' }, { body: '1', type: 'application/json' }, { body: '1', type: 'application/octet-stream' }]) {
        const response = await once('reused', 'k', options);
        errorMessage(response, 422);
        assert.equal(response.json.error.code, 'key_reused');
      }
      assert.equal((await receiptOf('reused', 'k', { body: '1', type: 'text/html' })).duplicate, true);
      assert.deepEqual(await kept('reused'), ['1']);
    });

    it('applies to one room, and is case-sensitive', async () => {
      await receiptOf('own', 'k', { body: '1' });
      for (const [room, key] of [['own-too', 'k'], ['own', 'K'], ['own', 'k2'], ['own%2Fk', 'k']]) assert.equal((await receiptOf(room, key, { body: '2' })).duplicate, undefined);
      assert.deepEqual(await kept('own'), ['1', '2', '2']);
    });

    it('a refused publish does not use it up', async () => {
      errorMessage(await once('refused', 'k', { body: '{', type: 'application/json' }), 400);
      assert.equal((await receiptOf('refused', 'k', { body: '{}', type: 'application/json' })).duplicate, undefined);
    });

    it('has 1 to 200 printable bytes; anything else is 400', async () => {
      for (const key of ['k', '!', '~', 'two words', '"quoted"', 'k'.repeat(200)]) await receiptOf('keys', key);
      for (const key of ['', 'k'.repeat(201), 'tab\there', 'caf\xe9', '\x80', ['twice', 'twice']]) {
        const response = await once('keys', key);
        assert.match(errorMessage(response, 400), /200/);
        assert.equal(response.json.error.code, 'bad_idempotency_key');
      }
      assert.equal((await kept('keys')).length, 6);
    });

    it('two at the same time on two connections publish once', async () => {
      const connections = await Promise.all([1, 2].map(() => HttpConnection.open(server.url)));
      for (let i = 0; i < 50; i += 1) {
        const request = requestBytes('POST', '/rooms/race', { body: `${i}`, headers: { 'Content-Type': 'text/plain', 'Idempotency-Key': `k${i}` } });
        await Promise.all(connections.map((one) => one.send(request)));
        const receipts = (await Promise.all(connections.map((one) => one.read()))).map((response) => response.json);
        assert.deepEqual(receipts.map(({ duplicate }) => duplicate ?? false).sort(), [false, true]);
        assert.equal(receipts[0].cursor, receipts[1].cursor);
      }
      assert.deepEqual(await kept('race'), Array.from({ length: 50 }, (_, i) => `${i}`));
      connections.forEach((one) => one.close());
    });

    it('two pipelined publishes publish once', async () => {
      const connection = await HttpConnection.open(server.url);
      const request = requestBytes('POST', '/rooms/pipelined', { body: 'x', headers: { 'Content-Type': 'text/plain', 'Idempotency-Key': 'k' } });
      await connection.send(Buffer.concat([request, request]));
      const first = (await connection.read()).json;
      assert.deepEqual((await connection.read()).json, { ...first, duplicate: true });
      connection.close();
    });

    it('is shared by POST, a batch, roomcast.v1 and Python\'s urllib', async () => {
      const client = await JsonClient.greeted(server);
      const first = await client.ask({ type: 'publish', room: 'shared', data: { a: 1 }, key: 'k' });
      assert.equal(first.duplicate, undefined);
      const { cursor } = first;
      const receipt = { room: 'shared', cursor, subscribers: 0, duplicate: true };
      const options = { body: '{"a":1}', type: 'application/json' };
      assert.deepEqual(await receiptOf('shared', 'k', options), receipt);
      assert.deepEqual(await resultsOf([{ room: 'shared', data: { a: 1 }, key: 'k' }]), [receipt]);
      assert.deepEqual(await byUrllib('/rooms/shared', '{"a":1}', 'k'), receipt);
      const again = await client.ask({ type: 'publish', room: 'shared', data: { a: 1 }, key: 'k' });
      assert.deepEqual([again.type, again.cursor, again.duplicate], ['ok', cursor, true]);
      const other = await client.ask({ type: 'publish', room: 'shared', data: { a: 2 }, key: 'k' });
      assert.deepEqual([other.type, other.code], ['error', 'key_reused']);
      assert.deepEqual(await kept('shared'), [{ a: 1 }]);
      await client.close();
    });

    it('the oldest are forgotten when limits.idempotency_bytes are used up', async () => {
      const url = small.url;
      // Two of 230 + "forgotten" + "1" fit into 700 bytes, a third does not.
      for (const key of ['1', '2']) await receiptOf('forgotten', key, { url });
      assert.equal((await receiptOf('forgotten', '1', { url })).duplicate, true);
      assert.equal((await receiptOf('forgotten', '3', { url })).duplicate, undefined);
      assert.equal((await receiptOf('forgotten', '2', { url })).duplicate, true);
      assert.equal((await receiptOf('forgotten', '1', { url, body: 'anything' })).duplicate, undefined);
      assert.equal((await receiptOf('forgotten', '3', { url })).duplicate, true);
      assert.deepEqual(await kept('forgotten', url), ['x', 'x', 'x', 'anything']);
    });

    it('a publisher of very many keys displaces its own, not those of others', async () => {
      const { url } = crowded;
      // Three, because one may be attributed to the same source as the flooding client.
      const victims = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];
      const publishAs = (localAddress) =>
        fetchOnce(url, 'POST', '/rooms/flooded', { body: 'x', headers: { 'Content-Type': 'text/plain', 'Idempotency-Key': localAddress }, socket: { localAddress } });
      for (const one of victims) assert.equal((await publishAs(one)).status, 200);
      for (let begin = 0; begin < 500; begin += 50) {
        const some = Array.from({ length: 50 }, (_, i) => ({ room: 'flooded', data: '', key: `${begin + i}` }));
        assert.ok((await resultsOf(some, { url })).every(({ error }) => !error), 'all are published');
      }
      const again = await Promise.all(victims.map(publishAs));
      const known = again.filter(({ json: receipt }) => receipt.duplicate);
      assert.ok(known.length >= 2, `${known.length} of ${victims.length} are known`);
    });

    it('is allowed by a preflight, on the publishing paths', async () => {
      for (const path of ['/rooms/preflight', '/api/publish']) {
        const headers = { Origin: listed, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type,idempotency-key' };
        const response = await fetchOnce(server.url, 'OPTIONS', path, { headers });
        assert.equal(response.status, 204, path);
        assert.equal(response.header('access-control-allow-origin'), listed);
        assert.match(response.header('access-control-allow-methods'), /\bPOST\b/);
        assert.match(response.header('access-control-allow-headers'), /\bContent-Type, Idempotency-Key\b/i);
        const other = await fetchOnce(server.url, 'OPTIONS', path, { headers: { ...headers, Origin: 'https://other.example' } });
        assert.equal(other.header('access-control-allow-origin'), undefined);
      }
    });

    it('pages of listed origins may read every response, other origins publish nothing', async () => {
      const headers = { Origin: listed };
      for (const response of [await once('cors', 'k', { headers }), await once('cors', '', { headers }), await once('cors', 'k', { headers, body: 'other' }), await post([], { headers: { ...json, ...headers } }), await post('{', { headers: { ...json, ...headers } })]) {
        assert.equal(response.header('access-control-allow-origin'), listed, response.text);
      }
      const other = { Origin: 'https://other.example' };
      errorMessage(await once('cors', 'k2', { headers: other }), 403);
      errorMessage(await post([{ room: 'cors', data: 'x' }], { headers: { ...json, ...other } }), 403);
      assert.deepEqual(await kept('cors'), ['x']);
    });
  });
});
