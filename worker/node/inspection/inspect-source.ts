import type { SourceInspection } from '../../../activities/interface.js';
import { checkLink } from '../../../src/domain/check-link.js';
import { checkSourceState } from '../../../src/domain/check-guest-state.js';
import type { NodeName, Vmid } from '../../../src/domain/ids.js';
import type { MigrationOptions } from '../../../src/domain/migration.js';
import { hasStuckStream } from '../../../src/drivers/qemu/stream-thread.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { readInventory } from '../presence/read-inventory.js';
import { checkCertificates } from './check-certificates.js';
import { inspectRecordSpace } from './inspect-record-space.js';
import { inspectGuest } from './inspect-guest.js';
import { lookAtRsync } from './look-at-rsync.js';
import { measureLink } from './measure-link.js';

/** Facts and findings of the source side. Changes nothing. Findings that compare both sides are made in src/domain/check-migration.ts. */
export async function inspectSource(node: NodeContext, input: { vmid: Vmid; target: NodeName; options: MigrationOptions }): Promise<SourceInspection> {
  const { vmid, target } = input;
  const [inventory, look, link, certificates, space, rsync] = await Promise.all([
    readInventory(node),
    lookAtGuest(node, vmid),
    target === node.node ? null : measureLink(node, { peer: target, network: input.options.network }),
    checkCertificates(node, { side: 'client', options: input.options }),
    inspectRecordSpace(node),
    lookAtRsync(),
  ]);
  const streamStuck = look.reading !== null && look.process !== null && (await hasStuckStream(look.process.pid));
  const own = [...checkSourceState({ vmid, view: look.view, runState: look.reading?.runState ?? null, streamStuck }), ...certificates, ...space];
  const seen = await inspectGuest(node, { look, inventory, options: input.options });
  return {
    findings: [...own, ...(link === null ? [] : checkLink(link)), ...seen.findings],
    guest: seen.guest,
    inventory,
    rsync,
    ...(link === null ? {} : { link }),
  };
}
