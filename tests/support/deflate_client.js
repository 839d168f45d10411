// A WebSocket client that negotiates and uses permessage-deflate.

import assert from 'node:assert/strict';
import { Compressor, Decompressor, agreed, parseAnswer } from './deflate.js';
import { assertSame, connect } from './wire_client.js';
import { frame, fragments } from './ws_frames.js';

/** Checks `answer` against the one offer that it accepts (RFC 7692 section 7.1). */
export function checkAnswer({ name, parameters }, offer) {
  assert.equal(name, 'permessage-deflate');
  const offered = new Map(offer.split(';').slice(1).map((one) => one.trim().split('=')).map(([key, value]) => [key.trim(), value?.trim().replaceAll('"', '')]));
  const allowed = ['server_no_context_takeover', 'client_no_context_takeover', 'server_max_window_bits', 'client_max_window_bits'];
  for (const [key, value] of Object.entries(parameters)) {
    assert.ok(allowed.includes(key), `parameter ${key}`);
    if (key.endsWith('takeover')) assert.equal(value, true, key);
    else assert.match(String(value), /^([89]|1[0-5])$/, key);
  }
  if (offered.has('server_no_context_takeover')) assert.equal(parameters.server_no_context_takeover, true);
  if (offered.has('server_max_window_bits')) assert.ok(Number(parameters.server_max_window_bits) <= Number(offered.get('server_max_window_bits')));
  if (!offered.has('client_max_window_bits')) assert.equal(parameters.client_max_window_bits, undefined);
  const hint = offered.get('client_max_window_bits');
  if (hint !== undefined && parameters.client_max_window_bits !== undefined) assert.ok(Number(parameters.client_max_window_bits) <= Number(hint));
}

/** Connects with `offers` as Sec-WebSocket-Extensions; the server must accept one. */
export async function connectDeflate(target, offers = 'permessage-deflate', { path, level } = {}) {
  const client = await connect(target, { path, headers: { 'Sec-WebSocket-Extensions': offers } });
  const answer = parseAnswer(client.response.header('sec-websocket-extensions'));
  assert.ok(answer, `no extension was accepted of ${offers}`);
  return new DeflateClient(client, answer, { level });
}

export class DeflateClient {
  constructor(client, answer, { level } = {}) {
    const { client: ours, server: theirs } = agreed(answer);
    this.client = client;
    this.answer = answer;
    this.compressor = new Compressor({ ...ours, ...(level === undefined ? {} : { level }) });
    this.decompressor = new Decompressor(theirs);
  }

  /** Sends one message compressed, in fragments of `size` bytes if given. */
  async send(opcode, payload, size) {
    const compressed = await this.compressor.compress(payload);
    const frames = size ? fragments(opcode, compressed, size, { rsv: 4 }) : [frame({ opcode, payload: compressed, rsv: 4 })];
    return this.client.write(Buffer.concat(frames));
  }

  /** The next data message, inflated: `{opcode, payload, compressed, wireBytes}`. */
  async message(ms) {
    const message = await this.client.message(ms);
    assert.ok(message.rsv === 0 || message.rsv === 4, `reserved bits ${message.rsv}`);
    const compressed = message.rsv === 4;
    const payload = compressed ? await this.decompressor.decompress(message.payload) : message.payload;
    return { opcode: message.opcode, payload, compressed, wireBytes: message.payload.length };
  }

  /** Sends a message and expects it back. */
  async echo(opcode, payload, size) {
    await this.send(opcode, payload, size);
    const answer = await this.message();
    assert.equal(answer.opcode, opcode);
    assertSame(answer.payload, Buffer.from(payload));
    return answer;
  }

  close() {
    return this.client.close();
  }
}

/** Text that compresses and never quite repeats: records with a counter, `size` bytes of it starting at `start`. */
export function prose(size, start = 0) {
  let out = '';
  for (let i = start; out.length < size; i += 1) {
    out += `{"id":${i},"name":"visitor ${(i * 7919) % 1000}","said":"${'lorem ipsum dolor sit amet '.slice(i % 17)}"}\n`;
  }
  return Buffer.from(out.slice(0, size));
}
