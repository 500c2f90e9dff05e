import { WorkflowNotFoundError } from '@temporalio/client';
import { openSlots, type LimitChange, type SlotState } from '../../domain/admission.js';
import { areSettingsEqual, type LimitSettings, type SlotLimits } from '../../domain/admission-limits.js';
import { readLimitChange } from '../../domain/read-limit-change.js';
import { ADMISSION_ID, QUERIES, UPDATES, WORKFLOW_TYPES } from '../../domain/workflow-names.js';
import { ADMISSION_START } from '../admission-start.js';
import { clientError, withClientErrors } from '../client-error.js';
import { executeUpdate } from '../execute-update.js';
import type { ClientContext } from '../kedge-client.js';

/** How long the query waits for a control worker. */
const QUERY_TIMEOUT_MS = 10_000;

/** What operators ask of the cluster's admission. All reject with KedgeError. */
export interface AdmissionVerbs {
  /** Leases, queue and limits. @throws `server-unreachable` when no control worker answers */
  show(): Promise<SlotState>;
  /** Changes limits live, over those of kedge.yaml, at once; answers those that hold then. @throws `bad-input` */
  set(change: { readonly settings: LimitSettings; readonly setBy: string }): Promise<SlotLimits>;
  /** Takes back all that was set live. */
  reset(change: { readonly setBy: string }): Promise<SlotLimits>;
}

export function admissionVerbs(context: ClientContext): AdmissionVerbs {
  return {
    show: () => readAdmission(context),
    set: (change) => changeLimits(context, { from: 'operator', ...change }),
    reset: (change) => changeLimits(context, { from: 'operator', reset: true, ...change }),
  };
}

/** The state of admission; an empty one where it has never run. */
export async function readAdmission({ client }: ClientContext): Promise<SlotState> {
  try {
    const handle = client.workflow.getHandle(ADMISSION_ID);
    return openSlots({ state: await client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => handle.query<SlotState>(QUERIES.slots)) });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return openSlots({});
    throw clientError('read the slots of admission', error);
  }
}

/** Starts the admission entity unless it runs, and tells it the limits of kedge.yaml if it has others. */
export async function ensureAdmission(context: ClientContext, limits?: LimitSettings): Promise<void> {
  await startAdmission(context, limits);
  if (limits === undefined) return;
  const { configured = {} } = await readAdmission(context);
  if (!areSettingsEqual(configured, limits)) await changeLimits(context, { from: 'config', settings: limits });
}

async function startAdmission({ client }: ClientContext, limits: LimitSettings | undefined): Promise<void> {
  await withClientErrors('start admission', () =>
    client.workflow.start(WORKFLOW_TYPES.admission, { ...ADMISSION_START, args: [limits === undefined ? {} : { limits }] }),
  );
}

async function changeLimits(context: ClientContext, change: LimitChange): Promise<SlotLimits> {
  const read = readLimitChange(change);
  await startAdmission(context, undefined);
  const { limits } = await withClientErrors('change the limits of admission', () =>
    executeUpdate<{ limits: SlotLimits }>(context.client.workflow.getHandle(ADMISSION_ID), UPDATES.setLimits, read),
  );
  return limits;
}
