// The client module and its token: how it is shown, when another is asked for, and when the server's no is final.
// The servers here are scripted: they refuse at the moment that a test is about.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { describe, it } from 'node:test';
import { WebSocketServer } from 'ws';
import { eventually, sleep } from '../support/deadline.js';
import { isJoined, isState, join } from '../support/client_module.js';

const error = (code, message) => JSON.stringify({ error: { code, message } });
const prefix = 'roomcast.token.';

/**
 * A server that knows the tokens of `good`. It keeps in `seen` the token of each WebSocket, and in `requests` those of other
 * requests; `sockets` are those that it has let in.
 */
async function guarded(t, { good = ['good'], status = 401, code = 'bad_token', stream = false } = {}) {
  const guard = { good: new Set(good), seen: [], requests: [], commands: [], sockets: [], offered: [] };
  const isGood = (token) => guard.good.has(token);
  const refuse = (response) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(error(code, 'this token is no good'));
  const server = http.createServer((request, response) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '');
    guard.requests.push({ method: request.method, url: request.url, token });
    if (!isGood(token)) return refuse(response);
    if (request.method === 'POST') return response.end('{"cursor":"0000000000000001-2","subscribers":1}');
    if (!stream || !/event-stream/.test(request.headers.accept)) {
      return response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"messages":[],"cursor":"0000000000000001-1"}');
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('event: ok\ndata: {"type":"ok","cursor":"0000000000000001-1"}\n\n');
    guard.sockets.push(response);
    return undefined;
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'roomcast.v1' });
  server.on('upgrade', (request, socket, head) => {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/, */);
    const token = offered.find((one) => one.startsWith(prefix))?.slice(prefix.length);
    guard.seen.push(token);
    guard.offered.push(offered);
    if (stream || !isGood(token)) return socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    return sockets.handleUpgrade(request, socket, head, (made) => {
      made.say = (object) => made.send(JSON.stringify(object));
      made.say({ type: 'welcome', client: 'x', ping_ms: 25_000, limits: { message_bytes: 65_536 } });
      made.on('message', (text) => {
        const command = JSON.parse(text);
        guard.commands.push(command);
        made.say({ type: command.type === 'authenticate' ? 'authenticated' : 'ok', id: command.id, room: command.room, cursor: '0000000000000001-1' });
      });
      guard.sockets.push(made);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  guard.url = `http://127.0.0.1:${server.address().port}`;
  return guard;
}

/** A function that gives these tokens one after the other, the last for ever; `asked` counts. */
function givesInTurn(...tokens) {
  const give = async () => tokens[Math.min((give.asked += 1), tokens.length) - 1];
  give.asked = 0;
  return give;
}

const onlySocket = { transports: ['websocket'] };
const isRefused = async (client, code) => {
  await isState(client, 'closed');
  assert.equal(client.state.code, code);
  assert.notEqual(client.state.reason, '');
};

describe('the token of the client module', { concurrency: 4 }, () => {
  it('over a WebSocket it is offered behind the dialect, and not in the address', async (t) => {
    const guard = await guarded(t);
    const { client, room } = join(t, guard.url, { token: givesInTurn('good') });
    await isJoined(room);
    assert.equal(client.state.transport, 'websocket');
    assert.deepEqual(guard.offered, [['roomcast.v1', 'roomcast.token.good']]);
  });

  it('in an object as well, and a client without one offers none', async (t) => {
    const guard = await guarded(t, { good: ['good', undefined] });
    await isJoined(join(t, guard.url, { token: () => ({ token: 'good', expires_in: 60 }) }).room);
    await isJoined(join(t, guard.url, { token: async () => null }).room);
    await isJoined(join(t, guard.url).room);
    assert.deepEqual(guard.seen, ['good', undefined, undefined]);
    assert.throws(() => join(t, guard.url, { token: 'good' }), TypeError);
  });

  it('over HTTP every request carries it: reading, publishing, presence', async (t) => {
    const guard = await guarded(t);
    const { room } = join(t, guard.url, { transports: ['poll'], token: givesInTurn('good'), presence: true });
    await isJoined(room);
    await room.publish('x');
    await eventually(() => guard.requests.some(({ url }) => url.startsWith('/presence/')), 'a request of presence');
    assert.ok(guard.requests.length >= 3);
    assert.deepEqual([...new Set(guard.requests.map(({ token }) => token))], ['good']);
    assert.ok(guard.requests.every(({ url }) => !url.includes('good')));
  });

  it('a refused handshake is asked about, and tried once more with a new token', async (t) => {
    const guard = await guarded(t);
    const token = givesInTurn('stale', 'good');
    const { client, room } = join(t, guard.url, { token });
    await isJoined(room);
    assert.equal(client.state.name, 'live');
    assert.deepEqual(guard.seen, ['stale', 'good']);
    assert.deepEqual(guard.requests.map((request) => request.token), ['stale']);
    assert.equal(token.asked, 2);
  });

  for (const [name, options, stream] of [['WebSocket', {}], ['WebSocket alone', onlySocket], ['event stream', { transports: ['sse'] }, true], ['poll', { transports: ['poll'] }]]) {
    it(`two refused tokens in a row are final (${name})`, async (t) => {
      const guard = await guarded(t, { good: [], stream });
      const token = givesInTurn('one', 'two', 'three');
      const { client } = join(t, guard.url, { token, ...options });
      await isRefused(client, 'bad_token');
      assert.match(client.state.reason, /this token is no good/);
      const asked = guard.seen.length + guard.requests.length;
      await sleep(300);
      assert.equal(guard.seen.length + guard.requests.length, asked);
      assert.equal(token.asked, 2);
    });
  }

  it('403 is final at once, and a call of retry asks for a token again', async (t) => {
    const guard = await guarded(t, { good: [], status: 403, code: 'banned' });
    const token = givesInTurn('one', 'two');
    const { client, room } = join(t, guard.url, { token, ...onlySocket });
    await isRefused(client, 'banned');
    assert.equal(token.asked, 1);
    await assert.rejects(room.publish('x'), { code: 'banned' });
    guard.good.add('two');
    client.retry();
    await isState(client, 'live');
    assert.equal(token.asked, 2);
  });

  it('without a token a refusal is final at once', async (t) => {
    const guard = await guarded(t, { code: 'unauthorized' });
    const { client } = join(t, guard.url);
    await isRefused(client, 'unauthorized');
    assert.equal(guard.seen.length, 1);
  });

  for (const how of ['bye', 'close']) {
    it(`3000 leads to a new token (${how}), and 3003 is final`, async (t) => {
      const guard = await guarded(t);
      const token = givesInTurn('good');
      const { client, room } = join(t, guard.url, { token, timing: { stableMs: 50 } });
      await isJoined(room);
      await sleep(60);
      if (how === 'bye') guard.sockets[0].say({ type: 'bye', reason: 'unauthorized', retry_ms: 0 });
      guard.sockets[0].close(3000, 'token expired');
      await isJoined(room, 2);
      assert.equal(token.asked, 2);
      if (how === 'bye') guard.sockets[1].say({ type: 'bye', reason: 'forbidden' });
      guard.sockets[1].close(3003, 'not any more');
      await isRefused(client, 'forbidden');
      assert.equal(token.asked, 2);
    });
  }

  it('a server that lets in and closes with 3000 at once is not tried for ever', async (t) => {
    const guard = await guarded(t);
    const { client, room } = join(t, guard.url, { token: givesInTurn('good'), timing: { stableMs: 60_000 } });
    await isJoined(room);
    guard.sockets[0].close(3000, 'token revoked');
    await isJoined(room, 2);
    guard.sockets[1].close(3000, 'token revoked');
    await isRefused(client, 'unauthorized');
    assert.equal(client.state.reason, 'token revoked');
  });

  it('`expires` is answered with another token on the same connection', async (t) => {
    const guard = await guarded(t);
    const { client, room } = join(t, guard.url, { token: givesInTurn('good', 'better') });
    await isJoined(room);
    guard.sockets[0].say({ type: 'expires', in_ms: 60_000 });
    await eventually(() => guard.commands.some(({ type }) => type === 'authenticate'), 'authenticate');
    assert.equal(guard.commands.find(({ type }) => type === 'authenticate').token, 'better');
    assert.equal(guard.sockets.length, 1);
    assert.equal(client.state.name, 'live');
  });

  it('an event stream that ends as unauthorized is opened again with a new token', async (t) => {
    const guard = await guarded(t, { stream: true });
    const token = givesInTurn('good');
    const { room } = join(t, guard.url, { transports: ['sse'], token, timing: { stableMs: 50 } });
    await isJoined(room);
    await sleep(60);
    guard.sockets[0].end('event: bye\ndata: {"reason":"unauthorized","retry_ms":1000}\n\n');
    await isJoined(room, 2);
    assert.equal(token.asked, 2);
  });

  it('a publish that is refused for its token is sent again with the next, once', async (t) => {
    const guard = await guarded(t, { good: ['first'], stream: true });
    const { room } = join(t, guard.url, { transports: ['sse'], token: givesInTurn('first', 'second'), timing: { stableMs: 20 } });
    await isJoined(room);
    await sleep(40);
    guard.good = new Set(['second']);
    await room.publish('x');
    assert.deepEqual(guard.requests.filter(({ method }) => method === 'POST').map(({ token }) => token), ['first', 'second']);
  });

  it('an application without a token at the moment is asked again later', async (t) => {
    const guard = await guarded(t);
    let asked = 0;
    const token = async () => {
      asked += 1;
      if (asked < 3) throw new Error('not signed in yet');
      return 'good';
    };
    const { client, room } = join(t, guard.url, { token });
    await isState(client, 'waiting');
    assert.match(client.state.reason, /not signed in yet/);
    client.retry();
    await isJoined(room);
    assert.deepEqual(guard.seen, ['good']);
  });

  it('a client that is closed while it waits for its token opens nothing', async (t) => {
    const guard = await guarded(t);
    let give;
    const { client } = join(t, guard.url, { token: () => new Promise((resolve) => (give = resolve)) });
    await eventually(() => give !== undefined, 'the question');
    client.close();
    give('good');
    await sleep(100);
    assert.deepEqual(guard.seen, []);
  });
});
