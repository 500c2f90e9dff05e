/** Migrations in all their ends, for the tests of the command line. */
import type { MigrationView } from '../../../src/client/migration-view.js';
import type { ErrorCode } from '../../../src/domain/error-codes.js';
import { parseGeneration, parseMigrationId, parseNodeName, parseVmid, type NodeName } from '../../../src/domain/ids.js';
import { DEFAULT_MIGRATION_OPTIONS, type CopyProgress, type MigrationStory } from '../../../src/domain/migration.js';
import type { GuestSummary, NodeStatus } from '../../../src/domain/node-facts.js';
import type { KedgeFailure } from '../../../src/domain/read-failure.js';

export const node1 = parseNodeName('node1');
export const node2 = parseNodeName('node2');
export const vmid = parseVmid(101);

export const story = (changes: Partial<MigrationStory> = {}): MigrationStory => ({
  v: 1,
  id: parseMigrationId('101-7').id,
  vmid,
  source: node1,
  target: node2,
  generation: parseGeneration(7),
  requestedBy: 'root@workstation',
  startedAt: '2026-03-01T12:00:00.000Z',
  endedAt: '2026-03-01T12:00:04.200Z',
  options: DEFAULT_MIGRATION_OPTIONS,
  kind: 'live',
  downtimeMs: null,
  phase: 'done',
  outcome: 'migrated',
  steps: [
    { step: 'validate', startedAt: '2026-03-01T12:00:00.010Z', durationMs: 80, outcome: 'done' },
    { step: 'pre-copy', startedAt: '2026-03-01T12:00:00.300Z', durationMs: 3_700, outcome: 'done' },
  ],
  rounds: [
    { round: 1, bytesLeft: 50 * 2 ** 20, bytesSent: 512 * 2 ** 20, durationMs: 3_000 },
    { round: 2, bytesLeft: 2 ** 20, bytesSent: 562 * 2 ** 20, durationMs: 600 },
  ],
  bytesSent: 563 * 2 ** 20,
  blackout: { stopToResumeMs: 47, qemuDowntimeMs: 39 },
  warnings: [],
  question: null,
  ...changes,
});

export const progress = (changes: Partial<CopyProgress> = {}): CopyProgress => ({
  v: 1,
  phase: 'pre-copy',
  round: 2,
  bytesSent: 412 * 2 ** 20,
  bytesLeft: 88 * 2 ** 20,
  bytesTotal: 512 * 2 ** 20,
  rate: 310 * 2 ** 20,
  dirtyRate: 22 * 2 ** 20,
  expectedBlackoutMs: 48,
  etaSeconds: 2,
  reattached: 0,
  ...changes,
});

export const running = (changes: Partial<CopyProgress> = {}): MigrationView => ({
  ref: { workflowId: 'migration-101', runId: 'run-1', vmid },
  status: 'running',
  startedAt: '2026-03-01T12:00:00.000Z',
  endedAt: null,
  phase: changes.phase ?? 'pre-copy',
  story: story({ phase: 'pre-copy', outcome: null, endedAt: null, blackout: null }),
  storyIsFresh: true,
  progress: progress(changes),
  activities: [],
  failure: null,
});

export const ended = (changes: Partial<MigrationView> = {}): MigrationView => ({
  ...running(),
  status: changes.failure === undefined ? 'completed' : 'failed',
  endedAt: '2026-03-01T12:00:04.200Z',
  phase: 'done',
  story: story(),
  progress: null,
  ...changes,
});

export const failure = (code: ErrorCode, message = 'It went wrong', details: Record<string, unknown> = {}): KedgeFailure => ({
  code,
  message,
  details,
  answer: 'given',
});

export const guest = (changes: Partial<GuestSummary> = {}): GuestSummary => ({
  vmid,
  kind: 'qemu',
  name: 'web',
  record: 'owned',
  generation: parseGeneration(6),
  wanted: 'running',
  migrationId: null,
  qemu: 'running',
  memoryBytes: 512 * 2 ** 20,
  cores: 1,
  ...changes,
});

export const nodeStatus = (changes: Partial<NodeStatus> = {}): NodeStatus => ({
  node: node1,
  bootId: 'boot-1',
  registeredAt: '2026-03-01T11:00:00Z',
  cordoned: false,
  silentSince: null,
  inventory: {
    v: 1,
    node: node1,
    bootId: 'boot-1',
    at: '2026-03-01T12:00:09Z',
    versions: { kedge: '0.1.0', protocol: 1, qemu: '7.2.22' },
    machineTypes: ['pc-q35-7.2'],
    cpu: { model: 'Test CPU', flags: ['sse2'], cores: 4, accelerator: 'kvm' },
    memory: { totalBytes: 8 * 2 ** 30, availableBytes: 6 * 2 ** 30 },
    load: 0.25,
    bridges: ['vmbr0'],
    storages: [{ id: 'shared', type: 'dir', shared: true, enabled: true, identity: 'x', totalBytes: 2 ** 40, freeBytes: 2 ** 39 }],
    guests: [guest()],
    slots: { bulk: 2 },
  },
  inventoryAgeMs: 900,
  ...changes,
});

/** A node that reports these guests. */
export const nodeWith = (node: NodeName, ...guests: readonly GuestSummary[]): NodeStatus => {
  const status = nodeStatus({ node });
  return { ...status, inventory: status.inventory === null ? null : { ...status.inventory, node, guests } };
};
