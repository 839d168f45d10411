// Durable history over kill -9, moments after the first answer: what was answered in sync rooms is there once and in order, an
// offset never means two messages in any room, and a clean stop leaves no gap.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import WebSocket from 'ws';
import { chanceOf, seed } from '../support/chance.js';
import { patience, seconds, sleep, within } from '../support/deadline.js';
import { DurableLedger } from '../support/durable_ledger.js';
import { HttpConnection } from '../support/raw_http.js';
import { parseCursor } from '../support/room_client.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';

const slow = process.env.ROOMCAST_SLOW !== undefined;
const kills = Number(process.env.ROOMCAST_SOAK_KILLS ?? (slow ? 15 : 100));
const clean_restarts = slow ? 5 : Math.max(20, Math.min(100, kills / 10));
const levels = ['sync', 'sync', 'async', 'none'];
const rooms = Array.from({ length: 40 }, (_, i) => `${levels[i % 4]}/${i}`);
const levelOf = (room) => room.split('/')[0];
const config = scratchDirectory({
  'roomcast.toml': ['async', 'none'].map((level) => `[[rooms]]\nmatch = "${level}/**"\nhistory_durability = "${level}"\n`).join('\n'),
});
const set = { 'history.messages': 1_000_000, 'history.bytes': 67_108_864, 'history.age_seconds': 86_400 };
const running = new Set();

async function start(directory) {
  const server = await startServer({ args: ['--config', path.join(config, 'roomcast.toml')], set: { ...set, 'store.path': directory } });
  running.add(server);
  return server;
}

/** A connection of roomcast.v1 whose requests resolve to null when it ends. */
class Link {
  #waiting = new Map();
  #last = 0;
  received = []; // what belongs to no request, and replies to `subscribe`

