import type { Vmid } from '../../domain/ids.js';
import type { GuestKind } from '../../domain/ownership.js';
import type { CliContext } from '../cli-context.js';
import type { Cluster } from '../cluster.js';
import type { GuestPlace } from '../guest-places.js';
import type { PveCommand, PveValues, PveVerb } from './pve-schema.js';

/** What tells `qm` from `pct`. */
export interface PveProgram {
  readonly name: 'qm' | 'pct';
  readonly kind: GuestKind;
  readonly schemas: Readonly<Record<PveVerb, PveCommand>>;
  /** PVE's patience of `shutdown`; seconds. */
  readonly shutdownTimeoutS: number;
  /** The lines of `list`, in PVE's columns. */
  readonly list: (guests: readonly GuestPlace[]) => string;
  /** Answers the exit code. @throws KedgeError when the task ends in error, PveUsageError */
  readonly migrate: (context: CliContext, cluster: Cluster, request: { readonly vmid: Vmid; readonly values: PveValues }) => Promise<number>;
}
