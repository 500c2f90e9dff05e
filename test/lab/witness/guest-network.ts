import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The guests' network of a lab in one namespace: a bridge with the observer's address; needs root. */
export interface GuestNetwork {
  readonly netns: string;
  /** Makes a tap of this name on the bridge. */
  addTap(name: string): Promise<void>;
  removeTap(name: string): Promise<void>;
  close(): Promise<void>;
}

export async function startGuestNetwork(): Promise<GuestNetwork> {
  const netns = `kedge-witness-${process.pid}`;
  const ip = (...args: string[]): Promise<unknown> => run('ip', ['-n', netns, ...args]);
  await run('ip', ['netns', 'add', netns]);
  await ip('link', 'set', 'lo', 'up');
  await ip('link', 'add', 'vmbr0', 'type', 'bridge', 'forward_delay', '0');
  await ip('address', 'add', '10.90.2.1/23', 'dev', 'vmbr0');
  await ip('link', 'set', 'vmbr0', 'up');
  return {
    netns,
    async addTap(name) {
      await ip('tuntap', 'add', name, 'mode', 'tap');
      await ip('link', 'set', name, 'master', 'vmbr0', 'up');
    },
    async removeTap(name) {
      await ip('link', 'delete', name);
    },
    async close() {
      await run('ip', ['netns', 'delete', netns]);
    },
  };
}
