// The page of docs/client.md, in a `web.root`, in Chromium.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { launchBrowser } from '../support/browser.js';
import { patience } from '../support/deadline.js';
import { scratchDirectory } from '../support/scratch.js';
import { repository, startServer } from '../support/server.js';

const guide = fs.readFileSync(path.join(repository, 'docs/client.md'), 'utf8');
const [, page, script] = /^```html\n(<script type="module">\n(.*?)<\/script>\n)```$/ms.exec(guide);
const [element] = /<script type="module" src="chat\.js"><\/script>/.exec(guide);

describe('the example of docs/client.md', () => {
  let browser;
  before(async () => { browser = await launchBrowser(); });
  after(() => browser?.close());

  /** The first console message of the page with `files`, at a server with `settings`. */
  async function firstWord(files, settings = {}) {
    const server = await startServer({ set: { 'web.root': scratchDirectory({ 'favicon.ico': '', ...files }), ...settings } });
    const tab = await browser.newPage();
    try {
      const said = tab.waitForEvent('console', { timeout: patience });
      await tab.goto(server.url);
      return (await said).text();
    } finally {
      await tab.close();
      await server.stop();
    }
  }

  it('works as a separate file', async () => {
    assert.equal(await firstWord({ 'index.html': `<!doctype html>\n${element}\n`, 'chat.js': script }), 'Ada hello');
  });

  it('works inline, if web.content_security_policy allows it', async () => {
    assert.equal(await firstWord({ 'index.html': `<!doctype html>\n${page}` }, { 'web.content_security_policy': 'none' }), 'Ada hello');
  });

  it('is blocked inline by default, as the guide says', async () => {
    assert.match(await firstWord({ 'index.html': `<!doctype html>\n${page}` }), /Content Security Policy/);
  });
});
