// A client that opens rooms on the disk as fast as it can keeps nobody else from the disk. Each client has an address of its own: by
// that the server knows whose turn it is.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import WebSocket from 'ws';
import { patience, within } from '../support/deadline.js';
import { durable, killAll, newStore, receiptOf } from '../support/durable.js';
import { JsonClient } from '../support/json_client.js';

/** Publishes into rooms that do not exist, over connections of its own: so many are under way, and each answer makes room for one more. */
class RoomOpener {
  #ends = false;
  #connections = [];
  asked = 0;
  refused = 0;

  static async start(server, connections) {
    const opener = new RoomOpener();
    for (let i = 0; i < connections; i += 1) {
      const socket = new WebSocket(`${server.url.replace(/^http/, 'ws')}/connect`, 'roomcast.v1', { localAddress: '127.0.0.66' });
      await once(socket, 'open');
      opener.#connections.push(opener.#open(socket, `strange/${i}`));
    }
    return opener;
  }

  async #open(socket, prefix) {
    let under_way = 0;
    const publish = () => {
      this.asked += 1;
      under_way += 1;
      socket.send(`{"type":"publish","id":1,"room":"${prefix}/${this.asked}","data":"x"}`);
    };
    const ended = new Promise((resolve) => {
      socket.on('message', (data) => {
        const text = data.toString();
        if (text.startsWith('{"type":"welcome"')) return;
        under_way -= 1;
        if (text.startsWith('{"type":"error"')) this.refused += 1;
        if (!this.#ends) publish();
        else if (under_way === 0) resolve();
      });
    });
    for (let i = 0; i < 250; i += 1) publish();
    await ended;
    socket.close();
  }

  async stop() {
    this.#ends = true;
    await within(patience, Promise.all(this.#connections), 'the answers to what was asked');
  }
}

describe('a client that opens rooms as fast as it can', () => {
  after(killAll);

  it('keeps nobody else from opening rooms that exist, and from publishing there', { timeout: 120_000 }, async () => {
    const directory = newStore();
    const rooms = Array.from({ length: 20 }, (_, i) => `known/${i}`);
    let server = await durable(directory);
    for (const room of rooms) await receiptOf(server, room, 'before');
    await server.stop();

    server = await durable(directory);
    const innocent = await JsonClient.greeted(server, '/connect', { localAddress: '127.0.0.7' });
    const opener = await RoomOpener.start(server, 12);
    // How many of the stranger's rooms were opened while the other client waited.
    const opened = () => opener.asked - opener.refused;
    const before = [];
    for (const room of rooms) {
      const begun = opened();
      const joined = await innocent.ask({ type: 'subscribe', room, history: 1 });
      assert.equal(joined.type, 'ok', JSON.stringify(joined));
      const published = await innocent.ask({ type: 'publish', room, data: 'now' });
      assert.equal(published.type, 'ok', JSON.stringify(published));
      before.push(opened() - begun);
      await innocent.ask({ type: 'unsubscribe', room });
    }
    await opener.stop();
    assert.ok(opener.refused > 0, `${opener.asked} rooms were asked for, none was refused: that was no attack`);
    // It had up to 2,048 waiting, and as many more in each second.
    assert.ok(Math.max(...before) < 1_000, `first came ${before} rooms`);
    await innocent.close();
    await server.stop();
  });
});
