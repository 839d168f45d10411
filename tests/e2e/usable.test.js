// Accessibility: keyboard only, a narrow screen, light and dark, sufficient contrast, names for screen readers.

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

const focused = (tab) => tab.evaluate(() => document.activeElement.id || document.activeElement.className || document.activeElement.textContent);

test('the keyboard alone is enough', async () => {
  const tab = await openPage(browser, server.url);
  assert.equal(await focused(tab), 'join-name');
  await tab.keyboard.type('Ada');
  await tab.keyboard.press('Tab');
  assert.equal(await focused(tab), 'join-room');
  await tab.keyboard.press('ControlOrMeta+A');
  await tab.keyboard.type('keys');
  await tab.keyboard.press('Enter');
  await isIn(tab);

  assert.equal(await focused(tab), 'entry');
  await tab.keyboard.type('one');
  await tab.keyboard.press('Shift+Enter');
  await tab.keyboard.type('two');
  await tab.keyboard.press('Enter');
  await showsLine(tab, 'one\ntwo');
  assert.equal(await tab.inputValue('.entry'), '');

  const order = [];
  await tab.focus('.skip');
  for (let i = 0; i < 12; i += 1) {
    order.push(await focused(tab));
    const outline = await tab.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, 'none', `focus is visible on ${order.at(-1)}`);
    await tab.keyboard.press('Tab');
  }
  assert.deepEqual(order, ['skip', 'share', 'leave', 'room-link', 'add-room-name', 'plain', 'Live data', 'language', 'scroller following', 'entry', 'icon attach',
    'primary send']);

  await tab.focus('.skip');
  await tab.keyboard.press('Enter');
  assert.equal(await focused(tab), 'entry');
  assertNoProblems(tab);
});

test('every control has a name, and the log is announced', async () => {
  const tab = await enterRoom(browser, server.url, { room: 'names', name: 'Ada' });
  const nameless = await tab.$$eval('button, input:not([hidden]), textarea, img', (all) => all
    .filter((one) => one.checkVisibility())
    .filter((one) => !(one.textContent.trim() || one.ariaLabel || one.labels?.length || one.hasAttribute('alt')))
    .map((one) => one.outerHTML));
  assert.deepEqual(nameless, []);
  assert.equal(await tab.getAttribute('.entry', 'aria-label'), 'Message to names');
  assert.equal(await tab.getAttribute('.scroller', 'role'), 'log');
  assert.equal(await tab.getAttribute('.scroller', 'aria-label'), 'Messages in names');
  assert.equal(await tab.getAttribute('#state-announced', 'role'), 'status');
});

test('320 pixels are wide enough, whatever the messages', async () => {
  const door = await openPage(browser, server.url, { viewport: { width: 320, height: 568 } });
  const tab = await enterRoom(browser, server.url, { room: 'w'.repeat(60), name: 'N'.repeat(40), viewport: { width: 320, height: 568 } });
  await say(tab, `${'endless'.repeat(60)} https://example.test/${'path'.repeat(40)}`);
  for (let i = 0; i < 40; i += 1) await post(server.url, 'w'.repeat(60), `line ${i}`, 'text/plain');
  await post(server.url, 'w'.repeat(60), 'm'.repeat(300), 'text/plain');
  await showsLine(tab, 'm'.repeat(300));
  for (const page of [door, tab]) {
    const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(content <= screen, `${content} > ${screen}`);
  }
  const height = await tab.evaluate(() => document.documentElement.scrollHeight - innerHeight);
  assert.equal(height, 0, 'only the log scrolls, not the page');
  const wide = await tab.$eval('.scroller', (box) => box.scrollWidth - box.clientWidth);
  assert.equal(wide, 0, 'the log scrolls down only');
  const bottom = await tab.$eval('.composer', (form) => form.getBoundingClientRect().bottom - innerHeight);
  assert.ok(bottom <= 0, 'the field is on the screen');
  const small = await tab.$$eval('button', (all) => all.filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect())
    .filter((box) => box.height < 24 || box.width < 24).length);
  assert.equal(small, 0, 'buttons can be hit');
});

