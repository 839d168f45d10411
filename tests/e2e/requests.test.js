// Loading the page on a slow connection: no file is requested late, and text is compressed.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage } from '../support/browser.js';
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

test('all modules are requested when the document has been parsed, and text is compressed', async () => {
  const tab = await openPage(browser, server.url);
  await tab.waitForSelector('#join:not([hidden])');
  const files = await tab.evaluate(() => performance.getEntriesByType('resource').map(({ name, startTime, responseEnd, encodedBodySize, decodedBodySize }) =>
    ({ name: new URL(name).pathname, startTime, responseEnd, encodedBodySize, decodedBodySize })));
  // The document precedes them. Over HTTP/1.1 six are fetched at a time: each further six cost a round trip.
  // One of them asks whether there are accounts.
  assert.ok(files.length <= 22, `${files.length} files`);
  const modules = files.filter(({ name }) => name.endsWith('.js'));
  assert.ok(modules.length > 10);
  // A module found through an import would be requested after the first module has arrived.
  const first = Math.min(...modules.map(({ responseEnd }) => responseEnd));
  assert.deepEqual(modules.filter(({ startTime }) => startTime > first).map(({ name }) => name), []);
  const sum = (field) => files.reduce((total, file) => total + file[field], 0);
  assert.ok(sum('encodedBodySize') < sum('decodedBodySize') / 2, `${sum('encodedBodySize')} of ${sum('decodedBodySize')} bytes`);
});
