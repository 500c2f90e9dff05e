import type { AttemptInfo, NodeService } from '../../activities/node/node-service.js';
import type { StepRef } from '../../activities/interface.js';
import { auditNode } from './audit/audit-node.js';
import { repairNode } from './audit/repair-node.js';
import { manageGuest } from './guests/manage-guest.js';
import { copyAndSwitchOver } from './handover/copy-and-switch-over.js';
import { revoke } from './handover/target-session.js';
import { inspectSource } from './inspection/inspect-source.js';
import { inspectTarget } from './inspection/inspect-target.js';
import { listLostGuests } from './lost/list-lost-guests.js';
import { probeNode } from './lost/probe-node.js';
import { takeOverLost } from './lost/take-over-lost.js';
import type { StepClaim } from './journal/step-journal.js';
import type { NodeContext } from './node-context.js';
import { copyVolumes } from './offline/copy-volumes.js';
import { dropUnverified } from './offline/drop-unverified.js';
import { giveBackCopy } from './offline/give-back-copy.js';
import { handOverCopy } from './offline/hand-over-copy.js';
import { prepareCopy } from './offline/prepare-copy.js';
import { shutDownGuest } from './offline/shut-down-guest.js';
import { takeOverAlone } from './offline/take-over-alone.js';
import { startMoved } from './offline/start-moved.js';
import { verifyCopy } from './offline/verify-copy.js';
import { watchHeldGuest } from './offline/watch-held-guest.js';
import { readInventory } from './presence/read-inventory.js';
import { examineDoubt } from './recovery/examine-doubt.js';
import { settleMigration } from './recovery/settle-migration.js';
import { claimGuest } from './steps/claim-guest.js';
import { confirmTarget } from './steps/confirm-target.js';
import { giveBack } from './steps/give-back.js';
import { prepareTarget } from './steps/prepare-target.js';
import { releaseHold } from './steps/release-hold.js';
import { releaseSource } from './steps/release-source.js';

/** The node's part of every activity. Each step claims its guest first, so that a stale attempt does nothing. */
export function createNodeService(node: NodeContext): NodeService {
  const claimed = async <Result>(step: StepRef, call: AttemptInfo, work: (claim: StepClaim) => Promise<Result>): Promise<Result> => {
    const claim = await node.steps.claim(step, call.attempt);
    node.log.info({ ...step, attempt: call.attempt }, 'step begins');
    claim.assertCurrent();
    return work(claim);
  };
  let hasBegun = false;
  return {
    clusterSize: Object.keys(node.cluster.nodes).length,
    presenceBegins: () => {
      // The first time follows the registration of this worker, or comes before it.
      if (hasBegun) node.contact.emit('doubted');
      hasBegun = true;
    },
    inventory: () => readInventory(node),
    inspectSource: (input) => inspectSource(node, input),
    inspectTarget: (input) => inspectTarget(node, input),
    claimGuest: (input, call) => claimed(input.step, call, () => claimGuest(node, input)),
    unclaimGuest: ({ step, target, mode, dead }, call) =>
      claimed(step, call, (claim) =>
        mode === 'offline'
          ? giveBackCopy(node, step, { target, ...(dead === undefined ? {} : { dead }) })
          : giveBack(node, step, { target, ...goneBy(claim, dead) }),
      ),
    prepareTarget: (input, call) => claimed(input.step, call, () => prepareTarget(node, input)),
    prepareCopy: (input, call) => claimed(input.step, call, () => prepareCopy(node, input)),
    copyVolumes: (input, call) => copyVolumes(node, { ...input, ...call }),
    shutDownGuest: (input, call) => shutDownGuest(node, { ...input, ...call }),
    verifyCopy: (input, call) => verifyCopy(node, { ...input, ...call }),
    handOverCopy: ({ step, target }, call) => claimed(step, call, () => handOverCopy(node, step, { target, attempt: call.attempt })),
    startMoved: ({ step }, call) => claimed(step, call, () => startMoved(node, step)),
    revokeTarget: async ({ step, source }, call) => {
      await dropUnverified(node, step);
      return claimed(step, call, () => revoke(node, { ...step, from: source }));
    },
    cancelStream: ({ step, target, dead }, call) => claimed(step, call, (claim) => giveBack(node, step, { target, ...goneBy(claim, dead) })),
    watchHeldGuest: ({ step }, { signal }) => watchHeldGuest(node, { step, signal }),
    // No claim: it would fence the copy that it lets go on.
    releaseHold: ({ step }) => releaseHold(node, step),
    settleMigration: ({ step, source, target, dead }, call) =>
      claimed(step, call, (claim) => settleMigration(node, { step, source, target, direction: 'forward', ...goneBy(claim, dead) })),
    examineDoubt: (input) => examineDoubt(node, input),
    takeOverCopy: ({ step, source }, call) => claimed(step, call, () => takeOverAlone(node, step, source)),
    confirmTarget: ({ step }, call) => claimed(step, call, () => confirmTarget(node, step)),
    releaseSource: ({ step, target, volumes, kept }, call) =>
      claimed(step, call, () => releaseSource(node, { step, target, volumes: volumes ?? [], kept: kept ?? [] })),
    manageGuest: (input) => manageGuest(node, input),
    probeNode: ({ node: other }) => probeNode(node, other),
    listLostGuests: ({ lost }) => listLostGuests(node, lost),
    takeOverLost: (input) => takeOverLost(node, input),
    auditNode: () => auditNode(node),
    repairNode: (input) => repairNode(node, input),
    copyAndSwitchOver: (input, call) => copyAndSwitchOver(node, { ...input, ...call }),
  };
}

/** A statement that the other node is off counts only for the newest attempt: an older one may not know that it was withdrawn. */
function goneBy<Role>(claim: StepClaim, dead: Role | undefined): { readonly dead?: Role; readonly assertCurrent?: () => void } {
  return dead === undefined ? {} : { dead, assertCurrent: () => claim.assertCurrent() };
}
