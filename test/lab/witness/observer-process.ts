import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { askObserver } from '../../../lab/witness/ask-observer.js';

/** What `tools/guest-image.sh .cache/guest` builds. */
export function guestImage(file: 'vmlinuz' | 'initrd.img' | 'observer' | 'witness'): string {
  const path = resolve('.cache/guest', file);
  if (!existsSync(path)) throw new Error(`Cannot find ${path}: run "npm run setup" first`);
  return path;
}

export interface ObserverProcess {
  readonly socket: string;
  readonly folder: string;
  /** Ends the observer and starts it again on the same state file. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a real observer; `netns` names the network namespace that it runs in, default this one. */
export async function startObserver(options: { listen: string; netns?: string }): Promise<ObserverProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'kedge-observer-'));
  const socket = join(folder, 'socket');
  const program = [guestImage('observer'), '--listen', options.listen, '--socket', socket, '--state', join(folder, 'state')];
  const argv = options.netns === undefined ? program : ['ip', 'netns', 'exec', options.netns, ...program];
  let child = await start(argv, socket);
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return {
    socket,
    folder,
    async restart() {
      await stop();
      child = await start(argv, socket);
    },
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function start(argv: readonly string[], socket: string): Promise<ChildProcess> {
  const [command = '', ...args] = argv;
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  while (!(await answers(socket))) {
    if (child.exitCode !== null) throw new Error(`Cannot start the observer: exit ${child.exitCode}`);
    await sleep(5);
  }
  return child;
}

async function answers(socket: string): Promise<boolean> {
  try {
    await askObserver(socket, { op: 'list' });
    return true;
  } catch (error) {
    if (error instanceof KedgeError) return false;
    throw error;
  }
}
