// Rooms by polling, with hand-written requests.

import assert from 'node:assert/strict';
import { eventually } from './deadline.js';
import { HttpConnection, fetchOnce, requestBytes } from './raw_http.js';

export const datas = ({ messages }) => messages.map(({ data }) => data);

/** The JSON of a successful poll `response`. */
export function answerOf(response) {
  assert.equal(response.status, 200, response.text);
  assert.equal(response.header('content-type'), 'application/json');
  assert.ok(response.text.endsWith('}\n'));
  const answer = response.json;
  assert.deepEqual(Object.keys(answer), ['room', 'cursor', 'gap', 'messages']);
  assert.equal(response.header('roomcast-cursor'), answer.cursor);
  if (answer.messages.length > 0) assert.equal(answer.messages.at(-1).cursor, answer.cursor);
  return answer;
}

/** Functions for polls at `target`; each call may use another server as `url`. */
export function pollsOf(target) {
  /** The whole response to a poll. */
  const ask = (room, query = '', { url = target, ...options } = {}) => fetchOnce(url, 'GET', `/rooms/${room}${query}`, options);

  /** The JSON of a poll that must succeed. */
  const poll = async (room, query, options) => answerOf(await ask(room, query, options));

  /** Publishes all of `texts` with one request; returns their cursors. */
  async function publishAll(room, texts, url = target) {
    const body = JSON.stringify({ messages: texts.map((data) => ({ room, data })) });
    const response = await fetchOnce(url, 'POST', '/api/publish', { body, headers: { 'Content-Type': 'application/json' } });
    assert.equal(response.status, 200, response.text);
    return response.json.results.map(({ cursor }) => cursor);
  }

  /** The number of members of the room. */
  async function subscribers(room, url = target) {
    const response = await fetchOnce(url, 'HEAD', `/rooms/${room}`);
    assert.equal(response.status, 200);
    return Number(response.header('roomcast-subscribers'));
  }

  const subscribersBecome = (room, count, url) => eventually(async () => (await subscribers(room, url)) === count, `${count} in ${room}`);

  /** `count` connections with a poll waiting in the room on each, which must have no other members. */
  async function waiting(room, count, { query = '?wait=50', url = target, ...options } = {}) {
    const connections = [];
    while (connections.length < count) {
      const some = Array.from({ length: Math.min(100, count - connections.length) }, () => HttpConnection.open(url));
      connections.push(...(await Promise.all(some)));
    }
    await Promise.all(connections.map((one) => one.send(requestBytes('GET', `/rooms/${room}${query}`, options))));
    await subscribersBecome(room, count, url);
    return connections;
  }

  return { ask, poll, publishAll, subscribers, subscribersBecome, waiting };
}
