// The examples of README.md and of every page of docs/ work as shown. In the fenced blocks
//   console   `$ command` lines, each with its output below; `$ cat FILE` shows a file that later commands can use, and
//             `$ roomcast ARGUMENTS &` starts the server of the commands after it
//   log       lines logged by the server of the previous console block
//   js        a program, whose output is given by its `// → ` comments, in order
//   python    the same, with `# → `
//   php, go   a program that prints a token for the user ada, where the language is installed
// Every console, js and python block has its own server, at the place of 127.0.0.1:8080. Then the programs of all documents
// share one server, forwards and backwards: messages left in rooms must not break them.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { patience, within } from '../support/deadline.js';
import { isInstalled } from '../support/proxies.js';
import { fetchOnce } from '../support/raw_http.js';
import { scratchDirectory } from '../support/scratch.js';
import { binary, cleanEnvironment, repository, startServer } from '../support/server.js';

const read = (name) => fs.readFileSync(path.join(repository, name), 'utf8');
const documents = ['README.md', ...fs.readdirSync(path.join(repository, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
const written = '127.0.0.1:8080';

const blocksIn = (document) => [...read(document).matchAll(/^```(\w+)\n(.*?)^```$/gms)].map((match) => ({
  language: match[1],
  text: match[2],
  place: `${document}, line ${read(document).slice(0, match.index).split('\n').length}`,
}));
const blocks = documents.flatMap(blocksIn);
const blocksOf = (...languages) => blocks.filter(({ language }) => languages.includes(language));

/** Removes what differs between runs, and curl's message about an endless response that an example ends. */
const masked = (text) => text.replace(/\b[0-9a-f]{16}-(?=\d)/g, 'EPOCH-').replace(/"time":\d+/g, '"time":TIME')
  .replace(/^retry: \d+$/gm, 'retry: MS').replace(/^curl: \(28\) .*\n/gm, '').trimEnd();

/** `$ command` lines as `{command, output}`. */
const stepsOf = (text) => text.split(/^\$ /m).slice(1).map((step) => {
  const [command, ...output] = step.split('\n');
  return { command, output: output.join('\n') };
});

/** The output of a child process, up to its end or until `enough(printed)`. */
async function printedBy(child, enough = () => false) {
  let printed = '';
  const done = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (data) => {
        printed += data;
        if (enough(printed)) resolve();
      });
    }
  });
  try {
    await within(patience, Promise.race([done, once(child, 'close')]), 'the output of an example');
    return printed;
  } finally {
    child.kill('SIGKILL');
  }
}

