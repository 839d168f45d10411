// Accounts: the commands that manage them, signing in and out, and what an attacker gets.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { eventually } from '../support/deadline.js';
import { fetchOnce } from '../support/raw_http.js';
import { publish } from '../support/room_stream.js';
import { makeCertificate, scratchDirectory } from '../support/scratch.js';
import { binary, cleanEnvironment, runToEnd, startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';
import { text } from '../support/ws_frames.js';

const directory = scratchDirectory();
const users = path.join(directory, 'users');

/** Runs the program with `input` as standard input: `{ code, stdout, stderr }`. */
async function run(args, input = '', env = {}) {
  const child = spawn(binary, args, { env: cleanEnvironment(env), stdio: 'pipe' });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => (output.stdout += data));
  child.stderr.on('data', (data) => (output.stderr += data));
  child.stdin.on('error', () => {}); // it may end without having read
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, ...output };
}
const user = (words, input, file = users) => run(['user', ...words, '--file', file], input);

const add = async (name, password, ...more) => {
  const { code, stderr } = await user(['add', name, ...more], `${password}\n`);
  assert.equal(code, 0, stderr);
};
await add('ada', 'correct horse', '--role', 'staff', '--role', 'admin', '--name', 'Ada: Countess');
const certificate = makeCertificate(directory, 'chat.example');

const server = await startServer({
  listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'],
  set: { 'auth.users_file': users, trusted_proxies: '127.0.0.1', origins: 'https://listed.example', 'tls.certificate': certificate.certificate, 'tls.key': certificate.key, 'limits.body_bytes': 20_000 },
});

let addresses = 0;
/** An address of its own, as a proxy reports it, so that tests do not use up each other's tries. */
const newAddress = () => `2001:db8:${(addresses += 1).toString(16)}::1`;
const json = { 'Content-Type': 'application/json' };
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const post = (target, { body = '', address = newAddress(), ...headers } = {}) =>
  fetchOnce(server.url, 'POST', target, { body, headers: { 'X-Forwarded-For': address, ...headers } });
const login = (name, password, { address, ...headers } = {}) =>
  post('/api/login', { body: JSON.stringify({ user: name, password }), address, ...json, ...headers });
const look = async (cookie) => JSON.parse((await fetchOnce(server.url, 'GET', '/api/login', { headers: cookie ? { Cookie: cookie } : {} })).text);
const cookieOf = (answer) => /^([^;]*)/.exec(answer.header('set-cookie') ?? '')[1];
const codeOf = (answer) => JSON.parse(answer.text).error.code;

