import { linksOf } from './address-plan.js';
import type { LabState, Machine } from './lab-state.js';
import { machineLines, cableLines, switchLines } from './network-plan.js';
import { run } from './run.js';

/** Makes the switch's bridges. */
export async function buildSwitch(init: number): Promise<void> {
  await ipBatch(init, switchLines());
}

/** Plugs machines into the switch and gives them their addresses. */
export async function connectMachines(lab: LabState, machines: readonly Machine[]): Promise<void> {
  const powered = machines.flatMap((machine) => (machine.init === null ? [] : [{ machine, pid: machine.init.pid, links: linksOf(machine) }]));
  await ipBatch(
    switchPid(lab),
    powered.flatMap(({ links, pid }) => cableLines(links, pid)),
  );
  await Promise.all(
    powered
      .filter(({ links }) => links.length > 0)
      .map(({ machine, links, pid }) => ipBatch(pid, machineLines(links, { guestBridge: machine.role === 'node' }))),
  );
}

/** PID 1 of the switch: its network namespace is where faults are made. */
export function switchPid(lab: LabState): number {
  return lab.machines.find((machine) => machine.role === 'switch')?.init?.pid ?? 0;
}

/** Runs a command in the network namespace of a process, with the host's files and pids. */
export function inNetwork(pid: number, argv: readonly [string, ...string[]], input = ''): Promise<string> {
  return run(['nsenter', '--target', String(pid), '--net', '--', ...argv], { input });
}

async function ipBatch(pid: number, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await inNetwork(pid, ['ip', '-batch', '-'], `${lines.join('\n')}\n`);
}