/** `command` with the program and curl as a reader has them, except that curl prints no progress without a terminal. */
function runInShell(command, cwd) {
  const script = `exec 2>&1; roomcast() { "$BINARY" "$@"; }; curl() { command curl -sS "$@"; }\n${command}`;
  const env = cleanEnvironment({ BINARY: binary });
  return printedBy(spawn('bash', ['-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

async function checkConsole({ text }, server) {
  const cwd = scratchDirectory();
  let own;
  let here = new URL(server.url).host;
  try {
    for (const { command, output } of stepsOf(text)) {
      const shown = /^cat (\S+)$/.exec(command);
      const started = /^roomcast (.+) &$/.exec(command);
      if (shown) {
        fs.writeFileSync(path.join(cwd, shown[1]), output);
      } else if (started) {
        assert.ok(!own, 'one server');
        own = await startServer({ args: started[1].split(' '), cwd });
        here = new URL(own.url).host;
      } else {
        const printed = await runInShell(command.replaceAll(written, here), cwd);
        assert.equal(masked(printed.replaceAll(here, written)), masked(output), `$ ${command}`);
      }
    }
  } finally {
    await own?.stop();
  }
}

const compilers = { php: ['php'], go: ['go', 'run'] };

/** A program that prints a token, with the secret in the file `secret`. */
async function checkTokenProgram({ language, text }) {
  const secret = 'a secret for tokens, of more than 32 bytes';
  const cwd = scratchDirectory({ secret: `${secret}\n`, [`token.${language}`]: text, 'roomcast.toml': `[[auth.tokens]]\nalgorithms = ["HS256"]\nsecret = "${secret}"\n` });
  const [command, ...options] = compilers[language];
  const env = { ...cleanEnvironment(), HOME: cwd };
  const token = (await printedBy(spawn(command, [...options, `token.${language}`], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }))).trim();
  const server = await startServer({ args: ['--config', 'roomcast.toml'], cwd });
  try {
    const { json } = await fetchOnce(server.url, 'GET', '/api/me', { headers: { Authorization: `Bearer ${token}` } });
    assert.deepEqual([json.user, json.name], ['ada', 'Ada Lovelace'], token);
  } finally {
    await server.stop();
  }
}

/** The expected output of a program, from its comments that begin with `mark`. */
const expectedOf = (text, mark) => [...text.matchAll(new RegExp(`${mark} → (.*)$`, 'gm'))].map(([, line]) => `${line}\n`).join('');

/** `{command, source, expected}` of a js or python block. */
const programOf = ({ language, text }) => (language === 'js' ? script(text) : { command: ['python3', '-u', '-c'], source: text, expected: expectedOf(text, '#') });

function script(text) {
  // Browsers have WebSocket, EventSource and a stable fetch; the Node of Debian 12 has none of them.
  const missing = { WebSocket: "import WebSocket from 'ws';", EventSource: "import { EventSource } from 'eventsource';" };
  const imports = Object.entries(missing).filter(([name, line]) => text.includes(`new ${name}(`) && !text.includes(line)).map(([, line]) => line);
  return {
    command: [process.execPath, '--no-warnings', '--input-type=module', '--eval'],
    source: [...imports, text.replace("'./web/", "'../web/")].join('\n'),
    expected: expectedOf(text, '//'),
  };
}

/** Whether `printed` contains the lines of `expected`, in order, with any lines between them. */
function says(printed, expected) {
  let rest = printed.split('\n');
  return expected.trimEnd().split('\n').every((line) => {
    const at = rest.indexOf(line);
    rest = rest.slice(at + 1);
    return at >= 0;
  });
}

/** The output of a program against `server`, until that is `enough`. */
function printedByProgram({ command, source }, server, enough) {
  return printedBy(spawn(command[0], [...command.slice(1), source.replaceAll(written, new URL(server.url).host)], {
    cwd: path.join(repository, 'tests'),
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  }), enough);
}

async function checkProgram(block, server) {
  const program = programOf(block);
  assert.notEqual(program.expected, '', 'the example says what it prints');
  assert.equal(await printedByProgram(program, server, (printed) => printed.length >= program.expected.length), program.expected);
}

describe('the documents', () => {
  const last = { server: undefined };
  after(() => last.server?.stop());

  /** A server for one block; it runs until the next one, for log blocks. */
  async function serverFor(set = {}) {
    await last.server?.stop();
    last.server = await startServer({ set });
    return last.server;
  }

  /** `{metric, label, values}` of every metric with a label, in order. */
  function labelsOf(samples) {
    const rows = new Map();
    for (const [, metric, label, value] of samples.matchAll(/^(\w+)\{(\w+)="([^"]*)"/gm)) {
      if (label !== 'le') rows.set(metric, { metric, label, values: [...(rows.get(metric)?.values ?? []), value] });
    }
    return [...rows.values()];
  }

  it('have examples for a shell, a log, JavaScript and Python', () => {
    for (const language of ['console', 'log', 'js', 'python']) assert.notEqual(blocksOf(language).length, 0, language);
  });

  // A block of a language that is not run would look tested without being so.
  it('have no other language that could be run', () => {
    const only_shown = ['sh', 'toml', 'ini', 'yaml', 'html', 'text', 'json', 'nginx', 'haproxy', 'caddyfile'];
    assert.deepEqual(blocks.filter(({ language }) => !['console', 'log', 'js', 'python', ...Object.keys(compilers), ...only_shown].includes(language)), []);
  });

  for (const block of blocks) {
    if (block.language === 'console') it(`console in ${block.place}`, async () => checkConsole(block, await serverFor()));
    if (block.language === 'python') it(`python in ${block.place}`, async () => checkProgram(block, await serverFor()));
    if (block.language === 'js') it(`js in ${block.place}`, async () => checkProgram(block, await serverFor()));
    const compiler = compilers[block.language]?.[0];
    if (compiler) it(`${block.language} in ${block.place}`, { skip: !isInstalled(compiler) && `${compiler} is not here` }, () => checkTokenProgram(block));
    if (block.language === 'log') {
      it(`log in ${block.place}`, async () => {
        for (const line of block.text.trimEnd().split('\n')) {
          const message = line.slice(line.indexOf(' '));
          await last.server.waitForLog({ exec: (logged) => logged.slice(logged.indexOf(' ')) === message });
        }
      });
    }
  }

  it('have programs that run one after the other on one server, forwards, backwards and again', async () => {
    const server = await serverFor();
    const programs = blocksOf('js', 'python');
    for (const block of [...programs, ...[...programs].reverse(), ...programs]) {
      const program = programOf(block);
      const printed = await printedByProgram(program, server, (text) => says(text, program.expected));
      assert.ok(says(printed, program.expected), `${block.place}, printed:\n${printed}`);
    }
  });

  /** The metrics of a server with a store, and behind those of the store those that only one over Redis has. */
  async function allMetrics() {
    const blocksOf = async (set) => (await fetchOnce((await serverFor(set)).url, 'GET', '/metrics')).text.split(/^(?=# HELP )/m);
    const blocks = await blocksOf({ 'store.path': scratchDirectory() });
    const of_redis = (await blocksOf({ engine: 'redis', 'redis.urls': 'unix:/nowhere/redis.sock' })).filter((block) => block.startsWith('# HELP roomcast_redis_'));
    assert.notEqual(of_redis.length, 0);
    blocks.splice(blocks.findLastIndex((block) => block.startsWith('# HELP roomcast_store_')) + 1, 0, ...of_redis);
    return blocks.join('');
  }

  it('list the labels of the metrics, with all their values', async () => {
    const text = await allMetrics();
    const listed = [...read('docs/operations.md').matchAll(/^\| `(roomcast_\w+)` \| `(\w+)` \| (.*) \|$/gm)]
      .map(([, metric, label, values]) => ({ metric, label, values: [...values.matchAll(/`(\w+)`/g)].map(([, value]) => value) }));
    // A certificate would have its row, but there is none here; the codes are those of the tables of errors.
    const is_listed = ({ label }) => !['certificate', 'code', 'server'].includes(label);
    assert.deepEqual(listed.filter(is_listed), labelsOf(text).filter(is_listed));
    assert.deepEqual(listed.filter(({ label }) => label === 'certificate').map(({ metric }) => metric), ['roomcast_certificate_expiry_seconds']);
  });

  it('list every metric, with its type and meaning', async () => {
    const text = await allMetrics();
    const described = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)];
    const rows = described.map(([, name, help, type]) => `| \`${name}\` | ${type} | ${help} |`);
    assert.notEqual(rows.length, 0);
    const listed = read('docs/operations.md').split('\n').filter((line) => /^\| `roomcast_\w+` \| [a-z]/.test(line));
    assert.deepEqual(listed, rows);
  });
});
