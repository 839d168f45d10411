// The client module over each transport: every message exactly once and in order, or a gap first.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, it } from 'node:test';
import { eventually, patience, seconds, sleep, within } from '../support/deadline.js';
import { behindRelay } from '../support/relay.js';
import { receives, isJoined, isState, join, post, record } from '../support/client_module.js';
import { repository, startServer } from '../support/server.js';

const TRANSPORTS = ['websocket', 'sse', 'poll'];

for (const transport of TRANSPORTS) {
  const only = { transports: [transport], timing: { silenceMs: seconds(1.5), pollWaitSeconds: 1 } };

  describe(`over ${transport}`, { concurrency: 2 }, () => {
    it('published messages come back unchanged, with sender, time, kind and cursor', async (t) => {
      const { server } = await behindRelay(t);
      const { client, room } = join(t, server.url, { ...only, name: 'Ada' });
      await isJoined(room);
      assert.equal(client.state.transport, transport);
      const bytes = Uint8Array.of(0, 255, 13, 10);
      const receipts = [];
      for (const data of ['text\r\n"é"', { a: [1, null] }, 7, bytes, new Blob(['blob'])]) receipts.push(await room.publish(data));
      await receives(room, 'text\r\n"é"', { a: [1, null] }, 7, bytes, new Uint8Array(Buffer.from('blob')));
      assert.deepEqual(room.messages.map(({ kind }) => kind), ['text', 'json', 'json', 'binary', 'binary']);
      assert.deepEqual(room.messages.map(({ cursor }) => cursor), receipts.map(({ cursor }) => cursor));
      assert.equal(room.cursor, receipts.at(-1).cursor);
      assert.ok(room.messages.every(({ from, time, room: name }) => from === 'Ada' && Math.abs(time - Date.now()) < 60_000 && name === 'lobby'));
    });

    it('five hundred messages with cuts at random moments arrive once and in order', async (t) => {
      const { server, relay } = await behindRelay(t, { set: { 'history.messages': 2000 } });
      const { room } = join(t, relay.url, { ...only, timing: { ...only.timing, stableMs: 0 } });
      await isJoined(room);
      const expected = [];
      let cuts = 0;
      for (let n = 0; n < 500; n += 1) {
        expected.push(`${n}`);
        await post(server.url, `${n}`);
        if (Math.random() < 0.02 || n === 250) {
          cuts += 1;
          relay.cut();
        }
      }
      await receives(room, ...expected);
      assert.deepEqual(room.gaps, []);
      assert.ok(cuts > 0);
    });

    it('it begins with the last messages or after a cursor, and requests history only once', async (t) => {
      const { server, relay } = await behindRelay(t);
      const cursors = [];
      for (const data of ['1', '2', '3', '4']) cursors.push((await post(server.url, data)).cursor);
      const { room: recent } = join(t, relay.url, { ...only, history: 2 });
      const { room: after } = join(t, relay.url, { ...only, since: cursors[0] });
      await receives(recent, '3', '4');
      await receives(after, '2', '3', '4');
      relay.cut();
      await post(server.url, '5');
      await receives(recent, '3', '4', '5');
      await receives(after, '2', '3', '4', '5');
      assert.deepEqual([...recent.gaps, ...after.gaps], []);
    });

    it('a gap is reported before the remaining messages if missed ones were evicted', async (t) => {
      const { server, relay } = await behindRelay(t, { set: { 'history.messages': 2 } });
      const { client, room } = join(t, relay.url, only);
      await isJoined(room);
      await post(server.url, 'received');
      await receives(room, 'received');
      relay.down = true;
      relay.cut();
      await isState(client, 'waiting');
      for (const data of ['1', '2', '3', '4']) await post(server.url, data);
      relay.down = false;
      await receives(room, 'received', '(gap)', '3', '4');
      const [gap] = room.gaps;
      assert.equal(typeof gap.earliest, 'string');
      await post(server.url, '5');
      await receives(room, 'received', '(gap)', '3', '4', '5');
    });

    it('it reconnects to a restarted server and reports the loss', async (t) => {
      const server = await startServer();
      const { client, room } = join(t, server.url, only);
      await isJoined(room);
      await post(server.url, 'before');
      await receives(room, 'before');
      await server.stop();
      await eventually(() => client.state.name !== 'live', 'the cut to be noticed');
      const again = await startServer({ listen: [`http://127.0.0.1:${server.port}`] });
      t.after(() => again.kill());
      await eventually(() => room.joins === 2, 'the second joining');
      await post(again.url, 'after');
      await receives(room, 'before', '(gap)', 'after');
    });

    it('a silent connection is noticed, and missed messages arrive', async (t) => {
      const { server, relay } = await behindRelay(t, { set: { 'websocket.ping_seconds': 0.5 } });
      const { room } = join(t, relay.url, { ...only, timing: { ...only.timing, pongMs: seconds(0.3), connectMs: seconds(1) } });
      await isJoined(room);
      relay.stall();
      await post(server.url, 'unheard');
      await receives(room, 'unheard');
      assert.ok(room.joins >= 1);
    });

    it('a room without messages stays quiet and live', async (t) => {
      const { server, relay } = await behindRelay(t, { set: { 'websocket.ping_seconds': 0.3 } });
      const { client, room } = join(t, relay.url, { ...only, timing: { ...only.timing, pongMs: seconds(0.5) } });
      await isJoined(room);
      await sleep(2500);
      assert.deepEqual(client.states.map(({ name }) => name), ['connecting', 'live']);
      await post(server.url, 'x');
      await receives(room, 'x');
    });

    it('a publish whose receipt was lost is published once', async (t) => {
      const { server, relay } = await behindRelay(t);
      const { room: witness } = join(t, server.url, { transports: ['websocket'] });
      const { room } = join(t, relay.url, { ...only, name: 'Ada' });
      await Promise.all([isJoined(witness), isJoined(room)]);
      // A poll is a member while it waits, which it may not do yet.
      await eventually(async () => (await witness.fetchPresence()).count === 2, 'both members');
      relay.deafen();
      const receipt = room.publish('once');
      await receives(witness, 'once');
      relay.cut();
      relay.undeafen();
      assert.deepEqual(await receipt, { room: 'lobby', cursor: witness.cursor, subscribers: 2, duplicate: true, durable: false });
      await room.publish('end');
      await receives(witness, 'once', 'end');
      await receives(room, 'once', 'end');
    });

    it('many publishes keep their order, with cuts in between', async (t) => {
      const { server, relay } = await behindRelay(t, { set: { 'history.messages': 2000 } });
      const { room: witness } = join(t, server.url, { transports: ['websocket'] });
      const { room } = join(t, relay.url, { ...only, timing: { ...only.timing, stableMs: 0 } });
      await Promise.all([isJoined(witness), isJoined(room)]);
      const expected = Array.from({ length: 90 }, (_, n) => n);
      const receipts = expected.map((n) => room.publish(n));
      await eventually(() => witness.received.length > 10, 'the first messages');
      relay.cut();
      await Promise.all(receipts);
      await receives(witness, ...expected);
      await receives(room, ...expected);
    });

    it('after close() a Node process ends by itself', async (t) => {
      const { server } = await behindRelay(t);
      const script = `
        import WebSocket from 'ws';
        import { connect } from ${JSON.stringify(path.join(repository, 'web/client/roomcast.js'))};
        const client = connect('${server.url}', { WebSocket, transports: ['${transport}'] });
        const room = client.room('lobby', { presence: true });
        room.on('joined', async () => {
          await room.publish('x');
          client.close();
          console.log('closed');
        });`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: path.join(repository, 'tests') });
      t.after(() => child.kill('SIGKILL'));
      let output = '';
      child.stdout.on('data', (data) => (output += data));
      child.stderr.on('data', (data) => (output += data));
      const [code] = await within(patience, once(child, 'exit'), `the end of the process; ${output}`);
      assert.deepEqual([code, output], [0, 'closed\n']);
    });

    it('rooms can be joined and left on one client', async (t) => {
      const { server } = await behindRelay(t);
      const { client, room } = join(t, server.url, only);
      const other = record(client.room('chat/ü', { history: 1 }));
      await Promise.all([isJoined(room), isJoined(other)]);
      await client.publish('chat/ü', 'there');
      await receives(other, 'there');
      room.close();
      assert.throws(() => client.room('chat/ü'), { code: 'already_joined' });
      await post(server.url, 'to nobody');
      const again = record(client.room('lobby'));
      await isJoined(again);
      await post(server.url, 'to us');
      await receives(again, 'to us');
      assert.deepEqual([room.received, other.received], [[], ['there']]);
      assert.equal(client.state.name, 'live');
    });

    it('an invalid cursor is an error of the room, and other rooms continue', async (t) => {
      const { server } = await behindRelay(t);
      const { client, room } = join(t, server.url, { ...only, since: 'rubbish' });
      const other = record(client.room('other'));
      await eventually(() => room.errors.length === 1, 'the error');
      assert.equal(room.errors[0].code, 'bad_cursor');
      assert.equal(room.closed, true);
      await isJoined(other);
    });

    it('a message larger than the server accepts is an error of that publish only', async (t) => {
      const { server } = await behindRelay(t, { set: { 'limits.message_bytes': 1000 } });
      const { client, room } = join(t, server.url, only);
      await isJoined(room);
      await room.publish('x'.repeat(1000));
      await assert.rejects(room.publish('x'.repeat(1001)), { code: 'message_too_big' });
      await room.publish('after');
      assert.deepEqual(client.states.map(({ name }) => name), ['connecting', 'live'], 'the link stayed');
    });
  });
}
