// Messages that arrived unseen, and earlier ones.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertNoProblems, enterRoom, showsLine, isIn, launchBrowser, openPage, post, saidIn } from '../support/browser.js';
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

async function postLines(room, count, { url = server.url, from = 0 } = {}) {
  for (let i = from; i < from + count; i += 1) await post(url, room, `line ${i}`, 'text/plain', 'Grace');
}

const badgeIs = (tab, text) => tab.waitForFunction((wanted) =>
  [...document.querySelectorAll('.room-link .unread:not([hidden])')].map((badge) => badge.firstChild.data).join() === wanted, text);
const toTop = (tab) => tab.$eval('.current .scroller', (box) => {
  box.scrollTop = 0;
});

async function inTwoRooms(room) {
  const tab = await enterRoom(browser, server.url, { room, name: 'Ada' });
  await tab.fill('#add-room-name', `${room}/other`);
  await tab.press('#add-room-name', 'Enter');
  await tab.waitForFunction((name) => document.getElementById('room').textContent === name, `${room}/other`);
  await isIn(tab);
  return tab;
}

test('130 unread messages begin under a divider with the time, and further down their author stays visible', async () => {
  const ada = await inTwoRooms('many');
  await postLines('many', 130);
  await badgeIs(ada, '99+');
  await ada.click('.room-link >> nth=0');
  await ada.waitForFunction(() => document.querySelector('.current .newer').textContent === '130 new messages');
  const mark = await ada.$eval('.current .fresh', (line) => ({
    text: line.textContent,
    below: line.getBoundingClientRect().top - line.closest('.scroller').getBoundingClientRect().top,
    next: line.nextElementSibling.querySelector('.words').textContent,
    named: line.nextElementSibling.matches('.first'),
  }));
  assert.match(mark.text, /^New since \d+:\d+/);
  assert.deepEqual([mark.next, mark.named], ['line 0', true]);
  // Scrolling stops at whole pixels, lines do not.
  assert.ok(mark.below > -1 && mark.below < 100, `${mark.below} px below the edge`);
  assert.equal(await ada.isVisible('.current .above'), false);

  await ada.$eval('.current .scroller', (box) => {
    box.scrollTop += 700;
  });
  await ada.waitForSelector('.current .above:not([hidden])');
  assert.match(await ada.textContent('.current .above'), /^\d+:\d+.*Grace$/);
  await ada.click('.current .newer');
  await ada.waitForFunction(() => document.querySelector('.current .newer').hidden);
  assertNoProblems(ada);
});

test('badges and read positions survive a reload', async () => {
  const ada = await inTwoRooms('badge');
  await postLines('badge', 3);
  await badgeIs(ada, '3');
  await ada.reload();
  await isIn(ada);
  await badgeIs(ada, '3');
  assert.equal(await ada.title(), '(3) badge/other · roomcast');
  await ada.click('.room-link >> nth=0');
  await badgeIs(ada, '');
  assert.equal(await ada.locator('.current .fresh').count(), 1);
  await ada.reload();
  await isIn(ada);
  await badgeIs(ada, '');
  assert.equal(await ada.locator('.fresh').count(), 0);
  assertNoProblems(ada);
});

test('earlier lines load when scrolling up, without a jump, and the beginning of the room is marked', async () => {
  await postLines('past', 90);
  const ada = await enterRoom(browser, server.url, { room: 'past', name: 'Ada' });
  assert.equal((await saidIn(ada)).length, 50);
  assert.equal(await ada.isVisible('.log-start'), false);
  const place = () => ada.evaluate(() => [...document.querySelectorAll('.log .words')].find((one) => one.textContent === 'line 40').getBoundingClientRect().top);
  await toTop(ada);
  const shown = await place();
  await ada.waitForFunction(() => document.querySelector('.log-start').textContent === 'This is where the room begins.');
  assert.deepEqual(await saidIn(ada), Array.from({ length: 90 }, (_, i) => `line ${i}`));
  assert.ok(Math.abs((await place()) - shown) < 60, 'what is looked at stays where it is');
  assert.equal(await ada.locator('.log .first').count(), 1, 'they are one run of the same person');
  assertNoProblems(ada);
});

test('if earlier messages were evicted, the log says so at its beginning', async () => {
  await postLines('kept', 130);
  const ada = await enterRoom(browser, server.url, { room: 'kept', name: 'Ada' });
  await toTop(ada);
  await ada.waitForFunction(() => document.querySelector('.log-start').textContent === 'What was said before is no longer kept.');
  const received = await saidIn(ada);
  assert.deepEqual([received.length, received[0]], [100, 'line 30']);
  await post(server.url, 'short', 'only this', 'text/plain');
  const short = await enterRoom(browser, server.url, { room: 'short', name: 'Ada' });
  assert.equal(await short.textContent('.log-start'), 'This is where the room begins.');
  assertNoProblems(ada, short);
});

test('a room whose history has expired differs from one without messages', async (t) => {
  const own = await startServer({ set: { 'history.age_seconds': 0.5 } });
  t.after(() => own.kill());
  const keeper = await enterRoom(browser, own.url, { room: 'expired', name: 'Grace' });
  await postLines('expired', 1, { url: own.url });
  await showsLine(keeper, 'line 0');
  let kept = 1;
  while (kept > 0) kept = (await (await fetch(`${own.url}/rooms/expired?history=1`)).json()).messages.length;
  const ada = await enterRoom(browser, own.url, { room: 'expired', name: 'Ada' });
  assert.equal(await ada.textContent('.empty-title'), 'What was said here is no longer kept.');
  const fresh = await enterRoom(browser, own.url, { room: 'fresh', name: 'Ada' });
  assert.equal(await fresh.textContent('.empty-title'), 'Nothing said yet.');
  await Promise.all([keeper, ada, fresh].map((tab) => tab.context().close()));
});

test('while disconnected, no member is shown as present, and the lamp is off', async () => {
  const ada = await openPage(browser, `${server.url}/?room=away&name=Ada`);
  await isIn(ada);
  const look = () => ada.evaluate(() => ({
    title: document.getElementById('people-title-text').textContent,
    dot: getComputedStyle(document.querySelector('#people li'), '::before').backgroundColor,
    lamp: getComputedStyle(document.querySelector('.lamp')).backgroundColor,
    text: document.getElementById('state').textContent.trim(),
  }));
  await ada.waitForSelector('#people li');
  const live = await look();
  assert.equal(live.title, 'Here now');
  assert.match(live.text, /^Live/);
  assert.ok(!/WebSocket/.test(live.text), live.text);
  assert.equal(await ada.getAttribute('#state', 'title'), 'Connected by WebSocket');
  const [red, green] = live.lamp.match(/\d+/g).map(Number);
  assert.ok(green > red, `${live.lamp} is green`);
  await ada.context().setOffline(true);
  await ada.waitForSelector('.people.stale');
  const away = await look();
  assert.equal(away.title, 'Here when last heard of');
  assert.equal(away.dot, 'rgba(0, 0, 0, 0)');
  assert.equal(away.lamp, 'rgba(0, 0, 0, 0)');
  await ada.context().setOffline(false);
  await ada.waitForSelector('.people:not(.stale)');
});
