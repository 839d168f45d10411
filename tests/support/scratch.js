// Temporary directories and files, removed at the end of the process.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const directories = [];
process.on('exit', () => {
  for (const directory of directories) fs.rmSync(directory, { recursive: true, force: true });
});

/** A new directory with `files`: path → content. */
export function scratchDirectory(files = {}) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-wire-'));
  fs.chmodSync(directory, 0o755);
  directories.push(directory);
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    fs.writeFileSync(path.join(directory, name), content);
  }
  return directory;
}

/** Returns a function that writes its argument to a new file in `directory` and returns the path. */
export function tomlFilesIn(directory) {
  let files = 0;
  return (content) => {
    const file = path.join(directory, `config-${(files += 1)}.toml`);
    fs.writeFileSync(file, content);
    return file;
  };
}

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });

/** A self-signed certificate for `names` in `directory`: `{certificate, key}`, paths of PEM files. */
export function makeCertificate(directory, name, names = [name]) {
  const key = path.join(directory, `${name}.key`);
  const certificate = path.join(directory, `${name}.pem`);
  const alternatives = names.map((one) => (/^[0-9.]+$|:/.test(one) ? `IP:${one}` : `DNS:${one}`)).join(',');
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${name}`, '-addext', `subjectAltName=${alternatives}`, '-keyout', key, '-out', certificate);
  return { certificate, key };
}
