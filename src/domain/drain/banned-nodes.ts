import type { FailedMove } from '../evacuation.js';
import type { NodeName, Vmid } from '../ids.js';

/** So often a guest is sent to one node. */
const MOST_ATTEMPTS = 2;

/** From when on the guest may be sent to that node again, milliseconds since the epoch; infinity: never. 0: it never failed. */
export function banEndMs(failed: readonly FailedMove[], { vmid, to, retryMs }: { vmid: Vmid; to: NodeName; retryMs: number }): number {
  const before = failed.filter((each) => each.vmid === vmid && each.to === to);
  const last = before.at(-1);
  if (last === undefined) return 0;
  return before.length >= MOST_ATTEMPTS ? Number.POSITIVE_INFINITY : Date.parse(last.at) + retryMs * 2 ** (before.length - 1);
}

/** For each guest whose move failed: the nodes that it may not be sent to now. */
export function bannedNodes(failed: readonly FailedMove[], { nowMs, retryMs }: { nowMs: number; retryMs: number }): ReadonlyMap<Vmid, ReadonlySet<NodeName>> {
  const banned = new Map<Vmid, Set<NodeName>>();
  for (const { vmid, to } of failed) {
    if (banEndMs(failed, { vmid, to, retryMs }) <= nowMs) continue;
    banned.set(vmid, (banned.get(vmid) ?? new Set()).add(to));
  }
  return banned;
}
