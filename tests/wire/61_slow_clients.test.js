// One in ten clients of every kind stops reading: the others lose nothing, the slow ones are treated as the limits say, and
// the memory held for them stays within its limit.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, beforeEach, describe, it } from 'node:test';
import { METRICS } from '../support/contract.js';
import { numbered } from '../support/many_clients.js';
import { ClientProcess } from '../support/client_process.js';
import { HttpConnection } from '../support/raw_http.js';
import { parseCursor } from '../support/room_client.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { parseMetrics, startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { text } from '../support/ws_frames.js';

const mib = 1048576;
const size = 32768;
const at_once = 2; // messages: well below what may be queued for one client, so that a reading client never exceeds it
const most_messages = 1000;
const { certificate, key } = makeCertificate(scratchDirectory(), 'localhost', ['127.0.0.1']);
const clients = new ClientProcess();

// Nine in ten of each kind read.
const kinds = [
  { kind: 'websocket', scheme: 'http', count: 150 },
  { kind: 'sse', scheme: 'http', count: 40 },
  { kind: 'ndjson', scheme: 'http', count: 40 },
  { kind: 'websocket', scheme: 'https', count: 30 },
  { kind: 'sse', scheme: 'https', count: 20 },
].map((one) => ({ ...one, name: `${one.kind} over ${one.scheme}`, slow: one.count / 10, fast: one.count * 0.9 }));
const sum = (which) => kinds.reduce((total, one) => total + one[which], 0);

const startMixed = (set) => startServer({
  listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'],
  set: { 'tls.certificate': certificate, 'tls.key': key, 'websocket.ping_seconds': 600, ...set },
});

const residentBytes = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

/** A room with clients of every kind, one in ten of which stop reading. */
class Mixture {
  sent = 0;

  static async open(server) {
    const mixture = new Mixture();
    mixture.server = server;
    for (const { kind, scheme, name, slow, fast } of kinds) {
      const options = { path: '/rooms/mixed', size, kind };
      await clients.call('open', `slow ${name}`, server.urlOf(`${scheme}:`), slow, options);
      await clients.call('open', `fast ${name}`, server.urlOf(`${scheme}:`), fast, options);
      await clients.call('pause', `slow ${name}`);
    }
    mixture.publisher = await connect(server.url, { path: '/rooms/mixed?echo=0' });
    mixture.watcher = await HttpConnection.open(server.url);
    return mixture;
  }

  /** Calls `method` for the `which` (slow, fast) of every kind; returns the results by kind. */
  async each(which, method, ...args) {
    const answers = kinds.map(async ({ name }) => [name, await clients.call(method, `${which} ${name}`, ...args)]);
    return Object.fromEntries(await Promise.all(answers));
  }

  /** Publishes a few more, and waits until all reading clients have them. */
  async publishSome() {
    const messages = Array.from({ length: at_once }, (_, i) => text(numbered(this.sent + 1 + i, size)));
    this.sent += at_once;
    void this.publisher.write(Buffer.concat(messages));
    await this.each('fast', 'reach', this.sent);
  }

  async figures() {
    return parseMetrics((await this.watcher.request('GET', '/metrics')).text);
  }

  async subscribers() {
    return Number((await this.watcher.request('HEAD', '/rooms/mixed')).header('roomcast-subscribers'));
  }

  /** The epoch of a cursor. */
  async epoch() {
    return parseCursor((await this.watcher.request('HEAD', '/rooms/mixed')).header('roomcast-cursor')).epoch;
  }

  async assertOnlyTheFastHaveAll() {
    for (const [name, { least, most, open }] of Object.entries(await this.each('fast', 'tally'))) {
      assert.deepEqual([least, most], [this.sent, this.sent], name);
      assert.equal(open, kinds.find((one) => one.name === name).fast);
    }
    for (const [name, { most, open }] of Object.entries(await this.each('slow', 'tally'))) {
      assert.ok(most < this.sent, `${name}: one stands still with ${most}`);
      assert.equal(open, kinds.find((one) => one.name === name).slow);
    }
  }

  async end() {
    await clients.call('clear');
    this.publisher.destroy();
    this.watcher.close();
    await this.server.metricBecomes(METRICS.connections, (count) => count === 1);
    assert.equal(await this.server.metric(METRICS.queueBytes), 0);
    await this.server.stop();
  }
}

