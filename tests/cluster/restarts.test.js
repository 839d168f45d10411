// Three servers over one Redis, and processes that are killed or stand still, under load.
// ROOMCAST_SEED=N repeats the choices of a run, as far as timing allows.

import { describe } from 'node:test';
import { seed } from '../support/chance.js';
import { sleep } from '../support/deadline.js';
import { keeping } from './redis_process.js';
import { rowsOf, single } from './rows.js';

const rows = [
  {
    name: 'kill -9 of Redis, which comes back with all it had (AOF)', quick: true, redis: keeping.appendonly,
    act: ({ redis }) => redis.awayFor(0),
  },
  {
    name: 'kill -9 of Redis, which comes back with what it had two seconds before (RDB)', quick: true, redis: keeping.snapshots, loses: true,
    async act({ redis }) {
      await redis.ask('SAVE');
      await sleep(2_000);
      await redis.awayFor(0);
    },
  },
  {
    name: 'kill -9 of Redis, which comes back empty', loses: true,
    act: ({ redis }) => redis.awayFor(0),
  },
  {
    name: 'kill -9 of Redis twice within a second (RDB)', redis: keeping.snapshots, loses: true,
    async act({ redis }) {
      await redis.ask('SAVE');
      await sleep(1_000);
      await redis.awayFor(0);
      await sleep(500);
      await redis.awayFor(0);
    },
  },
  { name: 'Redis is away for two seconds (AOF)', redis: keeping.appendonly, act: ({ redis }) => redis.awayFor(2_000) },
  { name: 'Redis is away for ten seconds (AOF)', redis: keeping.appendonly, outcomes: ['unavailable', 'timed_out'], act: ({ redis }) => redis.awayFor(10_000) },
  { name: 'DEBUG SLEEP 3', act: ({ redis }) => redis.ask('DEBUG', 'SLEEP', '3') },
  { name: 'kill -9 of a node', quick: true, set: { 'redis.publish_seconds': 30 }, outcomes: ['unknown'], act: ({ nodes, random }) => random.of(nodes).restartAfter(1_000) },
];

describe(`three nodes over one Redis, processes that die, ROOMCAST_SEED=${seed}`, () => {
  rowsOf(single, rows);
});
