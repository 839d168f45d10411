// RFC 6455 section 8.1 and RFC 3629: text must be UTF-8, checked as it arrives.
// The sequences are classic ones of decoder stress tests; numbers as in the Autobahn|Testsuite.

import { after, describe, it } from 'node:test';
import { connect } from '../support/wire_client.js';
import { startServer } from '../support/server.js';
import { fails, gets, runCase } from '../support/ws_case.js';
import { CONTINUATION, TEXT, continuation, fragments, frame, masked, ping, text } from '../support/ws_frames.js';

const server = await startServer();
const hex = (digits) => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const kosme = hex('cebae1bdb9cf83cebcceb5');
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const lonely = (from, to) => Buffer.from(range(from, to).flatMap((byte) => [byte, 0x20]));

const noncharacters = range(0, 16).flatMap((plane) => [0xfffe, 0xffff].map((low) => Buffer.from(String.fromCodePoint(plane * 0x10000 + low))));

const valid = {
  '6.1 nothing': [''],
  '6.2 text of several languages': ['Hello-µ@ßöäüàá-UTF-8!!', kosme],
  '6.5 one to four bytes': ['hello$world', 'hello¢world', 'hello€world', 'hello𤭢world', kosme],
  '6.7 first of each length': [hex('00'), hex('c280'), hex('e0a080'), hex('f0908080')],
  '6.9 last of each length': [hex('7f'), hex('dfbf'), hex('efbfbf'), hex('f48fbfbf')],
  '6.11 around the surrogates and the end': [hex('ed9fbf'), hex('ee8080'), hex('efbfbd'), hex('f48fbfbf')],
  '6.22 non-characters': noncharacters,
  '6.23 specials': ['efbfb9', 'efbfba', 'efbfbb', 'efbfbc', 'efbfbd', 'efbfbe', 'efbfbf'].map(hex),
};

const missing = ['c0', 'e080', 'f08080', 'f8808080', 'fc80808080', 'df', 'efbf', 'f7bfbf', 'fbbfbfbf', 'fdbfbfbfbf'];
const invalid = {
  '6.3 a surrogate within': [Buffer.concat([kosme, hex('eda080'), Buffer.from('edited')])],
  '6.6 cut within a character': [1, 3, 4, 6, 8, 10].map((end) => kosme.subarray(0, end)),
  '6.8 first of five and six bytes': [hex('f888808080'), hex('fc8480808080')],
  '6.10 last of four, five and six bytes': [hex('f7bfbfbf'), hex('fbbfbfbfbf'), hex('fdbfbfbfbfbf')],
  '6.11 past the last code point': [hex('f4908080')],
  '6.12 unexpected continuation': [...['80', 'bf', '80bf', '80bf80', '80bf80bf', '80bf80bf80', '80bf80bf80bf'].map(hex), Buffer.from(range(0x80, 0xbe)), Buffer.from(range(0x80, 0xbf))],
  '6.13 lonely start bytes': [lonely(0xc0, 0xde), lonely(0xe0, 0xee), lonely(0xf0, 0xf6), lonely(0xf8, 0xfa), lonely(0xfc, 0xfc), lonely(0xfe, 0xff)],
  '6.14 last byte missing': missing.map(hex),
  '6.15 incomplete sequences together': [hex(missing.join(''))],
  '6.16 impossible bytes': [hex('fe'), hex('ff'), hex('fefeffff')],
  '6.17 overlong slash': [hex('c0af'), hex('e080af'), hex('f08080af'), hex('f8808080af'), hex('fc80808080af')],
  '6.18 longest overlong': [hex('c1bf'), hex('e09fbf'), hex('f08fbfbf'), hex('f887bfbfbf'), hex('fc83bfbfbfbf')],
  '6.19 overlong NUL': [hex('c080'), hex('e08080'), hex('f0808080'), hex('f880808080'), hex('fc8080808080')],
  '6.20 single surrogates': ['eda080', 'edadbf', 'edae80', 'edafbf', 'edb080', 'edbe80', 'edbfbf'].map(hex),
  '6.21 paired surrogates': ['eda080edb080', 'eda080edbfbf', 'edadbfedb080', 'edadbfedbfbf', 'edae80edb080', 'edae80edbfbf', 'edafbfedb080', 'edafbfedbfbf'].map(hex),
};

