import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { writeHeartbeat } from '../../../src/drivers/storage/node-heartbeat.js';
import type { NodeContext } from '../node-context.js';
import { sharedStorages } from '../notes/note-home.js';

/** Other nodes look for three times as long (see-heartbeat.ts). */
export const BEAT_EVERY_MS = 2_000;

/**
 * Writes this node's heartbeat onto the storage that `recovery.storageHeartbeat` of kedge.yaml names, for as long as the worker runs: a node that nobody
 * reaches by the network, and that uses its disks all the same, is not dead. Answers how to stop.
 */
export function beatOnStorage(node: NodeContext): () => void {
  const storage = node.cluster.recovery.storageHeartbeat;
  if (storage === undefined) return () => undefined;
  let beats = 0;
  let isBeating = false;
  let hasFailed = false;
  const beat = async (): Promise<void> => {
    const found = (await sharedStorages(node)).find(({ id }) => id === storage);
    if (found === undefined) throw new Error(`storage ${storage} is no shared storage of this node`);
    beats += 1;
    await crashPoint('node.storage-heartbeat', () => writeHeartbeat(found.notes.folder, { node: node.node, text: `${node.bootId} ${process.pid} ${beats}\n` }));
  };
  const timer = setInterval(() => {
    // A storage that hangs has one thread of this process, and no more.
    if (isBeating) return;
    isBeating = true;
    void beat()
      .then(
        () => {
          hasFailed = false;
        },
        (error: unknown) => {
          if (!hasFailed) node.log.warn({ storage, error }, 'the heartbeat of this node could not be written');
          hasFailed = true;
        },
      )
      .finally(() => {
        isBeating = false;
      });
  }, BEAT_EVERY_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
