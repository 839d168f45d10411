// `roomcast store`: what operators ask of durable history, while a server uses it and while none does.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { patience, sleep, within } from '../support/deadline.js';
import { batch, durable, epochOf, json, killAll, newStore, offsetOf, poll, post, receiptOf } from '../support/durable.js';
import { assertDone, Moderator, startIdentifyingServer, tokenOf } from '../support/moderation.js';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { binary, cleanEnvironment } from '../support/server.js';

/** Runs `roomcast store WORDS` for the store in `directory`, with `input` as standard input. */
async function store(directory, words, { input = '', ...options } = {}) {
  const named = directory === null ? [] : ['--path', directory];
  const child = spawn(binary, ['store', ...words, ...named], { env: cleanEnvironment(), stdio: 'pipe', ...options });
  const output = { stdout: '', stderr: '' };
  for (const name of Object.keys(output)) {
    child[name].setEncoding('utf8');
    child[name].on('data', (data) => (output[name] += data));
  }
  child.stdin.on('error', () => {}); // it may end without having read
  child.stdin.end(input);
  const [code] = await within(patience, once(child, 'close'), `roomcast store ${words.join(' ')}`);
  return { code, ...output };
}
/** What it writes, if it succeeds. */
async function done(...args) {
  const { code, stdout, stderr } = await store(...args);
  assert.equal(code, 0, stderr);
  return stdout;
}
/** It must fail with this sentence. */
async function fails(directory, words, sentence, { code = 1, ...options } = {}) {
  const result = await store(directory, words, options);
  assert.equal(result.code, code, result.stderr + result.stdout);
  assert.match(result.stderr, sentence);
  for (const line of result.stderr.trimEnd().split('\n')) assert.ok(line.length > 10, line);
}
const check = (directory) => done(directory, ['check']);
const exported = (directory, ...words) => done(directory, ['export', ...words]);
const lines = (ndjson) => ndjson.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
const plenty = { 'history.messages': 1_000_000, 'history.bytes': 1_000_000_000, 'history.age_seconds': 3_600 };
const newDirectory = () => path.join(scratchDirectory(), 'new');

/** A stopped store with messages of all kinds in "room", among them one that was removed. */
async function storeOfAllKinds() {
  const directory = newStore();
  const server = await durable(directory, { set: plenty, start: startIdentifyingServer });
  const headers = { 'Content-Type': 'text/plain', Authorization: `Bearer ${await tokenOf('ada', { name: 'Ada "A." L\u00f6ve' })}` };
  await receiptOf(server, 'room', 'text\n\u2028 with "quotes"', undefined, '?name=bob');
  const { cursor: removed } = await receiptOf(server, 'room', 'to be removed');
  await receiptOf(server, 'room', '{"json": [1, 2.50,\n {"deep": {"er": [[[]]]}}]}', json);
  await receiptOf(server, 'room', '"a string"', json);
  await receiptOf(server, 'room', Buffer.from([0, 255, 1]), { 'Content-Type': 'application/octet-stream' });
  await receiptOf(server, 'room', 'of a user', headers);
  const { cursor: replaced } = await receiptOf(server, 'room', 'to be replaced', headers);
  await batch(server, [{ room: 'room', data: 'labelled', event: 'news', tags: { lang: 'en', 'a b': '' }, key: 'k' }]);
  await receiptOf(server, 'other/room', 'x');
  await receiptOf(server, 'cleared', 'x');
  const moderator = new Moderator(server.url);
  assertDone(await moderator.remove('room', removed));
  assertDone(await moderator.replace('room', replaced, 'replaced'));
  assertDone(await moderator.clear('cleared'));
  const polled = await poll(server, 'room');
  await server.stop();
  return { directory, polled };
}

