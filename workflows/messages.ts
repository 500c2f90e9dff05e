/** Queries, updates and signals of the workflows. Names: src/domain/workflow-names.ts, which clients use without this package. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { LimitChange, SlotRelease, SlotRequest, SlotState } from '../src/domain/admission.js';
import type { SlotLimits } from '../src/domain/admission-limits.js';
import type { SlotNeeds } from '../src/domain/admission-use.js';
import type { MigrationStory, OperatorAnswer, OperatorDecision } from '../src/domain/migration.js';
import type { RecoveryReport } from '../src/domain/recovery.js';
import type { BalanceReport } from '../src/domain/balance/balance.js';
import type { EvacuationReport } from '../src/domain/evacuation.js';
import type { AwayGuest, NodeEntityStatus } from '../src/domain/node-facts.js';
import type { BootRegistration, VoidedGuest } from '../src/domain/voided-guest.js';
import type { WorkAnswer } from '../src/domain/window/window.js';
import { QUERIES, SIGNALS, UPDATES } from '../src/domain/workflow-names.js';

/* migrateGuest */
export const storyQuery = defineQuery<MigrationStory>(QUERIES.story);
/** Answers when it is known whether the cancel came in time; fails with `cancel-refused` when it did not. */
export const cancelUpdate = defineUpdate<{ cancelled: true }>(UPDATES.cancel);
export const releaseUpdate = defineUpdate<{ released: true }>(UPDATES.release);
export const decideUpdate = defineUpdate<{ decided: OperatorDecision }, [OperatorDecision | OperatorAnswer]>(UPDATES.decide);
/** An admission of an older Kedge tells nothing with it. */
export const grantedSignal = defineSignal<[Pick<SlotNeeds, 'bandwidth'>?]>(SIGNALS.granted);
/** Whoever began it wants no more moves: without a slot it ends as cancelled, with one it goes on. */
export const stopWaitingSignal = defineSignal(SIGNALS.stopWaiting);

/* nodePresence */
export const statusQuery = defineQuery<NodeEntityStatus>(QUERIES.status);
/** Answers what the node must not run any more, whatever its records say. */
export const registerBootUpdate = defineUpdate<BootRegistration, [{ bootId: string }]>(UPDATES.registerBoot);
/** Decides that a guest is void on this node; refused once it has registered another boot than the one that is said to have ended. */
export const voidGuestUpdate = defineUpdate<{ voided: true }, [{ bootId: string; guest: VoidedGuest }]>(UPDATES.voidGuest);
/** The node has made its record of it void, or the decision is withdrawn. */
export const dropVoidedUpdate = defineUpdate<{ dropped: true }, [Pick<VoidedGuest, 'vmid' | 'migrationId'>]>(UPDATES.dropVoided);
export const cordonUpdate = defineUpdate<{ cordoned: boolean }, [{ cordoned: boolean }]>(UPDATES.cordon);
/** A drain moves the guest away; a second time changes nothing. */
export const addAwayUpdate = defineUpdate<{ away: true }, [AwayGuest]>(UPDATES.addAway);
/** It is back, or needs not come back; fine when it was never away. */
export const dropAwayUpdate = defineUpdate<{ away: false }, [Pick<AwayGuest, 'vmid'>]>(UPDATES.dropAway);

/* evacuateNode, restoreNode: their update `cancel` is the one of migrations by name, and answers as soon as no move begins any more. */
export const evacuationQuery = defineQuery<EvacuationReport>(QUERIES.evacuation);

/* balanceCluster: its update `cancel` means the same as theirs. */
export const balanceQuery = defineQuery<BalanceReport>(QUERIES.balance);

/* recoverNode */
export const recoveryQuery = defineQuery<RecoveryReport>(QUERIES.recovery);
/** An operator has made sure that the node is off; refused while anything says otherwise. */
export const confirmDeadUpdate = defineUpdate<{ confirmed: true }, [{ statedBy: string }]>(UPDATES.confirmDead);

/* admission */
export const slotsQuery = defineQuery<SlotState>(QUERIES.slots);
export const requestSlotSignal = defineSignal<[SlotRequest]>(SIGNALS.request);
export const releaseSlotSignal = defineSignal<[SlotRelease]>(SIGNALS.release);
/** Takes effect at once; answers the limits that hold then. */
export const setLimitsUpdate = defineUpdate<{ limits: SlotLimits }, [LimitChange]>(UPDATES.setLimits);

/* maintainNode */
/** The operator's word about work that waits for it; refused with `guest-state` when none does. */
export const workAnswerUpdate = defineUpdate<{ answered: WorkAnswer }, [{ window: string; answer: WorkAnswer }]>(UPDATES.workAnswer);
