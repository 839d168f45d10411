// The cost of a delivery to the server in instructions, counted by callgrind and therefore the same on a busy
// machine:
//     ./dev bench instructions [LOAD…]
// Each load is run twice, with few messages and with many, and the difference is divided by the deliveries
// between: starting, connecting and stopping cancel out. Instructions in the kernel are not counted.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { patience, within } from '../support/deadline.js';
import { startServer } from '../support/server.js';
import { readProfile } from './profile.js';

const warm_up = 4;
const at_once = 100;

const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const raw = upgrade;
const json_dialect = `${upgrade}Sec-WebSocket-Protocol: roomcast.v1\r\n`;
const deflate = `${upgrade}Sec-WebSocket-Extensions: permessage-deflate\r\n`;

const text = 'x'.repeat(64);
const document = JSON.stringify(Array.from({ length: 12 }, (_, i) => ({ id: i * 7919, name: `item ${i}`, price: i * 1.25, tags: ['a', 'b'], ok: i % 2 === 0 }))).slice(0, 1024);

// `joined`: the number of messages that reach the server in one write, and so in one turn.
const loads = {
  'raw': { fields: raw },
  'roomcast.v1': { fields: json_dialect },
  'EventSource': { fields: 'Accept: text/event-stream\r\n' },
  'NDJSON': { fields: 'Accept: application/x-ndjson\r\n' },
  'deflate, 1 KiB': { fields: deflate, payload: document, smallest: 32 },
  'raw, 100': { fields: raw, subscribers: 100 },
  'raw, 100, 100 rows of access': { fields: raw, subscribers: 100, rows: 100 },
  'raw, 16 at a time': { fields: raw, joined: 16 },
  'roomcast.v1, 16 at a time': { fields: json_dialect, joined: 16 },
  'raw, 100 rooms of 10': { fields: raw, rooms: 100, subscribers: 10 },
  'raw, 10,000': { fields: raw, subscribers: 10_000, messages: 20 },
};

/** A configuration with so many rows of access, the last of which is that of the rooms here; in `folder`. */
function withRows(folder, rows) {
  const row = (rooms, may) => `[[access]]\nrooms = "${rooms}"\nwho = "anyone"\nmay = [${may}]\n`;
  const others = Array.from({ length: rows - 1 }, (_, i) => row(`elsewhere${i}/**`, ''));
  const file = path.join(folder, 'roomcast.toml');
  writeFileSync(file, [...others, row('bench*', '"join", "publish"')].join(''));
  return file;
}

/** A masked text frame (the mask is zero) of up to 64 KiB. */
function clientFrame(payload) {
  const body = Buffer.from(payload);
  const head = body.length < 126 ? [0x81, 0x80 | body.length] : [0x81, 0xfe, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), body]);
}

/** Joins the room and counts received bytes from then on in `received`. */
async function join(port, room, fields) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  socket.received = 0;
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(`GET /rooms/${room} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${fields}\r\n`);
  const [head] = await once(socket, 'data');
  assert.match(head.toString('latin1'), /^HTTP\/1\.1 (101|200) /);
  return socket;
}

class Subscribers {
  #onBytes = () => {};
  sockets = [];
  publishers = [];

  async fill(port, { rooms, subscribers, fields }) {
    const wanted = Array.from({ length: rooms * subscribers }, (_, i) => `bench${i % rooms}`);
    while (wanted.length > 0)
      this.sockets.push(...(await Promise.all(wanted.splice(0, at_once).map((room) => join(port, room, fields)))));
    for (let room = 0; room < rooms; ++room) this.publishers.push(await join(port, `bench${room}`, raw));
    for (const socket of [...this.sockets, ...this.publishers]) {
      socket.on('data', (bytes) => {
        socket.received += bytes.length;
        this.#onBytes();
      });
    }
  }

  /** Sends `frames` into every room and waits until at least `bytes` have arrived at each subscriber. */
  async publish(frames, bytes) {
    const before = this.sockets[0].received;
    for (const publisher of this.publishers) publisher.write(frames);
    const hasArrived = () => {
      const { received } = this.sockets[0];
      return received >= before + bytes && this.sockets.every((socket) => socket.received === received);
    };
    const arrived = new Promise((resolve) => (this.#onBytes = () => hasArrived() && resolve()));
    await within(patience, arrived, 'messages at every subscriber');
  }

  /** Leaves, and waits until the server has removed every client, so that its work is always the same. */
  async leave() {
    const all = [...this.sockets, ...this.publishers].filter((socket) => !socket.closed);
    const gone = Promise.all(all.map((socket) => once(socket, 'close')));
    for (const socket of all) socket.end();
    await within(patience, gone, 'the end of every connection');
  }

  close() {
    for (const socket of [...this.sockets, ...this.publishers]) socket.destroy();
  }
}

/** The server's profile over `rounds` times `joined` messages to each room. */
async function profile({ fields, rooms, subscribers, payload, smallest, joined, rows }, rounds) {
  const folder = mkdtempSync(path.join(tmpdir(), 'roomcast-instructions-'));
  const file = path.join(folder, 'profile');
  const server = await startServer({
    args: rows === undefined ? [] : ['--config', withRows(folder, rows)],
    wrap: ['valgrind', '--tool=callgrind', `--callgrind-out-file=${file}`, '--quiet'],
    set: { 'websocket.ping_seconds': 3600 },
  });
  const clients = new Subscribers();
  try {
    await clients.fill(server.port, { rooms, subscribers, fields });
    const frames = Buffer.concat(Array(joined).fill(clientFrame(payload)));
    for (let i = 0; i < rounds; ++i) await clients.publish(frames, joined * smallest);
    await clients.leave();
    await server.stop();
    return readProfile(readFileSync(file, 'utf8'));
  } finally {
    clients.close();
    server.process.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
}

/** The parts of a delivery, from a profile. */
function parts(profile) {
  const all = profile.total;
  const fanOut = profile.inclusive('hub::FanOut::run(');
  const queue = profile.between('hub::FanOut::pass_messages(', '::deliver(');
  const flush = profile.between('base::DirtyList::run_', '::run_at_turn_end(') + profile.inclusive('net::DeferredSends::send_all(');
  return {
    'fan-out': fanOut - queue,
    queue,
    flush,
    other: all - fanOut - flush,
    all,
    allocations: profile.calls('malloc'),
    sends: profile.calls('send') + profile.calls('sendmsg'),
  };
}

async function measure(load) {
  const { rooms = 1, subscribers = 1000, payload = text, smallest = payload.length, joined = 1, messages = 100 } = load;
  const full = { rooms, subscribers, payload, smallest, joined, fields: load.fields, rows: load.rows };
  const few = parts(await profile(full, warm_up));
  const many = parts(await profile(full, warm_up + messages));
  const deliveries = messages * joined * rooms * (subscribers + 1);
  return Object.fromEntries(Object.entries(many).map(([part, cost]) => [part, (cost - few[part]) / deliveries]));
}

const columns = ['fan-out', 'queue', 'flush', 'other', 'all', 'allocations', 'sends'];
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(loads);
for (const name of names) assert.ok(name in loads, `no such load: ${name} (${Object.keys(loads).join(' | ')})`);
console.log(`| per delivery | ${columns.join(' | ')} |\n| --- |${' --: |'.repeat(columns.length)}`);
for (const name of names) {
  const cost = await measure(loads[name]);
  const digits = (part) => (part === 'allocations' || part === 'sends' ? 3 : 1);
  console.log(`| ${name} | ${columns.map((part) => cost[part].toFixed(digits(part))).join(' | ')} |`);
}
