import { isGrpcServiceError, ServiceError, WorkflowFailedError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { KedgeError } from '../domain/kedge-error.js';
import { readFailure } from '../domain/read-failure.js';

/** google.rpc.Code DEADLINE_EXCEEDED and UNAVAILABLE. */
const NO_ANSWER: readonly number[] = [4, 14];

/** Runs a call to Temporal and says what went wrong in Kedge's words. @throws KedgeError */
export async function withClientErrors<Result>(what: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw clientError(what, error);
  }
}

/** `what` completes the sentence "Cannot …". */
export function clientError(what: string, error: unknown): KedgeError {
  if (error instanceof KedgeError) return error;
  if (error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError) {
    const failure = readFailure(error.cause);
    return new KedgeError(failure.code, failure.message, { cause: error.cause, details: failure.details });
  }
  if (error instanceof WorkflowNotFoundError) return new KedgeError('not-found', `Cannot ${what}: Temporal does not know it`, { cause: error });
  if (isUnreachable(error)) return new KedgeError('server-unreachable', `Cannot ${what}: the Temporal server gives no answer`, { cause: error });
  return new KedgeError('internal', `Cannot ${what}`, { cause: error });
}

/** Did the server, or a worker behind it, not answer in time? */
export function isUnreachable(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) && NO_ANSWER.includes(cause.code);
}
