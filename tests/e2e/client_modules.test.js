// The client's pure modules, in Node.

import assert from 'node:assert/strict';
import test from 'node:test';
import { address, baseOf, decodeMessage, encodePayload, fromBase64, isCovered, presenceAddress, publishCommand, refusalOf, roomAddress, RoomcastError, roomProblem, socketAddress, toBase64 } from '../../web/client/roomcast/protocol.js';
import { BASE_MS, CAP_MS, backoffDelay, Environment, HIDDEN_FACTOR, retryDelay } from '../../web/client/roomcast/reconnect.js';
import { EventStreamReader } from '../../web/client/roomcast/http_link.js';
import { Listeners, Presence, Room } from '../../web/client/roomcast/room.js';
import { Outbox } from '../../web/client/roomcast/client.js';

const almostOne = () => 1 - Number.EPSILON;

test('the back-off ceiling doubles up to the cap, delays are spread over all of it, and longer for a hidden page', () => {
  assert.equal(retryDelay(0, { random: almostOne }), BASE_MS - 1);
  assert.equal(retryDelay(3, { random: almostOne }), BASE_MS * 8 - 1);
  assert.equal(retryDelay(5000, { random: almostOne }), CAP_MS - 1);
  assert.equal(retryDelay(5000, { random: almostOne, hidden: true }), CAP_MS * HIDDEN_FACTOR - 1);
  assert.equal(retryDelay(5, { random: () => 0.5 }), BASE_MS * 16);
  for (const attempt of [0, 4, 100]) assert.equal(retryDelay(attempt, { random: () => 0 }), 0);
});

test('the delay before trying a better transport grows', () => {
  assert.equal(backoffDelay(0, 100, 1000, () => 0), 50);
  assert.ok(backoffDelay(2, 100, 1000, almostOne) < 400.01);
  assert.equal(backoffDelay(4, 100, 1000, () => 0), 500);
  assert.equal(backoffDelay(4000, 100, 1000, () => 0), 500);
});

test('a cursor covers what is not later in the same epoch, and nothing of another', () => {
  const at = (offset, epoch = '0123456789abcdef') => `${epoch}-${offset}`;
  assert.equal(isCovered(at(7), at(7)), true);
  assert.equal(isCovered(at(7), at(8)), true);
  assert.equal(isCovered(at(8), at(7)), false);
  assert.equal(isCovered(at(10), at(9)), false, 'numbers, not texts');
  assert.equal(isCovered(at('18446744073709551615'), at('18446744073709551614')), false, 'of 64 bits');
  assert.equal(isCovered(at(1), at(9, 'fedcba9876543210')), false);
  assert.equal(isCovered(at(1), undefined), false);
  assert.equal(isCovered('odd', 'odd'), false);
});

const STREAM = '\uFEFF: hello\r\nretry: 3000\n\nid: 1\ndata: one\n\nevent: gap\rdata:two\rdata\rdata:  three\r\rdata: \u{1F701}\r\n\r\n:\n\nevent: lost\n\ndata: unfinished';
const EVENTS = [
  { event: 'message', data: 'one' },
  { event: 'gap', data: 'two\n\n three' },
  { event: 'message', data: '\u{1F701}' },
];

test('an event stream is parsed the same whole, char by char, and split at every place', () => {
  const read = (...pieces) => {
    const reader = new EventStreamReader();
    return pieces.flatMap((piece) => reader.push(piece));
  };
  assert.deepEqual(read(STREAM), EVENTS);
  assert.deepEqual(read(...STREAM.split('')), EVENTS);
  for (let at = 0; at <= STREAM.length; at += 1) assert.deepEqual(read(STREAM.slice(0, at), STREAM.slice(at)), EVENTS, `split at ${at}`);
});

test('an event in thousands of chunks takes time in proportion to its length', () => {
  const read = (bytes) => {
    const reader = new EventStreamReader();
    const piece = 'x'.repeat(256);
    const before = process.cpuUsage();
    reader.push('data: ');
    for (let at = 0; at < bytes; at += piece.length) reader.push(piece);
    const [{ data }] = reader.push('\n\n');
    assert.equal(data.length, bytes);
    return process.cpuUsage(before).user / 1000;
  };
  read(1024 * 1024);
  // 0.1 s. Searching each chunk together with all before it would be 128 GiB of searching.
  const tookMs = read(8 * 1024 * 1024);
  assert.ok(tookMs < 3000, `${tookMs} ms`);
});

