import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { NodeContext } from '../node-context.js';
import { keepNote } from './keep-note.js';

const LOOK_INTERVAL_MS = 10_000;

/**
 * Keeps what lies beside the disks of this node's guests up to date: after each look the storages say what the records do. It follows what happens
 * to a guest, with a delay, so that nothing that is urgent waits for a storage. Answers how to stop.
 */
export function watchNotes(node: NodeContext): () => void {
  let isLooking = false;
  const timer = setInterval(() => {
    // A storage that hangs must not pile up looks.
    if (isLooking) return;
    isLooking = true;
    void keepNotes(node).finally(() => {
      isLooking = false;
    });
  }, LOOK_INTERVAL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

/** One look at every guest. */
export async function keepNotes(node: NodeContext): Promise<void> {
  if (!node.boot.confirmed) return;
  for (const vmid of await node.records.list().catch(() => [])) {
    try {
      if (await isFree(node, vmid)) await node.locks.withLock(vmid, () => keepOne(node, vmid));
    } catch (error) {
      if (error instanceof KedgeError && error.code === 'not-owner')
        node.log.error({ vmid, error }, 'ALARM: this node owns a guest that its storage says another node has taken over');
      else node.log.warn({ vmid, error }, 'what lies beside the disks of a guest could not be brought up to date');
    }
  }
}

/** A claimed guest is left alone, also its lock: a hand-over must not wait for a storage. Its claim has made its note a current one. */
async function isFree(node: NodeContext, vmid: Vmid): Promise<boolean> {
  const view = await node.records.read(vmid);
  return view.kind === 'record' && view.record.state === 'owned' && view.record.migrationId === undefined && view.record.bootId === node.bootId;
}

async function keepOne(node: NodeContext, vmid: Vmid): Promise<void> {
  const view = await node.records.read(vmid);
  if (view.kind !== 'record' || view.record.state !== 'owned' || view.record.migrationId !== undefined || view.record.bootId !== node.bootId) return;
  await keepNote(node, view.record);
}
