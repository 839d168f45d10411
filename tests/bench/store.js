// What the server itself pays for keeping messages on the disk, the second half of `./dev bench store`:
//     node tests/bench/store.js [loop|memory|slow] [ROUNDS]
//
// `loop`: the CPU time of the loop's thread for a publish with each durability, by turns.
// `memory`: what the process has of its own after the same publishes.
// `slow`: the round trip of a client who has nothing to do with the disk, while another publishes into sync rooms at the same
// pace, with fdatasync as it is and at 2 s (tests/support/disk_shim.c, preloaded), by turns.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import WebSocket from 'ws';
import { sleep } from '../support/deadline.js';
import { scratchDirectory } from '../support/scratch.js';
import { repository, startServer } from '../support/server.js';

const levels = ['none', 'async', 'sync'];
const rooms = 1_000;
const in_batch = 500;
const payload = 'x'.repeat(100);

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))];

function start(level, set = {}, options = {}) {
  const store = level === 'none' ? {} : { 'store.path': path.join(scratchDirectory(), 'store'), 'history.durability': level };
  return startServer({ set: { ...store, ...set }, ...options });
}

/** Nanoseconds that the loop's thread has had a CPU. */
const loopTime = (pid) => Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]);

/** Megabytes that the process has of its own. */
const ownMemory = (pid) => Number(/RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

let next_room = 0;

/** Publishes so many messages in batches, one after the other. */
async function publish(server, messages) {
  for (let sent = 0; sent < messages; sent += in_batch) {
    const batch = Array.from({ length: in_batch }, () => ({ room: `room-${next_room++ % rooms}`, data: payload }));
    const response = await fetch(`${server.url}/api/publish`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ messages: batch }) });
    assert.equal(response.status, 200);
    const { results } = await response.json();
    assert.ok(results.every(({ error }) => error === undefined), 'a publish was refused');
  }
}

async function loopRow(rounds) {
  const messages = 50_000;
  const servers = await Promise.all(levels.map((level) => start(level)));
  const figures = levels.map(() => []);
  for (const server of servers) await publish(server, 2 * rooms);
  for (let round = 0; round < rounds; ++round) {
    for (const [i, server] of servers.entries()) {
      const before = loopTime(server.pid);
      await publish(server, messages);
      figures[i].push((loopTime(server.pid) - before) / messages / 1000);
    }
  }
  for (const server of servers) await server.stop();
  console.log(`| loop's CPU a publish, ${in_batch} in a request, us | median | above none | target |\n| --- | --: | --: | --: |`);
  for (const [i, level] of levels.entries()) {
    const above = i === 0 ? '–' : median(figures[i].map((us, round) => us - figures[0][round])).toFixed(2);
    console.log(`| ${level} | ${median(figures[i]).toFixed(2)} | ${above} | ${i === 0 ? '–' : '0.5'} |`);
  }
}

async function memoryRow() {
  const messages = 500_000;
  const used = [];
  for (const level of levels) {
    const server = await start(level);
    await publish(server, messages);
    used.push(ownMemory(server.pid));
    await server.stop();
  }
  console.log(`| memory after ${messages} messages in ${rooms} rooms, MiB | all | above none | target |\n| --- | --: | --: | --: |`);
  for (const [i, level] of levels.entries()) {
    console.log(`| ${level} | ${used[i].toFixed(1)} | ${i === 0 ? '–' : (used[i] - used[0]).toFixed(1)} | ${i === 0 ? '–' : '96'} |`);
  }
}

function makeShim(folder) {
  const shim = path.join(folder, 'disk_shim.so');
  execFileSync('cc', ['-O1', '-shared', '-fPIC', '-o', shim, path.join(repository, 'tests/support/disk_shim.c'), '-ldl']);
  return shim;
}

/** Round trips of echoes, one each 5 ms, in milliseconds. */
async function echoes(server, count) {
  const socket = new WebSocket(`${server.url.replace(/^http/, 'ws')}/echo`);
  await once(socket, 'open');
  const took = [];
  for (let i = 0; i < count; ++i) {
    const begun = performance.now();
    socket.send('echo');
    await once(socket, 'message');
    took.push(performance.now() - begun);
    await sleep(5);
  }
  socket.close();
  return took;
}

/**
 * Publishes into sync rooms at the same pace whatever the disk takes, each without waiting for the answers to the others.
 * `end`: the milliseconds that the answers took, once all are there.
 */
async function steadyPublisher(server) {
  const socket = new WebSocket(`${server.url.replace(/^http/, 'ws')}/connect`, 'roomcast.v1');
  await once(socket, 'open');
  const begun = new Map();
  const took = [];
  const all = new EventEmitter();
  socket.on('message', (text) => {
    const { id, type } = JSON.parse(text);
    if (!begun.has(id)) return;
    assert.equal(type, 'ok', `${text}`);
    took.push(performance.now() - begun.get(id));
    begun.delete(id);
    if (begun.size === 0) all.emit('answered');
  });
  let count = 0;
  const pace = setInterval(() => {
    const id = `${(count += 1)}`;
    begun.set(id, performance.now());
    socket.send(JSON.stringify({ id, type: 'publish', room: `kept-${count % 4}`, data: payload }));
  }, 10);
  return {
    async end() {
      clearInterval(pace);
      if (begun.size > 0) await once(all, 'answered');
      socket.close();
      return took;
    },
  };
}

async function slowRow(rounds) {
  const folder = scratchDirectory();
  const control = path.join(folder, 'control');
  const store = path.join(folder, 'store');
  const env = { LD_PRELOAD: makeShim(folder), DISK_SHIM_DIRECTORY: store, DISK_SHIM_CONTROL: control };
  const disks = [['fdatasync as it is', ''], ['fdatasync at 2 s', 'delay fdatasync,fsync 2000\n']];
  const figures = disks.map(() => ({ p50: [], p99: [], publish: [] }));
  for (let round = 0; round < rounds; ++round) {
    for (const [i, [, rule]] of disks.entries()) {
      writeFileSync(control, '');
      const server = await startServer({ env, set: { 'store.path': store, 'history.durability': 'sync', 'store.ack_timeout_seconds': 60 } });
      writeFileSync(control, rule);
      const publisher = await steadyPublisher(server);
      const took = await echoes(server, 800);
      writeFileSync(control, '');
      figures[i].publish.push(quantile(await publisher.end(), 0.5));
      figures[i].p50.push(quantile(took, 0.5));
      figures[i].p99.push(quantile(took, 0.99));
      await server.stop();
    }
  }
  const [usual, slow] = figures;
  const ratio = (name) => median(slow[name].map((ms, round) => ms / usual[name][round])).toFixed(2);
  console.log('| round trip of an echo while others publish 100/s, ms | p50 | p99 | answer to a publish, p50 |\n| --- | --: | --: | --: |');
  for (const [i, [name]] of disks.entries()) {
    console.log(`| ${name} | ${median(figures[i].p50).toFixed(2)} | ${median(figures[i].p99).toFixed(2)} | ${median(figures[i].publish).toFixed(1)} |`);
  }
  console.log(`| ×, target 1.1 | ${ratio('p50')} | ${ratio('p99')} | ${ratio('publish')} |`);
}

const [wanted = '', rounds = 5] = process.argv.slice(2);
if ('loop'.includes(wanted)) await loopRow(Number(rounds));
if ('memory'.includes(wanted)) await memoryRow();
if ('slow'.includes(wanted)) await slowRow(Number(rounds));
