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
