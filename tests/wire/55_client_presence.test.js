// The client module's presence.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../support/deadline.js';
import { behindRelay } from '../support/relay.js';
import { isJoined, join } from '../support/client_module.js';
import { startServer } from '../support/server.js';

const names = (room) => room.members.map(({ name }) => name).join(' ');
const shows = (room, expected) => eventually(() => names(room) === expected, `members "${expected}", now "${names(room)}"`);

for (const transport of ['websocket', 'sse', 'poll']) {
  describe(`presence over ${transport}`, { concurrency: 2 }, () => {
    const watching = { transports: [transport], presence: true };
    const set = { 'presence.grace_seconds': 0 };

    it('reports present members, joins and leaves', async (t) => {
      const server = await startServer({ set });
      t.after(() => server.kill());
      const { client: grace, room: hers } = join(t, server.url, { name: 'Grace' });
      await isJoined(hers);
      const { room } = join(t, server.url, { ...watching, name: 'Ada' });
      await shows(room, 'Ada Grace');
      assert.equal(room.count, 2);
      join(t, server.url, { name: 'Bob' });
      await shows(room, 'Ada Bob Grace');
      grace.close();
      await shows(room, 'Ada Bob');
      assert.deepEqual(room.presenceEvents.filter((line) => !line.includes('Ada')), ['join Bob', 'leave Grace']);
    });

    it('changes during a cut are reported after it', async (t) => {
      const { server, relay } = await behindRelay(t, { set });
      const { client, room } = join(t, relay.url, { ...watching, name: 'Ada' });
      await shows(room, 'Ada');
      relay.down = true;
      relay.cut();
      await eventually(() => client.state.name === 'waiting', 'the cut');
      const { room: hers } = join(t, server.url, { name: 'Grace' });
      await isJoined(hers);
      relay.down = false;
      await shows(room, 'Ada Grace');
      assert.ok(room.presenceEvents.includes('join Grace'));
    });

    it('it can be requested without watching', async (t) => {
      const server = await startServer({ set });
      t.after(() => server.kill());
      const { room } = join(t, server.url, { transports: [transport], name: 'Ada' });
      await isJoined(room);
      assert.equal(names(room), '');
      // A poll is a member while it waits, which it may not do yet.
      await eventually(async () => (await fetch(`${server.url}/presence/lobby`).then((answer) => answer.json())).count === 1, 'a waiting poll');
      const picture = await room.fetchPresence();
      assert.deepEqual(picture.members, [{ name: 'Ada' }]);
      assert.equal(names(room), 'Ada');
    });

    it('a crowd is only counted', async (t) => {
      const server = await startServer({ set: { ...set, 'presence.crowd': 2 } });
      t.after(() => server.kill());
      const { room } = join(t, server.url, { ...watching, name: 'Ada' });
      await shows(room, 'Ada');
      for (const name of ['Bob', 'Eve']) join(t, server.url, { name });
      await eventually(() => room.crowd && room.count === 3, 'a crowd of three');
      assert.deepEqual(room.members, []);
    });
  });
}
