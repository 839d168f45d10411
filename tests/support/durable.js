// A server that keeps its history on the disk.

import assert from 'node:assert/strict';
import { pollsOf } from './polls.js';
import { fetchOnce } from './raw_http.js';
import { parseCursor } from './room_client.js';
import { startServer } from './server.js';

export { newStore } from './server.js';

export const json = { 'Content-Type': 'application/json' };
export const text = { 'Content-Type': 'text/plain' };
const running = new Set();
/** Ends those that a failed test has left. */
export async function killAll() {
  for (const server of running) if (server.running) await server.kill();
}

/** A server that keeps its history in `directory`; `start`: another way to start it. */
export async function durable(directory, { set = {}, start = startServer, ...options } = {}) {
  const server = await start({ ...options, set: { 'store.path': directory, ...set } });
  running.add(server);
  return server;
}
export const post = (server, room, body, headers = text, query = '') => fetchOnce(server.url, 'POST', `/rooms/${room}${query}`, { body, headers });
/** The receipt of a publish that must succeed. */
export async function receiptOf(...args) {
  const response = await post(...args);
  assert.equal(response.status, 200, response.text);
  return response.json;
}
/** The results of a batch. */
export const batch = async (server, messages) => {
  const response = await fetchOnce(server.url, 'POST', '/api/publish', { body: JSON.stringify({ messages }), headers: json });
  assert.equal(response.status, 200, response.text);
  return response.json.results;
};
/** The answer to a poll. */
export const poll = (server, room, query = '?history=1000') => pollsOf(server.url).poll(room, query);
export const epochOf = (cursor) => parseCursor(cursor).epoch;
export const offsetOf = (cursor) => parseCursor(cursor).offset;
/** The cursor before all messages of that log. */
export const before_first = (cursor) => `${epochOf(cursor)}-0`;
