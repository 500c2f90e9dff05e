import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes `folder` a root file system of busybox whose init is a shell script. */
export function makeSmallRootfs(folder: string, init: string): void {
  for (const name of ['bin', 'dev', 'etc', 'proc', 'root', 'run', 'sbin', 'sys', 'tmp']) mkdirSync(join(folder, name), { recursive: true });
  copyFileSync('/usr/bin/busybox', join(folder, 'bin/busybox'));
  symlinkSync('busybox', join(folder, 'bin/sh'));
  writeFileSync(join(folder, 'sbin/init'), `#!/bin/sh\nexport PATH=/bin\nalias sleep="busybox sleep"\n${init}\n`);
  chmodSync(join(folder, 'sbin/init'), 0o755);
}

/** An init that says "up", goes on for ever, and says "down" when it is asked to shut down. */
export const OBEDIENT_INIT = `trap 'echo down; exit 0' PWR\necho up\nwhile :; do busybox sleep 0.05; done`;
/** An init that hears no request to shut down. */
export const STUBBORN_INIT = `trap '' PWR\necho up\nwhile :; do busybox sleep 0.05; done`;
