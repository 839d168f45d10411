// The page's own origin behind nginx and HAProxy, configured as in docs/deployment.md, in Chromium: roomcast is restarted in the
// middle, and all clients of a page continue: the browser's EventSource, and the client module over each transport.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { launchBrowser, openPage, post } from '../support/browser.js';
import { isInstalled, startHaproxy, startNginx } from '../support/proxies.js';
import { startServer } from '../support/server.js';

const TRANSPORTS = ['websocket', 'sse', 'poll'];
const trusted = { trusted_proxies: '127.0.0.1', hosts: '' }; // the default of hosts

// `./dev test` installs both.
const skip = !process.env.CI && !(isInstalled('nginx') && isInstalled('haproxy')) && 'nginx and haproxy are not here';

let browser;
before(async () => {
  browser = await launchBrowser();
});
after(() => browser?.close());

/**
 * In the page: all clients listen to `room`. By client, `received` records messages and gaps, `joins` and `tries` the numbers
 * of joins and of lost connections.
 */
async function listenAll([room, transports]) {
  const { connect } = await import('/roomcast.js');
  const each = (value) => Object.fromEntries(['EventSource', ...transports].map((name) => [name, value()]));
  Object.assign(window, { received: each(() => []), joins: each(() => 0), tries: each(() => 0), clients: {} });
  window.source = new EventSource(`/rooms/${room}`);
  for (const type of ['joined', 'gap']) source.addEventListener(type, () => (joins.EventSource += 1));
  source.addEventListener('gap', () => received.EventSource.push('(gap)'));
  source.addEventListener('message', ({ data }) => received.EventSource.push(data));
  source.addEventListener('error', () => (tries.EventSource += 1));
  for (const transport of transports) {
    const client = connect({ name: transport, transports: [transport] });
    clients[transport] = client;
    client.on('state', ({ name }) => name === 'waiting' && (tries[transport] += 1));
    const joined = client.room(room);
    joined.on('joined', () => (joins[transport] += 1));
    joined.on('gap', () => received[transport].push('(gap)'));
    joined.on('message', ({ data }) => received[transport].push(data));
  }
}

const every = (what, least) => [([name, count]) => Object.values(window[name]).every((one) => (one.length ?? one) >= count), [what, least]];

for (const [name, start] of [['nginx', startNginx], ['HAProxy', startHaproxy]]) {
  describe(`a restart of roomcast behind ${name}`, { skip }, () => {
    for (const [how, urlOf] of [['plain', ({ url }) => url], ['TLS', ({ secureUrl }) => secureUrl]]) {
      it(`EventSource and the client module over each transport survive it, ${how}`, async (t) => {
        const first = await startServer({ set: trusted });
        t.after(() => first.kill());
        const proxy = await start(first.port);
        t.after(() => proxy.stop());
        const tab = await openPage(browser, urlOf(proxy), { ignoreHTTPSErrors: true });
        t.after(() => tab.context().close());
        await tab.evaluate(listenAll, ['restart', TRANSPORTS]);
        await tab.waitForFunction(...every('joins', 1));
        for (const text of ['one', 'two']) await post(first.url, 'restart', text, 'text/plain');
        await tab.waitForFunction(...every('received', 2));

        await first.stop();
        // The end of the first connections, and at least one retry while roomcast is down.
        await tab.waitForFunction(...every('tries', 2));
        assert.notEqual(await tab.evaluate(() => source.readyState), 2, 'EventSource has not given up');
        await tab.evaluate(() => {
          window.receipts = Promise.all(Object.entries(clients).map(([by, client]) => client.publish('restart', `by ${by}`)));
        });

        const second = await startServer({ set: trusted, listen: [`http://127.0.0.1:${first.port}`] });
        t.after(() => second.kill());
        await tab.waitForFunction(...every('joins', 2));
        const receipts = await tab.evaluate(() => receipts);
        assert.deepEqual(receipts.map(({ duplicate }) => duplicate), TRANSPORTS.map(() => false));
        await post(second.url, 'restart', 'three', 'text/plain');
        await tab.waitForFunction(() => Object.values(received).every((all) => all.includes('three')));
        // A room lives in memory: earlier messages are reported as a gap, once. Everything after it arrives, once, at every client.
        const said = await tab.evaluate(() => received);
        const meanwhile = said.EventSource.slice(3, -1);
        assert.deepEqual([...meanwhile].sort(), TRANSPORTS.map((by) => `by ${by}`).sort());
        for (const [by, all] of Object.entries(said)) assert.deepEqual(all, ['one', 'two', '(gap)', ...meanwhile, 'three'], by);
        assert.deepEqual(await tab.evaluate(() => Object.values(clients).map(({ state }) => state)), TRANSPORTS.map((transport) => ({ name: 'live', transport })));
      });
    }
  });
}
