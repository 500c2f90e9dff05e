import { listAttributes } from './list-attributes.js';
import { listEntries } from './list-entries.js';
import { MultisetHash } from './multiset-hash.js';
import { refuseMounts } from './refuse-mounts.js';
import { streamRecords } from './stream-records.js';

/** What is said of a tree. Equal digests: equal trees, as far as a container can tell. */
export interface TreeDigest {
  /** 64 hexadecimal digits. */
  readonly digest: string;
  /** Files, folders, links and the like, the root included. */
  readonly entries: number;
  /** Sum of the sizes of regular files; one with several names counts for each. */
  readonly bytes: number;
}

export interface HashTreeOptions {
  readonly signal?: AbortSignal;
  /** Told now and then how many regular files were hashed; `total`: of how many, null until all are found. */
  readonly onProgress?: (progress: { readonly hashed: number; readonly total: number | null }) => void;
}

/** Files between two calls of `onProgress`. */
const PROGRESS_EVERY = 64;

/**
 * Hashes a tree of files with everything that a copy has to keep: names, types, contents, modes, owners (numbers, as on the disk),
 * times of change to the nanosecond, targets of symbolic links, device numbers, which names are the same file, and extended attributes
 * with ACLs and capabilities among them. Not looked at: which ranges are holes, times of access, inode numbers and flags of `chattr`.
 *
 * The work is done by find, sha256sum and getfattr, side by side; this process adds up what they list. Memory grows only with the
 * number of files that have several names. The tree must stand still: nobody may write to it meanwhile.
 * @throws KedgeError `storage-failed` when a part can't be read, or something is mounted in the tree; `cancelled` after `signal`
 */
export async function hashTree(root: string, options: HashTreeOptions = {}): Promise<TreeDigest> {
  await refuseMounts(root);
  const hash = new MultisetHash();
  const names = new Map<string, string[]>();
  let entries = 0;
  let bytes = 0;
  const files = { hashed: 0, found: 0, foundAll: false };
  await sideBySide(options.signal, (signal) => [
    listEntries(root, signal, (entry) => {
      const isFile = entry.type === 'f';
      hash.add('entry', entry.path, entry.type, entry.mode, entry.owner, entry.mtime, entry.device, entry.target, isFile ? entry.size : '');
      entries += 1;
      if (isFile) {
        bytes += Number(entry.size);
        files.found += 1;
      }
      if (entry.type !== 'd' && entry.links > 1) names.set(entry.inode, [...(names.get(entry.inode) ?? []), entry.path]);
    }).then(() => {
      files.foundAll = true;
    }),
    streamRecords({ programs: CONTENTS, folder: root, separator: '\0', signal }, (record) => {
      hash.add('content', record);
      files.hashed += 1;
      if (files.hashed % PROGRESS_EVERY === 0) options.onProgress?.({ hashed: files.hashed, total: files.foundAll ? files.found : null });
    }),
    listAttributes(root, signal, (attribute) => {
      hash.add('attribute', attribute.path, attribute.name, attribute.value);
    }),
  ]);
  for (const group of names.values()) hash.add('same file', ...group.sort());
  return { digest: hash.digest(), entries, bytes };
}

/** `-z` of sha256sum: names as they are, each line ended by a NUL. */
const CONTENTS = [
  ['find', '.', '-xdev', '-type', 'f', '-print0'],
  ['xargs', '-0', '--no-run-if-empty', 'sha256sum', '-z', '--'],
] as const;

/** Runs all parts to their end; the first that fails ends the others. */
async function sideBySide(signal: AbortSignal | undefined, begin: (signal: AbortSignal) => readonly Promise<void>[]): Promise<void> {
  const failed = new AbortController();
  const parts = begin(AbortSignal.any([failed.signal, ...(signal === undefined ? [] : [signal])])).map((part) =>
    part.catch((error: unknown) => {
      failed.abort();
      throw error;
    }),
  );
  // Rejects with the first failure, the cause of the others; it is told once none of them runs any more.
  const all = Promise.all(parts);
  await all.catch(() => Promise.allSettled(parts));
  await all;
}
