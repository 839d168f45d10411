// TLS: versions, server names, resumption, and every kind of listener beside the others.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { after, describe, it } from 'node:test';
import WebSocket from 'ws';
import { ByteSocket } from '../support/byte_socket.js';
import { METRICS } from '../support/contract.js';
import { patience, within } from '../support/deadline.js';
import { fetchOnce } from '../support/raw_http.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { BINARY, TEXT, close, frame, text } from '../support/ws_frames.js';

const directory = scratchDirectory();
const main = makeCertificate(directory, 'localhost', ['localhost', '127.0.0.1', '::1']);
const second = makeCertificate(directory, 'second.example');
const wild = makeCertificate(directory, 'wild.example', ['*.wild.example']);
const config = path.join(directory, 'roomcast.toml');
fs.writeFileSync(config, `
[tls]
certificate = "${main.certificate}"
key = "${main.key}"
certificates = [
  { certificate = "${second.certificate}", key = "${second.key}" },
  { certificate = "${wild.certificate}", key = "${wild.key}" },
]
`);
const unix = path.join(directory, 'roomcast.sock');
const server = await startServer({
  listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0', 'https://[::1]:0', 'http://[::1]:0', `unix:${unix}`],
  args: ['--config', config],
});
const https = server.urlOf('https://127');
const targets = { 'plain IPv4': server.url, 'TLS IPv4': https, 'TLS IPv6': server.urlOf('https://[::1]'), 'plain IPv6': server.urlOf('http://[::1]'), 'Unix socket': `unix:${unix}` };
const port = Number(new URL(https).port);

/** A handshake with `options`: `{protocol, subject, reused}`; rejects when it fails. */
async function handshake(options) {
  const socket = await ByteSocket.open(https, { tlsOptions: options });
  const result = { protocol: socket.socket.getProtocol(), subject: socket.socket.getPeerCertificate().subject?.CN, reused: socket.socket.isSessionReused(), alpn: socket.socket.alpnProtocol };
  socket.destroy();
  return result;
}

