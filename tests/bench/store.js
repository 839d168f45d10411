// What the server itself pays for keeping messages on the disk, the second half of `./dev bench store`:
//     node tests/bench/store.js [loop|memory|slow] [ROUNDS]
//
// `loop`: the CPU time of the loop's thread for a publish with each durability, by turns.
// `memory`: what the process has of its own after the same publishes.
// `slow`: the round trip of clients who have nothing to do with the disk, with fdatasync as it is and at 2 s
// (tests/support/disk_shim.c, preloaded), by turns.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import WebSocket from 'ws';
import { sleep } from '../support/deadline.js';
import { HttpConnection } from '../support/raw_http.js';
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

async function slowRow(rounds) {
  const folder = scratchDirectory();
  const control = path.join(folder, 'control');
  const store = path.join(folder, 'store');
  const figures = { 'as it is': [], 'at 2 s': [] };
  for (let round = 0; round < rounds; ++round) {
    for (const [name, rule] of [['as it is', ''], ['at 2 s', 'delay fdatasync,fsync 2000\n']]) {
      writeFileSync(control, '');
      const env = { LD_PRELOAD: makeShim(folder), DISK_SHIM_DIRECTORY: store, DISK_SHIM_CONTROL: control };
      const server = await startServer({ env, set: { 'store.path': store, 'history.durability': 'sync' } });
      writeFileSync(control, rule);
      let is_over = false;
      const publishers = Array.from({ length: 4 }, async (_, i) => {
        const connection = await HttpConnection.open(server.url);
        while (!is_over) await connection.request('POST', `/rooms/kept-${i}`, { body: payload, headers: { 'Content-Type': 'text/plain' } });
        connection.close();
      });
      figures[name].push(quantile(await echoes(server, 800), 0.99));
      is_over = true;
      writeFileSync(control, '');
      await Promise.all(publishers);
      await server.stop();
    }
  }
  console.log('| round trip of an echo while others publish, p99, ms | median | × | target |\n| --- | --: | --: | --: |');
  const [usual, slow] = Object.values(figures);
  console.log(`| fdatasync as it is | ${median(usual).toFixed(2)} | | |`);
  console.log(`| fdatasync at 2 s | ${median(slow).toFixed(2)} | ${median(slow.map((ms, i) => ms / usual[i])).toFixed(2)} | 1.1 |`);
}

const [wanted = '', rounds = 5] = process.argv.slice(2);
if ('loop'.includes(wanted)) await loopRow(Number(rounds));
if ('memory'.includes(wanted)) await memoryRow();
if ('slow'.includes(wanted)) await slowRow(Number(rounds));
