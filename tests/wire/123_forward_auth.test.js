// Users that a proxy has identified, by the snippets of docs/access.md: nginx with auth_request and Caddy with forward_auth in front,
// and an authentication service as Authelia and oauth2-proxy are. Who says himself that a proxy has identified him gets nowhere.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { JsonClient } from '../support/json_client.js';
import { isInstalled, snippet, startCaddy, startNginx } from '../support/proxies.js';
import { fetchOnce, HttpConnection } from '../support/raw_http.js';
import { RoomStream } from '../support/room_stream.js';
import { scratchDirectory, tomlFilesIn } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { makeIssuer } from '../support/tokens.js';
import { connect, refusal } from '../support/wire_client.js';

const tomlFile = tomlFilesIn(scratchDirectory());
const running = [];
after(async () => {
  for (const one of running.reverse()) await one.stop();
});
const kept = async (starting) => {
  const one = await starting;
  running.push(one);
  return one;
};

// Whom the service knows, by the cookie `sso`: the header fields of its answer.
const utf8 = (text) => Buffer.from(text).toString('latin1');
const known = {
  ada: { 'Remote-User': 'ada', 'Remote-Groups': 'staff,dev', 'Remote-Name': utf8('Ada Lövelace') },
  bob: { 'Remote-User': 'bob' },
  guest: {}, // may pass, and is nobody in particular
  long: { 'Remote-User': 'x'.repeat(101) },
  groups: { 'Remote-User': 'eve', 'Remote-Groups': Array.from({ length: 101 }, (_, i) => `g${i}`).join(', ') },
  latin1: { 'Remote-User': 'Lövelace' },
};

/** The authentication service: 200 with who the user is, or 401. */
async function startService() {
  const service = http.createServer((request, response) => {
    service.asked.push({ uri: request.headers['x-forwarded-uri'] ?? request.headers['x-original-uri'], url: request.url });
    const user = known[/\bsso=(\w+)/.exec(request.headers.cookie ?? '')?.[1]];
    if (user) response.writeHead(200, user).end();
    else response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="sso"', 'Content-Type': 'text/plain' }).end('sign in\n');
  });
  service.asked = [];
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  running.push({ stop: () => {
    service.closeAllConnections();
    service.close();
  } });
  return service;
}

const issuer = await makeIssuer('HS256');
// The settings of the document, and rows.
const settings = (peers = '["127.0.0.1", "::1"]') => `${snippet('toml', 'proxy_user_header', 'access.md').replace('["127.0.0.1", "::1"]', peers).replace(/^listen.*\n/m, '')}
[[auth.tokens]]
algorithms = ["HS256"]
secret = "${issuer.key}"
[[access]]
rooms = "staff/**"
who = "role:staff"
may = ["join", "publish", "history", "presence"]
[[access]]
rooms = "inbox/{user}"
who = "user"
may = ["join", "publish"]
[[access]]
rooms = "lobby"
who = "anyone"
may = ["join"]
`;

const code_of = (response) => (response.status === 200 ? 'ok' : response.json.error.code);
const forged = { 'Remote-User': 'ada', 'Remote-Groups': 'staff', 'Remote-Name': 'Ada' };

const proxies = {
  nginx: {
    command: 'nginx',
    start: (port, service) => startNginx(port, { change: [
      ['    location / {\n', `${snippet('nginx', 'internal;', 'access.md')}\n    location / {\n${snippet('nginx', 'auth_request_set', 'access.md')}`],
      ['127.0.0.1:9091', `127.0.0.1:${service}`],
    ] }),
  },
  Caddy: {
    command: 'caddy',
    start: (port, service) => startCaddy(port, { page: 'access.md', mark: 'forward_auth', change: [['127.0.0.1:9091', `127.0.0.1:${service}`]] }),
  },
};

