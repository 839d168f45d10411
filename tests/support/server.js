// Starts the real program and watches over it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DEADLINE_MS = 15_000;
const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const binary = path.resolve(process.env.ROOMCAST_BINARY ?? path.join(repository, 'build/release/roomcast'));
const address = /https?:\/\/(?:\[[0-9a-f:]+\]|[\w.-]+):(\d+)/;

/**
 * Starts a server and waits until it says that it is ready. Its log is printed only if the tests fail.
 * `listen`: addresses (port 0 of 127.0.0.1 by default), `set`: config keys.
 */
export async function startServer({ args = [], env = {}, set = {}, listen = ['http://127.0.0.1:0'] } = {}) {
  const settings = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const flags = [...listen.flatMap((one) => ['--listen', one]), ...settings, ...args];
  const child = spawn(binary, flags, { cwd: repository, env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'pipe'] });
  let log = '';
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  process.on('exit', (code) => {
    if (child.exitCode === null) child.kill('SIGKILL');
    if (code !== 0) process.stderr.write(`--- log of the server\n${log}---\n`);
  });

  const [url, port] = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server was not ready in time:\n${log}`)), DEADLINE_MS);
    const settle = (finish, value) => {
      clearTimeout(timer);
      finish(value);
    };
    child.on('error', (error) => settle(reject, error));
    child.on('close', () => settle(reject, new Error(`the server ended before it was ready:\n${log}`)));
    child.stderr.setEncoding('utf8').on('data', (text) => {
      log += text;
      const ready = log.split('\n').slice(0, -1).map((line) => address.exec(line)).find(Boolean);
      if (ready) settle(resolve, ready);
    });
  });

  return {
    url,
    port: Number(port),
    process: child,
    log: () => log,
    async stop() {
      child.kill('SIGTERM');
      assert.deepEqual(await ended, { code: 0, signal: null }, log);
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
