// What moderators see and do on the page, and what those see whom they remove.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { eventually } from '../support/deadline.js';
import { assertNoProblems, enterRoom, launchBrowser, saidIn, say, showsLine } from '../support/browser.js';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';

const key = 'key-of-mod-0123456789abcdef';
const directory = scratchDirectory({
  'roomcast.toml': `
[[auth.keys]]
name = "mod"
hash = "sha256:${createHash('sha256').update(key).digest('hex')}"
may = ["moderate", "admin", "join", "publish", "history", "presence"]
rooms = ["**"]
`,
});

let server;
let browser;

before(async () => {
  server = await startServer({ args: ['--config', path.join(directory, 'roomcast.toml')] });
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A tab whose requests carry the key, as a login's cookie would. */
const enterAsModerator = (room) => enterRoom(browser, server.url, { room, name: 'Mod', extraHTTPHeaders: { Authorization: `Bearer ${key}` } });

test('a moderator deletes a message, by keyboard; others are offered nothing', async () => {
  const ada = await enterRoom(browser, server.url, { room: 'lobby', name: 'Ada' });
  await say(ada, 'regrettable');
  await showsLine(ada, 'regrettable');
  const moderator = await enterAsModerator('lobby');
  moderator.on('dialog', (dialog) => dialog.accept());
  await moderator.waitForSelector('.log .moderate button');
  assert.equal(await ada.locator('.moderate').count(), 0);
  // Of somebody who is not identified nothing but the message can be had.
  assert.deepEqual(await moderator.locator('.log .moderate button').allTextContents(), ['Delete']);
  await moderator.locator('.log .moderate button').first().focus();
  await moderator.keyboard.press('Enter');
  await eventually(async () => (await fetchOnce(server.url, 'GET', '/rooms/lobby?history=10')).json.messages.length === 0, 'the message is gone');
  assertNoProblems(ada, moderator);
});

test('who is banned sees why', async () => {
  const ada = await enterRoom(browser, server.url, { room: 'banned', name: 'Ada' });
  await say(ada, 'hello');
  await showsLine(ada, 'hello');
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  const answer = await fetchOnce(server.url, 'POST', '/api/bans', { headers, body: JSON.stringify({ address: '127.0.0.1', room: 'banned', reason: 'flooding' }) });
  assert.equal(answer.status, 200, answer.text);
  await ada.waitForFunction(() => document.querySelector('.notice').textContent.includes('banned in banned: flooding'));
  assert.deepEqual(await saidIn(ada), ['hello']);
});
