// Real Redis servers, each on a Unix socket in a directory of its own. They keep nothing on the disk, and end with the process.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { eventually, patience, within } from './deadline.js';
import { scratchDirectory } from './scratch.js';

const run = promisify(execFile);
const is_installed = (process.env.PATH ?? '').split(':').some((directory) => fs.existsSync(path.join(directory, 'redis-server')));
if (!is_installed && process.env.CI === 'true') throw new Error('redis-server is not installed');
if (!is_installed) process.stderr.write('SKIPPED: redis-server is not installed\n');

/** For the option `skip` of tests: why they cannot run here, or false. In CI its absence is an error instead. */
export const without_redis = is_installed ? false : 'redis-server is not installed';

const running = new Set();
process.on('exit', () => {
  for (const one of running) one.kill('SIGKILL');
});

/** A port of 127.0.0.1 that is free now, for servers that can't be given 0. */
export const freePort = () => new Promise((resolve, reject) => {
  const probe = net.createServer().once('error', reject).listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

/** Whether something takes connections at the address, as of `net.connect`. */
const answers = (address) => new Promise((resolve) => {
  const socket = net.connect(address).once('connect', () => resolve(true)).once('error', () => resolve(false));
  socket.once('connect', () => socket.destroy());
});

export class RedisServer {
  #process;

  /** Starts it with further `options`, such as `['--requirepass', 'x']`. */
  static async start({ options = [], directory = scratchDirectory(), first = [] } = {}) {
    const server = new RedisServer(directory, options, first);
    await server.begin();
    return server;
  }

  /** A Sentinel at a port of its own, alone, that watches over the primary `name` at `port`. */
  static async sentinel({ name, port, options = [] }) {
    const directory = scratchDirectory({ 'sentinel.conf': `sentinel monitor ${name} 127.0.0.1 ${port} 1\n` });
    const own = await freePort();
    const server = await RedisServer.start({ directory, options: ['--port', `${own}`, ...options], first: [path.join(directory, 'sentinel.conf'), '--sentinel'] });
    server.url = `redis://127.0.0.1:${own}`;
    return server;
  }

  constructor(directory, options = [], first = []) {
    this.directory = directory;
    this.path = path.join(directory, 'redis.sock');
    this.url = `unix:${this.path}`;
    this.options = options;
    this.first = first;
  }

  /** Begins, or begins again with nothing in it after `stop`. */
  async begin() {
    const words = ['--port', '0', '--unixsocket', this.path, '--dir', this.directory];
    const keeps_nothing = this.first.length > 0 ? [] : ['--save', '', '--appendonly', 'no'];
    this.#process = spawn('redis-server', [...this.first, ...words, ...keeps_nothing, ...this.options], { stdio: ['ignore', 'ignore', 'inherit'] });
    this.exited = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.unref();
    running.add(this.#process);
    // There is no event for it.
    await eventually(() => answers(this.path), 'a Redis server that takes connections');
  }

  /** Ends it at once. What it had is lost. */
  async stop() {
    this.#process.kill('SIGKILL');
    await within(patience, this.exited, 'the end of the Redis server');
    running.delete(this.#process);
    fs.rmSync(this.path, { force: true });
  }

  /** It answers nothing any more, and keeps its connections. */
  freeze() {
    this.#process.kill('SIGSTOP');
  }

  thaw() {
    this.#process.kill('SIGCONT');
  }

  /** What redis-cli prints for the command. */
  async ask(...words) {
    const { stdout } = await run('redis-cli', ['-s', this.path, ...words], { timeout: patience });
    assert.ok(!/^(ERR|WRONG|NO)/.test(stdout), stdout);
    return stdout.trimEnd();
  }
}
