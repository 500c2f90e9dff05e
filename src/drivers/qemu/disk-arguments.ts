import { KedgeError } from '../../domain/kedge-error.js';
import type { GuestDrive } from '../../schema/guest-config-drive.js';
import type { GuestConfig } from '../../schema/guest-config.js';

/** Where a disk's data is, as a storage driver answers. */
export interface ResolvedVolume {
  readonly path: string;
  readonly format: 'raw' | 'qcow2';
}

export interface DiskArgumentsInput {
  readonly config: GuestConfig;
  readonly volumes: ReadonlyMap<string, ResolvedVolume>;
  /** Root PCI bus of the machine. */
  readonly bus: string;
  /** Answers `,bootindex=N`, or nothing. */
  readonly bootIndexOf: (key: string) => string;
}

/** Block nodes and devices of all disks of a guest. @throws KedgeError `not-found` for a disk without a volume */
export function diskArguments(input: DiskArgumentsInput): string[] {
  const { config, volumes, bus } = input;
  const single = config.scsiController === 'virtio-scsi-single';
  const sharedController = !single && config.drives.some((drive) => drive.bus === 'scsi');
  return [
    ...(sharedController ? ['-device', `virtio-scsi-pci,id=scsihw0,bus=${bus},addr=0x5`] : []),
    ...config.drives.flatMap((drive) => {
      const volume = volumes.get(drive.key);
      if (volume === undefined) throw new KedgeError('not-found', `Cannot start the guest: disk ${drive.key} (${drive.volume}) has no file here`);
      const device = drive.bus === 'virtio' ? virtioDevice(drive, input) : scsiDevice(drive, { input, single });
      return ['-blockdev', JSON.stringify(blockNode(drive, volume)), ...device];
    }),
  ];
}

/** A format node over a file node; the JSON form needs no escaping of file names. */
function blockNode(drive: GuestDrive, volume: ResolvedVolume): Record<string, unknown> {
  const cache = { direct: drive.cache === 'none' || drive.cache === 'directsync', 'no-flush': drive.cache === 'unsafe' };
  const common = { cache, discard: drive.discard ? 'unmap' : 'ignore', 'read-only': drive.readOnly };
  return {
    driver: volume.format,
    'node-name': `drive-${drive.key}`,
    ...common,
    'detect-zeroes': drive.detectZeroes ? (drive.discard ? 'unmap' : 'on') : 'off',
    file: { driver: 'file', 'node-name': `file-${drive.key}`, filename: volume.path, aio: drive.aio, ...common },
  };
}

function virtioDevice(drive: GuestDrive, { bus, bootIndexOf }: DiskArgumentsInput): string[] {
  const address = `0x${(0x0a + drive.index).toString(16)}`;
  return ['-device', `virtio-blk-pci,drive=drive-${drive.key},id=${drive.key},bus=${bus},addr=${address}${commonDevice(drive)}${bootIndexOf(drive.key)}`];
}

function scsiDevice(drive: GuestDrive, options: { input: DiskArgumentsInput; single: boolean }): string[] {
  const { bus, bootIndexOf } = options.input;
  const controller = options.single ? `scsihw${drive.index}` : 'scsihw0';
  const own = options.single ? ['-device', `virtio-scsi-pci,id=${controller},bus=${bus},addr=0x${(0x18 + drive.index).toString(16)}`] : [];
  const ssd = drive.ssd ? ',rotation_rate=1' : '';
  const lun = `bus=${controller}.0,channel=0,scsi-id=0,lun=${options.single ? 0 : drive.index}`;
  return [...own, '-device', `scsi-hd,drive=drive-${drive.key},id=${drive.key},${lun}${ssd}${commonDevice(drive)}${bootIndexOf(drive.key)}`];
}

function commonDevice(drive: GuestDrive): string {
  const writeCache = drive.cache === 'writethrough' || drive.cache === 'directsync' ? 'off' : 'on';
  return `,write-cache=${writeCache}${drive.serial === null ? '' : `,serial=${drive.serial}`}`;
}
