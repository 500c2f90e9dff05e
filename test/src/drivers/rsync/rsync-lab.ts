import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseNodeName } from '../../../../src/domain/ids.js';
import type { RsyncGrant } from '../../../../src/drivers/rsync/grant-format.js';
import { newGrantToken, writeGrant } from '../../../../src/drivers/rsync/grant-store.js';
import { type ImagePass, imagePassArguments, type RsyncTarget } from '../../../../src/drivers/rsync/rsync-arguments.js';
import { type RsyncResult, type RsyncRun, runRsync } from '../../../../src/drivers/rsync/run-rsync.js';
import { sshArguments } from '../../../../src/drivers/ssh/ssh-arguments.js';
import { type PeerLab, startPeerLab } from '../peer/peer-lab.js';

export const MIB = 1_048_576;

type Pass = Partial<Omit<ImagePass, 'source'>> & Pick<ImagePass, 'target'>;

/** The sshd of node2 with the real relay, and two folders that stand for the storages of node1 and node2. */
export interface RsyncLab extends Omit<PeerLab, 'target'> {
  readonly ssh: PeerLab['target'];
  readonly source: string;
  readonly storage: string;
  readonly grants: string;
  /** The image on node1 that the copies below copy. */
  readonly image: string;
  /** Grants `name` on node2 to node1 (or `peer`), making it first when it is missing. */
  grant(name: string, kind: RsyncGrant['kind'], peer?: string): Promise<RsyncTarget>;
  argumentsOf(pass: Pass): readonly string[];
  copy(pass: Pass, run?: Partial<RsyncRun>): Promise<RsyncResult>;
  /** A copy at `kibps`, and a promise of the moment at which it has moved `bytes`. */
  slowCopy(pass: Pass, pace: { readonly kibps: number; readonly bytes: number }): SlowCopy;
  /** Is `name` on node2 equal to the image? */
  same(name: string): boolean;
}

export interface SlowCopy {
  readonly ended: Promise<RsyncResult>;
  readonly moved: Promise<void>;
  readonly abort: () => void;
}

export async function startRsyncLab(): Promise<RsyncLab> {
  const lab = await startPeerLab();
  const [source, storage] = [join(lab.folder, 'node1'), join(lab.folder, 'node2')];
  // Where the relay looks: its KEDGE_RUN is the lab's folder.
  const grants = join(lab.folder, 'rsync-grants');
  const image = join(source, 'vm-101-disk-0.raw');
  mkdirSync(source);
  mkdirSync(storage);
  const argumentsOf = (pass: Pass): readonly string[] => imagePassArguments({ source: image, compression: 'lz4', final: false, targetIsEmpty: false, ...pass });
  const copy = (pass: Pass, run: Partial<RsyncRun> = {}): Promise<RsyncResult> => runRsync({ args: argumentsOf(pass), vanishedFiles: 'error', ...run });
  return {
    ...lab,
    ssh: lab.target,
    source,
    storage,
    grants,
    image,
    argumentsOf,
    copy,
    slowCopy(pass, { kibps, bytes }) {
      const controller = new AbortController();
      let reached = (): void => undefined;
      const moved = new Promise<void>((resolve) => {
        reached = resolve;
      });
      const onProgress: RsyncRun['onProgress'] = (progress) => progress.bytes >= bytes && reached();
      const ended = copy({ compression: 'none', bwlimitKibps: kibps, ...pass }, { signal: controller.signal, onProgress });
      // Whoever awaits it sees the failure; until then it is not unhandled.
      ended.catch(() => undefined);
      return { ended, moved, abort: () => controller.abort() };
    },
    same: (name) => readFileSync(image).equals(readFileSync(join(storage, name))),
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

/** Processes, but for this one, whose command line has all of these words. */
export function running(...words: readonly string[]): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return words.every((word) => command.includes(word));
      } catch {
        return false;
      }
    })
    .map(Number);
}
