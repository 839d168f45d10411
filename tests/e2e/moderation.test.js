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
import { makeIssuer } from '../support/tokens.js';

const key = 'key-of-mod-0123456789abcdef';
const issuer = await makeIssuer('HS256');
const directory = scratchDirectory({
  'roomcast.toml': `
[[auth.tokens]]
algorithms = ["HS256"]
secret = "${issuer.key}"
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

test('a moderator mutes and removes a user, who sees both', async () => {
  const ada = await enterRoom(browser, server.url, { room: 'quarrel', name: 'Ada', extraHTTPHeaders: { Authorization: `Bearer ${await issuer.token({ sub: 'ada' })}` } });
  await say(ada, 'regrettable');
  await showsLine(ada, 'regrettable');
  const moderator = await enterAsModerator('quarrel');
  moderator.on('dialog', (dialog) => dialog.accept());
  await moderator.getByRole('button', { name: 'Mute' }).click();
  const headers = { Authorization: `Bearer ${key}` };
  await eventually(async () => (await fetchOnce(server.url, 'GET', '/api/mutes', { headers })).json.mutes.length === 1, 'the mute');
  await say(ada, 'and more');
  await ada.waitForFunction(() => document.querySelector('.current .log').textContent.includes('muted in quarrel until'));
  await moderator.getByRole('button', { name: 'Remove' }).click();
  await ada.waitForFunction(() => document.querySelector('.notice').textContent.includes('removed from the room'));
  assertNoProblems(moderator);
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
