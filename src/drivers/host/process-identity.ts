import { readFileSync } from 'node:fs';

/** Identity of a process that survives the reuse of its pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start of the process in clock ticks since the boot: /proc/<pid>/stat, field 22. */
  readonly startTime: number;
}

/** Does exactly this process still exist? A zombie does not: it holds no memory, file or lock any more. */
export function isAlive(identity: ProcessIdentity): boolean {
  return readStartTime(identity.pid) === identity.startTime;
}

/** The start time of `pid`, null when there is none or it is a zombie. Source: proc(5), the name may hold spaces and brackets. */
export function readStartTime(pid: number): number | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return null;
  // `rest` begins with field 4; the start time is field 22.
  return Number(rest[18]);
}
