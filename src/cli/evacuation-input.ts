import type { SlotPriority } from '../domain/admission.js';
import type { EvacuateNodeInput } from '../domain/evacuation.js';
import type { NodeName } from '../domain/ids.js';
import type { CliContext } from './cli-context.js';
import type { Cluster } from './cluster.js';
import { requestedBy } from './requested-by.js';

/** What the options of a drain and of an undrain share. */
interface GivenOptions extends Pick<EvacuateNodeInput, 'parallel' | 'until' | 'waitUntil' | 'force'> {
  readonly priority?: SlotPriority;
  readonly ignoreBlackout?: true;
}

/** The input of a drain or an undrain, from what was typed. */
export function evacuationInput(
  { parallel, until, waitUntil, force, priority, ignoreBlackout }: GivenOptions,
  { node, cluster, context }: { node: NodeName; cluster: Pick<Cluster, 'migrationDefaults'>; context: CliContext },
): EvacuateNodeInput {
  return {
    node,
    requestedBy: requestedBy(context.environment),
    options: { ...cluster.migrationDefaults, ...(ignoreBlackout === undefined ? {} : { ignoreBlackout }) },
    ...(parallel === undefined ? {} : { parallel }),
    ...(until === undefined ? {} : { until }),
    ...(waitUntil === undefined ? {} : { waitUntil }),
    ...(force === undefined ? {} : { force }),
    ...(priority === undefined ? {} : { priority }),
  };
}
