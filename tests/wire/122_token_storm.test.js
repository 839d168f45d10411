// Very many clients that connect at once, each with a token of its own that has to be verified: none is refused.

import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync } from 'node:crypto';
import net from 'node:net';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { patience, within } from '../support/deadline.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { seconds } from '../support/tokens.js';

const clients = 2_000;

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A token of ES256, made at once: two thousand would take long one promise after the other. */
function tokenOf(sub) {
  const encoded = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const input = `${encoded({ alg: 'ES256', typ: 'JWT' })}.${encoded({ sub, exp: seconds() + 3_600 })}`;
  return `${input}.${createSign('sha256').update(input).sign({ key: privateKey, dsaEncoding: 'ieee-p1363' }, 'base64url')}`;
}

/** Joins the lobby as an event stream; the status of the answer, or why there is none. */
function join(port, token, sockets) {
  const socket = net.connect(port, '127.0.0.1');
  sockets.push(socket);
  return new Promise((resolve) => {
    socket.once('error', ({ code }) => resolve(code));
    socket.once('close', () => resolve('closed'));
    let head = '';
    socket.on('data', (bytes) => {
      head += bytes.toString('latin1');
      if (head.length >= 12) resolve(head.slice(9, 12));
    });
    socket.once('connect', () =>
      socket.write(`GET /rooms/lobby HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${token}\r\n\r\n`));
  });
}

describe('a storm of tokens', () => {
  const sockets = [];
  after(() => sockets.forEach((socket) => socket.destroy()));

  it(`${clients} clients with as many tokens of ES256 are all let in, each as its user`, async () => {
    const directory = scratchDirectory({
      'key.pem': publicKey.export({ type: 'spki', format: 'pem' }),
      'roomcast.toml': '[[auth.tokens]]\nalgorithms = ["ES256"]\nkey_file = "key.pem"\n\n[[access]]\nwho = "user"\nrooms = "**"\nmay = ["join"]\n',
    });
    const server = await startServer({ args: ['--config', path.join(directory, 'roomcast.toml')], cwd: directory });
    const tokens = Array.from({ length: clients }, (_, i) => tokenOf(`user-${i}`));
    const statuses = await within(4 * patience, Promise.all(tokens.map((token) => join(server.port, token, sockets))), 'every answer');
    const counts = Object.fromEntries([...new Set(statuses)].map((status) => [status, statuses.filter((one) => one === status).length]));
    assert.deepEqual(counts, { 200: clients });
    await server.stop();
  });
});
