// Every setting that a reload applies is tested by its effect: a change that is only logged is found here.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { ByteSocket } from '../support/byte_socket.js';
import { eventually, patience, seconds, sleep, within } from '../support/deadline.js';
import { JsonClient } from '../support/json_client.js';
import { fetchOnce } from '../support/raw_http.js';
import { sanitized } from '../support/sanitized.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { binary, cleanEnvironment, runToEnd, Server } from '../support/server.js';
import { hmacToken } from '../support/tokens.js';
import { attempt, connect } from '../support/wire_client.js';
import { CLOSE, PING, close, continuation, text } from '../support/ws_frames.js';

const directory = scratchDirectory();
const config = path.join(directory, 'roomcast.toml');
const old = makeCertificate(directory, 'old.example');
const fresh = makeCertificate(directory, 'fresh.example');
const users = path.join(directory, 'users');
execFileSync(binary, ['user', 'add', 'ada', '--file', users], { input: 'correct horse\n', env: cleanEnvironment() });
// Deadlines that would expire while a probe waits are long until one of them is set.
const far = Object.fromEntries(['http.head_timeout', 'http.body_timeout', 'http.idle_timeout', 'websocket.pong_timeout', 'websocket.close_timeout', 'presence.grace'].map((key) => [`${key}_seconds`, 300]));
// There is a store, but no room uses it until a probe says so.
const store = { 'store.path': JSON.stringify(path.join(directory, 'store')), 'history.durability': '"none"' };
const base = { ...far, ...store, 'limits.connections_per_address': 100000, 'tls.certificate': JSON.stringify(old.certificate), 'tls.key': JSON.stringify(old.key) };

/** `settings` (dotted key → TOML) over the base ones; top-level keys first, `rules` last. */
function write(settings = {}, rules = '') {
  const all = Object.entries({ ...base, ...settings }).sort(([a], [b]) => a.includes('.') - b.includes('.'));
  fs.writeFileSync(config, `${all.map(([key, value]) => `${key} = ${value}`).join('\n')}\n${rules}`);
}

// The start has a short deadline for heads: after a reload it must no longer apply.
write({ 'http.head_timeout_seconds': 0.3 });
const server = new Server([binary, '--config', config, '--listen', 'http://127.0.0.1:0', '--listen', 'https://127.0.0.1:0'], { urlCount: 2 });
await server.waitUntilReady();
const https = server.urlOf('https:');

async function reload() {
  const mark = server.mark();
  server.reload();
  await server.waitForLog(/\breloaded\b/, { mark });
}

// Messages so large that a few of them exceed the kernel's buffers for a client that does not read.
const large = { 'limits.message_bytes': 1_048_576, 'limits.body_bytes': 1_048_576 };
const megabyte = 'x'.repeat(1_048_576);

let rooms = 0;
const newRoom = () => `reload/${(rooms += 1)}`;
const post = (room, body, headers = {}) => fetchOnce(server.url, 'POST', `/rooms/${room}`, { body, headers: { 'Content-Type': 'text/plain', ...headers } });
const get = (target, headers = {}) => fetchOnce(server.url, 'GET', target, { headers });
const batch = (messages) => fetchOnce(server.url, 'POST', '/api/publish', { body: JSON.stringify({ messages }), headers: { 'Content-Type': 'application/json' } });

const withUsers = { beside: { 'auth.users_file': JSON.stringify(users) } };
/** The Set-Cookie of signing in. */
async function login() {
  const answer = await fetchOnce(server.url, 'POST', '/api/login', { body: '{"user":"ada","password":"correct horse"}', headers: { 'Content-Type': 'application/json' } });
  return answer.header('set-cookie');
}

