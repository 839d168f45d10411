// `roomcast redis check`: what it says of real Redis servers that are as they should be, and of those that are not.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/deadline.js';
import { freePort, RedisServer, without_redis } from '../support/redis.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { runToEnd } from '../support/server.js';

/** Examines the server at `url`: exit code, everything that was printed, and what was found in each respect. */
async function examined(url, args = []) {
  const { code, stdout, stderr } = await runToEnd(['redis', 'check', ...(url ? ['--url', url] : []), ...args]);
  const findings = new Map();
  for (const [, level, what, found] of stdout.matchAll(/^ {2}(ok|\?|warn|FAIL) +([a-z]+(?: [a-z]+)?) {2,}(.*)$/gm)) findings.set(what, `${level} ${found}`);
  return { code, stdout, stderr, findings };
}
const levels = ({ findings }) => new Set([...findings.values()].map((found) => found.split(' ')[0]));

/** A configuration file with these lines. */
const configured = (...lines) => path.join(scratchDirectory({ 'roomcast.toml': `${lines.join('\n')}\n` }), 'roomcast.toml');

/** A proxy on a Unix socket that leads each connection to the next of `targets`. */
async function spreading(...targets) {
  const file = path.join(scratchDirectory(), 'proxy.sock');
  let next = 0;
  const proxy = net.createServer((client) => {
    const server = net.connect(targets[next++ % targets.length]);
    client.pipe(server).pipe(client);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
  });
  proxy.listen(file);
  proxy.unref();
  return { url: `unix:${file}`, close: () => proxy.close() };
}

