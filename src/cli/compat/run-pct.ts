import type { CliContext } from '../cli-context.js';
import { pctList } from './pct-list.js';
import { pctMigrate } from './pct-migrate.js';
import { PCT_SCHEMAS } from './pct-schemas.js';
import type { PveProgram } from './pve-program.js';
import { runPveProgram } from './run-pve-program.js';

const PCT: PveProgram = { name: 'pct', kind: 'lxc', schemas: PCT_SCHEMAS, shutdownTimeoutS: 60, list: pctList, migrate: pctMigrate };

/** Runs one command line of the look-alike `pct` (without program name) and answers the exit code. */
export async function runPct(argv: readonly string[], context: CliContext): Promise<number> {
  return runPveProgram(PCT, argv, context);
}
