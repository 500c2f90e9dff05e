import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { formatBytes } from '../../../domain/format-bytes.js';
import { formatDuration } from '../../../domain/format-duration.js';
import type { NodeStatus } from '../../../domain/node-facts.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { nodeState } from '../../render/node-state.js';
import { printData } from '../../render/print-data.js';
import { renderTable } from '../../render/table.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge node list`. */
export function nodeListCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('list', {
    description: 'List the nodes of the cluster with state, load and room',
    examples: ['kedge node list', 'kedge node list --json', 'kedge node list --snapshot > cluster.json'],
    notes: 'A snapshot is what "kedge plan" reads, as docs/snapshot.schema.json has it: nodes, guests, and the placement rules of kedge.yaml.',
  })
    .option('--json', 'JSON')
    .option('--snapshot', 'nodes and guests as the planner sees them, as JSON')
    .action(async (options, command) => {
      if (options.snapshot === true) {
        const snapshot = await withCluster(context, globalOptions(command), (cluster) => cluster.takeSnapshot());
        context.out(`${JSON.stringify(snapshot, null, 2)}\n`);
        return;
      }
      const nodes = await withCluster(context, globalOptions(command), (cluster) => cluster.listNodes());
      printData(context, nodes, { json: options.json, text: (all) => tableOf(all, context.now()) });
    });
}

function tableOf(nodes: readonly NodeStatus[], nowMs: number): string {
  if (nodes.length === 0) return 'No nodes\n';
  return renderTable(
    [
      { heading: 'NODE', cell: (status: NodeStatus) => status.node },
      { heading: 'STATE', cell: (status) => nodeState(status, nowMs) },
      { heading: 'GUESTS', cell: ({ inventory }) => String(inventory?.guests.filter((guest) => guest.record === 'owned').length ?? '?'), align: 'right' },
      { heading: 'MEMORY', cell: ({ inventory }) => (inventory === null ? '?' : formatBytes(inventory.memory.totalBytes)), align: 'right' },
      { heading: 'FREE', cell: ({ inventory }) => (inventory === null ? '?' : formatBytes(inventory.memory.availableBytes)), align: 'right' },
      { heading: 'LOAD', cell: ({ inventory }) => inventory?.load.toFixed(2) ?? '?', align: 'right' },
      { heading: 'CORES', cell: ({ inventory }) => String(inventory?.cpu.cores ?? '?'), align: 'right' },
      { heading: 'QEMU', cell: ({ inventory }) => inventory?.versions.qemu ?? '?' },
      { heading: 'SEEN', cell: ({ inventoryAgeMs }) => (inventoryAgeMs === null ? '?' : `${formatDuration(inventoryAgeMs)} ago`), align: 'right' },
    ],
    nodes,
  );
}
