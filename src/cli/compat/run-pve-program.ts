import { parseVmid, type Vmid } from '../../domain/ids.js';
import type { CliContext } from '../cli-context.js';
import type { Cluster } from '../cluster.js';
import { errorReport } from '../render/error-report.js';
import { withCluster } from '../with-cluster.js';
import { parsePveArguments } from './parse-pve-arguments.js';
import { findGuest, ownedGuests } from './pve-guests.js';
import type { PveProgram } from './pve-program.js';
import { PVE_VERBS, type PveValues, type PveVerb } from './pve-schema.js';
import { statusText } from './pve-status.js';
import { commandUsage, programUsage } from './pve-usage.js';
import { PveUsageError } from './pve-usage-error.js';

/** Whatever goes wrong, PVE's tools exit with this. */
const PVE_FAILURE = 255;

/** Runs one command line of a look-alike (without program name) and answers the exit code. */
export async function runPveProgram(program: PveProgram, argv: readonly string[], context: CliContext): Promise<number> {
  const [typed, ...rest] = argv;
  if (typed === 'help' || typed === '--help' || typed === '-h') return help(program, context, rest[0]);
  const verb = typed === undefined ? undefined : verbOf(typed);
  if (verb === undefined) {
    const complaint = typed === undefined ? 'no command specified' : `unknown command '${program.name} ${typed}'`;
    context.err(`ERROR: ${complaint}\n${programUsage(program)}`);
    return PVE_FAILURE;
  }
  try {
    const values = parsePveArguments(program.schemas[verb], rest);
    const vmid = values.positionals['vmid'] === undefined ? null : readVmid(values.positionals['vmid']);
    return await withCluster(context, {}, (cluster) => run(program, { context, cluster, verb, vmid, values }));
  } catch (error) {
    context.err(error instanceof PveUsageError ? `${error.message}\n${commandUsage(program, { verb })}` : failureText(error));
    return PVE_FAILURE;
  }
}

interface Call {
  readonly context: CliContext;
  readonly cluster: Cluster;
  readonly verb: PveVerb;
  readonly vmid: Vmid | null;
  readonly values: PveValues;
}

async function run(program: PveProgram, { context, cluster, verb, vmid, values }: Call): Promise<number> {
  const { kind } = program;
  if (verb === 'list' || vmid === null) {
    context.out(program.list(await ownedGuests(cluster, kind)));
    return 0;
  }
  if (verb === 'migrate') return program.migrate(context, cluster, { vmid, values });
  const place = await findGuest(cluster, { kind, vmid });
  switch (verb) {
    case 'status':
      context.out(statusText(place, { verbose: values.booleans['verbose'] === true }));
      return 0;
    case 'shutdown':
      await cluster.manageGuest({ command: { verb, vmid, timeoutMs: (values.numbers['timeout'] ?? program.shutdownTimeoutS) * 1_000 } });
      return 0;
    case 'start':
    case 'stop':
      await cluster.manageGuest({ command: { verb, vmid } });
      return 0;
  }
}

/** The command that a unique prefix names. */
function verbOf(typed: string): PveVerb | undefined {
  const fitting = PVE_VERBS.filter((name) => name.startsWith(typed));
  return PVE_VERBS.find((name) => name === typed) ?? (fitting.length === 1 ? fitting[0] : undefined);
}

function help(program: PveProgram, context: CliContext, typed: string | undefined): number {
  const verb = typed === undefined ? undefined : verbOf(typed);
  context.out(verb === undefined ? programUsage(program) : commandUsage(program, { verb, full: true }));
  return 0;
}

function readVmid(text: string): Vmid {
  try {
    return parseVmid(text);
  } catch {
    throw new PveUsageError('400 Parameter verification failed.\nvmid: invalid format - value does not look like a valid VM ID');
  }
}

function failureText(error: unknown): string {
  const { message, causes, findings } = errorReport(error);
  return [message, ...causes, ...findings.map(({ id, severity, text, remedy }) => `${severity} ${id}: ${text} (${remedy})`)]
    .map((line) => `${line}\n`)
    .join('');
}
