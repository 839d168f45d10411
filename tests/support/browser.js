// Drives the bundled page in Debian's Chromium.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';
const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const PATIENCE_MS = 20_000;

export function launchBrowser(extraArgs = []) {
  return chromium.launch({ executablePath, args: [...quiet, ...extraArgs], timeout: PATIENCE_MS });
}

/**
 * A tab with its own storage, showing the page at `path`. Console errors and warnings, uncaught errors and violations of the
 * Content-Security-Policy are collected in `tab.problems`.
 */
export async function openPage(browser, address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 700 }, ...options });
  const tab = await context.newPage();
  tab.setDefaultTimeout(PATIENCE_MS);
  tab.problems = [];
  tab.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) tab.problems.push(message.text());
  });
  tab.on('pageerror', (error) => tab.problems.push(String(error)));
  await tab.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI}`));
  });
  const answer = await tab.goto(address);
  assert.match(answer.headers()['content-security-policy'] ?? '', /default-src 'none'/);
  return tab;
}

/** A tab that is live in `room` as `name`. */
export async function enterRoom(browser, url, { room = 'lobby', name, ...options }) {
  const query = new URLSearchParams({ room, name });
  const tab = await openPage(browser, `${url}/?${query}`, options);
  await isIn(tab);
  return tab;
}

/** Waits until the page is connected and the current room's history has been read. */
export async function isIn(tab) {
  await stateIs(tab, 'live');
  await tab.waitForSelector('.current .scroller[aria-busy="false"]');
}

export function stateIs(tab, name) {
  return tab.waitForSelector(`#state[data-state="${name}"]`);
}

/** Types into the current room's field and presses Enter; does not wait for the echo. */
export async function say(tab, text) {
  await tab.fill('.current .entry', text);
  await tab.press('.current .entry', 'Enter');
}

/** The texts in the current room's log. */
export function saidIn(tab) {
  return tab.$$eval('.current .log .words', (all) => all.map((words) => words.textContent));
}

/** Waits until the current room's log shows a line with exactly `text`. */
export function showsLine(tab, text) {
  const isThere = (wanted) => [...document.querySelectorAll('.current .log .words')].some((words) => words.textContent === wanted);
  return tab.waitForFunction(isThere, text);
}

/** Asserts that no problems occurred, except of a server that was down on purpose and of plain http under a remote host name. */
export function assertNoProblems(...tabs) {
  const expected = /^WebSocket connection to .* failed|net::ERR_(CONNECTION|INTERNET)|^The Cross-Origin-Opener-Policy header has been ignored/;
  for (const tab of tabs) {
    assert.deepEqual(tab.problems.filter((text) => !expected.test(text)), []);
  }
}

/** Publishes by POST, as `name` if given. */
export function post(url, room, body, type, name) {
  const query = name ? `?${new URLSearchParams({ name })}` : '';
  return fetch(`${url}/rooms/${room}${query}`, { method: 'POST', headers: { 'Content-Type': type }, body });
}
