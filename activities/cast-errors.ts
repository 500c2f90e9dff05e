import { ApplicationFailure, CancelledFailure, CompleteAsyncError, type Context } from '@temporalio/activity';
import { KedgeError } from '../src/domain/kedge-error.js';

/** The part of the SDK's activity interceptors that is used here; their own types are in the worker's package. */
export interface ErrorCast {
  readonly inbound: { execute<Input>(input: Input, next: (input: Input) => Promise<unknown>): Promise<unknown> };
}

/** Temporal cuts a failure that is kept for a retry at 4 KB, and would lose its type with it. */
const LONGEST_MESSAGE = 1000;
const LARGEST_DETAILS = 1500;
const DEEPEST_CAUSE = 4;

/**
 * The one place where errors of the drivers become failures of activities: `type` is the error's code, its retryability comes
 * from the table in src/domain/error-codes.ts. A worker's shutdown and Temporal's own cancel pass as they are.
 */
export function castErrors(context: Context): ErrorCast {
  return {
    inbound: {
      execute: async (input, next) => {
        try {
          return await next(input);
        } catch (error) {
          throw failureOf(error, context.cancellationSignal);
        }
      },
    },
  };
}

/** What the activity's caller is to see of `error`. */
export function failureOf(error: unknown, cancelled: AbortSignal): unknown {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure || error instanceof CompleteAsyncError) return error;
  const reason: unknown = cancelled.reason;
  // Aborted calls report the abort, each in its own words; the signal knows what really happened.
  if (cancelled.aborted && reason instanceof CancelledFailure && isAbort(error)) return reason;
  return castError(error, 0);
}

function castError(error: unknown, depth: number): ApplicationFailure {
  const known = error instanceof KedgeError ? error : null;
  const failure = ApplicationFailure.create({
    type: known?.code ?? 'internal',
    nonRetryable: !(known?.retryable ?? false),
    message: messageOf(error).slice(0, LONGEST_MESSAGE),
    details: [detailsOf(known)],
    ...(error instanceof Error && error.cause !== undefined && depth < DEEPEST_CAUSE ? { cause: castError(error.cause, depth + 1) } : {}),
  });
  // The stack of an expected error tells nothing that its code doesn't, and it would fill the 4 KB.
  failure.stack = known === null && depth === 0 && error instanceof Error ? (error.stack ?? '').slice(0, LONGEST_MESSAGE) : '';
  return failure;
}

function detailsOf(known: KedgeError | null): Readonly<Record<string, unknown>> {
  const details = known?.details ?? {};
  return JSON.stringify(details).length <= LARGEST_DETAILS ? details : { shortened: true };
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
