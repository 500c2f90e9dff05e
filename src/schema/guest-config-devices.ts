import type { ConfigText } from './guest-config-text.js';
import { parsePropertyString, PropertyStringError } from './property-string.js';

/** Something of the node that a guest uses itself, so that it can't leave the node without it. */
export interface LocalDevice {
  /** The config key, e.g. `hostpci0`. */
  readonly key: string;
  readonly kind: 'hostpci' | 'usb' | 'serial' | 'parallel' | 'ivshmem' | 'virtiofs' | 'dev' | 'lxc';
  /** The name under which the cluster knows such devices on several nodes; null: this node's only. */
  readonly mapping: string | null;
  readonly value: string;
}

/** The local devices of a VM's main section. A SPICE port (`usbN: spice`) and a socket (`serialN: socket`) are none. */
export function localDevices(text: ConfigText): readonly LocalDevice[] {
  return text.entries.flatMap(({ key, value }): readonly LocalDevice[] => {
    const [, name] = /^(hostpci|hostusb|usb|serial|parallel|virtiofs|ivshmem)\d*$/.exec(key) ?? [];
    switch (name) {
      case 'hostpci':
        return [{ key, kind: 'hostpci', mapping: optionOf(value, 'mapping'), value }];
      case 'virtiofs':
        return [{ key, kind: 'virtiofs', mapping: optionOf(value, 'dirid', 'dirid'), value }];
      case 'usb':
      case 'hostusb': {
        const host = optionOf(value, 'host', 'host');
        return host !== null && /^spice$/i.test(host) ? [] : [{ key, kind: 'usb', mapping: optionOf(value, 'mapping'), value }];
      }
      case 'serial':
        return value === 'socket' ? [] : [{ key, kind: 'serial', mapping: null, value }];
      case 'parallel':
        return [{ key, kind: 'parallel', mapping: null, value }];
      case 'ivshmem':
        return [{ key, kind: 'ivshmem', mapping: null, value }];
      default:
        return [];
    }
  });
}

/** The local devices of a container: `devN`, and raw lines of LXC that let it use some. Its mounts are among the volumes. */
export function containerDevices(text: ConfigText): readonly LocalDevice[] {
  return [
    ...text.entries.filter(({ key }) => /^dev\d+$/.test(key)).map(({ key, value }) => ({ key, kind: 'dev', mapping: null, value }) as const),
    ...text.rawEntries
      .filter(({ key, value }) => (key === 'lxc.mount.entry' && value.startsWith('/')) || /^lxc\.cgroup2?\.devices\.allow$/.test(key))
      .map(({ key, value }) => ({ key, kind: 'lxc', mapping: null, value }) as const),
  ];
}

function optionOf(value: string, option: string, defaultKey = 'host'): string | null {
  try {
    return parsePropertyString(value, { defaultKey }).get(option) ?? null;
  } catch (error) {
    if (error instanceof PropertyStringError) return null;
    throw error;
  }
}
