import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { formatDuration } from '../../../domain/format-duration.js';
import type { CliContext } from '../../cli-context.js';
import type { MigrationRow } from '../../cluster.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { printData } from '../../render/print-data.js';
import { renderTable } from '../../render/table.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge migration list`: what runs and what ended lately. */
export function migrationListCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('list', {
    description: 'List migrations, newest first',
    examples: ['kedge migration list', 'kedge migration list --all --json'],
  })
    .option('--all', 'also those that ended long ago, as far as they are kept (30 days)')
    .option('--json', 'JSON')
    .action(async (options, command) => {
      const rows = await withCluster(context, globalOptions(command), (cluster) => cluster.listMigrations({ all: options.all === true }));
      printData(context, rows, { json: options.json, text: (all) => tableOf(all, context.now()) });
    });
}

function tableOf(rows: readonly MigrationRow[], nowMs: number): string {
  if (rows.length === 0) return 'No migrations\n';
  return renderTable(
    [
      { heading: 'ID', cell: (row) => row.id },
      { heading: 'STATE', cell: (row) => row.state },
      { heading: 'SOURCE', cell: (row) => row.source ?? '?' },
      { heading: 'TARGET', cell: (row) => row.target ?? '?' },
      { heading: 'AGE', cell: (row) => formatDuration(nowMs - Date.parse(row.startedAt)), align: 'right' },
      { heading: 'TOOK', cell: (row) => (row.endedAt === null ? '' : formatDuration(Date.parse(row.endedAt) - Date.parse(row.startedAt))), align: 'right' },
    ],
    rows,
  );
}
