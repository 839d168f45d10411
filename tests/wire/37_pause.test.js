// The whole process is paused, as by SIGSTOP, docker pause or a snapshot of the machine: clients that sent in time what
// was due meanwhile are not treated as late.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { ClientProcess } from '../support/client_process.js';
import { patience, sleep, within } from '../support/deadline.js';
import { answerOf, pollsOf } from '../support/polls.js';
import { HttpConnection, requestBytes } from '../support/raw_http.js';
import { numbered } from '../support/many_clients.js';
import { publish } from '../support/room_stream.js';
import { startServer } from '../support/server.js';

const pause_ms = 4000; // longer than every deadline below
const many = 300; // more than the server reads in one turn
const clients = new ClientProcess();
const server = await startServer({
  set: { 'websocket.ping_seconds': 3, 'websocket.pong_timeout_seconds': 3, 'http.body_timeout_seconds': 2, 'limits.connections_per_address': 2000 },
});
const { waiting } = pollsOf(server.url);

/** Requests with bodies that lack the last byte. */
async function begunBodies(count) {
  const connections = await Promise.all(Array.from({ length: count }, () => HttpConnection.open(server.url)));
  const request = requestBytes('POST', '/rooms/bodies', { body: 'half', headers: { 'Content-Type': 'text/plain' } });
  await Promise.all(connections.map((one) => one.send(request.subarray(0, -1))));
  return connections;
}

describe('a pause of the whole process', () => {
  after(async () => {
    await clients.end();
    await server.stop();
  });

  it('closes no connection: members stay, polls are answered, bodies can be finished', async () => {
    const polls = await waiting('polled', 100);
    await clients.call('open', 'members', server.url, many, { path: '/rooms/paused', size: 20 });
    await sleep(2500);
    // Their first pings, after three seconds, are unanswered when the pause begins.
    await clients.call('pause', 'members');
    const bodies = await begunBodies(100);
    await sleep(1000);
    server.process.kill('SIGSTOP');
    await clients.call('resume', 'members');
    await Promise.all(bodies.map((one) => one.send('f')));
    await sleep(pause_ms);
    server.process.kill('SIGCONT');
    for (const one of bodies) assert.equal((await within(patience, one.read(), 'the receipt of a body')).status, 200);
    await publish(server.url, 'polled', 'after the pause');
    for (const one of polls) assert.equal(answerOf(await within(patience, one.read(), 'a poll')).messages.length, 1);
    // Connections that counted as late would be closed by now: the next pings have been sent.
    await sleep(pause_ms);
    await publish(server.url, 'paused', numbered(1, 20));
    const tally = await clients.call('reach', 'members', 1);
    assert.equal(tally.open, many);
    for (const one of [...polls, ...bodies]) one.close();
  });

  it('deadlines work as before afterwards', async () => {
    const [late] = await begunBodies(1);
    assert.equal((await within(patience, late.read(), 'the end of the patience with a body')).status, 408);
    late.close();
  });
});
