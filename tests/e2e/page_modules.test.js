// The page's pure modules, straight in Node.

import assert from 'node:assert/strict';
import test from 'node:test';
import { BASE_MS, CAP_MS, retryDelay } from '../../web/backoff.js';
import { explainClose } from '../../web/close_codes.js';
import { sniffImage } from '../../web/image.js';
import { linkParts } from '../../web/links.js';
import { checksum, decodeText, encodeImageNote, encodeText, Senders } from '../../web/message.js';
import { cleanName, roomPath, roomProblem, roomSocketUrl } from '../../web/room.js';

const almostOne = () => 1 - Number.EPSILON;

test('the back-off doubles its ceiling up to the cap and is spread over all of it', () => {
  assert.equal(retryDelay(0, almostOne), BASE_MS - 1);
  assert.equal(retryDelay(3, almostOne), BASE_MS * 8 - 1);
  assert.equal(retryDelay(6, almostOne), CAP_MS - 1);
  assert.equal(retryDelay(5000, almostOne), CAP_MS - 1);
  assert.equal(retryDelay(5, () => 0.5), BASE_MS * 16);
  for (const attempt of [0, 4, 100]) assert.equal(retryDelay(attempt, () => 0), 0);
});

test('a close code decides whether to come back, and words the reason', () => {
  for (const code of [1001, 1005, 1006, 1007, 1009, 1011, 1012, 1013, 4000]) assert.equal(explainClose(code).retry, true, code);
  for (const code of [1000, 1002, 1003, 1008, 1010]) assert.equal(explainClose(code).retry, false, code);
  assert.match(explainClose(1008, 'not your room').text, /policy.*\(not your room\)/);
  assert.equal(explainClose(1006).text, '');
  assert.match(explainClose(4321).text, /4321/);
  assert.ok(explainClose(1013).patience > explainClose(1012).patience);
  assert.equal(explainClose(1009).blamesMessage, true);
  assert.equal(explainClose(1012).blamesMessage, false);
});

test('what the page says comes back as it was said', () => {
  const text = 'hi "there"\n<b>& \u2028 🜁';
  assert.deepEqual(decodeText(encodeText({ id: 'a1', name: 'Ada', text })), { kind: 'chat', id: 'a1', name: 'Ada', text });
  const bytes = new Uint8Array([1, 2, 3]);
  const note = decodeText(encodeImageNote({ id: 'a2', name: 'Ada', type: 'image/png', bytes }));
  assert.deepEqual(note, { kind: 'note', id: 'a2', name: 'Ada', bytes: 3, sum: checksum(bytes) });
});

test('whatever is not the page’s own convention is plain text', () => {
  const others = ['hello', '', '{', '{}', 'null', '[1]', '"x"', '{"name":"Ada"}', '{"name":7,"text":"x"}', '{"name":" ","text":"x"}',
    '{"name":"Ada","text":7}', '{"name":"Ada","image":{}}', '{"name":"Ada","image":{"bytes":"9"}}', '{"text":"no name"}'];
  for (const text of others) assert.deepEqual(decodeText(text), { kind: 'plain', text });
});

test('an id that is not a short string is ignored', () => {
  for (const id of ['7', '{"a":1}', `"${'x'.repeat(65)}"`]) {
    assert.equal(decodeText(`{"id":${id},"name":"Ada","text":"x"}`).id, '');
  }
});

test('the checksum is FNV-1a', () => {
  assert.equal(checksum(new Uint8Array()), '811c9dc5');
  assert.equal(checksum(new TextEncoder().encode('foobar')), 'bf9cf968');
});

test('a binary message finds its sender although others come between', () => {
  const senders = new Senders();
  const one = new Uint8Array([1, 2, 3]);
  const two = new Uint8Array([3, 2, 1]);
  for (const [id, name, bytes] of [['1', 'Ada', one], ['2', 'Grace', two]]) {
    senders.note(decodeText(encodeImageNote({ id, name, type: 'image/png', bytes })));
  }
  assert.equal(senders.take(two).name, 'Grace');
  assert.equal(senders.take(new Uint8Array([9])).name, '');
  assert.equal(senders.take(one).name, 'Ada');
  assert.equal(senders.take(one).name, '', 'a note counts once');
});

