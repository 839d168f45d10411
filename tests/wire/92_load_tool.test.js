// roomcast-bench against the real program, and against servers that lose, repeat or refuse: a tool that cannot find faults
// measures nothing.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { seconds, within } from '../support/deadline.js';
import { binary, cleanEnvironment, startServer } from '../support/server.js';

const tool = path.join(path.dirname(binary), 'roomcast-bench');

/** Runs the tool to its end: `{code, stdout, stderr}`. */
async function bench(...args) {
  const child = spawn(tool, args.map(String), { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => (output.stdout += data));
  child.stderr.on('data', (data) => (output.stderr += data));
  try {
    const [code] = await within(seconds(120), once(child, 'close'), `the end of roomcast-bench ${args.join(' ')}`);
    return { code, ...output };
  } finally {
    child.kill('SIGKILL');
  }
}

/** One run with --json: its result, after exit code `code`. */
async function run(code, ...args) {
  const end = await bench(...args, '--json');
  assert.equal(end.code, code, end.stderr + end.stdout);
  const [result] = JSON.parse(end.stdout).runs;
  return result;
}

const whole = { lost: 0, repeated: 0, strange: 0, refused: 0 };

function assertWhole(result, operations) {
  const { lost, repeated, strange, refused } = result;
  assert.deepEqual({ lost, repeated, strange, refused }, whole);
  assert.equal(result.operations, operations);
  assert.equal(result.expected, operations);
}

describe('against roomcast', () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server.stop());
  const local = () => ['--url', server.url.replace('http', 'ws'), '--pid', server.pid];

  const small = ['--subscribers', 60, '--rooms', 3, '--messages', 20];
  const ways = {
    'raw WebSocket': [],
    'roomcast.v1': ['--dialect', 'json'],
    'permessage-deflate': ['--deflate', '--bytes', 1024],
    EventSource: ['--way', 'sse'],
    NDJSON: ['--way', 'ndjson'],
    'long poll': ['--way', 'poll'],
  };
  for (const [name, options] of Object.entries(ways)) {
    test(`fanout over ${name}: every delivery is counted, at a fixed rate and saturated`, async () => {
      for (const pace of [['--interval-us', 1000], ['--interval-us', 0, '--window', 8]]) {
        const result = await run(0, 'fanout', ...local(), ...small, ...options, ...pace);
        assertWhole(result, 60 * 20);
        assert.ok(result.server_cpu_ns_each > 0);
        assert.ok(result.latency_p99_ms > 0);
      }
    });
  }

  test('fanout: several publishers of a room are distinguished', async () => {
    const result = await run(0, 'fanout', ...local(), '--subscribers', 30, '--publishers', 4, '--messages', 25, '--interval-us', 0);
    assertWhole(result, 30 * 4 * 25);
  });

  test('idle, connect and echo', async () => {
    const idle = await run(0, 'idle', ...local(), '--connections', 300);
    assertWhole(idle, 300);
    assert.ok(idle.server_bytes > 0);
    for (const end of ['close', 'fin'])
      for (const rooms of [0, 1, 3])
        assertWhole(await run(0, 'connect', ...local(), '--connections', 200, '--at-once', 8, '--rooms', rooms, '--end', end), 200);
    assertWhole(await run(0, 'echo', ...local(), '--clients', 10, '--round-trips', 1000), 1000);
  });

  test('storm, slow and fair', async () => {
    assertWhole(await run(0, 'storm', ...local(), '--clients', 300), 300);
    const slow = await run(0, 'slow', ...local(), '--subscribers', 50, '--slow-percent', 10, '--messages', 20, '--interval-us', 2000);
    assertWhole(slow, 45 * 20);
    const fair = await run(0, 'fair', ...local(), '--subscribers', 200, '--seconds', 1);
    assert.ok(fair.operations > 0 && fair.pings_answered > 0 && fair.connects > 0);
    assert.equal(fair.lost, 0);
  });
});

