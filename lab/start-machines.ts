import type { LabState, Machine } from './lab-state.js';
import { withMachine, writeLab } from './lab-store.js';
import { launchMachine, type WaitingMachine } from './machine.js';
import { buildSwitch, connectMachines } from './network.js';

/**
 * Starts machines of a lab and connects them; `beforeGo` runs when the network stands and no component runs yet.
 * `lab.json` tells of each machine before its components start, so that nothing can be lost from sight.
 * @throws KedgeError `lab-failed`
 */
export async function startMachines(
  lab: LabState,
  names: readonly string[],
  beforeGo: (lab: LabState) => Promise<void> = async () => undefined,
): Promise<LabState> {
  const wanted = lab.machines.filter((machine) => names.includes(machine.name));
  const first = wanted.filter((machine) => machine.role === 'switch');
  const others = wanted.filter((machine) => machine.role !== 'switch');
  const waiting: WaitingMachine[] = [];
  try {
    const withSwitch = await launchAll(lab, first, waiting);
    for (const { machine } of waiting) await buildSwitch(machine.init?.pid ?? 0);
    const started = await launchAll(withSwitch, others, waiting);
    await connectMachines(
      started,
      waiting.map(({ machine }) => machine),
    );
    await beforeGo(started);
    for (const { go } of waiting) go();
    return started;
  } catch (error) {
    for (const { abandon } of waiting) abandon();
    throw error;
  }
}

async function launchAll(lab: LabState, machines: readonly Machine[], waiting: WaitingMachine[]): Promise<LabState> {
  const results = await Promise.allSettled(machines.map((machine) => launchMachine(lab, machine)));
  const launched = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  waiting.push(...launched);
  const started = launched.reduce((state, { machine }) => withMachine(state, machine), lab);
  writeLab(started);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return started;
}
