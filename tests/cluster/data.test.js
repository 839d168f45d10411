// Three servers over one Redis that is emptied, filled, and robbed of its keys and scripts, under load.
// ROOMCAST_SEED=N repeats the choices of a run, as far as timing allows.

import { describe } from 'node:test';
import { seed } from '../support/chance.js';
import { eventually, sleep } from '../support/deadline.js';
import { rowsOf, single } from './rows.js';
import { rooms } from './session.js';

/** The keys of a room (or of its partition, for `t`) that begin with the letter. */
async function keysOf(redis, letter, room) {
  const pattern = letter === 't' ? 'rc{*}t' : `rc{*}${letter}:${room}`;
  return (await redis.ask('KEYS', pattern)).split('\n').filter((key) => key !== '');
}

const rows = [
  { name: 'nothing happens', quick: true, act: () => sleep(1_000) },
  { name: 'FLUSHALL', quick: true, loses: true, act: ({ redis }) => redis.ask('FLUSHALL') },
  {
    name: 'SCRIPT FLUSH, five times', quick: true,
    async act({ redis }) {
      for (let i = 0; i < 5; i += 1) {
        await redis.ask('SCRIPT', 'FLUSH');
        await sleep(200);
      }
    },
  },
  {
    name: 'maxmemory is reached, and there is space again', quick: true, outcomes: ['overloaded'],
    async act({ redis, session }) {
      await redis.ask('CONFIG', 'SET', 'maxmemory', '1');
      await sleep(1_000);
      await redis.ask('CONFIG', 'SET', 'maxmemory', '0');
      await eventually(() => session.has('overloaded'), 'a publish that was refused');
    },
  },
  {
    name: 'a term is deleted by hand',
    async act({ redis }) {
      for (const key of await keysOf(redis, 't')) await redis.ask('DEL', key);
    },
  },
  {
    name: 'where rooms stand is deleted by hand', quick: true, loses: true,
    async act({ redis, random }) {
      for (let i = 0; i < 5; i += 1) for (const key of await keysOf(redis, 'm', random.of(rooms))) await redis.ask('DEL', key);
    },
  },
  {
    name: 'the logs of rooms are deleted by hand', loses: true, gaps: true,
    async act({ redis, random }) {
      for (let i = 0; i < 5; i += 1) for (const key of await keysOf(redis, 's', random.of(rooms))) await redis.ask('DEL', key);
    },
  },
];

describe(`three nodes over one Redis, data that is gone, ROOMCAST_SEED=${seed}`, () => {
  rowsOf(single, rows);
});
