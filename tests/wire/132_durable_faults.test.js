// Durable history on a disk that fails or is slow, by a shim between the server and the C library: nothing that was answered is
// lost, nothing that was refused is kept, what is wrong is said, all else goes on, and it heals without a restart.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { eventually, seconds, within } from '../support/deadline.js';
import { batch } from '../support/durable.js';
import { assertState, FaultyDisk, RememberedRoom } from '../support/faulty_disk.js';
import { JsonClient } from '../support/json_client.js';
import { pollsOf } from '../support/polls.js';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { runToEnd, startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

const config = scratchDirectory({
  'roomcast.toml': ['async', 'none'].map((level) => `[[rooms]]\nmatch = "${level}/**"\nhistory_durability = "${level}"\n`).join('\n'),
});
const set = {
  'history.messages': 100_000, 'history.bytes': 1_073_741_824, 'history.age_seconds': 86_400, 'store.ring_messages': 5, 'store.ack_timeout_seconds': 1,
  'store.queue_bytes': 1_048_576, 'store.fold_bytes': 1_048_576, 'store.disk_bytes': 268_435_456,
};
const running = new Set();

async function start(disk, more = {}) {
  const server = await startServer({ args: ['--config', path.join(config, 'roomcast.toml')], set: { ...set, ...more, 'store.path': disk.directory }, env: disk.env });
  running.add(server);
  return server;
}
const post = (server, room, body) => fetchOnce(server.url, 'POST', `/rooms/${room}`, { body, headers: { 'Content-Type': 'text/plain' } });
/** The next publish is answered by 200, `ms` after now at the latest. */
const heals = (server, room, ms = seconds(10)) => eventually(async () => (await room.publish(server)).status === 200, 'a publish that is kept', ms);

const page_bytes = 4_096;
/** The number of bytes before the leaf page of an index in which `text` is. */
function leafOfIndexWith(file, text) {
  const bytes = fs.readFileSync(file);
  for (let at = 0; at < bytes.length; at += page_bytes) {
    const is_leaf = bytes[at] === 0x0a; // https://www.sqlite.org/fileformat2.html#b_tree_pages
    if (is_leaf && bytes.subarray(at, at + page_bytes).includes(text)) return at;
  }
  throw new Error(`no leaf with ${text}`);
}
/** Flips a bit of the byte `at`. */
function flipBit(file, at) {
  const descriptor = fs.openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  fs.readSync(descriptor, byte, 0, 1, at);
  byte[0] ^= 1;
  fs.writeSync(descriptor, byte, 0, 1, at);
  fs.closeSync(descriptor);
}

/** After kill -9, and on a disk that works, all is there. */
async function checkAfterKill(server, disk, room) {
  await server.kill();
  disk.follow();
  const next = await start(disk);
  await room.check(next);
  await assertState(next, 'ok');
  await next.stop();
}

describe('durable history on a bad disk', () => {
  after(async () => {
    for (const server of running) if (server.running) await server.kill();
  });

  for (const [what, rules] of [
    ['writing the journal', ['fail pwrite,write,fdatasync,fsync 1 0 EIO journal']],
    ['syncing anything', ['fail fdatasync,fsync 1 0 EIO']],
    ['a file system that has become read-only', ['fail pwrite,write,fdatasync,fsync,ftruncate,unlink 1 0 EROFS']],
  ]) {
    it(`${what}: refused with store_failed, live rooms go on, and it heals by itself`, async () => {
      const disk = new FaultyDisk();
      disk.follow();
      const server = await start(disk);
      const room = new RememberedRoom('a');
      for (let i = 0; i < 10; i += 1) assert.equal((await room.publish(server)).status, 200);
      const lively = await JsonClient.greeted(server, '/rooms/async/live');
      const { cursor: before } = (await post(server, 'async/live', 'before')).json;
      await lively.messages(1);

      disk.follow(...rules);
      // The first waits while it is tried again; the state is known when that has failed three times.
      assert.equal((await room.publish(server)).status, 504);
      await eventually(async () => (await server.metric('roomcast_store_state', /failed/)) === 1, 'the state');
      await assertState(server, 'failed');
      const refused = await room.publish(server);
      assert.deepEqual([refused.status, refused.json.error.code, refused.header('retry-after')], [503, 'store_failed', '10']);
      const client = await JsonClient.greeted(server, '/rooms/b');
      const error = await client.ask({ type: 'publish', room: 'b', data: 'x' });
      assert.deepEqual([error.type, error.code], ['error', 'store_failed']);
      await client.close();
      const raw = await connect(server.url, { path: '/rooms/c' });
      await raw.text('x');
      await raw.expectClose(1013);
      assert.ok(await server.metric('roomcast_store_refused_total', /store_failed/) >= 3);
      assert.ok(await server.metric('roomcast_store_errors_total', /commit/) >= 3);
      // What is not kept is delivered, and what is on the disk is read.
      for (const data of ['one', 'two']) assert.equal((await post(server, 'async/live', data)).status, 200);
      assert.deepEqual((await lively.messages(2)).map(({ data }) => data), ['one', 'two']);
      assert.equal((await post(server, 'none/live', 'x')).status, 200);
      await lively.close();
      const first = [...room.kept.values()][0];
      assert.equal((await pollsOf(server.url).poll('a', `?since=${first}`)).messages.length, 9);

      disk.follow();
      await heals(server, room);
      await assertState(server, 'ok');
      await room.repeatOpen(server);
      await room.check(server);
      assert.equal((await post(server, 'async/live', 'after')).status, 200);
      await server.stop();
      const next = await start(disk);
      const { gap, messages } = await pollsOf(next.url).poll('async/live', `?since=${before}`);
      assert.notEqual(gap, null, 'the hole is told');
      assert.deepEqual(messages.map(({ data }) => data), ['after']);
      await checkAfterKill(next, disk, room);
    });
  }

  it('the history cannot be written: the journal keeps what is answered, and it heals', async () => {
    const disk = new FaultyDisk();
    disk.follow();
    const server = await start(disk);
    const room = new RememberedRoom('a');
    await room.publish(server);
    disk.follow('fail pwrite,write 1 0 EIO history.db');
    // Folds fail; what is answered all the same must be there.
    await eventually(async () => (await room.publish(server, 60_000)).status !== 200, 'the tail is full, or the state is', seconds(30));
    assert.ok(disk.failed.length > 0);
    await eventually(async () => (await server.metric('roomcast_store_state', /failed/)) === 1, 'the state');
    assert.ok(await server.metric('roomcast_store_errors_total', /fold/) >= 3);
    disk.follow();
    await heals(server, room);
    await eventually(async () => (await server.metric('roomcast_store_state', /ok/)) === 1, 'the state');
    await room.repeatOpen(server);
    await room.check(server);
    await checkAfterKill(server, disk, room);
  });

  it('reading fails: an error or a gap, never wrong bytes', async () => {
    const disk = new FaultyDisk();
    disk.follow();
    let server = await start(disk);
    const room = new RememberedRoom('a');
    for (let i = 0; i < 60; i += 1) assert.equal((await room.publish(server, 40_000)).status, 200);
    await server.stop();
    server = await start(disk, { 'store.cache_bytes': 1_048_576 });
    const first = [...room.kept.values()][0];
    disk.follow('fail pread,read 1 0 EIO');
    const { status, text } = await fetchOnce(server.url, 'GET', `/rooms/a?since=${first}`);
    assert.ok([200, 503].includes(status), text);
    if (status === 200) {
      const { gap, messages } = JSON.parse(text);
      assert.ok(gap !== null || messages.every(({ data, cursor }) => room.kept.get(data) === cursor), text.slice(0, 200));
    }
    assert.ok(disk.failed.length > 0, 'nothing was read');
    disk.follow();
    await eventually(async () => (await fetchOnce(server.url, 'GET', '/rooms/a')).status === 200, 'reading works again');
    await room.check(server);
    await checkAfterKill(server, disk, room);
  });

  it('what the disk takes to sync is a metric of its own, and so is how many messages it gets at once', async () => {
    const disk = new FaultyDisk();
    disk.follow();
    const server = await start(disk);
    assert.equal((await post(server, 'a', 'x')).status, 200);
    const metrics = async () => {
      const samples = await server.metrics();
      return (name) => samples.get(`roomcast_store_${name}`);
    };
    const before = await metrics();
    disk.follow('delay fdatasync,fsync 300 journal');
    assert.ok((await batch(server, Array.from({ length: 7 }, (_, i) => ({ room: 'a', data: `${i}` })))).every(({ cursor }) => cursor !== undefined));
    const after_it = await metrics();
    const grown = (name) => after_it(name) - before(name);
    assert.equal(grown('batch_messages_sum'), 7);
    assert.ok(grown('batch_messages_count') >= 1);
    assert.ok(grown('fsync_seconds_sum') >= 0.3, `${grown('fsync_seconds_sum')}`);
    assert.ok(grown('fsync_seconds_sum') <= grown('commit_seconds_sum'));
    for (const name of ['fsync_seconds', 'batch_messages']) assert.equal(after_it(`${name}_count`), after_it('commit_seconds_count'), name);
    disk.follow();
    await server.kill();
  });

  it('a slow disk: nothing else waits for it, publishes are told after their time, the queue is bounded', async () => {
    const disk = new FaultyDisk();
    disk.follow();
    const server = await start(disk);
    const room = new RememberedRoom('a');
    await room.publish(server);
    const client = await JsonClient.greeted(server, '/rooms/none/live');
    disk.follow('delay fdatasync,fsync 2000', 'delay pread,read 200');
    // In this order: whatever is asked while a publish waits is answered before it.
    const order = [];
    const waiting = room.publish(server).then(({ status }) => order.push(status));
    for (let i = 0; i < 20; i += 1) {
      assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
      assert.equal((await client.ask({ type: 'publish', room: 'none/live', data: `${i}` })).type, 'ok');
      await client.messages(1);
    }
    order.push('others');
    await waiting;
    assert.deepEqual(order, ['others', 504]);
    await client.close();

    const flood = await Promise.all(Array.from({ length: 60 }, () => room.publish(server, 60_000)));
    const busy = flood.filter(({ status }) => status === 503);
    assert.ok(busy.length > 0 && busy.every((one) => one.json.error.code === 'store_busy' && one.header('retry-after') === '1'), busy[0]?.text);
    assert.ok(flood.some(({ status }) => status === 504 || status === 200));
    assert.ok(await server.metric('roomcast_store_queued_bytes') <= set['store.queue_bytes']);
    assert.ok(await server.metric('roomcast_store_refused_total', /store_timeout/) > 0);
    await assertState(server, 'ok');

    disk.follow();
    await heals(server, room);
    assert.ok(room.open.size > 0);
    await room.repeatOpen(server);
    await room.check(server);
    await checkAfterKill(server, disk, room);
  });

  it('a disk that never answers: the server ends all the same, says what was not written, and nothing that was answered is lost', async () => {
    const disk = new FaultyDisk();
    disk.follow();
    // What is queued at the end has to be folded as well.
    const server = await start(disk, { drain_seconds: 0.1, 'websocket.close_timeout_seconds': 0.1 });
    const room = new RememberedRoom('a');
    for (let i = 0; i < 20; i += 1) assert.equal((await room.publish(server, 10_000)).status, 200);
    disk.follow('delay fdatasync,fsync 3600000');
    assert.equal((await room.publish(server)).status, 504);
    assert.equal((await room.publish(server)).status, 504);
    const begun = Date.now();
    server.process.kill('SIGTERM');
    const { code, signal } = await within(seconds(25), server.exited, 'the end of the server');
    assert.deepEqual([code, signal], [1, null], server.log());
    assert.match(server.log(), /the disk does not answer: the server ends without it; what was waiting.* waited_seconds=10(\.0)? records=[1-9]\d* bytes=[1-9]/);
    assert.ok(Date.now() - begun >= 9_000, 'it did wait');
    disk.follow();
    const next = await start(disk);
    await room.repeatOpen(next);
    await room.check(next);
    await checkAfterKill(next, disk, room);
  });

  it('a look through the history after a crash does not make its write-ahead log grow past its bound', { timeout: 180_000 }, async () => {
    const disk = new FaultyDisk();
    disk.follow();
    const more = { 'store.disk_bytes': 134_217_728, 'store.ack_timeout_seconds': 60 };
    let server = await start(disk, more);
    const room = new RememberedRoom('a');
    for (let i = 0; i < 400; i += 1) assert.equal((await room.publish(server, 60_000)).status, 200);
    await eventually(async () => (await server.metric('roomcast_store_messages')) > 360, 'folds', seconds(40));
    await server.kill();

    // As on a large store, it takes longer than what is published.
    disk.follow('delay pread,read 10 history.db$');
    server = await start(disk, more);
    const wal = path.join(disk.directory, 'history.db-wal');
    const bound = 134_217_728 / 20;
    const another = new RememberedRoom('b');
    let largest = 0;
    const looked_through = /the history was looked through after an unclean stop/;
    for (let i = 0; i < 500; i += 1) {
      const { status } = await another.publish(server, 60_000);
      assert.equal(status, 200);
      largest = Math.max(largest, fs.statSync(wal).size);
    }
    // In use at a time: up to its bound, and what one fold writes.
    assert.ok(largest <= 2 * bound, `${largest} bytes, of about ${bound}`);
    assert.doesNotMatch(server.log(), looked_through);
    disk.follow();
    const [line] = await server.waitForLog(new RegExp(`${looked_through.source}.*`), { ms: seconds(30) });
    assert.match(line, /all messages can be read/);
    await room.check(server);
    await checkAfterKill(server, disk, another);
  });

  it('a damaged page: the log says what to do, what can be read is read, nothing more is written, and recovering brings all back', async () => {
    // Long names, so that the index of names has many pages.
    const names = Array.from({ length: 300 }, (_, i) => `${`${i}`.padStart(3, '0')}/${'long'.repeat(30)}`);
    const [victim, other] = [names[7], names[250]];
    const directory = path.join(scratchDirectory(), 'store');
    const before = new FaultyDisk(directory);
    before.follow();
    let server = await start(before);
    for (const name of names) assert.equal((await post(server, name, `in ${name}`)).status, 200);
    await server.stop();
    const file = path.join(directory, 'history.db');
    const page = leafOfIndexWith(file, victim);
    flipBit(file, page);

    server = await start(before);
    const read = async (name) => (await pollsOf(server.url).poll(name, '?history=1')).messages.map(({ data }) => data);
    assert.deepEqual(await read(other), [`in ${other}`]);
    const lively = await JsonClient.greeted(server, '/rooms/async/live');
    assert.equal((await post(server, 'async/live', 'one')).status, 200);
    assert.equal((await post(server, other, 'before it is found')).status, 200);
    const refused = await fetchOnce(server.url, 'GET', `/rooms/${victim}?history=1`);
    assert.deepEqual([refused.status, refused.json.error.code], [503, 'store_failed']);
    await assertState(server, 'failed');
    assert.match(server.log(), /the store is damaged.*roomcast store check.*roomcast store recover/);
    assert.ok(await server.metric('roomcast_store_errors_total', /read/) > 0);
    assert.equal((await post(server, other, 'x')).json.error.code, 'store_failed');
    assert.deepEqual(await read(names[249]), [`in ${names[249]}`], 'what is whole is read');
    assert.equal((await post(server, 'async/live', 'two')).status, 200);
    assert.deepEqual((await lively.messages(2)).map(({ data }) => data), ['one', 'two']);
    await lively.close();
    await server.stop();

    const check = await runToEnd(['store', 'check', '--path', directory]);
    assert.equal(check.code, 1, check.stdout);
    const recovered = path.join(scratchDirectory(), 'recovered');
    const recovery = await runToEnd(['store', 'recover', recovered, '--path', directory]);
    assert.equal(recovery.code, 0, recovery.stderr);
    const after_it = new FaultyDisk(recovered);
    after_it.follow();
    server = await start(after_it);
    for (const name of [victim, names[8]]) assert.deepEqual(await read(name), [`in ${name}`]);
    assert.equal((await post(server, victim, 'after')).status, 200);
    await assertState(server, 'ok');
    await server.stop();
  });
});
