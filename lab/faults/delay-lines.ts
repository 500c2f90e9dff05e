/**
 * Delayed cables: between a machine's port and the bridge a program carries the frames (lab/faults/delay-line.c), so that all
 * that passes is late, whatever its protocol. Like all faults of the network it lives in the switch and holds over power cuts.
 *
 * ```
 * machine ── n1.migration ── delay-line ── n1.migration.d ── br-migration      delayed
 * machine ── n1.migration ── br-migration                                      else
 * ```
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { delayedPort, linksOf, type Link, type Network } from '../address-plan.js';
import { joinFiles } from '../cgroups.js';
import { repositoryFolder } from '../lab-folder.js';
import type { LabState, Machine } from '../lab-state.js';
import { machineOf } from '../lab-store.js';
import { inNetwork, switchPid } from '../network.js';
import { processesInside, sendSignal, waitUntil } from '../processes.js';
import { run } from '../run.js';
import { delayOf } from './cable-delay.js';

const END_TIMEOUT_MS = 10_000;

/**
 * Makes the delay of one cable what the lab's breaks say; what is under way on it meanwhile is lost.
 * A machine without power has no cable: it gets its delay with its power.
 * @throws KedgeError `unsupported` where the program or the kernel's part is missing
 */
export async function applyDelay(lab: LabState, name: string, network: Network): Promise<void> {
  const machine = machineOf(lab, name);
  const link = linksOf(machine).find((each) => each.network === network);
  if (link === undefined) return;
  await endDelayLine(lab, link);
  if (machine.init === null) return;
  // As it was built, first: whatever fails from here on, the cable is no dead one that nobody knows of.
  await switchBatch(lab, plugLines(link.port, network));
  const delay = delayOf(lab.breaks, name, network);
  if (delay === null) return;
  await startDelayLine(lab, link, delay);
  await switchBatch(lab, [`link set ${link.port} nomaster`, ...plugLines(delayedPort(link.port), network)]);
}

const plugLines = (port: string, network: Network): string[] => [`link set ${port} up`, `link set ${port} master br-${network}`];

/** Ends the program of a cable, if there is one; its tap is gone then. @throws KedgeError `lab-failed` */
export async function endDelayLine(lab: LabState, link: Link): Promise<void> {
  const machine = switchOf(lab);
  const lines = () =>
    machine.init === null ? [] : processesInside(machine.init).filter(({ command: [program, port] }) => program === delayLineProgram() && port === link.port);
  await waitUntil(
    `end of the delay of ${link.port}`,
    () => {
      const alive = lines();
      // SIGKILL: a line that was stopped must end, too.
      for (const line of alive) sendSignal(line, 'SIGKILL');
      return alive.length === 0;
    },
    { timeoutMs: END_TIMEOUT_MS },
  );
  rmSync(pidFile(machine, link), { force: true });
}

async function startDelayLine(lab: LabState, link: Link, delay: { readonly outMs: number; readonly inMs: number }): Promise<void> {
  const program = delayLineProgram();
  if (!existsSync(program)) throw new KedgeError('unsupported', `Cannot delay packets: ${program} is missing`, { details: { remedy: 'Run tools/setup.sh' } });
  const machine = switchOf(lab);
  const microseconds = [delay.outMs, delay.inMs].map((ms) => String(Math.round(ms * 1_000)));
  try {
    await run([
      'bash',
      join(repositoryFolder(), 'lab', 'in-cgroup.sh'),
      ...joinFiles(machine.cgroups),
      '--',
      ...['nsenter', '--target', String(switchPid(lab)), '--net', '--pid', '--'],
      ...[program, link.port, delayedPort(link.port), pidFile(machine, link), ...microseconds],
    ]);
  } catch (error) {
    throw new KedgeError('unsupported', `Cannot delay packets of ${link.port}: is the kernel without tun devices or packet sockets?`, { cause: error });
  }
}

const delayLineProgram = (): string => join(repositoryFolder(), '.cache/guest/delay-line');
/** As the supervisor's pid files are named: `kedge lab status` lists it among the switch's components. */
const pidFile = (machine: Machine, link: Link): string => join(machine.folder, 'run', `delay-${link.port}.pid`);
const switchOf = (lab: LabState): Machine => machineOf(lab, 'switch');

async function switchBatch(lab: LabState, lines: readonly string[]): Promise<void> {
  await inNetwork(switchPid(lab), ['ip', '-batch', '-'], `${lines.join('\n')}\n`);
}
