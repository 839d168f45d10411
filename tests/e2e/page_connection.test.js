// The page's connection as a state machine: fake sockets, a fake clock, no browser.

import assert from 'node:assert/strict';
import test from 'node:test';
import { BASE_MS, CAP_MS } from '../../web/backoff.js';
import { CONNECT_DEADLINE_MS, Connection, STABLE_MS } from '../../web/connection.js';

/** A connection whose sockets, time and luck are in the test's hand. */
function bench({ luck = 0.5 } = {}) {
  const sockets = [];
  const states = [];
  const heard = [];
  const world = { online: true, time: 0, timers: [] };
  const clock = {
    now: () => world.time,
    setTimeout: (callback, delayMs) => {
      const timer = { callback, at: world.time + delayMs };
      world.timers.push(timer);
      return timer;
    },
    clearTimeout: (timer) => {
      world.timers = world.timers.filter((other) => other !== timer);
    },
  };
  const openSocket = (url) => {
    const socket = { url, sent: [], closed: false, send: (data) => socket.sent.push(data), close: () => (socket.closed = true) };
    sockets.push(socket);
    return socket;
  };
  const connection = new Connection('ws://h.test/rooms/lobby', {
    openSocket,
    clock,
    random: () => luck,
    isOnline: () => world.online,
    onState: (state) => states.push(state),
    onMessage: (data) => heard.push(data),
  });
  const advance = (ms) => {
    world.time += ms;
    const due = world.timers.filter((timer) => timer.at <= world.time);
    for (const timer of due) clock.clearTimeout(timer);
    for (const timer of due) timer.callback();
  };
  const last = () => sockets.at(-1);
  const names = () => states.map((state) => state.name);
  const goLive = () => {
    connection.open();
    last().onopen();
  };
  return { connection, sockets, states, heard, world, advance, last, names, goLive };
}

test('it connects, hears in order and sends', () => {
  const { connection, states, heard, last, names, goLive } = bench();
  assert.equal(connection.send('early'), false);
  goLive();
  assert.deepEqual(names(), ['connecting', 'live']);
  assert.equal(last().binaryType, 'arraybuffer');
  last().onmessage({ data: 'a' });
  last().onmessage({ data: 'b' });
  assert.deepEqual(heard, ['a', 'b']);
  assert.equal(connection.send('x'), true);
  assert.deepEqual(last().sent, ['x']);
  connection.open();
  assert.equal(states.length, 2, 'open while live does nothing');
});

test('a broken line is tried again after the back-off, which grows', () => {
  const { sockets, states, advance, last, goLive } = bench();
  goLive();
  for (const attempt of [0, 1, 2]) {
    last().onclose({ code: 1006, reason: '' });
    const waiting = states.at(-1);
    assert.equal(waiting.name, 'waiting');
    const delay = (BASE_MS * 2 ** attempt) / 2;
    const before = sockets.length;
    advance(delay - 1);
    assert.equal(sockets.length, before);
    advance(1);
    assert.equal(sockets.length, before + 1);
  }
});

test('only a line that stayed up for a while starts the back-off anew', () => {
  const { states, world, advance, last, goLive } = bench();
  const delayAfterClose = () => {
    last().onclose({ code: 1006, reason: '' });
    return states.at(-1).retryAt - world.time;
  };
  goLive();
  const first = delayAfterClose();
  advance(first);
  last().onopen();
  advance(STABLE_MS - 1);
  const second = delayAfterClose();
  assert.equal(second, first * 2);
  advance(second);
  last().onopen();
  advance(STABLE_MS);
  assert.equal(delayAfterClose(), first);
});

test('the wait never exceeds the cap', () => {
  const { states, world, advance, last, connection } = bench({ luck: 1 });
  connection.open();
  for (let i = 0; i < 20; i += 1) {
    last().onclose({ code: 1006, reason: '' });
    const delay = states.at(-1).retryAt - world.time;
    assert.ok(delay <= CAP_MS);
    advance(delay);
  }
});

test('a refusal is final until the user asks', () => {
  const { connection, sockets, states, world, advance, last, goLive } = bench();
  goLive();
  last().onclose({ code: 1008, reason: 'banned' });
  assert.equal(states.at(-1).name, 'closed');
  assert.match(states.at(-1).reason, /banned/);
  assert.equal(world.timers.length, 0);
  connection.wake();
  advance(CAP_MS * 10);
  assert.equal(sockets.length, 1);
  connection.open();
  assert.equal(sockets.length, 2);
});

test('1012 is retried at once, 1013 with more patience, 1009 is blamed on the message', () => {
  const delays = [1012, 1013, 1009].map((code) => {
    const { states, last, goLive } = bench();
    goLive();
    last().onclose({ code, reason: '' });
    return states.at(-1);
  });
  assert.deepEqual(delays.map((state) => state.retryAt), [BASE_MS / 2, (BASE_MS * 8) / 2, BASE_MS / 2]);
  assert.deepEqual(delays.map((state) => state.blamesMessage), [false, false, true]);
});

test('waking ends the wait; while live it changes nothing', () => {
  const { connection, sockets, last, goLive, names } = bench();
  goLive();
  connection.wake();
  assert.equal(sockets.length, 1);
  last().onclose({ code: 1006, reason: '' });
  connection.wake();
  assert.equal(sockets.length, 2);
  assert.equal(names().at(-1), 'connecting');
});

test('without a network nothing is tried until it is back', () => {
  const { connection, sockets, world, advance, names, goLive } = bench();
  goLive();
  world.online = false;
  connection.lost();
  assert.equal(names().at(-1), 'offline');
  assert.equal(sockets[0].closed, true);
  advance(CAP_MS * 10);
  connection.wake();
  assert.equal(sockets.length, 1);
  world.online = true;
  connection.wake();
  assert.equal(sockets.length, 2);
});

test('a line that breaks while the network is gone waits for the network, not for a timer', () => {
  const { world, last, names, goLive } = bench();
  goLive();
  world.online = false;
  last().onclose({ code: 1006, reason: '' });
  assert.equal(names().at(-1), 'offline');
  assert.equal(world.timers.length, 0);
});

test('an attempt that hangs is given up at its deadline', () => {
  const { connection, sockets, advance, states, names } = bench();
  connection.open();
  advance(CONNECT_DEADLINE_MS - 1);
  assert.equal(names().at(-1), 'connecting');
  advance(1);
  assert.equal(states.at(-1).name, 'waiting');
  assert.equal(sockets[0].closed, true);
});

test('nothing of an abandoned socket is heard', () => {
  const { connection, last, goLive, names } = bench();
  goLive();
  const old = last();
  connection.distrust('silence');
  assert.equal(names().at(-1), 'waiting');
  assert.deepEqual([old.onmessage, old.onclose, old.onopen, old.closed], [null, null, null, true]);
});

test('closed is closed: no timer stays behind', () => {
  const { connection, world, goLive, names } = bench();
  goLive();
  connection.close();
  assert.equal(names().at(-1), 'closed');
  assert.equal(world.timers.length, 0);
  assert.equal(connection.send('x'), false);
});
