// Who a line is from, and lines that a moderator deletes, replaces or clears.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertNoProblems, enterRoom, launchBrowser, post, saidIn, showsLine } from '../support/browser.js';
import { assertDone, keyOf, Moderator, startIdentifyingServer, tokenOf } from '../support/moderation.js';
import { fetchOnce } from '../support/raw_http.js';
import { startServer } from '../support/server.js';

let server;
let browser;
let moderator;

before(async () => {
  server = await startIdentifyingServer();
  moderator = new Moderator(server.url);
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const publish = async (room, body, token) => (await fetchOnce(server.url, 'POST', `/rooms/${room}`, {
  body, headers: { 'Content-Type': 'text/plain', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
})).json.cursor;

/** What is generated behind each name of the log: what a screen reader speaks as well. */
const badges = (tab) => tab.$$eval('.current .log .message.first .name', (names) => names.map((name) => {
  const { content } = getComputedStyle(name, '::after');
  return [name.textContent, content === 'none' ? '' : JSON.parse(content)];
}));
const countIs = (tab, count) => tab.waitForFunction((wanted) => document.querySelectorAll('.current .log .words').length === wanted, count);

test('names are verified, or a guest’s where any is verified', async () => {
  const tab = await enterRoom(browser, server.url, { room: 'who', name: 'Grace' });
  await post(server.url, 'who', 'I am Ada', 'text/plain', 'Ada');
  await showsLine(tab, 'I am Ada');
  assert.deepEqual(await badges(tab), [['Ada', '']]);
  await publish('who', 'So am I', await tokenOf('ada', { name: 'Ada' }));
  await publish('who', 'built', keyOf('ci'));
  await countIs(tab, 3);
  assert.deepEqual(await badges(tab), [['Ada', 'guest'], ['Ada', '✓ verified'], ['ci', '✓ API key']]);
  const reading = await enterRoom(browser, server.url, { room: 'who', name: 'Bob', locale: 'zh-CN' });
  await countIs(reading, 3);
  assert.deepEqual((await badges(reading)).map(([, badge]) => badge), ['访客', '✓ 已验证', '✓ API 密钥']);
  assertNoProblems(tab, reading);
});

test('a server that knows nobody calls nobody a guest', async () => {
  const plain = await startServer();
  const tab = await enterRoom(browser, plain.url, { room: 'plain', name: 'Grace' });
  await post(plain.url, 'plain', 'hi', 'text/plain', 'Ada');
  await showsLine(tab, 'hi');
  assert.deepEqual(await badges(tab), [['Ada', '']]);
  await plain.stop();
});

test('deleted lines disappear, replaced ones are marked, a cleared room is empty', async () => {
  const tab = await enterRoom(browser, server.url, { room: 'moderated', name: 'Grace' });
  const cursors = [];
  for (const word of ['one', 'two', 'three']) cursors.push(await publish('moderated', word));
  await countIs(tab, 3);
  assertDone(await moderator.remove('moderated', cursors[1]));
  await countIs(tab, 2);
  assert.deepEqual(await saidIn(tab), ['one', 'three']);
  assertDone(await moderator.replace('moderated', cursors[2], 'drei'));
  await showsLine(tab, 'drei');
  assert.deepEqual(await saidIn(tab), ['one', 'drei']);
  const edited = await tab.$eval('.current .log .edited', (body) => [body.textContent, JSON.parse(getComputedStyle(body, '::after').content)]);
  assert.deepEqual(edited, ['drei', 'edited']);
  await publish('moderated', 'four');
  await showsLine(tab, 'four');
  assert.deepEqual(await saidIn(tab), ['one', 'drei', 'four']);

  // The newest message is gone: entering does not wait for it.
  assertDone(await moderator.remove('moderated', cursors[0]));
  const newest = await publish('moderated', 'five');
  assertDone(await moderator.remove('moderated', newest));
  const late = await enterRoom(browser, server.url, { room: 'moderated', name: 'Bob' });
  assert.deepEqual(await saidIn(late), ['drei', 'four']);

  assertDone(await moderator.clear('moderated'));
  await countIs(tab, 0);
  await tab.waitForSelector('.current .empty:not([hidden])');
  assertNoProblems(tab, late);
});
