// The page's own origin behind nginx and HAProxy, set up as docs/deployment.md says, in Chromium: roomcast is restarted in the
// middle, and what a page may use goes on: the browser's own EventSource, and the client module over each transport.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { launchBrowser, openPage, post } from '../support/browser.js';
import { isInstalled, startHaproxy, startNginx } from '../support/proxies.js';
import { startServer } from '../support/server.js';

const TRANSPORTS = ['websocket', 'sse', 'poll'];
const trusted = { trusted_proxies: '127.0.0.1', hosts: '' }; // hosts as they are set by default

// `./dev test` installs both.
const skip = !process.env.CI && !(isInstalled('nginx') && isInstalled('haproxy')) && 'nginx and haproxy are not here';

let browser;
before(async () => {
  browser = await launchBrowser();
});
after(() => browser?.close());

/** In the page: everybody listens to `room`. By who it is, `heard` says what was heard, gaps too, `joins` and `tries` how often each joined or lost its server. */
async function listenAll([room, transports]) {
  const { connect } = await import('/roomcast.js');
  const each = (value) => Object.fromEntries(['EventSource', ...transports].map((name) => [name, value()]));
  Object.assign(window, { heard: each(() => []), joins: each(() => 0), tries: each(() => 0), clients: {} });
  window.source = new EventSource(`/rooms/${room}`);
  for (const type of ['joined', 'gap']) source.addEventListener(type, () => (joins.EventSource += 1));
  source.addEventListener('gap', () => heard.EventSource.push('(gap)'));
  source.addEventListener('message', ({ data }) => heard.EventSource.push(data));
  source.addEventListener('error', () => (tries.EventSource += 1));
  for (const transport of transports) {
    const client = connect({ name: transport, transports: [transport] });
    clients[transport] = client;
    client.on('state', ({ name }) => name === 'waiting' && (tries[transport] += 1));
    const joined = client.room(room);
    joined.on('joined', () => (joins[transport] += 1));
    joined.on('gap', () => heard[transport].push('(gap)'));
    joined.on('message', ({ data }) => heard[transport].push(data));
  }
}

const every = (what, least) => [([name, count]) => Object.values(window[name]).every((one) => (one.length ?? one) >= count), [what, least]];

for (const [name, start] of [['nginx', startNginx], ['HAProxy', startHaproxy]]) {
  describe(`a restart of roomcast behind ${name}`, { skip }, () => {
    for (const [how, urlOf] of [['plain', ({ url }) => url], ['TLS', ({ secureUrl }) => secureUrl]]) {
      it(`is outlived by EventSource and by the client module over each transport, ${how}`, async (t) => {
        const first = await startServer({ set: trusted });
        t.after(() => first.kill());
        const proxy = await start(first.port);
        t.after(() => proxy.stop());
        const tab = await openPage(browser, urlOf(proxy), { ignoreHTTPSErrors: true });
        t.after(() => tab.context().close());
        await tab.evaluate(listenAll, ['restart', TRANSPORTS]);
        await tab.waitForFunction(...every('joins', 1));
        for (const text of ['one', 'two']) await post(first.url, 'restart', text, 'text/plain');
        await tab.waitForFunction(...every('heard', 2));

        await first.stop();
        // The end of what there was, and at least one try while roomcast is away.
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
        await tab.waitForFunction(() => Object.values(heard).every((all) => all.includes('three')));
        // A room lives in memory: what was before is told as a gap, once. Everything after it is there, once, for everybody alike.
        const said = await tab.evaluate(() => heard);
        const meanwhile = said.EventSource.slice(3, -1);
        assert.deepEqual([...meanwhile].sort(), TRANSPORTS.map((by) => `by ${by}`).sort());
        for (const [by, all] of Object.entries(said)) assert.deepEqual(all, ['one', 'two', '(gap)', ...meanwhile, 'three'], by);
        assert.deepEqual(await tab.evaluate(() => Object.values(clients).map(({ state }) => state)), TRANSPORTS.map((transport) => ({ name: 'live', transport })));
      });
    }
  });
}
