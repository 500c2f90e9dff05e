import { pkiFolder, pathsFromEnvironment } from '../../src/config/paths.js';
import { setCapabilities } from '../../src/drivers/qemu/migration-capabilities.js';
import { listenIncoming, setParameters } from '../../src/drivers/qemu/migration-commands.js';
import type { StreamLayout } from '../../src/domain/stream-layout.js';
import { addClientTls, addServerTls } from '../../src/drivers/qemu/tls-objects.js';
import { observeSwitch, type SwitchTimes } from '../live/observe-switch.js';
import type { BenchNode } from '../live/bench-node.js';
import { quitRawQemu, startRawQemu, type RawGuest, type RawQemu } from './raw-guest.js';
import type { SshTunnel } from './ssh-tunnel.js';

/** How the raw stream travels: as the product's (TLS and multifd over the migration network), or plain through an OpenSSH tunnel. */
export type RawTransport =
  | { readonly kind: 'tls'; readonly layout: StreamLayout }
  | { readonly kind: 'ssh'; readonly tunnel: (target: BenchNode) => Promise<SshTunnel> };

export interface RawMigration {
  readonly guest: RawGuest;
  readonly source: RawQemu;
  readonly target: BenchNode;
  readonly transport: RawTransport;
  readonly downtimeLimitMs: number;
  readonly timeoutMs: number;
}

/**
 * Moves a guest with QMP alone: QEMU pauses the source when the rest fits into the downtime limit, and the target starts by itself.
 * Nothing is recorded, nothing is confirmed: this is the floor that the product is measured against.
 */
export async function migrateRaw(migration: RawMigration): Promise<{ readonly times: SwitchTimes; readonly qemu: RawQemu }> {
  const { guest, source, target, transport, downtimeLimitMs, timeoutMs } = migration;
  const qemu = await startRawQemu(guest, target, { incoming: true });
  const tls = transport.kind === 'tls';
  const capabilities = ['events', ...(tls ? (['multifd'] as const) : [])] as const;
  for (const { qmp } of [source, qemu]) await setCapabilities(qmp, capabilities);

  const folder = pkiFolder(pathsFromEnvironment({}));
  const server = tls ? await addServerTls(qemu.qmp, { folder, peerName: source.node.name }) : null;
  const client = tls ? { ...(await addClientTls(source.qmp, { folder })), hostname: target.name } : null;
  const multifd = transport.kind === 'tls' ? { multifd: transport.layout } : {};
  await setParameters(qemu.qmp, { bandwidthLimit: 0, ...multifd, tls: server });
  await setParameters(source.qmp, { bandwidthLimit: 0, downtimeLimitMs, ...multifd, tls: client });
  const tunnel = transport.kind === 'ssh' ? await transport.tunnel(target) : null;
  const listening = await listenIncoming(
    qemu.qmp,
    tunnel === null ? { host: target.migrationAddress, port: 0 } : { host: '127.0.0.1', port: tunnel.targetPort },
  );

  const observation = await observeSwitch({ source: source.observerSocket, target: qemu.observerSocket, timeoutMs });
  await source.qmp.execute('migrate', { uri: tunnel === null ? `tcp:${listening.host}:${listening.port}` : `tcp:127.0.0.1:${tunnel.sourcePort}` });
  const times = await observation.times;
  await tunnel?.close();
  await quitRawQemu(source);
  return { times, qemu };
}
