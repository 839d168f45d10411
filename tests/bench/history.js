// The memory of a retained message and of a room, compared with the server's own accounting:
//     node tests/bench/history.js [MESSAGES] [ROOMS]
// "really": given out by its allocator (roomcast_memory_bytes); "counted": roomcast_history_bytes, which is limited by
// history.bytes and history.total_bytes.

import assert from 'node:assert/strict';
import { eventually } from '../support/deadline.js';
import { HttpConnection } from '../support/raw_http.js';
import { startServer } from '../support/server.js';

const messages = Number(process.argv[2] ?? 50_000);
const rooms = Number(process.argv[3] ?? 50_000);
const connection_count = 8;

/** Posts `count` bodies of `bytes` bytes, the i-th to the room `room(i)`. */
async function post(server, count, bytes, room) {
  const body = Buffer.alloc(bytes, 'x');
  const one = async (connection, first) => {
    for (let i = first; i < count; i += connection_count) {
      const { status } = await connection.request('POST', `/rooms/${room(i)}`, { body });
      assert.equal(status, 200);
    }
    connection.close();
  };
  const connections = await Promise.all(Array.from({ length: connection_count }, () => HttpConnection.open(server.url)));
  await Promise.all(connections.map(one));
}

/** The metrics, once the allocator's has been updated. */
async function figures(server) {
  const seen = new Set();
  await eventually(async () => seen.add(await server.metric('roomcast_turn_duration_seconds_count')).size > 25, 'a look');
  return { really: await server.metric('roomcast_memory_bytes'), counted: await server.metric('roomcast_history_bytes') };
}

async function measure(what, set, count, bytes, room) {
  const limits = { 'history.age_seconds': 86400, 'history.total_bytes': 2 ** 34, 'limits.memory_bytes': 2 ** 34 };
  const server = await startServer({ set: { ...limits, ...set } });
  await post(server, 100, bytes, () => 'first');
  const before = await figures(server);
  await post(server, count, bytes, room);
  const after = await figures(server);
  await server.stop();
  const each = (name) => (after[name] - before[name]) / count;
  const share = each('counted') / each('really');
  console.log(`| ${what} | ${each('really').toFixed(0)} | ${each('counted').toFixed(0)} | ${share.toFixed(2)} |`);
}

const many = { 'history.messages': 1_000_000, 'history.bytes': 2 ** 30 };
const name = (length) => (i) => `${i}`.padStart(length, 'r');
console.log('| bytes each | really | counted | counted / really |\n| --- | --- | --- | --- |');
await measure('message of 100 bytes, all in one room', many, messages, 100, () => 'lobby');
await measure('message of 100 bytes, 100 in each of many rooms', {}, messages, 100, (i) => `room${Math.floor(i / 100)}`);
await measure('message of 1,000 bytes, all in one room', many, messages, 1000, () => 'lobby');
await measure('room that keeps nothing, name of 10 bytes', { 'history.messages': 0 }, rooms, 100, name(10));
await measure('room that keeps nothing, name of 100 bytes', { 'history.messages': 0 }, rooms, 100, name(100));
await measure('room with one message of 100 bytes, name of 10 bytes', {}, rooms, 100, name(10));
