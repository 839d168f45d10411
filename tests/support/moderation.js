// A server that knows who its clients are, and a moderator for it.

import assert from 'node:assert/strict';
import { apiKey, bearer, configuredBy, keyRow, tokenRow } from './access_rows.js';
import { fetchOnce } from './raw_http.js';
import { startServer } from './server.js';
import { makeIssuer } from './tokens.js';

const issuer = await makeIssuer('HS256');
const permissions = { ci: ['join', 'publish', 'history', 'presence'], moderator: ['join', 'publish', 'history', 'presence', 'moderate'] };

/** A token of the user; `claims` besides. */
export const tokenOf = (user, claims = {}) => issuer.token({ sub: user, ...claims });
/** The API key "ci", which may publish, or "moderator". */
export const keyOf = apiKey;

/**
 * Starts a server that takes these, and lets anonymous clients do what ordinary ones may, unless `rows` (text of its configuration)
 * says otherwise.
 */
export function startIdentifyingServer({ rows = '', ...options } = {}) {
  const keys = Object.entries(permissions).map(([name, may]) => keyRow(name, may));
  return startServer({ ...options, args: [...(options.args ?? []), ...configuredBy(tokenRow(issuer), ...keys, rows)] });
}

/** A moderator of all rooms of the server at `url`. Each function returns the response. */
export class Moderator {
  /** `key`: null: it shows none. */
  constructor(url, key = apiKey('moderator')) {
    this.url = url;
    this.headers = bearer(key ?? undefined);
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
