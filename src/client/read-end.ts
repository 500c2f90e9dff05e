import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { readFailure, type KedgeFailure } from '../domain/read-failure.js';

/** How an execution ended: what it answered, or why it failed. */
export interface WorkflowEnd<Said> {
  /** Null: it says nothing that `is` knows. */
  readonly said: Said | null;
  readonly failure: KedgeFailure | null;
}

/** Reads the end of an execution that has ended. A failure may carry what was said too, in its details, `under` that name; it is left out of them. */
export async function readEnd<Said>(
  handle: WorkflowHandle,
  { is, under }: { readonly is: (value: unknown) => value is Said; readonly under: string },
): Promise<WorkflowEnd<Said>> {
  try {
    const result: unknown = await handle.result();
    return { said: is(result) ? result : null, failure: null };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const failure = readFailure(error.cause);
    const { [under]: said, ...details } = failure.details;
    return { said: is(said) ? said : null, failure: { ...failure, details } };
  }
}
