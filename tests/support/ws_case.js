// One WebSocket protocol case as data: the frames to send, how they are split, and the expected responses.

import { connect } from './wire_client.js';
import * as frames from './ws_frames.js';

/** Expected responses. A case without `fails` ends with a close handshake that the client starts. */
export const gets = {
  text: (payload) => (client) => client.expectText(payload),
  binary: (payload) => (client) => client.expectBinary(payload),
  pong: (payload) => (client) => client.expectPong(payload),
};

/** The server must fail the connection with one of `codes` and close it. Must be last. */
export const fails = (...codes) => final((client) => client.expectClose(codes));

/** The server must complete the close handshake that the sent frames started. Must be last. */
export const closes = (...codes) => final((client) => {
  client.sentClose = true;
  return client.expectClose(codes);
});

function final(expectation) {
  expectation.isFinal = true;
  return expectation;
}

/** How the bytes are sent: in one write, one write per frame, or one write per so many octets. */
export async function sendFrames(client, sent, pieces = 'whole') {
  if (pieces === 'whole') return client.write(Buffer.concat(sent));
  if (pieces === 'frames') {
    for (const one of sent) await client.write(one);
    return true;
  }
  return client.socket.writeChopped(Buffer.concat(sent), pieces);
}

/**
 * Runs one case on a new connection. `sent` is a list of frames, `expected` a list of the above. Unless the last of them
 * ends the connection, the client then starts a close handshake, and nothing else may arrive.
 */
export async function runCase(target, { sent, expected = [], pieces = 'whole', options }) {
  const client = await connect(target, options);
  try {
    const sending = sendFrames(client, sent, pieces);
    for (const expectation of expected) await expectation(client);
    await sending;
    if (!expected.at(-1)?.isFinal) await client.close();
  } finally {
    client.destroy();
  }
}
