// Start, reload and signals in unusual environments: variables set by other software, empty values, a configuration that
// can be read only once, signals that mean something else to other programs.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { eventually, patience, within } from '../support/deadline.js';
import { fetchOnce } from '../support/raw_http.js';
import { makeCertificate, scratchDirectory, tomlFilesIn } from '../support/scratch.js';
import { binary, cleanEnvironment, runToEnd, startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

const directory = scratchDirectory();
const toml = tomlFilesIn(directory);

/** The variables that Kubernetes sets for a Service with a named port and one over UDP. */
const service_variables = (prefix) => ({
  [`${prefix}_SERVICE_HOST`]: '10.96.0.7',
  [`${prefix}_SERVICE_PORT`]: '8080',
  [`${prefix}_SERVICE_PORT_HTTP`]: '8080',
  [`${prefix}_PORT`]: 'tcp://10.96.0.7:8080',
  [`${prefix}_PORT_8080_TCP`]: 'tcp://10.96.0.7:8080',
  [`${prefix}_PORT_8080_TCP_PROTO`]: 'tcp',
  [`${prefix}_PORT_8080_TCP_PORT`]: '8080',
  [`${prefix}_PORT_8080_TCP_ADDR`]: '10.96.0.7',
  [`${prefix}_PORT_53_UDP`]: 'udp://10.96.0.7:53',
  [`${prefix}_PORT_53_UDP_PROTO`]: 'udp',
});

describe('the environment', { concurrency: 2 }, () => {
  for (const prefix of ['ROOMCAST', 'ROOMCAST_ADMIN', 'ROOMCAST_LISTEN']) {
    it(`the variables of a Kubernetes Service, ${prefix}_*, are ignored with a hint`, async () => {
      const env = service_variables(prefix);
      const server = await startServer({ env });
      assert.match(server.log(), new RegExp(`${prefix}_\\w+ and ${Object.keys(env).length - 1} more.*Kubernetes.*enableServiceLinks`));
      await server.stop();
      const { code, stderr } = await runToEnd(['--check-config'], { env });
      assert.equal(code, 0, stderr);
      assert.match(stderr, /enableServiceLinks/);
    });
  }

  for (const [name, value] of [['ROOMCAST_PORT', '8080'], ['ROOMCAST_HOST', '0.0.0.0'], ['ROOMCAST_PORT_HTTP', '8080'], ['ROOMCAST_SERVICE', 'x'], ['ROOMCAST_PORT_8080', '8080'], ['ROOMCAST_PORT_X_TCP', '1']]) {
    it(`${name}=${value} can only be meant for roomcast, and is a mistake`, async () => {
      const { code, stderr } = await runToEnd(['--check-config'], { env: { [name]: value } });
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`environment ${name}:`));
    });
  }
});

