// coverage.js BUILD [--check] [--branches] [FILTER]: what the tests have executed of src/, from the counters in BUILD/profiles.
//
// A line counts if it holds code, and is covered if any of it was executed. A branch is one outcome, true or false, of a
// condition as it stands in the source; compilers' own branches (exceptions, cleanups) are none, and what assert checks is not
// compiled in. Functions that only the compiler runs don't count. Copies of a template or an inline function are added up.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Protocol and hub: folders that --check holds to the goals, in percent. */
const judged = ['dialect', 'http', 'hub', 'jose', 'net', 'session', 'transport', 'ws'];
const goals = { lines: 97, branches: 90 };

const options = process.argv.slice(2).filter((word) => word.startsWith('--'));
const [build, filter] = process.argv.slice(2).filter((word) => !word.startsWith('--'));

/** LLVM's tools read only the format of their own version, which is the compiler's. */
function llvm_tool(name) {
  const [, major] = /version (\d+)/.exec(execFileSync('clang', ['--version'], { encoding: 'utf8' }));
  const versioned = `/usr/lib/llvm-${major}/bin/${name}`;
  return existsSync(versioned) ? versioned : name;
}

/** Every program of the build that counts. */
function programs() {
  const tests = path.join(build, 'tests');
  const found = [path.join(build, 'roomcast'), ...readdirSync(tests).filter((name) => /^(unit_\w+|contract)$/.test(name)).map((name) => path.join(tests, name))];
  found.push(...readdirSync(path.join(tests, 'fuzz')).filter((name) => /_fuzz$/.test(name)).map((name) => path.join(tests, 'fuzz', name)));
  return found.filter((name) => existsSync(name));
}

/** The files of src/ as llvm-cov exports them. */
function exported() {
  const profiles = path.join(build, 'profiles');
  const raw = readdirSync(profiles).filter((name) => name.endsWith('.profraw')).map((name) => path.join(profiles, name));
  const merged = path.join(profiles, 'all.profdata');
  execFileSync(llvm_tool('llvm-profdata'), ['merge', '-sparse', '-o', merged, ...raw], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [first, ...others] = programs();
  const args = ['export', '-skip-functions', '-skip-expansions', `-instr-profile=${merged}`, first];
  args.push(...others.flatMap((name) => ['-object', name]), path.join(root, 'src'));
  const json = execFileSync(llvm_tool('llvm-cov'), args, { maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] });
  return JSON.parse(json).data[0].files;
}

/** Counts by line, for those that hold code: the largest of the regions that a line begins or continues. */
function line_counts(segments) {
  const counts = new Map();
  let wrapped; // the last segment of the lines before: [line, column, count, has count, begins a region, is a gap]
  let at = 0;
  for (let line = segments[0]?.[0]; at < segments.length; ++line) {
    const here = [];
    while (at < segments.length && segments[at][0] === line) here.push(segments[at++]);
    const starts = here.filter(([, , , has_count, is_entry, is_gap]) => has_count && is_entry && !is_gap);
    const skipped = here.length > 0 && !here[0][3] && here[0][4];
    if (!skipped && (wrapped?.[3] || starts.length > 0)) {
      counts.set(line, Math.max(wrapped?.[3] ? wrapped[2] : 0, ...starts.map(([, , count]) => count)));
    }
    if (here.length > 0) wrapped = here.at(-1);
  }
  return counts;
}

/** The lines of functions that only the compiler has run, of those in `uncovered`: constexpr, to make tables. */
function run_by_the_compiler(uncovered, source) {
  const lines = new Set();
  for (const first of uncovered) {
    const [, indent] = /^(\s*)constexpr [^;]*\) \{$/.exec(source[first - 1]) ?? [];
    if (indent === undefined) continue;
    for (let line = first; line <= source.length; ++line) {
      lines.add(line);
      if (source[line - 1] === `${indent}}`) break;
    }
  }
  return lines;
}

