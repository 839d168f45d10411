// Who may do what, from the configuration: mistakes in it, what --explain-access and /api/explain say, warnings, and reloads.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { apiKey, keyRow } from '../support/access_rows.js';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory, tomlFilesIn } from '../support/scratch.js';
import { runToEnd, startServer } from '../support/server.js';

const directory = scratchDirectory();
const toml = tomlFilesIn(directory);
const row = (rooms, who, may) => `[[access]]\nrooms = ${JSON.stringify(rooms)}\nwho = ${JSON.stringify(who)}\nmay = ${JSON.stringify(may)}\n`;
const secret = 'a secret that nobody may ever see in a log';
const hash = `sha256:${'5e'.repeat(32)}`;
const key = (name, lines = '') => `[[auth.keys]]\nname = "${name}"\nhash = "${hash}"\n${lines}`;
const everything = row('**', 'anyone', ['join', 'publish', 'presence', 'history', 'moderate', 'admin']);

describe('a mistake in auth or access stops the start, names its place and shows no secret', { concurrency: 4 }, () => {
  const mistakes = {
    'a permission that there is not': [row('a', 'user', ['read']), /:4:\d+: access: may: "read": expected join, publish, presence, history, moderate or admin/],
    'a row about nobody': [row('a', 'users', ['join']), /:3:\d+: access: who: "users": expected anyone, user, role:NAME, user:ID or key:NAME/],
    'a row without permissions': ['[[access]]\nrooms = "a"\nwho = "user"\n', /:1:1: access: expected may in every element, found one without/],
    '{user} twice': [row('{user}/{user}', 'user', ['join']), /:2:\d+: access: rooms: expected a pattern .* with \{user\} at most once/],
    'a pattern that is too long': [row('r'.repeat(201), 'user', ['join']), /:2:\d+: access: rooms: expected a pattern/],
    'too many rows': [row('a', 'user', []).repeat(1001), /access: expected an array of at most 1000 tables/],
    'one pair of brackets': ['[access]\nrooms = "a"\n', /access: expected an array of at most 1000 tables/],
    'a short secret': [`[[auth.tokens]]\nalgorithms = ["HS256"]\nsecret = "${secret.slice(0, 31)}"\n`, /:3:\d+: auth\.tokens: secret: expected a text of 32 to 4096 bytes, found a text of 31 bytes/],
    'a secret for RS256': [`[[auth.tokens]]\nalgorithms = ["RS256"]\nsecret = "${secret}"\n`, /:2:\d+: auth\.tokens: algorithms: RS256 needs key_file, jwks_file or jwks_url/],
    'two sources': [`[[auth.tokens]]\nalgorithms = ["HS256"]\nsecret = "${secret}"\nkey_file = "k.pem"\n`, /expected exactly one of secret, .* found secret and key_file/],
    'no algorithm': ['[[auth.tokens]]\nalgorithms = ["none"]\nkey_file = "k.pem"\n', /algorithms: expected an array of HS256, .* found "none"/],
    'keys over plain http': ['[[auth.tokens]]\nalgorithms = ["ES256"]\njwks_url = "http://id.example/jwks"\n', /jwks_url: expected an https:\/\/ URL, or an http:\/\/ one on .*an attacker on the network/],
    'a key in place of its hash': [`[[auth.keys]]\nname = "ci"\nhash = "${secret}"\n`, /:3:\d+: auth\.keys: hash: expected sha256: and 64 hexadecimal digits/],
    'two keys of one name': [key('ci') + key('ci'), /:5:\d+: auth\.keys: name: "ci" is the name of two keys/],
    'a key with rooms alone': [key('ci', 'rooms = ["a"]\n'), /expected may and rooms together, found rooms alone in the key "ci"/],
    'tokens that are no tables': [`[auth]\ntokens = "${secret}"\n`, /auth\.tokens: expected an array of at most 100 tables .* found a text/],
    'a secret that does not end': [`[[auth.tokens]]\nalgorithms = ["HS256"]\nsecret = "${secret}\n`, /not valid TOML/],
    'a leeway out of range': ['[auth]\nleeway_seconds = 3601\n', /auth\.leeway_seconds: expected a number of seconds, 0 to 3600, found 3601/],
    'a cookie that is no name': ['[auth]\ncookie = "a b"\n', /auth\.cookie: "a b": not the name of a cookie/],
    'a header that is no name': ['[auth]\nproxy_user_header = "a b"\n', /auth\.proxy_user_header: "a b": not the name of a header field/],
  };
  for (const [name, [text, message]] of Object.entries(mistakes)) {
    it(name, async () => {
      const { code, stdout, stderr } = await runToEnd(['--config', toml(text), '--check-config']);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stdout + stderr, /nobody may/);
    });
  }

  it('secrets in the environment and in flags', async () => {
    for (const [args, env] of [[['--set', `auth.tokens=${secret}`]], [[], { ROOMCAST_AUTH_KEYS: secret }]]) {
      const { code, stderr } = await runToEnd([...args, '--check-config'], { env });
      assert.equal(code, 2);
      assert.doesNotMatch(stderr, /nobody may/);
    }
  });

  it('secrets and hashes are not printed', async () => {
    const file = toml(`${key('ci')}[[auth.tokens]]\nalgorithms = ["HS256"]\nsecret = "${secret}"\n`);
    const { code, stdout } = await runToEnd(['--config', file, '--print-config']);
    assert.equal(code, 0);
    assert.match(stdout, /^tokens = \[\{ algorithms = \["HS256"\], secret = "…" \}\]/m);
    assert.match(stdout, /^keys = \[\{ name = "ci", hash = "…" \}\]/m);
    assert.doesNotMatch(stdout, /nobody may|5e5e/);
  });
});

