import type { Vmid } from '../../../src/domain/ids.js';
import type { QmpEvent } from '../../../src/drivers/qmp/qmp-connection.js';
import type { NodeContext } from '../node-context.js';
import { waitForMachineEnd } from './guest-power.js';
import { isShutdownOfGuest, noteShutdown } from './note-shutdown.js';
import { startIfEnded, startMarkedGuests } from './start-marked.js';
import { noteEndedContainers } from './watch-containers.js';
import { recoverUntilSettled } from '../recovery/recover-guests.js';

const LOOK_INTERVAL_MS = 15_000;
/** From the end of the guest's system to the end of its process; one that takes longer is started by the look at the marks. */
const END_TIMEOUT_MS = 10_000;

/**
 * Watches the guests of this node for what nobody has asked for:
 *
 * - A guest that powers itself off is wanted stopped from then on: no recovery may take it for crashed and start it again, on no
 *   node. A shutdown of a VM while no worker listens is not noticed, and it counts as crashed; that of a container is found later.
 * - A stream without an attempt that follows it (its workflow was ended by force, or Temporal is away) may reach `pre-switchover`:
 *   the guest stands still, and only this node can end that. By event, and by a slow look for events that were missed.
 * - A guest that a migration had told to shut down may obey after the migration was rolled back: it is started again. The same two ways.
 *
 * Answers how to stop.
 */
export function watchGuests(node: NodeContext): () => void {
  node.monitors.listen((vmid, event) => {
    if (isShutdownOfGuest(event)) logFailure(node, vmid, wantStopped(node, vmid, event.timestampMs));
    if (isPause(event) && !node.copies.has(vmid)) logFailure(node, vmid, recoverUntilSettled(node, vmid));
  });
  const timer = setInterval(() => {
    lookAtClaimed(node).catch((error: unknown) => {
      node.log.error({ error }, 'the claimed guests could not be looked at');
    });
    noteEndedContainers(node).catch((error: unknown) => {
      node.log.error({ error }, 'the containers could not be looked at');
    });
    startMarkedGuests(node).catch((error: unknown) => {
      node.log.error({ error }, 'the guests that were told to shut down could not be looked at');
    });
  }, LOOK_INTERVAL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

function isPause(event: QmpEvent): boolean {
  return event.name === 'MIGRATION' && event.data['status'] === 'pre-switchover';
}

async function lookAtClaimed(node: NodeContext): Promise<void> {
  for (const vmid of await node.records.list()) {
    const view = await node.records.read(vmid);
    if (view.kind !== 'record' || view.record.migrationId === undefined || view.record.mode === 'offline' || node.copies.has(vmid)) continue;
    if (view.record.state === 'owned' || view.record.state === 'releasing') await recoverUntilSettled(node, vmid);
  }
}

async function wantStopped(node: NodeContext, vmid: Vmid, atMs: number): Promise<void> {
  if (await node.shutdowns.isAsked(vmid, atMs)) return startAgain(node, vmid, atMs);
  await node.locks.withLock(vmid, () => noteShutdown(node, vmid));
}

/**
 * A migration had told the guest to shut down, and it obeys. While the migration goes on that is all; when it was rolled back meanwhile
 * the guest is wanted here.
 */
async function startAgain(node: NodeContext, vmid: Vmid, atMs: number): Promise<void> {
  await node.locks.withLock(vmid, async () => {
    const view = await node.records.read(vmid);
    if (view.kind !== 'record' || view.record.state !== 'owned' || view.record.migrationId !== undefined) return;
    // Whoever held the lock before may have started it already: then this is another machine, which nobody has told anything.
    if (!(await node.shutdowns.isAsked(vmid, atMs))) return;
    if (await waitForMachineEnd(node, view.record, { timeoutMs: END_TIMEOUT_MS })) await startIfEnded(node, vmid, atMs);
  });
}

function logFailure(node: NodeContext, vmid: Vmid, work: Promise<void>): void {
  work.catch((error: unknown) => {
    node.log.error({ vmid, error }, 'an event of a guest could not be dealt with');
  });
}