for (const [name, { command, start }] of Object.entries(proxies)) {
  // `./dev test` installs both.
  const skip = !process.env.CI && !isInstalled(command) && `${command} is not here`;
  describe(`behind ${name}`, { skip, concurrency: 4 }, () => {
    let server;
    let proxy;
    let service;
    before(async () => {
      service = await startService();
      server = await kept(startServer({ args: ['--config', tomlFile(settings())] }));
      proxy = await kept(start(server.port, service.address().port));
    });
    const ask = (sso, target, { method = 'GET', headers = {}, body } = {}) =>
      fetchOnce(proxy.url, method, target, { headers: { ...(sso ? { Cookie: `sso=${sso}` } : {}), ...headers }, body });
    const me = async (sso, headers) => (await ask(sso, '/api/me', { headers })).json;

    it('a user is who the service says, with groups as roles', async () => {
      const ada = await me('ada');
      assert.deepEqual([ada.kind, ada.user, ada.name, ada.roles], ['user', 'ada', 'Ada Lövelace', ['staff', 'dev']]);
      const bob = await me('bob');
      assert.deepEqual([bob.kind, bob.user, bob.name, bob.roles], ['user', 'bob', 'bob', []]);
      assert.equal(code_of(await ask('ada', '/rooms/staff/a')), 'ok');
      const denied = await ask('bob', '/rooms/staff/a');
      assert.deepEqual([denied.status, denied.json.error.message], [403, 'no access rule lets user:bob join in staff/a']);
      assert.equal(code_of(await ask('bob', '/rooms/inbox/bob')), 'ok');
      assert.equal(code_of(await ask('ada', '/rooms/inbox/bob')), 'forbidden');
      assert.ok(service.asked.some(({ uri }) => uri === '/rooms/inbox/bob'), 'the service learns what is asked for');
    });

    it('whom the service refuses does not get through', async () => {
      for (const target of ['/rooms/lobby', '/', '/connect']) {
        const response = await ask(undefined, target, { headers: forged });
        assert.equal(response.status, 401, target);
        assert.match(response.header('www-authenticate'), /sso/);
      }
      assert.equal((await refusal(proxy.url, { path: '/rooms/lobby', headers: forged })).status, 401);
    });

    it('over every transport', async () => {
      const cookie = { Cookie: 'sso=ada' };
      const v1 = await JsonClient.greeted({ url: proxy.url }, '/rooms/staff/all', { headers: cookie });
      const raw = await connect(proxy.url, { path: '/rooms/staff/all', headers: cookie });
      const streams = await Promise.all(['sse', 'stream'].map((kind) => RoomStream.open(proxy.url, 'staff/all', { kind, headers: cookie })));
      const published = await ask('ada', '/rooms/staff/all', { method: 'POST', body: 'hello', headers: { 'Content-Type': 'text/plain' } });
      assert.equal(published.status, 200, published.text);
      const message = await v1.next(({ type }) => type === 'message');
      assert.deepEqual([message.from, message.user, message.data], ['Ada Lövelace', 'ada', 'hello']);
      assert.equal(await raw.nextText(), 'hello');
      await raw.text('from raw');
      assert.equal(await raw.nextText(), 'from raw');
      assert.equal((await v1.next(({ data }) => data === 'from raw')).user, 'ada');
      for (const stream of streams) stream.destroy();
      await raw.close();
      await v1.close();
      const bob = { Cookie: 'sso=bob' };
      assert.equal((await refusal(proxy.url, { path: '/rooms/staff/all', headers: bob })).json.error.code, 'forbidden');
    });

    it('who sends the headers himself gets nowhere: the proxy replaces or removes them', async () => {
      const spellings = [forged, { 'remote-user': 'ada', 'REMOTE-GROUPS': 'staff' }, { 'Remote-User': ['ada', 'ada'] }, { Remote_User: 'ada', Remote_Groups: 'staff' }];
      for (const headers of spellings) {
        const guest = await me('guest', headers);
        assert.equal(guest.kind, 'anonymous', JSON.stringify(headers));
        assert.deepEqual(code_of(await ask('guest', '/rooms/staff/a', { headers })), 'unauthorized');
        const bob = await me('bob', headers);
        assert.deepEqual([bob.user, bob.name, bob.roles], ['bob', 'bob', []], JSON.stringify(headers));
      }
      // Nor by asking for them to be removed, as a hop does (RFC 9110 section 7.6.1).
      const hop = await me('bob', { Connection: 'Remote-User, close' });
      assert.ok(hop.user === 'bob' || hop.kind === 'anonymous');
    });

    it('what the service says has bounds', async () => {
      for (const [user, header] of [['long', 'proxy_user_header'], ['groups', 'proxy_groups_header'], ['latin1', 'proxy_user_header']]) {
        const response = await ask(user, '/rooms/lobby');
        assert.deepEqual([response.status, code_of(response)], [401, 'bad_token'], user);
        assert.match(response.json.error.message, new RegExp(`auth\\.${header}`));
      }
    });

    it('a page of a listed origin may not act for a user unless it may use credentials', async () => {
      const listing = await kept(startServer({ args: ['--config', tomlFile(`origins = ["https://other.example"]\n${settings()}`)] }));
      const through = await kept(start(listing.port, service.address().port));
      const headers = { Cookie: 'sso=ada', Origin: 'https://other.example' };
      const response = await fetchOnce(through.url, 'POST', '/rooms/inbox/ada', { headers, body: 'x' });
      assert.deepEqual([response.status, code_of(response)], [403, 'origin_denied']);
      assert.equal((await refusal(through.url, { path: '/rooms/inbox/ada', headers })).json.error.code, 'origin_denied');
      assert.equal((await fetchOnce(through.url, 'POST', '/rooms/inbox/ada', { headers: { ...headers, Origin: through.url }, body: 'x' })).status, 200);
    });

    it('a token goes before the user of the proxy', async () => {
      const headers = { Authorization: `Bearer ${await issuer.token({ sub: 'carol' })}` };
      assert.equal((await me('bob', headers)).user, 'carol');
    });
  });
}

