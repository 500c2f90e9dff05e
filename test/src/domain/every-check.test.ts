/** Each id of the registry is found by a rule: the compiler demands a case for every new one. */
import { describe, expect, test } from 'vitest';
import { checkGuestNeeds } from '../../../src/domain/check-guest-needs.js';
import { checkConfigRead, checkOtherMigration, checkSourceState, checkTargetState } from '../../../src/domain/check-guest-state.js';
import { checkLink } from '../../../src/domain/check-link.js';
import { checkMigration } from '../../../src/domain/check-migration.js';
import { checkCertificateFiles, checkRecordSpace } from '../../../src/domain/check-node-files.js';
import { checkVolumes } from '../../../src/domain/check-volumes.js';
import { CHECKS, type CheckId, type Finding } from '../../../src/domain/checks.js';
import { chooseMigrationKind } from '../../../src/domain/choose-migration-kind.js';
import { checkForecast, forecastMigration } from '../../../src/domain/forecast.js';
import { parseGeneration, parseMigrationId } from '../../../src/domain/ids.js';
import { DEFAULT_MIGRATION_OPTIONS } from '../../../src/domain/migration.js';
import type { GuestSummary } from '../../../src/domain/node-facts.js';
import type { GuestView } from '../../../src/domain/ownership.js';
import { disk, facts, guest, inventory, link, look, needs, node1, node2, onTarget, storage, vmid, withGuest } from '../../support/migration-facts.js';

const options = DEFAULT_MIGRATION_OPTIONS;
const view = (changes: Partial<GuestView> = {}): GuestView => ({ node: node1, bootId: 'boot', record: { kind: 'missing' }, qemu: 'gone', ...changes });
const owned = { kind: 'record', record: { vmid, kind: 'qemu', generation: parseGeneration(3), state: 'owned', wanted: 'running', bootId: 'boot' } } as const;
const moving: GuestSummary = {
  vmid: parseMigrationId('102-4').vmid,
  kind: 'qemu',
  name: 'other',
  record: 'owned',
  generation: parseGeneration(3),
  wanted: 'running',
  migrationId: parseMigrationId('102-4').id,
  qemu: 'running',
  memoryBytes: 1,
  cores: 1,
};

const refusal = (request: Partial<Parameters<typeof chooseMigrationKind>[0]>): readonly Finding[] => {
  const choice = chooseMigrationKind({ vmid, guestKind: 'qemu', wanted: 'running', isOn: true, options: { online: false, restart: false }, ...request });
  return 'refusal' in choice ? [choice.refusal] : [];
};
const live = { kind: 'live', runningMachine: 'pc-q35-7.2' } as const;
const volume = (changes: Parameters<typeof look>[0], movement: 'live' | 'offline' = 'offline'): readonly Finding[] =>
  checkVolumes([look(changes)], { vmid, movement });
const copied = (changes: Parameters<typeof facts>[0] = {}): readonly Finding[] =>
  checkMigration(withGuest({ movement: 'offline', volumes: [disk()], storages: [] }, changes));
const copiedTo = (changes: Parameters<typeof storage>[0]): readonly Finding[] =>
  copied({ targetSide: { findings: [], inventory: inventory(node2, { storages: [storage({ id: 'local', shared: false, ...changes })] }) } });
const foreseen = ({ timeoutMs = 0, maxDowntimeMs = 300 }: { timeoutMs?: number; maxDowntimeMs?: number }, memoryBytes = 1e12): readonly Finding[] => {
  const limits = { bandwidthLimit: 0, maxDowntimeMs };
  const forecast = forecastMigration({ kind: 'live', memoryBytes, touchedBytes: memoryBytes, volumes: [], link: null, options, limits });
  return checkForecast(forecast, { timeoutMs, maxDowntimeMs });
};
const network = (changes: Partial<ReturnType<typeof needs>['nets'][number]>, bridge: { vlanAware: boolean; mtu: number }): readonly Finding[] =>
  checkMigration(
    withGuest(
      { needs: needs({ nets: [{ key: 'net0', bridge: 'vmbr0', vlan: false, mtu: null, ...changes }] }) },
      { targetSide: { findings: [], inventory: inventory(node2, { bridgeFacts: [{ name: 'vmbr0', ...bridge }] }) } },
    ),
  );

