// Tokens that are revoked, run out or are renewed, and bans, while a thousand clients are connected over all transports: those
// concerned end at once and see why, a poll that waits too; everybody else goes on.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { METRICS } from '../support/contract.js';
import { eventually, seconds as patient_ms } from '../support/deadline.js';
import { JsonClient } from '../support/json_client.js';
import { HttpConnection, fetchOnce, requestBytes } from '../support/raw_http.js';
import { RoomStream } from '../support/room_stream.js';
import { sanitized } from '../support/sanitized.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer, sumOf } from '../support/server.js';
import { makeIssuer, seconds } from '../support/tokens.js';
import { connect } from '../support/wire_client.js';

const issuer = await makeIssuer('HS256');
const root = 'key-of-root-0123456789abcdef';
const bearer = (token) => ({ Authorization: `Bearer ${token}` });
const directory = scratchDirectory({
  'roomcast.toml': `trusted_proxies = ["127.0.0.1"]
[[auth.tokens]]
algorithms = ["HS256"]
secret = ${JSON.stringify(issuer.key)}
[[auth.keys]]
name = "root"
hash = "sha256:${createHash('sha256').update(root).digest('hex')}"
may = ["admin", "join", "publish"]
rooms = ["**"]
[[access]]
rooms = "members/*"
who = "user"
may = ["join", "history"]
`,
});

// A build with sanitizers takes many times as long, even more so where every read is tiny.
const share = !sanitized ? 1 : process.env.NET_CHAOS ? 0.08 : 0.25;
const some = (count) => Math.ceil(count * share);
/** How long tokens live that run out: their clients are connected by then. */
const life_s = patient_ms(6) / 1000;

const rooms = ['members/a', 'members/b', 'members/c', 'members/d'];
const datas = ({ messages }) => messages.map(({ data }) => data);

/** Joins over one transport; `take` returns the next message, `end` waits for the end by the server: close code and code or text. */
class Raw {
  async join(url, room, headers) {
    this.client = await connect(url, { path: `/rooms/${room}`, headers });
  }

  take() {
    return this.client.nextText();
  }

  async end(code) {
    return [code, await this.client.expectClose(code)];
  }

  leave() {
    this.client.destroy();
  }
}

class Json {
  async join(url, room, headers) {
    this.client = await JsonClient.greeted({ url }, `/rooms/${room}`, { headers });
    assert.equal(this.client.ok.type, 'ok');
  }

  async take() {
    return (await this.client.messages(1))[0].data;
  }

  async end() {
    const bye = await this.client.next(({ type }) => type === 'bye', 'a bye');
    assert.equal((await this.client.closed).code, bye.code);
    return [bye.code, bye.message];
  }

  leave() {
    this.client.socket.terminate();
  }
}

class Stream {
  constructor(kind) {
    this.kind = kind;
  }

  async join(url, room, headers) {
    this.client = await RoomStream.open(url, room, { kind: this.kind, headers });
  }

  async #event(wanted) {
    for (;;) {
      const { type, data, ...rest } = this.kind === 'sse' ? await this.client.event() : await this.client.line();
      if (type !== wanted) continue;
      return wanted === 'bye' && this.kind === 'sse' ? JSON.parse(data) : { data, ...rest };
    }
  }

  async take() {
    return (await this.#event('message')).data;
  }

  async end() {
    const { code, message } = await this.#event('bye');
    await this.client.expectEnd();
    return [code, message];
  }

  leave() {
    this.client.destroy();
  }
}

class Poll {
  async join(url, room, headers) {
    Object.assign(this, { room, headers, connection: await HttpConnection.open(url) });
    await this.#ask('');
  }

  #ask(since) {
    return this.connection.send(requestBytes('GET', `/rooms/${this.room}?wait=600${since}`, { headers: this.headers }));
  }

  async take() {
    const { status, json } = await this.connection.read();
    assert.equal(status, 200);
    await this.#ask(`&since=${json.cursor}`);
    return datas(json).join();
  }

  async end() {
    const { status, json } = await this.connection.read();
    return [status, json.error.message, json.error.code];
  }

  leave() {
    this.connection.close();
  }
}

const ways = {
  raw: () => new Raw(),
  v1: () => new Json(),
  sse: () => new Stream('sse'),
  ndjson: () => new Stream('stream'),
  poll: () => new Poll(),
};

