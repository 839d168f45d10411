// systemd's own checks of the units in systemd/.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const units = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../systemd');
const folder = mkdtempSync(path.join(os.tmpdir(), 'roomcast-units-'));

/** systemd-analyze, with an executable in place of the installed program. */
function analyze(...args) {
  const service = readFileSync(path.join(units, 'roomcast.service'), 'utf8');
  assert.match(service, /^ExecStart=roomcast /m);
  writeFileSync(path.join(folder, 'roomcast.service'), service.replace(/^(ExecStart|ExecReload)=roomcast/gm, `$1=${process.execPath}`));
  writeFileSync(path.join(folder, 'roomcast.socket'), readFileSync(path.join(units, 'roomcast.socket')));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['--no-pager', ...args], { cwd: folder, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

describe('service units', () => {
  after(() => rmSync(folder, { recursive: true }));

  for (const unit of ['roomcast.service', 'roomcast.socket']) {
    it(`systemd-analyze verify reports nothing on ${unit}`, () => {
      assert.deepEqual(analyze('verify', `./${unit}`), { status: 0, output: '' });
    });
  }

  it('a reload checks the configuration before it sends SIGHUP', () => {
    const service = readFileSync(path.join(units, 'roomcast.service'), 'utf8');
    const [, start] = /^ExecStart=(.*)$/m.exec(service);
    const reloads = [...service.matchAll(/^ExecReload=(.*)$/gm)].map(([, command]) => command);
    assert.deepEqual(reloads, [`${start} --check-config`, 'kill -HUP $MAINPID']);
  });

  it('invalid usage or configuration, exit code 2, is not restarted', () => {
    assert.match(readFileSync(path.join(units, 'roomcast.service'), 'utf8'), /^RestartPreventExitStatus=2$/m);
  });

  it('systemd-analyze security rates the service below 1.5', () => {
    const { status, output } = analyze('security', '--offline=true', '--threshold=15', './roomcast.service');
    assert.equal(status, 0, output);
    const rating = Number(/Overall exposure level for roomcast\.service: ([0-9.]+)/.exec(output)?.[1]);
    assert.ok(rating < 1.5, output);
  });
});
