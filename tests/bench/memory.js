// The resident memory of a waiting client and of a retained message:
//     ./dev bench memory [CLIENTS] [MESSAGES] [TEXT]
// Each kind has its own server; the figure is the growth of its resident size, divided. Fixed costs (pages, pools,
// encodings) are incurred by a few clients before the first reading.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { eventually } from '../support/deadline.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { makeIssuer, seconds } from '../support/tokens.js';

const clients = Number(process.argv[2] ?? 8000);
const messages = Number(process.argv[3] ?? 100_000);
const only = process.argv[4] ?? '';  // rows with this in their names
const warm_up = 500;
const at_once = 200;
const payload_bytes = 100;

const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const kinds = {
  'WebSocket, raw': { path: '/rooms/lobby', fields: upgrade, answers: true },
  'WebSocket, roomcast.v1': { path: '/rooms/lobby', fields: `${upgrade}Sec-WebSocket-Protocol: roomcast.v1\r\n`, answers: true },
  'WebSocket, raw, TLS 1.3': { path: '/rooms/lobby', fields: upgrade, answers: true, secure: 'TLSv1.3' },
  'WebSocket, raw, TLS 1.2': { path: '/rooms/lobby', fields: upgrade, answers: true, secure: 'TLSv1.2' },
  'WebSocket, raw, each a user': { path: '/rooms/lobby', fields: upgrade, answers: true, identified: true },
  'WebSocket, raw, each a name': { path: '/rooms/lobby', fields: upgrade, answers: true, named: true },
  EventSource: { path: '/rooms/lobby', fields: 'Accept: text/event-stream\r\n', answers: true },
  'NDJSON stream': { path: '/rooms/lobby', fields: 'Accept: application/x-ndjson\r\n', answers: true },
  'long poll': { path: '/rooms/lobby?wait=60', fields: '', answers: false },
};

const certificate = makeCertificate(scratchDirectory(), 'localhost');
const issuer = await makeIssuer('HS256');
const directory = scratchDirectory({ 'roomcast.toml': `[[auth.tokens]]\nalgorithms = ["HS256"]\nsecret = ${JSON.stringify(issuer.key)}\n` });

/** Resident bytes of the process that belong to it alone or to its programs. */
function residentBytes(pid) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
}

let users = 0;

/** The user of the next connection, with a token that expires in a day. */
async function nextUser() {
  users += 1;
  const sub = `user-${users}`;
  return { sub, token: await issuer.token({ sub, exp: seconds() + 86_400 }) };
}

async function connect(ports, { path: room_path, fields, answers, secure, identified, named }) {
  const { sub, token } = identified || named ? await nextUser() : {};
  const target = named ? `${room_path}?name=${sub}` : room_path;
  const credentials = identified ? `Authorization: Bearer ${token}\r\n` : '';
  const port = secure ? ports.secure : ports.plain;
  const socket = secure
    ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: secure, maxVersion: secure })
    : net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, secure ? 'secureConnect' : 'connect');
  socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${credentials}${fields}\r\n`);
  if (answers) {
    const [head] = await once(socket, 'data');
    assert.match(head.toString('latin1'), /^HTTP\/1\.1 (101|200) /);
  }
  socket.resume();
  return socket;
}

async function subscribers(url) {
  const response = await fetch(`${url}/rooms/lobby`, { method: 'HEAD' });
  return Number(response.headers.get('roomcast-subscribers'));
}

async function bytesPerClient(kind) {
  const server = await startServer({
    listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'],
    args: ['--config', path.join(directory, 'roomcast.toml')],
    set: { 'http.poll_wait_seconds': 3600, 'websocket.ping_seconds': 3600, 'tls.certificate': certificate.certificate, 'tls.key': certificate.key },
  });
  const ports = { plain: server.port, secure: Number(new URL(server.urlOf('https')).port) };
  const sockets = [];
  const open = async (count) => {
    while (sockets.length < count) {
      const more = Math.min(at_once, count - sockets.length);
      sockets.push(...(await Promise.all(Array.from({ length: more }, () => connect(ports, kind)))));
    }
    await eventually(async () => (await subscribers(server.url)) >= count, `${count} subscribers`);
  };
  await open(warm_up);
  const before = residentBytes(server.pid);
  await open(warm_up + clients);
  const grown = residentBytes(server.pid) - before;
  for (const socket of sockets) socket.destroy();
  await server.stop();
  return grown / clients;
}

async function bytesPerMessage() {
  const rows = 1000;
  const server = await startServer({
    set: { 'history.messages': messages * 2, 'history.bytes': 2 ** 30, 'history.total_bytes': 2 ** 31 },
  });
  const body = JSON.stringify({ messages: Array.from({ length: rows }, () => ({ room: 'lobby', data: 'x'.repeat(payload_bytes) })) });
  const publish = async (count) => {
    for (let sent = 0; sent < count; sent += rows) {
      const response = await fetch(`${server.url}/api/publish`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
      assert.equal(response.status, 200);
      await response.arrayBuffer();
    }
  };
  await publish(rows);
  const before = residentBytes(server.pid);
  await publish(messages);
  const grown = residentBytes(server.pid) - before;
  await server.stop();
  return grown / messages;
}

const line = (what, bytes) => console.log(`| ${what} | ${Math.round(bytes)} |`);
console.log(`| resident bytes (${clients} clients, ${messages} messages of ${payload_bytes} bytes) | each |\n| --- | --- |`);
for (const [name, kind] of Object.entries(kinds)) {
  if (name.includes(only)) line(name, await bytesPerClient(kind));
}
const kept = `kept message of ${payload_bytes} bytes`;
if (kept.includes(only)) line(kept, await bytesPerMessage());
