// What clients and publishers do while something is done to the cluster, and what they were told: to be judged by the chronicles.

import { chanceOf, seed } from '../support/chance.js';
import { seconds, sleep, within } from '../support/deadline.js';
import { openRoom, Refused, wayCalled } from '../support/room_clients.js';
import { idOf } from '../support/room_ledger.js';
import { Chronicle } from './chronicle.js';
import { Publishers } from './publishers.js';

export const rooms = Array.from({ length: 30 }, (_, i) => `cluster/${i}`);
const clients = 60;
const roaming = 10;
const rate = 500; // messages a second, of all publishers

const ways = ['WebSocket', 'WebSocket roomcast.v1', 'EventSource', 'NDJSON by fetch', 'long poll'].map(wayCalled);
const ways_with_cursors = ways.filter(({ cursors }) => cursors);

/** A generator for each participant of a row. */
const chance = (row, who) => chanceOf(seed ^ Math.imul(row + 1, 0x85ebca6b) ^ Math.imul(who + 1, 0x9e3779b1));

export class Session {
  chronicles = new Map(rooms.map((room) => [room, new Chronicle(room)]));
  tally = { received: 0, joins: 0, refused: 0, ended: 0 };
  #over = false;
  #where = new Map(); // number of a client → what it waits for
  #participants;

  /** `row`: a number, so that each row has other choices. */
  constructor(cluster, row = 0) {
    this.cluster = cluster;
    this.row = row;
  }

  begin() {
    this.publishers = new Publishers(this, { rate, random: (who) => chance(this.row, 1000 + who) });
    this.#participants = Promise.all(Array.from({ length: clients }, (_, number) => this.#stay(number)));
    this.#participants.catch(() => {});
    this.publishers.begin();
  }

  /** Publishing ends, and everybody gets the last message of each room. `how` the chronicles are finished. Resolves to what was counted. */
  async finish(how) {
    await this.publishers.stop();
    await this.publishers.publishLast(rooms);
    await within(seconds(30), this.#participants, 'all clients at the last message').catch((error) => {
      throw new Error(`${error.message}; missing: ${[...this.#where.values()].slice(0, 5).join('; ')}`);
    });
    await this.cluster.inStep(rooms);
    return this.#count(how);
  }

  async #count(how) {
    const total = { published: 0, acknowledged: 0, lost: 0, passed: 0, gaps: 0, unfounded: 0, unfounded_gaps: [], forked: 0, outcomes: {} };
    for (const [room, chronicle] of this.chronicles) {
      const dumps = [];
      for (const node of this.cluster.nodes) dumps.push(await node.dump(room));
      const { outcomes, epochs, unfounded_gaps, ...counts } = chronicle.finish(dumps, how);
      for (const [name, count] of Object.entries(counts)) total[name] += count;
      for (const [name, count] of Object.entries(outcomes)) total.outcomes[name] = (total.outcomes[name] ?? 0) + count;
      total.unfounded_gaps.push(...unfounded_gaps);
      total.forked += epochs > 1 ? 1 : 0;
    }
    const violations = [...this.chronicles.values()].flatMap((chronicle) => chronicle.violations);
    return { ...total, ...this.tally, violations };
  }

  /** Whether a publish was answered with the outcome. */
  has(outcome) {
    return this.publishers.outcomes[outcome] !== undefined;
  }

  end() {
    this.#over = true;
    this.publishers?.end();
  }

  /** One client, over one connection after the other, until it has the last message. */
  async #stay(number) {
    const random = chance(this.row, number);
    const room = rooms[number < rooms.length ? number : random.below(rooms.length)];
    const roams = number >= clients - roaming;
    const way = roams ? random.of(ways_with_cursors) : ways[number % ways.length];
    let node = this.cluster.nodes[number % this.cluster.nodes.length];
    let cursor;
    for (let visit = 0; !this.#over; visit += 1) {
      const who = `client ${number}, visit ${visit}, ${way.name}, node ${node.number}`;
      const outcome = await this.#visit({ who, room, way, node, since: cursor, ms: roams ? 300 + 1500 * random.next() : 0, number });
      if (outcome.is_last) {
        this.#where.delete(number);
        return;
      }
      cursor = outcome.cursor ?? cursor;
      if (roams) node = random.of(this.cluster.nodes);
      await sleep(20 + 150 * random.next());
    }
  }

  async #visit({ who, room, way, node, since, ms, number }) {
    const chronicle = this.chronicles.get(room);
    this.#where.set(number, `${who}, ${room}: joins after ${since}`);
    let client;
    try {
      client = await openRoom(way, node.url, room, { since, history: since === undefined ? 1 : undefined, wait: 5 });
    } catch (error) {
      this.tally.refused += 1;
      if (error instanceof Refused && error.status !== 503) throw error;
      return {};
    }
    this.tally.joins += 1;
    const timer = ms > 0 ? setTimeout(() => client.cut(), ms) : null;
    try {
      const first = await client.next(`${who}: the start`, seconds(60));
      if (first.type === 'end') return {};
      client.unshift(first);
      const start = await client.start();
      if (since !== undefined && start.gap) chronicle.gap(who, since, start.cursor);
      return await this.#follow(chronicle, client, { who, number, begin: way.cursors ? start.cursor : undefined, since, start });
    } finally {
      clearTimeout(timer);
      client.close();
    }
  }

  async #follow(chronicle, client, { who, number, begin, since, start }) {
    if (since !== undefined && !start.gap && start.cursor !== since) chronicle.violations.push(`I2 ${chronicle.room}: ${who} begins at ${start.cursor}, not ${since}, without a gap`);
    let segment = chronicle.segment(who, begin);
    let cursor = begin;
    for (;;) {
      this.#where.set(number, `${who}, ${chronicle.room}: after ${cursor ?? segment.seen.at(-1)?.id}`);
      const event = await client.next(`${who}: something`, seconds(90));
      if (event.type === 'end') {
        this.tally.ended += 1;
        return { cursor };
      }
      if (event.type === 'gap') {
        if (begin === undefined) continue; // its connection is closed after this
        chronicle.gap(who, cursor, event.cursor);
        segment = chronicle.segment(who, event.cursor);
        cursor = event.cursor;
        continue;
      }
      if (event.type !== 'message') throw new Error(`${who}: ${JSON.stringify(event).slice(0, 300)}`);
      this.tally.received += 1;
      chronicle.received(segment, begin === undefined ? undefined : event.cursor, event.data);
      cursor = event.cursor ?? cursor;
      if (idOf(event.data) === 'last') return { is_last: true };
    }
  }
}
