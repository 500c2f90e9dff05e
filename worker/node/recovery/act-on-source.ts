import { assertNever } from '../../../src/domain/assert-never.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { ownedFree, type OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { cancelStream, cont, continueSwitchover, yankStream } from '../../../src/drivers/qemu/migration-commands.js';
import { quitGuestCopy } from '../guests/end-guest.js';
import type { GuestLook } from '../guests/look-at-guest.js';
import { startGuestFromDisk } from '../guests/start-guest.js';
import type { NodeContext } from '../node-context.js';
import { assertBootConfirmed } from './assert-boot-confirmed.js';
import type { SettleRequest, SettleTurn } from './settle-migration.js';
import { takenBackGeneration } from './taken-back-generation.js';

const PEER_TIMEOUT_MS = 15_000;

/** Does the source's part of one decision. The caller holds the guest's lock; every step is safe to repeat. */
export async function actOnSource(node: NodeContext, request: SettleRequest, turn: SettleTurn): Promise<void> {
  const { decision, look } = turn;
  const { vmid } = request.step;
  switch (decision.do) {
    case 'continue':
      // At `pre-switchover` the attempt may still finish; a running copy is its activity's matter.
      if (look.view.qemu === 'pre-switchover') await finishFrozenSwitchover(node, request, look);
      return;
    case 'yank':
      return yank(node, vmid);
    case 'cancel-stream':
      // Over a dead link a cancelled stream stays `cancelling` for as long as TCP waits: its channels sit in their writes.
      // The guest runs here meanwhile, so tearing the sockets down can't complete anything on the target.
      if (look.reading?.migration.status === 'cancelling') return yank(node, vmid);
      return crashPoint('source.cancel-stream', async () => cancelStream(await node.monitors.of(vmid)));
    case 'keep-on-source':
      await takeBackRecord(node, request, look);
      return;
    case 'take-back': {
      const record = await takeBackRecord(node, request, look);
      if (record.wanted === 'running') await resumeSource(node, request);
      return;
    }
    case 'cont-on-source':
      return resumeSource(node, request);
    case 'hand-over':
      await writeReleasing(node, request, look);
      // Without the target's "armed, fsynced" no go may follow, so `released` must not be written either.
      if (!(await callTarget(node, request, 'arm'))) return;
      await writeReleased(node, request);
      await callTarget(node, request, 'go');
      return;
    case 'go':
    case 'revoke-target':
      await callTarget(node, request, decision.do === 'go' ? 'go' : 'revoke');
      return;
    case 'start-from-disk-on-source':
      await quitGuestCopy(node, vmid);
      await takeBackRecord(node, request, look);
      return startGuestFromDisk(node, vmid);
    case 'start-from-disk-on-target':
    case 'take-over-on-target':
    case 'cont-on-target':
    case 'kill-target-copy':
      return askTargetToSettle(node, request);
    case 'needs-evidence':
      // The monitor is silent although the process is there, and go was never sent: QEMU hangs in the final pass. Only the end of
      // its connection gets it out, and the end of the target's copy ends that.
      if (turn.frozen && look.view.qemu === 'unreachable' && isBeforeGo(look)) await callTarget(node, request, 'revoke');
      return;
    case 'wait':
    case 'guest-ended-on-target':
    case 'release-source':
    case 'settled':
    case 'superseded':
    case 'alarm':
    case 'needs-operator':
      return;
    default:
      assertNever(decision);
  }
}

/** A switchover whose worker died before the final pass: the same steps as in switch-over.ts, one after the other. */
async function finishFrozenSwitchover(node: NodeContext, request: SettleRequest, look: GuestLook): Promise<void> {
  await writeReleasing(node, request, look);
  if (!(await callTarget(node, request, 'arm'))) return;
  await crashPoint('source.continue', async () => continueSwitchover(await node.monitors.of(request.step.vmid)));
}

/** Writes owned(g+2): from here this node alone may run the guest, and every copy of g+1 is stale. Repeatable. */
async function takeBackRecord(node: NodeContext, request: SettleRequest, look: GuestLook): Promise<OwnershipRecord> {
  const present = recordOf(look);
  const generation = takenBackGeneration(request.step.generation);
  if (present.state === 'owned' && present.generation === generation && present.migrationId === undefined && present.bootId === node.bootId) return present;
  assertBootConfirmed(node, present);
  const record = ownedFree(present, { generation, bootId: node.bootId });
  await crashPoint('source.take-back-record', () => node.records.write(record));
  return record;
}

async function resumeSource(node: NodeContext, request: SettleRequest): Promise<void> {
  await crashPoint('source.cont', async () => {
    await cont(await node.monitors.of(request.step.vmid), 'source');
  });
}

async function writeReleasing(node: NodeContext, request: SettleRequest, look: GuestLook): Promise<void> {
  const present = recordOf(look);
  assertBootConfirmed(node, present);
  if (present.state === 'releasing') return;
  const { migrationId } = request.step;
  const record: OwnershipRecord = { ...present, state: 'releasing', migrationId, peer: request.target, bootId: node.bootId };
  await crashPoint('source.releasing-record', () => node.records.write(record));
}

async function writeReleased(node: NodeContext, request: SettleRequest): Promise<void> {
  const view = await node.records.read(request.step.vmid);
  if (view.kind !== 'record' || view.record.state !== 'releasing')
    throw new KedgeError('outcome-unknown', `Cannot release guest ${request.step.vmid}: its record has changed`);
  const record: OwnershipRecord = { ...view.record, state: 'released' };
  await crashPoint('source.released-record', () => node.records.write(record));
}

/** Answers whether the target confirmed; whatever went wrong, the next look at both sides tells what is true now. */
async function callTarget(node: NodeContext, request: SettleRequest, op: 'arm' | 'go' | 'revoke'): Promise<boolean> {
  const { vmid, migrationId, generation } = request.step;
  const point = ({ arm: 'source.arm-message', go: 'source.go-message', revoke: 'source.revoke-message' } as const)[op];
  try {
    const channel = await node.peers.channel(request.target);
    await crashPoint(point, async () => {
      await channel.call(op, { vmid, migrationId, generation }, { timeoutMs: PEER_TIMEOUT_MS });
    });
    return true;
  } catch (error) {
    node.log.warn({ ...request.step, op, error }, 'the target did not confirm');
    return false;
  }
}

async function askTargetToSettle(node: NodeContext, request: SettleRequest): Promise<void> {
  try {
    const channel = await node.peers.channel(request.target);
    await crashPoint('source.settle-message', () => channel.call('settle', { vmid: request.step.vmid }, { timeoutMs: PEER_TIMEOUT_MS }));
  } catch (error) {
    node.log.warn({ ...request.step, error }, 'the target could not be asked to settle');
  }
}

async function yank(node: NodeContext, vmid: SettleRequest['step']['vmid']): Promise<void> {
  await crashPoint('source.yank', async () => yankStream(await node.monitors.of(vmid)));
}

function isBeforeGo(look: GuestLook): boolean {
  const { record } = look.view;
  return record.kind === 'record' && (record.record.state === 'releasing' || (record.record.state === 'owned' && record.record.migrationId !== undefined));
}

function recordOf(look: GuestLook): OwnershipRecord {
  const { record } = look.view;
  if (record.kind !== 'record') throw new KedgeError('record-unreadable', `Cannot settle a guest without its record: it is ${record.kind}`);
  return record.record;
}
