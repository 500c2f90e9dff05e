/** What an audit sees of one guest, and of a node where nothing is, to be changed by each test. */
import type { AuditedNode, AuditInput } from '../../src/domain/audit-types.js';
import { parseGeneration, parseVmid, type NodeName } from '../../src/domain/ids.js';
import type { GuestSummary } from '../../src/domain/node-facts.js';

/** Guest 101, which its node owns and runs. */
export const auditedGuest = (changes: Partial<GuestSummary> = {}): GuestSummary => ({
  vmid: parseVmid(101),
  kind: 'qemu',
  name: 'web',
  record: 'owned',
  generation: parseGeneration(7),
  wanted: 'running',
  migrationId: null,
  qemu: 'running',
  memoryBytes: 1,
  cores: 1,
  ...changes,
});

export const emptyNode = (node: NodeName, changes: Partial<AuditedNode> = {}): AuditedNode => ({
  node,
  guests: [],
  processes: [],
  sockets: [],
  files: [],
  interfaces: [],
  nftTables: [],
  ports: [],
  journalOpen: [],
  views: [],
  ...changes,
});

/** What an audit of these nodes has found, where all answer and nothing runs. */
export const auditInput = (nodes: readonly AuditedNode[], changes: Partial<AuditInput> = {}): AuditInput => ({
  nodes,
  unreached: [],
  migrations: [],
  slots: [],
  schedules: [],
  ...changes,
});
