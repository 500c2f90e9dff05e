import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { UNPRIVILEGED_IDMAP, type ContainerNet, type ContainerStart, type IdRange } from '../../../src/drivers/lxc/container-start.js';
import { rootOf, type ContainerConfig } from '../../../src/schema/container-config.js';
import { isIdmapLine } from '../../../src/schema/container-config-idmap.js';
import type { ContainerMount } from '../../../src/schema/container-config-mount.js';
import { unsupportedContainerSettings } from '../../../src/schema/container-config-unsupported.js';
import { parsePveBoolean } from '../../../src/schema/property-string.js';

const ARCHITECTURES: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  i386: 'i686',
  arm64: 'aarch64',
};

/**
 * What LXC needs to start the container of this config; `folderOf` tells where a volume is.
 * @throws KedgeError `bad-config` without a root file system, `unsupported` that names what the driver would have to leave out
 */
export function containerStart(vmid: Vmid, config: ContainerConfig, folderOf: (volume: string) => string): ContainerStart {
  const root = rootOf(config);
  const unsupported = unsupportedContainerSettings(config).map(({ setting, line }) => `"${setting}" (line ${line})`);
  if (unsupported.length > 0)
    throw new KedgeError('unsupported', `Cannot use the container config: it has settings that Kedge does not support: ${unsupported.join(', ')}`);
  const sourceOf = ({ kind, volume }: ContainerMount): string => (kind === 'volume' ? folderOf(volume) : volume);
  const limit = Math.min(config.cores ?? Infinity, config.cpuLimit > 0 ? config.cpuLimit : Infinity);
  const isOn = (feature: string): boolean => parsePveBoolean(config.features.get(feature) ?? '0') === true;
  return {
    vmid,
    hostname: config.hostname ?? 'localhost',
    arch: ARCHITECTURES[config.arch] ?? config.arch,
    rootfs: sourceOf(root),
    mounts: config.mounts.filter((mount) => mount !== root).map((mount) => ({ source: sourceOf(mount), target: mount.path, readonly: mount.readOnly })),
    nets: config.nets.map(netStart),
    idmap: idmapOf(config),
    memory: { limitBytes: config.memoryMiB * 2 ** 20, swapBytes: config.swapMiB * 2 ** 20 },
    cpu: { limit: Number.isFinite(limit) ? limit : null, units: config.cpuUnits },
    features: { nesting: isOn('nesting'), fuse: isOn('fuse') },
    raw: config.text.rawEntries.filter((entry) => !isIdmapLine(entry)).map(({ key, value }) => `${key} = ${value}`),
  };
}

function netStart({ index, name, bridge, mac, ip, gateway, ip6, gateway6, tag, mtu, linkDown }: ContainerConfig['nets'][number]): ContainerNet {
  return { index, name, bridge, hwaddr: mac, ip: addressOf(ip), gw: gateway, ip6: addressOf(ip6), gw6: gateway6, vlan: tag, mtu, linkDown };
}

/** The id outside that is root inside: the owner of new volumes. */
export function rootOwner(config: ContainerConfig): number {
  return idmapOf(config).find(({ type, inside }) => type === 'u' && inside === 0)?.outside ?? 0;
}

function idmapOf({ idmap, unprivileged }: ContainerConfig): readonly IdRange[] {
  return idmap.length > 0 ? idmap : unprivileged ? UNPRIVILEGED_IDMAP : [];
}

/** `dhcp`, `manual` and `auto` are left to the guest. */
function addressOf(text: string | null): string | null {
  return text?.includes('/') === true ? text : null;
}
