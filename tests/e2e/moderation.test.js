// What moderators see and do on the page, and what those see whom they remove.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { apiKey, bearer, configuredBy, keyRow, tokenRow } from '../support/access_rows.js';
import { eventually } from '../support/deadline.js';
import { assertNoProblems, enterRoom, launchBrowser, saidIn, say, showsLine } from '../support/browser.js';
import { fetchOnce } from '../support/raw_http.js';
import { startServer } from '../support/server.js';
import { makeIssuer } from '../support/tokens.js';

const issuer = await makeIssuer('HS256');
const moderator_headers = bearer(apiKey('mod'));
const args = configuredBy(tokenRow(issuer), keyRow('mod', ['moderate', 'admin', 'join', 'publish', 'history', 'presence']));

let server;
let browser;

before(async () => {
  server = await startServer({ args });
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Tabs whose requests carry a key or a token, as a login's cookie would. */
const enterAsModerator = (room) => enterRoom(browser, server.url, { room, name: 'Mod', extraHTTPHeaders: moderator_headers });
const enterAsUser = async (room, user) =>
  enterRoom(browser, server.url, { room, name: user, extraHTTPHeaders: bearer(await issuer.token({ sub: user })) });

/** The question that the next click asks, which is answered with yes. */
const asked = (tab) => new Promise((resolve) => {
  tab.once('dialog', async (dialog) => {
    await dialog.accept();
    resolve(dialog.message());
  });
});
const action = (tab, name) => tab.locator('.current .log .moderate').getByRole('button', { name, exact: true });

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

test('a moderator mutes a user, whose next message says that it was not sent and why', async () => {
  const ada = await enterAsUser('dispute', 'ada');
  await say(ada, 'insulting');
  const moderator = await enterAsModerator('dispute');
  await showsLine(moderator, 'insulting');
  const question = asked(moderator);
  await action(moderator, 'Mute').click();
  assert.match(await question, /ada/);
  await eventually(async () => (await fetchOnce(server.url, 'GET', '/api/mutes', { headers: moderator_headers })).json.mutes.length === 1, 'the mute');
  await say(ada, 'insulting again');
  // What was not sent is no line of the log: it stays among those that wait, with the choice to send it again.
  const alert = ada.locator('.current .outbox .unconfirmed [role="alert"]');
  await alert.waitFor();
  assert.match(await alert.textContent(), /^Not sent\. muted in dispute until \d{4}-\d\d-\d\dT/);
  assert.deepEqual(await saidIn(moderator), ['insulting']);
  assertNoProblems(ada, moderator);
});

test('a moderator removes a user, whose page says so', async () => {
  const ada = await enterAsUser('quarrel', 'ada');
  await say(ada, 'provoking');
  const moderator = await enterAsModerator('quarrel');
  await showsLine(moderator, 'provoking');
  const question = asked(moderator);
  await action(moderator, 'Remove').click();
  assert.match(await question, /ada/);
  await ada.waitForFunction(() => document.querySelector('.current .notice').textContent.includes('removed from the room by a moderator'));
  await moderator.waitForFunction(() => document.querySelector('.current .pane-count').textContent.startsWith('1 '));
  assert.deepEqual(ada.problems, ['roomcast: removed from the room by a moderator']);
  assertNoProblems(moderator);
});

test('a deleted message goes from the pages of all', async () => {
  const ada = await enterAsUser('gossip', 'ada');
  for (const text of ['kept', 'gossip']) {
    await say(ada, text);
    await showsLine(ada, text);
  }
  const moderator = await enterAsModerator('gossip');
  await showsLine(moderator, 'gossip');
  const question = asked(moderator);
  await moderator.locator('.current .log .message', { hasText: 'gossip' }).getByRole('button', { name: 'Delete', exact: true }).click();
  await question;
  for (const tab of [ada, moderator]) {
    await tab.waitForFunction(() => document.querySelectorAll('.current .log .words').length === 1);
    assert.deepEqual(await saidIn(tab), ['kept']);
  }
  assertNoProblems(ada, moderator);
});

test('who is banned sees why', async () => {
  const ada = await enterRoom(browser, server.url, { room: 'banned', name: 'Ada' });
  await say(ada, 'hello');
  await showsLine(ada, 'hello');
  const headers = { ...moderator_headers, 'Content-Type': 'application/json' };
  const answer = await fetchOnce(server.url, 'POST', '/api/bans', { headers, body: JSON.stringify({ address: '127.0.0.1', room: 'banned', reason: 'flooding' }) });
  assert.equal(answer.status, 200, answer.text);
  await ada.waitForFunction(() => document.querySelector('.notice').textContent.includes('banned in banned: flooding'));
  assert.deepEqual(await saidIn(ada), ['hello']);
});
