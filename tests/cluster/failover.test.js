// Three servers over a primary with two replicas and three Sentinels: planned failovers, and primaries that die or stand still, under load.
// ROOMCAST_SEED=N repeats the choices of a run, as far as timing allows.

import { describe } from 'node:test';
import { seed } from '../support/chance.js';
import { sleep } from '../support/deadline.js';
import { rowsOf, watched } from './rows.js';

/** Kills the primary and waits for the next one; the old one comes back as a replica. */
async function killPrimary(servers) {
  const old = await servers.primary();
  await old.kill();
  const primary = await servers.becomes(old);
  await old.begin();
  return primary;
}

const waits_too_long = ['unavailable', 'timed_out'];

const rows = [
  { name: 'SENTINEL FAILOVER', loses: true, act: ({ servers }) => servers.failOver() },
  { name: 'kill -9 of the primary', outcomes: waits_too_long, loses: true, act: ({ servers }) => killPrimary(servers) },
  {
    name: 'kill -9 of the primary, whose replicas are 100 ms behind', outcomes: waits_too_long, loses: true,
    async act({ servers }) {
      for (const { proxy } of servers.servers) proxy.delay_ms = 100;
      await sleep(1_000);
      await killPrimary(servers);
    },
  },
  {
    name: 'kill -9 of the primary, and of the next one while clients recover', outcomes: waits_too_long, loses: true,
    async act({ servers }) {
      for (const { proxy } of servers.servers) proxy.delay_ms = 100;
      await sleep(500);
      await killPrimary(servers);
      await sleep(300);
      await killPrimary(servers);
    },
  },
  {
    name: 'the primary stands still for a second',
    async act({ servers }) {
      const primary = await servers.primary();
      primary.signal('SIGSTOP');
      await sleep(700);
      primary.signal('SIGCONT');
    },
  },
  {
    name: 'the primary stands still until another one is chosen, and wakes up', outcomes: waits_too_long, loses: true,
    async act({ servers }) {
      const old = await servers.primary();
      old.signal('SIGSTOP');
      await servers.becomes(old);
      await sleep(500);
      old.signal('SIGCONT');
      await sleep(2_000);
    },
  },
];

describe(`three nodes over Sentinels, ROOMCAST_SEED=${seed}`, () => {
  rowsOf(watched, rows);
});
