/** Vocabulary of the checks before a migration; the checks themselves are in `check-migration.ts`. */

export const CHECK_IDS = [
  'same-node',
  'source-silent',
  'target-unknown',
  'target-silent',
  'target-cordoned',
  'guest-unknown',
  'guest-off',
  'guest-running-elsewhere',
  'guest-locked',
  'guest-migrating',
  'stream-stuck',
  'container-online',
  'guest-running',
  'config-unreadable',
  'guest-paused',
  'volume-not-movable',
  'volume-exists',
  'storage-map',
  'space-short',
  'guest-exists-on-target',
  'record-unsettled',
  'storage-missing',
  'storage-not-shared',
  'volume-missing',
  'local-device',
  'bridge-missing',
  'memory-short',
  'cpu-flags',
  'machine-type',
  'qemu-older',
  'kedge-protocol',
  'peer-unreachable',
  'peer-untrusted',
  'migration-network',
  'certificate',
  'disk-full',
  'port-unavailable',
  'accelerator',
] as const;
/** Stable id of a check. */
export type CheckId = (typeof CHECK_IDS)[number];

/** One finding: text in the form "what is wrong", remedy in the imperative. */
export interface Finding {
  readonly id: CheckId;
  readonly severity: 'blocker' | 'warning';
  readonly text: string;
  readonly remedy: string;
}
