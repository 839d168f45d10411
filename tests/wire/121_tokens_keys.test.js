// Tokens of npm `jose` against the keys that a configuration can name, what tokens have to say besides, and API keys.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { keyHash, keyRow } from '../support/access_rows.js';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory, tomlFilesIn } from '../support/scratch.js';
import { runToEnd, startServer } from '../support/server.js';
import { algorithms, keySet, makeIssuer, seconds } from '../support/tokens.js';

const directory = scratchDirectory();
const tomlFile = tomlFilesIn(directory);
const toml = JSON.stringify;
const file = (name, content) => {
  fs.writeFileSync(path.join(directory, name), content);
  return path.join(directory, name);
};

/** An element of auth.tokens. */
const element = (algs, lines) => `[[auth.tokens]]\nalgorithms = ${toml(algs)}\n${Object.entries(lines).map(([key, value]) => `${key} = ${toml(value)}\n`).join('')}`;
// Only users may join, so an answer of 200 says that the client was identified.
const users_only = '[[access]]\nrooms = "**"\nwho = "user"\nmay = ["join", "publish"]\n';

const running = [];
after(() => Promise.all(running.map((server) => server.stop())));
async function serverWith(text) {
  const config = tomlFile(text);
  const server = await startServer({ args: ['--config', config] });
  running.push(server);
  return Object.assign(server, { config });
}

const asked = (server, token) => fetchOnce(server.url, 'GET', '/rooms/a', { headers: { Authorization: `Bearer ${token}` } });
/** `ok`, or the code of the refusal. */
async function outcome(server, token) {
  const response = await asked(server, token);
  if (response.status === 200) return 'ok';
  assert.equal(response.status, 401, response.text);
  return response.json.error.code;
}
const message = async (server, token) => (await asked(server, token)).json.error.message;

async function reload(server, text) {
  fs.writeFileSync(server.config, text);
  const mark = server.mark();
  server.reload();
  await server.waitForLog(/\breloaded\b/, { mark });
}

const issuers = Object.fromEntries(await Promise.all(algorithms.map(async (alg) => [alg, await makeIssuer(alg)])));
const named = Object.fromEntries(await Promise.all(algorithms.filter((alg) => !alg.startsWith('HS')).map(async (alg) => [alg, await makeIssuer(alg, { kid: `key of ${alg}` })])));
const strangers = Object.fromEntries(await Promise.all(algorithms.map(async (alg) => [alg, await makeIssuer(alg)])));

