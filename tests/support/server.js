// Starts the real program and monitors it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, patience, within } from './deadline.js';
import { fetchOnce } from './raw_http.js';
import { scratchDirectory } from './scratch.js';

export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
/** `./dev test durable`: servers keep their history in a store, each in one of its own unless a test says where. */
export const is_durable = process.env.ROOMCAST_DURABLE !== undefined;
/** ROOMCAST_REDIS=1: servers order their messages over a Redis server of the test's, and share no rooms unless a test says so. */
export const is_redis = process.env.ROOMCAST_REDIS !== undefined;
export const binary = path.resolve(process.env.ROOMCAST_BINARY ?? path.join(repository, 'build/release/roomcast'));

const address = /\b(?:https?:\/\/(?:\[[0-9a-fA-F:]+\]|[0-9A-Za-z.-]+):[0-9]+|unix:[^\s",\]]+)/g;
const sanitizer_report = /(?:Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:|Assertion .* failed|terminate called/;

const started = new Set();
process.once('SIGTERM', () => process.exit(143)); // how the test runner ends a file that hangs: without leaving servers behind
process.on('exit', (code) => {
  for (const server of started) {
    if (server.running) server.process.kill('SIGKILL');
    if (code !== 0) process.stderr.write(`--- log of ${server.command.join(' ')}\n${server.log().slice(-20000)}---\n`);
  }
});

/** The environment of this process without variables that configure the program, plus `extra`. */
export function cleanEnvironment(extra = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(ROOMCAST_|NOTIFY_|LISTEN_|WATCHDOG_)/.test(name));
  return { ...Object.fromEntries(kept), ...sanitizerOptions, ...extra };
}

const sanitizerOptions = {
  ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? 'detect_leaks=1:abort_on_error=0',
  UBSAN_OPTIONS: process.env.UBSAN_OPTIONS ?? 'print_stacktrace=1:halt_on_error=1',
};

/** `{ 'a.b': 1 }` as `--set a.b=1`. */
export const setFlags = (set) => Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]);

