/** What `qm` understands, by PVE's names and limits; the options of `qm migrate` are those of its API of PVE 8 and 9. */
import { complainOfCidr, complainOfStorageMap } from './pve-formats.js';
import type { PveCommand, PveVerb } from './pve-schema.js';

export const QM_SCHEMAS: Readonly<Record<PveVerb, PveCommand>> = {
  migrate: {
    description: 'Migrate virtual machine. Creates a new migration task.',
    positionals: ['vmid', 'target'],
    options: {
      'online': { type: 'boolean', description: 'Use online/live migration if VM is running. Ignored if VM is stopped.' },
      'bwlimit': { type: 'integer', minimum: 0, description: 'Override I/O bandwidth limit (in KiB/s).' },
      'migration_type': {
        type: 'string',
        values: ['secure', 'insecure'],
        description: 'Migration traffic is encrypted (TLS, for disks SSH) by default. RAM can go in plain text on secure, completely private networks.',
      },
      'migration_network': { type: 'string', complain: complainOfCidr, description: 'CIDR of the (sub) network that is used for migration.' },
      'targetstorage': {
        type: 'string',
        complain: complainOfStorageMap,
        description: 'Mapping from source to target storages, of disks that are copied. One storage ID for all; 1 for the same.',
      },
      'with-local-disks': {
        type: 'boolean',
        description: 'Copy local disks too. A stopped VM always does; live storage migration is not supported yet.',
      },
      'force': {
        type: 'boolean',
        description: 'Allow to migrate VMs which use local devices.',
        refused: "a VM with local devices does not start on another node; remove them from its config first, then leave 'force' out",
      },
      'with-conntrack-state': {
        type: 'boolean',
        description: 'Whether to migrate conntrack entries for running VMs.',
        refused: 'Kedge runs no firewall for guests and has no conntrack entries to move',
      },
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
};
