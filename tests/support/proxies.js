// nginx, HAProxy and Caddy in front of a server, configured by the snippets of docs/deployment.md and docs/access.md.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { eventually, patience, within } from './deadline.js';
import { makeCertificate, scratchDirectory } from './scratch.js';
import { repository } from './server.js';

// Where Debian installs them, which is not in every PATH.
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

/** Whether the program `command` is installed. */
export const isInstalled = (command) => env.PATH.split(':').some((directory) => fs.existsSync(path.join(directory, command)));

/** The fenced block of `language` that contains `mark`, of a page of docs/. */
export function snippet(language, mark, page = 'deployment.md') {
  const text = fs.readFileSync(path.join(repository, 'docs', page), 'utf8');
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter((block) => block[1] === language && block[2].includes(mark));
  assert.equal(blocks.length, 1, `docs/${page} has one block of ${language} with ${mark}`);
  return blocks[0][2];
}

/** `text` with every `[pattern, replacement]` applied, each of which must match. */
function replaced(text, changes) {
  return changes.reduce((before, [pattern, replacement]) => {
    assert.ok(typeof pattern === 'string' ? before.includes(pattern) : before.search(pattern) >= 0, `${pattern} is in the snippet`);
    return before.replaceAll(pattern, replacement);
  }, text);
}

async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

const connects = (port) => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1').once('connect', () => resolve(true)).once('error', () => resolve(false));
  socket.once('connect', () => socket.destroy());
});

class Proxy {
  constructor(kind, command, ports) {
    this.kind = kind;
    this.url = `http://127.0.0.1:${ports.plain}`;
    this.secureUrl = `https://127.0.0.1:${ports.secure}`;
    this.ports = ports;
    this.log = '';
    this.process = spawn(command[0], command.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (data) => (this.log += data));
    this.exited = new Promise((resolve) => this.process.once('close', resolve).once('error', resolve));
    this.exited.then(() => (this.over = true));
    process.on('exit', () => this.process.kill('SIGKILL'));
  }

  /** Resolves with true once it listens, false if it ended instead. */
  ready() {
    return eventually(async () => this.over || ((await connects(this.ports.plain)) && (await connects(this.ports.secure))), `${this.kind} listening\n${this.log}`)
      .then(() => !this.over);
  }

  async stop() {
    this.process.kill('SIGTERM');
    await within(patience, this.exited, `the end of ${this.kind}`);
  }
}

/** Runs the command that `configure(ports, directory)` returns; retries with other ports if they are in use. */
async function start(kind, configure) {
  for (let attempt = 0; ; attempt += 1) {
    const ports = { plain: await freePort(), secure: await freePort() };
    const directory = scratchDirectory();
    const proxy = new Proxy(kind, configure(ports, directory), ports);
    if (await proxy.ready()) return proxy;
    assert.ok(attempt < 5 && /in use|cannot bind/i.test(proxy.log), proxy.log);
  }
}

const certificate = makeCertificate(scratchDirectory(), 'chat.example', ['chat.example', '127.0.0.1', 'localhost']);

/**
 * nginx in front of the server at `port`. `change`: `[pattern, replacement]` for more changes to the snippet, `http`: lines
 * for the http context. Without a special user, in one process, writing only to its scratch directory.
 */
export function startNginx(port, { change = [], http = '' } = {}) {
  return start('nginx', (ports, directory) => {
    const site = replaced(snippet('nginx', 'proxy_pass'), [
      ['server 127.0.0.1:8080;', `server 127.0.0.1:${port};`],
      ['listen 80;', `listen 127.0.0.1:${ports.plain};`],
      ['listen 443 ssl', `listen 127.0.0.1:${ports.secure} ssl`],
      ['/etc/ssl/chat.example/fullchain.pem', certificate.certificate],
      ['/etc/ssl/chat.example/privkey.pem', certificate.key],
      ...change,
    ]);
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory}/${name};`).join('\n');
    const file = path.join(directory, 'nginx.conf');
    fs.writeFileSync(file, `daemon off;\nmaster_process off;\npid ${directory}/pid;\nerror_log stderr warn;\nevents { worker_connections 1024; }\n`
      + `http {\naccess_log off;\n${places}\n${http}\n${site}}\n`);
    return ['nginx', '-e', 'stderr', '-p', directory, '-c', file];
  });
}

/** HAProxy in front of the server at `port`. `change` as for nginx. */
export function startHaproxy(port, { change = [] } = {}) {
  return start('HAProxy', (ports, directory) => {
    const both = path.join(directory, 'chat.example.pem');
    fs.writeFileSync(both, fs.readFileSync(certificate.certificate, 'utf8') + fs.readFileSync(certificate.key, 'utf8'));
    const file = path.join(directory, 'haproxy.cfg');
    fs.writeFileSync(file, replaced(snippet('haproxy', 'backend roomcast'), [
      ['bind :80\n', `bind 127.0.0.1:${ports.plain}\n`],
      ['bind :443 ssl', `bind 127.0.0.1:${ports.secure} ssl`],
      ['/etc/haproxy/certs/chat.example.pem', both],
      ['server roomcast1 127.0.0.1:8080', `server roomcast1 127.0.0.1:${port}`],
      ...change,
    ]));
    return ['haproxy', '-db', '-f', file];
  });
}

/**
 * Caddy in front of the server at `port`, plain alone: it would fetch certificates for TLS. `page`, `mark`: where its snippet is.
 * Without its admin endpoint, writing only to its scratch directory.
 */
export function startCaddy(port, { page = 'deployment.md', mark = 'reverse_proxy', change = [] } = {}) {
  return start('Caddy', (ports, directory) => {
    ports.secure = ports.plain;
    const file = path.join(directory, 'Caddyfile');
    const site = replaced(snippet('caddyfile', mark, page), [
      ['chat.example {', `http://:${ports.plain} {`],
      ['127.0.0.1:8080', `127.0.0.1:${port}`],
      ...change,
    ]);
    fs.writeFileSync(file, `{\nadmin off\ngrace_period 1s\nauto_https off\ndefault_bind 127.0.0.1\nstorage file_system ${directory}/data\n}\n${site}`);
    // It keeps a copy of its configuration there.
    return ['env', `XDG_CONFIG_HOME=${directory}`, 'caddy', 'run', '--config', file, '--adapter', 'caddyfile'];
  });
}
