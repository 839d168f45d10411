// What it costs that a client shows a token when it connects:
//     ./dev bench tokens [instructions|time|storm] [CLIENTS]
//
// `instructions`: those of a connection that joins a room and ends, without a token and with one of each algorithm,
// counted by callgrind and therefore the same on a busy machine. Each kind is run twice, with few connections and
// with many, and the difference is divided. No token is shown twice, so none is remembered. OpenSSL's part is what
// the same run spends when a verifier calls it.
//
// `time`: the CPU time of the server for the same, 32 connections at a time, medians of rounds by turns; and OpenSSL's for
// one ES256 verification, by `openssl speed`.
//
// `storm`: so many clients (15,000) connect at once, each with an ES256 token of its own, beside as many without.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startServer } from '../support/server.js';
import { readProfile } from './profile.js';

const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const few = 100;
const many = 500;

const folder = mkdtempSync(path.join(tmpdir(), 'roomcast-tokens-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

const secret = randomBytes(32).toString('hex');
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
writeFileSync(path.join(folder, 'key.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
const keys = {
  none: '',
  HS256: `[[auth.tokens]]\nalgorithms = ["HS256"]\nsecret = "${secret}"\n`,
  ES256: `[[auth.tokens]]\nalgorithms = ["ES256"]\nkey_file = "${path.join(folder, 'key.pem')}"\n`,
};
const signatures = {
  HS256: (input) => createHmac('sha256', secret).update(input).digest('base64url'),
  ES256: (input) => createSign('sha256').update(input).sign({ key: privateKey, dsaEncoding: 'ieee-p1363' }, 'base64url'),
};

/** The fields of the requests of `count` clients, each with a token of its own. */
function fieldsOf(algorithm, count) {
  if (algorithm === 'none') return Array(count).fill(upgrade);
  const encoded = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  return Array.from({ length: count }, (_, i) => {
    const input = `${encoded({ alg: algorithm, typ: 'JWT' })}.${encoded({ sub: `user-${i}`, iat: now, exp: now + 86_400 })}`;
    return `${upgrade}Authorization: Bearer ${input}.${signatures[algorithm](input)}\r\n`;
  });
}

function start(algorithm, options = {}) {
  const file = path.join(folder, `${algorithm}.toml`);
  writeFileSync(file, keys[algorithm]);
  return startServer({ args: ['--config', file], set: { 'websocket.ping_seconds': 3600 }, ...options });
}

/** Connects and joins; the first line of the answer, or why there is none. */
function join(port, fields) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  return new Promise((resolve) => {
    socket.once('error', ({ code }) => resolve({ socket, status: code }));
    socket.once('close', () => resolve({ socket, status: 'closed' }));
    socket.once('data', (head) => resolve({ socket, status: head.toString('latin1').slice(9, 12) }));
    socket.once('connect', () => socket.write(`GET /rooms/bench HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${fields}\r\n`));
  });
}

async function leave({ socket }) {
  const closed = once(socket, 'close');
  socket.end();
  socket.resume();
  await closed;
}

// --- Instructions ---

async function profileOf(algorithm, connections) {
  const file = path.join(folder, `${algorithm}-${connections}`);
  const server = await start(algorithm, { wrap: ['valgrind', '--tool=callgrind', `--callgrind-out-file=${file}`, '--quiet'] });
  for (const fields of fieldsOf(algorithm, connections)) {
    const joined = await join(server.port, fields);
    assert.equal(joined.status, '101');
    await leave(joined);
  }
  await server.stop();
  const profile = readProfile(readFileSync(file, 'utf8'));
  const openssl = profile.between('Verifier::verify(', 'EVP_');
  return { all: profile.total, openssl, allocations: profile.calls('malloc') };
}

async function instructions() {
  console.log('| per connection | instructions | of them OpenSSL\'s verification | times without token | without OpenSSL\'s | allocations |\n| --- |' + ' --: |'.repeat(5));
  let bare = 0;
  for (const algorithm of Object.keys(keys)) {
    const less = await profileOf(algorithm, few);
    const more = await profileOf(algorithm, many);
    const each = Object.fromEntries(Object.keys(more).map((part) => [part, (more[part] - less[part]) / (many - few)]));
    bare ||= each.all;
    const times = (cost) => `${(cost / bare).toFixed(2)} ×`;
    const name = algorithm === 'none' ? 'without token' : algorithm;
    console.log(`| ${name} | ${Math.round(each.all)} | ${Math.round(each.openssl)} | ${times(each.all)} | ${times(each.all - each.openssl)} | ${each.allocations.toFixed(1)} |`);
  }
}

// --- CPU time ---

const rounds = 6;
const at_once = 32;

/** Nanoseconds that the process has had a CPU, all threads. */
function cpuOf(pid) {
  const of = (task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
  return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + of(task), 0);
}

async function timeOf(server, fields) {
  const before = cpuOf(server.pid);
  const wanted = [...fields];
  const worker = async () => {
    for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
      const joined = await join(server.port, next);
      assert.equal(joined.status, '101');
      await leave(joined);
    }
  };
  await Promise.all(Array.from({ length: at_once }, worker));
  return (cpuOf(server.pid) - before) / fields.length / 1000;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function verificationByOpenssl() {
  const text = execFileSync('openssl', ['speed', '-seconds', '1', 'ecdsap256'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return 1e6 / Number(/nistp256\)\s+\S+\s+\S+\s+\S+\s+(\S+)/.exec(text)[1]);
}

async function times(connections) {
  const names = Object.keys(keys);
  const servers = await Promise.all(names.map((name) => start(name)));
  const bare = [];
  const figures = names.map(() => []);
  for (let round = 0; round < rounds; ++round) {
    bare.push(verificationByOpenssl());
    for (const [i, name] of names.entries()) figures[i].push(await timeOf(servers[i], fieldsOf(name, connections)));
  }
  for (const server of servers) await server.stop();
  const without = figures[0];
  console.log('| CPU time per connection | us | times without token | without OpenSSL\'s verification |\n| --- | --: | --: | --: |');
  for (const [i, name] of names.entries()) {
    const taken = (round) => (name === 'ES256' ? bare[round] : 0);
    const ratio = (less) => median(figures[i].map((us, round) => (us - less(round)) / without[round])).toFixed(2);
    const label = name === 'none' ? 'without token' : name;
    console.log(`| ${label} | ${median([...figures[i]]).toFixed(1)} | ${ratio(() => 0)} × | ${ratio(taken)} × |`);
  }
  console.log(`| OpenSSL: one ES256 verification | ${median(bare).toFixed(1)} | | |`);
}

// --- Storm ---

/** The longest turn of the loop as far as the buckets tell: [turns above 10 ms, all]. */
async function turns(server) {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const of = (le) => Number(new RegExp(`roomcast_turn_duration_seconds_bucket\\{le="${le}"\\} (\\d+)`).exec(text)?.[1]);
  return { within: of('0\\.01'), all: of('\\+Inf') };
}

async function storm(algorithm, clients) {
  const fields = fieldsOf(algorithm, clients);
  const server = await start(algorithm, { set: { 'websocket.ping_seconds': 3600 } });
  const begun = performance.now();
  const joined = await Promise.all(fields.map((each) => join(server.port, each)));
  const seconds = (performance.now() - begun) / 1000;
  const refused = joined.filter(({ status }) => status !== '101');
  const { within, all } = await turns(server);
  const name = algorithm === 'none' ? 'without token' : algorithm;
  const reasons = [...new Set(refused.map(({ status }) => status))].join(' ');
  console.log(`| ${clients} at once, ${name} | ${refused.length} ${reasons} | ${seconds.toFixed(2)} | ${all - within} of ${all} |`);
  for (const { socket } of joined) socket.destroy();
  await server.stop();
}

async function storms(clients) {
  console.log('| storm | refused | all in after, s | turns above 10 ms |\n| --- |' + ' --: |'.repeat(3));
  for (const algorithm of Object.keys(keys)) await storm(algorithm, clients);
}

const [wanted = '', clients = 15_000] = process.argv.slice(2);
if ('instructions'.includes(wanted)) await instructions();
if ('time'.includes(wanted)) await times(2_000);
if ('storm'.includes(wanted)) await storms(Number(clients));
