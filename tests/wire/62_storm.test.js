// Thousands of clients are cut and reconnect at once: all are accepted, limits hold, other clients are not affected, and
// nothing is left behind.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, beforeEach, describe, it } from 'node:test';
import { METRICS } from '../support/contract.js';
import { numbered } from '../support/many_clients.js';
import { ClientProcess, affordable } from '../support/client_process.js';
import { eventually } from '../support/deadline.js';
import { HttpConnection, fetchOnce } from '../support/raw_http.js';
import { parseMetrics, startServer } from '../support/server.js';
import { SteadyPublisher } from '../support/steady_publisher.js';
import { connect } from '../support/wire_client.js';

const many = affordable(process.env.ROOMCAST_SLOW ? 1500 : 3000);
const backlog = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
const size = numbered(1).length;
const storm = { path: '/rooms/storm', size };
const clients = new ClientProcess();

const descriptors = (server) => readdirSync(`/proc/${server.pid}/fd`).length;

/** Requests metrics over one connection that was opened at the start. */
class Watcher {
  static async open(server, socket) {
    const watcher = new Watcher();
    watcher.server = server;
    watcher.connection = await HttpConnection.open(server.url, socket);
    await watcher.figures();
    watcher.descriptors = descriptors(server);
    return watcher;
  }

  async figures() {
    const { text } = await this.connection.request('GET', '/metrics');
    return parseMetrics(text);
  }

  async figure(name) {
    return (await this.figures()).get(name);
  }

  accepted() {
    return this.figure('roomcast_connections_accepted_total');
  }

  admitted() {
    return this.figure('roomcast_connections_admitted');
  }

  /** Waits until all other clients and their state are gone. */
  async alone() {
    await eventually(async () => (await this.admitted()) === 1, 'all connections gone');
    const figures = await this.figures();
    const open = [...figures].filter(([name, value]) => name.startsWith('roomcast_connections{') && value !== 0);
    assert.deepEqual(open, [['roomcast_connections{transport="http"}', 1]]);
    assert.equal(figures.get(METRICS.rooms), 0);
    assert.equal(figures.get(METRICS.queueBytes), 0);
    assert.equal(descriptors(this.server), this.descriptors);
    this.connection.close();
  }
}

/** One message for all clients of the group, none of which has received one yet. */
async function tellAll(server, group) {
  const publisher = await connect(server.url, { path: storm.path });
  await publisher.text(numbered(1));
  await clients.call('reach', group, 1);
  publisher.destroy();
}

function assertAllIn(tally, count) {
  const { open, refused, failed, errors } = tally;
  assert.deepEqual({ open, refused, failed, errors }, { open: count, refused: 0, failed: 0, errors: {} });
}