describe('empty values', { concurrency: 2 }, () => {
  const nothing_to_listen_on = {
    'ROOMCAST_LISTEN=': [[], { ROOMCAST_LISTEN: '' }],
    'ROOMCAST_LISTEN of blanks': [[], { ROOMCAST_LISTEN: ' ' }],
    'ROOMCAST_LISTEN of a comma': [[], { ROOMCAST_LISTEN: ',' }],
    'listen = []': [['--config', toml('listen = []\n')], {}],
    'listen = [""]': [['--config', toml('listen = [""]\n')], {}],
    '--set listen=': [['--set', 'listen='], {}],
    '--listen=': [['--listen='], {}],
    'listen = [] beside admin_listen': [['--config', toml('listen = []\nadmin_listen = ["127.0.0.1:0"]\n')], {}],
  };
  for (const [name, [args, env]] of Object.entries(nothing_to_listen_on)) {
    it(`${name} is refused`, async () => {
      for (const more of [[], ['--check-config'], ['--print-config']]) {
        const { code, stderr } = await runToEnd([...args, ...more], { env });
        assert.equal(code, 2, `${more}: ${stderr}`);
        assert.match(stderr, /listen/);
      }
    });
  }

  it('every setting either accepts an empty value and starts, or refuses it by name', async () => {
    const { stdout } = await runToEnd(['--print-reference', 'markdown']);
    const keys = [...stdout.matchAll(/^\| `([a-z_.]+)`/gm)].map(([, key]) => key);
    assert.ok(keys.length > 30);
    // Settings whose default is empty, which means "none" or "built-in".
    const may_be_empty = ['admin_listen', 'origins', 'trusted_proxies', 'tls.certificate', 'tls.key', 'web.root'];
    for (const key of keys) {
      const { code, stderr } = await runToEnd(['--check-config', '--set', `${key}=`]);
      if (code === 0) assert.match(stdout, new RegExp(`\`${key.replace('.', '\\.')}\` \\| \`(\\[\\]|"")\``), `${key}: empty is not its default`);
      else assert.match(stderr, new RegExp(key.replace('.', '\\.')), key);
      if (may_be_empty.includes(key)) assert.equal(code, 0, stderr);
    }
  });

  it('an empty variable for a list that may be empty is an empty list', async () => {
    const server = await startServer({ env: { ROOMCAST_ORIGINS: '', ROOMCAST_TRUSTED_PROXIES: '', ROOMCAST_WEB_ROOT: '' } });
    await server.stop();
  });
});

describe('a configuration that can be read only once', { concurrency: 2 }, () => {
  /** Starts `shell`, a bash command that runs the program with 127.0.0.1:0, and waits until it is ready. */
  const startIn = (shell, extra = []) => startServer({ wrap: ['bash', '-c', shell, 'bash'], args: extra });

  /** A reload while one message is too large for the file's limit: afterwards it still is, and the refusal says so. */
  async function keepsItsSettings(server) {
    for (let i = 0; i < 2; i += 1) {
      const mark = server.mark();
      server.reload();
      await server.waitForLog(/settings stay as they were/, { mark });
      await server.waitForLog(/\breloaded$/, { mark });
      const client = await connect(server.url);
      await client.text('12345678');
      await client.expectClose(1009);
    }
    await server.stop();
  }
  const limit = '[limits]\nmessage_bytes = 7\n';

  it('a process substitution', async () => {
    await keepsItsSettings(await startIn(`exec "$@" --config <(printf '[limits]\\nmessage_bytes = 7\\n')`));
  });
  it('standard input that is a pipe', async () => {
    const file = toml(limit);
    await keepsItsSettings(await startIn(`exec "$@" --config /dev/stdin < <(cat ${file})`));
  });
  it('a FIFO', async () => {
    const fifo = path.join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    await keepsItsSettings(await startIn(`printf '[limits]\\nmessage_bytes = 7\\n' > ${fifo} & exec "$@" --config ${fifo}`));
  });

  it('standard input that is a socket, as passed by another program', async () => {
    const child = spawn(binary, ['--listen', '127.0.0.1:0', '--config', '/dev/stdin'], { env: cleanEnvironment(), stdio: ['pipe', 'inherit', 'pipe'] });
    let log = '';
    let look = () => {};
    child.stderr.on('data', (data) => look((log += data)));
    const logged = (pattern) => within(patience, new Promise((resolve) => (look = () => pattern.test(log) && resolve())), `${pattern}`);
    const ready = logged(/\bready\b/);
    child.stdin.end(limit);
    await ready;
    const reloaded = logged(/settings stay as they were[^]*\breloaded$/m);
    child.kill('SIGHUP');
    await reloaded;
    assert.doesNotMatch(log, /setting changed/);
    child.kill('SIGTERM');
    await within(patience, once(child, 'close'), 'the end');
  });

  it('standard input that is a file is read again', async () => {
    const file = toml(limit);
    const server = await startIn(`exec "$@" --config /dev/stdin < ${file}`);
    fs.writeFileSync(file, '[limits]\nmessage_bytes = 9\n');
    server.reload();
    await server.waitForLog(/message_bytes.*after=9/);
    await server.stop();
  });

  it('a file replaced by a FIFO: the reload is refused, and nothing blocks', async () => {
    const file = toml(limit);
    const server = await startServer({ args: ['--config', file] });
    fs.rmSync(file);
    execFileSync('mkfifo', [file]);
    server.reload();
    await server.waitForLog(/reload refused.*not a regular file/);
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    await server.stop();
  });

  for (const which of ['certificate', 'key']) {
    it(`a ${which} that is a FIFO is refused at once, at the start and at a reload`, async () => {
      const pair = makeCertificate(directory, `fifo-${which}.example`);
      const config = toml(`[tls]\ncertificate = "${pair.certificate}"\nkey = "${pair.key}"\n`);
      const server = await startServer({ args: ['--config', config] });
      fs.rmSync(pair[which]);
      execFileSync('mkfifo', [pair[which]]);
      const { code, stderr } = await runToEnd(['--check-config', '--config', config]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /not a regular file/);
      server.reload();
      await server.waitForLog(/reload refused.*not a regular file/);
      assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
      await server.stop();
    });
  }
});

