import { describe, expect, it } from 'vitest';
import { findStrays } from '../../../chaos/judge/find-strays.js';
import type { NodeSurvey, PlacedGuest, Survey } from '../../../chaos/judge/survey-types.js';

const guests: readonly PlacedGuest[] = [
  { vmid: 101, isContainer: false, isLocal: false, node: 'node1' },
  { vmid: 103, isContainer: true, isLocal: true, node: 'node2' },
];
const node1: NodeSurvey = {
  node: 'node1',
  files: [
    '/etc/kedge/qemu-server/101.conf',
    '/var/lib/kedge/records/101.json',
    '/var/lib/kedge/records/103.json',
    '/var/lib/kedge/journal/101.claim.json',
    '/var/lib/kedge/journal/tasks/cde6f8185a53efb2e52724d158780eef',
    '/run/kedge/peer.sock',
    '/run/kedge/qemu/101/pid',
    '/run/kedge/qemu/101/observer.qmp',
    '/run/kedge/lxc/103/console.log',
  ],
  records: [
    { vmid: 101, state: 'owned', isClaimed: false },
    { vmid: 103, state: 'released', isClaimed: false },
  ],
  processes: [
    'bash /repository/lab/node-init.sh node node1 /lab/node1',
    'node --max-semi-space-size=2 /repository/dist/src/cli/main.js node run',
    'sshd: root@notty',
    '/usr/bin/node /repository/bin/kedge peer --from node2',
    '/usr/bin/qemu-system-x86_64 -name 101-live',
  ],
  copies: [101],
  interfaces: ['lo', 'vmbr0', 'tap101i0'],
  ports: [22],
  nftTables: [],
};
const node2: NodeSurvey = {
  ...node1,
  node: 'node2',
  files: ['/etc/kedge/lxc/103.conf', '/run/kedge/lxc/103/config', '/var/lib/kedge/images/images/103/subvol-103-disk-0.subvol'],
  records: [
    { vmid: 101, state: 'revoked', isClaimed: false },
    { vmid: 103, state: 'owned', isClaimed: false },
  ],
  processes: ['[lxc monitor] /run/kedge/lxc 103'],
  copies: [103],
  interfaces: ['lo', 'vmbr0', 'veth103i0'],
};
const clean: Survey = {
  nodes: [node1, node2],
  shared: ['.kedge/identity', 'images/101/vm-101-disk-0.raw'],
  workflows: ['admission', 'node-node1', 'node-node2'],
};
/** Taken when both guests were on node1: their devices are no part of the node. */
const baseline: Survey = { ...clean, nodes: [{ ...node1, interfaces: [...node1.interfaces, 'veth103i0'] }, node2] };

const straysWith = (changes: Partial<NodeSurvey>, whole: Partial<Survey> = {}): readonly string[] =>
  findStrays({ ...clean, nodes: [{ ...node1, ...changes }, node2], ...whole }, { guests, baseline });

describe('findStrays', () => {
  it('finds nothing on clean nodes', () => {
    expect(straysWith({})).toEqual([]);
  });

  it.each([
    '/etc/kedge/lxc/103.conf',
    '/etc/kedge/qemu-server/.101.conf.0123456789ab.stage',
    '/var/lib/kedge/journal/101.stream.json',
    '/var/lib/kedge/journal/103.volumes.json',
    '/var/lib/kedge/images/images/103/subvol-103-disk-0.subvol',
    '/var/lib/kedge/images/images/102/.incoming-102-3-vm-102-disk-0.raw',
    '/run/kedge/rsync-grants/abc',
    '/run/kedge/lxc/103/config',
    '/run/kedge/crash/source.cont',
    '/var/lib/kedge/journal/103.shutdown',
  ])('finds the file %s', (file) => {
    expect(straysWith({ files: [...node1.files, file] })).toEqual([`node1: ${file}`]);
  });

  it('lets a guest on local disks that was told to shut down keep its mark, where it runs', () => {
    const marked = { ...node2, files: [...node2.files, '/var/lib/kedge/journal/103.shutdown'] };
    expect(findStrays({ ...clean, nodes: [node1, marked] }, { guests, baseline })).toEqual([]);
  });

  it('finds a config that is missing where the guest runs', () => {
    expect(straysWith({ files: node1.files.slice(1) })).toEqual(['node1: /etc/kedge/qemu-server/101.conf is missing']);
  });

  it('finds records that are claimed, not owned where the guest runs, or unsettled elsewhere', () => {
    const [own, other] = node1.records;
    expect(straysWith({ records: [{ vmid: 101, state: 'owned', isClaimed: true }, other!] })).toEqual([
      'node1: record of 101 is owned, claimed, although it runs here',
    ]);
    expect(straysWith({ records: [{ vmid: 101, state: 'releasing', isClaimed: false }, other!] })).toHaveLength(1);
    expect(straysWith({ records: [own!, { vmid: 103, state: 'armed', isClaimed: false }] })).toEqual([
      'node1: record of 103 is armed, although it runs on node2',
    ]);
  });

  it('finds a second copy, a copy elsewhere, and a program that should have ended', () => {
    expect(straysWith({ copies: [101, 101] })).toEqual(['node1: a copy of guest 101']);
    expect(straysWith({ copies: [101, 103] })).toEqual(['node1: a copy of guest 103']);
    expect(straysWith({ processes: [...node1.processes, 'rsync --server'] })).toEqual(['node1: process "rsync --server"']);
  });

  it('finds devices, listeners and packet rules', () => {
    expect(straysWith({ interfaces: ['lo', 'vmbr0', 'tap101i0', 'veth103i0'], ports: [22, 49_152], nftTables: ['table inet kedge'] })).toEqual([
      'node1: interface veth103i0',
      'node1: a listener on port 49152',
      'node1: packet rules "table inet kedge"',
    ]);
  });

  it('finds a workflow, and files of the shared storage that came or went', () => {
    expect(straysWith({}, { workflows: [...clean.workflows, 'migration-101'] })).toEqual(['workflow migration-101']);
    expect(straysWith({}, { shared: ['.kedge/identity', 'images/101/new.raw'] })).toEqual([
      'shared storage: images/101/new.raw',
      'shared storage: images/101/vm-101-disk-0.raw is missing',
    ]);
  });

  it('lets what is kept beside shared disks change, but not pile up, and not be of guests that have none', () => {
    const seen = (...files: string[]): readonly string[] => straysWith({}, { shared: [...clean.shared, ...files] });
    expect(seen('.kedge/101.conf', '.kedge/101.7', '.kedge/101.8', '.kedge/.101.9.0123456789ab.stage')).toEqual([]);
    expect(seen('.kedge/101.6', '.kedge/101.7', '.kedge/101.8')).toEqual(['shared storage: markers of 101 pile up']);
    expect(seen('.kedge/103.conf', '.kedge/102.4')).toEqual(['shared storage: .kedge/103.conf', 'shared storage: .kedge/102.4']);
  });
});