test('an event stream has the value of its last retry field', () => {
  const reader = new EventStreamReader();
  reader.push('retry: 10\n\nretry: 2x\n');
  assert.equal(reader.retryMs, 10);
  reader.push('retry:300\r');
  assert.equal(reader.retryMs, 300);
});

test('names and addresses of this machine need no network', (t) => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  t.after(() => {
    delete globalThis.navigator;
    if (before) Object.defineProperty(globalThis, 'navigator', before);
  });
  Object.defineProperty(globalThis, 'navigator', { value: { onLine: false }, configurable: true });
  const online = (host) => new Environment(new URL(`http://${host}:8080/`), 1000).online;
  for (const host of ['localhost', 'LOCALHOST', 'localhost.', 'chat.localhost', 'a.b.localhost.', '127.0.0.1', '127.1.2.3', '[::1]', '0.0.0.0', '[::]', '[::ffff:127.0.0.1]']) {
    assert.equal(online(host), true, host);
  }
  for (const host of ['chat.example', 'localhost.example', 'notlocalhost', '.localhost.example', '128.0.0.1', '[::2]', '[::ffff:128.0.0.1]', '[fe80::1]']) {
    assert.equal(online(host), false, host);
  }
});

test('an event without an end is rejected', () => {
  const reader = new EventStreamReader();
  const line = `data: ${'x'.repeat(1024 * 1024)}\n`;
  assert.throws(() => {
    for (let i = 0; i < 17; i += 1) reader.push(line);
  }, RangeError);
});

test('strings are text, bytes binary, everything else JSON', () => {
  assert.deepEqual(encodePayload('é'), { kind: 'text', body: 'é', bytes: 2 });
  for (const [value, body] of [[null, 'null'], [7, '7'], [{ a: [1] }, '{"a":[1]}'], [true, 'true']]) {
    assert.deepEqual(encodePayload(value), { kind: 'json', body, bytes: body.length });
  }
  const bytes = Uint8Array.of(1, 2, 3, 4);
  for (const value of [bytes, bytes.buffer, new DataView(bytes.buffer)]) {
    assert.deepEqual(encodePayload(value), { kind: 'binary', body: bytes, bytes: 4 });
  }
  assert.deepEqual(encodePayload(bytes.subarray(1, 3)).body, Uint8Array.of(2, 3));
  const cycle = {};
  cycle.self = cycle;
  for (const value of [undefined, () => 1, Symbol('x'), 1n, cycle]) assert.throws(() => encodePayload(value), { code: 'invalid_data' });
});

test('pending bytes are a copy, which the caller can no longer modify', () => {
  const bytes = Uint8Array.of(1);
  const payloads = [encodePayload(bytes), encodePayload(bytes.buffer)];
  bytes[0] = 2;
  for (const { body } of payloads) assert.deepEqual(body, Uint8Array.of(1));
});

test('a publish command is JSON for every kind', () => {
  const command = (data) => JSON.parse(publishCommand(5, 'a"b', 'k', encodePayload(data)));
  const head = { type: 'publish', id: 5, room: 'a"b', key: 'k' };
  assert.deepEqual(command('a\n"b"'), { ...head, data: 'a\n"b"' });
  assert.deepEqual(command({ x: [1, null] }), { ...head, data: { x: [1, null] } });
  assert.deepEqual(command(Uint8Array.of(0, 255)), { ...head, data_base64: 'AP8=' });
});

test('base64 round-trips bytes of any length', () => {
  for (const length of [0, 1, 2, 3, 255, 8191, 8192, 8193, 100_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) % 256);
    const text = toBase64(bytes);
    assert.equal(text, Buffer.from(bytes).toString('base64'));
    assert.deepEqual(fromBase64(text), bytes);
  }
});

test('a message has its kind', () => {
  const common = { room: 'r', cursor: 'c', time: 1, from: null };
  assert.deepEqual(decodeMessage({ type: 'message', ...common, data: 'x' }), { ...common, kind: 'text', data: 'x' });
  assert.deepEqual(decodeMessage({ type: 'message', ...common, data: null }), { ...common, kind: 'json', data: null });
  assert.deepEqual(decodeMessage({ type: 'message', ...common, data_base64: 'AP8=' }), { ...common, kind: 'binary', data: Uint8Array.of(0, 255) });
});

