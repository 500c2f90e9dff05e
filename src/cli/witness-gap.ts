import { fileURLToPath } from 'node:url';
import { x } from 'tinyexec';
import { isRecord } from '../domain/is-record.js';
import { KedgeError } from '../domain/kedge-error.js';

/**
 * The longest gap in milliseconds that the lab's observer saw from outside, as `kedge lab witness <vmid> --json` tells it. A process of
 * its own: commands do not import the lab. @throws KedgeError `lab-failed` with what the lab said
 */
export async function readWitnessGap({ vmid, environment }: { vmid: number; environment: Readonly<Record<string, string | undefined>> }): Promise<number> {
  const program = fileURLToPath(new URL('../../../bin/kedge', import.meta.url));
  const { stdout, stderr } = await x(process.execPath, [program, 'lab', 'witness', String(vmid), '--json'], { nodeOptions: { env: { ...environment } } });
  const gap = gapIn(stdout);
  if (gap !== null) return gap;
  throw new KedgeError(
    'lab-failed',
    `Cannot ask the witness of guest ${String(vmid)}: ${stderr.trim() === '' ? 'no verdict with longestGapMs' : stderr.trim()}`,
    {
      details: { remedy: 'Leave --witness out unless the guest is a witness of a lab on this machine' },
    },
  );
}

function gapIn(stdout: string): number | null {
  try {
    const verdict: unknown = JSON.parse(stdout);
    const gap = isRecord(verdict) ? verdict['longestGapMs'] : undefined;
    return typeof gap === 'number' ? gap : null;
  } catch {
    return null;
  }
}
