// RFC 6455 section 4: the opening handshake, accepted and refused.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { ByteSocket } from '../support/byte_socket.js';
import { HttpConnection, errorMessage, fetchOnce, readResponse } from '../support/raw_http.js';
import { startServer } from '../support/server.js';
import { attempt, connect, handshakeBytes, refusal } from '../support/wire_client.js';
import { text } from '../support/ws_frames.js';

const server = await startServer();
const key = 'dGhlIHNhbXBsZSBub25jZQ==';

const accepted = {
  'as usual': {},
  'names of headers in lower case': { headers: { host: 'localhost', upgrade: 'websocket', connection: 'upgrade', 'sec-websocket-key': key, 'sec-websocket-version': '13' } },
  'names of headers in capitals': { headers: { HOST: 'localhost', UPGRADE: 'WEBSOCKET', CONNECTION: 'UPGRADE', 'SEC-WEBSOCKET-KEY': key, 'SEC-WEBSOCKET-VERSION': '13' } },
  'values in mixed case': { headers: { Upgrade: 'WebSocket', Connection: 'uPgRaDe' } },
  'Connection as a list': { headers: { Connection: 'keep-alive, Upgrade' } },
  'Connection as a list without blanks': { headers: { Connection: 'keep-alive,Upgrade,x' } },
  'Connection in two fields': { headers: { Connection: ['keep-alive', 'Upgrade'] } },
  'blanks and tabs around values': { headers: { Upgrade: ' \t websocket \t', Connection: '\t Upgrade  ', 'Sec-WebSocket-Version': '  13 ' } },
  'unknown headers': { headers: { 'X-Anything': 'at all', Cookie: 'a=b; c=d', 'User-Agent': 'test', Pragma: 'no-cache' } },
  'a query': { path: '/echo?name=me&x=%20' },
  'an absolute target': { path: 'http://localhost/echo' },
  'an unknown protocol': { headers: { 'Sec-WebSocket-Protocol': 'unknown.v9' } },
  'an unknown extension': { headers: { 'Sec-WebSocket-Extensions': 'unknown; a=1' } },
};

