import type { SlotRequest } from '../domain/admission.js';
import { SIGNALS, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { ADMISSION_START } from './admission-start.js';
import { withClientErrors } from './client-error.js';
import type { ClientContext } from './kedge-client.js';

/** Hands a request for a slot to the admission entity, which it starts if need be. Resolves when the server has it. */
export async function requestSlot({ client }: ClientContext, request: SlotRequest): Promise<void> {
  await withClientErrors(`ask admission for ${request.holder}`, () =>
    client.workflow.signalWithStart(WORKFLOW_TYPES.admission, { ...ADMISSION_START, args: [{}], signal: SIGNALS.request, signalArgs: [request] }),
  );
}
