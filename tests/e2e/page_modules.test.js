// The page's pure modules, in Node.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import en from '../../web/common/words/en.js';
import zh from '../../web/common/words/zh-CN.js';
import { CatchUp } from '../../web/chat/chat.js';
import { earlierMessages } from '../../web/chat/log.js';
import { linkParts, shownAs, sniffImage } from '../../web/chat/message.js';
import { pick } from '../../web/common/language.js';
import { cleanName, roomPath, roomProblem } from '../../web/common/page.js';
import { DEPTH_MAX, monotoneSlopes, niceScale, numbersIn, POINTS_MAX, SERIES_MAX, SeriesSet, shortNumber } from '../../web/live/series.js';

test('JSON with name and text is shown as text, any other payload as data', () => {
  const text = (data, from = null) => shownAs({ kind: 'text', from, data });
  assert.deepEqual(text('hi <b>', 'Ada'), { name: 'Ada', text: 'hi <b>', raw: false });
  for (const data of ['hello', '', '{', '{}', 'null', '[1]', '"x"', '{"name":"Ada"}', '{"name":7,"text":"x"}', '{"name":" ","text":"x"}', '{"text":"no name"}']) {
    assert.deepEqual(text(data), { name: '', text: data, raw: true });
  }
});

test('a bot may sign in its JSON, as json or as text, but not override the name that the server knows', () => {
  const said = { name: 'bot', text: 'done' };
  const shown = { name: 'bot', text: 'done', raw: false };
  assert.deepEqual(shownAs({ kind: 'json', from: null, data: said }), shown);
  assert.deepEqual(shownAs({ kind: 'text', from: null, data: JSON.stringify(said) }), shown);
  assert.deepEqual(shownAs({ kind: 'json', from: 'eve', data: { name: 'Ada', text: 'x' } }), { name: 'eve', text: 'x', raw: false });
  assert.deepEqual(shownAs({ kind: 'json', from: null, data: { alert: 'disk' } }), { name: '', text: '{"alert":"disk"}', raw: true });
  for (const data of [null, 7, 'x', [1], false]) assert.equal(shownAs({ kind: 'json', from: null, data }).text, JSON.stringify(data));
});

test('messages that preceded the join are counted up to the newest cursor, whichever is known first', async () => {
  for (const order of ['head first', 'messages first']) {
    const counts = [];
    let answer;
    const catchUp = new CatchUp(() => new Promise((resolve) => (answer = resolve)), (count) => counts.push(count));
    const begun = catchUp.begin('e-1');
    if (order === 'head first') answer('e-3');
    if (order === 'head first') await begun;
    catchUp.message('e-2', true);
    catchUp.message('e-3', true);
    catchUp.message('e-4', true);
    if (order === 'messages first') answer('e-3');
    await begun;
    assert.deepEqual(counts, [2], order);
    assert.equal(catchUp.running, false);
  }
});

