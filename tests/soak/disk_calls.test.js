// A disk on which one call fails, for each of the first calls: what was answered is there, with its bytes, and nobody notices.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { eventually, seconds } from '../support/deadline.js';
import { assertState, FaultyDisk, RememberedRoom } from '../support/faulty_disk.js';
import { startServer } from '../support/server.js';

const calls = Number(process.env.ROOMCAST_SOAK_CALLS ?? 16);
const set = {
  'history.messages': 100_000, 'history.bytes': 33_554_432, 'history.age_seconds': 86_400,
  'store.fold_bytes': 1_048_576, 'store.disk_bytes': 134_217_728,
};
const running = new Set();

async function start(disk) {
  const server = await startServer({ set: { ...set, 'store.path': disk.directory }, env: disk.env });
  running.add(server);
  return server;
}

/**
 * A fold comes by itself after 30 s, makes many calls and so meets the one that fails, and may do so three times in a row if the
 * next one fails by then: the store says so, and works again as soon as no call fails.
 */
async function foldsHaveFailed(server, disk) {
  assert.ok(await server.metric('roomcast_store_errors_total', /fold/) >= 3, 'it was not the folds');
  disk.follow();
  return eventually(async () => (await server.metric('roomcast_store_state', /ok/)) === 1, 'the state after folds that failed', seconds(30));
}

describe('one call that fails', () => {
  after(async () => {
    for (const server of running) if (server.running) await server.kill();
  });

  // Calls, files, error, and the size of messages: with large ones there are folds and checkpoints.
  for (const [what, file, error, size] of [
    ['pwrite', '', 'EIO', 100], ['fdatasync,fsync', '', 'EIO', 100], ['pwrite', '', 'EROFS', 100], ['pwrite,fdatasync,fsync,ftruncate,open,unlink', '', 'EIO', 60_000],
    ['pwrite,fdatasync,fsync,ftruncate', 'history', 'EIO', 60_000], ['pwrite,fdatasync,ftruncate', 'journal.db$', 'EIO', 60_000],
    ['pwrite,fdatasync,ftruncate', 'history.db$', 'EIO', 60_000], ['pwrite,fdatasync,fsync,ftruncate', '.db', 'ENOSPC', 60_000],
  ]) {
    it(`${what} of ${file || 'any file'} (${error}), each of the first ${calls}, with ${size} bytes`, { timeout: 120_000 + calls * 5_000 }, async () => {
      const disk = new FaultyDisk();
      disk.follow();
      const server = await start(disk);
      const room = new RememberedRoom('a', { last: 400 }); // the bound of the room's bytes is more than that
      const hit = new Set();
      for (let n = 1; n <= calls; n += 1) {
        disk.follow(`fail ${what} ${n} 1 ${error} ${file}`);
        await eventually(async () => {
          const response = await room.publish(server, size);
          if (response.json.error?.code === 'store_failed') return foldsHaveFailed(server, disk);
          // A disk that is full for one call may be told of; it is tried again, and then it is not full.
          assert.ok(response.status === 200 || error === 'ENOSPC', `${disk.failed}: ${response.text}`);
          return disk.failed.length > 0;
        }, `the failure of call ${n}`, seconds(30 + n / 5));
        disk.failed.forEach((one) => hit.add(one));
      }
      disk.follow();
      await eventually(async () => (await room.publish(server)).status === 200, 'a publish that is kept');
      // What a fold has met is known when it ends, which may be now.
      await eventually(() => assertState(server, 'ok').then(() => true, () => false), 'the state');
      console.log(`failed: ${[...hit].join(', ')}`);
      await room.repeatOpen(server);
      await room.check(server);
      await server.kill();
      const next = await start(disk);
      await room.check(next);
      await assertState(next, 'ok');
      await next.stop();
    });
  }
});
