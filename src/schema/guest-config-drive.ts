import type { ConfigEntry } from './guest-config-text.js';
import { fail, readProperties, readWord } from './guest-config-values.js';
import { parsePveBoolean, parsePveSize, type PropertyString } from './property-string.js';

const CACHE_MODES = ['none', 'writethrough', 'writeback', 'unsafe', 'directsync'] as const;
const AIO_MODES = ['threads', 'native', 'io_uring'] as const;

/** A disk of the guest: `virtioN` or `scsiN`. */
export interface GuestDrive {
  /** The config key, e.g. `virtio0`; also the device id. */
  readonly key: string;
  readonly bus: 'virtio' | 'scsi';
  readonly index: number;
  /** The volume `<storage>:<volname>`; or a path, `none`, `cdrom`, which only a start refuses. */
  readonly volume: string;
  readonly cache: (typeof CACHE_MODES)[number];
  readonly aio: (typeof AIO_MODES)[number];
  readonly discard: boolean;
  readonly detectZeroes: boolean;
  readonly readOnly: boolean;
  readonly ssd: boolean;
  readonly serial: string | null;
  readonly sizeBytes: number | null;
  /** The operator's word that all nodes have this volume. */
  readonly shared: boolean;
  /** Options that Kedge can't honour: a start refuses them by name. */
  readonly unsupported: readonly string[];
}

/** Options without an effect on the process of the guest. */
const PASSIVE = ['size', 'backup', 'replicate', 'shared', 'format'];
const HONOURED = ['file', 'cache', 'aio', 'discard', 'detect_zeroes', 'ro', 'ssd', 'serial', ...PASSIVE];

/** Parses the value of a disk key. @throws KedgeError `bad-config` */
export function parseDrive(entry: ConfigEntry, place: { readonly bus: GuestDrive['bus']; readonly index: number }): GuestDrive {
  const properties = readProperties(entry, { defaultKey: 'file', aliases: { volume: 'file' } });
  const volume = properties.get('file') ?? fail(entry, `${entry.key} names no volume`);
  const size = properties.get('size');
  const media = properties.get('media');
  return {
    key: entry.key,
    ...place,
    volume,
    cache: readWord(entry, { name: 'cache', value: properties.get('cache') ?? 'none', words: CACHE_MODES }),
    aio: readWord(entry, { name: 'aio', value: properties.get('aio') ?? 'threads', words: AIO_MODES }),
    discard: readWord(entry, { name: 'discard', value: properties.get('discard') ?? 'ignore', words: ['ignore', 'on'] }) === 'on',
    detectZeroes: readFlag({ entry, properties, name: 'detect_zeroes', absent: true }),
    readOnly: readFlag({ entry, properties, name: 'ro', absent: false }),
    ssd: readFlag({ entry, properties, name: 'ssd', absent: false }),
    serial: properties.get('serial') ?? null,
    sizeBytes: size === undefined ? null : (parsePveSize(size) ?? fail(entry, `size is "${size}", must be like 8G or 512M`)),
    shared: readFlag({ entry, properties, name: 'shared', absent: false }),
    unsupported: [
      ...[...properties.keys()].filter((name) => !HONOURED.includes(name) && name !== 'media'),
      ...(media === undefined || media === 'disk' ? [] : ['media']),
      ...(/^[A-Za-z][\w.-]*:./.test(volume) ? [] : ['file']),
    ],
  };
}

function readFlag(flag: { entry: ConfigEntry; properties: PropertyString; name: string; absent: boolean }): boolean {
  const text = flag.properties.get(flag.name);
  if (text === undefined) return flag.absent;
  return parsePveBoolean(text) ?? fail(flag.entry, `${flag.name} is "${text}", must be 0 or 1`);
}
