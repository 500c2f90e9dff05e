/**
 * The commands of a live migration, each with the check that keeps a guest from running twice or being lost.
 * They decide nothing: who may call what, and when, is the ownership protocol's matter.
 *
 * `migrate`, `migrate_cancel` and `yank` answer `{}` whatever happens: read the state afterwards.
 */
import { isIPv6 } from 'node:net';
import { KedgeError } from '../../domain/kedge-error.js';
import type { StreamLayout } from '../../domain/stream-layout.js';
import type { QmpConnection } from '../qmp/qmp-connection.js';
import type { MigrationSide } from './classify-qemu-state.js';
import { readMigrationInfo, readQemuState } from './read-qemu-state.js';

/** "Unlimited": QEMU's own default of 128 MiB/s is a real cap and is always replaced. Bytes per second. */
const UNLIMITED_BANDWIDTH = 16 * 1024 ** 3;

export interface StreamEndpoint {
  readonly host: string;
  readonly port: number;
}

export interface MigrationParameters {
  /** Bytes per second; 0 means unlimited. */
  readonly bandwidthLimit: number;
  /** QEMU pauses the guest once the rest fits into this time. Only the source uses it. */
  readonly downtimeLimitMs?: number;
  /** Must be equal on both sides. Undefined: without multifd. */
  readonly multifd?: StreamLayout;
  /** Null: plain text. `credentials` and `authorization` are ids of objects made by `tls-objects.ts`. */
  readonly tls: { readonly credentials: string; readonly hostname?: string; readonly authorization?: string } | null;
}

/** Sets all parameters of one attempt, and clears what an earlier one may have set. */
export async function setParameters(qmp: QmpConnection, parameters: MigrationParameters): Promise<void> {
  const { tls, downtimeLimitMs, multifd } = parameters;
  await qmp.execute('migrate-set-parameters', {
    'max-bandwidth': bandwidthOf(parameters.bandwidthLimit),
    ...(downtimeLimitMs === undefined ? {} : { 'downtime-limit': downtimeLimitMs }),
    ...(multifd === undefined ? {} : { 'multifd-channels': multifd.multifdChannels, 'multifd-compression': multifd.compression }),
    'tls-creds': tls?.credentials ?? '',
    'tls-hostname': tls?.hostname ?? '',
    'tls-authz': tls?.authorization ?? '',
  });
}

/** Starts listening on `host` (port 0: the kernel picks); answers the port. Safe to repeat: who listens already is asked. */
export async function listenIncoming(qmp: QmpConnection, endpoint: StreamEndpoint): Promise<StreamEndpoint> {
  const already = (await readMigrationInfo(qmp)).socketAddress[0];
  if (already === undefined) await qmp.execute('migrate-incoming', { uri: uriOf(endpoint) });
  const listening = already ?? (await readMigrationInfo(qmp)).socketAddress[0];
  if (listening === undefined) throw new KedgeError('outcome-unknown', 'Cannot listen for a migration: QEMU names no socket');
  return listening;
}

/**
 * Starts the stream to a listening target. Even an unresolvable host shows only later, as status `failed`.
 * @throws KedgeError `guest-state` unless the guest runs or is paused here and no stream is under way
 */
export async function startStream(qmp: QmpConnection, target: StreamEndpoint): Promise<void> {
  const { state, migration } = await readQemuState(qmp, 'source');
  if (state !== 'running' && state !== 'paused' && state !== 'postmigrate') {
    throw new KedgeError('guest-state', `Cannot start a migration stream: QEMU is ${state}`, { details: { state } });
  }
  if (['setup', 'active', 'cancelling', 'wait-unplug'].includes(migration.status)) {
    throw new KedgeError('guest-state', `Cannot start a migration stream: one is under way, its status is ${migration.status}`, { details: { state } });
  }
  await qmp.execute('migrate', { uri: uriOf(target) });
}

/** Lets QEMU pause the guest as soon as the rest fits into `downtimeLimitMs`; works while the stream runs. */
export async function raiseDowntimeLimit(qmp: QmpConnection, downtimeLimitMs: number): Promise<void> {
  await qmp.execute('migrate-set-parameters', { 'downtime-limit': downtimeLimitMs });
}

