import { assertNever } from '../../../src/domain/assert-never.js';
import type { Vmid } from '../../../src/domain/ids.js';
import type { QemuState } from '../../../src/domain/ownership.js';
import { containerProcesses } from '../../../src/drivers/lxc/container-processes.js';
import { readContainer, type ContainerReading } from '../../../src/drivers/lxc/read-container.js';
import type { NodeContext } from '../node-context.js';
import { containerOf } from './container-of.js';
import type { GuestProcess } from './look-at-guest.js';

/** A container's state in the words of guests, and a process of it: its init, or whatever is there while it starts and stops. */
export async function lookAtContainer(node: NodeContext, vmid: Vmid): Promise<{ state: QemuState; process: GuestProcess | null }> {
  const container = containerOf(node, vmid);
  const reading = await readContainer(container);
  const process = reading.state === 'running' || reading.state === 'frozen' ? reading.init : (containerProcesses(container)[0] ?? null);
  return { state: stateOf(reading), process: process === null ? null : { ...process, incoming: false } };
}

function stateOf(reading: ContainerReading): QemuState {
  switch (reading.state) {
    case 'running':
    case 'gone':
    case 'unreachable':
      return reading.state;
    case 'frozen':
      return 'paused';
    default:
      return assertNever(reading);
  }
}
