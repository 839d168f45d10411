// Chatting: several tabs and a raw client in one room.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertNoProblems, enterRoom, showsLine, isIn, launchBrowser, openPage, post, saidIn, say } from '../support/browser.js';
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

test('two tabs that publish at once show one order', async () => {
  const [ada, grace] = await Promise.all(['Ada', 'Grace'].map((name) => enterRoom(browser, server.url, { room: 'order', name })));
  const lines = [...Array(25).keys()];
  const sayAll = async (tab, name) => {
    for (const line of lines) await say(tab, `${name} ${line}`);
  };
  await Promise.all([sayAll(ada, 'Ada'), sayAll(grace, 'Grace')]);
  await Promise.all([ada, grace].map((tab) => tab.waitForFunction(() => document.querySelectorAll('.log .words').length === 50)));

  const received = await saidIn(ada);
  assert.deepEqual(await saidIn(grace), received);
  for (const name of ['Ada', 'Grace']) {
    assert.deepEqual(received.filter((line) => line.startsWith(name)), lines.map((line) => `${name} ${line}`));
  }
  assert.equal(await ada.locator('.outbox li').count(), 0, 'nothing is still under way');
  assert.equal(await ada.locator('.log .own').count(), 25);
  assert.equal(await grace.locator('.log .own').count(), 25);
  assertNoProblems(ada, grace);
});

test('markup is shown as text and not executed', async () => {
  const names = ['Ada', '<img src=x onerror=ran=1>'];
  const [ada, grace] = await Promise.all(names.map((name) => enterRoom(browser, server.url, { room: 'markup', name })));
  const hostile = '<img src=x onerror="window.ran=1"><script>window.ran=1</script><a href="javascript:ran=1">x</a> javascript:ran=1';
  await say(grace, hostile);
  await post(server.url, 'markup', hostile, 'text/html');
  await post(server.url, 'markup', '<svg xmlns="http://www.w3.org/2000/svg" onload="window.ran=1"/>', 'image/svg+xml');
  await showsLine(ada, hostile);
  await ada.waitForSelector('.log .attachment');

  assert.deepEqual(await saidIn(ada), [hostile, hostile]);
  assert.equal(await ada.locator('.log .name').first().textContent(), names[1]);
  assert.equal(await ada.locator('.log :is(script, img, svg)').count(), 0);
  assert.equal(await ada.locator('.log a:not([download])').count(), 0);
  assert.equal(await ada.evaluate(() => window.ran), undefined);
  assertNoProblems(ada, grace);
});

for (const transport of ['websocket', 'http']) {
  test(`a message under another user’s name is not shown as hers (${transport})`, async () => {
    const room = `impostor/${transport}`;
    const open = async () => {
      const tab = await openPage(browser, server.url);
      if (transport === 'http') await tab.routeWebSocket(/./, (socket) => socket.close({ code: 1011 }));
      await tab.goto(`${server.url}/?${new URLSearchParams({ room, name: 'Ada' })}`);
      await isIn(tab);
      return tab;
    };
    const [ada, impostor] = [await open(), await open()];
    await say(ada, 'I am Ada');
    await Promise.all([ada, impostor].map((tab) => showsLine(tab, 'I am Ada')));
    await say(impostor, 'So am I');
    await say(impostor, 'I am Ada');
    await Promise.all([ada, impostor].map((tab) => tab.waitForFunction(() => document.querySelectorAll('.log .words').length === 3)));
    await Promise.all([ada, impostor].map((tab) => tab.waitForFunction(() => document.querySelectorAll('.outbox li').length === 0)));
    const own = (tab) => tab.$$eval('.log .message', (all) => all.map((one) => one.matches('.own')));
    const named = (tab) => tab.$$eval('.log .message', (all) => all.map((one) => one.matches('.first')));
    for (const again of [false, true]) {
      assert.deepEqual(await own(ada), [true, false, false]);
      assert.deepEqual(await own(impostor), [false, true, true]);
      assert.deepEqual(await named(ada), [true, true, false], 'what she did not say does not go on under what she said');
      if (!again) {
        for (const tab of [ada, impostor]) {
          await tab.reload();
          await isIn(tab);
        }
      }
    }
    assertNoProblems(ada, impostor);
  });
}

test('Enter used by an input method sends nothing', async () => {
  const ada = await enterRoom(browser, server.url, { room: 'composing', name: 'Ada' });
  await ada.fill('.entry', 'nihao');
  const enter = (init) => ada.$eval('.entry', (field, options) => {
    const event = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...options });
    if (options.keyCode) Object.defineProperty(event, 'keyCode', { value: options.keyCode });
    field.dispatchEvent(event);
    return event.defaultPrevented;
  }, init);
  assert.equal(await enter({ isComposing: true, keyCode: 229 }), false);
  assert.equal(await enter({ isComposing: false, keyCode: 229 }), false, 'Safari: the composition has ended by then');
  assert.equal(await ada.inputValue('.entry'), 'nihao');
  assert.equal(await ada.locator('.outbox li, .log li').count(), 0);
  assert.equal(await enter({ keyCode: 13 }), true);
  await showsLine(ada, 'nihao');
});