/** A certificate for the key of an issuer, as PEM. */
function certificateOf({ private_pem, alg }) {
  const key = file(`${alg}.private.pem`, private_pem);
  return execFileSync('openssl', ['req', '-x509', '-new', '-key', key, '-subj', '/CN=issuer', '-days', '2'], { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
}

describe('every algorithm', { concurrency: 4 }, () => {
  const is_secret = (alg) => alg.startsWith('HS');
  const sources = {
    secret: { algs: algorithms.filter(is_secret), from: issuers, lines: ({ key }) => ({ secret: key }) },
    secret_file: { algs: algorithms.filter(is_secret), from: issuers, lines: ({ key, alg }) => ({ secret_file: file(`${alg}.secret`, `${key}\n`) }) },
    'key_file, a public key': { algs: algorithms.filter((alg) => !is_secret(alg)), from: issuers, lines: ({ key, alg }) => ({ key_file: file(`${alg}.pem`, key) }) },
    'key_file, a certificate': { algs: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'], from: issuers, lines: (issuer) => ({ key_file: file(`${issuer.alg}.certificate.pem`, certificateOf(issuer)) }) },
    jwks_file: { algs: Object.keys(named), from: named, lines: ({ alg }) => ({ jwks_file: file(`${alg}.jwks`, keySet(named[alg])) }) },
    'jwks_file, one for all': { algs: Object.keys(named), from: named, all: () => element(Object.keys(named), { jwks_file: file('all.jwks', keySet(...Object.values(named))) }) },
  };
  for (const [name, { algs, from, lines, all }] of Object.entries(sources)) {
    it(`from ${name}: ${algs.join(', ')}`, async () => {
      const server = await serverWith(users_only + (all ? all() : algs.map((alg) => element([alg], lines(from[alg]))).join('')));
      for (const alg of algs) {
        const token = await from[alg].token({ sub: 'ada' });
        assert.equal(await outcome(server, token), 'ok', alg);
        assert.equal(await outcome(server, await strangers[alg].token({ sub: 'ada' })), 'bad_token', alg);
        const [header, , signature] = token.split('.');
        const other = Buffer.from(JSON.stringify({ sub: 'root', exp: seconds() + 300 })).toString('base64url');
        assert.equal(await outcome(server, `${header}.${other}.${signature}`), 'bad_token', alg);
      }
      const others = algorithms.filter((alg) => !algs.includes(alg) && !(is_secret(alg) && is_secret(algs[0])));
      for (const alg of others) assert.equal(await outcome(server, await issuers[alg].token({ sub: 'ada' })), 'bad_token', alg);
      assert.ok(!server.log().includes('eyJ'), 'no token in the log');
    });
  }

  it('a key is good for its own algorithms alone', async () => {
    const { RS256 } = issuers;
    const server = await serverWith(users_only + element(['RS256'], { key_file: file('only.pem', RS256.key) }));
    assert.equal(await outcome(server, await RS256.token({ sub: 'ada' })), 'ok');
    assert.equal(await outcome(server, await RS256.token({ sub: 'ada' }, { alg: 'RS512' })), 'bad_token');
    assert.equal(await outcome(server, await RS256.token({ sub: 'ada' }, { alg: 'PS256' })), 'bad_token');
  });

  it('a start with a key that cannot be used is refused, and says which', async () => {
    const refused = async (lines, pattern, algs = ['RS256']) => {
      const { code, stderr } = await runToEnd(['--config', tomlFile(element(algs, lines)), '--listen', 'http://127.0.0.1:0']);
      assert.notEqual(code, 0);
      assert.match(stderr, pattern);
    };
    await refused({ key_file: path.join(directory, 'missing.pem') }, /auth\.tokens: key_file .*missing\.pem: No such file/);
    await refused({ key_file: file('ec.pem', issuers.ES256.key) }, /auth\.tokens: key_file/);
    await refused({ key_file: file('none.pem', 'no key') }, /auth\.tokens: key_file/);
    await refused({ jwks_file: file('none.jwks', '{"keys":[]}') }, /auth\.tokens: jwks_file/);
    await refused({ secret: 'x'.repeat(31) }, /31 bytes/, ['HS256']);
    const short = 'y'.repeat(31);
    await refused({ secret_file: file('short', short) }, /auth\.tokens: secret_file/, ['HS256']);
  });
});

describe('what a token has to say', () => {
  it('its issuer and audience, where they are configured', async () => {
    const issuer = issuers.ES256;
    const server = await serverWith(users_only + element(['ES256'], { key_file: file('iss.pem', issuer.key), issuer: 'https://id.example', audience: ['chat', 'talk'] }));
    const good = { sub: 'ada', iss: 'https://id.example', aud: 'chat' };
    const outcomes = [
      [{}, 'ok'],
      [{ aud: ['other', 'talk'] }, 'ok'],
      [{ iss: undefined }, 'wrong_issuer'],
      [{ iss: 'https://id.example/' }, 'wrong_issuer'],
      [{ iss: 'https://ID.example' }, 'wrong_issuer'],
      [{ aud: undefined }, 'wrong_audience'],
      [{ aud: 'chat ' }, 'wrong_audience'],
      [{ aud: [] }, 'wrong_audience'],
      [{ aud: ['other'] }, 'wrong_audience'],
      [{ aud: [1] }, 'bad_token'],
      [{ iss: 1 }, 'bad_token'],
    ];
    for (const [claims, expected] of outcomes) assert.equal(await outcome(server, await issuer.token({ ...good, ...claims })), expected, toml(claims));
    assert.equal(await message(server, await issuer.token({ ...good, iss: 'https://evil.example' })), 'the token is from "https://evil.example", not from "https://id.example"');
    assert.equal(await message(server, await issuer.token({ ...good, aud: 'other' })), 'the token is for "other", not for "chat", "talk"');
  });

  it('its times, with the leeway for clocks that differ', async () => {
    const issuer = issuers.HS256;
    const at = async (claims) => issuer.token({ sub: 'ada', iat: undefined, exp: undefined, ...claims });
    for (const leeway of [0, 60, 3600]) {
      const server = await serverWith(`${users_only}[auth]\nleeway_seconds = ${leeway}\n${element(['HS256'], { secret: issuer.key })}`);
      const now = seconds();
      // Time goes on while this runs: what is refused by age stays refused, and what has begun stays begun.
      const outcomes = [
        [{ exp: now - leeway }, 'token_expired'],
        [{ exp: now - leeway + 30 }, 'ok'],
        [{ nbf: now + leeway }, 'ok'],
        [{ nbf: now + leeway + 30 }, 'token_not_yet_valid'],
        [{ iat: now + leeway }, 'ok'],
        [{ iat: now + leeway + 30 }, 'token_not_yet_valid'],
        [{}, 'ok'],
      ];
      for (const [claims, expected] of outcomes) assert.equal(await outcome(server, await at(claims)), expected, `${toml(claims)} at ${now} with ${leeway}`);
      assert.match(await message(server, await at({ exp: now - leeway - 100 })), new RegExp(`^token expired ${leeway / 10}\\d\\d? s ago$`.replace(/expired .* s/, 'expired \\d+ s')));
    }
  });
});

describe('API keys', () => {
  const line = (name, key, rooms = ['a']) => keyRow(name, ['join'], rooms, key);
  const newKey = () => `rck_${randomBytes(32).toString('base64url')}`;

  it('one takes the place of another by reloads, and both work in between', async () => {
    const [old, fresh] = [newKey(), newKey()];
    const server = await serverWith(line('ci', old));
    const outcomes = async () => [await outcome(server, old), await outcome(server, fresh)];
    assert.deepEqual(await outcomes(), ['ok', 'bad_api_key']);
    await reload(server, line('ci', old) + line('ci-2', fresh));
    assert.deepEqual(await outcomes(), ['ok', 'ok']);
    await reload(server, line('ci-2', fresh));
    assert.deepEqual(await outcomes(), ['bad_api_key', 'ok']);
    assert.equal(await message(server, old), 'no API key of auth.keys is this one');
    for (const key of [old, fresh]) assert.ok(!server.log().includes(key.slice(4)));
  });

  it('what is almost a key is none', async () => {
    const key = newKey();
    const server = await serverWith(line('ci', key));
    for (const almost of [key.slice(0, -1), `${key}A`, key.toLowerCase(), `sha256:${keyHash(key)}`, keyHash(key), 'ci']) {
      assert.equal(await outcome(server, almost), 'bad_api_key', almost);
    }
    // Space around a field's value is not part of it (RFC 9110 section 5.5).
    assert.equal(await outcome(server, ` ${key} `), 'ok');
  });

  it('a thousand work, and one more is refused at the start', async () => {
    const keys = Array.from({ length: 1000 }, newKey);
    const lines = keys.map((key, i) => line(`key ${i}`, key, i === 999 ? ['last'] : ['a']));
    const server = await serverWith(lines.join(''));
    for (const i of [0, 1, 500, 998]) assert.equal(await outcome(server, keys[i]), 'ok', `key ${i}`);
    const last = await asked(server, keys[999]);
    assert.deepEqual([last.status, last.json.error.code], [403, 'forbidden']);
    assert.match(last.json.error.message, /key:key 999/);
    assert.equal(await outcome(server, newKey()), 'bad_api_key');
    const { code, stderr } = await runToEnd(['--config', tomlFile([...lines, line('one more', newKey())].join('')), '--check-config']);
    assert.equal(code, 2);
    assert.match(stderr, /auth\.keys: .*1001/);
  });
});
