import { execFile } from 'node:child_process';
import { KedgeError } from '../../domain/kedge-error.js';
import type { RsyncFacts } from '../../domain/rsync-facts.js';
import { rsyncEnvironment } from './rsync-environment.js';
import { rsyncFailure } from './rsync-failure.js';

const TIMEOUT_MS = 30_000;

/** Asks this node's rsync what it can do. @throws KedgeError `copy-refused` not installed or not readable */
export async function probeRsync(): Promise<RsyncFacts> {
  return parseRsyncVersion(await output('rsync', ['--version']));
}

/** Parses `rsync --version`. @throws KedgeError `copy-refused` when it is something else */
export function parseRsyncVersion(text: string): RsyncFacts {
  const version = /^rsync\s+version\s+v?([0-9][0-9A-Za-z.]*)/m.exec(text)?.[1];
  if (version === undefined) throw new KedgeError('copy-refused', `Cannot read the version of rsync: it answered "${text.slice(0, 80).trim()}"`);
  // Versions before 3.2 have no such list and can only do what nobody wants.
  const list = /^Compress list:\n\s+([^\n]*)$/m.exec(text)?.[1] ?? '';
  return { version, compression: list.split(/\s+/).filter((name) => name !== '' && name !== 'none') };
}

function output(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: TIMEOUT_MS, env: rsyncEnvironment() }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const exitCode = typeof error.code === 'number' ? error.code : error.code === 'ENOENT' ? 127 : null;
      const failure = rsyncFailure({ exitCode, signal: error.signal ?? null, stderr, vanishedFiles: 'error' });
      reject(failure ?? new KedgeError('internal', 'Cannot ask rsync for its version', { cause: error }));
    });
  });
}
