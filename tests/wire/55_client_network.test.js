// The client module on networks that block transports; refusals, bye, limits.

import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import WebSocket, { WebSocketServer } from 'ws';
import { connect } from '../../web/client/roomcast.js';
import { eventually, seconds, sleep } from '../support/deadline.js';
import { behindRelay, isEventStream, isUpgrade } from '../support/relay.js';
import { QUICK, receives, isJoined, isState, join, post } from '../support/client_module.js';
import { startServer } from '../support/server.js';

const NEVER = { climbMs: 3_600_000, climbCapMs: 3_600_000 };

/** A minimal roomcast.v1 server: `onClient(socket)` is called after each welcome. */
async function scripted(t, onClient, onRequest = (_, response) => response.writeHead(503).end()) {
  const server = http.createServer(onRequest);
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'roomcast.v1' });
  sockets.on('connection', (socket) => {
    socket.say = (object) => socket.send(JSON.stringify(object));
    socket.say({ type: 'welcome', client: 'x', ping_ms: 25_000, limits: { message_bytes: 65_536 } });
    onClient(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

describe('a blocking network', { concurrency: 2 }, () => {
  for (const verdict of ['refuse', 'cut', 'swallow']) {
    it(`WebSocket (${verdict}): uses event streams and POST`, async (t) => {
      const { server, relay } = await behindRelay(t);
      relay.judge = (head) => (isUpgrade(head) ? verdict : undefined);
      const { client, room } = join(t, relay.url, { timing: NEVER });
      await isState(client, 'live', 'sse');
      await isJoined(room);
      await room.publish('through');
      await post(server.url, 'all the same');
      await receives(room, 'through', 'all the same');
    });

    it(`WebSocket and event streams (${verdict}): uses long polls`, async (t) => {
      const { server, relay } = await behindRelay(t);
      relay.judge = (head) => (isUpgrade(head) || isEventStream(head) ? verdict : undefined);
      const { client, room } = join(t, relay.url, { timing: { ...NEVER, connectMs: seconds(2) } });
      await isState(client, 'live', 'poll');
      await isJoined(room);
      await room.publish('through');
      await post(server.url, 'all the same');
      await receives(room, 'through', 'all the same');
    });
  }

  it('it climbs back when the network allows more, and loses and doubles nothing', async (t) => {
    const { server, relay } = await behindRelay(t, { set: { 'history.messages': 2000 } });
    relay.judge = (head) => (isUpgrade(head) || isEventStream(head) ? 'refuse' : undefined);
    const { client, room } = join(t, relay.url);
    await isState(client, 'live', 'poll');
    const expected = [];
    let saying = true;
    const said = (async () => {
      for (let n = 0; saying; n += 1) {
        expected.push(`${n}`);
        await post(server.url, `${n}`);
      }
    })();
    await eventually(() => relay.requests.filter(isUpgrade).length > 3, 'tries of the better transport');
    assert.equal(client.state.name, 'live', 'tries do not disturb');
    relay.judge = (head) => (isUpgrade(head) ? 'refuse' : undefined);
    await isState(client, 'live', 'sse');
    relay.judge = () => undefined;
    await isState(client, 'live', 'websocket');
    await sleep(50);
    saying = false;
    await said;
    await receives(room, ...expected);
    assert.deepEqual(room.gaps, []);
    const climb = client.states.slice(client.states.findIndex(({ name }) => name === 'live'));
    assert.deepEqual(climb.map(({ transport }) => transport), ['poll', 'sse', 'websocket'], 'live all the time');
  });

  it('publishes during the climb happen once', async (t) => {
    const { server, relay } = await behindRelay(t, { set: { 'history.messages': 2000 } });
    relay.judge = (head) => (isUpgrade(head) ? 'refuse' : undefined);
    const { client, room } = join(t, relay.url, { transports: ['websocket', 'poll'] });
    const { room: witness } = join(t, server.url);
    await isState(client, 'live', 'poll');
    await isJoined(witness);
    relay.judge = () => undefined;
    let n = 0;
    const receipts = [];
    while (client.state.transport !== 'websocket' || n < 20) {
      receipts.push(room.publish(n));
      n += 1;
      await sleep(10);
    }
    await Promise.all(receipts);
    await receives(witness, ...Array.from({ length: n }, (_, i) => i));
  });

  it('a server that is down does not count as a blocked transport', async (t) => {
    const { relay } = await behindRelay(t);
    relay.down = true;
    const { client, room } = join(t, relay.url);
    await eventually(() => client.states.filter(({ name }) => name === 'waiting').length >= 3, 'three tries');
    relay.down = false;
    await isState(client, 'live', 'websocket');
    await isJoined(room);
    assert.ok(!relay.requests.some(isEventStream));
  });

  it('links that end early although HTTP works are replaced by the next transport', async (t) => {
    const { relay } = await behindRelay(t);
    const { client } = join(t, relay.url, { timing: { ...NEVER, stableMs: 60_000 } });
    client.on('state', ({ transport }) => transport === 'websocket' && setImmediate(() => relay.cut()));
    await isState(client, 'live', 'sse');
    assert.ok(client.states.filter(({ transport }) => transport === 'websocket').length >= 2);
  });

  it('without a WebSocket class the next transport is the best', async (t) => {
    if (globalThis.WebSocket) return;
    const { server } = await behindRelay(t);
    const client = connect(server.url, { timing: QUICK });
    t.after(() => client.close());
    client.room('lobby');
    await isState(client, 'live', 'sse');
    assert.throws(() => connect(server.url, { transports: ['websocket'] }), /no WebSocket/);
  });
});

describe('messages of the server', { concurrency: 4 }, () => {
  it('bye with retry_ms: the client reconnects then, not earlier', async (t) => {
    const times = [];
    const url = await scripted(t, (socket) => {
      times.push(Date.now());
      if (times.length === 1) socket.say({ type: 'bye', code: 1012, reason: 'server_shutdown', retry_ms: 700 });
    });
    const { client } = join(t, url);
    await eventually(() => times.length === 2, 'the second connection');
    assert.ok(times[1] - times[0] >= 690, `${times[1] - times[0]} ms`);
    const waiting = client.states.find(({ name }) => name === 'waiting');
    assert.match(waiting.reason, /server_shutdown/);
    assert.ok(Math.abs(waiting.retryAt - times[0] - 700) < 500);
  });

  it('bye without retry_ms: the client stays closed, with the reason, until retry()', async (t) => {
    let connections = 0;
    const url = await scripted(t, (socket) => {
      connections += 1;
      if (connections === 1) socket.say({ type: 'bye', code: 1008, reason: 'kicked' });
    });
    const { client, room } = join(t, url);
    const lost = assert.rejects(room.publish('x'), { code: 'kicked' });
    await isState(client, 'closed');
    assert.equal(client.state.code, 'kicked');
    await lost;
    await assert.rejects(room.publish('y'), { code: 'kicked' });
    await sleep(300);
    assert.equal(connections, 1);
    client.retry();
    await isState(client, 'live', 'websocket');
  });

  it('it leaves a draining server and finds its successor', async (t) => {
    const server = await startServer({ set: { drain_seconds: 0.5 } });
    const { client, room } = join(t, server.url);
    await isJoined(room);
    // All states: the first attempt to reconnect may fail before the test looks.
    const reasons = [];
    client.on('state', ({ name, reason }) => name === 'waiting' && reasons.push(reason));
    await server.stop();
    await isState(client, 'waiting');
    assert.match(reasons[0], /shutdown/);
    const again = await startServer({ listen: [`http://127.0.0.1:${server.port}`] });
    t.after(() => again.kill());
    await isJoined(room, 2);
  });

  it('403 of the server closes the client, 403 of a proxy does not', async (t) => {
    let own = false;
    const server = http.createServer((_, response) => {
      response.writeHead(403).end(own ? '{"error":{"code":"origin_refused","message":"add it to origins"}}' : '<html>');
    });
    server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const { client } = join(t, `http://127.0.0.1:${server.address().port}`);
    await isState(client, 'waiting');
    own = true;
    await isState(client, 'closed');
    assert.deepEqual([client.state.code, client.state.reason], ['origin_refused', 'add it to origins']);
  });

  it('a publish that closed the connection is not repeated', async (t) => {
    let poisoned = 0;
    const url = await scripted(t, (socket) => {
      socket.on('message', (text) => {
        const { type, id, data } = JSON.parse(text);
        if (data === 'poison') {
          poisoned += 1;
          socket.close(1009, 'too big');
        } else if (type === 'publish') {
          socket.say({ type: 'ok', id, room: 'lobby', cursor: '0123456789abcdef-1', subscribers: 1 });
        }
      });
    });
    const { client } = join(t, url);
    await isState(client, 'live');
    const poison = assert.rejects(client.publish('lobby', 'poison'), { code: 'message_too_big' });
    const fine = client.publish('lobby', 'fine');
    await poison;
    assert.equal((await fine).subscribers, 1);
    assert.equal(poisoned, 1);
  });

  it('an error reply rejects that publish', async (t) => {
    const { server } = await behindRelay(t);
    const { room } = join(t, server.url);
    await isJoined(room);
    await room.publish('a', { key: 'k' });
    assert.equal((await room.publish('a', { key: 'k' })).duplicate, true);
    await assert.rejects(room.publish('b', { key: 'k' }), { code: 'key_reused' });
    await receives(room, 'a');
  });
});

describe('the application', { concurrency: 4 }, () => {
  it('publishes wait for the connection, up to the limit', async (t) => {
    const { server, relay } = await behindRelay(t);
    relay.down = true;
    const { client } = join(t, relay.url, { maxPending: 2 });
    const { room: witness } = join(t, server.url);
    await isJoined(witness);
    const waiting = [client.publish('lobby', '1'), client.publish('lobby', '2')];
    await assert.rejects(client.publish('lobby', '3'), { code: 'queue_full' });
    relay.down = false;
    client.retry();
    await Promise.all(waiting);
    await receives(witness, '1', '2');
  });

  it('a publish without a response fails at its deadline', async (t) => {
    const { relay } = await behindRelay(t);
    relay.down = true;
    const { client } = join(t, relay.url, { publishTimeoutMs: 100 });
    await assert.rejects(client.publish('lobby', 'x'), { code: 'timeout', maybePublished: false });
  });

  it('a client without a room only publishes, and is idle before', async (t) => {
    const { server } = await behindRelay(t);
    const { room: witness } = join(t, server.url);
    await isJoined(witness);
    const client = connect(server.url, { WebSocket });
    t.after(() => client.close());
    assert.equal(client.state.name, 'idle');
    await client.publish('lobby', 'hello');
    await receives(witness, 'hello');
  });

  it('after close() every call fails', async (t) => {
    const { server } = await behindRelay(t);
    const { client, room } = join(t, server.url);
    const lost = assert.rejects(room.publish('x'), { code: 'closed' });
    const closed = new Promise((resolve) => room.on('closed', resolve));
    client.close();
    await lost;
    assert.equal((await closed).room, 'lobby');
    assert.throws(() => client.room('y'), { code: 'closed' });
    await assert.rejects(client.publish('y', 'z'), { code: 'closed' });
    await assert.rejects(room.publish('z'), { code: 'closed' });
    client.close();
  });

  it('invalid names and addresses fail at once', async (t) => {
    const { server } = await behindRelay(t);
    const { client } = join(t, server.url);
    assert.throws(() => client.room('/x'), { code: 'bad_room_name' });
    await assert.rejects(client.publish('', 'x'), { code: 'bad_room_name' });
    await assert.rejects(client.publish('x', undefined), { code: 'invalid_data' });
    assert.throws(() => connect('ftp://x'), TypeError);
    assert.throws(() => connect(server.url, { transports: ['carrier pigeon'] }), /no transport "carrier pigeon"/);
  });
});