test('a note without a checksum goes by its size, and only so many notes are kept', () => {
  const senders = new Senders();
  for (let i = 0; i <= Senders.LIMIT; i += 1) senders.note({ id: '', name: `n${i}`, bytes: i + 1, sum: '' });
  assert.equal(senders.take(new Uint8Array(1)).name, '', 'the oldest is gone');
  assert.equal(senders.take(new Uint8Array(2)).name, 'n1');
  senders.forget();
  assert.equal(senders.take(new Uint8Array(3)).name, '');
});

test('links are http and https only, without the sentence around them', () => {
  const hrefs = (text) => linkParts(text).filter((part) => part.href).map((part) => part.text);
  assert.deepEqual(hrefs('see http://a.test, https://b.test/x?y=1#z. Bye'), ['http://a.test', 'https://b.test/x?y=1#z']);
  assert.deepEqual(hrefs('(https://en.test/Mole_(spy))'), ['https://en.test/Mole_(spy)']);
  assert.deepEqual(hrefs('javascript:alert(1) data:text/html,x ftp://a.test vbscript:x http:// https://'), []);
  assert.deepEqual(hrefs('<a href="https://c.test">x</a>'), ['https://c.test']);
  for (const text of ['', 'none', 'https://a.test', 'x https://a.test y https://b.test!)']) {
    assert.equal(linkParts(text).map((part) => part.text).join(''), text);
  }
});

test('hostile text is cut into links in linear time and bounded number', () => {
  const started = process.hrtime.bigint();
  linkParts(`https://a.test/${')'.repeat(65_000)}`);
  assert.equal(linkParts('http://a.test '.repeat(5000)).filter((part) => part.href).length, 100);
  assert.ok(process.hrtime.bigint() - started < 2_000_000_000n);
});

test('room names follow the server’s rules, at the limit and one past it', () => {
  const good = ['lobby', 'chat/lobby', 'a b', 'ü', 'x'.repeat(200), 'é'.repeat(100), '…/…', 'a//b'];
  const bad = ['', 'x'.repeat(201), `${'é'.repeat(100)}x`, '/a', 'a/', 'a\nb', 'a\u007fb', 'a\u0085b', '..', 'a/../b', './a', '\ud800'];
  for (const room of good) assert.equal(roomProblem(room), '', room);
  for (const room of bad) assert.notEqual(roomProblem(room), '', JSON.stringify(room));
});

test('a room’s address is percent-encoded segment by segment', () => {
  assert.equal(roomPath('chat/a b?#%ü\''), 'rooms/chat/a%20b%3F%23%25%C3%BC%27');
  assert.equal(roomSocketUrl('lobby', 'http://h.test:81/?room=x'), 'ws://h.test:81/rooms/lobby');
  assert.equal(roomSocketUrl('lobby', 'https://h.test/below/index.html'), 'wss://h.test/below/rooms/lobby');
});

test('names are one clean line', () => {
  assert.equal(cleanName('  Ada\n\tLovelace '), 'Ada Lovelace');
  assert.equal(cleanName('\u202eadA\u200b'), 'adA');
  assert.equal(cleanName(' \u0000\u2066 '), '');
  assert.equal([...cleanName('🜁'.repeat(41))].length, 40);
});

test('pictures are known by their first bytes, never by what they are called', () => {
  const codes = (part) => (typeof part === 'string' ? [...part].map((c) => c.charCodeAt(0)) : part);
  const bytes = (...parts) => Uint8Array.from(parts.flatMap(codes));
  const kinds = [
    ['image/png', bytes('\x89PNG\r\n\x1a\n')],
    ['image/jpeg', bytes('\xff\xd8\xff\xe0')],
    ['image/gif', bytes('GIF89a')],
    ['image/gif', bytes('GIF87a')],
    ['image/webp', bytes('RIFF', [0, 0, 0, 0], 'WEBP')],
    ['image/avif', bytes([0, 0, 0, 24], 'ftypavif', [0, 0, 0, 0], 'mif1miaf')],
    ['image/avif', bytes([0, 0, 0, 24], 'ftypmif1', [0, 0, 0, 0], 'miafavif')],
    ['', bytes([0, 0, 0, 24], 'ftypheic', [0, 0, 0, 0], 'mif1heic')],
    ['', bytes('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['', bytes('RIFF', [0, 0, 0, 0], 'WAVE')],
    ['', bytes()],
  ];
  for (const [type, head] of kinds) {
    assert.equal(sniffImage(head), type);
    if (type) assert.equal(sniffImage(head.slice(0, type === 'image/avif' ? 11 : head.length - (type === 'image/jpeg' ? 2 : 1))), '');
  }
});
