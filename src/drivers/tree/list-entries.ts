import { lstat } from 'node:fs/promises';
import { streamRecords } from './stream-records.js';

/** One entry of a tree, as find prints it; names are bytes (latin1). */
export interface TreeEntry {
  /** Relative to the root; empty for the root. */
  readonly path: string;
  /** One letter: f, d, l, b, c, p, s. */
  readonly type: string;
  /** Octal. */
  readonly mode: string;
  /** `uid:gid`. */
  readonly owner: string;
  readonly size: string;
  /** Seconds with fraction. */
  readonly mtime: string;
  readonly inode: string;
  readonly links: number;
  /** Of a symbolic link; else empty. */
  readonly target: string;
  /** Device number of a device node; else empty. */
  readonly device: string;
}

/** Three records an entry: what is a word each, the target of a link, the path. Neither of the last two can hold a NUL. */
const FORMAT = '%y %m %U:%G %s %T@ %i %n\\0%l\\0%P\\0';

/** Lists a tree, one file system only. @throws KedgeError as `streamRecords` */
export async function listEntries(root: string, signal: AbortSignal, take: (entry: TreeEntry) => void): Promise<void> {
  const devices: TreeEntry[] = [];
  let [words, target]: (string | null)[] = [null, null];
  await streamRecords({ programs: [['find', '.', '-xdev', '-printf', FORMAT]], folder: root, separator: '\0', signal }, (record) => {
    if (words === null || words === undefined) words = record;
    else if (target === null || target === undefined) target = record;
    else {
      const [type = '', mode = '', owner = '', size = '', mtime = '', inode = '', links = ''] = words.split(' ');
      const entry = { path: record, type, mode, owner, size, mtime, inode, links: Number(links), target, device: '' };
      [words, target] = [null, null];
      if (type === 'b' || type === 'c') devices.push(entry);
      else take(entry);
    }
  });
  // find knows no directive for the number of a device.
  for (const entry of devices) {
    const { rdev } = await lstat(Buffer.from(`${Buffer.from(root).toString('latin1')}/${entry.path}`, 'latin1'));
    take({ ...entry, device: String(rdev) });
  }
}
