import type { PreparedTarget, StepRef } from '../../../activities/interface.js';
import { pkiFolder } from '../../../src/config/paths.js';
import type { NodeName } from '../../../src/domain/ids.js';
import type { MigrationOptions } from '../../../src/domain/migration.js';
import type { Wanted } from '../../../src/domain/ownership.js';
import { streamLayout, type StreamLayout } from '../../../src/domain/stream-layout.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { setCapabilities, targetCapabilities } from '../../../src/drivers/qemu/migration-capabilities.js';
import { listenIncoming, setParameters } from '../../../src/drivers/qemu/migration-commands.js';
import { readMigrationInfo } from '../../../src/drivers/qemu/read-qemu-state.js';
import { addServerTls } from '../../../src/drivers/qemu/tls-objects.js';
import type { QmpConnection } from '../../../src/drivers/qmp/qmp-connection.js';
import { editGuestConfig, parseGuestConfig, printGuestConfig } from '../../../src/schema/guest-config.js';
import { launchGuest } from '../guests/launch-guest.js';
import { findGuestProcess, lookAtGuest } from '../guests/look-at-guest.js';
import { endIncoming } from '../handover/end-incoming.js';
import { stageTargetRecords } from '../handover/target-session.js';
import type { NodeContext } from '../node-context.js';
import { writeIncoming } from './write-incoming.js';

export interface PrepareRequest {
  readonly step: StepRef;
  readonly source: NodeName;
  readonly config: string;
  readonly wanted: Wanted;
  readonly runningMachine: string | null;
  /** Version of the QEMU that sends. */
  readonly sourceQemu: string;
  readonly options: MigrationOptions;
}

/**
 * Prepares this node to receive the guest: record `incoming(g+1)`, config copy, network devices, a QEMU that listens. Each is
 * named from the vmid, so that a repeated call finds what an earlier one made; the record comes first, so that whatever is
 * made after it has an owner who removes it.
 * @throws KedgeError `already-exists` when this node has another copy, and those of the start of QEMU
 */
export async function prepareTarget(node: NodeContext, request: PrepareRequest): Promise<PreparedTarget> {
  const { step, options } = request;
  return node.locks.withLock(step.vmid, async () => {
    const incoming = await writeIncoming(node, { step, source: request.source, kind: 'qemu', wanted: request.wanted });
    node.leases.renew(step.vmid);
    const layout = streamLayout({ hold: options.hold, wanted: node.cluster.migration, sourceQemu: request.sourceQemu });
    const qmp = await listeningQemu(node, request, layout);
    const address = node.peers.migrationAddress(node.node, options.network);
    const endpoint = await crashPoint('target.listen', () => listenIncoming(qmp, { host: address, port: 0 }));
    await stageTargetRecords(node, incoming);
    return { host: address, port: endpoint.port, tlsHostname: options.type === 'secure' ? node.node : null, ...layout };
  });
}

async function listeningQemu(node: NodeContext, request: PrepareRequest, layout: StreamLayout): Promise<QmpConnection> {
  const { step, source, options } = request;
  const { view, process } = await lookAtGuest(node, step.vmid);
  // A copy that an earlier attempt started and that listens is taken as it is: it was told everything before. One whose attempt
  // died in between would take the stream without TLS and, worse, without late-block-activate; like anything else it is made anew.
  if (process !== null && view.qemu === 'inmigrate') {
    const qmp = await node.monitors.of(step.vmid);
    if ((await readMigrationInfo(qmp)).socketAddress.length > 0) return qmp;
  }
  await endIncoming(node, step.vmid);
  node.leases.renew(step.vmid);
  const config = editGuestConfig(parseGuestConfig(request.config), request.runningMachine === null ? {} : { runningmachine: request.runningMachine });
  await crashPoint('target.config-copy', () => node.guestConfigs.write(step.vmid, 'qemu', printGuestConfig(config)));
  const qmp = await crashPoint('target.qemu-start', () =>
    // Said twice, the first one's is taken: the copy before it was ended a moment ago, under the same lock.
    findGuestProcess(node, step.vmid) === null ? launchGuest(node, step.vmid, { config, incoming: true }) : node.monitors.of(step.vmid),
  );
  const multifd = layout.multifdChannels > 0;
  await crashPoint('target.stream-parameters', async () => {
    const tls = options.type === 'secure' ? await addServerTls(qmp, { folder: pkiFolder(node.paths), peerName: source }) : null;
    await setCapabilities(qmp, targetCapabilities({ multifd }));
    await setParameters(qmp, { bandwidthLimit: 0, ...(multifd ? { multifd: layout } : {}), tls });
  });
  return qmp;
}
