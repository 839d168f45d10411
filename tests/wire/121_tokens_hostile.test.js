// Hostile tokens, over every way of showing one: each is refused with its code, nothing of it is logged, and the server goes on.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { JsonClient } from '../support/json_client.js';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';
import { compact, hmacToken, keySet, makeIssuer, seconds } from '../support/tokens.js';
import { attempt } from '../support/wire_client.js';

const [hs, rs, es, ed, stranger] = await Promise.all([makeIssuer('HS256'), makeIssuer('RS256'), makeIssuer('ES256', { kid: 'main' }), makeIssuer('EdDSA', { kid: 'ed' }), makeIssuer('ES256', { kid: 'main' })]);
const key = 'rck_of-a-backend-0123456789';

const directory = scratchDirectory({ 'rs.pem': rs.key, jwks: keySet(es, ed) });
fs.writeFileSync(path.join(directory, 'roomcast.toml'), `
[[auth.tokens]]
algorithms = ["HS256"]
secret = "${hs.key}"
[[auth.tokens]]
algorithms = ["RS256"]
key_file = "${directory}/rs.pem"
[[auth.tokens]]
algorithms = ["ES256", "EdDSA"]
jwks_file = "${directory}/jwks"
[[auth.keys]]
name = "ci"
hash = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
[[access]]
rooms = "**"
who = "anyone"
may = ["join", "publish"]
`);
const server = await startServer({ args: ['--config', path.join(directory, 'roomcast.toml')] });
after(() => server.stop());

