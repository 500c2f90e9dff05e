import type { SlotRequest } from '../domain/admission.js';
import type { LimitSettings } from '../domain/admission-limits.js';
import { SIGNALS, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { ADMISSION_START } from './admission-start.js';
import { withClientErrors } from './client-error.js';
import type { ClientContext } from './kedge-client.js';

/** Hands a request for a slot to the admission entity, which it starts, with these limits, if need be. Resolves when the server has it. */
export async function requestSlot(
  { client }: ClientContext,
  { request, ...start }: { readonly request: SlotRequest; readonly limits?: LimitSettings },
): Promise<void> {
  await withClientErrors(`ask admission for ${request.holder}`, () =>
    client.workflow.signalWithStart(WORKFLOW_TYPES.admission, { ...ADMISSION_START, args: [start], signal: SIGNALS.request, signalArgs: [request] }),
  );
}
