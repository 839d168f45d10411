// Behind nginx and HAProxy, configured as in docs/deployment.md, plain and with TLS: every transport works, no message is
// held back in a buffer, and idle connections outlive the proxy's timeouts.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { EventSource } from 'eventsource';
import { eventually, patience, within } from '../support/deadline.js';
import { isInstalled, startHaproxy, startNginx } from '../support/proxies.js';
import { assertPayload, publications, publish, publishers } from '../support/publications.js';
import { fetchOnce } from '../support/raw_http.js';
import { openRoom, roomUrl, ways } from '../support/room_clients.js';
import { startServer } from '../support/server.js';

const trusted = { trusted_proxies: '127.0.0.1', hosts: '' }; // the default of hosts
const running = [];
after(async () => {
  for (const one of running.reverse()) await one.stop();
});
const kept = async (starting) => {
  const one = await starting;
  running.push(one);
  return one;
};

// `./dev test` installs both.
const skip = !process.env.CI && !(isInstalled('nginx') && isInstalled('haproxy')) && 'nginx and haproxy are not here';

const text = (body) => ({ kind: 'text', body });
const some = ['plain text', 'every newline, and empty lines', 'JSON, pretty', 'every byte', '64 KiB of text', 'nothing'].map((name) => publications[name]);

/** Publishes each of `some` after all have received the one before: a message that a proxy holds back never arrives. */
async function passEach(url, room, usable = ways) {
  const clients = await Promise.all(usable.map((way) => openRoom(way, url, room, { history: 5 })));
  for (const client of clients) assert.equal((await client.start()).gap, null);
  for (const publication of some) {
    const { cursor } = await publish(url, room, publication);
    for (const client of clients) {
      const message = await client.message();
      assertPayload(message.data, publication, client.way);
      if (client.way.cursors) assert.equal(message.cursor, cursor);
    }
  }
  // Cut at the proxy, they resume where they were.
  const resumable = clients.filter(({ way }) => way.cursors);
  clients.forEach((client) => client.cut());
  await publish(url, room, text('meanwhile'));
  for (const { way, cursor } of resumable) {
    const client = await openRoom(way, url, room, { since: cursor });
    assert.deepEqual(await client.start(), { cursor, gap: null });
    assert.equal((await client.message()).data, 'meanwhile');
    client.close();
  }
}

/** Only heartbeats for longer than the proxy's timeout; then a message. */
async function stayIdle(url, room) {
  const clients = await Promise.all(ways.map((way) => openRoom(way, url, room, { wait: 1 })));
  for (const client of clients) await client.start();
  const hears = clients.filter(({ way }) => way.form === 'verbatim' || way.connect || (way.stream && !way.process));
  await Promise.all(hears.map((client) => within(patience, new Promise((resolve) => (client.onHeartbeat = () => client.heartbeats >= 4 && resolve())), `${client.way.name} four heartbeats`)));
  const { cursor } = await publish(url, room, text('still here'));
  for (const client of clients) {
    const message = await client.message();
    assert.equal(message.data, 'still here');
    if (client.way.cursors) assert.equal(message.cursor, cursor);
    client.close();
  }
}

/** An EventSource without help: it reconnects by itself, and receives what it missed. */
async function comeBack(url, room) {
  const source = new EventSource(roomUrl(url, room));
  const received = [];
  let wake;
  const until = async (condition, what) => {
    while (!condition()) await within(patience, new Promise((resolve) => (wake = resolve)), what);
  };
  for (const type of ['joined', 'message', 'gap', 'error']) {
    source.addEventListener(type, (event) => {
      received.push(type === 'message' ? event.data : type);
      wake?.();
    });
  }
  await until(() => received.includes('joined'), 'joined');
  await publish(url, room, text('one'));
  await until(() => received.includes('one'), 'one');
  await until(() => received.includes('error'), 'the cut by the proxy');
  await publish(url, room, text('two'));
  await until(() => received.includes('two'), 'two');
  source.close();
  assert.deepEqual(received, ['joined', 'one', 'error', 'joined', 'two']);
}

const proxies = {
  nginx: { start: startNginx, short: [['proxy_read_timeout 75s', 'proxy_read_timeout 2s'], ['proxy_send_timeout 75s', 'proxy_send_timeout 2s']] },
  HAProxy: { start: startHaproxy, short: ['client', 'server', 'tunnel'].map((name) => [`timeout ${name} 75s`, `timeout ${name} 2s`]) },
};

