// The scenarios of roomcast-bench against servers that fail during a run, and over several processes: faults are counted,
// and a run ends when no more can arrive.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { patience, within } from '../support/deadline.js';
import { binary, cleanEnvironment } from '../support/server.js';

const tool = path.join(path.dirname(binary), 'roomcast-bench');

/** Runs a command to its end: `{code, stdout, stderr}`. */
async function run(command, ...args) {
  const child = spawn(command, args.map(String), { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => (output.stdout += data));
  child.stderr.on('data', (data) => (output.stderr += data));
  try {
    const [code] = await within(4 * patience, once(child, 'close'), `the end of ${args.join(' ')}`);
    return { code, ...output };
  } finally {
    child.kill('SIGKILL');
  }
}

/** A scenario against `server`, which must find faults: its result. */
async function faulty(server, scenario, ...options) {
  const end = await run(tool, scenario, '--url', server.url, '--json', ...options);
  server.close();
  assert.equal(end.code, 1, end.stderr + end.stdout);
  return JSON.parse(end.stdout).runs[0];
}

/**
 * Rooms and /echo using the package `ws`. `spoil(message, n, server)` returns what is forwarded for the n-th message to all
 * members of its room.
 */
async function roomServer(spoil) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  let n = 0;
  const close = () => server.clients.forEach((client) => client.terminate()) ?? server.close();
  const hears = (client, sender) => (sender.room === '/echo' ? client === sender : client.room === sender.room);
  server.on('connection', (socket, { url }) => {
    socket.room = url;
    socket.on('message', (data) => {
      for (const one of spoil(data.toString(), n++, close)) {
        for (const client of server.clients) if (hears(client, socket)) client.send(one);
      }
    });
  });
  await once(server, 'listening');
  return { url: `ws://127.0.0.1:${server.address().port}`, close };
}

const dropping = (at) => (message, n) => (n === at ? [] : [message]);
const dying = (at) => (message, n, die) => (n === at ? (die(), []) : [message]);

test('connect: a connection whose Close frame is not answered counts as cut', async () => {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (head) => {
      const key = /sec-websocket-key: *(\S+)/i.exec(head.toString('latin1'))[1];
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      socket.once('data', () => socket.end());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${server.address().port}`;
  const result = await faulty({ url, close: () => server.close() }, 'connect', '--connections', 20);
  assert.equal(result.refused, 20);
});

test('idle: a message that is not delivered is missing for each connection', async () => {
  const result = await faulty(await roomServer(dropping(0)), 'idle', '--connections', 40, '--give-up', 2);
  assert.equal(result.operations, 0);
  assert.equal(result.expected, 40);
  assert.equal(result.lost, 40);
});

test('echo: a round trip without a response is lost', async () => {
  const options = ['--clients', 5, '--round-trips', 200, '--give-up', 2];
  const result = await faulty(await roomServer(dropping(100)), 'echo', ...options);
  assert.equal(result.lost, 1);
  assert.equal(result.refused, 0);
});

test('slow: a dropped message is lost for each reading client', async () => {
  const options = ['--subscribers', 20, '--slow-percent', 10, '--messages', 10, '--interval-us', 1000, '--give-up', 2];
  const result = await faulty(await roomServer(dropping(19)), 'slow', ...options);
  assert.equal(result.lost, 18);
  assert.equal(result.expected, 180);
});

test('fair: a dropped message is lost for each subscriber', async () => {
  let left = 1;
  const drop = (message, n) => (n > 60 && message.length === 100 && left-- > 0 ? [] : [message]);
  const result = await faulty(await roomServer(drop), 'fair', '--subscribers', 20, '--seconds', 1, '--bytes', 100);
  assert.equal(result.lost, 20);
});

test('a server that crashes ends the run, and each of its clients is counted as cut', async () => {
  const scenarios = {
    echo: [['--clients', 5, '--round-trips', 1000], 5],
    slow: [['--subscribers', 20, '--slow-percent', 10, '--messages', 40, '--interval-us', 1000], 21],
    fair: [['--subscribers', 20, '--seconds', 2], 20 + 1 + 2],
  };
  for (const [scenario, [options, clients]] of Object.entries(scenarios)) {
    const result = await faulty(await roomServer(dying(30)), scenario, ...options);
    assert.ok(result.refused >= clients, `${scenario}: ${result.refused}`);
    assert.ok(result.operations < result.expected || result.lost > 0, scenario);
  }
});

test('more clients than descriptors are refused, and the limit is named', async () => {
  const end = await run('sh', '-c', 'ulimit -n 500; exec "$0" storm --server floor --clients 1000', tool);
  assert.equal(end.code, 1);
  assert.match(end.stderr, /RLIMIT_NOFILE/);
});

test('million: uses as many processes as the descriptor limit requires, each connected and delivered to', async () => {
  const command = 'ulimit -n 900; exec "$0" million --roomcast "$1" --connections 2000 --json';
  const end = await run('sh', '-c', command, tool, binary);
  assert.equal(end.code, 0, end.stderr + end.stdout);
  const [result] = JSON.parse(end.stdout).runs;
  assert.equal(result.operations, 2000);
  assert.equal(result.alive, 2000);
  assert.equal(result.processes, 3);
  assert.equal(result.refused, 0);
  assert.ok(result.server_bytes > 0 && result.kernel_bytes > 0);
});
