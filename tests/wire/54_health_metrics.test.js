// /healthz and /metrics.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { METRICS } from '../support/contract.js';
import { fetchOnce } from '../support/raw_http.js';
import { startServer, sumOf } from '../support/server.js';
import { connect } from '../support/wire_client.js';

const server = await startServer();

describe('health and metrics', () => {
  after(() => server.stop());

  it('/healthz is 200', async () => {
    const response = await fetchOnce(server.url, 'GET', '/healthz');
    assert.equal(response.status, 200);
    assert.match(response.header('cache-control') ?? '', /no-store|no-cache/);
  });

  it('/metrics is Prometheus text', async () => {
    const response = await fetchOnce(server.url, 'GET', '/metrics');
    assert.equal(response.status, 200);
    assert.match(response.header('content-type'), /^text\/plain; version=0\.0\.4/);
    const lines = response.text.split('\n');
    const typed = new Map(lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ').slice(2)));
    const helped = new Set(lines.filter((line) => line.startsWith('# HELP ')).map((line) => line.split(' ')[2]));
    let last;
    const finished = new Set();
    for (const key of (await server.metrics()).keys()) {
      const name = key.replace(/\{.*/, '');
      const family = typed.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
      assert.ok(typed.has(family), `no TYPE for ${name}`);
      assert.ok(helped.has(family), `no HELP for ${name}`);
      assert.match(family, /^(roomcast|process)_[a-z0-9_]+$/);
      if (typed.get(family) === 'counter') assert.match(name, /_total$/);
      if (typed.get(family) === 'gauge') assert.doesNotMatch(name, /_total$/);
      assert.doesNotMatch(name, /_(ms|milliseconds|us|kb)(_|$)/, 'base units');
      if (family !== last) {
        assert.ok(!finished.has(family), `${family} is not in one group`);
        if (last) finished.add(last);
        last = family;
      }
    }
  });

  it('histograms are cumulative and end with +Inf', async () => {
    const samples = [...(await server.metrics())];
    const buckets = samples.filter(([key]) => key.includes('_bucket{'));
    assert.ok(buckets.length > 0, 'no histogram');
    const series = new Map();
    for (const [key, value] of buckets) {
      const name = key.replace(/,?le="[^"]*"/, '');
      series.set(name, [...(series.get(name) ?? []), [/le="([^"]*)"/.exec(key)[1], value]]);
    }
    for (const [name, list] of series) {
      assert.equal(list.at(-1)[0], '+Inf', name);
      for (let i = 1; i < list.length; i += 1) assert.ok(list[i][1] >= list[i - 1][1], name);
    }
  });

  it('the documented metrics exist', async () => {
    const names = [...(await server.metrics()).keys()].map((key) => key.replace(/\{.*/, ''));
    for (const name of Object.values(METRICS)) assert.ok(names.includes(name), name);
  });

  it('counters and gauges follow events', async () => {
    const room = '/rooms/metrics';
    // All from one response: requests at the same time would count each other's connections.
    const reading = async () => {
      const samples = await server.metrics();
      return Object.fromEntries(Object.entries(METRICS).map(([what, name]) => [what, sumOf(samples, name)]));
    };
    const before = await reading();
    const clients = await Promise.all([1, 2, 3].map(() => connect(server.url, { path: room })));
    await server.metricBecomes(METRICS.rooms, (rooms) => rooms === before.rooms + 1);
    for (let i = 0; i < 5; i += 1) {
      await clients[0].text(`message ${i}`);
      for (const client of clients) await client.expectText(`message ${i}`);
    }
    const during = await reading();
    assert.equal(during.published - before.published, 5);
    assert.equal(during.deliveries - before.deliveries, 15);
    assert.ok(during.connections >= before.connections + 2);
    for (const client of clients) await client.close();
    await server.metricBecomes(METRICS.rooms, (rooms) => rooms === before.rooms);
    await server.metricBecomes(METRICS.closes, (closes) => closes >= before.closes + 3);
  });

  it('no label contains a value chosen by a client', async () => {
    await (await connect(server.url, { path: '/rooms/very-private-name?name=somebody&token=hidden', headers: { 'User-Agent': 'curious' } })).close();
    await fetchOnce(server.url, 'GET', '/a-path-nobody-has');
    const { text } = await fetchOnce(server.url, 'GET', '/metrics');
    assert.doesNotMatch(text, /very-private-name|somebody|hidden|curious|a-path-nobody-has/);
  });
});
