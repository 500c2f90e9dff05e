/**
 * The program `kedge node run`: the one worker of a node.
 *
 * Order matters: the lock first (no second worker acts), then the peers' socket and local recovery, so that a worker that died
 * inside a blackout costs about its own start; only then is Temporal loaded, which takes half a second.
 */
import { join } from 'node:path';
import { journalFolder, nodeLockFile, pathsFromEnvironment, peerSocketFile } from '../src/config/paths.js';
import { parseNodeName } from '../src/domain/ids.js';
import { crashPoint } from '../src/drivers/host/crash-point.js';
import { takeFileLock } from '../src/drivers/host/file-lock.js';
import { servePeers } from '../src/drivers/peer/serve-peers.js';
import type { KedgeClient } from '../src/client/kedge-client.js';
import { createNodeContext } from './node/create-node-context.js';
import { createNodeService } from './node/create-node-service.js';
import { beatOnStorage } from './node/heartbeat/beat-on-storage.js';
import { watchGuests } from './node/guests/watch-guests.js';
import { endExpiredLeases } from './node/handover/end-leases.js';
import { TaskJournal } from './node/journal/task-journal.js';
import type { NodeContext } from './node/node-context.js';
import { watchNotes } from './node/notes/watch-notes.js';
import { answerPeer } from './node/peers/answer-peer.js';
import type { VoidedGuest } from '../src/domain/voided-guest.js';
import { applyVoided } from './node/recovery/apply-voided.js';
import { confirmBoot } from './node/recovery/confirm-boot.js';
import { recoverGuests } from './node/recovery/recover-guests.js';

/** A worker that is being replaced needs a moment to let its lock go. */
const LOCK_WAIT_MS = 10_000;
const REGISTER_RETRY_MS = 2_000;
const VOIDED_RETRY_MS = 15_000;

/** Runs until SIGTERM. @throws KedgeError `guest-locked` when another worker of this node runs, `bad-config` */
export async function runNodeWorker(): Promise<void> {
  const paths = pathsFromEnvironment();
  const lock = await takeFileLock(nodeLockFile(paths), { waitMs: LOCK_WAIT_MS });
  const node = await createNodeContext(paths);
  node.log.info({ bootId: node.bootId }, 'node worker begins');
  const peers = await servePeers({ socketFile: peerSocketFile(paths), handle: (from, request, { signal }) => answerPeer(node, from, { request, signal }) });
  const recovered = recoverGuests(node).then(() => {
    node.log.info('local recovery has looked at every guest');
  });
  const stopLeases = endExpiredLeases(node);
  const stopWatching = watchGuests(node);
  const stopNotes = watchNotes(node);
  const stopBeating = beatOnStorage(node);
  try {
    await runTemporalPart(node);
    await recovered;
  } finally {
    stopLeases();
    stopWatching();
    stopNotes();
    stopBeating();
    await peers.close();
    node.monitors.closeAll();
    lock.release();
  }
}

async function runTemporalPart(node: NodeContext): Promise<void> {
  const [{ createNodeBulkActivities, createNodeControlActivities }, { connectWorker }, { installRuntime }, { runNodeTemporalWorkers }] = await Promise.all([
    import('../activities/node/create-node-activities.js'),
    import('./temporal/connect-worker.js'),
    import('./temporal/install-runtime.js'),
    import('./temporal/run-node-workers.js'),
  ]);
  const { cluster, config, log } = node;
  installRuntime({ log, ...(config.metrics === undefined ? {} : { metricsAddress: config.metrics.address }) });
  const tasks = new TaskJournal(join(journalFolder(node.paths), 'tasks'));
  const connected = await connectWorker({ ...cluster.temporal, nodes: Object.keys(cluster.nodes).map(parseNodeName) }, { log });
  await tasks.failOrphans((tokens) => crashPoint('node.orphans-message', () => connected.kedge.failTaskTokens(tokens)));
  await failLostAttempts(node, connected.kedge);
  const service = createNodeService(node);
  const activities = { ...createNodeControlActivities(service, tasks), ...createNodeBulkActivities(service, tasks) };
  // The workers poll before the registration is confirmed: a control worker that is down must not stop copies in progress.
  const stop = new AbortController();
  void keepRegistered(node, connected.kedge, stop.signal);
  try {
    await runNodeTemporalWorkers(connected, { node: node.node, activities, bulkSlots: config.slots.bulk });
  } finally {
    stop.abort();
    await connected.kedge.close();
  }
}

/** What can't be ended now ends by its heartbeat timeout: no reason not to begin. */
async function failLostAttempts(node: NodeContext, kedge: KedgeClient): Promise<void> {
  try {
    const failed = await crashPoint('node.lost-attempts-message', () => kedge.failLostAttempts(node.node));
    if (failed > 0) node.log.info({ failed }, 'ended the attempts that the worker before had taken up and not noted');
  } catch (error) {
    node.log.warn({ error }, 'attempts of the worker before could not be looked for');
  }
}

/**
 * Registers this boot, for as long as it takes; then records of an earlier boot become permissions again. And once more whenever the cluster has not heard
 * this node for a while: it may have been given up although it lived, and only the answer to a registration tells which guests are void here.
 */
async function keepRegistered(node: NodeContext, kedge: KedgeClient, signal: AbortSignal): Promise<void> {
  let isDue = true;
  let hasConfirmed = false;
  let wake = (): void => undefined;
  node.contact.on('doubted', () => {
    isDue = true;
    wake();
  });
  signal.addEventListener('abort', () => wake());
  while (!signal.aborted) {
    if (!isDue) {
      await new Promise<void>((resolve) => (wake = resolve));
      continue;
    }
    isDue = false;
    try {
      const voided = await crashPoint('node.register-message', () => kedge.registerNode({ node: node.node, bootId: node.bootId }));
      await makeVoid(node, kedge, { voided, signal });
      node.boot.confirmed = true;
      if (!hasConfirmed) await confirmBoot(node);
      hasConfirmed = true;
      node.log.info({ bootId: node.bootId }, 'this boot is registered');
    } catch (error) {
      node.log.warn({ error }, 'this boot could not be registered yet');
      isDue = true;
      await abortableDelay(REGISTER_RETRY_MS, signal);
    }
  }
}

/** What could not be decided yet is looked at again in the background: it stands in nobody's way but its own. */
async function makeVoid(node: NodeContext, kedge: KedgeClient, { voided, signal }: { voided: readonly VoidedGuest[]; signal: AbortSignal }): Promise<void> {
  const done = await applyVoided(node, voided);
  // Best effort: a decision that is not taken off the list is found done at the next registration.
  for (const guest of done) void kedge.dropVoided({ node: node.node, guest }).catch((error: unknown) => node.log.warn({ error }, 'a void guest stays listed'));
  const left = voided.filter((guest) => !done.includes(guest));
  if (left.length === 0) return;
  void abortableDelay(VOIDED_RETRY_MS, signal).then(async () => {
    if (!signal.aborted)
      await makeVoid(node, kedge, { voided: left, signal }).catch((error: unknown) => node.log.error({ error }, 'a record could not be made void'));
  });
}

function abortableDelay(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
