// The client module of roomcast: one API over every transport. Described in docs/client.md of the repository.
//
//   import { connect } from './roomcast.js';
//   const room = connect('http://localhost:8080', { name: 'Ada' }).room('lobby', { history: 20 });
//   room.on('message', ({ from, data }) => console.log(from, data));
//   await room.publish('hello');
//
// roomcast/client.js holds rooms and pending publishes; roomcast/reconnect.js keeps a link connected: a websocket_link or http_link.

import { Client } from './roomcast/client.js';

export { RoomcastError } from './roomcast/protocol.js';

/**
 * A client of the server at `url`. It connects when the first room is joined or the first message published.
 * @param {string|URL} [url] http(s) address of the server; by default the one this module was loaded from
 * @param {object} [options]
 * @param {string} [options.name] the client's name, as others see it
 * @param {() => Promise<string|{token: string}|null>} [options.token] is asked for a token before each connection, and when the
 *   server wants another one; a token (JWT) or API key identifies the client
 * @param {('websocket'|'sse'|'poll')[]} [options.transports] transports to use, best first; all by default
 * @param {number} [options.maxPending] maximum number of publishes waiting for their receipt; 100
 * @param {number} [options.maxPendingBytes] maximum size of their payloads together; 1 MiB
 * @param {number} [options.publishTimeoutMs] a publish without a receipt fails after this time; 60,000, at most 240,000
 * @param {typeof WebSocket} [options.WebSocket] where the platform has none (Node before 22): the class of the `ws` package
 * @param {typeof fetch} [options.fetch]
 * @param {object} [options.timing] deadlines and intervals, see TIMING in roomcast/client.js
 * @returns {Client}
 * @throws {TypeError} invalid address, or unknown transport
 */
export function connect(url, options) {
  if (typeof url === 'string' || url instanceof URL) return new Client(url, options);
  return new Client(new URL('.', import.meta.url), url ?? options);
}