/** Facts that the rule must find fault with, and the rule. */
const CASES: Readonly<Record<CheckId, () => readonly Finding[]>> = {
  'same-node': () => checkMigration(facts({ target: node1 })),
  'blackout': () => checkMigration(facts({ blackouts: [{ name: 'freeze', nodes: null, guests: null, endsAt: '2026-12-02T00:00:00.000Z' }] })),
  'source-silent': () => checkMigration(facts({ sourceSide: 'silent' })),
  'target-unknown': () => checkMigration(facts({ nodes: [node1], sourceSide: 'unasked', targetSide: 'unasked' })),
  'target-silent': () => checkMigration(facts({ targetSide: 'silent' })),
  'target-cordoned': () => {
    const { targetStatus } = facts();
    return checkMigration(facts({ targetStatus: targetStatus === null ? null : { ...targetStatus, cordoned: true } }));
  },
  'other-cluster': () => checkMigration(onTarget({ cluster: { name: 'other', authority: 'AA:BB' } })),
  'guest-unknown': () => checkSourceState({ vmid, view: view(), runState: null, streamStuck: false }),
  'guest-off': () => refusal({ isOn: false, options: { online: true, restart: false } }),
  'guest-running-elsewhere': () => checkTargetState({ vmid, view: view(), sourceGeneration: 3, pid: 7, foreignConfig: false }),
  'guest-locked': () => checkGuestNeeds(needs({ lock: 'backup' }), live),
  'stream-stuck': () => checkSourceState({ vmid, view: view({ record: owned, qemu: 'running' }), runState: 'running', streamStuck: true }),
  'container-online': () => refusal({ guestKind: 'lxc', options: { online: true, restart: false } }),
  'guest-running': () => refusal({ guestKind: 'lxc' }),
  'guest-paused': () => refusal({ wanted: 'paused', options: { online: false, restart: true } }),
  'guest-migrating': () => checkOtherMigration({ vmid, running: true }),
  'config-unreadable': () => checkConfigRead({ vmid, node: node1, reason: 'line 1, column 2' }),
  'config-unsupported': () => checkGuestNeeds(needs({ unsupported: ['audio0'] }), { kind: 'restart', runningMachine: null }),
  'pending-changes': () => checkGuestNeeds(needs({ pending: ['memory'] }), live),
  'volume-not-movable': () => volume({ obstacles: [{ text: 'It has a backing file', remedy: 'Rebase it' }] }),
  'volume-exists': () => copied({ ...withCloudInit(), targetSide: { findings: [], inventory: inventory(node2), volumes: ['local:101/vm-101-cloudinit.raw'] } }),
  'volume-renamed': () => copied({ targetSide: { findings: [], inventory: inventory(node2), volumes: ['local:101/vm-101-disk-0.raw'] } }),
  'volume-missing': () => volume({ unreadable: 'no such file' }, 'live'),
  'volume-foreign': () => volume({ owner: 102 }, 'live'),
  'volume-aliased': () => checkVolumes([look(), look({ volume: 'other:101/vm-101-disk-0.raw' })], { vmid, movement: 'offline' }),
  'snapshot-not-movable': () => volume({ inSnapshot: true, format: 'raw' }),
  'base-in-use': () => volume({ clones: [105] }),
  'storage-map': () => copied({ targetStorage: 'a:b,a:c' }),
  'storage-missing': () => checkMigration(onTarget({ storages: [] })),
  'storage-content': () => copiedTo({ content: ['iso'] }),
  'storage-not-shared': () => checkMigration(withGuest({ storages: [{ id: 'local', shared: false, identity: 'two' }] })),
  'storage-offline': () => checkMigration(withGuest({ storages: [{ id: 'shared', shared: true, identity: 'one', enabled: false }] })),
  'storage-type': () => volume({ foreignType: 'zfspool' }),
  'space-short': () => copiedTo({ freeBytes: 1e7 }),
  'space-overcommitted': () => copiedTo({ freeBytes: 5e8 }),
  'guest-exists-on-target': () => checkTargetState({ vmid, view: view({ record: owned }), sourceGeneration: 3, pid: null, foreignConfig: false }),
  'rsync-missing': () => copied({ targetSide: { findings: [], inventory: inventory(node2), rsync: { unusable: 'Cannot copy: rsync is not installed' } } }),
  'record-unsettled': () => checkSourceState({ vmid, view: view({ record: { kind: 'unreadable', reason: 'torn' } }), runState: null, streamStuck: false }),
  'local-device': () => checkGuestNeeds(needs({ devices: [{ key: 'usb0', value: 'host=1-2', mapping: null }] }), live),
  'device-mapped': () => checkGuestNeeds(needs({ devices: [{ key: 'hostpci0', value: 'mapping=gpu', mapping: 'gpu' }] }), live),
  'memory-encrypted': () => checkGuestNeeds(needs({ encryption: ['amd-sev'] }), live),
  'clipboard-vnc': () => checkGuestNeeds(needs({ vncClipboard: true }), live),
  'bridge-missing': () => checkMigration(onTarget({ bridges: [] })),
  'vlan-unaware': () => network({ vlan: true }, { vlanAware: false, mtu: 1_500 }),
  'bridge-mtu': () => network({ mtu: 9_000 }, { vlanAware: true, mtu: 1_500 }),
  'memory-short': () => checkMigration(onTarget({ memory: { totalBytes: 8e9, availableBytes: 1 } })),
  'cores-short': () => checkMigration(withGuest({ needs: needs({ cores: 64 }) })),
  'target-loaded': () => checkMigration(onTarget({ load: 20 })),
  'cpu-flags': () =>
    checkMigration(
      withGuest(
        { config: 'cpu: host' },
        { targetSide: { findings: [], inventory: inventory(node2, { cpu: { model: 'old', flags: ['sse2'], cores: 2, accelerator: 'kvm' } }) } },
      ),
    ),
  'accelerator': () => checkMigration(onTarget({ cpu: { model: 'test', flags: [], cores: 2, accelerator: 'tcg' } })),
  'machine-type': () => checkMigration(onTarget({ machineTypes: ['pc-q35-6.2'] })),
  'qemu-older': () => checkMigration(onTarget({ versions: { kedge: '0.1.0', protocol: 1, qemu: '6.2.0' } })),
  'kedge-protocol': () => checkMigration(onTarget({ versions: { kedge: '0.1.0', protocol: 0, qemu: '7.2.22' } })),
  'kedge-older': () => checkMigration(onTarget({ versions: { kedge: '0.0.9', protocol: 1, qemu: '7.2.22' } })),
  'peer-unreachable': () => checkLink({ ...link(), control: { kind: 'unreachable', reason: 'refused' }, migration: null }),
  'peer-untrusted': () => checkLink({ ...link(), control: { kind: 'untrusted', reason: 'key' }, migration: null }),
  'migration-network': () => checkLink(link({ connects: false }, { arrived: 0, largeArrived: 0, roundTripMs: null })),
  'packet-loss': () => checkLink(link({}, { sent: 800, arrived: 760 })),
  'path-mtu': () => checkLink(link({}, { largeArrived: 0 })),
  'link-lossy': () => checkLink(link({}, { sent: 800, arrived: 798 })),
  'link-slow': () => checkLink(link({ bytesPerSecond: 1e6 })),
  'latency-high': () => checkLink(link({}, { roundTripMs: 40 })),
  'link-unmeasured': () => checkLink(link({}, { arrived: 0, largeArrived: 0, roundTripMs: null })),
  'clock-skew': () => checkLink({ ...link(), control: { kind: 'answered', ownProtocol: 1, peerProtocol: 1, roundTripMs: 1, clockSkewMs: 3_600_000 } }),
  'certificate': () => checkCertificateFiles(node2, ['has no server-key.pem']),
  'disk-full': () => checkRecordSpace({ node: node2, folder: '/var/lib/kedge', freeBytes: 4_096 }),
  'port-unavailable': () => checkLink({ ...link(), migration: { kind: 'no-listener', reason: 'EADDRNOTAVAIL' } }),
  'node-busy': () => checkMigration(onTarget({ guests: [moving] })),
  'timeout-short': () => foreseen({ timeoutMs: 1_000 }),
  'blackout-long': () => foreseen({ maxDowntimeMs: 5 }),
};

function withCloudInit(): Partial<ReturnType<typeof facts>> {
  const volumes = [disk({ volumeId: 'local:101/vm-101-cloudinit.raw' })];
  return { sourceSide: { findings: [], guest: guest({ movement: 'offline', storages: [], volumes }), inventory: inventory(node1) } };
}

describe('every check', () => {
  test.for(Object.entries(CASES))('finds %s', ([id, find]) => {
    const findings = find();
    expect(findings.map((found) => found.id)).toEqual([id]);
    for (const found of findings) expect(found).toMatchObject({ severity: CHECKS[found.id].severity, remedy: expect.stringMatching(/^[A-Z]/) });
  });

  test('finds nothing between equal nodes with a good link and a guest that needs little', () => {
    expect(checkMigration(facts())).toEqual([]);
    expect(copied()).toEqual([]);
    expect(checkGuestNeeds(needs(), live)).toEqual([]);
    expect(checkLink(link())).toEqual([]);
    expect(checkVolumes([look()], { vmid, movement: 'offline' })).toEqual([]);
    expect(foreseen({}, 1e9)).toEqual([]);
    expect(checkSourceState({ vmid, view: view({ record: owned, qemu: 'running' }), runState: 'running', streamStuck: false })).toEqual([]);
  });
});
