// `./dev build` and `./dev run` build what is installed, and `cmake --install` installs what they built: the program, and
// documents whose links work.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { scratchDirectory } from '../support/scratch.js';
import { binary, cleanEnvironment, repository } from '../support/server.js';

/** The files below `folder`, as paths in it. */
// Without files that vanish meanwhile: where a build goes on, they come and go.
const filesBelow = (folder) =>
  fs.readdirSync(folder, { recursive: true }).filter((name) => fs.statSync(path.join(folder, name), { throwIfNoEntry: false })?.isDirectory() === false).sort();

/**
 * A tree with this `dev` and presets, and fake targets of the same names: each writes its name into the file `built`, and the
 * daemon is a script that prints its arguments.
 */
function treeWithDev() {
  const tree = scratchDirectory({
    'CMakeLists.txt': `cmake_minimum_required(VERSION 3.25)
      project(small LANGUAGES NONE)
      file(WRITE \${PROJECT_BINARY_DIR}/script "#!/bin/sh\\necho started \\"$@\\"\\n")
      foreach(target roomcast roomcast-bench unit_base fuzzers)
        add_custom_target(\${target} ALL COMMAND sh -c "echo \${target} >> ../../built" VERBATIM)
      endforeach()
      add_custom_command(TARGET roomcast POST_BUILD COMMAND install -m 755 script roomcast)`,
  });
  for (const name of ['dev', 'CMakePresets.json']) fs.copyFileSync(path.join(repository, name), path.join(tree, name));
  return tree;
}

/** What `./dev …` builds and prints in such a tree. */
function dev(...args) {
  const tree = treeWithDev();
  const printed = execFileSync(path.join(tree, 'dev'), args, { env: cleanEnvironment(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return { printed, built: fs.readFileSync(path.join(tree, 'built'), 'utf8').trim().split('\n').sort() };
}

/**
 * `cmake --install` of the tested program's build, as if only the daemon had been built: its own install scripts, in a folder
 * that contains only the daemon.
 */
function install(prefix = '/usr') {
  const build = path.dirname(binary);
  const alone = scratchDirectory();
  for (const name of filesBelow(build).filter((name) => path.basename(name) === 'cmake_install.cmake')) {
    fs.mkdirSync(path.dirname(path.join(alone, name)), { recursive: true });
    fs.writeFileSync(path.join(alone, name), fs.readFileSync(path.join(build, name), 'utf8').replaceAll(build, alone));
  }
  fs.copyFileSync(binary, path.join(alone, 'roomcast'));
  const root = scratchDirectory();
  const { status, stderr } = spawnSync('cmake', ['--install', alone, '--prefix', prefix], { env: { ...process.env, DESTDIR: root }, encoding: 'utf8' });
  return { status, stderr, root };
}

describe('./dev', () => {
  it('build builds what is installed, and nothing else', () => {
    assert.deepEqual(dev('build').built, ['roomcast']);
    assert.deepEqual(dev('build', 'debug').built, ['roomcast']);
    assert.deepEqual(dev('build', 'fuzz').built, ['fuzzers']);
  });

  it('build all, or the target all of a preset, builds everything', () => {
    const all = ['fuzzers', 'roomcast', 'roomcast-bench', 'unit_base'];
    assert.deepEqual(dev('build', 'all').built, all);
    assert.deepEqual(dev('build', 'debug', 'all').built, all);
  });

  it('build builds the targets that are named', () => {
    assert.deepEqual(dev('build', 'release', 'roomcast-bench', 'unit_base').built, ['roomcast-bench', 'unit_base']);
  });

  it('run builds the daemon and starts it', () => {
    assert.deepEqual(dev('run', '--listen', 'unix:/tmp/a'), { printed: 'started --listen unix:/tmp/a\n', built: ['roomcast'] });
  });
});

describe('cmake --install, if only the daemon has been built', () => {
  let installed;
  before(() => { installed = install(); });

  it('succeeds', () => assert.deepEqual({ status: installed.status, stderr: installed.stderr }, { status: 0, stderr: '' }));

  it('installs the daemon, the units and the configuration', () => {
    const files = filesBelow(installed.root);
    for (const name of ['usr/bin/roomcast', 'usr/lib/systemd/system/roomcast.service', 'usr/lib/systemd/system/roomcast.socket', 'etc/roomcast/roomcast.toml']) {
      assert.ok(files.includes(name), `${name} among ${files.join(', ')}`);
    }
    assert.ok(!files.includes('usr/bin/roomcast-bench'));
    fs.accessSync(path.join(installed.root, 'usr/share/doc/roomcast/examples/publish_metrics.py'), fs.constants.X_OK);
  });

  it('installs documents whose links all lead to an installed file', () => {
    const documents = filesBelow(installed.root).filter((name) => name.endsWith('.md'));
    assert.ok(documents.includes('usr/share/doc/roomcast/README.md'), documents.join(', '));
    const broken = documents.flatMap((name) =>
      [...fs.readFileSync(path.join(installed.root, name), 'utf8').matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map(([, target]) => target)
        .filter((target) => !fs.existsSync(path.join(installed.root, path.dirname(name), target))).map((target) => `${name}: ${target}`));
    assert.deepEqual(broken, []);
  });
});
