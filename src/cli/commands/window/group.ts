import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { NodeName } from '../../../domain/ids.js';
import { KedgeError } from '../../../domain/kedge-error.js';
import { SCHEDULED_AHEAD, type Occurrence } from '../../../domain/window/window.js';
import type { WindowView } from '../../../client/window/window-verbs.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand, newGroup } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { windowTable, windowText } from '../../render/window-text.js';
import { withCluster } from '../../with-cluster.js';
import type { Cluster } from '../../cluster.js';
import { windowCreateCommand, windowEditCommand } from './define.js';

const SHOWN = 10;

/** `kedge window …`. */
export function windowCommands(context: CliContext): CommandUnknownOpts {
  const verb = (name: string, texts: { description: string; said: string; work: (cluster: Cluster, window: string) => Promise<unknown> }): CommandUnknownOpts =>
    newCommand(name, { description: texts.description, examples: [`kedge window ${name} patch`] })
      .argument('<name>', 'the window')
      .option('--json', 'JSON')
      .action(async (window, options, command) => {
        await withCluster(context, globalOptions(command), (cluster) => texts.work(cluster, window));
        printData(context, { window, done: name }, { json: options.json, text: () => `Window ${window} ${texts.said}\n` });
      });
  return newGroup('window', {
    description: 'Make, list, show, change, pause, run, skip and delete maintenance windows',
    commands: [
      windowCreateCommand(context),
      listCommand(context),
      showCommand(context),
      windowEditCommand(context),
      verb('pause', {
        description: 'Let a window not open until it is resumed',
        said: 'is paused',
        work: (cluster, name) => cluster.windows.pause(name, true),
      }),
      verb('resume', {
        description: 'Let a paused window open again',
        said: 'opens again at its times',
        work: (cluster, name) => resume(context, cluster, name),
      }),
      verb('run-now', { description: 'Open a window now, for as long as it lasts', said: 'opens now', work: (cluster, name) => cluster.windows.runNow(name) }),
      verb('skip-next', {
        description: 'Leave out the next occurrence',
        said: 'leaves out its next occurrence',
        work: (cluster, name) => skipNext(context, cluster, name),
      }),
      verb('cancel', {
        description: 'Begin nothing more in the opening that runs',
        said: 'is being cancelled',
        work: (cluster, name) => cluster.windows.cancel(name),
      }),
      doneCommand(context),
      verb('delete', { description: 'Delete a window; what runs goes on', said: 'is deleted', work: (cluster, name) => remove(context, cluster, name) }),
    ],
  });
}

function listCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('list', { description: 'List the maintenance windows', examples: ['kedge window list'] })
    .option('--json', 'JSON')
    .action(async (options, command) => {
      const views = await withCluster(context, globalOptions(command), (cluster) => cluster.windows.list());
      const rows = await Promise.all(views.map(async (view) => ('problem' in view ? view : { ...view, next: await occurrencesOf(context, view, 1) })));
      printData(context, rows, { json: options.json, text: (all) => (all.length === 0 ? 'No windows\n' : windowTable(all)) });
    });
}

function showCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('show', { description: 'Show a maintenance window, what it does now, and its next ten occurrences', examples: ['kedge window show patch'] })
    .argument('<name>', 'the window')
    .option('--json', 'JSON')
    .action(async (name, options, command) => {
      const view = await withCluster(context, globalOptions(command), (cluster) => cluster.windows.show(name));
      const shown = { ...view, next: await occurrencesOf(context, view, SHOWN) };
      printData(context, shown, { json: options.json, text: windowText });
    });
}

function doneCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('done', {
    description: 'Say that the work on a node is done, has failed, or is to be tried again',
    examples: ['kedge window done patch', 'kedge window done patch --node node2 --failed'],
  })
    .argument('<name>', 'the window')
    .option('--node <node>', 'which node, if several wait', parseArgument.node)
    .option('--failed', 'the work has failed: the node stays cordoned')
    .option('--again', 'try it again')
    .option('--json', 'JSON')
    .action(async (name, options, command) => {
      if (options.failed === true && options.again === true)
        throw new KedgeError('bad-input', 'Cannot read the answer: --failed and --again exclude each other');
      const answer = options.failed === true ? 'failed' : options.again === true ? 'again' : 'done';
      const node = await withCluster(context, globalOptions(command), async (cluster) => {
        const chosen = options.node ?? (await theOneThatWaits(cluster, name));
        await cluster.windows.answer(name, { node: chosen, answer });
        return chosen;
      });
      printData(context, { window: name, node, answer }, { json: options.json, text: () => `${node} of window ${name}: ${answer}\n` });
    });
}

async function theOneThatWaits(cluster: Cluster, name: string): Promise<NodeName> {
  const [node, ...others] = await cluster.windows.waiting(name);
  if (node !== undefined && others.length === 0) return node;
  const why = node === undefined ? 'no node waits' : `name one of ${[node, ...others].join(', ')} with --node`;
  throw new KedgeError('guest-state', `Cannot answer for window ${name}: ${why}`);
}

/** Deletes it, and says what is left to do for what runs. */
async function remove(context: CliContext, cluster: Cluster, name: string): Promise<void> {
  // One that can't be read can be deleted.
  const running = await cluster.windows.show(name).then(
    (view) => view.running,
    () => null,
  );
  await cluster.windows.remove(name);
  if (running !== null)
    context.err(`Warning: it is open, as ${running.workflowId}, and goes on; "kedge window cancel ${name}" and "kedge window done ${name}" still reach it\n`);
}

async function occurrencesOf(context: CliContext, { definition, skipped }: WindowView, count: number): Promise<readonly Occurrence[]> {
  const { nextOccurrences } = await import('../../../schema/window-occurrences.js');
  return nextOccurrences(definition, { from: new Date(context.now()).toISOString(), count, skipped });
}

async function skipNext(context: CliContext, cluster: Cluster, name: string): Promise<void> {
  const { nextOccurrences } = await import('../../../schema/window-occurrences.js');
  const from = new Date(context.now()).toISOString();
  await cluster.windows.change(name, (definition, { skipped }) => {
    // Occurrences are asked for by their end, and more than one may be open: this is the first that is not.
    const opensAfter = new Date(context.now() + definition.durationMs).toISOString();
    const [next] = nextOccurrences(definition, { from: opensAfter, count: 1, skipped });
    if (next === undefined) throw new KedgeError('guest-state', `Cannot skip the next occurrence of window ${name}: it has none`);
    const all = [...skipped.filter((at) => at > from), next.opensAt];
    return { definition, skipped: all, occurrences: nextOccurrences(definition, { from, count: SCHEDULED_AHEAD, skipped: all }) };
  });
}

/** Its calendar may have run out in a long pause. */
async function resume(context: CliContext, cluster: Cluster, name: string): Promise<void> {
  const { nextOccurrences } = await import('../../../schema/window-occurrences.js');
  const from = new Date(context.now()).toISOString();
  await cluster.windows.change(name, (definition, { skipped }) => ({
    definition,
    skipped,
    occurrences: nextOccurrences(definition, { from, count: SCHEDULED_AHEAD, skipped }),
  }));
  await cluster.windows.pause(name, false);
}
