import { z } from 'zod';
import type { QmpConnection } from '../qmp/qmp-connection.js';

/** The version of a running QEMU, e.g. `7.2.22`: an update of the package does not change it. */
export async function readQemuVersion(qmp: QmpConnection): Promise<string> {
  const { major, minor, micro } = ANSWER.parse(await qmp.execute('query-version')).qemu;
  return `${major}.${minor}.${micro}`;
}

const ANSWER = z.object({ qemu: z.object({ major: z.int(), minor: z.int(), micro: z.int() }) });
