import { setTimeout as delay } from 'node:timers/promises';
import type { NodeName } from '../../../src/domain/ids.js';
import type { SeenHeartbeat } from '../../../src/domain/suspect-node.js';
import { heartbeatName } from '../../../src/drivers/storage/node-heartbeat.js';
import type { NodeContext } from '../node-context.js';
import { sharedStorages } from '../notes/note-home.js';
import { BEAT_EVERY_MS } from './beat-on-storage.js';

const WATCH_MS = 3 * BEAT_EVERY_MS;
const LOOK_EVERY_MS = 500;

/**
 * Does the heartbeat of a node on the configured storage change? By itself it says nothing of when it was written: clocks of two machines are two. Null:
 * none is configured, or this node does not see the storage, which says nothing either.
 */
export async function seeHeartbeat(node: NodeContext, other: NodeName, { watchMs = WATCH_MS } = {}): Promise<SeenHeartbeat | null> {
  const storage = node.cluster.recovery.storageHeartbeat;
  if (storage === undefined) return null;
  const found = (await sharedStorages(node).catch(() => [])).find(({ id }) => id === storage);
  if (found === undefined) return null;
  const end = AbortSignal.timeout(watchMs);
  // What can't be read shows nothing. One that hangs is asked once, and given up after a while (`GuestNotes`).
  const read = (): Promise<string | null> => found.notes.peek(heartbeatName(other)).catch(() => null);
  let before = await read();
  while (!end.aborted) {
    await delay(LOOK_EVERY_MS);
    const now = await read();
    // Between two that were read: what appears may have been there for long, on a storage that gave no answer.
    if (before !== null && now !== null && now !== before) return { storage, moves: true };
    before ??= now;
  }
  return { storage, moves: false };
}
