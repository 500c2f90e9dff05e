import type { PreparedCopy, StepRef } from '../../../activities/interface.js';
import type { NodeName } from '../../../src/domain/ids.js';
import type { CopyOptions, CopyProgress } from '../../../src/domain/migration.js';

/** What one attempt of a step of an offline migration is asked to do on the source, and how it is told to stop. */
export interface OfflineTask {
  readonly step: StepRef;
  readonly target: NodeName;
  readonly options: CopyOptions;
  readonly attempt: number;
  /** Aborted with a KedgeError: `cancelled` by the user, `worker-stopping`, or `stale-claim` when a newer attempt has taken over. */
  readonly signal: AbortSignal;
  /** Called a few times a second at most; must not throw. */
  readonly report: (progress: CopyProgress) => void;
}

/** One that deals with the copies of the volumes. */
export interface VolumesTask extends OfflineTask {
  readonly prepared: PreparedCopy;
}