describe('--explain-access', { concurrency: 4 }, () => {
  const file = toml(row('inbox/{user}', 'user', ['join', 'history']) + row('chat/**', 'role:staff', ['join', 'publish']) + key('ci', 'may = ["publish"]\nrooms = ["ci/**"]\n'));
  const explain = (...args) => runToEnd(['--config', file, '--explain-access', ...args]);

  it('says for each permission which row decides', async () => {
    const { code, stdout, stderr } = await explain('ada', 'inbox/ada');
    assert.equal(code, 0, stderr);
    const decided = 'row 1 of access (rooms "inbox/{user}", who "user")';
    assert.equal(stdout, `user:ada in inbox/ada
join      yes  ${decided}
publish   no   ${decided} does not list it
presence  no   ${decided} does not list it
history   yes  ${decided}
moderate  no   ${decided} does not list it
admin     no   no row of access matches all rooms (**)
`);
  });

  it('users, roles, keys, and anyone', async () => {
    for (const [args, message] of [
      [['bob', 'inbox/ada'], /^user:bob in inbox\/ada\njoin +no +no row of access matches$/m],
      [['user:ada', 'chat/tea', '--role', 'guest', '--role', 'staff'], /^publish +yes +row 2 of access /m],
      [['anyone', 'chat/tea'], /^anyone in chat\/tea\njoin +no /m],
      [['key:ci', 'ci/build'], /^publish +yes +the line of the key$/m],
    ]) {
      const { code, stdout } = await explain(...args);
      assert.equal(code, 0);
      assert.match(stdout, message);
    }
  });

  it('an argument that names nothing: exit 2', async () => {
    for (const [args, message] of [
      [['key:other', 'a'], /auth\.keys has no key "other"/],
      [['ada', '/a'], /--explain-access: /],
      [['anyone', 'a', '--role', 'staff'], /only users have roles/],
      [['ada'], /takes USER ROOM/],
    ]) {
      const { code, stderr } = await explain(...args);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  });
});

describe('warnings about access', { concurrency: 4 }, () => {
  const open = /listening beyond this machine without auth and access/;
  const rowless = /auth is configured, but no row of access/;
  const cases = {
    'on loopback without anything: none': [[], '', []],
    'elsewhere without anything: one': [['--listen', '0.0.0.0:0'], '', [open]],
    'elsewhere with rows: none': [['--listen', '0.0.0.0:0'], row('**', 'anyone', ['join']), []],
    'with keys and no row: one': [[], key('ci'), [rowless]],
    'elsewhere with keys and no row: the same': [['--listen', '0.0.0.0:0'], key('ci'), [rowless]],
    'a header from proxies that there are not': [[], '[auth]\nproxy_user_header = "X-User"\n', [rowless, /auth\.proxy_user_header has no effect without trusted_proxies/]],
  };
  for (const [name, [args, text, expected]] of Object.entries(cases)) {
    it(name, async () => {
      const config = toml(text);
      const listen = args.length ? args : ['--listen', '127.0.0.1:0'];
      const { code, stderr } = await runToEnd(['--config', config, ...listen, '--check-config']);
      assert.equal(code, 0, stderr);
      const server = await startServer({ listen: [], args: ['--config', config, ...listen] });
      // Not that of a machine with few descriptors.
      const warned = (lines) => lines.split('\n').filter((line) => /\bwarn(ing)?\b/.test(line) && !line.includes('RLIMIT_NOFILE'));
      for (const lines of [warned(stderr), warned(server.log())]) {
        assert.equal(lines.length, expected.length, lines.join('\n'));
        for (const [i, pattern] of expected.entries()) assert.match(lines[i], pattern);
      }
      await server.stop();
    });
  }
});

describe('rows of access in force', () => {
  const file = path.join(directory, 'reloaded.toml');
  let server;
  const operator = apiKey('ops');
  const key = keyRow('ops', ['moderate'], ['open', 'closed/**']);
  const use = (text) => fs.writeFileSync(file, text + key);
  const reload = async (outcome = /\breloaded$/) => {
    const mark = server.mark();
    server.reload();
    await server.waitForLog(outcome, { mark });
  };
  const explain = async (question) => {
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${operator}` };
    const answer = await fetchOnce(server.url, 'POST', '/api/explain', { body: JSON.stringify(question), headers });
    return { status: answer.status, ...JSON.parse(answer.text) };
  };
  const publish = (room) => fetchOnce(server.url, 'POST', `/rooms/${room}`, { body: 'x', headers: { 'Content-Type': 'text/plain' } });

  before(async () => {
    use(row('closed/**', 'anyone', []) + everything);
    server = await startServer({ args: ['--config', file] });
  });
  after(() => server.stop());

  it('let publish, or refuse with a code and a sentence', async () => {
    assert.equal((await publish('open')).status, 200);
    const refused = await publish('closed/a');
    assert.equal(refused.status, 401);
    assert.deepEqual(JSON.parse(refused.text).error, { code: 'unauthorized', message: 'no access rule lets anyone publish in closed/a' });
  });

  it('explain says which, and a reload changes that', async () => {
    use(everything + row('closed/**', 'user:ada', ['join']));
    await reload();
    const first = await explain({ user: 'ada', room: 'closed/a' });
    assert.equal(first.user, 'user:ada');
    assert.deepEqual(first.permissions.publish, { permitted: true, row: 1, because: 'row 1 of access (rooms "**", who "anyone")' });
    assert.equal((await publish('closed/a')).status, 200);
    use(row('closed/**', 'user:ada', ['join']) + everything);
    await reload();
    const second = await explain({ user: 'ada', room: 'closed/a', roles: ['staff'] });
    assert.deepEqual(second.permissions.join, { permitted: true, row: 1, because: 'row 1 of access (rooms "closed/**", who "user:ada")' });
    assert.equal(second.permissions.publish.permitted, false);
    assert.equal((await explain({ user: 'bob', room: 'closed/a' })).permissions.publish.row, 2);
  });

  it('a reload with a mistake changes nothing', async () => {
    use(row('**', 'nobody', []));
    await reload(/reload refused.*access: who: /);
    assert.equal((await publish('open')).status, 200);
    use(everything);
    await reload();
  });

  it('a changed secret is a change, and is not logged', async () => {
    const tokens = (text) => `${everything}[[auth.tokens]]\nalgorithms = ["HS256"]\nsecret = "${text}"\n`;
    use(tokens(secret));
    await reload();
    const mark = server.mark();
    use(tokens(`${secret}!`));
    await reload();
    assert.match(server.log().slice(mark), /setting changed.*key=auth\.tokens/);
    assert.doesNotMatch(server.log(), /nobody may/);
    use(everything);
    await reload();
  });

  it('explain is for who may moderate the room or administer the server', async () => {
    use(row('mine/**', 'key:ops', ['moderate']) + row('**', 'user', ['join']));
    await reload();
    for (const room of ['mine/a', 'closed/a']) assert.equal((await explain({ user: 'ada', room })).status, 200);
    const refused = await explain({ user: 'ada', room: 'others' });
    assert.equal(refused.status, 403);
    assert.equal(refused.error.code, 'forbidden');
    const anonymous = await fetchOnce(server.url, 'POST', '/api/explain', { body: '{"user":"ada","room":"mine/a"}', headers: { 'Content-Type': 'application/json' } });
    assert.equal(anonymous.status, 401);
  });
});
