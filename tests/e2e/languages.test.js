// The page uses the browser's language, and changes it without losing anything.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertNoProblems, enterRoom, showsLine, isIn, launchBrowser, openPage, post, say } from '../support/browser.js';
import { startServer } from '../support/server.js';

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

/** In the page: visible and screen reader texts of the page itself in Latin letters. */
function latinWords() {
  const theirs = '.words, .name, .mark, bdi, code, pre, option, .series-name, h1, .room-name, .pane-head h2, [value="websocket"] + span, [value="sse"] + span, time, .keys';
  const texts = [...document.querySelectorAll('body *')].filter((one) => !one.closest(theirs) && one.checkVisibility())
    .flatMap((one) => [...[...one.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data),
      one.placeholder, one.ariaLabel, one.title]);
  return texts.filter((text) => /[A-Za-z]{2}/.test((text ?? '').replace(/WebSocket|EventSource|JSON|curl|Python|Enter|Shift|Unicode/g, '')) && !/roomcast/.test(text));
}

test('a Chinese browser gets a Chinese page, rendered with Chinese glyphs', async () => {
  const options = { locale: 'zh-CN' };
  const door = await openPage(browser, server.url, options);
  assert.equal(await door.getAttribute('html', 'lang'), 'zh-CN');
  assert.deepEqual(await door.evaluate(latinWords), []);
  await door.click('button[type=submit]');
  assert.equal(await door.textContent('#join-name-problem'), '请填写你的名字。');

  const ada = await enterRoom(browser, server.url, { room: '房间', name: '小明', ...options });
  await say(ada, '你好');
  await showsLine(ada, '你好');
  await post(server.url, encodeURIComponent('房间'), new Uint8Array(1234), 'application/octet-stream');
  await ada.waitForSelector('.log .attachment');
  assert.match(await ada.textContent('.log .attachment'), /二进制消息，1,234 字节/);
  assert.equal(await ada.textContent('#state-text'), '已连接');
  assert.deepEqual(await ada.evaluate(latinWords), []);

  const live = await openPage(browser, `${server.url}/live.html?room=lang`, options);
  await live.waitForSelector('#nothing:not([hidden])');
  assert.equal(await live.getAttribute('html', 'lang'), 'zh-CN');
  assert.deepEqual(await live.evaluate(latinWords), []);
  assertNoProblems(door, ada, live);
});

test('the language can be chosen: at once, permanently, and a draft stays', async () => {
  const ada = await enterRoom(browser, server.url, { room: '切换', name: 'Ada' });
  await say(ada, 'hello');
  await showsLine(ada, 'hello');
  await ada.fill('.entry', 'half written');
  await ada.selectOption('.side-foot .language', 'zh-CN');
  assert.equal(await ada.getAttribute('html', 'lang'), 'zh-CN');
  assert.equal(await ada.textContent('.send'), '发送');
  assert.equal(await ada.getAttribute('.entry', 'aria-label'), '发送到 切换 的消息');
  assert.equal(await ada.innerText('.composer-hint'), '你的名字： Ada · 按 Enter 发送，Shift + Enter 换行。');
  assert.equal(await ada.textContent('.log-start'), '这里是房间消息的开头。');
  assert.equal(await ada.inputValue('.entry'), 'half written');
  assert.deepEqual(await ada.evaluate(latinWords), []);
  await ada.reload();
  await isIn(ada);
  assert.equal(await ada.textContent('.send'), '发送');
  await ada.selectOption('.side-foot .language', 'en');
  assert.equal(await ada.textContent('.send'), 'Send');
  assert.equal(await ada.innerText('.composer-hint'), 'You are Ada · Enter sends, Shift + Enter starts a new line.');
  assert.equal(await ada.getAttribute('html', 'lang'), 'en');
  assertNoProblems(ada);
});
