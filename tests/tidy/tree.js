// The repository, for the tidy tests: paths relative to its root, and their text.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

const skipped = new Set(['.git', 'build', 'node_modules', '.cache']);

function* walk(folder) {
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const name = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!skipped.has(entry.name)) yield* walk(name);
    } else {
      yield name;
    }
  }
}

/** Every file that is not built or installed, as a path from the root. */
export const files = [...walk('.')].sort();

export const read = (name) => readFileSync(path.join(root, name), 'utf8');

export const exists = (name) => files.includes(name);

/** The files under `folder` whose name ends in one of `endings`. */
export const under = (folder, ...endings) =>
  files.filter((name) => name.startsWith(`${folder}/`) && endings.some((ending) => name.endsWith(ending)));

/** `{ line, number }` of every line. */
export const lines = (name) => read(name).split('\n').map((line, index) => ({ line, number: index + 1 }));

const blank = (text) => text.replace(/[^\n]/g, ' ');

/** C++ or JavaScript text with comments and the insides of literals blanked out; line numbers stay. */
export function withoutComments(text) {
  const part = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|R"([^(\s]{0,16})\([\s\S]*?\)\1"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;
  // A ' between digits is a separator and begins no literal.
  return text.replace(/(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])/g, '_').replace(part, blank);
}