/** In the page: texts whose contrast with their background is below WCAG AA. */
function poorContrast() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = channels(color).slice(0, 3).map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((channels(color)[3] ?? 1) === 1) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const hasText = (one) => [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
  const shown = (one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !one.closest('.unseen');
  return [...document.querySelectorAll('body *')].filter((one) => hasText(one) && shown(one)).map((one) => {
    const [dark, light] = [luminance(getComputedStyle(one).color), luminance(behind(one))].sort((a, b) => a - b);
    return { what: `${one.tagName}.${one.className} ${one.textContent.slice(0, 20)}`, ratio: (light + 0.05) / (dark + 0.05) };
  }).filter(({ ratio }) => ratio < 4.5);
}

for (const colorScheme of ['light', 'dark']) {
  test(`in the ${colorScheme} every text has sufficient contrast`, async () => {
    const door = await openPage(browser, server.url, { colorScheme });
    const tab = await enterRoom(browser, server.url, { room: colorScheme, name: 'Ada', colorScheme });
    // The eight colours of names, and everything else that can be in the log.
    for (const name of 'abcdefgh') {
      const said = JSON.stringify({ name, text: `I am ${name} of http://example.test` });
      await post(server.url, colorScheme, said, 'application/json');
    }
    await post(server.url, colorScheme, 'raw', 'text/plain');
    await post(server.url, colorScheme, new Uint8Array(9), 'application/octet-stream');
    await say(tab, 'x'.repeat(70_000));
    await tab.waitForSelector('.log .attachment');
    const hues = await tab.$$eval('.log .name', (all) => new Set(all.map((one) => getComputedStyle(one).color)).size);
    assert.equal(hues, 9);
    await post(server.url, 'demo/metrics', '{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9}', 'application/json');
    const live = await openPage(browser, `${server.url}/live.html`, { colorScheme });
    await live.waitForSelector('.value');
    for (const page of [door, tab, live]) assert.deepEqual(await page.evaluate(poorContrast), []);
    assertNoProblems(door, tab, live);
    const ground = await tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(Number(/\d+/.exec(ground)[0]) > 128, colorScheme === 'light', ground);
  });
}

test('with forced colours, own messages, unread, current and live can still be distinguished', async () => {
  const ada = await enterRoom(browser, server.url, { room: 'high', name: 'Ada', forcedColors: 'active' });
  await say(ada, 'mine');
  await post(server.url, 'high', 'not mine', 'text/plain', 'Ada');
  await showsLine(ada, 'not mine');
  const border = (selector) => ada.$eval(selector, (one) => {
    const { borderLeftStyle, borderLeftWidth, borderLeftColor, backgroundColor } = getComputedStyle(one);
    return { borderLeftStyle, borderLeftWidth, borderLeftColor, backgroundColor };
  });
  const [own, other] = [await border('.log .own'), await border('.log .message:not(.own)')];
  const ground = (await border('body')).backgroundColor;
  assert.equal(other.borderLeftColor, ground, 'no bar beside what others said');
  assert.notEqual(own.borderLeftColor, ground);
  assert.equal(own.borderLeftStyle, 'double');
  assert.notEqual((await border('.state .lamp')).backgroundColor, ground, 'the lamp is lit');
  assert.notEqual((await border('.room-link[aria-current]')).borderLeftColor, ground);
  assertNoProblems(ada);
});

test('prefers-reduced-motion turns animations off', async () => {
  const tab = await enterRoom(browser, server.url, { room: 'calm', name: 'Ada', reducedMotion: 'reduce' });
  await tab.$eval('#state', (state) => { state.dataset.state = 'waiting'; });
  assert.equal(await tab.$eval('.lamp', (lamp) => getComputedStyle(lamp).animationName), 'none');
});