describe('roomcast redis check', { skip: without_redis }, () => {
  it('says that servers can use a new Redis, warns of what is not recommended, and leaves nothing behind', async () => {
    const redis = await RedisServer.start();
    const result = await examined(redis.url);
    assert.equal(result.code, 0, result.stdout);
    for (const what of ['server', 'encryption', 'identity', 'rights', 'scripts', 'pushes', 'eviction']) assert.match(result.findings.get(what) ?? 'nothing', /^ok /, `${what}\n${result.stdout}`);
    assert.match(result.findings.get('round trip'), /^(ok|warn) \d+\.\d\d ms, /);
    for (const what of ['maxmemory', 'persistence', 'replicas', 'push buffer']) assert.match(result.findings.get(what) ?? 'nothing', /^warn /, `${what}\n${result.stdout}`);
    assert.match(result.stdout, /^servers can use it; \d warnings$/m);
    assert.equal(await redis.ask('DBSIZE'), '0');
  });

  it('has nothing to say against one that is set up as recommended', async () => {
    const redis = await RedisServer.start({ options: ['--maxmemory', '100mb', '--appendonly', 'yes', '--min-replicas-to-write', '1', '--repl-diskless-sync-delay', '0', '--client-output-buffer-limit', 'pubsub 64mb 32mb 60'] });
    const port = await freePort();
    await redis.ask('CONFIG', 'SET', 'port', `${port}`);
    const replica = await RedisServer.start({ options: ['--replicaof', '127.0.0.1', `${port}`] });
    await eventually(async () => /min_slaves_good_slaves:1/.test(await redis.ask('INFO', 'replication')), 'a replica that has caught up');
    const result = await examined(redis.url);
    assert.equal(result.code, 0, result.stdout);
    const others = [...result.findings].filter(([what]) => what !== 'round trip');
    assert.deepEqual(others.filter(([, found]) => !found.startsWith('ok ')), [], result.stdout);

    const of_replica = await examined(replica.url);
    assert.equal(of_replica.code, 1);
    assert.match(of_replica.findings.get('connection'), /^FAIL .*it is a replica of 127\.0\.0\.1:\d+; the primary is needed/);
  });

  it('warns of memory that is nearly full, and of an eviction policy that loses history', async () => {
    const redis = await RedisServer.start({ options: ['--maxmemory', '4mb', '--maxmemory-policy', 'allkeys-lru'] });
    await redis.ask('EVAL', "for i = 1, 22 do redis.call('SET', i, string.rep('x', 100000)) end", '0');
    const { code, findings, stdout } = await examined(redis.url);
    assert.equal(code, 0, stdout);
    assert.match(findings.get('maxmemory'), /^warn 3 MiB of 4 MiB used$/);
    assert.equal(findings.get('eviction'), 'warn allkeys-lru');
  });

  it('names the rights that a user lacks, and never its password', async () => {
    const redis = await RedisServer.start();
    const secret = 'correct horse battery';
    await redis.ask('ACL', 'SETUSER', 'rooms', 'on', `>${secret}`, 'resetkeys', 'resetchannels', '~rc*', '&rc*', '+@all', '-xtrim', '-pexpire');
    const directory = scratchDirectory({ password: `${secret}\n` });
    const file = configured('[redis]', `urls = ["${redis.url}"]`, 'user = "rooms"', `password_file = "${directory}/password"`);
    const lacking = await examined(undefined, ['--config', file]);
    assert.equal(lacking.code, 1);
    assert.equal(lacking.findings.get('rights'), 'FAIL the user may not run PEXPIRE, XTRIM');
    assert.match(lacking.stdout, /-> ACL SETUSER … \+pexpire \+xtrim$/m);
    assert.match(lacking.stdout, /^servers can't use it$/m);
    assert.ok(!(lacking.stdout + lacking.stderr).includes(secret));

    await redis.ask('ACL', 'SETUSER', 'rooms', '+xtrim', '+pexpire');
    const whole = await examined(undefined, ['--config', file]);
    assert.equal(whole.code, 0, whole.stdout);
    // The same user has no keys of another prefix, and then no channels.
    const other = configured('[redis]', `urls = ["${redis.url}"]`, 'prefix = "chat"', 'user = "rooms"', `password_file = "${directory}/password"`);
    assert.equal((await examined(undefined, ['--config', other])).findings.get('rights'), 'FAIL the user may not use keys that begin with chat');
    await redis.ask('ACL', 'SETUSER', 'rooms', '~chat*');
    assert.equal((await examined(undefined, ['--config', other])).findings.get('rights'), 'FAIL the user may not use channels that begin with chat');

    fs.writeFileSync(path.join(directory, 'password'), 'another');
    const wrong = await examined(undefined, ['--config', file]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.findings.get('connection'), /^FAIL .*does not let user "rooms" in/);
  });

  it('says what it may not ask', async () => {
    const redis = await RedisServer.start();
    await redis.ask('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 64mb 32mb 60');
    await redis.ask('ACL', 'SETUSER', 'default', '-config');
    const { code, findings, stdout } = await examined(redis.url);
    assert.equal(code, 0, stdout);
    assert.match(findings.get('push buffer'), /^\? /);
    assert.match(findings.get('persistence'), /^warn /);
  });

  it('finds that two connections lead to two servers, and that a server takes no writes', async () => {
    const redis = await RedisServer.start();
    const other = await RedisServer.start();
    const proxy = await spreading(redis.path, other.path);
    const spread = await examined(proxy.url);
    proxy.close();
    assert.equal(spread.code, 1);
    assert.equal(spread.findings.get('identity'), 'FAIL two connections lead to two different servers');

    await redis.ask('CONFIG', 'SET', 'min-replicas-to-write', '1');
    const alone = await examined(redis.url);
    assert.equal(alone.code, 1);
    assert.match(alone.findings.get('commands'), /^FAIL SET: NOREPLICAS /);
    assert.ok(levels(alone).has('ok'));
  });

  it('checks the certificate of a server that speaks TLS', async () => {
    const directory = scratchDirectory();
    const { certificate, key } = makeCertificate(directory, 'localhost');
    const port = await freePort();
    await RedisServer.start({ options: ['--tls-port', `${port}`, '--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no'] });
    const url = `rediss://localhost:${port}`;
    // Several times: what is left of the connection was used after its end now and then.
    for (let i = 0; i < 8; i += 1) {
      const unknown = await examined(url);
      assert.equal(unknown.code, 1);
      assert.match(unknown.findings.get('connection'), /^FAIL .*certificate/);
    }
    const trusted = await examined(url, ['--config', configured('[redis]', `tls_ca = "${certificate}"`)]);
    assert.equal(trusted.code, 0, trusted.stdout + trusted.stderr);
    assert.equal(trusted.findings.get('encryption'), 'ok TLS, and the certificate is that of the server');
  });

  it('looks at several, and fails if one of them is not there', async () => {
    const redis = await RedisServer.start();
    const { code, stdout } = await examined(redis.url, ['--url', 'unix:/nowhere/redis.sock']);
    assert.equal(code, 1);
    assert.match(stdout, /^servers can use it; [^]*^unix:\/nowhere\/redis\.sock\n {2}FAIL {2}connection .*No such file/im);
  });

  it('takes a URL or a configuration that has one, and nothing else', async () => {
    for (const [args, sentence] of [
      [[], /check\? --help says more/],
      [['check'], /which server\? Name it by --url, or by redis\.urls/],
      [['check', 'unix:/a'], /check takes no unix:\/a: --url URL\?/],
      [['check', '--url', 'http://a'], /redis\.urls: /],
      [['check', '--config', configured('[redis]', 'urls = ["redis://a:26379"]', 'sentinel = "chat"')], /those of Sentinels/],
    ]) {
      const { code, stderr } = await runToEnd(['redis', ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, sentence);
    }
    assert.match((await runToEnd(['redis', '--help'])).stdout, /^Usage: roomcast redis check/);
  });
});