describe('a storm', () => {
  beforeEach(() => clients.call('clear'));
  after(() => clients.end());

  it('all clients are back after a restart, and none that connects once the port is open is refused', async () => {
    const first = await startServer({ set: { drain_seconds: 0.5 } });
    const listen = [first.url];
    await clients.call('open', 'drained', first.url, many, storm);
    await first.stop();
    const { closes } = await clients.call('ended', 'drained');
    assert.deepEqual(closes, { 1012: many });

    const second = await startServer({ listen });
    await clients.call('begin', 'cut', second.url, many, storm);
    assertAllIn(await clients.call('settled', 'cut'), many);
    await second.kill();
    assert.deepEqual((await clients.call('ended', 'cut')).closes, { null: many });

    const half = Math.floor(many / 2);
    await clients.call('begin', 'eager', second.url, half, { ...storm, persistent: true });
    const third = await startServer({ listen });
    await clients.call('begin', 'patient', second.url, half, storm);
    assertAllIn(await clients.call('settled', 'patient'), half);
    const { errors } = await clients.call('opened', 'eager', half);
    for (const error of Object.keys(errors)) assert.match(error, /^ECONN(?:REFUSED|RESET)$/, 'while the server was down');
    await tellAll(third, 'eager');
    await clients.call('reach', 'patient', 1);
    await clients.call('clear');
    await third.stop();
  });

  it('clients in another room lose nothing and are answered while all others are cut and reconnect', async () => {
    const server = await startServer();
    const watcher = await Watcher.open(server);
    const echo = await connect(server.url);
    const publisher = await SteadyPublisher.open(server.url, 'steady');
    await clients.call('open', 'steady', server.url, 50, { path: '/rooms/steady', size });
    await clients.call('open', 'before', server.url, many, storm);
    const begun = await watcher.accepted();
    publisher.begin();
    await publisher.next();

    const cut = clients.call('cut', 'before');
    const back = clients.call('begin', 'after', server.url, many, storm);
    let meanwhile = 0;
    let progressed = 0;
    for (let accepted = begun; accepted < begun + many;) {
      const received = publisher.received;
      await echo.text('still there?');
      await echo.expectText('still there?');
      await echo.roundTrip();
      const now = await watcher.accepted();
      if (now > accepted && now < begun + many) meanwhile += 1;
      if (publisher.received > received) progressed += 1;
      accepted = now;
    }
    await Promise.all([cut, back]);
    assertAllIn(await clients.call('settled', 'after'), many);
    // Slowed down, a response takes so many turns that the storm may be over in between.
    if (!process.env.ROOMCAST_SLOW) assert.ok(meanwhile > 0 && progressed > 0, `${meanwhile} answers and ${progressed} messages in the storm`);
    await tellAll(server, 'after');

    const sent = await publisher.stop();
    const { least, most, open } = await clients.call('reach', 'steady', sent);
    assert.deepEqual({ least, most, open }, { least: sent, most: sent, open: 50 });
    for (const client of [echo, publisher]) client.destroy();
    await clients.call('clear');
    await watcher.alone();
    await server.stop();
  });

  it('thousands of waiting connections are accepted a few at a time, so that others are served in between', async () => {
    const server = await startServer();
    const watcher = await Watcher.open(server);
    const count = Math.min(many, backlog - 50);
    server.process.kill('SIGSTOP');
    await clients.call('begin', 'waiting', server.url, count, storm);
    await clients.call('connected', 'waiting');  // no backlog overflowed
    const asked = watcher.accepted();
    server.process.kill('SIGCONT');
    const steps = [await asked];
    while (steps.at(-1) < 1 + count) steps.push(await watcher.accepted());
    assert.ok(steps.some((accepted) => accepted > 1 && accepted < 1 + count), `an answer came only before or behind all: ${steps}`);
    assertAllIn(await clients.call('settled', 'waiting'), count);
    await clients.call('clear');
    await watcher.alone();
    await server.stop();
  });

  it('past limits.connections the rest of a storm is refused with a response, and accepted once others have left', async () => {
    const past = 100;
    const most = many - past;
    const server = await startServer({ set: { 'limits.connections': most, admin_listen: '127.0.0.1:0' } });
    const figures = async () => parseMetrics((await fetchOnce(server.adminUrl, 'GET', '/metrics')).text);
    const admitted = async () => (await figures()).get('roomcast_connections_admitted');
    await clients.call('begin', 'storm', server.url, many, storm);
    const { open, statuses } = await clients.call('settled', 'storm');
    assert.deepEqual({ open, statuses }, { open: most, statuses: { 503: past } });
    assert.equal(await admitted(), most);
    await clients.call('cut', 'storm', past);
    await eventually(async () => (await admitted()) === most - past, 'those who left gone');
    await clients.call('begin', 'again', server.url, past, storm);
    assertAllIn(await clients.call('settled', 'again'), past);
    await clients.call('clear');
    await eventually(async () => (await admitted()) === 0, 'all connections gone');
    await server.stop();
  });

  it('limits.connections_per_address holds for each address in a storm from several', async () => {
    const each = 250;
    const past = 10;
    const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'];
    const server = await startServer({ set: { 'limits.connections_per_address': each } });
    const watcher = await Watcher.open(server, { localAddress: '127.0.0.9' });
    const all = (action) => Promise.all(addresses.map(action));
    await all((localAddress) => clients.call('begin', localAddress, server.url, each + past, { ...storm, localAddress }));
    // A limited number get a response at a time; the rest is closed without one.
    const refused_at_a_time = 16;
    const refused = new Map();
    await all(async (address) => {
      const { open, statuses: { 429: count = 0, ...others } } = await clients.call('settled', address);
      assert.deepEqual({ open, others }, { open: each, others: {} });
      assert.ok(count <= past, `${count} answers of 429`);
      refused.set(address, count);
    });
    assert.ok([...refused.values()].reduce((sum, count) => sum + count) >= refused_at_a_time, `refused: ${[...refused]}`);
    assert.equal(await watcher.figure('roomcast_connections_refused_total{reason="per_address"}'), past * addresses.length);

    await all((address) => clients.call('cut', address, past));
    await eventually(async () => (await watcher.admitted()) === 1 + (each - past) * addresses.length, 'those who left gone');
    await all((address) => clients.call('begin', address, server.url, past, { ...storm }));
    await all(async (address) => assert.equal((await clients.call('settled', address)).open, each));
    await clients.call('begin', addresses[0], server.url, 1, { ...storm });
    assert.deepEqual((await clients.call('settled', addresses[0])).statuses, { 429: refused.get(addresses[0]) + 1 });
    await clients.call('clear');
    await watcher.alone();
    await server.stop();
  });
});
