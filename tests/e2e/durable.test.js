// The page over restarts of a server that keeps its history on the disk.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { assertNoProblems, enterRoom, launchBrowser, post, saidIn, say, showsLine, stateIs } from '../support/browser.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer as start } from '../support/server.js';

let browser;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

/** A server on `directory` that ends with the test `t`, whatever the outcome. */
async function startServer(t, directory, options) {
  const server = await start({ ...options, set: { 'store.path': directory } });
  t.after(() => server.running && server.kill());
  return server;
}

for (const end of ['stop', 'kill']) {
  test(`after a restart (${end}) nothing is missing, and nobody is warned`, async (t) => {
    const directory = path.join(scratchDirectory(), 'store');
    let server = await startServer(t, directory);
    const listen = [`http://127.0.0.1:${server.port}`];
    const tabs = await Promise.all(['Ada', 'Grace'].map((name) => enterRoom(browser, server.url, { name })));
    const [ada, grace] = tabs;
    await say(ada, 'before');
    await Promise.all(tabs.map((tab) => showsLine(tab, 'before')));

    await server[end]();
    await Promise.all(tabs.map((tab) => tab.waitForFunction(() => document.getElementById('state').dataset.state !== 'live')));
    await say(ada, 'meanwhile');
    server = await startServer(t, directory, { listen });
    // Somebody else is quicker than the page.
    assert.equal((await post(server.url, 'lobby', 'from elsewhere', 'text/plain', 'Bot')).status, 200);
    await Promise.all(tabs.map((tab) => stateIs(tab, 'live')));
    await Promise.all(tabs.map((tab) => showsLine(tab, 'meanwhile')));
    await say(grace, 'after');
    await Promise.all(tabs.map((tab) => showsLine(tab, 'after')));

    const expected = ['before', 'from elsewhere', 'meanwhile', 'after'];
    for (const tab of tabs) {
      const said = await saidIn(tab);
      assert.deepEqual([...said].sort(), [...expected].sort());
      assert.deepEqual([said[0], said.at(-1)], ['before', 'after']);
      assert.equal(await tab.locator('.log .gap').count(), 0, 'no gap is shown');
      assert.equal(await tab.locator('.outbox li').count(), 0);
      assert.equal(await tab.locator('.notice:visible').count(), 0);
    }
    // Who comes now sees the same.
    const late = await enterRoom(browser, server.url, { name: 'Late' });
    await showsLine(late, 'before');
    assert.deepEqual(await saidIn(late), await saidIn(ada));
    assertNoProblems(...tabs, late);
    await Promise.all([...tabs, late].map((tab) => tab.context().close()));
    await server.stop();
  });
}
