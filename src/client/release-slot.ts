import { WorkflowNotFoundError } from '@temporalio/client';
import type { SlotRelease } from '../domain/admission.js';
import { ADMISSION_ID, SIGNALS } from '../domain/workflow-names.js';
import { clientError } from './client-error.js';
import type { ClientContext } from './kedge-client.js';

/** Gives a slot back. Where no admission runs, there is no lease either. */
export async function releaseSlot({ client }: ClientContext, release: SlotRelease): Promise<void> {
  try {
    await client.workflow.getHandle(ADMISSION_ID).signal(SIGNALS.release, release);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw clientError(`give the slot of ${release.holder} back`, error);
  }
}
