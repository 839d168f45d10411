// A store on a disk that fails or is slow: rules for tests/support/disk_shim.c, which is preloaded into the server; and what
// publishers were told, to be compared with what is there afterwards.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fetchOnce } from './raw_http.js';
import { scratchDirectory } from './scratch.js';
import { binary } from './server.js';

export const shim = path.join(path.dirname(binary), 'disk_shim.so');

export class FaultyDisk {
  constructor(directory = path.join(scratchDirectory(), 'store')) {
    this.directory = directory;
    this.control = `${directory}.rules`;
  }

  /** The environment of a server that has this disk. */
  get env() {
    assert.ok(fs.existsSync(shim), `${shim} is not built: ninja disk_shim`);
    // A sanitizer wants to be the first library, but can be the second.
    const sanitizer = `${process.env.ASAN_OPTIONS ?? 'detect_leaks=1:abort_on_error=0'}:verify_asan_link_order=0`;
    return { LD_PRELOAD: shim, DISK_SHIM_DIRECTORY: this.directory, DISK_SHIM_CONTROL: this.control, ASAN_OPTIONS: sanitizer };
  }

  /** From now on the disk does as `rules` say: see disk_shim.c. Without any it works. */
  follow(...rules) {
    fs.rmSync(`${this.control}.log`, { force: true });
    fs.writeFileSync(`${this.control}.new`, rules.map((rule) => `${rule}\n`).join(''));
    fs.renameSync(`${this.control}.new`, this.control);
  }

  /** The calls that have failed since then: 'pwrite journal.db-wal 5'. */
  get failed() {
    return fs.existsSync(`${this.control}.log`) ? fs.readFileSync(`${this.control}.log`, 'utf8').split('\n').slice(0, -1) : [];
  }
}

const offsetOf = (cursor) => Number(cursor.split('-')[1]);

/** Publishes into one room over HTTP, and remembers what each publish was told; `last`: of so many messages only, the last ones. */
export class RememberedRoom {
  #count = 0;
  kept = new Map(); // data → cursor
  open = new Map(); // data → key: answered by 504
  refused = new Set(); // data

  constructor(room, { last = Infinity } = {}) {
    this.room = room;
    this.last = last;
  }

  /** Publishes `size` bytes of its own; returns the response. */
  async publish(server, size = 100) {
    this.#count += 1;
    const data = `${this.room} ${this.#count} `.padEnd(size, 'abcdefghijklmnopqrstuvwxyz');
    return this.#send(server, data, `key ${this.#count}`);
  }

  async #send(server, data, key) {
    const response = await fetchOnce(server.url, 'POST', `/rooms/${this.room}`, { body: data, headers: { 'Content-Type': 'text/plain', 'Idempotency-Key': key } });
    if (response.status === 200) {
      assert.equal(response.json.durable, true, response.text);
      assert.equal(this.kept.get(data) ?? response.json.cursor, response.json.cursor);
      this.kept.set(data, response.json.cursor);
      this.open.delete(data);
      if (this.kept.size >= 2 * this.last) this.#forget();
    } else if (response.status === 504) {
      assert.equal(response.json.error.code, 'store_timeout', response.text);
      this.open.set(data, key);
    } else {
      assert.equal(response.status, 503, response.text);
      assert.match(response.json.error.code, /^store_(busy|full|failed)$/);
      this.refused.add(data);
    }
    return response;
  }

  /** Leaves the `last` messages, in their order. */
  #forget() {
    const sorted = [...this.kept].sort(([, a], [, b]) => offsetOf(a) - offsetOf(b));
    this.kept = new Map(sorted.slice(-this.last));
  }

  /** Publishes again, with their keys, those that were answered by 504. */
  async repeatOpen(server) {
    for (const [data, key] of [...this.open]) assert.equal((await this.#send(server, data, key)).status, 200);
  }

  /** Everything that was answered is there once, at its place, with its bytes; what was refused is not. */
  async check(server) {
    this.#forget();
    const [first] = this.kept.values();
    let since = `${first.split('-')[0]}-${this.kept.size < this.last ? 0 : offsetOf(first) - 1}`;
    const found = new Map();
    for (;;) {
      const response = await fetchOnce(server.url, 'GET', `/rooms/${this.room}?since=${since}`);
      assert.equal(response.status, 200, response.text);
      const { messages, gap, cursor } = response.json;
      assert.equal(gap, null, `a gap in ${this.room} after ${since}`);
      if (messages.length === 0) break;
      for (const one of messages) {
        assert.ok(!found.has(one.data), `${this.room}: twice: ${one.data.slice(0, 40)}`);
        found.set(one.data, one.cursor);
      }
      since = cursor;
    }
    const lost = [...this.kept].filter(([data, cursor]) => found.get(data) !== cursor).map(([data, cursor]) => [cursor, data.slice(0, 40)]);
    assert.deepEqual(lost, [], `${this.room}: answered and lost`);
    const unknown = [...found.keys()].filter((data) => !this.kept.has(data) && !this.open.has(data)).map((data) => data.slice(0, 40));
    assert.deepEqual(unknown, [], `${this.room}: refused and kept`);
  }
}

/** Checks what the server says of its store: on /readyz, where the status is 200 whatever it is, and in its metrics. */
export async function assertState(server, state) {
  const ready = await fetchOnce(server.url, 'GET', '/readyz');
  assert.deepEqual([ready.status, ready.text], [200, `ready\nstore: ${state}\n`]);
  assert.equal(await server.metric('roomcast_store_state', new RegExp(`state="${state}"`)), 1);
  assert.equal(await server.metric('roomcast_store_state'), 1);
  assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
}
