// A client's WebSocket frames as bytes (RFC 6455 section 5), valid or deliberately invalid.

import { randomBytes } from 'node:crypto';

export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** Masks or unmasks `payload` into a new buffer. */
export function masked(payload, key) {
  const out = Buffer.allocUnsafe(payload.length);
  for (let i = 0; i < payload.length; i += 1) out[i] = payload[i] ^ key[i & 3];
  return out;
}

/**
 * One frame.
 * `rsv` is three bits (4 is RSV1), `mask` a key of four bytes, true for a random one or false for none.
 * `lengthBits` forces the 7, 16 or 64 bit form; `claimedLength` replaces the real length.
 */
export function frame({ opcode = TEXT, payload = '', fin = true, rsv = 0, mask = true, lengthBits, claimedLength } = {}) {
  const body = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
  const length = BigInt(claimedLength ?? body.length);
  const bits = lengthBits ?? (length < 126n ? 7 : length < 65536n ? 16 : 64);
  const head = Buffer.alloc({ 7: 2, 16: 4, 64: 10 }[bits]);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (mask ? 0x80 : 0) | (bits === 7 ? Number(length) : bits === 16 ? 126 : 127);
  if (bits === 16) head.writeUInt16BE(Number(length), 2);
  if (bits === 64) head.writeBigUInt64BE(length, 2);
  if (!mask) return Buffer.concat([head, body]);
  const key = mask === true ? randomBytes(4) : mask;
  return Buffer.concat([head, key, masked(body, key)]);
}

export const text = (payload, options) => frame({ opcode: TEXT, payload, ...options });
export const binary = (payload, options) => frame({ opcode: BINARY, payload, ...options });
export const continuation = (payload, options) => frame({ opcode: CONTINUATION, payload, ...options });
export const ping = (payload = '', options) => frame({ opcode: PING, payload, ...options });
export const pong = (payload = '', options) => frame({ opcode: PONG, payload, ...options });

/** A close frame's payload; empty without a code. */
export function closePayload(code, reason = '') {
  if (code === undefined) return Buffer.alloc(0);
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

export const close = (code, reason, options) => frame({ opcode: CLOSE, payload: closePayload(code, reason), ...options });

/** One message of `opcode` in frames of `size` bytes. */
export function fragments(opcode, payload, size, { rsv = 0 } = {}) {
  const body = Buffer.from(payload);
  const frames = [];
  for (let at = 0; at < body.length || at === 0; at += size) {
    frames.push(frame({
      opcode: at === 0 ? opcode : CONTINUATION,
      rsv: at === 0 ? rsv : 0,
      fin: at + size >= body.length,
      payload: body.subarray(at, at + size),
    }));
  }
  return frames;
}