describe('rights while a thousand clients are connected', () => {
  let server;
  /** Who is connected: `{way, group, room, client}`. */
  let present = [];
  let published = 0;

  const call = (method, target, body) => fetchOnce(server.url, method, target, { headers: { ...bearer(root), 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) });
  const of = (group) => present.filter((one) => one.group === group);

  /** Connects `count` over each of `over`, with `token`, from `address`. */
  async function enter(group, count, token, { address = '198.51.100.1', over = Object.keys(ways) } = {}) {
    const all = over.flatMap((way) => Array.from({ length: some(count) }, (_, i) => ({ way, group, room: rooms[i % rooms.length], client: ways[way]() })));
    const headers = { ...bearer(token), 'X-Forwarded-For': address };
    for (let i = 0; i < all.length; i += 50) {
      await Promise.all(all.slice(i, i + 50).map(({ client, room }) => client.join(server.url, room, headers)));
    }
    present.push(...all);
  }

  /** Everybody who should be is in a room, polls too, and nobody else. */
  async function allArePresent() {
    for (const room of rooms) {
      const count = present.filter((one) => one.room === room).length;
      await eventually(async () => (await call('GET', `/api/rooms/${room}`)).json.subscribers === count, `${count} in ${room}`);
    }
  }

  /** Everybody who is there gets a message of each room, and nothing else before it. */
  async function allGetNext() {
    await allArePresent();
    published += 1;
    for (const room of rooms) {
      const { status, json } = await call('POST', '/api/publish', { messages: [{ room, data: `${published} of ${room}` }] });
      assert.equal(status, 200);
      assert.equal(json.results[0].subscribers, present.filter((one) => one.room === room).length);
    }
    const taken = await Promise.all(present.map(({ client }) => client.take()));
    assert.deepEqual(taken, present.map(({ room }) => `${published} of ${room}`));
  }

  /**
   * `act` ends the clients of `group`, and no others: with `close` over transports that stay, with `status` and `code` polls, all
   * with a text that matches `why`; and they are counted under `reason` and `code`.
   */
  async function ends(group, act, { close, status, code, reason, why }) {
    const gone = of(group);
    assert.ok(gone.length >= 5);
    await allArePresent();
    const before_it = await server.metrics();
    await act();
    present = present.filter((one) => one.group !== group);
    for (const { way, client } of gone) {
      const [end, text, poll_code] = await client.end(close);
      assert.deepEqual([way, end], [way, way === 'poll' ? status : close]);
      assert.match(text, why);
      if (way === 'poll') assert.equal(poll_code, code);
      client.leave();
    }
    await allArePresent();
    const since = (samples, name, labels) => sumOf(samples, name, labels) - sumOf(before_it, name, labels);
    const polls = gone.filter(({ way }) => way === 'poll').length;
    const samples = await server.metrics();
    assert.equal(since(samples, METRICS.closes, new RegExp(`"${reason}"`)), gone.length - polls);
    assert.equal(since(samples, METRICS.closes), gone.length - polls);
    assert.ok(since(samples, 'roomcast_refusals_total', new RegExp(`"${code}"`)) >= polls);
    assert.equal(sumOf(samples, METRICS.connections, /"poll"/), of_polls());
    await allGetNext();
  }
  const of_polls = () => present.filter(({ way }) => way === 'poll').length;

  before(async () => {
    server = await startServer({ args: ['--config', path.join(directory, 'roomcast.toml')], set: { 'auth.leeway_seconds': 0, 'http.poll_wait_seconds': 600, 'websocket.ping_seconds': 300 } });
    const now = seconds();
    await enter('revoked', 25, await issuer.token({ sub: 'ada', jti: 'one' }));
    await enter('other token', 40, await issuer.token({ sub: 'ada', jti: 'two' }));
    await enter('older', 25, await issuer.token({ sub: 'olga', iat: now - 100 }));
    await enter('newer', 35, await issuer.token({ sub: 'olga', iat: now - 50 }));
    await enter('banned', 25, await issuer.token({ sub: 'ben' }));
    await enter('address', 25, await issuer.token({ sub: 'ann' }), { address: '192.0.2.7' });
  });
  after(async () => {
    for (const { client } of present) client.leave();
    await server.stop();
  });

  it('all get what is published', () => allGetNext());

  it('a token that runs out ends its clients, and those with a newer one go on', async () => {
    const token = (sub, lives_s) => issuer.token({ sub, exp: seconds() + lives_s });
    await enter('renewed', 25, await token('rita', life_s), { over: ['v1'] });
    const renewed = of('renewed').map(({ client }) => client.client);
    await enter('expires', 25, await token('emil', life_s));
    const newer = await token('rita', 300);
    await ends('expires', async () => {
      await Promise.all(renewed.map(async (client) => {
        await client.next(({ type }) => type === 'expires', 'the warning');
        assert.equal((await client.ask({ type: 'authenticate', token: newer })).type, 'authenticated');
      }));
    }, { close: 3000, status: 401, code: 'token_expired', reason: 'unauthorized', why: /^token expired$/ });
    for (const client of renewed) assert.equal((await client.ask({ type: 'ping' })).type, 'ok');
  });

  it('a token that is revoked, and no other of the user', async () => {
    const act = async () => assert.equal((await call('POST', '/api/revoke', { jti: 'one' })).status, 200);
    await ends('revoked', act, { close: 3000, status: 401, code: 'token_revoked', reason: 'unauthorized', why: /^the token has been revoked$/ });
  });

  it('the tokens of a user that were issued before a time, and none of later', async () => {
    const act = async () => assert.equal((await call('POST', '/api/revoke', { user: 'olga', issued_before: seconds() - 75 })).status, 200);
    await ends('older', act, { close: 3000, status: 401, code: 'token_revoked', reason: 'unauthorized', why: /^tokens of this user issued before .* are revoked$/ });
    assert.equal(await server.metric('roomcast_sanctions', /"revocation"/), 2);
  });

  it('a ban of a user', async () => {
    const act = async () => assert.equal((await call('POST', '/api/bans', { user: 'ben', reason: 'spam' })).status, 200);
    await ends('banned', act, { close: 3003, status: 403, code: 'banned', reason: 'forbidden', why: /^banned: spam$/ });
  });

  it('a ban of an address', async () => {
    const act = async () => assert.equal((await call('POST', '/api/bans', { address: '192.0.2.0/24', reason: 'flood' })).status, 200);
    await ends('address', act, { close: 3003, status: 403, code: 'banned', reason: 'forbidden', why: /^banned: flood$/ });
    assert.equal(await server.metric('roomcast_sanctions', /"ban"/), 2);
  });
});
