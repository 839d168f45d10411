// The calls of operators among the cases of tests/wire/71_openapi.test.js: the server that they are made on, its clients, and how
// each status and code of docs/openapi.json is caused.

import { apiKey, bearer, configuredBy, keyRow, tokenRow } from './access_rows.js';
import { JsonClient } from './json_client.js';
import { fetchOnce } from './raw_http.js';
import { makeIssuer } from './tokens.js';

const key = apiKey('root');
const weak = apiKey('weak');
const issuer = await makeIssuer('HS256');
/** What identifies an administrator there. */
export const operator = bearer(key);
const tokenOf = (sub) => issuer.token({ sub });
const banned = bearer(await tokenOf('banned'));

const args = configuredBy(tokenRow(issuer), keyRow('root', ['admin', 'moderate', 'publish']), keyRow('weak', ['join'], ['lobby']));
const small = { 'limits.message_bytes': 1000, 'limits.body_bytes': 3000 };

/** The servers that the cases are on. */
export const adminServers = { admin: { args, set: small }, unsanctioned: { args, set: { 'limits.sanctions_bytes': 0 } } };

/** The operations whose examples are sent to the server `admin`. */
export const isForOperators = ({ operation, pattern }) => operation.tags.includes('administration') || pattern === '/api/explain';

const json = { 'Content-Type': 'application/json' };
const foreign = { Origin: 'https://elsewhere.example' };
const post = (server, target, body) => fetchOnce(server.url, 'POST', target, { headers: { ...bearer(key), ...json }, body: JSON.stringify(body) });

/** Connects the clients and makes what the cases are about. Returns what to close. */
export async function prepareAdmin({ admin }) {
  const clients = [];
  const open = async (sub, room) => clients.push(await JsonClient.greeted(admin, `/rooms/${room}`, { headers: bearer(await tokenOf(sub)) }));
  for (const room of ['lobby', 'chat/lobby', 'kicked']) await open('ada', room);
  for (const sub of ['away', 'gone', 'removed']) await open(sub, 'far');
  await post(admin, '/api/bans', { user: 'banned' });
  await post(admin, '/api/mutes', { user: 'muted' });
  return clients;
}

/** A new message of the room `lobby`: the query of the calls about it. */
async function freshMessage({ admin }) {
  const { cursor } = (await post(admin, '/rooms/lobby', 'hello')).json;
  return `room=lobby&cursor=${cursor}`;
}

/** How the example of such an operation is sent. */
export const exampleForOperators = ({ pattern }, target, headers) =>
  ({ on: 'admin', path: pattern === '/api/messages' ? async (servers) => `${pattern}?${await freshMessage(servers)}` : target, headers: { ...headers, ...bearer(key) } });

const lists = ['rooms', 'clients', 'bans', 'mutes', 'revoke'].map((name) => `GET /api/${name}`);
const with_body = ['disconnect', 'kick', 'subscribe', 'unsubscribe', 'bans', 'mutes', 'revoke', 'clear'].map((name) => `POST /api/${name}`);
const lifts = ['bans', 'mutes', 'revoke'].map((name) => `DELETE /api/${name}`);
const amends = ['DELETE', 'PUT'].map((method) => `${method} /api/messages`);
const to_user = 'POST /api/users/{user}/publish';
const bodies = {
  'POST /api/disconnect': { user: 'away' }, 'POST /api/kick': { user: 'removed', room: 'far' }, 'POST /api/subscribe': { user: 'ada', room: 'news' },
  'POST /api/unsubscribe': { user: 'ada', room: 'news' }, 'POST /api/bans': { user: 'eve' }, 'POST /api/mutes': { user: 'eve' }, 'POST /api/revoke': { jti: 'x' },
  'POST /api/clear': { room: 'lobby' },
};
const queries = { 'DELETE /api/bans': 'user=nobody', 'DELETE /api/mutes': 'user=nobody', 'DELETE /api/revoke': 'jti=unknown' };
const no_message = 'room=lobby&cursor=e1718880a643ea8d-1';

/** A request of the operation, as it would succeed but for what `more` changes. */
function requestOf(operation, more = {}) {
  const target = operation.split(' ')[1].replace('{room}', 'lobby').replace('{user}', 'ada');
  const query = queries[operation] ?? (amends.includes(operation) ? no_message : undefined);
  const body = bodies[operation] ? JSON.stringify(bodies[operation]) : operation.startsWith('PUT') || operation === to_user ? 'hi' : undefined;
  const headers = { ...bearer(key), ...(bodies[operation] ? json : {}), ...more.headers };
  return { on: 'admin', path: query ? `${target}?${query}` : target, body, ...more, headers };
}
const each = (operations, status_and_code, more) =>
  Object.fromEntries(operations.map((operation) => [`${operation} ${status_and_code}`, requestOf(operation, typeof more === 'function' ? more(operation) : more)]));

const all = [...lists, 'GET /api/rooms/{room}', 'GET /api/info', ...with_body, ...lifts, ...amends, to_user];
const deep = `${'['.repeat(64)}${']'.repeat(64)}`;
const swap = (cursor_or_room) => (operation) => ({ path: `${operation.split(' ')[1]}?${cursor_or_room}` });

