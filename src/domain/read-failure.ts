/**
 * Reads what a Temporal failure says in Kedge's words, wherever it surfaces: around an activity in a workflow, around a
 * workflow or update in the client. Structural on purpose: it needs no package of Temporal, and failures lose their classes
 * on the wire anyway.
 */
import { isErrorCode, type ErrorCode } from './error-codes.js';
import { isRecord } from './is-record.js';
import { KedgeError } from './kedge-error.js';

/** Failure type of an attempt whose worker has died, as its successor reports it; `WorkerShutdown` is the SDK's word for one that ended in order. */
export const WORKER_LOST = 'WorkerLost';

export interface KedgeFailure {
  readonly code: ErrorCode;
  readonly message: string;
  /** First entry of the failure's details: plain JSON facts of the error. */
  readonly details: Readonly<Record<string, unknown>>;
  /**
   * Who says so. Only `given` is the word of the one who did the work. Otherwise the server ended the call: nobody took the
   * last attempt up (an earlier one may have acted), its worker was lost, or it was cancelled while no attempt ran.
   */
  readonly answer: 'given' | 'not-started' | 'lost' | 'cancelled';
}

/** The failure nearest to the surface of the cause chain that Kedge knows; `internal` when there is none. */
export function readFailure(error: unknown): KedgeFailure {
  for (let link = error, depth = 0; isRecord(link) && depth < 20; link = link['cause'], depth += 1) {
    const known = readLink(link);
    if (known !== null) return known;
  }
  return { code: 'internal', message: messageOf(error), details: {}, answer: 'given' };
}

function readLink(link: Readonly<Record<string, unknown>>): KedgeFailure | null {
  if (link instanceof KedgeError) return { code: link.code, message: link.message, details: link.details, answer: 'given' };
  if (link['name'] === 'CancelledFailure') return { code: 'cancelled', message: 'Cancelled', details: {}, answer: 'cancelled' };
  if (link['name'] === 'TimeoutFailure') {
    return link['timeoutType'] === 'SCHEDULE_TO_START'
      ? { code: 'node-silent', message: 'Cannot reach the node: its worker did not take up the call', details: {}, answer: 'not-started' }
      : { code: 'outcome-unknown', message: 'Cannot tell how the call ended: the answer did not arrive in time', details: {}, answer: 'lost' };
  }
  if (link['type'] === WORKER_LOST || link['type'] === 'WorkerShutdown') {
    return { code: 'outcome-unknown', message: 'Cannot tell how the call ended: its worker has died', details: {}, answer: 'lost' };
  }
  if (isErrorCode(link['type'])) return { code: link['type'], message: messageOf(link), details: firstDetails(link['details']), answer: 'given' };
  return null;
}

function firstDetails(details: unknown): Readonly<Record<string, unknown>> {
  const first: unknown = Array.isArray(details) ? details[0] : undefined;
  return isRecord(first) ? first : {};
}

function messageOf(error: unknown): string {
  if (isRecord(error) && typeof error['message'] === 'string' && error['message'] !== '') return error['message'];
  return String(error);
}