describe('accounts', { concurrency: 4 }, () => {
  after(() => server.stop());

  describe('roomcast user', () => {
    const file = path.join(directory, 'others');

    it('adds, lists, changes and removes, in a file of lines that only its owner reads', async () => {
      assert.equal((await user(['add', 'bob', '--name', 'Bob B.'], 'battery staple\n', file)).code, 0);
      assert.equal((await user(['add', 'eve@example.org', '--role', 'guest', '--password-stdin'], 'battery staple\r\n', file)).code, 0);
      assert.equal(fs.statSync(file).mode & 0o777, 0o600);
      assert.equal((await user(['list'], '', file)).stdout, 'bob\t\tBob B.\neve@example.org\tguest\t\n');
      const [bob, eve] = fs.readFileSync(file, 'utf8').split('\n');
      assert.match(bob, /^bob:\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}::Bob B\.$/);
      assert.equal((await user(['passwd', 'bob'], 'another one\n', file)).code, 0);
      assert.equal((await user(['remove', 'eve@example.org'], '', file)).code, 0);
      const text = fs.readFileSync(file, 'utf8');
      assert.notEqual(text.split('\n')[0], bob);
      assert.ok(!text.includes(eve));
      assert.deepEqual(fs.readdirSync(directory).filter((name) => name.startsWith('others')), ['others']);
    });

    it('refuses what is wrong, with exit code 1 for the file or user and 2 for usage', async () => {
      const refused = async (code, pattern, words, input = 'battery staple\n') => {
        const answer = await user(words, input);
        assert.equal(answer.code, code, words.join(' '));
        assert.match(answer.stderr, pattern);
        assert.equal(answer.stdout, '');
      };
      await refused(1, /there is a user ada already/, ['add', 'ada']);
      await refused(1, /there is a user ada already/, ['add', 'Ada']);
      await refused(1, /there is no user nobody/, ['passwd', 'nobody']);
      await refused(1, /there is no user nobody/, ['remove', 'nobody']);
      await refused(1, /at least 8/, ['add', 'short'], '1234567\n');
      await refused(1, /at most 1024/, ['add', 'long'], `${'x'.repeat(1025)}\n`);
      await refused(1, /no password/, ['add', 'none'], '');
      await refused(2, /name of a user/, ['add', 'a:b']);
      await refused(2, /name of a user/, ['add', 'a/b']);
      await refused(2, /a role is/, ['add', 'x', '--role', 'a,b']);
      await refused(2, /display name/, ['add', 'x', '--name', 'a\nb']);
      await refused(2, /one name/, ['add']);
      await refused(2, /add, passwd, remove or list/, ['shout', 'x']);
      await refused(2, /unknown flag --rol .did you mean --role/, ['add', 'x', '--rol', 'y']);
      const unnamed = await run(['user', 'list']);
      assert.equal(unnamed.code, 2);
      assert.match(unnamed.stderr, /--file/);
    });

    it('finds the file by the configuration or the environment', async () => {
      const config = path.join(directory, 'roomcast.toml');
      fs.writeFileSync(config, `[auth]\nusers_file = ${JSON.stringify(users)}\n`);
      assert.match((await run(['user', 'list', '--config', config])).stdout, /^ada\tstaff,admin\tAda: Countess$/m);
      assert.match((await run(['user', 'list'], '', { ROOMCAST_AUTH_USERS_FILE: users })).stdout, /^ada\t/m);
    });

    it('two at the same time follow each other', async () => {
      const many = path.join(directory, 'many');
      const codes = await Promise.all(['a1', 'a2', 'a3', 'a4'].map(async (name) => (await user(['add', name], 'battery staple\n', many)).code));
      assert.deepEqual(codes, [0, 0, 0, 0]);
      assert.deepEqual((await user(['list'], '', many)).stdout.split('\n').map((line) => line.split('\t')[0]).sort(), ['', 'a1', 'a2', 'a3', 'a4']);
    });
  });

  it('roomcast keygen prints a key, and the lines that let it in', async () => {
    const { code, stdout } = await run(['keygen', '--name', 'ci', '--may', 'publish,history', '--rooms', 'ci/**,build']);
    assert.equal(code, 0);
    const [key, empty, ...lines] = stdout.split('\n');
    assert.match(key, /^rck_[A-Za-z0-9_-]{43}$/);
    assert.equal(empty, '');
    const hash = createHash('sha256').update(key).digest('hex');
    assert.deepEqual(lines, ['[[auth.keys]]', 'name = "ci"', `hash = "sha256:${hash}"`, 'may = ["publish", "history"]', 'rooms = ["ci/**", "build"]', '']);
    const config = path.join(directory, 'keys.toml');
    fs.writeFileSync(config, lines.join('\n'));
    assert.equal((await runToEnd(['--config', config, '--check-config'])).code, 0);
    assert.notEqual((await run(['keygen'])).stdout.split('\n')[0], key);
    assert.equal((await run(['keygen', '--may', 'fly'])).code, 2);
    assert.equal((await run(['keygen', 'ci'])).code, 2);
  });

  describe('signing in', () => {
    it('answers with who it is and a cookie that scripts and other sites do not get', async () => {
      const answer = await login('ada', 'correct horse');
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(JSON.parse(answer.text), { user: 'ada', name: 'Ada: Countess', roles: ['staff', 'admin'], expires_in_s: 43_200 });
      assert.match(answer.header('set-cookie'), /^roomcast=[\w-]+\.[\w-]+\.[\w-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
      assert.equal(answer.header('cache-control'), 'no-store');
      assert.deepEqual(await look(cookieOf(answer)), { accounts: true, user: 'ada', name: 'Ada: Countess', roles: ['staff', 'admin'] });
      assert.deepEqual(await look(), { accounts: true });
      const by_form = await post('/api/login', { body: 'user=ada&password=correct+hors%65', ...form });
      assert.equal(by_form.status, 200, by_form.text);
    });

    it('over TLS, here or at a trusted proxy, the cookie is for TLS only', async () => {
      const answer = await login('ada', 'correct horse', { 'X-Forwarded-Proto': 'https' });
      assert.match(answer.header('set-cookie'), /; Secure$/);
    });

    it('a stale cookie is no obstacle', async () => {
      assert.equal((await login('ada', 'correct horse', { Cookie: 'roomcast=a.b.c' })).status, 200);
      assert.deepEqual(await look('roomcast=a.b.c'), { accounts: true });
    });

    it('a wrong user and a wrong password get the same answer for the same work', async () => {
      const before = await server.metric('roomcast_password_hashes_total');
      const wrong_password = await login('ada', 'wrong horse');
      const hashes_for_password = (await server.metric('roomcast_password_hashes_total')) - before;
      const wrong_user = await login('nobody', 'correct horse');
      assert.equal(wrong_password.status, 401);
      assert.match(wrong_password.header('www-authenticate'), /^Bearer\b/);
      assert.equal(codeOf(wrong_password), 'login_failed');
      assert.equal(wrong_user.text, wrong_password.text);
      assert.equal(wrong_user.header('set-cookie'), undefined);
      assert.ok(hashes_for_password >= 1);
      // Other tests sign in meanwhile, so a user that does not exist is counted where nobody else does.
      const alone = await startServer({ set: { 'auth.users_file': users } });
      await fetchOnce(alone.url, 'POST', '/api/login', { headers: json, body: '{"user":"nobody","password":"correct horse"}' });
      assert.equal(await alone.metric('roomcast_password_hashes_total'), 1);
      await fetchOnce(alone.url, 'POST', '/api/login', { headers: json, body: '{"user":"ada","password":"wrong horse"}' });
      assert.equal(await alone.metric('roomcast_password_hashes_total'), 2);
      await alone.stop();
    });

    it('refuses what is no sign-in', async () => {
      const refused = async (status, code, options) => {
        const answer = await post('/api/login', options);
        assert.equal(answer.status, status, answer.text);
        assert.equal(codeOf(answer), code);
      };
      await refused(415, 'unsupported_media_type', { body: '{"user":"ada","password":"correct horse"}', 'Content-Type': 'text/plain' });
      await refused(415, 'unsupported_media_type', { body: '{"user":"ada","password":"correct horse"}' });
      await refused(400, 'invalid_json', { body: '{"user":', ...json });
      await refused(400, 'bad_request', { body: '{"user":"ada"}', ...json });
      await refused(400, 'bad_request', { body: '{"user":"ada","password":7}', ...json });
      await refused(400, 'bad_request', { body: '[]', ...json });
      await refused(400, 'bad_request', { body: 'user=ada&password=%4', ...form });
      await refused(400, 'bad_request', { body: JSON.stringify({ user: 'a'.repeat(101), password: 'x' }), ...json });
      await refused(401, 'login_failed', { body: JSON.stringify({ user: 'a'.repeat(100), password: 'x'.repeat(1024) }), ...json });
      await refused(400, 'bad_request', { body: JSON.stringify({ user: 'a', password: 'x'.repeat(1025) }), ...json });
      await refused(413, 'content_too_large', { body: `{"user":"ada","password":"${' '.repeat(8192)}"}`, ...json });
    });

    it('pages of other sites cannot sign anybody in', async () => {
      const foreign = await login('ada', 'correct horse', { Origin: 'https://evil.example' });
      assert.equal(foreign.status, 403);
      assert.equal(codeOf(foreign), 'origin_denied');
      // A listed one could not use the cookie.
      const listed = await login('ada', 'correct horse', { Origin: 'https://listed.example' });
      assert.equal(codeOf(listed), 'origin_denied');
      assert.equal((await post('/api/logout', { Origin: 'https://evil.example' })).status, 403);
      assert.equal((await login('ada', 'correct horse', { Origin: server.url })).status, 200);
    });

    it('a user from one address has ten tries, then Retry-After; others have theirs', async () => {
      const address = newAddress();
      for (let i = 0; i < 10; ++i) assert.equal((await login('mallory', `guess ${i}`, { address })).status, 401);
      const refused = await login('mallory', 'guess', { address: address.replace(/::1$/, '::2') });
      assert.equal(refused.status, 429);
      assert.equal(codeOf(refused), 'rate_limited');
      const wait = Number(refused.header('retry-after'));
      assert.ok(wait > 0 && wait <= 60, `${wait}`);
      assert.equal((await login('mallory', 'guess', {})).status, 401, 'from another address');
      assert.equal((await login('ada', 'correct horse', { address })).status, 200, 'another user');
    });

    it('no password and no token is in the log', async () => {
      const answer = await login('ada', 'correct horse');
      await login('ada', 'secret typed here');
      await login('secret typed here', 'x');
      await server.waitForLog(/sign-in refused .*user=unknown/);
      const log = server.log();
      assert.match(log, /signed in .*user=ada/);
      for (const secret of ['correct horse', 'secret typed here', cookieOf(answer).split('.')[2]]) assert.ok(!log.includes(secret), secret);
    });
  });

  it('the cookie says who publishes, over HTTP and WebSocket, and a stale one is refused', async () => {
    const Cookie = cookieOf(await login('ada', 'correct horse'));
    const room = '/rooms/known';
    assert.equal((await post(room, { body: 'by POST', 'Content-Type': 'text/plain', Origin: server.url, Cookie })).status, 200);
    const client = await connect(server.url, { path: room, headers: { Origin: server.url, Cookie } });
    await client.write(text('by WebSocket'));
    await eventually(async () => JSON.parse((await fetchOnce(server.url, 'GET', `${room}?history=9`)).text).messages.length === 2, 'both messages');
    const { messages } = JSON.parse((await fetchOnce(server.url, 'GET', `${room}?history=9`)).text);
    assert.deepEqual(messages.map(({ data, from, user: by }) => [data, from, by]), [['by POST', 'Ada: Countess', 'ada'], ['by WebSocket', 'Ada: Countess', 'ada']]);
    client.destroy();
    const stale = await fetchOnce(server.url, 'GET', room, { headers: { Cookie: `${Cookie}x` } });
    assert.equal(stale.status, 401);
    assert.equal(codeOf(stale), 'bad_token');
  });

  it('the cookie is renewed, and cleared by signing out', async () => {
    const first = cookieOf(await login('ada', 'correct horse'));
    const renewed = await post('/api/refresh', { Cookie: first });
    assert.equal(renewed.status, 200);
    assert.notEqual(cookieOf(renewed), first);
    assert.equal((await look(cookieOf(renewed))).user, 'ada');
    const none = await post('/api/refresh');
    assert.equal(none.status, 401);
    assert.equal(codeOf(none), 'unauthorized');
    assert.equal(codeOf(await post('/api/refresh', { Cookie: `${first}x` })), 'bad_token');
    const waiting = fetchOnce(server.url, 'GET', '/rooms/signed-in?wait=50', { headers: { Cookie: first } });
    const other = fetchOnce(server.url, 'GET', '/rooms/signed-in?wait=50', { headers: { Cookie: cookieOf(await login('ada', 'correct horse')) } });
    await eventually(async () => (await fetchOnce(server.url, 'HEAD', '/rooms/signed-in')).header('roomcast-subscribers') === '2', 'two polls');
    const out = await post('/api/logout', { Cookie: first });
    assert.equal(out.status, 204);
    assert.match(out.header('set-cookie'), /^roomcast=; Path=\/; Max-Age=0; HttpOnly; SameSite=Strict$/);
    assert.equal((await post('/api/logout')).status, 204, 'signed out already');
    assert.deepEqual(await look(first), { accounts: true });
    assert.equal(codeOf(await fetchOnce(server.url, 'GET', '/rooms/a', { headers: { Cookie: first } })), 'token_revoked');
    const refused = await waiting;
    assert.deepEqual([refused.status, refused.json.error], [401, { code: 'token_revoked', message: 'signed out' }]);
    await publish(server.url, 'signed-in', 'on');
    assert.equal((await other).json.messages.length, 1);
  });

  it('users come and go while the server runs, and a session ends with its user or its password', async () => {
    await add('temp', 'battery staple');
    const cookie = cookieOf(await login('temp', 'battery staple'));
    assert.equal((await look(cookie)).user, 'temp');
    await user(['passwd', 'temp'], 'another staple\n');
    await eventually(async () => (await look(cookie)).user === undefined, 'the end of the session');
    assert.equal(codeOf(await post('/api/refresh', { Cookie: cookie })), 'token_revoked');
    assert.equal((await login('temp', 'battery staple')).status, 401);
    const next = cookieOf(await login('temp', 'another staple'));
    await user(['remove', 'temp']);
    assert.equal((await login('temp', 'another staple')).status, 401);
    assert.deepEqual(await look(next), { accounts: true });
  });

  it('without a users file there are no accounts', async () => {
    const none = await startServer();
    assert.deepEqual(JSON.parse((await fetchOnce(none.url, 'GET', '/api/login')).text), { accounts: false });
    const answer = await fetchOnce(none.url, 'POST', '/api/login', { headers: json, body: '{"user":"ada","password":"correct horse"}' });
    assert.equal(answer.status, 404);
    await none.stop();
  });

  it('a start without the file is refused, and a reload with a broken one keeps the users', async () => {
    const missing = await runToEnd(['--listen', 'http://127.0.0.1:0', '--set', `auth.users_file=${directory}/none`]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /auth\.users_file: .*none: cannot be opened/);
    const own = path.join(directory, 'own');
    fs.copyFileSync(users, own);
    const one = await startServer({ set: { 'auth.users_file': own } });
    fs.appendFileSync(own, 'nonsense\n');
    one.reload();
    await one.waitForLog(/reload refused .*own: line/);
    const answer = await fetchOnce(one.url, 'POST', '/api/login', { headers: json, body: '{"user":"ada","password":"correct horse"}' });
    assert.equal(answer.status, 200, answer.text);
    await one.stop();
  });

  it('the server stops while passwords are being compared', async () => {
    const busy = await startServer({ set: { 'auth.users_file': users } });
    const body = '{"user":"ada","password":"correct horse"}';
    const asked = Array.from({ length: 9 }, () => fetchOnce(busy.url, 'POST', '/api/login', { headers: json, body }).catch(() => {}));
    await busy.metricBecomes('roomcast_password_hashes_total', (count) => count > 0);
    await busy.stop();
    await Promise.all(asked);
  });

  it('sessions last over a restart with auth.cookie_secret_file, and end without', async () => {
    const secret = path.join(directory, 'secret');
    const set = { 'auth.users_file': users, 'auth.cookie_secret_file': secret, 'auth.cookie': 'chat', 'auth.session_seconds': 60 };
    const first = await startServer({ set });
    const answer = await fetchOnce(first.url, 'POST', '/api/login', { headers: json, body: '{"user":"ada","password":"correct horse"}' });
    assert.match(answer.header('set-cookie'), /^chat=.*; Max-Age=60;/);
    await first.stop();
    assert.equal(fs.statSync(secret).mode & 0o777, 0o600);
    const ask = async (settings) => {
      const next = await startServer({ set: settings });
      const { text } = await fetchOnce(next.url, 'GET', '/api/login', { headers: { Cookie: cookieOf(answer) } });
      await next.stop();
      return JSON.parse(text).user;
    };
    assert.equal(await ask(set), 'ada');
    assert.equal(await ask({ 'auth.users_file': users, 'auth.cookie': 'chat' }), undefined);
  });
});
