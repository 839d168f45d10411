// Signing in and out on the page.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { assertNoProblems, isIn, launchBrowser, openPage, say, showsLine } from '../support/browser.js';
import { scratchDirectory } from '../support/scratch.js';
import { binary, cleanEnvironment, startServer } from '../support/server.js';

const users = path.join(scratchDirectory(), 'users');
execFileSync(binary, ['user', 'add', 'ada', '--file', users, '--name', 'Ada Lovelace'], { input: 'correct horse\n', env: cleanEnvironment() });

let server;
let browser;

before(async () => {
  server = await startServer({ set: { 'auth.users_file': users } });
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** The buttons of the join form, or of the side panel once a room was entered. */
const button = (tab, name) => tab.getByRole('button', { name, exact: true }).locator('visible=true');

async function signIn(tab, user, password) {
  await tab.getByLabel('User', { exact: true }).fill(user);
  await tab.getByLabel('Password', { exact: true }).fill(password);
  await tab.press('#sign-in-password', 'Enter');
}

test('signs in with the keyboard, keeps the session over a reload, and signs out', async () => {
  const tab = await openPage(browser, `${server.url}/?room=lobby`);
  await button(tab, 'Sign in').click();
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'sign-in-user');
  await signIn(tab, 'ada', 'correct horse');
  await tab.waitForSelector('#sign-in', { state: 'hidden' });
  await isIn(tab);
  assert.equal(await tab.textContent('.current .me'), 'Ada Lovelace');
  await say(tab, 'hello');
  await showsLine(tab, 'hello');

  await tab.reload();
  await isIn(tab);
  await tab.waitForFunction(() => document.querySelector('#side .account-who').textContent === 'Signed in as Ada Lovelace');
  const [cookie] = await tab.context().cookies();
  assert.equal(cookie.name, 'roomcast');
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, 'Strict');
  assert.equal(await tab.evaluate(() => document.cookie), '');

  await button(tab, 'Sign out').click();
  await tab.waitForSelector('#join:not([hidden])');
  assert.deepEqual(await tab.context().cookies(), []);
  assert.equal(await tab.getAttribute('#join-name', 'readonly'), null);
  await assertNoProblems(tab);
});

test('a wrong password is said in words, and Escape leaves everything as it was', async () => {
  const tab = await openPage(browser, `${server.url}/?room=lobby&name=Eve`);
  await isIn(tab);
  await button(tab, 'Sign in').click();
  await signIn(tab, 'ada', 'wrong horse');
  await tab.waitForFunction(() => document.getElementById('sign-in-problem').textContent === 'The user or the password is wrong.');
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'sign-in-password');
  await tab.press('#sign-in-password', 'Escape');
  await tab.waitForSelector('#sign-in', { state: 'hidden' });
  assert.equal(await tab.textContent('.current .me'), 'Eve');
  // The 401 is what the browser itself reports.
  assert.deepEqual(tab.problems.filter((problem) => !/401/.test(problem)), []);
});

test('a room for users only asks to sign in, and opens then', async () => {
  const config = path.join(path.dirname(users), 'roomcast.toml');
  fs.writeFileSync(config, `[auth]\nusers_file = ${JSON.stringify(users)}\n\n[[access]]\nrooms = "**"\nwho = "user"\nmay = ["join", "publish", "history", "presence"]\n`);
  const closed = await startServer({ args: ['--config', config] });
  const tab = await openPage(browser, `${closed.url}/?room=lobby&name=Eve`);
  await tab.waitForSelector('#sign-in[open]');
  assert.equal(await tab.textContent('#sign-in-why'), 'This is for those who have signed in.');
  await signIn(tab, 'ada', 'correct horse');
  await isIn(tab);
  await say(tab, 'let in');
  await showsLine(tab, 'let in');
  await tab.close();
  await closed.stop();
});

test('without accounts nothing offers to sign in', async () => {
  const plain = await startServer();
  const tab = await openPage(browser, `${plain.url}/`);
  await tab.waitForSelector('#join-form');
  assert.equal(await button(tab, 'Sign in').count(), 0);
  await assertNoProblems(tab);
  await tab.close();
  await plain.stop();
});
