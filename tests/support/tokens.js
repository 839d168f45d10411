// Issuers of tokens, with the library `jose` that people use: their keys, and tokens good and bad.

import { createHmac, randomBytes } from 'node:crypto';
import { SignJWT, exportJWK, exportPKCS8, exportSPKI, generateKeyPair } from 'jose';

/** The algorithms that the server verifies. */
export const algorithms = ['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'];

export const seconds = () => Math.floor(Date.now() / 1000);

const encoded = (part) => Buffer.from(typeof part === 'object' && !Buffer.isBuffer(part) ? JSON.stringify(part) : part).toString('base64url');

/** A token of these parts: bytes and texts as they are, objects as JSON. */
export const compact = (header, payload, signature) => [header, payload, signature].map(encoded).join('.');

/** A token with any header and payload whose HMAC with `secret` is right. */
export function hmacToken(secret, header, payload, hash = 'sha256') {
  const input = `${encoded(header)}.${encoded(payload)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
}

/** Who signs tokens with one key. `key` is what a file or the setting of the server holds: a PEM, or a secret. */
class Issuer {
  constructor(alg, kid, private_key, key, jwk, private_pem) {
    Object.assign(this, { alg, kid, private_key, key, private_pem });
    this.jwk = { ...jwk, alg, use: 'sig', ...(kid === undefined ? {} : { kid }) };
  }

  /**
   * A token with `claims`, that expires in five minutes. A claim that is undefined is left out, also `iat` and `exp`; `header` adds
   * to the protected header.
   */
  token(claims = {}, header = {}) {
    const now = seconds();
    return new SignJWT(JSON.parse(JSON.stringify({ iat: now, exp: now + 300, ...claims })))
      .setProtectedHeader({ alg: this.alg, typ: 'JWT', ...(this.kid === undefined ? {} : { kid: this.kid }), ...header })
      .sign(this.private_key);
  }
}

/** A new issuer that signs with `alg`; its tokens name the key `kid`, if there is one. */
export async function makeIssuer(alg, { kid } = {}) {
  if (alg.startsWith('HS')) {
    // As text, so that it can be a setting too.
    const secret = randomBytes(48).toString('base64url');
    const bytes = new TextEncoder().encode(secret);
    return new Issuer(alg, kid, bytes, secret, { kty: 'oct', k: encoded(secret) });
  }
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return new Issuer(alg, kid, privateKey, await exportSPKI(publicKey), await exportJWK(publicKey), await exportPKCS8(privateKey));
}

/** The text of a JWK Set with the keys of these issuers. */
export const keySet = (...issuers) => JSON.stringify({ keys: issuers.map(({ jwk }) => jwk) });
