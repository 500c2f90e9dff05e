/**
 * The target's part of a hand-over without a running guest. The same records as live, without laziness: each is durable before it is
 * answered.
 *
 *   incoming ──arm──▶ armed ──go──▶ owned
 *      └────────revoke──┴──▶ revoked
 */
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { ownedFree, type OwnershipRecord, type Wanted } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { NodeContext } from '../node-context.js';

/**
 * `incoming` → `armed`: every volume is here, equal, durable, and nobody writes to it. Another boot of this node is no obstacle: what
 * counts is on its disks. The caller holds the guest's lock.
 * @throws KedgeError `peer-refused` while a volume is not published
 */
export async function armCopy(node: NodeContext, record: OwnershipRecord & { state: 'incoming' }, wanted: Wanted): Promise<void> {
  const { volumes } = await node.volumes.of(record.vmid, record.migrationId);
  const open = volumes.find(({ state }) => state !== 'published');
  if (open !== undefined) throw new KedgeError('peer-refused', `Cannot arm guest ${record.vmid}: its volume ${open.to} is not verified`);
  await crashPoint('target.armed-record', () => node.records.write({ ...record, wanted, bootId: node.bootId, state: 'armed' }));
}

/** `armed` → `owned`, durable; the start is a step of its own, and due from here on (start-moved.ts). The caller holds the guest's lock. */
export async function ownCopy(node: NodeContext, record: OwnershipRecord & { state: 'armed' }, generation = record.generation): Promise<void> {
  if (record.wanted === 'running') await node.dueStarts.begin(record.vmid, generation);
  await crashPoint('target.owned-record', () => node.records.write(ownedFree(record, { generation, bootId: node.bootId })));
  // From here the volumes are the guest's: nothing may find them in the journal and take them for a copy.
  await node.volumes.remove(record.vmid);
}
