// The client module as the tests use it: with a WebSocket for Node before 22, quick timing, and a record of what it said.

import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { connect } from '../../web/client/roomcast.js';
import { eventually, seconds } from './deadline.js';

/** Deadlines small enough for tests that wait for them. */
export const QUICK = { doubtMs: seconds(1), climbMs: 200, climbCapMs: 400, stableMs: 500, presenceMs: 200 };

/** A client that is closed with the test `t`; `client.states` are all states it went through. */
export function join(t, url, { room: name = 'lobby', since, history, presence, timing, ...options } = {}) {
  const client = connect(url, { WebSocket, timing: { ...QUICK, ...timing }, ...options });
  t.after(() => client.close());
  client.states = [];
  client.on('state', (state) => client.states.push(state));
  return { client, room: record(client.room(name, { since, history, presence })) };
}

/** Writes down what a room says: `room.heard` (data and gaps in their order), `room.messages`, `room.gaps`, `room.told`. */
export function record(room) {
  Object.assign(room, { heard: [], messages: [], gaps: [], told: [], errors: [], joins: 0 });
  room.on('message', (message) => {
    room.messages.push(message);
    room.heard.push(message.data);
  });
  room.on('gap', (gap) => {
    room.gaps.push(gap);
    room.heard.push('(gap)');
  });
  room.on('joined', () => (room.joins += 1));
  room.on('error', (error) => room.errors.push(error));
  for (const event of ['join', 'leave']) room.on(event, ({ member }) => room.told.push(`${event} ${member.name}`));
  return room;
}

export const isJoined = (room, times = 1) => eventually(() => room.joins >= times, `${room.name} joined`);

export const isState = (client, name, transport) =>
  eventually(() => client.state.name === name && (!transport || client.state.transport === transport), `the state ${name} ${transport ?? ''}`);

export async function hears(room, ...expected) {
  await eventually(() => room.heard.length >= expected.length, `${expected.length} messages, heard ${JSON.stringify(room.heard).slice(-300)}`);
  assert.deepEqual(room.heard, expected);
}

/** Publishes past the client. */
export async function post(url, data, { room = 'lobby', type = 'text/plain' } = {}) {
  const answer = await fetch(`${url}/rooms/${room}`, { method: 'POST', headers: { 'Content-Type': type }, body: data });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}
