/**
 * Changes of the shape of workflows, each with its story. An execution that began before a change goes on in its old shape to its
 * end: `patched()` answers by what its history says. How to make one: docs/checklists/change-a-workflow.md.
 */
import { patched } from '@temporalio/workflow';

/**
 * A history of at most 60 events for a live migration, also when every answer comes alone and the target has to be confirmed.
 *
 * Before: the workflow itself signalled admission, which costs five events a message (the intent, its delivery, and a workflow
 * task about that), and each step that may not give up had a timer of its own, which costs two. Since: the control worker
 * hands the messages over in a local activity (one event), and all that is waited for shares one timer (one event). The timer also
 * watches the steps before the copy, which told nobody that they were being repeated.
 *
 * The old shape may go when no execution that began before version 0.2 can run any more.
 */
const FEWER_EVENTS = 'fewer-events';

/** To be asked once, at the start of `migrateGuest`: the answer must be the same all the way. A newer patch that is asked there implies it. */
export function hasFewerEvents(): boolean {
  return queuesControl() || patched(FEWER_EVENTS);
}

/**
 * A step that waits for a node that may never come back looks at both nodes before it asks the operator, has a fencing device decide where one is
 * configured, and offers to give the node up.
 *
 * Before: the question came at once, with no facts, and nobody could go on without the lost node.
 */
const DEAD_NODES = 'dead-nodes';

/** Asked only when a question is about to be put, so that a migration without one has no event more. */
export function knowsDeadNodes(): boolean {
  return patched(DEAD_NODES);
}

/**
 * A cancel that comes while the last step before a hand-over of disks runs (the comparison of a copy) ends the migration.
 *
 * Before: the hand-over, whose call the cancel forbade, was taken for one of unknown outcome, and insisted on.
 */
const CANCEL_BEFORE_HAND_OVER = 'cancel-before-hand-over';

/** Asked only when there is a cancel. */
export function cancelsBeforeHandOver(): boolean {
  return patched(CANCEL_BEFORE_HAND_OVER);
}

/**
 * A node that was cut off, was heard again without a new registration (its worker lived on), and is silent once more is silent since the second
 * time: recovery counts from there.
 *
 * Before: the entity kept the first instant until the node registered again.
 */
const LATEST_SILENCE = 'latest-silence';

/** Asked only when a node is lost that the entity knows as silent already. */
export function tellsLatestSilence(): boolean {
  return patched(LATEST_SILENCE);
}

/**
 * A guest that is held before its shutdown is watched: one that crashes, or whose node restarts, ends the migration, which starts it where it was.
 *
 * Before: nobody told the workflow. Nobody starts a claimed guest, so it was off until the release, or until a cancel.
 */
const WATCHED_HOLDS = 'watched-holds';

/** Asked only when such a hold begins. */
export function watchesHeldGuests(): boolean {
  return patched(WATCHED_HOLDS);
}

/**
 * Before a fencing device is called for a guest in doubt, the lost node is looked at as in a recovery: by the nodes that knock at its addresses, for a
 * majority, one node after the other. A guest that the other node owns is in no doubt, and no reason to fence anybody.
 *
 * Before: two silences were enough, that of the heartbeats and that of the peer channel, and nodes that a switch had cut off together were switched off together.
 */
const LOOKS_BEFORE_FENCING = 'looks-before-fencing';

/** Asked only when a node may be lost. */
export function looksBeforeFencing(): boolean {
  return patched(LOOKS_BEFORE_FENCING);
}

/**
 * Admission tells a holder that asks again of its grant again.
 *
 * Before: a repeated request changed nothing, so a holder whose grant was lost waited without end.
 */
const REPEATED_GRANTS = 'repeated-grants';

/** Asked only when a holder asks again. */
export function repeatsGrants(): boolean {
  return patched(REPEATED_GRANTS);
}

/**
 * A cancel of a drain or a balance ends the moves that have no slot yet.
 *
 * Before: they waited on, and began long after "no more moves begin" was said.
 */
const CANCEL_WAITING_MOVES = 'cancel-waiting-moves';

/** Asked only when there is a cancel. */
export function cancelsWaitingMoves(): boolean {
  return patched(CANCEL_WAITING_MOVES);
}

/**
 * A drain or a balance that has heard of the end of a move during its look looks once more before it ends.
 *
 * Before: it judged by what it had seen while the move was still under way, and could end with the guest of a failed move left behind, untold.
 */
const LATEST_NEWS = 'latest-news';

/** Asked only when it would end. */
export function looksAtLatestNews(): boolean {
  return patched(LATEST_NEWS);
}

/**
 * Admission looks for holders that have ended every so often while somebody waits, however much happens meanwhile.
 *
 * Before: each change began the pause anew.
 */
const HOLDERS_ON_TIME = 'holders-on-time';

/** Asked only when the look is due and something has happened. */
export function checksHoldersOnTime(): boolean {
  return patched(HOLDERS_ON_TIME);
}

/**
 * Admission grants no share of a network's bandwidth that is less than 1 MB/s: fewer move at a time.
 *
 * Before: the bandwidth was divided by all slots, however little came of it.
 */
const LEAST_SHARE = 'least-share';

/** Asked only when there are limits under which a share would be less. */
export function keepsLeastShare(): boolean {
  return patched(LEAST_SHARE);
}

/**
 * Admission looks for leases of holders that have ended every so often also while nobody waits, for as long as there are leases.
 *
 * Before: such a lease was held, and shown, until somebody had to wait.
 */
const LEASES_ON_TIME = 'leases-on-time';

/** Asked only when there are leases. */
export function checksLeasesOnTime(): boolean {
  return patched(LEASES_ON_TIME);
}

/**
 * A node that its device says to be off is knocked at once more, before its guests are given to others.
 *
 * Before: the word of the device was enough while no heartbeats came; one that switches another machine was believed while other nodes reached this one.
 */
const LOOK_AFTER_FENCING = 'look-after-fencing';

/** Asked only when a device says that it is off. */
export function looksAfterFencing(): boolean {
  return patched(LOOK_AFTER_FENCING);
}

/**
 * Guests of a lost node that have the same turn are taken over at the same time, a few for each node that takes them.
 *
 * Before: one after the other, and each waited until the lost node had been asked in vain.
 */
const SEVERAL_LOST_AT_ONCE = 'several-lost-at-once';

/** Asked only when there are several. */
export function takesSeveralLost(): boolean {
  return patched(SEVERAL_LOST_AT_ONCE);
}

/**
 * Where much ends at the same time (moves of a drain, take-overs of a recovery, leases; a migration in doubt, beside the step that insists) the
 * control worker is asked through its queue.
 *
 * Before: in local activities. Their answers have no event of their own: a live run and a replay could hear of them in another order, beside each other
 * or beside a query, and an execution that was replayed so was stuck for good (docs/decisions/0023).
 */
const QUEUED_CONTROL = 'queued-control';
let isQueued: boolean | undefined;

/** To be asked first in the first task of an execution. Later answers are that of the first: an execution never changes its shape on the way. */
export function queuesControl(): boolean {
  return (isQueued ??= patched(QUEUED_CONTROL));
}