/** What stands before conditions that are none at run time; a switch has one for what is none of the values of its enumeration. */
const undecided = /\b(?:if constexpr|switch) \($/;

/** `{line, column, text, yes, no}` of every condition that is decided at run time. */
function conditions(branches, source) {
  const found = new Map();
  for (const [line, column, line_end, column_end, yes, no] of branches) {
    const key = `${line}:${column}:${line_end}:${column_end}`;
    const text = line === line_end ? source[line - 1].slice(column - 1, column_end - 1) : source[line - 1].slice(column - 1);
    if (/^(true|false)$/.test(text) || undecided.test(source[line - 1].slice(0, column - 1))) continue;
    const before = found.get(key) ?? { line, column, text, yes: 0, no: 0 };
    found.set(key, { ...before, yes: before.yes + yes, no: before.no + no });
  }
  return [...found.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

function measure({ filename, segments, branches }) {
  const name = path.relative(root, filename);
  const source = readFileSync(filename, 'utf8').split('\n');
  // A line with nothing but a closing brace is no code.
  const counts = [...line_counts(segments)].filter(([line]) => !/^\s*\}[;,)]*$/.test(source[line - 1]));
  const uncovered = counts.filter(([, count]) => count === 0).map(([line]) => line);
  const compiled = run_by_the_compiler(uncovered, source);
  const decided = conditions(branches, source).filter(({ line }) => !compiled.has(line));
  return {
    name, source,
    folder: name.split('/')[1],
    lines: counts.length - uncovered.filter((line) => compiled.has(line)).length,
    uncovered: uncovered.filter((line) => !compiled.has(line)),
    branches: 2 * decided.length,
    missed: decided.flatMap(({ line, column, text, yes, no }) => [...(yes ? [] : ['true']), ...(no ? [] : ['false'])].map((outcome) => ({ line, column, text, outcome }))),
  };
}

const sum = (files, value) => files.reduce((total, file) => total + value(file), 0);

function row(title, files) {
  const lines = sum(files, (file) => file.lines);
  const branches = sum(files, (file) => file.branches);
  const executed = lines - sum(files, (file) => file.uncovered.length);
  const taken = branches - sum(files, (file) => file.missed.length);
  return { title, lines, executed, branches, taken, line_share: 100 * executed / (lines || 1), branch_share: branches ? 100 * taken / branches : 100 };
}

// Rounded down: 100.0 means all.
const percent = (share) => (Math.floor(share * 10) / 10).toFixed(1).padStart(6);

function print_table(rows) {
  console.log(`${'folder'.padEnd(20)} ${'lines'.padStart(14)}      %  ${'branches'.padStart(14)}      %`);
  for (const { title, lines, executed, branches, taken, line_share, branch_share } of rows) {
    console.log(`${title.padEnd(20)} ${`${executed} / ${lines}`.padStart(14)} ${percent(line_share)}  ${`${taken} / ${branches}`.padStart(14)} ${percent(branch_share)}`);
  }
}

const files = exported().map(measure).filter(({ name }) => name.startsWith('src/'));
const folders = [...new Set(files.map(({ folder }) => folder))].sort();
const rows = folders.map((folder) => row(folder, files.filter((file) => file.folder === folder)));
const judged_row = row('protocol and hub', files.filter(({ folder }) => judged.includes(folder)));

const listed = files.filter(({ name }) => name.includes(filter ?? ''));
for (const { name, source, uncovered } of listed) {
  for (const line of uncovered) console.log(`${name}:${line}: not executed: ${source[line - 1].trim()}`);
}
if (options.includes('--branches')) {
  for (const { name, missed } of listed) {
    for (const { line, column, text, outcome } of missed) console.log(`${name}:${line}:${column}: never ${outcome}: ${text}`);
  }
}
print_table([...rows, judged_row, row('all', files)]);
if (options.includes('--check')) {
  const below = [judged_row.line_share < goals.lines && `${goals.lines} % of the lines`, judged_row.branch_share < goals.branches && `${goals.branches} % of the branches`].filter(Boolean);
  if (below.length > 0) {
    console.log(`protocol and hub: below ${below.join(' and ')}`);
    process.exitCode = 1;
  }
}