/** The same text whole, one byte per frame, one byte per packet, and after enough ASCII for block-wise checks to run. */
function forms(payload) {
  const bytes = Buffer.from(payload);
  const padded = Buffer.concat([Buffer.alloc(61, 'x'), bytes]);
  return [
    { form: 'whole', bytes, sent: [text(bytes)] },
    { form: 'byte by byte', bytes, sent: fragments(TEXT, bytes, 1), pieces: 'frames' },
    { form: 'octets chopped', bytes, sent: [text(bytes)], pieces: 1 },
    { form: 'behind ASCII', bytes: padded, sent: [text(padded)] },
    { form: 'with empty fragments', bytes, sent: [text('', { fin: false }), continuation(bytes, { fin: false }), continuation('')] },
  ];
}

describe('UTF-8', () => {
  after(() => server.stop());

  describe('valid text comes back', { concurrency: 16 }, () => {
    for (const [name, payloads] of Object.entries(valid)) for (const payload of payloads) for (const { form, bytes, ...one } of forms(payload)) {
      it(`${name}: ${bytes.subarray(0, 20).toString('hex')} ${form}`, () => runCase(server.url, { ...one, expected: [gets.text(bytes)] }));
    }
  });

  describe('invalid text closes with 1007', { concurrency: 16 }, () => {
    for (const [name, payloads] of Object.entries(invalid)) for (const payload of payloads) for (const { form, bytes, ...one } of forms(payload)) {
      it(`${name}: ${bytes.subarray(0, 20).toString('hex')} ${form}`, () => runCase(server.url, { ...one, expected: [fails(1007)] }));
    }
  });

  // The rest of the message is never sent: the server must find the error in the bytes that it has.
  describe('6.4 a message fails at its first invalid byte', { concurrency: 8 }, () => {
    const bad = Buffer.concat([kosme, hex('f4908080'), Buffer.from('edited')]);
    const cuts = { 'after the wrong character': [kosme.length, kosme.length + 4], 'after the wrong byte': [12, 13] };
    for (const [name, [first, second]] of Object.entries(cuts)) {
      it(`6.4 in fragments, ${name}`, async () => {
        const client = await connect(server.url);
        await client.text(bad.subarray(0, first), { fin: false });
        await client.roundTrip();
        await client.write(frame({ opcode: CONTINUATION, fin: false, payload: bad.subarray(first, second) }));
        await client.expectClose(1007);
      });
      it(`6.4 within one frame, ${name}`, async () => {
        const client = await connect(server.url);
        const key = hex('a1b2c3d4');
        const whole = Buffer.concat([text('', { mask: key, claimedLength: bad.length }), masked(bad, key)]);
        const head = whole.length - bad.length;
        await client.write(whole.subarray(0, head + first));
        await client.write(whole.subarray(head + first, head + second));
        await client.expectClose(1007);
      });
    }
    for (let at = 1; at < 4; at += 1) {
      const character = Buffer.from('𤭢');
      it(`a character may be split after byte ${at} by a fragment and a ping`, () => runCase(server.url, {
        sent: [text(character.subarray(0, at), { fin: false }), ping('between'), continuation(character.subarray(at))],
        expected: [gets.pong('between'), gets.text(character)],
      }));
    }
    it('a message that ends within a character fails even if the next one would complete it', () => runCase(server.url, {
      sent: [text(hex('e282')), text(hex('ac'))], expected: [fails(1007)],
    }));
    it('binary messages are not checked', () => runCase(server.url, {
      sent: fragments(0x2, hex('fffe80c0'), 1), expected: [gets.binary(hex('fffe80c0'))],
    }));
  });
});
