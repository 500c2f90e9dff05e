/** What `qm` understands, by PVE's names and limits; the options of `qm migrate` are those of its API of PVE 8 and 9. */
import type { PveCommand } from './pve-schema.js';

export const QM_SCHEMAS = {
  migrate: {
    description: 'Migrate virtual machine. Creates a new migration task.',
    positionals: ['vmid', 'target'],
    options: {
      'online': { type: 'boolean', description: 'Use online/live migration if VM is running' },
      'migration_type': { type: 'string', values: ['secure', 'insecure'], description: 'TLS, or plain TCP' },
      'bwlimit': { type: 'integer', minimum: 0, description: 'Bandwidth limit in KiB/s, 0 for none' },
      'force': { type: 'boolean', description: 'Allow local devices', refused: 'a guest with local devices cannot move; remove them first' },
      'migration_network': { type: 'string', description: 'CIDR of the migration network', refused: 'set migrationAddress of the nodes in kedge.yaml' },
      'targetstorage': { type: 'string', description: 'Mapping of storages', refused: 'only shared storage with the same id on both nodes is supported' },
      'with-conntrack-state': { type: 'boolean', description: 'Migrate conntrack entries', refused: 'connections that only conntrack knows may drop' },
      'with-local-disks': { type: 'boolean', description: 'Live storage migration', refused: 'only guests on shared storage can move' },
    },
  },
  list: {
    description: 'Virtual machine index (of the whole cluster).',
    positionals: [],
    options: { full: { type: 'boolean', description: 'Determine the full status of active VMs' } },
  },
  status: {
    description: 'Show VM status.',
    positionals: ['vmid'],
    options: { verbose: { type: 'boolean', description: 'Verbose output format' } },
  },
  start: { description: 'Start virtual machine.', positionals: ['vmid'], options: {} },
  stop: { description: 'Stop virtual machine: the qemu process will exit immediately.', positionals: ['vmid'], options: {} },
  shutdown: {
    description: 'Shutdown virtual machine by an ACPI event.',
    positionals: ['vmid'],
    options: {
      timeout: { type: 'integer', minimum: 0, description: 'Wait maximal timeout seconds' },
      forceStop: { type: 'boolean', description: 'Make sure the VM stops', refused: 'use "qm stop" after a failed shutdown' },
    },
  },
} as const satisfies Record<string, PveCommand>;

export type QmCommand = keyof typeof QM_SCHEMAS;
export const QM_COMMANDS: readonly QmCommand[] = ['list', 'migrate', 'shutdown', 'start', 'status', 'stop'];
