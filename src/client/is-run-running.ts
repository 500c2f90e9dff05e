import type { SlotRelease } from '../domain/admission.js';
import { isRunning } from './is-running.js';
import type { ClientContext } from './kedge-client.js';

/** Does this very run of a holder go on? */
export const isRunRunning = (context: ClientContext, { holder, runId }: SlotRelease): Promise<boolean> => isRunning(context, holder, runId);
