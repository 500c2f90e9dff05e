import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { witnessGuestConfig, type WitnessGuest } from '../../../lab/witness/witness-guest-config.js';
import { qemuArguments, tapName } from '../../../src/drivers/qemu/qemu-arguments.js';
import { runFiles } from '../../../src/drivers/qemu/run-files.js';
import { connectQmp } from '../../../src/drivers/qmp/connect-qmp.js';
import type { QmpConnection } from '../../../src/drivers/qmp/qmp-connection.js';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import type { GuestNetwork } from './guest-network.js';
import { guestImage } from './observer-process.js';

export interface WitnessVm {
  readonly qmp: QmpConnection;
  /** Where the stream of an incoming migration goes. */
  readonly incoming: string;
  kill(): Promise<void>;
}

/** A folder with the (sparse, empty) disk of a guest; both QEMUs of a migration use the same. */
export function makeDisk(sizeMiB: number): { path: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'kedge-witness-'));
  const path = join(folder, 'disk.raw');
  writeFileSync(path, '');
  truncateSync(path, sizeMiB << 20);
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Starts QEMU with the very command line that a node would use; `copy` names this copy of the guest, the target waits with `-S`. */
export async function startWitnessVm(input: {
  guest: WitnessGuest;
  network: GuestNetwork;
  copy: 'a' | 'b';
  diskPath: string | null;
  incoming?: boolean;
}): Promise<WitnessVm> {
  const { guest, network, copy, diskPath, incoming = false } = input;
  const folder = mkdtempSync(join(tmpdir(), 'kedge-qemu-'));
  const tap = `tap${guest.vmid}${copy}`;
  await network.addTap(tap);
  const config = parseGuestConfig(witnessGuestConfig(guest).replaceAll('/usr/lib/kedge/guest', dirname(guestImage('vmlinuz'))));
  const volumes = new Map(diskPath === null ? [] : [['virtio0', { path: diskPath, format: 'raw' as const }]]);
  const argv = qemuArguments({ vmid: guest.vmid, config, folder, volumes, machineType: 'pc-q35-7.2', accelerator: 'tcg', incoming });
  const child = spawn(
    'ip',
    ['netns', 'exec', network.netns, 'qemu-system-x86_64', ...argv.map((word) => word.replace(`ifname=${tapName(guest.vmid, 0)}`, `ifname=${tap}`))],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  let ended = false;
  const end = async (): Promise<void> => {
    if (ended) return;
    ended = true;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await network.removeTap(tap);
    rmSync(folder, { recursive: true, force: true });
  };
  const qmp = await connectWhenReady(runFiles(folder).controlSocket, child).catch(async (error: unknown) => {
    await end();
    throw error;
  });
  if (!incoming) await qmp.execute('cont');
  return {
    qmp,
    incoming: `unix:${join(folder, 'incoming')}`,
    async kill() {
      qmp.close();
      await end();
    },
  };
}

async function connectWhenReady(socket: string, child: ChildProcess): Promise<QmpConnection> {
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error(`Cannot start QEMU: exit ${child.exitCode}`);
    await sleep(20);
  }
  return connectQmp(socket, { connectTimeoutMs: 20_000 });
}

/** One plain live migration; the target runs when it is over. Answers the time from STOP to RESUME. */
export async function moveWitnessVm({ source, target }: { source: WitnessVm; target: WitnessVm }): Promise<{ stopToResumeMs: number; rounds: number }> {
  await target.qmp.execute('migrate-incoming', { uri: target.incoming });
  for (const { qmp } of [source, target]) {
    await qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] });
  }
  await source.qmp.execute('migrate-set-parameters', { 'max-bandwidth': 16 * 1024 ** 3, 'downtime-limit': 100 });
  const stopped = source.qmp.waitForEvent(({ name }) => name === 'STOP', { after: 0, timeoutMs: 60_000 });
  await source.qmp.execute('migrate', { uri: target.incoming });
  const { timestampMs: stopMs } = await stopped;
  const ended = ({ name, data }: { name: string; data: Readonly<Record<string, unknown>> }): boolean => name === 'MIGRATION' && data['status'] === 'completed';
  await target.qmp.waitForEvent(ended, { after: 0, timeoutMs: 60_000 });
  const before = target.qmp.lastSequence;
  await target.qmp.execute('cont');
  const { timestampMs: resumeMs } = await target.qmp.waitForEvent(({ name }) => name === 'RESUME', { after: before, timeoutMs: 5_000 });
  await source.qmp.waitForEvent(ended, { after: 0, timeoutMs: 60_000 });
  const info = JSON.stringify(await source.qmp.execute('query-migrate'));
  return { stopToResumeMs: resumeMs - stopMs, rounds: Number(/"dirty-sync-count":(\d+)/.exec(info)?.[1]) };
}
