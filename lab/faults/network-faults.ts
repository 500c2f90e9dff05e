import { KedgeError } from '../../src/domain/kedge-error.js';
import { linksOf, type Link } from '../address-plan.js';
import type { Break, Direction, LabState } from '../lab-state.js';
import { machineOf } from '../lab-store.js';
import { inNetwork, switchPid } from '../network.js';
import { nftScript } from './nft-rules.js';
import { clearArguments, delayArguments, shapeArguments } from './tc-arguments.js';

/** Makes the switch's rules what the lab's breaks say, in one transaction. */
export async function applyRules(lab: LabState): Promise<void> {
  await inNetwork(switchPid(lab), ['nft', '-f', '-'], nftScript(lab));
}

/** Slows the cables of a break down; others are left alone. @throws KedgeError `unsupported` when the kernel has no netem */
export async function applyShaping(lab: LabState, { machine, fault }: Break): Promise<void> {
  if (fault.kind !== 'shape' && fault.kind !== 'delay') return;
  for (const { pid, device } of devicesOf(lab, machine, fault)) {
    if (fault.kind === 'shape') await inNetwork(pid, shapeArguments(device, fault.rate));
    else await inNetwork(pid, delayArguments(device, fault.delayMs)).catch(noNetem);
  }
}

/** Gives the cables of a break their speed back. */
export async function clearShaping(lab: LabState, { machine, fault }: Break): Promise<void> {
  if (fault.kind !== 'shape' && fault.kind !== 'delay') return;
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

function noNetem(error: unknown): never {
  throw new KedgeError('unsupported', 'Cannot delay packets: the kernel of this machine has no netem queue; use --shape or --lose', { cause: error });
}
