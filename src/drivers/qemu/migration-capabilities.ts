import { z } from 'zod';
import { KedgeError } from '../../domain/kedge-error.js';
import type { QmpConnection } from '../qmp/qmp-connection.js';

/** The capabilities that Kedge switches on; all others are switched off before each attempt. */
export type MigrationCapability = 'events' | 'return-path' | 'pause-before-switchover' | 'late-block-activate' | 'validate-uuid' | 'multifd' | 'auto-converge';

/**
 * What the source needs: events to see phases; a return path so that `completed` means "loaded there"; the pause before
 * the switchover is the window in which ownership changes hands.
 */
export function sourceCapabilities(options: { readonly multifd: boolean; readonly autoConverge?: boolean }): readonly MigrationCapability[] {
  return [
    'events',
    'return-path',
    'validate-uuid',
    'pause-before-switchover',
    ...(options.multifd ? (['multifd'] as const) : []),
    ...(options.autoConverge === true ? (['auto-converge'] as const) : []),
  ];
}

/** What the target needs: without `late-block-activate` it takes the image locks at the end of the load and the source could not take back. */
export function targetCapabilities(options: { readonly multifd: boolean }): readonly MigrationCapability[] {
  return ['events', 'return-path', 'validate-uuid', 'late-block-activate', ...(options.multifd ? (['multifd'] as const) : [])];
}

/**
 * Sets the whole set: the wanted ones on, all others that this QEMU knows off (capabilities outlive an attempt).
 * @throws KedgeError `unsupported` names what this QEMU lacks, `qmp-error` while a migration is in progress
 */
export async function setCapabilities(qmp: QmpConnection, wanted: readonly MigrationCapability[]): Promise<void> {
  const known = ANSWER.parse(await qmp.execute('query-migrate-capabilities'));
  const missing = wanted.filter((name) => !known.some(({ capability }) => capability === name));
  if (missing.length > 0) {
    throw new KedgeError('unsupported', `Cannot migrate with this QEMU: it lacks ${missing.join(', ')}`, { details: { missing } });
  }
  const on: readonly string[] = wanted;
  const changes = known
    .map(({ capability, state }) => ({ capability, before: state, state: on.includes(capability) }))
    .filter(({ before, state }) => before !== state)
    .map(({ capability, state }) => ({ capability, state }));
  if (changes.length > 0) await qmp.execute('migrate-set-capabilities', { capabilities: changes });
}

const ANSWER = z.array(z.object({ capability: z.string(), state: z.boolean() }));
