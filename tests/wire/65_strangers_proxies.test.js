// The identity of a client behind proxies: forwarded fields as real proxies write them, the PROXY protocol, IPv6 blocks,
// and Host against DNS rebinding.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, describe, it } from 'node:test';
import tls from 'node:tls';
import { ByteSocket } from '../support/byte_socket.js';
import { HttpConnection, fetchOnce, readResponse, requestBytes } from '../support/raw_http.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { connect, refusal } from '../support/wire_client.js';

const running = [];
const kept = async (starting) => {
  const one = await starting;
  running.push(one);
  return one;
};
after(async () => {
  for (const one of running) await one.stop();
});

const trusting = await kept(startServer({ set: { trusted_proxies: '127.0.0.1', 'log.level': 'debug' } }));
const alone = await kept(startServer({ set: { hosts: '' } }));
const listing = await kept(startServer({ set: { hosts: 'chat.example,*.wild.example' } }));

/** The client's address in the log, for a request with these header fields. */
async function clientOf(server, headers) {
  const mark = server.mark();
  await fetchOnce(server.url, 'GET', '/healthz', { headers });
  return (await server.waitForLog(/http request peer=(\S+) .*path=\/healthz/, { mark }))[1];
}

describe('X-Forwarded-Proto: the page is on HTTPS', { concurrency: 4 }, () => {
  const page = { Host: 'chat.example', Origin: 'https://chat.example' };
  const secure = {
    'wss, as Traefik writes it': ['203.0.113.7', 'wss'], 'WSS': ['203.0.113.7', 'WSS'], 'https twice': ['203.0.113.7', 'https,https'],
    'https, then http between proxies': ['203.0.113.7', 'https, http'], 'an empty element': ['203.0.113.7', 'https,'], 'two fields': ['203.0.113.7', ['https', 'https']],
    'no address': [undefined, 'https,https'], 'wss beside each address': ['203.0.113.7, 127.0.0.1', 'wss, http'],
  };
  const plain = { 'ws': ['203.0.113.7', 'ws'], 'http twice': ['203.0.113.7', 'http,http'], 'the scheme of another hop': ['1.1.1.1, 203.0.113.7', 'https, http'], 'nothing known': ['203.0.113.7', 'gopher'] };
  const fields = ([address, proto]) => ({ ...page, ...(address && { 'X-Forwarded-For': address }), 'X-Forwarded-Proto': proto });
  for (const [name, one] of Object.entries(secure)) {
    it(name, async () => (await connect(trusting.url, { path: '/rooms/proto', headers: fields(one) })).close());
  }
  for (const [name, one] of Object.entries(plain)) {
    it(`not: ${name}`, async () => assert.equal((await refusal(trusting.url, { path: '/rooms/proto', headers: fields(one) })).status, 403));
  }
});

describe('X-Forwarded-For', () => {
  const addresses = {
    'a hop over a Unix socket, as nginx writes it': ['203.0.113.7, unix:', '203.0.113.7'], 'two of them': ['203.0.113.7, unix:, unix:', '203.0.113.7'],
    'one with a path': ['203.0.113.7, unix:/run/x.sock', '203.0.113.7'], 'one alone': ['unix:', '127.0.0.1'], 'empty elements': ['203.0.113.7, , ', '203.0.113.7'],
    'IPv4 written as IPv6': ['::ffff:203.0.113.7', '203.0.113.7'], 'quotes and a port': ['"[2001:db8::7]:4711"', '2001:db8::7'], 'a zone': ['fe80::7%eth0', 'fe80::7'],
    'what a client forged before': ['6.6.6.6, unix:, 203.0.113.7', '203.0.113.7'], 'a word that is no address': ['203.0.113.7, unknown', '127.0.0.1'],
  };
  for (const [name, [field, expected]] of Object.entries(addresses)) {
    it(name, async () => assert.equal(await clientOf(trusting, { 'X-Forwarded-For': field }), expected));
  }
});

