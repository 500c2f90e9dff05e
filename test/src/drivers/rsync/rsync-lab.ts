import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseNodeName } from '../../../../src/domain/ids.js';
import type { RsyncGrant } from '../../../../src/drivers/rsync/grant-format.js';
import { newGrantToken, writeGrant } from '../../../../src/drivers/rsync/grant-store.js';
import type { RsyncTarget } from '../../../../src/drivers/rsync/rsync-arguments.js';
import { sshArguments } from '../../../../src/drivers/ssh/ssh-arguments.js';
import { type PeerLab, startPeerLab } from '../peer/peer-lab.js';

export const MIB = 1_048_576;

/** The sshd of node2 with the real relay, and two folders that stand for the storages of node1 and node2. */
export interface RsyncLab extends PeerLab {
  readonly source: string;
  readonly target: PeerLab['target'];
  readonly storage: string;
  readonly grants: string;
  /** Grants `name` on node2 to node1 (or `peer`), making it first when it is missing. */
  grant(name: string, kind: RsyncGrant['kind'], peer?: string): Promise<RsyncTarget>;
}

export async function startRsyncLab(): Promise<RsyncLab> {
  const lab = await startPeerLab();
  const source = join(lab.folder, 'node1');
  const storage = join(lab.folder, 'node2');
  // Where the relay looks: its KEDGE_RUN is the lab's folder.
  const grants = join(lab.folder, 'rsync-grants');
  mkdirSync(source);
  mkdirSync(storage);
  return {
    ...lab,
    source,
    storage,
    grants,
    async grant(name, kind, peer = 'node1') {
      const path = join(storage, name);
      if (kind === 'tree') mkdirSync(path, { recursive: true });
      else writeFileSync(path, '', { flag: 'a' });
      const token = newGrantToken();
      await writeGrant(grants, { token, peer: parseNodeName(peer), kind, path });
      return { node: 'node2', token, remoteShell: sshArguments(lab.target) };
    },
  };
}

/** A sparse image: `size` MiB with `data` MiB that can't be compressed, from MiB `at` on. */
export function makeImage(path: string, { size, data, at }: { readonly size: number; readonly data: number; readonly at: number }): void {
  writeFileSync(path, '');
  truncateSync(path, size * MIB);
  scribble(path, { count: data, at });
}

/** Writes `count` MiB of random data at MiB `at`. */
export function scribble(path: string, { count, at }: { readonly count: number; readonly at: number }): void {
  execFileSync('dd', ['if=/dev/urandom', `of=${path}`, 'bs=1M', `count=${count}`, `seek=${at}`, 'conv=notrunc', 'status=none']);
}
