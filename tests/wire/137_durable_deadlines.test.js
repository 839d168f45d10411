// Publishes into sync rooms while the disk hangs: each is answered by store_timeout once store.ack_timeout_seconds have gone by,
// whatever way it came.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { batch, durable, killAll, post } from '../support/durable.js';
import { seconds, sleep } from '../support/deadline.js';
import { FaultyDisk } from '../support/faulty_disk.js';
import { JsonClient } from '../support/json_client.js';

const each = 6; // publishes of each way
const apart_ms = 37; // the engine looks each 100 ms: they come at different times between two looks
// A time counts in whole milliseconds from the beginning of the turn that reads the request.
const turn_ms = 20;

const ways = {
  'POST, a room in use': async (server) => {
    const { status, json } = await post(server, 'used', 'x');
    return [status, json.error.code];
  },
  'POST, a room that is found on the disk first': async (server, n) => {
    const { status, json } = await post(server, `unused/${n}`, 'x');
    return [status, json.error.code];
  },
  'POST /api/publish': async (server) => {
    const [{ error }] = await batch(server, [{ room: 'batch', data: 'x' }]);
    return [504, error.code];
  },
  'roomcast.v1': async (server, n, client) => {
    const { type, code } = await client.ask({ type: 'publish', room: 'used', data: 'x' });
    assert.equal(type, 'error');
    return [504, code];
  },
};

describe('a disk that hangs', { concurrency: true }, () => {
  after(killAll);

  for (const timeout of [1, 5]) {
    it(`store_timeout after ${timeout} s, and not before`, async () => {
      const disk = new FaultyDisk();
      disk.follow();
      const server = await durable(disk.directory, { env: disk.env, set: { 'store.ack_timeout_seconds': timeout } });
      assert.equal((await post(server, 'used', 'x')).status, 200);
      const client = await JsonClient.greeted(server, '/connect');
      disk.follow(`delay fdatasync,fsync ${seconds(60)} journal`);
      const took = new Map(Object.keys(ways).map((name) => [name, []]));
      const all = [];
      for (let n = 0; n < each; n += 1) {
        for (const [name, publish] of Object.entries(ways)) {
          const begun = performance.now();
          all.push(publish(server, n, client).then((answer) => {
            took.get(name).push(performance.now() - begun);
            assert.deepEqual(answer, [504, 'store_timeout'], name);
          }));
        }
        await sleep(apart_ms);
      }
      await Promise.all(all);
      for (const [name, ms] of took) {
        const [least, most] = [Math.min(...ms), Math.max(...ms)];
        console.log(`store.ack_timeout_seconds = ${timeout}, ${name}: answered after ${(least / 1000).toFixed(3)} to ${(most / 1000).toFixed(3)} s`);
        assert.equal(ms.length, each);
        assert.ok(least > timeout * 1000 - turn_ms, `${name}: ${least} ms`);
        assert.ok(most < timeout * 1000 + seconds(2), `${name}: ${most} ms`);
      }
      assert.equal(await server.metric('roomcast_store_refused_total', /store_timeout/), each * Object.keys(ways).length);
      await server.kill();
    });
  }
});
