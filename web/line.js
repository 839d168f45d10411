// The page's line to the server: the client module, as far as the page needs it.

import { roomPath } from './room.js';
import { connect } from './roomcast.js';
import { decodeMessage } from './roomcast/payload.js';

/** @typedef {import('./roomcast.js').State} State {name, transport?, retryAt?, reason?} as client.state of roomcast.js */

export class Line {
  #client;

  /** @param {string} name how others see us @param {(state: State) => void} onState every change */
  constructor(name, onState) {
    this.#client = connect(undefined, { name });
    this.#client.on('state', onState);
  }

  /** Joins a room. @returns {import('./roomcast.js').Room} */
  room(name, options) {
    return this.#client.room(name, options);
  }

  /** The cursor of the newest message of a room. @returns {Promise<string>} */
  async headOf(room) {
    const answer = await fetch(roomPath(room), { method: 'HEAD', cache: 'no-store' });
    const cursor = answer.headers.get('Roomcast-Cursor');
    if (!cursor) throw new Error(`HEAD was answered with ${answer.status}`);
    return cursor;
  }

  /**
   * The last messages that the room keeps, as `message` events have them; the oldest first, as many as one answer has.
   * @param {{history?: number, since?: string}} from how many, or those behind a cursor
   * @returns {Promise<{messages: object[], cursor: string}>}
   */
  async past(room, from) {
    const query = new URLSearchParams({ transport: 'poll', ...from });
    const answer = await fetch(`${roomPath(room)}?${query}`, { cache: 'no-store' });
    if (!answer.ok) throw new Error(`the past was answered with ${answer.status}`);
    const { messages, cursor } = await answer.json();
    return { messages: messages.map(decodeMessage), cursor };
  }

  /** The user does not want to wait. */
  retry() {
    this.#client.retry();
  }

  close() {
    this.#client.close();
  }
}
