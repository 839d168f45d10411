// Static files never leave web.root, however the path is encoded.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { HttpConnection } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';

const secret = 'not for the public';
const outside = scratchDirectory({ 'secret.txt': secret, 'web-secret/secret.txt': secret, 'web/index.html': 'index', 'web/sub/page.txt': 'page' });
fs.symlinkSync(path.join(outside, 'secret.txt'), path.join(outside, 'web/link.txt'));
fs.symlinkSync(outside, path.join(outside, 'web/up'));
const server = await startServer({ set: { 'web.root': path.join(outside, 'web') } });

const dots = ['..', '%2e%2e', '%2E%2E', '.%2e', '%2e.', '%252e%252e', '%c0%ae%c0%ae', '%e0%80%ae%e0%80%ae', '..;', '%2e%2e;', '..%00', '..%20', '...', '....', '%u002e%u002e', '.%00.', '..%0d', '．．'];
const slashes = ['/', '%2f', '%2F', '\\', '%5c', '%252f', '//', '/./', '%c0%af', '%ef%bc%8f', '/%2e/'];
const prefixes = ['/', '//', '/sub/../', '/sub/%2e%2e/', '/./', '/nothing/../', '/%2e/', '/sub/', '/sub/../../'];

const targets = new Set();
for (const dot of dots) for (const slash of slashes) for (const prefix of prefixes) targets.add(`${prefix}${dot}${slash}secret.txt`);
for (const one of [
  '/../web-secret/secret.txt', '/..%2fweb-secret%2fsecret.txt', '/../web/../secret.txt', '/link.txt', '/up/secret.txt', '/up/web/up/secret.txt',
  `/${outside}/secret.txt`, `//${outside}/secret.txt`, `${outside}/secret.txt`, `/%2f${outside.slice(1)}%2fsecret.txt`, `file://${outside}/secret.txt`,
  'http://localhost/../secret.txt', 'http://localhost/..%2fsecret.txt', '/index.html/../../secret.txt', '/index.html%00/../../secret.txt', '/sub/page.txt%00.html',
  '/../secret.txt?x=.html', '/../secret.txt#.html', '/?/../secret.txt', '/%', '/%2', '/%zz', '/%00', '/sub', '/sub/', '/.', '/..', '/%2e%2e', '/%2e%2e/',
]) targets.add(one);

describe('static files', () => {
  after(() => server.stop());

  it('files inside web.root are served', async () => {
    const connection = await HttpConnection.open(server.url);
    assert.equal((await connection.request('GET', '/sub/page.txt')).text, 'page');
    assert.equal((await connection.request('GET', '/')).text, 'index');
    connection.close();
  });

  const list = [...targets];
  for (let from = 0; from < list.length; from += 100) {
    it(`files outside are not: paths ${from + 1} to ${Math.min(from + 100, list.length)}`, async () => {
      let connection;
      for (const target of list.slice(from, from + 100)) {
        connection ??= await HttpConnection.open(server.url);
        const response = await connection.request('GET', Buffer.from(target).toString('latin1'));
        assert.ok(!response.text.includes(secret), `${target} gave the secret away`);
        assert.ok([200, 301, 308, 400, 403, 404].includes(response.status), `${target}: status ${response.status}`);
        if (response.status === 200) assert.match(response.text, /^(index|page)$/, target);
        if (response.header('connection')?.toLowerCase() === 'close') {
          connection.close();
          connection = undefined;
        }
      }
      connection?.close();
    });
  }

  it('a percent sign without its digits is 400', async () => {
    for (const target of ['/%', '/%2', '/%zz', '/sub/%g0']) {
      const connection = await HttpConnection.open(server.url);
      const { status } = await connection.request('GET', target);
      assert.ok([400, 404].includes(status), `${target}: ${status}`);
      connection.close();
    }
  });
});