export const adminCases = {
  ...each(all, '401 unauthorized', { headers: { Authorization: undefined } }),
  ...each(all, '403 forbidden', { headers: bearer(weak) }),
  ...each(all, '403 origin_denied', { headers: foreign }),
  ...each([...lists, 'GET /api/rooms/{room}', 'GET /api/info', 'GET /api/me'], '200'),
  ...each(lists, '400 bad_request', (operation) => ({ path: `${operation.split(' ')[1]}?limit=0` })),
  'GET /api/clients 400 bad_room_name': requestOf('GET /api/clients', { path: '/api/clients?room=/' }),
  'GET /api/rooms/{room} 400 bad_room_name': requestOf('GET /api/rooms/{room}', { path: '/api/rooms/%2F' }),
  'GET /api/rooms/{room} 400 bad_path': requestOf('GET /api/rooms/{room}', { path: '/api/rooms/%zz' }),
  'GET /api/rooms/{room} 404 not_found': requestOf('GET /api/rooms/{room}', { path: '/api/rooms/nowhere' }),
  'GET /api/me 400 bad_room_name': { on: 'admin', path: '/api/me?room=/' },
  'GET /api/me 400 bad_request': { on: 'admin', path: '/api/me?room=' },
  'GET /api/me 403 origin_denied': { on: 'admin', path: '/api/me', headers: foreign },
  ...each(with_body, '400 bad_request', { body: '{}' }),
  ...each(with_body, '400 invalid_json', { body: '{' }),
  ...each(with_body.filter((operation) => !operation.endsWith('/revoke')), '400 bad_room_name', (operation) => ({
    body: JSON.stringify({ ...(operation.endsWith('/disconnect') || operation.endsWith('/clear') ? {} : { user: 'ada' }), room: '/' }),
  })),
  ...each(with_body, '415 unsupported_media_type', { headers: { 'Content-Type': 'text/plain' } }),
  ...each(['disconnect', 'kick', 'subscribe', 'unsubscribe'].map((name) => `POST /api/${name}`), '404 not_found', (operation) => ({
    body: JSON.stringify({ user: 'nobody', ...(operation.endsWith('/disconnect') ? {} : { room: 'lobby' }) }),
  })),
  'POST /api/disconnect 200': requestOf('POST /api/disconnect', { body: '{"user":"gone"}' }),
  'POST /api/disconnect 202': requestOf('POST /api/disconnect', { body: '{"room":"elsewhere"}' }),
  'POST /api/kick 200': requestOf('POST /api/kick'),
  'POST /api/kick 202': requestOf('POST /api/kick', { body: '{"address":"192.0.2.1","room":"lobby"}' }),
  'POST /api/subscribe 200': requestOf('POST /api/subscribe', { body: '{"user":"ada","room":"more"}' }),
  'POST /api/unsubscribe 200': requestOf('POST /api/unsubscribe', { body: '{"user":"ada","room":"more"}' }),
  'POST /api/clear 200': requestOf('POST /api/clear'),
  ...each(['bans', 'mutes', 'revoke'].map((name) => `POST /api/${name}`), '200'),
  ...each(['bans', 'mutes', 'revoke'].map((name) => `POST /api/${name}`), '503 overloaded', { on: 'unsanctioned' }),
  ...each(lifts, '400 bad_request', swap('')),
  ...each(lifts, '404 not_found'),
  'DELETE /api/bans 204': requestOf('DELETE /api/bans', { path: '/api/bans?user=eve' }),
  'DELETE /api/mutes 204': requestOf('DELETE /api/mutes', { path: '/api/mutes?user=eve' }),
  'DELETE /api/revoke 204': requestOf('DELETE /api/revoke', { path: '/api/revoke?jti=x' }),
  ...each(amends, '200', (operation) => ({ path: async (servers) => `${operation.split(' ')[1]}?${await freshMessage(servers)}` })),
  ...each(amends, '400 bad_request', swap('cursor=e1718880a643ea8d-1')),
  ...each(amends, '400 bad_cursor', swap('room=lobby&cursor=last')),
  ...each(amends, '400 bad_room_name', swap('room=/&cursor=e1718880a643ea8d-1')),
  ...each(amends, '404 not_found'),
  ...Object.fromEntries([['PUT /api/messages', { path: `/api/messages?${no_message}` }], [to_user, {}]].flatMap(([operation, more]) => [
    [`${operation} 400 invalid_text`, requestOf(operation, { ...more, headers: { 'Content-Type': 'text/plain' }, body: Buffer.from([0xff]) })],
    [`${operation} 400 invalid_json`, requestOf(operation, { ...more, headers: json, body: '{' })],
    [`${operation} 400 json_too_deep`, requestOf(operation, { ...more, headers: json, body: deep })],
    [`${operation} 413 message_too_big`, requestOf(operation, { ...more, body: 'x'.repeat(1001) })],
    [`${operation} 415 unsupported_encoding`, requestOf(operation, { ...more, headers: { 'Content-Encoding': 'gzip' } })],
  ])),
  [`${to_user} 200`]: requestOf(to_user),
  [`${to_user} 404 not_found`]: requestOf(to_user, { path: '/api/users/ada' }),
  'GET /rooms/{room} 403 banned': { on: 'admin', path: '/rooms/a', headers: banned },
  'POST /rooms/{room} 403 banned': { on: 'admin', path: '/rooms/a', headers: banned, body: 'hi' },
  'POST /rooms/{room} 403 muted': { on: 'admin', path: '/rooms/a', headers: bearer(await tokenOf('muted')), body: 'hi' },
  'GET /presence/{room} 403 banned': { on: 'admin', path: '/presence/a', headers: banned },
};
