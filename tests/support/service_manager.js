// A fake service manager: receives the server's notifications on NOTIFY_SOCKET.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from './deadline.js';

const receiver = path.join(path.dirname(fileURLToPath(import.meta.url)), 'notify_socket.py');

export class ServiceManager {
  /** All notifications: `{ ms, fields }`, oldest first. */
  notices = [];

  static async start({ abstract = false } = {}) {
    const manager = new ServiceManager();
    manager.folder = mkdtempSync(path.join(os.tmpdir(), 'roomcast-notify-'));
    manager.address = abstract ? `@${manager.folder}` : path.join(manager.folder, 'notify');
    manager.process = spawn('python3', [receiver, manager.address], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = readline.createInterface({ input: manager.process.stdout });
    await once(lines, 'line');
    lines.on('line', (line) => manager.notices.push(JSON.parse(line)));
    return manager;
  }

  /** Those that contain `field`. */
  with(field) {
    return this.notices.filter(({ fields }) => field in fields);
  }

  /** Waits until `count` notifications contain `field`; returns the last of them. */
  async expect(field, count = 1) {
    await eventually(() => this.with(field).length >= count, `${count} × ${field}; got ${JSON.stringify(this.notices)}`);
    return this.with(field)[count - 1];
  }

  stop() {
    this.process.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A TCP port of 127.0.0.1 that is free at the moment. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
