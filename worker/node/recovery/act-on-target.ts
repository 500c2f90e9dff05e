import { assertNever } from '../../../src/domain/assert-never.js';
import { laterGeneration, type Generation } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { ownedFree } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { announceSelf, cont } from '../../../src/drivers/qemu/migration-commands.js';
import { killGuestCopy } from '../guests/end-guest.js';
import type { GuestLook } from '../guests/look-at-guest.js';
import { startGuestFromDisk } from '../guests/start-guest.js';
import { endIncoming } from '../handover/end-incoming.js';
import { giveUpCopy } from '../handover/give-up-copy.js';
import type { NodeContext } from '../node-context.js';
import { assertBootConfirmed } from './assert-boot-confirmed.js';
import type { SettleRequest, SettleTurn } from './settle-migration.js';

const PEER_TIMEOUT_MS = 5_000;

/** Does the target's part of one decision, or asks the source for its part. The caller holds the guest's lock. */
export async function actOnTarget(node: NodeContext, request: SettleRequest, turn: SettleTurn): Promise<void> {
  const { decision, look } = turn;
  const { vmid } = request.step;
  switch (decision.do) {
    case 'cont-on-target':
      return resumeOwned(node, request, look);
    case 'start-from-disk-on-target':
      await own(node, look, request.step.generation);
      return startGuestFromDisk(node, vmid);
    case 'take-over-on-target':
      await killGuestCopy(node, vmid);
      // g+3: a source that took the guest back before it was lost has used g+2.
      await own(node, look, laterGeneration(request.step.generation, 2));
      return startGuestFromDisk(node, vmid);
    case 'kill-target-copy':
      return endIncoming(node, vmid);
    case 'revoke-target':
    case 'superseded':
      return giveUpStale(node, request, look);
    case 'wait':
    case 'go':
    case 'hand-over':
    case 'yank':
    case 'cancel-stream':
    case 'keep-on-source':
    case 'take-back':
    case 'cont-on-source':
    case 'start-from-disk-on-source':
      return askSourceToSettle(node, request);
    case 'continue':
    case 'release-source':
    case 'guest-ended-on-target':
    case 'settled':
    case 'alarm':
    case 'needs-operator':
    case 'needs-evidence':
      return;
    default:
      assertNever(decision);
  }
}

async function resumeOwned(node: NodeContext, request: SettleRequest, look: GuestLook): Promise<void> {
  const qmp = await node.monitors.of(request.step.vmid);
  // A start from disk that was cut off before its `cont` is no loaded copy.
  const side = look.process?.incoming === false ? 'source' : 'target';
  await crashPoint('target.cont', () => cont(qmp, side));
  await crashPoint('target.announce', () => announceSelf(qmp));
}

async function own(node: NodeContext, look: GuestLook, generation: Generation): Promise<void> {
  const { record } = look.view;
  if (record.kind !== 'record') throw new KedgeError('record-unreadable', `Cannot take the guest over: its record is ${record.kind}`);
  assertBootConfirmed(node, record.record);
  const owned = ownedFree(record.record, { generation, bootId: node.bootId });
  await crashPoint('target.owned-record', () => node.records.write(owned));
}

/** The source has the guest for good: this copy can never be told to go. The same as a revocation by the source. */
async function giveUpStale(node: NodeContext, request: SettleRequest, look: GuestLook): Promise<void> {
  const { record } = look.view;
  if (record.kind !== 'record' || (record.record.state !== 'incoming' && record.record.state !== 'armed')) return;
  // A later migration may have prepared this node again: its copy is not ours to give up.
  if (record.record.generation !== request.step.generation || record.record.migrationId !== request.step.migrationId) return;
  await giveUpCopy(node, record.record);
}

async function askSourceToSettle(node: NodeContext, request: SettleRequest): Promise<void> {
  try {
    const channel = await node.peers.channel(request.source);
    await crashPoint('target.settle-message', () => channel.call('settle', { vmid: request.step.vmid }, { timeoutMs: PEER_TIMEOUT_MS }));
  } catch (error) {
    node.log.warn({ ...request.step, error }, 'the source could not be asked to settle');
  }
}
