import type { Vmid } from '../../domain/ids.js';
import { KedgeError } from '../../domain/kedge-error.js';
import type { MigrationOptions } from '../../domain/migration.js';
import type { CliContext } from '../cli-context.js';
import type { Cluster } from '../cluster.js';
import { requestedBy } from '../requested-by.js';
import { demandOtherNode, readTarget } from './migration-target.js';
import { abortTask, runMigrationTask } from './migration-task.js';
import { findGuest, pveStatus } from './pve-guests.js';
import type { PveValues } from './pve-schema.js';

const KIB = 1024;
/** PVE's patience with the shutdown; seconds. It never kills. */
const SHUTDOWN_TIMEOUT_S = 180;

/**
 * `pct migrate`: a container that runs is shut down, moved and started, and only with `--restart`; one that is stopped just moves.
 * @throws KedgeError when it is refused or the task ends in error, PveUsageError
 */
export async function pctMigrate(context: CliContext, cluster: Cluster, { vmid, values }: { vmid: Vmid; values: PveValues }): Promise<number> {
  const target = readTarget(cluster, values);
  const { guest, node } = await findGuest(cluster, { kind: 'lxc', vmid });
  demandOtherNode(target, node);
  const { online = false, restart = false } = values.booleans;
  const runs = pveStatus(guest) === 'running';
  if (runs && !online && !restart) throw new KedgeError('guest-state', "can't migrate running container without --online or --restart");
  // PVE finds this out in the task, and so it is in the log.
  if (runs && online) return abortTask(context, 'lxc live migration is currently not implemented');
  const options = { ...cluster.migrationDefaults, ...typedOptions(values), restart };
  return runMigrationTask(context, cluster, {
    noun: 'CT',
    input: { vmid, target, options, requestedBy: requestedBy(context.environment) },
    address: cluster.migrationAddress(target, options.network ?? null),
  });
}

function typedOptions({ strings, numbers }: PveValues): Partial<MigrationOptions> {
  const { 'target-storage': targetStorage } = strings;
  const { bwlimit, timeout = SHUTDOWN_TIMEOUT_S } = numbers;
  return {
    shutdownTimeoutMs: timeout * 1_000,
    onShutdownTimeout: 'fail',
    ...(targetStorage === undefined ? {} : { targetStorage }),
    // A fraction of KiB/s may be asked for here.
    ...(bwlimit === undefined ? {} : { bandwidthLimit: Math.ceil(bwlimit * KIB) }),
  };
}
