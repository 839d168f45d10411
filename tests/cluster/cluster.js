// Three servers over one Redis, each behind a proxy of its own, or over a primary that Sentinels watch.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { eventually, seconds } from '../support/deadline.js';
import { fetchOnce } from '../support/raw_http.js';
import { startServer } from '../support/server.js';
import { LinkProxy } from './link_proxy.js';
import { freePort, keeping, RedisProcess } from './redis_process.js';

export const node_count = 3;
/** So much that no message of a session leaves the history. */
const history = { 'history.messages': 20_000, 'history.bytes': 64 << 20, 'history.age_seconds': 3600 };

/** A server of the cluster. It keeps its port when it is started again. */
class Node {
  constructor(cluster, number, port, proxy) {
    Object.assign(this, { cluster, number, name: `node${number}`, port, proxy, url: `http://127.0.0.1:${port}`, is_up: false, runs: 0 });
  }

  async start() {
    const redis = this.cluster.servers?.settings ?? { 'redis.urls': `redis://127.0.0.1:${this.proxy.port}` };
    const set = { ...history, engine: 'redis', 'node.name': this.name, 'log.lines_per_second': 3, ...redis, ...this.cluster.set };
    this.server = await startServer({ listen: [this.url], set, program: this.cluster.program });
    this.is_up = true;
    this.runs += 1;
  }

  /** kill -9, and a new process after `ms`. */
  async restartAfter(ms) {
    this.is_up = false;
    await this.server.kill();
    await new Promise((resolve) => setTimeout(resolve, ms));
    await this.start();
  }

  /** Resident memory in MiB, now and at its highest. */
  memory() {
    const status = fs.readFileSync(`/proc/${this.server.pid}/status`, 'utf8');
    const [now, peak] = ['VmRSS', 'VmHWM'].map((name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024);
    return { now, peak };
  }

  async top(room) {
    const { status, json, text } = await fetchOnce(this.url, 'GET', `/rooms/${room}`);
    assert.equal(status, 200, text);
    return json.cursor;
  }

  /** All that the room has, a page at a time: [{ cursor, data }]. */
  async dump(room) {
    const all = [];
    for (let query = `?history=${history['history.messages']}`; ; ) {
      const { status, json, text } = await fetchOnce(this.url, 'GET', `/rooms/${room}${query}`);
      assert.equal(status, 200, text);
      assert.ok(all.length === 0 || json.gap === null, `a gap while ${room} is read: ${JSON.stringify(json.gap)}`);
      if (json.messages.length === 0) return all;
      all.push(...json.messages.map(({ cursor, data }) => ({ cursor, data })));
      query = `?since=${json.cursor}`;
    }
  }
}

export class Cluster {
  nodes = [];

  /** `redis`: options of redis-server; `servers`: a SentinelSet or ClusterSet instead, without proxies of the nodes; `set`: settings of all nodes; `program`: another one than that which is tested. */
  static async start({ redis = keeping.nothing, servers = null, set = {}, program } = {}) {
    const cluster = new Cluster();
    Object.assign(cluster, { set, program });
    cluster.servers = servers;
    try {
      if (servers === null) cluster.redis = await RedisProcess.start(redis);
      for (let number = 0; number < node_count; number += 1) {
        const proxy = servers === null ? await LinkProxy.start(cluster.redis.port) : null;
        cluster.nodes.push(new Node(cluster, number, await freePort(), proxy));
      }
      await Promise.all(cluster.nodes.map((node) => node.start()));
      await cluster.ready();
    } catch (error) {
      await cluster.end();
      throw error;
    }
    return cluster;
  }

  /** All nodes are up and have their links. */
  async ready(ms = seconds(30)) {
    for (const node of this.nodes) {
      await eventually(async () => (await fetchOnce(node.url, 'GET', '/readyz').catch(() => ({ status: 0 }))).status === 200, `node ${node.number} is ready`, ms);
    }
  }

  /** Every room has the same end on all nodes. */
  async inStep(rooms, ms = seconds(30)) {
    const ends = async (room) => Promise.all(this.nodes.map((node) => node.top(room)));
    for (const room of rooms) {
      let last = [];
      await eventually(async () => {
        last = await ends(room).catch((error) => [error.message]);
        return last.length === node_count && new Set(last).size === 1;
      }, `${room} ends at the same place on all nodes`, ms).catch((error) => {
        throw new Error(`${error.message}: ${last.join(', ')}`);
      });
    }
  }

  async end() {
    for (const node of this.nodes) {
      if (node.server?.running) {
        node.server.process.kill('SIGCONT');
        await node.server.kill();
      }
      await node.proxy?.close();
    }
    await this.servers?.end();
    this.redis?.signal('SIGCONT');
    await this.redis?.kill();
  }
}
