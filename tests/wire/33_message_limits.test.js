// limits.message_bytes and limits.fragments at their defaults, at small values and at the largest that the
// Autobahn|Testsuite uses (its section 9).

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import WebSocket from 'ws';
import { assertSame, connect } from '../support/wire_client.js';
import { patience, seconds, within } from '../support/deadline.js';
import { startServer } from '../support/server.js';
import { fails, gets, runCase, sendFrames } from '../support/ws_case.js';
import { BINARY, TEXT, binary, continuation, fragments, frame, text } from '../support/ws_frames.js';

const large = await startServer({ set: { 'limits.message_bytes': 16777216, 'limits.fragments': 70000, 'limits.queue_bytes': 67108864 } });
const usual = await startServer();
const small = await startServer({ set: { 'limits.message_bytes': 1000, 'limits.fragments': 4 } });
const long = seconds(60);
const K = 1024;
const M = K * K;

/** Sends one message and expects it back, unchanged. */
async function echo(opcode, size, send) {
  const payload = Buffer.alloc(size, opcode === TEXT ? 'BAsd7&jh23' : Buffer.from('00fe23faf0', 'hex'));
  const client = await connect(large.url);
  const sending = send(client, payload);
  const answer = await client.message(long);
  await sending;
  assert.equal(answer.opcode, opcode);
  assertSame(answer.payload, payload);
  await client.close();
}

describe('message limits', () => {
  after(async () => {
    for (const server of [large, usual, small]) await server.stop();
  });

  for (const [opcode, name, section] of [[TEXT, 'text', 1], [BINARY, 'binary', 2]]) {
    for (const size of [64 * K, 256 * K, M, 4 * M, 8 * M, 16 * M]) {
      it(`9.${section} ${name} of ${size} bytes in one frame`, () => echo(opcode, size, (client, payload) => client.write(frame({ opcode, payload }))));
    }
    for (const size of [64, 256, K, 4 * K, 16 * K, 64 * K, 256 * K, M, 4 * M]) {
      it(`9.${section + 2} 4 MiB of ${name} in fragments of ${size}`, () => echo(opcode, 4 * M, (client, payload) => client.write(Buffer.concat(fragments(opcode, payload, size)))));
    }
    for (const size of [64, 128, 256, 512, K, 2 * K]) {
      it(`9.${section + 4} 1 MiB of ${name} in chops of ${size} octets`, () => echo(opcode, M, (client, payload) => client.socket.writeChopped(frame({ opcode, payload }), size)));
    }
    for (const size of [0, 16, 64, 256, K, 4 * K]) {
      it(`9.${section + 6} a thousand round trips of ${size} bytes of ${name}`, async () => {
        const client = await connect(large.url);
        const payload = Buffer.alloc(size, '*');
        const bytes = frame({ opcode, payload });
        for (let i = 0; i < 1000; i += 1) {
          await client.write(bytes);
          await client.expect(opcode, payload);
        }
        await client.close();
      });
    }
  }

  it('65,537 fragments make one message', () => echo(TEXT, 65537, (client, payload) => client.write(Buffer.concat(fragments(TEXT, payload, 1)))));
  it('one byte past 16 MiB closes with 1009', async () => {
    const client = await connect(large.url);
    await client.write(binary('', { claimedLength: 16 * M + 1 }));
    await client.expectClose(1009);
  });

  const at = (limit) => 'x'.repeat(limit);
  const edges = {
    'by default 65,536 bytes pass': [usual, [text(at(65536))], gets.text(at(65536))],
    'by default 65,537 bytes do not': [usual, [text(at(65537))], fails(1009)],
    'by default 65,537 bytes of binary do not': [usual, [binary(at(65537))], fails(1009)],
    'a message at the limit passes': [small, [text(at(1000))], gets.text(at(1000))],
    'a message past the limit does not': [small, [text(at(1001))], fails(1009)],
    'fragments at the limit in all pass': [small, fragments(TEXT, at(1000), 250), gets.text(at(1000))],
    'fragments past the limit in all do not': [small, fragments(TEXT, at(1001), 500), fails(1009)],
    'as many fragments as allowed pass': [small, fragments(BINARY, at(4), 1), gets.binary(at(4))],
    'one fragment more does not': [small, fragments(BINARY, at(5), 1), fails(1009, 1008)],
    'empty fragments count': [small, [text('', { fin: false }), ...Array(4).fill(0).map(() => continuation('', { fin: false }))], fails(1009, 1008)],
    'a message too big is refused by its head': [small, [text('', { claimedLength: 1001 })], fails(1009)],
    'a message of 2^62 bytes is refused by its head': [small, [binary('', { claimedLength: 1n << 62n })], fails(1009)],
    'fragments are refused by the head of the one too many': [small, [text(at(600), { fin: false }), continuation('', { fin: false, claimedLength: 401 })], fails(1009)],
  };
  describe('at the limit and past it', { concurrency: 8 }, () => {
    for (const [name, [server, sent, expectation]] of Object.entries(edges)) {
      it(name, () => runCase(server.url, { sent, expected: [expectation] }));
    }
  });

  it('the limit applies to each message, not to their sum', async () => {
    const client = await connect(small.url);
    for (let i = 0; i < 10; i += 1) await sendFrames(client, [text(at(1000)), ...fragments(TEXT, at(900), 300)]);
    for (let i = 0; i < 10; i += 1) {
      await client.expectText(at(1000));
      await client.expectText(at(900));
    }
    await client.close();
  });

  it('a client that sends far too much at once still receives the close code', async () => {
    const client = new WebSocket(`${usual.url.replace('http', 'ws')}/echo`);
    const closed = new Promise((resolve) => client.on('close', resolve).on('error', () => {}));
    client.on('open', () => client.send(Buffer.alloc(4 * M)));
    assert.equal(await within(patience, closed, 'the close'), 1009);
  });

  it('the close reason names the limit', async () => {
    const client = await connect(small.url);
    await client.text(at(1001));
    assert.match(await client.expectClose(1009), /limits\.message_bytes|too big/);
  });
});