/** Sets the bandwidth in bytes per second (0: unlimited); works while the stream runs. */
export async function setBandwidth(qmp: QmpConnection, bandwidthLimit: number): Promise<void> {
  await qmp.execute('migrate-set-parameters', { 'max-bandwidth': bandwidthOf(bandwidthLimit) });
}

/** Leaves `pre-switchover`: the final pass begins. From here on a cancel is refused by Kedge. QEMU refuses it in any other state. */
export async function continueSwitchover(qmp: QmpConnection): Promise<void> {
  await qmp.execute('migrate-continue', { state: 'pre-switchover' });
}

/**
 * Cancels the stream: the source runs on by itself if it ran before. Idempotent.
 * @throws KedgeError `guest-state` in post-copy, where QEMU 7.2 would accept it and both copies could then run
 */
export async function cancelStream(qmp: QmpConnection): Promise<void> {
  const { status } = await readMigrationInfo(qmp);
  if (status.startsWith('postcopy')) {
    throw new KedgeError('guest-state', `Cannot cancel a migration stream: its status is ${status}, the memory is already split`, { details: { status } });
  }
  await qmp.execute('migrate_cancel');
}

/** Tears the stream's sockets down out of band: the only way out when the final pass hangs on a silent peer. */
export async function yankStream(qmp: QmpConnection): Promise<void> {
  const instances = await qmp.executeOutOfBand('query-yank');
  const hasStream = Array.isArray(instances) && instances.some((instance: unknown) => isMigrationInstance(instance));
  // Without the instance QEMU answers an error; nothing to tear down is what we wanted.
  if (hasStream) await qmp.executeOutOfBand('yank', { instances: [{ type: 'migration' }] });
}

/** Pauses the guest. @throws KedgeError `guest-state` on an incoming QEMU, which would then not wait for its `cont` */
export async function stop(qmp: QmpConnection): Promise<void> {
  const { state } = await readQemuState(qmp, 'source');
  if (state === 'inmigrate') throw new KedgeError('guest-state', 'Cannot pause the guest: QEMU still loads it', { details: { state } });
  if (state === 'running') await qmp.execute('stop');
}

/**
 * Lets the guest run; one that runs already is fine and is told.
 *
 * On the target only a copy that is loaded and paused may go: QEMU accepts `cont` while it loads, and would then start
 * the guest by itself at the end, before any hand-over. On the source a finished or standing guest may go.
 * @throws KedgeError `guest-state` names the state that forbids it
 */
export async function cont(qmp: QmpConnection, side: MigrationSide): Promise<{ alreadyRunning: boolean }> {
  const { state, runState } = await readQemuState(qmp, side);
  if (state === 'running') return { alreadyRunning: true };
  const allowed = side === 'target' ? state === 'loaded' : state === 'paused' || state === 'postmigrate';
  if (!allowed) {
    throw new KedgeError('guest-state', `Cannot let the guest run as migration ${side}: QEMU is ${state}`, { details: { state, runState, side } });
  }
  await qmp.execute('cont');
  return { alreadyRunning: false };
}

/** Sends gratuitous ARP and the like from every network card, so that switches learn the guest's new place. */
export async function announceSelf(qmp: QmpConnection): Promise<void> {
  await qmp.execute('announce-self', { initial: 50, max: 550, rounds: 5, step: 100 });
}

/** Ends QEMU; the end of the connection is its answer. `quitQemu` also sees the process gone. */
export async function quit(qmp: QmpConnection): Promise<void> {
  await qmp.execute('quit');
}

function bandwidthOf(limit: number): number {
  return limit === 0 ? UNLIMITED_BANDWIDTH : limit;
}

function uriOf({ host, port }: StreamEndpoint): string {
  return `tcp:${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function isMigrationInstance(instance: unknown): boolean {
  return typeof instance === 'object' && instance !== null && 'type' in instance && instance.type === 'migration';
}
