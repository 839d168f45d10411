// Real web.root folders: a volume of Kubernetes, a disk with lost+found, pages in folders.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { repository, runToEnd, startServer } from '../support/server.js';

const root = scratchDirectory({
  'index.html': 'front page',
  'docs/index.html': 'docs',
  'docs/guide/index.html': 'guide',
  'docs/guide/plain.txt': 'plain',
  'empty/only.txt': 'only',
  '..data_1/index.html': 'from the volume',
  '..data_1/assets/app.css': 'css',
  'lost+found/secret.txt': 'unreadable',
});
// The layout of a Kubernetes ConfigMap.
fs.symlinkSync('..data_1', path.join(root, '..data'));
fs.symlinkSync('..data/assets', path.join(root, 'assets'));
fs.symlinkSync('..data/index.html', path.join(root, 'volume.html'));
fs.symlinkSync('..data', path.join(root, 'volume'));
// Unusual entries.
fs.symlinkSync('.', path.join(root, 'again'));
fs.symlinkSync('../../..', path.join(root, 'docs/above'));
fs.symlinkSync('loop', path.join(root, 'loop'));
fs.symlinkSync('nowhere', path.join(root, 'dangling'));
fs.symlinkSync('/etc', path.join(root, 'etc'));
fs.writeFileSync(path.join(root, 'closed.txt'), 'closed');
execFileSync('mkfifo', [path.join(root, 'fifo')]);
fs.chmodSync(path.join(root, 'lost+found'), 0);
fs.chmodSync(path.join(root, 'closed.txt'), 0);
// Root can read everything, so the server drops that capability for these to be unreadable.
const wrap = process.getuid() === 0 ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] : [];

const server = await startServer({ set: { 'web.root': root }, wrap });
const get = (target, headers) => fetchOnce(server.url, 'GET', target, { headers });

describe('web.root', () => {
  after(async () => {
    await server.stop();
    fs.chmodSync(path.join(root, 'lost+found'), 0o755);
  });

  it('entries that cannot be read are left out, and the log names each', async () => {
    assert.equal((await get('/')).text, 'front page');
    for (const name of ['lost+found', 'closed.txt', 'loop', 'dangling', 'etc', 'fifo', 'docs/above', 'again']) {
      const line = server.log().split('\n').find((one) => one.includes('web.root: left out') && one.includes(`${name}`));
      assert.ok(line, `${name}\n${server.log()}`);
      assert.equal((await get(`/${name.replace('+', '%2B')}`)).status, 404, name);
    }
    assert.equal((await get('/etc/passwd')).status, 404);
    assert.equal((await get('/docs/above/etc/passwd')).status, 404);
  });

  it('--check-config names them and accepts the rest', async () => {
    const { code, stderr } = await runToEnd(['--check-config', '--set', `web.root=${root}`]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /warning: web\.root: left out: dangling/);
  });

  it('links to folders inside it are followed, as a ConfigMap requires', async () => {
    assert.equal((await get('/assets/app.css')).text, 'css');
    assert.equal((await get('/volume.html')).text, 'from the volume');
    assert.equal((await get('/volume/assets/app.css')).text, 'css');
    assert.equal((await get('/..data/index.html')).status, 404);
  });

  it('folders serve their index.html, and a path without its slash is redirected there', async () => {
    assert.equal((await get('/docs/')).text, 'docs');
    assert.equal((await get('/docs/guide/')).text, 'guide');
    assert.match((await get('/docs/')).header('content-type'), /^text\/html/);
    const tag = (await get('/docs/')).header('etag');
    assert.equal((await get('/docs/', { 'If-None-Match': tag })).status, 304);
    for (const [from, to] of [['/docs', '/docs/'], ['/docs/guide?a=b', '/docs/guide/?a=b'], ['/d%6fcs', '/d%6fcs/']]) {
      const answer = await get(from);
      assert.equal(answer.status, 308, from);
      assert.equal(answer.header('location'), to);
    }
    for (const nothing of ['/empty', '/empty/', '//docs', '//docs/', '/docs//', '/docs/index.html/']) assert.equal((await get(nothing)).status, 404, nothing);
  });

  it('a swapped volume is served after a reload', async () => {
    fs.mkdirSync(path.join(root, '..data_2'));
    fs.writeFileSync(path.join(root, '..data_2/index.html'), 'swapped');
    fs.symlinkSync('..data_2', path.join(root, '..data_tmp'));
    fs.renameSync(path.join(root, '..data_tmp'), path.join(root, '..data'));
    const mark = server.mark();
    server.reload();
    await server.waitForLog(/\breloaded$/, { mark });
    assert.equal((await get('/volume.html')).text, 'swapped');
  });

  it('the client module and its imports are served as without web.root', async () => {
    const seen = new Set();
    const follow = async (target) => {
      if (seen.has(target)) return;
      seen.add(target);
      const answer = await get(target);
      assert.equal(answer.status, 200, target);
      assert.equal(answer.text, fs.readFileSync(path.join(repository, 'web/client', target), 'utf8'));
      for (const [, next] of answer.text.matchAll(/^(?:import|export) .*from '(\.[^']+)'/gm)) await follow(path.posix.join(path.posix.dirname(target), next));
    };
    await follow('/roomcast.js');
    assert.ok(seen.size > 5, [...seen].join(' '));
    for (const page_only of ['/chat/app.js', '/client/roomcast.js', '/package.json']) assert.equal((await get(page_only)).status, 404, page_only);
  });

  it('the bundled pages work from a directory: all that they load is there', async () => {
    const pages = await startServer({ set: { 'web.root': path.join(repository, 'web') } });
    const bundled = await startServer();
    const loads = /(?:<link rel="[^"]+"|<script type="module"|<img class="mark") (?:href|src)="([^"]+)"|^(?:import|export) .*from '(\.[^']+)'/gm;
    const seen = new Set();
    const follow = async (target) => {
      if (seen.has(target)) return;
      seen.add(target);
      const answers = [];
      for (const each of [pages, bundled]) answers.push(await fetchOnce(each.url, 'GET', target));
      assert.deepEqual(answers.map(({ status }) => status), [200, 200], target);
      assert.equal(answers[0].text, answers[1].text, target);
      for (const [, link, module] of answers[0].text.matchAll(loads)) await follow(path.posix.join(path.posix.dirname(target), link ?? module));
    };
    await follow('/index.html');
    await follow('/live.html');
    assert.ok(seen.size > 20, [...seen].join(' '));
    await Promise.all([pages.stop(), bundled.stop()]);
  });

  it('a file of the root has precedence over the built-in module', async () => {
    const own = scratchDirectory({ 'roomcast.js': 'mine', 'roomcast/client.js': 'mine too' });
    const other = await startServer({ set: { 'web.root': own } });
    assert.equal((await fetchOnce(other.url, 'GET', '/roomcast.js')).text, 'mine');
    assert.equal((await fetchOnce(other.url, 'GET', '/roomcast/client.js')).text, 'mine too');
    await other.stop();
  });

  it('an unreadable root fails the start', async () => {
    const { code, stderr } = await runToEnd(['--set', 'web.root=/nonexistent/web']);
    assert.equal(code, 2);
    assert.match(stderr, /\/nonexistent\/web/);
  });
});
