/**
 * All keys of a VM's config that PVE 9 knows, with their types. Ranges are the widest that any PVE since 4 wrote: an old file is no wrong file.
 */
import { DEVICE_KEYS } from './guest-config-schema-devices.js';
import { DRIVE_KEYS } from './guest-config-schema-drives.js';
import { configId, dnsName, nameserver, startupOrder, storageId, tag, urlEncoded, volumeId } from './value-formats.js';
import { boolean, freeText, integer, list, number, properties, text, word, type KeyTable, type ValueType } from './value-type.js';

const UUID = '[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}';
const VERSION = '\\d+(?:\\.\\d+)+(?:\\+pve\\d+)?';
const MACHINE = new RegExp(`^(?:pc|q35|virt|pc(?:-i440fx|-q35)?-${VERSION}(?:\\.pxe)?|virt-${VERSION}|virt\\+pve\\d+)$`);
/** Base64 since PVE 6, before that any text without blanks. */
const smbiosText = text(/^\S+$/, 'without blanks, or base64 with base64=1');
const bootDevice = '(?:ide[0-3]|sata[0-5]|scsi\\d+|virtio\\d+|unused\\d+|net\\d+|usb\\d+|hostpci\\d+)';

const lifeCycle = {
  onboot: boolean,
  autostart: boolean,
  startup: startupOrder,
  reboot: boolean,
  template: boolean,
  protection: boolean,
  freeze: boolean,
  hookscript: volumeId,
  tags: list(tag),
  name: dnsName,
  ostype: word('other wxp w2k w2k3 w2k8 wvista win7 win8 win10 win11 l24 l26 solaris'),
  startdate: text(/^(?:now|\d{4}-\d{1,2}-\d{1,2}(?:T\d{1,2}:\d{1,2}:\d{1,2})?)$/, 'now, like 2006-06-17 or like 2006-06-17T16:01:21'),
  lock: word('backup clone create migrate rollback snapshot snapshot-delete suspending suspended'),
} satisfies Record<string, ValueType>;

const processor = {
  cpu: properties(
    {
      cputype: text(/^[A-Za-z0-9_.-]+$/, 'the name of a CPU model'),
      'reported-model': freeText,
      hidden: boolean,
      'hv-vendor-id': text(/^[a-zA-Z0-9]{1,12}$/, 'at most 12 letters and digits'),
      flags: text(/^[+-][\w.-]+(?:;[+-][\w.-]+)*$/, 'like +aes;-pcid'),
      'phys-bits': text((value) => value === 'host' || (/^\d{1,2}$/.test(value) && Number(value) >= 8 && Number(value) <= 64), 'host or from 8 to 64'),
      'guest-phys-bits': integer(32, 64),
      level: integer(),
    },
    { defaultKey: 'cputype', required: ['cputype'] },
  ),
  sockets: integer(1),
  cores: integer(1),
  vcpus: integer(0),
  smp: integer(1),
  cpulimit: number(0, 128),
  cpuunits: integer(0, 500_000),
  numa: boolean,
  affinity: text(/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/, 'cores like 0,5,8-11'),
  kvm: boolean,
  tdf: boolean,
  acpi: boolean,
} satisfies Record<string, ValueType>;

const memory = {
  memory: properties({ current: integer(16) }, { defaultKey: 'current' }),
  balloon: integer(),
  shares: integer(0, 50_000),
  hugepages: word('any 2 1024'),
  keephugepages: boolean,
  'allow-ksm': boolean,
  'amd-sev': properties(
    { type: word('std es snp'), 'no-debug': boolean, 'no-key-sharing': boolean, 'allow-smt': boolean, 'kernel-hashes': boolean },
    { defaultKey: 'type', required: ['type'] },
  ),
  'intel-tdx': properties(
    { type: word('tdx'), attestation: boolean, 'vsock-cid': integer(2), 'vsock-port': integer() },
    { defaultKey: 'type', required: ['type'] },
  ),
} satisfies Record<string, ValueType>;

const machine = properties(
  {
    type: text(MACHINE, 'pc, q35, virt or a version like pc-q35-9.0+pve1'),
    viommu: word('intel virtio'),
    'aw-bits': number(32, 64),
    'enable-s3': boolean,
    'enable-s4': boolean,
  },
  { defaultKey: 'type' },
);

