// RFC 6455 sections 5.5.1, 7.1 and 7.4: the closing handshake and its codes.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connect } from '../support/wire_client.js';
import { startServer } from '../support/server.js';
import { closes, fails, gets, runCase } from '../support/ws_case.js';
import { CLOSE, close, continuation, frame, ping, text } from '../support/ws_frames.js';

const server = await startServer({ set: { 'websocket.close_timeout_seconds': 0.5 } });
const hello = 'Hello World!';
const rejected = (sent, ...codes) => ({ sent, expected: [fails(...codes)] });
const accepted = (sent, code, ...before) => ({ sent, expected: [...before, closes(code)] });

const cases = {
  '7.1.1 a message, then close': accepted([text(hello), close(1000)], 1000, gets.text(hello)),
  '7.1.2 two closes': accepted([close(1000), close(1000)], 1000),
  '7.1.3 a ping after close is not answered': accepted([close(1000), ping()], 1000),
  '7.1.4 text after close is ignored': accepted([close(1000), text(hello)], 1000),
  '7.1.5 close within a message': accepted([text('fragment1', { fin: false }), close(1000), continuation('fragment2')], 1000),
  'anything after close is ignored, rubbish too': accepted([close(1000), frame({ opcode: 7, rsv: 7 })], 1000),
  '7.3.1 an empty close': { sent: [close()], expected: [closes(undefined, 1000)] },
  '7.3.2 a close of one byte': rejected([frame({ opcode: CLOSE, payload: 'a' })], 1002),
  '7.3.3 a close with a code': accepted([close(1000)], 1000),
  '7.3.4 a close with code and reason': accepted([close(1000, hello)], 1000),
  '7.3.5 a reason of 123 bytes': accepted([close(1000, '*'.repeat(123))], 1000),
  '7.3.6 a reason of 124 bytes': rejected([close(1000, '*'.repeat(124))], 1002),
  'a reason in UTF-8': accepted([close(4000, 'κόσμε 𤭢')], 4000),
  '7.5.1 a reason that is not UTF-8': rejected([close(1000, Buffer.from('cebae1bdb9cf83cebcceb5eda080656469746564', 'hex'))], 1007),
  'a reason that ends within a character': rejected([close(1000, Buffer.from('e282', 'hex'))], 1007),
};
for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]) {
  cases[`7.7 code ${code} is echoed`] = accepted([close(code)], code);
}
for (const code of [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]) {
  cases[`7.9 code ${code} is refused`] = rejected([close(code)], 1002);
}

describe('close', () => {
  after(() => server.stop());

  describe('by the client', { concurrency: 16 }, () => {
    for (const [name, one] of Object.entries(cases)) {
      for (const pieces of ['whole', 1]) it(`${name} (${pieces})`, () => runCase(server.url, { ...one, pieces }));
    }
  });

  it('7.1.6 a large message right before the close frame comes back whole first', () => runCase(server.url, {
    sent: [text('x'.repeat(65536)), text(hello), close(1000), ping()],
    expected: [gets.text('x'.repeat(65536)), gets.text(hello), closes(1000)],
  }));

  it('a client that does not answer the server\'s close frame is disconnected', async () => {
    const client = await connect(server.url);
    await client.text(hello, { rsv: 1 });
    await client.expectClose(1002, { answer: false });
  });

  it('a client that continues to send after a violation still gets the close frame', async () => {
    const client = await connect(server.url);
    await client.text(hello, { rsv: 1 });
    for (let i = 0; i < 20; i += 1) await client.text('y'.repeat(10000));
    await client.expectClose(1002, { answer: false });
  });

  it('a half-closed connection is ended by the server', async () => {
    const client = await connect(server.url);
    client.socket.finish();
    await client.socket.rest();
  });

  it('a half-closed connection receives pending data first', async () => {
    const client = await connect(server.url);
    await client.text(hello);
    client.socket.finish();
    await client.expectText(hello);
    await client.socket.rest();
  });

  it('the close reason names the violation', async () => {
    const client = await connect(server.url);
    await client.text(hello, { rsv: 2 });
    assert.ok((await client.expectClose(1002)).length > 0);
  });
});
