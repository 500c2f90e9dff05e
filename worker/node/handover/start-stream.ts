import { pkiFolder } from '../../../src/config/paths.js';
import { ITERATING_LIMIT_MS } from '../../../src/domain/convergence.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { setCapabilities, sourceCapabilities } from '../../../src/drivers/qemu/migration-capabilities.js';
import { setParameters, startStream } from '../../../src/drivers/qemu/migration-commands.js';
import { readQemuState, type QemuReading } from '../../../src/drivers/qemu/read-qemu-state.js';
import { addClientTls } from '../../../src/drivers/qemu/tls-objects.js';
import type { QmpConnection } from '../../../src/drivers/qmp/qmp-connection.js';
import type { StreamEntry } from '../journal/stream-journal.js';
import type { NodeContext } from '../node-context.js';
import type { CopyTask } from './copy-task.js';
import { readStreamLimits, type StreamLimits } from './stream-limits.js';

/** The journal's entry of a stream that runs, with the limits that it was started with. */
export type StartedStream = StreamEntry & { readonly limits: StreamLimits };

const UNDER_WAY = ['setup', 'active', 'pre-switchover', 'device', 'wait-unplug'];

/**
 * Starts the RAM stream of this migration, or finds the one that an earlier attempt started: QEMU keeps copying without us,
 * and a copy that runs is never started anew.
 * @throws KedgeError `stream-failed` when this migration's stream has already failed: the guest runs on here
 */
export async function startOrAttachStream(node: NodeContext, task: CopyTask, qmp: QmpConnection): Promise<StartedStream> {
  const { vmid, migrationId } = task.step;
  const reading = await readQemuState(qmp, 'source');
  const entry = await node.streams.read(vmid, migrationId);
  // `completed` belongs to this stream as well: what a lost attempt or local recovery left is handed over, not rolled back.
  const isCompleted = entry?.state === 'started' && reading.state === 'postmigrate' && reading.migration.status === 'completed';
  if (entry !== null && (isStillUnderWay(reading) || isCompleted)) {
    const limits = entry.limits ?? (await readStreamLimits(node, vmid, task.options));
    const attached = { ...entry, state: 'started', reattached: entry.reattached + 1, limits } as const;
    await crashPoint('source.stream-attached', () => node.streams.write(vmid, attached));
    return attached;
  }
  if (entry?.state === 'started') throw streamFailed(reading);
  if (isStillUnderWay(reading)) throw new KedgeError('guest-state', `Cannot copy guest ${vmid}: a stream that this migration did not start is under way`);
  return startNewStream(node, task, qmp);
}

async function startNewStream(node: NodeContext, task: CopyTask, qmp: QmpConnection): Promise<StartedStream> {
  const { step, target, prepared, options } = task;
  const limits = await readStreamLimits(node, step.vmid, options);
  const multifd = prepared.multifdChannels > 0;
  await crashPoint('source.stream-parameters', async () => {
    const tls = options.type === 'secure' ? await addClientTls(qmp, { folder: pkiFolder(node.paths) }) : null;
    await setCapabilities(qmp, sourceCapabilities({ multifd }));
    await setParameters(qmp, {
      bandwidthLimit: limits.bandwidthLimit,
      downtimeLimitMs: ITERATING_LIMIT_MS,
      ...(multifd ? { multifd: prepared } : {}),
      tls: tls === null ? null : { credentials: tls.credentials, hostname: prepared.tlsHostname ?? target },
    });
  });
  const entry: StartedStream = {
    migrationId: step.migrationId,
    state: 'intended',
    startedAt: new Date().toISOString(),
    reattached: 0,
    held: options.hold,
    holdBeganAt: null,
    rounds: [],
    memoryLost: false,
    limits,
  };
  await crashPoint('source.stream-journal', () => node.streams.write(step.vmid, entry));
  await crashPoint('source.stream-start', async () => {
    if (!isStillUnderWay(await readQemuState(qmp, 'source'))) await startStream(qmp, { host: prepared.host, port: prepared.port });
  });
  // Not durable before the answer on purpose: after a crash in between, `intended` with a stream under way is attached to,
  // and with none under way is started anew.
  const started: StartedStream = { ...entry, state: 'started' };
  await crashPoint('source.stream-started', () => node.streams.write(step.vmid, started));
  return started;
}

function isStillUnderWay(reading: QemuReading): boolean {
  return UNDER_WAY.includes(reading.migration.status);
}

function streamFailed(reading: QemuReading): KedgeError {
  const { status, errorDesc } = reading.migration;
  return new KedgeError('stream-failed', `Cannot go on with the copy: the stream is ${status}${errorDesc === null ? '' : `, ${errorDesc}`}`);
}
