// Every way in × every permission × every kind of identity. The ways are held against the routes, transports and dialects of the
// sources: one that is added without an access decision fails here.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { apiKey, bearer, configuredBy, keyRow, tokenRow } from '../support/access_rows.js';
import { JsonClient } from '../support/json_client.js';
import { fetchOnce } from '../support/raw_http.js';
import { RoomStream } from '../support/room_stream.js';
import { repository, startServer } from '../support/server.js';
import { makeIssuer, seconds } from '../support/tokens.js';
import { connect, refusal } from '../support/wire_client.js';

const ordinary = ['join', 'publish', 'history', 'presence'];
const issuer = await makeIssuer('HS256');
const toml = (value) => JSON.stringify(value);

/** Every subset of the ordinary permissions. */
const subsets = Array.from({ length: 2 ** ordinary.length }, (_, bits) => ordinary.filter((_, i) => bits & (1 << i)));
const room_of = (kind, may) => `${kind}/${may.join('-') || 'nothing'}`;

// The kinds of identities: what they show, the row of access that is for them, and how they are refused.
const kinds = {
  anonymous: { who: 'anyone', token: undefined, refused: 'unauthorized' },
  user: { who: 'user:ada', token: await issuer.token({ sub: 'ada' }), refused: 'forbidden' },
  role: { who: 'role:staff', token: await issuer.token({ sub: 'bob', roles: ['guest', 'staff'] }), refused: 'forbidden' },
  key: { who: 'key:ci', token: apiKey('ci'), refused: 'forbidden' },
};

const rows = Object.entries(kinds).flatMap(([kind, { who }]) =>
  subsets.map((may) => `[[access]]\nrooms = "${room_of(kind, may)}"\nwho = "${who}"\nmay = ${toml(may)}\n`));

const further = `
[[access]]
rooms = "inbox/{user}"
who = "user"
may = ["join", "history"]
[[access]]
rooms = "everyone"
who = "user"
may = ["join", "publish", "history", "presence"]
`;
const args = configuredBy(tokenRow(issuer), keyRow('ci', [], []), keyRow('own', ['publish', 'join'], ['own/*']), ...rows, further);

const server = await startServer({ args });
after(() => server.stop());

const code_of = (response) => (response.status < 300 ? 'ok' : response.json.error.code);

const asked = async (method, target, token, body) => {
  const response = await fetchOnce(server.url, method, target, { headers: bearer(token), ...(body === undefined ? {} : { body }) });
  if (response.status === 401) assert.match(response.header('www-authenticate'), /^Bearer /);
  return code_of(response);
};

const streamed = (kind) => async (room, token, query) => {
  try {
    (await RoomStream.open(server.url, room, { kind, query, headers: bearer(token) })).destroy();
    return 'ok';
  } catch {
    return asked('GET', `/rooms/${room}${query}${query ? '&' : '?'}transport=${kind}`, token);
  }
};

const upgraded = (subprotocol) => async (room, token, query) => {
  const options = { path: `/rooms/${room}${query}`, headers: { ...bearer(token), 'Sec-WebSocket-Protocol': subprotocol } };
  const client = await connect(server.url, options).catch(() => undefined);
  if (!client) return code_of(await refusal(server.url, options));
  // A client of roomcast.v1 may connect first and identify itself then: until it has it is in no room.
  const is_waiting = subprotocol === 'roomcast.v1' && JSON.parse((await client.next()).payload).authenticate_ms !== undefined;
  client.socket.destroy();
  return is_waiting ? 'unauthorized' : 'ok';
};

/** The answer to a request of roomcast.v1 over /connect. */
const requested = async (token, request) => {
  const client = await JsonClient.greeted(server, '/connect', { headers: bearer(token) });
  const answer = await client.ask(request);
  await client.close();
  return answer.type === 'error' ? answer.code : 'ok';
};

/** What happens to a message of a member: the close code, or ok once it has come back. */
const said_by_member = async (room, token) => {
  const client = await connect(server.url, { path: `/rooms/${room}`, headers: bearer(token) });
  await client.text('hello');
  const frame = await client.next();
  client.socket.destroy();
  return frame.payload.toString() === 'hello' ? 'ok' : frame.payload.readUInt16BE(0);
};

