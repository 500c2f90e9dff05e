/** All keys of a container's config that PVE 9 knows, with their types. Ranges are the widest that any PVE since 4 wrote. */
import {
  bridgeName,
  configId,
  containerPath,
  containerVolume,
  devicePath,
  diskSize,
  dnsName,
  ipv4,
  ipv4Config,
  ipv6,
  ipv6Config,
  macAddress,
  address,
  startupOrder,
  tag,
  volumeId,
} from './value-formats.js';
import { boolean, freeText, integer, list, number, properties, text, word, type KeyTable, type ValueType } from './value-type.js';

const MOUNT_OPTION = '(?:discard|lazytime|noatime|nodev|noexec|nosuid)';

const volumeOptions = {
  volume: containerVolume,
  size: diskSize,
  acl: boolean,
  mountoptions: text(new RegExp(`^${MOUNT_OPTION}(?:;${MOUNT_OPTION})*$`), 'options like noatime;nodev'),
  ro: boolean,
  quota: boolean,
  replicate: boolean,
  shared: boolean,
  idmap: freeText,
};

const net = properties(
  {
    name: text(/^[-\w.]+$/, 'the name of a network interface'),
    type: word('veth'),
    bridge: bridgeName,
    hwaddr: macAddress,
    mtu: integer(64, 65_535),
    ip: ipv4Config,
    gw: ipv4,
    ip6: ipv6Config,
    gw6: ipv6,
    firewall: boolean,
    tag: integer(1, 4_094),
    trunks: text(/^\d+(?:;\d+)*$/, 'VLAN ids like 2;5;7'),
    rate: number(),
    link_down: boolean,
    'host-managed': boolean,
  },
  { required: ['name'] },
);

const single = {
  onboot: boolean,
  startup: startupOrder,
  template: boolean,
  protection: boolean,
  hostname: dnsName,
  tags: list(tag),
  hookscript: volumeId,
  debug: boolean,
  parent: configId,
  snaptime: integer(),
  snapstate: word('prepare delete'),
  entrypoint: freeText,
  env: freeText,
  timezone: text(/^(?:host|UTC|[A-Za-z]+(?:\/[\w+-]+)+)$/, 'host, UTC or a time zone like Europe/Vienna'),
  ostype: text(/^[a-z]+$/, 'a distribution like debian, or unmanaged'),
  arch: word('amd64 i386 arm64 armhf riscv32 riscv64'),
  unprivileged: boolean,
  features: properties({
    mount: text(/^[a-zA-Z0-9_; ]+$/, 'file systems like nfs;cifs'),
    nesting: boolean,
    keyctl: boolean,
    fuse: boolean,
    mknod: boolean,
    force_rw_sys: boolean,
  }),
  searchdomain: list(dnsName),
  nameserver: list(address),
  lock: word('backup create destroyed disk fstrim migrate mounted rollback snapshot snapshot-delete'),
  cores: integer(1, 8_192),
  cpulimit: number(0, 8_192),
  cpuunits: integer(0, 500_000),
  memory: integer(16),
  swap: integer(),
  console: boolean,
  tty: integer(0, 6),
  cmode: word('shell console tty'),
  ipmanagehost: boolean,
  rootfs: properties(volumeOptions, { defaultKey: 'volume', required: ['volume'] }),
  delete: list(text(/^!?[a-z][a-z_]*\d*$/, 'a key')),
} satisfies Record<string, ValueType>;

/** Keys of the main section, of pending changes and of snapshots. */
export const CONTAINER_KEYS: KeyTable = {
  single,
  numbered: {
    mp: {
      count: 256,
      type: properties({ ...volumeOptions, mp: containerPath, backup: boolean, keepattrs: boolean }, { defaultKey: 'volume', required: ['volume', 'mp'] }),
    },
    unused: { count: 256, type: properties({ volume: volumeId }, { defaultKey: 'volume', required: ['volume'] }) },
    net: { count: 32, type: net },
    dev: {
      count: 256,
      type: properties(
        { path: devicePath, mode: text(/^0[0-7]{3}$/, 'octal like 0660'), uid: integer(), gid: integer(), 'deny-write': boolean },
        { defaultKey: 'path', required: ['path'] },
      ),
    },
  },
};

const LXC_KEYS = new Set(
  [
    'lxc.apparmor.profile lxc.apparmor.allow_incomplete lxc.apparmor.allow_nesting lxc.apparmor.raw lxc.selinux.context lxc.include lxc.arch',
    'lxc.uts.name lxc.signal.halt lxc.signal.reboot lxc.signal.stop lxc.init.cmd lxc.init.cwd lxc.pty.max lxc.console.logfile lxc.console.path',
    'lxc.tty.max lxc.devtty.dir lxc.autodev lxc.kmsg lxc.mount.fstab lxc.mount.entry lxc.mount.auto lxc.rootfs.mount lxc.cap.drop lxc.cap.keep',
    'lxc.seccomp.profile lxc.seccomp.notify.proxy lxc.seccomp.notify.cookie lxc.idmap lxc.hook.autodev lxc.hook.pre-start lxc.hook.pre-mount',
    'lxc.hook.mount lxc.hook.start lxc.hook.stop lxc.hook.post-stop lxc.hook.clone lxc.hook.destroy lxc.hook.version lxc.log.level lxc.log.file',
    'lxc.start.auto lxc.start.delay lxc.start.order lxc.group lxc.environment lxc.environment.runtime lxc.environment.hooks',
    'lxc.sysctl.fs.mqueue lxc.sysctl.kernel.msgmax lxc.sysctl.kernel.msgmnb lxc.sysctl.kernel.msgmni lxc.sysctl.kernel.sem',
    'lxc.sysctl.kernel.shmall lxc.sysctl.kernel.shmmax lxc.sysctl.kernel.shmmni lxc.sysctl.kernel.shm_rmid_forced',
  ].flatMap((line) => line.split(' ')),
);
/** Their names before LXC 3, which PVE still takes. */
const OLD_LXC_KEYS = new Set(
  [
    'lxc.aa_profile lxc.aa_allow_incomplete lxc.console lxc.devttydir lxc.haltsignal lxc.rebootsignal lxc.stopsignal lxc.id_map lxc.init_cmd',
    'lxc.loglevel lxc.logfile lxc.mount lxc.pts lxc.se_context lxc.seccomp lxc.tty lxc.utsname',
  ].flatMap((line) => line.split(' ')),
);
const LXC_FAMILIES = /^lxc\.(?:cgroup2?|prlimit|limit|net|network)\./;

/** Why PVE leaves out a raw line of LXC; undefined: it takes it. */
export function refusedLxcKey(key: string): string | undefined {
  if (key === 'lxc.rootfs.path') return 'lxc.rootfs.path is made from rootfs and can not be set';
  if (key === 'lxc.rootfs.options') return 'lxc.rootfs.options is not supported, use the options of rootfs';
  return LXC_KEYS.has(key) || OLD_LXC_KEYS.has(key) || LXC_FAMILIES.test(key) ? undefined : `key "${key}" is none that may be set`;
}
