import type { FilesDone } from '../../../src/domain/migration.js';
import { hashTree } from '../../../src/drivers/tree/hash-tree.js';
import { makeImageManifest } from '../../../src/drivers/storage/image-manifest.js';

export interface DigestOptions {
  readonly signal?: AbortSignal;
  /** Told again and again how much was read, from 0 to 1; of a tree also in files, once all are found: until then nothing is known. */
  readonly onProgress?: (share: number, files?: FilesDone) => void;
}

/** One value over all that a volume holds: equal values, equal volumes. Nothing may write to it meanwhile. */
export async function digestVolume(volume: { readonly path: string; readonly kind: 'file' | 'tree' }, options: DigestOptions = {}): Promise<string> {
  const { onProgress, signal } = options;
  const ended = signal === undefined ? {} : { signal };
  if (volume.kind === 'tree') {
    const tell = ({ hashed, total }: { hashed: number; total: number | null }): void => {
      if (total !== null) onProgress?.(hashed / Math.max(1, total), { done: hashed, total });
    };
    return (await hashTree(volume.path, { ...ended, onProgress: tell })).digest;
  }
  return (await makeImageManifest(volume.path, { ...ended, onProgress: ({ bytes, totalBytes }) => onProgress?.(bytes / totalBytes) })).root;
}
