import type { StepRef, PreparedTarget } from '../../../activities/interface.js';
import type { NodeName } from '../../../src/domain/ids.js';
import type { CopyOptions, CopyProgress } from '../../../src/domain/migration.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import type { QmpConnection } from '../../../src/drivers/qmp/qmp-connection.js';
import type { StreamLimits } from './stream-limits.js';
import type { StepClaim } from '../journal/step-journal.js';

/** What one attempt of a copy is asked to do, and how it is told to stop. */
export interface CopyTask {
  readonly step: StepRef;
  readonly target: NodeName;
  readonly prepared: PreparedTarget;
  readonly options: CopyOptions;
  /** RFC 3339 instant by which the hand-over must have begun; null: none. */
  readonly deadline: string | null;
  readonly attempt: number;
  /** Aborted with a KedgeError: `cancelled` by the user, `worker-stopping` or `stale-claim` when the stream shall run on without us. */
  readonly signal: AbortSignal;
  /** Called a few times a second at most; must not throw. */
  readonly report: (progress: CopyProgress) => void;
}

/** A copy under way: the claim is held, QEMU is connected, the stream runs. */
export interface RunningCopy {
  readonly task: CopyTask;
  readonly claim: StepClaim;
  readonly qmp: QmpConnection;
  /** `owned(g)`, claimed by this migration. */
  readonly record: OwnershipRecord;
  /** Sequence number of the last event before this attempt looked at the stream. */
  readonly eventsFrom: number;
  readonly reattached: number;
  readonly limits: StreamLimits;
}