describe('a refused reload', () => {
  it('shows in the metrics until one succeeds', async () => {
    const file = toml('[limits]\nfragments = 5\n');
    const server = await startServer({ args: ['--config', file] });
    const shown = async () => [await server.metric('roomcast_last_reload_successful'), await server.metric('roomcast_reloads_total', /refused/), await server.metric('roomcast_reloads_total', /ok/)];
    assert.deepEqual(await shown(), [1, 0, 0]);
    fs.writeFileSync(file, '[limits]\nfragments = "x"\n');
    server.reload();
    await server.waitForLog(/reload refused/);
    assert.deepEqual(await shown(), [0, 1, 0]);
    fs.writeFileSync(file, '[limits]\nfragments = 6\n');
    server.reload();
    await server.waitForLog(/\breloaded$/);
    assert.deepEqual(await shown(), [1, 1, 1]);
    await server.stop();
  });
});

describe('signals with other meanings', { concurrency: 2 }, () => {
  for (const signal of ['SIGUSR1', 'SIGUSR2']) {
    it(`${signal} does not affect clients, and the log names the supported signals`, async () => {
      const server = await startServer();
      const client = await connect(server.url);
      server.process.kill(signal);
      await server.waitForLog(/SIGHUP reloads, SIGTERM/);
      await client.text('still here');
      await client.expectText('still here');
      await client.close();
      await server.stop();
    });
  }

  for (const signal of ['SIGHUP', 'SIGUSR1']) {
    it(`${signal} during the start does not end it`, async () => {
      // The configuration is a FIFO, so that the start blocks for as long as the test needs.
      const fifo = path.join(directory, `start-${signal}`);
      execFileSync('mkfifo', [fifo]);
      const child = spawn(binary, ['--listen', '127.0.0.1:0', '--config', fifo], { env: cleanEnvironment(), stdio: ['ignore', 'inherit', 'pipe'] });
      const ready = new Promise((resolve, reject) => {
        let log = '';
        child.stderr.on('data', (data) => /ready/.test((log += data)) && resolve());
        child.on('close', (code, by) => reject(new Error(`ended: ${code ?? by}\n${log}`)));
      });
      ready.catch(() => {});
      const facts = (name) => fs.readFileSync(`/proc/${child.pid}/${name}`, 'utf8');
      // In open(2) of the FIFO, after everything before it.
      await eventually(() => /roomcast/.test(fs.readlinkSync(`/proc/${child.pid}/exe`)) && /^State:\s*S/m.test(facts('status')), 'the start to wait', patience);
      child.kill(signal);
      const written = spawn('bash', ['-c', `printf '[limits]\\nfragments = 5\\n' > ${fifo}`]);
      await once(written, 'close');
      await within(patience, ready, 'a start');
      child.kill('SIGTERM');
      await within(patience, once(child, 'close'), 'the end');
    });
  }
});