/** Whether `promise` settles within `ms`. */
const soon = (promise, ms) => within(ms, promise, 'it').then(() => true, (error) => /^not within/.test(error.message) ? false : Promise.reject(error));
const ends = async (socket, ms) => {
  try {
    return await soon(socket.rest({ allowReset: true, ms: 2 * patience }), ms);
  } finally {
    socket.destroy();
  }
};
/** Whether the server closes with `code`, while pings are unanswered. */
async function closes(client, code, ms) {
  const closed = (async () => {
    for (;;) {
      const next = await client.next(2 * patience);
      if (next.opcode === CLOSE) return assert.equal(next.payload.readUInt16BE(), code);
    }
  })();
  closed.catch(() => {});
  try {
    return await soon(closed, ms);
  } finally {
    client.destroy();
  }
}
async function kept(room) {
  for (let i = 0; i < 3; i += 1) assert.equal((await post(room, `${i}`)).status, 200);
  await sleep(20);
  return JSON.parse((await get(`/rooms/${room}?history=10`)).text).messages.length;
}
const subjectOf = async (servername) => {
  const socket = await ByteSocket.open(https, { tlsOptions: { servername } });
  const { CN } = socket.socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
};

/** The statuses of `count` requests, one after the other. */
async function statusesOf(count, request) {
  const statuses = [];
  while (statuses.length < count) statuses.push((await request()).status);
  return statuses;
}
/** The error codes of the same request in three rooms over one connection. */
async function codesOf(request) {
  const client = await JsonClient.greeted(server, '/connect');
  const codes = [];
  while (codes.length < 3) codes.push((await client.ask({ ...request, room: newRoom() })).code);
  await client.close();
  return codes;
}
/** Rates let through what comes in a moment. */
const at_once = { 'rates.burst_seconds': '0.001' };

// A user who shows a token.
const secret = 'secret-of-tokens-0123456789abcdef';
const bearer = (claims) => ({ Authorization: `Bearer ${hmacToken(secret, { alg: 'HS256' }, claims)}` });
const tokens = `[{ algorithms = ["HS256"], secret = "${secret}" }]`;
const ada = bearer({ sub: 'ada' });
const withTokens = { beside: { 'auth.tokens': tokens } };
const withTokensAtOnce = { beside: { 'auth.tokens': tokens, ...at_once } };
const me = async (headers) => (await get('/api/me', headers)).json;
const forwarded = { 'Remote-User': 'ada', 'Remote-Groups': 'staff, dev', 'Remote-Name': 'Ada L.' };
const withProxy = { beside: { trusted_proxies: '["127.0.0.1"]', 'auth.proxy_user_header': '"Remote-User"' } };

const durable = { beside: { 'history.durability': '"sync"' } };
/** The number of pages that were not found in memory, while three messages of a room are read. */
async function pagesRead() {
  const read = () => server.metric('roomcast_store_page_seconds_count');
  const room = newRoom();
  for (let i = 0; i < 3; i += 1) assert.equal((await post(room, 'xxxx')).status, 200);
  const before = await read();
  assert.equal(JSON.parse((await get(`/rooms/${room}?history=3`)).text).messages.length, 3);
  return (await read()) - before;
}

const operator = 'key-of-ops-0123456789abcdef';
const operators = `[{ name = "ops", hash = "sha256:${createHash('sha256').update(operator).digest('hex')}", may = ["admin"], rooms = ["**"] }]`;

/**
 * By key: its new value, and a probe that returns whether it takes effect within `ms`. Before the reload it must not.
 * `beside`: other settings that make it visible, in effect before and after.
 */
