import type { StepRef } from '../../../activities/interface.js';
import type { NodeName } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { GuestKind, OwnershipRecord, Wanted } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { hasForeignConfig } from '../guests/has-foreign-config.js';
import { endIncoming } from '../handover/end-incoming.js';
import type { NodeContext } from '../node-context.js';

export type IncomingRecord = OwnershipRecord & { state: 'incoming' };

export interface IncomingRequest {
  readonly step: StepRef;
  readonly source: NodeName;
  readonly kind: GuestKind;
  readonly wanted: Wanted;
  readonly mode?: 'offline';
}

/**
 * Writes `incoming(g+1)`. The record comes before whatever is made for the migration, so that it all has an owner who removes it. The
 * caller holds the guest's lock.
 * @throws KedgeError `already-exists` when this node has another copy, `record-unreadable`
 */
export async function writeIncoming(node: NodeContext, request: IncomingRequest): Promise<IncomingRecord> {
  const { step, source, kind, wanted, mode } = request;
  const view = await node.records.read(step.vmid);
  if (view.kind === 'unreadable') throw new KedgeError('record-unreadable', `Cannot prepare guest ${step.vmid}: ${view.reason}`);
  const present = view.kind === 'record' ? view.record : null;
  const incoming: IncomingRecord = {
    vmid: step.vmid,
    kind,
    generation: step.generation,
    wanted,
    bootId: node.bootId,
    migrationId: step.migrationId,
    peer: source,
    ...(mode === undefined ? {} : { mode }),
    state: 'incoming',
  };
  if (present !== null && !mayBeReplaced(present, incoming)) {
    throw new KedgeError(
      'already-exists',
      `Cannot prepare guest ${step.vmid} for ${step.migrationId}: ${node.node} has ${present.state}(${present.generation}) of it`,
    );
  }
  if (await hasForeignConfig(node, step.vmid))
    throw new KedgeError('already-exists', `Cannot prepare guest ${step.vmid}: ${node.node} has a config of it that Kedge did not write`);
  // Before the record: a copy that is found beside a record of this migration is then a copy of this migration.
  if (present?.migrationId !== incoming.migrationId) await endIncoming(node, step.vmid);
  await crashPoint('target.incoming-record', () => node.records.write(incoming));
  return incoming;
}

/**
 * A tombstone or the remains of an older attempt give way to a greater generation; our own incoming record is written anew. An
 * armed record too: the source that issued a greater generation has taken the guest back and never sends that go.
 */
function mayBeReplaced(present: OwnershipRecord, incoming: OwnershipRecord): boolean {
  if (present.state === 'incoming' && present.migrationId === incoming.migrationId) return true;
  return present.generation < incoming.generation && present.state !== 'owned' && present.state !== 'releasing';
}
