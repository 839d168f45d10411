// The reference in the README and the sample configuration say what the program itself says.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { exists, read, root } from './tree.js';

const binary = process.env.ROOMCAST_BINARY ?? path.join(root, 'build/release/roomcast');
// Only where nobody asked for a certain binary may it be missing: the tidy stage comes before the build.
const skip = process.env.ROOMCAST_BINARY === undefined && !existsSync(binary) && 'there is no binary yet';
const reference = (form) => execFileSync(binary, ['--print-reference', form], { encoding: 'utf8' });

describe('docs', () => {
  it('config/roomcast.toml is what the program prints', { skip }, () => {
    assert.equal(read('config/roomcast.toml'), reference('toml'));
  });

  it('the README holds the reference that the program prints', { skip }, () => {
    assert.ok(read('README.md').includes(reference('markdown').trim()), 'roomcast --print-reference markdown');
  });

  it('the links of the documents lead to files that exist', () => {
    const broken = ['README.md', 'CHANGELOG.md', 'docs/client.md', 'docs/deployment.md', 'docs/limits.md', 'docs/page.md', 'src/README.md', 'tests/README.md'].filter(exists).flatMap((name) =>
      [...read(name).matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map(([, target]) => target)
        .filter((target) => !existsSync(path.join(root, path.dirname(name), target))).map((target) => `${name}: ${target}`));
    assert.deepEqual(broken, []);
  });
});
