import type { Vmid } from '../../../src/domain/ids.js';
import type { OwnershipRecord, RecordView } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { payloadPids } from '../../../src/drivers/lxc/container-cgroups.js';
import { readContainerEnding } from '../../../src/drivers/lxc/container-ending.js';
import { readContainer } from '../../../src/drivers/lxc/read-container.js';
import type { NodeContext } from '../node-context.js';
import { containerOf } from './container-of.js';

/**
 * A container that has shut itself down is wanted stopped from then on, as a VM is: no recovery may take it for crashed. LXC keeps how it
 * ended, so this need not be there at that moment. One that crashed stays wanted running, for its policy to judge.
 */
export async function noteEndedContainers(node: NodeContext): Promise<void> {
  for (const vmid of await node.records.list()) {
    if (mayHaveEnded(node, vmid, await node.records.read(vmid)) === null) continue;
    await node.locks.withLock(vmid, async () => {
      const record = mayHaveEnded(node, vmid, await node.records.read(vmid));
      const container = containerOf(node, vmid);
      if (record === null || (await readContainer(container)).state !== 'gone' || (await readContainerEnding(container)) !== 'shut-down') return;
      // A migration that was rolled back meanwhile had told it to: it is wanted here, and is started again (start-marked.ts).
      if (await node.shutdowns.isAsked(vmid)) return;
      await crashPoint('node.ended-record', () => node.records.write({ ...record, wanted: 'stopped' }));
      node.log.info({ vmid }, 'the container has shut itself down');
    });
  }
}

/** The record of a container that shall run here by its own will, and of which no process is seen. */
function mayHaveEnded(node: NodeContext, vmid: Vmid, view: RecordView): (OwnershipRecord & { state: 'owned' }) | null {
  if (view.kind !== 'record') return null;
  const { record } = view;
  if (record.kind !== 'lxc' || record.state !== 'owned' || record.wanted === 'stopped') return null;
  if (record.migrationId !== undefined || record.bootId !== node.bootId || node.starts.isUnderWay(vmid)) return null;
  return payloadPids(containerOf(node, vmid)).length === 0 ? record : null;
}
