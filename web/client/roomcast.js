// The client of roomcast: one room, every network. Described in docs/client.md of the repository.
//
//   import { connect } from './roomcast.js';
//   const room = connect('http://localhost:8080', { name: 'Ada' }).room('lobby', { history: 20 });
//   room.on('message', ({ from, data }) => console.log(from, data));
//   await room.publish('hello');
//
// roomcast/client holds rooms and an outbox; roomcast/keeper keeps a link up, a websocket_link or an http_link.

import { Client } from './roomcast/client.js';

export { RoomcastError } from './roomcast/protocol.js';

/**
 * A client of the server at `url`. It connects when the first room is joined or the first message published.
 * @param {string|URL} [url] http(s) address of the server; without it, the one this module was loaded from
 * @param {object} [options]
 * @param {string} [options.name] how others see us
 * @param {('websocket'|'sse'|'poll')[]} [options.transports] which ones to use, best first; all by default
 * @param {number} [options.maxPending] publishes waiting for their receipt, at most; 100
 * @param {number} [options.maxPendingBytes] their payloads together, at most; 1 MiB
 * @param {number} [options.publishTimeoutMs] a publish without receipt fails after this time, at most 240,000; 60,000
 * @param {typeof WebSocket} [options.WebSocket] where the platform has none (Node before 22): the class of the `ws` package
 * @param {typeof fetch} [options.fetch]
 * @param {object} [options.timing] deadlines and intervals, see TIMING in roomcast/client.js
 * @returns {Client}
 * @throws {TypeError} the address or a transport is none
 */
export function connect(url, options) {
  if (typeof url === 'string' || url instanceof URL) return new Client(url, options);
  return new Client(new URL('.', import.meta.url), url ?? options);
}
