import { ERROR_CODES, isErrorCode, type ErrorCode } from '../../domain/error-codes.js';
import { KedgeError } from '../../domain/kedge-error.js';
import { readFailure } from '../../domain/read-failure.js';
import { isRecord } from '../../domain/is-record.js';

/** An error in the form that is printed, for people and for programs. */
export interface ErrorReport {
  readonly code: ErrorCode;
  readonly message: string;
  /** What went wrong below, nearest first. */
  readonly causes: readonly string[];
  readonly findings: readonly { readonly id: string; readonly severity: string; readonly text: string; readonly remedy: string }[];
  readonly remedy: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly exitCode: number;
}

/** Reads any thrown value as one report; what is not Kedge's own is a defect and says so. */
export function errorReport(error: unknown): ErrorReport {
  const { code, message, details } = error instanceof KedgeError ? error : readFailure(error);
  const remedy = details['remedy'];
  return {
    code,
    message,
    causes: causesOf(error, message),
    findings: findingsOf(details),
    remedy: typeof remedy === 'string' ? remedy : ERROR_CODES[code].remedy,
    details,
    exitCode: ERROR_CODES[code].exitCode,
  };
}

/** A failure that came back as plain data, as one report. */
export function failureReport(failure: { code: string; message: string; details: Readonly<Record<string, unknown>> }): ErrorReport {
  const code = isErrorCode(failure.code) ? failure.code : 'internal';
  return errorReport(new KedgeError(code, failure.message, { details: { ...failure.details } }));
}

function causesOf(error: unknown, message: string): readonly string[] {
  const causes: string[] = [];
  let link: unknown = isRecord(error) ? error['cause'] : undefined;
  for (let depth = 0; isRecord(link) && depth < 10; depth += 1) {
    const text = link['message'];
    if (typeof text === 'string' && text !== '' && text !== message && causes.at(-1) !== text) causes.push(text);
    link = link['cause'];
  }
  return causes;
}

function findingsOf(details: Readonly<Record<string, unknown>>): ErrorReport['findings'] {
  const list = details['findings'] ?? details['blockers'];
  if (!Array.isArray(list)) return [];
  return list.filter(isRecord).map((finding) => ({
    id: textOf(finding['id']),
    severity: textOf(finding['severity']),
    text: textOf(finding['text']),
    remedy: textOf(finding['remedy']),
  }));
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
