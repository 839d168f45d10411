// The client module on a machine that slept: its timers and performance.now() stopped, Date.now() continued.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { behindRelay } from '../support/relay.js';
import { receives, isJoined, isState, join, post } from '../support/client_module.js';

const timing = { lookMs: 50, wakePongMs: 500, climbMs: 3_600_000, climbCapMs: 3_600_000 };

/** Simulates a sleep of `ms`, which to the client is a step of the clock. */
function sleepFor(t, ms) {
  const now = Date.now.bind(Date);
  t.mock.method(Date, 'now', () => now() + ms);
}

// One at a time: they share the clock.
describe('after the machine slept', () => {
  for (const transport of ['websocket', 'sse', 'poll']) {
    it(`${transport}: a link that died meanwhile is replaced at once, and nothing is lost`, async (t) => {
      const { server, relay } = await behindRelay(t);
      const { client, room } = join(t, relay.url, { transports: [transport], timing });
      await isJoined(room);
      await post(server.url, 'before');
      await receives(room, 'before');
      relay.stall(); // middleboxes have dropped the connection
      await post(server.url, 'meanwhile');
      sleepFor(t, 3_600_000);
      await receives(room, 'before', 'meanwhile');
      await post(server.url, 'after');
      await receives(room, 'before', 'meanwhile', 'after');
      await isState(client, 'live', transport);
      assert.deepEqual(room.gaps, []);
    });
  }

  it('a link that is still alive stays', async (t) => {
    const { server, relay } = await behindRelay(t);
    const { client, room } = join(t, relay.url, { transports: ['websocket'], timing });
    await isJoined(room);
    sleepFor(t, 3_600_000);
    await new Promise((resolve) => setTimeout(resolve, 2 * timing.wakePongMs));
    await post(server.url, 'all the same');
    await receives(room, 'all the same');
    assert.equal(relay.requests.length, 1, 'one connection');
    assert.deepEqual(client.states.map(({ name }) => name).slice(-1), ['live']);
  });
});
