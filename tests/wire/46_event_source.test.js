// A room as an EventSource: opening, events, resuming, ending.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { EventSource } from 'eventsource';
import { METRICS } from '../support/contract.js';
import { eventually, patience, within } from '../support/deadline.js';
import { errorMessage, fetchOnce } from '../support/raw_http.js';
import { RoomStream, publish } from '../support/room_stream.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

const listed = 'https://listed.example';
const server = await startServer({ set: { origins: listed } });
const brisk = await startServer({ set: { 'websocket.ping_seconds': 0.2, 'http.compression': false } });

const open = (room, options) => RoomStream.open(server.url, room, options);
const offset = ({ id }) => Number(/^[0-9a-f]{16}-(\d+)$/.exec(id)[1]);
const open_clients = (target) => target.metric(METRICS.connections, /"sse"/);

/** Opens a stream and skips the events that announce its start. */
async function joined(room, options) {
  const stream = await open(room, options);
  const first = await stream.event();
  assert.equal(first.type, 'joined');
  return stream;
}

/** The output of `command` until `enough(printed)`. */
async function printedBy(command, args, enough, then = () => {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  const done = new Promise((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (data) => {
      then(printed += data);
      if (enough(printed)) resolve();
    });
    child.on('close', resolve);
  });
  await within(patience, done, `output of ${command} ${args.join(' ')}; so far: ${printed}`).finally(() => child.kill());
  return printed;
}