/** Runs the program to its end: `{code, signal, stdout, stderr}`. */
export async function runToEnd(args, { env = {}, cwd = repository } = {}) {
  const child = spawn(binary, args, { cwd, env: cleanEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => (output.stdout += data));
  child.stderr.on('data', (data) => (output.stderr += data));
  try {
    const [code, signal] = await within(patience, once(child, 'close'), `the end of roomcast ${args.join(' ')}`);
    return { code, signal, ...output };
  } finally {
    child.kill('SIGKILL');
  }
}

export class Server {
  #log = '';
  #onLog = () => {};

  constructor(command, { env, cwd, urlCount }) {
    this.command = command;
    this.process = spawn(command[0], command.slice(1), { cwd, env: cleanEnvironment(env), stdio: ['ignore', 'inherit', 'pipe'] });
    this.running = true;
    this.urlCount = urlCount;
    this.exited = new Promise((resolve) => {
      this.process.on('error', (error) => resolve({ error }));
      this.process.on('close', (code, signal) => resolve({ code, signal }));
    }).then((end) => {
      this.running = false;
      this.#onLog();
      return end;
    });
    this.process.stderr.setEncoding('utf8');
    this.process.stderr.on('data', (data) => {
      this.#log += data;
      this.#onLog();
    });
    // A failed test leaves its server running; that must not keep the test process alive, whose exit ends the server.
    this.process.unref();
    this.process.stderr.unref();
    started.add(this);
  }

  get pid() {
    return this.process.pid;
  }

  /** Everything logged since `mark`. */
  log(mark = 0) {
    return this.#log.slice(mark);
  }

  /** A position in the log, for `log` and `waitForLog`. */
  mark() {
    return this.#log.length;
  }

  /** Waits until the log after `mark` contains a whole line matching `pattern`; returns the match. */
  async waitForLog(pattern, { mark = 0, ms = patience } = {}) {
    const end = Date.now() + ms;
    for (;;) {
      const match = this.log(mark).split('\n').slice(0, -1).map((line) => pattern.exec(line)).find(Boolean);
      if (match) return match;
      if (!this.running) throw new Error(`the server ended before it logged ${pattern}:\n${this.log()}`);
      const logged = new Promise((resolve) => (this.#onLog = resolve));
      await within(Math.max(1, end - Date.now()), logged, `log line ${pattern}; log:\n${this.log(mark).slice(-4000)}`);
    }
  }

  async waitUntilReady() {
    // Other lines name addresses too, such as that of a Redis server.
    const everyUrl = { exec: (line) => (/\bready\b.*\blisten\b/.test(line) && line.match(address)?.length >= this.urlCount ? line.match(address) : null) };
    this.urls = await this.waitForLog(everyUrl);
    this.readyLine = this.log().split('\n').find((line) => everyUrl.exec(line));
    this.adminUrl = /admin_listen="?(http[^\s"]+)/.exec(this.readyLine)?.[1];
    [this.url] = this.urls;
    this.port = Number(/:(\d+)$/.exec(this.url)?.[1]);
  }

  /** The bound URL that begins with `scheme`. */
  urlOf(scheme) {
    return this.urls.find((url) => url.startsWith(scheme));
  }

  reload() {
    this.process.kill('SIGHUP');
  }

  /** All samples of /metrics: name with labels → value. */
  async metrics() {
    const { status, text } = await fetchOnce(this.url, 'GET', '/metrics');
    assert.equal(status, 200);
    return parseMetrics(text);
  }

  /** The sum of the samples of the metric `name` whose labels match. */
  async metric(name, labels = /(?:)/) {
    return sumOf(await this.metrics(), name, labels);
  }

  /** Waits until the metric's sum satisfies `check`. */
  metricBecomes(name, check, labels) {
    return eventually(async () => check(await this.metric(name, labels)), `${name} ${check}`);
  }

  /** Sends SIGTERM; the exit must be clean. */
  async stop() {
    if (this.running) this.process.kill('SIGTERM');
    await this.expectExit(0);
  }

  async expectExit(code) {
    const end = await within(patience, this.exited, `the server's end; log:\n${this.log().slice(-4000)}`);
    assert.ok(!sanitizer_report.test(this.log()), this.log().slice(-8000));
    assert.deepEqual(end, { code, signal: null }, this.log().slice(-4000));
  }

  /** Sends SIGKILL. */
  async kill() {
    this.process.kill('SIGKILL');
    await within(patience, this.exited, 'the end of a killed server');
  }
}

/** The sum of the samples of the metric `name`, of those that `metrics()` gave, whose labels match. */
export function sumOf(samples, name, labels = /(?:)/) {
  let sum = 0;
  for (const [key, value] of samples) {
    const [, base, rest] = /^([^{]+)(.*)$/.exec(key);
    if (base === name && labels.test(rest)) sum += value;
  }
  return sum;
}

/** Parses the Prometheus text format into a map, with checks. */
export function parseMetrics(text) {
  const samples = new Map();
  assert.ok(text.endsWith('\n'));
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* \S/.test(line)) continue;
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})?) (-?[0-9.eE+-]+|[+-]Inf|NaN)$/.exec(line);
    assert.ok(sample, `metrics line ${JSON.stringify(line)}`);
    assert.ok(!samples.has(sample[1]), `twice: ${sample[1]}`);
    samples.set(sample[1], sample[2] === '+Inf' ? Infinity : Number(sample[2]));
  }
  return samples;
}

/** A directory for a store, which is not there yet. */
export const newStore = () => path.join(scratchDirectory(), 'store');

let redis; // one for all servers of the process
let prefixes = 0;

/** Settings of servers that keep their rooms over a restart, each time in another place. None unless the stage asks for it. */
export async function newRooms() {
  if (is_durable) return { 'store.path': newStore() };
  if (!is_redis) return {};
  const { RedisServer } = await import('./redis.js');
  redis ??= RedisServer.start();
  return { engine: 'redis', 'redis.urls': (await redis).url, 'redis.prefix': `rc${(prefixes += 1)}` };
}

/**
 * Starts a server and waits for its ready line.
 * `listen`: addresses (port 0 of 127.0.0.1 by default), `set`: config keys (by default no drain time, so that tests
 * end at once, no limit per address, because all clients come from one, and any Host), `wrap`: a command to run it under,
 * `program`: another one than that which is tested.
 */
export async function startServer({ args = [], env = {}, set = {}, listen = ['http://127.0.0.1:0'], wrap = [], program = binary, cwd = repository, urlCount = listen.length } = {}) {
  const flags = listen.flatMap((one) => ['--listen', one]);
  const usual = { drain_seconds: 0, 'limits.connections_per_address': 100000, hosts: '*', ...(await newRooms()) };
  const server = new Server([...wrap, program, ...flags, ...setFlags({ ...usual, ...set }), ...args], { env, cwd, urlCount: Math.max(1, urlCount) });
  try {
    await server.waitUntilReady();
  } catch (error) {
    server.process.kill('SIGKILL');
    throw error;
  }
  return server;
}
