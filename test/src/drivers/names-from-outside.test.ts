import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { parseMigrationId, parseNodeName, parseVmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { qemuArguments } from '../../../src/drivers/qemu/qemu-arguments.js';
import { imagePassArguments, treePassArguments } from '../../../src/drivers/rsync/rsync-arguments.js';
import { parseServerCommand, serverArguments } from '../../../src/drivers/rsync/parse-server-command.js';
import { sshArguments } from '../../../src/drivers/ssh/ssh-arguments.js';
import { dirLayout } from '../../../src/drivers/storage/dir/layout.js';
import { dirIncoming } from '../../../src/drivers/storage/dir/dir-incoming.js';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import { parseStorageConfig } from '../../../src/schema/storage-config.js';

/** Pieces of what somebody would send to have a name read as an option, as a path elsewhere, or as a command. */
const PIECES = [
  '-',
  '--',
  '-o',
  '-oProxyCommand=id',
  '--rsync-path=id',
  '-e',
  '..',
  '../',
  '/',
  '/etc/shadow',
  '.',
  '~',
  '\0',
  '\n',
  ' ',
  ';id',
  '$(id)',
  '`id`',
  '|',
  '&',
  '*',
  '%h',
  "'",
];
const GOOD = [
  'node1',
  'local',
  ':',
  '101',
  '/vm-101-disk-0',
  '.raw',
  '.qcow2',
  'vm-101-',
  'subvol-101-disk-1.subvol',
  'local:101/vm-101-disk-0.raw',
  '101-2',
  '_',
  'a',
];
const hostile = fc.array(fc.oneof(fc.constantFrom(...PIECES, ...GOOD), fc.string({ maxLength: 3 })), { maxLength: 6 }).map((parts) => parts.join(''));

/** The value when it is taken, null when it is refused in Kedge's words. */
function taken<Value>(parse: () => Value): Value | null {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    return null;
  }
}

const RUNS = { numRuns: 1_000 };
const TOKEN = '0123456789abcdef0123456789abcdef';
const layout = dirLayout({ id: 'local', path: '/srv/local' });

