// The output of the log and its amount: standard error that is not read, closed, or the journal; and clients that try to
// fill it.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, readlinkSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { eventually, patience, within } from '../support/deadline.js';
import { HttpConnection, fetchOnce, requestBytes } from '../support/raw_http.js';
import { Server, binary, cleanEnvironment, setFlags, startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'roomcast-log-'));
after(() => rmSync(folder, { recursive: true }));

const refused = 4000;
const long_origin = `http://${'o'.repeat(7000)}.example`;

/** Causes `count` refused requests, each of which is logged. */
async function beRefused(target, count, { connections = 8 } = {}) {
  const share = count / connections;
  const request = requestBytes('POST', '/rooms/x', { headers: { Origin: long_origin }, body: 'x' });
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const connection = await HttpConnection.open(target);
      for (let i = 0; i < share; ++i) {
        await connection.send(request);
        assert.equal((await connection.read()).status, 403);
      }
      connection.close();
    }),
  );
}

const linesOf = (text) => text.split('\n').filter(Boolean);
/** The number of lines in `text`, and of those it reports as dropped. */
function accountOf(text) {
  const lines = linesOf(text);
  const dropped = lines.map((line) => Number(/log lines dropped count=(\d+)$/.exec(line)?.[1] ?? 0)).reduce((a, b) => a + b, 0);
  return { written: lines.filter((line) => line.includes(' origin refused ')).length, dropped };
}

/** A server whose standard error is a pipe that the test reads on demand. */
class PipedServer {
  text = '';

  constructor(set) {
    const fifo = path.join(mkdtempSync(path.join(folder, 'fifo-')), 'log');
    execFileSync('mkfifo', [fifo]);
    this.reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(fifo, constants.O_WRONLY);
    const flags = setFlags({ drain_seconds: 0, ...set });
    this.process = spawn(binary, ['--listen', 'http://127.0.0.1:0', ...flags], { env: cleanEnvironment(), stdio: ['ignore', 'inherit', writer] });
    closeSync(writer);
    this.exited = new Promise((resolve) => this.process.on('exit', (code, signal) => resolve({ code, signal })));
    process.on('exit', () => this.process.kill('SIGKILL'));
  }

  static async start(set) {
    const server = new PipedServer(set);
    server.url = await eventually(() => /listen=(http:[^\s]+)/.exec(server.read())?.[1], 'the ready line');
    return server;
  }

  /** The output so far. */
  read() {
    const bytes = Buffer.alloc(1 << 16);
    for (;;) {
      let got = 0;
      try {
        got = readSync(this.reader, bytes);
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
      }
      if (got === 0) return this.text;
      this.text += bytes.toString('latin1', 0, got);
    }
  }

  metric = Server.prototype.metric;
  metrics = Server.prototype.metrics;

  async stop() {
    this.process.kill('SIGTERM');
    assert.deepEqual(await within(patience, this.exited, 'the end after SIGTERM'), { code: 0, signal: null });
  }

  close() {
    closeSync(this.reader);
  }
}

describe('a log that is not read', { concurrency: 2 }, () => {
  it('a pipe: the server continues to answer, ends on SIGTERM, and keeps what fits', async () => {
    const server = await PipedServer.start({ 'log.lines_per_second': 0 });
    await beRefused(server.url, refused);
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    const dropped = await server.metric('roomcast_log_lines_dropped_total');
    assert.ok(dropped > 0 && dropped < refused, `${dropped} lines`);
    await server.stop();
    const { written } = accountOf(server.read());
    assert.ok(written > 0, 'what was in the pipe is still there');
    server.close();
  });

  it('a pipe that is read again: a line says how many lines were dropped, and the next ones follow', async () => {
    const server = await PipedServer.start({ 'log.lines_per_second': 0 });
    await beRefused(server.url, refused);
    const dropped = await server.metric('roomcast_log_lines_dropped_total');
    await eventually(() => /log lines dropped/.test(server.read()), 'the line that reports it');
    assert.deepEqual(accountOf(server.read()), { written: refused - dropped, dropped });
    await beRefused(server.url, 8);
    await eventually(() => accountOf(server.read()).written === refused - dropped + 8, 'new lines');
    await server.stop();
    assert.match(server.read(), /info {2}stopped\n$/);
    server.close();
  });

  it('a socket, as used by the journal: the same', async () => {
    const server = await startServer({ set: { 'log.lines_per_second': 0 } });
    server.process.stderr.pause();
    await beRefused(server.url, refused);
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
    const dropped = await server.metric('roomcast_log_lines_dropped_total');
    assert.ok(dropped > 0 && dropped < refused, `${dropped} lines`);
    const mark = server.mark();
    server.process.stderr.resume();
    await server.waitForLog(/log lines dropped/, { mark });
    assert.deepEqual(accountOf(server.log()), { written: refused - dropped, dropped });
    await server.stop();
    assert.match(server.log(), /info {2}stopped\n$/);
  });

  it('a pipe without a reader, and a full disk: lines are lost and counted, without other effects', async () => {
    const gone = await PipedServer.start();
    gone.close();
    await beRefused(gone.url, 16);
    assert.equal(await gone.metric('roomcast_log_lines_dropped_total'), 16);
    await gone.stop();

    const socket = `unix:${path.join(folder, 'full.sock')}`;
    const full = new Server(['sh', '-c', 'exec "$0" "$@" 2>/dev/full', binary, '--listen', socket, ...setFlags({ drain_seconds: 0 })], {});
    const dropped = () => Server.prototype.metric.call({ metrics: () => Server.prototype.metrics.call({ url: socket }) }, 'roomcast_log_lines_dropped_total');
    const before = await eventually(() => dropped().catch(() => undefined), 'an answer');
    await beRefused(socket, 16);
    assert.equal(await dropped(), before + 16);
    await full.stop();
  });
});

