// SIGHUP: certificates and reloadable settings are checked, then applied; no client is disconnected.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { ByteSocket } from '../support/byte_socket.js';
import { LOG } from '../support/contract.js';
import { eventually } from '../support/deadline.js';
import { fetchOnce } from '../support/raw_http.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

const directory = scratchDirectory();
const old = makeCertificate(directory, 'old.example');
const fresh = makeCertificate(directory, 'fresh.example');
const served = { certificate: path.join(directory, 'served.pem'), key: path.join(directory, 'served.key') };
const config = path.join(directory, 'roomcast.toml');

function serve({ certificate, key }) {
  fs.copyFileSync(certificate, served.certificate);
  fs.copyFileSync(key, served.key);
}

const tls_lines = `[tls]\ncertificate = "${served.certificate}"\nkey = "${served.key}"\n`;
const write = (lines = '') => fs.writeFileSync(config, `${lines}\n${tls_lines}`);

serve(old);
write();
const server = await startServer({ listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'], args: ['--config', config] });
const https = server.urlOf('https:');

async function subject() {
  const socket = await ByteSocket.open(https);
  const name = socket.socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return name;
}

/** Sends SIGHUP and waits for the log line with the result. */
async function reload(pattern = LOG.reloaded) {
  const mark = server.mark();
  server.reload();
  await server.waitForLog(pattern, { mark });
  await fetchOnce(server.url, 'GET', '/healthz');
  return server.log(mark);
}

describe('reload', () => {
  after(() => server.stop());
  beforeEach(async () => {
    serve(old);
    write();
    await reload();
  });

  it('a new certificate is used for new connections, old connections stay', async () => {
    const secure = await connect(https);
    const plain = await connect(server.url);
    assert.equal(await subject(), 'old.example');
    serve(fresh);
    await reload();
    assert.equal(await subject(), 'fresh.example');
    for (const client of [secure, plain]) {
      await client.text('still here');
      await client.expectText('still here');
      await client.close();
    }
  });

  const broken = {
    'a certificate that is none': () => fs.writeFileSync(served.certificate, 'rubbish'),
    'a certificate cut short': () => fs.truncateSync(served.certificate, 200),
    'a missing certificate': () => fs.rmSync(served.certificate),
    'an empty key': () => fs.writeFileSync(served.key, ''),
    'the key of another certificate': () => fs.copyFileSync(fresh.key, served.key),
    'a missing key': () => fs.rmSync(served.key),
  };
  for (const [name, spoil] of Object.entries(broken)) {
    it(`${name} keeps the old one, and the log names the file`, async () => {
      const client = await connect(https);
      spoil();
      const log = await reload(/served\.(pem|key)/);
      assert.match(log, /error|warn/i);
      assert.equal(await subject(), 'old.example');
      await client.text('still here');
      await client.expectText('still here');
      await client.close();
    });
  }

  it('log.level is applied', async () => {
    write('[log]\nlevel = "debug"');
    await reload();
    const mark = server.mark();
    await (await connect(server.url)).close();
    await fetchOnce(server.url, 'GET', '/healthz');
    write('[log]\nlevel = "error"');
    server.reload();
    await eventually(async () => {
      const quiet = server.mark();
      await (await connect(server.url)).close();
      await fetchOnce(server.url, 'GET', '/healthz');
      return server.log(quiet) === '';
    }, 'silence at level error');
    assert.notEqual(server.log(mark), '');
    write();
    server.reload();
    await eventually(async () => {
      const loud = server.mark();
      await (await connect(server.url)).close();
      await fetchOnce(server.url, 'GET', '/healthz');
      return server.log(loud) !== '';
    }, 'lines at level info');
  });

  it('log.format is applied', async () => {
    write('[log]\nformat = "json"');
    await reload();
    const mark = server.mark();
    await (await connect(server.url)).close();
    await server.waitForLog(/^\{/, { mark });
    for (const line of server.log(mark).split('\n').slice(0, -1)) JSON.parse(line);
  });

  it('limits are applied', async () => {
    write('[limits]\nmessage_bytes = 10');
    await reload();
    const client = await connect(server.url);
    await client.text('12345678901');
    await client.expectClose(1009);
  });

  it('origins are applied', async () => {
    const answer = async () => (await fetchOnce(server.url, 'POST', '/rooms/x', { body: 'x', headers: { Origin: 'https://page.example', 'Content-Type': 'text/plain' } })).status;
    assert.equal(await answer(), 403);
    write('origins = ["https://page.example"]');
    await reload();
    assert.equal(await answer(), 200);
    write();
    await reload();
    assert.equal(await answer(), 403);
  });

  it('a key that needs a restart is named', async () => {
    write('[echo]\nenabled = false');
    const log = await reload(/echo\.enabled/);
    assert.match(log, LOG.needsRestart);
    await (await connect(server.url)).close();
  });

  const mistakes = {
    'an unknown key': '[limits]\nmesage_bytes = 5\nmessage_bytes = 7',
    'a wrong type': '[limits]\nmessage_bytes = "many"',
    'an impossible value': '[limits]\nmessage_bytes = -1',
    'broken TOML': '[limits\nmessage_bytes = 7',
  };
  for (const [name, lines] of Object.entries(mistakes)) {
    it(`${name} changes nothing, and the log names the place`, async () => {
      const client = await connect(server.url);
      write(lines);
      const log = await reload(/roomcast\.toml/);
      assert.match(log, /roomcast\.toml.*[12]/);
      await client.text('more than seven bytes');
      await client.expectText('more than seven bytes');
      await client.close();
    });
  }

  it('a missing config file changes nothing', async () => {
    fs.rmSync(config);
    await reload(/roomcast\.toml/);
    assert.equal(await subject(), 'old.example');
  });

  describe('a burst of signals, with many rules for rooms', () => {
    const many = path.join(directory, 'many.toml');
    const rules = Array.from({ length: 300 }, (_, i) => `[[rooms]]\nmatch = "room-${i}/**"\nhistory_messages = ${i}\n`).join('');
    const write_many = (message_bytes) => fs.writeFileSync(many, `[limits]\nmessage_bytes = ${message_bytes}\n${rules}`);
    const start = () => {
      write_many(1000);
      return startServer({ args: ['--config', many] });
    };
    const reloads = (log) => log.split('\n').filter((line) => LOG.reloaded.test(line)).length;

    it('is few reloads, and the last configuration is in effect', async () => {
      const burst = await start();
      const begun = Date.now();
      for (let i = 1; i <= 400; i += 1) {
        write_many(i === 400 ? 7 : 1000 + i);
        burst.reload();
        await new Promise(setImmediate);
      }
      // One at once, one every 100 ms, and one after the last signal.
      const most = 2 + (Date.now() - begun) / 100;
      await burst.waitForLog(/limits\.message_bytes.*after=7\b/);
      await fetchOnce(burst.url, 'GET', '/healthz');
      const client = await connect(burst.url);
      await client.text('12345678');
      await client.expectClose(1009);
      await burst.stop();
      assert.ok(reloads(burst.log()) <= most, `${reloads(burst.log())} reloads, at most ${most} expected`);
    });

    it('does not delay SIGTERM, and nothing is reloaded after it', async () => {
      const burst = await start();
      const begun = Date.now();
      for (let i = 0; i < 400; i += 1) {
        burst.reload();
        await new Promise(setImmediate);
      }
      const most = 2 + (Date.now() - begun) / 100;
      burst.process.kill('SIGTERM');
      burst.reload();
      await burst.expectExit(0);
      const [before, after] = burst.log().split(/^.*stopping signal=.*$/m);
      assert.equal(reloads(after), 0);
      assert.ok(reloads(before) <= most, `${reloads(before)} reloads, at most ${most} expected`);
    });
  });

  it('many signals at once do not disturb active clients', async () => {
    const client = await connect(https);
    for (let i = 0; i < 50; i += 1) {
      server.reload();
      await client.text(`${i}`);
      await client.expectText(`${i}`);
    }
    await client.close();
  });
});
