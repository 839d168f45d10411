// RFC 6455 section 5: data and control frames, reserved bits and opcodes, fragmentation.
// The numbers are those of the corresponding cases of the Autobahn|Testsuite.

import { after, describe, it } from 'node:test';
import { startServer } from '../support/server.js';
import { fails, gets, runCase } from '../support/ws_case.js';
import { BINARY, CLOSE, PING, PONG, TEXT, binary, close, continuation, fragments, frame, ping, pong, text } from '../support/ws_frames.js';

const server = await startServer({ set: { 'limits.message_bytes': 16777216 } });
const hello = 'Hello, world!';
const protocol_error = fails(1002);

const sizes = [0, 1, 124, 125, 126, 127, 128, 65534, 65535, 65536, 65537];
const echoes = sizes.flatMap((size) => [
  { name: `1.1 text of ${size} bytes comes back`, sent: [text('*'.repeat(size))], expected: [gets.text('*'.repeat(size))], chops: size > 300 ? [997] : [1] },
  { name: `1.2 binary of ${size} bytes comes back`, sent: [binary(Buffer.alloc(size, 0xfe))], expected: [gets.binary(Buffer.alloc(size, 0xfe))], chops: size > 300 ? [997] : [1] },
]);

const full = Buffer.alloc(125, 0xfe);
const tenPings = Array.from({ length: 10 }, (_, i) => `payload-${i}`);
const pings = [
  { name: '2.1 empty ping', sent: [ping()], expected: [gets.pong('')] },
  { name: '2.2 ping with text', sent: [ping(hello)], expected: [gets.pong(hello)] },
  { name: '2.3 ping with bytes that are not UTF-8', sent: [ping(Buffer.from('00fffefdfcfb00ff', 'hex'))], expected: [gets.pong(Buffer.from('00fffefdfcfb00ff', 'hex'))] },
  { name: '2.4 ping of 125 bytes', sent: [ping(full)], expected: [gets.pong(full)] },
  { name: '2.5 ping of 126 bytes', sent: [ping(Buffer.alloc(126, 0xfe))], expected: [protocol_error] },
  { name: '2.7 unsolicited pong', sent: [pong()] },
  { name: '2.8 unsolicited pong with payload', sent: [pong('unsolicited pong payload')] },
  { name: '2.9 unsolicited pong, then ping', sent: [pong('unsolicited'), ping('ping payload')], expected: [gets.pong('ping payload')] },
  { name: '2.10 ten pings', sent: tenPings.map((one) => ping(one)), expected: tenPings.map(gets.pong) },
  { name: 'pong of 126 bytes', sent: [pong(Buffer.alloc(126))], expected: [protocol_error] },
];

const reserved_bits = [1, 2, 3, 4, 5, 6, 7].flatMap((rsv) => [
  { name: `3 RSV ${rsv} on text`, sent: [text(hello), text(hello, { rsv }), ping()], expected: [gets.text(hello), protocol_error] },
  { name: `3 RSV ${rsv} on binary`, sent: [binary(hello, { rsv })], expected: [protocol_error] },
  { name: `3 RSV ${rsv} on ping`, sent: [ping(hello, { rsv })], expected: [protocol_error] },
  { name: `3 RSV ${rsv} on pong`, sent: [pong(hello, { rsv })], expected: [protocol_error] },
  { name: `3 RSV ${rsv} on close`, sent: [close(1000, '', { rsv })], expected: [protocol_error] },
  { name: `3 RSV ${rsv} on a continuation`, sent: [text('a', { fin: false }), continuation('b', { rsv })], expected: [protocol_error] },
]);

const reserved_opcodes = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
  { name: `4 opcode ${opcode}`, sent: [frame({ opcode })], expected: [protocol_error] },
  { name: `4 opcode ${opcode} with payload`, sent: [frame({ opcode, payload: 'reserved' })], expected: [protocol_error] },
  { name: `4 opcode ${opcode} behind text`, sent: [text(hello), frame({ opcode, payload: hello }), ping()], expected: [gets.text(hello), protocol_error] },
  { name: `4 opcode ${opcode} within a message`, sent: [text('a', { fin: false }), frame({ opcode }), continuation('b')], expected: [protocol_error] },
]);