describe('a fatal error', () => {
  it('ends the process at once even if the log is not read', async () => {
    const fifo = path.join(folder, 'full');
    execFileSync('mkfifo', [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    assert.throws(() => { for (;;) writeSync(writer, Buffer.alloc(4096)); }, { code: 'EAGAIN' });
    const blocking = openSync(fifo, constants.O_WRONLY);
    const child = spawn(binary, ['--set', 'no.such=1'], { env: cleanEnvironment(), stdio: ['ignore', 'ignore', blocking] });
    try {
      assert.deepEqual(await within(patience, once(child, 'exit'), 'the end'), [2, null]);
    } finally {
      child.kill('SIGKILL');
      for (const fd of [reader, writer, blocking]) closeSync(fd);
    }
  });
});

describe('clients and the log', { concurrency: 4 }, () => {
  for (const format of ['text', 'json']) {
    it(`values from clients are shortened and appear once: ${format}`, async () => {
      const server = await startServer({ set: { 'log.format': format } });
      const mark = server.mark();
      await beRefused(server.url, 8);
      await server.stop();
      const lines = linesOf(server.log(mark)).filter((line) => line.includes('origin refused'));
      assert.equal(lines.length, 8);
      for (const line of lines) {
        assert.ok(line.length < 600, line);
        assert.equal(line.split('http://ooo').length - 1, 1, line);
        assert.match(line, /\.\.\.\(6815 bytes cut\)/);
        assert.match(line, /config key origins/);
      }
    });
  }

  it('values from the configuration are not: many listeners', async () => {
    const listen = Array.from({ length: 40 }, (_, i) => `unix:${path.join(folder, `listener-${i}.sock`)}`);
    const server = await startServer({ listen });
    assert.equal(server.urls.length, 40);
    await server.stop();
  });

  it('one kind of line is limited per second, and a line reports how many more there were', async () => {
    const server = await startServer();
    const mark = server.mark();
    await beRefused(server.url, 1000);
    const account = () => {
      const lines = linesOf(server.log(mark));
      const suppressed = lines.map((line) => Number(/ warn {2}log lines suppressed cause="origin refused" count=(\d+) limit=log\.lines_per_second$/.exec(line)?.[1] ?? 0));
      return { written: lines.filter((line) => line.includes(' origin refused ')).length, suppressed: suppressed.reduce((a, b) => a + b, 0) };
    };
    await eventually(() => account().written + account().suppressed === 1000, `the summary; ${server.log(mark).slice(-500)}`);
    assert.ok(account().suppressed > 0, 'some were left out');
    assert.equal(await server.metric('roomcast_log_lines_dropped_total'), 0);
    await server.stop();
    for (const line of ['stopping', 'draining', 'stopped']) assert.match(server.log(mark), new RegExp(`info  ${line}`));
  });

  it('log.lines_per_second changes by a reload', async () => {
    const config = path.join(folder, 'roomcast.toml');
    writeFileSync(config, '[log]\nlines_per_second = 1\n');
    const server = await startServer({ args: ['--config', config] });
    await beRefused(server.url, 80);
    await server.waitForLog(/log lines suppressed cause="origin refused"/);
    assert.ok(accountOf(server.log()).written < 80);
    writeFileSync(config, '[log]\nlines_per_second = 0\n');
    server.reload();
    await server.waitForLog(/ reloaded/);
    const mark = server.mark();
    await beRefused(server.url, 80);
    await server.stop();
    assert.equal(accountOf(server.log(mark)).written, 80);
  });

  it('log.lines_per_second=0 is no limit', async () => {
    const server = await startServer({ set: { 'log.lines_per_second': 0 } });
    const mark = server.mark();
    await beRefused(server.url, 1000);
    await server.stop();
    assert.equal(accountOf(server.log(mark)).written, 1000);
  });
});

describe('started with standard descriptors closed', { concurrency: 4 }, () => {
  for (const closed of ['2>&-', '0<&-', '1>&-', '0<&- 1>&- 2>&-']) {
    it(`${closed}: it serves, and ends on SIGTERM`, async () => {
      const socket = path.join(folder, `closed-${closed.replace(/\W/g, '_')}.sock`);
      const set = setFlags({ drain_seconds: 0, 'log.level': 'debug' });
      const server = new Server(['sh', '-c', `exec "$0" "$@" ${closed}`, binary, '--listen', `unix:${socket}`, ...set], {});
      const response = await eventually(() => fetchOnce(`unix:${socket}`, 'GET', '/healthz').catch(() => undefined), 'an answer');
      assert.equal(response.status, 200);
      for (const fd of closed.match(/\d/g)) assert.equal(readlinkSync(`/proc/${server.pid}/fd/${fd}`), '/dev/null');
      await beRefused(`unix:${socket}`, 8);
      await server.stop();
    });
  }
});

describe('under the journal', { concurrency: 2 }, () => {
  // As set by systemd: the variable names the device and inode of standard error.
  const wrap = ['sh', '-c', 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$0" "$@"'];

  it('lines begin with their priority, and have no timestamp', async () => {
    const server = await startServer({ wrap });
    await beRefused(server.url, 8);
    await server.stop();
    const lines = linesOf(server.log());
    assert.ok(lines.some((line) => /^<6>info {2}ready /.test(line)));
    assert.equal(lines.filter((line) => /^<4>warn {2}origin refused /.test(line)).length, 8);
    for (const line of lines) assert.match(line, /^<[3467]>(debug|info|warn|error) /);
  });

  it('JSON stays JSON after the priority', async () => {
    const server = await startServer({ wrap, set: { 'log.format': 'json' } });
    await beRefused(server.url, 8);
    await server.stop();
    const levels = linesOf(server.log()).map((line) => [line.slice(0, 3), JSON.parse(line.slice(3)).level]);
    assert.ok(levels.length > 8);
    for (const [prefix, level] of levels) assert.equal(prefix, { info: '<6>', warn: '<4>' }[level]);
  });

  it('a variable that names another stream changes nothing', async () => {
    const server = await startServer({ env: { JOURNAL_STREAM: '1:2' } });
    await server.stop();
    for (const line of linesOf(server.log())) assert.match(line, /^\d{4}-\d\d-\d\dT[0-9:.]+Z (info|warn) /);
  });
});

describe('the line of a closed connection', { concurrency: 4 }, () => {
  it('names the room also when the server closes, although membership ends first', async () => {
    const server = await startServer({ set: { 'log.format': 'json' } });
    const client = await connect(server.url, { path: '/rooms/r?name=ada' });
    await Promise.all([client.expectClose(1012), server.stop()]);
    client.destroy();
    const line = JSON.parse(linesOf(server.log()).find((one) => one.includes('connection closed')));
    assert.deepEqual([line.room, line.name, line.reason], ['r', 'ada', 'server_shutdown']);
  });

  const headersOf = { sse: { Accept: 'text/event-stream' }, stream: { Accept: 'application/x-ndjson' } };
  const json = { 'Sec-WebSocket-Protocol': 'roomcast.v1' };
  const readers = {
    'websocket, raw': [{ path: '/rooms/a%20b' }, { transport: 'websocket', dialect: 'raw', room: 'a b' }],
    'websocket, raw, with a name': [{ path: '/rooms/r?name=ada' }, { transport: 'websocket', dialect: 'raw', room: 'r', name: 'ada' }],
    'websocket, roomcast.v1': [{ path: '/rooms/r?name=ada', headers: json }, { transport: 'websocket', dialect: 'json', room: 'r', name: 'ada' }],
    'websocket without a room': [{ path: '/connect', headers: json }, { transport: 'websocket', dialect: 'json' }],
    echo: [{ path: '/echo' }, { transport: 'websocket', dialect: 'echo' }],
    EventSource: [{ stream: 'sse', path: '/rooms/r?name=bob' }, { transport: 'sse', dialect: 'raw', room: 'r', name: 'bob' }],
    NDJSON: [{ stream: 'stream', path: '/rooms/r' }, { transport: 'stream', dialect: 'json', room: 'r' }],
  };
  for (const [name, [request, expected]] of Object.entries(readers)) {
    it(name, async () => {
      const server = await startServer({ set: { 'log.format': 'json' } });
      const mark = server.mark();
      if (request.stream) {
        const connection = await HttpConnection.open(server.url);
        await connection.send(requestBytes('GET', request.path, { headers: headersOf[request.stream] }));
        await connection.socket.through('\r\n\r\n', 'the head');
        connection.close();
      } else {
        (await connect(server.url, request)).destroy();
      }
      await server.waitForLog(/connection closed/, { mark });
      const line = JSON.parse(linesOf(server.log(mark)).find((one) => one.includes('connection closed')));
      const { transport, dialect, room, name: called } = line;
      assert.deepEqual(JSON.parse(JSON.stringify({ transport, dialect, room, name: called })), expected);
      await server.stop();
    });
  }
});
