// clang-tidy over the C++ of src/: node tests/lint.js CLANG_TIDY JOBS BUILD [FILTER]
//
// Most of what clang-tidy does for one file it does for headers, the same ones for each file of a folder. So several sources
// of a folder are put one behind the other into one, BUILD/lint/FOLDER-N.cpp, which is looked at in their place; names in
// unnamed namespaces are unique in a folder, as unity builds need it. It is the text of the sources and not #include
// lines because some checks only look at the file that clang-tidy is called with. What is found is printed with the place
// in the source. A batch that was found clean is not looked at again until its text, a header, a flag, the
// configuration or the tool changes. With FILTER: the batches with a file whose path contains it.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './tidy/tree.js';

/**
 * How many characters of source are in a batch, unless a single file has more. One file each: with several the analyzer follows calls from
 * one into the other, and takes the last reference to a block that it has lost count of for memory that is freed twice.
 */
const batch_length = 1;

const [tool, jobs, given_build, filter = ''] = process.argv.slice(2);
// clang-tidy passes over a file that it does not find in the database, and calls that a success.
const build = path.resolve(given_build);
const scratch = path.join(build, 'lint');

const text_of = (file) => readFileSync(path.join(root, file), 'utf8');
const sources_in = (folder) => readdirSync(path.join(root, folder)).filter((name) => name.endsWith('.cpp')).sort().map((name) => `${folder}/${name}`);

/** How CMake compiles a file of `folder`, as [command, file]; the flags of a folder are the same for all of its files. */
function command_of(folder) {
  const entries = JSON.parse(readFileSync(path.join(build, 'release/compile_commands.json'), 'utf8'));
  const { command, file } = entries.find((entry) => path.dirname(entry.file) === path.join(root, folder));
  return [command, file];
}

/** Sources of one folder, and the file that has them all. */
class Batch {
  #lines = 0;
  #starts = [];
  text = '';

  constructor(name, folder) {
    Object.assign(this, { name, folder, file: path.join(scratch, `${name}.cpp`), stamp: path.join(scratch, `${name}.ok`) });
  }

  has_space_for(text) {
    return this.text === '' || this.text.length + text.length <= batch_length;
  }

  add(source, text) {
    this.#starts.push([this.#lines, source]);
    this.#lines += text.split('\n').length - 1;
    this.text += text;
  }

  get sources() {
    return this.#starts.map(([, source]) => source);
  }

  /** `output` with the places in the batch's file replaced by those in the sources. */
  in_sources(output) {
    return output.split(`${this.file}:`).map((part, i) => {
      const digits = i > 0 && /^\d+/.exec(part)?.[0];
      if (!digits) return part;
      const [before, source] = this.#starts.findLast(([lines]) => lines < Number(digits));
      return `${path.join(root, source)}:${Number(digits) - before}${part.slice(digits.length)}`;
    }).join('');
  }

  /** Resolves to what is wrong; empty: it is clean. */
  look() {
    return new Promise((resolve) => {
      const options = ['-p', scratch, '--quiet', '--extra-arg=-Wno-unknown-warning-option', this.file];
      const child = spawn(tool, options, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (data) => { output += data; });
      child.on('error', (error) => resolve(error.message));
      child.on('close', (code, signal) => resolve(code === 0 ? '' : this.in_sources(output) || `clang-tidy ended with ${code ?? signal}`));
    });
  }
}

function batches_of(folder) {
  const batches = [];
  for (const source of sources_in(folder)) {
    const text = text_of(source);
    if (!batches.at(-1)?.has_space_for(text)) batches.push(new Batch(`${path.basename(folder)}-${batches.length}`, folder));
    batches.at(-1).add(source, text);
  }
  return batches;
}

const folders = readdirSync(path.join(root, 'src')).map((name) => `src/${name}`).filter((folder) => statSync(path.join(root, folder)).isDirectory());
const batches = folders.flatMap(batches_of).filter(({ sources }) => sources.some((source) => source.includes(filter)));
if (batches.length === 0) {
  console.log(`no file of src/ has ${filter} in its path`);
  process.exit(1);
}

mkdirSync(scratch, { recursive: true });
const common = createHash('sha256').update(spawnSync(tool, ['--version']).stdout ?? '').update(text_of('.clang-tidy'));
for (const folder of folders) {
  for (const name of readdirSync(path.join(root, folder)).sort()) {
    if (name.endsWith('.h')) common.update(name).update(text_of(`${folder}/${name}`));
  }
}
const database = [];
for (const batch of batches) {
  const [command, file] = command_of(batch.folder);
  database.push({ directory: path.join(build, 'release'), command: command.replaceAll(file, batch.file), file: batch.file });
  batch.state = common.copy().update(command).update(batch.text).digest('hex');
}
writeFileSync(path.join(scratch, 'compile_commands.json'), JSON.stringify(database));

const todo = batches.filter(({ stamp, state }) => !existsSync(stamp) || readFileSync(stamp, 'utf8') !== state);
console.log(`clang-tidy: ${batches.flatMap(({ sources }) => sources).length} files in ${batches.length} batches, ${todo.length} of them changed since they were last found clean`);
// The long ones first, so that no processor waits for the last.
todo.sort((a, b) => b.text.length - a.text.length);
async function work() {
  for (let batch = todo.shift(); batch; batch = todo.shift()) {
    rmSync(batch.stamp, { force: true });
    writeFileSync(batch.file, batch.text);
    const found = await batch.look();
    if (found) {
      console.log(found);
      process.exitCode = 1;
    } else {
      writeFileSync(batch.stamp, batch.state);
    }
  }
}
await Promise.all(Array.from({ length: Number(jobs) }, work));
