// History retention of rooms: limits, rules for some rooms, reload, and the limit for all rooms together.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { LOG, METRICS } from '../support/contract.js';
import { eventually } from '../support/deadline.js';
import { HttpConnection, fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { runToEnd, startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { CLOSE } from '../support/ws_frames.js';

const directory = scratchDirectory();
const config = path.join(directory, 'roomcast.toml');
const HISTORY_BYTES = 'roomcast_history_bytes';
const REMEMBERED = 'roomcast_rooms_remembered';

const join = (server, room, query = '') => connect(server.url, { path: `/rooms/${room}${query}` });

/** Publishes each of the texts and returns their cursors. */
async function publish(server, room, texts, connection) {
  const own = connection ?? (await HttpConnection.open(server.url));
  const cursors = [];
  for (const body of texts) {
    const response = await own.request('POST', `/rooms/${room}`, { body, headers: { 'Content-Type': 'text/plain' } });
    assert.equal(response.status, 200, response.text);
    cursors.push(response.json.cursor);
  }
  if (!connection) own.close();
  return cursors;
}

const numbers = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => `${first + i}`);
const offset = (cursor) => Number(cursor.split('-')[1]);
const before = (cursor, by = 1) => cursor.replace(/\d+$/, (text) => `${Number(text) - by}`);

/** All texts of the history, in order, that a client joining with `query` receives. */
async function past(server, room, query) {
  const end = `end ${Math.random()}`;
  const client = await join(server, room, query);
  await client.text(end);
  const texts = [];
  for (let text = await client.nextText(); text !== end; text = await client.nextText()) texts.push(text);
  await client.close();
  return texts;
}

/** The number of messages that the room retains. */
async function kept(server, room, most) {
  const client = await join(server, room, `?history=1000000&echo=0`);
  const texts = [];
  while (texts.length < most) texts.push(await client.nextText());
  await client.close();
  return texts;
}

/** The earliest cursor, as reported by the close of a gap. */
async function gap(server, room, since) {
  const client = await join(server, room, `?since=${since}`);
  const frame = await client.next();
  client.destroy();
  assert.equal(frame.opcode, CLOSE, frame.payload.toString());
  assert.equal(frame.payload.readUInt16BE(), 4410);
  const reason = frame.payload.subarray(2).toString();
  return /^messages are missing; the earliest cursor is ([0-9a-f]{16}-\d+)$/.exec(reason)?.[1] ?? assert.fail(reason);
}

async function reload(server) {
  const mark = server.mark();
  server.reload();
  await server.waitForLog(LOG.reloaded, { mark });
  await fetchOnce(server.url, 'GET', '/healthz');
}

describe('default history', async () => {
  const server = await startServer();
  after(() => server.stop());

  it('the last messages when joining, in order; none unless requested', async () => {
    await publish(server, 'entry', numbers(1, 5));
    assert.deepEqual(await past(server, 'entry', '?history=3'), ['3', '4', '5']);
    assert.deepEqual(await past(server, 'entry2', '?history=3'), []);
    await publish(server, 'entry3', numbers(1, 5));
    assert.deepEqual(await past(server, 'entry3', ''), []);
    await publish(server, 'entry4', numbers(1, 5));
    assert.deepEqual(await past(server, 'entry4', '?history=0'), []);
  });

  it('after every cursor exactly the messages that followed it', async () => {
    const cursors = await publish(server, 'resume', numbers(1, 10));
    assert.deepEqual(cursors.map(offset), numbers(1, 10).map(Number));
    for (let i = 0; i < 10; i += 3) {
      const texts = await past(server, 'resume', `?since=${cursors[i]}`);
      assert.deepEqual(texts.filter((text) => !text.startsWith('end')), numbers(i + 2, 10));
    }
  });

  it('a room without members keeps its history', async () => {
    const client = await join(server, 'left');
    const [cursor] = await publish(server, 'left', ['one']);
    await client.expectText('one');
    await client.close();
    await eventually(async () => (await server.metric(METRICS.connections, /websocket/)) === 0, 'all clients to leave');
    await publish(server, 'left', ['two']);
    const again = await join(server, 'left', `?since=${cursor}`);
    await again.expectText('two');
    await again.close();
  });

  it('100 messages are retained; an earlier cursor is a gap that names the earliest one', async () => {
    const cursors = await publish(server, 'hundred', numbers(1, 101));
    assert.deepEqual(await kept(server, 'hundred', 100), numbers(2, 101));
    assert.equal(await gap(server, 'hundred', before(cursors[0])), cursors[0]);
    const client = await join(server, 'hundred', `?since=${cursors[0]}`);
    for (const text of numbers(2, 101)) await client.expectText(text);
    await client.close();
  });

  it('a cursor of the future or of another log is a gap, an invalid one an error', async () => {
    const [cursor] = await publish(server, 'foreign', ['one']);
    assert.equal(await gap(server, 'foreign', before(cursor, -1)), before(cursor));
    const other = cursor.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    assert.equal(await gap(server, 'foreign', other), before(cursor));
    const response = await fetchOnce(server.url, 'GET', '/rooms/foreign?since=rubbish', { headers: { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Version': '13' } });
    assert.equal(response.status, 400);
    assert.equal(response.json.error.code, 'bad_cursor');
  });

  it('a history of many pages arrives whole and in order, followed by live messages', async () => {
    const filler = 'x'.repeat(9_000);
    await publish(server, 'pages', numbers(1, 100).map((number) => `${number} ${filler}`));
    const client = await join(server, 'pages', '?history=100');
    await publish(server, 'pages', ['live']);
    for (const number of numbers(1, 100)) await client.expectText(`${number} ${filler}`);
    await client.expectText('live');
    await client.close();
  });
});

describe('history settings', () => {
  it('the bytes of a room are limited', async () => {
    const server = await startServer({ set: { 'history.bytes': 10_000 } });
    const cursors = await publish(server, 'lobby', numbers(1, 20).map((number) => number.padEnd(900)));
    const earliest = await gap(server, 'lobby', before(cursors[0]));
    const count = offset(cursors[19]) - offset(earliest);
    assert.ok(count >= 8 && count <= 11, `${count} messages of 900 bytes in 10,000`);
    assert.equal((await kept(server, 'lobby', count))[0], `${21 - count}`.padEnd(900));
    await publish(server, 'lobby', ['x'.repeat(10_000)]);
    assert.equal(offset(await gap(server, 'lobby', cursors[19])), 21, 'what is larger than the bound is not kept');
    await server.stop();
  });

  it('messages that are too old are evicted, rooms too, and the epoch shows it', async () => {
    const server = await startServer({ set: { 'history.age_seconds': 0.4 } });
    const client = await join(server, 'lobby');
    const [cursor] = await publish(server, 'lobby', ['old']);
    await client.expectText('old');
    await eventually(async () => offset(await gap(server, 'lobby', before(cursor)).catch(() => '-0')) === 1, 'the message gone');
    await client.close();
    await server.metricBecomes(REMEMBERED, (rooms) => rooms === 0);
    await server.metricBecomes(HISTORY_BYTES, (bytes) => bytes === 0);
    const earliest = await gap(server, 'lobby', cursor);
    assert.notEqual(earliest.split('-')[0], cursor.split('-')[0]);
    assert.equal(offset(earliest), 0);
    await server.stop();
  });

  it('a room without retention can be resumed at its newest position only', async () => {
    const server = await startServer({ set: { 'history.messages': 0 } });
    const [first, second] = await publish(server, 'lobby', ['one', 'two']);
    const client = await join(server, 'lobby', `?since=${second}`);
    await publish(server, 'lobby', ['three']);
    await client.expectText('three');
    await client.close();
    assert.equal(offset(await gap(server, 'lobby', first)), 3);
    assert.deepEqual(await past(server, 'lobby', '?history=10'), []);
    await server.stop();
  });

  it('rules of [[rooms]]: the first match applies, and a reload applies them to existing rooms', async () => {
    const rule = (match, lines) => `[[rooms]]\nmatch = "${match}"\n${lines}\n`;
    fs.writeFileSync(config, `${rule('chat/vip', 'history_messages = 5')}${rule('chat/*', 'history_messages = 2')}${rule('**', 'history_age_seconds = 500')}`);
    const server = await startServer({ args: ['--config', config] });
    const rooms = ['chat/vip', 'chat/lobby', 'chat/a/b'];
    const cursors = {};
    for (const room of rooms) cursors[room] = await publish(server, room, numbers(1, 8));
    const earliest = async () => Promise.all(rooms.map(async (room) => offset(await gap(server, room, cursors[room][7].replace(/\d+$/, '9')))));
    assert.deepEqual(await earliest(), [3, 6, 0]);

    fs.writeFileSync(config, `${rule('chat/**', 'history_messages = 4')}`);
    await reload(server);
    assert.deepEqual(await earliest(), [4, 6, 4]);

    fs.writeFileSync(config, `${rule('chat/**', 'history_mesages = 4')}`);
    const mark = server.mark();
    server.reload();
    await server.waitForLog(/reload refused.*roomcast\.toml:3:.*did you mean history_messages/, { mark });
    assert.deepEqual(await earliest(), [4, 6, 4]);

    fs.writeFileSync(config, '');
    await reload(server);
    await publish(server, 'chat/lobby', numbers(9, 12));
    assert.equal(offset(await gap(server, 'chat/lobby', before(cursors['chat/lobby'][0]))), 6);
    await server.stop();
  });

  it('the configuration is printed, and mistakes are shown with their place', async () => {
    fs.writeFileSync(config, '[[rooms]]\nmatch = "chat/**"\nhistory_bytes = 5\n');
    const printed = await runToEnd(['--config', config, '--set', 'history.messages=7', '--print-config']);
    assert.equal(printed.code, 0, printed.stderr);
    assert.match(printed.stdout, /^rooms = \[\{ match = "chat\/\*\*", history_bytes = 5 \}\] {2}# .*roomcast\.toml:1$/m);
    assert.match(printed.stdout, /^\[history\]\nmessages = 7 {2}# --set$/m);
    fs.writeFileSync(config, '[[rooms]]\nhistory_bytes = 5\n\n[[rooms]]\nmatch = ""\n');
    const refused = await runToEnd(['--config', config, '--check-config']);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /roomcast\.toml:1:1: rooms: expected match in every element/);
  });

  it('all rooms together: empty rooms are evicted first, then the oldest messages of the least recently used', async () => {
    const server = await startServer({ set: { 'history.total_bytes': 300_000 } });
    const body = numbers(1, 10).map((number) => number.padEnd(5_000));
    const cursors = {};
    const visitor = await join(server, 'visited');
    const [visited] = await publish(server, 'visited', ['x']);
    await visitor.expectText('x');
    await visitor.close();
    for (const room of ['a', 'b', 'c', 'd', 'e']) cursors[room] = await publish(server, room, body);
    await publish(server, 'a', ['again']);
    for (const room of ['f', 'g']) cursors[room] = await publish(server, room, body);
    assert.ok((await server.metric(HISTORY_BYTES)) <= 300_000);
    assert.notEqual((await gap(server, 'visited', before(visited))).split('-')[0], visited.split('-')[0]);
    const later = (room) => gap(server, room, cursors[room][9].replace(/\d+$/, '99'));
    const lost = {};
    for (const room of ['a', 'b', 'c', 'g']) lost[room] = offset(await later(room));
    assert.equal(lost.g, 0);
    assert.ok(lost.b > 0 || (await later('b')).split('-')[0] !== cursors.b[0].split('-')[0], 'the quietest has lost');
    assert.equal(lost.a, 0, 'a was used again');
    await server.stop();
  });

  it('any number of room names stays within the memory limit', async () => {
    const server = await startServer({ set: { 'history.total_bytes': 1_000_000 } });
    const connections = await Promise.all(Array.from({ length: 8 }, () => HttpConnection.open(server.url)));
    const rooms = 12_000;
    await Promise.all(connections.map(async (connection, n) => {
      for (let i = n; i < rooms; i += connections.length) {
        const response = await connection.request('POST', `/rooms/flood/${i}`, { body: 'x'.repeat(i % 200), headers: { 'Content-Type': 'text/plain' } });
        assert.equal(response.status, 200);
      }
    }));
    connections.forEach((connection) => connection.close());
    const bytes = await server.metric(HISTORY_BYTES);
    assert.ok(bytes <= 1_001_000 && bytes > 500_000, `${bytes} bytes`);
    assert.ok((await server.metric(REMEMBERED)) < 3_000);
    await server.stop();
  });

  it('another process is another epoch: an earlier cursor is a gap', async () => {
    const first = await startServer();
    const [cursor] = await publish(first, 'lobby', ['one']);
    await first.stop();
    const second = await startServer();
    const earliest = await gap(second, 'lobby', cursor);
    assert.equal(offset(earliest), 0);
    assert.notEqual(earliest.split('-')[0], cursor.split('-')[0]);
    await second.stop();
  });
});
