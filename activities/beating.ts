import { Context } from '@temporalio/activity';

/** Progress reaches the server at most this often (the worker's throttle allows no more); milliseconds. */
export const HEARTBEAT_INTERVAL_MS = 1_000;

/** Of clusters up to this size each node tells of itself once a second. */
const NODES_EACH_SECOND = 50;
/** Three of these may be lost before a node is silent (`heartbeatTimeoutMs`, ten seconds). */
const LONGEST_PRESENCE_MS = 3_000;

/** Pause between two inventories of a node, milliseconds: longer in a large cluster, whose server writes each of them. */
export function presenceIntervalMs(nodes: number): number {
  return Math.min(LONGEST_PRESENCE_MS, HEARTBEAT_INTERVAL_MS * Math.max(1, Math.ceil(nodes / NODES_EACH_SECOND)));
}

/**
 * A call with heartbeats, for when it is not so short: a slow start of QEMU, or a slow fencing device, is no lost attempt. None is sent before the
 * first interval is over, so that most calls cost nothing more. A cancel is not listened to: what such a call has begun, it ends.
 * `details`: what each heartbeat tells; nothing when absent. A local activity has none: it ends with its workflow task.
 */
export async function beating<Result>(work: () => Promise<Result>, details?: () => unknown): Promise<Result> {
  const context = Context.current();
  if (context.info.isLocal) return work();
  const timer = setInterval(() => {
    context.heartbeat(details?.());
  }, HEARTBEAT_INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
