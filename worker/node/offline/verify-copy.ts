import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { CopiedVolume } from '../../../src/domain/moving-volume.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { NodeContext } from '../node-context.js';
import type { VolumesTask } from './copy-task.js';
import { digestVolume } from './digest-volume.js';
import { storageOf } from './storage-of.js';
import { TargetLink } from './target-link.js';
import { VerifyMeter } from './verify-meter.js';
import { withClaim } from './with-claim.js';

/** Both sides read the whole image; a day is more than any takes, and the call ends with its channel anyway. */
const DIGEST_TIMEOUT_MS = 12 * 3_600_000;
const PUBLISH_TIMEOUT_MS = 120_000;

/**
 * Has both sides read every volume, and publishes each copy that is equal. The guest is off and the writer of each copy was ended, so
 * nothing can change after it was read.
 * @throws KedgeError `copy-differs` names the volume: nothing was published of it
 */
export async function verifyCopy(node: NodeContext, task: VolumesTask): Promise<{ verified: number }> {
  return withClaim(node, task, async (fenced) => {
    const link = new TargetLink(node, task.target, task.options.network);
    const meter = new VerifyMeter(fenced);
    for (const volume of task.prepared.volumes) {
      fenced.signal.throwIfAborted();
      await verifyVolume(node, fenced, { volume, link, meter });
      meter.finished(volume);
    }
    return { verified: task.prepared.volumes.length };
  });
}

async function verifyVolume(
  node: NodeContext,
  task: VolumesTask,
  { volume, link, meter }: { volume: CopiedVolume; link: TargetLink; meter: VerifyMeter },
): Promise<void> {
  const { vmid, migrationId, generation } = task.step;
  const ref = { vmid, migrationId, generation, volume: volume.to };
  const { path } = (await storageOf(node, volume.from)).path(volume.from);
  const [ours, theirs] = await Promise.all([
    digestVolume({ path, kind: volume.kind }, { signal: task.signal, onProgress: (share, files) => meter.reading(volume, share, files) }),
    crashPoint('source.digest-message', () => link.call('digest', ref, { timeoutMs: DIGEST_TIMEOUT_MS, signal: task.signal })),
  ]);
  if (ours !== theirs.digest) {
    throw new KedgeError('copy-differs', `Cannot hand guest ${vmid} over: the copy of ${volume.from} on ${task.target} differs from it`, {
      details: { volume: volume.from, source: ours, target: theirs.digest },
    });
  }
  await crashPoint('source.publish-message', () => link.call('publish', ref, { timeoutMs: PUBLISH_TIMEOUT_MS, signal: task.signal }));
}
