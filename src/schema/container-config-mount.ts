import type { ConfigEntry } from './guest-config-text.js';
import { parsePropertyString, parsePveBoolean, parsePveSize } from './property-string.js';

/** What a container mounts: its root or a mount point. */
export interface ContainerMount {
  /** `rootfs` or `mpN`. */
  readonly key: string;
  /** A volume of a storage, a device of the node (`/dev/…`), or a folder of the node that is bound. */
  readonly kind: 'volume' | 'device' | 'bind';
  /** `<storage>:<volname>`, or an absolute path on the node. */
  readonly volume: string;
  /** Where the container sees it. */
  readonly path: string;
  readonly sizeBytes: number | null;
  readonly readOnly: boolean;
  /** Is it part of backups? The root always is. */
  readonly backup: boolean;
  readonly replicate: boolean;
  /** The operator's word that all nodes have it. */
  readonly shared: boolean;
  readonly quota: boolean;
  /** null: as the file system has it. */
  readonly acl: boolean | null;
  readonly mountOptions: readonly string[];
}

/** Reads the value of `rootfs` or `mpN`, which `checkEntry` found right. */
export function readMount({ key, value }: ConfigEntry): ContainerMount {
  const options = parsePropertyString(value, { defaultKey: 'volume' });
  const volume = options.get('volume') ?? '';
  const flag = (name: string): boolean | null => parsePveBoolean(options.get(name) ?? '') ?? null;
  return {
    key,
    kind: volume.startsWith('/dev/') ? 'device' : volume.startsWith('/') ? 'bind' : 'volume',
    volume,
    path: key === 'rootfs' ? '/' : (options.get('mp') ?? ''),
    sizeBytes: parsePveSize(options.get('size') ?? '') ?? null,
    readOnly: flag('ro') ?? false,
    backup: key === 'rootfs' || (flag('backup') ?? false),
    replicate: flag('replicate') ?? true,
    shared: flag('shared') ?? false,
    quota: flag('quota') ?? false,
    acl: flag('acl'),
    mountOptions: (options.get('mountoptions') ?? '').split(';').filter((option) => option !== ''),
  };
}
