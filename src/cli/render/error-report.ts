import type { MigrationView } from '../../client/migration-view.js';
import type { FindingSubject } from '../../domain/checks.js';
import { ERROR_CODES, type ErrorCode } from '../../domain/error-codes.js';
import { KedgeError } from '../../domain/kedge-error.js';
import { readFailure } from '../../domain/read-failure.js';
import { isRecord } from '../../domain/is-record.js';

/** An error in the form that is printed, for people and for programs. */
export interface ErrorReport {
  readonly code: ErrorCode;
  readonly message: string;
  /** What went wrong below, nearest first. */
  readonly causes: readonly string[];
  readonly findings: readonly ReportedFinding[];
  readonly remedy: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly exitCode: number;
}

/** A finding as it comes over the wire. */
export interface ReportedFinding {
  readonly id: string;
  readonly severity: string;
  readonly text: string;
  readonly remedy: string;
  /** Without names where there are none, or an older Kedge found it. */
  readonly subject: FindingSubject;
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

/** The error that an ended migration ended with; null when it ended well or has said so in its outcome. */
export function endReport({ ref, status, failure }: MigrationView): ErrorReport | null {
  if (failure !== null) return errorReport(new KedgeError(failure.code, failure.message, { details: { ...failure.details } }));
  if (status === 'completed' || status === 'running') return null;
  const message = `Cannot tell how the migration of guest ${String(ref.vmid)} ended: its workflow was ended from outside (${status})`;
  return errorReport(new KedgeError('outcome-unknown', message, { details: { remedy: 'Run "kedge audit": it shows what the migration left' } }));
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

const SUBJECT_NAMES = ['volume', 'storage', 'node', 'detail'] as const;

function findingsOf(details: Readonly<Record<string, unknown>>): readonly ReportedFinding[] {
  const list = details['findings'] ?? details['blockers'];
  if (!Array.isArray(list)) return [];
  return list.filter(isRecord).map((finding) => ({
    id: textOf(finding['id']),
    severity: textOf(finding['severity']),
    text: textOf(finding['text']),
    remedy: textOf(finding['remedy']),
    subject: subjectOf(finding['subject']),
  }));
}

function subjectOf(value: unknown): FindingSubject {
  if (!isRecord(value)) return {};
  const { keys } = value;
  return {
    ...(Array.isArray(keys) ? { keys: keys.map(textOf) } : {}),
    ...Object.fromEntries(
      SUBJECT_NAMES.flatMap((name): [string, string][] => {
        const text = textOf(value[name]);
        return text === '' ? [] : [[name, text]];
      }),
    ),
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
