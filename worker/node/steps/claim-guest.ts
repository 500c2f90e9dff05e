import type { ClaimResult, StepRef } from '../../../activities/interface.js';
import { laterGeneration, type NodeName } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { changedVolumes } from '../../../src/schema/changed-volumes.js';
import type { NodeContext } from '../node-context.js';
import { keepOrRemoveNote } from '../notes/keep-note.js';
import { settleDeadCopy } from '../offline/settle-dead-copy.js';
import { settleMigration } from '../recovery/settle-migration.js';

export interface ClaimRequest {
  readonly step: StepRef;
  readonly target: NodeName;
  readonly mode?: 'offline';
  readonly checked?: string;
}

/**
 * Claims the guest for one migration: from here only its steps may act on it, and generation g+1 is issued for ever.
 *
 * A claim of another migration is a dead one: the workflow id `migration-<vmid>` is a mutex, so its workflow has ended without
 * its undo (terminated, or abandoned by the operator). It is settled backwards first.
 *
 * `checked` is the config that the checks have seen, maybe hours ago: the claim may have waited for its slot. Volumes that were added since
 * would not be copied.
 * @throws KedgeError `already-migrating`, `guest-state`, `config-changed`, `not-found`, `record-unreadable`, `not-owner` (its storage knows a later one)
 */
export async function claimGuest(node: NodeContext, request: ClaimRequest): Promise<ClaimResult> {
  const { step, target, mode, checked } = request;
  await settleDeadClaim(node, step);
  return node.locks.withLock(step.vmid, async () => {
    const record = await readRecord(node, step);
    const isOurs = record.migrationId === step.migrationId;
    if (record.state !== 'owned' || record.generation + 1 !== step.generation || (record.migrationId !== undefined && !isOurs)) {
      throw new KedgeError(
        'already-migrating',
        `Cannot claim guest ${step.vmid} for ${step.migrationId}: its record is ${record.state}(${record.generation})${record.migrationId === undefined ? '' : ` of ${record.migrationId}`}`,
      );
    }
    if (record.bootId !== node.bootId) {
      throw new KedgeError('guest-state', `Cannot claim guest ${step.vmid}: this boot of ${node.node} has not confirmed its record yet`);
    }
    const config = await node.guestConfigs.read(step.vmid, record.kind);
    if (checked !== undefined) assertSameVolumes(record, { checked, config });
    const claimed: OwnershipRecord = { ...record, state: 'owned', migrationId: step.migrationId, peer: target, ...(mode === undefined ? {} : { mode }) };
    // From here up to g+3 may be written with no time for the storage: whoever takes this guest over from a dead node counts on its note being of now.
    if (!isOurs) await keepOrRemoveNote(node, { ...record, state: 'owned' });
    if (!isOurs || record.peer !== target) await crashPoint('source.claim-record', () => node.records.write(claimed));
    return { generation: step.generation, wanted: record.wanted, config };
  });
}

function assertSameVolumes({ vmid, kind }: OwnershipRecord, { checked, config }: { checked: string; config: string }): void {
  const changed = changedVolumes(kind, checked, config);
  if (changed.length === 0) return;
  throw new KedgeError(
    'config-changed',
    `Cannot migrate guest ${vmid}: its config was edited after it was checked, it has other volumes: ${changed.join(', ')}`,
    {
      details: { volumes: changed },
    },
  );
}

async function settleDeadClaim(node: NodeContext, step: StepRef): Promise<void> {
  const record = await readRecord(node, step);
  const { migrationId, peer, state, generation, mode } = record;
  if (state !== 'owned' || migrationId === undefined || peer === undefined || migrationId === step.migrationId) return;
  const dead = { vmid: step.vmid, migrationId, generation: nextOf(generation, step) };
  if (mode === 'offline') return settleDeadCopy(node, record);
  await settleMigration(node, { step: dead, source: node.node, target: peer, direction: 'back' });
}

/** The dead claim's own generation: the one after the record's, two before ours. */
function nextOf(generation: StepRef['generation'], step: StepRef): StepRef['generation'] {
  if (generation + 3 !== step.generation) {
    throw new KedgeError(
      'already-migrating',
      `Cannot claim guest ${step.vmid} for ${step.migrationId}: its record is owned(${generation}), claimed by another migration`,
    );
  }
  return laterGeneration(generation, 1);
}

async function readRecord(node: NodeContext, step: StepRef): Promise<OwnershipRecord> {
  const view = await node.records.read(step.vmid);
  if (view.kind === 'missing') throw new KedgeError('not-found', `Cannot claim guest ${step.vmid}: ${node.node} has no record of it`);
  if (view.kind === 'unreadable') throw new KedgeError('record-unreadable', `Cannot claim guest ${step.vmid}: ${view.reason}`);
  return view.record;
}