describe('without a trusted proxy', () => {
  it('the headers are ignored, whoever sends them', async () => {
    const server = await kept(startServer({ args: ['--config', tomlFile(settings('["192.0.2.1"]'))] }));
    for (const headers of [forged, { ...forged, 'X-Forwarded-For': '192.0.2.1' }, { ...forged, Forwarded: 'for=192.0.2.1' }]) {
      assert.equal(code_of(await fetchOnce(server.url, 'GET', '/rooms/staff/a', { headers })), 'unauthorized');
      assert.equal((await fetchOnce(server.url, 'GET', '/api/me', { headers })).json.kind, 'anonymous');
      assert.equal((await refusal(server.url, { path: '/rooms/staff/a', headers })).json.error.code, 'unauthorized');
    }
  });

  it('of two addresses only the trusted one is believed', async () => {
    const server = await kept(startServer({ args: ['--config', tomlFile(settings('["127.0.0.3"]'))] }));
    const from = async (localAddress) => (await fetchOnce(server.url, 'GET', '/api/me', { headers: forged, socket: { localAddress } })).json;
    assert.equal((await from('127.0.0.2')).kind, 'anonymous');
    assert.equal((await from('127.0.0.3')).user, 'ada');
  });

  it('a PROXY protocol header makes nobody\'s HTTP headers true', async () => {
    const server = await kept(startServer({ args: ['--config', tomlFile(`proxy_protocol = true\n${settings()}`)] }));
    const connection = await HttpConnection.open(server.url);
    await connection.send('PROXY TCP4 203.0.113.7 127.0.0.1 40000 80\r\n');
    const response = await connection.request('GET', '/api/me', { headers: forged });
    connection.close();
    assert.equal(response.json.kind, 'anonymous', response.text);
  });
});
