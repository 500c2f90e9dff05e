/**
 * Run this after each `npm install <package>`: it makes package-lock.json good for `npm ci` everywhere.
 *
 * 1. A package with a binary for each platform lists them as optional dependencies. Where the registry at hand doesn't carry
 *    one of them, npm leaves it out of the lock, and `npm ci` then refuses the lock. Here it gets an entry that npm skips by platform.
 * 2. Addresses of registries are removed: the reader's own npm configuration decides where packages come from.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const CPU = ['arm64', 'arm', 'x64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x'];

const file = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const lock = JSON.parse(readFileSync(file, 'utf8'));
let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  delete entry.resolved;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const platform = platformOf(name);
    if (platform === undefined || resolves(path, name)) continue;
    lock.packages[`node_modules/${name}`] = { version, ...platform, ...(entry.dev ? { dev: true } : {}), optional: true };
    added += 1;
  }
}
const root = lock.packages[''];
const paths = Object.keys(lock.packages)
  .filter((path) => path !== '')
  .sort((left, right) => left.localeCompare(right, 'en'));
lock.packages = { '': root, ...Object.fromEntries(paths.map((path) => [path, lock.packages[path]])) };
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added} packages of other platforms added`);

/** `@scope/binding-linux-arm64-musl` → linux, arm64, musl; undefined when the name tells no platform. */
function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = words.find((word) => OS.includes(word));
  const cpu = words.find((word) => CPU.includes(word));
  if (os === undefined || cpu === undefined) return undefined;
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : words.some((word) => word.startsWith('gnu')) ? ['glibc'] : undefined;
  return { cpu: [cpu], ...(libc === undefined || os !== 'linux' ? {} : { libc }), os: [os] };
}

/** As Node.js looks a package up: nested first, then at each level above. */
function resolves(from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (lock.packages[folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`] !== undefined) return true;
    if (folder === '') return false;
  }
}
