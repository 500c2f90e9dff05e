import type { GuestConfig } from './guest-config.js';

/** Keys that the QEMU driver honours, or that mean nothing to the process of the guest. */
const KNOWN_KEYS: ReadonlySet<string> = new Set([
  'name',
  'memory',
  'cores',
  'sockets',
  'cpu',
  'machine',
  'args',
  'scsihw',
  'vga',
  'smbios1',
  'vmgenid',
  'onboot',
  'ostype',
  'boot',
  'agent',
  'tags',
  'lock',
  'runningmachine',
  'runningcpu',
  'meta',
  'kvm',
  'acpi',
  'bios',
  'balloon',
  'numa',
  // The snapshot that the present state comes from: a start looks at none.
  'parent',
  'migrate_speed',
  'migrate_downtime',
]);
/** What `smbios1` may say; QEMU would take more there, such as a file of this node to read. */
const SMBIOS_KEYS: ReadonlySet<string> = new Set(['uuid', 'version', 'serial', 'manufacturer', 'product', 'sku', 'family', 'base64']);
/** PCI slots are kept for this many disks and cards of each kind, so that addresses never move. */
const MAX_INDEX = { virtio: 5, net: 5, scsiSingle: 5 };

/**
 * Names every setting that a start would have to leave out: `key`, `key.option` or `[section]`. Empty: the guest can start.
 * A setting that is ignored silently would give the guest other hardware than its owner asked for.
 */
export function unsupportedSettings(config: GuestConfig): readonly string[] {
  const single = config.scsiController === 'virtio-scsi-single';
  const scsiController = single || config.scsiController === 'virtio-scsi-pci';
  return [
    ...config.text.entries.map(({ key }) => key).filter((key) => !KNOWN_KEYS.has(key) && !/^(?:virtio|scsi|net|serial|unused)\d+$/.test(key)),
    ...config.drives.flatMap((drive) => drive.unsupported.map((option) => `${drive.key}.${option}`)),
    ...config.nets.flatMap((net) => net.unsupported.map((option) => `${net.key}.${option}`)),
    ...config.nets.filter((net) => net.model !== 'virtio').map((net) => `${net.key}.${net.model}`),
    ...config.drives.filter((drive) => drive.bus === 'virtio' && drive.index > MAX_INDEX.virtio).map((drive) => drive.key),
    ...config.drives.filter((drive) => drive.bus === 'scsi' && single && drive.index > MAX_INDEX.scsiSingle).map((drive) => drive.key),
    ...config.nets.filter((net) => net.index > MAX_INDEX.net).map((net) => net.key),
    ...(config.drives.some((drive) => drive.bus === 'scsi') && !scsiController ? [`scsihw.${config.scsiController}`] : []),
    ...config.serials.filter((serial) => serial.kind !== 'socket').map((serial) => `serial${serial.index}`),
    ...config.cpu.unsupported.map((option) => `cpu.${option}`),
    ...[...config.smbios.keys()].filter((key) => !SMBIOS_KEYS.has(key)).map((key) => `smbios1.${key}`),
    ...config.machine.unsupported.map((option) => `machine.${option}`),
    ...(config.numa ? ['numa'] : []),
    ...(config.bios === 'seabios' ? [] : [`bios.${config.bios}`]),
    ...(config.vga === null || /^(?:none|std|serial[0-3])$/.test(config.vga) ? [] : [`vga.${config.vga}`]),
    ...(config.vmgenid === '1' ? ['vmgenid.1'] : []),
    ...(config.bootOrder === null && config.text.entries.some(({ key }) => key === 'boot') ? ['boot'] : []),
    // Snapshots are states that the guest may be taken back to, not settings of the one that starts.
    ...config.text.sections.filter(({ kind }) => kind !== 'snapshot').map(({ name }) => `[${name}]`),
  ];
}
