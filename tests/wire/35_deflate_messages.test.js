// RFC 7692 sections 6 and 7.2: compressed messages. Sizes and parameters of the Autobahn|Testsuite's
// sections 12 and 13, with fewer rounds each.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import zlib from 'node:zlib';
import { compressFinal } from '../support/deflate.js';
import { connectDeflate, prose } from '../support/deflate_client.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { BINARY, TEXT, close, continuation, fragments, frame, ping, pong, text } from '../support/ws_frames.js';

const server = await startServer({ set: { 'limits.message_bytes': 1048576, 'limits.fragments': 70000 } });
const usual = await startServer();
const pmd = 'permessage-deflate';

const sizes = [[16], [64], [256], [1024], [4096], [8192], [16384], [32768], [65536], [131072],
  [8192, 256], [16384, 256], [32768, 256], [65536, 256], [131072, 256], [131072, 1024], [131072, 4096], [131072, 32768]];

const noise = randomBytes(262144);
const data = {
  'records': (size, round) => [TEXT, prose(size, round * 31)],
  'noise': (size, round) => [BINARY, noise.subarray(round * 100, round * 100 + size)],
  'zeros': (size) => [BINARY, Buffer.alloc(size)],
  'Greek': (size, round) => [TEXT, Buffer.from('Ἰλιάς μῆνιν ἄειδε θεὰ Πηληϊάδεω Ἀχιλῆος '.repeat(1 + size / 60).slice(round, round + size / 4))],
  'pixels': (size, round) => [BINARY, Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i >> 3) + ((i * round) & 7)))],
};

const offers = [
  pmd,
  `${pmd}; server_no_context_takeover`,
  `${pmd}; server_max_window_bits=9`,
  `${pmd}; server_max_window_bits=15`,
  `${pmd}; server_no_context_takeover; server_max_window_bits=9; client_max_window_bits`,
  `${pmd}; server_no_context_takeover; server_max_window_bits=15; client_max_window_bits=9`,
  `${pmd}; server_no_context_takeover; server_max_window_bits=9, ${pmd}; server_no_context_takeover, ${pmd}`,
  `${pmd}; client_no_context_takeover; client_max_window_bits=12`,
];

async function rounds(offer, make, [size, fragment]) {
  const client = await connectDeflate(server.url, offer);
  for (let round = 0; round < 8; round += 1) await client.echo(...make(size, round), fragment);
  await client.close();
}

const sizeName = ([size, fragment]) => `${size} bytes${fragment ? ` in fragments of ${fragment}` : ''}`;

/** Sends one message compressed by the test and expects `payload` back. */
async function understood(compressed, payload, offer = pmd) {
  const client = await connectDeflate(server.url, offer);
  await client.client.write(frame({ opcode: BINARY, payload: compressed, rsv: 4 }));
  const answer = await client.message();
  assert.deepEqual(answer.payload, Buffer.from(payload));
  await client.echo(TEXT, 'and the next one too');
  await client.close();
}

