// Three servers over one Redis, and connections that are cut, silent, slow or closed by Redis, under load.
// ROOMCAST_SEED=N repeats the choices of a run, as far as timing allows.

import { describe } from 'node:test';
import { seed } from '../support/chance.js';
import { eventually, sleep } from '../support/deadline.js';
import { rowsOf, single } from './rows.js';

const everyNode = (nodes, act) => Promise.all(nodes.map(act));

/** Connections of the kind to nobody know that they are dead, for `ms`. */
async function halfOpen(proxy, kind, ms) {
  proxy.silence(kind);
  await sleep(ms);
  proxy.speak();
}

const waits_too_long = ['unavailable', 'timed_out'];

const rows = [
  { name: 'all nodes are cut off for half a second', quick: true, act: ({ nodes }) => everyNode(nodes, ({ proxy }) => proxy.cutFor(500)) },
  { name: 'one node is cut off for three seconds', act: ({ nodes, random }) => random.of(nodes).proxy.cutFor(3_000) },
  { name: 'all nodes are cut off for three seconds', act: ({ nodes }) => everyNode(nodes, ({ proxy }) => proxy.cutFor(3_000)) },
  { name: 'one node is cut off for twelve seconds', outcomes: waits_too_long, act: ({ nodes, random }) => random.of(nodes).proxy.cutFor(12_000) },
  {
    name: 'push connections are cut, five times', quick: true,
    async act({ nodes, random }) {
      for (let i = 0; i < 5; i += 1) {
        random.of(nodes).proxy.cut('push');
        await sleep(400);
      }
    },
  },
  {
    name: 'command connections are cut, five times', quick: true,
    async act({ nodes, random }) {
      for (let i = 0; i < 5; i += 1) {
        random.of(nodes).proxy.cut('command');
        await sleep(400);
      }
    },
  },
  { name: 'the push connection of a node is half open for six seconds', act: ({ nodes, random }) => halfOpen(random.of(nodes).proxy, 'push', 6_000) },
  { name: 'the command connection of a node is half open for six seconds', outcomes: waits_too_long, act: ({ nodes, random }) => halfOpen(random.of(nodes).proxy, 'command', 6_000) },
  { name: 'all connections of a node are half open for six seconds', outcomes: waits_too_long, act: ({ nodes, random }) => halfOpen(random.of(nodes).proxy, 'all', 6_000) },
  {
    name: 'links are slow, and one is late',
    async act({ nodes: [first, second] }) {
      first.proxy.delay_ms = 300;
      second.proxy.bytes_per_second = 200_000;
      await sleep(3_000);
      first.proxy.delay_ms = second.proxy.bytes_per_second = 0;
    },
  },
  {
    name: 'CLIENT KILL TYPE pubsub and normal', quick: true,
    async act({ redis }) {
      for (const type of ['pubsub', 'normal', 'pubsub', 'normal']) {
        await redis.ask('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
        await sleep(500);
      }
    },
  },
  {
    name: 'CLIENT PAUSE of all and of writes',
    async act({ redis }) {
      await redis.ask('CLIENT', 'PAUSE', '1000', 'ALL');
      await sleep(1_500);
      await redis.ask('CLIENT', 'PAUSE', '1500', 'WRITE');
      await sleep(1_500);
    },
  },
  {
    name: 'a node is stopped until Redis closes its push connection', quick: true,
    async act({ nodes, redis, random }) {
      await redis.ask('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 1mb 1mb 0');
      const node = random.of(nodes);
      const [probes] = (await redis.ask('PUBSUB', 'CHANNELS', `rc{*}b:${node.name}`)).split('\n');
      node.server.process.kill('SIGSTOP');
      // More than what fits between Redis and the node, on the channel that is the node's own: nobody else has to read it.
      await eventually(async () => {
        await redis.ask('EVAL', "return redis.call('PUBLISH', ARGV[1], string.rep('x', 4194304))", '0', probes);
        return /closed ASAP for overcoming of output buffer limits/.test(redis.log);
      }, 'Redis closes the push connection');
      node.server.process.kill('SIGCONT');
    },
  },
];

describe(`three nodes over one Redis, bad connections, ROOMCAST_SEED=${seed}`, () => {
  rowsOf(single, rows);
});
