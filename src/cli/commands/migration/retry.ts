import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { MigrationRef, MigrationView } from '../../../client/migration-view.js';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { CliContext } from '../../cli-context.js';
import type { Cluster } from '../../cluster.js';
import { followMigration } from '../../follow-migration.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { requestedBy } from '../../requested-by.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge migration retry <id>`: repeats the step that waits for an operator, or starts an ended migration anew. */
export function migrationRetryCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('retry', {
    description: 'Try again: the step that needs an operator, or a migration that ended without moving the guest',
    examples: ['kedge migration retry 101-7', 'kedge migration retry 101 --detach'],
    notes: 'A migration that starts anew has the same target and settings, and the next generation.',
  })
    .argument('<id>', 'like 101-7, or a vmid for its newest migration', parseArgument.migration)
    .option('--detach', 'do not wait for the end')
    .option('--json', 'one JSON object a line')
    .action(async (id, options, command) => {
      await withCluster(context, globalOptions(command), async (cluster) => {
        const begin = async (): Promise<MigrationRef> =>
          tryAgain(cluster, { id, view: await cluster.showMigration(id), asker: requestedBy(context.environment) });
        if (options.detach !== true) {
          await followMigration(context, cluster, { begin, json: options.json === true });
          return;
        }
        const { vmid } = await begin();
        if (options.json === true) context.out(`${JSON.stringify({ event: 'started', vmid })}\n`);
        else context.out(`Trying again. Watch it: kedge migration watch ${String(vmid)}\n`);
      });
    });
}

async function tryAgain(cluster: Cluster, { id, view, asker }: { id: string; view: MigrationView; asker: string }): Promise<MigrationRef> {
  const { story, ref } = view;
  if (view.status === 'running') {
    if (story?.question == null) throw refusal(id, 'it is on its way', `Watch it with "kedge migration watch ${id}"`);
    await cluster.decideMigration(ref, 'retry');
    return ref;
  }
  if (story === null) throw refusal(id, 'it ended before it had read its input', 'Start it with "kedge migrate"');
  if (story.outcome === 'migrated') throw refusal(id, `the guest has moved to ${story.target}`, 'Nothing to do');
  // No source: since then the guest may have been moved by another migration.
  return cluster.startMigration({ vmid: story.vmid, target: story.target, options: story.options, requestedBy: asker });
}

function refusal(id: string, state: string, remedy: string): KedgeError {
  return new KedgeError('guest-state', `Cannot try migration ${id} again: ${state}`, { details: { remedy } });
}
