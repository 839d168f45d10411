// Several rooms at once, their members, and their history.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { assertNoProblems, enterRoom, showsLine, isIn, launchBrowser, openPage, post, saidIn, say } from '../support/browser.js';
import { eventually } from '../support/deadline.js';
import { startServer } from '../support/server.js';

let server;
let browser;

before(async () => {
  server = await startServer({ set: { 'presence.crowd': 12 } });
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

async function joinAnother(tab, room) {
  await tab.fill('#add-room-name', room);
  await tab.press('#add-room-name', 'Enter');
  await tab.waitForFunction((name) => document.getElementById('room').textContent === name, room);
  await isIn(tab);
}

const goTo = (tab, room) => tab.click(`.room-link[title="${room}"]`);
const roomsOf = (tab) => tab.$$eval('.room-link', (all) => all.map((link) => ({
  room: link.title,
  unread: Number(link.querySelector('.unread:not([hidden])')?.firstChild.data ?? 0),
  current: link.ariaCurrent === 'true',
})));
const peopleIn = (tab) => tab.$$eval('#people bdi', (all) => all.map((one) => one.textContent));
const peopleAre = (tab, names) => tab.waitForFunction((wanted) =>
  [...document.querySelectorAll('#people bdi')].map((one) => one.textContent).join() === wanted, names.join());

test('two browsers in two rooms, shown one at a time and side by side', async () => {
  const tabs = await Promise.all(['Ada', 'Grace'].map((name) => enterRoom(browser, server.url, { room: 'pair/one', name })));
  const [ada, grace] = tabs;
  for (const tab of tabs) await joinAnother(tab, 'pair/two');
  await goTo(grace, 'pair/one');
  await say(grace, 'said in one');
  await say(ada, 'said in two');
  await Promise.all([showsLine(ada, 'said in two'), showsLine(grace, 'said in one')]);
  assert.deepEqual(await saidIn(ada), ['said in two']);
  assert.deepEqual(await roomsOf(ada), [{ room: 'pair/one', unread: 1, current: false }, { room: 'pair/two', unread: 0, current: true }]);
  assert.equal(await ada.title(), '(1) pair/two · roomcast');
  assert.equal(await ada.locator('.pane:visible').count(), 1);

  await ada.click('#columns');
  assert.equal(await ada.locator('.pane:visible').count(), 2);
  assert.deepEqual(await ada.$$eval('.log .words', (all) => all.map((words) => words.textContent)), ['said in one', 'said in two']);
  assert.equal(await ada.title(), 'pair/two · roomcast', 'what is seen is read');
  await ada.click('.pane:first-child .entry');
  assert.equal(await ada.textContent('#room'), 'pair/one');
  assert.match(ada.url(), /room=pair\/one$/);
  await say(ada, 'from the left column');
  await showsLine(grace, 'from the left column');
  await ada.click('#columns');
  assert.equal(await ada.locator('.pane:visible').count(), 1);
  assertNoProblems(...tabs);
});

test('side by side no room is cut off, however many there are', async () => {
  const ada = await enterRoom(browser, server.url, { room: 'col/1', name: 'Ada' });
  for (const room of ['col/2', 'col/3', 'col/4', 'col/5']) await joinAnother(ada, room);
  await ada.click('#columns');
  const seen = await ada.$eval('#panes', (panes) => ({
    cut: panes.scrollWidth - panes.clientWidth,
    outside: [...panes.children].filter((pane) => pane.getBoundingClientRect().right > innerWidth + 1).length,
    narrowest: Math.min(...[...panes.children].map((pane) => pane.clientWidth)),
    lowest: Math.min(...[...panes.children].map((pane) => pane.clientHeight)),
  }));
  assert.deepEqual([seen.cut, seen.outside], [0, 0]);
  assert.ok(seen.narrowest >= 280 && seen.lowest >= 300, JSON.stringify(seen));
  assertNoProblems(ada);
});

test('rooms are left one by one; a reload and the back button keep them', async () => {
  const ada = await enterRoom(browser, server.url, { room: 'a', name: 'Ada' });
  await joinAnother(ada, 'b');
  await joinAnother(ada, 'c');
  await ada.goBack();
  assert.equal(await ada.textContent('#room'), 'b');
  await ada.fill('.current .entry', 'half written');
  await goTo(ada, 'c');
  await goTo(ada, 'b');
  assert.equal(await ada.inputValue('.current .entry'), 'half written');
  await ada.reload();
  await isIn(ada);
  assert.deepEqual((await roomsOf(ada)).map(({ room }) => room), ['a', 'b', 'c']);
  assert.equal(await ada.textContent('#room'), 'b');
  await ada.click('#leave');
  assert.deepEqual(await roomsOf(ada), [{ room: 'a', unread: 0, current: false }, { room: 'c', unread: 0, current: true }]);
  await post(server.url, 'b', 'not for her', 'text/plain');
  await ada.click('#leave');
  await ada.click('#leave');
  assert.equal(await ada.isVisible('#join'), true);
  assert.equal(await ada.title(), 'roomcast');
  assertNoProblems(ada);
});

test('a new member gets the last fifty messages, with their times, and none is unread', async () => {
  for (let i = 0; i < 55; i += 1) await post(server.url, 'history', `line ${i}`, 'text/plain', i % 2 ? 'Grace' : 'Ada');
  const ada = await enterRoom(browser, server.url, { room: 'elsewhere', name: 'Ada' });
  await joinAnother(ada, 'history');
  const received = await saidIn(ada);
  assert.equal(received.length, 50);
  assert.deepEqual([received[0], received[49]], ['line 5', 'line 54']);
  assert.equal(await ada.locator('.current .log .own').count(), 0, 'her name alone makes none of them hers');
  assert.deepEqual((await roomsOf(ada)).map(({ unread }) => unread), [0, 0]);
  assert.equal(await ada.locator('.divider').count(), 0);
  const age = Date.now() - Date.parse(await ada.getAttribute('.current .log time >> nth=0', 'datetime'));
  assert.ok(age > 0 && age < 120_000, `${age} ms`);
  assertNoProblems(ada);
});

test('five tabs of one person are one member, a reload causes no event, and leaving is shown', async () => {
  const grace = await enterRoom(browser, server.url, { room: 'here', name: 'Grace' });
  const tabs = [];
  for (let i = 0; i < 5; i += 1) tabs.push(await enterRoom(browser, server.url, { room: 'here', name: 'Ada' }));
  await peopleAre(grace, ['Ada', 'Grace']);
  assert.equal(await grace.textContent('#people-count'), '2');
  assert.equal(await grace.textContent('#people .is-me'), 'Grace (you)');

  await grace.evaluate(() => {
    window.seen = [];
    new MutationObserver(() => window.seen.push(document.getElementById('people-count').textContent))
      .observe(document.getElementById('people-count'), { childList: true });
  });
  for (const tab of tabs.slice(1)) await tab.context().close();
  await tabs[0].reload();
  await isIn(tabs[0]);
  await say(tabs[0], 'still here');
  await showsLine(grace, 'still here');
  assert.deepEqual(await peopleIn(grace), ['Ada', 'Grace']);
  assert.deepEqual((await grace.evaluate(() => window.seen)).filter((count) => count !== '2'), [], 'the count never changed');

  await tabs[0].click('#leave');
  await peopleAre(grace, ['Grace']);
  assert.equal(await grace.textContent('#people-count'), '1');
  assertNoProblems(grace, tabs[0]);
});

test('members without a name are counted, and a crowd is only counted', async () => {
  const sockets = [];
  const join = async (name) => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/rooms/crowd${name ? `?name=${name}` : ''}`);
    sockets.push(socket);
    await once(socket, 'open');
  };
  await join('');
  const ada = await enterRoom(browser, server.url, { room: 'crowd', name: 'Ada' });
  await ada.waitForFunction(() => document.getElementById('people-rest').textContent === 'and 1 without a name');
  assert.equal(await ada.textContent('#people-count'), '2');
  for (let i = 0; i < 14; i += 1) await join(`guest${i}`);
  await ada.waitForFunction(() => document.getElementById('people-rest').textContent === 'Too many to name.');
  await eventually(async () => (await ada.textContent('#people-count')) === '16', 'sixteen are counted');
  assert.deepEqual(await peopleIn(ada), []);

  await join('');
  await goTo(ada, 'crowd'); // requests presence
  await eventually(async () => (await ada.textContent('#people-count')) === '17', 'a nameless one more');
  for (const socket of sockets) socket.close();
  assertNoProblems(ada);
});

test('the keyboard switches rooms', async () => {
  const ada = await enterRoom(browser, server.url, { room: 'k1', name: 'Ada' });
  await joinAnother(ada, 'k2');
  await ada.keyboard.press('Alt+ArrowUp');
  assert.equal(await ada.textContent('#room'), 'k1');
  assert.equal(await ada.evaluate(() => document.activeElement.ariaLabel), 'Message to k1');
  await ada.keyboard.press('Alt+ArrowUp');
  assert.equal(await ada.textContent('#room'), 'k2');
  await ada.focus('.room-link >> nth=0');
  await ada.keyboard.press('Enter');
  assert.equal(await ada.textContent('#room'), 'k1');
  await ada.fill('#add-room-name', '/bad/');
  await ada.press('#add-room-name', 'Enter');
  assert.match(await ada.textContent('#add-room-name-problem'), /does not start or end/);
  assertNoProblems(ada);
});

test('on a narrow screen the side panel opens over the log, and shows unread messages', async () => {
  const ada = await openPage(browser, `${server.url}/?room=n1&name=Ada`, { viewport: { width: 320, height: 568 } });
  await isIn(ada);
  assert.equal(await ada.isVisible('#side'), false);
  await ada.click('#menu');
  await joinAnother(ada, 'n2');
  assert.equal(await ada.isVisible('#side'), false, 'choosing closes it');
  await post(server.url, 'n1', 'psst', 'text/plain');
  await ada.waitForSelector('#menu-unread:not([hidden])');
  assert.equal(await ada.textContent('#menu-unread'), '1 unread');
  await ada.focus('#menu');
  await ada.keyboard.press('Enter');
  assert.equal(await ada.getAttribute('#menu', 'aria-expanded'), 'true');
  await ada.keyboard.press('Escape');
  assert.equal(await ada.isVisible('#side'), false);
  assert.equal(await ada.evaluate(() => document.activeElement.id), 'menu');
  const [content, screen] = await ada.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= screen, `${content} > ${screen}`);
  assertNoProblems(ada);
});
