// What servers that share their rooms cost Redis, and how long their messages take: `./dev bench cluster`, or
//     node tests/bench/cluster.js [--rounds N] [--seconds N]
//
// Beside each figure of two servers is a bare one, by turns: redis-benchmark calling the same script with the same arguments,
// 64 calls in a pipeline. CPU time is that of the main thread of Redis.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import WebSocket from 'ws';
import { eventually, sleep } from '../support/deadline.js';
import { RedisServer } from '../support/redis.js';
import { fetchOnce } from '../support/raw_http.js';
import { startServer } from '../support/server.js';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '6' }, seconds: { type: 'string', default: '2' } } });
const run = promisify(execFile);
const rounds = Number(options.rounds);
const turn_ms = Number(options.seconds) * 1000;
const room_count = 1_000;
const in_batch = 500;
const requests_at_once = 4;
const bare_calls = 50_000;
const further_subscribers = 8;
const samples = 200;
const payload = 'x'.repeat(100);

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
/** Nanoseconds that the main thread of a process has had a CPU. */
const cpuTime = (pid) => Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]);

/** A connection to Redis on which one call is made after the other. */
class Bare {
  #socket;
  #answered = () => {};

  static async to(redis) {
    const bare = new Bare();
    bare.#socket = net.connect(redis.path);
    await once(bare.#socket, 'connect');
    bare.#socket.on('data', (bytes) => bare.#answered(bytes));
    return bare;
  }

  /** The bytes that come first. */
  call(words) {
    this.#socket.write(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`);
    return new Promise((resolve) => (this.#answered = resolve));
  }

  end() {
    this.#socket.destroy();
  }
}

/** What a server sends to publish one message of the payload into the room: the words of its EVALSHA. */
async function publishCommand(redis, server, room) {
  await redis.ask('CONFIG', 'SET', 'slowlog-log-slower-than', '0');
  await redis.ask('SLOWLOG', 'RESET');
  await post(server, [{ room, data: payload }]);
  const log = await redis.ask('--json', 'SLOWLOG', 'GET', '50');
  await redis.ask('CONFIG', 'SET', 'slowlog-log-slower-than', '10000');
  const words = JSON.parse(log).map((entry) => entry[3]).find((command) => command[0] === 'EVALSHA' && command.some((word) => word.endsWith(`c:${room}`)));
  assert.ok(words, 'the call of a publish is in the log of Redis');
  // Long words are cut there. The batch is not looked at by the script, only its size counts.
  return words.map((word) => {
    const cut = /\.\.\. \((\d+) more bytes\)$/.exec(word);
    return cut ? 'b'.repeat(128 + Number(cut[1])) : word;
  });
}

async function post(server, messages) {
  const response = await fetch(`${server.url}/api/publish`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ messages }) });
  const { results, error } = await response.json();
  assert.equal(response.status, 200, JSON.stringify(error));
  assert.ok(results.every((one) => one.error === undefined), 'a publish was refused');
}

/** Runs `count` loops of `work` for the time of a turn; how often it ran. */
async function during(count, work) {
  const end = Date.now() + turn_ms;
  const times = await Promise.all(Array.from({ length: count }, async () => {
    let done = 0;
    for (; Date.now() < end; done += 1) await work();
    return done;
  }));
  return times.reduce((sum, one) => sum + one, 0);
}

/** Microseconds of Redis for each message of `work`, which says how many there were. */
async function redisTime(redis, work) {
  const before = cpuTime(redis.pid);
  const messages = await work();
  return (cpuTime(redis.pid) - before) / messages / 1000;
}

/** The medians of all, by turns. */
async function byTurns(runs) {
  const figures = runs.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    const order = [...runs.keys()];
    for (const i of round % 2 === 0 ? order : order.reverse()) figures[i].push(await runs[i]());
  }
  return figures;
}

const redis = await RedisServer.start();
redis.pid = Number(/process_id:(\d+)/.exec(await redis.ask('INFO', 'server'))[1]);
const servers = await Promise.all([1, 2].map(() => startServer({ set: { engine: 'redis', 'redis.urls': redis.url } })));
for (const server of servers) await eventually(async () => (await fetchOnce(server.url, 'POST', '/rooms/first', { body: 'x' })).status === 200, 'a server that publishes');
const command = await publishCommand(redis, servers[0], 'bare');

