// History on the disk: what is refused and when, who may use a directory, and what operators see.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { durable, killAll, newStore, poll, post, receiptOf, text } from '../support/durable.js';
import { JsonClient } from '../support/json_client.js';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { runToEnd, startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

describe('a store', () => {
  after(killAll);

  it('refuses what does not fit into store.queue_bytes, over every way in', async () => {
    const size = 1_100_000;
    const server = await durable(newStore(), { set: { 'store.queue_bytes': 1_048_576, 'limits.message_bytes': size, 'limits.body_bytes': size, 'limits.batch_bytes': 2 * size } });
    const large = 'x'.repeat(size);
    const refused = await post(server, 'busy', large);
    assert.deepEqual([refused.status, refused.json.error.code, refused.header('retry-after')], [503, 'store_busy', '1']);
    const client = await JsonClient.greeted(server, '/rooms/busy');
    const reply = await client.ask({ type: 'publish', data: large });
    assert.deepEqual([reply.type, reply.code], ['error', 'store_busy']);
    const raw = await connect(server.url, { path: '/rooms/busy' });
    await raw.text(large);
    await raw.expectClose(1013);
    assert.equal((await receiptOf(server, 'busy', 'small')).durable, true);
    const [message] = await client.messages(1);
    assert.equal(message.data, 'small', 'nobody got the large one');
    await client.close();
    assert.ok((await server.metric('roomcast_store_refused_total', /store_busy/)) >= 3);
    await server.stop();
  });

  it('answers 504 where the disk takes longer than store.ack_timeout_seconds, and delivers the message once it is there', async () => {
    // The second commit begins a second after the first.
    const directory = newStore();
    const server = await durable(directory, { set: { 'store.commit_ms': 1000, 'store.ack_timeout_seconds': 0.1 } });
    const client = await JsonClient.greeted(server, '/rooms/late');
    const statuses = [];
    const key = () => ({ ...text, 'Idempotency-Key': `k${statuses.length}` });
    while (!statuses.includes(504)) {
      const response = await post(server, 'late', `m${statuses.length}`, key());
      statuses.push(response.status);
      if (response.status === 504) assert.equal(response.json.error.code, 'store_timeout');
      assert.ok(statuses.length < 50);
    }
    const late = `m${statuses.length - 1}`;
    await client.next((one) => one.data === late, 'the late message');
    const again = await receiptOf(server, 'late', late, { ...text, 'Idempotency-Key': `k${statuses.length - 1}` });
    assert.equal(again.duplicate, true);
    assert.equal((await poll(server, 'late')).messages.filter(({ data }) => data === late).length, 1);
    await client.close();
    await server.stop();
  });

  it('has one server for a directory, and a sentence for one that it can not use', async () => {
    const directory = newStore();
    const server = await durable(directory);
    const listen = ['--listen', 'http://127.0.0.1:0', '--set'];
    const second = await runToEnd([...listen, `store.path=${directory}`]);
    assert.equal(second.code, 1, second.stderr);
    assert.match(second.stderr, new RegExp(`^roomcast: .*${directory}.*\\b${server.pid}\\b`, 'm'));
    await server.stop();
    const file = path.join(scratchDirectory({ file: 'x' }), 'file');
    for (const wrong of [path.join(file, 'store'), file]) {
      const { code, stderr } = await runToEnd([...listen, `store.path=${wrong}`]);
      assert.equal(code, 1, stderr);
      assert.match(stderr, new RegExp(`^roomcast: .*${file}`, 'm'));
    }
    const mode = fs.statSync(directory).mode & 0o777;
    assert.equal(mode, 0o700);
  });

  it('is in /readyz and the metrics', async () => {
    const server = await durable(newStore());
    await receiptOf(server, 'a', 'x');
    const ready = await fetchOnce(server.url, 'GET', '/readyz');
    assert.deepEqual([ready.status, ready.text], [200, 'ready\nstore: ok\n']);
    assert.equal(await server.metric('roomcast_store_state', /"ok"/), 1);
    assert.ok((await server.metric('roomcast_store_commit_seconds_count')) >= 1);
    assert.ok((await server.metric('roomcast_store_disk_bytes')) > 0);
    await server.stop();
    const without = await startServer();
    assert.equal((await fetchOnce(without.url, 'GET', '/readyz')).text, 'ready\n');
    assert.equal(await without.metric('roomcast_store_commit_seconds_count'), 0);
    await without.stop();
  });
});
