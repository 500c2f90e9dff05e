import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { detectAccelerator } from '../../src/drivers/qemu/accelerator.js';
import { qemuArguments, tapName } from '../../src/drivers/qemu/qemu-arguments.js';
import { runFiles } from '../../src/drivers/qemu/run-files.js';
import { connectQmp } from '../../src/drivers/qmp/connect-qmp.js';
import type { QmpConnection } from '../../src/drivers/qmp/qmp-connection.js';
import { parseGuestConfig } from '../../src/schema/guest-config.js';
import type { BenchNode } from '../live/bench-node.js';

/** A guest that nobody manages: QEMU alone, with the command line that the product would give it. */
export interface RawGuest {
  readonly vmid: number;
  /** In PVE's grammar, as for a guest of the product. */
  readonly config: string;
  /** Folder of the shared storage, as the host and as the nodes see it. */
  readonly shared: { readonly host: string; readonly node: string };
}

/** One QEMU of a raw guest on one node. */
export interface RawQemu {
  readonly node: BenchNode;
  readonly qmp: QmpConnection;
  readonly observerSocket: string;
}

const BINARY = '/usr/bin/qemu-system-x86_64';
const START_TIMEOUT_MS = 20_000;

/** Starts QEMU on `node`: the guest runs at once, or (`incoming`) as soon as a migration has arrived, by QEMU's own decision. */
export async function startRawQemu(guest: RawGuest, node: BenchNode, { incoming }: { readonly incoming: boolean }): Promise<RawQemu> {
  const folder = `/run/kedge/raw-${guest.vmid}`;
  const files = runFiles(folder);
  mkdirSync(node.fileOf(folder), { recursive: true });
  for (const socket of [files.controlSocket, files.observerSocket]) rmSync(node.fileOf(socket), { force: true });
  await connectTap(guest, node);
  const config = parseGuestConfig(guest.config);
  const args = qemuArguments({
    vmid: guest.vmid,
    config,
    folder,
    volumes: new Map(config.drives.map((drive) => [drive.key, { path: join(guest.shared.node, volumeFile(drive.volume)), format: 'raw' as const }])),
    machineType: config.machine.type ?? 'pc-q35-7.2',
    accelerator: await detectAccelerator(BINARY),
    incoming,
  });
  // Without -S QEMU itself lets the guest run: that is what is compared with.
  node.start([BINARY, ...args.filter((word) => word !== '-S')], files.stderrFile);
  return { node, qmp: await greet(node, files), observerSocket: node.fileOf(files.observerSocket) };
}

/** Makes the guest's empty disks on the shared storage. */
export function createRawVolumes(guest: RawGuest): void {
  for (const { volume, sizeBytes } of parseGuestConfig(guest.config).drives) {
    const file = join(guest.shared.host, volumeFile(volume));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
    truncateSync(file, sizeBytes ?? 0);
  }
}

/** Ends QEMU and waits until its monitor is gone. */
export async function quitRawQemu({ qmp }: RawQemu): Promise<void> {
  await qmp.execute('quit').catch(() => undefined);
  await qmp.closed;
}

/** `shared:102/vm-102-disk-0.raw` → `raw/102/vm-102-disk-0.raw`: beside the product's images, not among them. */
function volumeFile(volume: string): string {
  return join('raw', volume.replace(/^[^:]*:/, ''));
}

async function connectTap({ vmid, config }: RawGuest, node: BenchNode): Promise<void> {
  for (const { index, bridge } of parseGuestConfig(config).nets) {
    const tap = tapName(vmid, index);
    const exists = await node.run(['ip', '-json', 'link', 'show']).then((links) => links.includes(`"${tap}"`));
    if (!exists) await node.run(['ip', 'tuntap', 'add', 'dev', tap, 'mode', 'tap']);
    await node.run(['ip', 'link', 'set', 'dev', tap, ...(bridge === null ? [] : ['master', bridge]), 'up']);
  }
}

async function greet(node: BenchNode, files: { readonly controlSocket: string; readonly stderrFile: string }): Promise<QmpConnection> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await connectQmp(node.fileOf(files.controlSocket));
    } catch (error) {
      if (performance.now() < deadline) {
        await sleep(10);
        continue;
      }
      throw new KedgeError('qemu-start-failed', `Cannot start raw QEMU on ${node.name}: ${readFileSync(node.fileOf(files.stderrFile), 'utf8').slice(-500)}`, {
        cause: error,
      });
    }
  }
}
