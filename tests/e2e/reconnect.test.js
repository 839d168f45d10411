// The connection breaks and is restored.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { assertNoProblems, enterRoom, showsLine, isIn, launchBrowser, openPage, saidIn, say, stateIs } from '../support/browser.js';
import { LOG } from '../support/contract.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer as start } from '../support/server.js';

let browser;

/** A server that ends with the test `t`, whatever the outcome. */
async function startServer(t, options) {
  const server = await start(options);
  t.after(() => server.kill());
  return server;
}

before(async () => {
  // Not this machine's name, so that the page uses the browser's network state.
  browser = await launchBrowser(['--host-resolver-rules=MAP roomcast.test 127.0.0.1']);
});

after(() => browser?.close());

test('the server restarts and the tabs reconnect', async (t) => {
  let server = await startServer(t);
  const listen = [`http://127.0.0.1:${server.port}`];
  const tabs = await Promise.all(['Ada', 'Grace'].map((name) => enterRoom(browser, server.url, { name })));
  const [ada, grace] = tabs;
  await say(ada, 'before');
  await Promise.all(tabs.map((tab) => showsLine(tab, 'before')));

  await server.stop();
  const countsDown = () => /^Reconnecting in \d+ s$/.test(document.getElementById('state-text').textContent);
  await Promise.all(tabs.map((tab) => tab.waitForFunction(countsDown)));
  assert.equal(await ada.textContent('#state-announced'), 'Connection lost, reconnecting');
  await say(ada, 'unsaid');
  assert.equal(await ada.textContent('.outbox .words'), 'unsaid', 'what was written waits for the line');

  server = await startServer(t, { listen });
  await Promise.all(tabs.map((tab) => stateIs(tab, 'live')));
  assert.equal(await ada.textContent('#state-announced'), 'Connected');
  await Promise.all(tabs.map((tab) => showsLine(tab, 'unsaid')));
  assert.deepEqual(await saidIn(grace), ['before', 'unsaid']);
  assert.equal(await ada.locator('.outbox li').count(), 0);
  for (const tab of tabs) assert.equal(await tab.textContent('.log .gap'), 'Some messages may be missing here.');
  assertNoProblems(...tabs);
  await Promise.all(tabs.map((tab) => tab.context().close()));
  await server.stop();
});

test('the page reconnects to a server that was killed, and the user can retry at once', async (t) => {
  let server = await startServer(t);
  const listen = [`http://127.0.0.1:${server.port}`];
  const ada = await enterRoom(browser, server.url, { name: 'Ada' });
  await server.kill();
  await stateIs(ada, 'waiting');
  server = await startServer(t, { listen });
  await ada.click('#state-retry', { timeout: 2000 }).catch(() => {}); // unless it has reconnected already
  await stateIs(ada, 'live');
  await ada.context().close();
  await server.stop();
});

test('without a network the page waits for it', async (t) => {
  const server = await startServer(t);
  const ada = await enterRoom(browser, `http://roomcast.test:${server.port}`, { name: 'Ada' });
  await ada.context().setOffline(true);
  await stateIs(ada, 'offline');
  assert.equal(await ada.textContent('#state-text'), 'Offline');
  assert.equal(await ada.textContent('#state-announced'), 'Offline, waiting for the network');
  await ada.context().setOffline(false);
  await stateIs(ada, 'live');
  await ada.context().close();
  await server.stop();
});

test('a message that the server finds too large is reported, and the connection stays', async (t) => {
  const config = path.join(scratchDirectory(), 'roomcast.toml');
  fs.writeFileSync(config, '');
  const server = await startServer(t, { args: ['--config', config] });
  const ada = await enterRoom(browser, server.url, { name: 'Ada' });
  // Less than the page knows.
  fs.writeFileSync(config, 'limits.message_bytes = 1024\n');
  const mark = server.mark();
  server.reload();
  await server.waitForLog(LOG.reloaded, { mark });
  await say(ada, 'x'.repeat(2000));
  await ada.waitForSelector('.outbox .unconfirmed');
  assert.match(await ada.textContent('.outbox .unconfirmed-actions'), /Not sent\..*limits\.message_bytes/);
  assert.equal(await ada.getAttribute('#state', 'data-state'), 'live');
  await ada.click('text=Discard');
  assert.equal(await ada.locator('.outbox li').count(), 0);
  await ada.context().close();
  await server.stop();
});

test('a message that the page knows to be too large is not sent', async (t) => {
  const server = await startServer(t, { set: { 'limits.message_bytes': 1024 } });
  const ada = await enterRoom(browser, server.url, { name: 'Ada' });
  await say(ada, 'x'.repeat(1025));
  assert.match(await ada.textContent('.notice'), /too long by 1 bytes/);
  assert.equal(await ada.getAttribute('#state', 'data-state'), 'live');
  await ada.context().close();
  await server.stop();
});

test('a refusal is shown, and the page retries only on request', async (t) => {
  const server = await startServer(t);
  const ada = await openPage(browser, server.url);
  let refused = 0;
  await ada.routeWebSocket(/\/connect\b/, (socket) => {
    refused += 1;
    socket.close({ code: 1008, reason: 'members only' });
  });
  await ada.goto(`${server.url}/?room=private&name=Ada`);
  await stateIs(ada, 'closed');
  assert.equal(await ada.textContent('#state-text'), 'Disconnected');
  assert.match(await ada.textContent('.notice'), /members only/);
  assert.equal(refused, 1);
  await ada.click('text=Connect again');
  await ada.waitForFunction(() => document.getElementById('state').dataset.state === 'closed');
  await ada.context().close();
  assert.equal(refused, 2);
  await server.stop();
});

test('a message sent into a dead connection arrives over the next one, once', async (t) => {
  const server = await startServer(t);
  const ada = await openPage(browser, server.url);
  let swallows = false;
  let cut;
  await ada.routeWebSocket(/\/connect\b/, (socket) => {
    swallows = false;
    cut = () => socket.close({ code: 1011 });
    // The server receives everything; nothing is forwarded from it.
    socket.connectToServer().onMessage((data) => {
      if (!swallows) socket.send(data);
    });
  });
  await ada.goto(`${server.url}/?room=silent&name=Ada`);
  await isIn(ada);
  swallows = true;
  await say(ada, 'anybody?');
  const grace = await enterRoom(browser, server.url, { room: 'silent', name: 'Grace' });
  await showsLine(grace, 'anybody?');
  assert.equal(await ada.locator('.outbox li').count(), 1);
  await cut();
  await showsLine(ada, 'anybody?');
  await say(ada, 'second');
  await Promise.all([ada, grace].map((tab) => showsLine(tab, 'second')));
  assert.deepEqual(await saidIn(grace), ['anybody?', 'second']);
  assert.deepEqual(await saidIn(ada), ['anybody?', 'second']);
  assert.equal(await ada.locator('.outbox li').count(), 0);
  await Promise.all([ada, grace].map((tab) => tab.context().close()));
  await server.stop();
});
