import type { Vmid } from '../../domain/ids.js';
import { KedgeError } from '../../domain/kedge-error.js';
import type { MigrationOptions } from '../../domain/migration.js';
import type { CliContext } from '../cli-context.js';
import type { Cluster } from '../cluster.js';
import { requestedBy } from '../requested-by.js';
import { demandOtherNode, readTarget } from './migration-target.js';
import { runMigrationTask } from './migration-task.js';
import { findGuest, pveStatus } from './pve-guests.js';
import type { PveValues } from './pve-schema.js';
import { PveUsageError } from './pve-usage-error.js';

const KIB = 1024;

/**
 * `qm migrate`: a VM that runs moves live, and only with `--online`; one that is stopped moves with its disks.
 * @throws KedgeError when it is refused or the task ends in error, PveUsageError
 */
export async function qmMigrate(context: CliContext, cluster: Cluster, { vmid, values }: { vmid: Vmid; values: PveValues }): Promise<number> {
  const target = readTarget(cluster, values);
  const { guest, node } = await findGuest(cluster, { kind: 'qemu', vmid });
  demandOtherNode(target, node);
  const runs = pveStatus(guest) === 'running';
  const online = values.booleans['online'] === true;
  if (runs && !online) throw new KedgeError('guest-state', "can't migrate running VM without --online");
  if (runs && values.booleans['with-local-disks'] === true) {
    throw new PveUsageError(
      "option 'with-local-disks' is not supported: live storage migration is not supported yet; leave it out, or shut the VM down first: it then moves with its disks",
    );
  }
  if (!runs && online) context.err("VM isn't running. Doing offline migration instead.\n");
  const options = { ...cluster.migrationDefaults, ...typedOptions(values), online: runs };
  return runMigrationTask(context, cluster, {
    noun: 'VM',
    input: { vmid, target, options, requestedBy: requestedBy(context.environment) },
    address: cluster.migrationAddress(target, options.network ?? null),
  });
}

function typedOptions({ strings, numbers }: PveValues): Partial<MigrationOptions> {
  const { migration_type: type, migration_network: network, targetstorage } = strings;
  const { bwlimit } = numbers;
  return {
    ...(type === 'secure' || type === 'insecure' ? { type } : {}),
    ...(network === undefined ? {} : { network }),
    ...(targetstorage === undefined ? {} : { targetStorage: targetstorage }),
    ...(bwlimit === undefined ? {} : { bandwidthLimit: bwlimit * KIB }),
  };
}
