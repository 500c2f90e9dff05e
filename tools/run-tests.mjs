/**
 * Runs all suites, each whatever the others gave, and ends with `N passed, N failed` summed from their own results.
 * Usage: run-tests.mjs [--only unit,e2e] [--except e2e] [--minutes 60]. Exit code 1 when a test failed, a suite ran no test, or one or all took too long.
 *
 * Each suite is a process group of its own, and labs of tests live under one temporary root, so that an interrupt leaves nothing behind.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const results = join(root, '.cache/results');
const bin = (name) => join(root, 'node_modules/.bin', name);

/** A check is one test: it passes when its command exits 0. */
const check = (name, limitMinutes, command) => ({ name, limitMinutes, command, count: () => undefined });
const REPORTERS = ['--reporter=default', '--reporter=./tools/tell-failures.mjs', '--reporter=json'];
const vitest = (name, limitMinutes, { alone = true, projects = name } = {}) => ({
  name,
  limitMinutes,
  alone,
  command: [bin('vitest'), 'run', '--project', projects, ...REPORTERS, `--outputFile.json=${join(results, `${name}.json`)}`],
  count: () => countVitest(join(results, `${name}.json`)),
});
/** How much of a failure the end of the log tells. */
const REASON_LINES = 24;
const FOLDERS = ['src', 'workflows', 'activities', 'worker', 'lab', 'bench', 'chaos', 'model'].filter((folder) => existsSync(join(root, folder)));

/**
 * Together some 45 minutes on two cores; the limits are for what hangs. The model checker (`beside`) needs one core and no clock: it
 * runs beside the first suites, until one comes that wants the machine to itself (`alone`).
 */
const SUITES = [
  check('types', 3, [bin('tsc'), '--noEmit']),
  // Without a cache: with types, a file's verdict depends on other files too.
  check('lint', 3, [bin('eslint'), '.']),
  check('layers', 2, [bin('depcruise'), '--config', '.dependency-cruiser.cjs', ...FOLDERS]),
  check('format', 2, [bin('biome'), 'format', '.']),
  check('unused', 2, [bin('knip')]),
  vitest('replay', 2, { alone: false }),
  { name: 'model', limitMinutes: 8, command: ['bash', 'model/run.sh'], count: (log) => countLastLine(log), beside: true },
  vitest('unit', 4, { projects: 'unit*' }),
  vitest('integration', 15),
  vitest('e2e', 45),
  vitest('e2e-alone', 12),
];

/** For all suites together: well below what CI allows, so that a run says itself what it was at. */
const TOTAL_MINUTES = 75;

const { selected, totalMinutes } = select(process.argv.slice(2));
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const labRoot = mkdtempSync('/tmp/kedge-test-');
const running = new Set();
let interrupted = false;
let overdue = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    for (const child of running) void endGroup(child);
  });
}

const totalLimit = setTimeout(() => {
  overdue = true;
  for (const child of running) void endGroup(child);
}, totalMinutes * 60_000);

const rows = [];
const beside = selected.filter((suite) => suite.beside).map(runSuite);
for (const suite of selected.filter((each) => !each.beside)) {
  if (suite.alone) rows.push(...(await Promise.all(beside.splice(0))));
  if (interrupted || overdue) break;
  rows.push(await runSuite(suite));
}
rows.push(...(await Promise.all(beside)));
clearTimeout(totalLimit);
removeLabs();
report();

async function runSuite(suite) {
  console.log(`\n=== ${suite.name}: ${suite.command.map((word) => word.replace(`${root}/`, '')).join(' ')}`);
  const started = performance.now();
  const log = join(results, `${suite.name}.log`);
  const end = await runGroup(suite, log);
  const seconds = (performance.now() - started) / 1000;
  const counted = suite.count(log) ?? { passed: end === 'ok' ? 1 : 0, failed: end === 'ok' ? 0 : 1 };
  if (end !== 'ok' && counted.failed === 0) counted.failed = 1;
  let remark = end === 'ok' ? '' : end;
  if (counted.passed + counted.failed === 0) {
    counted.failed = 1;
    remark = 'ran no test';
  }
  return { name: suite.name, ...counted, seconds, remark };
}

/** Runs the command with its output shown and kept; resolves to `ok` or to what went wrong. */
function runGroup(suite, log) {
  return new Promise((resolve) => {
    const [program, ...args] = suite.command;
    const child = spawn(program, args, {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, KEDGE_LAB_ROOT: labRoot, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) },
    });
    running.add(child);
    const file = createWriteStream(log);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        process.stdout.write(chunk);
        file.write(chunk);
      });
    }
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      void endGroup(child);
    }, suite.limitMinutes * 60_000);
    const finish = (end) => {
      clearTimeout(limit);
      running.delete(child);
      // What the suite left running in its group would disturb the next one.
      signalGroup(child, 'SIGKILL');
      file.end(() => resolve(end));
    };
    child.on('error', (error) => finish(`cannot run: ${error.message}`));
    child.on('exit', (code, signal) => {
      // A daemon that a test left behind may hold the pipes open: what is in them by now is what the suite said.
      setTimeout(() => finish(endOf({ late, suite, code, signal })), 100);
    });
  });
}

function endOf({ late, suite, code, signal }) {
  if (late) return `took longer than ${suite.limitMinutes} min`;
  if (overdue) return `ended: all together took longer than ${totalMinutes} min`;
  return code === 0 ? 'ok' : `exit ${code ?? signal}`;
}

