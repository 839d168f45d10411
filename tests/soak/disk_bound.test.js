// The bound of all files of a store together.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, it } from 'node:test';
import { assertState } from '../support/faulty_disk.js';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';

const mib = 1_048_576;

describe('the bound of the disk', () => {
  it('store.disk_bytes: the files never take more, and the oldest messages go', { timeout: 900_000 }, async () => {
    const directory = path.join(scratchDirectory(), 'store');
    const limit = 128 * mib;
    const total = Number(process.env.ROOMCAST_SOAK_MIB ?? 200) * mib;
    const server = await startServer({
      set: {
        'history.messages': 100_000, 'history.bytes': 1_073_741_824, 'history.age_seconds': 86_400, 'store.fold_bytes': mib,
        'store.disk_bytes': limit, 'store.queue_bytes': mib, 'store.path': directory,
      },
    });
    const body = 'x'.repeat(65_000);
    let most = 0;
    const messages = JSON.stringify({ messages: Array.from({ length: 8 }, (_, i) => ({ room: `r/${i}`, data: body })) });
    for (let sent = 0; sent < total;) {
      const responses = await Promise.all([0, 1].map(() => fetchOnce(server.url, 'POST', '/api/publish', { body: messages, headers: { 'Content-Type': 'application/json' } })));
      for (const response of responses) {
        assert.equal(response.status, 200, response.text);
        sent += response.json.results.filter(({ cursor }) => cursor !== undefined).length * body.length;
      }
      most = Math.max(most, 1024 * Number(execFileSync('du', ['-sk', directory]).toString().split('\t')[0]));
    }
    console.log(`${total / mib} MiB published, ${Math.round(most / mib)} MiB on the disk at most`);
    assert.ok(most <= limit, `${most} bytes`);
    assert.ok(await server.metric('roomcast_store_evicted_messages_total', /disk/) > 0);
    await assertState(server, 'ok');
    await server.stop();
  });
});
