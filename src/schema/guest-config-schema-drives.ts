/** Keys of a VM's drives and their options by bus. */
import { diskSize, driveVolume, urlEncoded, volumeId } from './value-formats.js';
import { boolean, integer, number, properties, text, word, type KeyTable, type PropertyType, type ScalarType, type ValueType } from './value-type.js';

const DIRECTIONS = ['', '_rd', '_wr'] as const;
const throttles = (name: (direction: string) => string, type: ScalarType): PropertyType['options'] =>
  Object.fromEntries(DIRECTIONS.map((direction) => [name(direction), type]));

const volume = { file: driveVolume };
const format = { format: word('raw qcow qed qcow2 vmdk cloop') };
const size = { size: diskSize };

const common = {
  ...volume,
  ...format,
  ...size,
  media: word('cdrom disk'),
  cyls: integer(),
  heads: integer(),
  secs: integer(),
  trans: word('none lba auto'),
  snapshot: boolean,
  cache: word('none writethrough writeback unsafe directsync'),
  backup: boolean,
  replicate: boolean,
  rerror: word('ignore report stop'),
  werror: word('enospc ignore report stop'),
  aio: word('native threads io_uring'),
  discard: word('ignore on'),
  detect_zeroes: boolean,
  serial: urlEncoded,
  shared: boolean,
  ...throttles((direction) => `bps${direction}`, integer()),
  ...throttles((direction) => `mbps${direction}`, number()),
  ...throttles((direction) => `mbps${direction}_max`, number()),
  ...throttles((direction) => `bps${direction}_max_length`, integer(1)),
  ...throttles((direction) => `iops${direction}`, integer()),
  ...throttles((direction) => `iops${direction}_max`, integer()),
  ...throttles((direction) => `iops${direction}_max_length`, integer(1)),
};
const wwn = { wwn: text(/^0x[0-9a-fA-F]{16}$/, 'like 0x5000c50015ea71ac') };
const ssd = { ssd: boolean };
const iothread = { iothread: boolean };
const ro = { ro: boolean };
const model = { model: urlEncoded };
const scsi = {
  product: text(/^[A-Za-z0-9_\s-]{0,16}$/, 'at most 16 letters, digits, "-", "_" and blanks'),
  vendor: text(/^[A-Za-z0-9_\s-]{0,8}$/, 'at most 8 letters, digits, "-", "_" and blanks'),
  queues: integer(2),
  scsiblock: boolean,
};

/** An option that makes no sense without another one. */
const NEEDS: readonly (readonly [string, string])[] = DIRECTIONS.flatMap((direction) => [
  [`mbps${direction}_max`, `mbps${direction}`],
  [`bps${direction}_max_length`, `mbps${direction}_max`],
  [`iops${direction}_max_length`, `iops${direction}_max`],
]);
/** Options that exclude each other. */
const EXCLUDES: readonly (readonly [string, string])[] = [
  ...DIRECTIONS.map((direction) => [`bps${direction}`, `mbps${direction}`] as const),
  ['mbps_rd', 'mbps'],
  ['mbps_wr', 'mbps'],
  ['iops_rd', 'iops'],
  ['iops_wr', 'iops'],
];
const NOT_FOR_CDROM = ['snapshot', 'trans', 'format', 'heads', 'secs', 'cyls'];

function drive(options: PropertyType['options'], bus: string): ValueType {
  return properties(options, {
    defaultKey: 'file',
    required: ['file'],
    aliases: {
      volume: 'file',
      bps_rd_length: 'bps_rd_max_length',
      bps_wr_length: 'bps_wr_max_length',
      iops_rd_length: 'iops_rd_max_length',
      iops_wr_length: 'iops_wr_max_length',
    },
    rule(found) {
      const has = (option: string): boolean => found.has(option) || found.has(option.replace(/^mbps/, 'bps'));
      const lonely = NEEDS.find(([option, other]) => found.has(option) && !has(other));
      if (lonely !== undefined) return { option: lonely[0], problem: `${lonely[0]} needs ${lonely[1]}` };
      const twice = EXCLUDES.find((pair) => pair.every((option) => found.has(option)));
      if (twice !== undefined) return { option: twice[0], problem: `${twice[0]} and ${twice[1]} exclude each other` };
      if (found.get('media') !== 'cdrom') return undefined;
      if (bus === 'virtio') return { option: 'media', problem: 'a virtio drive can be no CD-ROM' };
      const odd = NOT_FOR_CDROM.find((option) => found.has(option) && found.get(option) !== '0');
      return odd === undefined ? undefined : { option: odd, problem: `a CD-ROM has no ${odd}` };
    },
  });
}

const ide = drive({ ...common, ...model, ...ssd, ...wwn }, 'ide');

/** All keys that name a volume of a VM, but for `vmstate`. */
export const DRIVE_KEYS: KeyTable = {
  single: {
    cdrom: ide,
    efidisk0: drive(
      { ...volume, ...format, ...size, efitype: word('2m 4m'), 'pre-enrolled-keys': boolean, 'ms-cert': text(/^\d{4}[a-z]?$/, 'a year like 2023w') },
      'efidisk',
    ),
    tpmstate0: drive({ ...volume, ...size, version: word('v1.2 v2.0') }, 'tpmstate'),
  },
  numbered: {
    ide: { count: 4, type: ide },
    sata: { count: 6, type: drive({ ...common, ...ssd, ...wwn }, 'sata') },
    scsi: { count: 31, type: drive({ ...common, ...iothread, ...ro, ...ssd, ...wwn, ...scsi }, 'scsi') },
    virtio: { count: 16, type: drive({ ...common, ...iothread, ...ro }, 'virtio') },
    unused: { count: 256, type: properties({ file: volumeId }, { defaultKey: 'file', required: ['file'], aliases: { volume: 'file' } }) },
  },
};
