// A real redis-server on a port of its own, that can be killed, stopped, filled, and started again with what its files have.

import { execFile, spawn } from 'node:child_process';
import net from 'node:net';
import { promisify } from 'node:util';
import { eventually, patience, sleep, within } from '../support/deadline.js';
import { scratchDirectory } from '../support/scratch.js';

const run = promisify(execFile);
const started = new Set();
process.on('exit', () => started.forEach((child) => child.kill('SIGKILL')));

/** A port that nobody listens on at the moment. */
export async function freePort() {
  const probe = net.createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** What a server keeps on the disk. */
export const keeping = {
  nothing: ['--save', '', '--appendonly', 'no'],
  appendonly: ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'],
  snapshots: ['--save', '3600 1', '--appendonly', 'no'],
};

export class RedisProcess {
  #child;
  #output = '';
  #options;

  /** `options`: of redis-server, or, with `port` where they say that it listens, all that it is started with. */
  static async start(options = keeping.nothing, { port, directory = scratchDirectory() } = {}) {
    const redis = new RedisProcess();
    redis.directory = directory;
    redis.port = port ?? (await freePort());
    const usual = ['--port', `${redis.port}`, '--bind', '127.0.0.1', '--dir', directory, '--enable-debug-command', 'yes', '--repl-diskless-sync-delay', '0'];
    redis.#options = port === undefined ? [...usual, ...options] : options;
    await redis.begin();
    return redis;
  }

  /** Starts it with what its directory has, and waits until it serves. */
  async begin() {
    const child = spawn('redis-server', this.#options, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    started.add(child);
    child.stdout.on('data', (text) => (this.#output += text));
    this.exited = new Promise((resolve) => child.on('close', resolve)).then(() => started.delete(child));
    child.unref();
    child.stdout.unref();
    const failed = this.exited.then(() => {
      throw new Error(`redis-server ended at its start:\n${this.#output.slice(-2000)}`);
    });
    failed.catch(() => {});
    const serves = eventually(async () => (await this.ask('PING').catch(() => '')) === 'PONG', `redis-server on port ${this.port}`);
    await Promise.race([serves, failed]);
  }

  get pid() {
    return this.#child.pid;
  }

  /** What redis-server has logged, over all its runs. */
  get log() {
    return this.#output;
  }

  signal(name) {
    this.#child.kill(name);
  }

  /** kill -9. Its files stay. */
  async kill() {
    this.#child.kill('SIGKILL');
    await within(patience, this.exited, 'the end of a killed redis-server');
  }

  /** kill -9, and started again after `ms`. */
  async awayFor(ms) {
    await this.kill();
    await sleep(ms);
    await this.begin();
  }

  /** Runs a command on a connection of its own; the answer as redis-cli prints it to a pipe. */
  async ask(...words) {
    const { stdout } = await run('redis-cli', ['-h', '127.0.0.1', '-p', `${this.port}`, ...words], { timeout: patience, maxBuffer: 1 << 28 });
    const answer = stdout.replace(/\n$/, '');
    if (/^(ERR|NOAUTH|LOADING|BUSY|MISCONF|READONLY|OOM|NOGOODSLAVE|INPROG)\b/.test(answer)) throw new Error(`redis-cli ${words.join(' ')}: ${answer}`);
    return answer;
  }

  /** A field of INFO. */
  async info(field) {
    const [, value] = new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(await this.ask('INFO')) ?? [];
    return value;
  }
}
