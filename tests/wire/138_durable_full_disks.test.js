// Durable history on disks that are full: a tmpfs and an ext4 of their own, where root may mount them; the same with a shim
// between the server and the C library, anywhere; and a limit of file sizes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { eventually, seconds } from '../support/deadline.js';
import { assertState, FaultyDisk, RememberedRoom } from '../support/faulty_disk.js';
import { JsonClient } from '../support/json_client.js';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';

const mib = 1_048_576;
const config = scratchDirectory({ 'roomcast.toml': '[[rooms]]\nmatch = "async/**"\nhistory_durability = "async"\n' });
const set = {
  'history.messages': 100_000, 'history.bytes': 1_073_741_824, 'history.age_seconds': 86_400, 'store.ring_messages': 5, 'store.fold_bytes': mib,
};
const running = new Set();
const mounted = new Set();
const sh = (...command) => execFileSync(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
const unmountAll = () => {
  for (const directory of mounted) {
    try {
      sh('umount', '-l', directory);
    } catch { /* it is gone already */ }
  }
  mounted.clear();
};
process.on('exit', unmountAll);

/** Mounts a file system of its own at the directory that it returns. */
function mount(kind) {
  const directory = scratchDirectory();
  if (kind === 'tmpfs') {
    sh('mount', '-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', directory);
  } else {
    const image = path.join(scratchDirectory(), 'image');
    fs.writeFileSync(image, '');
    fs.truncateSync(image, 64 * mib);
    sh('mkfs.ext4', '-q', '-m', '0', image);
    sh('mount', '-o', 'loop', image, directory);
  }
  mounted.add(directory);
  return directory;
}

function canMount(kind) {
  try {
    mount(kind);
    return true;
  } catch (error) {
    const why = `${error.stderr ?? error}`.trim();
    // A machine that runs this as root and is refused for another reason has a fault.
    const is_forbidden = process.getuid() !== 0 || /permission denied|not permitted|must be superuser|loop device/i.test(why);
    if (process.env.CI === 'true' && !is_forbidden) throw error;
    console.log(`No ${kind} of its own can be mounted here, so its cases run with the shim alone: ${why}`);
    return false;
  } finally {
    unmountAll();
  }
}

/** A file system of its own, most of which can be taken by somebody else. */
class OwnDisk {
  #directory;
  env = {};

  constructor(kind) {
    this.#directory = mount(kind);
    this.directory = path.join(this.#directory, 'store');
  }

  get #other() {
    return path.join(this.#directory, 'other');
  }

  /** Leaves so many bytes. */
  fill(bytes) {
    const { bavail, bsize } = fs.statfsSync(this.#directory);
    fs.writeFileSync(this.#other, Buffer.alloc(bavail * bsize - bytes, 1));
  }

  free() {
    fs.rmSync(this.#other);
  }
}

/** The same with the shim, which has the store's files grow by so many bytes and no more. */
class ShimDisk {
  #disk = new FaultyDisk();

  constructor() {
    this.#disk.follow();
    this.directory = this.#disk.directory;
    this.env = this.#disk.env;
  }

  fill(bytes) {
    const sizes = fs.readdirSync(this.directory).map((name) => fs.statSync(path.join(this.directory, name)).size);
    this.#disk.follow(`space ${sizes.reduce((sum, size) => sum + size, bytes)}`);
  }

  free() {
    this.#disk.follow();
  }
}

const disks = [...['tmpfs', 'ext4'].filter(canMount).map((kind) => [kind, () => new OwnDisk(kind)]), ['the shim', () => new ShimDisk()]];

async function start(directory, options = {}) {
  const server = await startServer({ args: ['--config', path.join(config, 'roomcast.toml')], set: { ...set, 'store.path': directory }, ...options });
  running.add(server);
  return server;
}

/**
 * Publishes until it is refused, in a room that is kept and one that is only delivered; `free` makes space again. `is_steady`: until
 * then nothing can be written at all.
 */
async function fillAndFree(server, room, free, is_steady) {
  const client = await JsonClient.greeted(server, '/rooms/async/live');
  const post = (body) => fetchOnce(server.url, 'POST', '/rooms/async/live', { body, headers: { 'Content-Type': 'text/plain' } });
  assert.equal((await post('before')).status, 200);
  await client.messages(1);
  const refused = await eventually(async () => {
    const response = await room.publish(server, 60_000);
    return response.status === 503 && response;
  }, 'the disk is full', seconds(60));
  assert.deepEqual([refused.json.error.code, refused.header('retry-after')], ['store_full', '10'], refused.text);
  if (is_steady) await assertState(server, 'full');
  assert.ok(await server.metric('roomcast_store_refused_total', /store_full/) > 0);
  // Reading and live rooms go on.
  assert.equal((await post('while it is full')).status, 200);
  assert.equal((await client.messages(1))[0].data, 'while it is full');
  await room.check(server);
  const answer = await client.ask({ type: 'publish', room: 'another', data: 'x' });
  if (is_steady) assert.deepEqual([answer.type, answer.code], ['error', 'store_full'], JSON.stringify(answer));
  await client.close();

  free();
  await eventually(async () => (await room.publish(server)).status === 200, 'a publish that is kept', seconds(10));
  await eventually(async () => (await server.metric('roomcast_store_state', /ok/)) === 1, 'the state', seconds(10));
  await assertState(server, 'ok');
  await room.repeatOpen(server);
  await room.check(server);
}

async function checkAfterKill(server, directory, room) {
  await server.kill();
  const next = await start(directory);
  await room.check(next);
  await assertState(next, 'ok');
  await next.stop();
}

describe('durable history on a full disk', () => {
  after(async () => {
    for (const server of running) if (server.running) await server.kill();
    unmountAll();
  });

  for (const [kind, make] of disks) {
    it(`${kind}: refused with store_full, reading and live rooms go on, and free space is all it takes`, { timeout: 180_000 }, async () => {
      const disk = make();
      const server = await start(disk.directory, { env: disk.env });
      const room = new RememberedRoom('a');
      await room.publish(server);
      disk.fill(6 * mib);
      await fillAndFree(server, room, () => disk.free(), true);
      await checkAfterKill(server, disk.directory, room);
    });

    it(`${kind}: a start on a full disk serves what is there`, { timeout: 180_000 }, async () => {
      const disk = make();
      let server = await start(disk.directory, { env: disk.env });
      const room = new RememberedRoom('a');
      for (let i = 0; i < 20; i += 1) assert.equal((await room.publish(server, 60_000)).status, 200);
      await server.kill();
      disk.fill(mib / 4);
      server = await start(disk.directory, { env: disk.env });
      await room.check(server);
      disk.free();
      await eventually(async () => (await room.publish(server)).status === 200, 'a publish that is kept', seconds(10));
      await checkAfterKill(server, disk.directory, room);
    });
  }

  it('a limit of file sizes (RLIMIT_FSIZE), which the history meets and the journal does not: refused at times, and nothing is lost', { timeout: 180_000 }, async () => {
    const directory = path.join(scratchDirectory(), 'store');
    const server = await start(directory, { wrap: ['prlimit', `--fsize=${10 * mib}:unlimited`] });
    const room = new RememberedRoom('a');
    await room.publish(server);
    await fillAndFree(server, room, () => sh('prlimit', '--pid', `${server.pid}`, '--fsize=unlimited:unlimited'), false);
    await checkAfterKill(server, directory, room);
  });
});
