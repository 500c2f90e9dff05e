import { linksOf, type Link } from '../address-plan.js';
import type { Break, Direction, LabState } from '../lab-state.js';
import { machineOf } from '../lab-store.js';
import { inNetwork, switchPid } from '../network.js';
import { nftScript } from './nft-rules.js';
import { applyDelay } from './delay-lines.js';
import { clearArguments, shapeArguments } from './tc-arguments.js';

/** Makes the switch's rules what the lab's breaks say, in one transaction. */
export async function applyRules(lab: LabState): Promise<void> {
  await inNetwork(switchPid(lab), ['nft', '-f', '-'], nftScript(lab));
}

/**
 * Slows the cable of a break down; others are left alone.
 * @throws KedgeError `unsupported` for a delay where the kernel has no means for it
 */
export async function applyShaping(lab: LabState, { machine, fault }: Break): Promise<void> {
  if (fault.kind === 'delay') await applyDelay(lab, machine, fault.network);
  if (fault.kind !== 'shape') return;
  for (const { pid, device } of devicesOf(lab, machine, fault)) await inNetwork(pid, shapeArguments(device, fault.rate));
}

/** Gives the cable of a break its speed back; `lab` doesn't have that break any more. */
export async function clearShaping(lab: LabState, { machine, fault }: Break): Promise<void> {
  if (fault.kind === 'delay') await applyDelay(lab, machine, fault.network);
  if (fault.kind !== 'shape') return;
  // A device without a queue of its own answers with an error: it has what we want.
  for (const { pid, device } of devicesOf(lab, machine, fault)) await inNetwork(pid, clearArguments(device)).catch(() => undefined);
}

/** Queues act on what leaves a device: towards the machine that is the switch's port, from it the machine's own interface. */
function devicesOf(lab: LabState, name: string, fault: { network: Link['network']; direction: Direction }): { pid: number; device: string }[] {
  const machine = machineOf(lab, name);
  const link = linksOf(machine).find((each) => each.network === fault.network);
  if (link === undefined) return [];
  const into = fault.direction === 'out' ? [] : [{ pid: switchPid(lab), device: link.port }];
  const out = fault.direction === 'in' || machine.init === null ? [] : [{ pid: machine.init.pid, device: link.interface }];
  return [...into, ...out];
}
