// Rooms: every subscriber gets every message once, all in one order.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import WebSocket from 'ws';
import { connectDeflate, prose } from '../support/deflate_client.js';
import { HttpConnection, fetchOnce } from '../support/raw_http.js';
import { METRICS } from '../support/contract.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { BINARY, TEXT, close, fragments } from '../support/ws_frames.js';

const server = await startServer();
const join = (room, query = '', options) => connect(server.url, { path: `/rooms/${room}${query}`, ...options });
const joinAll = (room, count) => Promise.all(Array.from({ length: count }, () => join(room)));
const closeAll = (clients) => Promise.all(clients.map((client) => client.close()));
const publish = (room, body, type = 'text/plain') => fetchOnce(server.url, 'POST', `/rooms/${room}`, { body, headers: { 'Content-Type': type } });

async function texts(client, count) {
  const got = [];
  while (got.length < count) got.push(await client.nextText());
  return got;
}

describe('rooms', () => {
  after(() => server.stop());

  it('a message reaches all subscribers, the sender too', async () => {
    const clients = await joinAll('everybody', 10);
    await clients[3].text('hello');
    for (const client of clients) await client.expectText('hello');
    await closeAll(clients);
  });

  it('text, binary and empty messages keep their kind', async () => {
    const [one, two] = await joinAll('kinds', 2);
    const blob = Buffer.from('00fffe80', 'hex');
    await one.text('κόσμε');
    await one.binary(blob);
    await one.text('');
    await one.binary('');
    for (const client of [one, two]) {
      await client.expectText('κόσμε');
      await client.expectBinary(blob);
      await client.expectText('');
      await client.expectBinary('');
    }
    await closeAll([one, two]);
  });

  it('a fragmented message arrives whole', async () => {
    const [one, two] = await joinAll('fragments', 2);
    await one.write(Buffer.concat(fragments(TEXT, 'in many small pieces', 3)));
    for (const client of [one, two]) await client.expectText('in many small pieces');
    await closeAll([one, two]);
  });

  it('several publishers at once: every message once, in one order for all', async () => {
    const subscribers = await joinAll('order', 12);
    const publishers = await Promise.all(Array.from({ length: 4 }, () => join('order', '?echo=0')));
    const each = 100;
    const posts = async (name) => {
      const connection = await HttpConnection.open(server.url);
      const offsets = [];
      for (let i = 0; i < each; i += 1) {
        const response = await connection.request('POST', '/rooms/order', { body: `${name} ${i}`, headers: { 'Content-Type': 'text/plain' } });
        assert.equal(response.status, 200);
        offsets.push(Number(response.json.cursor.split('-').at(-1)));
      }
      connection.close();
      assert.deepEqual(offsets, [...offsets].sort((a, b) => a - b));
    };
    const sends = async (client, name) => {
      for (let i = 0; i < each; i += 1) await client.text(`${name} ${i}`);
    };
    const total = each * 6;
    const [first, ...rest] = await Promise.all([
      ...subscribers.map((client) => texts(client, total)),
      ...publishers.map((client, i) => sends(client, `ws${i}`)), posts('post0'), posts('post1'),
    ]);
    for (const list of rest.slice(0, subscribers.length - 1)) assert.deepEqual(list, first);
    assert.equal(new Set(first).size, total);
    for (const name of ['ws0', 'ws1', 'ws2', 'ws3', 'post0', 'post1']) {
      const own = first.filter((line) => line.startsWith(`${name} `));
      assert.deepEqual(own, Array.from({ length: each }, (_, i) => `${name} ${i}`));
    }
    await closeAll(subscribers);
    publishers.forEach((client) => client.destroy());
  });

  it('messages sent in one packet arrive in order', async () => {
    const [one, two] = await joinAll('packet', 2);
    await one.write(Buffer.concat(Array.from({ length: 500 }, (_, i) => fragments(TEXT, `m${i}`, 100)[0])));
    assert.deepEqual(await texts(two, 500), Array.from({ length: 500 }, (_, i) => `m${i}`));
    await texts(one, 500);
    await closeAll([one, two]);
  });

  it('?echo=0 leaves out the sender\'s own messages and nothing else', async () => {
    const [loud, other] = await joinAll('echo', 2);
    const quiet = await join('echo', '?echo=0');
    await quiet.text('mine');
    await loud.expectText('mine');
    await other.expectText('mine');
    await loud.text('yours');
    for (const client of [loud, other, quiet]) await client.expectText('yours');
    await quiet.roundTrip();
    await closeAll([loud, other, quiet]);
  });

  it('rooms do not receive each other\'s messages', async () => {
    const names = ['a', 'a/b', 'a/b/c', 'A', 'a%20', 'b'];
    const clients = await Promise.all(names.map((name) => join(name)));
    for (const [i, client] of clients.entries()) await client.text(names[i]);
    for (const [i, client] of clients.entries()) {
      await client.expectText(names[i]);
      await client.roundTrip();
    }
    await closeAll(clients);
  });

  it('the encoding of a name makes no difference: it is one room', async () => {
    const clients = [await join('caf%C3%A9%2Fbar'), await join('caf%c3%a9/bar'), await join('%63af%C3%A9/%62ar')];
    await clients[0].text('same room');
    for (const client of clients) await client.expectText('same room');
    await closeAll(clients);
  });

  it('a late subscriber does not get earlier messages, one that left gets none', async () => {
    const [stays, leaves] = await joinAll('coming', 2);
    await stays.text('before');
    await stays.expectText('before');
    await leaves.expectText('before');
    const late = await join('coming');
    await leaves.close();
    await stays.text('after');
    await late.expectText('after');
    await stays.expectText('after');
    await closeAll([stays, late]);
  });

  it('a client that vanishes does not disturb others', async () => {
    const clients = await joinAll('vanish', 9);
    clients[0].destroy();
    clients[1].socket.abort();
    clients[2].socket.finish();
    await clients[3].write(Buffer.from([0x81]));
    clients[3].destroy();
    await clients[4].text('last words');
    clients[4].destroy();
    for (const client of clients.slice(5)) {
      assert.equal(await client.nextText(), 'last words');
    }
    for (let i = 0; i < 20; i += 1) assert.equal((await publish('vanish', `post ${i}`)).status, 200);
    for (const client of clients.slice(5)) assert.equal((await texts(client, 20)).at(-1), 'post 19');
    await closeAll(clients.slice(5));
  });

  it('a client that violates the protocol is closed, the others stay', async () => {
    const [bad, one, two] = await joinAll('protocol', 3);
    await bad.text(Buffer.from('c0af', 'hex'));
    await bad.expectClose(1007);
    await one.text('fine');
    await two.expectText('fine');
    await closeAll([two]);
    one.destroy();
  });

  it('a message past limits.message_bytes closes its sender with 1009 and is not delivered', async () => {
    const [bad, one] = await joinAll('toolong', 2);
    await bad.text('x'.repeat(65537));
    await bad.expectClose(1009);
    await one.text('fine');
    await one.expectText('fine');
    await one.close();
  });

  it('a message sent right before the close frame is published', async () => {
    const [one, two] = await joinAll('goodbye', 2);
    await one.text('goodbye');
    one.sentClose = true;
    const { close } = await import('../support/ws_frames.js');
    await one.write(close(1000));
    await two.expectText('goodbye');
    one.destroy();
    await two.close();
  });

  it('the ws package, with and without compression, receives the same as other clients', async () => {
    const url = `${server.url.replace('http', 'ws')}/rooms/real`;
    const clients = [new WebSocket(url), new WebSocket(url, { perMessageDeflate: false }), new WebSocket(url, ['roomcast.raw.v1'])];
    await Promise.all(clients.map((client) => new Promise((resolve, reject) => client.once('open', resolve).once('error', reject))));
    assert.equal(clients[2].protocol, 'roomcast.raw.v1');
    const received = clients.map((client) => new Promise((resolve) => {
      const got = [];
      client.on('message', (data, isBinary) => {
        got.push([isBinary, data.toString('latin1')]);
        if (got.length === 40) resolve(got);
      });
    }));
    for (let i = 0; i < 20; i += 1) {
      clients[i % 3].send(`text ${'compress me '.repeat(50)} ${i}`);
      clients[(i + 1) % 3].send(Buffer.alloc(300, i));
    }
    const [first, ...others] = await Promise.all(received);
    for (const other of others) assert.deepEqual(other, first);
    assert.equal(new Set(first.map(String)).size, 40);
    await Promise.all(clients.map((client) => new Promise((resolve) => {
      client.once('close', (code) => resolve(assert.equal(code, 1000)));
      client.close(1000);
    })));
  });

  it('subscribers with and without compression receive the same bytes', async () => {
    const path = '/rooms/mixed';
    const plain = await connect(server.url, { path });
    const zipped = await Promise.all(['permessage-deflate', 'permessage-deflate; server_max_window_bits=9', 'permessage-deflate; server_no_context_takeover']
      .map((offer) => connectDeflate(server.url, offer, { path })));
    for (let i = 0; i < 10; i += 1) {
      const payload = prose(100 + 3000 * i, i * 50);
      await plain.binary(payload);
      await plain.expectBinary(payload);
      for (const client of zipped) {
        const { opcode, payload: got } = await client.message();
        assert.equal(opcode, BINARY);
        assert.deepEqual(got, payload);
      }
    }
    await closeAll([plain, ...zipped]);
  });

  it('rooms are removed when all members have left', async () => {
    const before = await server.metric(METRICS.rooms);
    const clients = (await Promise.all(Array.from({ length: 20 }, (_, i) => joinAll(`gone/${i}`, 2)))).flat();
    await server.metricBecomes(METRICS.rooms, (rooms) => rooms >= 20);
    clients.forEach((client, i) => (i % 2 ? client.destroy() : client.close()));
    await server.metricBecomes(METRICS.rooms, (rooms) => rooms <= before);
  });
});