test('addresses are relative to the base, with every segment encoded', () => {
  const base = baseOf('wss://h.test/below?x=1#y');
  assert.equal(base.href, 'https://h.test/below/');
  assert.equal(roomAddress(base, 'chat/a b?#%ü', { since: 'c', history: undefined }).href, 'https://h.test/below/rooms/chat/a%20b%3F%23%25%C3%BC?since=c');
  assert.equal(presenceAddress(baseOf('http://h.test:81'), 'lobby').href, 'http://h.test:81/presence/lobby');
  assert.equal(socketAddress(base, { name: 'Ada & Co' }).href, 'wss://h.test/below/connect?name=Ada+%26+Co');
  assert.equal(address(base, 'x').href, 'https://h.test/below/x');
  for (const wrong of ['ftp://h.test', 'file:///tmp/', 'h.test', '']) assert.throws(() => baseOf(wrong), TypeError, wrong);
});

test('room names follow the server’s rules, at the limit and one past it', () => {
  for (const room of ['lobby', 'chat/lobby', 'é'.repeat(100), 'a//b']) assert.equal(roomProblem(room), '', room);
  for (const room of ['', undefined, 7, `${'é'.repeat(100)}x`, '/a', 'a/', 'a\nb', '..', 'a/./b', '\ud800']) {
    assert.notEqual(roomProblem(room), '', JSON.stringify(room));
  }
});

test('a refusal records whether it is from the server itself and whether to retry', async () => {
  const own = await refusalOf(new Response('{"error":{"code":"bad_cursor","message":"no"}}', { status: 400 }));
  assert.deepEqual([own.code, own.message, own.ours, own.temporary, own.status], ['bad_cursor', 'no', true, false, 400]);
  const proxy = await refusalOf(new Response('<html>', { status: 503, headers: { 'Retry-After': '7' } }));
  assert.deepEqual([proxy.code, proxy.ours, proxy.temporary, proxy.retryMs], ['http_503', false, true, 7000]);
  assert.equal((await refusalOf(new Response('null', { status: 404 }))).retryMs, undefined);
  assert.ok(own instanceof RoomcastError && own instanceof Error);
});

test('a listener that throws is reported and does not affect others', (t) => {
  const later = t.mock.method(globalThis, 'queueMicrotask', () => {});
  const listeners = new Listeners();
  const received = [];
  const off = listeners.on('x', () => {
    throw new Error('mine');
  });
  listeners.on('x', (detail) => received.push(detail));
  listeners.emit('x', 1);
  assert.deepEqual(received, [1]);
  assert.throws(later.mock.calls[0].arguments[0], /mine/);
  off();
  listeners.emit('x', 2);
  assert.deepEqual(received, [1, 2]);
  assert.throws(() => listeners.on('x', 'no function'), TypeError);
});

/** A room whose client only counts calls. */
function lonelyRoom(options) {
  const received = [];
  const room = new Room({ left: () => received.push('left') }, 'lobby', options);
  room.on('message', ({ data }) => received.push(data));
  room.on('gap', ({ cursor }) => received.push(`gap ${cursor.slice(-2)}`));
  for (const event of ['join', 'leave']) room.on(event, ({ member }) => received.push(`${event} ${member.name}`));
  return { room, received };
}

const cursor = (offset, epoch = 'a') => `${epoch.repeat(16)}-${offset}`;
const message = (offset, epoch) => ({ cursor: cursor(offset, epoch), time: 1, from: null, data: `${offset}` });

test('a room emits each message once and in order, whatever a link repeats', () => {
  const { room, received } = lonelyRoom({ history: 5 });
  assert.deepEqual(room.position(), { since: undefined, history: 5, presence: false });
  room.joined(cursor(1));
  for (const offset of [2, 3, 2, 3, 4]) room.message(message(offset));
  room.joined(cursor(2));
  for (const offset of [3, 4, 5]) room.message(message(offset));
  assert.deepEqual(received, ['2', '3', '4', '5']);
  assert.deepEqual(room.position(), { since: cursor(5), history: undefined, presence: false });
});

test('a gap moves the room\'s position, also into another epoch', () => {
  const { room, received } = lonelyRoom({ since: cursor(9) });
  room.joined(cursor(20));
  room.gap({ cursor: cursor(20), earliest: cursor(20) });
  for (const offset of [20, 21]) room.message(message(offset));
  room.gap({ cursor: cursor(0, 'b'), earliest: cursor(0, 'b') });
  room.message(message(1, 'b'));
  assert.deepEqual(received, ['gap 20', '21', 'gap -0', '1']);
  assert.equal(room.cursor, cursor(1, 'b'));
});

test('a closed room emits no more events', () => {
  const { room, received } = lonelyRoom({});
  room.joined(cursor(0));
  room.close();
  room.close();
  room.message(message(1));
  room.gap({ cursor: cursor(3), earliest: cursor(3) });
  assert.deepEqual(received, ['left']);
  assert.throws(() => room.on('massage', () => {}), /no event "massage"/);
});