// The ways in: what of the sources they cover, what they need, and how they are tried.
const joins = { websocket: upgraded('roomcast.raw.v1'), 'roomcast.v1': upgraded('roomcast.v1'), sse: streamed('sse'), stream: streamed('stream'), poll: (room, token, query) => asked('GET', `/rooms/${room}${query}`, token) };
const ways = [
  ...Object.entries(joins).flatMap(([name, join]) => [
    { name: `join by ${name}`, covers: ['GET /rooms/{room}', name], needs: ['join'], attempt: (room, token) => join(room, token, '') },
    { name: `join by ${name} with history`, covers: [], needs: ['join', 'history'], attempt: (room, token) => join(room, token, '?history=5') },
    ...(name === 'poll' ? [] : [{ name: `join by ${name} with presence`, covers: [], needs: ['join', 'presence'], attempt: (room, token) => join(room, token, '?presence=1') }]),
  ]),
  { name: 'POST', covers: ['POST /rooms/{room}'], needs: ['publish'], attempt: (room, token) => asked('POST', `/rooms/${room}`, token, 'hi') },
  {
    name: 'a batch', covers: ['POST /api/publish'], needs: ['publish'],
    attempt: async (room, token) => {
      const body = JSON.stringify({ messages: [{ room, data: 'hi' }] });
      const response = await fetchOnce(server.url, 'POST', '/api/publish', { headers: { ...bearer(token), 'Content-Type': 'application/json' }, body });
      return response.status === 200 ? response.json.results[0].error?.code ?? 'ok' : code_of(response);
    },
  },
  { name: 'GET presence', covers: ['GET /presence/{room}'], needs: ['presence'], attempt: (room, token) => asked('GET', `/presence/${room}`, token) },
  { name: 'v1 subscribe', covers: ['GET /connect'], needs: ['join'], attempt: (room, token) => requested(token, { type: 'subscribe', room }) },
  { name: 'v1 subscribe with history', covers: [], needs: ['join', 'history'], attempt: (room, token) => requested(token, { type: 'subscribe', room, history: 5 }) },
  { name: 'v1 subscribe with presence', covers: [], needs: ['join', 'presence'], attempt: (room, token) => requested(token, { type: 'subscribe', room, presence: true }) },
  { name: 'v1 publish', covers: [], needs: ['publish'], attempt: (room, token) => requested(token, { type: 'publish', room, data: 'hi' }) },
  { name: 'v1 history', covers: [], needs: ['history'], attempt: (room, token) => requested(token, { type: 'history', room }) },
  { name: 'v1 presence', covers: [], needs: ['presence'], attempt: (room, token) => requested(token, { type: 'presence', room }) },
];

// Routes that say who the caller is and nothing else, and those that have nothing to do with rooms.
const about_oneself = ['GET /api/me'];
const without_rooms = ['GET /echo', 'GET /api/login', 'POST /api/login', 'POST /api/logout'];

const sources = fs.readdirSync(path.join(repository, 'src'), { recursive: true }).filter((name) => name.endsWith('.cpp') || name.endsWith('.h'))
  .map((name) => fs.readFileSync(path.join(repository, 'src', name), 'utf8')).join('\n');
const routes = [...sources.matchAll(/routes\.add(?:_\w+)?\(\{([^}]*)\},\s*"([^"]+)",\s*http::Access::(\w+)/g)].flatMap(([, methods, pattern, access]) =>
  [...methods.matchAll(/Method::(\w+)/g)].map(([, method]) => ({ route: `${method.replace('_', '').toUpperCase()} ${pattern}`, access })));

