/** Keys of a VM's devices other than drives. */
import { bridgeName, configId, ipv4, ipv4Config, ipv6, ipv6Config, macAddress, vlanTrunks } from './value-formats.js';
import { boolean, freeText, integer, number, properties, text, word, type KeyTable, type PropertyType, type ValueType } from './value-type.js';

const PCI = '(?:[a-f0-9]{4,}:)?[a-f0-9]{2}:[a-f0-9]{2}(?:\\.[a-f0-9])?';
const hexId = text(/^0x[0-9a-fA-F]{4}$/, 'like 0x10de');
const numberSet = text(/^\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*$/, 'numbers like 0-3;8');
const NET_MODELS = ['e1000 e1000-82540em e1000-82544gc e1000-82545em e1000e i82551 i82557b i82559er', 'ne2k_isa ne2k_pci pcnet rtl8139 virtio vmxnet3'].join(
  ' ',
);

/** A device of the host: named itself, or by a mapping of the cluster. */
function hostDevice(options: PropertyType['options']): ValueType {
  return properties(
    { mapping: configId, ...options },
    {
      defaultKey: 'host',
      rule: (found) =>
        found.has('host') === found.has('mapping')
          ? { option: 'mapping', problem: found.has('host') ? 'host and mapping exclude each other' : 'host or mapping is missing' }
          : undefined,
    },
  );
}

const net = properties(
  {
    model: word(NET_MODELS),
    macaddr: macAddress,
    bridge: bridgeName,
    queues: integer(0, 64),
    rate: number(),
    tag: integer(1, 4_094),
    trunks: vlanTrunks,
    firewall: boolean,
    link_down: boolean,
    mtu: integer(1, 65_520),
    'host-tunnel': freeText,
  },
  { defaultKey: 'model', required: ['model'], pair: { words: NET_MODELS.split(' '), word: 'model', value: 'macaddr' } },
);

const ipconfig = properties(
  { ip: ipv4Config, gw: ipv4, ip6: ipv6Config, gw6: ipv6 },
  {
    rule(found) {
      if (found.has('gw') && !found.has('ip')) return { option: 'gw', problem: 'gw needs ip' };
      return found.has('gw6') && !found.has('ip6') ? { option: 'gw6', problem: 'gw6 needs ip6' } : undefined;
    },
  },
);

/** Network cards, devices of the host, ports, graphics. */
export const DEVICE_KEYS: KeyTable = {
  single: {
    vga: properties(
      {
        type: word('cirrus qxl qxl2 qxl3 qxl4 none serial0 serial1 serial2 serial3 std virtio virtio-gl vmware'),
        memory: integer(4, 512),
        clipboard: word('vnc'),
      },
      { defaultKey: 'type' },
    ),
    watchdog: properties({ model: word('i6300esb ib700'), action: word('reset shutdown poweroff pause debug none') }, { defaultKey: 'model' }),
    rng0: properties(
      { source: word('/dev/urandom /dev/random /dev/hwrng'), max_bytes: integer(), period: integer() },
      { defaultKey: 'source', required: ['source'] },
    ),
    audio0: properties({ device: word('ich9-intel-hda intel-hda AC97'), driver: word('spice none') }, { required: ['device'] }),
    ivshmem: properties({ size: integer(1), name: text(/^[a-zA-Z0-9-]+$/, 'letters, digits and "-"') }, { required: ['size'] }),
    spice_enhancements: properties({ foldersharing: boolean, videostreaming: word('off all filter') }),
    hostusb: freeText,
  },
  numbered: {
    net: { count: 32, type: net },
    ipconfig: { count: 32, type: ipconfig },
    hostpci: {
      count: 16,
      type: hostDevice({
        host: text(new RegExp(`^${PCI}(?:;${PCI})*$`), 'PCI addresses like 0000:01:00.0;0000:01:00.1'),
        rombar: boolean,
        romfile: text(/^[^,;]+$/, 'the name of a file'),
        pcie: boolean,
        'x-vga': boolean,
        'legacy-igd': boolean,
        mdev: text(/^[^/.:]+$/, 'a type of mediated device'),
        'vendor-id': hexId,
        'device-id': hexId,
        'sub-vendor-id': hexId,
        'sub-device-id': hexId,
        driver: text(/^[a-z0-9_-]+$/, 'the name of a driver'),
      }),
    },
    usb: {
      count: 14,
      type: hostDevice({
        host: text(/^(?:(?:0x)?[0-9A-Fa-f]{4}:(?:0x)?[0-9A-Fa-f]{4}|\d+-\d+(?:\.\d+)*|spice)$/i, 'a device like 046d:c52b, a port like 1-1.2, or spice'),
        usb3: boolean,
      }),
    },
    virtiofs: {
      count: 10,
      type: properties(
        { dirid: configId, cache: word('auto always metadata never'), 'direct-io': boolean, 'expose-xattr': boolean, 'expose-acl': boolean },
        { defaultKey: 'dirid', required: ['dirid'] },
      ),
    },
    serial: { count: 4, type: text(/^(?:\/dev\/.+|socket)$/, 'socket or a device below /dev/') },
    parallel: { count: 3, type: text(/^\/dev\/(?:parport\d+|usb\/lp\d+)$/, 'a device like /dev/parport0 or /dev/usb/lp0') },
    numa: {
      count: 8,
      type: properties({ cpus: numberSet, memory: number(), hostnodes: numberSet, policy: word('preferred bind interleave') }, { required: ['cpus'] }),
    },
  },
};
