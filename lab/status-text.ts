import type { Break } from './lab-state.js';
import type { LabStatus, MachineStatus } from './status.js';

/** The status for people: one line a machine, then what is broken. */
export function statusText(status: LabStatus): string {
  const rows = status.machines.map(machineRow);
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = [0, 1, 2, 3].map(width);
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const breaks = status.breaks.length === 0 ? ['breaks    none'] : status.breaks.map((each) => `broken    ${breakText(each)}`);
  return [
    `lab       ${status.name} (${status.state}), since ${status.createdAt}`,
    `folder    ${status.folder}`,
    `temporal  ${status.temporal.hostAddress} (in the lab ${status.temporal.labAddress})`,
    `clients   KEDGE_CONFIG=${status.configFile}`,
    `limits    ${status.limits}`,
    ...breaks,
    '',
    ...lines,
  ].join('\n');
}

/** One break in words, e.g. `#3 node1: cut migration network, out, to node2`. */
export function breakText({ id, machine, fault }: Break): string {
  return `#${id} ${machine}: ${faultText(fault)}`;
}

function faultText(fault: Break['fault']): string {
  switch (fault.kind) {
    case 'cut':
      return `cut ${fault.network} network, ${fault.direction}${peerText(fault.peer)}`;
    case 'lose':
      return `lose ${fault.percent} % on the ${fault.network} network, ${fault.direction}${peerText(fault.peer)}`;
    case 'shape':
      return `shape the ${fault.network} network to ${fault.rate}, ${fault.direction}`;
    case 'delay':
      return `delay on the ${fault.network} network of ${fault.delayMs} ms, ${fault.direction}`;
    case 'stop':
      return `${fault.target} stopped`;
    case 'power-off':
      return 'power off';
    case 'fill':
      return `disk filled but for ${fault.leaveBytes} bytes`;
    case 'slow-disk':
      return `disk slowed to ${fault.writesPerSecond} writes a second`;
    case 'clock':
      return `clock of the worker shifted by ${fault.shift}`;
    case 'claim':
      return `claims ${fault.key}=${fault.value}`;
    case 'crash-at':
      return `dies at ${fault.point}, ${fault.moment}`;
  }
}

const peerText = (peer: string | null): string => (peer === null ? '' : `, with ${peer}`);

function machineRow(machine: MachineStatus): string[] {
  const components = Object.entries(machine.components).map(([name, process]) => `${name} ${process === null ? 'not running' : process.pid}`);
  const guests = machine.guests.map((guest) => guest.vmid);
  return [
    machine.name,
    `power ${machine.power}`,
    machine.init === null ? '-' : `pid ${machine.init.pid}`,
    machine.links.flatMap((link) => link.address ?? []).join(' '),
    [...components, ...(guests.length === 0 ? [] : [`guests ${guests.join(' ')}`])].join(', '),
  ];
}