async function endGroup(child) {
  signalGroup(child, 'SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 5_000).unref());
  signalGroup(child, 'SIGKILL');
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

/** Labs are detached from the tests that made them, so a killed test leaves one; each is taken down by its name. */
function removeLabs() {
  // The last lab that is taken down takes an empty root with it.
  const names = (existsSync(labRoot) ? readdirSync(labRoot) : []).filter((name) => statSync(join(labRoot, name)).isDirectory());
  for (const name of names) {
    console.log(`\ntaking down the lab "${name}" that a test left behind`);
    spawnSync(process.execPath, [join(root, 'dist/src/cli/main.js'), 'lab', 'down', '--name', name], {
      stdio: 'inherit',
      env: { ...process.env, KEDGE_LAB_ROOT: labRoot },
      timeout: 60_000,
    });
  }
  rmSync(labRoot, { recursive: true, force: true });
}

function countVitest(file) {
  if (!existsSync(file)) return { passed: 0, failed: 0 };
  const result = JSON.parse(readFileSync(file, 'utf8'));
  // A file that doesn't load has no tests; it counts as one that failed.
  const broken = result.testResults.filter((test) => test.status === 'failed' && test.assertionResults.length === 0).length;
  const skipped = result.numPendingTests + (result.numTodoTests ?? 0);
  if (skipped > 0) console.log(`${skipped} skipped in ${file.replace(`${root}/`, '')}`);
  return { passed: result.numPassedTests, failed: result.numFailedTests + broken };
}

function countLastLine(log) {
  const counts = [...readFileSync(log, 'utf8').matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  return counts === undefined ? { passed: 0, failed: 0 } : { passed: Number(counts[1]), failed: Number(counts[2]) };
}

/** So that the end of a long log tells what to look for. */
function failures() {
  return rows.filter((row) => row.failed > 0).flatMap(failuresOf);
}

function failuresOf({ name }) {
  const file = join(results, `${name}.json`);
  const files = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).testResults : [];
  const tests = files.flatMap((each) => each.assertionResults).filter((test) => test.status === 'failed');
  const named = tests.map((test) => `${name}: ${test.fullName}\n${firstLines(test.failureMessages ?? [])}`);
  // A file that doesn't load and an error outside of all tests (a promise that nobody caught) belong to no test.
  const unloaded = files
    .filter((each) => each.status === 'failed' && each.assertionResults.length === 0)
    .map((each) => `${name}: ${each.name.replace(`${root}/`, '')} does not load\n${firstLines([each.message])}`);
  const told = [...named, ...unloaded];
  return told.length > 0 ? told : [`${name}, outside of its tests:\n${firstLines([tellingPart(readFileSync(join(results, `${name}.log`), 'utf8'))])}`];
}

/** From vitest's headline of errors outside of tests on; the end of the log when there is none. */
function tellingPart(log) {
  const lines = stripVTControlCharacters(log).split('\n');
  const start = lines.findIndex((line) => /^\W*Unhandled (Errors?|Rejections?)\W*$/.test(line));
  return lines.slice(start < 0 ? -REASON_LINES : start).join('\n');
}

function firstLines(messages) {
  const lines = messages.flatMap((message) => stripVTControlCharacters(message).split('\n'));
  return lines
    .slice(0, REASON_LINES)
    .map((line) => `    ${line.slice(0, 300)}`)
    .join('\n');
}

function report() {
  for (const failed of failures()) console.log(`failed in ${failed}`);
  console.log('\nsuite          passed  failed  seconds');
  for (const row of rows) {
    const numbers = [row.passed, row.failed, row.seconds.toFixed(1)].map((cell, index) => String(cell).padStart(index === 2 ? 9 : 8)).join('');
    console.log(`${row.name.padEnd(13)}${numbers}  ${row.remark}`);
  }
  const sum = (field) => rows.reduce((total, row) => total + row[field], 0);
  if (interrupted) console.log('interrupted');
  const missing = selected.map((suite) => suite.name).filter((name) => !rows.some((row) => row.name === name));
  if (overdue) console.log(`took longer than ${totalMinutes} min${missing.length === 0 ? '' : `, not run: ${missing.join(' ')}`}`);
  // Once more for the run itself: suites that nobody ran have not failed in any row.
  console.log(`\n${sum('passed')} passed, ${sum('failed') + (interrupted || overdue ? 1 : 0)} failed`);
  process.exitCode = interrupted ? 130 : overdue || sum('failed') > 0 || rows.length === 0 ? 1 : 0;
}

function select(args) {
  const names = SUITES.map((suite) => suite.name);
  const take = (option) => {
    const index = args.indexOf(option);
    return index < 0 ? undefined : (args.splice(index, 2)[1] ?? '');
  };
  const list = (option) => {
    const wanted = take(option)?.split(',');
    const unknown = wanted?.find((name) => !names.includes(name));
    if (unknown !== undefined) usage(names, `no suite "${unknown}"`);
    return wanted;
  };
  const only = list('--only');
  const except = list('--except') ?? [];
  const typed = take('--minutes');
  const totalMinutes = typed === undefined ? TOTAL_MINUTES : Number(typed);
  // More would overflow the timer, which then ends at once.
  if (!(totalMinutes > 0 && totalMinutes <= 24 * 60)) usage(names, `current value of --minutes is "${typed}", must be above 0 and at most 1440`);
  if (args.length > 0) usage(names, `unknown argument "${args[0]}"`);
  const selected = SUITES.filter((suite) => (only ?? names).includes(suite.name) && !except.includes(suite.name));
  return { selected, totalMinutes };
}

function usage(names, problem) {
  console.error(
    `npm test: ${problem}\nusage: npm test -- [--only <suites>] [--except <suites>] [--minutes <all together>], suites by comma of: ${names.join(' ')}`,
  );
  process.exit(2);
}
