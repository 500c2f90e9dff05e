import { KedgeError } from '../../domain/kedge-error.js';

/** Errno names that mean "full" rather than "broken". */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/**
 * Wraps a failed file operation: `no-space` when the file system is full, else `storage-failed`.
 * `doing` continues "Cannot …" and names the file.
 */
export function storageError(doing: string, cause: unknown): KedgeError {
  const errno = errnoOf(cause);
  const code = errno !== undefined && FULL.has(errno) ? 'no-space' : 'storage-failed';
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KedgeError(code, `Cannot ${doing}: ${reason}`, { cause, ...(errno === undefined ? {} : { details: { errno } }) });
}

/** The errno name (`ENOENT`) of an error from Node's file and socket calls; undefined for others. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
