// Publishes numbered messages over WebSocket, and sends the next one before the last one is received back.

import assert from 'node:assert/strict';
import { numbered } from './many_clients.js';
import { seconds } from './deadline.js';
import { connect } from './wire_client.js';

export class SteadyPublisher {
  sent = 0;
  received = 0;
  #client;
  #size;
  #running = true;
  #arrivals = [];

  static async open(url, room, { size } = {}) {
    const publisher = new SteadyPublisher();
    publisher.#size = size;
    publisher.#client = await connect(url, { path: `/rooms/${room}` });
    return publisher;
  }

  /** Starts, and continues until `stop`. `window`: the number of messages in flight. */
  begin(window = 1) {
    this.done = this.#run(window);
    this.done.catch(() => {});
  }

  async #run(window) {
    for (let i = 0; i < window; i += 1) this.#send();
    while (this.received < this.sent) {
      assert.equal(await this.#client.nextText(seconds(30)), numbered(this.received + 1, this.#size));
      this.received += 1;
      for (const resolve of this.#arrivals.splice(0)) resolve();
      if (this.#running) this.#send();
    }
  }

  /** Waits for the next message to be received back. */
  next() {
    return Promise.race([this.done, new Promise((resolve) => this.#arrivals.push(resolve))]);
  }

  #send() {
    this.sent += 1;
    void this.#client.text(numbered(this.sent, this.#size));
  }

  /** Waits for the messages in flight. Returns the total number. */
  async stop() {
    this.#running = false;
    await this.done;
    return this.sent;
  }

  destroy() {
    this.#client.destroy();
  }
}
