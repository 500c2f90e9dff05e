import { KedgeError } from '../../domain/kedge-error.js';
import type { Compression } from './choose-compression.js';

/** What every pass needs to know, of an image or of a tree. */
interface PassOptions {
  /** Absolute path on this node. */
  readonly source: string;
  readonly target: RsyncTarget;
  /** The last pass, after the guest stopped: what it reports done is on the target's disk. */
  readonly final: boolean;
  readonly compression: Compression;
  /** KiB/s; 0 or absent: no limit. */
  readonly bwlimitKibps?: number;
}

/** The other end: a granted path of a node, reached by ssh. */
export interface RsyncTarget {
  readonly node: string;
  /** The token of the grant on that node; no path of the other node is ever named by us. */
  readonly token: string;
  /** argv of ssh without the host, from `sshArguments`. */
  readonly remoteShell: readonly string[];
}

export interface ImagePass extends PassOptions {
  /** Nothing was copied yet: a delta against nothing would only cost a read of both sides. */
  readonly targetIsEmpty: boolean;
  /**
   * Write what has become zero instead of making holes: for an rsync that forgets the last one (`clearsTrailingGap`). That stays allocated:
   * a program that digs holes later could still be at it when the guest writes.
   */
  readonly writeZeroes?: boolean;
}

export interface TreePass extends PassOptions {
  /** Compare contents even where size and time are equal: for the pass after a verification that failed. */
  readonly checksum?: boolean;
}

/** rsync ends when nothing arrives for so long; it sends keepalives itself while it computes. */
const TIMEOUT_SECONDS = 60;
/**
 * The same with `--checksum`: each side reads its files before it says anything of them, and a side that waits for the list of files takes
 * that silence for the end (measured, rsync 3.5). Time enough for one file of some hundred GB.
 */
export const CHECKSUM_TIMEOUT_SECONDS = 3_600;
/** Large blocks: an image has few, large changes, and each block costs a checksum on the wire. The most that rsync takes. */
const BLOCK_BYTES = 131_072;
/** A delta keeps about 40 bytes a block: rsync's own limit of 1 GB would end with images of 3 TiB, this one does with 25. */
const MAX_ALLOC = '8G';
/** Plain digits for progress and statistics, a list of files that is complete before the first byte is counted. */
const REPORTS = ['--info=progress2', '--stats', '--no-human-readable', '--outbuf=L', '--no-inc-recursive'];

/**
 * argv of one pass over a disk image. It writes into the granted file itself, delta by delta, and keeps holes (also with `writeZeroes`, where
 * both sides have them).
 * Size and time never decide whether a block is equal (`--ignore-times`): a guest writes at any moment. There is no way to ask
 * for `--append-verify`, which together with `--sparse` empties the target.
 * @throws KedgeError `bad-input`
 */
export function imagePassArguments(pass: ImagePass): readonly string[] {
  return [
    '--inplace',
    pass.writeZeroes === true ? '--no-sparse' : '--sparse',
    pass.targetIsEmpty ? '--whole-file' : '--no-whole-file',
    '--ignore-times',
    `--block-size=${BLOCK_BYTES}`,
    `--max-alloc=${MAX_ALLOC}`,
    ...commonArguments(pass, TIMEOUT_SECONDS),
    '--',
    absolute(pass.source),
    `${pass.target.node}:${tokenOf(pass.target)}`,
  ];
}

/**
 * argv of one pass over a container's tree: everything that the tree holds becomes equal, and nothing else stays.
 * @throws KedgeError `bad-input`
 */
export function treePassArguments(pass: TreePass): readonly string[] {
  return [
    '--archive',
    '--hard-links',
    '--acls',
    '--xattrs',
    '--sparse',
    '--numeric-ids',
    '--delete',
    '--one-file-system',
    // Times are compared to the nanosecond: a file may change twice within the second in which a pass read it.
    '--modify-window=-1',
    ...(pass.checksum === true ? ['--checksum'] : []),
    ...commonArguments(pass, pass.checksum === true ? CHECKSUM_TIMEOUT_SECONDS : TIMEOUT_SECONDS),
    '--',
    // The slash at the end means the content of the folder, not the folder itself.
    `${absolute(pass.source).replace(/\/+$/, '')}/`,
    `${pass.target.node}:${tokenOf(pass.target)}/`,
  ];
}

function commonArguments(pass: PassOptions, timeoutSeconds: number): readonly string[] {
  return [
    '--partial',
    `--timeout=${timeoutSeconds}`,
    ...REPORTS,
    ...(pass.final ? ['--fsync'] : []),
    ...compressionArguments(pass.compression),
    ...bandwidthArguments(pass.bwlimitKibps ?? 0),
    `--rsh=${pass.target.remoteShell.map(quoteForRsh).join(' ')}`,
  ];
}

function compressionArguments(compression: Compression): readonly string[] {
  switch (compression) {
    case 'none':
      return [];
    case 'lz4':
      return ['--compress', '--compress-choice=lz4'];
    case 'zstd':
      return ['--compress', '--compress-choice=zstd', '--compress-level=1'];
  }
}

function bandwidthArguments(kibps: number): readonly string[] {
  if (!Number.isSafeInteger(kibps) || kibps < 0) {
    throw new KedgeError('bad-input', `Cannot limit the bandwidth: current value is ${kibps}, must be KiB/s as an integer, 0 for no limit`);
  }
  return kibps === 0 ? [] : [`--bwlimit=${kibps}`];
}

/** A path that begins with a slash is neither an option nor `host:path` to rsync, whatever else it holds. */
function absolute(path: string): string {
  if (!path.startsWith('/') || path.includes('\0')) throw new KedgeError('bad-input', `Cannot copy "${path}": must be an absolute path`);
  return path;
}

function tokenOf({ node, token }: RsyncTarget): string {
  if (!/^[0-9a-f]{32}$/.test(token)) throw new KedgeError('bad-input', `Cannot copy to node ${node}: the token of its grant must be 32 hex digits`);
  return token;
}

/** rsync(1), --rsh: words are parted by spaces, quotes keep them together, a doubled quote stands for itself. */
function quoteForRsh(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "''")}'`;
}