const short = Buffer.alloc(15, 1).toString('base64');
const long = Buffer.alloc(17, 1).toString('base64');
const refused = {
  'version 12': [426, { headers: { 'Sec-WebSocket-Version': '12' } }],
  'version 14': [426, { headers: { 'Sec-WebSocket-Version': '14' } }],
  'version 8': [426, { headers: { 'Sec-WebSocket-Version': '8' } }],
  'version 0': [426, { headers: { 'Sec-WebSocket-Version': '0' } }],
  'version 013': [[400, 426], { headers: { 'Sec-WebSocket-Version': '013' } }],
  'version "abc"': [[400, 426], { headers: { 'Sec-WebSocket-Version': 'abc' } }],
  'two versions': [[400, 426], { headers: { 'Sec-WebSocket-Version': ['13', '12'] } }],
  'no version': [[400, 426], { headers: { 'Sec-WebSocket-Version': undefined } }],
  'no key': [400, { headers: { 'Sec-WebSocket-Key': undefined } }],
  'an empty key': [400, { headers: { 'Sec-WebSocket-Key': '' } }],
  'a key of 15 bytes': [400, { headers: { 'Sec-WebSocket-Key': short } }],
  'a key of 17 bytes': [400, { headers: { 'Sec-WebSocket-Key': long } }],
  'a key that is not base64': [400, { headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j!!==' } }],
  'a key without padding': [400, { headers: { 'Sec-WebSocket-Key': key.slice(0, 22) } }],
  'two keys': [400, { headers: { 'Sec-WebSocket-Key': [key, key] } }],
  'no Upgrade': [[400, 426], { headers: { Upgrade: undefined } }],
  'another protocol to upgrade to': [[400, 426], { headers: { Upgrade: 'h2c' } }],
  'Upgrade to something like it': [[400, 426], { headers: { Upgrade: 'websockets' } }],
  'no Connection': [[400, 426], { headers: { Connection: undefined } }],
  'Connection: keep-alive': [[400, 426], { headers: { Connection: 'keep-alive' } }],
  'Connection: xUpgrade': [[400, 426], { headers: { Connection: 'xUpgrade' } }],
  'POST': [[400, 405], { method: 'POST', headers: { 'Content-Length': '0' } }],
  'PUT': [[400, 405], { method: 'PUT', headers: { 'Content-Length': '0' } }],
  'DELETE': [[400, 405], { method: 'DELETE' }],
  'HTTP/1.0': [[400, 426, 505], { version: '1.0' }],
  'no Host': [400, { headers: { Host: undefined } }],
  'two Hosts': [400, { headers: { Host: ['localhost', 'localhost'] } }],
  'a path where nothing is': [404, { path: '/nothing/here' }],
  'a room without a name': [[400, 404], { path: '/rooms/' }],
  'a huge header': [431, { headers: { 'X-Long': 'x'.repeat(1048576 - 300) } }],
};

const protocols = {
  'roomcast.raw.v1': 'roomcast.raw.v1',
  'unknown.v9, roomcast.raw.v1': 'roomcast.raw.v1',
  'roomcast.raw.v1,unknown.v9': 'roomcast.raw.v1',
  'unknown.v9': undefined,
  'a, b, c': undefined,
  'ROOMCAST.RAW.V1': undefined,
  'roomcast.raw.v10': undefined,
};

describe('handshake', () => {
  after(() => server.stop());

  it('computes the accept value of the example in the standard', async () => {
    const { response, socket } = await attempt(server.url, { key });
    socket.destroy();
    assert.equal(response.status, 101);
    assert.equal(response.header('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    assert.equal(response.fields.filter(([name]) => /^sec-websocket-accept$/i.test(name)).length, 1);
    assert.equal(response.header('sec-websocket-protocol'), undefined);
    assert.equal(response.header('content-length'), undefined);
    assert.equal(response.header('transfer-encoding'), undefined);
  });

  describe('is accepted', { concurrency: 8 }, () => {
    for (const [name, options] of Object.entries(accepted)) {
      for (const chop of [undefined, 1]) {
        it(`${name}${chop ? ', octet by octet' : ''}`, async () => {
          const client = await connect(server.url, { key, ...options, chop });
          await client.text('hello');
          await client.expectText('hello');
          await client.close();
        });
      }
    }
  });

  describe('is refused', { concurrency: 8 }, () => {
    for (const [name, [statuses, options]] of Object.entries(refused)) {
      it(`${name} with ${statuses}`, async () => {
        const response = await refusal(server.url, options);
        assert.ok([statuses].flat().includes(response.status), `status ${response.status}`);
        errorMessage(response, response.status);
        if (response.status === 426) {
          assert.match(response.header('upgrade') ?? '', /websocket/i);
          if (name.includes('ersion')) assert.equal(response.header('sec-websocket-version'), '13');
        }
        if (response.status === 405) assert.match(response.header('allow'), /\bGET\b/);
      });
    }
    it('a plain GET of /echo with 426 or 400', async () => {
      const response = await fetchOnce(server.url, 'GET', '/echo');
      assert.ok([400, 426].includes(response.status), `status ${response.status}`);
    });
  });

  it('the connection can be used again after a refusal that keeps it', async () => {
    const connection = await HttpConnection.open(server.url);
    await connection.send(handshakeBytes('/echo', { headers: { 'Sec-WebSocket-Version': '7' } }));
    const first = await connection.read();
    assert.equal(first.status, 426);
    if (first.header('connection')?.toLowerCase() === 'close') return connection.expectEnd();
    assert.equal((await connection.request('GET', '/healthz')).status, 200);
    await connection.send(handshakeBytes('/echo'));
    assert.equal((await connection.read()).status, 101);
    return connection.close();
  });

  it('an upgrade may follow pipelined requests, and is answered in order', async () => {
    const connection = await HttpConnection.open(server.url);
    const get = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
    await connection.send(Buffer.concat([Buffer.from(get + get), handshakeBytes('/echo'), text('first')]));
    assert.equal((await connection.read()).status, 200);
    assert.equal((await connection.read()).status, 200);
    assert.equal((await connection.read()).status, 101);
    assert.deepEqual(await connection.socket.bytes(7), Buffer.concat([Buffer.from([0x81, 5]), Buffer.from('first')]));
    connection.close();
  });

  it('a body of the handshake request is never read as frames', async () => {
    const { socket, response } = await attempt(server.url, { headers: { 'Content-Length': '5' }, trailing: Buffer.concat([Buffer.from('hello'), text('framed')]) });
    if (response.status === 101) {
      assert.deepEqual(await socket.bytes(8), Buffer.concat([Buffer.from([0x81, 6]), Buffer.from('framed')]));
    } else {
      assert.equal(response.status, 400);
    }
    socket.destroy();
  });

  describe('data in the same packet as the handshake is not lost', { concurrency: 8 }, () => {
    const hello = text('hello');
    it('a whole frame', async () => {
      const client = await connect(server.url, { trailing: hello });
      await client.expectText('hello');
      await client.close();
    });
    it('many frames', async () => {
      const client = await connect(server.url, { trailing: Buffer.concat(Array(100).fill(hello)) });
      for (let i = 0; i < 100; i += 1) await client.expectText('hello');
      await client.close();
    });
    for (let cut = 1; cut < hello.length; cut += 1) {
      it(`the first ${cut} bytes of a frame`, async () => {
        const client = await connect(server.url, { trailing: hello.subarray(0, cut) });
        await client.write(hello.subarray(cut));
        await client.expectText('hello');
        await client.close();
      });
    }
  });

  it('may be split anywhere', async () => {
    const request = handshakeBytes('/echo', { key });
    const at = async (cut) => {
      const socket = await ByteSocket.open(server.url);
      await socket.write(request.subarray(0, cut));
      await socket.write(Buffer.concat([request.subarray(cut), text('x')]));
      assert.equal((await readResponse(socket)).status, 101);
      assert.equal((await socket.bytes(3)).toString('latin1'), '\x81\x01x');
      socket.destroy();
    };
    for (let cut = 1; cut < request.length; cut += 10) {
      await Promise.all(Array.from({ length: Math.min(10, request.length - cut) }, (_, i) => at(cut + i)));
    }
  });

  describe('chooses a subprotocol', { concurrency: 8 }, () => {
    for (const [offer, chosen] of Object.entries(protocols)) {
      it(`${offer} gives ${chosen ?? 'none'}`, async () => {
        const client = await connect(server.url, { path: `/rooms/protocols ${offer}`.replaceAll(' ', '%20'), headers: { 'Sec-WebSocket-Protocol': offer } });
        assert.equal(client.response.header('sec-websocket-protocol'), chosen);
        await client.text('verbatim');
        await client.expectText('verbatim');
        await client.close();
      });
    }
    it('offered in several header fields', async () => {
      const client = await connect(server.url, { path: '/rooms/protocols', headers: { 'Sec-WebSocket-Protocol': ['unknown', 'roomcast.raw.v1'] } });
      assert.equal(client.response.header('sec-websocket-protocol'), 'roomcast.raw.v1');
      await client.close();
    });
  });

  it('echo.enabled=false removes /echo', async () => {
    const without = await startServer({ set: { 'echo.enabled': false } });
    assert.equal((await refusal(without.url)).status, 404);
    await (await connect(without.url, { path: '/rooms/x' })).close();
    await without.stop();
  });
});
