import type { CliContext } from '../cli-context.js';
import type { PveProgram } from './pve-program.js';
import { qmList } from './qm-list.js';
import { qmMigrate } from './qm-migrate.js';
import { QM_SCHEMAS } from './qm-schemas.js';
import { runPveProgram } from './run-pve-program.js';

const QM: PveProgram = { name: 'qm', kind: 'qemu', schemas: QM_SCHEMAS, shutdownTimeoutS: 180, list: qmList, migrate: qmMigrate };

/** Runs one command line of the look-alike `qm` (without program name) and answers the exit code. */
export async function runQm(argv: readonly string[], context: CliContext): Promise<number> {
  return runPveProgram(QM, argv, context);
}
