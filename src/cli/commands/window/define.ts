import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { parseYaml } from '../../../config/load-yaml.js';
import { KedgeError } from '../../../domain/kedge-error.js';
import { blackoutWarnings } from '../../../domain/window/blackout.js';
import { overlapsOf } from '../../../domain/window/overlap.js';
import { SCHEDULED_AHEAD, type Occurrence, type WindowDefinition } from '../../../domain/window/window.js';
import { windowFileOf } from '../../../schema/print-window.js';
import type { CliContext } from '../../cli-context.js';
import type { Cluster } from '../../cluster.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';
import { readConfigFile } from '../config/read-config-file.js';

const yesNo = (text: string): boolean => {
  if (text !== 'yes' && text !== 'no') throw new KedgeError('bad-input', `Cannot read restore: current value is "${text}", must be yes or no`);
  return text === 'yes';
};

function withDefinition(name: string, texts: { description: string; examples: readonly [string, ...string[]] }) {
  return newCommand(name, {
    ...texts,
    notes:
      'A file has the same fields: name, zone, start, rule, duration, nodes, atOnce, command | reboot | human, timeout, repeatable, check, checkTimeout, force, parallel, restore, missed, onFailure.',
  })
    .argument('<name>', 'name of the window')
    .option('--file <file>', 'the whole window as YAML')
    .option('--zone <zone>', 'time zone, like Europe/Berlin')
    .option('--start <time>', 'local time of the first one, like 2026-12-01T22:00')
    .option('--rule <rrule>', 'RRULE, like FREQ=WEEKLY;BYDAY=TU; without it: only once')
    .option('--once', 'without a rule')
    .option('--duration <span>', 'like 4h')
    .option('--nodes <nodes>', 'all, or names with commas')
    .option('--at-once <n>', 'nodes out of service at a time (default: 1)', parseArgument.integer(1))
    .option('--command <command>', 'work: a shell command')
    .option('--reboot <command>', 'work: a command after which the node boots')
    .option('--human <note>', 'work: wait for "kedge window done"')
    .option('--timeout <span>', 'of the work (default: 1h)')
    .option('--repeatable', 'the command may run twice')
    .option('--no-repeatable', 'it may not')
    .option('--check <command>', 'has to exit with 0 before guests come back')
    .option('--no-check', 'without a check')
    .option('--check-timeout <span>', 'how long the check may take to get there (default: 5m)')
    .option('--force <offline|shutdown|skip>', 'what becomes of guests that the drain waits for, halfway to the end (default: skip)')
    .option('--parallel <n>', 'moves of a node at a time (default: as a drain)', parseArgument.integer(1))
    .option('--restore <yes|no>', 'bring the guests home (default: yes)', yesNo)
    .option('--missed <skip|span>', 'how late it may open (default: skip)')
    .option('--on-failure <stop|continue>', 'does failed work stop the roll (default: stop)')
    .option('--json', 'JSON');
}

/** `kedge window create <name>`. */
export function windowCreateCommand(context: CliContext): CommandUnknownOpts {
  return withDefinition('create', {
    description: 'Make a maintenance window',
    examples: [
      'kedge window create patch --zone Europe/Berlin --start 2026-12-01T22:00 --rule "FREQ=WEEKLY;BYDAY=TU" --duration 4h --nodes all --reboot "apt-get -y upgrade && systemctl reboot"',
      'kedge window create disks --file disks.yaml',
    ],
  }).action(async (name, options, command) => {
    const fields = await fieldsOf(name, options);
    // What is wrong with it is told without a server, too.
    const { parseWindowFile } = await import('../../../schema/window-file.js');
    parseWindowFile(fields);
    const saved = await withCluster(context, globalOptions(command), async (cluster) => {
      const planner = await openPlanner(context, cluster);
      const { definition, occurrences } = planner.plan(fields, []);
      const warnings = await planner.warn(definition);
      await cluster.windows.create({ definition, occurrences });
      return { definition, warnings };
    });
    printData(context, saved, { json: options.json, text: ({ definition }) => `Window ${definition.name} is made\n` });
  });
}

