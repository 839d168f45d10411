// Expired certificates, and clients without TLS on a TLS port.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { ByteSocket } from '../support/byte_socket.js';
import { seconds } from '../support/deadline.js';
import { fetchOnce } from '../support/raw_http.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { runToEnd, startServer } from '../support/server.js';

const directory = scratchDirectory();
const day = 86_400_000;
const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });

/** YYMMDDHHMMSSZ, the format of `openssl ca`. */
const asn1 = (ms) => `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`;

/** A certificate valid from `from` to `to`, in days from now; signed by that of `issuer`, or by itself. */
function certificate(name, from, to, issuer) {
  const home = fs.mkdtempSync(path.join(directory, 'ca-'));
  const file = (end) => path.join(home, end);
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`, '-keyout', file('key.pem'), '-out', file('request.pem'));
  fs.writeFileSync(file('index.txt'), '');
  fs.writeFileSync(file('ca.cnf'), `[ca]\ndefault_ca = a\n[a]\ndatabase = ${file('index.txt')}\nnew_certs_dir = ${home}\nrand_serial = yes\ndefault_md = sha256\npolicy = p\n[p]\ncommonName = supplied\n`);
  const by = issuer ? ['-cert', issuer.certificate, '-keyfile', issuer.key] : ['-selfsign', '-keyfile', file('key.pem')];
  openssl('ca', '-batch', '-notext', '-config', file('ca.cnf'), ...by, '-in', file('request.pem'), '-out', file('certificate.pem'),
    '-startdate', asn1(Date.now() + from * day), '-enddate', asn1(Date.now() + to * day));
  if (issuer) fs.appendFileSync(file('certificate.pem'), fs.readFileSync(issuer.certificate));
  return { certificate: file('certificate.pem'), key: file('key.pem') };
}

const flags = (pair) => ({ 'tls.certificate': pair.certificate, 'tls.key': pair.key });
const good = makeCertificate(directory, 'good.example');

describe('certificates and their validity', { concurrency: 2 }, () => {
  const expired_issuer = certificate('old issuer', -20, -1);
  const cases = {
    'one that has expired': [certificate('expired', -10, -1), /error\b.*certificate has expired/i],
    'one that is about to': [certificate('soon', -80, 10), /warn\w*\b.*certificate expires soon/i],
    'one that is not valid yet': [certificate('early', 1, 90), /error\b.*certificate is not valid yet/i],
    'one whose issuer has expired': [certificate('orphan', -1, 80, expired_issuer), /error\b.*certificate has expired/i],
  };
  for (const [name, [pair, line]] of Object.entries(cases)) {
    it(`${name} is logged at the start, at a reload and by --check-config`, async () => {
      const server = await startServer({ listen: ['https://127.0.0.1:0', 'http://127.0.0.1:0'], set: flags(pair) });
      assert.match(server.log().split('\n').find((one) => one.includes(pair.certificate)), line);
      const mark = server.mark();
      server.reload();
      await server.waitForLog(/\breloaded$/, { mark });
      assert.match(server.log(mark).split('\n').find((one) => one.includes(pair.certificate)), line);
      await server.stop();
      const { code, stderr } = await runToEnd(['--check-config', ...Object.entries(flags(pair)).flatMap(([key, value]) => ['--set', `${key}=${value}`])]);
      assert.equal(code, 0, stderr);
      assert.match(stderr, new RegExp(`warning: certificate .*${pair.certificate}`));
    });
  }

  for (const [name, pair] of [['a good one', certificate('good', -1, 89)], ['a short-lived one in its first days', certificate('short', -1, 5)]]) {
    it(`${name} is not`, async () => {
      const server = await startServer({ listen: ['https://127.0.0.1:0'], set: flags(pair) });
      assert.doesNotMatch(server.log(), /certificate (has|is|expires)/);
      await server.stop();
    });
  }

  it('a metric has the seconds left for each, also after a reload', async () => {
    const config = path.join(directory, 'metric.toml');
    const write = (pair) => fs.writeFileSync(config, `[tls]\ncertificate = "${pair.certificate}"\nkey = "${pair.key}"\n`);
    const [soon] = cases['one that is about to'];
    const [expired] = cases['one that has expired'];
    write(soon);
    const server = await startServer({ listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'], args: ['--config', config] });
    const left = async (pair) => (await server.metrics()).get(`roomcast_certificate_expiry_seconds{certificate="${pair.certificate}"}`);
    assert.ok(Math.abs((await left(soon)) - (10 * day) / 1000) < 600, `${await left(soon)}`);
    write(expired);
    server.reload();
    await server.waitForLog(/\breloaded$/);
    assert.ok(Math.abs((await left(expired)) + day / 1000) < 600, `${await left(expired)}`);
    assert.equal(await left(soon), undefined);
    await server.stop();
  });
});

describe('a TLS port without TLS', async () => {
  const server = await startServer({ listen: ['https://127.0.0.1:0', 'http://127.0.0.1:0'], set: flags(good) });
  const plain = server.urlOf('https:').replace('https:', 'http:');
  after(() => server.stop());

  const requests = {
    GET: 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'POST with a body': `POST /rooms/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n${'x'.repeat(50000)}`,
    OPTIONS: 'OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n',
    CONNECT: 'CONNECT example.org:443 HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'a method in small letters': 'get / HTTP/1.0\r\n\r\n',
    'a first byte alone': 'G',
  };
  for (const [name, bytes] of Object.entries(requests)) {
    it(`${name} is answered 400 in clear, with a sentence, and logged`, async () => {
      const mark = server.mark();
      const socket = await ByteSocket.open(plain);
      await socket.write(bytes);
      const answer = (await socket.rest()).toString();
      assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
      const [head, body] = answer.split('\r\n\r\n');
      assert.equal(Number(/Content-Length: (\d+)/.exec(head)[1]), Buffer.byteLength(body));
      assert.match(JSON.parse(body).error.message, /https:\/\//);
      socket.destroy();
      await server.waitForLog(/warn.*without TLS.*peer=127\.0\.0\.1/i, { mark });
    });
  }

  it('a client that continues to send, or never ends, is disconnected', async () => {
    const socket = await ByteSocket.open(plain);
    await socket.write('GET / HTTP/1.1\r\n');
    const begun = Date.now();
    await socket.rest();
    await server.metricBecomes('roomcast_connections', (count) => count === 1, /transport="http"/);
    assert.ok(Date.now() - begun < seconds(6));
    socket.destroy();
  });

  it('TLS clients are served beside them', async () => {
    assert.equal((await fetchOnce(server.urlOf('https:'), 'GET', '/healthz')).status, 200);
  });
});