const probes = {
  origins: ['["https://page.example"]', async () => (await post(newRoom(), 'x', { Origin: 'https://page.example' })).status === 200],
  hosts: ['["named.example"]', async () => {
    const statuses = await Promise.all(['named.example', 'other.example'].map(async (Host) => (await get('/healthz', { Host })).status));
    return statuses.join() === '200,421';
  }],
  trusted_proxies: ['["127.0.0.1"]', async () => {
    const headers = { Host: 'chat.example', Origin: 'https://chat.example', 'X-Forwarded-Proto': 'https' };
    return (await post(newRoom(), 'x', headers)).status === 200;
  }],
  rooms: ['', async () => (await kept(`ruled/${newRoom()}`)) === 1, { rules: '[[rooms]]\nmatch = "ruled/**"\nhistory_messages = 1\n' }],
  access: ['', async () => (await post(newRoom(), 'x')).status === 401, { rules: '[[access]]\nrooms = "**"\nwho = "user"\nmay = ["join"]\n' }],
  'limits.message_bytes': ['10', async () => (await post(newRoom(), 'x'.repeat(11))).status === 413],
  'limits.fragments': ['2', async (ms) => {
    const client = await connect(server.url, { path: `/rooms/${newRoom()}` });
    for (const one of [text('a', { fin: false }), continuation('b', { fin: false }), continuation('c')]) await client.write(one);
    return closes(client, 1009, ms);
  }],
  'limits.body_bytes': ['100', async () => (await post(newRoom(), 'x'.repeat(101))).status === 413],
  'limits.header_bytes': ['300', async () => (await get('/healthz', { 'X-Long': 'x'.repeat(300) })).status === 431],
  'limits.header_count': ['4', async () => (await get('/healthz', { A: 1, B: 1, C: 1, D: 1 })).status === 431],
  'limits.uri_bytes': ['50', async () => (await get(`/${'x'.repeat(50)}`)).status === 414],
  'limits.connections': ['2', async () => {
    const clients = [await connect(server.url), await connect(server.url)];
    const { status } = await get('/');
    clients.forEach((client) => client.destroy());
    return status === 503;
  }],
  'limits.connections_per_address': ['1', async () => {
    const client = await connect(server.url);
    const { status } = await get('/healthz');
    client.destroy();
    return status === 429;
  }],
  'limits.handshakes_per_address': ['1', async () => {
    const socket = await ByteSocket.open(server.url);
    const { status } = await get('/healthz');
    socket.destroy();
    return status === 429;
  }],
  'rates.address_connects_per_second': ['1', async () => (await statusesOf(3, () => get('/healthz'))).includes(429), { beside: at_once }],
  'rates.address_requests_per_second': ['1', async () => (await statusesOf(3, () => get('/healthz'))).includes(429), { beside: at_once }],
  'rates.address_joins_per_second': ['1', async () => (await statusesOf(3, () => get(`/rooms/${newRoom()}`))).includes(429), { beside: at_once }],
  'rates.address_publishes_per_second': ['1', async () => (await statusesOf(3, () => post(newRoom(), 'x'))).includes(429), { beside: at_once }],
  'rates.address_publish_bytes_per_second': ['1', async () => (await statusesOf(3, () => post(newRoom(), 'xxxx'))).includes(429), { beside: at_once }],
  'rates.connection_joins_per_second': ['1', async () => (await codesOf({ type: 'subscribe' })).includes('rate_limited'), { beside: at_once }],
  'rates.connection_publishes_per_second': ['1', async () => (await codesOf({ type: 'publish', data: 1 })).includes('rate_limited'), { beside: at_once }],
  'rates.connection_publish_bytes_per_second': ['1', async () => (await codesOf({ type: 'publish', data: 1111 })).includes('rate_limited'), { beside: at_once }],
  'rates.burst_seconds': ['0.001', async () => (await statusesOf(3, () => post(newRoom(), 'x'))).includes(429), { beside: { 'rates.address_publishes_per_second': '1' } }],
  'rates.table_bytes': ['65_536', async () => {
    for (let i = 0; i < 100; i += 1) await post('table', 'x', { 'X-Forwarded-For': `192.0.2.${i}` });
    return (await server.metric('roomcast_rates_bytes')) <= 65_536;
  }, { beside: { trusted_proxies: '["127.0.0.1"]', 'rates.address_publishes_per_second': '1' } }],
  'room_defaults.publish_only_keys': ['true', async () => (await post(newRoom(), 'x')).status === 403],
  'room_defaults.members_max': ['1', async () => {
    const room = newRoom();
    const client = await connect(server.url, { path: `/rooms/${room}` });
    const { status } = await get(`/rooms/${room}`);
    client.destroy();
    return status === 503;
  }],
  'room_defaults.message_bytes': ['3', async () => (await post(newRoom(), 'xxxx')).status === 413],
  'room_defaults.messages_per_second': ['1', async (_ms, room = newRoom()) => (await statusesOf(3, () => post(room, 'x'))).includes(429), { beside: at_once }],
  'room_defaults.slow_mode_seconds': ['60', async (_ms, room = newRoom()) => (await statusesOf(2, () => post(room, 'x'))).includes(429)],
  'room_defaults.hidden_members': ['true', async () => {
    const client = await JsonClient.greeted(server, `/rooms/${newRoom()}?presence=1&name=ada`);
    await client.close();
    return client.ok.presence.members === undefined;
  }],
  'room_defaults.echo': ['false', async () => {
    const client = await JsonClient.greeted(server, `/rooms/${newRoom()}`);
    await client.ask({ type: 'publish', data: 1 });
    await post(client.ok.room, 'the next');
    const [{ data }] = await client.messages(1);
    await client.close();
    return data === 'the next';
  }],
  'limits.json_depth': ['3', async () => (await post(newRoom(), '[[[[1]]]]', { 'Content-Type': 'application/json' })).status === 400],
  'limits.rooms_per_connection': ['1', async () => {
    const client = await JsonClient.greeted(server, '/connect');
    await client.ask({ type: 'subscribe', room: newRoom() });
    const { code } = await client.ask({ type: 'subscribe', room: newRoom() });
    await client.close();
    return code === 'too_many_rooms';
  }],
  'limits.batch_messages': ['1', async () => (await batch([{ room: newRoom(), data: 1 }, { room: newRoom(), data: 2 }])).status !== 200],
  'limits.batch_bytes': ['5', async () => (await batch([{ room: newRoom(), data: 'more than five' }])).status !== 200],
  'limits.idempotency_bytes': ['0', async () => (await post(newRoom(), 'x', { 'Idempotency-Key': newRoom() })).status === 503],
  'limits.sanctions_bytes': ['0', async () => {
    const headers = { Authorization: `Bearer ${operator}`, 'Content-Type': 'application/json' };
    return (await fetchOnce(server.url, 'POST', '/api/bans', { headers, body: '{"user":"nobody"}' })).status === 503;
  }, { beside: { 'auth.keys': operators } }],
  'limits.queue_bytes': ['67_108_864', async () => {
    const room = newRoom();
    const closed = () => server.metric('roomcast_sessions_closed_total', /slow_consumer/);
    const before = await closed();
    const stuck = await connect(server.url, { path: `/rooms/${room}` });
    stuck.socket.pauseReading();
    for (let i = 0; i < 20; i += 1) assert.equal((await post(room, megabyte)).status, 200);
    const is_closed = await soon(eventually(async () => (await closed()) > before, 'the end', 2 * patience), seconds(1.5));
    stuck.destroy();
    return !is_closed;
  }, { beside: { ...large, 'websocket.close_timeout_seconds': '0.1' } }],
  'limits.memory_bytes': ['1_048_576', async () => (await post(newRoom(), 'x')).status === 503],
  'limits.address_memory_bytes': ['100_000', async (ms) => {
    const shed = () => server.metric('roomcast_holders_shed_total');
    const before = await shed();
    const client = await connect(server.url);
    await client.write(text(megabyte, { fin: false }));
    try {
      return await soon(eventually(async () => (await shed()) > before, 'the end', 2 * patience), ms);
    } finally {
      client.destroy();
    }
  }, { beside: large }],
  'history.messages': ['1', async () => (await kept(newRoom())) === 1],
  'history.bytes': ['0', async () => (await kept(newRoom())) === 0],
  'history.age_seconds': ['0.001', async (ms) => {
    const room = newRoom();
    await post(room, 'x');
    const isEmpty = async () => JSON.parse((await get(`/rooms/${room}?history=10`)).text).messages.length === 0;
    return soon(eventually(isEmpty, 'an empty room', 2 * patience), ms);
  }],
  'history.total_bytes': ['0', async () => (await kept(newRoom())) === 0],
  'history.durability': ['"sync"', async () => (await post(newRoom(), 'x')).json.durable === true],
  'store.commit_ms': ['1000', async () => {
    const commits = () => server.metric('roomcast_store_commit_seconds_count');
    const room = newRoom();
    const before = await commits();
    for (let i = 0; i < 20; i += 1) {
      assert.equal((await post(room, 'x')).status, 200);
      await sleep(20);
    }
    return (await commits()) - before < 10;
  }, { beside: { 'history.durability': '"async"' } }],
  'store.ack_timeout_seconds': ['0.05', async () => {
    const room = newRoom();
    const statuses = [];
    while (statuses.length < 2) statuses.push((await post(room, 'x')).status);
    return statuses.includes(504);
  }, { beside: { ...durable.beside, 'store.commit_ms': '1000' } }],
  'store.queue_bytes': ['1_048_576', async () => (await post(newRoom(), megabyte)).status === 503, { beside: { ...durable.beside, ...large } }],
  'store.fold_bytes': ['1_048_576', async (ms) => {
    const folds = () => server.metric('roomcast_store_fold_seconds_count');
    const room = newRoom();
    // Once it may have been for another reason: a fold does not wait for ever.
    for (let i = 0; i < 2; i += 1) {
      const before = await folds();
      for (let k = 0; k < 2; k += 1) assert.equal((await post(room, megabyte)).status, 200);
      if (!(await soon(eventually(async () => (await folds()) > before, 'a fold', 2 * patience), ms))) return false;
    }
    return true;
  }, { beside: { ...durable.beside, ...large } }],
  'store.ring_messages': ['1', async () => (await pagesRead()) > 0, durable],
  'store.ring_bytes': ['1', async () => (await pagesRead()) > 0, durable],
  'presence.grace_seconds': ['0', async (ms) => {
    const room = newRoom();
    const client = await connect(server.url, { path: `/rooms/${room}?name=ada` });
    await client.close();
    return soon(eventually(async () => JSON.parse((await get(`/presence/${room}`)).text).count === 0, 'an empty room', ms), 2 * ms).catch(() => false);
  }],
  'presence.crowd': ['0', async () => {
    const room = newRoom();
    const client = await connect(server.url, { path: `/rooms/${room}?name=ada` });
    const { members } = JSON.parse((await get(`/presence/${room}`)).text);
    client.destroy();
    return !members?.length;
  }],
  'tls.certificate': [JSON.stringify(fresh.certificate), async () => (await subjectOf('x.example')) === 'fresh.example', { also: { 'tls.key': JSON.stringify(fresh.key) } }],
  'tls.key': [JSON.stringify(fresh.key), async () => (await subjectOf('x.example')) === 'fresh.example', { also: { 'tls.certificate': JSON.stringify(fresh.certificate) } }],
  'tls.certificates': [`[{ certificate = ${JSON.stringify(fresh.certificate)}, key = ${JSON.stringify(fresh.key)} }]`, async () => (await subjectOf('fresh.example')) === 'fresh.example'],
  'http.head_timeout_seconds': ['0.2', async (ms) => {
    // Also for a TLS handshake, as the key says.
    const plain = await ByteSocket.open(server.url);
    await plain.write('GET / HTTP/1.1\r\n');
    const silent = await ByteSocket.open(https.replace('https:', 'http:'));
    const begun = await ByteSocket.open(https.replace('https:', 'http:'));
    await begun.write(Buffer.from([0x16, 0x03, 0x01, 0x02]));
    const ended = await Promise.all([plain, silent, begun].map((socket) => ends(socket, ms)));
    assert.ok(ended.every((one) => one === ended[0]), `plain, silent over TLS, begun over TLS: ${ended}`);
    return ended[0];
  }],
  'http.body_timeout_seconds': ['0.2', async (ms) => {
    const socket = await ByteSocket.open(server.url);
    await socket.write('POST /rooms/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nx');
    return ends(socket, ms);
  }],
  'http.idle_timeout_seconds': ['0.2', async (ms) => {
    const socket = await ByteSocket.open(server.url);
    await socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return ends(socket, ms);
  }],
  'http.poll_wait_seconds': ['0.1', async (ms) => {
    const room = newRoom();
    const { cursor } = JSON.parse((await post(room, 'x')).text);
    return soon(get(`/rooms/${room}?since=${cursor}&wait=40`), ms);
  }],
  'auth.keys': [operators, async () => (await get('/api/info', { Authorization: `Bearer ${operator}` })).status === 200],
  'cors.credentials': ['true', async () => (await get('/rooms/x', { Origin: 'https://page.example' })).header('access-control-allow-credentials') === 'true', { beside: { origins: '["https://page.example"]' } }],
  'cors.headers': ['["x-mine"]', async () => {
    const headers = { Origin: 'https://page.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-mine' };
    return /\bx-mine\b/.test((await fetchOnce(server.url, 'OPTIONS', '/rooms/x', { headers })).header('access-control-allow-headers'));
  }, { beside: { origins: '["https://page.example"]' } }],
  'web.content_security_policy': ['"default-src *"', async () => (await get('/')).header('content-security-policy') === 'default-src *'],
  'http.compression': ['false', async () => {
    const room = newRoom();
    await post(room, 'x'.repeat(5000));
    return (await get(`/rooms/${room}?history=1`, { 'Accept-Encoding': 'gzip' })).header('content-encoding') === undefined;
  }],
  'websocket.ping_seconds': ['0.1', async (ms) => {
    const client = await connect(server.url);
    const pinged = await soon(client.next(2 * patience).then(({ opcode }) => assert.equal(opcode, PING)), ms);
    client.destroy();
    return pinged;
  }],
  'websocket.pong_timeout_seconds': ['0.1', async (ms) => {
    const client = await connect(server.url);
    try {
      return await soon((async () => {
        while ((await client.next(2 * patience)).opcode === PING);
      })().catch(() => {}), ms);
    } finally {
      client.destroy();
    }
  }, { beside: { 'websocket.ping_seconds': '0.1' } }],
  'websocket.close_timeout_seconds': ['0.1', async (ms) => {
    // Queued data is waited for as long after the client has closed.
    const room = newRoom();
    const closed = () => server.metric('roomcast_sessions_closed_total', /close_timeout|client_closed|connection_lost/);
    const before = await closed();
    const stuck = await connect(server.url, { path: `/rooms/${room}` });
    stuck.socket.pauseReading();
    for (let i = 0; i < 20; i += 1) assert.equal((await post(room, megabyte)).status, 200);
    await stuck.write(close(1000));
    try {
      return await soon(eventually(async () => (await closed()) > before, 'the end', 2 * patience), ms);
    } finally {
      stuck.destroy();
    }
  }, { beside: { ...large, 'limits.queue_bytes': '67_108_864' } }],
  'websocket.message_timeout_seconds': ['0.1', async (ms) => {
    const client = await connect(server.url);
    await client.write(text('begun', { fin: false }));
    return closes(client, 1008, ms);
  }, { beside: { 'websocket.ping_seconds': '0.1' } }],
  'auth.tokens': [tokens, async () => (await me(ada)).user === 'ada'],
  'auth.leeway_seconds': ['3600', async () => (await get('/api/me', bearer({ sub: 'ada', exp: Math.floor(Date.now() / 1000) - 1000 }))).status === 200, withTokens],
  'auth.authenticate_seconds': ['7', async () => {
    const client = await JsonClient.open(server, '/rooms/members');
    const { authenticate_ms } = await client.next();
    await client.close();
    return authenticate_ms === 7000;
  }, { beside: { 'auth.tokens': tokens, access: '[{ rooms = "members", who = "user", may = ["join"] }]' } }],
  'auth.proxy_user_header': ['"Remote-User"', async () => (await me(forwarded)).user === 'ada', { beside: { trusted_proxies: '["127.0.0.1"]' } }],
  'auth.proxy_groups_header': ['"Remote-Groups"', async () => (await me(forwarded)).roles?.join() === 'staff,dev', withProxy],
  'auth.proxy_name_header': ['"Remote-Name"', async () => (await me(forwarded)).name === 'Ada L.', withProxy],
  'rates.user_connects_per_second': ['1', async () => {
    const statuses = [];
    while (statuses.length < 3) {
      const { socket, response } = await attempt(server.url, { path: `/rooms/${newRoom()}`, headers: ada });
      statuses.push(response.status);
      socket.destroy();
    }
    return statuses.includes(429);
  }, withTokensAtOnce],
  'rates.user_requests_per_second': ['1', async () => (await statusesOf(3, () => get('/api/me', ada))).includes(429), withTokensAtOnce],
  'rates.user_joins_per_second': ['1', async () => (await statusesOf(3, () => get(`/rooms/${newRoom()}`, ada))).includes(429), withTokensAtOnce],
  'rates.user_publishes_per_second': ['1', async () => (await statusesOf(3, () => post(newRoom(), 'x', ada))).includes(429), withTokensAtOnce],
  'rates.user_publish_bytes_per_second': ['10', async () => (await statusesOf(3, () => post(newRoom(), 'x'.repeat(100), ada))).includes(429), withTokensAtOnce],
  'limits.connections_per_user': ['1', async () => {
    const path_of = { path: `/rooms/${newRoom()}`, headers: ada };
    const first = await connect(server.url, path_of);
    const { socket, response } = await attempt(server.url, path_of);
    for (const one of [first.socket, socket]) one.destroy();
    return response.status === 429;
  }, withTokens],
  'auth.users_file': [JSON.stringify(users), async () => (await get('/api/login')).json.accounts],
  'auth.cookie': ['"chat"', async () => (await login()).startsWith('chat='), withUsers],
  'auth.session_seconds': ['90', async () => (await login()).includes('; Max-Age=90;'), withUsers],
  'auth.cookie_secret_file': [JSON.stringify(path.join(directory, 'secret')), async () => fs.existsSync(path.join(directory, 'secret')), withUsers],
  'log.level': ['"debug"', async (ms) => {
    const mark = server.mark();
    await get('/healthz');
    const socket = await ByteSocket.open(server.url);
    socket.abort();
    return server.waitForLog(/\bdebug\b/i, { mark, ms }).then(() => true, () => false);
  }],
  'log.format': ['"json"', async (ms) => {
    const mark = server.mark();
    (await connect(server.url)).destroy();
    return server.waitForLog(/^\{/, { mark, ms }).then(() => true, () => false);
  }],
  'log.lines_per_second': ['2', async (ms) => {
    const mark = server.mark();
    for (let i = 0; i < 10; i += 1) server.process.kill('SIGUSR1') && (await server.waitForLog(/SIGHUP reloads/, { mark, ms: 100 }).catch(() => {}));
    return server.waitForLog(/suppressed/, { mark, ms }).then(() => true, () => false);
  }],
};
/** Settings whose effect shows only when the server ends. */
const at_the_end = { drain_delay_seconds: '1.5', drain_seconds: '2.5' };
describe('a reload', () => {
  after(() => server.running && server.kill());

  it('has a probe for every key that it applies', async () => {
    const { stdout } = await runToEnd(['--print-reference', 'markdown']);
    const keys = [...stdout.matchAll(/^\| `([a-z_.]+)` .*\| at reload \|/gm)].map(([, key]) => key);
    assert.ok(keys.length > 30, stdout);
    assert.deepEqual(keys.filter((key) => !(key in probes) && !(key in at_the_end) && key !== 'redis.publish_seconds'), [], 'that one is in 141_redis_outage');
  });

  // Sanitizer allocators do not report the memory in use.
  const seen_here = Object.entries(probes).filter(([key]) => !(sanitized && key === 'limits.memory_bytes'));
  for (const [key, [value, probe, { rules, also = {}, beside = {} } = {}]] of seen_here) {
    it(`${key} takes effect`, async () => {
      write(beside);
      await reload();
      assert.equal(await probe(400), false, 'it is seen before it is set');
      write({ ...beside, ...also, ...(value && { [key]: value }) }, rules);
      await reload();
      assert.equal(await probe(patience), true);
      write();
      await reload();
    });
  }

  it('limits.memory_bytes holds from the next request on, set and taken back', { skip: sanitized }, async () => {
    const statuses = [];
    for (let i = 0; i < 5; i += 1) {
      write({ 'limits.memory_bytes': '1_048_576' });
      await reload();
      statuses.push((await post(newRoom(), 'x')).status);
      write();
      await reload();
      statuses.push((await post(newRoom(), 'x')).status);
    }
    assert.deepEqual(statuses, Array(5).fill([503, 200]).flat());
  });

  it('drain_delay_seconds and drain_seconds take effect at the end', async () => {
    write(at_the_end);
    await reload();
    const mark = server.mark();
    server.process.kill('SIGTERM');
    await server.waitForLog(/stopping.*drain_delay_seconds=1\.5 drain_seconds=2\.5/, { mark });
    assert.equal((await get('/readyz')).status, 503);
    await server.expectExit(0);
  });
});
