import { KedgeError } from '../../domain/kedge-error.js';
import type { GuestConfig } from '../../schema/guest-config.js';
import { machineOf } from '../../schema/machine-of.js';
import type { QemuFacts } from './qemu-facts.js';

/**
 * The versioned machine type to start a guest with: the one it runs with (`runningmachine`, always so on a target), else
 * the config's. An alias becomes the version that this QEMU means by it now, and never reaches the command line:
 * on the two ends of a migration it could mean two machines.
 * @throws KedgeError `unsupported` when this QEMU lacks the machine
 */
export function resolveMachineType(
  config: Pick<GuestConfig, 'machine' | 'runningMachine'>,
  facts: Pick<QemuFacts, 'machineTypes' | 'machineAliases' | 'version'>,
): string {
  const wanted = machineOf(config);
  const type = (Object.hasOwn(facts.machineAliases, wanted) ? facts.machineAliases[wanted] : undefined) ?? wanted;
  if (!facts.machineTypes.includes(type)) {
    throw new KedgeError('unsupported', `Cannot run machine type ${wanted}: QEMU ${facts.version} of this node does not have it`, {
      details: { machine: wanted },
    });
  }
  return type;
}
