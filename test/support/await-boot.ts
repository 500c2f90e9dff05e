import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabState } from '../../lab/lab-state.js';
import { insidePath } from '../../lab/status.js';
import { waitUntil } from '../../lab/processes.js';
import type { Verdict } from '../../lab/witness/verdict.js';

/** What is told of each file that may say why a guest did not boot. */
const LINES = 15;

/**
 * Waits until the witness of a guest has nothing to complain about. A boot that does not come tells why it may be: the last complaint, and
 * what each node's worker and LXC wrote of the guest.
 */
export async function awaitBoot(lab: LabState, vmid: number, judge: () => Promise<Verdict>): Promise<void> {
  let complaint = 'nothing was heard of it';
  // Nobody has heard of it before its first tick.
  const boots = (): Promise<boolean> =>
    judge().then(
      ({ ok, reasons }) => {
        complaint = reasons.join('; ');
        return ok;
      },
      (error: unknown) => {
        complaint = String(error);
        return false;
      },
    );
  try {
    await waitUntil(`the boot of guest ${vmid}`, boots, { timeoutMs: 120_000, pauseMs: 200 });
  } catch (cause) {
    throw new Error([`${String(cause)}: ${complaint}`, ...lab.machines.flatMap((machine) => tracesOf(machine, vmid))].join('\n'), { cause });
  }
}

function tracesOf({ name, init, folder }: LabState['machines'][number], vmid: number): string[] {
  if (init === null) return [];
  const inLxc = (file: string): string => insidePath(init, join('/run/kedge/lxc', String(vmid), file));
  return [
    ...lastLines(`${name}: worker`, join(folder, 'log/worker.log'), (line) => line.includes(`"vmid":${vmid}`)),
    ...lastLines(`${name}: LXC`, inLxc('lxc.log')),
    ...lastLines(`${name}: LXC before`, inLxc('lxc.previous.log')),
    ...lastLines(`${name}: console`, inLxc('console.log')),
  ];
}

function lastLines(title: string, file: string, matches: (line: string) => boolean = () => true): string[] {
  try {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').filter(matches).slice(-LINES);
    return lines.length === 0 ? [] : [`--- ${title}`, ...lines];
  } catch {
    return [];
  }
}
