import { KedgeError } from '../../domain/kedge-error.js';
import type { QmpConnection } from '../qmp/qmp-connection.js';
import { killQemu, waitUntilGone } from './kill-qemu.js';
import { quit } from './migration-commands.js';
import type { ProcessIdentity } from '../host/process-identity.js';

/** After `quit` QEMU flushes its disks; then SIGKILL helps. */
const QUIT_TIMEOUT_MS = 10_000;

/**
 * Tells QEMU to quit and returns once its process is seen gone; kills it when it doesn't go by itself.
 * An answer that never came is no error here: only the process counts.
 * @throws KedgeError `outcome-unknown` when it does not end even after SIGKILL
 */
export async function quitQemu(qmp: QmpConnection, identity: ProcessIdentity): Promise<void> {
  try {
    await quit(qmp);
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
  }
  qmp.close();
  if (!(await waitUntilGone(identity, QUIT_TIMEOUT_MS))) await killQemu(identity);
}
