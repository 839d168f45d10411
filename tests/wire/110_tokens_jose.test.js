// Tokens of the library `jose`: what the other tests of tokens take from tests/support/tokens.js is what it says.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeProtectedHeader, importJWK, importSPKI, jwtVerify } from 'jose';
import { algorithms, hmacToken, keySet, makeIssuer, seconds } from '../support/tokens.js';

const asKey = ({ alg, key }) => (alg.startsWith('HS') ? new TextEncoder().encode(key) : importSPKI(key, alg));

describe('tokens made with jose', () => {
  for (const alg of algorithms) {
    it(`${alg} is verified with its key and its key set`, async () => {
      const issuer = await makeIssuer(alg, { kid: 'one' });
      const token = await issuer.token({ sub: 'ada' });
      assert.deepEqual(decodeProtectedHeader(token), { alg, typ: 'JWT', kid: 'one' });
      const by_key = await jwtVerify(token, await asKey(issuer), { algorithms: [alg] });
      const by_set = await jwtVerify(token, await importJWK(JSON.parse(keySet(issuer)).keys[0]), { algorithms: [alg] });
      assert.equal(by_key.payload.sub, 'ada');
      assert.deepEqual(by_set.payload, by_key.payload);
      assert.ok(Math.abs(by_key.payload.exp - seconds() - 300) <= 2);
    });
  }

  it('leave out what is undefined', async () => {
    const issuer = await makeIssuer('ES256');
    const { payload, protectedHeader } = await jwtVerify(await issuer.token({ exp: undefined, iat: undefined }, { typ: undefined }), await asKey(issuer));
    assert.deepEqual(payload, {});
    assert.equal(protectedHeader.kid, undefined);
  });

  it('can be made by hand with any text', async () => {
    const issuer = await makeIssuer('HS256');
    const { payload } = await jwtVerify(hmacToken(issuer.key, { alg: 'HS256' }, '{"sub":"ada", "n":1.0}'), await asKey(issuer));
    assert.deepEqual(payload, { sub: 'ada', n: 1 });
  });
});
