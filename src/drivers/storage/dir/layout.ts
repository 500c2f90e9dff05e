import { join } from 'node:path';
import { KedgeError } from '../../../domain/kedge-error.js';
import { type VolumeId, parseVolumeId } from '../volume-id.js';

/** Where the volumes of one folder storage are: `<path>/images/<vmid>/<name>`, as PVE's type `dir`. */
export interface DirLayout {
  readonly id: string;
  /** `<path>/images`. */
  readonly images: string;
  /** Parses a volume id of this storage. @throws KedgeError `bad-input` */
  parse(volumeId: string): VolumeId;
  /** The folder of a guest. */
  folderOf(vmid: number): string;
  /** The file or folder of a volume. */
  placeOf(volume: Pick<VolumeId, 'vmid' | 'name'>): string;
}

/** The layout of the storage `id` under the folder `path`. */
export function dirLayout({ id, path }: { readonly id: string; readonly path: string }): DirLayout {
  const images = join(path, 'images');
  const folderOf = (vmid: number): string => join(images, String(vmid));
  return {
    id,
    images,
    parse: (volumeId) => {
      const volume = parseVolumeId(volumeId);
      if (volume.storage !== id) throw new KedgeError('bad-input', `Cannot use volume ${volumeId}: it is not of storage ${id}`);
      return volume;
    },
    folderOf,
    placeOf: ({ vmid, name }) => join(folderOf(vmid), name),
  };
}