describe('the ways in of the sources', () => {
  const covered = new Set(ways.flatMap(({ covers }) => covers));

  it('every route that finds out who the client is, is one of the ways', () => {
    assert.ok(routes.length > 6);
    const missing = routes.filter(({ access }) => access === 'clients').map(({ route }) => route).filter((route) => !covered.has(route) && !about_oneself.includes(route));
    assert.deepEqual(missing, []);
  });

  it('every transport and every dialect that clients can choose is one of them', () => {
    const dialects = [.../offered_\{\{(.*?)\}\s*,\s*\n\s*raw_/s.exec(sources)[1].matchAll(/\{"([^"]+)"/g)].map(([, name]) => name);
    assert.ok(dialects.length >= 2);
    assert.deepEqual(dialects.filter((name) => !covered.has(name) && name !== 'roomcast.raw.v1'), []);
  });

  it('every transport by its name', async () => {
    const response = await fetchOnce(server.url, 'GET', `/rooms/${room_of('anonymous', ['join'])}?transport=none`);
    const names = response.json.error.message.replace('transport must be ', '').replace(', or be left out', '').split(/, | or /);
    assert.ok(names.length >= 4, response.text);
    assert.deepEqual(names.filter((name) => !covered.has(name)), []);
  });

  it('routes that only look at the origin give nothing of a room away', () => {
    const of_origin = routes.filter(({ access }) => access === 'origin').map(({ route }) => route);
    assert.deepEqual(of_origin.filter((route) => !without_rooms.includes(route)), []);
  });

  it('no anonymous client and no user without rights may use a route for operators', async () => {
    const of_operators = routes.filter(({ access }) => access === 'operators').map(({ route }) => route);
    for (const route of of_operators) {
      const [method, pattern] = route.split(' ');
      const target = pattern.replace(/\{[^}]*\}/, 'x');
      const body = method === 'GET' ? undefined : '{}';
      const send = (token) => fetchOnce(server.url, method, target, { headers: { ...bearer(token), 'Content-Type': 'application/json' }, body });
      assert.equal(code_of(await send()), 'unauthorized', route);
      for (const kind of ['user', 'role', 'key']) {
        const response = await send(kinds[kind].token);
        // What is wrong with the request may be said first; nothing may be done or shown.
        assert.ok(['forbidden', 'bad_request'].includes(code_of(response)), `${route} by ${kind}: ${response.text}`);
      }
    }
  });
});

describe('what each way needs', { concurrency: 4 }, () => {
  for (const [kind, { token, refused }] of Object.entries(kinds)) {
    for (const way of ways) {
      it(`${kind}: ${way.name} needs ${way.needs.join(' and ')}, and nothing else`, async () => {
        for (const may of subsets) {
          const expected = way.needs.every((need) => may.includes(need)) ? 'ok' : refused;
          assert.equal(await way.attempt(room_of(kind, may), token), expected, `in ${room_of(kind, may)}`);
        }
      });
    }
  }

  it('nobody may what is another one\'s', async () => {
    const all = subsets.at(-1);
    for (const [kind, { token, refused }] of Object.entries(kinds)) {
      for (const other of ['user', 'role', 'key'].filter((one) => one !== kind)) {
        for (const way of ways) assert.equal(await way.attempt(room_of(other, all), token), refused, `${kind} by ${way.name} in rooms of ${other}`);
      }
    }
  });

  it('a message of a member over raw WebSocket needs publish: without it the connection is closed with 3003', async () => {
    for (const kind of ['user', 'role', 'key']) {
      assert.equal(await said_by_member(room_of(kind, ['join', 'publish']), kinds[kind].token), 'ok');
      assert.equal(await said_by_member(room_of(kind, ['join']), kinds[kind].token), 3003);
    }
  });

  it('a cursor of somebody who may not read history leads to a gap, and to nothing that was missed', async () => {
    const room = room_of('user', ['join', 'publish']);
    const { cursor } = (await fetchOnce(server.url, 'POST', `/rooms/${room}`, { headers: bearer(kinds.user.token), body: 'before' })).json;
    await fetchOnce(server.url, 'POST', `/rooms/${room}`, { headers: bearer(kinds.user.token), body: 'missed' });
    const poll = await fetchOnce(server.url, 'GET', `/rooms/${room}?since=${cursor}`, { headers: bearer(kinds.user.token) });
    assert.deepEqual(poll.json.messages, []);
    assert.ok(poll.json.gap);
    const beginning = cursor.replace(/\d+$/, '0');
    assert.deepEqual((await fetchOnce(server.url, 'GET', `/rooms/${room}?since=${beginning}`, { headers: bearer(kinds.user.token) })).json.messages, []);
  });
});

describe('who a client is', () => {
  const all = subsets.at(-1);

  it('a room with {user} in its pattern is that user\'s alone', async () => {
    const [ada, bob] = [kinds.user.token, kinds.role.token];
    assert.equal(await joins.sse('inbox/ada', ada, ''), 'ok');
    assert.equal(await joins.sse('inbox/ada', bob, ''), 'forbidden');
    assert.equal(await joins.sse('inbox/ada', undefined, ''), 'unauthorized');
    assert.equal(await joins.sse('inbox/ci', kinds.key.token, ''), 'forbidden');
    const star = await issuer.token({ sub: '*' });
    assert.equal(await joins.sse('inbox/ada', star, ''), 'forbidden');
    assert.equal(await joins.sse('inbox/**', star, ''), 'forbidden');
  });

  it('an API key may what its line says, besides the rows', async () => {
    assert.equal(await ways.find(({ name }) => name === 'POST').attempt('own/x', apiKey('own')), 'ok');
    assert.equal(await joins.stream('own/x', apiKey('own'), ''), 'ok');
    assert.equal(await joins.stream('own/x', apiKey('own'), '?history=1'), 'forbidden');
    assert.equal(await joins.stream('own/x/y', apiKey('own'), ''), 'forbidden');
  });

  it('claims add to the rows; a ticket is for its room alone', async () => {
    const claims = await issuer.token({ sub: 'eve', rooms: [{ match: 'extra/**', may: ['join', 'publish'] }] });
    assert.equal(await joins.sse('extra/a', claims, ''), 'ok');
    assert.equal(await joins.sse('extra/a', claims, '?history=1'), 'forbidden');
    assert.equal(await joins.sse('everyone', claims, ''), 'ok');
    const ticket = await issuer.token({ sub: 'eve', room: 'concert', may: ['join'] });
    assert.equal(await joins.websocket('concert', ticket, ''), 'ok');
    assert.equal(await joins.websocket('everyone', ticket, ''), 'forbidden');
    assert.equal(await ways.find(({ name }) => name === 'POST').attempt('concert', ticket), 'forbidden');
  });

  it('what is shown and wrong is refused on every way, also where everyone may', async () => {
    const room = room_of('anonymous', all);
    const now = seconds();
    const wrong = {
      bad_token: ['a.b.c', await (await makeIssuer('HS256')).token({ sub: 'ada' })],
      bad_api_key: ['nonsense'],
      token_expired: [await issuer.token({ sub: 'ada', exp: now - 312 })],
      token_not_yet_valid: [await issuer.token({ sub: 'ada', nbf: now + 3600 })],
    };
    for (const [code, tokens] of Object.entries(wrong)) {
      for (const token of tokens) {
        for (const way of ways.filter(({ covers }) => covers.length > 0 && !covers.includes('GET /connect'))) {
          assert.equal(await way.attempt(room, token), code, `${way.name} with ${token.slice(0, 40)}`);
        }
        assert.equal((await refusal(server.url, { path: '/connect', headers: { ...bearer(token), 'Sec-WebSocket-Protocol': 'roomcast.v1' } })).json.error.code, code);
      }
    }
    assert.match((await fetchOnce(server.url, 'GET', `/rooms/${room}`, { headers: bearer(wrong.token_expired[0]) })).json.error.message, /^token expired 31\d s ago$/);
  });

  it('the ways of showing a token mean the same', async () => {
    const token = kinds.user.token;
    const room = room_of('user', all);
    const shown = [
      { headers: { Authorization: `Bearer ${token}` } },
      { query: `?access_token=${token}` },
      { headers: { 'Sec-WebSocket-Protocol': `roomcast.raw.v1, roomcast.token.${token}` } },
    ];
    for (const { headers = {}, query = '' } of shown) {
      const client = await connect(server.url, { path: `/rooms/${room}${query}`, headers });
      assert.ok(!client.response.fields.some(([, value]) => value.includes('token')), 'a token is never echoed');
      client.socket.destroy();
    }
    assert.equal(await joins.sse(room, undefined, `?access_token=${token}`), 'ok');
    const two = await refusal(server.url, { path: `/rooms/${room}?access_token=${token}`, headers: shown[0].headers });
    assert.deepEqual([two.status, two.json.error.code], [400, 'ambiguous_credentials']);
    assert.ok(!server.log().includes(token), 'a token is never logged');
  });
});
