/** Queries, updates and signals of the workflows. Names: src/domain/workflow-names.ts, which clients use without this package. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { SlotRelease, SlotRequest, SlotState } from '../src/domain/admission.js';
import type { MigrationStory, OperatorDecision } from '../src/domain/migration.js';
import type { NodeEntityStatus } from '../src/domain/node-facts.js';
import { QUERIES, SIGNALS, UPDATES } from '../src/domain/workflow-names.js';

/* migrateGuest */
export const storyQuery = defineQuery<MigrationStory>(QUERIES.story);
/** Answers when it is known whether the cancel came in time; fails with `cancel-refused` when it did not. */
export const cancelUpdate = defineUpdate<{ cancelled: true }>(UPDATES.cancel);
export const releaseUpdate = defineUpdate<{ released: true }>(UPDATES.release);
export const decideUpdate = defineUpdate<{ decided: OperatorDecision }, [OperatorDecision]>(UPDATES.decide);
export const grantedSignal = defineSignal(SIGNALS.granted);

/* nodePresence */
export const statusQuery = defineQuery<NodeEntityStatus>(QUERIES.status);
export const registerBootUpdate = defineUpdate<{ confirmed: true }, [{ bootId: string }]>(UPDATES.registerBoot);
export const cordonUpdate = defineUpdate<{ cordoned: boolean }, [{ cordoned: boolean }]>(UPDATES.cordon);

/* admission */
export const slotsQuery = defineQuery<SlotState>(QUERIES.slots);
export const requestSlotSignal = defineSignal<[SlotRequest]>(SIGNALS.request);
export const releaseSlotSignal = defineSignal<[SlotRelease]>(SIGNALS.release);
