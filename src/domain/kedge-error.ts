import { ERROR_CODES, type ErrorCode } from './error-codes.js';

/**
 * An error that a user or a workflow may see: its code is a row of the table in `error-codes.ts`,
 * its message says what Kedge was doing, its cause chain says what went wrong below.
 * Message form: "Cannot X as Y: current value is Z", no period.
 */
export class KedgeError extends Error {
  readonly code: ErrorCode;
  /** Plain JSON facts for programs, e.g. the list of blockers. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'KedgeError';
    this.code = code;
    this.details = options.details ?? {};
  }

  /** May the same call succeed when it is repeated unchanged? */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}
