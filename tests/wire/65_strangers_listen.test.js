// The addresses of listeners: every address, loopback ones, and the image's default.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { repository, runToEnd, startServer } from '../support/server.js';

const directory = scratchDirectory();
const has_ipv6 = Object.values(os.networkInterfaces()).flat().some(({ address }) => address === '::1');
const skip = !has_ipv6 && 'there is no IPv6 here';

const answers = async (url) => (await fetchOnce(url, 'GET', '/healthz')).status === 200;

/** A port that is free on every address, for tests that have to name one. */
async function freePort() {
  const probe = net.createServer().listen(0, has_ipv6 ? '::' : '0.0.0.0');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

describe('listener addresses', { concurrency: 2 }, () => {
  it('[::] is every address, including IPv4, in listen and in admin_listen', { skip }, async () => {
    const server = await startServer({ listen: ['http://[::]:0'], urlCount: 2, set: { admin_listen: '[::]:0' } });
    for (const url of [server.url, server.adminUrl]) {
      for (const host of ['127.0.0.1', '[::1]']) assert.ok(await answers(url.replace('[::]', host)), host);
    }
    await server.stop();
  });

  it('[::] and 0.0.0.0 can be used together, in either order', { skip }, async () => {
    const port = await freePort();
    for (const listen of [[`[::]:${port}`, `0.0.0.0:${port}`], [`0.0.0.0:${port}`, `[::]:${port}`]]) {
      const server = await startServer({ listen });
      for (const host of ['127.0.0.1', '[::1]']) assert.ok(await answers(`http://${host}:${port}`), host);
      await server.stop();
    }
  });

  it('localhost is both loopback addresses, with one port', { skip }, async () => {
    const server = await startServer({ listen: ['http://localhost:0'], urlCount: 2 });
    assert.deepEqual(server.urls.map((url) => new URL(url).hostname), ['127.0.0.1', '[::1]']);
    assert.equal(new Set(server.urls.map((url) => new URL(url).port)).size, 1);
    for (const url of server.urls) assert.ok(await answers(url), url);
    await server.stop();
  });

  it('an IPv4-mapped IPv6 address is the IPv4 address', async () => {
    const server = await startServer({ listen: ['http://[::ffff:127.0.0.1]:0'] });
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:/);
    assert.ok(await answers(server.url));
    await server.stop();
  });

  const refused = {
    'a link-local address': [['[fe80::1]:8080'], /link-local/],
    'the same with its interface': [['[fe80::1%eth0]:8080'], /link-local/],
    'a multicast address': [['[ff02::1]:8080'], /multicast/],
    'the broadcast address': [['255.255.255.255:8080'], /broadcast/],
    'an address twice': [['127.0.0.1:8080', 'http://127.0.0.1:8080'], /cannot be bound beside/],
    'an address twice, written differently': [['[::1]:8080', '[0:0::1]:8080'], /cannot be bound beside/],
    'an address beside every address': [['0.0.0.0:8080', '127.0.0.1:8080'], /cannot be bound beside/],
    'localhost beside one of its addresses': [['localhost:8080', '[::1]:8080'], /cannot be bound beside/],
    'a path twice': [['unix:/tmp/a.sock', 'unix:/tmp/a.sock'], /cannot be bound beside/],
  };
  for (const [name, [listen, why]] of Object.entries(refused)) {
    it(`${name} is found by --check-config, not only at the start`, async () => {
      const { code, stderr } = await runToEnd(['--check-config', ...listen.flatMap((one) => ['--listen', one])]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, why);
    });
  }
  it('so is an address that admin_listen has as well', async () => {
    const { code, stderr } = await runToEnd(['--check-config', '--listen', '127.0.0.1:8080', '--set', 'admin_listen=127.0.0.1:8080']);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /admin_listen: 127\.0\.0\.1:8080 cannot be bound beside/);
  });
});

describe('the image', { concurrency: 2 }, () => {
  const dockerfile = fs.readFileSync(path.join(repository, 'Dockerfile'), 'utf8');
  // Port 0 instead of the image's 8080, which may be in use here.
  const [, ...arguments_of_entry] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)[1].replace('8080', '0'));
  const config = path.join(directory, 'image.toml');
  const start = (args, env = {}) => startServer({ listen: [], args: [...arguments_of_entry, ...args], env });
  const reachable = async (server) => assert.match(server.url, has_ipv6 ? /\[::\]/ : /0\.0\.0\.0/);

  it('the listen address is not part of CMD, which arguments replace', () => assert.doesNotMatch(dockerfile, /^CMD /m));
  it('its user is a number other than root\'s', () => assert.match(dockerfile, /^USER [1-9]\d*(:[1-9]\d*)?$/m));

  it('by default it listens on every address', async () => {
    const server = await start([]);
    await reachable(server);
    await server.stop();
  });
  it('also with --config of a file without listen', async () => {
    fs.writeFileSync(config, '[limits]\nfragments = 5\n');
    const server = await start(['--config', config]);
    await reachable(server);
    server.reload();
    await server.waitForLog(/\breloaded$/);
    assert.doesNotMatch(server.log(), /takes effect after a restart/);
    await server.stop();
  });
  const elsewhere = /^http:\/\/127\.0\.0\.1:/;
  it('the file, the environment and the flags override it', async () => {
    const file = path.join(directory, 'elsewhere.toml');
    fs.writeFileSync(file, 'listen = ["127.0.0.1:0"]\n');
    for (const [args, env] of [[['--config', file]], [[], { ROOMCAST_LISTEN: '127.0.0.1:0' }], [['--listen', '127.0.0.1:0']], [['--set', 'listen=127.0.0.1:0']]]) {
      const server = await start(args, env);
      assert.match(server.url, elsewhere, `${args} ${env}`);
      await server.stop();
    }
  });
  it('--default refuses the same values as --set', async () => {
    for (const [flag, why] of [['nothing=1', /unknown key/], ['limits.fragments=0', /limits\.fragments/], ['x', /--default takes KEY=VALUE/]]) {
      const { code, stderr } = await runToEnd(['--check-config', '--default', flag]);
      assert.equal(code, 2);
      assert.match(stderr, why);
    }
  });
});