test('nothing was missed if the newest cursor is the one resumed from, and own messages do not count', async () => {
  const counts = [];
  const catchUp = new CatchUp(async () => 'e-1', (count) => counts.push(count));
  await catchUp.begin('e-1');
  await catchUp.begin('e-0');
  assert.deepEqual(counts, [0]);
  catchUp.message('e-1', false);
  assert.deepEqual(counts, [0, 0]);
  await catchUp.begin('x-9');
  catchUp.gap('e-1');
  assert.deepEqual(counts, [0, 0, 0], 'a gap leads to where the room is');
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

test('before punctuation of Chinese, Japanese and others a link ends where the address does', () => {
  const hrefs = (text) => linkParts(text).filter((part) => part.href).map((part) => part.text);
  const address = 'https://example.org/b';
  for (const behind of ['，然后回复', '。', '、再看', '！', '？', '：', '；', '）', '」', '』', '】', '》', '〉', '”', '’然后', '…', '……', '——', '～', '　', '｡', '،', '।', ')然后', ',然后']) {
    assert.deepEqual(hrefs(`见${address}${behind}`), [address], behind);
  }
  assert.deepEqual(hrefs(`（${address}）“${address}”《${address}》、${address}。`), [address, address, address, address]);
  for (const whole of ['https://zh.wikipedia.org/wiki/中文_(语言)', 'https://例子.中国/路径?问=答', 'https://ja.test/ジョン・レノン', 'https://fr.test/L’Équipe', 'https://a.test/🎉']) {
    assert.deepEqual(hrefs(`${whole}。`), [whole]);
  }
});

test('every language has the same keys, with the same placeholders', () => {
  const values = (entry) => JSON.stringify([...new Set(JSON.stringify(entry).match(/\{\w+\}/g) ?? [])].sort());
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  for (const key of Object.keys(en)) {
    assert.equal(values(zh[key]), values(en[key]), key);
    assert.ok(typeof zh[key] === 'string' || zh[key].other, key);
  }
});

test('the language is the first for which there is a table', () => {
  for (const [wanted, found] of [[['zh-CN', 'en'], 'zh-CN'], [['zh-TW', 'en'], 'zh-CN'], [['zh-Hans-SG'], 'zh-CN'], [['zh'], 'zh-CN'], [['fr', 'zh', 'en'], 'zh-CN'],
    [['en-GB', 'zh'], 'en'], [['fr', 'de'], 'en'], [[], 'en'], [['', '*'], 'en']]) assert.equal(pick(wanted), found, wanted.join());
});

test('earlier messages are those before the first one shown, however many responses they take', async () => {
  const epoch = 'e'.repeat(16);
  const cursors = (from, to) => Array.from({ length: to - from }, (_, i) => ({ cursor: `${epoch}-${from + i}` }));
  const asked = [];
  const past = (kept, page) => async ({ history, since }) => {
    asked.push(history ?? since);
    const from = since ? Number(since.split('-')[1]) : Math.max(kept, 200 - history);
    const messages = cursors(from + 1, Math.min(from + page, 200) + 1);
    return { messages, cursor: messages.at(-1)?.cursor ?? since };
  };
  const some = await earlierMessages(past(0, 30), `${epoch}-151`, 50);
  assert.deepEqual([some.messages.length, some.messages[0].cursor, some.isAll], [51, `${epoch}-100`, false]);
  assert.deepEqual(asked, [101, `${epoch}-129`]);
  const rest = await earlierMessages(past(120, 500), `${epoch}-151`, 50);
  assert.deepEqual([rest.messages.length, rest.messages[0].cursor, rest.isAll], [30, `${epoch}-121`, true]);
  const none = await earlierMessages(past(150, 500), `${epoch}-151`, 50);
  assert.deepEqual([none.messages.length, none.isAll], [0, true]);
  const other = await earlierMessages(past(0, 500), `${'f'.repeat(16)}-151`, 50);
  assert.deepEqual([other.messages.length, other.isAll], [0, true], 'another epoch was never before');
});

test('hostile text is split into links in linear time and bounded number', () => {
  const started = process.hrtime.bigint();
  linkParts(`https://a.test/${')'.repeat(65_000)}`);
  assert.equal(linkParts('http://a.test '.repeat(5000)).filter((part) => part.href).length, 100);
  assert.ok(process.hrtime.bigint() - started < 2_000_000_000n);
});

test('room names follow the server’s rules, at the limit and one past it', () => {
  const good = ['lobby', 'chat/lobby', 'a b', 'ü', 'x'.repeat(200), 'é'.repeat(100), '…/…'];
  const bad = ['', 'a//b', 'x'.repeat(201), `${'é'.repeat(100)}x`, '/a', 'a/', 'a\nb', 'a\u007fb', 'a\u0085b', '..', 'a/../b', './a', '\ud800'];
  for (const room of good) assert.equal(roomProblem(room), null, room);
  for (const room of bad) assert.ok(roomProblem(room).key in en, JSON.stringify(room));
});

test('a room’s address is percent-encoded segment by segment', () => {
  assert.equal(roomPath('chat/a b?#%ü\''), 'rooms/chat/a%20b%3F%23%25%C3%BC%27');
});

test('names are made one clean line', () => {
  assert.equal(cleanName('  Ada\n\tLovelace '), 'Ada Lovelace');
  assert.equal(cleanName('\u202eadA\u200b'), 'adA');
  assert.equal(cleanName(' \u0000\u2066 '), '');
  assert.equal([...cleanName('x'.repeat(41))].length, 40);
  assert.equal([...cleanName('🜁'.repeat(41))].length, 25, 'no more than 100 bytes');
  assert.equal(cleanName('a\ud800b'), 'a b');
});

test('pictures are recognised by their first bytes, never by their file name', () => {
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

test('numbers are found in objects and bare numbers, and nothing else', () => {
  assert.deepEqual(numbersIn({ cpu: 0.42, name: 'web', ok: true, nested: { x: 1, deep: [{ y: 2 }, 'no', 3] }, load: -1 }),
    [['cpu', 0.42], ['nested.x', 1], ['nested.deep.0.y', 2], ['nested.deep.2', 3], ['load', -1]]);
  assert.deepEqual(numbersIn([1, [2]]), [['0', 1], ['1.0', 2]]);
  const within = (depth) => Array.from({ length: depth }).reduce((inner) => ({ a: inner }), 1);
  assert.equal(numbersIn(within(DEPTH_MAX)).length, 1);
  assert.equal(numbersIn(within(DEPTH_MAX + 1)).length, 0);
  assert.equal(numbersIn(Array.from({ length: 1001 }, (_, i) => i)).length, 1000);
  assert.deepEqual(numbersIn(7), [['value', 7]]);
  assert.deepEqual(numbersIn('{"cpu":1}'), [['cpu', 1]]);
  assert.deepEqual(numbersIn('0.5'), [['value', 0.5]]);
  for (const data of [null, undefined, [], 'words', '', '{', true, { x: Infinity }]) assert.deepEqual(numbersIn(data), []);
});

test('series and their points are bounded, at the limit and one past it', () => {
  const series = new SeriesSet();
  for (let i = 0; i < SERIES_MAX; i += 1) series.add(0, { [`s${i}`]: i });
  assert.equal(series.surplus, 0);
  series.add(0, { more: 1 });
  assert.equal(series.all.length, SERIES_MAX);
  assert.equal(series.surplus, 1);
  for (let i = 1; i <= POINTS_MAX; i += 1) series.add(i, { s0: i });
  assert.equal(series.all[0].points.length, POINTS_MAX);
  assert.equal(series.all[0].points[0].time, 1);
});

test('a gap breaks every line once', () => {
  const series = new SeriesSet();
  for (const time of [1, 2]) series.add(time, { a: 1, b: 2 });
  series.break();
  for (const time of [3, 4]) series.add(time, { a: 1 });
  series.add(5, { b: 1 });
  const broken = series.all.map(({ points }) => points.filter((point) => point.broken).map(({ time }) => time));
  assert.deepEqual(broken, [[3], [5]]);
});

test('a scale has round ticks that cover the range', () => {
  assert.deepEqual(niceScale(0, 1).ticks, [0, 0.5, 1]);
  assert.deepEqual(niceScale(0, 0.42).ticks, [0, 0.2, 0.4, 0.6]);
  assert.deepEqual(niceScale(-3, 7).ticks, [-5, 0, 5, 10]);
  for (const [least, most] of [[0, 0], [5, 5], [-2, -2], [0.605, 0.614], [1e9, 3e9], [1e-7, 2e-7], [99.99, 100.01]]) {
    const { low, high, ticks } = niceScale(least, most);
    assert.ok(low <= least && high >= most && low < high, `${least} to ${most}: ${ticks}`);
    assert.ok(ticks.length >= 2 && ticks.length <= 6, `${ticks}`);
  }
});

test('numbers are formatted in a short form', () => {
  const pairs = [[0, '0'], [0.1 + 0.2, '0.3'], [0.61384, '0.6138'], [1234.5, '1235'], [65_536, '65.54 k'], [2.5e6, '2.5 M'], [-3e9, '-3 G'], [1e-7, '1.00e-7']];
  for (const [value, text] of pairs) assert.equal(shortNumber(value), text);
});

test('the smooth line stays within the range of its points', () => {
  const points = [[0, 0], [1, 0], [2, 10], [3, 10], [4, 9], [4, 3]].map(([x, y]) => ({ x, y }));
  const slopes = monotoneSlopes(points);
  assert.deepEqual([slopes[0], slopes[1], slopes[2], slopes[3]], [0, 0, 0, 0], 'flat where it turns');
  assert.ok(slopes.every(Number.isFinite));
  assert.deepEqual(monotoneSlopes([{ x: 0, y: 5 }]), [0]);
});

/** The modules that `entry` of web/ imports, itself included. */
async function modulesOf(entry, found = new Set()) {
  if (found.has(entry)) return found;
  found.add(entry);
  const text = await readFile(new URL(`../../web/${entry}`, import.meta.url), 'utf8');
  for (const [, from] of text.matchAll(/^(?:import|export)\b[^;]*?from '(\.[^']+)'/gm)) {
    await modulesOf(path.posix.join(path.posix.dirname(entry), from), found);
  }
  return found;
}

for (const [page, entry] of [['index.html', 'chat/app.js'], ['live.html', 'live/live.js']]) {
  test(`${page} preloads all its modules, and none that it does not need`, async () => {
    const markup = await readFile(new URL(`../../web/${page}`, import.meta.url), 'utf8');
    const preloaded = [...markup.matchAll(/<link rel="modulepreload" href="([^"]+)">/g)].map(([, name]) => name);
    assert.deepEqual([...preloaded, entry].sort(), [...(await modulesOf(entry))].sort());
  });
}