let next = 0;
const roomsInTurn = () => Array.from({ length: in_batch }, () => ({ room: `room-${next++ % room_count}`, data: payload }));
const oneRoom = () => Array.from({ length: in_batch }, () => ({ room: 'room', data: payload }));
const throughServers = (messages) => async () => in_batch * (await during(2 * requests_at_once, () => post(servers[next++ % 2], messages())));
const bareCalls = async () => {
  await run('redis-benchmark', ['-s', redis.path, '-q', '-P', '64', '-c', '2', '-n', `${bare_calls}`, ...command]);
  return bare_calls;
};

const bare_link = await Bare.to(redis);
const rows = [];
const row = (what, figure, beside, ratio, goal) => rows.push(`| ${what} | ${figure} | ${beside} | ${ratio} | ${goal} |`);

{
  const [bare, many, one] = await byTurns([bareCalls, throughServers(roomsInTurn), throughServers(oneRoom)].map((work) => () => redisTime(redis, work)));
  const ratio = (figures) => median(figures.map((us, i) => bare[i] / us)).toFixed(2);
  const us = (figures) => `${median(figures).toFixed(2)} us`;
  row(`a message into one of ${room_count.toLocaleString('en')} rooms, through 2 servers`, us(many), us(bare), `**${ratio(many)} ×** as many`, '≥ 0.9 ×');
  row('a message into one room, through 2 servers, saturated', us(one), us(bare), `**${ratio(one)} ×** as many`, '≥ 5 ×');
}

{
  const subscribers = await Promise.all(Array.from({ length: further_subscribers }, () => Bare.to(redis)));
  const channel = command.find((word) => word.endsWith('c:bare'));
  const [without, with_all] = await byTurns([async () => redisTime(redis, bareCalls), async () => {
    for (const subscriber of subscribers) await subscriber.call(['SUBSCRIBE', channel]);
    const us = await redisTime(redis, bareCalls);
    for (const subscriber of subscribers) await subscriber.call(['UNSUBSCRIBE', channel]);
    return us;
  }]);
  const each = median(with_all.map((us, i) => (us - without[i]) / further_subscribers));
  row('a message, for each further server that is subscribed', `${each.toFixed(2)} us`, '–', '–', '≤ 0.6 us');
  subscribers.forEach((subscriber) => subscriber.end());
}

{
  const [sender, receiver] = await Promise.all(servers.map(async ({ url }) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/rooms/delivery`);
    await once(socket, 'open');
    return socket;
  }));
  const round = async (step) => {
    const times = [];
    for (let i = 0; i < samples; i += 1) {
      const begin = process.hrtime.bigint();
      await step();
      times.push(Number(process.hrtime.bigint() - begin) / 1e6);
    }
    return median(times);
  };
  let awaited = () => {};
  receiver.on('message', (data) => awaited(data.toString()));
  let number = 0;
  const delivery = () => new Promise((resolve) => {
    const text = `${(number += 1)} ${payload}`;
    awaited = (data) => data === text && resolve(true);
    sender.send(text);
  });
  // The first may come before the receiver has joined.
  await eventually(() => Promise.race([delivery(), sleep(100)]), 'a delivery');
  const [bare, remote] = await byTurns([() => round(() => bare_link.call(command)), () => round(delivery)]);
  const ratio = median(remote.map((ms, i) => ms / bare[i])).toFixed(1);
  row('publish to delivery at the other server, p50', `${median(remote).toFixed(2)} ms`, `${median(bare).toFixed(2)} ms`, `**${ratio} ×**`, '≤ 3 ×');
  [sender, receiver].forEach((socket) => socket.terminate());
}

console.log(`| CPU time of Redis, or latency | two servers | a bare call | ratio | goal |\n| --- | --: | --: | --: | --: |\n${rows.join('\n')}`);
console.log(`\nMedians of ${rounds} rounds of ${options.seconds} s each, by turns; payloads of ${payload.length} bytes. ${(await redis.ask('INFO', 'server')).split('\n').find((line) => /^(redis|valkey)_version/.test(line)).trim()}, ${path.basename(process.execPath)} ${process.version}.`);
bare_link.end();
for (const server of servers) await server.stop();
await redis.stop();
