// A room as an endless response of JSON lines.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { METRICS } from '../support/contract.js';
import { eventually, patience, within } from '../support/deadline.js';
import { errorMessage, fetchOnce } from '../support/raw_http.js';
import { RoomStream, publish } from '../support/room_stream.js';
import { startServer } from '../support/server.js';

const server = await startServer();
const brisk = await startServer({ set: { 'websocket.ping_seconds': 0.2 } });

const open = (room, options) => RoomStream.open(server.url, room, { kind: 'stream', ...options });

/** Opens a stream and skips the lines that announce its start. */
async function joined(room, options) {
  const stream = await open(room, options);
  const { type, room: name } = await stream.line();
  assert.deepEqual([type, name], ['ok', room]);
  return stream;
}

/** The lines of a stream of text, however it is cut into pieces. */
async function* linesOf(pieces) {
  let text = '';
  for await (const part of pieces) {
    const lines = (text + part).split('\n');
    text = lines.pop();
    for (const line of lines) if (line !== '') yield JSON.parse(line);
  }
}

describe('a stream of JSON lines', { concurrency: 4 }, () => {
  after(async () => {
    for (const one of [server, brisk]) await one.stop();
  });

  it('begins with its position, then has a line for every message', async () => {
    const stream = await open('lines');
    assert.equal(stream.head.header('cache-control'), 'no-store, no-transform');
    assert.equal(stream.head.header('vary'), 'Accept, Accept-Encoding, Origin');
    const first = await stream.line();
    assert.match(first.cursor, /^[0-9a-f]{16}-0$/);
    assert.deepEqual(first, { type: 'ok', room: 'lines', cursor: first.cursor });
    const begun = Date.now();
    const { cursor } = await publish(server.url, 'lines?name=ada', 'hello\n"you"');
    const message = await stream.line();
    assert.ok(Math.abs(message.time - begun) < 60000);
    assert.deepEqual(message, { type: 'message', room: 'lines', cursor, time: message.time, from: 'ada', data: 'hello\n"you"' });
    stream.destroy();
  });

  it('JSON is sent as it was published, on one line; binary is base64', async () => {
    const stream = await joined('kinds');
    await publish(server.url, 'kinds', '{"a" :\r\n 1.0}', 'application/json');
    assert.match(await stream.rawLine(), /,"data":\{"a" : {2} 1\.0\}\}$/);
    await publish(server.url, 'kinds', Buffer.from([0, 255]), 'application/octet-stream');
    const { data, data_base64 } = await stream.line();
    assert.deepEqual([data, data_base64], [undefined, 'AP8=']);
    stream.destroy();
  });

  it('fetch reads it as it arrives, and leaves by aborting', async () => {
    const leaving = new AbortController();
    const response = await fetch(`${server.url}/rooms/fetch`, { headers: { Accept: 'application/x-ndjson' }, signal: leaving.signal });
    assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
    assert.equal(response.headers.get('content-encoding'), 'gzip'); // which fetch requests by default
    const lines = linesOf(response.body.pipeThrough(new TextDecoderStream()));
    const next = async () => (await within(patience, lines.next(), 'a line')).value;
    assert.equal((await next()).type, 'ok');
    for (let i = 0; i < 3; i += 1) {
      await publish(server.url, 'fetch', `m${i}`);
      assert.equal((await next()).data, `m${i}`);
    }
    leaving.abort();
    await assert.rejects(next(), { name: 'AbortError' });
    await eventually(async () => (await publish(server.url, 'fetch', 'x')).subscribers === 0, 'the client to be gone');
  });

  it('curl -N shows every line as it arrives', async () => {
    for (const more of [[], ['--compressed']]) {
      const room = `curl${more.length}`;
      const child = spawn('curl', ['-sN', ...more, '-H', 'Accept: application/x-ndjson', `${server.url}/rooms/${room}`], { stdio: ['ignore', 'pipe', 'inherit'] });
      const lines = linesOf(child.stdout.setEncoding('utf8'));
      const next = async (what) => (await within(patience, lines.next(), what)).value;
      assert.equal((await next('the first line')).type, 'ok');
      await publish(server.url, room, 'hello');
      assert.equal((await next('the second line')).data, 'hello');
      child.kill();
    }
  });

  it('resumes from a cursor, and reports a gap where it cannot', async () => {
    const cursors = [];
    for (let i = 1; i <= 4; i += 1) cursors.push((await publish(server.url, 'resume', `m${i}`)).cursor);
    const whole = await joined('resume', { query: `?since=${cursors[1]}` });
    assert.deepEqual([(await whole.line()).data, (await whole.line()).data], ['m3', 'm4']);
    whole.destroy();
    const broken = await open('resume', { query: '?since=0123456789abcdef-9&history=1' });
    const start = cursors[0].replace(/1$/, '');
    assert.deepEqual(await broken.line(), { type: 'gap', room: 'resume', cursor: `${start}3`, earliest: `${start}0` });
    assert.equal((await broken.line()).data, 'm4');
    broken.destroy();
    errorMessage(await fetchOnce(server.url, 'GET', '/rooms/resume?since=x&transport=stream'), 400);
  });

  it('a long history arrives whole, before new messages', async () => {
    const text = 'p'.repeat(9000);
    for (let i = 0; i < 100; i += 1) await publish(server.url, 'past', `${i} ${text}`);
    const stream = await joined('past', { query: '?history=100' });
    await publish(server.url, 'past', `100 ${text}`);
    for (let i = 0; i <= 100; i += 1) assert.equal((await stream.line()).data, `${i} ${text}`);
    stream.destroy();
  });

  it('a quiet stream gets an empty line every websocket.ping_seconds', async () => {
    const stream = await RoomStream.open(brisk.url, 'quiet', { kind: 'stream' });
    await stream.line();
    for (let i = 0; i < 3; i += 1) assert.equal(await stream.rawLine(), '');
    await publish(brisk.url, 'quiet', 'still here');
    assert.equal((await stream.line()).data, 'still here');
    stream.destroy();
  });

  it('HTTP/1.0 gets unchunked lines, with and without gzip', async () => {
    for (const headers of [{}, { 'Accept-Encoding': 'gzip' }]) {
      const stream = await joined('old', { version: '1.0', headers });
      assert.equal(stream.head.header('transfer-encoding'), undefined);
      assert.equal(stream.head.header('content-encoding'), headers['Accept-Encoding']);
      await publish(server.url, 'old', 'hello');
      assert.equal((await stream.line()).data, 'hello');
      stream.destroy();
    }
  });

  it('at a drain the last line is bye', async () => {
    const drained = await startServer({ set: { drain_seconds: 0.3 } });
    const stream = await RoomStream.open(drained.url, 'drain', { kind: 'stream', headers: { 'Accept-Encoding': 'gzip' } });
    await stream.line();
    drained.process.kill('SIGTERM');
    const { type, code, reason, retry_ms } = await stream.line();
    assert.deepEqual({ type, code, reason }, { type: 'bye', code: 1012, reason: 'server_shutdown' });
    assert.ok(retry_ms >= 0 && retry_ms <= 1300, retry_ms);
    await stream.expectEnd();
    await drained.expectExit(0);
  });

  it('all subscribers of a room get the same messages in the same order, over any transport', async () => {
    const clients = [await joined('all'), await joined('all', { headers: { 'Accept-Encoding': 'gzip' } })];
    const events = await RoomStream.open(server.url, 'all', { query: '?dialect=roomcast.v1' });
    assert.deepEqual(JSON.parse((await events.event()).data).type, 'ok');
    for (let i = 0; i < 20; i += 1) await publish(server.url, 'all', `m${i}`);
    for (let i = 0; i < 20; i += 1) {
      const [one, two] = [await clients[0].rawLine(), await clients[1].rawLine()];
      const { data, id, type } = await events.event();
      assert.equal(JSON.parse(one).data, `m${i}`);
      assert.equal(two, one);
      assert.equal(data, one);
      assert.deepEqual([type, id], ['message', JSON.parse(one).cursor]);
    }
    for (const client of [...clients, events]) client.destroy();
  });

  it('its clients and bytes have metrics of their own', async () => {
    const before = await brisk.metric('roomcast_sent_bytes_total', /"stream"/);
    const clients = await brisk.metric(METRICS.connections, /"stream"/);
    const stream = await RoomStream.open(brisk.url, 'counted', { kind: 'stream' });
    await stream.line();
    assert.equal(await brisk.metric(METRICS.connections, /"stream"/), clients + 1);
    assert.ok((await brisk.metric('roomcast_sent_bytes_total', /"stream"/)) > before);
    stream.destroy();
    await brisk.metricBecomes(METRICS.connections, (count) => count === clients, /"stream"/);
  });
});