describe('a name that comes from outside', () => {
  property.prop([hostile], RUNS)('of a node is one DNS label or refused', (text) => {
    const name = taken(() => parseNodeName(text));
    if (name !== null) expect(name).toMatch(/^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/);
  });

  property.prop([hostile], RUNS)('of a guest or a migration is digits or refused', (text) => {
    expect(String(taken(() => parseVmid(text)) ?? '100')).toMatch(/^[1-9]\d{2,8}$/);
    expect(taken(() => parseMigrationId(text))?.id ?? '100-1').toMatch(/^[1-9]\d{2,8}-[1-9]\d*$/);
  });

  property.prop([hostile], RUNS)('of a volume lies in the folder of its guest or is refused', (text) => {
    const volume = taken(() => layout.parse(text));
    if (volume === null) return;
    expect(layout.placeOf(volume)).toMatch(new RegExp(`^/srv/local/images/${String(volume.vmid)}/[A-Za-z0-9][A-Za-z0-9_.-]*$`));
    expect(layout.placeOf(volume)).not.toContain('..');
  });

  property.prop([hostile, hostile], RUNS)('of a copy that comes in does too', (volumeId, migrationId) => {
    const place = taken(() => dirIncoming(layout).path({ volumeId, migrationId: `101-2${migrationId}` }));
    if (place !== null) expect(place.path).toMatch(/^\/srv\/local\/images\/[1-9]\d{2,8}\/\.incoming-[1-9]\d{2,8}-[1-9]\d*-[A-Za-z0-9][A-Za-z0-9_.-]*$/);
  });

  property.prop([hostile, hostile], RUNS)('of a storage is a word, and its path absolute without "..", or both are refused', (id, path) => {
    const config = taken(() => parseStorageConfig(`dir: ${id}\n\tpath ${path}\n`));
    for (const storage of config?.storages ?? []) {
      expect(storage.id).toMatch(/^[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]$/);
      expect(storage.path).toMatch(/^\//);
      expect(storage.path.split('/')).not.toContain('..');
    }
  });
});

describe('arguments of rsync', () => {
  const target = { node: 'node2', token: TOKEN, remoteShell: ['ssh'] };
  const paths = (args: readonly string[]): readonly string[] => args.slice(args.indexOf('--') + 1);

  property.prop([hostile, hostile], RUNS)('name one absolute source and one token, after "--"', (source, token) => {
    for (const pass of [imagePassArguments, treePassArguments]) {
      const args = taken(() => pass({ source, target: { ...target, token }, final: true, compression: 'lz4', targetIsEmpty: false }));
      if (args === null) continue;
      const [from, to, ...more] = paths(args);
      expect(more).toEqual([]);
      expect(from).toMatch(/^\//);
      expect(to).toMatch(/^node2:[0-9a-f]{32}\/?$/);
    }
  });

  property.prop(
    [fc.array(fc.oneof(hostile, fc.constantFrom('--server', '-ISe.LsfxCIvu', '--inplace', '.', TOKEN, `${TOKEN}/`, '--sender', '--log-file=/etc/x', '-e.L')))],
    RUNS,
  )('of a peer end in the granted path, and hold no other one', (words) => {
    const grant = { token: TOKEN, peer: parseNodeName('node1'), kind: 'file', path: '/srv/local/images/101/x' } as const;
    const args = taken(() => serverArguments(parseServerCommand(['rsync', '--server', ...words].join(' ')), grant));
    if (args === null) return;
    expect(args.slice(-2)).toEqual(['.', grant.path]);
    for (const word of args.slice(0, -2)) expect(word).toMatch(/^-[A-Za-z0-9@=.,-]*$/);
  });
});

describe('arguments of ssh', () => {
  property.prop([hostile, hostile], RUNS)('hold each path in an option of its own, or it is refused', (privateKeyFile, knownHostsFile) => {
    const args = taken(() => sshArguments({ node: parseNodeName('node2'), address: '10.0.0.2', privateKeyFile, knownHostsFile }));
    if (args === null) return;
    expect(args[args.indexOf('-i') + 1]).toMatch(/^\/[A-Za-z0-9_@+=:,./-]+$/);
    expect(args.filter((word, index) => word.startsWith('-') && args[index - 1] === '-o')).toEqual([]);
    expect(args.filter((word) => /ProxyCommand|LocalCommand|KnownHostsCommand/.test(word)).filter((word) => !word.startsWith('UserKnownHostsFile=/'))).toEqual(
      args.includes(privateKeyFile) && /ProxyCommand/.test(privateKeyFile) ? [privateKeyFile] : [],
    );
  });
});

describe('a guest config', () => {
  const argumentsOf = (text: string): readonly string[] | null =>
    taken(() =>
      qemuArguments({
        vmid: 101,
        config: parseGuestConfig(`memory: 64\n${text}\n`),
        folder: '/run/kedge/qemu/101',
        volumes: new Map([['virtio0', { path: '/srv/local/images/101/vm-101-disk-0.raw', format: 'raw' }]]),
        machineType: 'pc-q35-7.2',
        accelerator: 'tcg',
        incoming: false,
      }),
    );
  const KNOWN = new Set([...optionsOf(argumentsOf('name: a\nvga: std\nagent: 1\nvirtio0: local:101/vm-101-disk-0.raw') ?? []), '-chardev']);

  it.each([
    'smbios1: file=/etc/shadow',
    'smbios1: type=0',
    'name: a,process=b',
    'name: -daemonize',
    'machine: q35,kernel=/etc/shadow',
    'virtio0: /etc/shadow',
    'virtio0: local:101/vm-101-disk-0.raw,file=/etc/shadow',
    'net0: virtio=BC:24:11:00:00:01,bridge=-x',
    'net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,script=/bin/sh',
    'vmgenid: 1,x=y',
    'scsihw: virtio-scsi-pci,iothread=x',
  ])('with "%s" starts nothing: QEMU would be told something else than the guest', (line) => {
    expect(argumentsOf(line)).toBeNull();
  });

  property.prop([fc.constantFrom('name', 'smbios1', 'vmgenid', 'machine', 'vga', 'cpu', 'ostype', 'boot', 'scsihw', 'bios', 'agent'), hostile], RUNS)(
    'value never becomes an option of QEMU',
    (key, value) => {
      const args = argumentsOf(`virtio0: local:101/vm-101-disk-0.raw\n${key}: ${value.replace(/\n/g, ' ')}`);
      expect(optionsOf(args ?? []).filter((option) => !KNOWN.has(option))).toEqual([]);
    },
  );
});

/** The options of a command line as QEMU reads it: each takes the next word, whatever that is, but for a few. */
function optionsOf(args: readonly string[]): readonly string[] {
  const options: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const option = args[index] ?? '';
    options.push(option);
    if (!['-nodefaults', '-no-user-config', '-S'].includes(option)) index += 1;
  }
  return options;
}