test('a server is started, over TLS too, and ended afterwards', async () => {
  for (const options of [[], ['--tls'], ['--server', 'floor'], ['--server', 'floor-join', '--interval-us', 0]]) {
    const result = await run(0, 'fanout', '--roomcast', binary, '--subscribers', 20, '--messages', 10, ...options);
    assertWhole(result, 200);
  }
});

// Compared with the floor, in a few seconds.
const quick = '1,000 subscribers, 64 B, fixed rate';

test('the matrix: a row is measured beside its floor', async () => {
  const end = await bench('matrix', '--roomcast', binary, '--rounds', 1, '--only', quick, '--json');
  assert.equal(end.code, 0, end.stderr);
  const { rows } = JSON.parse(end.stdout);
  assert.equal(rows[0].base, 'send');
  assert.ok(rows[0].ratio > 0);
  assert.equal(rows[0].rounds.floor.length, 1);
});

test('the matrix: one daemon is compared with another, without other servers', async () => {
  const end = await bench('matrix', '--roomcast', binary, '--before', binary, '--rounds', 2, '--only', quick, '--json');
  assert.equal(end.code, 0, end.stderr);
  const { rows } = JSON.parse(end.stdout);
  assert.equal(rows[0].base, 'before');
  assert.ok(rows[0].ratio > 0);
  assert.deepEqual(Object.keys(rows[0].rounds), ['roomcast']);
  assert.equal(rows[0].rounds.roomcast.length, 2);
});

describe('faults are detected', () => {
  /** A room server using the package `ws`; `spoil(message, n)` returns what is forwarded for the n-th message. */
  async function spoilt(spoil) {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    let n = 0;
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        for (const one of spoil(data.toString(), n++)) for (const client of server.clients) client.send(one);
      });
    });
    await once(server, 'listening');
    return { url: `ws://127.0.0.1:${server.address().port}`, close: () => server.clients.forEach((c) => c.terminate()) ?? server.close() };
  }

  const saturating = ['--subscribers', 5, '--messages', 50, '--interval-us', 0, '--window', 50, '--give-up', 2];
  const faults = {
    lost: (message, n) => (n === 20 ? [] : [message]),
    repeated: (message, n) => (n === 20 ? [message, message] : [message]),
    strange: (message, n) => (n === 20 ? [message, 'what is this?'] : [message]),
  };
  for (const [fault, spoil] of Object.entries(faults)) {
    test(`a message that is ${fault} is counted for each subscriber, and the exit code is 1`, async () => {
      const server = await spoilt(spoil);
      const result = await run(1, 'fanout', '--url', server.url, ...saturating);
      assert.equal(result[fault], 5);
      server.close();
    });
  }

  test('two messages in the wrong order', async () => {
    let kept;
    const server = await spoilt((message, n) => (n === 20 ? ((kept = message), []) : n === 21 ? [message, kept] : [message]));
    const result = await run(1, 'fanout', '--url', server.url, ...saturating);
    assert.ok(result.repeated > 0 || result.lost > 0);
    server.close();
  });

  test('a server that accepts no client', async () => {
    const end = await bench('fanout', '--url', 'ws://127.0.0.1:1', '--subscribers', 5, '--give-up', 2);
    assert.equal(end.code, 1);
  });
});

test('invalid options: exit code 2, and a sentence that names the option', async () => {
  const refused = {
    'fanout --bytes 59': /--bytes takes a number from 60 to 60000, not "59"/,
    'echo --rooms 2': /echo does not take --rooms/,
    'fanout --url ws://192.0.2.1:80': /192\.0\.2\.1 is not this machine.*--allow-remote/,
    'matrix --only nothing-of-the-kind': /no row's name contains "nothing-of-the-kind"/,
  };
  for (const [line, message] of Object.entries(refused)) {
    const end = await bench(...line.split(' '));
    assert.equal(end.code, 2, line);
    assert.match(end.stderr, message);
  }
});

test('--help and --version', async () => {
  assert.match((await bench('--help')).stdout, /Usage: roomcast-bench SCENARIO/);
  assert.match((await bench('--version')).stdout, /^roomcast-bench \d+\.\d+\.\d+$/m);
});
