/**
 * How long workflows wait for what. The defaults are for production; tests shorten them through the field `timings`
 * of a workflow's input, because Temporal's clock can't be skipped on the real server.
 */
export interface WorkflowTimings {
  /** A node that takes up no short call for so long is silent. */
  readonly silentAfterMs: number;
  /** A question that is not answered for so long is lost. */
  readonly callTimeoutMs: number;
  /**
   * A call that acts on a guest may take so long while its worker lives. The longest is a roll-back that starts the guest from its disks:
   * it quits one QEMU and starts another, whose slow storage src/drivers/qemu/start-qemu.ts waits for.
   */
  readonly actTimeoutMs: number;
  /** An attempt without a heartbeat for so long is lost: its worker is gone, or cut off. */
  readonly heartbeatTimeoutMs: number;
  /** A validation that may rest on an old inventory is repeated after this pause; heartbeats come about once a second. */
  readonly lookAgainMs: number;
  /** First pause before a retry; it doubles up to `retryLongestMs`. */
  readonly retryFirstMs: number;
  readonly retryLongestMs: number;
  /** A forward step that has not succeeded after so long fails. */
  readonly stepTimeoutMs: number;
  /** A copy waits so long for a slot on its node, or for the node's return. */
  readonly copyQueueMs: number;
  /** Longest switchover before its outcome counts as unknown. */
  readonly switchoverTimeoutMs: number;
  /** An undo or a settlement that takes longer asks the operator, and goes on trying. */
  readonly askOperatorAfterMs: number;
  /** How often admission looks for leases of dead holders while somebody waits for a slot. */
  readonly leaseCheckMs: number;
  /** And how often while nobody waits, for as long as there are leases. */
  readonly quietLeaseCheckMs: number;
  /** A drain that waits for something it is not told of looks again after this pause. */
  readonly drainLookMs: number;
  /** A drain moves a guest to a node where its move failed no earlier than after this time, and after twice as long the next time. */
  readonly moveRetryMs: number;
}

export const DEFAULT_TIMINGS: WorkflowTimings = {
  silentAfterMs: 15_000,
  callTimeoutMs: 60_000,
  actTimeoutMs: 300_000,
  heartbeatTimeoutMs: 10_000,
  lookAgainMs: 700,
  retryFirstMs: 500,
  retryLongestMs: 30_000,
  stepTimeoutMs: 600_000,
  copyQueueMs: 1_800_000,
  switchoverTimeoutMs: 600_000,
  askOperatorAfterMs: 120_000,
  leaseCheckMs: 15_000,
  quietLeaseCheckMs: 600_000,
  drainLookMs: 10_000,
  moveRetryMs: 30_000,
};

/** The defaults with the given ones put over them. */
export function withTimings(changes: Partial<WorkflowTimings> | undefined): WorkflowTimings {
  return { ...DEFAULT_TIMINGS, ...changes };
}
