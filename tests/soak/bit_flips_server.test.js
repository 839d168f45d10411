// The real server on stores in which a bit is not what was written (tests/bit_flips makes them, and says what they hold): whatever
// it hands out was published, in its order and with its bytes, what is missing is told by a gap or an error, and it never crashes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { chanceOf, seed } from '../support/chance.js';
import { patience, within } from '../support/deadline.js';
import { JsonClient } from '../support/json_client.js';
import { fetchOnce } from '../support/raw_http.js';
import { parseCursor } from '../support/room_client.js';
import { scratchDirectory } from '../support/scratch.js';
import { binary, cleanEnvironment, Server, setFlags } from '../support/server.js';

const flips = Number(process.env.ROOMCAST_SOAK_SERVER_FLIPS ?? 10);
const programs = path.join(path.dirname(binary), 'tests');
const set = { 'history.messages': 1_000_000, 'history.bytes': 67_108_864, 'history.age_seconds': 86_400, drain_seconds: 0, hosts: '*' };
// Worst last. The last three must not be, and the last commit may only go with the journal's log, where it looks interrupted.
const outcomes = ['no effect', 'refused', 'error', 'gap told', 'last commit', 'silent loss', 'wrong bytes', 'crash'];
const running = new Set();

/** Stores in `directory`, by state: their rooms, each with its epoch and what is at each offset; and the bits to be flipped. */
function makeStores(program) {
  const directory = scratchDirectory();
  const args = ['--make', directory, '--seed', `${seed}`, '--flips', `${Math.ceil(flips / 4)}`];
  const output = execFileSync(path.join(programs, program), args, { env: cleanEnvironment({}), maxBuffer: 1 << 30 });
  const rooms = { closed: new Map(), killed: new Map() };
  const bits = [];
  for (const line of output.toString().trim().split('\n').map((text) => JSON.parse(text))) {
    if (line.file !== undefined) {
      bits.push(line);
      continue;
    }
    const { state, room, epoch, ...message } = line;
    if (!rooms[state].has(room)) rooms[state].set(room, { epoch, messages: new Map() });
    rooms[state].get(room).messages.set(message.offset, message);
  }
  return { directory, rooms, bits };
}

/** A copy of the store with the bit flipped, if there is one. */
function copyOf({ directory }, { state, file, bit }) {
  const copy = path.join(scratchDirectory(), 'store');
  fs.cpSync(path.join(directory, state), copy, { recursive: true });
  if (file !== undefined) {
    const bytes = fs.readFileSync(path.join(copy, file));
    bytes[Math.floor(bit / 8)] ^= 1 << (bit % 8);
    fs.writeFileSync(path.join(copy, file), bytes);
  }
  return copy;
}

/** One reader of one room from its first cursor on, as the messages and gaps come. */
class Reader {
  told = new Set(); // offsets that were missing and told

  constructor(judge, name, { epoch, messages }, own) {
    Object.assign(this, { judge, name, epoch, expected: messages, own });
    this.at = `${epoch}-0`;
    this.seen = new Set();
  }

  gap(cursor) {
    const { epoch, offset } = parseCursor(cursor);
    this.judge.note('gap told');
    for (const missing of this.expected.keys()) if (epoch !== this.epoch || missing <= offset) this.told.add(missing);
    this.at = cursor;
  }

  message({ cursor, data }) {
    const [before, now] = [parseCursor(this.at), parseCursor(cursor)];
    const wrong = (what) => this.judge.note('wrong bytes', `${this.name} ${cursor}: ${what}: ${data?.slice(0, 40)}`);
    if (now.epoch !== before.epoch || now.offset <= before.offset) wrong(`is not behind ${this.at}`);
    this.at = cursor;
    if (data === this.own) return (this.has_own = true);
    const expected = now.epoch === this.epoch ? this.expected.get(now.offset) : undefined;
    if (expected === undefined) wrong('was never published');
    else if (expected.data === null) wrong('has been removed');
    else if (expected.data !== data) wrong(`is not ${expected.data.slice(0, 40)}`);
    return this.seen.add(now.offset);
  }

  /** What is missing to the end has to have been told. */
  end() {
    for (const { offset, data, is_last } of this.expected.values()) {
      if (data === null || this.seen.has(offset) || this.told.has(offset)) continue;
      this.judge.note(is_last ? 'last commit' : 'silent loss', `${this.name} ${offset}`);
    }
  }
}

/** Reads a store through the server, and notes the worst that happens. */
class Judge {
  outcome = 'no effect';
  what = '';
  read = 0;

  constructor(copy, rooms, env) {
    Object.assign(this, { copy, rooms, env });
  }

  note(outcome, what = '') {
    if (outcomes.indexOf(outcome) <= outcomes.indexOf(this.outcome)) return;
    this.outcome = outcome;
    this.what = what;
  }

  async run() {
    const flags = setFlags({ ...set, 'store.path': this.copy });
    const server = new Server([binary, '--listen', 'http://127.0.0.1:0', ...flags], { env: this.env, urlCount: 1 });
    running.add(server);
    try {
      await server.waitUntilReady();
    } catch (error) {
      if (server.running) throw error;
      await this.#lookAtEnd(server);
      return this;
    }
    const readers = [];
    for (const [name, room] of this.rooms) readers.push(await this.#poll(server, new Reader(this, name, room, `own ${name}`)));
    await this.#followAndPublish(server, readers);
    if (server.running) await server.kill();
    else this.note('crash', server.log());
    return this;
  }

  /** It may end by itself before it is ready, in one way. */
  async #lookAtEnd(server) {
    const { code, signal } = await server.exited;
    const says = server.log().split('\n').some((line) => line.startsWith('roomcast: ') && /(journal|history)\.db/.test(line));
    if (code === 1 && signal === null && says) this.note('refused');
    else this.note('crash', `${code} ${signal} ${server.log()}`);
  }