const parts = ['fragment1', 'fragment2', 'fragment3', 'fragment4', 'fragment5'];
const [f1, f2, f3, f4, f5] = parts;
const open = (payload, opcode = TEXT) => frame({ opcode, fin: false, payload });
const more = (payload) => continuation(payload, { fin: false });
const last = (payload) => continuation(payload);
const fragmentation = [
  { name: '5.1 ping in fragments', sent: [frame({ opcode: PING, fin: false, payload: f1 }), last(f2)], expected: [protocol_error] },
  { name: '5.2 pong in fragments', sent: [frame({ opcode: PONG, fin: false, payload: f1 }), last(f2)], expected: [protocol_error] },
  { name: 'close in fragments', sent: [frame({ opcode: CLOSE, fin: false, payload: Buffer.from([3, 232]) }), last('')], expected: [protocol_error] },
  { name: '5.3 text in two fragments', sent: [open(f1), last(f2)], expected: [gets.text(f1 + f2)] },
  { name: 'binary in two fragments', sent: [open(f1, BINARY), last(f2)], expected: [gets.binary(f1 + f2)] },
  { name: '5.6 ping between fragments', sent: [open(f1), ping('ping payload'), last(f2)], expected: [gets.pong('ping payload'), gets.text(f1 + f2)] },
  { name: 'pong between fragments', sent: [open(f1), pong('x'), last(f2)], expected: [gets.text(f1 + f2)] },
  { name: '5.9 continuation of nothing, FIN', sent: [last('nothing'), text(hello)], expected: [protocol_error] },
  { name: '5.12 continuation of nothing', sent: [more('nothing'), text(hello)], expected: [protocol_error] },
  { name: '5.15 continuation of nothing behind a message', sent: [open(f1), last(f2), more(f3), text(f4)], expected: [gets.text(f1 + f2), protocol_error] },
  { name: '5.16 continuation first, twice', sent: [more(f1), open(f2), last(f3), more(f1), open(f2), last(f3)], expected: [protocol_error] },
  { name: '5.17 continuation with FIN first, twice', sent: [last(f1), open(f2), last(f3), last(f1), open(f2), last(f3)], expected: [protocol_error] },
  { name: '5.18 two text frames, the first unfinished', sent: [open(f1), text(f2)], expected: [protocol_error] },
  { name: 'a binary frame within a text message', sent: [open(f1), binary(f2)], expected: [protocol_error] },
  {
    name: '5.19 five fragments with pings between',
    sent: [open(f1), more(f2), ping('pongme 1!'), more(f3), more(f4), ping('pongme 2!'), last(f5)],
    expected: [gets.pong('pongme 1!'), gets.pong('pongme 2!'), gets.text(parts.join(''))],
  },
  { name: 'two fragmented messages in a row', sent: [open(f1), last(f2), open(f3, BINARY), last(f4)], expected: [gets.text(f1 + f2), gets.binary(f3 + f4)] },
  { name: '10.1 65536 bytes in fragments of 1300', sent: fragments(TEXT, '*'.repeat(65536), 1300), expected: [gets.text('*'.repeat(65536))], chops: [997] },
];

const forms = [
  { name: 'a mask of zeros', sent: [text(hello, { mask: Buffer.alloc(4) })], expected: [gets.text(hello)] },
  { name: 'a mask of ones', sent: [text(hello, { mask: Buffer.alloc(4, 0xff) })], expected: [gets.text(hello)] },
  ...[text, binary, ping, pong].map((make) => ({ name: `${make.name} without a mask`, sent: [make(hello, { mask: false })], expected: [protocol_error] })),
  { name: 'close without a mask', sent: [close(1000, '', { mask: false })], expected: [protocol_error] },
  { name: 'a continuation without a mask', sent: [open('a'), continuation('b', { mask: false })], expected: [protocol_error] },
  ...[0, 1, 125].flatMap((size) => [16, 64].map((lengthBits) => (
    { name: `a length of ${size} in ${lengthBits} bits`, sent: [binary(Buffer.alloc(size), { lengthBits })], expected: [protocol_error] }))),
  ...[126, 65535].map((size) => (
    { name: `a length of ${size} in 64 bits`, sent: [binary(Buffer.alloc(size), { lengthBits: 64 })], expected: [protocol_error], chops: [997] })),
  { name: 'a length with the highest bit set', sent: [binary('', { lengthBits: 64, claimedLength: 1n << 63n })], expected: [protocol_error] },
  { name: 'a ping with a 16-bit length', sent: [ping('x', { lengthBits: 16 })], expected: [protocol_error] },
  { name: 'several messages in one packet, in order', sent: tenPings.map((one) => text(one)), expected: tenPings.map(gets.text) },
];

/** No byte follows the one that violates the protocol. */
const at_once = [
  ['a stray continuation', [], '00'], ['a stray continuation with FIN', [], '80'], ['a stray continuation behind a message', [open(f1), last(f2)], '00', [gets.text(f1 + f2)]],
  ['a text frame within a message', [open(f1)], '81'], ['a binary frame within a message', [open(f1)], '02'],
  ['RSV1', [], 'c1'], ['RSV2', [], 'a1'], ['RSV3', [], '91'], ['RSV1 on a ping', [], 'c9'], ['RSV1 within a message', [open(f1)], 'c0'],
  ['a reserved data opcode', [], '83'], ['a reserved control opcode', [], '8b'], ['a reserved opcode within a message', [open(f1)], '03'],
  ['a ping in fragments', [], '09'], ['a pong in fragments', [], '0a'], ['a close in fragments', [], '08'], ['a ping in fragments within a message', [open(f1)], '09'],
  ['text without a mask', [], '8105'], ['a ping without a mask', [], '8900'], ['a continuation without a mask', [open(f1)], '0001'],
  ['a ping of 126 bytes', [], '89fe'], ['a close of more', [], '88ff'], ['a close of one byte', [], '8881'],
  ['a 16-bit length of 125', [], '82fe007d'], ['a 64-bit length below 65536', [], '82ff000000000000'], ['a length with the highest bit set', [], '82ff80'],
].map(([name, before, bytes, expected = []]) => ({ name: `${name}: after ${bytes}`, sent: [...before, Buffer.from(bytes, 'hex')], expected: [...expected, protocol_error] }));

const sections = { 'whole messages': echoes, pings, 'reserved bits': reserved_bits, 'reserved opcodes': reserved_opcodes, fragmentation, 'frame forms': forms, 'at the first byte that shows it': at_once };

describe('frames', () => {
  after(() => server.stop());
  for (const [section, cases] of Object.entries(sections)) {
    describe(section, { concurrency: 16 }, () => {
      for (const { name, chops = [1], ...one } of cases) {
        for (const pieces of ['whole', 'frames', ...chops]) {
          it(`${name} (${pieces === 'whole' || pieces === 'frames' ? pieces : `${pieces} octets at a time`})`, () => runCase(server.url, { ...one, pieces }));
        }
      }
    });
  }
});
