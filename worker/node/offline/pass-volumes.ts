import type { CopiedVolume } from '../../../src/domain/moving-volume.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { CopyProgress, CopyRound, FilesDone, MigrationPhase } from '../../../src/domain/migration.js';
import type { RsyncFacts } from '../../../src/domain/rsync-facts.js';
import type { SyncPass } from '../../../src/domain/sync-passes.js';
import type { NodeContext } from '../node-context.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { chooseCompression } from '../../../src/drivers/rsync/choose-compression.js';
import { clearsTrailingGap } from '../../../src/drivers/rsync/clears-trailing-gap.js';
import { CHECKSUM_TIMEOUT_SECONDS, imagePassArguments, treePassArguments, type RsyncTarget } from '../../../src/drivers/rsync/rsync-arguments.js';
import { runRsync, type RsyncResult, type RsyncRun } from '../../../src/drivers/rsync/run-rsync.js';
import type { VolumesTask } from './copy-task.js';
import { diskProgress, FilesCount } from './disk-progress.js';
import { storageOf } from './storage-of.js';
import type { TargetLink } from './target-link.js';
import { volumeLimit } from './volume-limit.js';

export interface PassRequest {
  readonly phase: Extract<MigrationPhase, 'pre-sync' | 'final-sync'>;
  /** From 1. */
  readonly number: number;
  /** Compare what every file holds, also where its size and time are equal. */
  readonly thorough: boolean;
  readonly link: TargetLink;
  /** What the rsyncs of this node and of the target can do. */
  readonly ours: Promise<RsyncFacts>;
  readonly theirs: RsyncFacts;
}

const GRANT_TIMEOUT_MS = 30_000;
/** Disks at a time: two keep a link busy while one of them reads; more would only seek. */
const PARALLEL = 2;
const KIB = 1024;

/**
 * One pass over all volumes, some at a time within the bandwidth limit. The first that fails ends the others: with the guest off nobody may
 * wait for a copy that is of no more use.
 * @throws KedgeError those of `runRsync` and of the target, `peer-refused` when it does not receive them any more
 */
export async function passVolumes(node: NodeContext, task: VolumesTask, request: PassRequest): Promise<SyncPass & { round: CopyRound }> {
  const { volumes } = task.prepared;
  const began = performance.now();
  const counter = new PassCounter(task, request);
  const lanes = Math.min(PARALLEL, volumes.length);
  const queue = [...volumes];
  const failures: unknown[] = [];
  const siblings = new AbortController();
  const fenced = { ...task, signal: AbortSignal.any([task.signal, siblings.signal]) };
  // All are waited for, so that nothing of this attempt goes on after it.
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let volume = queue.shift(); volume !== undefined; volume = queue.shift()) {
        try {
          await passVolume(node, fenced, { ...request, volume, lanes, counter });
        } catch (error) {
          failures.push(error);
          queue.length = 0;
          siblings.abort(error);
        }
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
  const durationMs = Math.round(performance.now() - began);
  return {
    deltaBytes: counter.deltaBytes,
    durationMs,
    round: { round: request.number, bytesLeft: 0, bytesSent: counter.sentBytes, durationMs },
  };
}

async function passVolume(
  node: NodeContext,
  task: VolumesTask,
  request: PassRequest & { volume: CopiedVolume; lanes: number; counter: PassCounter },
): Promise<void> {
  const { volume, link, theirs, phase, thorough, counter, lanes } = request;
  task.signal.throwIfAborted();
  const { vmid, migrationId, generation } = task.step;
  const limit = await volumeLimit(node, volume, task.options);
  const grant = { vmid, migrationId, generation, volume: volume.to };
  const [{ token, isEmpty }, ours] = await Promise.all([
    crashPoint('source.grant-message', () => link.call('grant', grant, { timeoutMs: GRANT_TIMEOUT_MS, signal: task.signal })),
    request.ours,
  ]);
  // Found equal since the guest is off: it can't have changed.
  if (token === null) return;
  const target: RsyncTarget = { node: task.target, token, remoteShell: link.remoteShell };
  const final = phase === 'final-sync';
  const pass = {
    source: (await storageOf(node, volume.from)).path(volume.from).path,
    target,
    final,
    compression: chooseCompression({ ours: ours.compression, theirs: theirs.compression, linkBytesPerSecond: limit === 0 ? null : limit }),
    ...(limit === 0 ? {} : { bwlimitKibps: Math.max(1, Math.floor(limit / lanes / KIB)) }),
  };
  // An image is compared whole in every pass.
  const checksum = thorough && volume.kind === 'tree';
  const args =
    volume.kind === 'tree'
      ? treePassArguments({ ...pass, checksum })
      : imagePassArguments({ ...pass, targetIsEmpty: isEmpty, writeZeroes: thorough && !clearsTrailingGap(theirs.version) });
  const run: RsyncRun = {
    args,
    // While the target reads its files, nothing moves here.
    ...(checksum ? { stallTimeoutMs: CHECKSUM_TIMEOUT_SECONDS * 1_000 } : {}),
    vanishedFiles: volume.kind === 'tree' && !final ? 'normal' : 'error',
    signal: task.signal,
    onProgress: ({ bytes, files }) => counter.moved(volume, bytes, files),
  };
  const result = await runTwiceAtMost(run);
  counter.finished(volume, result);
}

/** Some ends of rsync (a process of it that died) may be gone with the next run, and are for good if not. */
async function runTwiceAtMost(run: RsyncRun): Promise<RsyncResult> {
  try {
    return await crashPoint('source.rsync', () => runRsync(run));
  } catch (error) {
    if (!(error instanceof KedgeError) || error.details['retry'] !== 'once') throw error;
    return crashPoint('source.rsync', () => runRsync(run));
  }
}

/** Counts what the rsyncs of one pass report. rsync counts what it has looked at, holes and equal blocks too. */
class PassCounter {
  readonly #task: VolumesTask;
  readonly #request: PassRequest;
  readonly #done = new Map<string, number>();
  readonly #total: number;
  readonly #began = performance.now();
  readonly #files = new FilesCount();
  deltaBytes = 0;
  sentBytes = 0;

  constructor(task: VolumesTask, request: PassRequest) {
    this.#task = task;
    this.#request = request;
    this.#total = task.prepared.volumes.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  }

  moved(volume: CopiedVolume, bytes: number, files: FilesDone | null): void {
    if (files !== null) this.#files.seen(volume, files);
    this.#done.set(volume.from, bytes);
    this.#task.report(this.#progress());
  }

  finished(volume: CopiedVolume, result: { readonly literalBytes: number; readonly sentBytes: number; readonly totalFileBytes: number }): void {
    this.#done.set(volume.from, Math.max(this.#done.get(volume.from) ?? 0, volume.allocatedBytes));
    this.#files.finished(volume);
    this.deltaBytes += result.literalBytes;
    this.sentBytes += result.sentBytes;
    this.#task.report(this.#progress());
  }

  #progress(): CopyProgress {
    const done = Math.min(
      this.#total,
      [...this.#done.values()].reduce((sum, bytes) => sum + bytes, 0),
    );
    const { phase, number: round } = this.#request;
    const { attempt } = this.#task;
    return diskProgress({ phase, round, doneBytes: done, totalBytes: this.#total, files: this.#files.sum(), beganMs: this.#began, attempt });
  }
}
