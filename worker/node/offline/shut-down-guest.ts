import type { ShutDownResult } from '../../../activities/interface.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { quitGuestCopy } from '../guests/end-guest.js';
import { isGuestOn, shutDownNicely } from '../guests/guest-power.js';
import type { NodeContext } from '../node-context.js';
import { assertBootConfirmed } from '../recovery/assert-boot-confirmed.js';
import type { OfflineTask } from './copy-task.js';
import { withClaim } from './with-claim.js';

/**
 * Has the guest shut down, and writes `releasing(g)` once its process was seen gone: from then on it may not run here as it is. A guest
 * that is off already is fine.
 *
 * It may obey after this attempt, or this migration, has ended: a mark tells then why it went off (guest-power.ts).
 * @throws KedgeError `shutdown-timeout` when it does not obey and the policy is to fail: it runs on
 */
export async function shutDownGuest(node: NodeContext, task: OfflineTask): Promise<ShutDownResult> {
  const { vmid } = task.step;
  return withClaim(node, task, async ({ signal }) => {
    const record = await readClaimed(node, task);
    if (record.state === 'releasing') return { offAt: new Date().toISOString() };
    const isOn = isGuestOn(node, record);
    // With a mark an earlier attempt has told it to.
    const foundOff = !isOn && !(await node.shutdowns.isAsked(vmid));
    if (isOn) {
      // The checks saw it off, and nobody allowed to shut it down.
      if (!task.options.restart) throw new KedgeError('guest-state', `Cannot move guest ${vmid} switched off: it was started meanwhile`);
      const patience = { timeoutMs: task.options.shutdownTimeoutMs, signal };
      const ended = await crashPoint('source.power-down', () => shutDownNicely(node, record, patience));
      signal.throwIfAborted();
      if (!ended && task.options.onShutdownTimeout === 'fail') {
        throw new KedgeError(
          'shutdown-timeout',
          `Cannot shut guest ${vmid} down: it still runs after ${Math.round(task.options.shutdownTimeoutMs / 1_000)} s and was left running`,
        );
      }
    }
    const offAt = new Date().toISOString();
    await node.locks.withLock(vmid, async () => {
      const present = await readClaimed(node, task);
      assertBootConfirmed(node, present);
      // With the policy `stop` it may still run; otherwise this only removes what its process left.
      await quitGuestCopy(node, vmid);
      const releasing = asReleasing(node, present);
      await crashPoint('source.releasing-record', () => node.records.write(releasing));
    });
    return { offAt, ...(foundOff ? { foundOff } : {}) };
  });
}

function asReleasing(node: NodeContext, present: OwnershipRecord): OwnershipRecord {
  const { migrationId, peer } = present;
  if (migrationId === undefined || peer === undefined) throw new KedgeError('internal', `Cannot release guest ${present.vmid}: its record is not claimed`);
  return { ...present, migrationId, peer, mode: 'offline', state: 'releasing', bootId: node.bootId };
}

/** @throws KedgeError `rolled-back` unless this migration has the guest here */
async function readClaimed(node: NodeContext, { step }: OfflineTask): Promise<OwnershipRecord & { state: 'owned' | 'releasing' }> {
  const view = await node.records.read(step.vmid);
  if (view.kind === 'record' && view.record.migrationId === step.migrationId && (view.record.state === 'owned' || view.record.state === 'releasing')) {
    return view.record;
  }
  throw new KedgeError('rolled-back', `Cannot shut guest ${step.vmid} down: its record is ${view.kind === 'record' ? view.record.state : view.kind}`);
}