describe('Host', { concurrency: 4 }, () => {
  const rebound = { Host: 'evil.example', Origin: 'http://evil.example' };
  it('on a loopback listener other host names are refused, and the response names the settings', async () => {
    for (const path of ['/rooms/x', '/echo', '/connect']) assert.equal((await refusal(alone.url, { path, headers: rebound })).status, 421);
    for (const [method, path] of [['POST', '/rooms/x'], ['GET', '/'], ['GET', '/metrics'], ['OPTIONS', '*'], ['GET', '/nowhere']]) {
      const response = await fetchOnce(alone.url, method, path, { headers: rebound });
      assert.equal(response.status, 421, path);
      assert.equal(response.json.error.code, 'host_denied');
      assert.match(response.json.error.message, /evil\.example.*hosts.*trusted_proxies/);
    }
  });
  it('the host of an absolute-form target is the one that counts', async () => {
    assert.equal((await fetchOnce(alone.url, 'GET', 'http://evil.example/healthz', { headers: { Host: 'localhost' } })).status, 421);
  });
  for (const host of ['localhost', 'LOCALHOST:8080', 'localhost.', 'app.localhost:81', '127.0.0.1', '[::1]:9', '192.0.2.1:8080']) {
    it(`${host} passes`, async () => assert.equal((await fetchOnce(alone.url, 'GET', '/healthz', { headers: { Host: host } })).status, 200));
  }
  for (const host of ['localhost.evil.example', 'evil.localhost.example', '127.0.0.1.evil.example', 'chat.example', '127.1', 'x']) {
    it(`${host} does not`, async () => assert.equal((await fetchOnce(alone.url, 'GET', '/healthz', { headers: { Host: host } })).status, 421));
  }
  it('listed hosts pass, with any port, and nothing else', async () => {
    const status = async (host) => (await fetchOnce(listing.url, 'GET', '/healthz', { headers: { Host: host } })).status;
    for (const host of ['chat.example', 'Chat.Example:8443', 'chat.example.', 'a.wild.example', 'a.b.wild.example:80']) assert.equal(await status(host), 200, host);
    for (const host of ['evil.example', 'wild.example', 'xwild.example', 'chat.example.evil.example', 'a.chat.example']) assert.equal(await status(host), 421, host);
  });
  it('a trusted proxy may forward any host', async () => {
    await (await connect(trusting.url, { path: '/rooms/x', headers: rebound })).close();
  });
  it('on a listener that others can reach any host passes, unless some are listed', async () => {
    const listen = ['http://0.0.0.0:0'];
    const [open, named] = [await kept(startServer({ listen, set: { hosts: '' } })), await kept(startServer({ listen, set: { hosts: 'chat.example' } }))];
    const status = async (server, host) => (await fetchOnce(`http://127.0.0.1:${server.port}`, 'GET', '/healthz', { headers: { Host: host } })).status;
    assert.equal(await status(open, 'evil.example'), 200);
    assert.equal(await status(named, 'evil.example'), 421);
    assert.equal(await status(named, 'chat.example'), 200);
  });
});

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const version2 = ({ command = 0x21, family = 0x11, addresses = Buffer.from([203, 0, 113, 7, 10, 0, 0, 1, 0x12, 0x34, 0, 80]), fields = Buffer.alloc(0) } = {}) => {
  const rest = Buffer.concat([addresses, fields]);
  return Buffer.concat([signature, Buffer.from([command, family, rest.length >> 8, rest.length & 255]), rest]);
};
const sixteen = (last) => Buffer.from([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
const ssl = Buffer.from([0x20, 0, 5, 1, 0, 0, 0, 0]);

describe('PROXY protocol', () => {
  const directory = scratchDirectory();
  const certificate = makeCertificate(directory, 'localhost');
  const start = (set = {}, listen) => kept(startServer({ listen, set: { proxy_protocol: true, trusted_proxies: '127.0.0.1', 'log.level': 'debug', ...set } }));

  /** The response to `header` followed by a request, and the client address that the server assumes. */
  async function ask(server, header, headers = {}, pause = false) {
    const mark = server.mark();
    const socket = await ByteSocket.open(server.url);
    const request = requestBytes('GET', '/healthz', { headers });
    if (pause) for (const byte of header) await socket.write(Buffer.from([byte]));
    await socket.write(pause ? request : Buffer.concat([header, request]));
    const response = await readResponse(socket);
    socket.destroy();
    assert.equal(response.status, 200);
    return (await server.waitForLog(/http request peer=(\S+) .*path=\/healthz/, { mark }))[1];
  }
  const good = {
    'version 1': [Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 4660 80\r\n'), '203.0.113.7'],
    'version 1, IPv6': [Buffer.from('PROXY TCP6 2001:db8::7 ::1 4660 80\r\n'), '2001:db8::7'],
    'version 1, UNKNOWN': [Buffer.from('PROXY UNKNOWN\r\n'), '127.0.0.1'],
    'version 1, UNKNOWN with a rest, 107 bytes': [Buffer.from(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`), '127.0.0.1'],
    'version 2': [version2(), '203.0.113.7'],
    'version 2, IPv6': [version2({ family: 0x21, addresses: Buffer.concat([sixteen(7), sixteen(1), Buffer.from([1, 2, 0, 80])]) }), '2001:db8::7'],
    'version 2, LOCAL': [version2({ command: 0x20, family: 0, addresses: Buffer.alloc(0) }), '127.0.0.1'],
    'version 2, of a Unix socket': [version2({ family: 0x31, addresses: Buffer.alloc(216) }), '127.0.0.1'],
    'version 2, additional fields up to 4,096 bytes': [version2({ fields: Buffer.concat([Buffer.from([4, 4065 >> 8, 4065 & 255]), Buffer.alloc(4065)]) }), '203.0.113.7'],
  };
  it('the header determines the client\'s address, in one piece or byte by byte', async () => {
    const server = await start();
    for (const [name, [header, address]] of Object.entries(good)) {
      assert.equal(await ask(server, header), address, name);
      assert.equal(await ask(server, header, {}, header.length < 300), address, `${name}, byte by byte`);
    }
  });

  it('forwarded fields of the client behind it are not trusted', async () => {
    const server = await start();
    assert.equal(await ask(server, good['version 1'][0], { 'X-Forwarded-For': '6.6.6.6' }), '203.0.113.7');
  });

  it('no header, a malformed one, or one past the limits: closed, and the log names the setting', async () => {
    const server = await start();
    const bad = {
      'no header': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), 'a line of 108 bytes': Buffer.from(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`), 'no address': Buffer.from('PROXY TCP4\r\n'),
      'a name': Buffer.from('PROXY TCP4 localhost 10.0.0.1 1 2\r\n'), 'a port too many': Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 1 2 3\r\n'), 'a port too high': Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 65536 2\r\n'),
      'two blanks': Buffer.from('PROXY TCP4  203.0.113.7 10.0.0.1 1 2\r\n'), 'no CR': Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 1 2\n'), 'version 3': version2({ command: 0x31 }), 'another command': version2({ command: 0x22 }),
      'addresses cut short': version2({ addresses: Buffer.alloc(11) }), 'a field cut short': version2({ fields: Buffer.from([4, 0, 9, 1]) }), 'another family': version2({ family: 0x41 }),
      '4,097 bytes': version2({ fields: Buffer.concat([Buffer.from([4, 4066 >> 8, 4066 & 255]), Buffer.alloc(4066)]) }),
    };
    for (const [name, bytes] of Object.entries(bad)) {
      const mark = server.mark();
      const socket = await ByteSocket.open(server.url);
      await socket.write(bytes);
      assert.equal((await socket.rest({ allowReset: true })).length, 0, name);
      socket.destroy();
      await server.waitForLog(/closed peer=127\.0\.0\.1 .*proxy_protocol/, { mark });
    }
    assert.equal(await ask(server, good['version 1'][0]), '203.0.113.7', 'and others are served');
  });

  it('a missing header is not waited for longer than http.head_timeout_seconds', async () => {
    const server = await start({ 'http.head_timeout_seconds': 0.3 });
    const socket = await ByteSocket.open(server.url);
    await socket.write(Buffer.from('PROXY TCP4 '));
    assert.equal((await socket.rest()).length, 0);
    socket.destroy();
    await server.waitForLog(/closed .*took too long/);
  });

  it('from an untrusted address it is a malformed request', async () => {
    const server = await start({ trusted_proxies: '' });
    const connection = await HttpConnection.open(server.url);
    assert.equal((await connection.request('GET', '/healthz')).status, 200);
    connection.close();
    const socket = await ByteSocket.open(server.url);
    await socket.write(good['version 1'][0]);
    assert.equal((await readResponse(socket)).status, 400);
    socket.destroy();
  });

  it('TLS begins after it', async () => {
    const server = await start({ 'tls.certificate': certificate.certificate, 'tls.key': certificate.key }, ['https://127.0.0.1:0']);
    const carrier = net.connect(server.port, '127.0.0.1');
    await once(carrier, 'connect');
    carrier.write(version2());
    const mark = server.mark();
    const socket = new ByteSocket(tls.connect({ socket: carrier, rejectUnauthorized: false }));
    await socket.write(requestBytes('GET', '/healthz'));
    assert.equal((await readResponse(socket)).status, 200);
    socket.destroy();
    await server.waitForLog(/http request peer=203\.0\.113\.7 /, { mark });
  });

  it('TLS that ended at the proxy counts for the origin of a page', async () => {
    const server = await start({ hosts: '' });
    const page = { Host: 'chat.example', Origin: 'https://chat.example' };
    const status = async (fields) => {
      const socket = await ByteSocket.open(server.url);
      await socket.write(Buffer.concat([version2({ fields }), requestBytes('POST', '/rooms/x', { body: 'x', headers: page })]));
      const response = await readResponse(socket);
      socket.destroy();
      return response.status;
    };
    assert.equal(await status(Buffer.alloc(0)), 403);
    assert.equal(await status(ssl), 200);
  });

  it('clients are counted by their own addresses, IPv6 by the /64', async () => {
    const server = await start({ 'limits.connections_per_address': 1 });
    const open = async (header) => {
      const socket = await ByteSocket.open(server.url);
      await socket.write(Buffer.concat([header, requestBytes('GET', '/rooms/x?wait=30')]));
      return socket;
    };
    const v6 = (address) => Buffer.from(`PROXY TCP6 ${address} ::1 4660 80\r\n`);
    const first = await open(v6('2001:db8::7'));
    const second = await open(v6('2001:db8::8'));
    assert.match((await second.rest({ allowReset: true })).toString('latin1'), /^(HTTP\/1\.1 429|$)/, 'the same /64');
    const third = await open(v6('2001:db8:0:1::8'));
    await server.waitForLog(/connection refused by limits.connections_per_address/);
    for (const socket of [first, second, third]) socket.destroy();
  });
});
