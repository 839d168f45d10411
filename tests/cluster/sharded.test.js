// Three servers over a Redis Cluster of three primaries with a replica each: failovers, and slots that move, under load.
// ROOMCAST_SEED=N repeats the choices of a run, as far as timing allows.

import { describe } from 'node:test';
import { seed } from '../support/chance.js';
import { sleep } from '../support/deadline.js';
import { rowsOf, sharded } from './rows.js';

const waits_too_long = ['unavailable', 'timed_out'];

/** Kills a primary until its replica has taken its place. */
async function killPrimary(servers, random) {
  const { primary, replica } = await servers.pair(random);
  primary.is_down = true;
  await primary.kill();
  await servers.promoted(replica);
  await primary.begin();
  primary.is_down = false;
  await servers.healthy();
}

/** A replica takes the place of its primary: `how` is an option of CLUSTER FAILOVER. */
async function failOver(servers, random, how = []) {
  const { replica } = await servers.pair(random);
  await replica.ask('CLUSTER', 'FAILOVER', ...how);
  await servers.promoted(replica);
  await servers.healthy();
}

const rows = [
  { name: 'CLUSTER FAILOVER', quick: true, act: ({ servers, random }) => failOver(servers, random) },
  { name: 'CLUSTER FAILOVER TAKEOVER', loses: true, act: ({ servers, random }) => failOver(servers, random, ['TAKEOVER']) },
  { name: 'kill -9 of a primary', outcomes: waits_too_long, loses: true, act: ({ servers, random }) => killPrimary(servers, random) },
  {
    name: 'kill -9 of a primary whose replica is 100 ms behind', outcomes: waits_too_long, loses: true,
    async act({ servers, random }) {
      for (const { proxy } of servers.servers) proxy.delay_ms = 100;
      await sleep(1_000);
      await killPrimary(servers, random);
    },
  },
  {
    name: 'a hundred slots move to another primary and back',
    async act({ servers, random }) {
      const { primary: from } = await servers.pair(random);
      const to = servers.servers.find((server, i) => i < 3 && server !== from);
      await servers.move(from, to, 100);
      await sleep(500);
      await servers.move(to, from, 100);
    },
  },
];

describe(`three nodes over a Redis Cluster, ROOMCAST_SEED=${seed}`, () => {
  rowsOf(sharded, rows);
});