describe('TLS and listeners', () => {
  after(() => server.stop());

  it('the ready line names every bound address', () => {
    assert.equal(server.urls.length, 5);
    assert.equal(new Set(server.urls).size, 5);
    for (const url of server.urls) if (!url.startsWith('unix:')) assert.ok(Number(new URL(url).port) > 0, url);
  });

  for (const [name, target] of Object.entries(targets)) {
    it(`${name}: HTTP and WebSocket work`, async () => {
      assert.equal((await fetchOnce(target, 'GET', '/healthz')).status, 200);
      const client = await connect(target, { path: '/echo' });
      const large = Buffer.alloc(60000, 'L');
      await client.text('hello');
      await client.binary(large);
      await client.expectText('hello');
      await client.expectBinary(large);
      await client.close();
    });
    it(`${name}: a protocol error closes the connection correctly`, async () => {
      const client = await connect(target, { path: '/echo' });
      await client.text('x', { rsv: 1 });
      await client.expectClose(1002);
    });
    it(`${name}: octet by octet`, async () => {
      const client = await connect(target, { path: '/echo', chop: 1 });
      await client.socket.writeChopped(text('slowly'), 1);
      await client.expectText('slowly');
      await client.close();
    });
    it(`${name}: a client that vanishes is noticed`, async () => {
      const client = await connect(target, { path: `/rooms/vanish-${name.replaceAll(' ', '-')}` });
      client.destroy();
      await server.metricBecomes(METRICS.connections, (open) => open <= 2);
    });
  }

  it('subscribers on every kind of listener share one room', async () => {
    const clients = await Promise.all(Object.values(targets).map((target) => connect(target, { path: '/rooms/all' })));
    for (const [i, client] of clients.entries()) {
      await client.text(`from ${i}`);
      for (const other of clients) await other.expectText(`from ${i}`);
    }
    await Promise.all(clients.map((client) => client.close()));
  });

  describe('versions', () => {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      it(`${version} is accepted`, async () => {
        assert.equal((await handshake({ minVersion: version, maxVersion: version })).protocol, version);
      });
    }
    for (const version of ['TLSv1', 'TLSv1.1']) {
      it(`${version} is refused`, async () => {
        await assert.rejects(handshake({ minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' }), /protocol version|unsupported|EPROTO|ECONNRESET|alert|disconnected/i);
      });
    }
    it('ciphers without forward secrecy are refused', async () => {
      await assert.rejects(handshake({ maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:AES256-SHA:AES128-GCM-SHA256' }), /handshake failure|alert|ECONNRESET|disconnected/i);
    });
  });

  describe('names', () => {
    const names = { localhost: 'localhost', 'second.example': 'second.example', 'a.wild.example': 'wild.example', 'SECOND.example': 'second.example', 'unknown.example': 'localhost', 'a.b.wild.example': 'localhost' };
    for (const [name, subject] of Object.entries(names)) {
      it(`${name} gets the certificate of ${subject}`, async () => {
        for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) assert.equal((await handshake({ servername: name, maxVersion })).subject, subject);
      });
    }
    it('a client without SNI gets the first', async () => {
      assert.equal((await handshake({ servername: '' })).subject, 'localhost');
    });
    it('a client that verifies the certificate accepts it', async () => {
      const client = await connect(https, { socket: { tlsOptions: { ca: fs.readFileSync(main.certificate), rejectUnauthorized: true, servername: 'localhost' } } });
      await client.close();
    });
  });

  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    it(`a session of ${version} is resumed`, async () => {
      const first = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, servername: 'localhost', maxVersion: version });
      const session = await within(patience, new Promise((resolve, reject) => first.on('session', resolve).on('error', reject)), 'a session');
      first.destroy();
      assert.equal((await handshake({ servername: 'localhost', maxVersion: version, session })).reused, true);
    });
  }

  it('ALPN: http/1.1 is selected, or nothing', async () => {
    assert.ok(['http/1.1', false].includes((await handshake({ ALPNProtocols: ['h2', 'http/1.1'] })).alpn));
  });

  it('plain HTTP on the TLS port does no harm', async () => {
    for (let i = 0; i < 5; i += 1) {
      const socket = await ByteSocket.open(https.replace('https', 'http'));
      await socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await socket.rest({ allowReset: true });
    }
    assert.equal((await fetchOnce(https, 'GET', '/healthz')).status, 200);
  });

  it('a TLS hello on the plain port is refused', async () => {
    const socket = tls.connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false });
    await within(patience, new Promise((resolve) => socket.on('error', resolve)), 'the failure');
    assert.equal((await fetchOnce(server.url, 'GET', '/healthz')).status, 200);
  });

  it('the end of the connection is announced with close_notify', async () => {
    const client = await connect(https);
    let truncated = false;
    client.socket.socket.on('error', () => (truncated = true));
    await client.write(close(1000));
    client.sentClose = true;
    await client.expectClose(1000);
    assert.equal(truncated, false);
  });

  it('several MiB both ways, many clients at once', async () => {
    await Promise.all(Array.from({ length: 8 }, async (_, i) => {
      const client = await connect(https);
      const payload = Buffer.alloc(65536, i);
      const bytes = frame({ opcode: BINARY, payload });
      for (let round = 0; round < 20; round += 1) {
        await client.write(bytes);
        await client.expectBinary(payload);
      }
      await client.close();
    }));
  });

  it('the ws package over wss', async () => {
    const client = new WebSocket(`${https.replace('https', 'wss')}/rooms/wss`, { ca: fs.readFileSync(main.certificate), servername: 'localhost' });
    const received = new Promise((resolve, reject) => client.on('message', (data) => resolve(String(data))).on('error', reject));
    client.on('open', () => client.send('secret'));
    assert.equal(await within(patience, received, 'the message'), 'secret');
    client.terminate();
  });

  it('curl over the Unix socket and over https', async () => {
    const curl = (...args) => new Promise((resolve, reject) => execFile('curl', ['-sS', ...args], (error, stdout) => (error ? reject(error) : resolve(stdout))));
    const client = await connect(https, { path: '/rooms/curl' });
    assert.equal(JSON.parse(await curl('--unix-socket', unix, '-H', 'Content-Type: text/plain', '-d', 'by unix', 'http://localhost/rooms/curl')).subscribers, 1);
    await client.expect(TEXT, 'by unix');
    await curl('--cacert', main.certificate, '--resolve', `localhost:${port}:127.0.0.1`, '-H', 'Content-Type: text/plain', '-d', 'by tls', `https://localhost:${port}/rooms/curl`);
    await client.expect(TEXT, 'by tls');
    await client.close();
  });

  it('handshakes are counted', async () => {
    assert.ok((await server.metric(METRICS.handshakes)) > 10);
  });
});

describe('listeners', () => {
  it('a stale Unix socket file is replaced, and the file is removed at the end', async () => {
    const socket = path.join(directory, 'stale.sock');
    const first = await startServer({ listen: [`unix:${socket}`] });
    await first.kill();
    assert.ok(fs.existsSync(socket));
    const next = await startServer({ listen: [`unix:${socket}`] });
    assert.equal((await fetchOnce(`unix:${socket}`, 'GET', '/healthz')).status, 200);
    await next.stop();
    assert.ok(!fs.existsSync(socket));
  });

  it('an unfinished TLS handshake is dropped at the deadline', async () => {
    const hasty = await startServer({ listen: ['https://127.0.0.1:0'], set: { 'tls.certificate': main.certificate, 'tls.key': main.key, 'http.head_timeout_seconds': 0.5 } });
    const silent = await ByteSocket.open(hasty.url.replace('https', 'http'));
    const half = await ByteSocket.open(hasty.url.replace('https', 'http'));
    await half.write(Buffer.from('1603010200010001fc0303', 'hex'));
    await silent.rest({ allowReset: true });
    await half.rest({ allowReset: true });
    await hasty.stop().catch((error) => assert.fail(error));
  });
});
