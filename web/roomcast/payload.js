// What applications say and hear, and how it travels.

import { RoomcastError } from './errors.js';

/**
 * A value as a payload: strings are text, bytes (Uint8Array, other views, ArrayBuffer) binary, everything else json.
 * @returns {{kind: 'text'|'json'|'binary', body: string|Uint8Array, bytes: number}}
 * @throws {RoomcastError} `invalid_data`: there is no JSON for it
 */
export function encodePayload(data) {
  if (typeof data === 'string') return textual('text', data);
  if (data instanceof ArrayBuffer) return binary(new Uint8Array(data.slice(0)));
  // A copy: it may wait while its owner goes on writing into it.
  if (ArrayBuffer.isView(data)) return binary(new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice());
  let json;
  try {
    json = JSON.stringify(data);
  } catch (error) {
    throw new RoomcastError('invalid_data', `This value cannot be said in JSON: ${error.message}`);
  }
  if (json === undefined) throw new RoomcastError('invalid_data', `A ${typeof data} cannot be said in JSON.`);
  return textual('json', json);
}

const textual = (kind, body) => ({ kind, body, bytes: new TextEncoder().encode(body).length });
const binary = (body) => ({ kind: 'binary', body, bytes: body.length });

export const isBlob = (data) => typeof Blob !== 'undefined' && data instanceof Blob;

/** The JSON text of a publish command; the payload's own JSON is not parsed again. */
export function publishCommand(id, room, key, { kind, body }) {
  const head = `{"type":"publish","id":${id},"room":${JSON.stringify(room)},"key":${JSON.stringify(key)}`;
  if (kind === 'binary') return `${head},"data_base64":"${toBase64(body)}"}`;
  return `${head},"data":${kind === 'text' ? JSON.stringify(body) : body}}`;
}

export const CONTENT_TYPES = {
  text: 'text/plain; charset=utf-8',
  json: 'application/json',
  binary: 'application/octet-stream',
};

/** A message object of the server as the application gets it. */
export function decodeMessage({ room, cursor, time, from, data, data_base64: base64 }) {
  if (base64 !== undefined) return { room, cursor, time, from, kind: 'binary', data: fromBase64(base64) };
  return { room, cursor, time, from, kind: typeof data === 'string' ? 'text' : 'json', data };
}

export function toBase64(bytes) {
  let latin = '';
  // In slices, for a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192) latin += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(latin);
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
