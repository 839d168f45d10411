// Configuration: file, environment and flags, in rising order of precedence; mistakes stop the start and name their place.

import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { scratchDirectory, tomlFilesIn } from '../support/scratch.js';
import { repository, runToEnd, startServer } from '../support/server.js';
import { connect } from '../support/wire_client.js';

const directory = scratchDirectory();
const toml = tomlFilesIn(directory);

/** The largest message that `server` accepts, of `candidates`. */
async function largestMessage(server, candidates) {
  let largest = 0;
  for (const size of candidates) {
    const client = await connect(server.url);
    await client.text('x'.repeat(size));
    const next = await client.next();
    if (next.opcode === 1) largest = size;
    client.destroy();
  }
  return largest;
}

async function refused(args, { env, mentions }) {
  for (const more of [[], ['--check-config']]) {
    const { code, stderr } = await runToEnd([...args, ...more], { env });
    assert.equal(code, 2, `${more}: ${stderr}`);
    for (const mention of mentions) assert.match(stderr, mention);
  }
}

describe('configuration', { concurrency: 4 }, () => {
  describe('later sources override earlier ones', { concurrency: 4 }, () => {
    const key = 'limits.message_bytes';
    const file = () => toml('[limits]\nmessage_bytes = 10\n');
    const sizes = [10, 11, 20, 21, 30, 31];
    const sources = [
      ['the file', { args: ['--config', file()] }, 10],
      ['the environment over the file', { args: ['--config', file()], env: { ROOMCAST_LIMITS_MESSAGE_BYTES: '20' } }, 20],
      ['the flag over both', { args: ['--config', file()], env: { ROOMCAST_LIMITS_MESSAGE_BYTES: '20' }, set: { [key]: 30 } }, 30],
      ['the flag over the environment', { env: { ROOMCAST_LIMITS_MESSAGE_BYTES: '20' }, set: { [key]: 30 } }, 30],
      ['the later flag over the earlier', { set: { [key]: 20 }, args: ['--set', `${key}=30`] }, 30],
    ];
    for (const [name, options, expected] of sources) {
      it(name, async () => {
        const server = await startServer(options);
        assert.equal(await largestMessage(server, sizes), expected);
        await server.stop();
      });
    }
    it('--listen over listen in the file and in the environment', async () => {
      const server = await startServer({ args: ['--config', toml('listen = ["http://127.0.0.1:1"]\n')], env: { ROOMCAST_LISTEN: 'http://127.0.0.1:2' } });
      assert.equal(server.urls.length, 1);
      await server.stop();
    });
    it('listen in the file', async () => {
      const server = await startServer({ listen: [], urlCount: 2, args: ['--config', toml('listen = ["http://127.0.0.1:0", "127.0.0.1:0"]\n')] });
      assert.equal(server.urls.length, 2);
      await server.stop();
    });
    it('a list in the environment', async () => {
      const server = await startServer({ listen: [], urlCount: 2, env: { ROOMCAST_LISTEN: 'http://127.0.0.1:0, http://[::1]:0' } });
      assert.equal(server.urls.length, 2);
      await server.stop();
    });
  });

  describe('mistakes in the file', { concurrency: 4 }, () => {
    const cases = {
      'an unknown key': ['\n[limits]\nmesage_bytes = 5\n', [/:3\b|line 3/, /mesage_bytes/, /message_bytes/]],
      'an unknown section': ['[limit]\nmessage_bytes = 5\n', [/limit\b/, /limits/]],
      'an unknown key at the top': ['\n\norigin = []\n', [/:3\b|line 3/, /origins/]],
      'a string for a number': ['[limits]\nmessage_bytes = "many"\n', [/:2\b|line 2/, /message_bytes/, /number|integer/]],
      'a number for a string': ['[web]\nroot = 5\n', [/:2\b|line 2/, /root/, /string|text|path/]],
      'a number for a flag': ['[echo]\nenabled = 1\n', [/:2\b|line 2/, /enabled/, /true|bool/]],
      'a fraction for a whole number': ['[limits]\nfragments = 1.5\n', [/:2\b|line 2/, /fragments/]],
      'a string for a list': ['origins = "https://a.example"\n', [/:1\b|line 1/, /origins/, /list|array/]],
      'a number in a list': ['origins = ["https://a.example", 5]\n', [/:1\b|line 1/, /origins/]],
      'a value too small': ['[limits]\nmessage_bytes = 0\n', [/:2\b|line 2/, /message_bytes/, /1/]],
      'a value too large': ['[limits]\nfragments = 99999999999\n', [/:2\b|line 2/, /fragments/]],
      'a negative time': ['[http]\nhead_timeout_seconds = -1\n', [/:2\b|line 2/, /head_timeout_seconds/]],
      'a word that is no choice': ['[log]\nlevel = "loud"\n', [/:2\b|line 2/, /level/, /info/]],
      'an origin with a path': ['origins = ["https://a.example/path"]\n', [/:1\b|line 1/, /origins/]],
      'a bad address': ['listen = ["http://127.0.0.1:99999"]\n', [/:1\b|line 1/, /listen/]],
      'broken TOML': ['[limits\nmessage_bytes = 5\n', [/:1\b|line 1/]],
      'a key twice': ['[limits]\nfragments = 5\nfragments = 6\n', [/:[23]\b|line [23]/, /fragments/]],
      'a certificate without its key': ['[tls]\ncertificate = "/tmp/x.pem"\n', [/tls\.(key|certificate)/]],
    };
    for (const [name, [content, mentions]] of Object.entries(cases)) {
      it(name, async () => {
        const file = toml(content);
        await refused(['--listen', 'http://127.0.0.1:0', '--config', file], { mentions: name === 'a certificate without its key' ? mentions : [new RegExp(path.basename(file).replace('.', '\\.')), ...mentions] });
      });
    }
    it('a missing file', () => refused(['--config', '/nonexistent/roomcast.toml'], { mentions: [/\/nonexistent\/roomcast\.toml/] }));
    it('a directory instead of a file', () => refused(['--config', directory], { mentions: [/roomcast-wire-/] }));
    it('every mistake is reported, not only the first', () => refused(['--config', toml('orgins = []\n[limits]\nfragments = "x"\n')], { mentions: [/orgins/, /fragments/] }));
  });

  describe('mistakes in flags and environment', { concurrency: 4 }, () => {
    const cases = {
      'an unknown key': [['--set', 'limits.mesage_bytes=5'], {}, [/mesage_bytes/, /limits\.message_bytes/]],
      'an unknown section': [['--set', 'limit.message_bytes=5'], {}, [/limits\.message_bytes/]],
      'no equals sign': [['--set', 'limits.message_bytes'], {}, [/--set|KEY=VALUE/]],
      'an empty value': [['--set', 'limits.message_bytes='], {}, [/limits\.message_bytes/]],
      'a word for a number': [['--set', 'limits.message_bytes=many'], {}, [/limits\.message_bytes/, /many/]],
      'a number with a unit': [['--set', 'limits.message_bytes=64k'], {}, [/limits\.message_bytes/, /64k/]],
      'out of range': [['--set', 'limits.fragments=0'], {}, [/limits\.fragments/]],
      'a flag that is none': [['--set', 'echo.enabled=maybe'], {}, [/echo\.enabled/, /true|false/]],
      'a wrong choice': [['--set', 'log.format=xml'], {}, [/log\.format/, /json/]],
      'a wrong value in the environment': [[], { ROOMCAST_LIMITS_FRAGMENTS: 'few' }, [/ROOMCAST_LIMITS_FRAGMENTS/]],
      'an unknown name in the environment': [[], { ROOMCAST_LIMITS_FRAGMENT: '5' }, [/ROOMCAST_LIMITS_FRAGMENT\b/, /ROOMCAST_LIMITS_FRAGMENTS/]],
      'not a number of seconds': [['--set', 'drain_seconds=NaN'], {}, [/drain_seconds/]],
      'endless seconds': [['--set', 'drain_seconds=inf'], {}, [/drain_seconds/]],
    };
    for (const [name, [args, env, mentions]] of Object.entries(cases)) it(name, () => refused(args, { env, mentions }));
  });

  it('--check-config with valid settings: exit 0, and nothing is started', async () => {
    const { code, stderr } = await runToEnd(['--check-config', '--config', toml('[limits]\nfragments = 5\n'), '--listen', 'http://127.0.0.1:1']);
    assert.equal(code, 0, stderr);
  });

  it('--print-config prints every value with its source, and its output can be read back', async () => {
    const file = toml('[limits]\nfragments = 5\n');
    const { code, stdout, stderr } = await runToEnd(['--print-config', '--config', file, '--set', 'limits.body_bytes=77777'], { env: { ROOMCAST_LOG_LEVEL: 'debug' } });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /fragments = 5\b.*\n?.*config-\d+\.toml/);
    assert.match(stdout, /body_bytes = 77777/);
    assert.match(stdout, /level = "debug"/);
    const line = (pattern) => stdout.split('\n').find((one) => pattern.test(one));
    assert.match(line(/fragments = 5/), new RegExp(path.basename(file).replace('.', '\\.')));
    assert.match(line(/body_bytes/), /--set|command line|flag/);
    assert.match(line(/level = "debug"/), /ROOMCAST_LOG_LEVEL|environment/);
    assert.match(line(/message_bytes/), /default/);
    const again = await runToEnd(['--check-config', '--config', toml(stdout)]);
    assert.equal(again.code, 0, again.stderr);
  });

  it('the file in the repository is valid and contains only the defaults', async () => {
    const shipped = path.join(repository, 'config/roomcast.toml');
    const values = (text) => text.split('\n').map((one) => one.replace(/\s*#.*/, '')).filter(Boolean);
    const plain = await runToEnd(['--print-config']);
    const withFile = await runToEnd(['--print-config', '--config', shipped]);
    assert.equal(withFile.code, 0, withFile.stderr);
    assert.deepEqual(values(withFile.stdout), values(plain.stdout));
  });
});