test('links open without access to the page', async () => {
  const ada = await enterRoom(browser, server.url, { room: 'links', name: 'Ada' });
  await say(ada, 'read https://example.test/a?b=1#c.');
  await showsLine(ada, 'read https://example.test/a?b=1#c.');
  const link = await ada.$eval('.log a', ({ href, rel, target, textContent }) => ({ href, rel, target, textContent }));
  const href = 'https://example.test/a?b=1#c';
  assert.deepEqual(link, { href, rel: 'noopener noreferrer', target: '_blank', textContent: href });
});

test('a message posted by a raw client is shown', async () => {
  const ada = await enterRoom(browser, server.url, { room: 'chat/raw', name: 'Ada' });
  await post(server.url, 'chat/raw', 'hello', 'text/plain');
  await post(server.url, 'chat/raw', '{"alert":"disk"}', 'application/json');
  await post(server.url, 'chat/raw', '{"name":"bot","text":"done"}', 'application/json');
  await post(server.url, 'chat/raw', 'deployed', 'text/plain', 'deploy bot');
  await post(server.url, 'chat/raw', new Uint8Array(1234), 'application/octet-stream');
  const download = ada.locator('.log .attachment');
  await download.waitFor();

  assert.deepEqual(await saidIn(ada), ['hello', '{"alert":"disk"}', 'done', 'deployed']);
  assert.deepEqual(await ada.locator('.log .name').allTextContents(), ['anonymous', 'anonymous', 'bot', 'deploy bot', 'anonymous']);
  assert.match(await download.textContent(), /Binary message, 1.?234 bytes/);
  assert.equal(await download.locator('a').getAttribute('download'), 'message.bin');
  assertNoProblems(ada);
});

test('the shell command on the empty page works', async () => {
  const ada = await enterRoom(browser, server.url, { room: "it's", name: 'Ada' });
  const shown = await ada.textContent('.curl');
  const [, type, body, address] = /^curl -H 'Content-Type: (.+)' -d '(.+)' '(.+)'$/.exec(shown);
  await fetch(address, { method: 'POST', headers: { 'Content-Type': type }, body });
  await showsLine(ada, 'hello');
});

test('rooms are separate', async () => {
  const [ada, grace] = await Promise.all(['one', 'two'].map((room) => enterRoom(browser, server.url, { room, name: 'Ada' })));
  await say(ada, 'for one');
  await say(grace, 'for two');
  await Promise.all([showsLine(ada, 'for one'), showsLine(grace, 'for two')]);
  assert.deepEqual(await saidIn(ada), ['for one']);
  assert.deepEqual(await saidIn(grace), ['for two']);
});

test('the log is bounded, and does not scroll while the reader is scrolled up', async () => {
  const ada = await enterRoom(browser, server.url, { room: 'long', name: 'Ada' });
  for (let i = 0; i < 505; i += 1) await post(server.url, 'long', `line ${i}`, 'text/plain');
  await showsLine(ada, 'line 504');
  const received = await saidIn(ada);
  assert.equal(received.length, 500);
  assert.equal(received[0], 'line 5');
  const fromBottom = () => ada.$eval('.scroller', (box) => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight));
  await ada.waitForFunction(() => {
    const box = document.querySelector('.scroller');
    return box.scrollHeight - box.scrollTop - box.clientHeight < 2;
  });

  await ada.$eval('.scroller', (box) => { box.scrollTop = 1000; });
  await ada.waitForSelector('.scroller:not(.following)');
  await post(server.url, 'long', 'news', 'text/plain');
  await ada.waitForFunction(() => document.querySelector('.newer').textContent === '1 new message');
  assert.ok((await fromBottom()) > 1000);
  await ada.click('.newer');
  await ada.waitForFunction(() => document.querySelector('.newer').hidden);
  assert.ok((await fromBottom()) < 2);
  assertNoProblems(ada);
});

test('the title counts messages that arrive while the page is hidden', async () => {
  const ada = await enterRoom(browser, server.url, { room: 'title', name: 'Ada' });
  assert.equal(await ada.title(), 'title · roomcast');
  const look = (hidden) => ada.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  await look(true);
  for (const text of ['a', 'b']) await post(server.url, 'title', text, 'text/plain');
  await showsLine(ada, 'b');
  assert.equal(await ada.title(), '(2) title · roomcast');
  await look(false);
  assert.equal(await ada.title(), 'title · roomcast');
});

test('a link opens its room, the name is remembered, and leaving shows the join form', async () => {
  const ada = await openPage(browser, `${server.url}/?room=chat/x%20y`);
  assert.equal(await ada.inputValue('#join-room'), 'chat/x y');
  await ada.click('text=Enter the room');
  assert.equal(await ada.textContent('#join-name-problem'), 'Please say what to call you.');
  await ada.fill('#join-name', 'Ada');
  await ada.click('text=Enter the room');
  await isIn(ada);
  assert.equal(ada.url(), `${server.url}/?room=chat/x%20y`);
  await ada.reload();
  await isIn(ada);
  assert.equal(await ada.textContent('.me'), 'Ada');

  await ada.click('#leave');
  assert.equal(ada.url(), `${server.url}/`);
  await ada.fill('#join-room', '/bad');
  await ada.press('#join-room', 'Enter');
  assert.match(await ada.textContent('#join-room-problem'), /does not start or end/);
  await ada.goBack();
  await isIn(ada);
  assert.equal(await ada.textContent('#room'), 'chat/x y');
  assertNoProblems(ada);
});
