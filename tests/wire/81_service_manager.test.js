// Running under systemd: readiness, reload and stop notifications, the watchdog, and socket activation.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../support/deadline.js';
import { fetchOnce } from '../support/raw_http.js';
import { Server, binary, startServer } from '../support/server.js';
import { ServiceManager, freePort } from '../support/service_manager.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'roomcast-service-'));
const running = [];

/** A service manager, and a server started by it. */
async function startService({ abstract, env = {}, args } = {}) {
  const manager = await ServiceManager.start({ abstract });
  running.push(manager);
  const server = await startServer({ env: { NOTIFY_SOCKET: manager.address, ...env }, args });
  return { manager, server };
}

/** Connects to `port`, requests /healthz and returns the status line. */
function statusLine(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
    });
    let answer = '';
    socket.on('data', (data) => (answer += data)).on('end', () => resolve(answer.split('\r\n')[0])).on('error', reject);
  });
}

describe('under a service manager', () => {
  afterEach(() => running.splice(0).forEach((one) => one.stop()));
  after(() => rmSync(folder, { recursive: true }));

  it('sends READY=1 once it answers, and STOPPING=1 when it is asked to end', async () => {
    const { manager, server } = await startService();
    await manager.expect('READY');
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    assert.deepEqual(manager.with('STOPPING'), []);
    await server.stop();
    assert.equal((await manager.expect('STOPPING')).fields.STOPPING, '1');
    assert.equal(manager.with('READY').length, 1);
  });

  it('finds a notification socket in the abstract namespace', async () => {
    const { manager, server } = await startService({ abstract: true });
    await manager.expect('READY');
    await server.stop();
  });

  it('sends RELOADING=1 with the time on SIGHUP, then READY=1 again', async () => {
    const { manager, server } = await startService();
    await manager.expect('READY');
    const before = process.hrtime.bigint() / 1000n;
    server.reload();
    const { fields } = await manager.expect('RELOADING');
    assert.ok(BigInt(fields.MONOTONIC_USEC) >= before, fields.MONOTONIC_USEC);
    await manager.expect('READY', 2);
    const order = manager.notices.map((notice) => ['RELOADING', 'READY'].find((field) => field in notice.fields)).filter(Boolean);
    assert.deepEqual(order, ['READY', 'RELOADING', 'READY']);
    await server.stop();
  });

  it('is ready again after a reload that failed', async () => {
    const config = path.join(folder, 'roomcast.toml');
    writeFileSync(config, '');
    const { manager, server } = await startService({ args: ['--config', config] });
    await manager.expect('READY');
    writeFileSync(config, 'this is = = not toml');
    server.reload();
    await manager.expect('READY', 2);
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    await server.stop();
  });

  it('notifies the watchdog at half of its interval', async () => {
    const { manager, server } = await startService({ env: { WATCHDOG_USEC: '1000000' } });
    await manager.expect('WATCHDOG', 4);
    const times = manager.with('WATCHDOG').map(({ ms }) => ms);
    const apart = times.slice(1).map((ms, index) => ms - times[index]);
    for (const ms of apart) assert.ok(ms > 250 && ms < 1000, `${apart} ms`);
    await server.stop();
  });

  it('ignores a watchdog that is meant for another process', async () => {
    const { manager, server } = await startService({ env: { WATCHDOG_USEC: '100000', WATCHDOG_PID: '1' } });
    await manager.expect('READY');
    await sleep(300);
    assert.deepEqual(manager.with('WATCHDOG'), []);
    await server.stop();
  });

  it('serves the socket passed to it, and no other', async () => {
    const port = await freePort();
    const manager = await ServiceManager.start();
    running.push(manager);
    const passed = Object.entries({ ...process.env, NOTIFY_SOCKET: manager.address })
      .filter(([name]) => /^(NOTIFY_SOCKET|ASAN_OPTIONS|UBSAN_OPTIONS)$/.test(name))
      .flatMap(([name, value]) => ['-E', `${name}=${value}`]);
    const activate = ['systemd-socket-activate', '-l', `127.0.0.1:${port}`, ...passed, binary, '--set', 'drain_seconds=0'];
    const server = new Server(activate, { urlCount: 1 });
    try {
      await server.waitForLog(/Listening on/);
      // The connection that triggered the start is the first one answered.
      assert.equal(await within(10000, statusLine(port), 'an answer'), 'HTTP/1.1 200 OK');
      await server.waitUntilReady();
      assert.deepEqual(server.urls, [`http://127.0.0.1:${port}`]);
      await manager.expect('READY');
    } finally {
      await server.stop();
    }
  });

  it('ignores sockets that are meant for another process', async () => {
    const server = await startServer({ env: { LISTEN_FDS: '1', LISTEN_PID: '1' } });
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    await server.stop();
  });
});
