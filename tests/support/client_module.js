// The client module for tests: with a WebSocket for Node before 22, short timing, and a record of its events.

import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { connect } from '../../web/client/roomcast.js';
import { eventually, seconds } from './deadline.js';

/** Deadlines short enough for tests that wait for them. */
export const QUICK = { doubtMs: seconds(1), climbMs: 200, climbCapMs: 400, stableMs: 500, presenceMs: 200 };

/** A client that is closed with the test `t`; `client.states` lists all its states. */
export function join(t, url, { room: name = 'lobby', since, history, presence, timing, ...options } = {}) {
  const client = connect(url, { WebSocket, timing: { ...QUICK, ...timing }, ...options });
  t.after(() => client.close());
  client.states = [];
  client.on('state', (state) => client.states.push(state));
  return { client, room: record(client.room(name, { since, history, presence })) };
}

/** Records a room's events: `room.received` (data and gaps in order), `room.messages`, `room.gaps`, `room.presenceEvents`. */
export function record(room) {
  Object.assign(room, { received: [], messages: [], gaps: [], presenceEvents: [], errors: [], joins: 0 });
  room.on('message', (message) => {
    room.messages.push(message);
    room.received.push(message.data);
  });
  room.on('gap', (gap) => {
    room.gaps.push(gap);
    room.received.push('(gap)');
  });
  room.on('joined', () => (room.joins += 1));
  room.on('error', (error) => room.errors.push(error));
  for (const event of ['join', 'leave']) room.on(event, ({ member }) => room.presenceEvents.push(`${event} ${member.name}`));
  return room;
}

export const isJoined = (room, times = 1) => eventually(() => room.joins >= times, `${room.name} joined`);

export const isState = (client, name, transport) =>
  eventually(() => client.state.name === name && (!transport || client.state.transport === transport), `the state ${name} ${transport ?? ''}`);

export async function receives(room, ...expected) {
  await eventually(() => room.received.length >= expected.length, `${expected.length} messages, received ${JSON.stringify(room.received).slice(-300)}`);
  assert.deepEqual(room.received, expected);
}

/** Publishes without the client. */
export async function post(url, data, { room = 'lobby', type = 'text/plain' } = {}) {
  const answer = await fetch(`${url}/rooms/${room}`, { method: 'POST', headers: { 'Content-Type': type }, body: data });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}
