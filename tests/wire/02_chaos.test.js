// NET_CHAOS makes every read tiny and every write short, in a build with sanitizers and in no other.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchOnce } from '../support/raw_http.js';
import { sanitized } from '../support/sanitized.js';
import { startServer } from '../support/server.js';

const body = 'x'.repeat(20_000);
const most_at_once = 7; // bytes in a shortened read

/** The number of event loop turns that a publish of `body` takes. */
async function turns(env) {
  const server = await startServer({ env });
  const before = await server.metric('roomcast_turn_duration_seconds_count');
  const { status } = await fetchOnce(server.url, 'POST', '/rooms/chaos', { body });
  const after = await server.metric('roomcast_turn_duration_seconds_count');
  assert.equal(status, 200);
  await server.stop();
  return after - before;
}

const asked = process.env.NET_CHAOS;
for (const [name, env, is_on] of [
  ['with the variable', { NET_CHAOS: '1' }, true],
  ['without it', { NET_CHAOS: undefined }, false],
  ['started as the other tests start it', {}, asked !== undefined],
]) {
  test(`a server ${name}`, async () => {
    const count = await turns(env);
    if (is_on && sanitized) assert.ok(count >= body.length / most_at_once, `${count} turns`);
    else assert.ok(count < body.length / 100, `${count} turns`);
  });
}
