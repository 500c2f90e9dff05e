import type { CopiedVolumes } from '../../../activities/interface.js';
import type { CopyRound } from '../../../src/domain/migration.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { isSynced, type SyncPass } from '../../../src/domain/sync-passes.js';
import { probeRsync } from '../../../src/drivers/rsync/probe-rsync.js';
import { isGuestOn } from '../guests/guest-power.js';
import type { NodeContext } from '../node-context.js';
import { withClaim } from './with-claim.js';
import type { VolumesTask } from './copy-task.js';
import { passVolumes } from './pass-volumes.js';
import { TargetLink } from './target-link.js';

export interface CopyTask extends VolumesTask {
  /** The last pass, after the shutdown. */
  readonly final: boolean;
  /** What is there was found to differ: size and time of a file prove nothing. */
  readonly thorough?: boolean;
}

/**
 * Copies the guest's disks to the target: before its shutdown pass after pass, until the next would find little or the guest is off (`final`
 * false); after it one last pass, which ends with everything durable there. Every attempt goes on from the bytes that are there: rsync compares.
 * @throws KedgeError of `passVolumes`; `stale-claim`; `outcome-unknown` when the record is not this migration's any more
 */
export async function copyVolumes(node: NodeContext, task: CopyTask): Promise<CopiedVolumes> {
  return withClaim(node, task, async (fenced) => {
    const guest = await claimedGuest(node, task);
    const rounds: CopyRound[] = [];
    const passes: SyncPass[] = [];
    const link = new TargetLink(node, task.target, task.options.network);
    const { volumes, rsync: theirs } = task.prepared;
    if (volumes.length === 0 || theirs === null) return { rounds, bytesSent: 0 };
    // Asked anew: this node's rsync may have been updated in a hold. Beside the grant, so that it costs a guest that is off no time.
    const ours = probeRsync();
    ours.catch(() => undefined);
    do {
      const pass = await passVolumes(node, fenced, {
        phase: task.final ? 'final-sync' : 'pre-sync',
        number: passes.length + 1,
        thorough: task.thorough ?? false,
        link,
        ours,
        theirs,
      });
      passes.push(pass);
      rounds.push(pass.round);
      // Off, it writes no more, and its time off has begun: what is left the last pass brings.
    } while (!task.final && !isSynced(passes) && isGuestOn(node, guest));
    return { rounds, bytesSent: rounds.reduce((sum, { bytesSent }) => sum + bytesSent, 0) };
  });
}

/** Before the shutdown the record is claimed, after it `releasing`: in between only the step that shuts the guest down may write. */
async function claimedGuest(node: NodeContext, { step, final }: CopyTask): Promise<OwnershipRecord> {
  const view = await node.records.read(step.vmid);
  const states: readonly OwnershipRecord['state'][] = final ? ['releasing'] : ['owned', 'releasing'];
  if (view.kind === 'record' && view.record.migrationId === step.migrationId && states.includes(view.record.state)) return view.record;
  throw new KedgeError('rolled-back', `Cannot copy the disks of guest ${step.vmid}: its record is ${view.kind === 'record' ? view.record.state : view.kind}`);
}
