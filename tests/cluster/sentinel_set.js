// A primary with two replicas, watched by three Sentinels. Each Redis server is behind a proxy, whose address is the only one that
// anybody knows: the others, the Sentinels, the nodes. So the way to a replica can be made late, which on one machine it never is.

import path from 'node:path';
import { eventually, seconds } from '../support/deadline.js';
import { scratchDirectory } from '../support/scratch.js';
import { LinkProxy } from './link_proxy.js';
import { freePort, keeping, RedisProcess } from './redis_process.js';

const name = 'rc';
const down_after_ms = 1_000;

export class SentinelSet {
  servers = []; // RedisProcess, each with a `proxy`
  sentinels = [];

  static async start() {
    const set = new SentinelSet();
    try {
      for (let i = 0; i < 3; i += 1) await set.#addServer();
      const [primary, ...replicas] = set.servers;
      for (const replica of replicas) await replica.ask('REPLICAOF', '127.0.0.1', `${primary.proxy.port}`);
      for (const replica of replicas) await eventually(async () => (await replica.info('master_link_status')) === 'up', 'a replica that follows');
      for (let i = 0; i < 3; i += 1) await set.#addSentinel(primary);
      for (const sentinel of set.sentinels) {
        await eventually(async () => /^.*\bslaves=2,sentinels=3\b/m.test(await sentinel.ask('INFO', 'sentinel')), 'a Sentinel that knows all');
      }
    } catch (error) {
      await set.end();
      throw error;
    }
    return set;
  }

  /** What nodes are configured with. */
  get settings() {
    return { 'redis.urls': this.sentinels.map(({ port }) => `redis://127.0.0.1:${port}`).join(','), 'redis.sentinel': name };
  }

  async #addServer() {
    const proxy = await LinkProxy.start(0);
    const server = await RedisProcess.start([...keeping.nothing, '--replica-announce-ip', '127.0.0.1', '--replica-announce-port', `${proxy.port}`]);
    proxy.target = server.port;
    proxy.delayed = 'replica';
    server.proxy = proxy;
    this.servers.push(server);
  }

  async #addSentinel(primary) {
    const port = await freePort();
    const lines = [`port ${port}`, 'bind 127.0.0.1', `sentinel monitor ${name} 127.0.0.1 ${primary.proxy.port} 2`, `sentinel down-after-milliseconds ${name} ${down_after_ms}`, `sentinel failover-timeout ${name} 6000`, `sentinel parallel-syncs ${name} 2`];
    const directory = scratchDirectory({ 'sentinel.conf': `${lines.join('\n')}\n` });
    this.sentinels.push(await RedisProcess.start([path.join(directory, 'sentinel.conf'), '--sentinel'], { port, directory }));
  }

  /** The server that the first Sentinel names as the primary. */
  async primary() {
    const [, port] = (await this.sentinels[0].ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)).split('\n');
    return this.servers.find(({ proxy }) => `${proxy.port}` === port);
  }

  /** Waits until the Sentinels name another primary than `old`, which takes writes. */
  async becomes(old, ms = seconds(20)) {
    return eventually(async () => {
      const primary = await this.primary();
      return primary !== undefined && primary !== old && (await primary.info('role').catch(() => '')) === 'master' && primary;
    }, 'another primary', ms);
  }

  async failOver() {
    const old = await this.primary();
    await this.sentinels[0].ask('SENTINEL', 'FAILOVER', name);
    return this.becomes(old);
  }

  async end() {
    for (const server of [...this.sentinels, ...this.servers]) {
      server.signal('SIGCONT');
      await server.kill();
      await server.proxy?.close();
    }
  }
}
