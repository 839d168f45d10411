// The rows of a configuration that say who clients are, and what identifies them there.

import { createHash } from 'node:crypto';
import path from 'node:path';
import { scratchDirectory } from './scratch.js';

const toml = (value) => JSON.stringify(value);

/** The text of the API key `name`. */
export const apiKey = (name) => `key-of-${name}-0123456789abcdef`;

/** The hash of a key's text, as hexadecimal digits. */
export const keyHash = (key) => createHash('sha256').update(key).digest('hex');

/** The row of the API key `name`, which may do this in the rooms of these patterns; `key`: its text. */
export function keyRow(name, may, rooms = ['**'], key = apiKey(name)) {
  return `[[auth.keys]]\nname = ${toml(name)}\nhash = "sha256:${keyHash(key)}"\nmay = ${toml(may)}\nrooms = ${toml(rooms)}\n`;
}

/** The row that takes the tokens of `issuer`, which signs with a secret. */
export const tokenRow = (issuer) => `[[auth.tokens]]\nalgorithms = [${toml(issuer.alg)}]\nsecret = ${toml(issuer.key)}\n`;

/** The arguments of a server that is configured by these rows, of which some may be text of its configuration too. */
export const configuredBy = (...rows) => ['--config', path.join(scratchDirectory({ 'roomcast.toml': rows.join('') }), 'roomcast.toml')];

/** The header that shows a token or key; none without one. */
export const bearer = (shown) => (shown === undefined ? {} : { Authorization: `Bearer ${shown}` });
