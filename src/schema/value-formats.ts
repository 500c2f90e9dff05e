/** The formats of texts that several of PVE's tables of keys share. */
import { isIPv4, isIPv6 } from 'node:net';
import { parsePveSize } from './property-string.js';
import { text } from './value-type.js';

const VOLUME = /^[a-z][a-z0-9._-]*[a-z0-9]:.+$/i;
const DNS_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const DNS_NAME = new RegExp(`^(?:${DNS_LABEL}\\.)*${DNS_LABEL}$`);
const PATH_WITH_DOTS = /\/\.\.?(?:\/|$)|^\.\.\//;

export const volumeId = text(VOLUME, 'a volume like local:101/vm-101-disk-0.qcow2');
/** The backing of a drive: a volume, a path on the node, an empty drive or the node's own CD-ROM drive. */
export const driveVolume = text(
  (value) => value === 'none' || value === 'cdrom' || value.startsWith('/') || VOLUME.test(value),
  'a volume like local:101/vm-101-disk-0.qcow2, an absolute path, none or cdrom',
);
/** A path without `.` and `..`, or a volume. */
export const containerVolume = text((value) => !PATH_WITH_DOTS.test(value), 'a volume or a path without "." and ".."');
export const containerPath = text((value) => !PATH_WITH_DOTS.test(value), 'a path without "." and ".."');
export const devicePath = text((value) => value.startsWith('/dev/') && !PATH_WITH_DOTS.test(value), 'the path of a device below /dev/');
export const diskSize = text((value) => parsePveSize(value) !== undefined, 'a size like 8G or 512M');
export const macAddress = text(/^[a-f0-9][02468ace](?::[a-f0-9]{2}){5}$/i, 'a unicast MAC address like BC:24:11:00:00:01');
export const bridgeName = text(/^[-\w.]+$/, 'the name of a bridge');
export const configId = text(/^[a-z][a-z0-9_-]+$/i, 'a name: a letter, then letters, digits, "-" and "_"');
export const storageId = text(/^[a-z][a-z0-9._-]*[a-z0-9]$/i, 'the name of a storage');
export const dnsName = text(DNS_NAME, 'a DNS name');
export const urlEncoded = text(/^[-%a-zA-Z0-9_.!~*'()]*$/, 'percent-encoded, without blanks and other signs');
export const tag = text(/^[a-z0-9_][a-z0-9_+.-]*$/i, 'a tag of letters, digits and "_-+."');
export const vlanTrunks = text(/^\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*$/, 'VLAN ids like 2;5-7');
export const ipv4 = text(isIPv4, 'an IPv4 address');
export const ipv6 = text((value) => isIPv6(value) && !value.includes('%'), 'an IPv6 address');
export const ipv4Config = text((value) => /^(?:dhcp|manual)$/.test(value) || isCidr(value, 4), 'an address like 10.0.0.2/24, dhcp or manual');
export const ipv6Config = text((value) => /^(?:auto|dhcp|manual)$/.test(value) || isCidr(value, 6), 'an address like fd00::2/64, auto, dhcp or manual');
export const cidr = text((value) => isCidr(value, 4) || isCidr(value, 6), 'a network like 10.1.0.0/24');
/** An address, which may name an interface when it is link-local. */
export const nameserver = text((value) => isIPv4(value) || isIPv6(value), 'an IP address');
export const address = text((value) => isIPv4(value) || isIPv6(value) || DNS_NAME.test(value), 'an IP address or a DNS name');
export const startupOrder = text(
  (value) => value.split(',').every((part) => /^\s*$|^(?:order=)?\d+$|^up=\d+$|^down=\d+$/.test(part)),
  'like order=1,up=30,down=60',
);

/** Is it a network in CIDR notation, as PVE takes them: at least 8 bits of prefix? */
export function isCidr(value: string, version: 4 | 6): boolean {
  const [, ip, bits] = /^([^/]+)\/(\d+)$/.exec(value) ?? [];
  if (ip === undefined || Number(bits) < 8 || Number(bits) > (version === 4 ? 32 : 128)) return false;
  return version === 4 ? isIPv4(ip) : isIPv6(ip) && !ip.includes('%');
}
