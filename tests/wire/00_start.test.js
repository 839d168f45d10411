// Starting: the ready line, and the exit codes of failures.

import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { describe, it } from 'node:test';
import { once } from 'node:events';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { runToEnd, startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

describe('start', { concurrency: 4 }, () => {
  it('the ready line has the bound URL, and the server responds there', async () => {
    const server = await startServer();
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:[1-9][0-9]*$/);
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    assert.equal(server.log().split('\n').filter((line) => line.includes(server.url)).length, 1);
    await server.stop();
  });

  it('several addresses are named in one line', async () => {
    const unix = path.join(scratchDirectory(), 'a.sock');
    const server = await startServer({ listen: ['http://127.0.0.1:0', 'http://127.0.0.1:0', 'http://[::1]:0', `unix:${unix}`] });
    assert.equal(server.urls.length, 4);
    assert.equal(new Set(server.urls).size, 4);
    assert.ok(server.urls.includes(`unix:${unix}`));
    for (const url of server.urls) {
      assert.equal((await fetchOnce(url, 'GET', '/healthz')).status, 200);
      await (await connect(url)).close();
    }
    await server.stop();
  });

  it('host:port without a scheme means http', async () => {
    const server = await startServer({ listen: ['127.0.0.1:0'] });
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:/);
    await server.stop();
  });

  it('--listen=ADDRESS is accepted too', async () => {
    const server = await startServer({ listen: [], args: ['--listen=http://127.0.0.1:0'] });
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    await server.stop();
  });

  it('http://0.0.0.0 and http://[::] listen on every address', async () => {
    const server = await startServer({ listen: ['http://0.0.0.0:0', 'http://[::]:0'] });
    const ports = server.urls.map((url) => new URL(url).port);
    assert.equal((await fetchOnce(`http://127.0.0.1:${ports[0]}`, 'GET', '/healthz')).status, 200);
    assert.equal((await fetchOnce(`http://[::1]:${ports[1]}`, 'GET', '/healthz')).status, 200);
    await server.stop();
  });

  it('an address in use: exit 1 and a line that names it', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = `127.0.0.1:${taken.address().port}`;
    const { code, stderr } = await runToEnd(['--listen', `http://${address}`]);
    taken.close();
    assert.equal(code, 1, stderr);
    assert.ok(stderr.includes(address), stderr);
    assert.match(stderr, /in use/i);
  });

  it('the Unix socket of a running server is not replaced: exit 1', async () => {
    const unix = `unix:${path.join(scratchDirectory(), 'taken.sock')}`;
    const server = await startServer({ listen: [unix] });
    const { code, stderr } = await runToEnd(['--listen', unix]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /in use|another process/i);
    assert.equal((await fetchOnce(unix, 'GET', '/healthz')).status, 200);
    await server.stop();
  });

  it('a file that is not a socket is not overwritten', async () => {
    const directory = scratchDirectory({ precious: 'data' });
    const { code, stderr } = await runToEnd(['--listen', `unix:${directory}/precious`]);
    assert.equal(code, 1, stderr);
    assert.ok(stderr.includes('precious'), stderr);
  });

  it('a directory that does not exist: exit 1', async () => {
    const { code, stderr } = await runToEnd(['--listen', 'unix:/nonexistent-directory/a.sock']);
    assert.equal(code, 1, stderr);
    assert.ok(stderr.includes('/nonexistent-directory'), stderr);
  });

  const wrong_addresses = ['http://127.0.0.1:65536', 'http://127.0.0.1:-1', 'http://127.0.0.1:port', 'ftp://127.0.0.1:1', 'http://', '', 'unix:', 'http://[::1', 'http://127.0.0.1:0/path', 'http://999.1.1.1:80'];
  for (const address of wrong_addresses) {
    it(`--listen ${JSON.stringify(address)}: exit 2`, async () => {
      const { code, stderr } = await runToEnd(['--listen', address]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /listen/);
    });
  }

  it('https without a certificate: exit 2, naming tls.certificate', async () => {
    const { code, stderr } = await runToEnd(['--listen', 'https://127.0.0.1:0']);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /tls\.certificate/);
  });

  it('--version and --help: exit 0, on standard output', async () => {
    for (const flag of ['--version', '--help']) {
      const { code, stdout, stderr } = await runToEnd([flag]);
      assert.equal(code, 0);
      assert.match(stdout, /roomcast/);
      assert.equal(stderr, '');
    }
    assert.match((await runToEnd(['--version'])).stdout, /^roomcast \d+\.\d+\.\d+\S*\n/);
    const help = (await runToEnd(['--help'])).stdout;
    for (const flag of ['--config', '--listen', '--set', '--check-config', '--print-config', '--version', '--help']) assert.ok(help.includes(flag), flag);
  });

  const wrong_usage = { '--lissten': /--listen/, '--vresion': /--version/, '--nonsense': /--help/, '-z': /--help|-z/, stray: /stray/, '--listen': /listen/, '--set': /set/, '--config': /config/ };
  for (const [flag, hint] of Object.entries(wrong_usage)) {
    it(`${flag}: exit 2 with a hint`, async () => {
      const { code, stdout, stderr } = await runToEnd([flag]);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, hint);
    });
  }
});
