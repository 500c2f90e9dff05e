import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { KedgeError } from '../../domain/kedge-error.js';

/** What one QEMU program can run. */
export interface QemuFacts {
  /** Absolute path of the program. */
  readonly binary: string;
  /** e.g. `7.2.22`. */
  readonly version: string;
  /** Versioned machine types, e.g. `pc-q35-7.2`. */
  readonly machineTypes: readonly string[];
  /** Aliases (`q35`, `pc`) and what they mean for this program. */
  readonly machineAliases: Readonly<Record<string, string>>;
}

const known = new Map<string, { readonly stamp: string; readonly facts: QemuFacts }>();

/**
 * Asks a QEMU program (a path, or a name on PATH) for its version and machine types; asks again once the file changed.
 * @throws KedgeError `qemu-start-failed` when it can't be run
 */
export async function readQemuFacts(program: string): Promise<QemuFacts> {
  const binary = findProgram(program);
  const { mtimeMs, ino, size } = statSync(binary);
  const stamp = `${mtimeMs} ${ino} ${size}`;
  const cached = known.get(binary);
  if (cached?.stamp === stamp) return cached.facts;
  const [version, machines] = await Promise.all([ask(binary, ['--version']), ask(binary, ['-machine', 'help'])]);
  const facts = { binary, version: parseVersion(version), ...parseMachines(machines) };
  known.set(binary, { stamp, facts });
  return facts;
}

function findProgram(program: string): string {
  if (isAbsolute(program)) return program;
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program));
  const found = candidates.find((file) => isExecutable(file));
  if (found === undefined) throw new KedgeError('qemu-start-failed', `Cannot find the QEMU program: "${program}" is not on PATH`);
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function ask(binary: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(binary, [...args], { timeout: 10_000, env: { PATH: process.env['PATH'], LC_ALL: 'C' } })).stdout;
  } catch (error) {
    throw new KedgeError('qemu-start-failed', `Cannot run ${binary} ${args.join(' ')}`, { cause: error });
  }
}

function parseVersion(text: string): string {
  const version = /version (\d+\.\d+\.\d+)/.exec(text)?.[1];
  if (version === undefined) throw new KedgeError('qemu-start-failed', `Cannot read the version of QEMU: it says "${text.split('\n')[0] ?? ''}"`);
  return version;
}

function parseMachines(text: string): Pick<QemuFacts, 'machineTypes' | 'machineAliases'> {
  const lines = text
    .split('\n')
    .slice(1)
    .filter((line) => line !== '');
  const aliases = lines.flatMap((line) => {
    const match = /^(\S+)\s.*\(alias of (\S+)\)/.exec(line);
    return match?.[1] === undefined || match[2] === undefined ? [] : [[match[1], match[2]] as const];
  });
  const names = lines.map((line) => line.split(/\s/)[0] ?? '');
  return { machineTypes: names.filter((name) => !aliases.some(([alias]) => alias === name)), machineAliases: Object.fromEntries(aliases) };
}