const board = {
  machine,
  arch: word('x86_64 aarch64'),
  bios: word('seabios ovmf'),
  boot: properties(
    {
      legacy: text(/^[acdn]{1,4}$/, 'letters of acdn'),
      order: text(new RegExp(`^(?:${bootDevice}(?:;${bootDevice})*;?)?$`), 'devices like scsi0;ide2;net0'),
    },
    { defaultKey: 'legacy' },
  ),
  bootdisk: text(/^(?:ide[0-3]|sata[0-5]|scsi\d+|virtio\d+)$/, 'a drive like scsi0'),
  smbios1: properties({
    uuid: text(new RegExp(`^${UUID}$`), 'a UUID'),
    version: smbiosText,
    serial: smbiosText,
    manufacturer: smbiosText,
    product: smbiosText,
    sku: smbiosText,
    family: smbiosText,
    base64: boolean,
  }),
  vmgenid: text(new RegExp(`^(?:${UUID}|[01])$`), 'a UUID, 0 or 1'),
  args: freeText,
  hotplug: text(/^(?:[01]|(?:network|disk|cpu|memory|usb|cloudinit)(?:[,; ]+(?:network|disk|cpu|memory|usb|cloudinit))*)$/, 'like network,disk,usb, 0 or 1'),
  scsihw: word('lsi lsi53c810 virtio-scsi-pci virtio-scsi-single megasas pvscsi'),
  localtime: boolean,
  tablet: boolean,
  keyboard: word('da de de-ch en-gb en-us es fi fr fr-be fr-ca fr-ch hu is it ja lt mk nl no pl pt pt-br sl sv tr'),
  agent: properties(
    {
      enabled: boolean,
      fstrim_cloned_disks: boolean,
      'freeze-fs': boolean,
      type: word('virtio isa'),
    },
    { defaultKey: 'enabled', required: ['enabled'], aliases: { 'freeze-fs-on-backup': 'freeze-fs', 'guest-fsfreeze': 'freeze-fs' } },
  ),
} satisfies Record<string, ValueType>;

const state = {
  migrate_speed: integer(),
  migrate_downtime: number(),
  parent: configId,
  snaptime: integer(),
  snapstate: word('prepare delete'),
  vmstate: volumeId,
  vmstatestorage: storageId,
  runningmachine: machine,
  runningcpu: text(/^(?:[+-]?[\w.=-]+,?)+$/, 'what QEMU takes after -cpu'),
  'running-nets-host-mtu': text(/^net\d+=\d+(?:,net\d+=\d+)*$/, 'like net0=1500,net1=9000'),
  meta: properties({ 'creation-qemu': text(/^\d+(?:\.\d+){1,2}$/, 'a version like 9.0.2'), ctime: integer() }),
  delete: list(text(/^!?[a-z][a-z_-]*\d*$/, 'a key')),
} satisfies Record<string, ValueType>;

const cloudInit = {
  citype: word('configdrive2 nocloud opennebula'),
  ciuser: freeText,
  cipassword: freeText,
  ciupgrade: boolean,
  cicustom: properties({ meta: volumeId, network: volumeId, user: volumeId, vendor: volumeId }),
  searchdomain: freeText,
  nameserver: list(nameserver),
  sshkeys: urlEncoded,
} satisfies Record<string, ValueType>;

/** Keys of the main section, of pending changes and of snapshots. */
export const VM_KEYS: KeyTable = {
  single: { ...lifeCycle, ...processor, ...memory, ...board, ...state, ...cloudInit, ...DRIVE_KEYS.single, ...DEVICE_KEYS.single },
  numbered: { ...DRIVE_KEYS.numbered, ...DEVICE_KEYS.numbered },
};

/** Keys of `[special:fleecing]`; those of `[special:cloudinit]` PVE takes as they are. */
export const FLEECING_KEYS: KeyTable = { single: { 'fleecing-images': list(volumeId) }, numbered: {} };

/** Keys whose text may stand in quotes, which PVE takes away. Not `args`: there a quote may belong to a word. */
export const QUOTABLE_KEYS =
  /^(?:lock|keyboard|scsihw|ostype|hugepages|startdate|arch|bios|vmgenid|citype|ciuser|cipassword|searchdomain|runningcpu|running-nets-host-mtu|(?:serial|parallel)\d)$/;
