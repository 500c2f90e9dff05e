import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { MigrationView } from '../../../client/migration-view.js';
import { formatDuration } from '../../../domain/format-duration.js';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { renderTable } from '../../render/table.js';
import { withCluster } from '../../with-cluster.js';

/** How many are shown without --all, and with it. */
const LATEST = 20;
const KEPT_AT_MOST = 10_000;

/** `kedge migration list`: what runs and what ended lately. */
export function migrationListCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('list', {
    description: 'List migrations, newest first',
    examples: ['kedge migration list', 'kedge migration list --failed --node node2 --since 7d', 'kedge migration list --all --json'],
    notes: 'The exit code is 0 whatever is listed. What a single migration ended with: kedge migration watch.',
  })
    .option('--all', `all that are kept (30 days), not only the latest ${String(LATEST)}`)
    .option('--running', 'only those on their way')
    .option('--failed', 'only those that failed; cancelled ones are no failures')
    .option('--since <when>', 'only those that run, or ended since: a span like 7d, or an instant', parseArgument.past)
    .option('--node <node>', 'only those to or from this node', parseArgument.node)
    .option('--json', 'JSON')
    .action(async (options, command) => {
      if (options.failed === true && options.running === true)
        throw new KedgeError('bad-input', 'Cannot list migrations: --failed and --running exclude each other, leave one of them out');
      const filter = {
        limit: options.all === true ? KEPT_AT_MOST : LATEST,
        ...(options.node === undefined ? {} : { node: options.node }),
        ...(options.running === true ? { running: true } : {}),
        ...(options.failed === true ? { failed: true } : {}),
        ...(options.since === undefined ? {} : { since: options.since }),
      };
      const views = await withCluster(context, globalOptions(command), (cluster) => cluster.listMigrations(filter));
      printData(context, views, { json: options.json, text: (all) => tableOf(all, context.now()) });
    });
}

function tableOf(views: readonly MigrationView[], nowMs: number): string {
  if (views.length === 0) return 'No migrations\n';
  return renderTable(
    [
      { heading: 'ID', cell: ({ story, ref }) => story?.id ?? String(ref.vmid) },
      { heading: 'STATE', cell: stateOf },
      { heading: 'SOURCE', cell: ({ story }) => story?.source ?? '?' },
      { heading: 'TARGET', cell: ({ story }) => story?.target ?? '?' },
      { heading: 'AGE', cell: (row) => formatDuration(nowMs - Date.parse(row.startedAt)), align: 'right' },
      { heading: 'TOOK', cell: (row) => (row.endedAt === null ? '' : formatDuration(Date.parse(row.endedAt) - Date.parse(row.startedAt))), align: 'right' },
    ],
    views,
  );
}

/** The phase while it runs, then how it ended for the guest, or why it failed. */
function stateOf({ status, phase, story, failure }: MigrationView): string {
  if (status === 'running') return phase ?? 'starting';
  if (failure !== null) return failure.code === 'cancelled' ? failure.code : `failed: ${failure.code}`;
  return story?.outcome ?? status;
}
