/**
 * The receiving side of a peer's copy: sshd started `kedge peer` for the peer's key, and the peer asked for
 * `rsync --server … <token>`. The worker of this node has granted the path behind the token, or nothing happens.
 */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, lstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { KedgeError } from '../domain/kedge-error.js';
import { flock } from '../drivers/host/flock.js';
import { errnoOf } from '../drivers/host/storage-error.js';
import { RELAY_EXIT } from '../drivers/rsync/exit-codes.js';
import { parseGrant, type RsyncGrant } from '../drivers/rsync/grant-format.js';
import { grantFile } from '../drivers/rsync/grant-store.js';
import { parseServerCommand, serverArguments } from '../drivers/rsync/parse-server-command.js';
import { rsyncEnvironment } from '../drivers/rsync/rsync-environment.js';

/** The rsync of a broken connection ends by itself as soon as its end of the stream closes. */
const PATIENCE_MS = 10_000;

/** Runs what the peer asked for, if it may, and answers the exit code for sshd. Standard streams belong to rsync. */
export async function relayRsync(command: string, options: { readonly peer: string; readonly folder: string }): Promise<number> {
  try {
    const parsed = parseServerCommand(command);
    const { descriptor, grant } = openGrant(parsed.token, options);
    const args = serverArguments(parsed, grant);
    if (!(await flock(descriptor, PATIENCE_MS))) return refuse('busy', 'an earlier copy to the same place still runs');
    if (!isStillThere(descriptor, grantFile(options.folder, parsed.token))) return refuse('refused', 'the grant was taken back');
    const wrong = whatIsWrong(grant);
    if (wrong !== null) return refuse('refused', wrong);
    const exitCode = await runServer(args, descriptor);
    closeSync(descriptor);
    return exitCode;
  } catch (error) {
    const refusal = error instanceof KedgeError && error.code === 'bad-input';
    return refuse(refusal ? 'refused' : 'failed', error instanceof Error ? error.message : String(error));
  }
}

/** Opens and reads the grant; for another peer it does not exist. */
function openGrant(token: string, { peer, folder }: { readonly peer: string; readonly folder: string }): { descriptor: number; grant: RsyncGrant } {
  const unknown = new KedgeError('bad-input', `Cannot copy: there is no such grant for node ${peer}`);
  let descriptor: number;
  try {
    descriptor = openSync(grantFile(folder, token), 'r');
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' ? unknown : error;
  }
  const grant = parseGrant(readFileSync(descriptor, 'utf8'));
  if (grant.peer !== peer || grant.token !== token) throw unknown;
  return { descriptor, grant };
}

/** Between the opening and the lock the worker may have unlinked the file, and written another one. */
function isStillThere(descriptor: number, file: string): boolean {
  const named = statSync(file, { throwIfNoEntry: false });
  const open = fstatSync(descriptor);
  return named !== undefined && named.ino === open.ino && named.dev === open.dev;
}

/** The worker made the file or folder: rsync must not make something else in its place, nor follow a link. */
function whatIsWrong({ kind, path }: RsyncGrant): string | null {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return `the granted ${kind} does not exist`;
  const right = kind === 'file' ? stat.isFile() : stat.isDirectory();
  return right ? null : `what is there is no ${kind}`;
}

/** The descriptor `held` stays open in rsync and all of its processes. */
function runServer(args: readonly string[], held: number): Promise<number> {
  return new Promise((resolve) => {
    const rsync = spawn('rsync', args, { cwd: '/', env: rsyncEnvironment(), stdio: ['inherit', 'inherit', 'inherit', held] });
    rsync.once('error', (error) => resolve(refuse(errnoOf(error) === 'ENOENT' ? 'absent' : 'failed', `rsync does not start: ${error.message}`)));
    rsync.once('exit', (exitCode) => resolve(exitCode ?? RELAY_EXIT.failed));
  });
}

/** The peer's rsync keeps the words and loses the exit code. */
function refuse(kind: keyof typeof RELAY_EXIT, reason: string): number {
  process.stderr.write(`kedge ${kind}: ${reason}\n`);
  return RELAY_EXIT[kind];
}
