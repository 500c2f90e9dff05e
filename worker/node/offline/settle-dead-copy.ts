import { laterGeneration, type MigrationId, type NodeName, type Vmid } from '../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { NodeContext } from '../node-context.js';
import { askPeer } from '../recovery/ask-peer.js';
import { giveBackCopy } from './give-back-copy.js';
import { isVoid } from './take-over-alone.js';
import { ownCopy } from './take-over-copy.js';
import { TargetLink } from './target-link.js';

const REVOKE_TIMEOUT_MS = 30_000;

/**
 * Settles an offline migration whose workflow has ended without its undo (terminated, or abandoned by the operator): the
 * source takes the guest back; a target that is armed takes it over if the source has released it. The caller knows that the workflow has
 * ended, by the mutex of the migrations or because it has asked. Does nothing for any other record.
 *
 * Even if a migration lived: records decide, so it would only fail, with the guest here.
 * @throws KedgeError `cancel-refused` when the target owns the guest, `peer-unreachable` while that is not known
 */
export async function settleDeadCopy(node: NodeContext, record: OwnershipRecord): Promise<void> {
  const { vmid, migrationId, peer, mode, state } = record;
  if (mode !== 'offline' || migrationId === undefined || peer === undefined) return;
  if (state === 'armed') return finishTakeOver(node, { vmid, migrationId, source: peer });
  if (state !== 'owned' && state !== 'releasing' && state !== 'released') return;
  const generation = laterGeneration(record.generation, 1);
  await giveBackCopy(node, { vmid, migrationId, generation, sequence: 0 }, { target: peer });
  try {
    await crashPoint('source.revoke-message', () =>
      new TargetLink(node, peer).call('revoke', { vmid, migrationId, generation }, { timeoutMs: REVOKE_TIMEOUT_MS }),
    );
  } catch (error) {
    // It can't run there any more; what it left is removed by the next migration to that node.
    node.log.warn({ vmid, migrationId, peer, error }, 'the copy of an ended migration could not be revoked');
  }
}

/** `released` says that go was, or might have been, sent: the source never runs the guest again. */
async function finishTakeOver(node: NodeContext, { vmid, migrationId, source }: { vmid: Vmid; migrationId: MigrationId; source: NodeName }): Promise<void> {
  await node.locks.withLock(vmid, async () => {
    const [own, other] = [await node.records.read(vmid), await askPeer(node, source, vmid)];
    if (own.kind !== 'record' || own.record.state !== 'armed' || own.record.migrationId !== migrationId) return;
    if (other === 'unreachable' || other.record.kind !== 'record' || other.record.record.migrationId !== migrationId) return;
    if (other.record.record.state === 'released') await ownCopy(node, own.record);
    // It was given up for dead, and the migration ended before this node had taken the guest over: under g+3, since it may have used g+2.
    if (isVoid(other, own.record)) await ownCopy(node, own.record, laterGeneration(own.record.generation, 2));
  });
}
