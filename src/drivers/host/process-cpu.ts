import { readFileSync } from 'node:fs';

/** Clock ticks of procfs a second: USER_HZ, which Linux has at 100 on every architecture that Kedge runs on. */
const TICKS_PER_SECOND = 100;

/** Processor time that a process and its threads have had so far; null when it is gone. Source: proc(5), fields 14 and 15 of stat. */
export function readCpuSeconds(pid: number, proc = '/proc'): number | null {
  let stat: string;
  try {
    stat = readFileSync(`${proc}/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // Begins with field 3: the name before may hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : null;
}
