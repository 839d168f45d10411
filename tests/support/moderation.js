// A server that knows who its clients are, and a moderator for it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { fetchOnce } from './raw_http.js';
import { scratchDirectory } from './scratch.js';
import { startServer } from './server.js';
import { makeIssuer } from './tokens.js';

const issuer = await makeIssuer('HS256');
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const key_of = (name) => `key-of-${name}-0123456789abcdef`;
const permissions = { ci: ['join', 'publish', 'history', 'presence'], moderator: ['join', 'publish', 'history', 'presence', 'moderate'] };

/** A token of the user; `claims` besides. */
export const tokenOf = (user, claims = {}) => issuer.token({ sub: user, ...claims });
/** The API key "ci", which may publish, or "moderator". */
export const keyOf = key_of;

/**
 * Starts a server that takes these, and lets anonymous clients do what ordinary ones may, unless `rows` (text of its configuration)
 * says otherwise.
 */
export function startIdentifyingServer({ rows = '', ...options } = {}) {
  const keys = Object.entries(permissions).map(([name, may]) =>
    `[[auth.keys]]\nname = "${name}"\nhash = "sha256:${sha256(key_of(name))}"\nmay = ${JSON.stringify(may)}\nrooms = ["**"]\n`);
  const directory = scratchDirectory({
    'roomcast.toml': `[[auth.tokens]]\nalgorithms = ["HS256"]\nsecret = ${JSON.stringify(issuer.key)}\n${keys.join('')}${rows}`,
  });
  return startServer({ ...options, args: [...(options.args ?? []), '--config', path.join(directory, 'roomcast.toml')] });
}

/** A moderator of all rooms of the server at `url`. Each function returns the response. */
export class Moderator {
  /** `key`: null: it shows none. */
  constructor(url, key = key_of('moderator')) {
    this.url = url;
    this.headers = key === null ? {} : { Authorization: `Bearer ${key}` };
  }

  remove(room, cursor) {
    return this.#ask('DELETE', { room, cursor });
  }

  replace(room, cursor, text) {
    return this.#ask('PUT', { room, cursor }, text);
  }

  clear(room) {
    const headers = { ...this.headers, 'Content-Type': 'application/json' };
    return fetchOnce(this.url, 'POST', '/api/clear', { headers, body: JSON.stringify({ room }) });
  }

  async #ask(method, query, body) {
    const headers = { ...this.headers, ...(body === undefined ? {} : { 'Content-Type': 'text/plain' }) };
    return fetchOnce(this.url, method, `/api/messages?${new URLSearchParams(query)}`, { headers, body });
  }
}

/** What was asked for has been done. */
export function assertDone(response) {
  assert.ok(response.status < 300, `${response.status} ${response.text}`);
}