for (const [name, { start, short }] of Object.entries(proxies)) {
  describe(`behind ${name}`, { skip, concurrency: 3 }, () => {
    let server;
    let proxy;
    before(async () => {
      server = await kept(startServer({ set: trusted }));
      proxy = await kept(start(server.port));
    });

    for (const [how, urlOf] of [['plain', ({ url }) => url], ['TLS', ({ secureUrl }) => secureUrl]]) {
      it(`every transport works, and no message waits for the next, ${how}`, () => passEach(urlOf(proxy), `pass/${how}`));

      it(`every way to publish works, ${how}`, async () => {
        const url = urlOf(proxy);
        const client = await openRoom(ways[0], server.url, `publish/${how}`);
        await client.start();
        for (const { publish: publishBy } of publishers) {
          await publishBy(url, client.room, some[1]);
          assertPayload((await client.message()).data, some[1], client.way);
        }
        client.close();
      });

      it(`idle connections outlive the timeouts, ${how}`, async () => {
        const beating = await kept(startServer({ set: { ...trusted, 'websocket.ping_seconds': 1 } }));
        const hasty = await kept(start(beating.port, { change: short }));
        await stayIdle(urlOf(hasty), 'idle');
      });

      it(`a page of the proxy's own origin may connect and publish, another may not, ${how}`, async () => {
        const url = urlOf(proxy);
        const status = async (method, origin) => (await fetchOnce(url, method, '/rooms/origin', { body: method === 'POST' ? 'x' : undefined, headers: { Origin: origin, 'X-Forwarded-For': '203.0.113.7' } })).status;
        for (const method of ['POST', 'GET']) {
          assert.equal(await status(method, url), 200);
          const mark = server.mark();
          assert.equal(await status(method, 'https://elsewhere.example'), 403);
          // The proxy's information on its client is trusted, and, on this machine, so is what the client itself had sent.
          await server.waitForLog(/origin refused peer=203\.0\.113\.7 /, { mark });
        }
      });
    }

    it('a cut by an idle timeout loses nothing: EventSource resumes with its last id', async () => {
      const silent = await kept(startServer({ set: trusted }));
      const hasty = await kept(start(silent.port, { change: short }));
      await comeBack(hasty.url, 'back');
    });
  });
}

describe('nginx with a shorter configuration', { skip, concurrency: 2 }, () => {
  const overHttp = ways.filter(({ form, connect, name }) => form !== 'verbatim' && !connect && !name.startsWith('WebSocket'));

  it('over HTTP/1.0 and with buffering on, its default, everything but WebSocket works', async () => {
    const server = await kept(startServer());
    const bare = ['proxy_http_version 1.1;', 'proxy_set_header Upgrade $http_upgrade;', 'proxy_set_header Connection $connection_upgrade;', 'proxy_buffering off;'];
    const proxy = await kept(startNginx(server.port, { change: bare.map((line) => [line, '']) }));
    await passEach(proxy.url, 'bare', overHttp);
  });

  it('with its own compression, it holds no message back', async () => {
    const plain = await kept(startServer({ set: { 'http.compression': false } }));
    const http = 'gzip on; gzip_proxied any; gzip_min_length 0; gzip_types text/event-stream application/x-ndjson application/json;';
    const proxy = await kept(startNginx(plain.port, { http }));
    const response = await fetch(roomUrl(proxy.url, 'gzip', { transport: 'stream' }), { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(response.headers.get('content-encoding'), 'gzip');
    await response.body.cancel();
    await passEach(proxy.url, 'gzip', overHttp);
  });
});

for (const [name, start] of [['nginx', startNginx], ['HAProxy', startHaproxy]]) {
  describe(`a restart of roomcast behind ${name}`, { skip }, () => {
    it('leaves a browser\'s EventSource waiting, not closed, and others get a status', async (t) => {
      const first = await startServer();
      const proxy = await start(first.port);
      t.after(() => proxy.stop());
      const source = new EventSource(`${proxy.url}/rooms/restart`);
      t.after(() => source.close());
      let joins = 0;
      let errors = 0;
      const received = [];
      for (const type of ['joined', 'gap']) source.addEventListener(type, () => (joins += 1));
      source.addEventListener('error', () => (errors += 1));
      source.addEventListener('message', ({ data }) => received.push(data));
      await eventually(() => joins === 1, 'the first join');
      await first.stop();
      // The end of the first stream, and at least one retry in between.
      await eventually(() => errors >= 2, 'a try while roomcast is away');
      assert.notEqual(source.readyState, EventSource.CLOSED);
      const poll = await fetchOnce(proxy.url, 'GET', '/rooms/restart');
      assert.ok([502, 503, 504].includes(poll.status), `${poll.status}`);
      const second = await startServer({ listen: [`http://127.0.0.1:${first.port}`] });
      t.after(() => second.kill());
      await eventually(() => joins === 2, 'the second join');
      await publish(second.url, 'restart', text('back'));
      await eventually(() => received.length === 1, 'the message after the restart');
      assert.deepEqual(received, ['back']);
    });
  });
}
