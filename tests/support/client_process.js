// Many clients in a separate process: with its own descriptors, and without delaying the test.

import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ManyClients } from './many_clients.js';
import { seconds, within } from './deadline.js';

const self = fileURLToPath(import.meta.url);
const long = seconds(60);

/** `wanted` clients, or as many as the hard limit of descriptors allows one process and the server. */
export function affordable(wanted) {
  const [, hard] = /Max open files\s+\d+\s+(\d+|unlimited)/.exec(readFileSync('/proc/self/limits', 'utf8'));
  return hard === 'unlimited' ? wanted : Math.min(wanted, Number(hard) - 300);
}

export class ClientProcess {
  #child = fork(self, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  #asked = new Map();
  #next = 0;

  constructor() {
    this.#child.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#asked.get(id);
      this.#asked.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
    this.#child.on('exit', () => {
      for (const { reject } of this.#asked.values()) reject(new Error('the clients\' process has ended'));
    });
    // A failed test leaves its process behind, which ends when its channel does.
    this.#child.unref();
    this.#child.channel.unref();
  }

  /** Calls the method `method` of `ManyClients`. */
  call(method, ...args) {
    this.#next += 1;
    const id = this.#next;
    const answer = new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }));
    this.#child.send({ id, method, args });
    return within(long, answer, `${method} ${JSON.stringify(args)} by the clients`);
  }

  end() {
    this.#child.kill('SIGKILL');
  }
}

function serve() {
  const clients = new ManyClients();
  process.on('disconnect', () => process.exit());
  process.on('message', async ({ id, method, args }) => {
    try {
      process.send({ id, result: await clients[method](...args) });
    } catch (error) {
      process.send({ id, error: error.message });
    }
  });
}

if (process.argv[1] === self) serve();
