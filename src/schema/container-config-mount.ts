import type { ConfigEntry } from './guest-config-text.js';
import { optionsBeyond, parsePropertyString, parsePveBoolean } from './property-string.js';

/** What a container mounts: its root or a mount point. */
export interface ContainerMount {
  /** `rootfs` or `mpN`. */
  readonly key: string;
  /** A volume of a storage, a device of the node (`/dev/…`), or a folder of the node that is bound. */
  readonly kind: 'volume' | 'device' | 'bind';
  /** `<storage>:<volname>`, or an absolute path on the node. */
  readonly volume: string;
  /** Where the container sees it: an absolute path. */
  readonly path: string;
  readonly readOnly: boolean;
  /** Options that Kedge can't honour: a start refuses them by name. */
  readonly unsupported: readonly string[];
}

/** Options without an effect on what runs. */
const PASSIVE = ['size', 'backup', 'replicate', 'shared'];
const HONOURED = ['volume', ...PASSIVE];

/** Reads the value of `rootfs` or `mpN`, which `checkEntry` found right. */
export function readMount({ key, value }: ConfigEntry): ContainerMount {
  const options = parsePropertyString(value, { defaultKey: 'volume' });
  const volume = options.get('volume') ?? '';
  const isRoot = key === 'rootfs';
  const kind = volume.startsWith('/dev/') ? 'device' : volume.startsWith('/') ? 'bind' : 'volume';
  // PVE takes paths without the first slash, too.
  const path = isRoot ? '/' : (options.get('mp') ?? '').replace(/^\/*/, '/');
  return {
    key,
    kind,
    volume,
    path,
    readOnly: parsePveBoolean(options.get('ro') ?? '0') ?? false,
    unsupported: [
      ...optionsBeyond(options, isRoot ? HONOURED : [...HONOURED, 'mp', 'ro']),
      ...(kind === 'device' || (isRoot && kind === 'bind') ? ['volume'] : []),
      ...(!isRoot && (path === '/' || /\/\.\.?(?:\/|$)/.test(path)) ? ['mp'] : []),
    ],
  };
}
