// permessage-deflate of the client (RFC 7692), using node:zlib.

import zlib from 'node:zlib';

const tail = Buffer.from([0, 0, 0xff, 0xff]);
const sync = zlib.constants.Z_SYNC_FLUSH;

/** Pushes `input` through a zlib stream and returns its output up to a sync flush. */
function through(stream, input) {
  return new Promise((resolve, reject) => {
    const parts = [];
    const collect = (part) => parts.push(part);
    stream.on('data', collect);
    stream.once('error', reject);
    stream.write(input);
    stream.flush(sync, () => {
      stream.off('data', collect);
      stream.off('error', reject);
      resolve(Buffer.concat(parts));
    });
  });
}

/** Compresses messages; keeps its window between messages if `takeover`. */
export class Compressor {
  constructor({ windowBits = 15, takeover = true, ...options } = {}) {
    this.options = { windowBits: Math.max(9, windowBits), ...options };
    this.stream = takeover ? zlib.createDeflateRaw(this.options) : null;
  }

  async compress(payload) {
    const input = Buffer.from(payload);
    if (input.length === 0) return Buffer.from([0]);
    const out = this.stream ? await through(this.stream, input) : zlib.deflateRawSync(input, { ...this.options, finishFlush: sync });
    return out.subarray(0, out.length - tail.length);
  }
}

/** Decompresses messages. Throws when a message refers beyond the allowed window. */
export class Decompressor {
  constructor({ windowBits = 15, takeover = true } = {}) {
    this.options = { windowBits };
    this.stream = takeover ? zlib.createInflateRaw(this.options) : null;
  }

  async decompress(payload) {
    const input = Buffer.concat([payload, tail]);
    return this.stream ? through(this.stream, input) : zlib.inflateRawSync(input, { ...this.options, finishFlush: sync });
  }
}

/** A message ended by a block with BFINAL set (RFC 7692 section 7.2.3.4). */
export const compressFinal = (payload) => Buffer.concat([zlib.deflateRawSync(Buffer.from(payload)), Buffer.from([0])]);

/** The parameters of a Sec-WebSocket-Extensions value that accepts permessage-deflate; null if there is none. */
export function parseAnswer(value) {
  if (value === undefined) return null;
  const [name, ...list] = value.split(';').map((part) => part.trim());
  const parameters = {};
  for (const one of list) {
    const match = /^([a-z_]+)(?:=([0-9]+))?$/.exec(one);
    if (!match || match[1] in parameters) throw new Error(`bad answer ${JSON.stringify(value)}`);
    parameters[match[1]] = match[2] === undefined ? true : match[2];
  }
  return { name, parameters };
}

/** The parameters that both sides use then. */
export function agreed({ parameters }) {
  return {
    client: { takeover: !parameters.client_no_context_takeover, windowBits: Number(parameters.client_max_window_bits ?? 15) },
    server: { takeover: !parameters.server_no_context_takeover, windowBits: Number(parameters.server_max_window_bits ?? 15) },
  };
}
