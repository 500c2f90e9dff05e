import type { GuestConfig } from './guest-config.js';

/** The machine of a config that names none, as in PVE. */
const DEFAULT_ALIAS = 'pc';

/** The machine type that a start of this config asks for, an alias or a versioned one: what it runs with (`runningmachine`), else the config's. */
export function machineOf({ machine, runningMachine }: Pick<GuestConfig, 'machine' | 'runningMachine'>): string {
  // PVE appends its own revision (`+pve0`), which QEMU doesn't know.
  return (runningMachine ?? machine.type ?? DEFAULT_ALIAS).replace(/\+pve\d+$/, '');
}