  /** The answer, unless it is an error. */
  async #get(server, url) {
    const response = await fetchOnce(server.url, 'GET', url);
    if (response.status === 200) return response.json;
    assert.equal(response.status, 503, response.text);
    assert.match(response.json.error.code, /^store_/);
    this.note('error', response.text);
    return null;
  }

  async #readOn(server, reader) {
    for (;;) {
      const before = reader.at;
      const answer = await this.#get(server, `/rooms/${reader.name}?since=${before}`);
      if (answer === null) return false;
      if (answer.gap !== null) reader.gap(answer.gap.cursor);
      for (const message of answer.messages) reader.message(message);
      this.read += answer.messages.length;
      if (answer.messages.length === 0) reader.at = answer.cursor;
      if (answer.cursor === before) return true;
    }
  }

  async #poll(server, reader) {
    if (await this.#readOn(server, reader)) reader.end();
    return reader;
  }

  /** The same by roomcast.v1; then a message for each room, which all get. */
  async #followAndPublish(server, polls) {
    const client = await JsonClient.open(server);
    const followers = new Map();
    for (const { name } of polls) {
      const room = this.rooms.get(name);
      const reply = await client.ask({ type: 'subscribe', room: name, since: `${room.epoch}-0` });
      if (reply.type === 'error') this.note('error', JSON.stringify(reply));
      else followers.set(name, new Reader(this, name, room, `own ${name}`));
    }
    for (const poll of polls) {
      const { status, text, json } = await fetchOnce(server.url, 'POST', `/rooms/${poll.name}`, { body: poll.own, headers: { 'Content-Type': 'text/plain' } });
      if (status !== 200) {
        this.note('error', text);
        followers.delete(poll.name);
      } else if (await this.#readOn(server, poll)) {
        if (!poll.has_own || poll.at !== json.cursor) this.note('silent loss', `${poll.name}: what was just published at ${json.cursor}`);
      }
    }
    await within(patience, this.#followAll(client, followers), `what ${[...followers.keys()]} have published`);
    client.socket.terminate();
  }

  /** Until the message of each room has come, or the connection has ended. */
  async #followAll(client, followers) {
    const is_over = client.closed.then(() => null);
    while (followers.size > 0) {
      const event = await Promise.race([client.next(({ type }) => ['message', 'gap', 'error'].includes(type)), is_over]);
      if (event === null) return this.note('error', 'a connection was closed');
      const reader = followers.get(event.room);
      if (event.type === 'error') this.note('error', JSON.stringify(event));
      else if (event.type === 'gap') reader?.gap(event.cursor);
      else reader?.message(event);
      if (reader?.has_own) reader.end();
      if (reader?.has_own || (reader && event.type === 'error')) followers.delete(event.room);
    }
    return undefined;
  }
}

const judged = (stores, flip, env = {}) => new Judge(copyOf(stores, flip), stores.rooms[flip.state], env).run();

describe(`flipped bits and the server, ROOMCAST_SEED=${seed}`, () => {
  after(async () => {
    for (const server of running) if (server.running) await server.kill();
  });

  it(`${flips} flips: an error, a gap or nothing, and never other bytes`, { timeout: 60_000 + flips * 10_000 }, async () => {
    const stores = makeStores('store_bit_flips');
    for (const state of ['closed', 'killed']) {
      const { outcome, what, read } = await judged(stores, { state });
      const all = [...stores.rooms[state].values()].flatMap(({ messages }) => [...messages.values()].filter(({ data }) => data !== null));
      assert.deepEqual([outcome, what], ['no effect', ''], `${state}: nothing was flipped`);
      assert.equal(read, all.length + stores.rooms[state].size, 'all of it, and what was published then');
    }
    const chance = chanceOf(seed);
    const counts = new Map();
    const bad = [];
    const left = [...stores.bits];
    for (let n = 0; n < flips; n += 1) {
      const [flip] = left.splice(chance.below(left.length), 1);
      const { outcome, what } = await judged(stores, flip);
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      const may_lose_last = flip.file === 'journal.db-wal' && outcome === 'last commit';
      if (outcomes.indexOf(outcome) >= outcomes.indexOf('last commit') && !may_lose_last) bad.push(`${JSON.stringify(flip)}: ${outcome}: ${what}`);
    }
    console.log(`ROOMCAST_SEED=${seed}: ${flips} flips: ${[...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`);
    assert.deepEqual(bad, []);
  });

  it('control: without checksums of records other bytes are handed out', { timeout: 120_000 }, async () => {
    const env = { LD_PRELOAD: path.join(programs, 'no_checksums.so') };
    const found = { with: new Set(), without: new Set() };
    const makes = { with: makeStores('store_bit_flips'), without: makeStores('store_bit_flips_unchecked') };
    for (const [how, stores] of Object.entries(makes)) {
      const file = fs.readFileSync(path.join(stores.directory, 'closed/history.db'));
      const messages = [...stores.rooms.closed.values()].flatMap((room) => [...room.messages.values()]);
      const places = messages.map(({ data }) => (data === null ? -1 : file.indexOf(data))).filter((place) => place > 0).slice(0, 5);
      assert.equal(places.length, 5);
      for (const place of places) found[how].add((await judged(stores, { state: 'closed', file: 'history.db', bit: 8 * place }, how === 'without' ? env : {})).outcome);
    }
    assert.ok(found.without.has('wrong bytes'), [...found.without].join());
    assert.ok(!found.with.has('wrong bytes') && found.with.has('gap told'), [...found.with].join());
  });
});
