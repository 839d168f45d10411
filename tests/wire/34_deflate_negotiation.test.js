// RFC 7692 section 7.1 and RFC 6455 section 9.1: each offer of permessage-deflate is judged separately.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { parseAnswer } from '../support/deflate.js';
import { DeflateClient, checkAnswer, prose } from '../support/deflate_client.js';
import { startServer } from '../support/server.js';
import { connect, refusal } from '../support/wire_client.js';
import { BINARY, TEXT, text } from '../support/ws_frames.js';

const server = await startServer();
const pmd = 'permessage-deflate';

const bits = [8, 9, 10, 11, 12, 13, 14, 15];
const acceptable = [
  pmd,
  `${pmd}; server_no_context_takeover`,
  `${pmd}; client_no_context_takeover`,
  `${pmd}; server_no_context_takeover; client_no_context_takeover`,
  `${pmd}; client_no_context_takeover; server_no_context_takeover; client_max_window_bits`,
  `${pmd}; client_max_window_bits`,
  ...bits.map((n) => `${pmd}; client_max_window_bits=${n}`),
  ...bits.slice(1).map((n) => `${pmd}; server_max_window_bits=${n}`),
  ...bits.slice(1).map((n) => `${pmd}; server_max_window_bits=${n}; client_max_window_bits=${n}; server_no_context_takeover; client_no_context_takeover`),
  `${pmd};server_max_window_bits=10;client_max_window_bits`,
  `${pmd}; server_max_window_bits="10"`,
  `${pmd}; client_max_window_bits="15"`,
];

const not_acceptable = [
  ...['server_no_context_takeover', 'client_no_context_takeover'].flatMap((name) => [`${name}=1`, `${name}=true`, `${name}; ${name}`]),
  ...['server_max_window_bits', 'client_max_window_bits'].flatMap((name) => [
    ...['0', '7', '16', '08', '015', '+10', '10.0', 'abc', '-9', '1e1', '999999999999999999999'].map((value) => `${name}=${value}`),
    `${name}=10; ${name}=10`, `${name}=10; ${name}=12`]),
  'server_max_window_bits',
  'client_max_window_bits; client_max_window_bits',
  'unknown', 'unknown=1', 'mode=fast; server_no_context_takeover', 'Server_No_Context_Takeover',
].map((parameters) => `${pmd}; ${parameters}`);

const not_ours = ['x-unknown', 'x-webkit-deflate-frame', 'deflate-frame', 'permessage-bzip2', 'permessage-deflatex', 'x-permessage-deflate', 'permessage-compress; method=deflate'];

const malformed = [`${pmd};`, `${pmd}; =10`, `${pmd}; server_max_window_bits=`, `${pmd}; server_max_window_bits="10`, `; ${pmd}`, `${pmd} server_no_context_takeover`, `${pmd}; a=b=c`, `${pmd}; (x)`, `${pmd}; x="a, b"`];

// Of several offers the first acceptable one is accepted.
const lists = [
  { offers: `x-unknown, ${pmd}`, taken: pmd },
  { offers: `${pmd}; server_max_window_bits=7, ${pmd}; server_max_window_bits=12`, taken: `${pmd}; server_max_window_bits=12` },
  { offers: `${pmd}; unknown, ${pmd}; server_no_context_takeover`, taken: `${pmd}; server_no_context_takeover` },
  { offers: `${pmd}; server_max_window_bits=11, ${pmd}`, taken: `${pmd}; server_max_window_bits=11` },
  { offers: [`${pmd}; unknown=1`, `${pmd}; server_max_window_bits=13`], taken: `${pmd}; server_max_window_bits=13` },
  { offers: `a; b=c; d="e", ${pmd}`, taken: pmd },
  { offers: `, ,${pmd}, `, taken: pmd },
];

async function offer(offers) {
  const client = await connect(server.url, { headers: { 'Sec-WebSocket-Extensions': offers } });
  return { client, answer: parseAnswer(client.response.header('sec-websocket-extensions')) };
}

/** Messages both ways, with repetitions nearer and farther than any window, then a clean close. */
async function talk(client, answer) {
  const deflate = new DeflateClient(client, answer);
  const far = Buffer.concat([prose(300), prose(40000, 5000), prose(300)]);
  for (const payload of [prose(1000), prose(1000), far, far, Buffer.alloc(0), Buffer.from('x')]) {
    await deflate.echo(BINARY, payload);
  }
  await deflate.echo(TEXT, 'κόσμε'.repeat(100));
  await deflate.close();
}

async function declined(offers) {
  const { client, answer } = await offer(offers);
  assert.equal(answer, null);
  await client.text('plain');
  await client.expectText('plain');
  await client.text('with RSV1', { rsv: 4 });
  await client.expectClose(1002);
}

describe('negotiation of permessage-deflate', { concurrency: 8 }, () => {
  after(() => server.stop());

  for (const one of acceptable) {
    it(`accepts ${one}`, async () => {
      const { client, answer } = await offer(one);
      assert.ok(answer, 'the offer was declined');
      checkAnswer(answer, one);
      await talk(client, answer);
    });
  }

  it('a server window of 8 bits is declined or respected', async () => {
    const { client, answer } = await offer(`${pmd}; server_max_window_bits=8`);
    if (!answer) return client.close();
    checkAnswer(answer, `${pmd}; server_max_window_bits=8`);
    return talk(client, answer);
  });

  for (const one of not_acceptable) it(`declines ${one}`, () => declined(one));
  for (const one of not_ours) it(`ignores the unknown ${one}`, () => declined(one));
  for (const one of malformed) {
    it(`refuses the malformed ${one}`, async () => {
      const response = await refusal(server.url, { headers: { 'Sec-WebSocket-Extensions': one } });
      assert.equal(response.status, 400);
    });
  }
  for (const { offers, taken } of lists) {
    it(`accepts ${taken} of ${JSON.stringify(offers)}`, async () => {
      const { client, answer } = await offer(offers);
      assert.ok(answer, 'no offer was taken');
      checkAnswer(answer, taken);
      await talk(client, answer);
    });
  }

  it('without an offer there is no response', async () => {
    const client = await connect(server.url);
    assert.equal(client.response.header('sec-websocket-extensions'), undefined);
    await client.write(text('x', { rsv: 4 }));
    await client.expectClose(1002);
  });

  it('websocket.compression=false declines every offer', async () => {
    const plain = await startServer({ set: { 'websocket.compression': false } });
    const client = await connect(plain.url, { headers: { 'Sec-WebSocket-Extensions': pmd } });
    assert.equal(client.response.header('sec-websocket-extensions'), undefined);
    await client.text('plain');
    await client.expectText('plain');
    await client.close();
    await plain.stop();
  });
});
