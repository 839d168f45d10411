// A room by polling: short and long polls, their cursors, and cleaning up after disconnected clients.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import zlib from 'node:zlib';
import { METRICS } from '../support/contract.js';
import { patience, seconds, within } from '../support/deadline.js';
import { answerOf, datas, pollsOf } from '../support/polls.js';
import { HttpConnection, errorMessage, fetchOnce, requestBytes } from '../support/raw_http.js';
import { publish } from '../support/room_stream.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

const listed = 'https://listed.example';
const server = await startServer({ set: { origins: listed, 'history.messages': 1000 } });
const brief = await startServer({ set: { 'http.poll_wait_seconds': 1, 'history.messages': 3, 'http.compression': false } });

const foreign = '0123456789abcdef-1';
const at = (cursor, offset) => cursor.replace(/\d+$/, offset);
const { ask, poll, publishAll, subscribers, subscribersBecome, waiting } = pollsOf(server.url);

describe('polls', { concurrency: 4 }, () => {
  after(async () => {
    for (const one of [server, brief]) await one.stop();
  });

  describe('a short poll', () => {
    it('of an empty room returns its position, and resuming from there misses nothing', async () => {
      const first = await poll('fresh');
      assert.deepEqual({ ...first, cursor: '' }, { room: 'fresh', cursor: '', gap: null, messages: [] });
      assert.match(first.cursor, /^[0-9a-f]{16}-0$/);
      await publish(server.url, 'fresh', 'one');
      const second = await poll('fresh', `?since=${first.cursor}`);
      assert.equal(second.gap, null);
      assert.deepEqual(datas(second), ['one']);
      assert.deepEqual(await poll('fresh', `?since=${second.cursor}`), { ...second, messages: [] });
    });

    it('returns messages of every kind as objects', async () => {
      const text = await publish(server.url, 'kinds?name=ada', 'a\n"b"');
      await publish(server.url, 'kinds', '{"a":\r\n[1.50]}', 'application/json');
      const binary = await publish(server.url, 'kinds', Buffer.from([0, 255, 10]), 'application/octet-stream');
      const response = await ask('kinds', '?history=10');
      const { cursor, messages } = answerOf(response);
      assert.equal(cursor, binary.cursor);
      assert.ok(response.text.includes('"data":{"a":  [1.50]}'), response.text);
      assert.ok(messages.every(({ time }) => Math.abs(time - Date.now()) < seconds(15)));
      assert.deepEqual(messages.map(({ time, ...rest }) => rest), [
        { type: 'message', room: 'kinds', cursor: text.cursor, from: 'ada', data: 'a\n"b"' },
        { type: 'message', room: 'kinds', cursor: at(text.cursor, 2), from: null, data: { a: [1.5] } },
        { type: 'message', room: 'kinds', cursor: binary.cursor, from: null, data_base64: 'AP8K' },
      ]);
    });

    it('requests history by history, since or Last-Event-ID, which has the highest precedence', async () => {
      const cursors = await publishAll('past', ['1', '2', '3', '4']);
      assert.deepEqual(datas(await poll('past')), []);
      assert.deepEqual(datas(await poll('past', '?history=2')), ['3', '4']);
      assert.deepEqual(datas(await poll('past', '?history=99')), ['1', '2', '3', '4']);
      assert.deepEqual(datas(await poll('past', `?since=${cursors[0]}&history=1`)), ['2', '3', '4']);
      assert.deepEqual(datas(await poll('past', '', { headers: { 'Last-Event-ID': cursors[1] } })), ['3', '4']);
      assert.deepEqual(datas(await poll('past', `?since=${cursors[0]}&history=1`, { headers: { 'Last-Event-ID': cursors[2] } })), ['4']);
      assert.equal((await poll('past')).cursor, cursors[3]);
    });

    it('is the response to Accept: */* and JSON, and to ?transport=poll with any Accept', async () => {
      for (const accept of ['*/*', 'application/json', 'text/html', 'text/event-stream;q=0, */*']) await poll('accept', '', { headers: { Accept: accept } });
      await poll('accept', '?transport=poll', { headers: { Accept: 'text/event-stream' } });
    });

    it('must not be cached', async () => {
      const response = await ask('stored', '', { headers: { 'If-None-Match': '*' } });
      assert.equal(response.status, 200);
      assert.equal(response.header('cache-control'), 'no-store');
      assert.equal(response.header('etag'), undefined);
      assert.equal(response.header('vary'), 'Accept, Accept-Encoding, Origin');
    });
  });

  describe('a long poll', () => {
    it('is answered at once if a message exists already', async () => {
      const { cursor } = await publish(server.url, 'ready', 'x');
      assert.deepEqual(datas(await poll('ready', `?since=${at(cursor, 0)}&wait=50`)), ['x']);
    });

    it('waits for the first message, and all waiting polls get the same', async () => {
      const waiters = await waiting('same', 5);
      const receipt = await publish(server.url, 'same', 'hello');
      assert.equal(receipt.subscribers, 5);
      const answers = await Promise.all(waiters.map((one) => one.read()));
      assert.deepEqual(datas(answerOf(answers[0])), ['hello']);
      for (const { text } of answers) assert.equal(text, answers[0].text);
      waiters.forEach((one) => one.close());
    });

    it('receives messages published over a WebSocket', async () => {
      const client = await connect(server.url, { path: '/rooms/socket' });
      const connection = await HttpConnection.open(server.url);
      await connection.send(requestBytes('GET', '/rooms/socket?wait=50'));
      await subscribersBecome('socket', 2);
      await client.text('over WebSocket');
      assert.deepEqual(datas(answerOf(await connection.read())), ['over WebSocket']);
      connection.close();
      client.destroy();
    });

    it('gets all messages of one turn in one response', async () => {
      const [waiter] = await waiting('turn', 1);
      const cursors = await publishAll('turn', ['1', '2', '3']);
      const answer = answerOf(await waiter.read());
      assert.deepEqual(datas(answer), ['1', '2', '3']);
      assert.deepEqual(answer.messages.map(({ cursor }) => cursor), cursors);
      waiter.close();
    });

    it('gets an empty list when its time is over, with the same cursor', async () => {
      const { cursor } = await publish(server.url, 'over', 'x');
      for (const wait of ['0.3', '0.30000', '00.3']) {
        const begin = performance.now();
        assert.deepEqual(await poll('over', `?since=${cursor}&wait=${wait}`), { room: 'over', cursor, gap: null, messages: [] });
        assert.ok(performance.now() - begin >= 290, `${performance.now() - begin} ms`);
      }
      await subscribersBecome('over', 0);
    });

    it('waits no longer than http.poll_wait_seconds', async () => {
      for (const wait of ['50', '60.5', '9'.repeat(30)]) {
        const begin = performance.now();
        assert.deepEqual(datas(await poll('cut', `?wait=${wait}`, { url: brief.url })), []);
        const took = performance.now() - begin;
        assert.ok(took >= 990 && took < seconds(5), `${took} ms`);
      }
    });

    it('a gap is reported at once, even without messages', async () => {
      const { cursor, gap, messages } = await poll('hollow', `?since=${foreign}&wait=50`);
      assert.deepEqual(gap, { cursor, earliest: cursor });
      assert.deepEqual(messages, []);
    });

    it('one message answers 2,000 polls', async () => {
      const waiters = await waiting('crowd', 2000);
      const receipt = await publish(server.url, 'crowd', 'all of you');
      assert.equal(receipt.subscribers, 2000);
      const answers = await within(seconds(30), Promise.all(waiters.map((one) => one.read({ ms: seconds(30) }))), 'all answers');
      assert.deepEqual(datas(answerOf(answers[0])), ['all of you']);
      for (const { text } of answers) assert.equal(text, answers[0].text);
      assert.equal(await subscribers('crowd'), 0);
      waiters.forEach((one) => one.close());
    });
  });

  describe('gaps', () => {
    it('a previous epoch, a future position, and an invalid Last-Event-ID return everything retained', async () => {
      const [, cursor] = await publishAll('gap', ['1', '2']);
      const start = at(cursor, 0);
      for (const [query, options] of [
        [`?since=${foreign}`], [`?since=${at(cursor, 3)}`], [`?since=${at(cursor, '18446744073709551615')}`],
        ['', { headers: { 'Last-Event-ID': 'gibberish' } }], ['', { headers: { 'Last-Event-ID': foreign } }],
      ]) {
        const answer = await poll('gap', query, options);
        assert.deepEqual(answer.gap, { cursor: start, earliest: start }, query);
        assert.deepEqual(datas(answer), ['1', '2']);
        assert.equal(answer.cursor, cursor);
      }
    });

    it('history limits the amount', async () => {
      const [, cursor] = await publishAll('some', ['1', '2']);
      const answer = await poll('some', `?since=${foreign}&history=1`);
      assert.deepEqual(answer.gap, { cursor: at(cursor, 1), earliest: at(cursor, 0) });
      assert.deepEqual(datas(answer), ['2']);
      const none = await poll('some', `?since=${foreign}&history=0&wait=50`);
      assert.deepEqual(none, { room: 'some', cursor, gap: { cursor, earliest: at(cursor, 0) }, messages: [] });
    });

    it('a position that is no longer retained', async () => {
      const cursors = await publishAll('kept', ['1', '2', '3', '4', '5'], brief.url);
      assert.deepEqual(await poll('kept', `?since=${cursors[1]}`, { url: brief.url }).then(({ gap, ...rest }) => [gap, datas(rest)]), [null, ['3', '4', '5']]);
      const answer = await poll('kept', `?since=${cursors[0]}`, { url: brief.url });
      assert.deepEqual(answer.gap, { cursor: cursors[1], earliest: cursors[1] });
      assert.deepEqual(datas(answer), ['3', '4', '5']);
    });
  });

  describe('invalid parameters are 400 and named', () => {
    const malformed = {
      since: ['bad_cursor', '', 'x', '0123456789abcdef', '0123456789abcdef-', '123-1', '0123456789abcdeg-1', '0123456789abcdef--1', '0123456789abcdef-1x', '0123456789abcdef-99999999999999999999'],
      history: ['bad_history', '', 'x', '-1', '1.5', '1e3', '0x10', '%201'],
      wait: ['bad_wait', '', 'x', '-1', '1.', '.5', '1e3', '0x1', 'NaN', 'Infinity', '1,5', '%201', '1%20', '+1', '1.5.5'],
    };
    for (const [name, [code, ...values]] of Object.entries(malformed)) {
      it(name, async () => {
        for (const value of values) {
          const response = await ask('malformed', `?${name}=${value}`, { headers: { Origin: listed } });
          assert.ok(errorMessage(response, 400).includes(name), `${name}=${value}: ${response.text}`);
          assert.equal(response.json.error.code, code);
          assert.equal(response.header('access-control-allow-origin'), listed);
        }
        assert.equal(await subscribers('malformed'), 0);
      });
    }
  });

  describe('one connection', () => {
    it('serves poll after poll', async () => {
      const [connection] = await waiting('again', 1);
      await publish(server.url, 'again', '1');
      let { cursor } = answerOf(await connection.read());
      for (const text of ['2', '3']) {
        await connection.send(requestBytes('GET', `/rooms/again?since=${cursor}&wait=50`));
        await subscribersBecome('again', 1);
        await publish(server.url, 'again', text);
        const answer = answerOf(await connection.read());
        assert.deepEqual(datas(answer), [text]);
        ({ cursor } = answer);
      }
      assert.equal((await connection.request('GET', '/healthz')).status, 200);
      connection.close();
    });

    it('a request behind a waiting poll is answered after it', async () => {
      const connection = await HttpConnection.open(server.url);
      const request = requestBytes('GET', '/rooms/pipelined?wait=50');
      await connection.send(Buffer.concat([request, request, requestBytes('GET', '/healthz')]));
      for (const text of ['first', 'second']) {
        await subscribersBecome('pipelined', 1);
        await publish(server.url, 'pipelined', text);
        assert.deepEqual(datas(answerOf(await connection.read())), [text]);
      }
      assert.equal((await connection.read()).header('content-type').startsWith('application/json'), false);
      connection.close();
    });

    it('of HTTP/1.0, or with Connection: close, the connection ends with the response', async () => {
      for (const options of [{ version: '1.0' }, { headers: { Connection: 'close' } }]) {
        const [connection] = await waiting('ends', 1, options);
        await publish(server.url, 'ends', 'x');
        const response = await connection.read();
        assert.deepEqual(datas(answerOf(response)), ['x']);
        assert.equal(response.header('connection'), 'close');
        assert.equal(response.header('transfer-encoding'), undefined);
        await connection.expectEnd();
      }
    });
  });

  it('HEAD returns the room\'s position and number of members, and does not wait', async () => {
    const waiters = await waiting('head', 2);
    const { cursor } = await poll('head');
    const connection = await HttpConnection.open(server.url);
    for (const query of ['', '?wait=50', `?since=${cursor}&wait=50`]) {
      const response = await connection.request('HEAD', `/rooms/head${query}`);
      assert.equal(response.status, 200);
      assert.equal(response.header('roomcast-cursor'), cursor);
      assert.deepEqual([response.header('roomcast-subscribers'), response.header('roomcast-message-bytes')], ['2', '65536']);
      assert.ok(Number(response.header('content-length')) > 0);
    }
    [connection, ...waiters].forEach((one) => one.close());
  });

  it('a client that leaves, with or without a FIN, leaves nothing behind', async () => {
    const own = await startServer();
    const waiters = await waiting('gone', 4, { url: own.url });
    assert.equal(await own.metric(METRICS.connections, /"poll"/), 4);
    waiters[0].close();
    waiters[1].socket.abort();
    waiters[2].socket.finish();
    await subscribersBecome('gone', 1, own.url);
    assert.equal(await own.metric(METRICS.connections, /"poll"/), 1);
    assert.equal((await publish(own.url, 'gone', 'x')).subscribers, 1);
    assert.deepEqual(datas(answerOf(await waiters[3].read())), ['x']);
    await own.metricBecomes(METRICS.connections, (count) => count === 0, /"poll"/);
    waiters[3].close();
    return own.stop();
  });

  it('a history larger than one response comes in pages, whole and in order', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => `${i} ${'p'.repeat(20000)}`);
    for (const text of texts) await publish(server.url, 'pages', text);
    const seen = [];
    let query = '?history=1000';
    let pages = 0;
    for (; seen.length < texts.length; pages += 1) {
      const { cursor, gap, messages } = await poll('pages', query);
      assert.equal(gap, null);
      assert.ok(messages.length > 0);
      assert.ok(messages.reduce((sum, { data }) => sum + data.length, 0) <= 131072);
      seen.push(...messages.map(({ data }) => data));
      query = `?since=${cursor}`;
    }
    assert.deepEqual(seen, texts);
    assert.ok(pages >= 7, `${pages} pages`);
    assert.deepEqual(datas(await poll('pages', query)), []);
  });

  it('histories of many rooms requested at once are complete', async () => {
    const own = await startServer();
    const rooms = Array.from({ length: 200 }, (_, i) => `each${i}`);
    for (const room of rooms) await publishAll(room, Array(50).fill('q"'.repeat(500)), own.url);
    const connections = await Promise.all(rooms.map(() => HttpConnection.open(own.url)));
    await Promise.all(connections.map((one, i) => one.send(requestBytes('GET', `/rooms/${rooms[i]}?history=50`))));
    for (const one of connections) assert.equal(answerOf(await one.read()).messages.length, 50);
    connections.forEach((one) => one.close());
    return own.stop();
  });

  it('gzip is used for clients that accept it, and for bodies worth it', async () => {
    await publish(server.url, 'packed', 'the same again '.repeat(200));
    const plain = await ask('packed', '?history=1');
    assert.equal(plain.header('content-encoding'), undefined);
    for (const accepted of ['gzip', 'deflate, gzip;q=0.5', '*']) {
      const packed = await ask('packed', '?history=1', { headers: { 'Accept-Encoding': accepted } });
      assert.equal(packed.header('content-encoding'), 'gzip', accepted);
      assert.ok(packed.body.length < 300);
      assert.equal(zlib.gunzipSync(packed.body).toString(), plain.text);
    }
    assert.equal((await ask('packed', '?history=1', { headers: { 'Accept-Encoding': 'gzip;q=0' } })).text, plain.text);
    const small = await ask('packed', '', { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(small.header('content-encoding'), undefined);
    await publish(brief.url, 'packed', 'the same again '.repeat(200));
    const never = await ask('packed', '?history=1', { url: brief.url, headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(never.header('content-encoding'), undefined);
  });

  it('waiting polls that accept gzip get it beside others that do not', async () => {
    const packed = await waiting('mixed', 2, { headers: { 'Accept-Encoding': 'gzip' } });
    const plain = await HttpConnection.open(server.url);
    await plain.send(requestBytes('GET', '/rooms/mixed?wait=50'));
    await subscribersBecome('mixed', 3);
    await publish(server.url, 'mixed', 'm'.repeat(5000));
    const { text } = await plain.read();
    for (const one of packed) {
      const response = await one.read();
      assert.equal(response.header('content-encoding'), 'gzip');
      assert.equal(zlib.gunzipSync(response.body).toString(), text);
    }
    [plain, ...packed].forEach((one) => one.close());
  });

  it('at a drain waiting polls are answered, and the server exits', async () => {
    const drained = await startServer({ set: { drain_seconds: 0.5 } });
    const { cursor } = await publish(drained.url, 'drain', 'x');
    const waiters = await waiting('drain', 50, { url: drained.url });
    drained.process.kill('SIGTERM');
    const answers = await Promise.all(waiters.map((one) => one.read()));
    for (const answer of answers) assert.deepEqual(answerOf(answer), { room: 'drain', cursor, gap: null, messages: [] });
    await drained.expectExit(0);
    waiters.forEach((one) => one.close());
  });

  for (const wait of ['0', '0.002', '50']) {
    it(`resuming from the cursor beside a fast publisher misses and doubles nothing, wait=${wait}`, async () => {
      const room = `fast${wait}`;
      const texts = Array.from({ length: 400 }, (_, i) => `${i}`);
      let { cursor } = await poll(room);
      const publishing = (async () => {
        const connection = await HttpConnection.open(server.url);
        for (const body of texts) {
          const { status } = await connection.request('POST', `/rooms/${room}`, { body, headers: { 'Content-Type': 'text/plain' } });
          assert.equal(status, 200);
        }
        connection.close();
      })();
      const seen = [];
      const connection = await HttpConnection.open(server.url);
      for (const end = Date.now() + patience; seen.length < texts.length && Date.now() < end;) {
        const answer = answerOf(await connection.request('GET', `/rooms/${room}?since=${cursor}&wait=${wait}`));
        assert.equal(answer.gap, null);
        if (answer.messages.length === 0) assert.equal(answer.cursor, cursor);
        seen.push(...datas(answer));
        ({ cursor } = answer);
      }
      await publishing;
      assert.deepEqual(seen, texts);
      connection.close();
    });
  }

  describe('pages', () => {
    it('of listed origins may read the response, waited for or not, and its cursor', async () => {
      const headers = { Origin: listed };
      const [waiter] = await waiting('cors', 1, { headers });
      await publish(server.url, 'cors', 'x');
      for (const response of [await waiter.read(), await ask('cors', '', { headers }), await fetchOnce(server.url, 'HEAD', '/rooms/cors', { headers })]) {
        assert.equal(response.status, 200);
        assert.equal(response.header('access-control-allow-origin'), listed);
        assert.match(response.header('access-control-expose-headers'), /Roomcast-Cursor, Roomcast-Subscribers, Roomcast-Message-Bytes/);
      }
      waiter.close();
    });

    it('of other origins get 403 and do not join the room', async () => {
      const response = await ask('cors-other', '?wait=50', { headers: { Origin: 'https://other.example' } });
      errorMessage(response, 403);
      assert.equal(response.header('access-control-allow-origin'), undefined);
      assert.equal(await subscribers('cors-other'), 0);
    });
  });
});
