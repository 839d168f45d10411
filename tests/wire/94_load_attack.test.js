// roomcast-bench attack: each row against the real program, and against a server that harms innocent clients, which must show.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { patience, within } from '../support/deadline.js';
import { binary, cleanEnvironment, repository } from '../support/server.js';

const tool = path.join(path.dirname(binary), 'roomcast-bench');

/** Runs `roomcast-bench attack` to its end: `{code, stdout, stderr}`. */
async function attack(...args) {
  const child = spawn(tool, ['attack', ...args.map(String)], { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => (output.stdout += data));
  child.stderr.on('data', (data) => (output.stderr += data));
  try {
    const [code] = await within(20 * patience, once(child, 'close'), `the end of roomcast-bench attack ${args.join(' ')}`);
    return { code, ...output };
  } finally {
    child.kill('SIGKILL');
  }
}

/** The rows of a run with --json, which must end with exit code `code`. */
async function rows(code, ...args) {
  const end = await attack(...args, '--json');
  assert.equal(end.code, code, end.stderr + end.stdout);
  return JSON.parse(end.stdout).rows;
}

let directory;
before(async () => (directory = await mkdtemp(path.join(tmpdir(), 'roomcast-attack-'))));
after(() => rm(directory, { recursive: true }));

test('each attack is carried out, ends, and prints its row', async () => {
  for (const row of await rows(0, '--binary', binary, '--milliseconds', 200)) {
    assert.equal(row.failed, 0, `${row.name}: ${row.remarks}`);
    assert.ok(/^(nobody|server paused)/.test(row.name) || row.attacker.opened > 0, `${row.name} has not begun`);
    assert.ok(row.healthz.count > 0 && row.bytes_before > 0 && row.bytes_peak >= row.bytes_before, row.name);
  }
});

test('the table replaces the text between its marks in a Markdown file', async () => {
  const file = path.join(directory, 'table.md');
  await writeFile(file, 'above\n<!-- attack:begin -->\nlast year\n<!-- attack:end -->\nbelow\n');
  const end = await attack('--binary', binary, '--milliseconds', 100, '--only', 'nobody', '--write', file);
  assert.equal(end.code, 0, end.stderr);
  const text = await readFile(file, 'utf8');
  assert.match(text, /^above\n<!-- attack:begin -->\n\n\| attack \|[^]*\n\| nobody attacks \|[^]*<!-- attack:end -->\nbelow\n$/);
  assert.doesNotMatch(text, /last year/);
});

/**
 * Source of a server that is started like roomcast. `harm`: "slow" responds late, "rude" refuses and closes, "choosy" serves
 * one address only.
 */
const stub = (harm) => `#!${process.execPath}
import { createServer } from 'node:http';
import { WebSocketServer } from '${path.join(repository, 'tests/node_modules/ws/wrapper.mjs')}';

const harm = '${harm}';
const port = Number(/listen=http:..127.0.0.1:(\\d+)/.exec(process.argv.join(' '))[1]);
let asked = 0;
const server = createServer((request, response) => {
  const isRefused = harm === 'choosy' ? request.socket.remoteAddress !== '127.0.0.3' : harm === 'rude' && ++asked % 5 === 0;
  setTimeout(() => response.writeHead(isRefused ? 503 : 200, { 'Content-Length': 2 }).end('ok'), harm === 'slow' ? 200 : 0);
});
const rooms = new WebSocketServer({ server });
rooms.on('connection', (socket) => {
  let received = 0;
  socket.on('message', (data) => {
    for (const client of rooms.clients) if (client !== socket) client.send(data.toString());
    if (harm === 'rude' && ++received === 5) socket.close(1013);
  });
});
server.listen(port, '127.0.0.1');
`;

/** The row of a run without an attack, against such a server. */
async function harmed(harm, code, ...args) {
  const program = path.join(directory, `${harm}.mjs`);
  await writeFile(program, stub(harm));
  await chmod(program, 0o755);
  const [row] = await rows(code, '--binary', program, '--milliseconds', 600, '--only', 'nobody', ...args);
  return row;
}

test('a slow server misses the goal, which only --check makes a failure', async () => {
  const row = await harmed('slow', 1, '--check');
  assert.equal(row.goals, 'missed');
  assert.ok(row.healthz.worst_ms >= 200, row.healthz.worst_ms);
  assert.equal(row.closed_or_refused, 0, row.remarks);
  assert.equal((await harmed('slow', 0)).goals, 'missed');
});

test('an innocent client that is refused or closed is counted, and the row gives the reason', async () => {
  const row = await harmed('rude', 1, '--check');
  assert.equal(row.goals, 'missed');
  assert.ok(row.healthz.harmed > 1 && row.delivery.harmed > 1, JSON.stringify(row));
  assert.match(row.remarks, /healthz: status 503/);
  assert.match(row.remarks, /delivery: a connection was ended: .*1013/);
});

test('innocent clients use a separate address, or with --same-address that of the attacker', async () => {
  assert.equal((await harmed('choosy', 0)).healthz.harmed, 0);
  assert.ok((await harmed('choosy', 0, '--same-address')).healthz.harmed > 0);
});

test('a server that cannot be started is reported in its row', async () => {
  const [row] = await rows(1, '--binary', '/nowhere/roomcast', '--only', 'nobody', '--check');
  assert.equal(row.failed, 1);
  assert.match(row.remarks, /\/nowhere\/roomcast/);
});

test('invalid options: exit code 2, and a sentence that names the option', async () => {
  const refused = {
    '--only nothing-of-the-kind': /no row's name contains "nothing-of-the-kind"/,
    '--url ws://127.0.0.1:80': /attack does not take --url/,
    '--seconds 0': /--seconds takes a number from 1 to 3600/,
  };
  for (const [line, message] of Object.entries(refused)) {
    const end = await attack(...line.split(' '));
    assert.equal(end.code, 2, line);
    assert.match(end.stderr, message);
  }
});
