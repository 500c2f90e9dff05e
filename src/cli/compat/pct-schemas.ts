/** What `pct` understands, by PVE's names and limits. They differ from those of `qm` in small things: keep both exactly. */
import { complainOfStorageMap } from './pve-formats.js';
import type { PveCommand, PveVerb } from './pve-schema.js';

export const PCT_SCHEMAS: Readonly<Record<PveVerb, PveCommand>> = {
  migrate: {
    description: 'Migrate the container to another node. Creates a new migration task.',
    positionals: ['vmid', 'target'],
    options: {
      'online': { type: 'boolean', description: 'Use online/live migration. Not implemented, for PVE neither.' },
      'restart': { type: 'boolean', description: 'Use restart migration' },
      'timeout': { type: 'integer', minimum: 0, description: 'Timeout in seconds for shutdown for restart migration (default: 180)' },
      'bwlimit': { type: 'number', minimum: 0, description: 'Override I/O bandwidth limit (in KiB/s).' },
      'target-storage': {
        type: 'string',
        complain: complainOfStorageMap,
        description: 'Mapping from source to target storages. One storage ID for all; 1 for the same.',
      },
    },
  },
  list: { description: 'LXC container index (of the whole cluster).', positionals: [], options: {} },
  status: {
    description: 'Show CT status.',
    positionals: ['vmid'],
    options: { verbose: { type: 'boolean', description: 'Verbose output format' } },
  },
  start: {
    description: 'Start the container.',
    positionals: ['vmid'],
    options: { debug: { type: 'boolean', description: 'Very verbose debug log-level on start', refused: "read the log of the node's worker" } },
  },
  stop: { description: 'Stop the container. This will abruptly stop all processes running in the container.', positionals: ['vmid'], options: {} },
  shutdown: {
    description: 'Shutdown the container. This will trigger a clean shutdown of the container.',
    positionals: ['vmid'],
    options: {
      timeout: { type: 'integer', minimum: 0, description: 'Wait maximal timeout seconds (default: 60)' },
      forceStop: { type: 'boolean', description: 'Make sure the Container stops', refused: 'use "pct stop" after a failed shutdown' },
    },
  },
};
