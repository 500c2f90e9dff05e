import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { parseYaml } from '../../../config/load-yaml.js';
import { KedgeError } from '../../../domain/kedge-error.js';
import { blackoutWarnings } from '../../../domain/window/blackout.js';
import { overlapsOf } from '../../../domain/window/overlap.js';
import { SCHEDULED_AHEAD, type WindowDefinition } from '../../../domain/window/window.js';
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
      'A file has the same fields: name, zone, start, rule, duration, nodes, atOnce, command | reboot | human, timeout, repeatable, check, restore, missed, onFailure.',
  })
    .argument('<name>', 'name of the window')
    .option('--file <file>', 'the whole window as YAML')
    .option('--zone <zone>', 'time zone, like Europe/Berlin')
    .option('--start <time>', 'local time of the first one, like 2026-12-01T22:00')
    .option('--rule <rrule>', 'RRULE, like FREQ=WEEKLY;BYDAY=TU; without it: only once')
    .option('--duration <span>', 'like 4h')
    .option('--nodes <nodes>', 'all, or names with commas')
    .option('--at-once <n>', 'nodes out of service at a time (default: 1)', parseArgument.integer(1))
    .option('--command <command>', 'work: a shell command')
    .option('--reboot <command>', 'work: a command after which the node boots')
    .option('--human <note>', 'work: wait for "kedge window done"')
    .option('--timeout <span>', 'of the work (default: 1h)')
    .option('--repeatable', 'the command may run twice')
    .option('--check <command>', 'has to exit with 0 before guests come back')
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
    const saved = await withCluster(context, globalOptions(command), (cluster) => save(context, cluster, { fields, isNew: true }));
    printData(context, saved, { json: options.json, text: ({ definition }) => `Window ${definition.name} is made\n` });
  });
}

/** `kedge window edit <name>`: what is not named stays. */
export function windowEditCommand(context: CliContext): CommandUnknownOpts {
  return withDefinition('edit', {
    description: 'Change a maintenance window; an opening that runs is not changed',
    examples: ['kedge window edit patch --duration 6h'],
  }).action(async (name, options, command) => {
    const fields = await fieldsOf(name, options);
    const saved = await withCluster(context, globalOptions(command), async (cluster) => {
      const before: Record<string, unknown> = { ...windowFileOf((await cluster.windows.show(name)).definition) };
      // Another kind of work takes the place of the old one.
      if (['command', 'reboot', 'human'].some((kind) => fields[kind] !== undefined))
        for (const kind of ['command', 'reboot', 'human']) before[kind] = undefined;
      return save(context, cluster, { fields: { ...before, ...fields }, isNew: false });
    });
    printData(context, saved, { json: options.json, text: ({ definition }) => `Window ${definition.name} is changed\n` });
  });
}

async function fieldsOf(name: string, options: Readonly<Record<string, unknown>> & { file?: string; nodes?: string }): Promise<Record<string, unknown>> {
  const { file, nodes, ...rest } = options;
  const flags = Object.fromEntries(Object.entries(rest).filter(([option]) => option !== 'json'));
  const list = nodes === undefined ? {} : { nodes: nodes === 'all' ? nodes : nodes.split(',') };
  if (file === undefined) return { name, ...flags, ...list };
  const { source, problem } = await readConfigFile(file);
  if (problem !== null) throw new KedgeError('bad-config', `Cannot read ${file}: ${problem.message}`);
  const { windowFileSchema } = await import('../../../schema/window-file.js');
  return { ...windowFileOf(parseYaml(source, { file, schema: windowFileSchema })), ...flags, ...list, name };
}

/** Saves it and warns of other windows, and of blackouts, at the same time on the same nodes. */
async function save(
  context: CliContext,
  cluster: Cluster,
  { fields, isNew }: { fields: Readonly<Record<string, unknown>>; isNew: boolean },
): Promise<{ definition: WindowDefinition; warnings: readonly string[] }> {
  const [{ parseWindowFile }, { nextOccurrences }, { firstWithin }] = await Promise.all([
    import('../../../schema/window-file.js'),
    import('../../../schema/window-occurrences.js'),
    import('../../../schema/blackout-times.js'),
  ]);
  const definition = parseWindowFile(fields);
  const strange = definition.nodes?.find((node) => !cluster.nodes.includes(node));
  if (strange !== undefined)
    throw new KedgeError('bad-input', `Cannot read nodes: current value is "${strange}", must be nodes of the cluster: ${cluster.nodes.join(', ')}`);
  const from = new Date(context.now()).toISOString();
  const planned = (window: WindowDefinition, skipped: readonly string[]) => nextOccurrences(window, { from, count: SCHEDULED_AHEAD, skipped });
  const others = await cluster.windows.list();
  const occurrences = planned(definition, []);
  const overlaps = overlapsOf(
    { ...definition, occurrences },
    others.map((view) => ({ ...view.definition, occurrences: planned(view.definition, view.skipped) })),
  );
  const warnings = [...overlaps, ...blackoutWarnings(definition, cluster.blackouts, (blackout) => firstWithin(blackout, occurrences))];
  for (const warning of warnings) context.err(`Warning: ${warning}\n`);
  if (isNew) await cluster.windows.create({ definition, occurrences });
  else await cluster.windows.change(definition.name, (_, { skipped }) => ({ definition, skipped, occurrences: planned(definition, skipped) }));
  return { definition, warnings };
}
