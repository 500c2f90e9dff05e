import type { MoveWay } from './plan.js';
import type { SnapshotGuest, SnapshotNode } from './snapshot.js';

/** How a guest could move, or why it is not moved. */
export type Movement = { readonly way: MoveWay } | { readonly stays: 'shut-down' | 'wait' | 'stuck'; readonly reason: string };

/** Decides how a guest leaves its node; its policy decides for one that can't move live. */
export function movementOf(guest: SnapshotGuest, source: SnapshotNode): Movement {
  if (guest.pinned) return { stays: 'stuck', reason: 'it is pinned to its node' };
  if (source.state === 'silent') return { stays: 'stuck', reason: `${source.name} gives no answer` };
  if (guest.unmovable !== undefined) return { stays: 'stuck', reason: guest.unmovable };
  if (guest.localDevices.length > 0) return withoutMove(guest, `it uses ${guest.localDevices.join(', ')} of its node`);
  if (!guest.running) return { way: 'offline' };
  const obstacle = whyNotLive(guest, source);
  if (obstacle === null) return { way: 'live' };
  return guest.whenNotLive === 'offline' ? { way: 'restart' } : withoutMove(guest, obstacle);
}

/** Null: it can move live. */
export function whyNotLive(guest: SnapshotGuest, source: SnapshotNode): string | null {
  if (guest.kind === 'lxc') return 'a container can not move live';
  const local = guest.disks.map(({ storage }) => storage).filter((id) => !isShared(source, id));
  return local.length === 0 ? null : `its disks are on ${[...new Set(local)].join(', ')} of its node`;
}

export function isShared(node: SnapshotNode, storage: string): boolean {
  return node.storages.some(({ id, identity }) => id === storage && identity !== null);
}

function withoutMove(guest: SnapshotGuest, obstacle: string): Movement {
  if (!guest.running) return { stays: 'stuck', reason: obstacle };
  switch (guest.whenNotLive) {
    case 'shutdown':
      return { stays: 'shut-down', reason: `${obstacle}; its policy is to shut it down` };
    case 'wait':
      return { stays: 'wait', reason: `${obstacle}; its policy is to wait` };
    case 'skip':
      return { stays: 'stuck', reason: `${obstacle}; its policy is to leave it` };
    case 'offline':
      return { stays: 'stuck', reason: obstacle };
  }
}