const encoded = (text) => Buffer.from(text).toString('base64url');
const exp = seconds() + 300;
const claims = { sub: 'ada', exp };
/** A token by HMAC that is right, with this payload or these parts of the header. */
const signed = (payload, header = {}) => hmacToken(hs.key, { alg: 'HS256', ...header }, payload);
const good = signed(claims);
const [good_header, good_payload, good_signature] = good.split('.');
const es_token = await es.token(claims);
const es_input = es_token.slice(0, es_token.lastIndexOf('.'));
const nested = (depth) => `{"sub":"ada","exp":${exp},"x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
/** A good token of `bytes` bytes. Base64url has no text of every length, so the header is filled too. */
function sized(bytes) {
  for (const y of ['', 'y', 'yy', 'yyy']) {
    const of = (fill) => signed(`{"sub":"ada","exp":${exp},"x":"${'x'.repeat(fill)}"}`, { y });
    const most = Math.floor(((bytes - of(0).length) * 3) / 4);
    for (let fill = most - 3; fill <= most + 3; fill += 1) {
      const token = of(fill);
      if (token.length === bytes) return token;
    }
  }
  return assert.fail(`no token of ${bytes} bytes`);
}
/** The same bytes, differently encoded: the last character has bits that stand for nothing. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const with_other_bits = (text) => text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1)) ^ 1];

// What: [token, code]. Where the code is bad_token, part of the message may follow.
const hostile = {
  'alg none': [compact({ alg: 'none' }, claims, ''), 'bad_token', /"none".* is not supported/],
  'alg None with a signature': [compact({ alg: 'None' }, claims, 'x'), 'bad_token'],
  'alg nOnE': [compact({ alg: 'nOnE' }, claims, ''), 'bad_token'],
  'alg in lower case': [hmacToken(hs.key, { alg: 'hs256' }, claims), 'bad_token'],
  'no alg': [hmacToken(hs.key, { typ: 'JWT' }, claims), 'bad_token', /names no algorithm/],
  'alg that is no text': [hmacToken(hs.key, { alg: ['HS256'] }, claims), 'bad_token'],
  'an algorithm that nothing is configured for': [hmacToken(hs.key, { alg: 'HS512' }, claims, 'sha512'), 'bad_token'],
  'the public RSA key as an HMAC secret': [hmacToken(rs.key, { alg: 'HS256' }, claims), 'bad_token', /signature .* does not match/],
  'the public RSA key, its PEM trimmed': [hmacToken(rs.key.trim(), { alg: 'HS256' }, claims), 'bad_token'],
  'the public EC key as an HMAC secret': [hmacToken(es.key, { alg: 'HS256', kid: 'main' }, claims), 'bad_token'],
  'an empty HMAC secret': [hmacToken('', { alg: 'HS256' }, claims), 'bad_token'],
  'a kid that is a path, and the secret an empty file': [hmacToken('', { alg: 'HS256', kid: '../../../../dev/null' }, claims), 'bad_token'],
  'a kid that is a path, for a key set': [compact({ alg: 'ES256', kid: '../../../../etc/passwd' }, claims, Buffer.alloc(64, 1)), 'unknown_key', /no key with kid "\.\.\/\.\.\/\.\.\/\.\.\/etc\/passwd"/],
  'a kid that is SQL': [compact({ alg: 'ES256', kid: "x' UNION SELECT 'key" }, claims, Buffer.alloc(64, 1)), 'unknown_key'],
  'a kid that is a command': [compact({ alg: 'EdDSA', kid: '$(reboot)\n|reboot' }, claims, Buffer.alloc(64, 1)), 'unknown_key'],
  'a kid of 201 bytes': [compact({ alg: 'ES256', kid: 'k'.repeat(201) }, claims, Buffer.alloc(64, 1)), 'bad_token'],
  'a kid that is a number': [compact({ alg: 'ES256', kid: 1 }, claims, Buffer.alloc(64, 1)), 'bad_token'],
  'a kid with NUL': [compact({ alg: 'ES256', kid: 'main\0' }, claims, Buffer.alloc(64, 1)), 'bad_token'],
  'a kid of a key for another algorithm': [compact({ alg: 'ES256', kid: 'ed' }, claims, Buffer.alloc(64, 1)), 'bad_token'],
  'its own key in the header (jwk)': [await stranger.token(claims, { jwk: stranger.jwk }), 'bad_token'],
  'the place of its key in the header (jku, x5u)': [await stranger.token(claims, { jku: 'https://evil.example/jwks', x5u: 'https://evil.example/x5u' }), 'bad_token'],
  'crit': [signed(claims, { crit: ['exp'] }), 'bad_token', /crit/],
  'crit with b64': [signed(claims, { crit: ['b64'], b64: false }), 'bad_token', /crit/],
  'b64': [signed(claims, { b64: false }), 'bad_token', /b64/],
  'typ of something else': [signed(claims, { typ: 'dpop+jwt' }), 'bad_token', /typ/],
  'the header with alg twice': [hmacToken(hs.key, '{"alg":"HS256","alg":"none"}', claims), 'bad_token', /twice/],
  'the header with alg twice, one of them escaped': [hmacToken(hs.key, '{"alg":"HS256","\\u0061lg":"none"}', claims), 'bad_token', /twice/],
  'sub twice': [signed(`{"sub":"ada","exp":${exp},"sub":"root"}`), 'bad_token', /twice/],
  'sub twice, one of them escaped': [signed(`{"sub":"ada","exp":${exp},"s\\u0075b":"root"}`), 'bad_token', /twice/],
  'a member twice, deep inside': [signed(`{"sub":"ada","exp":${exp},"x":[{"a":1,"a":2}]}`), 'bad_token', /twice/],
  'exp 1e400': [signed('{"sub":"ada","exp":1e400}'), 'bad_token', /exp/],
  'exp with 1,000 digits': [signed(`{"sub":"ada","exp":${'9'.repeat(1000)}}`), 'bad_token', /exp/],
  'exp above 2^53': [signed('{"sub":"ada","exp":9007199254740994}'), 'bad_token', /exp/],
  'exp as text': [signed(`{"sub":"ada","exp":"${exp}"}`), 'bad_token', /exp/],
  'exp null': [signed('{"sub":"ada","exp":null}'), 'bad_token', /exp/],
  'exp NaN': [signed('{"sub":"ada","exp":NaN}'), 'bad_token', /not JSON/],
  'exp far in the past, as a fraction with an exponent': [signed('{"sub":"ada","exp":1.5e3}'), 'token_expired'],
  'exp below 0': [signed('{"sub":"ada","exp":-1e15}'), 'token_expired'],
  'nbf 2^53': [signed(`{"sub":"ada","exp":${exp},"nbf":9007199254740992}`), 'token_not_yet_valid'],
  'no sub': [signed({ exp }), 'bad_token', /sub/],
  'an empty sub': [signed({ ...claims, sub: '' }), 'bad_token', /sub/],
  'sub with a line feed': [signed({ ...claims, sub: 'ada\nroot' }), 'bad_token', /sub/],
  'sub with NUL': [signed({ ...claims, sub: 'ada\0' }), 'bad_token', /sub/],
  'sub of 101 bytes': [signed({ ...claims, sub: 'a'.repeat(101) }), 'bad_token', /sub/],
  'sub as a number': [signed({ ...claims, sub: 1 }), 'bad_token', /sub/],
  'sub with half a surrogate pair': [signed(`{"sub":"ada\\ud800","exp":${exp}}`), 'bad_token', /surrogate/],
  '33 roles': [signed({ ...claims, roles: Array(33).fill('a') }), 'bad_token', /roles/],
  '33 patterns': [signed({ ...claims, rooms: Array(33).fill({ match: 'a', may: ['join'] }) }), 'bad_token', /rooms/],
  'a pattern with stars in many places': [signed({ ...claims, rooms: [{ match: '*a*a*a*a*a*a*a*a', may: ['join'] }] }), 'bad_token', /rooms/],
  'an unknown permission': [signed({ ...claims, rooms: [{ match: '**', may: ['root'] }] }), 'bad_token', /may/],
  'info of 1,025 bytes': [signed({ ...claims, info: 'i'.repeat(1023) }), 'bad_token', /info/],
  'a payload nested 33 deep': [signed(nested(33)), 'bad_token', /deep/],
  'a payload nested 1,000 deep': [signed(nested(1000)), 'bad_token', /deep/],
  'a header nested 1,000 deep': [hmacToken(hs.key, `{"alg":"HS256","x":${'['.repeat(999)}${']'.repeat(999)}}`, claims), 'bad_token', /deep/],
  'a payload that never ends': [signed('{"sub":"ada","x":['.concat('['.repeat(900))), 'bad_token'],
  'a payload that is no object': [signed('["ada"]'), 'bad_token'],
  'a payload that is not UTF-8': [signed(Buffer.from('7b22737562223a22ff227d', 'hex')), 'bad_token', /UTF-8/],
  'an empty payload': [signed(''), 'bad_token'],
  'two payloads': [signed(`${JSON.stringify(claims)}{}`), 'bad_token'],
  'an empty header': [hmacToken(hs.key, '', claims), 'bad_token'],
  'JWE, five parts': [[encoded('{"alg":"RSA-OAEP","enc":"A256GCM"}'), 'a', 'b', 'c', 'd'].join('.'), 'bad_token', /encrypted \(JWE\)/],
  'JWE in three parts': [compact({ alg: 'HS256', enc: 'A256GCM' }, claims, 'x'), 'bad_token', /encrypted/],
  'padding after the signature': [`${good}=`, 'bad_token', /base64url/],
  'padding after the payload': [`${good_header}.${good_payload}==.${good_signature}`, 'bad_token'],
  'plain base64': [`${good_header}.${good_payload}.${good_signature.slice(0, -2)}+/`, 'bad_token', /base64url/],
  'bits that stand for nothing': [`${good_header}.${good_payload}.${with_other_bits(good_signature)}`, 'bad_token', /base64url/],
  'cut by a byte': [good.slice(0, -1), 'bad_token'],
  'cut after the payload': [`${good_header}.${good_payload}`, 'bad_token', /three parts/],
  'cut after the dot': [`${good_header}.${good_payload}.`, 'bad_token', /no signature/],
  'cut in the header': [good_header.slice(0, -3), 'bad_token', /three parts/],
  'dots alone': ['..', 'bad_token'],
  'four parts': [`${good}.x`, 'bad_token', /three parts/],
  'a changed payload': [`${good_header}.${encoded(JSON.stringify({ ...claims, sub: 'root' }))}.${good_signature}`, 'bad_token', /signature/],
  'the signature of another algorithm': [`${es_input}.${createHmac('sha256', hs.key).update(es_input).digest('base64url')}`, 'bad_token', /signature/],
  'ES256 with r = s = 0': [`${es_input}.${Buffer.alloc(64).toString('base64url')}`, 'bad_token', /signature/],
  'ES256 in DER': [`${es_input}.${sign('sha256', Buffer.from(es_input), es.private_pem).toString('base64url')}`, 'bad_token', /signature/],
  'ES256 signed with another curve': [`${es_input}.${sign('sha256', Buffer.from(es_input), { key: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`, 'bad_token', /signature/],
  '8,193 bytes': [sized(8193), 'bad_token', /8193 bytes; 8192 are allowed/],
  'an API key of nobody': [key, 'bad_api_key'],
  'nothing after Bearer': ['', 'bad_api_key'],
};

const is_subprotocol = (token) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(token);
const v1 = await JsonClient.greeted(server);
// How a token is shown. One that a place has no room for, or no characters, is left out there.
const ways = {
  'Authorization over HTTP': async (token) => fetchOnce(server.url, 'GET', '/rooms/a', { headers: { Authorization: `Bearer ${token}` } }),
  'Authorization of a publish': async (token) => fetchOnce(server.url, 'POST', '/rooms/a', { body: 'x', headers: { Authorization: `Bearer ${token}` } }),
  'Authorization of a handshake': async (token) => handshake('/rooms/a', { Authorization: `Bearer ${token}` }),
  'access_token over HTTP': async (token) => token === '' || token.length > 8000 ? undefined : fetchOnce(server.url, 'GET', `/rooms/a?access_token=${encodeURIComponent(token)}`),
  'a subprotocol': async (token) => is_subprotocol(token) ? handshake('/rooms/a', { 'Sec-WebSocket-Protocol': `roomcast.raw.v1, roomcast.token.${token}` }) : undefined,
};
async function handshake(target, headers) {
  const { socket, response } = await attempt(server.url, { path: target, headers });
  socket.destroy();
  return response;
}

/** What of a token may not be in a log or an answer: long enough not to be there by chance. */
const traces = (token) => token.split('.').filter((part) => part.length >= 20).map((part) => part.slice(-20));

describe('hostile tokens', () => {
  it('the token that they are made from is good', async () => {
    for (const [name, show] of Object.entries(ways)) {
      const response = await show(good);
      assert.ok([200, 101].includes(response.status), `${name}: ${response.status} ${response.text}`);
    }
    for (const token of [es_token, await rs.token(claims), await ed.token(claims), signed(nested(32)), sized(8192), signed({ ...claims, sub: 'a'.repeat(100), roles: Array(32).fill('a'), info: 'i'.repeat(1022), rooms: Array(32).fill({ match: 'a/**', may: ['join'] }) })]) {
      const response = await ways['Authorization over HTTP'](token);
      assert.equal(response.status, 200, response.text);
    }
  });

  for (const [what, [token, code, message]] of Object.entries(hostile)) {
    it(`${what}: ${code}`, async () => {
      for (const [name, show] of Object.entries(ways)) {
        const response = await show(token);
        if (response === undefined) continue;
        assert.equal(response.status, 401, `${name}: ${response.status} ${response.text}`);
        const { error } = response.json;
        assert.equal(error.code, code, `${name}: ${error.message}`);
        if (message) assert.match(error.message, message, name);
        assert.match(response.header('www-authenticate'), /^Bearer /);
        for (const trace of traces(token)) assert.ok(!`${response.text}${JSON.stringify(response.fields)}`.includes(trace), `${name} says the token`);
      }
      const answer = await v1.ask({ type: 'authenticate', token });
      assert.equal(answer.type, 'error');
      if (token !== '') assert.equal(answer.code, code, `authenticate: ${answer.message}`);
    });
  }

  it('of 1 MiB: the limits of HTTP come first, and that of messages', async () => {
    const huge = signed({ ...claims, x: 'x'.repeat(786_432) });
    assert.ok(huge.length > 1_048_576);
    const early = async (response) => [(await response).status, (await response).json.error.code];
    assert.deepEqual(await early(ways['Authorization over HTTP'](huge)), [431, 'headers_too_large']);
    assert.deepEqual(await early(ways['Authorization of a handshake'](huge)), [431, 'headers_too_large']);
    assert.deepEqual(await early(ways['a subprotocol'](huge)), [431, 'headers_too_large']);
    assert.deepEqual(await early(fetchOnce(server.url, 'GET', `/rooms/a?access_token=${huge}`)), [414, 'uri_too_long']);
    const client = await JsonClient.greeted(server);
    client.send({ type: 'authenticate', token: huge });
    const { code, reason } = await client.closed;
    assert.equal(code, 1009, reason);
  });

  it('that fit into the headers are refused for their own size, and in an address for its size', async () => {
    const token = sized(8193);
    assert.equal((await ways['Authorization over HTTP'](sized(15_000))).json.error.message, 'the token has 15000 bytes; 8192 are allowed');
    const response = await fetchOnce(server.url, 'GET', `/rooms/a?access_token=${token}`);
    assert.deepEqual([response.status, response.json.error.code], [414, 'uri_too_long']);
  });

  it('leave no trace, and the server goes on', async () => {
    assert.equal((await ways['Authorization over HTTP'](good)).status, 200);
    assert.equal((await v1.ask({ type: 'ping' })).type, 'ok');
    const { text } = await fetchOnce(server.url, 'GET', '/metrics');
    for (const [token] of Object.values(hostile)) {
      for (const trace of traces(token)) assert.ok(!server.log().includes(trace) && !text.includes(trace), trace);
    }
    assert.match(text, /^roomcast_refusals_total\{.*code="bad_token".*\} \d+$/m);
    await v1.close();
  });
});
