// The live page: plots of the numbers in a room, the same over every transport.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { assertNoProblems, launchBrowser, openPage, stateIs } from '../support/browser.js';
import { cleanEnvironment, repository, startServer } from '../support/server.js';

const TRANSPORTS = ['websocket', 'sse', 'stream', 'longpoll', 'shortpoll'];
const run = promisify(execFile);
const example = (name) => path.join(repository, 'examples', name);

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const openLive = (room, transport = 'websocket', options = {}) =>
  openPage(browser, `${server.url}/live.html?${new URLSearchParams({ room, transport })}`, options);
const publish = (room, numbers) =>
  fetch(`${server.url}/rooms/${room}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(numbers) });
const choose = (tab, transport) => tab.check(`[value="${transport}"]`, { force: true });
const countBecomes = (tab, count) => tab.waitForFunction((wanted) => document.getElementById('count').textContent === String(wanted), count);
const lastValues = (tab) => tab.$$eval('.value', (all) => Object.fromEntries(all.map((one) =>
  [one.querySelector('.series-name').textContent, one.querySelector('.last').textContent])));

/** The number of pixels of the first plot with its line's colour: shows that, and where, something is drawn. */
const inked = (tab) => tab.$eval('.plot', (canvas) => {
  const wanted = getComputedStyle(canvas).color.match(/\d+/g).map(Number);
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 200 && wanted.every((channel, c) => Math.abs(data[i + c] - channel) < 12)) count += 1;
  }
  return count;
});

for (const transport of TRANSPORTS) {
  test(`the metrics of the publisher script are plotted over ${transport}`, async () => {
    const room = `metrics/${transport}`;
    const tab = await openLive(room, transport);
    await stateIs(tab, 'live');
    await run(example('publish_metrics.py'), ['--server', server.url, '--room', room, '--count', '4', '--interval', '0.2']);
    await countBecomes(tab, 4);
    const values = await lastValues(tab);
    assert.deepEqual(Object.keys(values), ['cpu', 'load', 'memory']);
    for (const value of Object.values(values)) assert.match(value, /^\d+(\.\d+)?$/);
    await tab.waitForFunction(() => /^-?[\d.,]+ ms$/.test(document.getElementById('latency').textContent));
    assert.equal(await tab.textContent('#gaps'), '0');
    assert.equal(await tab.isVisible('#nothing'), false);
    await tab.waitForTimeout(100); // one animation frame
    assert.ok((await inked(tab)) > 10, 'a line is drawn');
    assert.match(await tab.getAttribute('.plot >> nth=0', 'aria-label'), /^cpu over time: last [\d.]+, [\d.]+ to [\d.]+$/);
    assertNoProblems(tab);
  });
}

test('switching between transports while messages arrive loses none and repeats none', async () => {
  const tab = await openLive('switching');
  await stateIs(tab, 'live');
  let sent = 0;
  for (const transport of [...TRANSPORTS.slice(1), ...TRANSPORTS]) {
    const publishing = (async () => {
      for (let i = 0; i < 12; i += 1) await publish('switching', { n: (sent += 1) });
    })();
    await choose(tab, transport);
    await publishing;
    await stateIs(tab, 'live');
  }
  await countBecomes(tab, sent);
  assert.equal(await tab.textContent('.last'), String(sent));
  assert.equal(await tab.textContent('#gaps'), '0');
  await publish('switching', { n: 0 });
  await countBecomes(tab, sent + 1);
  assert.match(tab.url(), /transport=shortpoll/);
  assertNoProblems(tab);
});

test('a page opened later shows the retained history', async () => {
  for (let i = 0; i < 20; i += 1) await publish('before', { n: i, deep: { x: 1 }, word: 'x' });
  const tab = await openLive('before', 'sse');
  await countBecomes(tab, 20);
  assert.deepEqual(await lastValues(tab), { n: '19', 'deep.x': '1' });
  assert.equal(await tab.textContent('#latency'), '–', 'what waited in the room says nothing of the way');
  assertNoProblems(tab);
});

test('a restarted server is a gap: it is counted, and the plot continues', async (t) => {
  let own = await startServer();
  t.after(() => own.kill());
  const tab = await openPage(browser, `${own.url}/live.html?room=gap&transport=stream`);
  await stateIs(tab, 'live');
  const say = (n) => fetch(`${own.url}/rooms/gap`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: String(n) });
  await say(1);
  await countBecomes(tab, 1);
  await own.stop();
  await stateIs(tab, 'waiting');
  own = await startServer({ listen: [`http://127.0.0.1:${own.port}`] });
  await stateIs(tab, 'live');
  await say(2);
  await countBecomes(tab, 2);
  assert.deepEqual(await lastValues(tab), { value: '2' });
  assert.equal(await tab.textContent('#gaps'), '1');
  await tab.context().close();
});

test('without messages, the page shows a shell loop that works', async () => {
  const tab = await openLive("it's/empty");
  await stateIs(tab, 'live');
  await tab.waitForSelector('#nothing:not([hidden])');
  const loop = await tab.textContent('#loop');
  assert.ok(loop.includes(`'${server.url}/rooms/it%27s/empty'`), loop);
  const shell = spawn('sh', ['-c', loop.replace('sleep 1', 'sleep 0.2')], { env: cleanEnvironment(), stdio: 'ignore', detached: true });
  try {
    await tab.waitForSelector('.value');
  } finally {
    process.kill(-shell.pid);
  }
  assert.match(await tab.textContent('.last'), /^[\d.]+$/);
  assert.equal(await tab.isVisible('#nothing'), false);
  assertNoProblems(tab);
});