test('members are a list and its changes; a newer list shows what was missed', () => {
  const { room, received } = lonelyRoom({ presence: true });
  room.showPresence({ count: 3, members: [{ name: 'ada' }, { name: 'grace' }], anonymous: 1 });
  assert.deepEqual(received, [], 'the first picture is no change');
  room.memberJoined({ name: 'bob' });
  room.memberJoined({ name: 'bob' });
  room.memberLeft({ name: 'grace' });
  room.memberLeft({ name: 'nobody' });
  assert.deepEqual(room.members, [{ name: 'ada' }, { name: 'bob' }]);
  assert.deepEqual([room.count, room.anonymous, room.crowd], [3, 1, false]);
  room.showPresence({ count: 2, members: [{ name: 'ada' }, { name: 'eve' }], anonymous: 0 });
  assert.deepEqual(received, ['join bob', 'leave grace', 'join eve', 'leave bob']);
});

test('a crowd has a count and no members, and emits no joins or leaves', () => {
  const presence = new Presence();
  presence.replace({ count: 1, members: [{ name: 'ada' }] });
  assert.deepEqual(presence.replace({ count: 500 }), { joined: [], left: [] });
  assert.deepEqual([presence.count, presence.crowd, presence.members], [500, true, []]);
  assert.deepEqual(presence.replace({ count: 1, members: [{ name: 'eve' }] }), { joined: [], left: [] });
});

const limits = { count: 3, bytes: 10, deadlineMs: 60_000 };

test('the outbox is bounded by number and by bytes, at the limit and one past it', async () => {
  const outbox = new Outbox(limits, () => {});
  const adding = [outbox.add('r', 'x'.repeat(4)), outbox.add('r', 'x'.repeat(6))];
  await assert.rejects(outbox.add('r', 'x'), { code: 'queue_full', message: /10 bytes/ });
  adding.push(outbox.add('r', ''));
  await assert.rejects(outbox.add('r', ''), { code: 'queue_full', message: /3 publishes/ });
  const [first] = outbox.unsent('link');
  outbox.resolve(first, { cursor: 'c' });
  assert.deepEqual(await adding[0], { cursor: 'c' });
  adding.push(outbox.add('r', 'xxxx'));
  outbox.rejectAll('closed', 'enough');
  for (const promise of adding.slice(1)) await assert.rejects(promise, { code: 'closed', maybePublished: false });
  assert.equal(outbox.size, 0);
});

test('every publish has a unique key, the same on every link, unless one is given', async () => {
  const outbox = new Outbox(limits, () => {});
  const adding = [outbox.add('r', 'a'), outbox.add('r', 'b'), outbox.add('r', 'c', 'mine')];
  const keys = [...outbox.unsent('one')].map((entry) => {
    entry.link = 'one';
    return entry.key;
  });
  assert.equal(new Set(keys).size, 3);
  assert.equal(keys[2], 'mine');
  assert.deepEqual([...outbox.unsent('one')], []);
  assert.deepEqual([...outbox.unsent('two')].map(({ key }) => key), keys);
  outbox.rejectOldestSent('one', new RoomcastError('message_too_big', 'no'));
  await assert.rejects(adding[0], { code: 'message_too_big' });
  outbox.rejectAll('closed', 'enough');
  for (const promise of adding.slice(1)) await assert.rejects(promise, { code: 'closed', maybePublished: true });
});

test('a Blob keeps its place although it must be read first', async () => {
  let onReady = () => {};
  const outbox = new Outbox(limits, () => onReady());
  const adding = [outbox.add('r', new Blob(['ab'])), outbox.add('r', 'later')];
  assert.deepEqual([...outbox.unsent('link')], [], 'nothing overtakes it');
  await new Promise((resolve) => (onReady = resolve));
  assert.deepEqual([...outbox.unsent('link')].map(({ payload }) => payload.kind), ['binary', 'text']);
  outbox.rejectAll('closed', 'enough');
  await Promise.allSettled(adding);
});

test('a publish without a receipt fails with an error that says whether it was sent', async () => {
  const outbox = new Outbox({ ...limits, deadlineMs: 20 }, () => {});
  const sent = outbox.add('r', 'a');
  [...outbox.unsent('link')][0].link = 'link';
  const unsent = outbox.add('r', 'b');
  await assert.rejects(sent, { code: 'timeout', maybePublished: true });
  await assert.rejects(unsent, { code: 'timeout', maybePublished: false });
});