  static async open(server) {
    const link = new Link();
    link.socket = new WebSocket(`${server.url.replace(/^http/, 'ws')}/connect`, 'roomcast.v1');
    link.socket.on('error', () => {});
    link.socket.on('message', (text) => link.#take(JSON.parse(text)));
    link.closed = new Promise((resolve) => link.socket.on('close', resolve)).then(() => link.#waiting.forEach((resolve) => resolve(null)));
    await within(patience, new Promise((resolve, reject) => link.socket.on('open', resolve).on('close', reject)), 'a handshake');
    return link;
  }

  #take(object) {
    const resolve = this.#waiting.get(object.id);
    this.#waiting.delete(object.id);
    if (resolve === undefined || object.type !== 'ok' || object.subscribers === undefined) this.received.push(object);
    resolve?.(object);
  }

  ask(request) {
    this.#last += 1;
    this.socket.send(JSON.stringify({ ...request, id: `${this.#last}` }));
    return new Promise((resolve) => this.#waiting.set(`${this.#last}`, resolve));
  }
}

/** One publish over HTTP: the receipt, or null if the server has ended. */
async function postOn(connection, room, data, key) {
  const headers = { 'Content-Type': 'text/plain', 'Idempotency-Key': key };
  const response = await connection.request('POST', `/rooms/${room}`, { body: data, headers }).catch(() => null);
  if (response === null) return null;
  assert.equal(response.status, 200, response.text);
  return response.json;
}

/** All that follows `since`, page by page; `ledger` looks at each. */
async function readOn(connection, ledger, room, since, who) {
  const all = [];
  const gaps = [];
  for (let at = since; ;) {
    const response = await connection.request('GET', `/rooms/${room}?since=${at}`);
    assert.equal(response.status, 200, response.text);
    const { gap, messages, cursor } = response.json;
    at = ledger.follow(room, at, gap, messages, who);
    all.push(...messages);
    if (gap) gaps.push(gap);
    assert.equal(cursor, at, `${who}: ${room}`);
    if (messages.length === 0 && !gap) return { at, all, gaps };
  }
}

/** What clients know over all restarts, and do between two of them. */
class Session {
  ledger = new DurableLedger(levelOf);
  #read = new Map(); // room → where a reader is that polls
  #live = new Map(); // room → where a subscriber is
  #first = new Map(); // room → its first cursor
  #touched = new Map(); // room → publishes of this round: { data, key, receipt: undefined without an answer }
  #count = 0;
  repeats = 0;

  constructor(chance) {
    this.chance = chance;
  }

  async check(server, round, is_last) {
    const connection = await HttpConnection.open(server.url);
    const who = `after kill ${round}`;
    for (const room of is_last ? rooms : this.#touched.keys()) {
      const since = this.#read.get(room);
      if (since === undefined) continue;
      const { at } = await readOn(connection, this.ledger, room, since, who);
      this.#read.set(room, at);
      if (levelOf(room) !== 'none') assert.ok(parseCursor(at).offset >= this.ledger.topOf(room), `${who}: ${room} ends at ${at}`);
      if ((is_last || this.chance.happens(0.1)) && levelOf(room) !== 'none') {
        const { all, gaps } = await readOn(connection, this.ledger, room, this.#first.get(room), `${who}, from the first`);
        this.ledger.checkWhole(room, all, gaps, who);
      }
    }
    await this.#repeat(connection, who);
    connection.close();
  }

  /** What was not answered is published again, and some that was. */
  async #repeat(connection, who) {
    for (const [room, publishes] of this.#touched) {
      for (const { data, key, receipt: answer } of publishes) {
        if (answer !== undefined && !this.chance.happens(0.2)) continue;
        const receipt = await postOn(connection, room, data, key);
        this.repeats += 1;
        if (answer?.durable) assert.deepEqual([receipt.cursor, receipt.duplicate], [answer.cursor, true], `${who}: ${room} ${key}`);
        this.#note(room, data, receipt, `${who}, repeated`);
      }
    }
    this.#touched.clear();
  }

  #note(room, data, receipt, who) {
    this.ledger.answer(room, receipt, data, who);
    const { epoch, offset } = parseCursor(receipt.cursor);
    if (!this.#first.has(room)) {
      this.#first.set(room, `${epoch}-0`);
      this.#read.set(room, `${epoch}-${offset - 1}`);
    }
  }

  /** Publishes from all sides until the server is killed, `ms` after the first answer. */
  async publishUntilKilled(server, ms) {
    const live = await Link.open(server);
    const requests = rooms.map((room) => live.ask({ type: 'subscribe', room, ...(this.#live.has(room) && { since: this.#live.get(room) }) }));
    const joined = new Map((await Promise.all(requests)).map((reply, i) => [rooms[i], reply]));
    const answered = [];
    const publishing = [];
    for (let i = 0; i < 8; i += 1) {
      const connection = await HttpConnection.open(server.url);
      publishing.push(this.#publish(answered, (room, data, key) => postOn(connection, room, data, key)));
    }
    for (let i = 0; i < 4; i += 1) {
      const link = await Link.open(server);
      publishing.push(this.#publish(answered, (room, data, key) => link.ask({ type: 'publish', room, data, key })));
    }
    const all = Promise.all(publishing);
    await within(patience, Promise.race([new Promise((resolve) => (answered.push = resolve)), all]), 'the first answer');
    await sleep(ms);
    await server.kill();
    await within(patience, Promise.all([all, live.closed]), 'the end of all publishers');
    this.#followLive(live, joined);
  }

  async #publish(answered, send) {
    for (;;) {
      const room = this.chance.of(rooms);
      const data = `${(this.#count += 1)} ${'abcdefghij'.repeat(this.chance.below(this.chance.happens(0.05) ? 2_000 : 20))}`;
      const publish = { data, key: `key ${this.#count}` };
      if (!this.#touched.has(room)) this.#touched.set(room, []);
      this.#touched.get(room).push(publish);
      const receipt = await send(room, data, publish.key);
      if (receipt === null) return;
      assert.notEqual(receipt.type, 'error', JSON.stringify(receipt));
      publish.receipt = receipt;
      this.#note(room, data, receipt, 'an answer');
      answered.push();
    }
  }

  #followLive(live, joined) {
    for (const [room, { cursor }] of joined) {
      const since = this.#live.get(room) ?? cursor;
      const own = live.received.filter((one) => one.room === room && ['message', 'gap'].includes(one.type));
      let at = since;
      if (own[0]?.type !== 'gap') assert.equal(cursor, since, `a subscriber of ${room} begins elsewhere without a gap`);
      for (const event of own) {
        at = event.type === 'gap' ? this.ledger.follow(room, at, event, [], 'a subscriber') : this.ledger.follow(room, at, null, [event], 'a subscriber');
      }
      this.#live.set(room, at);
    }
  }
}

describe(`durable history over kill -9, ROOMCAST_SEED=${seed}`, () => {
  after(async () => {
    for (const server of running) if (server.running) await server.kill();
  });

  it(`${kills} kills: nothing that was answered is lost or there twice, no offset has two meanings`, { timeout: seconds(60 + kills * 2) }, async () => {
    const directory = path.join(scratchDirectory(), 'store');
    const chance = chanceOf(seed);
    const session = new Session(chance);
    for (let round = 0; round < kills; round += 1) {
      const server = await start(directory);
      await session.check(server, round, false);
      await session.publishUntilKilled(server, 4 + chance.below(57));
    }
    const server = await start(directory);
    await session.check(server, kills, true);
    await server.stop();
    const counts = levels.slice(1).map((level) => `${session.ledger.answeredIn(level)} ${level}`).join(', ');
    console.log(`ROOMCAST_SEED=${seed}: ${kills} kills, answered: ${counts}; ${session.repeats} publishes repeated`);
    assert.ok(session.ledger.answeredIn('sync') > 2 * kills);
  });

  it(`${clean_restarts} clean restarts: no gap, in rooms that were never written neither`, { timeout: seconds(60 + clean_restarts * 2) }, async () => {
    const directory = path.join(scratchDirectory(), 'store');
    const ledger = new DurableLedger(() => 'sync'); // which has no gaps
    const written = ['sync/1', 'sync/2', 'async/1', 'async/2'];
    const at = new Map();
    for (let round = 0; round <= clean_restarts; round += 1) {
      const server = await start(directory);
      const connection = await HttpConnection.open(server.url);
      for (const room of [...written, 'sync/never', 'async/never']) {
        if (!at.has(room)) at.set(room, (await connection.request('GET', `/rooms/${room}`)).json.cursor);
        const read = await readOn(connection, ledger, room, at.get(room), `restart ${round}`);
        assert.equal(read.at, at.get(room), `restart ${round}: ${room}`);
      }
      for (const room of written) {
        const data = `${round}`;
        const receipt = await postOn(connection, room, data, `key ${round}`);
        at.set(room, ledger.follow(room, at.get(room), null, [{ cursor: receipt.cursor, data }], 'an answer'));
      }
      connection.close();
      await server.stop();
    }
  });
});