describe('roomcast store', () => {
  after(killAll);

  it('says what is wrong with its arguments', async () => {
    await fails('/x', [], /stats, check, export, import, backup, compact or recover\?/, { code: 2 });
    await fails('/x', ['chekc'], /stats, check/, { code: 2 });
    await fails('/x', ['stats', 'more'], /stats takes no more/, { code: 2 });
    await fails('/x', ['backup'], /backup takes one directory/, { code: 2 });
    await fails('/x', ['export', '--since', '0000000000000001-1'], /--since goes with --room/, { code: 2 });
    await fails('/x', ['export', '--room', 'a', '--since', '7'], /--since takes a cursor, not 7/, { code: 2 });
    await fails('/x', ['export', '--room', '/'], /--room: /, { code: 2 });
    await fails('/x', ['stats', '--room', 'a'], /go with export/, { code: 2 });
    await fails('/x', ['stats', '--rom', 'a'], /unknown flag --rom.*--room/, { code: 2 });
    await fails(null, ['stats'], /which store\? Name its directory by --path, or by store\.path/, { code: 2 });
    assert.match(await done(null, ['--help']), /^Usage: roomcast store stats\n/);
  });

  it('takes the directory from the configuration', async () => {
    const { directory } = await storeOfAllKinds();
    const file = path.join(scratchDirectory({ 'roomcast.toml': `[store]\npath = "${directory}"\n` }), 'roomcast.toml');
    const stats = await done(null, ['stats', '--config', file]);
    assert.match(stats, /^rooms +3\nmessages +9\n/m);
    assert.match(stats, /^used by +nobody, stopped well$/m);
    assert.match(stats, /^room +room: \d+ messages, \d+ bytes\n/m);
  });

  it('says why a store can not be used', async () => {
    const nothing = scratchDirectory();
    for (const words of [['stats'], ['check'], ['export'], ['compact'], ['backup', newDirectory()], ['recover', newDirectory()]]) {
      await fails(nothing, words, new RegExp(`there is no store in ${nothing}`));
      await fails(path.join(nothing, 'missing'), words, /there is no store in /);
    }
    assert.deepEqual(fs.readdirSync(nothing), []);
    const half = await storeOfAllKinds();
    fs.unlinkSync(path.join(half.directory, 'journal.db'));
    await fails(half.directory, ['check'], /journal\.db: No such file or directory/);
    assert.match(await done(half.directory, ['recover', newDirectory()]), /has 3 rooms and 9 messages, 0 holes/);
    const { directory } = await storeOfAllKinds();
    await fails(directory, ['backup', directory], /is not empty: name a directory that is, or a new one/);
    await fails(directory, ['recover', directory], /is not empty/);
    await fails(directory, ['backup', '/proc/new'], /cannot make the directory \/proc\/new: /);
    await fails(directory, ['import', '/missing'], /cannot read \/missing/);
    const text_file = path.join(scratchDirectory({ 'history.db': 'x'.repeat(5_000), 'journal.db': 'y'.repeat(5_000) }));
    await fails(text_file, ['check'], /history\.db: file is not a database/);
    await fails(text_file, ['stats'], /is not a database.*roomcast store recover DIR/s);
  });

  it('says so where the directory belongs to somebody else, or can not be written', async () => {
    const { directory } = await storeOfAllKinds();
    // Root may do everything; so it is somebody else then.
    const stranger = process.getuid() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    fs.chmodSync(directory, 0);
    try {
      for (const words of [['stats'], ['check'], ['export'], ['compact'], ['backup', path.join(scratchDirectory(), 'x')]])
        await fails(directory, words, /cannot read .*: Permission denied; run the command as the user that the server runs as/, stranger);
    } finally {
      fs.chmodSync(directory, 0o700);
    }
    const readonly = scratchDirectory();
    fs.chmodSync(readonly, 0o500);
    if (stranger.uid) fs.chownSync(readonly, stranger.uid, stranger.gid);
    await fails(path.join(readonly, 'store'), ['import'], new RegExp(`${readonly}/store: Permission denied`), { ...stranger, input: '' });
  });

  it('refuses files of a newer format, and those of other programs', async () => {
    const { directory } = await storeOfAllKinds();
    const copy = newDirectory();
    await done(directory, ['backup', copy]);
    const journal = path.join(copy, 'journal.db');
    const bytes = fs.readFileSync(journal);
    bytes.writeUInt32BE(7, 60); // user_version
    fs.writeFileSync(journal, bytes);
    for (const words of [['stats'], ['check'], ['export'], ['compact'], ['recover', newDirectory()], ['backup', newDirectory()]])
      await fails(copy, words, /journal\.db: its format is 7, and this version of roomcast knows those up to 1/);
    await fails(copy, ['import'], /journal\.db.* format 7/);
    bytes.writeUInt32BE(1, 60);
    bytes.writeUInt32BE(7, 68); // application_id
    fs.writeFileSync(journal, bytes);
    await fails(copy, ['stats'], /journal\.db: this is a database of another program/);
  });

  it('exports what a subscriber gets, and imports that: another export is equal', async () => {
    const { directory, polled } = await storeOfAllKinds();
    const first = await exported(directory);
    const all = lines(first);
    assert.deepEqual([...new Set(all.map(({ room }) => room))], ['cleared', 'other/room', 'room']);
    const room = all.filter((one) => one.room === 'room');
    assert.deepEqual(room[0], { type: 'subscribed', room: 'room', cursor: `${epochOf(polled.cursor)}-0` });
    const { time, ...deleted } = room[2];
    assert.deepEqual(deleted, { type: 'deleted', room: 'room', cursor: `${epochOf(polled.cursor)}-2` });
    assert.equal(typeof time, 'number');
    const messages = room.filter(({ type }) => type === 'message').map(({ kind, ...message }) => message);
    assert.deepEqual(messages, polled.messages.map((message) => ({ type: 'message', room: 'room', ...message })));
    assert.equal(room.filter(({ kind }) => kind === 'json').length, 1);

    const copy = newDirectory();
    assert.match(await done(copy, ['import'], { input: first }), /^imported 9 messages of 3 rooms; 0 were there already$/m);
    assert.equal(await exported(copy), first);
    await check(copy);
    const file = path.join(scratchDirectory({ 'all.ndjson': first }), 'all.ndjson');
    assert.match(await done(copy, ['import', file]), /^imported 0 messages of 3 rooms; 9 were there already$/m);
    assert.equal(await exported(copy), first);

    const third = polled.messages[2].cursor;
    const since = lines(await exported(directory, '--room', 'room', '--since', third));
    assert.deepEqual(since.map(({ cursor }) => cursor), [third, ...polled.messages.slice(3).map(({ cursor }) => cursor)]);
    const gap = lines(await exported(directory, '--room', 'other/room', '--since', third));
    assert.deepEqual(gap.map(({ type }) => type), ['subscribed', 'gap', 'message']);
    await fails(directory, ['export', '--room', 'missing'], /the store has no room missing/);
  });

  it('serves what was imported: the same cursors, and a gap for who may have seen more', async () => {
    const { directory, polled } = await storeOfAllKinds();
    const copy = newDirectory();
    await done(copy, ['import'], { input: await exported(directory) });
    const server = await durable(copy, { set: plenty });
    const again = await poll(server, 'room');
    assert.deepEqual(again.messages, polled.messages);
    const top = polled.messages.at(-1).cursor;
    const later = `${epochOf(top)}-${offsetOf(top) + 5}`;
    assert.notEqual((await poll(server, 'room', `?since=${later}`)).gap, null, 'of a message that was published after the export');
    const { cursor } = await receiptOf(server, 'room', 'new');
    assert.equal(epochOf(cursor), epochOf(top));
    assert.ok(offsetOf(cursor) > 2 ** 32, cursor);
    for (const seen of [later, `${epochOf(top)}-1000000`]) {
      const missed = await poll(server, 'room', `?since=${seen}`);
      assert.notEqual(missed.gap, null, seen);
      assert.equal(missed.messages.at(-1).data, 'new');
    }
    await server.stop();
    await check(copy);
  });

  it('names the line that can not be imported, and keeps what was before it', async () => {
    const directory = newDirectory();
    const message = (offset, more = {}) => JSON.stringify({ type: 'message', room: 'a', cursor: `00000000000000aa-${offset}`, time: 1, from: null, data: 'x', ...more });
    const cases = [
      ['{', /line 2: it is not JSON/],
      ['{"type":"message"}', /line 2: room is missing/],
      [message(2, { room: '/' }), /line 2: room: /],
      [message(2, { cursor: 'x' }), /line 2: cursor is missing, or is not one/],
      [message(0), /line 2: cursor is one before the first message/],
      [message(2, { type: 'join' }), /line 2: its type is not message, deleted, gap or subscribed/],
      [message(2, { time: -1 }), /line 2: time is missing/],
      [message(2, { data: undefined }), /line 2: data is missing/],
      [message(2, { data: undefined, data_base64: '?' }), /line 2: data_base64 is not base64/],
      [message(2, { tags: 7 }), /line 2: tags must be/],
      [message(2, { from: 'x'.repeat(1_001) }), /line 2: from, user and key have at most 1000 bytes/],
      [message(2, { cursor: '00000000000000ab-2' }), /line 2: the store has a room a already, of another epoch: 00000000000000aa-1/],
    ];
    for (const [line, sentence] of cases) await fails(directory, ['import'], sentence, { input: `${message(1)}\n${line}\n` });
    assert.deepEqual(lines(await exported(directory)).map(({ type }) => type), ['subscribed', 'message']);
    // Without an end of its line; with what is missing in between.
    await done(directory, ['import'], { input: message(5) });
    assert.deepEqual(lines(await exported(directory)).map(({ type, cursor }) => [type, offsetOf(cursor)]), [['subscribed', 0], ['message', 1], ['gap', 4], ['message', 5]]);
    await check(directory);
  });

  it('exports, checks and counts while a server uses the store, and refuses to change it', async () => {
    const directory = newStore();
    const server = await durable(directory, { set: plenty });
    await receiptOf(server, 'a', 'x');
    assert.match(await check(directory), /the store is whole: 1 rooms, 1 messages, 0 holes, 1 batches.*\na server uses it/);
    assert.match(await done(directory, ['stats']), new RegExp(`^used by +process ${server.pid}$`, 'm'));
    assert.equal(lines(await exported(directory)).length, 2);
    for (const words of [['compact'], ['import'], ['recover', newDirectory()]])
      await fails(directory, words, new RegExp(`is in use by process ${server.pid}: stop it first`));
    await server.kill();
    assert.match(await done(directory, ['stats']), /^used by +nobody, not stopped well$/m);
    assert.equal(lines(await exported(directory)).length, 2, 'after kill -9');
    await check(directory);
  });

  it('copies the store under load: every copy is whole, and has all that was answered before', { timeout: 10 * patience }, async () => {
    const directory = newStore();
    // Folds happen all the time.
    const server = await durable(directory, { set: { ...plenty, 'store.fold_bytes': 1_048_576, 'store.commit_ms': 1 } });
    const answered = new Map();
    let is_over = false;
    const rooms = [...'abcde'];
    const load = rooms.map(async (room) => {
      for (let n = 0; !is_over; n += 10) {
        const messages = Array.from({ length: 10 }, (_, i) => ({ room, data: `${n + i + 1} ${'x'.repeat(1_000)}` }));
        await batch(server, messages);
        answered.set(room, n + 10);
      }
    });
    const copies = [];
    const writable = new Set();
    while (copies.length < 20) {
      const copy = newDirectory();
      const before = new Map(answered);
      await done(directory, ['backup', copy]);
      copies.push({ copy, before });
      for (const one of connections(server.pid)) writable.add(one);
      await sleep(80);
    }
    is_over = true;
    await Promise.all(load);
    assert.deepEqual([...writable].sort(), ['history.db r', 'history.db w', 'journal.db w'], 'of each database there is one writable connection');
    for (const { copy, before } of copies) {
      await check(copy);
      const offsets = new Map();
      for (const { type, room, cursor, data } of lines(await exported(copy))) {
        if (type === 'subscribed') continue;
        assert.equal(type, 'message');
        const offset = (offsets.get(room) ?? 0) + 1;
        assert.equal(offsetOf(cursor), offset);
        assert.equal(Number(data.split(' ')[0]), offset);
        offsets.set(room, offset);
      }
      for (const [room, count] of before) assert.ok(offsets.get(room) >= count, `${copy}: ${room} has ${offsets.get(room)} of ${count}`);
      assert.deepEqual(fs.readdirSync(copy).filter((name) => /^(history|journal)/.test(name) && fs.statSync(path.join(copy, name)).mode & 0o077), []);
    }
    assert.ok((await server.metric('roomcast_store_fold_seconds_count')) > 0, 'there were folds');
    await server.stop();

    // A server on the last copy goes on behind everything that may have been given out.
    const { copy } = copies.at(-1);
    const kept = lines(await exported(copy, '--room', 'a')).at(-1).cursor;
    const restored = await durable(copy, { set: plenty });
    assert.equal((await poll(restored, 'a', `?since=${kept}`)).messages.length, 0);
    const { cursor } = await receiptOf(restored, 'a', 'new');
    assert.ok(offsetOf(cursor) > 2 ** 32);
    assert.notEqual((await poll(restored, 'a', `?since=${epochOf(kept)}-${offsetOf(kept) + 7}`)).gap, null);
    await restored.stop();
    await check(copy);
  });

  it('compacts', async () => {
    const { directory } = await storeOfAllKinds();
    let server = await durable(directory, { set: { ...plenty, 'limits.batch_bytes': 8_000_000 } });
    for (let i = 0; i < 5; i += 1) await batch(server, Array.from({ length: 50 }, () => ({ room: 'large', data: 'x'.repeat(20_000) })));
    await server.stop();
    server = await durable(directory, { set: plenty, start: startIdentifyingServer });
    assertDone(await new Moderator(server.url).clear('large'));
    await server.stop();
    const before = await exported(directory);
    const [, after_, before_] = /^(\d+) bytes on the disk, before (\d+)$/m.exec(await done(directory, ['compact']));
    assert.ok(Number(before_) - Number(after_) > 4_000_000, `${before_} → ${after_}`);
    assert.equal(await exported(directory), before);
    await check(directory);
    server = await durable(directory, { set: plenty });
    assert.equal((await poll(server, 'room')).messages.length, 7);
    await server.stop();
  });

  it('finds what is damaged, and saves the rest into a new store', async () => {
    const directory = newStore();
    const server = await durable(directory, { set: plenty });
    await receiptOf(server, 'a', 'before');
    await receiptOf(server, 'a', 'a payload that is damaged');
    const { cursor } = await receiptOf(server, 'a', 'after');
    await receiptOf(server, 'b', 'x');
    await server.stop();
    const whole = lines(await exported(directory));
    const history = path.join(directory, 'history.db');
    const bytes = fs.readFileSync(history);
    const place = bytes.indexOf('that is damaged');
    assert.ok(place > 0);
    bytes[place] ^= 4;
    fs.writeFileSync(history, bytes);
    await fails(directory, ['check'], /^history\.db: room "a": chunk \d+ \(messages 1 to 3\) is damaged: 2 of its 3 messages are whole$/m);
    const partly = await store(directory, ['export']);
    assert.equal(partly.code, 1);
    assert.match(partly.stderr, /is damaged: what could be read was exported/);
    const expected = whole.map((line) => (line.room === 'a' && offsetOf(line.cursor) === 2 ? { type: 'gap', room: 'a', cursor: line.cursor, earliest: line.cursor } : line));
    assert.deepEqual(lines(partly.stdout), expected);

    const copy = newDirectory();
    const report = await done(directory, ['recover', copy]);
    assert.match(report, /is damaged: 2 of its 3 messages are whole$/m);
    assert.match(report, /has 2 rooms and 3 messages, 1 holes$/m);
    assert.deepEqual(lines(await exported(copy)), expected);
    await check(copy);
    const recovered = await durable(copy, { set: plenty });
    const missed = await poll(recovered, 'a', `?since=${epochOf(cursor)}-1`);
    assert.notEqual(missed.gap, null);
    assert.deepEqual(missed.messages.map(({ data }) => data), ['after']);
    await recovered.stop();
  });
});

/** How the process `pid` has the databases open: "history.db w" or "r". */
function connections(pid) {
  const found = [];
  for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
    try {
      const name = path.basename(fs.readlinkSync(`/proc/${pid}/fd/${fd}`));
      if (!/^(history|journal)\.db$/.test(name)) continue;
      const flags = parseInt(/^flags:\s+(\d+)$/m.exec(fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))[1], 8);
      found.push(`${name} ${(flags & 3) === 0 ? 'r' : 'w'}`);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error; // closed meanwhile
    }
  }
  const twice = found.filter((one, i) => one.endsWith(' w') && found.indexOf(one) !== i);
  assert.deepEqual(twice, [], 'a database has two writable connections');
  return found;
}