/** A relay in front of `target` whose connections can be cut. */
async function relay(target) {
  const { hostname, port } = new URL(target);
  const sockets = new Set();
  const listener = net.createServer((near) => {
    const far = net.connect(port, hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${listener.address().port}`,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    close() {
      this.cut();
      listener.close();
    },
  };
}

describe('EventSource', { concurrency: 4 }, () => {
  after(async () => {
    for (const one of [server, brisk]) await one.stop();
  });

  it('has a content type, a retry delay and a start position', async () => {
    const stream = await open('opening');
    const { head } = stream;
    assert.equal(head.header('cache-control'), 'no-store, no-transform');
    assert.equal(head.header('x-accel-buffering'), 'no');
    assert.equal(head.header('vary'), 'Accept, Accept-Encoding, Origin');
    assert.equal(head.header('transfer-encoding'), 'chunked');
    assert.equal(head.header('connection'), 'close');
    assert.equal(head.header('content-encoding'), undefined);
    assert.ok(Math.abs(Date.parse(head.header('date')) - Date.now()) < 60000);
    const opening = await stream.block();
    assert.ok(opening.retry >= 2000 && opening.retry <= 4000, opening.retry);
    assert.equal(opening.comments, 1);
    const first = await stream.event();
    assert.equal(first.type, 'joined');
    assert.deepEqual(JSON.parse(first.data), { room: 'opening', cursor: first.id });
    assert.equal(offset(first), 0);
    stream.destroy();
  });

  it('clients that connected together get different retry delays', async () => {
    const streams = await Promise.all(Array.from({ length: 12 }, () => open('jitter')));
    const waits = new Set();
    for (const stream of streams) {
      waits.add((await stream.block()).retry);
      stream.destroy();
    }
    assert.ok(waits.size > 3, [...waits].join(' '));
  });

  it('messages of all kinds arrive, with their cursors', async () => {
    const stream = await joined('kinds');
    const { cursor } = await publish(server.url, 'kinds', 'hello');
    assert.deepEqual(await stream.event(), { type: 'message', data: 'hello', id: cursor });
    await publish(server.url, 'kinds', '{"a":\n 1}', 'application/json');
    assert.equal((await stream.event()).data, '{"a":\n 1}');
    await publish(server.url, 'kinds', Buffer.from([0, 255, 10]), 'application/octet-stream');
    assert.deepEqual(await stream.event(), { type: 'binary', data: 'AP8K', id: cursor.replace(/1$/, '3') });
    const client = await connect(server.url, { path: '/rooms/kinds' });
    await client.text('over WebSocket');
    assert.equal((await stream.event()).data, 'over WebSocket');
    client.destroy();
    stream.destroy();
  });

  it('a message with an event name is an event of that name, unless the name is in use', async () => {
    const stream = await joined('named');
    const post = (message) =>
      fetchOnce(server.url, 'POST', '/api/publish', {
        body: JSON.stringify({ messages: [{ room: 'named', ...message }] }),
        headers: { 'Content-Type': 'application/json' },
      });
    for (const message of [
      { data: 'a', event: 'tick' },
      { data: 'b', event: 'gap' },
      { data_base64: 'AQID', event: 'tick' },
      { data: 'c', tags: { unit: 'K' } },
    ])
      assert.equal((await post(message)).json.results[0].error, undefined);
    const events = [];
    while (events.length < 4) events.push(await stream.event());
    assert.deepEqual(events.map(({ type, data }) => [type, data]), [['tick', 'a'], ['message', 'b'], ['binary', 'AQID'], ['message', 'c']]);
    stream.destroy();
  });

  it('payloads of several lines, of none and with unusual characters arrive whole', async () => {
    const stream = await joined('lines');
    for (const text of ['a\r\nb\rc\nd', '', '\n', 'a\n', ' two  ', ':x', 'id: 1\n\ndata: y', 'nul \0', '\u2028 \u2029 \u{1F600}', '\uFEFF']) {
      await publish(server.url, 'lines', text);
      const event = await stream.event();
      assert.equal(event.type, 'message');
      assert.equal(event.data, text.replace(/\r\n?/g, '\n'));
    }
    stream.destroy();
  });

  it('the npm client gets messages and named events', async () => {
    const source = new EventSource(`${server.url}/rooms/npm`);
    const seen = [];
    const all = new Promise((resolve) => {
      for (const type of ['joined', 'message', 'binary']) {
        source.addEventListener(type, ({ data, lastEventId }) => seen.push([type, data, lastEventId]) === 3 && resolve());
      }
    });
    await within(patience, once(source, 'joined'), 'the npm client joining');
    const one = await publish(server.url, 'npm', 'one\ntwo');
    const two = await publish(server.url, 'npm', Buffer.from('three'), 'application/octet-stream');
    await within(patience, all, 'both messages');
    assert.deepEqual(seen.slice(1), [['message', 'one\ntwo', one.cursor], ['binary', Buffer.from('three').toString('base64'), two.cursor]]);
    source.close();
  });

  it('the npm client reconnects after a cut and misses nothing', async () => {
    const between = await relay(server.url);
    const source = new EventSource(`${between.url}/rooms/cut`);
    const seen = [];
    const begins = [];
    source.addEventListener('joined', () => begins.push(seen.length));
    source.addEventListener('gap', () => seen.push('gap'));
    source.addEventListener('message', ({ data }) => seen.push(data));
    await eventually(() => begins.length === 1, 'the first connection');
    await publish(server.url, 'cut', '1');
    await eventually(() => seen.length === 1, 'the first message');
    between.cut();
    await publish(server.url, 'cut', '2');
    await publish(server.url, 'cut', '3');
    await eventually(() => begins.length === 2, 'the second connection');
    await publish(server.url, 'cut', '4');
    await eventually(() => seen.length >= 4, 'all messages');
    assert.deepEqual(seen, ['1', '2', '3', '4']);
    assert.deepEqual(begins, [0, 1]);
    source.close();
    between.close();
  });

  it('a cut before the first message loses nothing', async () => {
    const first = await open('early');
    const { id } = await first.event();
    first.destroy();
    await publish(server.url, 'early', 'missed');
    const second = await open('early', { headers: { 'Last-Event-ID': id } });
    assert.equal((await second.event()).type, 'joined');
    assert.equal((await second.event()).data, 'missed');
    second.destroy();
  });

  it('?dialect=roomcast.v1 sends everything as objects, in events of the same names', async () => {
    const query = '?dialect=roomcast.v1';
    const stream = await open('v1', { query });
    const first = await stream.event();
    assert.equal(first.type, 'ok');
    assert.deepEqual(JSON.parse(first.data), { type: 'ok', room: 'v1', cursor: first.id });
    const { cursor } = await publish(server.url, 'v1', 'a\nb');
    const message = await stream.event();
    assert.deepEqual([message.type, message.id], ['message', cursor]);
    assert.deepEqual(JSON.parse(message.data), { type: 'message', room: 'v1', cursor, time: JSON.parse(message.data).time, from: null, data: 'a\nb' });
    stream.destroy();
    const other = await open('v1', { query, headers: { 'Last-Event-ID': 'gibberish' } });
    const gap = await other.event();
    assert.equal(gap.type, 'gap');
    assert.deepEqual(JSON.parse(gap.data), { type: 'gap', room: 'v1', cursor: first.id, earliest: first.id });
    assert.equal((await other.event()).id, cursor);
    other.destroy();
  });

  it('resumes from ?since= and from Last-Event-ID, which has precedence', async () => {
    const cursors = [];
    for (let i = 1; i <= 5; i += 1) cursors.push((await publish(server.url, 'resume', `m${i}`)).cursor);
    for (const options of [
      { headers: { 'Last-Event-ID': cursors[2] } },
      { query: `?since=${cursors[2]}` },
      { query: `?since=${cursors[0]}`, headers: { 'Last-Event-ID': cursors[2] } },
      { query: '?since=rubbish', headers: { 'Last-Event-ID': cursors[2] } },
      { query: `?since=${cursors[2]}`, headers: { 'Last-Event-ID': 'rubbish' } },
      { query: `?since=${cursors[2]}`, headers: { 'Last-Event-ID': '' } },
    ]) {
      const stream = await joined('resume', options);
      assert.deepEqual([(await stream.event()).data, (await stream.event()).data], ['m4', 'm5']);
      stream.destroy();
    }
    const last = await joined('resume', { query: '?history=2' });
    assert.equal((await last.event()).data, 'm4');
    last.destroy();
  });

  it('an unknown cursor is reported as a gap instead of joined, followed by all retained messages', async () => {
    const { cursor } = await publish(server.url, 'gap', 'kept');
    for (const options of [
      { headers: { 'Last-Event-ID': 'gibberish' } },
      { headers: { 'Last-Event-ID': '0123456789abcdef-1' } },
      { query: '?since=0123456789abcdef-1' },
    ]) {
      const stream = await open('gap', options);
      const gap = await stream.event();
      assert.equal(gap.type, 'gap');
      const start = cursor.replace(/1$/, '0');
      assert.deepEqual(JSON.parse(gap.data), { room: 'gap', cursor: start, earliest: start });
      assert.equal(gap.id, start);
      assert.deepEqual(await stream.event(), { type: 'message', data: 'kept', id: cursor });
      stream.destroy();
    }
  });

  it('a quiet stream gets a comment every websocket.ping_seconds', async () => {
    const stream = await RoomStream.open(brisk.url, 'quiet');
    await stream.block();
    await stream.event();
    for (let i = 0; i < 3; i += 1) assert.deepEqual(await stream.block(), { comments: 1 });
    await publish(brisk.url, 'quiet', 'still here');
    assert.equal((await stream.event()).data, 'still here');
    stream.destroy();
  });

  it('http.compression = false turns compression off', async () => {
    const stream = await RoomStream.open(brisk.url, 'plain', { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(stream.head.header('content-encoding'), undefined);
    stream.destroy();
  });

  it('gzip: each message can be read at once, and all clients get the same bytes', async () => {
    const headers = { 'Accept-Encoding': 'deflate, gzip;q=0.8' };
    const [one, two] = [await joined('packed', { headers }), await joined('packed', { headers })];
    assert.equal(one.head.header('content-encoding'), 'gzip');
    const [before, same] = [one.pieces.length, two.pieces.length];
    const text = 'the same again '.repeat(100);
    for (let i = 0; i < 3; i += 1) {
      await publish(server.url, 'packed', `${i} ${text}`);
      for (const stream of [one, two]) assert.equal((await stream.event()).data, `${i} ${text}`);
    }
    assert.deepEqual(one.pieces.slice(before), two.pieces.slice(same));
    assert.ok(one.pieces.at(-1).length < 200);
    for (const stream of [one, two]) stream.destroy();
  });

  it('works over TLS, and a reload changes whether it is compressed', async () => {
    const directory = scratchDirectory();
    const { certificate, key } = makeCertificate(directory, 'localhost');
    const config = path.join(directory, 'roomcast.toml');
    const write = (compression) =>
      fs.writeFileSync(config, `http.compression = ${compression}\ntls = { certificate = "${certificate}", key = "${key}" }\n`);
    write(true);
    const secure = await startServer({ listen: ['https://127.0.0.1:0'], args: ['--config', config] });
    const headers = { 'Accept-Encoding': 'gzip' };
    const before = await RoomStream.open(secure.url, 'tls', { headers });
    assert.equal(before.head.header('content-encoding'), 'gzip');
    write(false);
    secure.reload();
    await secure.waitForLog(/reloaded/);
    const behind = await RoomStream.open(secure.url, 'tls', { headers });
    assert.equal(behind.head.header('content-encoding'), undefined);
    await publish(secure.url, 'tls', 'hello');
    for (const stream of [before, behind]) {
      assert.equal((await stream.event()).type, 'joined');
      assert.equal((await stream.event()).data, 'hello');
      stream.destroy();
    }
    return secure.stop();
  });

  it('curl -N shows every message as it arrives, compressed or not', async () => {
    for (const more of [[], ['--compressed']]) {
      const room = `curl${more.length}`;
      const args = ['-sN', ...more, '-H', 'Accept: text/event-stream', `${server.url}/rooms/${room}`];
      let sent = false;
      const printed = await printedBy('curl', args, (text) => text.includes('data: hello\n\n'), (text) => {
        if (sent || !text.includes('event: joined')) return;
        sent = true;
        publish(server.url, room, 'hello');
      });
      assert.match(printed, /^retry: \d+\n:\n\nevent: joined\nid: \S+\ndata: \S+\n\nid: \S+\ndata: hello\n\n$/);
    }
  });

  it('an HTTP/1.0 client gets no chunks, and the body ends with the connection', async () => {
    const drained = await startServer();
    const stream = await RoomStream.open(drained.url, 'old', { version: '1.0', headers: { Connection: 'keep-alive' } });
    assert.equal(stream.head.header('transfer-encoding'), undefined);
    assert.equal(stream.head.header('connection'), 'close');
    assert.equal((await stream.event()).type, 'joined');
    await publish(drained.url, 'old', 'hello');
    assert.equal((await stream.event()).data, 'hello');
    drained.process.kill('SIGTERM');
    assert.equal((await stream.event()).type, 'bye');
    await stream.expectEnd({ complete: false });
    await drained.expectExit(0);
  });

  it('a client that sends Connection: close is served like any other', async () => {
    const stream = await joined('close', { headers: { Connection: 'close' } });
    await publish(server.url, 'close', 'hello');
    assert.equal((await stream.event()).data, 'hello');
    stream.destroy();
  });

  it('?transport=sse works for tools that cannot set header fields', async () => {
    const stream = await joined('tool', { query: '?transport=sse', headers: { Accept: '*/*' } });
    stream.destroy();
  });

  it('an invalid request gets a response with the reason, which a listed origin may read', async () => {
    for (const [query, code, word] of [
      ['?since=x', 'bad_cursor', /since/],
      ['?history=-1', 'bad_history', /history/],
      ['?dialect=klingon', 'bad_dialect', /roomcast\.raw\.v1/],
      ['?transport=pigeon', 'bad_transport', /sse/],
    ]) {
      const headers = { Accept: 'text/event-stream', Origin: listed };
      const response = await fetchOnce(server.url, 'GET', `/rooms/x${query}`, { headers });
      assert.match(errorMessage(response, 400), word);
      assert.equal(response.json.error.code, code);
      assert.equal(response.header('access-control-allow-origin'), listed);
    }
  });

  it('pages of listed origins may read it, other origins get 403', async () => {
    const stream = await joined('cors', { headers: { Origin: listed } });
    assert.equal(stream.head.header('access-control-allow-origin'), listed);
    stream.destroy();
    const headers = { Accept: 'text/event-stream', Origin: 'https://other.example' };
    errorMessage(await fetchOnce(server.url, 'GET', '/rooms/cors', { headers }), 403);
  });
});
