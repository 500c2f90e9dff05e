import { hashTree } from '../../../src/drivers/tree/hash-tree.js';
import { makeImageManifest } from '../../../src/drivers/storage/image-manifest.js';

export interface DigestOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly bytes: number; readonly totalBytes: number }) => void;
}

/** One value over all that a volume holds: equal values, equal volumes. Nothing may write to it meanwhile. */
export async function digestVolume(volume: { readonly path: string; readonly kind: 'file' | 'tree' }, options: DigestOptions = {}): Promise<string> {
  if (volume.kind === 'tree') return (await hashTree(volume.path, options.signal === undefined ? {} : { signal: options.signal })).digest;
  return (await makeImageManifest(volume.path, options)).root;
}
