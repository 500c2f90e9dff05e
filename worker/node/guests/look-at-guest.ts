import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { guestRunFolder } from '../../../src/config/paths.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { GuestKind, GuestView, QemuState, RecordView } from '../../../src/domain/ownership.js';
import { containerFiles } from '../../../src/drivers/lxc/container-ref.js';
import { findQemu } from '../../../src/drivers/qemu/find-qemu.js';
import { readQemuState, type QemuReading } from '../../../src/drivers/qemu/read-qemu-state.js';
import { runFiles } from '../../../src/drivers/qemu/run-files.js';
import { scanQemu } from '../../../src/drivers/qemu/scan-qemu.js';
import type { ProcessIdentity } from '../../../src/drivers/host/process-identity.js';
import type { QemuProcess } from '../../../src/drivers/qemu/qemu-process.js';
import type { NodeContext } from '../node-context.js';
import { containerOf } from './container-of.js';
import { lookAtContainer } from './look-at-container.js';

/** A process that is a guest: a QEMU, or the init of a container. */
export type GuestProcess = ProcessIdentity & { readonly incoming: boolean };

/** One look at one guest of this node: its record, its process, and what QEMU or LXC says. */
export interface GuestLook {
  readonly view: GuestView;
  readonly process: GuestProcess | null;
  /** Null when there is no QEMU or its monitor gives no answer. */
  readonly reading: QemuReading | null;
}

/** A hand-over changes record and QEMU within milliseconds of each other, a handful of times. */
const LOOKS = 5;

/**
 * Looks at record, process and QEMU, so that they belong together: the record is the same before and after. Takes no lock: callers
 * that act on the answer hold the guest's.
 */
export async function lookAtGuest(node: NodeContext, vmid: Vmid): Promise<GuestLook> {
  let look = await lookOnce(node, vmid);
  for (let looks = 1; looks < LOOKS; looks += 1) {
    const again = await node.records.read(vmid);
    if (isDeepStrictEqual(again, look.view.record)) return look;
    look = await lookOnce(node, vmid);
  }
  return look;
}

async function lookOnce(node: NodeContext, vmid: Vmid): Promise<GuestLook> {
  const record = await node.records.read(vmid);
  if (kindOf(node, vmid, record) === 'lxc') {
    const { state, process } = await lookAtContainer(node, vmid);
    return { view: { node: node.node, bootId: node.bootId, record, qemu: state }, process, reading: null };
  }
  const process = findGuestProcess(node, vmid);
  const reading = process === null ? null : await readOrNull(node, vmid);
  // A QEMU that ended between the two looks is gone, not unreachable.
  const ended = process !== null && reading === null && findGuestProcess(node, vmid) === null;
  const qemu: QemuState = process === null || ended ? 'gone' : (reading?.state ?? 'unreachable');
  return { view: { node: node.node, bootId: node.bootId, record, qemu }, process: ended ? null : process, reading };
}

/** The kind that the record says, else the config, else what LXC's files of an earlier start tell: they are gone after a reboot, as containers are. */
export function kindOf(node: NodeContext, vmid: Vmid, record: RecordView): GuestKind {
  if (record.kind === 'record') return record.record.kind;
  return node.guestConfigs.kindOf(vmid) ?? (existsSync(containerFiles(containerOf(node, vmid)).folder) ? 'lxc' : 'qemu');
}

/** The QEMU of this guest on this node: by its pid file, and by its command line when that file is lost. */
export function findGuestProcess(node: NodeContext, vmid: Vmid): QemuProcess | null {
  const { pidFile } = runFiles(guestRunFolder(node.paths, vmid));
  return findQemu({ vmid, pidFile }) ?? scanQemu({ vmid }).find((found) => found.pidFile === pidFile) ?? null;
}

async function readOrNull(node: NodeContext, vmid: Vmid): Promise<QemuReading | null> {
  try {
    // "target" keeps `loaded` apart from `paused`; the in-doubt classification folds them together for the source's side.
    return await readQemuState(await node.monitors.of(vmid), 'target');
  } catch (error) {
    if (error instanceof KedgeError) return null;
    throw error;
  }
}
