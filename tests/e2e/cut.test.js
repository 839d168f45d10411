// After an interruption the log shows what was missed: nothing, a number of messages, or that the number is unknown.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertNoProblems, enterRoom, showsLine, isIn, launchBrowser, post, saidIn, say, stateIs } from '../support/browser.js';
import { startServer } from '../support/server.js';

const KEPT = 100; // history.messages unless configured otherwise

let server;
let browser;
let url;

before(async () => {
  server = await startServer();
  browser = await launchBrowser(['--host-resolver-rules=MAP roomcast.test 127.0.0.1']);
  // Not this machine's name, so that the page uses the browser's network state.
  url = `http://roomcast.test:${server.port}`;
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Takes the tab offline while `meanwhile` runs. */
async function cutOff(tab, meanwhile = async () => {}) {
  await tab.context().setOffline(true);
  await stateIs(tab, 'offline');
  await meanwhile();
  await tab.context().setOffline(false);
  await stateIs(tab, 'live');
}

const postLines = async (room, from, to) => {
  for (let i = from; i < to; i += 1) await post(server.url, room, `line ${i}`, 'text/plain', 'Grace');
};
const dividerSays = (tab, pattern) => tab.waitForFunction((source) =>
  [...document.querySelectorAll('.current .divider')].some((line) => new RegExp(source).test(line.textContent)), pattern.source);

test('if nothing was missed, the log says so', async () => {
  const ada = await enterRoom(browser, url, { room: 'nothing', name: 'Ada' });
  await say(ada, 'before');
  await showsLine(ada, 'before');
  await cutOff(ada);
  await dividerSays(ada, /^Connected again after \d+ s\. You missed nothing\.$/);
  await cutOff(ada);
  await dividerSays(ada, /You missed nothing/);
  assert.equal(await ada.locator('.divider').count(), 1, 'one word on it is enough');
  await say(ada, 'after');
  await showsLine(ada, 'after');
  assert.deepEqual(await saidIn(ada), ['before', 'after']);
  assertNoProblems(ada);
});

for (const [count, sentence] of [[1, '1 message while you were away'], [7, '7 messages while you were away']]) {
  test(`${sentence}: a divider marks their beginning, and none is missing`, async () => {
    const room = `away/${count}`;
    const ada = await enterRoom(browser, url, { room, name: 'Ada' });
    await postLines(room, 0, 2);
    await showsLine(ada, 'line 1');
    await cutOff(ada, () => postLines(room, 2, 2 + count));
    await dividerSays(ada, new RegExp(`^${sentence}$`));
    await postLines(room, 2 + count, 3 + count);
    await showsLine(ada, `line ${2 + count}`);
    const lines = await ada.$$eval('.log > li', (all) => all.map((line) => (line.matches('.divider') ? line.textContent : line.querySelector('.words').textContent)));
    const expected = Array.from({ length: 3 + count }, (_, i) => `line ${i}`);
    expected.splice(2, 0, sentence);
    assert.deepEqual(lines, expected);
    assertNoProblems(ada);
  });
}

test('evicted messages are missing, and the log says where', async () => {
  const ada = await enterRoom(browser, url, { room: 'gap', name: 'Ada' });
  await postLines('gap', 0, 2);
  await showsLine(ada, 'line 1');
  await cutOff(ada, () => postLines('gap', 2, 4 + KEPT));
  await showsLine(ada, `line ${3 + KEPT}`);
  const lines = await ada.$$eval('.log > li', (all) => all.map((line) => (line.matches('.divider') ? line.textContent : line.querySelector('.words').textContent)));
  const kept = Array.from({ length: KEPT }, (_, i) => `line ${i + 4}`);
  assert.deepEqual(lines, ['line 0', 'line 1', 'Some messages may be missing here.', ...kept]);
  assert.equal(await ada.locator('.divider.gap').count(), 1);
  assertNoProblems(ada);
});

test('a message written offline is published after reconnecting, and does not count as missed', async () => {
  const [ada, grace] = await Promise.all(['Ada', 'Grace'].map((name) => enterRoom(browser, url, { room: 'outbox', name })));
  await cutOff(ada, async () => {
    await say(ada, 'written offline');
    assert.equal(await ada.textContent('.outbox .words'), 'written offline');
  });
  await Promise.all([ada, grace].map((tab) => showsLine(tab, 'written offline')));
  await dividerSays(ada, /You missed nothing/);
  assert.equal(await ada.locator('.outbox li').count(), 0);
  assertNoProblems(ada, grace);
});

test('every room is resumed, and counts missed messages as unread', async () => {
  const ada = await enterRoom(browser, url, { room: 'first', name: 'Ada' });
  await ada.fill('#add-room-name', 'second');
  await ada.press('#add-room-name', 'Enter');
  await isIn(ada);
  await cutOff(ada, async () => {
    await postLines('first', 0, 3);
    await postLines('second', 0, 2);
  });
  await dividerSays(ada, /^2 messages while you were away$/);
  await ada.waitForFunction(() => document.querySelector('.room-link .unread').firstChild.data === '3');
  await ada.click('.room-link >> nth=0');
  await dividerSays(ada, /^3 messages while you were away$/);
  assertNoProblems(ada);
});