const stripped = (payload, options) => zlib.deflateRawSync(payload, { ...options, finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);

describe('permessage-deflate', () => {
  after(async () => {
    await server.stop();
    await usual.stop();
  });

  describe('12 by kind of data', { concurrency: 8 }, () => {
    for (const [kind, make] of Object.entries(data)) for (const size of sizes) it(`${kind}, ${sizeName(size)}`, () => rounds(pmd, make, size));
  });

  describe('13 by parameters', { concurrency: 8 }, () => {
    for (const offer of offers) for (const size of sizes) it(`${offer}, ${sizeName(size)}`, () => rounds(offer, data.records, size));
  });

  it('data that compresses well comes back compressed', async () => {
    // Needs its own server: after much compression a server pauses compressing for a moment.
    const fresh = await startServer();
    const client = await connectDeflate(fresh.url);
    const answer = await client.echo(TEXT, prose(20000));
    assert.ok(answer.compressed);
    assert.ok(answer.wireBytes < 10000, `${answer.wireBytes} bytes on the wire`);
    await client.close();
    await fresh.stop();
  });

  it('websocket.compression_min_bytes: compressed from this size on', async () => {
    const choosy = await startServer({ set: { 'websocket.compression_min_bytes': 200 } });
    const client = await connectDeflate(choosy.url);
    assert.equal((await client.echo(TEXT, 'a'.repeat(199))).compressed, false);
    assert.equal((await client.echo(TEXT, 'a'.repeat(200))).compressed, true);
    await client.close();
    await choosy.stop();
  });

  describe('forms of compressed data', { concurrency: 8 }, () => {
    const payload = prose(3000);
    it('a block with BFINAL set', () => understood(compressFinal(payload), payload));
    it('stored blocks', () => understood(stripped(payload, { level: 0 }), payload));
    it('fixed Huffman codes', () => understood(stripped(payload, { strategy: zlib.constants.Z_FIXED }), payload));
    it('Huffman codes only', () => understood(stripped(payload, { strategy: zlib.constants.Z_HUFFMAN_ONLY }), payload));
    it('two blocks with an empty one between', () => understood(Buffer.concat([zlib.deflateRawSync(payload, { finishFlush: zlib.constants.Z_SYNC_FLUSH }), stripped(payload)]), Buffer.concat([payload, payload])));
    it('an empty message as one zero byte', () => understood(Buffer.from([0]), ''));
    it('an empty message as nothing at all', () => understood(Buffer.alloc(0), ''));
    it('the example of RFC 7692 section 7.2.3.1', () => understood(Buffer.from('f248cdc9c90700', 'hex'), 'Hello'));
    it('the example of RFC 7692 section 7.2.3.3', () => understood(Buffer.from('000500faff48656c6c6f00', 'hex'), 'Hello'));
    it('the example of RFC 7692 section 7.2.3.4', () => understood(Buffer.from('f348cdc9c9070000', 'hex'), 'Hello'));
    it('the example of RFC 7692 section 7.2.3.5', () => understood(Buffer.from('f24805000000ffffcac9c90700', 'hex'), 'Hello'));
  });

  describe('in fragments', { concurrency: 8 }, () => {
    it('one byte per fragment, with empty ones and a ping between', async () => {
      const client = await connectDeflate(server.url);
      const compressed = await client.compressor.compress('Hello, compressed world!');
      for (const one of fragments(TEXT, compressed, 1, { rsv: 4 })) {
        await client.client.write(one);
        if (one[0] & 0x80) break;
        await client.client.write(continuation('', { fin: false }));
        await client.client.roundTrip();
      }
      assert.equal((await client.message()).payload.toString(), 'Hello, compressed world!');
      await client.close();
    });
    it('octet by octet', async () => {
      const client = await connectDeflate(server.url);
      await client.client.socket.writeChopped(text(await client.compressor.compress(prose(500)), { rsv: 4 }), 1);
      assert.deepEqual((await client.message()).payload, prose(500));
      await client.close();
    });
    it('compressed and plain messages may alternate', async () => {
      const client = await connectDeflate(server.url);
      for (let i = 0; i < 10; i += 1) {
        await client.echo(TEXT, `compressed ${i}`);
        await client.client.text(`plain ${i}`);
        assert.equal((await client.message()).payload.toString(), `plain ${i}`);
      }
      await client.close();
    });
  });

  const bad_bits = {
    'RSV1 on a continuation': [text('a', { fin: false, rsv: 4 }), continuation('b', { rsv: 4 })],
    'RSV1 on a continuation of a plain message': [text('a', { fin: false }), continuation('b', { rsv: 4 })],
    'RSV1 on ping': [ping('x', { rsv: 4 })],
    'RSV1 on pong': [pong('x', { rsv: 4 })],
    'RSV1 on close': [close(1000, '', { rsv: 4 })],
    'RSV2': [text('x', { rsv: 2 })],
    'RSV3': [text('x', { rsv: 1 })],
    'RSV1 and RSV2': [text('x', { rsv: 6 })],
  };
  describe('misuse of the reserved bits closes with 1002', { concurrency: 8 }, () => {
    for (const [name, sent] of Object.entries(bad_bits)) {
      it(name, async () => {
        const client = await connect(server.url, { headers: { 'Sec-WebSocket-Extensions': pmd } });
        await client.write(Buffer.concat(sent));
        await client.expectClose(1002);
      });
    }
  });

  const broken = {
    'a reserved block type': frame({ opcode: BINARY, rsv: 4, payload: Buffer.from([0x07]) }),
    'a distance too far back': frame({ opcode: BINARY, rsv: 4, payload: Buffer.from('4b02c100', 'hex') }),
    'noise': frame({ opcode: BINARY, rsv: 4, payload: Buffer.alloc(200, 0xff) }),
    'a stored block whose lengths disagree': frame({ opcode: BINARY, rsv: 4, payload: Buffer.from('000500ffff48656c6c6f00', 'hex') }),
    'text that is not UTF-8': frame({ opcode: TEXT, rsv: 4, payload: stripped(Buffer.from('abc\xff', 'latin1')) }),
    'text that ends within a character': frame({ opcode: TEXT, rsv: 4, payload: stripped(Buffer.from('e282', 'hex')) }),
    'noise in the first of several fragments': frame({ opcode: BINARY, rsv: 4, fin: false, payload: Buffer.alloc(200, 0xff) }),
    'text that is wrong in its first fragment': frame({ opcode: TEXT, rsv: 4, fin: false, payload: zlib.deflateRawSync(Buffer.from('c0af', 'hex'), { finishFlush: zlib.constants.Z_SYNC_FLUSH }) }),
  };
  describe('invalid compressed data closes with 1007', { concurrency: 8 }, () => {
    for (const [name, bytes] of Object.entries(broken)) {
      it(name, async () => {
        const client = await connect(server.url, { headers: { 'Sec-WebSocket-Extensions': pmd } });
        await client.write(bytes);
        await client.expectClose(1007);
      });
    }
  });

  describe('the limit applies to inflated bytes', { concurrency: 8 }, () => {
    const open = () => connectDeflate(usual.url);
    it('65,536 bytes pass', async () => {
      const client = await open();
      await client.echo(BINARY, Buffer.alloc(65536));
      await client.close();
    });
    it('65,536 bytes pass even if compression made them larger', async () => {
      const client = await connectDeflate(usual.url, pmd, { level: 0 });
      await client.echo(BINARY, noise.subarray(0, 65536));
      await client.close();
    });
    const bombs = { '65,537 bytes': 65537, '1 MiB': 1048576, '64 MiB': 67108864 };
    for (const [name, size] of Object.entries(bombs)) {
      it(`${name} close with 1009`, async () => {
        const client = await open();
        await client.send(BINARY, Buffer.alloc(size));
        await client.client.expectClose(1009);
      });
    }
    it('a bomb is refused before its last fragment', async () => {
      const client = await open();
      const compressed = stripped(Buffer.alloc(16777216));
      await client.client.write(frame({ opcode: BINARY, rsv: 4, fin: false, payload: compressed }));
      await client.client.expectClose(1009);
    });
  });
});