/** `kedge window edit <name>`: what is not named stays, unless a file says all of it. */
export function windowEditCommand(context: CliContext): CommandUnknownOpts {
  return withDefinition('edit', {
    description: 'Change a maintenance window; an opening that runs is not changed',
    examples: ['kedge window edit patch --duration 6h', 'kedge window edit patch --no-check', 'kedge window edit patch --file patch.yaml'],
  }).action(async (name, options, command) => {
    const fields = await fieldsOf(name, options);
    const saved = await withCluster(context, globalOptions(command), async (cluster) => {
      const planner = await openPlanner(context, cluster);
      // Over the window as it is now, which is not that of a look before: an edit by somebody else in between stays.
      const { definition } = await cluster.windows.change(name, (now, { skipped }) => ({
        ...planner.plan(options.file === undefined ? over(windowFileOf(now), fields) : fields, skipped),
        skipped,
      }));
      return { definition, warnings: await planner.warn(definition) };
    });
    printData(context, saved, { json: options.json, text: ({ definition }) => `Window ${definition.name} is changed\n` });
  });
}

/** Another kind of work takes the place of the old one. */
function over(now: Fields, fields: Fields): Fields {
  const hasWork = WORK.some((kind) => fields[kind] !== undefined);
  return { ...Object.fromEntries(Object.entries(now).filter(([field]) => !hasWork || !WORK.includes(field))), ...fields };
}

type Fields = Readonly<Record<string, unknown>>;
const WORK: readonly string[] = ['command', 'reboot', 'human'];

async function fieldsOf(name: string, options: Fields & { file?: string; nodes?: string; once?: true; rule?: string; check?: unknown }): Promise<Fields> {
  const { file, nodes, once, ...rest } = options;
  if (once === true && options.rule !== undefined) throw new KedgeError('bad-input', 'Cannot read the window: --once and --rule exclude each other');
  const flags = {
    ...Object.fromEntries(Object.entries(rest).filter(([option]) => option !== 'json')),
    ...(nodes === undefined ? {} : { nodes: nodes === 'all' ? nodes : nodes.split(',') }),
    ...(once === true ? { rule: undefined } : {}),
    ...(options.check === false ? { check: undefined } : {}),
  };
  if (file === undefined) return { name, ...flags };
  const { source, problem } = await readConfigFile(file);
  if (problem !== null) throw new KedgeError('bad-config', `Cannot read ${file}: ${problem.message}`);
  const { windowFileSchema } = await import('../../../schema/window-file.js');
  return { ...over(windowFileOf(parseYaml(source, { file, schema: windowFileSchema })), flags), name };
}

/** What windows are checked against, read once. */
async function openPlanner(context: CliContext, cluster: Cluster) {
  const [{ parseWindowFile }, { nextOccurrences }, { firstWithin }] = await Promise.all([
    import('../../../schema/window-file.js'),
    import('../../../schema/window-occurrences.js'),
    import('../../../schema/blackout-times.js'),
  ]);
  const from = new Date(context.now()).toISOString();
  const planned = (window: WindowDefinition, skipped: readonly string[]) => nextOccurrences(window, { from, count: SCHEDULED_AHEAD, skipped });
  return { plan, warn };

  /** @throws KedgeError `bad-input` for a window that is none, has strange nodes, or would never open */
  function plan(fields: Fields, skipped: readonly string[]): { readonly definition: WindowDefinition; readonly occurrences: readonly Occurrence[] } {
    const definition = parseWindowFile(fields);
    const strange = definition.nodes?.find((node) => !cluster.nodes.includes(node));
    if (strange !== undefined)
      throw new KedgeError('bad-input', `Cannot read nodes: current value is "${strange}", must be nodes of the cluster: ${cluster.nodes.join(', ')}`);
    if (planned(definition, []).length === 0) {
      const [field, value] = definition.rule === null ? ['start', definition.start] : ['rule', definition.rule];
      throw new KedgeError('bad-input', `Cannot read ${field}: current value is "${value}", must have an occurrence from now on: the last one is over`);
    }
    return { definition, occurrences: planned(definition, skipped) };
  }

  /** Of other windows, and of blackouts, at the same time on the same nodes. */
  async function warn(definition: WindowDefinition): Promise<readonly string[]> {
    const others = await cluster.windows.list();
    const occurrences = planned(definition, []);
    const overlaps = overlapsOf(
      { ...definition, occurrences },
      others.flatMap((view) => ('problem' in view ? [] : [{ ...view.definition, occurrences: planned(view.definition, view.skipped) }])),
    );
    const warnings = [...overlaps, ...blackoutWarnings(definition, cluster.blackouts, (blackout) => firstWithin(blackout, occurrences))];
    for (const warning of warnings) context.err(`Warning: ${warning}\n`);
    return warnings;
  }
}
