/* eslint-disable no-restricted-globals -- the one place: inside the sandbox the SDK replaces Date by the time of the workflow task, the same in every replay */

/** Workflow time in milliseconds since the epoch. */
export function workflowTimeMs(): number {
  return Date.now();
}

/** Workflow time plus `laterMs`, as RFC 3339. */
export function workflowInstant(laterMs = 0): string {
  return new Date(Date.now() + laterMs).toISOString();
}

/** Milliseconds since the epoch of an RFC 3339 instant. */
export function instantMs(instant: string): number {
  return Date.parse(instant);
}
