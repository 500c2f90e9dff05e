/**
 * Makes dist/: every .ts file transpiled one to one (no bundling, so that stack traces and lazy imports stay what the
 * source says), then the workflows bundled once, so that a control worker starts without a bundler.
 *
 * Type checking is not done here (`npm run types`): a build takes a second, and a no-op a tenth of it. Files that aren't TypeScript
 * (scripts and C sources of the lab) are used from the tree. Outputs are renamed into place and only when they changed, so that
 * a running process or a second build at the same time never sees half a file.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCES = ['src', 'workflows', 'activities', 'worker', 'lab', 'bench', 'chaos', 'model'];
/** All that a workflow may import, by the layer rules: the bundle is remade when one of them changes. */
const BUNDLED = ['workflows/', 'src/domain/'];
const outputFolder = join(root, 'dist');
const stampFile = join(outputFolder, '.stamp.json');

/** What else an output depends on: a change of one of these remakes everything. */
const toolchain = hash([process.version, process.arch, readFileSync(join(root, 'package-lock.json')), readFileSync(fileURLToPath(import.meta.url))]);
const before = readStamp();
const sources = readSources();
const failures = [];

await transpile();
prune();
const bundle = await bundleWorkflows();
writeAtomically(stampFile, JSON.stringify({ toolchain, bundle, files: Object.fromEntries(sources.map(({ path, digest }) => [path, digest])) }));
for (const failure of failures) console.error(failure);
if (failures.length > 0) process.exit(1);

async function transpile() {
  const changed = sources.filter(({ path, digest }) => before.files[path] !== digest || !existsSync(outputOf(path)));
  if (changed.length === 0) return;
  const { transform, formatMessages } = await import('esbuild');
  await Promise.all(
    changed.map(async (source) => {
      try {
        const result = await transform(source.text, {
          loader: 'ts',
          format: 'esm',
          platform: 'node',
          target: 'node20',
          sourcefile: join(root, source.path),
          sourcemap: true,
          sourcesContent: false,
          tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, target: 'ES2023' } },
        });
        const output = outputOf(source.path);
        writeAtomically(`${output}.map`, result.map);
        writeAtomically(output, `${result.code}//# sourceMappingURL=${output.slice(output.lastIndexOf('/') + 1)}.map\n`);
      } catch (error) {
        // One broken file must not hold back the others; it stays unstamped, so that the next build tries it again.
        source.digest = 'failed';
        failures.push((await formatMessages(error.errors ?? [{ text: String(error) }], { kind: 'error' })).join('\n'));
      }
    }),
  );
  console.log(`build: ${changed.length - failures.length} of ${sources.length} files`);
}

/** Removes outputs whose source is gone: a stale file would still be importable. */
function prune() {
  const wanted = new Set(sources.map(({ path }) => outputOf(path)));
  for (const output of SOURCES.flatMap((folder) => filesBelow(`dist/${folder}`, '.js')).map((path) => join(root, path))) {
    if (wanted.has(output)) continue;
    rmSync(output, { force: true });
    rmSync(`${output}.map`, { force: true });
    for (let folder = dirname(output); folder !== outputFolder && readdirSync(folder).length === 0; folder = dirname(folder)) rmdirSync(folder);
  }
}

async function bundleWorkflows() {
  const entry = join(outputFolder, 'workflows/index.js');
  const target = join(outputFolder, 'workflow-bundle.js');
  if (!existsSync(entry)) {
    rmSync(target, { force: true });
    return null;
  }
  const digest = hash(sources.filter(({ path }) => BUNDLED.some((folder) => path.startsWith(folder))).map(({ path, digest }) => `${path} ${digest}`));
  if (failures.length > 0) return before.bundle;
  if (before.bundle === digest && existsSync(target)) return digest;
  const { DefaultLogger, bundleWorkflowCode } = await import('@temporalio/worker');
  try {
    const { code } = await bundleWorkflowCode({ workflowsPath: entry, logger: new DefaultLogger('WARN', ({ message }) => console.error(message)) });
    writeAtomically(target, code);
    console.log(`build: workflow bundle, ${Math.round(code.length / 1024)} KiB`);
    return digest;
  } catch (error) {
    failures.push(`Cannot bundle the workflows: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function readSources() {
  const paths = SOURCES.flatMap((folder) => filesBelow(folder, '.ts'))
    .filter((path) => !path.endsWith('.d.ts'))
    .sort();
  return paths.map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return { path, text, digest: hash([text]) };
  });
}

/** Paths relative to the repository; a folder that doesn't exist has no files. */
function filesBelow(folder, ending) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`);
}

function readStamp() {
  try {
    const stamp = JSON.parse(readFileSync(stampFile, 'utf8'));
    if (stamp.toolchain === toolchain) return stamp;
  } catch {
    // No stamp, or one cut short: everything is made again.
  }
  return { toolchain, bundle: null, files: {} };
}

function outputOf(path) {
  return join(outputFolder, path.replace(/\.ts$/, '.js'));
}

function writeAtomically(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

function hash(parts) {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part).update('\0');
  return sum.digest('hex');
}
