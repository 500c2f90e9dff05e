import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../run.js';
import { makeFiles, makeSpecialFiles } from './make-files.js';
import { witnessContainerArguments, type WitnessContainer } from './witness-container-config.js';

/** Ids of an unprivileged container begin here outside, as in PVE. */
const FIRST_ID = 100_000;
const BUSYBOX = '/usr/bin/busybox';

/**
 * Fills the folders of a witness container: busybox, the witness as its init, and the files that were asked for. `folders` are the root
 * file system and the mount points as this process reaches them.
 * @throws KedgeError `lab-failed` when a tool fails
 */
export async function makeContainerTree(
  container: WitnessContainer,
  folders: readonly [rootfs: string, ...mountPoints: string[]],
  witness: string,
): Promise<void> {
  const [rootfs] = folders;
  for (const name of ['bin', 'dev', 'etc', 'mnt', 'proc', 'root', 'run', 'sbin', 'srv', 'sys', 'tmp', 'var'])
    mkdirSync(join(rootfs, name), { recursive: true });
  copyFileSync(BUSYBOX, join(rootfs, 'bin/busybox'));
  for (const name of ['sh', 'cat', 'ls', 'sleep', 'touch', 'kill', 'rm', 'ip', 'ping']) symlinkSync('busybox', join(rootfs, 'bin', name));
  copyFileSync(witness, join(rootfs, 'sbin/witness'));
  writeFileSync(join(rootfs, 'etc/witness'), `${witnessContainerArguments(container)}\n`);
  writeFileSync(join(rootfs, 'sbin/init'), '#!/bin/sh\nexec /sbin/witness $(/bin/busybox cat /etc/witness)\n');
  for (const program of ['sbin/witness', 'sbin/init', 'bin/busybox']) chmodSync(join(rootfs, program), 0o755);
  for (let index = 0; index + 1 < folders.length; index += 1) mkdirSync(join(rootfs, `mnt/mp${index}`));
  const rootId = container.unprivileged ? FIRST_ID : 0;
  for (const [index, folder] of folders.entries()) {
    if (container.files > 0)
      makeFiles(join(folder, 'srv'), {
        first: Math.floor((container.files * index) / folders.length),
        end: Math.floor((container.files * (index + 1)) / folders.length),
      });
    // Before the special files: a change of owner takes capabilities away.
    if (rootId !== 0) await run(['chown', '-hR', `${rootId}:${rootId}`, folder]);
    if (container.files > 0) await makeSpecialFiles(join(folder, 'special'), rootId);
  }
  // A power cut right after would leave an empty init, which ends at once and says nothing.
  await run(['sync', '--file-system', ...folders]);
}