/** The maximum held, sampled after every few messages. */
class Ceilings {
  queued = 0;
  memory = 0;
  resident = 0;

  constructor(mixture) {
    this.mixture = mixture;
    this.before = residentBytes(mixture.server.pid);
  }

  async look() {
    const figures = await this.mixture.figures();
    this.queued = Math.max(this.queued, figures.get(METRICS.queueBytes));
    this.memory = Math.max(this.memory, figures.get(METRICS.memory));
    this.resident = Math.max(this.resident, residentBytes(this.mixture.server.pid) - this.before);
    return figures;
  }
}

describe('one in ten clients does not read', () => {
  beforeEach(() => clients.call('clear'));
  after(() => clients.end());

  it('past limits.queue_bytes: slow clients are closed with 1013, and the memory held for them was bounded', async (t) => {
    const queue_bytes = 4 * size;
    const history_bytes = 4 * mib;
    const memory_bytes = 64 * mib;
    const server = await startMixed({
      'limits.message_bytes': size,
      'limits.queue_bytes': queue_bytes,
      'limits.memory_bytes': memory_bytes,
      'history.bytes': history_bytes,
      'websocket.close_timeout_seconds': 600,
    });
    const mixture = await Mixture.open(server);
    const ceilings = new Ceilings(mixture);
    while ((await mixture.subscribers()) > sum('fast') + 1) {
      assert.ok(mixture.sent < most_messages, `after ${mixture.sent} messages not all of the slow are gone`);
      await mixture.publishSome();
      await ceilings.look();
    }
    await mixture.assertOnlyTheFastHaveAll();
    assert.ok(ceilings.queued > size, 'no client was ever slow');
    assert.ok(ceilings.queued <= sum('slow') * queue_bytes, `${ceilings.queued} bytes queued`);

    for (const [name, { least, most, closes }] of Object.entries(await mixture.each('slow', 'readToEnd'))) {
      const { slow, kind, scheme } = kinds.find((one) => one.name === name);
      assert.deepEqual(closes, { 1013: slow }, name);
      assert.ok(least > 0 && most < mixture.sent, `${name}: ${least} to ${most} of ${mixture.sent}`);
      const since = `${await mixture.epoch()}-${least}`;
      const options = { path: `/rooms/mixed?since=${since}`, size, kind, first: least + 1 };
      await clients.call('open', `again ${name}`, server.urlOf(`${scheme}:`), 1, options);
      await clients.call('reach', `again ${name}`, mixture.sent);
    }
    await mixture.end();

    if (ceilings.memory === 0) return t.diagnostic('resident memory not judged: this build\'s allocator keeps no statistics');
    assert.ok(ceilings.memory <= memory_bytes, `${ceilings.memory} bytes given out`);
    const slack = 4 * mib;
    assert.ok(ceilings.resident <= sum('slow') * queue_bytes + history_bytes + slack, `grew by ${ceilings.resident} bytes`);
  });

  it('within limits.queue_bytes: a client that reads again receives everything, and delays no other client meanwhile', async () => {
    const queue_bytes = 16 * mib;
    const server = await startMixed({ 'limits.queue_bytes': queue_bytes });
    const mixture = await Mixture.open(server);
    const ceilings = new Ceilings(mixture);
    // What the kernel buffers for a client is much the same for all, so then something is queued for each slow client.
    while ((await ceilings.look()).get(METRICS.queueBytes) < sum('slow') * 4 * size) {
      assert.ok(mixture.sent < most_messages, `after ${mixture.sent} messages the slow have not enough queued`);
      await mixture.publishSome();
    }
    await mixture.assertOnlyTheFastHaveAll();
    assert.equal(await mixture.subscribers(), sum('fast') + sum('slow') + 1);
    await mixture.each('slow', 'resume');
    for (const [name, { least, most }] of Object.entries(await mixture.each('slow', 'reach', mixture.sent))) {
      assert.deepEqual([least, most], [mixture.sent, mixture.sent], name);
    }
    assert.equal(await server.metric(METRICS.closes, /slow_consumer/), 0);
    assert.equal(await server.metric(METRICS.gaps), 0);
    await mixture.end();
  });
});
