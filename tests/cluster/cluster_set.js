// A Redis Cluster of three primaries with a replica each. Each server is behind a proxy, whose address is the only one that the
// others and the nodes know; only the cluster bus goes straight.

import { eventually, seconds } from '../support/deadline.js';
import { LinkProxy } from './link_proxy.js';
import { freePort, keeping, RedisProcess } from './redis_process.js';

const primaries = 3;
const slots = 16_384;
const node_timeout_ms = 1_500;

export class ClusterSet {
  servers = []; // RedisProcess, each with a `proxy` and its `id`

  static async start() {
    const set = new ClusterSet();
    try {
      for (let i = 0; i < 2 * primaries; i += 1) await set.#addServer(i);
      await set.#join();
    } catch (error) {
      await set.end();
      throw error;
    }
    return set;
  }

  /** What nodes are configured with: one of the servers is enough to find the others. */
  get settings() {
    return { 'redis.urls': this.servers.slice(0, 2).map(({ proxy }) => `redis://127.0.0.1:${proxy.port}`).join(','), 'redis.cluster': true };
  }

  async #addServer(number) {
    const proxy = await LinkProxy.start(0);
    const bus = `${await freePort()}`;
    const server = await RedisProcess.start([...keeping.nothing, '--cluster-enabled', 'yes', '--cluster-node-timeout', `${node_timeout_ms}`, '--cluster-port', bus,
      '--cluster-announce-ip', '127.0.0.1', '--cluster-announce-port', `${proxy.port}`, '--cluster-announce-bus-port', bus]);
    proxy.target = server.port;
    proxy.delayed = 'replica';
    Object.assign(server, { proxy, bus, id: await server.ask('CLUSTER', 'MYID') });
    await server.ask('CLUSTER', 'SET-CONFIG-EPOCH', `${number + 1}`);
    this.servers.push(server);
  }

  async #join() {
    const [first, ...others] = this.servers;
    for (const { proxy, bus } of others) await first.ask('CLUSTER', 'MEET', '127.0.0.1', `${proxy.port}`, bus);
    for (let i = 0; i < primaries; i += 1) {
      const [begin, end] = [i, i + 1].map((n) => Math.floor((slots * n) / primaries));
      await this.servers[i].ask('CLUSTER', 'ADDSLOTSRANGE', `${begin}`, `${end - 1}`);
    }
    for (const server of this.servers) await eventually(async () => (await this.#known(server)) === this.servers.length, 'a server that knows all');
    for (let i = 0; i < primaries; i += 1) await this.servers[primaries + i].ask('CLUSTER', 'REPLICATE', this.servers[i].id);
    await this.healthy();
  }

  async #known(server) {
    return Number(/cluster_known_nodes:(\d+)/.exec(await server.ask('CLUSTER', 'INFO'))[1]);
  }

  /** All slots have a primary, all servers say so, and all replicas follow. */
  async healthy(ms = seconds(30)) {
    for (const server of this.servers) {
      await eventually(async () => /cluster_state:ok/.test(await server.ask('CLUSTER', 'INFO')), 'a server that takes the cluster for whole', ms);
      await eventually(async () => (await server.info('role')) === 'master' || (await server.info('master_link_status')) === 'up', 'a replica that follows', ms);
    }
  }

  /** The lines of CLUSTER NODES, as one that is alive sees them: { id, port, flags, primary }. */
  async #nodes() {
    const alive = this.servers.find(({ is_down }) => !is_down);
    return (await alive.ask('CLUSTER', 'NODES')).split('\n').map((line) => {
      const [id, address, flags, primary] = line.split(' ');
      return { id, port: Number(/:(\d+)@/.exec(address)[1]), flags: flags.split(','), primary };
    });
  }

  /** A primary that has slots, and a replica of it. */
  async pair(random) {
    const nodes = await this.#nodes();
    const replica = random.of(nodes.filter(({ flags }) => flags.includes('slave') && !flags.includes('fail')));
    const [a, b] = [replica.primary, replica.id].map((id) => this.servers.find((server) => server.id === id));
    return { primary: a, replica: b };
  }

  /** Waits until `server` is a primary for the others. */
  async promoted(server, ms = seconds(30)) {
    await eventually(async () => (await server.info('role')) === 'master', 'a replica that was promoted', ms);
    for (const other of this.servers.filter(({ is_down }) => !is_down)) {
      await eventually(async () => new RegExp(`^${server.id} .*\\bmaster\\b`, 'm').test(await other.ask('CLUSTER', 'NODES')), 'all know the new primary', ms);
    }
  }

  /** Has `count` slots of one primary moved to another, with what is in them. */
  async move(from, to, count) {
    const address = `127.0.0.1:${from.proxy.port}`;
    await from.ask('--cluster', 'reshard', address, '--cluster-from', from.id, '--cluster-to', to.id, '--cluster-slots', `${count}`, '--cluster-yes');
  }

  async primary() {
    return this.servers.find(({ is_down }) => !is_down);
  }

  async end() {
    for (const server of this.servers) {
      server.signal('SIGCONT');
      await server.kill();
      await server.proxy.close();
    }
  }
}
