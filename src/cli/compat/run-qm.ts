import { parseVmid, type Vmid } from '../../domain/ids.js';
import type { CliContext } from '../cli-context.js';
import type { Cluster } from '../cluster.js';
import { errorReport } from '../render/error-report.js';
import { withCluster } from '../with-cluster.js';
import { parsePveArguments } from './parse-pve-arguments.js';
import type { PveValues } from './pve-schema.js';
import { PveUsageError } from './pve-usage-error.js';
import { qmList, qmStatus } from './qm-guests.js';
import { qmMigrate } from './qm-migrate.js';
import { QM_COMMANDS, QM_SCHEMAS, type QmCommand } from './qm-schemas.js';
import { qmCommandUsage, qmUsage } from './qm-usage.js';

/** Whatever goes wrong, PVE's tools exit with this. */
const PVE_FAILURE = 255;
/** PVE's default patience of `qm shutdown`. */
const SHUTDOWN_TIMEOUT_S = 180;

/** Runs one command line of the look-alike `qm` (without program name) and answers the exit code. */
export async function runQm(argv: readonly string[], context: CliContext): Promise<number> {
  const [typed, ...rest] = argv;
  if (typed === 'help' || typed === '--help' || typed === '-h') return help(context, rest[0]);
  const command = typed === undefined ? undefined : commandOf(typed);
  if (command === undefined) {
    context.err(`ERROR: ${typed === undefined ? 'no command specified' : `unknown command 'qm ${typed}'`}\n${qmUsage()}`);
    return PVE_FAILURE;
  }
  try {
    const values = parsePveArguments(QM_SCHEMAS[command], rest);
    const vmid = values.positionals['vmid'] === undefined ? null : readVmid(values.positionals['vmid']);
    return await withCluster(context, {}, (cluster) => run(context, cluster, { command, vmid, values }));
  } catch (error) {
    return fail(context, command, error);
  }
}

async function run(
  context: CliContext,
  cluster: Cluster,
  { command, vmid, values }: { command: QmCommand; vmid: Vmid | null; values: PveValues },
): Promise<number> {
  if (command === 'list' || vmid === null) {
    await qmList(context, cluster);
    return 0;
  }
  switch (command) {
    case 'migrate':
      return qmMigrate(context, cluster, { vmid, values });
    case 'status':
      await qmStatus(context, cluster, { vmid, verbose: values.booleans['verbose'] === true });
      return 0;
    case 'shutdown':
      await cluster.manageGuest({ command: { verb: 'shutdown', vmid, timeoutMs: (values.integers['timeout'] ?? SHUTDOWN_TIMEOUT_S) * 1_000 } });
      return 0;
    case 'start':
    case 'stop':
      await cluster.manageGuest({ command: { verb: command, vmid } });
      return 0;
  }
}

/** The command that a unique prefix names. */
function commandOf(typed: string): QmCommand | undefined {
  const fitting = QM_COMMANDS.filter((name) => name.startsWith(typed));
  return QM_COMMANDS.find((name) => name === typed) ?? (fitting.length === 1 ? fitting[0] : undefined);
}

function help(context: CliContext, typed: string | undefined): number {
  const command = typed === undefined ? undefined : commandOf(typed);
  context.out(command === undefined ? qmUsage() : qmCommandUsage(command, { full: true }));
  return 0;
}

function readVmid(text: string): Vmid {
  try {
    return parseVmid(text);
  } catch {
    throw new PveUsageError('400 Parameter verification failed.\nvmid: invalid format - value does not look like a valid VM ID');
  }
}

function fail(context: CliContext, command: QmCommand, error: unknown): number {
  if (error instanceof PveUsageError) {
    context.err(`${error.message}\n${qmCommandUsage(command)}`);
    return PVE_FAILURE;
  }
  const report = errorReport(error);
  const lines = [report.message, ...report.causes, ...report.findings.map(({ id, severity, text, remedy }) => `${severity} ${id}: ${text} (${remedy})`)];
  context.err(`${lines.join('\n')}\n`);
  return PVE_FAILURE;
}
