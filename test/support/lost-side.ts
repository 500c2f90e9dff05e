/** One side of a migration that is lost for good in its switchover, and the devices that would make sure of it. */
import type { NodeName } from '../../src/domain/ids.js';
import type { MigrationKind } from '../../src/domain/migration.js';
import type { NodeStatus } from '../../src/domain/node-facts.js';
import type { FenceDevice } from '../../src/schema/fencing-config.js';
import { handOver } from './fake-node.js';
import { handOverOffline } from './fake-offline-node.js';
import { SOURCE, TARGET } from './fake-world.js';
import { after, type Outcomes } from './outcomes.js';

/** The hand-over gets as far as `released`, then `role` is lost; `onLoss` hears which node that is. */
export function lostAfterReleased(role: 'source' | 'target', kind: MigrationKind, onLoss: (node: NodeName) => void): Outcomes {
  const lose = after((world, step) => {
    if (kind === 'live') handOver(world, step, 'released');
    else handOverOffline(world, step, 'released');
    world.lost = role;
    onLoss(role === 'source' ? SOURCE : TARGET);
    world.change(world[role], { qemu: 'gone' });
  }, 'outcome-unknown');
  return kind === 'live' ? { copyAndSwitchOver: lose } : { handOverCopy: lose };
}

/** A registered node without an inventory. */
export function bareStatus(node: NodeName, silentSince: string | null): NodeStatus {
  return { node, bootId: `boot-${node}`, registeredAt: null, cordoned: false, silentSince, inventory: null, inventoryAgeMs: null };
}

const device = (node: NodeName): FenceDevice => ({ agent: `/fence-${node}`, timeoutSeconds: 1, parameters: {} });

/** fencing.yaml with a device for either side. */
export const BOTH_DEVICES = { nodes: { [TARGET]: device(TARGET), [SOURCE]: device(SOURCE) } };