test('the shell script publishes what it prints', async () => {
  const tab = await openLive('from/shell', 'longpoll');
  await run(example('publish_metrics.sh'), [server.url, 'from/shell'], { env: cleanEnvironment({ COUNT: '2', INTERVAL: '0.1' }) });
  await countBecomes(tab, 2);
  assert.deepEqual(Object.keys(await lastValues(tab)), ['load', 'processes']);
});

test('the number of names is bounded, and markup in them is text', async () => {
  const tab = await openLive('hostile');
  await stateIs(tab, 'live');
  await publish('hostile', { '<img src=x onerror=ran=1>': 1, ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`n${i}`, i])) });
  await countBecomes(tab, 1);
  assert.equal(await tab.locator('.value').count(), 8);
  assert.equal(await tab.textContent('.series-name >> nth=0'), '<img src=x onerror=ran=1>');
  assert.match(await tab.textContent('#surplus'), /^13 more not shown/);
  assert.equal(await tab.evaluate(() => window.ran), undefined);
  assertNoProblems(tab);
});

test('usable with the keyboard alone and at 320 pixels, with a link to the chat', async () => {
  await publish('small', { 'a rather long name of a series that goes on': 123_456.789, b: 1 });
  const tab = await openLive('small', 'websocket', { viewport: { width: 320, height: 568 }, reducedMotion: 'reduce' });
  await countBecomes(tab, 1);
  const [content, screen] = await tab.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= screen, `${content} > ${screen}`);
  await tab.focus('[value="websocket"]');
  await tab.keyboard.press('ArrowRight');
  await tab.waitForFunction(() => document.getElementById('state-text').textContent === 'Live by EventSource');
  assert.equal(await tab.textContent('#announced'), 'Live by EventSource');
  assert.equal(await tab.textContent('#count'), '1', 'nothing is read twice');
  await tab.click('#to-chat');
  await tab.waitForSelector('#join:not([hidden])');
  assert.equal(await tab.inputValue('#join-room'), 'small');
  await tab.click('.brand-link');
  await stateIs(tab, 'live');
  assert.equal(await tab.textContent('#room'), 'demo/metrics');
  assertNoProblems(tab);
});

/** The rows of the first plot that its line touches, from 0 (top) to 1 (bottom). */
const lineHeights = (tab) => tab.$eval('.plot', (canvas) => {
  const wanted = getComputedStyle(canvas).color.match(/\d+/g).map(Number);
  const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const rows = [];
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 200 && wanted.every((channel, c) => Math.abs(data[i + c] - channel) < 12)) rows.push(Math.floor(i / 4 / width) / height);
  }
  return [Math.min(...rows), Math.max(...rows)];
});

test('99 to 100 % is nearly a straight line, unless the scale is fitted', async () => {
  const tab = await openLive('flat');
  await stateIs(tab, 'live');
  for (let i = 0; i < 8; i += 1) {
    await publish('flat', { percent: i % 2 ? 99 : 100 });
    await tab.waitForTimeout(60); // messages at the same time would be one vertical line
  }
  await countBecomes(tab, 8);
  const pictures = () => tab.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await pictures();
  const [top, bottom] = await lineHeights(tab);
  assert.ok(bottom - top < 0.15, `from ${top} to ${bottom}`);
  await choose(tab, 'fitted');
  await pictures();
  const [highest, lowest] = await lineHeights(tab);
  assert.ok(lowest - highest > 0.5, `from ${highest} to ${lowest}`);
});

test('a value can be read by pointing at it, and with the keyboard', async () => {
  const tab = await openLive('hover');
  await stateIs(tab, 'live');
  for (const n of [1234.5678, 2, 3]) await publish('hover', { n });
  await countBecomes(tab, 3);
  const hint = () => tab.textContent('.value .hint');
  assert.equal(await hint(), '2 to 1235');
  const box = await tab.locator('.plot').boundingBox();
  await tab.mouse.move(box.x + box.width - 14, box.y + 20);
  await tab.waitForFunction(() => / at \d+:\d+:\d+/.test(document.querySelector('.value .hint').textContent));
  await tab.mouse.move(0, 0);
  assert.equal(await hint(), '2 to 1235');
  await tab.focus('.plot');
  for (const value of ['3', '2', '1234.5678', '1234.5678']) {
    await tab.keyboard.press('ArrowLeft');
    assert.match(await hint(), new RegExp(`^${value} at \\d+:\\d+:\\d+`));
  }
  await tab.keyboard.press('Escape');
  assert.equal(await hint(), '2 to 1235');
  assertNoProblems(tab);
});

test('all retained history is plotted, with the time since when', async (t) => {
  const own = await startServer({ set: { 'history.messages': 500 } });
  t.after(() => own.kill());
  for (let i = 0; i < 150; i += 1) {
    await fetch(`${own.url}/rooms/kept`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: `{"n":${i}}` });
  }
  const tab = await openPage(browser, `${own.url}/live.html?room=kept`);
  await countBecomes(tab, 150);
  await tab.check('[value="600"]', { force: true });
  await tab.waitForSelector('#since:not([hidden])');
  assert.match(await tab.textContent('#since'), /^Drawn since \d+:\d+:\d+.*keeps nothing from before\.$/);
  await tab.context().close();
});
