// What a WebSocket close code (RFC 6455 section 7.4.1) means for the page: come back by itself or not, and what to say.

const MEANINGS = new Map([
  [1000, { retry: false, text: 'The server ended the conversation.' }],
  [1001, { retry: true, text: 'The server is going away.' }],
  [1002, { retry: false, text: 'The server saw a protocol error.' }],
  [1003, { retry: false, text: 'The server does not take this kind of data.' }],
  [1007, { retry: true, text: 'The server could not read the last message.', blamesMessage: true }],
  [1008, { retry: false, text: 'The server refused this connection by policy.' }],
  [1009, { retry: true, text: 'The last message was larger than the server allows.', blamesMessage: true }],
  [1010, { retry: false, text: 'The server lacks an extension this browser asked for.' }],
  [1011, { retry: true, text: 'The server met an internal error.' }],
  [1012, { retry: true, text: 'The server is restarting.' }],
  [1013, { retry: true, text: 'The server is busy or this connection was too slow.', patience: 3 }],
]);

/**
 * @param {number} code the close event's code; 1005 and 1006 are the browser's own "nothing was said"
 * @param {string} reason what the server added, may be empty
 * @returns {{retry: boolean, text: string, patience: number, blamesMessage: boolean}} `text`: for the user, empty if the
 *   line simply broke; `patience`: the back-off's least attempt; `blamesMessage`: it is about what was sent, not the line
 */
export function explainClose(code, reason = '') {
  const known = MEANINGS.get(code) ?? { retry: true, text: '' };
  const base = known.text || (code === 1005 || code === 1006 ? '' : `The connection was closed with code ${code}.`);
  const text = reason && base ? `${base} (${reason})` : base;
  return { retry: known.retry, text, patience: known.patience ?? 0, blamesMessage: known.blamesMessage ?? false };
}
